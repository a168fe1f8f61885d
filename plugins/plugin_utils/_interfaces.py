# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option `interfaces` of site_user_data: its shape, and what in it contradicts itself.

What `stylus.site.network` can say is judged by the rules of user-data; here is what goes into files of systemd-networkd.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import NETWORK, Interface, SiteLayer
from ansible_collections.palette.edge.plugins.module_utils.user_data._networkd import files, needs_file, vlan_name
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import ip_address, problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Path, Problem
from ansible_collections.palette.edge.plugins.plugin_utils._action import checked_entry
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError

SMALLEST_MTU, SMALLEST_MTU_IPV6, LARGEST_MTU, USUAL_MTU = 576, 1280, 65535, 1500
LONGEST_NAME = 15
"""Characters that the kernel allows in the name of an interface."""

_COMMON: dict[str, t.Any] = {
    "address": {"type": "str"},
    "gateway": {"type": "str"},
    "nameservers": {"type": "list", "elements": "str"},
    "search": {"type": "list", "elements": "str"},
    "mtu": {"type": "int"},
}
_NIC = {"type": {"type": "str", "choices": ["dhcp", "static", "none"]}, **_COMMON, "vlans": {"type": "dict"}}
_VLAN = {"type": {"type": "str", "choices": ["dhcp", "static"]}, **_COMMON}

# systemd-networkd takes some other signs for patterns, and the name is part of a file's name.
_NIC_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)
_ALL = (*NETWORK, "interfaces")


def checked_interfaces(value: t.Mapping[t.Any, t.Any] | None) -> dict[str, dict[str, t.Any]]:
    """The NICs with their VLANs, keys and types as they should be; HostError otherwise."""
    found = {}
    for name, given in (value or {}).items():
        nic = checked_entry(f"interfaces.{name}", given, _NIC)
        vlans: dict[str, dict[str, t.Any]] = {}
        for number, vlan in (nic["vlans"] or {}).items():
            where = f"interfaces.{name}.vlans.{number}"
            if not re.fullmatch(r"[1-9][0-9]{0,3}", str(number)) or int(number) > 4094:
                raise HostError(f"{where}: {str(number)!r} is no ID of a VLAN; give a number from 1 to 4094.")
            if str(number) in vlans:
                raise HostError(f"{where}: is there twice; give each VLAN once.")
            vlans[str(number)] = checked_entry(where, vlan if vlan is not None else {}, _VLAN)
        found[str(name)] = {**nic, "vlans": vlans}
    return found


def interface(nic: t.Mapping[str, t.Any]) -> Interface:
    """One NIC of `checked_interfaces`."""
    return Interface(
        type=nic.get("type"),
        address=nic.get("address") or None,
        gateway=nic.get("gateway") or None,
        nameservers=tuple(nic.get("nameservers") or ()),
        search=tuple(nic.get("search") or ()),
        mtu=nic.get("mtu"),
        vlans={str(number): interface(vlan) for number, vlan in (nic.get("vlans") or {}).items()},
    )


def conflicts(layer: SiteLayer) -> list[Problem]:
    """What the rules of user-data do not see, as it goes into files."""
    found: list[Problem] = []
    for name, nic in layer.interfaces.items():
        path = (*_ALL, name)
        if needs_file(nic) and not _NIC_NAME.fullmatch(name):
            found.append(
                Problem(path, f"{name!r} is no plain name of a NIC; mtu, vlans, search and more servers need one.")
            )
        found += [*_nic(path, nic), *_vlans(path, name, nic, layer)]
    return [*found, *_addresses(layer), *_gateways(layer), *_extra(layer)]


def warnings(layer: SiteLayer) -> list[str]:
    """What works and seldom is meant: two interfaces in one network."""
    networks: dict[t.Any, str] = {}
    found = []
    for path, nic in _each(layer):
        network = _network_of(nic.address)
        if network is None:
            continue
        own = layer.option_of(path)
        other = next((name for known, name in networks.items() if _overlap(known, network)), "")
        if other:
            found.append(f"{own}: {network} is also a network of {other}; the host answers for both on either of them.")
        networks.setdefault(network, own)
    return found


def ask_vlans(layer: SiteLayer) -> str:
    """The lines that tell that the kernel knows no VLANs; none when none are wanted. Root alone can tell for sure."""
    if not any(nic.vlans for nic in layer.interfaces.values()):
        return ""
    probe = "unshare -n ip link add palette0 link lo type vlan id 1"
    return f'[ -d /proc/net/vlan ] || modprobe -n -q 8021q 2>/dev/null || {probe} 2>/dev/null || say no_vlans "$(uname -r)"\n'


def refuse_vlans(layer: SiteLayer, kernel: str) -> None:
    """HostError when `kernel` (what `ask_vlans` said) cannot have the VLANs: networkd would leave the whole NIC undone."""
    named = [name for name, nic in layer.interfaces.items() if nic.vlans]
    if kernel and named:
        raise HostError(
            f"interfaces.{named[0]}.vlans: the host's kernel {kernel} knows no VLANs (8021q); nothing was written."
        )


