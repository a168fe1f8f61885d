"""Takes away whatever a lab's hosts left, however they ended: nothing here relies on a process or a file of theirs.

Processes are found through the control groups and the network namespace, mounts through the state directory. Doing it
twice, or half-way through an `up`, does no harm.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lab.hosts import cgroups, network, registry
from lab.instance import processes
from lab.instance.state import Instance

_OFF_WITHIN = 5.0


def hosts(instance: Instance) -> list[str]:
    """End the hosts and remove their mounts and control groups; returns what would not go, in words."""
    guests = cgroups.members(instance.name)
    if guests:
        nspawn = [pid for pid in guests if "systemd-nspawn" in "".join(processes.command_line(pid)[:1])]
        processes.end(nspawn, within=_OFF_WITHIN)
        processes.end(sorted(cgroups.members(instance.name)), within=0.0)
    left = [f"process {pid}" for pid in sorted(cgroups.members(instance.name))]
    left += [f"control group {path}" for path in cgroups.remove(instance.name)]
    left += [f"mount {path}" for path in unmount(instance.hosts)]
    for status in instance.hosts.glob("*/status.json"):
        status.unlink(missing_ok=True)
    return left


def everything(instance: Instance) -> list[str]:
    """`hosts`, and the network, the registration of the name and the raised limit."""
    if registry.owner(instance.name) not in (None, instance.state):
        # Somebody else's lab has the name by now; what is left of ours has only the state directory in common.
        return [f"mount {path}" for path in unmount(instance.hosts)]
    left = hosts(instance)
    if network.exists(instance.name):
        processes.end(_inside_netns(instance.netns), within=0.5)
        try:
            network.remove(instance.name)
        except network.NetworkError as error:
            left.append(str(error))
    registry.release(instance)
    return left


def mounts(below: Path) -> list[Path]:
    """The mount points at or below a directory, the last mounted first."""
    found = []
    top = str(below)
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        target = line.split()[4].encode().decode("unicode_escape")
        if target == top or target.startswith(f"{top}/"):
            found.append(Path(target))
    return found[::-1]


def unmount(below: Path) -> list[Path]:
    """Unmount everything at or below a directory; returns what is still mounted."""
    for target in mounts(Path(os.path.realpath(below))):
        for options in ([], ["--lazy"]):
            if subprocess.run(["umount", *options, str(target)], capture_output=True, check=False).returncode == 0:
                break
    return mounts(Path(os.path.realpath(below)))


def _inside_netns(netns: Path) -> list[int]:
    """Processes that somebody started in the namespace, such as the far end of an SSH connection kept open."""
    wanted = netns.stat()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here = (entry / "ns/net").stat()
            except OSError:
                continue
            if (here.st_ino, here.st_dev) == (wanted.st_ino, wanted.st_dev):
                found.append(int(entry.name))
    return found
