# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots, resets and diagnoses real Edge hosts without Python, over SSH.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.hosts import preconditions

pytestmark = pytest.mark.lab

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
CONFIG = """\
network: {bridge: [10.46.0.1/24]}
hosts:
  - {name: dia-1, id: edge-dia-1, address: 10.46.0.101/24}
  - {name: dia-2, id: edge-dia-2, address: 10.46.0.102/24}
"""
TOKEN = "canary-t0ken-of-the-registration"
USER_DATA = f"#cloud-config\nstylus:\n  site:\n    edgeHostToken: {TOKEN}\n"
KEY = [
    "-----BEGIN EC PRIVATE KEY-----",
    "canaryKEYcanaryKEYcanaryKEYcanaryKEYcanaryKEY",
    "-----END EC PRIVATE KEY-----",
]
# What an unclean reboot, a failed upgrade and a bad day leave behind.
BROKEN = f"""
set -e
printf "%s" "{USER_DATA}" > /oem/user-data
echo "BOOT_IMAGE=(loop0)/boot/vmlinuz root=LABEL=COS_PASSIVE upgrade_failure panic=5" > /run/cmdline
mount --bind /run/cmdline /proc/cmdline
mv /run/cos/active_mode /run/cos/passive_mode
mkdir -p /usr/local/spectrocloud/peerbundle/sha256
: > /usr/local/spectrocloud/peerbundle/sha256/0123abcd
{{
  echo "level=debug token {TOKEN} sent"; echo "as base64: {base64.b64encode(f"x{TOKEN}".encode()).decode()}"
  printf "%s\\n" "{KEY[0]}" "{KEY[1]}" "{KEY[2]}"
  echo "level=error failed to register edge host: 401 Unauthorized"
}} > /var/log/palette-agent.log
printf "[Unit]\\nDescription=Agent\\n[Service]\\nExecStart=/bin/sh -c \\"echo using --token={TOKEN}; exit 1\\"\\n" \\
  > /etc/systemd/system/stylus-agent.service
systemctl daemon-reload; systemctl start stylus-agent || true
for n in 1 2 3 4 5 6 7 8 9 10; do systemctl is-failed -q stylus-agent && break; sleep 0.2; done
"""


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

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAMS / program), "-i", "inventory.yml", *arguments]
        environment = {**os.environ, **self.variables, "ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder)}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def steps(self, host: str, *steps: dict[str, Any] | str) -> list[dict[str, Any]]:
        """The results of steps on one host, in one play: options of host_boot, or a script to run.

        Each result has the `status` of the host as the lab saw it after the step.
        """
        status = self.folder / "state/hosts" / host / "status.json"
        tasks: list[dict[str, Any]] = []
        for number, step in enumerate(steps):
            if isinstance(step, str):
                task: dict[str, Any] = {"ansible.builtin.raw": step}
            else:
                given = {"connect_timeout": 2, "reboot_timeout": 60, **step}
                task = {"check_mode": given.pop("check", False), "palette.edge.host_boot": given}
            tasks += [
                {**task, "register": f"step{number}", "ignore_errors": True},
                {"ansible.builtin.set_fact": {f"status{number}": f"{{{{ lookup('file', '{status}') | from_json }}}}"}},
            ]
        told = ", ".join(f"step{number} | combine({{'status': status{number}}})" for number in range(len(steps)))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
        copy = {"content": f"{{{{ [{told}] | to_json }}}}", "dest": str(self.folder / "results.json")}
        tasks.append({"ansible.builtin.copy": copy, "delegate_to": "localhost", "vars": local})
        play = {"hosts": host, "gather_facts": False, "become": True, "tasks": tasks}
        (self.folder / "steps.yml").write_text(yaml.safe_dump([play]))
        done = self.run("ansible-playbook", "steps.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        return list(json.loads((self.folder / "results.json").read_text()))


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Hosts]:
    folder = tmp_path_factory.mktemp("diagnose")
    missing = preconditions.missing(folder)
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {'; '.join(missing)}")
    (folder / "lab.yml").write_text(CONFIG)
    found = Hosts(folder, f"dg-{os.getpid()}")
    named = {f"dia-{number}": {"ansible_host": f"10.46.0.10{number}"} for number in (1, 2)}
    away = {"ansible_host": "10.46.0.77", "diagnose_timeout": 2, "diagnose_connect_timeout": 1}
    inventory = {"all": {"children": {"palette_hosts": {"hosts": {**named, "dia-3": away}}}}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
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


def test_boot_entries_and_a_reset(hosts: Hosts) -> None:
    """Each step stands on the one before: refused, predicted, set, taken back, recovery and out of it, reset."""
    reset = {"entry": "reset", "confirm": "edge-dia-1"}
    steps = hosts.steps(
        "dia-1",
        {**reset, "confirm": "edge-dia-2"},
        {**reset, "check": True},
        "test -e /oem/grubenv || echo untouched",
        reset,
        reset,
        {"state": "absent"},
        {"entry": "recovery", "reboot": True},
        "mkdir -p /usr/local/spectrocloud/peerbundle /etc/kubernetes; echo x > /usr/local/spectrocloud/peerbundle/blob;"
        f" printf '{USER_DATA}' > /oem/user-data; touch /etc/kubernetes/kubelet.conf",
        {**reset, "reboot": True},
        {**reset, "reboot": True, "force": True},
        "test -e /usr/local/spectrocloud && echo content; command -v python3; cat /oem/user-data",
    )
    refused, planned, before, chosen, again, back, recovery, dummy, member, done, left = steps
    assert "edge-dia-2 is not the ID of the host: the host at 10.46.0.101 is edge-dia-1" in refused["msg"]
    assert (planned["changed"], before["stdout"].strip()) == (True, "untouched")
    assert (chosen["changed"], chosen["next_entry"], chosen["booted"]) == (True, "statereset", "active")
    assert (again["changed"], back["changed"], back["next_entry"]) == (False, True, "")
    assert (recovery["rebooted"], recovery["booted"], recovery["next_entry"]) == (True, "recovery", "")
    assert recovery["status"]["boot"] == "recovery"
    assert recovery["status"]["agent"] in {"inactive", "down"}
    assert "is a member of a cluster (/etc/kubernetes/kubelet.conf is there)" in member["msg"]
    assert (done["changed"], done["booted"], done["next_entry"]) == (True, "active", "")
    assert done["status"]["boot"] == "active"
    # Content is gone, user-data is not.
    assert left["stdout"].replace("\r", "") == USER_DATA


def test_failures_are_explained_and_bundles_hold_no_secret(hosts: Hosts) -> None:
    assert hosts.steps("dia-2", BROKEN)[0]["rc"] == 0
    done = hosts.run("ansible-playbook", "palette.edge.diagnose", "-vvvv")
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    assert "Traceback" not in text
    lines = [line.strip(' ",') for line in text.splitlines()]
    rows = [
        line.split() for line in lines if line.startswith("dia-") and len(line.split()) > 3 and "=" not in line[:30]
    ]
    shown = {(row[0], row[1], row[2]) for row in rows if row[1] in {"error", "warning", "unreachable"}}
    assert shown == {
        ("dia-3", "unreachable", "-"),
        ("dia-2", "error", "upgrade-fell-back"),
        ("dia-2", "error", "content-empty"),
        ("dia-2", "error", "registration-refused"),
        ("dia-2", "error", "agent-not-running"),
        ("dia-2", "warning", "unit-failed"),
    }
    assert "No known failure on 1 host: dia-1" in lines
    bundles = sorted((hosts.folder / "diagnosis").iterdir())
    assert [(path.name.split("-2")[0], path.stat().st_mode & 0o777) for path in bundles] == [
        ("dia-1", 0o600),
        ("dia", 0o600),
    ]
    with tarfile.open(bundles[1]) as archive:
        texts = {one.name.partition("/")[2]: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    assert "edgeHostToken: <hidden>" in texts["user-data/oem/user-data"]
    assert "401 Unauthorized" in texts["logs/var/log/palette-agent.log"]
    assert "using --token=<hidden>" in texts["journal/stylus-agent"]
    assert "upgrade-fell-back" in texts["findings.txt"]
    forms = [TOKEN, KEY[1]] + [base64.b64encode(b"x" * at + TOKEN.encode()).decode()[4:-4] for at in range(3)]
    everything = "".join(texts.values()) + text
    assert [form for form in forms if form in everything] == []


def test_a_fallback_is_undone(hosts: Hosts) -> None:
    done = hosts.steps("dia-2", {"entry": "active", "reboot": True})[0]
    assert (done["rebooted"], done["booted"]) == (True, "active")
