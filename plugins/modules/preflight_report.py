#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_report
short_description: Everything that is in the way of a site, in one table
description:
  - Judges what M(palette.edge.preflight_record) kept in this run of the hosts of a site, each by itself and against each
    other, and of the site as a whole. Prints one table for each site, with all that is wrong at once.
  - To be run on every entry in the end. The first to come prints, the others find it done.
  - Fails for an entry that an error is about, and for the site's own entry with any error of the site. Warnings are no
    failure.
author:
  - The palette.edge authors (@palette-edge)
options:
  site:
    description: Name of the site that the entry of the inventory belongs to.
    type: str
    default: ""
  dest:
    description: File on the control node for all of it as JSON, also what is fine. The folder must be there.
    type: path
  fail_on_error:
    description: Whether an error is a failure.
    type: bool
    default: true
attributes:
  check_mode:
    description: Prints the table, and does not write O(dest).
    support: full
  diff_mode:
    description: Changes nothing on hosts or in Palette, so there is nothing to show.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
seealso:
  - module: palette.edge.preflight_record
  - module: palette.edge.host_checks
"""

EXAMPLES = r"""
- name: Tell what is in the way
  palette.edge.preflight_report:
    site: store-042
    dest: preflight.json
"""

RETURN = r"""
ok:
  description: Whether there is no error about this entry.
  returned: always
  type: bool
counts:
  description: How many errors, warnings and fine checks there are about this entry.
  returned: always
  type: dict
  sample: {errors: 1, warnings: 0, fine: 17}
findings:
  description: What is wrong, errors first. What is the same on several hosts is one finding.
  returned: always
  type: list
  elements: dict
  sample:
    - where: [store-042-1, store-042-3]
      check: unique
      ok: false
      severity: error
      seen: store-042-1, store-042-3 share the machine ID 1f0c6d53e2ab4c0f9b7d6a2f5be1c3aa
      wanted: each its own
      advice: "they were cloned: empty /etc/machine-id on all but one and reboot them"
dest:
  description: The file that was written.
  returned: when O(dest) is given, outside of check mode
  type: str
  sample: /home/me/preflight.json
"""
