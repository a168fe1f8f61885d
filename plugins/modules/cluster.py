#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Define Kubernetes clusters of Edge hosts and have Palette form them
description:
  - Defines a cluster of Edge hosts (cloud type edge-native, centrally managed), validates the definition, creates the
    cluster and waits until it runs; keeps profiles, node pools and settings as given afterwards.
  - A cluster that is there already is found by its name and adopted. What is not given is left as it is.
  - A definition that cannot work is refused before anything is written, with everything that is wrong at once.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.node_pools
  - palette.edge.wait
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: Whether the cluster is to be there. Its Edge hosts are free again when it is deleted.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: What the cluster is for.
    type: str
  tags:
    description: Tags, the whole set.
    type: dict
  profiles:
    description:
      - Cluster profiles to attach. Another version of an attached profile replaces it. A new cluster needs one.
      - Those that are attached and not given stay, unless O(purge_profiles) is set.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the profile, in this project or the tenant.
        type: str
        required: true
      version:
        description:
          - Version of the profile. Required for one that is to be attached.
          - With O(profiles[].state=absent), only this version is detached.
        type: str
      state:
        description: Whether the profile is to be attached. The one with the infrastructure layers can only be replaced.
        type: str
        choices: [present, absent]
        default: present
      variables:
        description:
          - Values of profile variables. Only variables that the profile declares, and values that fit their rules, are
            taken.
          - Those of sensitive variables can be written, not compared, so they go along with a new profile version only.
        type: dict
      pack_values:
        description:
          - Values that take the place of a layer's own, by name of the layer, as YAML text or as a mapping.
          - Layers that are not given keep what the cluster has of its own, until another version comes with its values.
          - They are compared by what they mean. A template without quotes (V({{ .spectro.var.name }})) needs text.
        type: dict
      manifests:
        description:
          - Contents that take the place of a layer's own manifests, by name of the layer and of the manifest.
          - The other manifests of the layer stay as they are.
        type: dict
  purge_profiles:
    description: Whether profiles that are not given are detached.
    type: bool
    default: false
  allow_downgrade:
    description: Whether a version that is lower than the attached one is taken. Otherwise it is refused.
    type: bool
    default: false
  apply:
    description:
      - When a change of profiles is installed. Without it, at once.
      - With V(later) it is downloaded by the nodes and waits there. With V(now), what waits so is installed, too.
    type: str
    choices: [now, later]
  approve_repave:
    description:
      - Whether a repave that waits for approval is approved, be it one that is there already or one that this change
        brings. Without O(wait), only one that comes within a few seconds.
      - A repave replaces the nodes one by one. Without approval Palette takes no further change.
    type: bool
    default: false
  pause_agent_upgrades:
    description: Whether Palette leaves the agents of this cluster at their version.
    type: bool
  force_delete:
    description:
      - With O(state=absent), whether the deletion is forced when it does not end within O(force_delete_delay).
      - The Edge hosts are not cleaned then. Reset those that are still there before they are used again.
    type: bool
    default: false
  force_delete_delay:
    description:
      - Minutes that the normal deletion has, at least 15, counted from when it began. A later run goes on counting.
    type: int
    default: 20
  vip:
    description:
      - Address of the cluster's API, free and in the hosts' subnet (inside O(overlay_cidr) with an overlay network).
      - It is not changed later, unless O(allow_vip_change) is set.
    type: str
  allow_vip_change:
    description:
      - Whether another O(vip) than the cluster has is written. Palette's API takes it, but nothing says that a cluster that
        runs follows it, nor that its certificates do. Try it on a cluster that you can do without.
    type: bool
    default: false
  endpoint_type:
    description:
      - What O(vip) is. V(External) and V(DDNS) take a name. A new cluster has V(VIP) if it is not given.
      - It cannot be changed later.
    type: str
    choices: [VIP, External, DDNS, IP]
  overlay_cidr:
    description: Network of the overlay, a private one that is not used elsewhere. It can only be set on creation.
    type: str
  two_node:
    description: Whether this is a two-node cluster (exactly two control planes). It can only be set on creation.
    type: bool
  ntp_servers:
    description: NTP servers of all hosts, the whole list.
    type: list
    elements: str
  ssh_keys:
    description: Public SSH keys that open the nodes, the whole list.
    type: list
    elements: str
  purge_node_pools:
    description: Whether worker pools that are not given are removed.
    type: bool
    default: false
  purge_hosts:
    description:
      - Whether members of a pool that are not given leave it. With V(false) a pool only grows, which is the first half of
        replacing a host of the control plane.
    type: bool
    default: true
  update_worker_pools_in_parallel:
    description: Whether worker pools are upgraded at the same time. It can only be set on creation.
    type: bool
  timezone:
    description: Time zone by its IANA name.
    type: str
  meta_attribute:
    description: A text that Palette keeps with the cluster.
    type: str
  control_plane_health_check_timeout:
    description: How long a control plane may be unwell before it counts as failed.
    type: str
  os_patch:
    description: When the operating system of the nodes is patched.
    type: dict
    suboptions:
      schedule:
        description: Cron expression of five fields.
        type: str
      on_boot:
        description: Whether to patch at boot.
        type: bool
      reboot_if_required:
        description: Whether to reboot when a patch asks for it.
        type: bool
      after:
        description:
          - Patch once after this time (RFC 3339), which must be ten minutes ahead at least when it is set.
          - An empty text takes it back.
        type: str
  location:
    description: Where the cluster stands.
    type: dict
    suboptions:
      latitude:
        description: Degrees north.
        type: float
        required: true
      longitude:
        description: Degrees east.
        type: float
        required: true
      country_code:
        description: Two-letter code of the country.
        type: str
      country_name:
        description: Name of the country.
        type: str
      region_code:
        description: Code of the region.
        type: str
      region_name:
        description: Name of the region.
        type: str
