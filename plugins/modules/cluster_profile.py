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
    one, then variables, layers, unused variables and metadata are set in this order, and it is published. A profile that
    is there already is found by name and version, and adopted.
  - When Palette refuses a step after the copy, the half-made version is removed again. When the connection is lost,
    nothing is undone and a second run carries on.
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
        description:
          - Version of the pack. Needed for all but manifests.
          - With a wildcard for its end (C(1.30.x), C(1.30.*), C(*)) the newest that fits, no release candidates. A version of
            the profile that is published keeps what it has as long as that fits, so a newer pack in the registry is no
            change; a new version of the profile, and a draft, take the newest.
        type: str
      registry:
        description: Name or UID of the registry. Needed when several have the pack.
        type: str
      uid:
        description: UID of the pack version, where it cannot be found by name and version.
        type: str
      values:
        description:
          - Values of the pack, YAML text or a mapping. Without it, a new layer gets the pack's own.
          - They are compared by what they mean; comments, quotes and the order of keys are no difference.
          - Palette's macros, such as C(.spectro.var.NAME) in double braces, look like templates to Ansible. Keep such values
            in a file and read it with P(ansible.builtin.file#lookup), or mark text in a playbook C(!unsafe).
          - In a mapping a macro is always text; where a number is wanted, write text, with the macro without quotes.
        type: raw
      presets:
        description:
          - Names of presets that the pack offers (M(palette.edge.pack_info) lists them), put into
            O(packs[].values), or into the pack's own values when those are not given. Comments are lost then.
        type: list
        elements: str
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
        given are removed after. A layer that uses a variable that is not declared is refused.
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
          - Default. Needed when O(variables[].required) is set. For a dropdown, the value of one of its options.
          - It must keep O(variables[].format), O(variables[].regex) and O(variables[].options).
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
  publish:
    description:
      - Whether what was changed is published. Only what is published can be used by clusters.
      - With V(false) changes stay in a draft, and a draft that is there is left alone.
    type: bool
    default: true
  update_in_use:
    description:
      - Whether layers and variables may be changed while clusters use this version. Those clusters are offered, or get,
        the change. Without it such a change is refused, and a new version is the way.
    type: bool
    default: false
seealso:
  - module: palette.edge.cluster_profile_copy
  - module: palette.edge.cluster_profile_export
  - module: palette.edge.cluster_profile_import
  - module: palette.edge.cluster_profile_info
  - module: palette.edge.pack_info
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

- name: Publish the next version with values from a file, the newest patch of K3s and a variable
  palette.edge.cluster_profile:
    name: edge-store
    version: 1.1.0
    packs:
      - name: edge-native-byoi
        version: 2.1.0
        values: "{{ lookup('ansible.builtin.file', 'values/edge-native-byoi.yaml') }}"
      - name: edge-k3s
        version: 1.30.x
      - name: cni-calico
        version: 3.28.0
        values:
          manifests:
            calico:
              env:
                FELIX_LOGSEVERITYSCREEN: Warning
    variables:
      - name: site
        default_value: "042"
        regex: ^[0-9]{3}$
        required: true
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
    draft: false
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create and publish cluster profile edge-store 1.0.0]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_check import check_layers
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_input import check_options, resolve_packs
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_undo import Making, undone

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
            "values": {"type": "raw"},
            "presets": {"type": "list", "elements": "str"},
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
    "publish": {"type": "bool", "default": True},
    "update_in_use": {"type": "bool", "default": False},
}


PLAIN = ("name", "version", "type", "cloud", "description", "tags", "variables", "publish", "update_in_use")


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads, plans and applies one version of a profile."""
    params = frame.params
    frame.hide(one["default_value"] for one in params["variables"] or [] if one["sensitive"])
    check_options(params)
    scope = frame.scope(session)
    present = params["state"] == "present"
    desired = profiles.DesiredProfile(
        present=present,
        packs=resolve_packs(session, scope, params["packs"]) if present else None,
        **{key: params[key] for key in PLAIN},
    )
    making = Making()

    def settle() -> str | None:
        return next(iter(profiles.versions(session, scope, desired.name).get(desired.version, [])), None)

    def plan(current: profiles.Current, fresh: bool) -> Plan:
        planned = profiles.plan(current, desired, scope=scope, settle=settle, fresh=fresh)
        # What this run has just copied was asked about before.
        return planned if fresh else check_layers(session, scope, planned, cloud=desired.cloud, kind=desired.type)

    try:
        return reconcile(
            session,
            frame,
            read=lambda: profiles.read(session, scope, desired.name, desired.version),
            plan=making.recorded(plan),
            noun="cluster_profile",
            describe=lambda current: profiles.describe(current.profile),
        )
    except PaletteError as error:
        raise undone(session, scope, name=desired.name, version=desired.version, making=making, error=error) from error


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
