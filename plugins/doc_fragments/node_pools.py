# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option node_pools, which is large enough for a file of its own."""

from __future__ import annotations


class ModuleDocFragment:
    """``palette.edge.node_pools``."""

    DOCUMENTATION = r"""
options:
  node_pools:
    description: Node pools, exactly one of them the control plane. A new cluster needs them.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the pool.
        type: str
        required: true
      state:
        description: Whether the pool is to be there. The control plane cannot be removed.
        type: str
        choices: [present, absent]
        default: present
      control_plane:
        description:
          - Whether this is the control plane. Its number of hosts must be odd (two for a two-node cluster).
          - Hosts of it come and go in runs of their own, and go one at a time, so that etcd keeps its quorum. The playbook
            C(palette.edge.replace_host) puts one in the place of another.
        type: bool
        default: false
      hosts:
        description:
          - The Edge hosts of the pool, the whole list unless O(purge_hosts) is false.
          - A pool that is to be there needs them.
        type: list
        elements: dict
        suboptions:
          uid:
            description: ID of the Edge host.
            type: str
            required: true
          name:
            description: Name of the node. It is fixed once the host is a member.
            type: str
          address:
            description:
              - Static address with prefix length.
              - It is fixed once the host is a member, as are O(node_pools[].hosts[].gateway),
                O(node_pools[].hosts[].nameservers) and O(node_pools[].hosts[].nic). Take the host out and add it again.
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
            description: Which of two nodes leads at first. Both hosts have one, or neither has.
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
            description: Strategy. V(OverrideScaling) needs both numbers below.
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
        description: kubeadm configuration of workers, YAML text. Compared by what it means.
        type: str
      override_health_check_configuration:
        description:
          - Health check configuration of the pool, YAML text. Compared by what it means.
          - Newer than Palette 4.8. When Palette does not tell what it has, it is sent along with a new pool and with
            other changes of the pool, is no change by itself, and a warning says so.
        type: str
"""
