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
  name_contains:
    description: A part of the name, of whatever case.
    type: str
  tags:
    description: Tags that a host must bear, all of them or any (O(tags_match)).
    type: dict
  tags_match:
    description: Whether a host must bear all O(tags), or any of them.
    type: str
    choices: [all, any]
    default: all
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
  credentials_path:
    description:
      - File into which the credentials of the temporary user of the remote shell are written, as YAML with C(username),
        C(password) and C(ssh_key), for its owner's eyes alone. They never appear in the result.
      - Needs exactly one host in O(uids). An error when the host has no such user.
    type: path
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

- name: Fetch the credentials of the temporary user
  palette.edge.edge_host_info:
    uids: [edge-store-042-1]
    credentials_path: "{{ ansible_env.HOME }}/shell-store-042-1.yml"
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
      cpu_cores: 4
      memory_mb: 16384
      gpus: []
      os: ubuntu 22.04
      remote_shell: enabled
      remote_shell_state: Created
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils import _private_file
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import labels_of
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources._remote_shell import credentials

SELECTIONS = {"names": "name", "states": "state", "healths": "healthState", "architectures": "architecture"}
ARGUMENTS: dict[str, Any] = {
    "uids": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "name_contains": {"type": "str"},
    "tags": {"type": "dict"},
    "tags_match": {"type": "str", "choices": ["all", "any"], "default": "all"},
    "states": {"type": "list", "elements": "str", "choices": ["unpaired", "ready", "in-use"]},
    "healths": {"type": "list", "elements": "str", "choices": ["healthy", "unhealthy"]},
    "architectures": {"type": "list", "elements": "str", "choices": ["amd64", "arm64"]},
    "credentials_path": {"type": "path"},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists hosts by ID, or through the search."""
    params = frame.params
    scope = frame.scope(session)
    if params["uids"] is not None:
        found = [host for host in edge.read_many(session, scope, params["uids"]).values() if host is not None]
    else:
        found = edge.search(session, scope, filters=_filters(params))
    changed = bool(params["credentials_path"]) and _fetch(frame, found)
    return {"changed": changed, "edge_hosts": [edge.describe(host) for host in found]}


def _filters(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    filters = [edge.text_filter(wire, params[key]) for key, wire in SELECTIONS.items() if params[key]]
    if params["name_contains"]:
        filters.append(edge.text_filter("name", [params["name_contains"]], operator="contains"))
    tags = [f"{key}:{value}" for key, value in labels_of(params["tags"]).items()]
    if params["tags_match"] == "any" and tags:
        return [*filters, edge.text_filter("tags", tags)]
    # One filter for each tag: several values in one filter would mean any of them.
    return [*filters, *(edge.text_filter("tags", [tag]) for tag in tags)]


def _fetch(frame: Frame, hosts: Sequence[Mapping[str, Any]]) -> bool:
    """Writes the credentials of the only host; returns whether the file changes."""
    path, uids = frame.params["credentials_path"], frame.params["uids"] or []
    if len(uids) != 1:
        raise InputError("credentials_path: give exactly one host in uids")
    secrets = credentials(hosts[0]) if hosts else {}
    if not secrets:
        raise InputError(
            f"credentials_path: Edge host {uids[0]} has no temporary user now: enable remote_shell and "
            "remote_shell_temporary_user with palette.edge.edge_host, and wait"
        )
    frame.hide(secrets.values())
    # JSON is YAML, and needs no library.
    text = json.dumps(secrets, indent=2) + "\n"
    if not _private_file.differs(path, text):
        return False
    if not frame.check_mode:
        _private_file.write(path, text)
    return True


def main() -> None:
    """Entry point."""
    others = ["names", "name_contains", "tags", "states", "healths", "architectures"]
    Frame(ARGUMENTS, mutually_exclusive=[("uids", other) for other in others]).run(work)


if __name__ == "__main__":
    main()
