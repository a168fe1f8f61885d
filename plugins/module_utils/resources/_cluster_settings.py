# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a cluster that each have a request of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._reconcile import Plan, Step, differing
from ..palette._session import Scope

# Settings of clusterConfig that are written alone: option -> (field, path below the cluster, verb)
SETTINGS = {
    "timezone": ("timezone", "clusterConfig/timezone", "PATCH"),
    "meta_attribute": ("clusterMetaAttribute", "clusterConfig/clusterMetaAttribute", "PATCH"),
    "control_plane_health_check_timeout": (
        "controlPlaneHealthCheckTimeout",
        "clusterConfig/controlPlaneHealthCheckTimeout",
        "PATCH",
    ),
    "os_patch": ("osPatchConfig", "clusterConfig/osPatch", "PATCH"),
    "location": ("location", "location", "PUT"),
}


def plan_settings(
    result: Plan, cluster: Mapping[str, Any], wanted: Mapping[str, Any], *, path: str, scope: Scope
) -> None:
    """Adds the steps from the settings of ``cluster`` to the wanted ones (:data:`SETTINGS`) to ``result``.

    :param path: of the cluster.
    """
    config = (cluster.get("spec") or {}).get("clusterConfig") or {}
    name = cluster["metadata"].get("name", "")
    for option, (wire, below, verb) in SETTINGS.items():
        value = wanted.get(option)
        if value is None:
            continue
        there = config.get(wire)
        if option == "os_patch":
            there = (config.get("machineManagementConfig") or {}).get(wire)
        elif option == "location":
            there = (cluster.get("status") or {}).get("location")
        if not differing({"it": _only(there, value)}, {"it": value}):
            continue
        result.before[option], result.after[option] = _only(there, value), value
        result.steps.append(
            Step(
                says=f"set {option} of the cluster {name}",
                method=verb,
                path=f"{path}/{below}",
                scope=scope,
                body={wire: {**there, **value} if isinstance(value, dict) and isinstance(there, dict) else value},
            )
        )


def _only(there: Any, wanted: Any) -> Any:
    """``there`` reduced to the keys that are wanted: what the user did not set is not compared."""
    if isinstance(wanted, Mapping):
        known = there if isinstance(there, Mapping) else {}
        return {key: _only(known.get(key), value) for key, value in wanted.items()}
    return there
