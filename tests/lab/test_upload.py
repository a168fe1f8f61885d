# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large files on their way to real hosts without Python: cut off and resumed, two at once, no room, another host key.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.site_lab import Lab, Run, Started, until

from .conftest import Laboratory

pytestmark = pytest.mark.lab

MIB = 1024 * 1024
SIZE = 48 * MIB + 4321
ADDRESSES = {"up-1": "10.42.0.101", "up-2": "10.42.0.102"}
HOSTS = [{"name": name, "id": f"edge-{name}", "address": f"{address}/24"} for name, address in ADDRESSES.items()]
# A dead link is noticed in seconds here, which is no matter of the collection.
IMPATIENT = "-o ServerAliveInterval=1 -o ServerAliveCountMax=2"
BUNDLE = "/usr/local/bundle/store.tar.zst"
RENEW = """sudo sh -c '
rm -f /etc/ssh/ssh_host_*
ssh-keygen -qN "" -t ed25519 -f /etc/ssh/ssh_host_ed25519_key
systemctl restart ssh'"""


@dataclass
class Uploads:
    """A lab with two hosts, and a file to send to them."""

    lab: Lab
    source: Path
    sha256: str
    runs: int = 0

    def start(self, *tasks: dict[str, Any], limit: str = "all", **environment: str) -> Started:
        """Begin a play of uploads with these options."""
        self.runs += 1
        inventory, play = self.lab.folder / "inventory.yml", self.lab.folder / f"play-{self.runs}.yml"
        inventory.write_text(
            yaml.safe_dump({"all": {"hosts": {name: {"ansible_host": one} for name, one in ADDRESSES.items()}}})
        )
        usual = {"src": str(self.source), "timeout": 15, "connect_timeout": 2, "retries": 0}
        play.write_text(yaml.safe_dump([{
            "hosts": "all", "gather_facts": False, "become": True,
            "tasks": [{"palette.edge.host_upload": {**usual, **task}, "ignore_errors": True} for task in tasks],
        }]))  # fmt: skip
        return self.lab.start(
            "-v", playbook=str(play), inventory=inventory, limit=limit, ANSIBLE_SSH_EXTRA_ARGS=IMPATIENT, **environment
        )

    def play(self, *tasks: dict[str, Any], **more: Any) -> Run:
        return self.start(*tasks, **more).end()

    def part(self, name: str, folder: str) -> int:
        """Bytes that wait in a folder of a host."""
        found = [path.stat().st_size for path in self.lab.file(name, folder).glob(".palette-upload-*/part")]
        return found[0] if found else 0

    def told(self, name: str, path: str) -> str:
        """SHA-256, mode and owner of a file of a host, and what else is in its folder."""
        folder, dummy, base = path.rpartition("/")
        script = f"sha256sum < {path}; stat -c '%a %U:%G' {path}; ls -A {folder} | grep -vx {base}"
        return (
            self.lab.ssh(ADDRESSES[name], f'sudo sh -c "{script}; true"').replace("  -", "").replace("\n", " ").strip()
        )

    @property
    def arrived(self) -> str:
        return f"{self.sha256} 640 root:root"


@pytest.fixture(scope="module")
def uploads(bootable: None, laboratory: Laboratory) -> Iterator[Uploads]:
    with laboratory(HOSTS) as lab:
        content = os.urandom(SIZE)
        source = lab.folder / "bundle"
        source.write_bytes(content)
        yield Uploads(lab, source, hashlib.sha256(content).hexdigest())


def test_two_at_once_and_one_is_cut_off(uploads: Uploads) -> None:
    lab = uploads.lab
    for address in ADDRESSES.values():
        lab.ssh(address, "sudo sh -c 'mkdir /usr/local/bundle; echo old > /usr/local/bundle/store.tar.zst'")
    task = {"dest": BUNDLE, "owner": "root", "group": "root", "mode": "0640"}
    started = uploads.start({**task, "bandwidth_limit": "12M"})
    folder = "/usr/local/bundle"
    until(lambda: min(uploads.part(name, folder) for name in ADDRESSES) > 8 * MIB, what="both on their way")
    lab.command("fault", "host", "up-1", "cut")
    run = started.end()
    assert list(run.failed) == ["up-1"], run.tell()
    assert run.stats["up-1"]["unreachable"] == 1
    said = run.failed["up-1"]
    assert f"{uploads.source} was cut off at " in said
    assert f"Run again: it goes on from there, and {BUNDLE} is as it was." in said
    assert "\n" not in said
    assert "Traceback" not in run.text
    assert lab.file("up-1", BUNDLE).read_text() == "old\n"
    waiting = uploads.part("up-1", folder)
    assert 8 * MIB < waiting < SIZE
    lab.command("fault", "host", "up-1", "restore")
    assert uploads.told("up-2", BUNDLE) == uploads.arrived

    # The second time the link is cut, the action itself goes on.
    started = uploads.start({**task, "bandwidth_limit": "6M", "retries": 3})
    until(lambda: uploads.part("up-1", folder) > waiting + 4 * MIB, what="on its way again")
    lab.command("fault", "host", "up-1", "cut")
    started.until("the link was cut")
    lab.command("fault", "host", "up-1", "restore")
    run = started.end()
    assert (run.failed, run.changed) == ({}, {"up-1": 1, "up-2": 0}), run.tell()
    resumed = re.findall(r'"resumed_from": ([0-9]+), "sent": ([0-9]+)', run.text)
    assert [at for at, sent in resumed if int(at) >= waiting and int(at) + int(sent) == SIZE], run.tell()
    assert uploads.told("up-1", BUNDLE) == uploads.arrived

    again = uploads.play(task)
    assert (again.failed, again.changed) == ({}, {"up-1": 0, "up-2": 0}), again.tell()


