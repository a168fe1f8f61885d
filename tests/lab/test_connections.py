# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host keys, jump hosts and agents, with the sshd of real hosts and the inventory of site files.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.site_lab import Lab, Run

from .conftest import Laboratory

pytestmark = pytest.mark.lab

FIRST, SECOND = "10.42.0.101", "10.42.0.102"
HOSTS = [
    {"name": "store-042-1", "id": "edge-store-042-1", "address": f"{FIRST}/24"},
    {"name": "store-042-2", "id": "edge-store-042-2", "address": f"{SECOND}/24"},
]
FACTS = {"palette.edge.host_facts": {"timeout": 2, "connect_timeout": 3}}
RENEW = """sudo sh -c '
rm -f /etc/ssh/ssh_host_*
ssh-keygen -qN "" -t ed25519 -f /etc/ssh/ssh_host_ed25519_key
ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
systemctl restart ssh'"""
ANOTHER_KIND = """sudo sh -c '
ssh-keygen -qN "" -t ecdsa -f /etc/ssh/ssh_host_ecdsa_key
ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub
echo HostKey /etc/ssh/ssh_host_ecdsa_key >> /etc/ssh/sshd_config
systemctl restart ssh'"""


@dataclass
class Fleet:
    """A lab, and Ansible on it with ssh as a user has it, but for the way into the lab's network."""

    lab: Lab
    runs: int = 0

    @property
    def folder(self) -> Path:
        return self.lab.folder

    @property
    def known_hosts(self) -> Path:
        return self.folder / ".known_hosts"

    @property
    def way_in(self) -> str:
        return f"nsenter --net=/run/netns/{self.lab.name} socat - TCP:%h:%p"

    def pinned(self) -> dict[str, str]:
        lines = [line.split() for line in self.known_hosts.read_text().splitlines()]
        assert all(len(line) == 3 for line in lines), lines
        assert len({line[0] for line in lines}) == len(lines), lines
        return {line[0]: line[2] for line in lines}

    def inventory(self, addresses: dict[str, str], *, options: str = "") -> Path:
        """An inventory of sites whose hosts answer at these addresses."""
        hosts = [
            {"name": name, "id": f"edge-{name}", "initial_address": address} for name, address in addresses.items()
        ]
        (self.folder / "sites").mkdir(exist_ok=True)
        (self.folder / "sites" / "one.yml").write_text(yaml.safe_dump({"name": "one", "hosts": hosts}))
        path = self.folder / "all.sites.yml"
        path.write_text(f"plugin: palette.edge.sites\n{options}")
        return path

    def play(
        self, tasks: list[dict[str, Any]], *arguments: str, inventory: Path | None = None,
        strategy: str = "linear", **environment: str,
    ) -> Run:  # fmt: skip
        """Run tasks on the Edge hosts."""
        self.runs += 1
        path = self.folder / f"play-{self.runs}.yml"
        path.write_text(yaml.safe_dump([
            {"hosts": "palette_hosts", "gather_facts": False, "strategy": strategy, "tasks": tasks}
        ]))  # fmt: skip
        usual = {
            "ANSIBLE_SSH_COMMON_ARGS": shlex.join(["-o", f"ProxyCommand={self.way_in}", "-o", "IdentitiesOnly=yes"]),
            # No connection outlives its run, so that each run is a contact anew.
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -F /dev/null",
        }
        inventory = inventory or self.inventory({"store-042-1": FIRST, "store-042-2": SECOND})
        return self.lab.play(
            *arguments, playbook=str(path), inventory=inventory, limit="", **{**usual, **environment}
        )  # fmt: skip


@pytest.fixture(scope="module")
def fleet(bootable: None, laboratory: Laboratory) -> Iterator[Fleet]:
    with laboratory(HOSTS) as lab:
        yield Fleet(lab)


