#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: edge_host_info
short_description: List Edge hosts as Palette knows them
description:
  - Lists Edge hosts of a project (or, with O(scope=tenant), of all), selected on the server.
  - The secrets that Palette returns with a host are not passed on.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  uids:
    description: IDs of Edge hosts. Those that Palette does not know are left out. No other selection goes with it.
    type: list
    elements: str
  names:
    description: Names; a host with any of them is listed.
    type: list
    elements: str
  tags:
    description: Tags that a host must all bear.
    type: dict
  states:
    description: States; a host in any of them is listed.
    type: list
    elements: str
    choices: [unpaired, ready, in-use]
  healths:
    description: Health; a host with any of them is listed.
    type: list
    elements: str
    choices: [healthy, unhealthy]
  architectures:
    description: Architectures; a host of any of them is listed.
    type: list
    elements: str
    choices: [amd64, arm64]
seealso:
  - module: palette.edge.edge_host
  - plugin: palette.edge.fleet
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List the Edge hosts of a site that are not well
  palette.edge.edge_host_info:
    tags:
      site: store-042
    healths: [unhealthy]
  register: unwell
"""

RETURN = r"""
edge_hosts:
  description: The hosts, without their secrets.
  returned: success
  type: list
  elements: dict
  sample:
    - uid: edge-store-042-1
      name: edge-store-042-1
      tags: {site: store-042}
      state: in-use
      health: healthy
      agent_version: 4.8.21
      clusters: [store-042]
      address: 10.42.0.11
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._names import labels_of
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge

SELECTIONS = {"names": "name", "states": "state", "healths": "healthState", "architectures": "architecture"}
ARGUMENTS: dict[str, Any] = {
    "uids": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "states": {"type": "list", "elements": "str", "choices": ["unpaired", "ready", "in-use"]},
    "healths": {"type": "list", "elements": "str", "choices": ["healthy", "unhealthy"]},
    "architectures": {"type": "list", "elements": "str", "choices": ["amd64", "arm64"]},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists hosts by ID, or through the search."""
    params = frame.params
    scope = frame.scope(session)
    if params["uids"] is not None:
        found = [host for host in edge.read_many(session, scope, params["uids"]).values() if host is not None]
    else:
        filters = [edge.text_filter(wire, params[key]) for key, wire in SELECTIONS.items() if params[key]]
        # One filter for each tag: several values in one filter would mean any of them.
        filters += [edge.text_filter("tags", [f"{key}:{value}"]) for key, value in labels_of(params["tags"]).items()]
        found = edge.search(session, scope, filters=filters)
    return {"changed": False, "edge_hosts": [edge.describe(host) for host in found]}


def main() -> None:
    """Entry point."""
    others = ["names", "tags", "states", "healths", "architectures"]
    Frame(ARGUMENTS, mutually_exclusive=[("uids", other) for other in others]).run(work)


if __name__ == "__main__":
    main()
