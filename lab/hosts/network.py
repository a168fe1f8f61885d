"""The hosts' network: a namespace of its own with one bridge, so that nothing of it shows on the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

BRIDGE = "br0"


class NetworkError(Exception):
    """The network could not be set up; one line with the command's own words."""


def create(name: str, bridge: Sequence[str]) -> None:
    """Make the namespace and the bridge with its addresses (``10.42.0.1/24``); what is there already stays."""
    if not exists(name):
        _ip("netns", "add", name)
    if _ip("-n", name, "link", "show", BRIDGE, may_fail=True) is None:
        _ip("-n", name, "link", "add", BRIDGE, "type", "bridge")
    present = _ip("-n", name, "-o", "-4", "addr", "show", "dev", BRIDGE) or ""
    for address in bridge:
        if f" {address} " not in present:
            _ip("-n", name, "addr", "add", address, "dev", BRIDGE)
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "set", BRIDGE, "up")


def exists(name: str) -> bool:
    """Whether the namespace is there."""
    return (Path("/run/netns") / name).exists()


def remove(name: str) -> None:
    """Remove the namespace and with it the bridge and its addresses."""
    if exists(name):
        _ip("netns", "del", name)


def set_link(name: str, machine: str, *, up: bool) -> bool:
    """Connect or cut a host's cable; False when the host has none at the moment."""
    return _ip("-n", name, "link", "set", f"vb-{machine}", "up" if up else "down", may_fail=True) is not None


def extra_cable(machine: str, number: int) -> str:
    """The outer end of the cable of a host's further NIC, host1 and so on."""
    return f"v{number}-{machine}"


def plug_in(name: str, machine: str, nics: int) -> bool:
    """Connect the further NICs of a host, as the first one is by itself; whether all of them are there yet."""
    cables = [extra_cable(machine, number) for number in range(1, nics)]
    return all(_ip("-n", name, "link", "set", one, "master", BRIDGE, "up", may_fail=True) is not None for one in cables)


def _ip(*arguments: str, may_fail: bool = False) -> str | None:
    done = subprocess.run(["ip", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    if may_fail:
        return None
    raise NetworkError(f"'ip {' '.join(arguments)}' failed: {' '.join(done.stderr.split()) or done.returncode}")
