#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_record
short_description: Record of one site in a rollout over a fleet
description:
  - Keeps the record of one site in the folder of a report, and tells whether the turn of the site has come, by what
    became of the sites before it. A failed canary site, or enough failed sites, keep all further ones from beginning.
  - Each site writes a file of its own, so nothing is lost when sites fail or a run is broken off. What a broken run began
    is carried on with in the next one.
  - Prints how far the fleet is when a batch begins, and keeps the page of M(palette.edge.rollout_report) up to date.
  - The playbook C(palette.edge.manage) is made with it.
author:
  - The palette.edge authors (@palette-edge)
options:
  directory:
    description: Folder of the report, on the controller. A relative one is where Ansible was started.
    type: path
    default: manage-report
  site:
    description: Name of the site.
    type: str
    required: true
  phase:
    description:
      - V(enlist) says that the site takes part, so that a report counts it from the start.
      - V(begin) asks whether its turn has come, and begins it.
      - V(end) says what became of it.
    type: str
    choices: [enlist, begin, end]
    required: true
  wave:
    description: Wave of the site; V(canary), or what to put the number of the batch behind.
    type: str
    default: batch
  stop_after:
    description: How many failed sites, over all waves, keep further ones from beginning.
    type: int
    default: 1
  result:
    description: What became of the site. Needed at its end.
    type: str
    choices: [upgraded, unchanged, skipped, failed, would change, no change, would fail]
  profiles_before:
    description: Cluster profiles with C(name) and C(version), as they were.
    type: list
    elements: dict
  profiles_after:
    description: Cluster profiles with C(name) and C(version), as they are to be.
    type: list
    elements: dict
  repaved:
    description: Whether the nodes of the site are repaved.
    type: bool
    default: false
  reasons:
    description: Why they are.
    type: list
    elements: str
    default: []
  steps:
    description: What was written to Palette, or would be.
    type: list
    elements: str
    default: []
  message:
    description: What to tell people, such as the reason of a failure.
    type: str
    default: ""
attributes:
  check_mode:
    description: In check mode the records are kept in Ansible's own temporary folder, and no page is written.
    support: full
  diff_mode:
    description: Changes nothing on hosts or in Palette, so there is nothing to show.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
seealso:
  - module: palette.edge.rollout_report
"""

EXAMPLES = r"""
- name: Ask whether the turn of the site has come
  palette.edge.rollout_record:
    site: store-042
    phase: begin
    stop_after: 3
  register: turn

- name: Say that it is done
  palette.edge.rollout_record:
    site: store-042
    phase: end
    result: upgraded
    profiles_before: [{name: edge-store, version: 1.0.0}]
    profiles_after: [{name: edge-store, version: 1.1.0}]
  when: turn.go
"""

RETURN = r"""
go:
  description: Whether the site may begin.
  returned: when O(phase=begin)
  type: bool
  sample: true
why:
  description: Why it may not; empty when it may.
  returned: when O(phase=begin)
  type: str
  sample: 1 failed (store-007)
record:
  description: The record of the site.
  returned: success
  type: dict
  sample:
    site: store-042
    wave: batch 2
    from_version: edge-store 1.0.0
    to_version: edge-store 1.1.0
    repaved: false
    result: upgraded
    seconds: 512.4
"""
