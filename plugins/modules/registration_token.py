#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registration_token
short_description: Manage registration tokens of Edge hosts
description:
  - Creates, changes, enables, disables and deletes the tokens with which Edge hosts register themselves in Palette.
  - Tokens belong to the tenant. A token that is there already is found by its name and adopted.
  - The secret of a token is never returned; the lookup P(palette.edge.registration_token#lookup) hands it to whoever
    writes it into user-data.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the token, or its UID when several bear the name.
    type: str
    required: true
  state:
    description: Whether the token is to be there.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: What the token is for.
    type: str
  default_project:
    description:
      - Name or UID of the project that hosts register into, unless their user-data names one.
      - An empty text takes the default project away.
    type: str
  expires:
    description:
      - When the token ends, as a date (midnight UTC) or an RFC 3339 time. A moment that is past is refused.
      - A new token needs this or O(expires_in_days).
    type: str
  expires_in_days:
    description: Days from now until a new token ends. A token that is there keeps its end.
    type: int
  active:
    description: Whether hosts can register with the token. A new token is active.
    type: bool
seealso:
  - module: palette.edge.registration_token_info
  - module: palette.edge.edge_host
"""

EXAMPLES = r"""
- name: Have a registration token for store 42, good for a year
  palette.edge.registration_token:
    name: store-042
    default_project: Default
    expires_in_days: 365

- name: Close the token after the roll-out
  palette.edge.registration_token:
    name: store-042
    active: false
"""

RETURN = r"""
registration_token:
  description: The token, without its secret. In check mode, as it would be. Empty when it is absent.
  returned: success
  type: dict
  sample:
    uid: 6655f0c2a1b2c3d4e5f60718
    name: store-042
    description: ""
    project: Default
    project_uid: 5eea74e9c1d2e3f405162738
    expires: "2027-12-31T00:00:00.000Z"
    active: true
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [create registration token store-042]
"""

import datetime as dt
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._names import project_uid
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _registration_token as tokens

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str"},
    "default_project": {"type": "str"},
    "expires": {"type": "str"},
    "expires_in_days": {"type": "int"},
    "active": {"type": "bool"},
}


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads, plans and applies one token."""
    params = frame.params
    now = dt.datetime.now(dt.timezone.utc)
    present = params["state"] == "present"
    expires = tokens.future(params["expires"], option="expires", now=now) if present and params["expires"] else None
    tokens.check_days(params["expires_in_days"])
    project = params["default_project"] if present else None
    desired = tokens.DesiredToken(
        name=params["name"],
        present=present,
        description=params["description"],
        project_uid=project_uid(session, project, option="default_project") if project else project,
        expires=expires,
        expires_in_days=params["expires_in_days"],
        active=params["active"],
    )
    return reconcile(
        session,
        frame,
        read=lambda: tokens.find(session, desired.name),
        plan=lambda current: tokens.plan(
            current, desired, now=now, settle=lambda: tokens.describe(tokens.find(session, desired.name)).get("uid")
        ),
        noun="registration_token",
        describe=tokens.describe,
    )


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS, mutually_exclusive=[("expires", "expires_in_days")]).run(work)


if __name__ == "__main__":
    main()
