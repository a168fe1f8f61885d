# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures of `tests/unit/palette_fixtures.py` for the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.contract.contract import Contract
from ansible_collections.palette.edge.tests.contract.swagger import Swagger
from ansible_collections.palette.edge.tests.unit.palette_fixtures import (
    clock,
    environment,
    failure,
    palette,
    run_module,
)

__all__ = ["clock", "environment", "failure", "palette", "run_module"]

# Written by newer versions than the description is of: the Terraform provider of July 2026 does.
NEWER = {"v1MachinePoolConfigEntity": {"overrideHealthCheckConfiguration": {"type": "string"}}}


@pytest.fixture(scope="module")
def contract(specs: Path) -> Contract:
    file = specs / "palette-edge-subset.json"
    return Contract(Swagger(file, newer=NEWER), list(json.loads(file.read_text(encoding="utf-8"))["paths"]))
