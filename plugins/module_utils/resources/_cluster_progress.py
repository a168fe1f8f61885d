# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a cluster is from running as defined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._errors import TerminalStateError
from . import _repave as repave
from ._attached import is_staged
from ._cluster import Current
from ._cluster_parts import pools_of
from ._node_pools import described

TERMINAL = ("Error",)


def progress(current: Current, machines: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[bool, str]:
    """Whether the cluster runs as defined, and in words how far it is.

    :raises TerminalStateError: when it is in a state from which it does not go on by itself.
    """
    if current.cluster is None:
        return False, "not there yet"
    status = current.cluster.get("status") or {}
    state = status.get("state") or "no state yet"
    wanted = sum(described(pool)["size"] for pool in pools_of(current.config))
    listed = [machine for pool in machines.values() for machine in pool]
    running = sum((machine.get("status") or {}).get("instanceState") == "Running" for machine in listed)
    packs = status.get("packs") or []
    unready = [pack.get("name", "") for pack in packs if not _pack_ready(pack)]
    staged = is_staged(current.cluster)
    unseen = [] if staged else _unseen(current.cluster, packs)
    words = f"{state}, {running} of {wanted} machines running"
    if packs:
        words += f", {len(packs) - len(unready)} of {len(packs)} packs ready"
        words += f" (waiting for {', '.join(unready[:5])})" if unready else ""
    if unseen:
        words += f", no pack of {', '.join(unseen)} yet"
    if staged:
        words += ", changes are staged to be installed later"
    if repave.pending(current.cluster):
        words += ", a repave waits for approval"
    trouble = [f"{one['type']}: {_said(one)}" for one in status.get("conditions") or [] if one.get("status") == "False"]
    trouble += errors(current, machines)
    if trouble:
        words += f"; {'; '.join(trouble[:3])}"
    if state in TERMINAL:
        raise TerminalStateError(
            f"The cluster {current.cluster['metadata'].get('name')} does not go on by itself: {words}. "
            "Look at its events in Palette, correct the cause and run again"
        )
    done = state == "Running" and running >= wanted == len(listed) and not unready and not unseen
    return done and not repave.pending(current.cluster), words


def errors(current: Current, machines: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What failed: packs that could not be installed and machines, each with what is said of it."""
    found = []
    for pack in ((current.cluster or {}).get("status") or {}).get("packs") or []:
        condition = pack.get("condition") or {}
        if condition.get("type") == "Error" and condition.get("status") != "False":
            found.append(f"the pack {pack.get('name', '')} failed: {_said(condition)}")
    for machine in (machine for pool in machines.values() for machine in pool):
        status = machine.get("status") or {}
        if status.get("instanceState") != "Failed":
            continue
        conditions = (status.get("health") or {}).get("conditions") or []
        bad: Mapping[str, Any] = next(
            (one for one in conditions if one.get("status") == "False" or one.get("message")), {}
        )
        found.append(f"the machine {machine['metadata'].get('name', '')} failed: {_said(bad)}")
    return found


def _unseen(cluster: Mapping[str, Any], packs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Attached profiles whose packs Palette does not tell of yet: those that it tells of are of what was before."""
    told = {pack["profileUid"] for pack in packs if pack.get("profileUid")}
    templates = (cluster.get("spec") or {}).get("clusterProfileTemplates") or []
    return [one.get("name", "") for one in templates if told and one.get("packs") and one["uid"] not in told]


def _said(condition: Mapping[str, Any]) -> str:
    return " ".join(str(condition.get("message") or condition.get("reason") or "no reason given").split())


def _pack_ready(pack: Mapping[str, Any]) -> bool:
    condition = pack.get("condition") or {}
    return condition.get("type") == "Ready" and condition.get("status") == "True"
