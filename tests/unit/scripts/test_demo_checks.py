# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of scripts/demo find what they are there to find."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from ansible_collections.palette.edge.tests.unit.scripts.scripts_lib import load

checks = load("demo_checks")

RECAP = """
PLAY RECAP *********************************************************************
store-042                  : ok=9    changed={site}    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
store-042-1                : ok=4    changed=0    unreachable={host}    failed=0    skipped=0    rescued=0    ignored=0
"""


class TestUnchanged:
    def test_names_the_hosts(self) -> None:
        assert checks.unchanged(RECAP.format(site=0, host=0)) == "changed=0 on each of store-042, store-042-1"

    @pytest.mark.parametrize(("site", "host", "named"), [(2, 0, "store-042"), (0, 1, "store-042-1")])
    def test_refuses_what_changed_or_failed(self, site: int, host: int, named: str) -> None:
        with pytest.raises(checks.CheckError, match=f"on {named}$"):
            checks.unchanged(RECAP.format(site=site, host=host))

    def test_refuses_an_output_without_hosts(self) -> None:
        with pytest.raises(checks.CheckError, match="no play recap"):
            checks.unchanged("ERROR! no hosts matched\nPLAY RECAP ****\n")


class TestOnlyThese:
    DIFF = "--- before: a\n+++ after: b\n@@ -1 +1 @@\n name: x\n-  region: north\n+  region: south\n"

    def test_takes_the_change_itself(self) -> None:
        assert checks.only_these(self.DIFF, ["north", "south"]) == "the diff shows these and nothing else: north, south"

    def test_refuses_anything_else(self) -> None:
        with pytest.raises(checks.CheckError, match=r"more than what was changed.*timezone"):
            checks.only_these(self.DIFF + "+timezone: UTC\n", ["north", "south"])

    def test_refuses_what_is_not_shown(self) -> None:
        with pytest.raises(checks.CheckError, match="does not show east"):
            checks.only_these(self.DIFF, ["north", "south", "east"])


class TestChange:
    def test_replaces_whole_words(self, tmp_path: Path) -> None:
        file = tmp_path / "site.yml"
        file.write_text("region: north\nname: northern\n")
        checks.change(file, ["north", "south"])
        assert file.read_text() == "region: south\nname: northern\n"

    @pytest.mark.parametrize("text", ["region: west\n", "region: north\nwing: north\n"])
    def test_refuses_a_file_that_does_not_have_it_once(self, text: str, tmp_path: Path) -> None:
        file = tmp_path / "site.yml"
        file.write_text(text)
        with pytest.raises(checks.CheckError, match="should have north once"):
            checks.change(file, ["north", "south"])
        assert file.read_text() == text


class TestNothingWritten:
    @staticmethod
    def _state(*writes: str, user_data: str = "1") -> dict[str, Any]:
        return {"writes": list(writes), "user_data": {"hosts/a/user-data": user_data}}

    def test_takes_the_same_and_what_the_controller_forgot(self) -> None:
        before = self._state("POST /a", "PUT /b", "PUT /c")
        assert checks.nothing_written(before, before).startswith("nothing was written")
        checks.nothing_written(before, self._state("PUT /b", "PUT /c"))
        checks.nothing_written(before, self._state())

    def test_refuses_another_write(self) -> None:
        with pytest.raises(checks.CheckError, match=r"check mode wrote.*PUT /d"):
            checks.nothing_written(self._state("POST /a"), self._state("POST /a", "PUT /d"))

    def test_refuses_other_user_data(self) -> None:
        with pytest.raises(checks.CheckError, match="user-data"):
            checks.nothing_written(self._state(), self._state(user_data="2"))


def _item(name: str, *, ready: bool = True, version: str = "v1.20.2", leaving: bool = False) -> dict[str, Any]:
    """A node or a pod, with what the checks look at."""
    conditions = [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": str(ready)}]
    metadata = {"name": name, **({"deletionTimestamp": "2026-11-21T09:00:00Z"} if leaving else {})}
    status = {"conditions": conditions, "phase": "Running", "nodeInfo": {"kubeletVersion": version}}
    return {"metadata": metadata, "status": status}


class TestCluster:
    PODS: ClassVar = {"items": [_item("pod-1"), _item("pod-2")]}
    NODES: ClassVar = {"items": [_item("node-1"), _item("node-2")]}

    def test_takes_what_runs(self) -> None:
        assert "2 nodes are Ready with Kubernetes 1.20.2" in checks.cluster(self.NODES, self.PODS, 2, "1.20.2")

    @pytest.mark.parametrize(
        ("nodes", "said"),
        [
            ([_item("node-1"), _item("node-2", ready=False)], "node-2"),
            ([_item("node-1")], "of 1 these are not"),
            ([_item("node-1"), _item("node-2", version="v1.20.1")], "node-2 has v1.20.1"),
            ([{"metadata": {"name": "node-1"}, "status": {}}, _item("node-2")], "node-1"),
        ],
    )
    def test_refuses_other_nodes(self, nodes: list[dict[str, Any]], said: str) -> None:
        with pytest.raises(checks.CheckError, match=said):
            checks.cluster({"items": nodes}, self.PODS, 2, "1.20.2")

    @pytest.mark.parametrize(
        ("pods", "said"),
        [
            ([_item("pod-1"), _item("pod-2", ready=False)], "pod-2"),
            ([_item("pod-1")], "2 pods should run"),
            ([_item("pod-1"), _item("pod-2", leaving=True)], "2 pods should run"),
        ],
    )
    def test_refuses_pods_that_do_not_run(self, pods: list[dict[str, Any]], said: str) -> None:
        with pytest.raises(checks.CheckError, match=said):
            checks.cluster(self.NODES, {"items": pods}, 2, "1.20.2")

    def test_looks_past_a_pod_that_leaves(self) -> None:
        pods = {"items": [*self.PODS["items"], _item("pod-0", ready=False, leaving=True)]}
        assert "2 pods of the add-on run" in checks.cluster(self.NODES, pods, 2, "1.20.2")


class TestNoneLost:
    @staticmethod
    def _tally(**other: Any) -> dict[str, Any]:
        return {
            "answered": 7,
            "lost": [],
            "slowest": 0.2,
            "last": {"10.42.0.11": "hello", "10.42.0.12": "hello"},
            **other,
        }

    def test_tells_the_figures(self) -> None:
        assert checks.none_lost(self._tally(), "hello").startswith("7 answered, 0 lost")

    def test_names_what_was_lost(self) -> None:
        lost = ["09:00:00 10.42.0.12, after 5.0 s: TimeoutError: timed out"]
        with pytest.raises(checks.CheckError, match=r"1 of 8 requests.*\n.*09:00:00 10.42.0.12.*timed out"):
            checks.none_lost(self._tally(lost=lost), "hello")

    @pytest.mark.parametrize(
        ("tally", "said"),
        [({"answered": 0, "last": {}}, "asked nothing"), ({"last": {"10.42.0.11": "bye"}}, "10.42.0.11 'bye'")],
    )
    def test_refuses_silence_and_another_answer(self, tally: dict[str, Any], said: str) -> None:
        with pytest.raises(checks.CheckError, match=said):
            checks.none_lost(self._tally(**tally), "hello")