seealso:
  - module: palette.edge.cluster_info
  - module: palette.edge.cluster_profile
  - module: palette.edge.edge_host
"""

EXAMPLES = r"""
- name: Form the cluster of store 42 and wait until it runs
  palette.edge.cluster:
    name: store-042
    profiles:
      - name: edge-store
        version: 1.0.0
    vip: 10.42.0.10
    ntp_servers: [pool.ntp.org]
    ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKrUJn6Hd5k0cYTVJZ0mXwZt7fN5sS8gB1vQ2pL9aXcE ops]
    node_pools:
      - name: control-plane-pool
        control_plane: true
        hosts:
          - uid: edge-store-042-1
            name: store-042-1
          - uid: edge-store-042-2
            name: store-042-2
          - uid: edge-store-042-3
            name: store-042-3

- name: Take the cluster to version 1.1.0, and let Palette replace the nodes if it must
  palette.edge.cluster:
    name: store-042
    profiles:
      - name: edge-store
        version: 1.1.0
    approve_repave: true

- name: Have the nodes download a new version now
  palette.edge.cluster:
    name: store-042
    profiles:
      - name: edge-store
        version: 1.2.0
    apply: later
    wait: false

- name: Install it in the night
  palette.edge.cluster:
    name: store-042
    apply: now

- name: Delete a cluster, some hosts of which may be gone for good
  palette.edge.cluster:
    name: store-042
    state: absent
    force_delete: true
    force_delete_delay: 30
"""

RETURN = r"""
cluster:
  description: The cluster. In check mode, as it would be. Empty when it is absent.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60720
    name: store-042
    state: Running
    endpoint: 10.42.0.10
    profiles: [{name: edge-store, version: 1.0.0}]
