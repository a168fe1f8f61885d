#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: List clusters of Edge hosts and how far they are
description:
  - Lists the clusters of a project or the tenant, or the one of a name, with profiles, node pools and, in words, how
    far it is from running as defined.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a cluster. Without it, all are listed, with name, UID and state only.
    type: str
seealso:
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: See how far the cluster of store 42 is
  palette.edge.cluster_info:
    name: store-042
  register: found
"""

RETURN = r"""
clusters:
  description: The clusters; an empty list when there is none. Deleted ones are not listed.
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 6655f0c2a1b2c3d4e5f60720
      name: store-042
      state: Running
      running: true
      progress: Running, 3 of 3 machines running, 4 of 4 packs ready
      endpoint: 10.42.0.10
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import TerminalStateError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_progress import progress


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists clusters."""
    scope = frame.scope(session)
    name = frame.params["name"]
    if not name:
        listed = [
            {
                "uid": item["metadata"]["uid"],
                "name": item["metadata"].get("name", ""),
                "state": (item.get("status") or {}).get("state", ""),
            }
            for item in clusters.search(session, scope)
        ]
        return {"changed": False, "clusters": listed}
    current = clusters.read(session, scope, name)
    if current.cluster is None:
        return {"changed": False, "clusters": []}
    try:
        running, words = progress(current, clusters.read_machines(session, scope, current.config))
    except TerminalStateError as error:
        running, words = False, str(error)
    return {"changed": False, "clusters": [{**clusters.describe(current), "running": running, "progress": words}]}


def main() -> None:
    """Entry point."""
    Frame({"name": {"type": "str"}}).run(work)


if __name__ == "__main__":
    main()
