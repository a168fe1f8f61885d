"""Taking a lab down: nothing of it stays on the machine, whatever state it was in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lab.hosts import cleanup
from lab.instance import processes
from lab.instance.state import Instance, LabError, exclusive, read_json

_HOSTS_WITHIN = 20.0
_CONTROLLER_WITHIN = 5.0


def down(instance: Instance, *, purge: bool, say: Callable[[str], None]) -> None:
    """Take the lab down; ``purge`` removes its state directory too. Raises LabError when something would not go."""
    if purge:
        _refuse_to_purge(instance.state)
    instance.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(instance):
        before = read_json(instance.instance_json).get("name")
        ours = instance if before is None else replace(instance, name=str(before))
        for part, within in (("hosts", _HOSTS_WITHIN), ("controller", _CONTROLLER_WITHIN)):
            pids = processes.find_all(ours, part)
            if pids:
                processes.end(pids, within=within)
                say(f"{part}: ended")
            ours.pid_file(part).unlink(missing_ok=True)
        left = _clean(ours)
        if instance.name != ours.name:
            left += _clean(instance)
    if left:
        raise LabError(f"of the lab in {instance.state} this would not go: {', '.join(left)}")
    if purge:
        shutil.rmtree(instance.state)
        say(f"state: {instance.state} removed")
    else:
        say(f"state: kept in {instance.state} ('down --purge' removes it)")
        if not any(path.name != "lock" for path in instance.state.iterdir()):
            shutil.rmtree(instance.state)


def _clean(instance: Instance) -> list[str]:
    if os.geteuid() == 0:
        return cleanup.everything(instance)
    for status in instance.hosts.glob("*/status.json"):
        status.unlink(missing_ok=True)
    return []


def _refuse_to_purge(state: Path) -> None:
    """Only a directory that a lab made is removed: `--state /home` must not be the end of /home."""
    if state.exists() and any(state.iterdir()):
        names = {path.name for path in state.iterdir()}
        if not names & {"instance.json", "lab.json", "controller.db"}:
            raise LabError(f"{state} is not the state directory of a lab; it is not removed")
