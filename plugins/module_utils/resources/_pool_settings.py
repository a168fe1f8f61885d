# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a node pool: the options, their wire shape, and which of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._reconcile import differing, same
from ..palette._names import text_of
from ._yaml_text import same_yaml, text_of_yaml

# option -> field of poolConfig on the wire
FIELDS = {
    "additional_labels": "additionalLabels",
    "additional_annotations": "additionalAnnotations",
    "node_repave_interval": "nodeRepaveInterval",
    "skip_kubernetes_upgrade": "skipK8sUpgrade",
    "override_kubeadm_configuration": "overrideKubeadmConfiguration",
    "override_health_check_configuration": "overrideHealthCheckConfiguration",
    "control_plane_as_worker": "useControlPlaneAsWorker",
}
OPTIONS = (*FIELDS, "taints", "update_strategy")
_YAML = ("overrideKubeadmConfiguration", "overrideHealthCheckConfiguration")
_HEALTH = "overrideHealthCheckConfiguration"
_NEWER = (_HEALTH, "skipK8sUpgrade")
_WORKERS_ONLY = ("node_repave_interval", "skip_kubernetes_upgrade", "override_kubeadm_configuration")


def settings_problems(settings: Mapping[str, Any], *, control_plane: bool) -> Iterator[str]:
    """What is wrong with the settings of one pool, as the end of a sentence about it."""
    if control_plane:
        for option in _WORKERS_ONLY:
            if settings.get(option):
                yield f"has {option}, which is for workers only"
    elif settings.get("control_plane_as_worker"):
        yield "has control_plane_as_worker, which is for the control plane only"
    strategy = settings.get("update_strategy") or {}
    bounds = [key for key in ("max_surge", "max_unavailable") if strategy.get(key)]
    if strategy.get("type") == "OverrideScaling" and len(bounds) < 2:
        yield "has the update strategy OverrideScaling, which needs both max_surge and max_unavailable"
    if strategy.get("type") not in (None, "OverrideScaling") and bounds:
        yield f"has {' and '.join(bounds)}, which are for the update strategy OverrideScaling only"
    for key in bounds:
        number = str(strategy[key])
        if not number.removesuffix("%").isdecimal():
            yield f"has {key} {number!r}, which is neither a number nor a percentage"
    if (settings.get("node_repave_interval") or 0) < 0:
        yield "has a negative node_repave_interval"


def wire_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are written."""
    written: dict[str, Any] = {wire: settings[key] for key, wire in FIELDS.items() if key in settings}
    if "skipK8sUpgrade" in written:
        written["skipK8sUpgrade"] = "enabled" if written["skipK8sUpgrade"] else "disabled"
    for wire in ("additionalLabels", "additionalAnnotations"):
        if wire in written:
            written[wire] = {key: text_of(value) for key, value in written[wire].items()}
    for wire in _YAML:
        if wire in written:
            written[wire] = text_of_yaml(written[wire])
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


def tells_newer(pools: Sequence[Mapping[str, Any]]) -> bool:
    """Whether this Palette tells of pools what 4.8 takes, and does not tell: then what it does not tell is not set."""
    return any(field in pool for pool in pools for field in _NEWER)


def unknowable(known: Mapping[str, Any], settings: Mapping[str, Any], *, newer: bool) -> bool:
    """Whether nobody can say if the health check configuration is there.

    Such a Palette may drop it, and it would show as a change for ever.
    """
    return not newer and bool(settings.get("override_health_check_configuration")) and _HEALTH not in known


def settings_changes(
    known: Mapping[str, Any], settings: Mapping[str, Any], *, newer: bool
) -> dict[str, tuple[Any, Any]]:
    """Field on the wire -> (what is there, what is wanted), where the two differ.

    Palette fills in what was not given of a strategy, adds times to taints, and leaves out what is not set.

    :param newer: see :func:`tells_newer`.
    """
    written = wire_settings(settings)
    if unknowable(known, settings, newer=newer):
        del written[_HEALTH]
    strategy, given = known.get("updateStrategy") or {}, written.get("updateStrategy", {})
    told = {key: str(strategy[key]) for key in given if strategy.get(key) is not None}
    have = {"skipK8sUpgrade": "disabled", **known, "updateStrategy": told}
    compared = {wire: value for wire, value in written.items() if wire != "taints"}
    changes = {key: (have.get(key), written[key]) for key in differing(have, compared)}
    for wire in _YAML:
        if wire in changes and same_yaml(str(have.get(wire) or ""), written[wire]):
            del changes[wire]
    if "taints" in written:
        taints = [
            {key: taint.get(key, "") for key in ("key", "value", "effect")} for taint in known.get("taints") or []
        ]
        if not same(_sorted(taints), _sorted(written["taints"])):
            changes["taints"] = (taints, written["taints"])
    return changes


def _sorted(taints: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(taints, key=lambda taint: (taint["key"], taint["effect"]))
