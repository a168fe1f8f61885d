# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.action import host_boot
from ansible_collections.palette.edge.plugins.plugin_utils import _boot
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, parse_output, quote

LAYER = "#cloud-config\nstylus:\n  site:\n    name: edge-1\n    edgeHostToken: canary-t0ken\n"
MENU = [
    'menuentry "Palette" --id cos {',
    'menuentry "Palette (fallback)" --id fallback {',
    "menuentry 'Palette recovery' --id recovery {",
    'menuentry "Palette state reset (auto)" --id statereset {',
    'menuentry "Palette Registration" --id palette-registration {',
]


class Machine:
    """An appliance host that boots what its environment says, once."""

    def __init__(self, lab: t.Any, **options: t.Any) -> None:
        self.lab, self.options = lab, options
        self.next, self.booted, self.boots = "", options.get("booted", "active_mode"), 1
        self.writes: list[str] = []
        self.away_until = 0.0
        self.host = lab.host(answer=self.answer)

    def facts(self) -> str:
        lines = [
            f"boot_id b{self.boots}",
            "machine_id m1",
            "host_name edge",
            f"user {self.options.get('user', '0 root')}",
        ]
        lines += ["system_state running", f"cmdline {self.options.get('cmdline', 'root=LABEL=COS_ACTIVE')}"]
        lines += [f"boot_mode {self.booted}"] if self.booted else []
        lines += (
            ["kairos /run/cos"]
            if self.options.get("kairos", True)
            else self.options.get("agent", ["agent /opt/spectrocloud"])
        )
        lines += ["agent_environment yes"] if self.options.get("environment") else []
        lines += [f"grub_tool {self.options.get('tool', '/usr/bin/grub2-editenv')}", f"grubenv next_entry={self.next}"]
        lines += [f"menu {line}" for line in self.options.get("menu", ())]
        lines += [f"member {path}" for path in self.options.get("member", ())]
        if layer := self.options.get("layer", LAYER):
            lines.append(f"layer {base64.b64encode(layer.encode()).decode()}")
        lines.append(f"product_uuid {self.options.get('uuid', '4C4C4544-0042')}")
        return "".join(f"@{line}\n" for line in lines) + "@end\n"

    def answer(self, command: str, payload: bytes | None) -> tuple[int, str, str]:
        if self.lab.clock.now < self.away_until:
            raise AnsibleConnectionFailure("Connection timed out")
        if "systemctl reboot" in command:
            self.boot()
            return 0, "@end\n", ""
        if "next_entry=" in command and ("set " in command or "unset " in command) and "grub_tool" not in command:
            found = [
                name
                for name in ("cos", "fallback", "recovery", "registration", "statereset", "x y")
                if f"next_entry={name}" in command
            ]
            self.next = found[0] if found else ""
            self.writes.append(self.next)
            return 0, "@end\n", ""
        if self.booted == "autoreset_mode" and self.lab.clock.now > self.away_until + 30:
            self.boot()
        return 0, self.facts(), ""

    def boot(self) -> None:
        self.boots += 1
        self.away_until = self.lab.clock.now + 10
        modes = {"statereset": "autoreset_mode", "recovery": "recovery_mode", "fallback": "passive_mode"}
        self.booted = self.options.get("boots") or modes.get(self.next, "active_mode")
        if not self.options.get("ignores"):
            self.next = ""


def test_sets_the_next_entry_once(lab: t.Any) -> None:
    machine = Machine(lab)
    result = lab.run(host_boot, entry="recovery")
    assert (result["changed"], result["menu_entry"], result["next_entry"], result["booted"]) == (
        True,
        "recovery",
        "recovery",
        "active",
    )
    assert result["diff"][0]["after"] == "next_entry=recovery\n"
    assert lab.run(host_boot, entry="recovery")["changed"] is False
    assert machine.writes == ["recovery"]
    assert lab.run(host_boot, state="absent")["changed"] is True
    assert lab.run(host_boot, state="absent")["changed"] is False
    assert (machine.writes, machine.boots) == (["recovery", ""], 1)


def test_check_mode_writes_nothing(lab: t.Any) -> None:
    machine = Machine(lab)
    for args in ({"entry": "recovery"}, {"entry": "reset", "confirm": "edge-1", "reboot": True}):
        result = lab.run(host_boot, check=True, **args)
        assert result["changed"] is True
        assert result["msg"].startswith("Would ")
    assert (machine.writes, machine.boots) == ([], 1)