def test_pinned_checked_refused_and_accepted_again(fleet: Fleet) -> None:
    """In order, as each step stands on the one before."""
    first = fleet.play([FACTS, FACTS])
    assert first.code == 0, first.tell()
    before = fleet.pinned()
    assert sorted(before) == ["store-042-1", "store-042-2"]

    # Another address of the same host: known. The address of another host: refused.
    fleet.lab.ssh(SECOND, "sudo ip address add 10.42.0.150/24 dev host0")
    swapped = fleet.play([FACTS], inventory=fleet.inventory({"store-042-2": "10.42.0.150", "store-042-1": SECOND}))
    assert list(swapped.failed) == ["store-042-1"], swapped.tell()
    assert f"{SECOND} (store-042-1 shows the ED25519 host key SHA256:" in swapped.failed["store-042-1"]

    # Installed anew.
    shown = re.findall(r"SHA256:\S+", fleet.lab.ssh(SECOND, RENEW))
    put = {"palette.edge.host_file": {"path": "/tmp/x", "content": "x"}}
    refused = fleet.play([{**put, "ignore_unreachable": True}, FACTS])
    direct, said = (str(one["msg"]) for one in refused.results("unreachable", name="store-042-2"))
    assert list(refused.failed) == ["store-042-2"], refused.tell()
    assert "\n" not in said
    for words in (
        f"store-042-2 shows the ED25519 host key {shown[0]}, and {fleet.known_hosts}:",
        "the host was reinstalled, or another machine answers in its place",
        f"palette.edge.host_key (name: store-042-2, fingerprint: {shown[0]})",
    ):
        assert words in said
    assert fleet.pinned() == before
    # A task that takes the connection as it is says the same of the file that it would have written.
    assert f"fingerprint: {shown[0]})." in direct

    compared = fleet.play([
        {"palette.edge.host_key_info": {"shown": True}, "register": "found"},
        {"ansible.builtin.assert": {"that": "found.matches == (inventory_hostname == 'store-042-1')"}},
    ])  # fmt: skip
    assert compared.code == 0, compared.tell()

    wrong = {"palette.edge.host_key": {"fingerprint": "SHA256:" + "A" * 43}}
    never = fleet.play([wrong], "--limit", "store-042-2")
    assert f"{SECOND} shows ED25519 {shown[0]}, and none is SHA256:AAAA" in never.failed["store-042-2"], never.tell()
    assert fleet.pinned() == before

    accept = {"palette.edge.host_key": {"fingerprint": f"256 {shown[0]} root@x (ED25519)"}}
    planned = fleet.play([accept], "--limit", "store-042-2", "--check", "--diff")
    assert planned.changed == {"store-042-2": 1}, planned.tell()
    assert f"+store-042-2 ED25519 {shown[0]}" in planned.text
    assert fleet.pinned() == before
    accepted = fleet.play([accept, accept, FACTS], "--limit", "store-042-2")
    assert (accepted.code, accepted.changed) == (0, {"store-042-2": 1}), accepted.tell()
    after = fleet.pinned()
    assert after["store-042-1"] == before["store-042-1"]
    assert after["store-042-2"] != before["store-042-2"]

    forget = {"palette.edge.host_key": {"state": "absent"}}
    forgotten = fleet.play([forget, forget])
    assert (forgotten.changed, fleet.pinned()) == (dict.fromkeys(after, 1), {}), forgotten.tell()
    assert fleet.play([FACTS]).code == 0
    assert fleet.pinned() == after


def test_a_host_that_shows_a_key_of_another_kind(fleet: Fleet) -> None:
    """The console may show several fingerprints: any of them will do."""
    shown = re.findall(r"SHA256:\S+", fleet.lab.ssh(SECOND, ANOTHER_KIND))[0]
    done = fleet.play([{"palette.edge.host_key": {"fingerprint": shown}}, FACTS], "--limit", "store-042-2", "-vvv")
    assert (done.code, done.changed) == (0, {"store-042-2": 1}), done.tell()
    assert re.search(r"^store-042-2 ecdsa-sha2-nistp256 \S+$", fleet.known_hosts.read_text(), re.MULTILINE)


def test_many_at_once_lose_nothing(fleet: Fleet) -> None:
    """ssh adds hosts while others are forgotten: each line is whole, and none is missing."""
    names = {f"many-{number:02}": f"10.42.1.{number + 1}" for number in range(24)}
    options = f"compose:\n  ansible_host: ({FIRST!r}, {SECOND!r}) | random\n"
    odd = "inventory_hostname[-1] in '13579'"
    tasks = [
        {"ansible.builtin.raw": "true"},
        {"palette.edge.host_key": {"state": "absent"}, "when": odd},
    ]
    done = fleet.play(tasks, inventory=fleet.inventory(names, options=options), strategy="free")
    assert done.code == 0, done.tell()
    assert sorted(name for name in fleet.pinned() if name.startswith("many")) == list(names)[::2]


