"""Which labs boot hosts on this machine, and the one kernel limit that they share.

Below /run, like the namespaces that it speaks of: neither outlives a restart of the machine.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from lab.instance.state import Instance, LabError, read_json, write_json

DIRECTORY = Path("/run/palette-edge-lab")
_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
# Systemd and what it starts in a host take nearly six; nspawn ends without a word when there are none left. A node has
# kubelet and containerd too, and its pods.
_EACH_HOST, _EACH_NODE, _ALL_ELSE, _RAISED = 6, 20, 40, 1024


def owner(name: str) -> Path | None:
    """The state directory of the lab that has the name, if any."""
    state = read_json(DIRECTORY / f"{name}.json").get("state")
    return Path(state) if state else None


def ssh_connections(instance: Instance) -> Path:
    """Where SSH keeps this lab's open connections: labs may have hosts of one address, and the path must be short."""
    return DIRECTORY / f"{instance.name}.ssh"


def claim(instance: Instance, *, booted: int, nodes: bool = False) -> bool:
    """Take the name and room for ``booted`` hosts, which may become ``nodes``.

    Returns whether the inotify limit was raised for them. Raises LabError when another lab, or something
    that is no lab, has the name.
    """
    with _locked():
        has = owner(instance.name)
        if has is not None and has != instance.state and (has / "instance.json").exists():
            raise LabError(
                f"the name {instance.name} is in use by the lab in {has}: give this one another with --name, "
                f"or take that one down with: python -m lab down --state {has}"
            )
        if has is None and instance.netns.exists():
            raise LabError(f"a network namespace {instance.name} is there already and not the lab's: give a --name")
        write_json(
            _entry(instance), {"state": str(instance.state), "watches": booted * (_EACH_NODE if nodes else _EACH_HOST)}
        )
        return _raise_limit()


def release(instance: Instance) -> None:
    """Give the name back, and the limit its old value when no lab needs more."""
    if not DIRECTORY.is_dir():
        return
    with _locked():
        if owner(instance.name) == instance.state:
            _entry(instance).unlink(missing_ok=True)
            shutil.rmtree(ssh_connections(instance), ignore_errors=True)
        _lower_limit()
        if not any(path.name != "lock" for path in DIRECTORY.iterdir()):
            (DIRECTORY / "lock").unlink()
            DIRECTORY.rmdir()


def _entry(instance: Instance) -> Path:
    return DIRECTORY / f"{instance.name}.json"


def _needed() -> int:
    entries = (read_json(path) for path in DIRECTORY.glob("*.json"))
    return _ALL_ELSE + sum(int(entry.get("watches") or 0) for entry in entries)


def _raise_limit() -> bool:
    current, needed = int(_LIMIT.read_text()), _needed()
    if current >= needed:
        return False
    before = DIRECTORY / "inotify"
    if not before.exists():
        before.write_text(f"{current}\n")
    _LIMIT.write_text(f"{max(needed, _RAISED)}\n")
    return True


def _lower_limit() -> None:
    before = DIRECTORY / "inotify"
    if before.exists() and _needed() <= int(before.read_text()):
        _LIMIT.write_text(before.read_text())
        before.unlink()


@contextmanager
def _locked() -> Iterator[None]:
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    with (DIRECTORY / "lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
