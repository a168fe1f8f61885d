# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Agent mode on hosts that are a plain Linux at first: the role agent_mode, with the lab's imitation of the vendor's release.

One host is installed by the installer, the other from the package, in the same runs. In order, as each test stands on those
before it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import Lab, Run, until
from lab.release.make import release

pytestmark = pytest.mark.lab

OLD, NEW = "4.8.21", "4.8.22"
HOSTS = {"bare-1": "10.42.0.111", "bare-2": "10.42.0.112"}
QUICK: dict[str, Any] = {
    "agent_mode_minimum": {"cpus": 1, "memory_mib": 256, "disk_mib": 100},
    "agent_mode_resolve": [],
    "agent_mode_reach": [],
    "agent_mode_connect_timeout": 3,
    "agent_mode_reboot_timeout": 60,
    "agent_mode_wait_timeout": 40,
    "agent_mode_wait_sleep": 1,
    "agent_mode_grace": 2,
    "ansible_ssh_pipelining": True,
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *given: Any) -> None:
        """Says nothing."""


@dataclass
class Site:
    """The lab, the releases, and the inventory of its two hosts."""

    lab: Lab
    folder: Path
    url: str
    checksums: dict[str, dict[str, str]]
    token: str

    def run(self, *arguments: str, **more: Any) -> Run:
        return self.lab.play(*arguments, **self.given(**more))

    def given(
        self, version: str = OLD, limit: str = "", playbook: str = "palette.edge.install", **more: Any
    ) -> dict[str, Any]:
        """What `Lab.start` takes for a run."""
        extra = {
            **QUICK,
            "agent_mode_version": version,
            "agent_mode_checksums": self.checksums[version],
            "agent_mode_release_url": self.url,
            "agent_mode_release_dir": str(self.folder / "cache"),
            **more,
        }
        return {"playbook": playbook, "inventory": self.folder / "hosts.yml", "limit": limit, "extra": extra}

    def on(self, name: str, script: str) -> str:
        """What a script prints that root runs on the host."""
        quoted = script.replace("'", "'\\''")
        return self.lab.ssh(HOSTS[name], f"sudo sh -c '{quoted}'", check=False).strip()

    def palette(self) -> dict[str, tuple[str, str, str]]:
        """State, health and agent's version of each Edge host in the lab's Palette."""
        found = {}
        for one in self.lab.search("edgehosts"):
            status, health = one.get("status") or {}, (one.get("status") or {}).get("health") or {}
            found[one["metadata"]["uid"]] = (status.get("state"), health.get("state"), health.get("agentVersion"))
        return found


