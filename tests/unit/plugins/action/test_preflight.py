# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of a preflight and its report, as the tasks of a play call them, and the role as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import constants as C

from ansible_collections.palette.edge.plugins.action import preflight_record, preflight_report

NIC = {"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": ["10.0.0.1/24"]}
SITE = {
    "hosts": [{"name": "edge-1", "id": "id-1"}, {"name": "edge-2", "id": "id-2"}],
    "cluster": {"vip": "10.0.0.100"},
    "project": "Default",
}


class Play:
    """Calls the actions as Ansible does, one process for all."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.said = folder, list[str]()
        monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(folder / "ansible-local-1"))
        monkeypatch.setattr(preflight_report.display, "display", lambda text, **more: self.said.append(text))

    def call(self, module: Any, entry: str, *, check: bool = False, **args: Any) -> dict[str, Any]:
        task = SimpleNamespace(args=args, check_mode=check, diff=False, async_val=0, action="x", environment=None)
        shell = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), _load_name="local")
        action = module.ActionModule(task, shell, SimpleNamespace(), None, None, None)
        action._load_name = "x"
        return dict(action.run(None, {"inventory_hostname": entry}))

    def record(self, entry: str, phase: str, *, site: str = "store", **args: Any) -> dict[str, Any]:
        return self.call(preflight_record, entry, phase=phase, site=site, **args)

    def report(self, entry: str, *, site: str = "store", **args: Any) -> dict[str, Any]:
        return self.call(preflight_report, entry, site=site, **args)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return Play(tmp_path, monkeypatch)


def answer(number: int, *findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What host_checks returns."""
    facts = {"boot_id": f"b{number}", "machine_id": f"m{number}", "host_name": f"edge-{number}", "kernel": "6.1"}
    facts["interfaces"] = [{**NIC, "mac": f"52:54:00:00:00:{number:02x}", "addresses": [f"10.0.0.{number}/24"]}]
    return {"address": f"10.0.0.{number}", "edge_host_facts": facts, "findings": list(findings), **more}


def finding(check: str, severity: str = "error") -> dict[str, Any]:
    return {"check": check, "ok": False, "severity": severity, "seen": "little", "wanted": "more", "advice": "add"}


def looked(play: Play) -> None:
    """A site of two hosts, of which the second does not answer."""
    play.record("store", "site", settings=SITE)
    port = [{"port": 6443}]
    play.record("edge-1", "host", answer=answer(1, finding("memory"), finding("time", "warning")), ports=port)
    play.record("edge-2", "host", answer={"unreachable": True, "msg": "no address answered"}, ports=port)


def test_one_table_for_the_site_and_a_failure_for_each_of_it(play: Play, tmp_path: Path) -> None:
    looked(play)
    results = {entry: play.report(entry, dest=str(tmp_path / "report.json")) for entry in ("edge-2", "store", "edge-1")}
    assert [line.split()[0] for line in play.said] == [
        "Preflight",
        "WHERE",
        "edge-1",
        "edge-2",
        "edge-1",
        "store",
        "Report:",
    ]
    assert play.said[0] == "Preflight of store: 2 errors, 2 warnings, 4 fine (2 hosts looked at)"
    assert results["edge-1"]["msg"] == "edge-1: 1 error: memory (edge-1): little, wanted more"
    assert results["edge-2"]["msg"].startswith("edge-2: 1 error: reachable (edge-2): no address answered")
    assert results["store"]["msg"].startswith("store: 2 errors: ")
    assert results["store"]["counts"] == {"errors": 2, "warnings": 2, "fine": 4}
    assert all(one["failed"] and not one["changed"] for one in results.values())
    (told,) = json.loads((tmp_path / "report.json").read_text())["sites"]
    assert {"site", "counts", "hosts", "findings"} == set(told)
    assert [one["reached"] for one in told["hosts"]] == [True, False]


def test_warnings_are_no_failure_and_neither_are_errors_when_that_is_asked_for(play: Play) -> None:
    play.record("edge-1", "host", answer=answer(1, finding("time", "warning")))
    assert "failed" not in play.report("edge-1")
    play.record("edge-1", "host", answer=answer(1, finding("memory")))
    result = play.report("edge-1", fail_on_error=False)
    assert "failed" not in result
    assert result["ok"] is False


def test_check_mode_says_the_same_and_writes_nothing(play: Play, tmp_path: Path) -> None:
    looked(play)
    result = play.report("store", check=True, dest=str(tmp_path / "report.json"))
    assert result["failed"] is True
    assert "dest" not in result
    assert not (tmp_path / "report.json").exists()
    assert play.said[0].startswith("Preflight of store: 2 errors")


