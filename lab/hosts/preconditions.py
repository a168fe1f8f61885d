"""What this machine lacks to boot the lab's hosts, each in one line; tried out, not guessed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.hosts import base, cgroups

_COMMANDS = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "socat": "socat",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
    "zstd": "zstd",
}


def missing(state: Path) -> list[str]:
    """What is missing to boot hosts with their disks in ``state``; empty when nothing is."""
    if os.geteuid() != 0:
        return ["not root: systemd-nspawn, network namespaces and overlay mounts need it"]
    commands = dict(_COMMANDS)
    if not base.root_directory().is_dir():
        commands["mmdebstrap"] = "mmdebstrap"
    lacking = [
        f"{command} is not installed: apt-get install {package}"
        for command, package in commands.items()
        if shutil.which(command) is None
    ]
    return lacking or [*_namespaces(), *_overlay(state), *_groups()]


def _namespaces() -> list[str]:
    script = "ip link add br0 type bridge && ip link add va type veth peer name vb && mount -t tmpfs tmpfs /run"
    complaint = _refusal(["unshare", "--net", "--mount", "sh", "-c", script])
    if complaint is not None:
        return [f"namespaces with a bridge cannot be made: {complaint}"]
    name = f"palette-check-{os.getpid()}"
    complaint = _refusal(["ip", "netns", "add", name])
    if complaint is not None:
        return [f"network namespaces cannot be made: {complaint}"]
    complaint = _refusal(["ip", "netns", "del", name])
    return [] if complaint is None else [f"network namespaces cannot be removed: {complaint}"]


def _overlay(state: Path) -> list[str]:
    place = next(parent for parent in (state, *state.parents) if parent.is_dir())
    script = (
        "mkdir a up work root && mount -t overlay overlay -o lowerdir=a,upperdir=up,workdir=work root && : > root/f"
    )
    try:
        with tempfile.TemporaryDirectory(prefix=".palette-check-", dir=place) as folder:
            complaint = _refusal(["unshare", "--mount", "sh", "-c", script], directory=folder)
    except OSError as error:
        return [f"{place} cannot be written to: {error.strerror}"]
    if complaint is None:
        return []
    return [f"an overlay with its upper layer in {place} is refused: {complaint} (try --state on another file system)"]


def _groups() -> list[str]:
    name = f"check-{os.getpid()}"
    try:
        if not cgroups.create(name, "check"):
            return ["no control groups are mounted at /sys/fs/cgroup"]
    except OSError as error:
        return [f"control groups cannot be made: {error.strerror}: {error.filename}"]
    finally:
        cgroups.remove(name)
    return []


def _refusal(command: list[str], *, directory: str = "/") -> str | None:
    """None when the command works, else its words."""
    done = subprocess.run(
        command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode == 0:
        return None
    return " ".join(done.stderr.split()) or f"status {done.returncode}"
