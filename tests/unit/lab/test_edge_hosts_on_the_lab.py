# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts on the lab's controller: what is set, cut after each write, installed anew, and two thousand at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, cut_in_turn, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]
MANY = 2000


def hosts(**options: Any) -> dict[str, Any]:
    return run_module("edge_host", {"retry_timeout": 5, **options})


def _state(lab: LabServer) -> Any:
    """Hosts without what is secret by chance, and without times."""
    found = lab.world.lab.store.all("host")
    return sorted(
        (
            one["metadata"]["uid"],
            one["metadata"]["name"],
            sorted(one["metadata"]["labels"].items()),
            sorted(one["spec"]["tunnelConfig"].items()),
            one["spec"]["host"]["hostPairingKey"],
        )
        for one in found
    )


def test_everything_of_some_hosts_is_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def prepare(lab: LabServer) -> None:
        lab.hosts("edge-1", "edge-2")
        first = [{"uid": "edge-1", "tags": {"old": "1"}}, {"uid": "edge-4", "pairing_key": "canary-first"}]
        assert hosts(hosts=first)["changed"]

    wanted = [
        {"uid": "edge-1", "name": "front", "tags": {}, "remote_shell": "enabled"},
        {"uid": "edge-2", "tags": {"site": "042"}},
        {"uid": "edge-3", "pairing_key": "canary-new"},
        {"uid": "edge-4", "pairing_key": "canary-second"},
    ]
    made = cut_in_turn(tmp_path, environment, prepare=prepare, run=lambda: hosts(hosts=wanted), state=_state)
    assert made == 5


def test_a_host_installed_anew_is_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def prepare(lab: LabServer) -> None:
        lab.world.hosts("edge-1")
        lab.world.later(600)
        assert lab.world.host("edge-1")["status"]["health"]["state"] == "unhealthy"

    wanted = {"uid": "edge-1", "name": "front", "tags": {"site": "042"}, "reinstalled": True}
    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=lambda: hosts(**wanted), state=_state) == 2


def test_a_shell_comes_and_goes_and_its_user_has_a_file(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    target = tmp_path / "user.yml"
    with lab_server(tmp_path / "lab", environment) as lab:
        lab.hosts("edge-1")
        on = hosts(uid="edge-1", remote_shell="enabled", remote_shell_temporary_user="enabled", wait=True)
        assert (on["edge_host"]["remote_shell_state"], on["edge_host"]["remote_shell_user_state"]) == (
            "Created",
            "Created",
        )
        fetch = {"uids": ["edge-1"], "credentials_path": str(target)}
        fetched = run_module("edge_host_info", fetch)
        assert fetched["changed"] is True
        password = lab.world.host("edge-1")["status"]["tunnelStatus"]["ssh"]["user"]["credentials"]["password"]
        assert password in target.read_text()
        assert target.stat().st_mode & 0o777 == 0o600
        assert password not in str([on, fetched])
        assert run_module("edge_host_info", fetch)["changed"] is False
        off = hosts(uid="edge-1", remote_shell="disabled", wait=True)
        assert (off["edge_host"]["remote_shell_state"], off["edge_host"]["remote_shell_user_state"]) == (
            "Deleted",
            "Deleted",
        )
        assert "has no temporary user now" in failure("edge_host_info", fetch)


def test_a_host_in_use_and_one_of_another_project_are_refused(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    with lab_server(tmp_path / "lab", environment) as lab:
        lab.hosts("edge-1", "edge-2")
        lab.world.create_cluster("edge-1")
        before = len(lab.writes)
        both = [{"uid": "edge-1"}, {"uid": "edge-2"}]
        said = failure("edge_host", {"hosts": both, "state": "absent"})
        assert "Edge host edge-1 is in use by the cluster store-042: take it out" in said
        assert len(lab.writes) == before
        environment.setenv("PALETTE_PROJECT", next(name for name in lab.world.projects if name != "Default"))
        assert "project: Edge host edge-2 belongs to the project Default" in failure("edge_host", {"uid": "edge-2"})


def test_a_reset_is_confirmed_and_keeps_the_quorum(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    with lab_server(tmp_path / "lab", environment) as lab:
        lab.hosts("edge-1", "edge-2")
        lab.world.create_cluster("edge-1")
        before = len(lab.writes)
        assert "confirm:" in failure("edge_host_reset", {"uid": "edge-2", "confirm": "edge-1"})
        assert "edge-1" in failure("edge_host_reset", {"uid": "edge-1", "confirm": "edge-1"})
        assert len(lab.writes) == before
        free = {"uid": "edge-2", "confirm": "edge-2"}
        assert run_module("edge_host_reset", free, check=True)["changed"]
        assert len(lab.writes) == before
        done = run_module("edge_host_reset", free)
        assert not done.get("failed"), done
        assert lab.writes[before:] == [("PUT", "/v1/edgehosts/edge-2/reset")]


def test_two_thousand_hosts(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Broken off in the middle, carried on, and then nothing to do.

    Says nothing of the rate limit: a request takes 0.25 s of the lab's time here, which is slower than the limit.
    """
    wanted = [{"uid": f"edge-{number:04}", "tags": {"site": f"{number // 4:03}"}} for number in range(MANY)]
    with lab_server(tmp_path / "lab", environment, rate_limits=True) as lab:
        asked: list[int] = []
        take = lab._take

        def counted(*request: Any) -> Any:
            reply = take(*request)
            asked.append(reply.status_code if reply else 0)
            return reply

        environment.setattr(lab, "_take", counted)

        def run(words: str) -> dict[str, Any]:
            asked.clear()
            began, lab_began = time.monotonic(), lab.world.now
            result = hosts(hosts=wanted)
            real, virtual = time.monotonic() - began, lab.world.now - lab_began
            print(f"{words}: {len(asked)} requests, {virtual:.0f} s of the lab's time, {real:.1f} s here")
            return result

        lab.cut(600)
        broken = run("broken off")
        assert broken["failed"]
        assert broken["changed"]
        assert "were not tried" in broken["msg"]
        assert len(broken["msg"]) < 1500
        lab.mend()
        carried_on = run("carried on")
        assert carried_on["changed"]
        assert len(carried_on["steps"]) == MANY - 600
        assert len(carried_on["diff"]["after"]) == 21
        assert sum(1 for dummy in lab.world.lab.store.all("host")) == MANY
        assert run("again")["changed"] is False
        assert len(asked) < 60
