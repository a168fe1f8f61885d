#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_node
short_description: Cordon and uncordon nodes of a cluster
description:
  - Takes a node out of service (pods leave it, and no new ones come) or back into it, by the name that people know.
  - Palette has the agent on the node do it; the module waits until it is done, and stops early when it failed.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.wait
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  node:
    description: The node, by its name, by the name or UID of its machine, or by the ID of its Edge host.
    type: str
    required: true
  schedulable:
    description: Whether pods may run on the node. V(false) cordons it, V(true) uncordons it.
    type: bool
    required: true
seealso:
  - module: palette.edge.cluster
  - module: palette.edge.cluster_info
"""

EXAMPLES = r"""
- name: Take a node out of service before its fans are changed
  palette.edge.cluster_node:
    cluster: store-042
    node: store-042-2
    schedulable: false
    wait_timeout: 900

- name: Take it back
  palette.edge.cluster_node:
    cluster: store-042
    node: store-042-2
    schedulable: true
"""

RETURN = r"""
cluster_node:
  description: The node. In check mode, as it would be.
  returned: success
  type: dict
  sample:
    name: store-042-2
    uid: 6655f0c2a1b2c3d4e5f60733
    host: edge-store-042-2
    node_pool: control-plane-pool
    state: Running
    schedulable: false
    addresses: [10.42.0.12]
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [cordon the node store-042-2 of the cluster store-042]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile, wait_arguments, wait_until
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _machines as machines

# So many looks pass before a failure that was there already counts as a new one.
GRACE = 5


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Finds the node, plans, applies, and waits until it is done."""
    scope, params = frame.scope(session), frame.params
    cluster, schedulable = params["cluster"], params["schedulable"]
    config = ""
    stale: dict[str, Any] = {}

    def read() -> machines.Node:
        nonlocal config
        current = clusters.read(session, scope, cluster, machines=True)
        if current.cluster is None:
            raise InputError(f"cluster: there is no cluster {cluster!r} here")
        config = (current.config.get("metadata") or {}).get("uid", "")
        nodes = machines.nodes_of(clusters.pools_of(current.config), current.machines)
        return machines.find_node(nodes, params["node"], cluster=cluster)

    def plan(node: machines.Node) -> Plan:
        planned = machines.plan_maintenance(node, schedulable=schedulable, config=config, cluster=cluster, scope=scope)
        if planned.changed:
            stale.update(machines.maintenance_of(node))
        return planned

    def wait() -> None:
        looks = iter(range(GRACE))
        wait_until(
            lambda: machines.maintenance_progress(
                read(), schedulable=schedulable, stale=stale if next(looks, None) is not None else None
            ),
            what=f"the node {params['node']} to be {'un' * schedulable}cordoned",
            timeout=params["wait_timeout"],
            sleep=params["wait_sleep"],
        )

    return reconcile(
        session,
        frame,
        read=read,
        plan=plan,
        noun="cluster_node",
        describe=machines.describe_node,
        wait=wait if params["wait"] else None,
    )


def main() -> None:
    """Entry point."""
    arguments = {
        "cluster": {"type": "str", "required": True},
        "node": {"type": "str", "required": True},
        "schedulable": {"type": "bool", "required": True},
        **wait_arguments(),
    }
    Frame(arguments).run(work)


if __name__ == "__main__":
    main()
