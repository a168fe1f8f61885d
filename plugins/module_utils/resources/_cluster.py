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

from .._reconcile import Plan, Step
from ..palette._errors import ConflictError, InputError, NotFoundError
from ..palette._names import labels_of, tags_of
from ..palette._session import Scope, Session
from . import _moments as moments
from . import _repave as repave
from ._agent_upgrades import pause, paused_of
from ._attached import Attached, Attachment, Way, attachment_body, check_new, is_staged, plan_profiles, plan_staged
from ._attached import described as described_profile
from ._attached import shown as shown_profile
from ._attached_content import Manifests, Variables
from ._cluster_network import network_body, network_of, plan_network, refuse_fixed
from ._cluster_parts import pools_of, read_config, read_machines, read_manifests, read_variables
from ._cluster_removal import plan_removal
from ._cluster_settings import SETTINGS, check_patch_time, plan_settings
from ._edge_host import text_filter
from ._metadata import plan_metadata
from ._node_pools import DesiredPool, create_body, described, plan_pools, predicted, shown
from ._pool_quorum import count_problem

__all__ = ["CONFIG", "PATH", "SEARCH", "ClusterPlan", "Current", "DesiredCluster", "body_of", "describe", "find"]
__all__ += ["plan", "pools_of", "read", "read_cluster", "read_config", "read_machines", "search"]
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
    allow_downgrade: bool = False
    allow_vip_change: bool = False
    apply: str = ""
    approve_repave: bool = False
    pause_agent_upgrades: bool | None = None
    force_delete: bool = False
    force_delete_delay: int = 20
    endpoint: str | None = None
    endpoint_type: str | None = None
    overlay_cidr: str | None = None
    two_node: bool | None = None
    ntp_servers: Sequence[str] | None = None
    ssh_keys: Sequence[str] | None = None
    node_pools: Sequence[DesiredPool] | None = None
    purge_node_pools: bool = False
    purge_hosts: bool = True
    update_worker_pools_in_parallel: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Current:
    """What Palette has: cluster, its cloud config, variables and manifests by profile UID, machines by pool.

    :ivar repave: the repave that waits for approval, as a result.
    """

    cluster: Mapping[str, Any] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    variables: Variables = field(default_factory=dict)
    machines: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    manifests: Manifests = field(default_factory=dict)
    repave: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class ClusterPlan(Plan):
    """A plan, and the profiles that it attaches, for Palette's opinion on them."""

    attaching: list[dict[str, Any]] = field(default_factory=list)


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


def read(
    session: Session,
    scope: Scope,
    name: str,
    *,
    variables: bool = False,
    machines: bool = False,
    manifests: bool = False,
) -> Current:
    """What :func:`plan` needs to know; variables, machines and manifests only where they matter."""
    uid = find(session, scope, name)
    cluster = read_cluster(session, scope, uid) if uid else None
    if cluster is None:
        return Current()
    config = read_config(session, scope, cluster)
    return Current(
        cluster,
        config,
        read_variables(session, scope, uid, name) if variables else {},
        read_machines(session, scope, config) if machines else {},
        read_manifests(session, scope, uid, name) if manifests else {},
        repave.read(session, scope, cluster) if repave.pending(cluster) else {},
    )