@pytest.fixture(scope="module")
def site(bootable: None, laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("agent-mode")
    checksums = {version: release(folder / "release", version) for version in (OLD, NEW)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder / "release")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    entries: list[dict[str, Any]] = [
        {"name": name, "id": f"edge-{name}", "address": f"{address}/24", "agent_mode": True}
        for name, address in HOSTS.items()
    ]
    try:
        with laboratory(entries) as lab:
            project = lab.api("GET", "/v1/dashboard/projects/metadata", project="")["items"][0]["metadata"]["uid"]
            body = {
                "metadata": {"name": "bare"},
                "spec": {"defaultProjectUid": project, "expiry": "2099-01-01T00:00:00Z"},
            }
            lab.api("POST", "/v1/edgehosts/tokens", body, project="")
            token = str(lab.tokens()[0]["spec"]["token"])
            made = Site(lab, folder, f"http://127.0.0.1:{server.server_address[1]}", checksums, token)
            _inventory(folder, token)
            yield made
    finally:
        server.shutdown()
        server.server_close()


def _inventory(folder: Path, token: str, **others: str) -> None:
    hosts: dict[str, dict[str, Any]] = {
        name: {
            "ansible_host": address,
            "edge_host_id": f"edge-{name}",
            "agent_mode_registration_token": others.get(name, token),
        }
        for name, address in HOSTS.items()
    }
    hosts["bare-2"]["agent_mode_method"] = "package"
    shared = {"edge_site_palette_endpoint": "palette.example.com", "edge_site_project": "Default"}
    inventory = {"all": {"vars": shared, "children": {"agent_mode": {"hosts": hosts}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))


STANDING = """
ls -A /opt /oem /etc/systemd/system/spectro* /var/lib/spectro 2>/dev/null
command -v jq
cat /proc/sys/kernel/random/boot_id
"""


def test_check_mode_predicts_and_writes_nothing(site: Site) -> None:
    before = {name: site.on(name, STANDING) for name in HOSTS}
    planned = site.run("--check", "--diff")
    assert planned.code == 0, planned.tell()
    # Packages, files of the release, the agent, the reboot.
    assert planned.changed == {"bare-1": 4, "bare-2": 4}, planned.tell()
    assert {"+jq", "+version: 4.8.21"} <= {line.strip() for line in planned.text.splitlines()}
    assert {name: site.on(name, STANDING) for name in HOSTS} == before
    assert not (site.folder / "cache").exists()


def test_what_is_not_as_pinned_is_not_installed(site: Site) -> None:
    wrong = {**site.checksums[OLD], "palette-agent-linux-amd64": "0" * 64}
    refused = site.run(limit="bare-1", agent_mode_checksums=wrong, agent_mode_preflight=False)
    assert "is pinned; nothing of it is kept" in refused.failed["bare-1"], refused.tell()
    assert site.on("bare-1", "ls /opt") == "packages"


def test_a_run_that_is_killed_half_way_is_taken_up_and_a_refused_token_is_told(site: Site) -> None:
    site.on("bare-1", "mkdir -p /etc/palette-lab; echo 4 > /etc/palette-lab/install-seconds")
    started = site.lab.start(**site.given(limit="bare-1"))
    try:
        active = "systemctl is-active palette-edge-agent"
        until(lambda: site.on("bare-1", active) == "active", within=60, what="the installer runs")
    finally:
        started.kill()
        started.end()
    assert site.palette() == {}
    wrong = "canary-wrong-token"
    _inventory(site.folder, site.token, **{"bare-2": wrong})
    done = site.run("-vvvv", "--diff")
    assert set(done.failed) == {"bare-2"}, done.tell()
    assert "Palette refuses the registration token" in done.failed["bare-2"]
    assert "EdgeTokenInvalid" in done.failed["bare-2"]
    assert [secret for secret in (site.token, wrong) if secret in done.text] == []
    # The installer ran once, for the run that was killed.
    assert site.on("bare-1", "journalctl -b -1 -u palette-edge-agent -o cat | grep -c Started") == "1"
    assert site.palette() == {"edge-bare-1": ("ready", "healthy", "v4.8.21")}
    assert site.on("bare-1", "hostname; command -v jq") == "edge-bare-1\n/usr/bin/jq"


def test_with_the_right_token_it_registers_and_nothing_is_left_behind(site: Site) -> None:
    _inventory(site.folder, site.token)
    mended = site.run()
    assert mended.code == 0, mended.tell()
    assert mended.changed["bare-1"] == 0
    assert site.palette() == {f"edge-{name}": ("ready", "healthy", "v4.8.21") for name in HOSTS}
    left = "find /opt/palette-agent -type f | sort"
    for name in HOSTS:
        found = [Path(path).name for path in site.on(name, left).splitlines()]
        assert found == ["curl", "log", "rc", "run.sh", "record.json"], "what was staged is gone"
    assert site.on("bare-2", "stat -c '%a %U' /var/lib/spectro/userdata") == "600 root"
    again = site.run()
    assert again.changed == {"bare-1": 0, "bare-2": 0}, again.tell()


def test_one_is_upgraded_by_its_own_download_and_the_other_uninstalled(site: Site) -> None:
    # Side by side, as each has its own steps and its own reboot.
    part = "{{ 'main' if inventory_hostname == 'bare-1' else 'uninstall' }}"
    role = {"ansible.builtin.include_role": {"name": "palette.edge.agent_mode", "tasks_from": part}}
    play = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.free", "tasks": [role]}
    (site.folder / "both.yml").write_text(yaml.safe_dump([play]))
    serve = [
        "nsenter",
        f"--net=/run/netns/{site.lab.name}",
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        "10.42.0.1",
        "8099",
    ]
    nowhere = subprocess.DEVNULL
    server = subprocess.Popen(serve, cwd=site.folder / "release", stdout=nowhere, stderr=nowhere)
    try:
        done = site.run(
            version=NEW,
            playbook=str(site.folder / "both.yml"),
            agent_mode_fetch_from="host",
            agent_mode_release_url="http://10.42.0.1:8099",
            agent_mode_uninstall_confirm="edge-bare-2",
        )
    finally:
        server.kill()
        server.wait()
    assert done.code == 0, done.tell()
    assert done.changed == {"bare-1": 2, "bare-2": 2}, done.tell()
    assert site.palette()["edge-bare-1"] == ("ready", "healthy", "v4.8.22")
    left = site.on("bare-2", "ls -A /opt /oem /var/lib/spectro /etc/systemd/system/spectro* 2>/dev/null")
    assert left.split() == ["/opt:", "packages"]
    assert site.lab.hosts()["bare-2"]["agent"] == "absent"
