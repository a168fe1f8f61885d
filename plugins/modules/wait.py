#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wait
short_description: Wait for Edge hosts or a cluster, telling how far they are
description:
  - Waits until Edge hosts are ready and healthy, or until a cluster runs as defined, and prints every change of state
    while it waits, so that nobody sits in front of a silent screen.
  - Ends early on a state from which nothing goes on by itself (a failure that stays, a repave that waits for approval)
    and tells the last state when it times out, with the latest events of a cluster.
  - Reads only, unless O(approve_repave) is set. In check mode it does not wait, as an earlier task may only have predicted
    what is waited for.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
attributes:
  check_mode:
    description: Does not wait, and writes nothing.
    support: full
  idempotent:
    description: Reads only, or approves a repave once.
    support: full
options:
  edge_hosts:
    description: IDs of Edge hosts that are to be paired (ready or in use) and healthy.
    type: list
    elements: str
  cluster:
    description: Name of a cluster that is to run, with all machines running and all packs ready.
    type: str
  approve_repave:
    description: Whether a repave of the cluster that waits for approval is approved, instead of ending the wait.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 3600
  wait_sleep:
    description: Seconds between two looks at the most. The first looks follow each other faster.
    type: int
    default: 10
notes:
  - Runs on the controller, whatever the connection of the host is.
seealso:
  - module: palette.edge.edge_host
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: Wait until the cluster of store 42 runs
  palette.edge.wait:
    cluster: store-042
    wait_timeout: 1800
"""

RETURN = r"""
state:
  description: The last state in words.
  returned: success
  type: str
  sample: Running, 3 of 3 machines running, 4 of 4 packs ready
waited:
  description: Seconds that passed.
  returned: success
  type: float
  sample: 12.4
"""
