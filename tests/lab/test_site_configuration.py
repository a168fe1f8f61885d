# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on real Edge hosts without Python: the role site_configuration and the actions, over SSH.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.hosts import preconditions

pytestmark = pytest.mark.lab

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """\
network: {bridge: [10.43.0.1/24]}
hosts:
  - {name: site-1, id: edge-site-1, address: 10.43.0.101/24}
"""
TOKEN = "canary-t0ken-of-the-registration"
VARIABLES: dict[str, Any] = {
    "site_configuration_registration_token": TOKEN,
    "edge_site_palette_endpoint": "palette.example.com",
    "edge_site_management_mode": "central",
    "edge_host_id": "edge-site-1",
    "edge_host_name": "site-one",
    "edge_host_nic": "host0",
    "edge_host_address": "10.43.0.11/24",
    "edge_host_initial_address": "10.43.0.101",
    "edge_host_gateway": "10.43.0.1",
    "edge_host_tags": {"site": "store-042"},
    "edge_host_ntp_servers": ["pool.ntp.org"],
    "site_configuration_connect_timeout": 3,
    "site_configuration_timeout": 20,
    "site_configuration_reboot_timeout": 90,
}
ROLE = {"hosts": "all", "gather_facts": False, "roles": [{"role": "palette.edge.site_configuration"}]}


@dataclass
class Run:
    """What a playbook printed, and its recap for each host."""

    text: str
    stats: dict[str, dict[str, int]]


