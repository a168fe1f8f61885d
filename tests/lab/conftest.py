# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs for the tests of this folder: each brought up once, and always taken down."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.lab.site_lab import Lab, preconditions

Laboratory = Callable[..., AbstractContextManager[Lab]]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def bootable() -> None:
    """Skips, saying what is missing, where hosts cannot be booted."""
    missing = preconditions()
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {missing}")


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Laboratory:
    """A context manager that brings up a lab with the hosts and the options it is given, and takes it down at its end."""

    @contextmanager
    def begin(hosts: list[dict[str, Any]], *options: str) -> Iterator[Lab]:
        number = next(_numbers)
        lab = Lab(tmp_path_factory.mktemp(f"lab{number}-"), f"pe-{os.getpid()}-{number}", collections_path)
        try:
            lab.up(hosts, *options)
            yield lab
        finally:
            lab.down()

    return begin
