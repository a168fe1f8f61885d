#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_profile
short_description: Manage cluster profiles
description:
  - Publishes cluster profiles, the layers (packs) and variables that clusters are made of.
  - Each version of a profile is an object of its own. A version that is not there yet is made as a copy of the newest
    one, then changed and published. A profile that is there already is found by name and version, and adopted.
  - What is not given is left as it is, and not compared.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the profile.
    type: str
    required: true
  version:
    description: Version, C(major.minor.patch).
    type: str
    default: 1.0.0
  state:
    description: Whether this version is to be there. A version that clusters use is not deleted.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - V(cluster) has all layers, V(infra) those up to the network, V(add-on) only what is put on top. It cannot be
        changed later.
    type: str
    choices: [cluster, infra, add-on]
    default: cluster
  cloud:
    description: Cloud type. It cannot be changed later. V(all) is for add-on profiles.
    type: str
    choices: [edge-native, all]
    default: edge-native
  description:
    description: What the profile is for.
    type: str
  tags:
    description: Tags, the whole set.
    type: dict
  packs:
    description: The layers in order, the whole list. A new profile needs it.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the pack, unique in the profile. For the same pack twice, C(unique--name).
        type: str
        required: true
      type:
        description: Kind of pack. V(manifest) holds manifests of your own and needs no registry.
        type: str
        choices: [spectro, manifest, helm, oci]
        default: spectro
      layer:
        description: Layer. Taken from the pack when not given; V(addon) for manifests.
        type: str
        choices: [kernel, os, k8s, cni, csi, addon]
      version:
        description: Version of the pack. Needed for all but manifests.
        type: str
      registry:
        description: Name or UID of the registry. Needed when several have the pack.
        type: str
      uid:
        description: UID of the pack version, where it cannot be found by name and version.
        type: str
      values:
        description:
          - Values of the pack, YAML text. Without it, a new layer gets the pack's own.
          - Palette's macros (C({{ '{{' }}.spectro...{{ '}}' }})) look like templates to Ansible, so mark such a text C(!unsafe).
        type: str
      manifests:
        description: Manifests of the layer, the whole list. What is not given stays as it is.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the manifest.
            type: str
            required: true
          content:
            description: The manifest, YAML text.
            type: str
            required: true
  variables:
    description:
      - Profile variables, the whole set. New ones are made before the layers that use them are changed, and those not
        given are removed after.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name, used as C(.spectro.var.NAME) in values and manifests.
        type: str
        required: true
      display_name:
        description: Name shown in Palette. The name itself when not given.
        type: str
      description:
        description: What the variable is for.
        type: str
      default_value:
        description:
          - Default. Needed when O(variables[].required) is set.
          - With O(variables[].sensitive) it is written, never compared.
        type: str
      format:
        description: Kind of value. It can only be set when the variable is made.
        type: str
        choices: [string, number, boolean, ipv4, ipv4cidr, ipv6, version, base64]
      input_type:
        description: How Palette asks for it.
        type: str
        choices: [text, dropdown, multiline]
      options:
        description: Choices of a dropdown, each with C(value), and C(label) and C(description) if wanted.
        type: list
        elements: dict
      regex:
        description: What a value must match.
        type: str
      required:
        description: Whether a value is needed.
        type: bool
      hidden:
        description: Whether Palette hides the variable.
        type: bool
      immutable:
        description: Whether the value is fixed once a cluster is there.
        type: bool
      sensitive:
        description: Whether the value is a secret.
        type: bool
  update_in_use:
    description:
      - Whether layers and variables may be changed while clusters use this version. Those clusters are offered, or get,
        the change. Without it such a change is refused, and a new version is the way.
    type: bool
    default: false
seealso:
  - module: palette.edge.cluster_profile_info
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: Publish the profile of our stores
  palette.edge.cluster_profile:
    name: edge-store
    version: 1.0.0
    packs:
      - name: edge-native-byoi
        version: 2.1.0
        registry: Public Repo
      - name: edge-k3s
        version: 1.30.4
        registry: Public Repo
      - name: cni-calico
        version: 3.28.0
        registry: Public Repo
      - name: store-greeting
        type: manifest
        manifests:
          - name: greeting
            content: |
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: greeting
                namespace: default
              data:
                text: hello
