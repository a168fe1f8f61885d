# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's endpoints are asked, for the test of their replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.palette.edge.tests.unit.lab_controller import World


@dataclass
class Ask:
    """A request; ``agent`` is the host in whose name it comes, ``status`` is given where it is no success.

    :ivar form: a body that is no JSON, with its content type.
    """

    parts: dict[str, str] = field(default_factory=dict)
    body: Any = None
    params: dict[str, str] = field(default_factory=dict)
    scope: str | None = None
    agent: str = ""
    status: int = 0
    form: tuple[str, bytes] | None = None


Case = Callable[[World], Iterator[Ask]]
CASES: dict[tuple[str, str], Case] = {}


def case(method: str, template: str) -> Callable[[Case], Case]:
    """Declares what an endpoint is asked."""

    def declare(function: Case) -> Case:
        CASES[method, template] = function
        return function

    return declare


def plain(method: str, template: str, *asks: Ask) -> None:
    """Declares an endpoint that needs nothing of the world."""
    case(method, template)(lambda _world: iter(asks or (Ask(),)))
