# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode writes nothing and predicts what a real run does: over every module that there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.module_cases import CASES, Case
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer
from ansible_collections.palette.edge.tests.unit.test_repository import FILE_MODULES

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
Run = Callable[..., dict[str, Any]]

# Actions that are tested together.
TOGETHER = {
    "host_key_info": "host_key",
    "rollout_record": "rollout",
    "rollout_report": "rollout",
    "preflight_record": "preflight",
    "preflight_report": "preflight",
}


def module_names() -> list[str]:
    return sorted(file.stem for file in (PLUGINS / "modules").glob("*.py"))


@pytest.mark.parametrize("name", module_names())
def test_every_module_has_a_case(name: str) -> None:
    """A module that is an action plugin runs no code of its own: then the tests of that action prove it.

    One that works on files has no Palette to meet, and tests of its own too.
    """
    action = (PLUGINS / "action" / f"{name}.py").exists()
    if not action and name not in FILE_MODULES:
        assert name in {case.module for case in CASES}, "give it a case in tests/unit/cases_ROOM.py"
        return
    kind = "action" if action else "modules"
    tests = Path(__file__).resolve().parents[1] / kind / f"test_{TOGETHER.get(name, name)}.py"
    assert tests.exists(), f"{name} has no tests"
    assert "check=True" in tests.read_text(encoding="utf-8"), f"{tests.name} does not run it in check mode"


def test_every_case_has_a_module() -> None:
    assert {case.module for case in CASES} <= set(module_names())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_check_mode_writes_nothing(case: Case, palette: PaletteServer, run_module: Run) -> None:
    palette.refuse_writes = True
    palette.answer(*case.calls(check=True))
    result = run_module(case.module, case.options, check=True)
    assert not result.get("failed"), result
    assert palette.writes == []
    assert result["changed"] is case.changed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_real_run_does_what_check_mode_said(case: Case, palette: PaletteServer, run_module: Run) -> None:
    palette.answer(*case.calls(check=True))
    said = run_module(case.module, case.options, check=True)
    assert palette.writes == []
    palette.unordered.clear()
    palette.answer(*case.calls(check=False))
    did = run_module(case.module, case.options)
    assert not did.get("failed"), did
    assert did["changed"] is case.changed
    assert bool(palette.writes) is case.changed
    for key in ("changed", "steps", "diff"):
        assert did.get(key) == said.get(key), key
    if case.changed:
        assert len(did["steps"]) == len(palette.writes)
        assert did["diff"]["before"] != did["diff"]["after"]


@pytest.mark.parametrize("case", [case for case in CASES if case.changed], ids=str)
def test_check_mode_tells_the_same_kind_of_thing(case: Case, palette: PaletteServer, run_module: Run) -> None:
    """Later tasks read the resource in check mode too, so its values have the types that a real run returns."""
    palette.answer(*case.calls(check=True))
    said = run_module(case.module, case.options, check=True)
    palette.unordered.clear()
    palette.answer(*case.calls(check=False))
    did = run_module(case.module, case.options)
    nouns = (case.module, f"{case.module}s", case.module.rpartition("_")[0])
    noun = next(key for key in nouns if key in did)
    pairs = zip(said[noun], did[noun]) if isinstance(did[noun], list) else [(said[noun], did[noun])]
    for predicted, real in pairs:
        wrong = [
            f"{key}: {predicted[key]!r} instead of {real[key]!r}"
            for key in predicted
            if key in real and not _alike(predicted[key], real[key])
        ]
        assert not wrong, "\n".join(wrong)


def _alike(predicted: Any, real: Any) -> bool:
    if isinstance(predicted, list) and isinstance(real, list):
        return not predicted or not real or _alike(predicted[0], real[0])
    if isinstance(predicted, dict) and isinstance(real, dict):
        # Tags have any keys; the parts of a resource have always the same.
        return set(predicted) == set(real) or "name" not in predicted
    return type(predicted) is type(real)
