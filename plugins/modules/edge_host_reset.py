#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: edge_host_reset
short_description: Reset an Edge host
description:
  - Has Palette reset an Edge host, which removes what a cluster left on it and frees the host. What is on it is lost.
  - A reset is an action and no state, so that a host is reset in every run. That is why it has to be confirmed by its ID.
  - A control plane without which its cluster would lose quorum is refused.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.wait
  - palette.edge.attributes
  - palette.edge.attributes.group
attributes:
  idempotent:
    description: Every run resets.
    support: none
options:
  uid:
    description: ID of the Edge host.
    type: str
    required: true
  confirm:
    description: The ID of the Edge host once more.
    type: str
    required: true
  force:
    description: Whether a control plane is reset although its cluster loses quorum, and is lost with it.
    type: bool
    default: false
notes:
  - Palette's API tells in one sentence only what this does with the host; it was tried on the lab of this collection.
    Without Palette, a host is reset by its boot menu, or by taking it out of its cluster.
seealso:
  - module: palette.edge.edge_host
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: Reset a worker that cannot be repaired
  palette.edge.edge_host_reset:
    uid: edge-store-100-5
    confirm: edge-store-100-5
"""

RETURN = r"""
edge_host_reset:
  description: The host after it. In check mode, as it would be.
  returned: success
  type: dict
  sample: {uid: edge-store-100-5, state: ready, health: healthy, clusters: []}
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [reset Edge host edge-store-100-5]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile, wait_arguments, wait_until
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources._edge_host_reset import (
    control_planes,
    plan_reset,
    refuse_reset,
)


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Judges the reset by the cluster of the host, carries it out, and waits until the host is free and healthy."""
    scope, params = frame.scope(session), frame.params
    uid = params["uid"]

    def read() -> dict[str, Any] | None:
        return edge.read(session, scope, uid)

    def plan(host: dict[str, Any] | None) -> Plan:
        planned = plan_reset(host, uid=uid, confirm=params["confirm"], scope=scope)
        for cluster in edge.describe(host).get("cluster_uids", []):
            if not params["force"]:
                _judge(session, scope, uid, cluster)
        return planned

    def free() -> tuple[bool, str]:
        seen = edge.describe(read())
        words = f"{seen.get('state') or 'not there'}, {seen.get('health') or 'no health yet'}"
        return seen.get("state") == "ready" and seen.get("health") == "healthy", words

    def wait() -> None:
        what = f"Edge host {uid} to be free and healthy"
        wait_until(free, what=what, timeout=params["wait_timeout"], sleep=params["wait_sleep"])

    return reconcile(
        session,
        frame,
        read=read,
        plan=plan,
        noun="edge_host_reset",
        describe=edge.describe,
        wait=wait if params["wait"] else None,
    )


def _judge(session: Session, scope: Scope, uid: str, cluster_uid: str) -> None:
    cluster = clusters.read_cluster(session, scope, cluster_uid)
    config = clusters.read_config(session, scope, cluster) if cluster else {}
    pools, network = clusters.pools_of(config), (config.get("spec") or {}).get("clusterConfig") or {}
    others = edge.read_many(session, scope, control_planes(uid, pools))
    unwell = {one for one, host in others.items() if edge.describe(host).get("health") != "healthy"}
    refuse_reset(uid, pools, unwell=unwell, two_node=bool(network.get("isTwoNodeCluster")))


def main() -> None:
    """Entry point."""
    arguments = {
        "uid": {"type": "str", "required": True},
        "confirm": {"type": "str", "required": True},
        "force": {"type": "bool", "default": False},
        **wait_arguments(),
    }
    Frame(arguments).run(work)


if __name__ == "__main__":
    main()
