#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_upgrades
short_description: Pause the upgrades of Palette's agents in a project or the tenant
description:
  - Palette keeps the agents on Edge hosts and in clusters at its own version. This pauses that, or lets it go on, for all
    clusters of a project, or with O(scope=tenant) of the tenant.
  - A single cluster is paused with O(palette.edge.cluster#module:pause_agent_upgrades).
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  paused:
    description: Whether the upgrades are paused.
    type: bool
    required: true
seealso:
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: Keep the agents of a project as they are over the holidays
  palette.edge.agent_upgrades:
    project: Stores
    paused: true
"""

RETURN = r"""
agent_upgrades:
  description: Whether they are paused.
  returned: success
  type: dict
  sample:
    paused: true
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [pause the agent upgrades of the project]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._runner import Frame, reconcile
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _agent_upgrades as upgrades


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the setting of the scope and sets it."""
    paused = frame.params["paused"]
    scope = frame.scope(session)

    def read() -> bool:
        return upgrades.read(session, scope)

    return reconcile(
        session,
        frame,
        read=read,
        plan=lambda current: upgrades.plan(
            current, paused, scope=scope, settle=lambda: "done" if read() == paused else None
        ),
        noun="agent_upgrades",
        describe=lambda current: {"paused": current},
    )


def main() -> None:
    """Entry point."""
    Frame({"paused": {"type": "bool", "required": True}}).run(work)


if __name__ == "__main__":
    main()
