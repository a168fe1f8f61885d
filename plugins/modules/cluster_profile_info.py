#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_profile_info
short_description: List cluster profiles
description:
  - Lists every version of the cluster profiles of a project or the tenant, or those of one name.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a profile. Without it, all are listed, without their layers.
    type: str
  version:
    description: Version. Without it, all versions are listed.
    type: str
  gather:
    description:
      - What else to tell, V(content) for layers with values and manifests, and variables, in the shape of the options of
        M(palette.edge.cluster_profile). Defaults of sensitive variables are left out. Needs O(name).
    type: list
    elements: str
    choices: [content]
    default: []
seealso:
  - module: palette.edge.cluster_profile
"""

EXAMPLES = r"""
- name: Read the profile of our stores
  palette.edge.cluster_profile_info:
    name: edge-store
    version: 1.0.0
  register: profile
"""

RETURN = r"""
cluster_profiles:
  description:
    - The profiles, one entry a version; layers and users are told when O(name) is given.
    - With O(gather), C(packs) have C(values), C(manifests) and C(registry_uid), too, and C(variables) are told.
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 6655f0c2a1b2c3d4e5f60719
      name: edge-store
      version: 1.0.0
      type: cluster
      cloud: edge-native
      published: true
      draft: false
      packs: [{name: edge-k3s, layer: k8s, version: 1.30.4}]
      clusters: [store-042]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_read import content, read_whole

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "version": {"type": "str"},
    "gather": {"type": "list", "elements": "str", "choices": ["content"], "default": []},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists profiles."""
    scope = frame.scope(session)
    name, version = frame.params["name"], frame.params["version"]
    if name:
        found = profiles.versions(session, scope, name)
        wanted = [uid for one, uids in sorted(found.items()) for uid in uids if version in (None, one)]
        listed = session.map(lambda uid: profiles.describe(profiles.read_uid(session, scope, uid)), wanted)
        if frame.params["gather"]:
            listed = [{**one, **content(read_whole(session, scope, one["uid"], name))} for one in listed]
    elif frame.params["gather"]:
        raise InputError("name: gather is of one profile, so name it")
    else:
        listed = [one for one in profiles.listing(session, scope) if version in (None, one["version"])]
    return {"changed": False, "cluster_profiles": listed}


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
