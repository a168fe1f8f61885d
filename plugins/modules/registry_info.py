#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_info
short_description: List registries of packs
description:
  - Lists the registries that the key can see, of every kind, with name and UID.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a registry. Several registries of different kinds may bear it.
    type: str
  kind:
    description: Kind of registry, as Palette names it, such as C(pack), C(helm) or C(oci).
    type: str
  gather:
    description: What else to tell, V(sync) for the endpoint and how far its synchronisation is.
    type: list
    elements: str
    choices: [sync]
    default: []
seealso:
  - module: palette.edge.pack_info
"""

EXAMPLES = r"""
- name: See whether the registries are synchronised
  palette.edge.registry_info:
    gather: [sync]
  register: found
"""

RETURN = r"""
registries:
  description: The registries, sorted by name. What begins with C(sync), C(endpoint) and C(last_synced) come with O(gather).
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 5eecc89d0b150045ae661cef
      name: Public Repo
      kind: pack
      scope: system
      private: false
      default: true
      endpoint: https://registry.example.com
      sync_supported: true
      sync_status: Completed
      sync_message: ""
      last_synced: "2027-01-10T10:00:00Z"
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources._registries import registries, synchronisation

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "kind": {"type": "str"},
    "gather": {"type": "list", "elements": "str", "choices": ["sync"], "default": []},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists registries."""
    scope = frame.scope(session)
    wanted = {key: frame.params[key] for key in ("name", "kind") if frame.params[key]}
    found = [one for one in registries(session, scope) if all(one[key] == value for key, value in wanted.items())]
    if frame.params["gather"]:
        known = synchronisation(session, scope)
        found = [{**one, **known.get(one["uid"], {})} for one in found]
    return {"changed": False, "registries": sorted(found, key=lambda one: (one["name"], one["kind"]))}


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
