# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node pools of an edge-native cluster: the options, their wire shape, and the steps between two sets of pools.

Reading and writing differ: a pool is written as ``{cloudConfig: {edgeHosts}, poolConfig}`` and read as one flat object
with ``hosts``. A PUT carries the whole pool, so what the user did not set is taken from what is there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step, differing, same
from ..palette._errors import ConflictError, InputError
from ..palette._names import text_of
from ..palette._session import Scope

# option -> field of poolConfig on the wire
_FIELDS = {
    "additional_labels": "additionalLabels",
    "additional_annotations": "additionalAnnotations",
    "node_repave_interval": "nodeRepaveInterval",
    "skip_kubernetes_upgrade": "skipK8sUpgrade",
    "override_kubeadm_configuration": "overrideKubeadmConfiguration",
    "control_plane_as_worker": "useControlPlaneAsWorker",
}


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


@dataclass(frozen=True, kw_only=True)
class DesiredPool:
    """A node pool as the user wrote it; ``settings`` holds only what was given."""

    name: str
    control_plane: bool
    hosts: tuple[PoolHost, ...]
    architecture: str | None
    settings: Mapping[str, Any]


def desired_pool(options: Mapping[str, Any]) -> DesiredPool:
    """A pool from module options, None values dropped."""
    hosts = tuple(
        PoolHost(
            uid=host["uid"],
            name=host.get("name") or "",
            address=host.get("address") or "",
            gateway=host.get("gateway") or "",
            nameservers=tuple(host.get("nameservers") or ()),
            nic=host.get("nic") or "",
            two_node_role=host.get("two_node_role") or "",
        )
        for host in options["hosts"]
    )
    settings = {key: options[key] for key in [*_FIELDS, "taints", "update_strategy"] if options.get(key) is not None}
    return DesiredPool(
        name=options["name"],
        control_plane=bool(options.get("control_plane")),
        hosts=hosts,
        architecture=options.get("architecture"),
        settings=settings,
    )


def create_body(pool: DesiredPool) -> dict[str, Any]:
    """The pool as it is written."""
    return _entity(pool, {})


def shown(pool: DesiredPool) -> dict[str, Any]:
    """The pool as it stands in results and diffs."""
    return {
        "control_plane": pool.control_plane,
        "hosts": [host.name or host.uid for host in pool.hosts],
        **dict(pool.settings),
    }


