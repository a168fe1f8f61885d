"""A control group for each host: nspawn needs one of its own, and what is in it is found again whatever happened.

It is one in every hierarchy: a host that becomes a node makes groups for its pods, and where it had no group of its own
they would be made at the machine's root.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

# Written by the kernel into a new group of version 1 in vain: it stays empty until it is told, and takes no process.
_INHERITED = ("cpuset.cpus", "cpuset.mems")


def hierarchies() -> list[Path]:
    """Where control groups are mounted: the one of version 2, or the several of version 1 and the hybrid."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(fields[1]) for fields in lines if fields[2] in ("cgroup", "cgroup2")]


def controllers() -> set[str]:
    """The controllers of version 1 that are mounted, such as ``memory`` and ``cpuset``; empty with version 2 alone."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {option for fields in lines if fields[2] == "cgroup" for option in fields[3].split(",")}


def top(name: str) -> list[Path]:
    """The lab's own group in each hierarchy. The prefix keeps ``--name docker`` from meaning somebody else's group."""
    return [hierarchy / f"palette-edge-lab-{name}" for hierarchy in hierarchies()]


def create(name: str, machine: str) -> list[Path]:
    """Make the groups of one host; returns the directories whose ``cgroup.procs`` its process enters."""
    directories = []
    for group in top(name):
        for directory in (group, group / machine):
            directory.mkdir(exist_ok=True)
            _inherit(directory)
        directories.append(group / machine)
    return directories


def existing(name: str, machine: str) -> tuple[Path, ...]:
    """The groups of one host that are there."""
    return tuple(group / machine for group in top(name) if (group / machine).is_dir())


def _inherit(directory: Path) -> None:
    for setting in _INHERITED:
        own, above = directory / setting, directory.parent / setting
        if own.is_file() and above.is_file() and not own.read_text().strip():
            own.write_text(above.read_text())


def members(name: str, machine: str = "") -> set[int]:
    """The pids in the groups of one host, or of the whole lab."""
    pids: set[int] = set()
    for group in top(name):
        for directory, _folders, files in os.walk(group / machine):
            if "cgroup.procs" in files:
                pids.update(_pids(Path(directory) / "cgroup.procs"))
    return pids


def memory_in_use(name: str) -> int:
    """Bytes that the lab's hosts use together, page cache included; 0 where the machine does not count it."""
    for group in top(name):
        for counter in ("memory.usage_in_bytes", "memory.current"):
            if (group / counter).is_file():
                return int((group / counter).read_text())
    return 0


def remove(name: str, machine: str = "", *, within: float = 2.0) -> list[Path]:
    """Remove the groups of one host, or of the whole lab; returns those that did not go."""
    deadline = time.monotonic() + within
    while True:
        left = [directory for directory in _deepest_first(name, machine) if not _gone(directory)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _deepest_first(name: str, machine: str) -> Iterator[Path]:
    for group in top(name):
        for directory, _folders, _files in os.walk(group / machine, topdown=False):
            yield Path(directory)


def _gone(directory: Path) -> bool:
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _pids(path: Path) -> list[int]:
    try:
        return [int(line) for line in path.read_text().split()]
    except OSError:
        return []
