# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts as members of a node pool: how they are written, and what of a member is fixed.

The node's name, address, gateway, name servers and NIC of a member are changed by taking it out of the pool and adding it again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..palette._errors import InputError

_KEPT = ("hostName", "hostUid", "nic", "nicName", "staticIP", "twoNodeCandidatePriority")


@dataclass(frozen=True, kw_only=True)
class PoolHost:
    """A member of a pool. ``address`` is CIDR ("10.0.0.11/24") or empty for whatever the host has."""

    uid: str
    name: str = ""
    address: str = ""
    gateway: str = ""
    nameservers: tuple[str, ...] = ()
    nic: str = ""
    two_node_role: str = ""


def pool_host(options: Mapping[str, Any]) -> PoolHost:
    """A member from module options."""
    texts = {key: options.get(key) or "" for key in ("name", "address", "gateway", "nic", "two_node_role")}
    return PoolHost(uid=options["uid"], nameservers=tuple(options.get("nameservers") or ()), **texts)


def members_of(pool: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Host UID -> member, of a pool as it is read."""
    return {host["hostUid"]: host for host in pool.get("hosts") or []}


def address_of(member: Mapping[str, Any]) -> str:
    """The address of a member, without its prefix length."""
    address = (member.get("nic") or {}).get("ip") or member.get("staticIP") or member.get("hostAddress") or ""
    return str(address).split("/", maxsplit=1)[0]


def label_of(member: Mapping[str, Any]) -> str:
    """What people call a member."""
    return str(member.get("hostName") or member["hostUid"])


def member_body(host: PoolHost, member: Mapping[str, Any] | None) -> dict[str, Any]:
    """The host as it is written; of a member what is there stays."""
    body: dict[str, Any] = {key: member[key] for key in _KEPT if member.get(key)} if member else {}
    body["hostUid"] = host.uid
    if host.name:
        body["hostName"] = host.name
    nic = _nic(host)
    if nic and not body.get("nic"):
        body["nic"] = nic
    if host.two_node_role:
        body["twoNodeCandidatePriority"] = host.two_node_role
    return body


def fixed_problems(host: PoolHost, member: Mapping[str, Any]) -> Iterator[str]:
    """What is wanted of a member's network and is otherwise there: it cannot be changed while it is a member."""
    nic = member.get("nic") or {}
    wanted = _nic(host)
    address = address_of(member)
    if wanted.get("ip") and address and wanted["ip"] != address:
        yield f"the address {address} (wanted {wanted['ip']})"
    for key, words in (("subnet", "the mask"), ("gateway", "the gateway")):
        if wanted.get(key) and nic.get(key) and wanted[key] != nic[key]:
            yield f"{words} {nic[key]} (wanted {wanted[key]})"
    if wanted.get("dns") and nic.get("dns") and set(wanted["dns"]) != set(nic["dns"]):
        yield f"the name servers {', '.join(nic['dns'])} (wanted {', '.join(wanted['dns'])})"
    name = nic.get("nicName") or member.get("nicName")
    if host.nic and name and host.nic != name:
        yield f"the NIC {name} (wanted {host.nic})"
    node = member.get("hostName")
    if host.name and node and host.name != node:
        yield f"the name {node} (wanted {host.name})"


def _nic(host: PoolHost) -> dict[str, Any]:
    nic: dict[str, Any] = {}
    if host.address:
        try:
            interface = ipaddress.ip_interface(host.address)
        except ValueError as error:
            raise InputError(f"node_pools: address of the Edge host {host.uid}: {error}") from None
        nic["ip"], nic["subnet"] = str(interface.ip), str(interface.netmask)
    if host.gateway:
        nic["gateway"] = host.gateway
    if host.nameservers:
        nic["dns"] = list(host.nameservers)
    if host.nic:
        nic["nicName"] = host.nic
    return nic
