#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_info
short_description: List projects
description:
  - Lists the projects that the key can see, with name and UID, description and tags.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a project. Without it, all are listed.
    type: str
notes:
  - Projects belong to the tenant, so O(project) and O(scope) are not used.
"""

EXAMPLES = r"""
- name: List projects
  palette.edge.project_info:
  register: found
"""

RETURN = r"""
projects:
  description: The projects, sorted by name. Empty when none bears the name.
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 5eea74e9c1d2e3f405162738
      name: Default
      description: ""
      tags: {}
      clusters: 12
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources._projects import listing

ARGUMENTS: dict[str, Any] = {"name": {"type": "str"}}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists projects."""
    return {"changed": False, "projects": listing(session, frame.params["name"])}


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS).run(work)


if __name__ == "__main__":
    main()
