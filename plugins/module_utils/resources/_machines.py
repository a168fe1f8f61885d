# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines of a cluster, which are its nodes: found by any of their names, cordoned and uncordoned.

Palette takes the wish and carries it out later; the machine tells how far it is in ``status.maintenanceStatus``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import InputError, TerminalStateError
from ..palette._names import nearest
from ..palette._session import Scope
from ._pool_hosts import members_of

CONFIG = "/v1/cloudconfigs/edge-native"


@dataclass(frozen=True)
class Node:
    """A machine with the pool that it is in, and the member that it is of."""

    machine: Mapping[str, Any]
    pool: str
    member: Mapping[str, Any]

    @property
    def names(self) -> set[str]:
        """Everything by which people know it."""
        metadata = self.machine["metadata"]
        found = {metadata.get("name"), metadata.get("uid"), _host(self.machine), self.member.get("hostName")}
        return {name for name in found if name}

    @property
    def leaving(self) -> bool:
        """Whether it is about to go."""
        return (self.machine.get("status") or {}).get("instanceState") in ("Deleting", "Deleted")

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return str(self.member.get("hostName") or self.machine["metadata"].get("name") or _host(self.machine))


def nodes_of(pools: Sequence[Mapping[str, Any]], machines: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Node]:
    """All nodes of a cluster, of its pools as they are read and its machines by pool name."""
    found = []
    for pool in pools:
        members = members_of(pool)
        found += [Node(one, pool["name"], members.get(_host(one), {})) for one in machines.get(pool["name"], ())]
    return found


def find_node(nodes: Sequence[Node], wanted: str, *, cluster: str) -> Node:
    """The node of this name, host name, host ID or machine UID.

    :raises InputError: when none or several bear it, naming those that are there.
    """
    hits = [node for node in nodes if wanted in node.names]
    # A host that was taken out and added again has two machines for a while.
    hits = [node for node in hits if not node.leaving] or hits
    if len(hits) == 1:
        return hits[0]
    if hits:
        several = ", ".join(sorted(f"{node.label} (Edge host {_host(node.machine)})" for node in hits))
        raise InputError(
            f"node: {wanted!r} is several nodes of the cluster {cluster}: {several}. Give the Edge host's ID"
        )
    names = nearest(wanted, [node.label for node in nodes])
    raise InputError(f"node: the cluster {cluster} has no node {wanted!r}. {names}")


def describe_node(node: Node) -> dict[str, Any]:
    """The node as a result."""
    status = node.machine.get("status") or {}
    return {
        "name": node.label,
        "uid": node.machine["metadata"]["uid"],
        "host": _host(node.machine),
        "node_pool": node.pool,
        "state": status.get("instanceState", ""),
        "schedulable": _schedulable(maintenance_of(node)),
        "addresses": [one["address"] for one in status.get("addresses") or [] if one.get("address")],
    }


def plan_maintenance(node: Node, *, schedulable: bool, config: str, cluster: str, scope: Scope) -> Plan:
    """The step that cordons or uncordons a node, if one is needed.

    :param config: UID of the cluster's cloud config.
    """
    have, action = describe_node(node), "uncordon" if schedulable else "cordon"
    if have["schedulable"] == schedulable:
        return Plan()
    path = f"{CONFIG}/{config}/machinePools/{node.pool}/machines/{have['uid']}/maintenance"
    step = Step(
        says=f"{action} the node {node.label} of the cluster {cluster}",
        method="PUT",
        path=path,
        scope=scope,
        body={"action": action},
    )
    named = {"name": node.label}
    before, after = {**named, "schedulable": have["schedulable"]}, {**named, "schedulable": schedulable}
    return Plan(steps=[step], before=before, after=after)


def maintenance_of(node: Node) -> dict[str, Any]:
    """What Palette tells of the latest maintenance of the node."""
    return dict((node.machine.get("status") or {}).get("maintenanceStatus") or {})


def maintenance_progress(node: Node, *, schedulable: bool, stale: Mapping[str, Any] | None = None) -> tuple[bool, str]:
    """Whether what was asked for is done, and how far it is.

    :param stale: what was told before it was asked for; a failure that is still the same is that of an earlier time.
    :raises TerminalStateError: when it failed.
    """
    status = maintenance_of(node)
    if stale and status == stale and status.get("state") == "Failed":
        return False, "asked, not begun yet"
    action, state = "uncordon" if schedulable else "cordon", status.get("state", "")
    if status.get("action") == action and state == "Failed":
        raise TerminalStateError(
            f"To {action} the node {node.label} failed: {status.get('message') or 'Palette does not say why'}. "
            "Look at its pods (a disruption budget, perhaps), then run again"
        )
    words = " ".join(filter(None, [status.get("action"), state, status.get("message")])) or "nothing asked yet"
    return _schedulable(status) == schedulable and state in ("", "Completed", "Failed"), words


def _schedulable(status: Mapping[str, Any]) -> bool:
    """A cordon that failed left the node as it was, and so did an uncordon."""
    return (status.get("action") == "cordon") == (status.get("state") == "Failed") or not status.get("action")


def _host(machine: Mapping[str, Any]) -> str:
    return str((machine.get("spec") or {}).get("edgeHostUid") or "")
