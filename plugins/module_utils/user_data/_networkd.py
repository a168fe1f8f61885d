# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `stylus.site.network` has no words for, as files of systemd-networkd that a step of the stage initramfs writes.

A NIC that needs none of it gets no file. One that does gets a whole one, as networkd takes the first file that fits a
NIC and no second: its name sorts before the agent's. The files lie in `/run`, which every boot begins empty, so that
nothing is left of user-data that is no longer there.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.palette.edge.plugins.module_utils.user_data._model import Interface

FOLDER = "/run/systemd/network"
PREFIX = "00-palette-edge-"
STAGE = "initramfs"
STEP = "Network that stylus.site.network cannot say (palette.edge)"

_NOTE = "# Written at each boot, from the user-data (palette.edge.site_user_data)."
# Permissions are numbers: Kairos refuses strings.
_FILE, _DIRECTORY = 0o644, 0o755


def vlan_name(nic: str, number: str) -> str:
    """What the VLAN's own interface is called."""
    return f"{nic}.{number}"


def needs_file(nic: Interface) -> bool:
    """Whether a NIC has what `stylus.site.network` cannot say."""
    return bool(nic.mtu or nic.vlans or nic.search or len(nic.nameservers) > 1 or nic.type == "none")


def files(interfaces: t.Mapping[str, Interface]) -> dict[str, str]:
    """The files by path, in the order of the NICs."""
    found: dict[str, str] = {}
    for name, nic in interfaces.items():
        if not needs_file(nic):
            continue
        found[f"{FOLDER}/{PREFIX}{name}.network"] = _network(name, nic)
        for number, vlan in nic.vlans.items():
            own = vlan_name(name, number)
            found[f"{FOLDER}/{PREFIX}{own}.netdev"] = _text(
                NetDev=[f"Name={own}", "Kind=vlan", *([f"MTUBytes={vlan.mtu}"] if vlan.mtu else [])],
                VLAN=[f"Id={number}"],
            )
            found[f"{FOLDER}/{PREFIX}{own}.network"] = _network(own, vlan)
    return found


def step(interfaces: t.Mapping[str, Interface]) -> dict[str, t.Any] | None:
    """The step of the stage; None when there is nothing to write."""
    texts = files(interfaces)
    if not texts:
        return None
    return {
        "name": STEP,
        "directories": [{"path": FOLDER, "permissions": _DIRECTORY}],
        "files": [{"path": path, "permissions": _FILE, "content": text} for path, text in texts.items()],
    }


def with_step(document: dict[str, t.Any], interfaces: t.Mapping[str, Interface]) -> dict[str, t.Any]:
    """The document with our step as the last of its stage; what is no list of steps there is for the rules to refuse."""
    ours = step(interfaces)
    if ours is None:
        return document
    stages = document.get("stages", {})
    steps = stages.get(STAGE, []) if isinstance(stages, dict) else None
    if not isinstance(steps, list):
        return document
    return {**document, "stages": {**stages, STAGE: [*steps, ours]}}


def _network(name: str, nic: Interface) -> str:
    kind = nic.kind
    network = list(_addressing(kind, nic))
    network += [f"DNS={server}" for server in nic.nameservers]
    network += [f"Domains={' '.join(nic.search)}"] if nic.search else []
    network += [f"VLAN={vlan_name(name, number)}" for number in nic.vlans]
    # With another identifier the server would give another lease than the one that the host has so far.
    dhcp = ["ClientIdentifier=mac"] if kind == "dhcp" else []
    own_servers = ["UseDNS=no"] if kind == "dhcp" and nic.nameservers else []
    return _text(
        Match=[f"Name={name}"],
        Link=[*([f"MTUBytes={nic.mtu}"] if nic.mtu else []), *(["RequiredForOnline=no"] if kind == "none" else [])],
        Network=network,
        DHCPv4=[*dhcp, *own_servers],
        DHCPv6=own_servers,
        IPv6AcceptRA=own_servers,
    )


def _addressing(kind: str, nic: Interface) -> Iterator[str]:
    if kind == "dhcp":
        yield "DHCP=yes"
    elif kind == "none":
        yield "LinkLocalAddressing=no"
        yield "IPv6AcceptRA=no"
    else:
        yield f"Address={nic.address}"
        if nic.gateway:
            yield f"Gateway={nic.gateway}"


def _text(**sections: list[str]) -> str:
    parts = ["\n".join([f"[{name}]", *lines]) for name, lines in sections.items() if lines]
    return "\n\n".join([_NOTE, *parts]) + "\n"
