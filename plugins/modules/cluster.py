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
    description: Cluster profiles to attach. Another version of an attached profile replaces it. A new cluster needs one.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the profile, in this project or the tenant.
        type: str
        required: true
      version:
        description: Version of the profile.
        type: str
        required: true
      variables:
        description: Values of profile variables. Those of sensitive variables are written with a new profile version only.
        type: dict
      pack_values:
        description: Values that take the place of a layer's own, by name of the layer, YAML text.
        type: dict
  purge_profiles:
    description: Whether profiles that are not given are detached.
    type: bool
    default: false
  vip:
    description:
      - Address of the cluster's API, free and in the hosts' subnet (inside O(overlay_cidr) with an overlay network).
      - It cannot be changed later.
    type: str
  endpoint_type:
    description: What O(vip) is. V(External) and V(DDNS) take a name.
    type: str
    choices: [VIP, External, DDNS, IP]
    default: VIP
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
  node_pools:
    description: Node pools, exactly one of them the control plane. A new cluster needs them.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the pool.
        type: str
        required: true
      control_plane:
        description: Whether this is the control plane. Its number of hosts must be odd (two for a two-node cluster).
        type: bool
        default: false
      hosts:
        description: The Edge hosts of the pool, the whole list.
        type: list
        elements: dict
        required: true
        suboptions:
          uid:
            description: ID of the Edge host.
            type: str
            required: true
          name:
            description: Name of the node.
            type: str
          address:
            description: Static address with prefix length. It is fixed once the host is a member.
            type: str
          gateway:
            description: Default gateway.
            type: str
          nameservers:
            description: Name servers.
            type: list
            elements: str
          nic:
            description: NIC to use on a host with several.
            type: str
          two_node_role:
            description: Which of two nodes leads at first.
            type: str
            choices: [primary, secondary]
      architecture:
        description: Architecture of the pool (V(amd64) if not given). It cannot be changed later.
        type: str
        choices: [amd64, arm64]
      control_plane_as_worker:
        description: Whether workloads may run on the control plane.
        type: bool
      additional_labels:
        description: Kubernetes labels of the nodes, the whole set.
        type: dict
      additional_annotations:
        description: Kubernetes annotations of the nodes, the whole set.
        type: dict
      taints:
        description: Taints of the nodes, the whole list.
        type: list
        elements: dict
        suboptions:
          key:
            description: Key.
            type: str
            required: true
          value:
            description: Value.
            type: str
          effect:
            description: Effect.
            type: str
            required: true
            choices: [NoSchedule, PreferNoSchedule, NoExecute]
      update_strategy:
        description: How nodes are replaced.
        type: dict
        suboptions:
          type:
            description: Strategy.
            type: str
            required: true
            choices: [RollingUpdateScaleOut, RollingUpdateScaleIn, OverrideScaling]
          max_surge:
            description: Number or percentage, for OverrideScaling.
            type: str
          max_unavailable:
            description: Number or percentage, for OverrideScaling.
            type: str
      node_repave_interval:
        description: Seconds between two repaves, for workers.
        type: int
      skip_kubernetes_upgrade:
        description: Whether the workers of this pool stay behind when Kubernetes is upgraded.
        type: bool
      override_kubeadm_configuration:
        description: kubeadm configuration of workers, YAML text.
        type: str
  purge_node_pools:
    description: Whether worker pools that are not given are removed.
    type: bool
    default: false
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
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create the cluster store-042]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._cluster_options import ARGUMENTS, settings
from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import (
    Frame,
    reconcile,
    wait_until,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources._attach import resolve_profiles, validate
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_check import check_definition, check_hosts
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_progress import progress
from ansible_collections.palette.edge.plugins.module_utils.resources._node_pools import desired_pool


def definition(session: Session, scope: Scope, frame: Frame) -> clusters.DesiredCluster:
    """The desired cluster of the options."""
    params = frame.params
    pools = params["node_pools"]
    same_names = ("name", "description", "tags", "endpoint_type", "overlay_cidr", "two_node", "ntp_servers", "ssh_keys")
    return clusters.DesiredCluster(
        **{key: params[key] for key in same_names},
        **{key: params[key] for key in ("purge_profiles", "purge_node_pools", "update_worker_pools_in_parallel")},
        present=params["state"] == "present",
        endpoint=params["vip"],
        profiles=resolve_profiles(
            session, scope, params["profiles"], lenient=frame.check_mode, warn=frame.module.warn, hide=frame.hide
        ),
        node_pools=[desired_pool(pool) for pool in pools] if pools is not None else None,
        settings=settings(params),
    )


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Checks, reads, plans, validates and applies one cluster, then waits."""
    name, wait = frame.params["name"], frame.params["wait"]
    scope = frame.scope(session)
    if frame.params["state"] == "absent":
        desired = clusters.DesiredCluster(name=name, present=False)
    else:
        desired = definition(session, scope, frame)
        check_definition(desired)

    def plan(current: clusters.Current) -> Plan:
        planned = clusters.plan(
            current, desired, scope=scope, settle=lambda: clusters.find(session, scope, name) or None
        )
        if planned.changed and desired.present and desired.node_pools:
            planned.warnings += _check_hosts(session, scope, frame, current, desired)
        if current.cluster is None and planned.changed and not planned.warnings:
            validate(session, scope, desired)
        return planned

    return reconcile(
        session,
        frame,
        read=lambda: clusters.read(
            session, scope, name, variables=bool(desired.profiles), machines=desired.node_pools is not None
        ),
        plan=plan,
        noun="cluster",
        describe=clusters.describe,
        wait=(lambda: _wait(session, scope, frame, present=desired.present)) if wait else None,
    )


def _check_hosts(
    session: Session, scope: Scope, frame: Frame, current: clusters.Current, desired: clusters.DesiredCluster
) -> list[str]:
    uids = [host.uid for pool in desired.node_pools or [] for host in pool.hosts]
    have = clusters.describe(current)
    members = {host["uid"] for pool in have.get("node_pools", []) for host in pool["hosts"]}
    return check_hosts(
        desired,
        edge.read_many(session, scope, uids),
        cluster_uid=have.get("uid", ""),
        members=frozenset(members),
        project_uid=scope.project_uid,
        predicting=frame.check_mode,
    )


def _wait(session: Session, scope: Scope, frame: Frame, *, present: bool) -> None:
    name = frame.params["name"]

    def look() -> tuple[bool, str]:
        current = clusters.read(session, scope, name)
        if not present:
            state = clusters.describe(current).get("state", "")
            return current.cluster is None, state
        return progress(current, clusters.read_machines(session, scope, current.config))

    wait_until(
        look,
        what=f"the cluster {name} to {'run' if present else 'be gone'}",
        timeout=frame.params["wait_timeout"],
        sleep=frame.params["wait_sleep"],
    )


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
