# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Palette tells of a cluster beside how far it is: each part is asked for only when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..palette._session import HIDDEN, Scope, Session
from . import _certificates as certificates
from . import _events as events
from . import _repave as repave
from ._attached import described as described_profile
from ._attached import is_staged
from ._cluster import PATH, Current
from ._cluster_parts import read_machines, read_variables

PARTS = ["machines", "certificates", "events", "repave", "variables", "updates"]


def gather(session: Session, scope: Scope, current: Current, parts: Sequence[str]) -> dict[str, Any]:
    """The parts by name."""
    readers: dict[str, Callable[[Session, Scope, Current], Any]] = {
        "machines": _machines,
        "certificates": lambda session, scope, current: certificates.read(session, scope, *_who(current)),
        "events": lambda session, scope, current: events.latest(session, scope, _who(current)[0]),
        "repave": lambda session, scope, current: current.repave or repave.read(session, scope, current.cluster or {}),
        "variables": _variables,
        "updates": _updates,
    }
    return {part: readers[part](session, scope, current) for part in parts}


def _who(current: Current) -> tuple[str, str]:
    metadata = (current.cluster or {})["metadata"]
    return metadata["uid"], metadata.get("name", "")


def _machines(session: Session, scope: Scope, current: Current) -> list[dict[str, Any]]:
    listed = current.machines or read_machines(session, scope, current.config)
    return [_machine(pool, machine) for pool, machines in listed.items() for machine in machines]


def _machine(pool: str, machine: Mapping[str, Any]) -> dict[str, Any]:
    spec, status = machine.get("spec") or {}, machine.get("status") or {}
    maintenance = status.get("maintenanceStatus") or {}
    addresses = [one.get("address", "") for one in status.get("addresses") or []]
    addresses += [address for nic in spec.get("nics") or [] for address in nic.get("privateIPs") or []]
    return {
        "uid": machine["metadata"]["uid"],
        "name": machine["metadata"].get("name", ""),
        "edge_host": spec.get("edgeHostUid") or "",
        "node_pool": pool,
        "state": status.get("instanceState") or "",
        "health": (status.get("health") or {}).get("state") or "",
        "addresses": list(dict.fromkeys(address for address in addresses if address)),
        "maintenance": {key: maintenance.get(key) or "" for key in ("action", "state", "message")},
    }


def _variables(session: Session, scope: Scope, current: Current) -> list[dict[str, Any]]:
    uid, name = _who(current)
    known = read_variables(session, scope, uid, name)
    return [
        {
            **described_profile(template),
            "variables": {
                key: HIDDEN
                if one.get("isSensitive")
                else one["value"]
                if "value" in one
                else one.get("defaultValue", "")
                for key, one in known.get(template["uid"], {}).items()
            },
        }
        for template in ((current.cluster or {}).get("spec") or {}).get("clusterProfileTemplates") or []
    ]


def _updates(session: Session, scope: Scope, current: Current) -> dict[str, Any]:
    uid, name = _who(current)
    what = f"read what changed in the profiles of the cluster {name}"
    answer = session.request("GET", f"{PATH}/{uid}/profileUpdates", scope=scope, what=what) or {}
    return {
        "staged": is_staged(current.cluster),
        "profiles": [described_profile(one) for one in answer.get("profiles") or []],
    }
