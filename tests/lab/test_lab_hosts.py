"""The lab's hosts for real: booted with systemd-nspawn, reached with SSH, rebooted, broken and taken away.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import cgroups, cleanup, preconditions
from lab.instance import processes
from lab.instance.state import find

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """\
network: {bridge: [10.42.0.1/24]}
hosts:
  - {name: store-042-1, id: edge-store-042-1, address: 10.42.0.101/24}
  - {name: a-host-of-a-very-long-name, id: edge-store-042-2, address: 10.42.0.102/24}
  - {name: speaker, id: edge-speaker, address: 10.42.0.103/24, boot: false}
"""


@dataclass
class Lab:
    """A lab of the test's own, driven through the command line as a user does."""

    state: Path
    name: str
    config: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """One command; its output goes through a pipe, which a daemon that held it open would keep from ending."""
        command = [sys.executable, "-m", "lab", *arguments, "--state", str(self.state), "--name", self.name]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=180, check=False)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self) -> str:
        said = self.run("up", "--config", str(self.config), "--kubernetes", "none")
        lines = self.run("env").splitlines()
        self.variables = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        return said

    def ssh(self, address: str, script: str, *, code: int | None = 0, text: str = "") -> str:
        """Run a script on a host as user kairos, reached as Ansible would reach it."""
        options = shlex.split(self.variables["ANSIBLE_SSH_COMMON_ARGS"])
        key = self.variables["ANSIBLE_PRIVATE_KEY_FILE"]
        target = f"{self.variables['ANSIBLE_REMOTE_USER']}@{address}"
        command = ["ssh", *options, "-i", key, "-o", "ConnectTimeout=3", "-o", "BatchMode=yes", target, script]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def host(self, name: str) -> dict[str, Any]:
        """One host of `lab status --json`."""
        found = json.loads(self.run("status", "--json", code=None))
        return next(host for host in found["hosts"] if host["name"] == name)

    def until(self, name: str, condition: Callable[[dict[str, Any]], bool], within: float = 30.0) -> dict[str, Any]:
        """Wait until a host is as it should be."""
        deadline = time.monotonic() + within
        while not condition(host := self.host(name)):
            assert time.monotonic() < deadline, host
            time.sleep(0.1)
        return host

    def residue(self) -> list[str]:
        """Whatever of the lab is left on the machine."""
        instance = find(str(self.state), self.name)
        left = [f"process {pid}" for part in processes.MODULES for pid in processes.find_all(instance, part)]
        left += [f"process {pid} in a control group" for pid in cgroups.members(self.name)]
        left += [f"control group {path}" for path in cgroups.top(self.name) if path.exists()]
        left += [f"mount {path}" for path in cleanup.mounts(self.state.resolve())]
        left += [f"namespace {instance.netns}"] if instance.netns.exists() else []
        return left


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab, with: odd characters")
    missing = preconditions.missing(folder)
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {'; '.join(missing)}")
    (folder / "lab.yml").write_text(CONFIG)
    lab = Lab(state=folder / "state", name=f"test-{os.getpid()}", config=folder / "lab.yml")
    try:
        lab.up()
        yield lab
    finally:
        lab.run("down", "--purge", code=None)
        assert lab.residue() == []


def test_a_host_is_a_whole_linux_without_python(lab: Lab) -> None:
    script = (
        "hostname; whoami; sudo -n whoami; systemctl is-system-running --wait; command -v python3 || echo no python"
    )
    assert lab.ssh("10.42.0.101", script).split("\n")[:5] == [
        "edge-store-042-1",
        "kairos",
        "root",
        "running",
        "no python",
    ]


def test_hosts_have_identities_of_their_own_and_reach_each_other(lab: Lab) -> None:
    script = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"
    assert lab.ssh("10.42.0.101", script) != lab.ssh("10.42.0.102", script)
    lab.ssh("10.42.0.101", "ping -c 1 -W 2 10.42.0.102")


def test_up_again_changes_nothing(lab: Lab) -> None:
    before = lab.host("store-042-1")["boot_id"], lab.host("a-host-of-a-very-long-name")["boot_id"]
    assert "runs already" in lab.up()
    assert (lab.host("store-042-1")["boot_id"], lab.host("a-host-of-a-very-long-name")["boot_id"]) == before