def test_sites_are_told_apart_and_compared_with_each_other(play: Play) -> None:
    play.record("edge-1", "host", answer=answer(1))
    play.record("far-1", "host", site="far", answer=answer(1))
    play.record("lone", "host", site="", answer=answer(3))
    assert "are the same machine" in play.report("far-1", site="far")["msg"]
    assert play.report("edge-1")["failed"] is True
    assert "failed" not in play.report("lone", site="")
    heads = [line for line in play.said if line.startswith("Preflight of ")]
    assert [head.partition(":")[0] for head in heads] == [
        "Preflight of hosts without a site", "Preflight of far", "Preflight of store",
    ]  # fmt: skip


def test_what_hosts_are_to_try(play: Play) -> None:
    looked(play)
    play.record("edge-3", "host", answer=answer(3), ports=[{"port": 6443}], settings={"address": "10.0.0.3/24"})
    assert play.record("edge-3", "peers")["peers"] == ["10.0.0.1:6443"]
    assert play.record("edge-3", "peers")["free_addresses"] == ["10.0.0.3", "10.0.0.100"]
    assert play.record("edge-2", "peers") == {"changed": False, "peers": [], "free_addresses": []}
    tried = {
        "findings": [],
        "connections": {"10.0.0.1:6443": "silent"},
        "holders": {"10.0.0.100": {"state": "free", "mac": ""}},
    }
    play.record("edge-3", "tried", answer=tried)
    seen = {one["check"]: one["seen"] for one in play.report("edge-3")["findings"]}
    assert seen["path"] == "filtered: no answer in time"
    play.record("edge-3", "tried", answer={"unreachable": True, "msg": "gone"})
    assert "gone" in play.report("edge-3")["msg"]
    assert "begin with the phase host" in play.record("nobody", "tried")["msg"]


def test_a_cluster_that_runs_may_listen_on_its_ports(play: Play) -> None:
    play.record("edge-1", "host", answer=answer(1, finding("port"), has_cluster=True))
    assert play.report("edge-1")["ok"] is True
    play.record("edge-1", "host", answer=answer(1, finding("port"), has_cluster=False))
    assert play.report("edge-1")["ok"] is False


def test_a_report_that_cannot_be_written(play: Play, tmp_path: Path) -> None:
    play.record("edge-1", "host", answer=answer(1))
    result = play.report("edge-1", dest=str(tmp_path / "none" / "report.json"))
    assert result["failed"] is True
    assert result["msg"].startswith("dest: the report cannot be written: ")
    assert "\n" not in result["msg"]


def test_answers_of_palette_that_failed_are_findings(play: Play) -> None:
    api = {
        "project": {"failed": False, "msg": "Palette does not know\nthis key"},
        "token": {"skipped": True},
        "hosts": {},
    }
    play.record("store", "site", settings={**SITE, "hosts": [], "cluster": {}, "api": api})
    assert "palette (store): Palette does not know this key" in play.report("store")["msg"]


@pytest.mark.slow
def test_the_role_as_a_user_runs_it(tmp_path: Path) -> None:
    """On this machine, at -vvvv: the password of the proxy is nowhere."""
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": [{"role": "palette.edge.preflight"}]}])
    )
    local = {"ansible_connection": "local", "preflight_become": False, "edge_site_name": "store"}
    small = {"preflight_listen": False, "preflight_ports": [], "preflight_max_clock_skew": 60, "preflight_disk_gb": 0}
    hosts = {
        "edge-1": {"edge_host_id": "id-1", "edge_host_name": "one", "preflight_memory_mib": 99999999},
        "edge-2": {"edge_host_id": "id-1", "edge_host_name": "two", "preflight_reach": ["palette.example.com"],
                   "edge_host_proxy": {"https": "http://ops:canary-password@127.0.0.1:1"}},
    }  # fmt: skip
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": {**local, **small}}}))
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "inventory.yml",
        "-vvvv",
        "--check",
        "play.yml",
    ]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "HOME": str(tmp_path), "PALETTE_API_KEY": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    assert done.returncode == 2, text[-3000:]
    assert "canary" not in text
    assert "Traceback" not in text
    assert "edge-1, edge-2 are the same machine" in text
    assert "the proxy does not answer" in text
    assert re.search(r"^edge-1 +memory +error +\d+ MiB", text, re.M), text[-3000:]