def _nic(path: Path, nic: Interface) -> Iterator[Problem]:
    if nic.type == "none":
        given = [name for name in ("address", "gateway", "nameservers", "search") if getattr(nic, name)]
        for name in given:
            yield Problem((*path, name), "is given for a NIC of type none, which has no address; leave it out.")
        if not nic.vlans:
            yield Problem((*path, "type"), "none is for a NIC that bears VLANs only; give vlans, or another type.")
    yield from _mtu(path, nic)
    for at, server in enumerate(nic.nameservers):
        # The rules see the first one.
        if at and ip_address(server) is None:
            yield Problem((*path, "nameservers", at), f"{server!r} is no IP address.")
    for at, domain in enumerate(nic.search):
        if not _DOMAIN.fullmatch(domain):
            yield Problem((*path, "search", at), f"{domain!r} is no domain; write it as store.example.com.")
    for option in ("nameservers", "search"):
        for value, count in Counter(getattr(nic, option)).items():
            if count > 1:
                yield Problem((*path, option), f"{value} is there {count} times; give each once.")


def _mtu(path: Path, nic: Interface) -> Iterator[Problem]:
    if nic.mtu is None:
        return
    address = _network_of(nic.address)
    least = SMALLEST_MTU_IPV6 if address is not None and address.version == 6 else SMALLEST_MTU
    if not least <= nic.mtu <= LARGEST_MTU:
        yield Problem((*path, "mtu"), f"{nic.mtu} is no MTU; give a number from {least} to {LARGEST_MTU}.")


def _vlans(path: Path, name: str, nic: Interface, layer: SiteLayer) -> Iterator[Problem]:
    for number, vlan in nic.vlans.items():
        below, own = (*path, "vlans", number), vlan_name(name, number)
        if len(own) > LONGEST_NAME:
            text = f"{own!r} would be its name, of {len(own)} characters, and an interface has at most {LONGEST_NAME}."
            yield Problem(below, text)
        if own in layer.interfaces:
            yield Problem(
                below, f"interfaces.{own} is an interface of that name already; give it in one of the places."
            )
        yield from _nic(below, vlan)
        bearer = nic.mtu or USUAL_MTU
        if vlan.mtu and vlan.mtu > bearer:
            usual = "" if nic.mtu else ", the usual one"
            yield Problem(
                (*below, "mtu"), f"{vlan.mtu} is more than the MTU of {name}, {bearer}{usual}; raise that of {name}."
            )


def _addresses(layer: SiteLayer) -> Iterator[Problem]:
    """The rules for NICs, asked about VLANs as well: all as one map, so that an address is nowhere twice."""
    nics = {name: nic.document() for name, nic in layer.interfaces.items() if nic.type != "none"}
    paths: dict[t.Any, Path] = {}
    vlans: dict[str, t.Any] = {}
    for name, nic in layer.interfaces.items():
        for number, vlan in nic.vlans.items():
            own = vlan_name(name, number)
            # Of a name that cannot be, or is a NIC's too, something is said elsewhere.
            if len(own) <= LONGEST_NAME and own not in nics:
                vlans[own], paths[own] = vlan.document(), (*_ALL, name, "vlans", number)
    document = {"stylus": {"site": {"network": {"interfaces": {**nics, **vlans}}}}}
    for problem in problems(document, partial=True) if vlans else ():
        place = paths.get(problem.path[len(_ALL)]) if len(problem.path) > len(_ALL) else None
        if place is not None:
            yield replace(problem, path=(*place, *problem.path[len(_ALL) + 1 :]))


def _gateways(layer: SiteLayer) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for path, nic in _each(layer):
        gateway = ip_address(nic.gateway)
        if gateway is None:
            continue
        if other := seen.get(gateway.version):
            text = (
                f"{gateway} would be a second default route, as {other} has one; a host has one, leave the other out."
            )
            yield Problem((*path, "gateway"), text)
        seen.setdefault(gateway.version, layer.option_of(path))


def _extra(layer: SiteLayer) -> Iterator[Problem]:
    """What `extra` says of a NIC or a file that is written from `interfaces`."""
    ours = files(layer.interfaces)
    nics: t.Any = layer.extra
    for name in _ALL:
        nics = nics.get(name) if isinstance(nics, t.Mapping) else None
    for name in nics if isinstance(nics, t.Mapping) else ():
        if name in layer.interfaces and needs_file(layer.interfaces[name]):
            yield Problem(
                (*_ALL, name), f"has a file of systemd-networkd from interfaces.{name}, which wins; say it there."
            )
    stages = layer.extra.get("stages")
    for stage, steps in stages.items() if isinstance(stages, t.Mapping) else ():
        for at, one in enumerate(steps if isinstance(steps, list) else ()):
            written = one.get("files") if isinstance(one, t.Mapping) else None
            for number, file in enumerate(written if isinstance(written, list) else ()):
                if isinstance(file, t.Mapping) and file.get("path") in ours:
                    text = f"{file['path']} is written from interfaces; take it out of one of the two."
                    yield Problem(("stages", stage, at, "files", number, "path"), text)


def _each(layer: SiteLayer) -> Iterator[tuple[t.Any, Interface]]:
    """All NICs and VLANs with their places."""
    for name, nic in layer.interfaces.items():
        yield (*_ALL, name), nic
        for number, vlan in nic.vlans.items():
            yield (*_ALL, name, "vlans", number), vlan


def _network_of(address: str | None) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_interface(address).network if address else None
    except ValueError:
        return None


def _overlap(one: t.Any, other: t.Any) -> bool:
    return bool(one.version == other.version and one.overlaps(other))