@pytest.mark.parametrize(
    ("options", "args", "words"),
    [
        ({}, {"entry": "reset"}, "repeat its ID to confirm (the host at 192.0.2.1 is edge-1)"),
        (
            {},
            {"entry": "reset", "confirm": "edge-2"},
            "edge-2 is not the ID of the host: the host at 192.0.2.1 is edge-1",
        ),
        ({}, {"menu_entry": "statereset"}, "repeat its ID to confirm"),
        ({}, {"entry": "active", "host_id": "edge-2"}, "edge-2 was meant, and the host at 192.0.2.1 is edge-1"),
        ({"layer": ""}, {"entry": "reset", "confirm": "edge-9"}, "give the ID as host_id, too"),
        ({"member": ["/etc/kubernetes/kubelet.conf"]}, {"entry": "reset", "confirm": "edge-1"}, "out of its node pool"),
        ({"kairos": False}, {"entry": "reset", "confirm": "edge-1"}, "uninstall the agent and install it again"),
        ({"kairos": False, "agent": [], "environment": True}, {"entry": "active"}, "the host is in agent mode"),
        ({"tool": ""}, {"entry": "active"}, "neither grub2-editenv nor grub-editenv"),
        ({"user": "1000 kairos"}, {"entry": "active"}, "only root may choose the next boot, and this is kairos"),
        ({"menu": MENU[:3]}, {"entry": "registration"}, "has no entry registration"),
        ({}, {}, "exactly one of the two options"),
        ({}, {"entry": "active", "menu_entry": "cos"}, "exactly one of the two options"),
        ({}, {"menu_entry": "a\nb"}, "cannot be the ID or title"),
        ({}, {"menu_entry": "$(reboot)"}, "cannot be the ID or title"),
        ({}, {"state": "absent", "reboot": True}, "leave out entry, menu_entry and reboot"),
        ({}, {"entry": "active", "reboot_timeout": 0}, "no time to wait"),
    ],
)
def test_refused_before_anything_is_done(
    lab: t.Any, options: dict[str, t.Any], args: dict[str, t.Any], words: str
) -> None:
    machine = Machine(lab, **options)
    result = lab.run(host_boot, **args)
    assert result["failed"] is True
    assert words in result["msg"]
    assert "\n" not in result["msg"]
    assert (machine.writes, machine.boots) == ([], 1)


@pytest.mark.parametrize(
    ("options", "args"),
    [
        ({}, {"confirm": "edge-1"}),
        ({"layer": ""}, {"confirm": "edge-4c4c4544-0042"}),
        ({"layer": ""}, {"confirm": "edge-9", "host_id": "edge-9"}),
        ({"layer": "{{ not yaml"}, {"confirm": "edge-9", "host_id": "edge-9"}),
        ({"member": ["/etc/kubernetes/kubelet.conf"]}, {"confirm": "edge-1", "force": True}),
    ],
)
def test_a_reset_that_is_confirmed(lab: t.Any, options: dict[str, t.Any], args: dict[str, t.Any]) -> None:
    machine = Machine(lab, **options)
    assert lab.run(host_boot, entry="reset", **args)["changed"] is True
    assert machine.writes == ["statereset"]


def test_a_reset_is_through_when_the_host_is_back_in_its_active_system(lab: t.Any) -> None:
    machine = Machine(lab)
    result = lab.run(host_boot, entry="reset", confirm="edge-1", reboot=True)
    assert (result["rebooted"], result["booted"], machine.boots) == (True, "active", 3)
    assert (result["old_boot_id"], result["new_boot_id"]) == ("b1", "b3")
    assert result["elapsed"] > 40


def test_a_host_that_runs_it_already_is_not_rebooted(lab: t.Any) -> None:
    machine = Machine(lab, booted="recovery_mode")
    assert lab.run(host_boot, entry="recovery", reboot=True)["changed"] is False
    result = lab.run(host_boot, entry="active", reboot=True)
    assert (result["changed"], result["booted"], machine.writes) == (True, "active", ["cos"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"boots": "passive_mode"}, "was to boot active (cos) and booted fallback"),
        ({"ignores": True}, "so it does not boot by that file"),
    ],
)
def test_another_boot_than_the_chosen_one_is_told(lab: t.Any, options: dict[str, t.Any], words: str) -> None:
    Machine(lab, booted="recovery_mode", **options)
    result = lab.run(host_boot, entry="active", reboot=True)
    assert result["failed"] is True
    assert words in result["msg"]


def test_a_reset_that_never_ends(lab: t.Any) -> None:
    Machine(lab, boots="recovery_mode")
    result = lab.run(host_boot, entry="reset", confirm="edge-1", reboot=True, reboot_timeout=90)
    assert result["unreachable"] is True
    assert "is not back after 90 s: 192.0.2.1 still runs its recovery system" in result["msg"]


def test_a_reset_that_takes_the_host_key_along(lab: t.Any) -> None:
    machine = Machine(lab)
    plain = machine.answer

    def answer(command: str, payload: bytes | None) -> tuple[int, str, str]:
        said = plain(command, payload)
        if machine.boots > 1:
            raise AnsibleConnectionFailure(
                "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed."
            )
        return said

    machine.host.answer = answer
    result = lab.run(host_boot, entry="reset", confirm="edge-1", reboot=True)
    assert result["unreachable"] is True
    assert "The host was told to reboot and is not known again: 192.0.2.1 (" in result["msg"]
    assert "host_key" in result["msg"]
    assert lab.clock.now < 1000 + 200