def describe(current: Current) -> dict[str, Any]:
    """The cluster as a result."""
    if current.cluster is None:
        return {}
    metadata, spec = current.cluster["metadata"], current.cluster.get("spec") or {}
    status = current.cluster.get("status") or {}
    network = network_of(current.config)
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name", ""),
        "description": (metadata.get("annotations") or {}).get("description", ""),
        "tags": tags_of(metadata.get("labels")),
        "state": status.get("state", ""),
        "endpoint": (network.get("controlPlaneEndpoint") or {}).get("host", ""),
        "ntp_servers": network.get("ntpServers") or [],
        "ssh_keys": network.get("sshKeys") or [],
        "agent_upgrades_paused": paused_of(current.cluster),
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
    network = network_body(
        endpoint=desired.endpoint,
        endpoint_type=desired.endpoint_type,
        overlay_cidr=desired.overlay_cidr,
        two_node=desired.two_node,
        ntp_servers=desired.ntp_servers,
        ssh_keys=desired.ssh_keys,
    )
    spec: dict[str, Any] = {
        "cloudConfig": network,
        "machinepoolconfig": [create_body(pool) for pool in desired.node_pools or [] if pool.present],
        "profiles": [attachment_body(one, {}) for one in desired.profiles or [] if one.present],
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
    current: Current,
    desired: DesiredCluster,
    *,
    scope: Scope,
    settle: Callable[[], str | None] | None = None,
    again: Callable[[], Current] | None = None,
) -> ClusterPlan:
    """The steps from ``current`` to ``desired``.

    Settings go before pools and profiles, as those may lead to a repave, while which Palette takes no change.

    :param settle: looks for a cluster that was made while its answer was lost; ``again`` reads it anew.
    :raises ConflictError: for what is fixed once the cluster is there, and while a repave waits for approval.
    """
    if not desired.present:
        removal = plan_removal(
            current.cluster,
            name=desired.name,
            force=desired.force_delete,
            delay=desired.force_delete_delay,
            scope=scope,
            now=moments.utc_now(),
        )
        return ClusterPlan(steps=removal.steps, before=removal.before)
    if current.cluster is None:
        return _creation(desired, scope, settle, again)
    if (current.cluster.get("status") or {}).get("state") == "Deleting":
        raise ConflictError(f"The cluster {desired.name} is being deleted: wait until it is gone, then run again")
    have = describe(current)
    refuse_fixed(
        desired.name,
        current.config,
        (current.cluster.get("spec") or {}).get("clusterConfig") or {},
        endpoint=desired.endpoint,
        endpoint_type=desired.endpoint_type,
        overlay_cidr=desired.overlay_cidr,
        two_node=desired.two_node,
        parallel=desired.update_worker_pools_in_parallel,
        vip_may_change=desired.allow_vip_change,
    )
    result = ClusterPlan(before={"name": desired.name}, after={"name": desired.name})
    path = f"{PATH}/{have['uid']}"
    result.steps += plan_metadata(
        result,
        have,
        name=desired.name,
        description=desired.description,
        tags=desired.tags,
        what=f"the cluster {desired.name}",
        path=path,
        scope=scope,
    )
    _plan_config(result, current, desired, scope)
    plan_settings(result, current.cluster, desired.settings, path=path, scope=scope)
    wanted = desired.pause_agent_upgrades
    if wanted is not None and wanted != paused_of(current.cluster):
        result.before["pause_agent_upgrades"], result.after["pause_agent_upgrades"] = not wanted, wanted
        result.steps.append(_pause(desired, have["uid"], scope, again))
    _plan_pools(result, current, desired, scope, again)
    _plan_profiles(result, current, desired, path, scope, again)
    if repave.pending(current.cluster):
        if desired.approve_repave:
            result.before["repave"], result.after["repave"] = "Pending", "Approved"
            result.steps.insert(0, repave.approval(desired.name, have["uid"], scope))
        elif result.steps:
            raise repave.waiting(desired.name, current.repave.get("reasons") or [])
    return result


def _plan_config(result: Plan, current: Current, desired: DesiredCluster, scope: Scope) -> None:
    config_uid = (current.config.get("metadata") or {}).get("uid", "")
    if not config_uid:
        result.warnings.append(
            f"Palette has not made the cloud config of the cluster {desired.name} yet: "
            "its network and node pools are compared in the next run"
        )
        return
    plan_network(
        result,
        current.config,
        name=desired.name,
        endpoint=desired.endpoint if desired.allow_vip_change else None,
        ntp_servers=desired.ntp_servers,
        ssh_keys=desired.ssh_keys,
        path=f"{CONFIG}/{config_uid}",
        scope=scope,
    )