def test_where_the_ssh_user_may_not_go_and_where_there_is_no_room(uploads: Uploads) -> None:
    address, lab = ADDRESSES["up-2"], uploads.lab
    lab.ssh(address, "sudo sh -c 'mkdir -p /root/in /mnt/closed /mnt/small && chmod 700 /root && "
                     "mount -t tmpfs -o size=100m,mode=0700 tmpfs /mnt/closed && "
                     "mount -t tmpfs -o size=30m tmpfs /mnt/small && echo old > /mnt/small/file'")  # fmt: skip
    run = uploads.play(
        {"dest": "/root/in/file", "mode": "0640"},
        {"dest": "/mnt/closed/file", "mode": "0640"},
        {"dest": "/mnt/small/file"},
        limit="up-2",
    )
    assert run.changed == {"up-2": 2}, run.tell()
    assert "/mnt/small has room for 30.0 MiB, and " in run.text
    assert "needs 48.0 MiB; make room there" in run.text
    assert uploads.told("up-2", "/root/in/file") == uploads.arrived
    assert uploads.told("up-2", "/mnt/closed/file") == uploads.arrived
    left = lab.ssh(
        address, "sudo find / /mnt/small /mnt/closed -xdev -name '*palette-upload*'; sudo cat /mnt/small/file"
    )
    assert left == "old\n"


def test_a_disk_that_fills_up_on_the_way(uploads: Uploads) -> None:
    address, lab = ADDRESSES["up-2"], uploads.lab
    lab.ssh(address, "sudo mount -o remount,size=60m /mnt/small")
    started = uploads.start({"dest": "/mnt/small/file", "bandwidth_limit": "12M"}, limit="up-2")
    size = "sudo sh -c 'cat /mnt/small/.palette-upload-*/part 2>/dev/null | wc -c'"
    until(lambda: int(lab.ssh(address, size)) > 4 * MIB, what="on its way")
    lab.ssh(address, "sudo dd if=/dev/zero of=/mnt/small/other bs=1M count=30 2>/dev/null; true")
    run = started.end()
    assert "no space left on the device after " in run.text, run.tell()
    assert lab.ssh(address, "sudo ls -A /mnt/small; cat /mnt/small/file").split() == ["file", "other", "old"]


def test_a_changed_host_key_is_refused(uploads: Uploads) -> None:
    known, small = uploads.lab.folder / "known", uploads.lab.folder / "small"
    small.write_text("new")
    common = uploads.lab.variables["ANSIBLE_SSH_COMMON_ARGS"]
    pinned = {
        "ANSIBLE_SSH_ARGS": f"-F /dev/null -o ControlMaster=no -o UserKnownHostsFile={known} -o HostKeyAlias=up "
        "-o StrictHostKeyChecking=accept-new",
        "ANSIBLE_SSH_COMMON_ARGS": common,
    }
    first = uploads.play({"src": str(small), "dest": "/tmp/file"}, limit="up-2", **pinned)
    assert first.changed == {"up-2": 1}, first.tell()
    assert known.read_text().split()[0] == "up"
    uploads.lab.ssh(ADDRESSES["up-2"], "sudo sh -c 'echo old > /tmp/file'")
    uploads.lab.ssh(ADDRESSES["up-2"], RENEW)
    refused = uploads.play({"src": str(small), "dest": "/tmp/file"}, limit="up-2", **pinned)
    assert list(refused.failed) == ["up-2"], refused.tell()
    assert "host key" in refused.failed["up-2"]
    assert "\n" not in refused.failed["up-2"]
    left = "cat /tmp/file; ls -A /tmp | grep palette; command -v python3; true"
    assert uploads.lab.ssh(ADDRESSES["up-2"], left) == "old\n"
