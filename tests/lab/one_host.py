# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab with one host, for the tests of the role site_configuration: plays on it, and what the host then is."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.hosts import preconditions

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """\
network: {bridge: [10.43.0.1/24]}
hosts:
  - {name: site-1, id: edge-site-1, address: 10.43.0.101/24, nics: 2}
"""
ADDRESSES = ("10.43.0.12", "10.43.0.11", "10.43.0.101")
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
    addresses: list[str] = field(default_factory=lambda: list(ADDRESSES))

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

    def raw(self, script: str, *, user: str = "kairos") -> str:
        """What a script on the host prints, at the first of its addresses that answers; as root, or as another user."""
        common = shlex.split(self.variables["ANSIBLE_SSH_COMMON_ARGS"])
        common += ["-i", self.variables["ANSIBLE_PRIVATE_KEY_FILE"], "-o", "ConnectTimeout=3", "-o", "BatchMode=yes"]
        line = f"sudo sh -c {shlex.quote(script)}" if user == "kairos" else script
        for address in list(self.addresses):
            command = ["ssh", *common, f"{user}@{address}", line]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            if done.returncode != 255:
                # Each that is not there costs seconds: the next time, this one is asked first.
                self.addresses.sort(key=lambda one: one != address)
                return done.stdout
        raise AssertionError(f"the host answers at none of {self.addresses}: {done.stderr}")

    def status(self) -> dict[str, Any]:
        """What the lab says of the host."""
        found: dict[str, Any] = json.loads((self.folder / "state/hosts/site-1/status.json").read_text())
        return found

    def on_disk(self, path: str) -> Path:
        """A file of the host, seen from outside: also while it is off."""
        return self.folder / "state/hosts/site-1/root" / path.lstrip("/")


@contextmanager
def one_host(folder: Path, name: str, collections_path: Path) -> Iterator[Hosts]:
    """The lab with its host, until the end of the block; skips where this machine cannot boot hosts."""
    missing = preconditions.missing(folder)
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {'; '.join(missing)}")
    (folder / "lab.yml").write_text(CONFIG)
    found = Hosts(folder, f"{name}-{os.getpid()}")
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
