#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_profile_import
short_description: Make a cluster profile from a file
description:
  - Makes a cluster profile from a file that M(palette.edge.cluster_profile_export), or Palette itself, has written, and
    publishes it. The file may come from another Palette, whose registries have other UIDs and perhaps other names.
  - When the version is there already with the same layers and variables, nothing is done. When it differs, that is an error
    which says in what. Registries, description and tags are not compared.
  - Palette's own check of the file runs first, in check mode, too.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  src:
    description: File to read, JSON or YAML, on the host that runs the module.
    type: path
    required: true
  name:
    description: Name of the profile. That in the file when not given.
    type: str
  version:
    description: Version of the profile. That in the file when not given.
    type: str
  registries:
    description:
      - Name of a registry in the file as the key, and name or UID of the one here that takes its place.
      - A registry that is not named here keeps its name. Where none of that name has the pack, this is an error which lists
        those that have it.
    type: dict
    default: {}
  variable_defaults:
    description:
      - Defaults of variables, by name, instead of those in the file. A default that is a secret is masked in most files, and
        left out then; here is the place to give it.
    type: dict
    default: {}
  publish:
    description: Whether the profile is published, so that clusters can use it.
    type: bool
    default: true
seealso:
  - module: palette.edge.cluster_profile_export
  - module: palette.edge.registry_info
"""

EXAMPLES = r"""
- name: Bring the profile of our stores to this Palette, whose registry has another name
  palette.edge.cluster_profile_import:
    src: profiles/edge-store-1.4.0.yaml
    registries:
      Public Repo: Mirror of Public Repo
"""

RETURN = r"""
cluster_profile:
  description: The profile. In check mode, as it would be.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60719
    name: edge-store
    version: 1.4.0
    published: true
registries:
  description: Layer as the key, and the registry that its pack was found in. Empty when nothing was imported.
  returned: success
  type: dict
  sample: {edge-k3s: Mirror of Public Repo}
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [import and publish cluster profile edge-store 1.4.0]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import text_of
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources import _profile_import as imports
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_input import check_version
from ansible_collections.palette.edge.plugins.module_utils.resources._registries import registries

ARGUMENTS: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "name": {"type": "str"},
    "version": {"type": "str"},
    "registries": {"type": "dict", "default": {}},
    "variable_defaults": {"type": "dict", "default": {}},
    "publish": {"type": "bool", "default": True},
}


def read_file(path: str) -> dict[str, Any]:
    """The profile in the file."""
    try:
        with open(path, encoding="utf-8") as file:
            return imports.parsed(file.read(), file=f"src: {path}")
    except (OSError, ValueError) as error:
        raise InputError(f"src: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the file, maps its registries and imports it."""
    params = frame.params
    defaults = {key: text_of(value) for key, value in params["variable_defaults"].items()}
    raw = read_file(params["src"])
    sensitive = [one for one in raw["spec"].get("variables") or [] if one.get("isSensitive")]
    frame.hide(str(one.get("defaultValue") or "") for one in sensitive)
    frame.hide(defaults.get(one["name"]) for one in sensitive)
    entity = imports.adapted(raw, name=params["name"], version=params["version"], defaults=defaults)
    name, version = entity["metadata"]["name"], entity["spec"]["version"]
    check_version(version)
    scope = frame.scope(session)
    chosen: dict[str, str] = {}

    def settle() -> str | None:
        return next(iter(profiles.versions(session, scope, name).get(version, [])), None)

    def plan(current: profiles.Current) -> Plan:
        ready = entity
        if current.profile is None:
            matches = imports.check_import(session, scope, entity)
            mapping = {str(key): str(value) for key, value in params["registries"].items()}
            ready, found = imports.map_registries(entity, mapping, matches=matches, known=registries(session, scope))
            chosen.update(found)
        return imports.plan_import(ready, current, scope=scope, publish=params["publish"], settle=settle)

    result = reconcile(
        session,
        frame,
        read=lambda: profiles.read(session, scope, name, version),
        plan=plan,
        noun="cluster_profile",
        describe=lambda current: profiles.describe(current.profile),
    )
    return {**result, "registries": chosen}


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
