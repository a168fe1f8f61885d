# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of Edge hosts (cloud type edge-native), centrally managed.

A cluster is found by name in its scope, among those not deleted (a deleted one keeps answering with state Deleted).
Its network definition and pools live in a cloud config object; profiles are attached by UID, one UID for each version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._reconcile import Plan, Step, differing, same
from ..palette._errors import ConflictError, InputError, NotFoundError
from ..palette._names import labels_of, tags_of
from ..palette._session import Scope, Session
from ._attached import Attachment, attachment_body, plan_profiles
from ._attached import described as described_profile
from ._attached import shown as shown_profile
from ._cluster_settings import SETTINGS, plan_settings
from ._edge_host import text_filter
from ._metadata import plan_metadata
from ._node_pools import DesiredPool, create_body, described, plan_pools, predicted, shown

PATH = "/v1/spectroclusters"
SEARCH = "/v1/dashboard/spectroclusters/search"
CONFIG = "/v1/cloudconfigs/edge-native"


@dataclass(frozen=True, kw_only=True)
class DesiredCluster:
    """None means "leave it as it is" (and Palette's default on creation)."""

    name: str
    present: bool = True
    description: str | None = None
    tags: Mapping[str, Any] | None = None
    profiles: Sequence[Attachment] | None = None
    purge_profiles: bool = False
    endpoint: str | None = None
    endpoint_type: str = "VIP"
    overlay_cidr: str | None = None
    two_node: bool | None = None
    ntp_servers: Sequence[str] | None = None
    ssh_keys: Sequence[str] | None = None
    node_pools: Sequence[DesiredPool] | None = None
    purge_node_pools: bool = False
    update_worker_pools_in_parallel: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Current:
    """What Palette has: cluster, its cloud config, variables by profile UID, machines by pool."""

    cluster: Mapping[str, Any] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    machines: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def search(session: Session, scope: Scope, *, filters: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Summaries of the clusters that match every filter and are not deleted."""
    alive = {"property": "isDeleted", "type": "bool", "condition": {"bool": {"value": False}}}
    group = {"conjunction": "and", "filters": [*filters, alive]}
    body = {"filter": {"conjunction": "and", "filterGroups": [group]}}
    return list(session.pages("POST", SEARCH, scope=scope, what="search clusters", body=body))


def find(session: Session, scope: Scope, name: str) -> str:
    """UID of the cluster of this name, or "".

    :raises InputError: when several bear it.
    """
    hits = [
        item["metadata"]["uid"]
        for item in search(session, scope, filters=[text_filter("clusterName", [name])])
        if item["metadata"].get("name") == name and (item.get("status") or {}).get("state") != "Deleted"
    ]
    if len(hits) > 1:
        raise InputError(
            f"name: {len(hits)} clusters are named {name!r} ({', '.join(sorted(hits))}): remove all but one"
        )
    return hits[0] if hits else ""


def read_cluster(session: Session, scope: Scope, uid: str) -> dict[str, Any] | None:
    """The cluster, or None when it is gone or deleted."""
    try:
        cluster: dict[str, Any] = session.request("GET", f"{PATH}/{uid}", scope=scope, what=f"read the cluster {uid}")
    except NotFoundError:
        return None
    return None if (cluster.get("status") or {}).get("state") == "Deleted" else cluster


def read(session: Session, scope: Scope, name: str, *, variables: bool = False, machines: bool = False) -> Current:
    """What :func:`plan` needs to know; variables and machines only where they matter."""
    uid = find(session, scope, name)
    cluster = read_cluster(session, scope, uid) if uid else None
    if cluster is None:
        return Current()
    config = read_config(session, scope, cluster)
    known: dict[str, dict[str, Mapping[str, Any]]] = {}
    if variables:
        answer = session.request("GET", f"{PATH}/{uid}/variables", scope=scope, what=f"read the variables of {name}")
        for one in answer or []:
            known[one["profileUid"]] = {variable["name"]: variable for variable in one.get("variables") or []}
    listed = read_machines(session, scope, config) if machines else {}
    return Current(cluster, config, known, listed)


def read_config(session: Session, scope: Scope, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The cloud config of a cluster; empty while Palette has not made it yet."""
    uid = ((cluster.get("spec") or {}).get("cloudConfigRef") or {}).get("uid")
    if not uid:
        return {}
    answer = session.request("GET", f"{CONFIG}/{uid}", scope=scope, what="read the cluster's cloud config")
    return answer or {}


def read_machines(session: Session, scope: Scope, config: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Machines by pool name."""
    uid = (config.get("metadata") or {}).get("uid")
    found = {}
    for pool in pools_of(config) if uid else []:
        path = f"{CONFIG}/{uid}/machinePools/{pool['name']}/machines"
        answer = session.request("GET", path, scope=scope, what=f"list the machines of the pool {pool['name']}")
        found[pool["name"]] = (answer or {}).get("items") or []
    return found


def describe(current: Current) -> dict[str, Any]:
    """The cluster as a result."""
    if current.cluster is None:
        return {}
    metadata, spec = current.cluster["metadata"], current.cluster.get("spec") or {}
    status = current.cluster.get("status") or {}
    network = _network(current.config)
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name", ""),
        "description": (metadata.get("annotations") or {}).get("description", ""),
        "tags": tags_of(metadata.get("labels")),
        "state": status.get("state", ""),
        "endpoint": (network.get("controlPlaneEndpoint") or {}).get("host", ""),
        "ntp_servers": network.get("ntpServers") or [],
        "ssh_keys": network.get("sshKeys") or [],
        "profiles": [described_profile(one) for one in spec.get("clusterProfileTemplates") or []],
        "node_pools": [described(pool) for pool in pools_of(current.config)],
    }


def body_of(desired: DesiredCluster) -> dict[str, Any]:
    """The cluster definition as it is created and validated."""
    metadata: dict[str, Any] = {"name": desired.name}
    if desired.description:
        metadata["annotations"] = {"description": desired.description}
    if desired.tags:
        metadata["labels"] = labels_of(desired.tags)
    network: dict[str, Any] = {}
    if desired.endpoint:
        network["controlPlaneEndpoint"] = {"host": desired.endpoint, "type": desired.endpoint_type}
    if desired.ntp_servers:
        network["ntpServers"] = list(desired.ntp_servers)
    if desired.ssh_keys:
        network["sshKeys"] = [key.strip() for key in desired.ssh_keys]
    if desired.overlay_cidr:
        network["overlayNetworkConfiguration"] = {"enable": True, "cidr": desired.overlay_cidr}
    if desired.two_node:
        network["isTwoNodeCluster"] = True
    spec: dict[str, Any] = {
        "cloudConfig": network,
        "machinepoolconfig": [create_body(pool) for pool in desired.node_pools or []],
        "profiles": [attachment_body(one) for one in desired.profiles or []],
    }
    config: dict[str, Any] = {}
    for option, (wire, *_rest) in SETTINGS.items():
        if desired.settings.get(option) is None:
            continue
        if option == "os_patch":
            config["machineManagementConfig"] = {wire: desired.settings[option]}
        else:
            config[wire] = desired.settings[option]
    if desired.update_worker_pools_in_parallel:
        config["updateWorkerPoolsInParallel"] = True
    if config:
        spec["clusterConfig"] = config
    return {"metadata": metadata, "spec": spec}


def plan(
    current: Current, desired: DesiredCluster, *, scope: Scope, settle: Callable[[], str | None] | None = None
) -> Plan:
    """The steps from ``current`` to ``desired``.

    :raises ConflictError: for what is fixed once the cluster is there, and while a repave waits for approval.
    """
    if not desired.present:
        return _removal(current, desired, scope)
    if current.cluster is None:
        return _creation(desired, scope, settle)
    status = current.cluster.get("status") or {}
    if status.get("state") == "Deleting":
        raise ConflictError(f"The cluster {desired.name} is being deleted: wait until it is gone, then run again")
    have = describe(current)
    _refuse_fixed(current, desired)
    result = Plan(before={"name": desired.name}, after={"name": desired.name})
    uid = have["uid"]
    result.steps += plan_metadata(
        result,
        have,
        name=desired.name,
        description=desired.description,
        tags=desired.tags,
        what=f"the cluster {desired.name}",
        path=f"{PATH}/{uid}",
        scope=scope,
    )
    config_uid = (current.config.get("metadata") or {}).get("uid", "")
    config_path = f"{CONFIG}/{config_uid}"
    if config_uid:
        _plan_network(result, current, desired, config_path, scope)
    else:
        result.warnings.append(
            f"Palette has not made the cloud config of the cluster {desired.name} yet: "
            "its network and node pools are compared in the next run"
        )
    if desired.node_pools is not None and config_uid:
        plan_pools(
            result,
            pools_of(current.config),
            desired.node_pools,
            machines=current.machines,
            path=config_path,
            scope=scope,
            purge=desired.purge_node_pools,
        )
    if desired.profiles is not None:
        plan_profiles(
            result,
            (current.cluster.get("spec") or {}).get("clusterProfileTemplates") or [],
            desired.profiles,
            known_variables=current.variables,
            path=f"{PATH}/{uid}",
            scope=scope,
            purge=desired.purge_profiles,
            name=desired.name,
        )
    plan_settings(result, current.cluster, desired.settings, path=f"{PATH}/{uid}", scope=scope)
    if result.steps and (status.get("repave") or {}).get("state") == "Pending":
        raise ConflictError(
            f"The cluster {desired.name} waits for the approval of a repave, and takes no change before: approve it first"
        )
    return result


def pools_of(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node pools of a cloud config."""
    return list((config.get("spec") or {}).get("machinePoolConfig") or [])


def _network(config: Mapping[str, Any]) -> Mapping[str, Any]:
    network: Mapping[str, Any] = (config.get("spec") or {}).get("clusterConfig") or {}
    return network


def _creation(desired: DesiredCluster, scope: Scope, settle: Callable[[], str | None] | None) -> Plan:
    if not desired.profiles:
        raise InputError(f"profiles: the cluster {desired.name} is not there yet, and a new one needs a profile")
    if not desired.node_pools:
        raise InputError(f"node_pools: the cluster {desired.name} is not there yet, and a new one needs its node pools")
    after: dict[str, Any] = {"name": desired.name}
    after["profiles"] = [f"{one.name} {one.version}" for one in desired.profiles]
    for key in ("endpoint", "overlay_cidr", "ntp_servers", "ssh_keys", "tags", "description"):
        if getattr(desired, key):
            after[key] = getattr(desired, key)
    after["node_pools"] = {pool.name: shown(pool) for pool in desired.node_pools}
    step = Step(
        says=f"create the cluster {desired.name}",
        method="POST",
        path=f"{PATH}/edge-native",
        scope=scope,
        body=body_of(desired),
        binds="cluster",
        settle=settle,
    )
    result = Plan(steps=[step], after=after)
    result.predicted["profiles"] = [shown_profile(one) for one in desired.profiles]
    result.predicted["node_pools"] = [predicted(pool, {}) for pool in desired.node_pools]
    return result


def _removal(current: Current, desired: DesiredCluster, scope: Scope) -> Plan:
    if current.cluster is None or (current.cluster.get("status") or {}).get("state") == "Deleting":
        return Plan()
    step = Step(
        says=f"delete the cluster {desired.name}",
        method="DELETE",
        path=f"{PATH}/{current.cluster['metadata']['uid']}",
        scope=scope,
        gone_is_done=True,
    )
    return Plan(steps=[step], before={"name": desired.name})


def _refuse_fixed(current: Current, desired: DesiredCluster) -> None:
    network = _network(current.config)
    fixed = [
        ("vip", (network.get("controlPlaneEndpoint") or {}).get("host"), desired.endpoint),
        ("overlay_cidr", (network.get("overlayNetworkConfiguration") or {}).get("cidr"), desired.overlay_cidr),
        ("two_node", bool(network.get("isTwoNodeCluster")), desired.two_node),
    ]
    for option, there, wanted in fixed:
        if wanted is not None and current.config and not same(there, wanted):
            raise ConflictError(
                f"{option}: the cluster {desired.name} has {there or 'none'}, not {wanted}, and this is fixed once a "
                "cluster is there: delete the cluster and form it again"
            )


def _plan_network(result: Plan, current: Current, desired: DesiredCluster, path: str, scope: Scope) -> None:
    network = _network(current.config)
    want: dict[str, Any] = {}
    if desired.ntp_servers is not None:
        want["ntpServers"] = list(desired.ntp_servers)
    if desired.ssh_keys is not None:
        want["sshKeys"] = [key.strip() for key in desired.ssh_keys]
    changes = differing(network, want)
    if not changes:
        return
    names = {"ntpServers": "ntp_servers", "sshKeys": "ssh_keys"}
    result.before.update({names[key]: network.get(key) or [] for key in changes})
    result.after.update({names[key]: value for key, value in changes.items()})
    result.steps.append(
        Step(
            says=f"set {' and '.join(names[key] for key in changes)} of the cluster {desired.name}",
            method="PUT",
            path=f"{path}/clusterConfig",
            scope=scope,
            body={"clusterConfig": {**network, **want}},
        )
    )
