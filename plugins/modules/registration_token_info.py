#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registration_token_info
short_description: List registration tokens of Edge hosts
description:
  - Lists the tokens of the tenant, or those of one name. Secrets are not returned.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name or UID of a token. Without it, all are listed.
    type: str
seealso:
  - module: palette.edge.registration_token
"""

EXAMPLES = r"""
- name: List all registration tokens
  palette.edge.registration_token_info:
  register: tokens
"""

RETURN = r"""
registration_tokens:
  description: The tokens; an empty list when there is none.
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 6655f0c2a1b2c3d4e5f60718
      name: store-042
      description: ""
      project: Default
      project_uid: 5eea74e9c1d2e3f405162738
      expires: "2027-12-31T00:00:00.000Z"
      active: true
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _registration_token as tokens


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists tokens."""
    return {"changed": False, "registration_tokens": tokens.listing(session, frame.params["name"])}


def main() -> None:
    """Entry point."""
    Frame({"name": {"type": "str"}}).run(work)


if __name__ == "__main__":
    main()