USER_DATA = """\
#cloud-config
stylus:
  site:
    hostName: store-042-1
    edgeHostToken: unknown-token
    ntpServers: [10.42.0.1]
    network:
      httpProxy: http://proxy:3128
      interfaces:
        host0: {type: static, ipAddress: 10.42.0.11/24, gateway: 10.42.0.1}
"""


def test_a_reboot_applies_the_sites_user_data(lab: Lab) -> None:
    before = lab.host("store-042-1")
    lab.ssh("10.42.0.101", "sudo tee /oem/user-data", text=USER_DATA)
    lab.ssh("10.42.0.101", "sudo systemctl reboot", code=None)
    after = lab.until("store-042-1", lambda host: host.get("address") == "10.42.0.11/24" and host["state"] == "running")
    assert after["boot_id"] != before["boot_id"]
    script = "hostname; cat /etc/environment; cat /etc/systemd/timesyncd.conf; cat /proc/sys/kernel/random/boot_id"
    found = lab.ssh("10.42.0.11", script)
    assert found.startswith("store-042-1\n")
    assert 'HTTP_PROXY="http://proxy:3128"' in found
    assert "NTP=10.42.0.1" in found
    assert after["boot_id"] in found
    lab.ssh("10.42.0.101", "true", code=255)


def test_a_token_that_is_refused_is_told_in_the_hosts_status(lab: Lab) -> None:
    host = lab.until("store-042-1", lambda host: host.get("agent") == "refused")
    assert "403" in host["agent_says"]
    assert "unknown-token" not in json.dumps(host)


def test_wrong_user_data_does_not_keep_a_host_from_booting(lab: Lab) -> None:
    before = lab.host("store-042-1")["boot_id"]
    lab.ssh("10.42.0.11", "sudo tee /oem/user-data", text="stylus: {site: {hostName: a_b}}")
    lab.run("fault", "host", "store-042-1", "reboot")
    running = lab.until("store-042-1", lambda host: host["state"] == "running" and host.get("boot_id") != before)
    assert "stylus.site.hostName: 'a_b'" in running["user_data"]
    assert running["address"] == "10.42.0.11/24"
    lab.ssh("10.42.0.11", "sudo tee /oem/user-data", text=USER_DATA)


def test_a_cable_is_cut_and_mended(lab: Lab) -> None:
    lab.run("fault", "host", "a-host-of-a-very-long-name", "cut")
    lab.until("a-host-of-a-very-long-name", lambda host: host["state"] == "cut")
    lab.ssh("10.42.0.102", "true", code=255)
    assert "host a-host-of-a-very-long-name: cut" in lab.run("fault", "list", code=None)
    lab.run("fault", "host", "a-host-of-a-very-long-name", "restore")
    lab.until("a-host-of-a-very-long-name", lambda host: host["state"] == "running")
    lab.ssh("10.42.0.102", "true")


def test_a_killed_host_stays_dead_until_up(lab: Lab) -> None:
    lab.run("fault", "host", "store-042-1", "kill")
    lab.until("store-042-1", lambda host: host["state"] == "killed")
    lab.up()
    assert lab.host("store-042-1")["state"] == "running"


def test_a_host_that_powers_itself_off_is_off_until_up(lab: Lab) -> None:
    lab.ssh("10.42.0.102", "sudo systemctl poweroff", code=None)
    lab.until("a-host-of-a-very-long-name", lambda host: host["state"] == "off")
    lab.up()
    lab.ssh("10.42.0.102", "true")


def test_a_killed_controller_comes_back_on_its_port(lab: Lab) -> None:
    before = lab.variables["PALETTE_HOST"]
    lab.run("fault", "controller", "kill")
    assert "controller: not running" in lab.run("status", code=1)
    assert "controller: started" in lab.up()
    assert lab.variables["PALETTE_HOST"] == before


def test_hosts_end_with_their_supervisor_and_up_boots_them_again(lab: Lab) -> None:
    instance = find(str(lab.state), lab.name)
    pid = processes.running(instance, "hosts")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(processes.alive(member) for member in cgroups.members(lab.name)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    lab.up()
    # What the host was told before is still on its disk.
    lab.ssh("10.42.0.11", "true")


def test_down_leaves_nothing_also_after_a_killed_supervisor_and_twice(lab: Lab) -> None:
    pid = processes.running(find(str(lab.state), lab.name), "hosts")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    lab.run("down")
    assert lab.residue() == []
    lab.run("down")
    lab.up()
    lab.ssh("10.42.0.11", "true")
    lab.run("down")
    assert lab.residue() == []