repave:
  description: Whether the change replaces the nodes, and why, as Palette says before it is made.
  returned: when O(state=present)
  type: dict
  sample:
    required: true
    reasons: ["edge-k3s: the version of Kubernetes changes (1.30.4 to 1.31.1)"]
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create the cluster store-042]
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._cluster_options import ARGUMENTS, settings
from ansible_collections.palette.edge.plugins.module_utils._runner import (
    Frame,
    reconcile,
    wait_until,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources import _repave as repave
from ansible_collections.palette.edge.plugins.module_utils.resources._attach import opinion, resolve_profiles, validate
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_check import check_definition, check_hosts
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_removal import check_delay
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_wait import Leaving, Watch
from ansible_collections.palette.edge.plugins.module_utils.resources._events import told_on_failure
from ansible_collections.palette.edge.plugins.module_utils.resources._node_pools import desired_pool

SAME_NAMES = [
    *("name", "description", "tags", "endpoint_type", "overlay_cidr", "two_node", "ntp_servers", "ssh_keys"),
    *("purge_profiles", "purge_node_pools", "purge_hosts", "update_worker_pools_in_parallel"),
    *("allow_downgrade", "allow_vip_change", "approve_repave", "pause_agent_upgrades"),
]


def definition(session: Session, scope: Scope, frame: Frame) -> clusters.DesiredCluster:
    """The desired cluster of the options."""
    params = frame.params
    pools = params["node_pools"]
    return clusters.DesiredCluster(
        **{key: params[key] for key in SAME_NAMES},
        apply=params["apply"] or "",
        endpoint=params["vip"],
        settings=settings(params),
        profiles=resolve_profiles(
            session, scope, params["profiles"], lenient=frame.check_mode, warn=frame.module.warn, hide=frame.hide
        ),
        node_pools=[desired_pool(pool) for pool in pools] if pools is not None else None,
    )


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Checks, reads, plans, validates and applies one cluster, then waits."""
    params = frame.params
    name = params["name"]
    scope = frame.scope(session)
    delay = params["force_delete_delay"] if params["force_delete"] else None
    if params["state"] == "absent":
        check_delay(delay if delay is not None else 20)
        desired = clusters.DesiredCluster(
            name=name, present=False, force_delete=params["force_delete"], force_delete_delay=delay or 20
        )
    else:
        desired = definition(session, scope, frame)
        check_definition(desired)
    watch = (
        Watch(session, scope, name, approve=desired.approve_repave)
        if desired.present
        else Leaving(session, scope, name, delay=delay)
    )
    expected: dict[str, Any] = {"required": False, "reasons": []}
    read = partial(
        clusters.read,
        session,
        scope,
        name,
        variables=bool(desired.profiles),
        machines=desired.node_pools is not None,
        manifests=any(one.manifests or one.pack_values for one in desired.profiles or []),
    )

    def plan(current: clusters.Current) -> clusters.ClusterPlan:
        planned = clusters.plan(
            current,
            desired,
            scope=scope,
            settle=lambda: clusters.find(session, scope, name) or None,
            again=lambda: clusters.read(session, scope, name),
        )
        if planned.changed and desired.present and desired.node_pools:
            planned.warnings += _check_hosts(session, scope, frame, current, desired)
        if current.cluster is None and planned.changed and not planned.warnings and desired.present:
            validate(session, scope, desired)
        expected.update(opinion(session, scope, current, planned))
        if current.repave and desired.approve_repave:
            watch.approved()
        return planned

    result = reconcile(
        session,
        frame,
        read=read,
        plan=plan,
        noun="cluster",
        describe=clusters.describe,
        wait=_waiter(session, scope, frame, watch, expected),
    )
    steps = list(watch.done)
    if frame.check_mode and expected["required"] and desired.approve_repave:
        steps = [step.says for step in [repave.approval(name, "", scope)] if step.says not in result["steps"]]
    if steps:
        result = {**result, "changed": True, "steps": [*result["steps"], *steps]}
    return {**result, "repave": expected} if desired.present else result


def _check_hosts(
    session: Session, scope: Scope, frame: Frame, current: clusters.Current, desired: clusters.DesiredCluster
) -> list[str]:
    uids = [host.uid for pool in desired.node_pools or [] for host in pool.hosts]
    have = clusters.describe(current)
    members = {host["uid"] for pool in have.get("node_pools", []) for host in pool["hosts"]}
    kept = {one.get("name", ""): one.get("machinePoolProperties") or {} for one in clusters.pools_of(current.config)}
    return check_hosts(
        desired,
        edge.read_many(session, scope, uids),
        cluster_uid=have.get("uid", ""),
        members=frozenset(members),
        project_uid=scope.project_uid,
        predicting=frame.check_mode,
        architectures={name: one.get("archType") or "amd64" for name, one in kept.items()},
    )


def _waiter(
    session: Session, scope: Scope, frame: Frame, watch: Watch, expected: dict[str, Any]
) -> Callable[[], None] | None:
    params = frame.params
    if not params["wait"]:
        return (lambda: watch.approve_soon() if expected["required"] else None) if watch.approve else None

    def wait() -> None:
        with told_on_failure(session, scope, lambda: watch.uid):
            wait_until(
                watch.look,
                what=f"the cluster {params['name']} to {'be gone' if isinstance(watch, Leaving) else 'run'}",
                timeout=params["wait_timeout"],
                sleep=params["wait_sleep"],
            )

    return wait


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
