# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a cluster that Palette keeps apart from it: cloud config, machines, values of variables, manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..palette._session import Scope, Session

PATH = "/v1/spectroclusters"
CONFIG = "/v1/cloudconfigs/edge-native"


def read_config(session: Session, scope: Scope, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The cloud config of a cluster; empty while Palette has not made it yet."""
    uid = ((cluster.get("spec") or {}).get("cloudConfigRef") or {}).get("uid")
    if not uid:
        return {}
    answer = session.request("GET", f"{CONFIG}/{uid}", scope=scope, what="read the cluster's cloud config")
    return answer or {}


def pools_of(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node pools of a cloud config."""
    return list((config.get("spec") or {}).get("machinePoolConfig") or [])


def read_machines(session: Session, scope: Scope, config: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Machines by pool name."""
    uid = (config.get("metadata") or {}).get("uid")
    found = {}
    for pool in pools_of(config) if uid else []:
        path = f"{CONFIG}/{uid}/machinePools/{pool['name']}/machines"
        answer = session.request("GET", path, scope=scope, what=f"list the machines of the pool {pool['name']}")
        found[pool["name"]] = (answer or {}).get("items") or []
    return found


def read_variables(session: Session, scope: Scope, uid: str, name: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Variables by profile UID and name."""
    answer = session.request("GET", f"{PATH}/{uid}/variables", scope=scope, what=f"read the variables of {name}")
    return {
        one["profileUid"]: {variable["name"]: variable for variable in one.get("variables") or []}
        for one in answer or []
    }


def read_manifests(
    session: Session, scope: Scope, uid: str, name: str
) -> dict[str, dict[str, dict[str, tuple[str, str]]]]:
    """The cluster's own manifests by profile UID, layer and name: (UID on the cluster, content)."""
    path = f"{PATH}/{uid}/profiles/packs/manifests"
    answer = session.request("GET", path, scope=scope, what=f"read the manifests of {name}") or {}
    found: dict[str, dict[str, dict[str, tuple[str, str]]]] = {}
    for profile in answer.get("profiles") or []:
        layers = found.setdefault((profile.get("metadata") or {}).get("uid", ""), {})
        for pack in (profile.get("spec") or {}).get("packs") or []:
            spec = pack.get("spec") or {}
            layers[spec.get("name", "")] = {
                one["name"]: (one.get("uid", ""), str(one.get("content") or "")) for one in spec.get("manifests") or []
            }
    return found
