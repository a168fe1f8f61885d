# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of a changed user-data: prepared, confirmed, taken, cut off in between."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.action import site_user_data, site_user_data_confirmation
from ansible_collections.palette.edge.plugins.plugin_utils import _way_back

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files get the owner root")

OLD = "#cloud-config\nstylus: {site: {name: edge-1, edgeHostToken: canary-old}}\n"
ANOTHER_BOOT = "00000000-0000-0000-0000-000000000000"


class Host:
    """A directory that stands for /oem of a host, and programs that only note what was asked of them."""

    def __init__(self, lab: t.Any, folder: Path) -> None:
        self.lab, self.oem, self.notes, self.programs = lab, folder / "oem", folder / "run", folder / "bin"
        self.way, self.layer = self.oem / ".palette-way-back", self.oem / "99_palette_way_back.yaml"
        self.oem_there = True
        self.path, self.asked = self.oem / "user-data", folder / "asked"
        for directory in (self.oem, self.programs):
            directory.mkdir()
        for name in ("systemctl", "systemd-run", "reboot"):
            self.program(name, f'echo "{name} $*" >> {self.asked}')
        self.host = lab.host(environment={"PATH": f"{self.programs}:{os.environ['PATH']}"})

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.programs / name).chmod(0o755)

    def patched(self) -> None:
        self.lab.monkeypatch.setattr(site_user_data, "MARKERS", str(self.notes))
        self.lab.monkeypatch.setattr(_way_back, "OEM", str(self.oem) if self.oem_there else "/nowhere")

    def write(self, address: str = "10.0.0.5/24", **args: t.Any) -> dict[str, t.Any]:
        self.patched()
        options = {"partial": True, "host_id": "edge-1", "registration_token": "canary-new", "confirm_within": 300}
        nics = {"eth0": {"address": address}}
        return dict(self.lab.run(site_user_data, path=str(self.path), interfaces=nics, **{**options, **args}))

    def confirm(self, **args: t.Any) -> dict[str, t.Any]:
        self.patched()
        return dict(self.lab.run(site_user_data_confirmation, path=str(self.path), **args))

    def boots(self) -> None:
        """Another boot: the record's own is not this one any more, and memory is empty."""
        record = (self.way / "armed").read_text().split(" ")
        (self.way / "armed").write_text(" ".join([*record[:3], ANOTHER_BOOT, *record[4:]]))
        for note in self.notes.glob("*"):
            note.unlink()

    def at_boot(self) -> str:
        """What the layer's step does, and what it asked of the system."""
        command = yaml.safe_load(self.layer.read_text())["stages"]["boot"][0]["commands"][0]
        return self.sh(*command.split())

    def time_is_over(self) -> str:
        return self.sh("sh", str(self.way / "restore"), "now")

    def sh(self, *command: str) -> str:
        self.asked.unlink(missing_ok=True)
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"}
        subprocess.run(command, env=environment, capture_output=True, check=False)
        return self.asked.read_text() if self.asked.exists() else ""

    def left(self) -> list[str]:
        return sorted(str(path.relative_to(self.oem)) for path in self.oem.rglob("*") if path.is_file())


@pytest.fixture
def host(lab: t.Any, tmp_path: Path) -> Host:
    found = Host(lab, tmp_path)
    found.path.write_text(OLD)
    found.path.chmod(0o600)
    return found


