# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused of a cluster definition before anything is written, everything wrong at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from .._identity import host_id_problem
from ..palette._errors import InputError
from ._cluster import DesiredCluster
from ._edge_host import describe as describe_host
from ._node_pools import DesiredPool
from ._pool_hosts import PoolHost
from ._pool_quorum import count_problem
from ._pool_settings import settings_problems

Interface: TypeAlias = "ipaddress.IPv4Interface | ipaddress.IPv6Interface"


def check_definition(desired: DesiredCluster) -> None:
    """What can be told from the definition alone.

    :raises InputError: naming each option that is wrong.
    """
    pools = list(desired.node_pools or [])
    problems = [
        *_pool_problems(pools, two_node=bool(desired.two_node), whole=desired.purge_hosts),
        *_network_problems(desired, pools),
    ]
    names = [one.name for one in desired.profiles or []]
    problems += [f"profiles: {name} is given twice" for name in sorted({one for one in names if names.count(one) > 1})]
    infra = [one.name for one in desired.profiles or [] if one.type in ("cluster", "infra")]
    if len(infra) > 1:
        problems.append(f"profiles: only one may bring the infrastructure layers, these do: {', '.join(infra)}")
    _refuse(problems)


def check_hosts(
    desired: DesiredCluster,
    hosts: Mapping[str, Mapping[str, Any] | None],
    *,
    cluster_uid: str,
    members: frozenset[str],
    project_uid: str,
    predicting: bool,
    architectures: Mapping[str, str] | None = None,
) -> list[str]:
    """What Palette knows of the hosts that the definition names; returns warnings.

    :param hosts: by UID, as read from Palette; None for one that is not there.
    :param cluster_uid: of the cluster when it is there already, else "".
    :param members: UIDs of the hosts that already belong to the cluster.
    :param predicting: in check mode a host that is not there, or not ready, yet is a warning: an earlier phase of the
        same run would have registered it.
    :param architectures: of the pools that are there already, by name.
    :raises InputError: naming each host that cannot be used.
    """
    problems: list[str] = []
    later: list[str] = []
    for pool, host in _members(desired.node_pools or []):
        seen = describe_host(hosts.get(host.uid))
        label = f"node_pools: Edge host {host.name or host.uid}"
        if host.uid in members:
            continue
        if not seen:
            later.append(f"{label} is not registered in this project: register it first")
            continue
        others = [
            name for name, uid in zip(seen["clusters"], seen["cluster_uids"]) if uid != cluster_uid or not cluster_uid
        ]
        if seen["state"] == "in-use" and others:
            problems.append(f"{label} is in use by the cluster {', '.join(others)}: take it out there first")
        elif seen["state"] not in ("ready", "in-use"):
            later.append(f"{label} is {seen['state'] or 'without a state'}, not ready: wait until it is registered")
        elif seen["health"] == "unhealthy":
            why = f" ({seen['health_message']})" if seen["health_message"] else ""
            later.append(f"{label} is unhealthy{why}: see that it runs and reaches Palette first")
        if project_uid and seen["project_uid"] and seen["project_uid"] != project_uid:
            problems.append(
                f"{label} belongs to another project ({seen['project_uid']}): move it there, or leave it out"
            )
        known = (architectures or {}).get(pool.name)
        wanted = pool.architecture or known or "amd64"
        if seen["architecture"] and seen["architecture"] != wanted:
            hint = "put it into another pool" if known else "set architecture, or put it into another pool"
            problems.append(f"{label} is {seen['architecture']}, the pool {pool.name} is {wanted}: {hint}")
    problems += _seen_network_problems(desired, hosts)
    _refuse(problems if predicting else problems + later)
    return later if predicting else []


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise InputError("; ".join(problems))


def _members(pools: Sequence[DesiredPool]) -> Iterator[tuple[DesiredPool, PoolHost]]:
    for pool in pools:
        for host in pool.hosts if pool.present else ():
            yield pool, host


def _pool_problems(pools: Sequence[DesiredPool], *, two_node: bool, whole: bool) -> Iterator[str]:
    names = [pool.name for pool in pools]
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield f"node_pools: the pool {name} is given twice"
    control = [pool for pool in pools if pool.control_plane]
    if pools and len(control) != 1:
        yield f"node_pools: {len(control)} pools have control_plane set, a cluster has exactly one"
    for pool in control:
        if not pool.present:
            yield f"node_pools: {pool.name} is the control plane and cannot be removed: delete the cluster instead"
        elif whole and pool.hosts_given and (two_node or len(pool.hosts) < 3):
            # An even number from 4 on may stand between two steps: the plan knows what is there.
            problem = count_problem(len(pool.hosts), two_node=two_node)
            if problem:
                yield f"node_pools: {pool.name} {problem}"
        yield from _role_problems(pool, two_node=two_node, whole=whole)
    for pool in [one for one in pools if one.present]:
        for problem in settings_problems(pool.settings, control_plane=pool.control_plane):
            yield f"node_pools: {pool.name} {problem}"
        for host in pool.hosts if not pool.control_plane else ():
            if host.two_node_role:
                yield f"node_pools: Edge host {host.name or host.uid} has a two_node_role in the worker pool {pool.name}"
    uids = [host.uid for dummy, host in _members(pools)]
    for uid in sorted({one for one in uids if uids.count(one) > 1}):
        yield f"node_pools: the Edge host {uid} is given twice"
    for uid in uids:
        problem = host_id_problem(uid)
        if problem:
            yield f"node_pools: the Edge host ID {uid[:60]!r} {problem}"