"""

RETURN = r"""
cluster_profile:
  description: The profile. In check mode, as it would be. Empty when it is absent.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60719
    name: edge-store
    version: 1.0.0
    type: cluster
    cloud: edge-native
    published: true
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create and publish cluster profile edge-store 1.0.0]
"""

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._packs import (
    DesiredPack,
    PackCatalogue,
    ResolvedPack,
)

FORMATS = ["string", "number", "boolean", "ipv4", "ipv4cidr", "ipv6", "version", "base64"]
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str", "default": "1.0.0"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {"type": "str", "choices": ["cluster", "infra", "add-on"], "default": "cluster"},
    "cloud": {"type": "str", "choices": ["edge-native", "all"], "default": "edge-native"},
    "description": {"type": "str"},
    "tags": {"type": "dict"},
    "packs": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "choices": ["spectro", "manifest", "helm", "oci"], "default": "spectro"},
            "layer": {"type": "str", "choices": ["kernel", "os", "k8s", "cni", "csi", "addon"]},
            "version": {"type": "str"},
            "registry": {"type": "str"},
            "uid": {"type": "str"},
            "values": {"type": "str"},
            "manifests": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "content": {"type": "str", "required": True},
                },
            },
        },
    },
    "variables": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "display_name": {"type": "str"},
            "description": {"type": "str"},
            "default_value": {"type": "str"},
            "format": {"type": "str", "choices": FORMATS},
            "input_type": {"type": "str", "choices": ["text", "dropdown", "multiline"]},
            "options": {"type": "list", "elements": "dict"},
            "regex": {"type": "str"},
            "required": {"type": "bool"},
            "hidden": {"type": "bool"},
            "immutable": {"type": "bool"},
            "sensitive": {"type": "bool"},
        },
    },
    "update_in_use": {"type": "bool", "default": False},
}


def check(params: Mapping[str, Any]) -> None:
    """Refuses what is wrong in the options alone."""
    problems = []
    if not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", params["version"]):
        problems.append(f"version: {params['version']!r} is not of the form major.minor.patch")
    if params["cloud"] == "all" and params["type"] != "add-on":
        problems.append("cloud: all is for profiles of type add-on only")
    for option in ("packs", "variables"):
        names = [one["name"] for one in params[option] or []]
        twice = sorted({name for name in names if names.count(name) > 1})
        problems += [f"{option}: {name} is given twice" for name in twice]
    for index, pack in enumerate(params["packs"] or []):
        if pack["type"] == "manifest" and not pack["manifests"]:
            problems.append(f"packs[{index}].manifests: the pack {pack['name']} of type manifest has none")
        if pack["type"] != "manifest" and not pack["version"]:
            problems.append(f"packs[{index}].version: the pack {pack['name']} needs a version")
    for index, variable in enumerate(params["variables"] or []):
        if variable["required"] and not variable["default_value"]:
            problems.append(f"variables[{index}].default_value: the required variable {variable['name']} needs one")
    if problems:
        raise InputError("; ".join(problems))


def resolve(session: Session, scope: Scope, packs: list[dict[str, Any]] | None) -> list[ResolvedPack] | None:
    """Packs with their UIDs."""
    if packs is None:
        return None
    catalogue = PackCatalogue(session, scope)
    return [
        catalogue.resolve(
            DesiredPack(
                name=pack["name"],
                type=pack["type"],
                layer=pack["layer"] or "",
                version=pack["version"] or "",
                registry=pack["registry"] or "",
                uid=pack["uid"] or "",
                values=pack["values"],
                manifests=_manifests(pack["manifests"]),
            ),
            option=f"packs[{index}]",
        )
        for index, pack in enumerate(packs)
    ]


def _manifests(given: list[dict[str, Any]] | None) -> tuple[tuple[str, str], ...] | None:
    return None if given is None else tuple((one["name"], one["content"]) for one in given)


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads, plans and applies one version of a profile."""
    params = frame.params
    frame.hide(one["default_value"] for one in params["variables"] or [] if one["sensitive"])
    check(params)
    scope = frame.scope(session)
    present = params["state"] == "present"
    desired = profiles.DesiredProfile(
        present=present,
        packs=resolve(session, scope, params["packs"]) if present else None,
        **{key: params[key] for key in ("name", "version", "type", "cloud", "description", "tags", "variables")},
        update_in_use=params["update_in_use"],
    )

    def settle() -> str | None:
        return next(iter(profiles.versions(session, scope, desired.name).get(desired.version, [])), None)

    return reconcile(
        session,
        frame,
        read=lambda: profiles.read(session, scope, desired.name, desired.version),
        plan=lambda current: profiles.plan(current, desired, scope=scope, settle=settle),
        noun="cluster_profile",
        describe=lambda current: profiles.describe(current.profile),
    )


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