@dataclass
class Hosts:
    """A lab of this test's own, and Ansible on its hosts."""

    folder: Path
    name: str
    variables: dict[str, str] = field(default_factory=dict)

    def lab(self, *arguments: str, check: bool = True) -> str:
        command = [sys.executable, "-m", "lab", *arguments, "--state", str(self.folder / "state"), "--name", self.name]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=180, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def play(self, play: dict[str, Any], *arguments: str, hosts: dict[str, Any] | None = None, **more: Any) -> Run:
        """Run one play; `hosts` gives further hosts their variables, `more` changes those of all."""
        named = {"site-1": {"ansible_host": "10.43.0.101"}, **(hosts or {})}
        inventory = {"all": {"hosts": named, "vars": {**VARIABLES, **more}}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        (self.folder / "play.yml").write_text(yaml.safe_dump([play]))
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventory.yml", *arguments, "play.yml"]
        environment = {**os.environ, **self.variables, "ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder)}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        text = done.stdout + done.stderr
        stats = {}
        for line in text.partition("PLAY RECAP")[2].splitlines():
            if " : ok=" in line:
                host, dummy, numbers = line.partition(":")
                stats[host.strip()] = {key: int(value) for key, value in (word.split("=") for word in numbers.split())}
        return Run(text, stats)

    def raw(self, script: str) -> str:
        """What a script on the host prints, as root."""
        done = self.play({"hosts": "site-1", "gather_facts": False, "become": True, "tasks": [
            {"palette.edge.host_facts": {"addresses": ["10.43.0.11", "10.43.0.101"]}, "register": "found"},
            {"ansible.builtin.set_fact": {"ansible_host": "{{ found.address }}"}},
            {"ansible.builtin.raw": script, "register": "said"},
            {"ansible.builtin.copy": {"content": "{{ said.stdout }}", "dest": str(self.folder / "said")},
             "delegate_to": "localhost", "become": False,
             "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}},
        ]})  # fmt: skip
        assert done.stats["site-1"]["failed"] == 0, done.text
        return (self.folder / "said").read_text().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("configuration")
    missing = preconditions.missing(folder)
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {'; '.join(missing)}")
    (folder / "lab.yml").write_text(CONFIG)
    found = Hosts(folder, f"sc-{os.getpid()}")
    try:
        found.lab("up", "--config", str(folder / "lab.yml"), "--kubernetes", "none")
        exports = (shlex.split(line)[1] for line in found.lab("env").splitlines())
        found.variables = {
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path),
            **dict(line.split("=", 1) for line in exports),
        }
        yield found
    finally:
        found.lab("down", "--purge", check=False)


def test_the_whole_way(hosts: Hosts) -> None:
    """In order, as each step stands on the one before: check, configure, again, change, interrupted, resumed."""
    planned = hosts.play(ROLE, "--check", "--diff")
    assert planned.stats["site-1"]["failed"] == 0, planned.text
    assert "+    hostName: site-one" in planned.text
    assert hosts.raw("cat /oem/user-data 2>/dev/null; hostname").strip() != "site-one"
    assert "absent" in hosts.raw("test -e /oem/user-data && echo there || echo absent")

    done = hosts.play(ROLE, "--diff", "-vvvv")
    assert done.stats["site-1"] | {"failed": 0, "unreachable": 0, "changed": 2} == done.stats["site-1"], done.text[
        -3000:
    ]
    forms = [TOKEN] + [base64.b64encode(b"x" * at + TOKEN.encode()).decode()[4:-4] for at in range(3)]
    assert [form for form in forms if form in done.text] == []
    state = "hostname; ip -o -4 addr show host0 | grep -c 10.43.0.11/24; stat -c '%a %U:%G' /oem/user-data"
    assert hosts.raw(f"{state}; command -v python3 || echo none").split("\n")[:4] == [
        "site-one",
        "1",
        "600 root:root",
        "none",
    ]
    assert TOKEN in hosts.raw("cat /oem/user-data")

    again = hosts.play(ROLE)
    assert (again.stats["site-1"]["changed"], again.stats["site-1"]["failed"]) == (0, 0), again.text

    checksum = hosts.raw("sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id")
    other = hosts.play(ROLE, "--check", "--diff", edge_host_ntp_servers=["time.example.com"])
    lines = [line for line in other.text.splitlines() if line.startswith(("+ ", "- "))]
    assert lines == ["-      - pool.ntp.org", "+      - time.example.com"]
    assert hosts.raw("sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id") == checksum

    cut = hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"], site_configuration_reboot=False)
    assert cut.stats["site-1"]["changed"] == 1
    assert "has yet to boot with its user-data" in cut.text
    resumed = hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"])
    assert (resumed.stats["site-1"]["changed"], resumed.stats["site-1"]["failed"]) == (1, 0), resumed.text
    assert hosts.raw("cat /proc/sys/kernel/random/boot_id") not in checksum
    assert hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"]).stats["site-1"]["changed"] == 0


def test_bad_values_are_refused_and_an_unreachable_host_does_not_stop_the_others(hosts: Hosts) -> None:
    nowhere = {"ansible_host": "10.43.0.77", "site_configuration_addresses": ["10.43.0.77", "10.43.0.78"]}
    done = hosts.play(
        ROLE,
        "--check",
        hosts={"site-2": {**nowhere, "site_configuration_timeout": 4}, "site-3": {"edge_host_gateway": "10.99.0.1"}},
    )
    assert done.stats["site-1"]["failed"] == 0, done.text
    assert done.stats["site-2"]["unreachable"] == 1
    assert done.stats["site-3"]["failed"] == 1
    assert "10.43.0.77 (" in done.text
    assert "10.43.0.78 (" in done.text
    assert "interfaces.host0.gateway: 10.99.0.1 is outside the subnet 10.43.0.0/24" in done.text
    assert "Traceback" not in done.text


def test_a_full_disk_leaves_the_old_file(hosts: Hosts) -> None:
    hosts.raw("mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small && echo old > /mnt/small/file")
    play = {"hosts": "site-1", "gather_facts": False, "become": True, "tasks": [
        {"palette.edge.host_facts": {"addresses": ["10.43.0.11", "10.43.0.101"]}, "register": "found"},
        {"ansible.builtin.set_fact": {"ansible_host": "{{ found.address }}"}},
        {"palette.edge.host_file": {"path": "/mnt/small/file", "content": "{{ 'x' * 300000 }}"}},
    ]}  # fmt: skip
    done = hosts.play(play)
    assert "No space left on device; it is as it was" in done.text
    assert hosts.raw("cat /mnt/small/file; ls -A /mnt/small; umount /mnt/small").split() == ["old", "file"]


def test_a_host_that_never_comes_back_is_told(hosts: Hosts) -> None:
    play = {"hosts": "site-1", "gather_facts": False, "become": True, "tasks": [
        {"palette.edge.host_facts": {"addresses": ["10.43.0.11", "10.43.0.101"]}, "register": "found"},
        {"ansible.builtin.set_fact": {"ansible_host": "{{ found.address }}"}},
        # In place of a reboot, the machine's network goes away.
        {"ansible.builtin.raw": "printf '#!/bin/sh\\n[ $1 = reboot ] && ip link set host0 down\\n' > /usr/local/sbin/systemctl; "
                                "chmod +x /usr/local/sbin/systemctl"},
        {"palette.edge.host_reboot": {"addresses": ["10.43.0.12"], "timeout": 12, "connect_timeout": 2}},
    ]}  # fmt: skip
    done = hosts.play(play)
    assert done.stats["site-1"]["unreachable"] == 1, done.text
    assert "did not come back within 12 s: 10.43.0.12 (" in done.text
