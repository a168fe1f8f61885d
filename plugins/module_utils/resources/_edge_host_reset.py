# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reset of an Edge host: its part of a cluster goes, as when it is installed anew. It cannot be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import ConflictError, InputError
from ..palette._session import Scope
from ._edge_host import PATH, describe
from ._pool_hosts import members_of


def refuse_reset(uid: str, pools: Sequence[Mapping[str, Any]], *, unwell: Set[str], two_node: bool) -> None:
    """Refuses a reset that breaks a control plane.

    :param pools: node pools of the cluster that the host is a member of, as they are read.
    :param unwell: hosts that are not healthy, whose etcd members cannot be counted on.
    :raises ConflictError: when too few control planes would be left.
    """
    for pool in pools:
        members = set(members_of(pool))
        if not pool.get("isControlPlane") or uid not in members:
            continue
        left, quorum = len(members - {uid} - unwell), len(members) // 2 + 1
        if left < quorum and not (two_node and left):
            raise ConflictError(
                f"uid: Edge host {uid} is one of {len(members)} control planes of the pool {pool.get('name')}, which would "
                f"lose quorum ({quorum} must be healthy without it, {left} are): add another one first "
                "(palette.edge.replace_host), delete the cluster, or set force when the cluster is lost anyway"
            )


def plan_reset(host: Mapping[str, Any] | None, *, uid: str, confirm: str, scope: Scope) -> Plan:
    """The step that resets a host.

    :raises InputError: when nobody confirmed it, or there is no such host.
    """
    if confirm != uid:
        raise InputError(f"confirm: it is {confirm!r}, not the ID of the host, {uid!r}; a reset cannot be undone")
    if host is None:
        raise InputError(f"uid: there is no Edge host {uid!r} in this project")
    have = describe(host)
    if have["state"] == "unpaired":
        raise ConflictError(f"uid: Edge host {uid} is not paired yet: there is nothing to reset")
    step = Step(says=f"reset Edge host {uid}", method="PUT", path=f"{PATH}/{uid}/reset", scope=scope, once=True)
    # A reset of a free host leaves the record as it is: the diff tells that it is reset.
    before = {"uid": uid, "state": have["state"], "clusters": have["clusters"]}
    return Plan(steps=[step], before=before, after={"uid": uid, "state": "ready, reset", "clusters": []})


def control_planes(uid: str, pools: Sequence[Mapping[str, Any]]) -> list[str]:
    """The other control planes of the pool that the host is a control plane of; none for a worker."""
    found = [set(members_of(pool)) for pool in pools if pool.get("isControlPlane")]
    return sorted(one for members in found if uid in members for one in members - {uid})