def test_unknown_hosts_are_refused_when_only_known_ones_are_taken(fleet: Fleet) -> None:
    inventory = fleet.inventory({"store-043-1": FIRST}, options="host_keys: {policy: strict}")
    done = fleet.play([FACTS], inventory=inventory, ANSIBLE_HOST_KEY_CHECKING="false")
    assert (
        "(the ED25519 host key of store-043-1 is not known here); accept it with palette.edge.host_key"
        in done.failed["store-043-1"]
    )


def test_the_users_own_arguments_win(fleet: Fleet) -> None:
    own = fleet.folder / "own"
    arguments = [
        "-o",
        f"ProxyCommand={fleet.way_in}",
        "-o",
        f"UserKnownHostsFile={own}",
        "-o",
        "StrictHostKeyChecking=no",
    ]
    inventory = fleet.inventory({"store-044-1": FIRST})
    done = fleet.play([FACTS], inventory=inventory, ANSIBLE_SSH_COMMON_ARGS=shlex.join(arguments))
    assert done.code == 0, done.tell()
    assert own.read_text().startswith("store-044-1 ssh-ed25519 ")
    assert "store-044-1" not in fleet.known_hosts.read_text()


def test_through_a_jump_host_with_a_key_in_an_agent(fleet: Fleet, tmp_path: Path) -> None:
    """The second host is behind the first: there is no other way. The key has a passphrase, and only the agent has it."""
    key, jump_hosts, config, ask = (tmp_path / name for name in ("key", "jump_hosts", "config", "ask"))
    key.write_bytes(Path(fleet.lab.variables["ANSIBLE_PRIVATE_KEY_FILE"]).read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "passphrase", "-f", str(key)], check=True)
    ask.write_text("#!/bin/sh\necho passphrase\n")
    ask.chmod(0o700)
    config.write_text(
        f"Host bastion\n HostName {FIRST}\n User kairos\n ProxyCommand {fleet.way_in}\n"
        f" UserKnownHostsFile {jump_hosts}\n StrictHostKeyChecking accept-new\n HostKeyAlias bastion\n"
    )
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    agent = dict(re.findall(r"(SSH_\w+)=([^;]+);", started))
    common = {
        "ANSIBLE_SSH_ARGS": f"-F {config} -o ControlMaster=no",
        "ANSIBLE_SSH_COMMON_ARGS": "-J bastion",
        "ANSIBLE_PRIVATE_KEY_FILE": "",
    }
    inventory = fleet.inventory({"store-045-1": SECOND})
    try:
        empty = fleet.play([FACTS], inventory=inventory, SSH_AUTH_SOCK=agent["SSH_AUTH_SOCK"], **common)
        assert "kairos@10.42.0.101: Permission denied" in empty.failed["store-045-1"], empty.tell()
        subprocess.run(
            ["ssh-add", "-q", str(key)], check=True, stdin=subprocess.DEVNULL,
            env={**os.environ, **agent, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"},
        )  # fmt: skip
        put = {"palette.edge.host_file": {"path": "/home/kairos/through", "content": "x\n"}}
        done = fleet.play([FACTS, put], inventory=inventory, SSH_AUTH_SOCK=agent["SSH_AUTH_SOCK"], **common)
        assert done.code == 0, done.tell()
        assert fleet.lab.ssh(SECOND, "cat through") == "x\n"
        # Each under its own name, in its own file.
        assert jump_hosts.read_text().startswith("bastion ssh-ed25519 ")
        assert "bastion" not in fleet.known_hosts.read_text()
        other = fleet.pinned()["store-045-1"]

        # What is behind the jump host is down; then the jump host itself was reinstalled.
        nowhere = fleet.play(
            [FACTS], inventory=fleet.inventory({"store-046-1": SECOND}, options="compose: {ansible_port: '9 | int'}"),
            SSH_AUTH_SOCK=agent["SSH_AUTH_SOCK"], **common,
        )  # fmt: skip
        assert "store-046-1" in nowhere.failed, nowhere.tell()
        assert "channel 0: open failed: connect failed: Connection refused" in nowhere.failed["store-046-1"]

        jump_hosts.write_text(f"bastion ssh-ed25519 {other}\n")
        inventory = fleet.inventory({"store-045-1": SECOND})
        changed = fleet.play([FACTS], inventory=inventory, SSH_AUTH_SOCK=agent["SSH_AUTH_SOCK"], **common)
        assert "bastion shows the ED25519 host key SHA256:" in changed.failed["store-045-1"], changed.tell()
        assert f"{jump_hosts}:1 has another" in changed.failed["store-045-1"]
    finally:
        subprocess.run(["ssh-agent", "-k"], env={**os.environ, **agent}, capture_output=True, check=False)
