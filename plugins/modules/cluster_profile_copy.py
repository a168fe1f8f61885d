#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_profile_copy
short_description: Copy a cluster profile into another project
description:
  - Copies one version of a cluster profile, with its layers, manifests and variables, into another project, into the
    tenant, or under another name, and publishes it there.
  - A copy that is there already is compared with its origin, by meaning. When they are the same, nothing is done; when they
    differ, that is an error which says in what, as a version that is in use is not overwritten.
  - The registries are the same in the whole tenant. To another Palette, use M(palette.edge.cluster_profile_export) and
    M(palette.edge.cluster_profile_import).
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the profile to copy, in O(project) or the tenant, as O(scope) says.
    type: str
    required: true
  version:
    description: Version to copy. The newest when not given.
    type: str
  target_project:
    description: Name or UID of the project to copy to. The profile's own when not given.
    type: str
  target_scope:
    description: V(tenant) copies to the tenant, where all projects see the profile; O(target_project) is not used then.
    type: str
    choices: [project, tenant]
    default: project
  target_name:
    description: Name of the copy. That of the profile when not given.
    type: str
  target_version:
    description: Version of the copy. That of the profile when not given.
    type: str
  publish:
    description: Whether the copy is published, so that clusters can use it.
    type: bool
    default: true
seealso:
  - module: palette.edge.cluster_profile
  - module: palette.edge.cluster_profile_export
"""

EXAMPLES = r"""
- name: Give the shops of the south the profile that the north has tried
  palette.edge.cluster_profile_copy:
    project: north
    name: edge-store
    version: 1.4.0
    target_project: south
"""

RETURN = r"""
cluster_profile:
  description: The copy. In check mode, as it would be.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60720
    name: edge-store
    version: 1.4.0
    published: true
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create cluster profile edge-store 1.4.0 in project south as a copy of edge-store 1.4.0]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError, PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import project_uid
from ansible_collections.palette.edge.plugins.module_utils.palette._session import TENANT, Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_input import check_version
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_read import read_whole
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_transfer import check_copy, plan_copy
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_undo import Making, undone

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str"},
    "target_project": {"type": "str"},
    "target_scope": {"type": "str", "choices": ["project", "tenant"], "default": "project"},
    "target_name": {"type": "str"},
    "target_version": {"type": "str"},
    "publish": {"type": "bool", "default": True},
}


def target(session: Session, params: dict[str, Any], scope: Scope) -> tuple[Scope, str]:
    """Where the copy goes to, and that in words."""
    if params["target_scope"] == "tenant":
        return TENANT, "the tenant"
    wanted = params["target_project"]
    if not wanted and not scope.project_uid:
        raise InputError("target_project: a profile of the tenant is copied to a project, so name one")
    uid = project_uid(session, wanted, option="target_project") if wanted else scope.project_uid
    return Scope(uid), f"project {wanted or session.connection.project}"


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads, plans and copies."""
    params = frame.params
    check_version(params["version"])
    check_version(params["target_version"], option="target_version")
    scope = frame.scope(session)
    there, where = target(session, params, scope)
    version, uid = profiles.find(session, scope, params["name"], params["version"])
    name, new = params["target_name"] or params["name"], params["target_version"] or version
    if (scope, params["name"], version) == (there, name, new):
        raise InputError(
            "target_project: the copy would be the profile itself: name another target_project, target_name or target_version"
        )
    source = read_whole(session, scope, uid, params["name"])
    making = Making()

    def settle() -> str | None:
        return next(iter(profiles.versions(session, there, name).get(new, [])), None)

    def plan(current: profiles.Current, dummy: bool) -> Plan:
        return plan_copy(
            source,
            current,
            name=name,
            version=new,
            publish=params["publish"],
            scopes=(scope, there),
            where=where,
            settle=settle,
        )

    try:
        return reconcile(
            session,
            frame,
            read=lambda: profiles.read(session, there, name, new),
            plan=making.recorded(lambda current, fresh: check_copy(session, plan(current, fresh))),
            noun="cluster_profile",
            describe=lambda current: profiles.describe(current.profile),
        )
    except PaletteError as error:
        raise undone(session, there, name=name, version=new, making=making, error=error) from error


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
