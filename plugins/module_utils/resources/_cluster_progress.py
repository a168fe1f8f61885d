# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a cluster is from running as defined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._errors import TerminalStateError
from ._cluster import Current, pools_of
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
    words = f"{state}, {running} of {wanted} machines running"
    if packs:
        words += f", {len(packs) - len(unready)} of {len(packs)} packs ready"
        words += f" (waiting for {', '.join(unready[:5])})" if unready else ""
    trouble = [
        f"{one['type']}: {one.get('message') or one.get('reason') or 'no reason given'}"
        for one in status.get("conditions") or []
        if one.get("status") == "False"
    ]
    if trouble:
        words += f"; {'; '.join(trouble[:3])}"
    if state in TERMINAL:
        raise TerminalStateError(
            f"The cluster {current.cluster['metadata'].get('name')} does not go on by itself: {words}. "
            "Look at its events in Palette, correct the cause and run again"
        )
    done = state == "Running" and running >= wanted == len(listed) and not unready
    return done, words


def _pack_ready(pack: Mapping[str, Any]) -> bool:
    condition = pack.get("condition") or {}
    return condition.get("type") == "Ready" and condition.get("status") == "True"
