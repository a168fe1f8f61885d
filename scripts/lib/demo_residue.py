# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a lab is still on this machine after it was taken down.

``demo_residue.py before FILE``                     before the lab is there: keeps the machine's settings
``demo_residue.py processes NAME FILE``             while it is up: keeps which processes are in its control groups
``demo_residue.py left NAME STATE BEFORE PROCESSES``  afterwards: names what is left; ends with 1 when there is something

It asks the machine, and nothing of the lab's own code.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What kubelet would set, and what many guests need; the whole machine shares them.
_SETTINGS = (
    "vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes", "fs.inotify.max_user_instances",
)  # fmt: skip
_INOTIFY = "fs.inotify.max_user_instances"


@dataclass(frozen=True)
class Machine:
    """Where the kernel tells of itself, and where labs keep what they share."""

    proc: Path = Path("/proc")
    run: Path = Path("/run")

    def settings(self) -> dict[str, str]:
        """The machine's own values by name. While other labs have raised one, the value that they will put back."""
        found = {}
        for name in _SETTINGS:
            path = self.proc / "sys" / name.replace(".", "/")
            if path.is_file():
                found[name] = path.read_text().strip()
        kept = self.run / "palette-edge-lab" / "inotify"
        if kept.is_file():
            found[_INOTIFY] = kept.read_text().strip()
        return found

    def groups(self, pattern: str) -> list[str]:
        """The control groups of this name at the top of every hierarchy."""
        mounts = (line.split() for line in (self.proc / "self" / "mounts").read_text().splitlines())
        tops = [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]
        return sorted(str(path) for top in tops for path in top.glob(pattern) if path.is_dir())

    def processes(self) -> Iterator[Path]:
        """Those that are alive; one that has ended and is not asked for yet is not."""
        for process in self.proc.glob("[0-9]*"):
            if _stat(process)[:1] not in ([], ["Z"], ["X"]):
                yield process

    def members(self, name: str) -> dict[str, str]:
        """The processes in the control groups of a lab: when each began, by its id."""
        group = re.compile(rf"/palette-edge-lab-{re.escape(name)}(/|$)", re.MULTILINE)
        return {process.name: _began(process) for process in self.processes() if group.search(_read(process / "cgroup"))}

    def left(self, name: str, state: Path, before: dict[str, Any], members: dict[str, str]) -> list[str]:
        """What is left of a lab, in words."""
        found = []
        for process in self.processes():
            words = _read(process / "cmdline").split("\0")
            if members.get(process.name) == _began(process) or _of_lab(words, name, str(state)):
                found.append(f"process {process.name}: {' '.join(words)[:100].strip() or _read(process / 'comm').strip()}")
        found += [f"process {pid} in its control group" for pid in self.members(name)]
        mounts = [line.split()[1] for line in _read(self.proc / "self" / "mounts").splitlines()]
        found += [f"mount {path}" for path in mounts if path.replace(r"\040", " ").startswith(f"{state}/")]
        found += [str(path) for path in (self.run / "netns" / name, state) if path.exists()]
        found += [str(path) for path in (self.run / "palette-edge-lab").glob(f"{name}.*")]
        # A node that has no group of its own would make those of its pods at the top.
        groups = self.groups(f"palette-edge-lab-{name}") + self.groups("kubepods*")
        found += [f"control group {path}" for path in groups if path not in before.get("groups", [])]
        was = before.get("settings", {})
        found += [f"{key} is {now} and was {was[key]}" for key, now in self.settings().items() if was.get(key, now) != now]
        return found

    def before(self) -> dict[str, Any]:
        """What `left` compares with."""
        return {"settings": self.settings(), "groups": self.groups("kubepods*")}


def _of_lab(words: list[str], name: str, state: str) -> bool:
    line = " ".join(words)
    own = any(word.startswith(("lab.controller", "lab.hosts")) or word.endswith("systemd-nspawn") for word in words)
    return (own and state in line) or re.search(rf"--net=/run/netns/{re.escape(name)}(?![\w-])", line) is not None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


def _stat(process: Path) -> list[str]:
    """The fields of a process from its state on; the name before them may hold anything."""
    return _read(process / "stat").rpartition(")")[2].split()


def _began(process: Path) -> str:
    return "".join(_stat(process)[19:20])


def _data(path: str) -> dict[str, Any]:
    text = _read(Path(path))
    data: dict[str, Any] = json.loads(text) if text else {}
    return data


def main(arguments: list[str]) -> int:
    machine = Machine()
    match arguments:
        case ["before", file]:
            Path(file).write_text(json.dumps(machine.before()))
        case ["processes", name, file]:
            Path(file).write_text(json.dumps(machine.members(name)))
        case ["left", name, state, before, processes]:
            left = machine.left(name, Path(state), _data(before), _data(processes))
            print("\n".join(left))
            return 1 if left else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
