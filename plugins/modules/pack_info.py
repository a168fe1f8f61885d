#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pack_info
short_description: List packs and their versions
description:
  - Lists the packs of the registries that the key can see, by name, registry, layer and version, for the layers of
    M(palette.edge.cluster_profile).
  - A registry that is not synchronised (some of kind Helm and OCI) does not list its packs.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a pack. Without it, all packs are listed, with their newest version only.
    type: str
  registry:
    description: Name or UID of a registry. Without it, those of all registries are listed.
    type: str
  version:
    description:
      - Version, also with a wildcard for its end (C(1.30.x), C(1.30.*)). Packs without such a version are left out.
      - Needs O(name).
    type: str
  layer:
    description: Layer.
    type: str
    choices: [kernel, os, k8s, cni, csi, addon]
  type:
    description: Kind of pack.
    type: str
    choices: [spectro, helm, manifest, oci]
  gather:
    description: What else to tell of the newest version that fits, its default V(values) and its V(presets). Needs O(name).
    type: list
    elements: str
    choices: [values, presets]
    default: []
seealso:
  - module: palette.edge.registry_info
  - module: palette.edge.cluster_profile
"""

EXAMPLES = r"""
- name: See which patches of K3s 1.30 there are, and the values that it comes with
  palette.edge.pack_info:
    name: edge-k3s
    version: 1.30.x
    gather: [values, presets]
  register: found
"""

RETURN = r"""
packs:
  description:
    - The packs, one entry a registry, sorted by name. C(versions) is sorted from newest to oldest, C(version) and C(uid) are of
      the newest that fits.
    - C(default_values) and C(presets) are there when O(gather) asks for them.
  returned: success
  type: list
  elements: dict
  sample:
    - name: edge-k3s
      display_name: K3s
      layer: k8s
      type: spectro
      registry: Public Repo
      registry_uid: 5eecc89d0b150045ae661cef
      version: 1.30.4
      versions: [1.30.4, 1.30.2]
      uid: 66b1c2d3e4f5061728394a5b
      presets: [{name: metrics, display_name: Metrics server, group: metrics, add: "", remove: []}]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources._packs import (
    PackCatalogue,
    described,
)
from ansible_collections.palette.edge.plugins.module_utils.resources._registries import pick_registry

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "registry": {"type": "str"},
    "version": {"type": "str"},
    "layer": {"type": "str", "choices": ["kernel", "os", "k8s", "cni", "csi", "addon"]},
    "type": {"type": "str", "choices": ["spectro", "helm", "manifest", "oci"]},
    "gather": {"type": "list", "elements": "str", "choices": ["values", "presets"], "default": []},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Searches packs, and reads the versions of those of a name."""
    params = frame.params
    name = params["name"]
    if not name and (params["version"] or params["gather"]):
        raise InputError("name: version and gather are of one pack, so name it")
    catalogue = PackCatalogue(session, frame.scope(session))
    wanted: dict[str, Any] = {key: [params[key]] for key in ("layer", "type") if params[key]}
    registry = ""
    if params["registry"]:
        kind = params["type"] or "spectro"
        registry = pick_registry(catalogue.registries(), params["registry"], pack_type=kind, option="registry")
        wanted["registryUid"] = [registry]
    if name:
        wanted["name"] = {"eq": name, "ignoreCase": False}
    packs = []
    for spec in catalogue.search(**wanted):
        for one in spec.get("registries") or []:
            if (not name or spec.get("name") == name) and registry in ("", one["uid"]):
                entry = catalogue.entry(name, one["uid"]) if name else None
                found = described(spec, one, entry, version=params["version"], gather=params["gather"])
                packs += [found] if found else []
    return {"changed": False, "packs": sorted(packs, key=lambda pack: (pack["name"], pack["registry"]))}


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
