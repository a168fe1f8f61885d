# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a rollout: whose turn it is, what a broken run leaves, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants as C
from ansible.errors import AnsibleError

from ansible_collections.palette.edge.plugins.action import rollout_record, rollout_report
from ansible_collections.palette.edge.plugins.plugin_utils import _rollout as rollout
from ansible_collections.palette.edge.plugins.plugin_utils import _rollout_action as shared
from ansible_collections.palette.edge.plugins.plugin_utils._rollout_page import page

BEFORE, AFTER = [{"name": "edge", "version": "1.0.0"}], [{"name": "edge", "version": "1.1.0"}]


class Fleet:
    """Calls the actions as Ansible does, one process for all; ``run`` is a run of the playbook."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.said: list[str] = []
        self.run("1")
        monkeypatch.setattr(shared.display, "display", lambda text, **more: self.said.append(text))

    def run(self, name: str) -> None:
        scratch = self.folder / f"ansible-local-{name}"
        scratch.mkdir(exist_ok=True)
        self.monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(scratch))

    def _call(self, module: Any, entry: str, batch: list[str], *, check: bool = False, **args: Any) -> dict[str, Any]:
        task = SimpleNamespace(
            args={"directory": str(self.folder / "report"), **args},
            check_mode=check, diff=False, async_val=0, action="rollout", environment=None,
        )  # fmt: skip
        shell = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), _load_name="local")
        action = module.ActionModule(task, shell, SimpleNamespace(), None, None, None)
        action._load_name = "rollout"
        return dict(action.run(None, {"inventory_hostname": entry, "ansible_play_batch": batch}))

    def record(self, entry: str, phase: str, *, batch: list[str] | None = None, **args: Any) -> dict[str, Any]:
        return self._call(rollout_record, entry, batch or [entry], site=entry, phase=phase, **args)

    def wave(self, *entries: str, results: dict[str, str] | None = None, **args: Any) -> dict[str, dict[str, Any]]:
        """A batch: all ask first, as in a linear play, then those that may come to their end."""
        turns = {one: self.record(one, "begin", batch=list(entries), **args) for one in entries}
        for one in entries:
            if turns[one]["go"]:
                result = (results or {}).get(one, "upgraded")
                check = args.get("check", False)
                self.record(one, "end", result=result, profiles_before=BEFORE, profiles_after=AFTER, check=check)
        return turns

    def report(self, entry: str, **args: Any) -> dict[str, Any]:
        return self._call(rollout_report, entry, [entry], **args)

    def data(self) -> Any:
        return json.loads((self.folder / "report" / "report.json").read_text())


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    made = Fleet(tmp_path, monkeypatch)
    for name in "abcdef":
        made.record(name, "enlist", profiles_after=AFTER)
    return made


def test_waves_have_names_whoever_comes_first(fleet: Fleet) -> None:
    assert {one["record"]["wave"] for one in fleet.wave("a", wave="canary").values()} == {"canary"}
    assert {one["record"]["wave"] for one in fleet.wave("b", "c").values()} == {"batch 1"}
    assert {one["record"]["wave"] for one in fleet.wave("d", "e").values()} == {"batch 2"}


def test_a_failed_canary_stops_all_the_others_however_many_may_fail(fleet: Fleet) -> None:
    fleet.wave("a", wave="canary", results={"a": "failed"}, stop_after=9)
    (turn,) = fleet.wave("b", stop_after=9).values()
    assert (turn["go"], turn["why"], turn["record"]["result"]) == (False, "the canary a failed", "not started")


def test_failures_are_counted_over_all_waves_and_a_batch_is_of_one_mind(fleet: Fleet) -> None:
    fleet.wave("a", results={"a": "failed"}, stop_after=2)
    turns = fleet.wave("b", "c", results={"b": "failed", "c": "failed"}, stop_after=2)
    assert [one["go"] for one in turns.values()] == [True, True]
    turns = fleet.wave("d", stop_after=2)
    assert turns["d"]["why"] == "3 failed (a, b, c)"


def test_another_run_counts_for_nothing_but_what_it_left_half_done(fleet: Fleet) -> None:
    fleet.wave("a", results={"a": "failed"})
    fleet.wave("b")
    fleet.run("2")
    for name in "ab":
        fleet.record(name, "enlist", profiles_after=AFTER)
    (turn,) = fleet.wave("a", results={"a": "upgraded"}).values()
    assert turn["go"]
    assert turn["record"]["attempts"] == 2
    # The site has the new version already, as the first run wrote it, and the report says from which it came.
    ended = fleet.record("a", "end", result="upgraded", profiles_before=AFTER, profiles_after=AFTER)
    assert ended["record"]["from_version"] == "edge 1.0.0"
    assert fleet.record("b", "begin")["record"]["attempts"] == 1
    fleet.report("a")
    assert [one["site"] for one in fleet.data()["sites"]] == ["a", "b"]


def test_what_is_to_be_reached_is_another_now(fleet: Fleet) -> None:
    fleet.wave("a", results={"a": "failed"})
    fleet.run("2")
    other = [{"name": "edge", "version": "1.2.0"}]
    assert fleet.record("a", "enlist", profiles_after=other)["record"]["from_version"] == ""


def test_the_report_is_told_once_and_fails_for_those_that_failed(fleet: Fleet) -> None:
    fleet.wave("a", "b", results={"b": "failed"})
    fleet.wave("c")
    fleet.said.clear()
    reports = {name: fleet.report(name) for name in "abc"}
    assert [name for name, one in reports.items() if one.get("failed")] == ["b"]
    assert reports["a"]["counts"] == {"sites": 6, "upgraded": 1, "failed": 1, "not started": 1, "waiting": 3}
    assert sum(line.startswith("SITE ") for line in fleet.said) == 1
    assert fleet.said[-1] == f"Report: {fleet.folder}/report/report.html"
    assert fleet.data()["counts"] == reports["a"]["counts"]
    assert not any(one["changed"] for one in reports.values())


def test_a_site_that_never_came_to_its_end_fails(fleet: Fleet) -> None:
    assert "was not brought to an end" in fleet.report("f")["msg"]


def test_progress_is_said_once_for_each_change(fleet: Fleet) -> None:
    fleet.wave("a")
    assert fleet.said == []
    fleet.wave("b", "c")
    assert fleet.said == ["Fleet: 1 of 6 sites done, 0 failed, 5 to go"]


def test_check_mode_leaves_nothing_behind(fleet: Fleet) -> None:
    (turn,) = fleet.wave("a", results={"a": "would change"}, check=True).values()
    assert turn["go"]
    before = sorted(str(one) for one in (fleet.folder / "report").rglob("*"))
    result = fleet.report("a", check=True)
    assert "page" not in result
    assert sorted(str(one) for one in (fleet.folder / "report").rglob("*")) == before
    assert fleet.said[-1] == "Fleet: 1 of 1 sites done, 0 failed, 0 to go"


def test_a_folder_that_cannot_be_written(fleet: Fleet) -> None:
    (fleet.folder / "file").write_text("")
    result = fleet.record("a", "begin", directory=str(fleet.folder / "file" / "report"))
    assert result["failed"] is True
    assert result["msg"].startswith("directory: the report cannot be kept in")


@pytest.mark.parametrize("options", [{"stop_after": 0}, {"phase": "start"}, {"result": "not started"}])
def test_bad_options(fleet: Fleet, options: dict[str, Any]) -> None:
    try:
        result = fleet.record("a", **{"phase": "begin", **options})
    except AnsibleError as error:
        result = {"failed": True, "msg": str(error)}
    assert result["failed"] is True
    assert next(iter(options)) in result["msg"]


def test_a_record_of_somebody_else_is_as_good_as_none(fleet: Fleet) -> None:
    for text in ("", "[]", '{"a": 1}', "{"):
        (fleet.folder / "report" / "sites" / "a.json").write_text(text)
        assert fleet.record("a", "begin")["go"] is True


def test_the_page_escapes_what_it_shows() -> None:
    evil = "<script>alert('x')</script>&"
    record = rollout.Record(
        entry="a", site=evil, run="1", wave=evil, result="failed", from_version=evil, message=evil, reasons=[evil],
        began=1.0, ended=3.0, repaved=True, attempts=2,
    )  # fmt: skip
    for over in (True, False):
        text = page([record], now=9.0, over=over, title="Rollout")
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert ('http-equiv="refresh"' in text) is not over
    assert page([], now=1.0, over=True, title="Rollout").startswith("<!doctype html>")


def test_names_that_are_no_file_names(fleet: Fleet, request: pytest.FixtureRequest) -> None:
    del request
    call: Callable[..., dict[str, Any]] = fleet.record
    assert call("../x/y", "begin")["go"]
    assert (fleet.folder / "report" / "sites" / "..%2Fx%2Fy.json").is_file()
