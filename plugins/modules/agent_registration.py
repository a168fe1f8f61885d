#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_registration
short_description: Wait until an installed agent runs and has registered, and say what keeps it
description:
  - Looks at both ends, at the Edge host in Palette and at the agent on the host, until the one is ready and healthy and
    the other runs. Changes of state are told while it waits.
  - What waiting cannot mend ends it early, with the agent's own words from the journal of the host (a refused
    registration token, a project that is not there, user-data that is not understood, a full disk, a package that fails
    to install).
  - What the agent wrote is shown without what looks like a secret.
  - How the real agent words its complaints is not documented. What is not recognised is told when the time is up.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
attributes:
  check_mode:
    description: Asks Palette once and does not wait.
    support: full
  idempotent:
    description: Reads only.
    support: full
  action:
    description: Runs on the control node, so the host needs no Python.
    support: full
options:
  host_id:
    description: Edge host ID.
    type: str
    required: true
  look_at:
    description:
      - V(palette) waits for the Edge host to be ready and healthy in Palette. V(local_ui) waits for the agent to run
        and its Local UI to listen, for locally managed hosts. V(agent) waits for the agent to run.
    type: str
    choices: [palette, local_ui, agent]
    default: palette
  registration_token:
    description: The secret of the registration token, so that it can be hidden in the agent's words.
    type: str
  root:
    description: Install root of the agent, C(stylus.path) of the user-data.
    type: str
    default: /
  local_ui_port:
    description: Port of the Local UI.
    type: int
    default: 5080
  grace:
    description: >-
      Seconds that a trouble which waiting cannot mend is borne all the same, as it may be an old line of the journal.
    type: int
    default: 60
  wait:
    description: Whether to wait. When not, Palette is asked once, and the host is not asked.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1200
  wait_sleep:
    description: Seconds between two looks.
    type: int
    default: 5
seealso:
  - module: palette.edge.wait
    description: For hosts that cannot be asked, several at once.
"""

EXAMPLES = r"""
- name: Wait until the agent has registered the host
  palette.edge.agent_registration:
    host_id: edge-store-042-1
    project: Default
  become: true
"""

RETURN = r"""
state:
  description: The last state in words.
  type: str
  returned: success
  sample: 1 of 1 ready and healthy
waited:
  description: Seconds that passed.
  type: float
  returned: success
  sample: 74.5
registered:
  description: Whether Palette has the host as ready or in use.
  type: bool
  returned: success
  sample: true
in_use:
  description: Whether it is a node of a cluster.
  type: bool
  returned: success
  sample: false
clusters:
  description: Names of the clusters that it is a node of.
  type: list
  elements: str
  returned: success
  sample: []
agent_version:
  description: Version that the agent reports to Palette, without a leading v.
  type: str
  returned: success
  sample: 4.8.21
"""
