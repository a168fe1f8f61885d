# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module at work: options, and a Palette that goes with them. For check mode, the contract and the canary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CONFIG,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, projects

TOKENS = "/v1/edgehosts/tokens"
PROFILES = "/v1/clusterprofiles"
CLUSTERS = "/v1/spectroclusters"
CLOUD = f"/v1/cloudconfigs/edge-native/{CONFIG}"


class World:
    """Calls that know whether a write came already."""

    def __init__(self) -> None:
        self.calls: list[Call] = [
            projects(),
            Call("GET", "/v1/users/info", {"userUid": "u"}, times=None, optional=True),
        ]
        self.calls[0].optional = True
        self.changed = False

    def reads(self, method: str, path: str, reply: Any, after: Any = None, *, status: int = 200, **more: Any) -> None:
        """A read that may come any number of times; ``after`` is its answer once something was written."""
        answer = (lambda dummy: after if self.changed else reply) if after is not None else reply
        params = more.pop("params", ANY)
        self.calls.append(
            Call(method, path, answer, status, params=params, body=ANY, times=None, optional=True, **more)
        )

    def writes(self, method: str, path: str, reply: Any = None, *, scope: str = PROJECT, times: int = 1) -> None:
        """A write that must come in a real run."""

        def done(dummy: Any) -> Any:
            self.changed = True
            return reply

        status = 204 if reply is None else 201
        self.calls.append(Call(method, path, done, status, params=ANY, body=ANY, scope=scope, times=times))


@dataclass(frozen=True)
class Case:
    """A module, its options and what they meet."""

    module: str
    name: str
    options: dict[str, Any]
    world: Callable[[], World]
    changed: bool = True

    def __str__(self) -> str:
        return f"{self.module}-{self.name}"

    def calls(self, *, check: bool) -> list[Call]:
        """Fresh calls; in check mode no write must come."""
        made = self.world().calls
        return [call for call in made if call.optional or not check]


CASES: list[Case] = []


def case(
    module: str, called: str, /, *, changed: bool = True, **options: Any
) -> Callable[[Callable[[World], None]], None]:
    """Registers the function below, which says what Palette has and takes, as a case."""

    def register(fill: Callable[[World], None]) -> None:
        def world() -> World:
            made = World()
            fill(made)
            return made

        CASES.append(Case(module, called, options, world, changed))

    return register