def test_a_member_that_is_booted_into_recovery_is_warned_of(lab: t.Any) -> None:
    Machine(lab, member=["/etc/rancher/k3s/k3s.yaml"])
    result = lab.run(host_boot, entry="recovery")
    assert "member of a cluster" in result["warnings"][0]


def test_the_token_of_the_user_data_is_not_logged(lab: t.Any) -> None:
    machine = Machine(lab)
    result = lab.run(host_boot, entry="active")
    encoded = base64.b64encode(LAYER.encode()).decode()
    assert encoded not in "".join(machine.host.logged)
    assert "canary" not in str(result)


def test_registration_is_found_in_the_menu() -> None:
    state = _boot.read_boot(Output(lines={"menu": MENU}))
    assert list(state.menu) == ["cos", "fallback", "recovery", "statereset", "palette-registration"]
    assert _boot.menu_entry_for("registration", state, where="host") == "palette-registration"
    assert _boot.menu_entry_for("reset", state, where="host") == "statereset"
    assert _boot.menu_entry_for("registration", _boot.read_boot(Output()), where="host") == "registration"


@pytest.mark.parametrize(
    ("cmdline", "modes", "booted"),
    [
        ("quiet root=LABEL=COS_ACTIVE", [], "active"),
        ("root=LABEL=COS_PASSIVE upgrade_failure", [], "fallback"),
        ("root=live:LABEL=COS_RECOVERY", [], "recovery"),
        ("root=live:CDLABEL=COS_LIVE", ["live_mode"], "live"),
        ("root=LABEL=COS_SYSTEM stylus.registration", ["recovery_mode"], "registration"),
        ("root=/dev/sda1", [], "unknown"),
    ],
)
def test_what_was_booted(cmdline: str, modes: list[str], booted: str) -> None:
    assert _boot.read_boot(Output(lines={"cmdline": [cmdline], "boot_mode": modes})).booted == booted


class TestScripts:
    """The scripts themselves, run by /bin/sh with a small tool in the place of GRUB's."""

    TOOL = '#!/bin/sh\nf=$1\ncase $2 in\nlist) cat "$f" ;;\nset) echo "$3" > "$f" ;;\nunset) : > "$f" ;;\nesac\n'

    def run(self, folder: Path, script: str) -> Output:
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["/bin/sh", "-c", PRELUDE + script + END], capture_output=True, text=True, env=environment, check=False
        )
        return parse_output(done.stdout)

    def tool(self, folder: Path, text: str = TOOL) -> str:
        (folder / "grub2-editenv").write_text(text)
        (folder / "grub2-editenv").chmod(0o755)
        return str(folder / "grub2-editenv")

    def test_what_is_set_is_read_back(self, tmp_path: Path) -> None:
        tool, grubenv = self.tool(tmp_path), str(tmp_path / "grubenv")
        assert self.run(tmp_path, _boot.set_script(tool, grubenv, "x y")).finished
        state = _boot.read_boot(self.run(tmp_path, _boot.boot_script(grubenv, identity=False)))
        assert (state.tool, state.next_entry) == (tool, "x y")
        assert self.run(tmp_path, _boot.set_script(tool, grubenv, "")).finished
        assert _boot.read_boot(self.run(tmp_path, _boot.boot_script(grubenv))).next_entry == ""

    @pytest.mark.parametrize(
        ("tool", "words"),
        [
            (
                '#!/bin/sh\n: > "$1"; echo "grub-editenv: error: cannot write to x: No space left on device." >&2; exit 1\n',
                "No space left",
            ),
            ("#!/bin/sh\nexit 0\n", "does not hold the next boot entry"),
        ],
    )
    def test_a_write_that_fails(self, tmp_path: Path, tool: str, words: str) -> None:
        path, grubenv = self.tool(tmp_path, tool), tmp_path / "grubenv"
        output = self.run(tmp_path, _boot.set_script(path, str(grubenv), "cos"))
        assert words in output.error
        assert not grubenv.exists()

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        output = self.run(tmp_path, _boot.boot_script(str(tmp_path / "oem/grubenv")))
        facts = {"deployment": "appliance", "root": True, "user": "root"}
        state = _boot.BootState(tool="x", next_entry="", booted="active")
        with pytest.raises(HostError, match="is the OEM partition mounted"):
            _boot.refuse_no_grub(state, facts, "/oem/grubenv", output, where="host")

    def test_the_entry_is_one_word_to_the_shell(self) -> None:
        assert f"set {quote('next_entry=x y')}" in _boot.set_script("tool", "/oem/grubenv", "x y")
