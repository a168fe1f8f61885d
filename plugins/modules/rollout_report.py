#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_report
short_description: Report on a rollout over a fleet, as a table, a page and data
description:
  - Makes a report of the records of M(palette.edge.rollout_record) of this run, prints it as a table, and writes it as a
    page (C(report.html), one file that needs nothing else) and as data (C(report.json)).
  - To be run for every site at the end. The first to come prints and writes, the others find it done.
  - Fails for a site that failed, so that the playbook ends as failed.
author:
  - The palette.edge authors (@palette-edge)
options:
  directory:
    description: Folder of the report, on the controller. A relative one is where Ansible was started.
    type: path
    default: manage-report
attributes:
  check_mode:
    description: Prints the table, and writes neither page nor data.
    support: full
  diff_mode:
    description: Changes nothing on hosts or in Palette, so there is nothing to show.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
seealso:
  - module: palette.edge.rollout_record
"""

EXAMPLES = r"""
- name: Report, and fail for each site that failed
  palette.edge.rollout_report:
    directory: reports/spring
"""

RETURN = r"""
counts:
  description: How many sites there are, and how many came to what.
  returned: always
  type: dict
  sample: {sites: 30, upgraded: 28, failed: 1, not started: 1}
page:
  description: The page.
  returned: outside of check mode
  type: str
  sample: /home/me/manage-report/report.html
data:
  description: The same as data.
  returned: outside of check mode
  type: str
  sample: /home/me/manage-report/report.json
record:
  description: The record of this site.
  returned: when it has one
  type: dict
  sample: {site: store-042, wave: canary, result: upgraded, seconds: 512.4}
"""
