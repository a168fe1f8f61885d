#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_repave
short_description: Review and approve the repave of a cluster
description:
  - A change of the operating system or of Kubernetes replaces the nodes of a cluster one by one. Palette may want that to
    be approved, and takes no further change of the cluster before.
  - Tells whether a repave waits and why, and approves it. A cluster without one that waits is left alone.
  - In check mode it only tells.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  approved:
    description: Whether a repave that waits is approved. With V(false) it is only told of.
    type: bool
    default: true
seealso:
  - module: palette.edge.cluster
  - module: palette.edge.cluster_info
"""

EXAMPLES = r"""
- name: See whether the nodes of store 42 are to be replaced, and why
  palette.edge.cluster_repave:
    name: store-042
    approved: false
  register: review

- name: Approve it
  palette.edge.cluster_repave:
    name: store-042
"""

RETURN = r"""
cluster_repave:
  description: The last repave of the cluster. C(state) is empty when there never was one.
  returned: success
  type: dict
  sample:
    name: store-042
    state: Approved
    reasons: ["edge-k3s: the version of Kubernetes changes (1.30.4 to 1.31.1)"]
    source: user
    message: ""
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [approve the repave of the cluster store-042]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import MissingError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _repave as repave


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the repave of one cluster and approves it."""
    name, approved = frame.params["name"], frame.params["approved"]
    scope = frame.scope(session)

    def read() -> dict[str, Any]:
        uid = clusters.find(session, scope, name)
        cluster = clusters.read_cluster(session, scope, uid) if uid else None
        if cluster is None:
            raise MissingError(f"name: there is no cluster {name!r} in this scope. Check name and project")
        nothing = {"state": "", "reasons": [], "source": "", "message": ""}
        known = repave.read(session, scope, cluster) if repave.state_of(cluster) else nothing
        return {"name": name, "uid": uid, **known}

    def plan(current: dict[str, Any]) -> Plan:
        if not approved or current["state"] != "Pending":
            return Plan()
        return Plan(
            steps=[repave.approval(name, current["uid"], scope)],
            before={"name": name, "state": "Pending"},
            after={"name": name, "state": "Approved"},
        )

    return reconcile(session, frame, read=read, plan=plan, noun="cluster_repave", describe=dict)


def main() -> None:
    """Entry point."""
    arguments = {"name": {"type": "str", "required": True}, "approved": {"type": "bool", "default": True}}
    Frame(arguments).run(work)


if __name__ == "__main__":
    main()