def described(pool: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as Palette has it, as a result."""
    return {
        "name": pool.get("name", ""),
        "control_plane": bool(pool.get("isControlPlane")),
        "size": pool.get("size") or len(pool.get("hosts") or []),
        "hosts": [
            {"uid": host["hostUid"], "name": host.get("hostName", ""), "address": _host_address(host)}
            for host in pool.get("hosts") or []
        ],
    }


def predicted(pool: DesiredPool, known: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as it will be, as a result."""
    entity = _entity(pool, known)
    return described({**entity["poolConfig"], "hosts": entity["cloudConfig"]["edgeHosts"]})


def plan_pools(
    result: Plan,
    current: Sequence[Mapping[str, Any]],
    desired: Sequence[DesiredPool],
    *,
    machines: Mapping[str, Sequence[Mapping[str, Any]]],
    path: str,
    scope: Scope,
    purge: bool,
) -> None:
    """Adds the steps from the pools that are there to the desired ones to ``result``.

    :param machines: pool name -> its machines; needed for pools that lose hosts, as a host leaves by its machine.
    :param path: of the cloud config.
    """
    have = {pool.get("name", ""): pool for pool in current}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for pool in desired:
        known = have.get(pool.name)
        if known is None:
            after[pool.name] = shown(pool)
            result.steps.append(
                Step(
                    says=f"add the node pool {pool.name} ({len(pool.hosts)} hosts)",
                    method="POST",
                    path=f"{path}/machinePools",
                    scope=scope,
                    body=create_body(pool),
                )
            )
            continue
        _refuse_frozen(known, pool)
        changes = _changes(known, pool)
        if not changes:
            continue
        before[pool.name] = {key: pair[0] for key, pair in changes.items()}
        after[pool.name] = {key: pair[1] for key, pair in changes.items()}
        leaving = {host["hostUid"] for host in known.get("hosts") or []} - {host.uid for host in pool.hosts}
        result.steps += _machine_steps(pool.name, leaving, machines.get(pool.name, ()), path, scope)
        result.steps.append(
            Step(
                says=f"set {', '.join(sorted(changes))} of the node pool {pool.name}",
                method="PUT",
                path=f"{path}/machinePools/{pool.name}",
                scope=scope,
                body=_entity(pool, known),
            )
        )
    if purge:
        for name in sorted(set(have) - {pool.name for pool in desired}):
            _remove_pool(result, name, have[name], machines.get(name, ()), path, scope)
            before[name] = described(have[name])
    if before or after:
        result.before["node_pools"], result.after["node_pools"] = before, after
        wanted = {pool.name: predicted(pool, have.get(pool.name, {})) for pool in desired}
        others = {} if purge else {name: described(pool) for name, pool in have.items()}
        result.predicted["node_pools"] = list({**others, **wanted}.values())


def _remove_pool(
    result: Plan,
    name: str,
    pool: Mapping[str, Any],
    machines: Sequence[Mapping[str, Any]],
    path: str,
    scope: Scope,
) -> None:
    if pool.get("isControlPlane"):
        raise ConflictError(
            f"node_pools: {name} is the control plane and cannot be removed: delete the cluster instead"
        )
    hosts = {host["hostUid"] for host in pool.get("hosts") or []}
    result.steps += _machine_steps(name, hosts, machines, path, scope)
    result.steps.append(
        Step(
            says=f"remove the node pool {name}",
            method="DELETE",
            path=f"{path}/machinePools/{name}",
            scope=scope,
            gone_is_done=True,
        )
    )


def _machine_steps(
    pool: str, leaving: set[str], machines: Sequence[Mapping[str, Any]], path: str, scope: Scope
) -> list[Step]:
    steps = []
    for machine in machines:
        host = (machine.get("spec") or {}).get("edgeHostUid")
        if host in leaving:
            uid = machine["metadata"]["uid"]
            steps.append(
                Step(
                    says=f"take the Edge host {host} out of the node pool {pool}",
                    method="DELETE",
                    path=f"{path}/machinePools/{pool}/machines/{uid}",
                    scope=scope,
                    gone_is_done=True,
                )
            )
    return steps


def _refuse_frozen(known: Mapping[str, Any], pool: DesiredPool) -> None:
    if bool(known.get("isControlPlane")) != pool.control_plane:
        raise ConflictError(f"node_pools: {pool.name} cannot turn from or into a control plane: make another pool")
    members = {host["hostUid"]: host for host in known.get("hosts") or []}
    for host in pool.hosts:
        member = members.get(host.uid)
        if member is None or not host.address:
            continue
        there = _host_address(member)
        wanted = host.address.split("/", maxsplit=1)[0]
        if there and there != wanted:
            raise ConflictError(
                f"node_pools: Edge host {host.uid} is a member of {pool.name} with the address {there}, which is fixed "
                f"(wanted {wanted}): remove it from the pool, then add it again"
            )


def _changes(known: Mapping[str, Any], pool: DesiredPool) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    have = {host["hostUid"]: host.get("hostName", "") for host in known.get("hosts") or []}
    want = {host.uid: host.name or have.get(host.uid, "") for host in pool.hosts}
    if have != want:
        changes["hosts"] = (
            sorted(name or uid for uid, name in have.items()),
            sorted(name or uid for uid, name in want.items()),
        )
    written = _settings(pool.settings)
    strategy, given = known.get("updateStrategy") or {}, written.get("updateStrategy", {})
    # Palette fills in what was not given of a strategy, and leaves out what is not set.
    have_settings = {
        "skipK8sUpgrade": "disabled",
        **known,
        "updateStrategy": {key: strategy.get(key) for key in given},
    }
    for key in differing(have_settings, {wire: value for wire, value in written.items() if wire != "taints"}):
        changes[key] = (have_settings.get(key), written[key])
    if "taints" in written:
        taints = [
            {key: taint.get(key, "") for key in ("key", "value", "effect")} for taint in known.get("taints") or []
        ]
        if not same(_sorted(taints), _sorted(written["taints"])):
            changes["taints"] = (taints, written["taints"])
    architecture = (known.get("machinePoolProperties") or {}).get("archType") or "amd64"
    if pool.architecture and pool.architecture != architecture:
        raise ConflictError(f"node_pools: the architecture of {pool.name} is {architecture} and cannot be changed")
    return changes


def _sorted(taints: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(taints, key=lambda taint: (taint["key"], taint["effect"]))


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {wire: settings[key] for key, wire in _FIELDS.items() if key in settings}
    if "skipK8sUpgrade" in written:
        written["skipK8sUpgrade"] = "enabled" if written["skipK8sUpgrade"] else "disabled"
    for wire in ("additionalLabels", "additionalAnnotations"):
        if wire in written:
            written[wire] = {key: text_of(value) for key, value in written[wire].items()}
    if "taints" in settings:
        written["taints"] = [
            {"key": taint["key"], "value": taint.get("value") or "", "effect": taint["effect"]}
            for taint in settings["taints"]
        ]
    if "update_strategy" in settings:
        strategy = settings["update_strategy"]
        written["updateStrategy"] = {
            wire: strategy[key]
            for key, wire in (("type", "type"), ("max_surge", "maxSurge"), ("max_unavailable", "maxUnavailable"))
            if strategy.get(key)
        }
    return written


def _entity(pool: DesiredPool, known: Mapping[str, Any]) -> dict[str, Any]:
    # What is there and not set by the user stays: a PUT without it would drop it.
    derived = {"hosts", "name", "size", "labels", "isControlPlane", "osType", "machinePoolProperties"}
    kept = {key: value for key, value in known.items() if key not in derived}
    config = {
        **kept,
        **_settings(pool.settings),
        "name": pool.name,
        "size": len(pool.hosts),
        "labels": ["control-plane" if pool.control_plane else "worker"],
        "isControlPlane": pool.control_plane,
    }
    architecture = pool.architecture or (known.get("machinePoolProperties") or {}).get("archType")
    if architecture:
        config["machinePoolProperties"] = {"archType": architecture}
    members = {host["hostUid"]: host for host in known.get("hosts") or []}
    return {
        "cloudConfig": {"edgeHosts": [_host(host, members.get(host.uid)) for host in pool.hosts]},
        "poolConfig": config,
    }


def _host(host: PoolHost, member: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = ("hostName", "hostUid", "nic", "nicName", "staticIP", "twoNodeCandidatePriority")
    body: dict[str, Any] = {key: member[key] for key in kept if member.get(key)} if member else {}
    body["hostUid"] = host.uid
    if host.name:
        body["hostName"] = host.name
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
    if nic and not body.get("nic"):
        body["nic"] = nic
    if host.two_node_role:
        body["twoNodeCandidatePriority"] = host.two_node_role
    return body


def _host_address(host: Mapping[str, Any]) -> str:
    address = (host.get("nic") or {}).get("ip") or host.get("staticIP") or host.get("hostAddress") or ""
    return str(address).split("/", maxsplit=1)[0]
