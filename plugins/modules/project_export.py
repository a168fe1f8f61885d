#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_export
short_description: Write a project of Palette as site files and profile files
description:
  - Writes what a project has (Edge hosts, clusters, cluster profiles, registration tokens) to a folder, as the site files
    and variables that the playbooks of this collection work on. With these, P(palette.edge.sites#inventory) makes an
    inventory, and the playbook C(palette.edge.site) changes nothing.
  - It reads from Palette and writes files on the host that runs the module. Nothing in Palette is changed.
  - Secrets are never written. What no file can express is told in RV(notes) and in the C(README.md) of the export.
  - The first line of each file says which project it is an export of, and lets the next export know whether somebody
    changed the file since.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  dest:
    description: Folder to write to. It is made when it is not there.
    type: path
    required: true
  force:
    description:
      - Whether files are overwritten that no export wrote, that are of another project, or that were changed since.
        Without it, nothing at all is written when there is such a file in the way.
    type: bool
    default: false
  purge:
    description:
      - Whether files are removed that an earlier export of this project wrote and this one does not. Without it they
        are told in RV(stale). One that was changed since is only removed together with O(force).
    type: bool
    default: false
notes:
  - An export is of one project, so O(scope=tenant) is refused. Profiles of the tenant are named in site files, and not
    exported.
seealso:
  - plugin: palette.edge.sites
    plugin_type: inventory
  - module: palette.edge.cluster_info
  - module: palette.edge.edge_host_info
"""

EXAMPLES = r"""
- name: Write the project Stores to the folder stores
  palette.edge.project_export:
    project: Stores
    dest: "{{ playbook_dir }}/stores"
  register: written

- name: Say what could not be expressed
  ansible.builtin.debug:
    var: written.notes
"""

RETURN = r"""
folder:
  description: The folder, O(dest), as an absolute path.
  returned: success
  type: str
  sample: /home/ops/stores
written:
  description: Files that were written, or would be in check mode, relative to RV(folder).
  returned: success
  type: list
  elements: str
  sample: [README.md, palette.sites.yml, sites/store-042.yml]
stale:
  description: Files that an earlier export wrote and this one does not, and that are still there.
  returned: success
  type: list
  elements: str
  sample: []
removed:
  description: Stale files that were removed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
notes:
  description: What could not be expressed, and what has to be filled in, one sentence each.
  returned: success
  type: list
  elements: str
  sample:
    - "cluster store-042: the value of the variable password of its profile edge-store is a secret, and left out"
sites:
  description: Names of the sites.
  returned: success
  type: list
  elements: str
  sample: [store-007, store-042, unassigned]
cluster_profiles:
  description: The cluster profiles, name and version.
  returned: success
  type: list
  elements: str
  sample: [edge-store 1.0.0]
steps:
  description: What was done, or would be done in check mode, one sentence a file.
  returned: success
  type: list
  elements: str
  sample: [write sites/store-042.yml]
"""

import datetime
import os
import tempfile
from typing import Any

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.export._files import (
    Changes,
    compare,
    problem_of,
    refuse_foreign,
)
from ansible_collections.palette.edge.plugins.module_utils.export._read import read_project
from ansible_collections.palette.edge.plugins.module_utils.export._text import HAS_YAML
from ansible_collections.palette.edge.plugins.module_utils.export._tree import tree_of
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session

ARGUMENTS: dict[str, Any] = {
    "dest": {"type": "path", "required": True},
    "force": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the project, compares its files with the folder, and writes those that differ."""
    params = frame.params
    if params["scope"] == "tenant":
        raise InputError("scope: an export is of one project: leave scope out, and give project")
    if not HAS_YAML:
        frame.module.fail_json(msg=missing_required_lib("PyYAML"))
    dest = os.path.abspath(params["dest"])
    problem = problem_of(dest)
    if problem:
        raise InputError(f"dest: {dest} cannot be written: {problem}. Name another folder")
    scope = frame.scope(session)
    project = read_project(session, scope)
    tree = tree_of(project, now=datetime.datetime.now(datetime.timezone.utc))
    changes = compare(dest, tree.texts, project.uid)
    if not params["force"]:
        refuse_foreign(dest, changes.foreign)
    removed = [path for path in changes.stale if params["purge"] and (params["force"] or path not in changes.kept)]
    stale = [path for path in changes.stale if path not in removed]
    if not frame.check_mode:
        for path, text in changes.texts.items():
            _write(frame, os.path.join(dest, path), text)
        for path in removed:
            os.unlink(os.path.join(dest, path))
    if stale:
        why = f" ({stale[0]} {changes.kept[stale[0]]})" if stale[0] in changes.kept else ""
        frame.module.warn(
            f"{dest} has {len(stale)} files of an earlier export, which the inventory may read all the same: "
            f"{', '.join(stale[:5])}{why}. Remove them, or set purge: true"
        )
    result = {
        "changed": bool(changes.texts or removed),
        "folder": dest,
        "written": list(changes.texts),
        "removed": removed,
        "stale": stale,
        "notes": list(tree.notes),
        "sites": list(tree.sites),
        "cluster_profiles": list(tree.profiles),
        "steps": [*(f"write {path}" for path in changes.texts), *(f"remove {path}" for path in removed)],
    }
    if result["changed"]:
        result["diff"] = _diff(changes, removed)
    return result


def _write(frame: Frame, path: str, text: str) -> None:
    """The file as a whole or not at all."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=frame.module.tmpdir)
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise InputError(
            f"dest: {path} cannot be written: {error.strerror}. What was written before it stays"
        ) from None
    frame.module.atomic_move(temporary, path)


def _diff(changes: Changes, removed: list[str]) -> list[dict[str, str]]:
    """One diff a file. What somebody else wrote is not shown: who knows what is in it."""
    before = {
        path: "(not written by an export)\n" if path in changes.foreign else text
        for path, text in changes.before.items()
    }
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": before.get(path, ""),
            "after": "" if path in removed else changes.texts[path],
        }
        for path in [*changes.texts, *removed]
    ]


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
