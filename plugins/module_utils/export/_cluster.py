# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of Palette as the key C(cluster) of a site file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._read import Cluster, Notes

# field of a pool on the wire -> key of the site file
_POOL_FIELDS = {
    "useControlPlaneAsWorker": "control_plane_as_worker",
    "additionalLabels": "additional_labels",
    "additionalAnnotations": "additional_annotations",
    "nodeRepaveInterval": "node_repave_interval",
    "overrideKubeadmConfiguration": "override_kubeadm_configuration",
    "overrideHealthCheckConfiguration": "override_health_check_configuration",
}
_SETTINGS = {
    "timezone": "timezone",
    "controlPlaneHealthCheckTimeout": "control_plane_health_check_timeout",
    "clusterMetaAttribute": "meta_attribute",
    "updateWorkerPoolsInParallel": "update_worker_pools_in_parallel",
}
_OS_PATCH = {"schedule": "schedule", "patchOnBoot": "on_boot", "rebootIfRequired": "reboot_if_required"}
_STRATEGY = {"type": "type", "maxSurge": "max_surge", "maxUnavailable": "max_unavailable"}
_DEFAULT_STRATEGY = {"type": "RollingUpdateScaleOut"}


def cluster_keys(
    cluster: Cluster, *, site: str, tags: Mapping[str, str], called: Mapping[str, str], notes: Notes
) -> dict[Any, Any]:
    """The cluster's definition.

    :param tags: those that the site does not give it.
    :param called: UID of each Edge host -> its name in the site file.
    """
    about = f"cluster {cluster.name}"
    spec = cluster.whole.get("spec") or {}
    network: Mapping[str, Any] = (cluster.config.get("spec") or {}).get("clusterConfig") or {}
    made: dict[Any, Any] = {}
    if cluster.name != site:
        made["name"] = cluster.name
    if tags:
        made["tags"] = dict(tags)
    made.update(_endpoint(network, notes, about))
    overlay = network.get("overlayNetworkConfiguration") or {}
    if overlay.get("enable") and overlay.get("cidr"):
        made["overlay_cidr"] = str(overlay["cidr"])
    if network.get("isTwoNodeCluster"):
        made["two_node"] = True
    if network.get("ntpServers"):
        made["ntp_servers"] = [str(one) for one in network["ntpServers"]]
    if network.get("sshKeys"):
        made["ssh_keys"] = [str(one).strip() for one in network["sshKeys"]]
    settings = spec.get("clusterConfig") or {}
    made.update({key: settings[wire] for wire, key in _SETTINGS.items() if settings.get(wire)})
    patch = (settings.get("machineManagementConfig") or {}).get("osPatchConfig") or {}
    patching = {key: patch[wire] for wire, key in _OS_PATCH.items() if patch.get(wire)}
    if patching:
        made["os_patch"] = patching
    annotations = cluster.whole["metadata"].get("annotations") or {}
    if str(annotations.get("spectroComponentsUpgradeForbidden")).lower() == "true":
        made["pause_agent_upgrades"] = True
    made["node_pools"] = [_pool(pool, called, notes, about) for pool in cluster.pools]
    _note_rest(spec, settings, notes, about)
    return made


def _endpoint(network: Mapping[str, Any], notes: Notes, about: str) -> dict[str, Any]:
    endpoint = network.get("controlPlaneEndpoint") or {}
    made: dict[str, Any] = {}
    if endpoint.get("host"):
        made["vip"] = str(endpoint["host"])
    if endpoint.get("type") not in (None, "", "VIP"):
        made["endpoint_type"] = endpoint["type"]
    if endpoint.get("ddnsSearchDomain"):
        notes.add(about, f"the search domain of its endpoint ({endpoint['ddnsSearchDomain']}) has no key")
    return made


def _pool(pool: Mapping[str, Any], called: Mapping[str, str], notes: Notes, about: str) -> dict[Any, Any]:
    made: dict[Any, Any] = {"name": pool["name"]}
    if pool.get("isControlPlane"):
        made["control_plane"] = True
    architecture = (pool.get("machinePoolProperties") or {}).get("archType")
    if architecture not in (None, "", "amd64"):
        made["architecture"] = architecture
    for wire, key in _POOL_FIELDS.items():
        if pool.get(wire):
            made[key] = pool[wire]
    if pool.get("skipK8sUpgrade") == "enabled":
        made["skip_kubernetes_upgrade"] = True
    taints = [_taint(one) for one in pool.get("taints") or []]
    if taints:
        made["taints"] = taints
    strategy = {
        key: str(value) for wire, key in _STRATEGY.items() if (value := (pool.get("updateStrategy") or {}).get(wire))
    }
    if strategy.get("type") and strategy != _DEFAULT_STRATEGY:
        made["update_strategy"] = strategy
    made["hosts"] = [_member(one, called) for one in pool.get("hosts") or []]
    for wire in ("additionalTags", "minSize", "maxSize"):
        if pool.get(wire):
            notes.add(about, f"{wire} of its pool {pool['name']} has no key: it stays as it is")
    return made


def _taint(taint: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(taint[key]) for key in ("key", "value", "effect") if taint.get(key)}


def _member(member: Mapping[str, Any], called: Mapping[str, str]) -> Any:
    """The host's name, with what else the pool says of it."""
    name, node = called[str(member["hostUid"])], str(member.get("hostName") or "")
    more: dict[str, str] = {}
    if node != name:
        more["node_name"] = node
    if member.get("twoNodeCandidatePriority"):
        more["two_node_role"] = member["twoNodeCandidatePriority"]
    return {"name": name, **more} if more else name


def _note_rest(spec: Mapping[str, Any], settings: Mapping[str, Any], notes: Notes, about: str) -> None:
    """What the cluster has, and this collection has no words for in a site file."""
    resources = settings.get("clusterResources") or {}
    there = {
        "its role bindings": settings.get("clusterRbac") or resources.get("rbacs"),
        "its namespaces": resources.get("namespaces"),
        "that it hosts virtual clusters": (settings.get("hostClusterConfig") or {}).get("isHostCluster"),
        "that its profiles come from a cluster template": (spec.get("clusterTemplate") or {}).get("uid"),
    }
    for what, value in there.items():
        if value:
            notes.add(about, f"left out, and left as it is: {what}")
