# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""scripts/demo finds what a lab left on the machine: here in a /proc, a /run and a /sys/fs/cgroup made for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.scripts.scripts_lib import load

residue = load("demo_residue")

NAME = "my-lab"


@dataclass
class World:
    """A machine in a folder, on which the lab ``my-lab`` of the folder ``state`` was up."""

    folder: Path

    def __post_init__(self) -> None:
        self.machine = residue.Machine(self.folder / "proc", self.folder / "run")
        self.state = self.folder / "state"
        (self.folder / "proc" / "self").mkdir(parents=True)
        for hierarchy in ("memory", "unified"):
            (self.folder / hierarchy).mkdir()
        self.mounts()
        self.setting("vm/overcommit_memory", "0")
        self.setting("kernel/panic", "1")
        self.setting("fs/inotify/max_user_instances", "128")
        self.process(1, "init", groups="0::/")
        self.before = self.machine.before()
        self.members: dict[str, str] = {}

    def mounts(self, *more: str) -> None:
        """Two hierarchies of control groups, and what else is mounted."""
        lines = [f"cgroup {self.folder}/memory cgroup rw 0 0", f"cgroup2 {self.folder}/unified cgroup2 rw 0 0", *more]
        (self.folder / "proc" / "self" / "mounts").write_text("\n".join(lines) + "\n")

    def setting(self, path: str, value: str) -> None:
        file = self.folder / "proc" / "sys" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value + "\n")

    def process(
        self, pid: int, *words: str, groups: str = "4:memory:/user\n0::/user", began: int = 7, state: str = "S"
    ) -> None:
        folder = self.folder / "proc" / str(pid)
        folder.mkdir()
        (folder / "cmdline").write_text("\0".join(words) + "\0")
        (folder / "cgroup").write_text(groups + "\n")
        (folder / "stat").write_text(f"{pid} (a ) b) {state} {' '.join(['0'] * 18)} {began} 0 0\n")

    def left(self) -> list[str]:
        found: list[str] = self.machine.left(NAME, self.state, self.before, self.members)
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_is_left(world: World) -> None:
    assert world.left() == []


def test_what_other_labs_have_is_theirs(world: World) -> None:
    world.process(20, "kubelet", groups="4:memory:/palette-edge-lab-my-lab-2/a\n0::/")
    world.process(21, "socat", "EXEC:nsenter --net=/run/netns/my-lab-2 socat")
    world.process(22, "python", "-m", "lab.hosts", "--state", "/elsewhere")
    (world.folder / "memory" / "palette-edge-lab-my-lab-2").mkdir()
    world.mounts(f"overlay {world.folder}/state-2/root overlay rw 0 0")
    assert world.left() == []


@pytest.mark.parametrize(
    "groups", ["4:memory:/palette-edge-lab-my-lab/host-1/kubepods\n0::/", "4:memory:/\n0::/palette-edge-lab-my-lab"]
)
def test_a_process_in_its_control_groups(world: World, groups: str) -> None:
    world.process(20, "/usr/bin/kubelet", groups=groups)
    assert world.left() == ["process 20 in its control group"]


def test_a_process_that_was_in_its_control_groups(world: World) -> None:
    world.process(20, "/usr/bin/containerd", groups="4:memory:/palette-edge-lab-my-lab/host-1\n0::/")
    world.members = world.machine.members(NAME)
    (world.folder / "proc" / "20" / "cgroup").write_text("0::/\n")
    assert world.left() == ["process 20: /usr/bin/containerd"]


@pytest.mark.parametrize("other", [{"began": 8}, {"state": "Z"}])
def test_another_process_of_the_same_id_or_one_that_has_ended(world: World, other: dict[str, Any]) -> None:
    world.members = {"20": "7"}
    world.process(20, "/usr/bin/containerd", **other)
    assert world.left() == []


def test_the_lab_s_own_processes(world: World) -> None:
    world.process(20, "python", "-m", "lab.hosts", "--state", str(world.state))
    world.process(21, "setpriv", "socat", "EXEC:nsenter --net=/run/netns/my-lab socat")
    world.process(22, "/usr/bin/systemd-nspawn", f"--directory={world.state}/hosts/a/root")
    world.process(23, "less", f"{world.state}/hosts.log")
    assert sorted(line.partition(":")[0] for line in world.left()) == ["process 20", "process 21", "process 22"]


def test_mounts_namespace_state_and_name(world: World) -> None:
    world.mounts(f"overlay {world.state}/hosts/a/root overlay rw 0 0")
    entries = [world.folder / "run" / "netns" / NAME, world.folder / "run" / "palette-edge-lab" / f"{NAME}.json"]
    for path in entries:
        path.parent.mkdir(parents=True)
        path.touch()
    world.state.mkdir()
    assert world.left() == [f"mount {world.state}/hosts/a/root", *map(str, (entries[0], world.state, entries[1]))]


@pytest.mark.parametrize(
    "group", ["memory/palette-edge-lab-my-lab", "unified/palette-edge-lab-my-lab", "memory/kubepods.slice"]
)
def test_control_groups_in_any_hierarchy(world: World, group: str) -> None:
    (world.folder / group).mkdir()
    assert world.left() == [f"control group {world.folder / group}"]


def test_groups_of_pods_that_were_there_before(world: World) -> None:
    (world.folder / "memory" / "kubepods").mkdir()
    world.before = world.machine.before()
    assert world.left() == []


@pytest.mark.parametrize("setting", ["vm.overcommit_memory", "kernel.panic", "fs.inotify.max_user_instances"])
def test_a_setting_of_the_machine_is_another(world: World, setting: str) -> None:
    world.setting(setting.replace(".", "/"), "10")
    assert [line.partition(" and ")[0] for line in world.left()] == [f"{setting} is 10"]


def test_a_setting_that_other_labs_raised_is_not_the_machine_s(world: World) -> None:
    kept = world.folder / "run" / "palette-edge-lab" / "inotify"
    kept.parent.mkdir(parents=True)
    kept.write_text("128\n")
    world.setting("fs/inotify/max_user_instances", "1024")
    assert world.left() == []