def test_it_is_there_before_the_change_and_gone_after_the_confirmation(host: Host) -> None:
    planned = host.write(check=True)
    assert (planned["changed"], planned["confirmation_required"], host.left()) == (True, True, ["user-data"])
    written = host.write()
    assert written["confirmation_required"] is True
    assert (host.way / "previous").read_text() == OLD
    assert (host.way.stat().st_mode & 0o777, host.layer.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "canary" not in "".join(host.host.commands)
    assert host.at_boot() == "", "the boot in which it was written proves nothing"
    early = host.confirm(sha256=written["sha256"])
    assert (early["changed"], early["waits"], early["booted"]) == (False, True, False)
    host.boots()
    assert "--on-active=300" in host.at_boot()
    asked = host.confirm(sha256=written["sha256"], state="asked")
    assert (asked["changed"], asked["waits"]) == (False, True)
    assert host.confirm(sha256=written["sha256"], check=True)["changed"] is True
    done = host.confirm(sha256=written["sha256"])
    assert (done["changed"], done["waits"], host.left()) == (True, False, ["user-data"])
    assert host.confirm(sha256=written["sha256"])["changed"] is False
    assert host.write()["confirmation_required"] is False


def test_unconfirmed_the_old_one_returns_and_a_second_run_says_so(host: Host) -> None:
    written = host.write()
    host.boots()
    assert "systemctl reboot" in host.time_is_over()
    assert host.path.read_text() == OLD
    assert host.path.stat().st_mode & 0o777 == 0o600
    assert host.left() == [".palette-way-back/put-back", "user-data"]
    assert "took its old user-data back" in host.confirm(sha256=written["sha256"])["msg"]
    again = host.write()
    assert "The host had this user-data and took its old one back (" in again["msg"]
    assert "within 300 s of the boot" in again["msg"]
    assert host.write(check=True)["failed"] is True
    assert host.write("10.0.0.6/24")["changed"] is True, "corrected options are another user-data"


def test_a_change_of_other_things_does_not_make_it_forgotten(host: Host) -> None:
    host.write()
    host.boots()
    host.time_is_over()
    assert host.write(state="absent", confirm_within=300)["changed"] is True
    assert "took its old one back" in host.write()["msg"]
    assert host.write(confirm_within=0, retry=True)["changed"] is True
    assert host.left() == ["user-data"]


def test_the_same_is_tried_again_when_that_is_said(host: Host) -> None:
    host.write()
    host.boots()
    host.time_is_over()
    written = host.write(retry=True)
    assert (written["changed"], written["confirmation_required"]) == (True, True)
    host.boots()
    assert host.confirm(sha256=written["sha256"])["changed"] is True
    assert host.left() == ["user-data"]


def test_without_user_data_before_there_is_none_after(host: Host) -> None:
    host.path.unlink()
    host.write()
    host.boots()
    assert "systemctl reboot" in host.time_is_over()
    assert not host.path.exists()


def test_removing_user_data_has_a_way_back_too(host: Host) -> None:
    host.patched()
    result = host.lab.run(site_user_data, path=str(host.path), state="absent", confirm_within=300)
    # Nothing of network or accounts was in it.
    assert (result["changed"], result["confirmation_required"]) == (True, False)
    host.path.write_text(OLD.replace("name: edge-1", "network: {nameserver: 10.0.0.1}"))
    host.patched()
    host.lab.run(site_user_data, path=str(host.path), state="absent", confirm_within=300)
    host.boots()
    host.time_is_over()
    assert "nameserver" in host.path.read_text()


def test_a_power_cut_before_the_change_leaves_nothing_to_take_back(host: Host) -> None:
    host.write()
    host.path.write_text(OLD)
    host.boots()
    assert "reboot" not in host.time_is_over()
    assert host.left() == ["user-data"]


def test_a_power_cut_while_going_back_is_made_up_for(host: Host) -> None:
    host.write()
    host.boots()
    (host.way / "armed").rename(host.way / "restoring")
    assert "--on-active" in host.at_boot()
    assert "going back" in host.write("10.0.0.7/24")["msg"]
    assert "systemctl reboot" in host.time_is_over()
    assert host.path.read_text() == OLD


def test_what_somebody_else_wrote_is_not_confirmed_and_is_kept(host: Host) -> None:
    written = host.write()
    host.boots()
    host.path.write_text("#cloud-config\n# by hand\n")
    assert "somebody else changed it" in host.confirm(sha256=written["sha256"])["msg"]
    assert "systemctl reboot" in host.time_is_over()
    assert host.path.read_text() == OLD
    assert (host.way / "replaced").read_text() == "#cloud-config\n# by hand\n"


def test_a_second_change_goes_back_to_what_was_confirmed_last(host: Host) -> None:
    host.write()
    host.write("10.0.0.6/24")
    host.boots()
    host.time_is_over()
    assert host.path.read_text() == OLD


def test_a_confirmation_that_comes_too_late_says_so(host: Host) -> None:
    written = host.write()
    host.boots()
    (host.way / "armed").rename(host.way / "restoring")
    assert "going back to its old user-data at this moment" in host.confirm(sha256=written["sha256"])["msg"]


def test_going_back_that_fails_is_tried_again(host: Host) -> None:
    host.write()
    host.boots()
    host.program("mv", 'case "$*" in *user-data) exit 1 ;; esac; exec /bin/mv "$@"')
    asked = host.time_is_over()
    assert "--on-active=30" in asked
    assert "reboot" not in asked
    (host.programs / "mv").unlink()
    assert "systemctl reboot" in host.time_is_over()
    assert host.path.read_text() == OLD


@pytest.mark.parametrize(
    ("args", "guarded"),
    [
        ({"tags": {"a": "b"}}, False),
        ({"ntp_servers": ["a.example.com"]}, False),
        ({"users": {"ops": {"groups": ["sudo"]}}}, True),
        ({"extra": {"stages": {"network": [{"commands": ["true"]}]}}}, True),
        ({"nameserver": "10.0.0.1"}, True),
        ({"nameserver": "10.0.0.1", "confirm_within": 0}, False),
    ],
)
def test_what_one_may_lock_oneself_out_with_is_guarded(host: Host, args: dict[str, t.Any], guarded: bool) -> None:
    host.write(confirm_within=0)
    result = host.write(**args)
    assert (result["changed"], result["confirmation_required"]) == (True, guarded)


def test_without_a_place_for_it_nothing_is_written(host: Host) -> None:
    host.oem_there = False
    assert "confirm_within: the host has no /oem" in host.write()["msg"]
    assert host.path.read_text() == OLD


@pytest.mark.parametrize(
    ("program", "argument", "words"),
    [("cp", "*previous*", "cannot keep a copy of the old user-data"), ("base64", "-d", "cannot prepare the way back")],
)
def test_a_disk_that_is_full_half_way_leaves_only_the_old_one(
    host: Host, program: str, argument: str, words: str
) -> None:
    full = f'echo "{program}: write error: No space left on device" >&2; exit 1'
    host.program(program, f'case "$*" in {argument}) {full} ;; esac; exec /usr/bin/{program} "$@"')
    msg = host.write()["msg"]
    assert words in msg
    assert "No space left on device" in msg
    assert (host.path.read_text(), host.left(), host.way.exists()) == (OLD, ["user-data"], False)


def test_another_change_that_waits_is_not_mixed_up(host: Host) -> None:
    host.write()
    host.path = host.oem / "other"
    assert "user-data still waits to be confirmed" in host.write()["msg"]


def test_moving_a_node_of_a_cluster_is_warned_of(host: Host) -> None:
    host.lab.monkeypatch.setattr(site_user_data, "ASK_NODE", "say node yes\n")
    assert "a node of a cluster, which keeps the address" in host.write()["warnings"][0]
    assert "warnings" not in host.write()


def test_a_negative_time_is_refused(host: Host) -> None:
    assert "confirm_within: -1 is no time" in host.write(confirm_within=-1)["msg"]
    assert host.host.commands == []
