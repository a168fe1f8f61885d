# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are cut after each of their writes in turn: the second one ends right, and nothing is there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, cut_in_turn
from ansible_collections.palette.edge.tests.unit.module_runner import run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]
PACKS = [
    {"name": "edge-native-byoi", "version": "2.1.0"},
    {"name": "edge-k3s", "version": "1.30.4"},
    {"name": "cni-calico", "version": "3.28.0"},
]


def _profile(version: str, **more: Any) -> dict[str, Any]:
    return run_module("cluster_profile", {"name": "edge", "version": version, "packs": PACKS, **more})


def _profiles(lab: LabServer) -> Any:
    rows = lab.world.lab.store.all("profile")
    found = [(one["metadata"]["name"], one["spec"]["version"], one["_lab"]["variables"]) for one in rows]
    return sorted(found, key=str)


def test_a_new_profile_version(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def prepare(dummy: LabServer) -> None:
        assert _profile("1.0.0")["changed"]

    def change() -> dict[str, Any]:
        variables = [{"name": "who", "default_value": "you"}]
        return _profile("1.1.0", variables=variables, description="the next one", retry_timeout=5)

    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=change, state=_profiles) >= 3