def _plan_pools(
    result: Plan, current: Current, desired: DesiredCluster, scope: Scope, again: Callable[[], Current] | None
) -> None:
    config_uid = (current.config.get("metadata") or {}).get("uid", "")
    if desired.node_pools is None or not config_uid:
        return
    plan_pools(
        result,
        pools_of(current.config),
        desired.node_pools,
        machines=current.machines,
        path=f"{CONFIG}/{config_uid}",
        scope=scope,
        purge=desired.purge_node_pools,
        purge_hosts=desired.purge_hosts,
        two_node=bool(network_of(current.config).get("isTwoNodeCluster")),
        again=(lambda: pools_of(again().config)) if again is not None else None,
    )


def _plan_profiles(
    result: ClusterPlan,
    current: Current,
    desired: DesiredCluster,
    path: str,
    scope: Scope,
    again: Callable[[], Current] | None,
) -> None:
    attached = Attached(
        templates=((current.cluster or {}).get("spec") or {}).get("clusterProfileTemplates") or [],
        variables=current.variables,
        manifests=current.manifests,
        staged=is_staged(current.cluster),
    )
    way = Way(
        purge=desired.purge_profiles,
        allow_downgrade=desired.allow_downgrade,
        apply=desired.apply,
        still_staged=(lambda: is_staged(again().cluster)) if again is not None else None,
    )
    if desired.profiles is not None:
        result.attaching = plan_profiles(
            result, attached, desired.profiles, way=way, path=path, scope=scope, name=desired.name
        )
    if not result.attaching:
        # A change that is installed at once takes what is staged along.
        plan_staged(result, attached, way=way, path=path, scope=scope, name=desired.name)


def _pause(desired: DesiredCluster, uid: str, scope: Scope, again: Callable[[], Current] | None) -> Step:
    wanted = bool(desired.pause_agent_upgrades)
    settle = (lambda: "done" if paused_of(again().cluster) == wanted else None) if again is not None else None
    return pause(desired.name, uid, paused=wanted, scope=scope, settle=settle)


def _creation(
    desired: DesiredCluster,
    scope: Scope,
    settle: Callable[[], str | None] | None,
    again: Callable[[], Current] | None,
) -> ClusterPlan:
    profiles = [one for one in desired.profiles or [] if one.present]
    if not profiles:
        raise InputError(f"profiles: the cluster {desired.name} is not there yet, and a new one needs a profile")
    pools = [pool for pool in desired.node_pools or [] if pool.present]
    if not pools:
        raise InputError(f"node_pools: the cluster {desired.name} is not there yet, and a new one needs its node pools")
    for pool in pools:
        problem = count_problem(len(pool.hosts), two_node=bool(desired.two_node)) if pool.control_plane else ""
        if problem or not pool.hosts:
            raise InputError(f"node_pools: {pool.name} {problem or 'has no hosts'}")
    check_new(profiles)
    check_patch_time(desired.settings)
    after: dict[str, Any] = {"name": desired.name}
    after["profiles"] = [f"{one.name} {one.version}" for one in profiles]
    for key in ("endpoint", "overlay_cidr", "ntp_servers", "ssh_keys", "tags", "description"):
        if getattr(desired, key):
            after[key] = getattr(desired, key)
    after["node_pools"] = {pool.name: shown(pool) for pool in pools}
    step = Step(
        says=f"create the cluster {desired.name}",
        method="POST",
        path=f"{PATH}/edge-native",
        scope=scope,
        body=body_of(desired),
        binds="cluster",
        settle=settle,
    )
    result = ClusterPlan(steps=[step], after=after)
    if desired.pause_agent_upgrades:
        result.after["pause_agent_upgrades"] = True
        result.steps.append(_pause(desired, "{cluster}", scope, again))
    result.predicted["profiles"] = [shown_profile(one) for one in profiles]
    result.predicted["node_pools"] = [predicted(pool, {}) for pool in pools]
    return result
