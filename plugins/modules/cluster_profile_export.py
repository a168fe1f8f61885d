#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_profile_export
short_description: Write a cluster profile to a file
description:
  - Writes one version of a cluster profile, as Palette exports it, to a file on the host that runs the module, for a
    backup, for Git, or for M(palette.edge.cluster_profile_import).
  - A file that says the same already is left alone.
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
    description: Version. The newest when not given.
    type: str
  dest:
    description:
      - File to write. Its directory must be there.
      - When the profile has variables that are sensitive, only its owner can read the file (C(0600)). Palette masks the
        defaults of these, or writes them; M(palette.edge.cluster_profile_import) takes both.
    type: path
    required: true
  format:
    description: Format of the file. From the name of O(dest) when not given, V(yaml) for C(.yml) and C(.yaml), or else V(json).
    type: str
    choices: [json, yaml]
seealso:
  - module: palette.edge.cluster_profile_import
  - module: palette.edge.cluster_profile_copy
"""

EXAMPLES = r"""
- name: Keep the profile of our stores in Git
  palette.edge.cluster_profile_export:
    name: edge-store
    version: 1.4.0
    dest: profiles/edge-store-1.4.0.yaml
"""

RETURN = r"""
dest:
  description: The file.
  returned: success
  type: str
  sample: profiles/edge-store-1.4.0.yaml
cluster_profile:
  description: The profile that is in it.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60719
    name: edge-store
    version: 1.4.0
    published: true
sensitive:
  description: Whether the profile has variables that are sensitive, so that only its owner can read the file.
  returned: success
  type: bool
  sample: false
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils import _private_file as files
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_import import export_text, hidden
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_input import check_version
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_read import read_whole
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_values import changed_lines
from ansible_collections.palette.edge.plugins.module_utils.resources._yaml_text import same_yaml

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "version": {"type": "str"},
    "dest": {"type": "path", "required": True},
    "format": {"type": "str", "choices": ["json", "yaml"]},
}


def format_of(path: str) -> str:
    """What the name of a file says about its format."""
    return "yaml" if path.endswith((".yml", ".yaml")) else "json"


def present(path: str) -> str:
    """What the file holds; "" when there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the profile, compares and writes the file."""
    params = frame.params
    check_version(params["version"])
    name, path = params["name"], params["dest"]
    scope = frame.scope(session)
    version, uid = profiles.find(session, scope, name, params["version"])
    current = read_whole(session, scope, uid, name)
    sensitive = any(one.get("isSensitive") for one in current.variables)
    mode = files.MODE if sensitive else None
    text = export_text(session, scope, uid, form=params["format"] or format_of(path), name=f"{name} {version}")
    after, secrets = hidden(text)
    frame.hide(secrets)
    have = present(path)
    # The same said otherwise is the same: what is there stays, but for its mode.
    wanted = have if have and same_yaml(have, text) and format_of_text(have) == format_of_text(text) else text
    changed = files.differs(path, wanted, mode=mode)
    result = {
        "changed": changed,
        "dest": path,
        "cluster_profile": profiles.describe(current.profile),
        "sensitive": sensitive,
    }
    if changed:
        left, right = changed_lines("\n".join(hidden(have)[0]), "\n".join(after))
        result["diff"] = {"before": "\n".join(left) + "\n", "after": "\n".join(right) + "\n", "before_header": path}
        if not frame.check_mode:
            files.write(path, wanted, mode=mode)
    return result


def format_of_text(text: str) -> str:
    """JSON or YAML, which JSON is, too."""
    return "json" if text.lstrip().startswith("{") else "yaml"


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
