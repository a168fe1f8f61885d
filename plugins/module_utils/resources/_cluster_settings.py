# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a cluster that each have a request of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from .._reconcile import Plan, Step, differing
from ..palette._errors import InputError
from ..palette._session import Scope
from . import _moments as moments

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

AHEAD = dt.timedelta(minutes=10)
"""How far ahead a patch must be planned: the nodes must hear of it before."""


def check_patch_time(wanted: Mapping[str, Any]) -> None:
    """Refuses a time of patching that is about to be written and comes too soon (C(settings) as they are wanted).

    :raises InputError: when it is past, or less than ten minutes ahead.
    """
    when = moments.instant((wanted.get("os_patch") or {}).get("onDemandPatchAfter"))
    if when is not None and when < moments.utc_now() + AHEAD:
        raise InputError(
            f"os_patch.after: {when.isoformat()} is not ten minutes ahead: give a later time, or leave it out"
        )


def plan_settings(
    result: Plan, cluster: Mapping[str, Any], wanted: Mapping[str, Any], *, path: str, scope: Scope
) -> None:
    """Adds the steps from the settings of ``cluster`` to the wanted ones (:data:`SETTINGS`) to ``result``.

    :param path: of the cluster.
    :raises InputError: for a time of patching that would be written and comes too soon.
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
            value = _patch_as_it_is(there, value)
        elif option == "location":
            there = (cluster.get("status") or {}).get("location")
        if not differing({"it": _only(there, value)}, {"it": value}):
            continue
        if option == "os_patch" and "onDemandPatchAfter" in differing(there or {}, value):
            check_patch_time({option: value})
        result.before[option], result.after[option] = _only(there, value), value
        result.steps.append(
            Step(
                says=f"set {option} of the cluster {name}",
                method=verb,
                path=f"{path}/{below}",
                scope=scope,
                body={wire: {**there, **value} if isinstance(value, Mapping) and isinstance(there, dict) else value},
            )
        )


def _only(there: Any, wanted: Any) -> Any:
    """``there`` reduced to the keys that are wanted: what the user did not set is not compared."""
    if isinstance(wanted, Mapping):
        known = there if isinstance(there, Mapping) else {}
        return {key: _only(known.get(key), value) for key, value in wanted.items()}
    return there


def _patch_as_it_is(there: Any, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """``wanted`` with the time in Palette's own writing where it is the same point in time."""
    have = (there or {}).get("onDemandPatchAfter")
    if "onDemandPatchAfter" in wanted and moments.same_instant(have, wanted["onDemandPatchAfter"]):
        return {**wanted, "onDemandPatchAfter": have}
    return wanted