def _role_problems(pool: DesiredPool, *, two_node: bool, whole: bool) -> Iterator[str]:
    """Both hosts of a two-node cluster have a role, one each, or neither has."""
    roles = sorted(host.two_node_role for host in pool.hosts if host.two_node_role)
    if roles and not two_node:
        yield f"node_pools: {pool.name} has hosts with a two_node_role, and two_node is not set"
    elif roles and whole and roles != ["primary", "secondary"]:
        yield f"node_pools: {pool.name} must have one primary and one secondary host, or no two_node_role at all"


def _network_problems(desired: DesiredCluster, pools: Sequence[DesiredPool]) -> Iterator[str]:
    addresses: dict[str, str] = {}
    interfaces: dict[str, Interface] = {}
    for dummy, host in _members(pools):
        label = f"node_pools: Edge host {host.name or host.uid}"
        if not host.address:
            continue
        if "/" not in host.address:
            yield f"{label}: the address {host.address} has no prefix length: write it like 10.0.0.11/24"
            continue
        try:
            interface = ipaddress.ip_interface(host.address)
        except ValueError as error:
            yield f"{label}: {error}"
            continue
        interfaces[host.name or host.uid] = interface
        twin = addresses.setdefault(str(interface.ip), host.name or host.uid)
        if twin != (host.name or host.uid):
            yield f"{label} has the same address as {twin}: {interface.ip}"
        if host.gateway and not _inside(host.gateway, interface):
            yield f"{label}: the gateway {host.gateway} is outside its subnet {interface.network}"
    overlay: Any = None
    if desired.overlay_cidr:
        try:
            overlay = ipaddress.ip_network(desired.overlay_cidr)
        except ValueError as error:
            yield f"overlay_cidr: {error}"
        for name, interface in interfaces.items() if overlay is not None else ():
            if interface.version == overlay.version and interface.network.overlaps(overlay):
                yield f"overlay_cidr: {overlay} overlaps {interface.network}, the subnet of the Edge host {name}"
    yield from _vip_problems(desired, interfaces, overlay)


def _vip_problems(desired: DesiredCluster, interfaces: Mapping[str, Interface], overlay: Any) -> Iterator[str]:
    if not desired.endpoint or (desired.endpoint_type or "VIP") not in ("VIP", "IP"):
        return
    try:
        vip = ipaddress.ip_address(desired.endpoint)
    except ValueError:
        yield f"vip: {desired.endpoint!r} is not an IP address (for a name, set endpoint_type to External or DDNS)"
        return
    if overlay is not None:
        if vip not in overlay:
            yield f"vip: {vip} is outside the overlay network {overlay}"
        return
    total = sum(len(pool.hosts) for pool in desired.node_pools or [])
    for name, interface in interfaces.items():
        if interface.ip == vip and total > 1:
            yield f"vip: {vip} is the address of the Edge host {name}: give a free address"
    networks = {interface.network for interface in interfaces.values()}
    if networks and desired.endpoint_type in (None, "VIP") and not any(vip in network for network in networks):
        listed = ", ".join(sorted(str(network) for network in networks))
        yield f"vip: {vip} is outside the hosts' subnet {listed}: give a free address inside it"


def _seen_network_problems(desired: DesiredCluster, hosts: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """The VIP against the addresses that hosts report, for hosts whose address the definition does not give."""
    interfaces: dict[str, Interface] = {}
    for dummy, host in _members(desired.node_pools or []):
        if host.address:
            continue
        nics = describe_host(hosts.get(host.uid)).get("nics") or []
        nic = next((one for one in nics if one["default"] and one["address"]), None)
        if nic is None:
            continue
        text = (
            nic["address"]
            if "/" in nic["address"] or not nic["subnet_mask"]
            else f"{nic['address']}/{nic['subnet_mask']}"
        )
        try:
            interfaces[host.name or host.uid] = ipaddress.ip_interface(text)
        except ValueError:
            continue
    return list(_vip_problems(desired, interfaces, None)) if interfaces and not desired.overlay_cidr else []


def _inside(address: str, interface: Interface) -> bool:
    try:
        return ipaddress.ip_address(address) in interface.network
    except ValueError:
        return False
