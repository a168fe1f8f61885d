#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_diagnosis
short_description: Known failures of an Edge host in words, and its support bundle
description:
  - Collects what an Edge host says about itself, and explains the known failures in it. Each is told with what is seen,
    what it means, and what to do.
  - Looks at boot, disks, clock, network, units, journal, the agent's and Kubernetes' log files, containers, certificates
    and user-data. Runs in a few round trips of plain shell, and writes nothing on the host, so that it works with a full
    disk, too. What a host lacks is left out.
  - With O(dest) all of it is written to a support bundle on the controller, a C(.tar.gz) of mode 0600.
  - Secrets are hidden before anything is written or returned. These are the secrets of the user-data and of the agent's own
    state wherever they occur, private keys, and what looks like a token or password. User-data is in the bundle without
    its scripts. Read a bundle all the same before it goes to strangers.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
attributes:
  check_mode:
    description: Explains as usual, and writes no bundle.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Without O(dest) it only reads. Each run with O(dest) writes another bundle.
    support: partial
options:
  dest:
    description:
      - File on the controller to write the bundle to. One that is there is replaced.
      - A folder, or what ends with C(/) and is made when it is missing, gets a file named by the host and the time.
      - Empty for no bundle.
    type: str
    default: ""
  max_size:
    description: What the bundle may take at most. What does not fit is left out and told in RV(left_out).
    type: str
    default: 50M
  log_size:
    description: How much of the end of each log to take.
    type: str
    default: 512K
  journal_lines:
    description: How many of the last lines to take of each unit's journal, of the present boot.
    type: int
    default: 2000
  secrets:
    description: Further secrets to hide, of six characters or more.
    type: list
    elements: str
    default: []
  vendor_script:
    description:
      - Whether to run the vendor's C(support-bundle-edge.sh) as well when the host has it, and to add what it collects. It
        writes to the host's disk; the file is removed again.
      - Only with O(dest).
    type: bool
    default: false
  vendor_timeout:
    description: Seconds that the vendor's script may take.
    type: int
    default: 600
seealso:
  - module: palette.edge.host_facts
  - module: palette.edge.etcd_info
"""

EXAMPLES = r"""
- name: Ask what is wrong
  palette.edge.host_diagnosis:
  become: true
  register: asked

- name: Show it
  ansible.builtin.debug:
    msg: "{{ asked.findings | palette.edge.to_table(['severity', 'rule', 'seen', 'do']) }}"

- name: Write a support bundle, with the token of another system hidden
  palette.edge.host_diagnosis:
    dest: bundles/
    max_size: 20M
    secrets:
      - "{{ registry_password }}"
  become: true
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.11
healthy:
  description: Whether no finding is an error.
  type: bool
  returned: success
  sample: false
findings:
  description: The known failures that were recognised, errors first.
  type: list
  elements: dict
  returned: success
  contains:
    rule:
      description: Name of the failure.
      type: str
    severity:
      description: V(error) or V(warning).
      type: str
    where:
      description: Section of the bundle in which it shows.
      type: str
    seen:
      description: What is seen there.
      type: str
    means:
      description: What it means.
      type: str
    do:
      description: What to do.
      type: str
    source:
      description: Who knows of it, V(documented) by the vendor, V(field) for what was seen in the field, V(general) for the rest.
      type: str
  sample:
    - rule: upgrade-fell-back
      severity: error
      where: boot/cmdline
      seen: root=LABEL=COS_PASSIVE upgrade_failure
      means: An upgrade of the operating system did not boot, and the host fell back to its passive image.
      do: Boot the active image.
      source: documented
bundle:
  description: The bundle that was written; empty without one.
  type: dict
  returned: success
  sample: {path: /home/ops/bundles/store-042-1-20261121T145500Z.tar.gz, size: 184220, files: 61}
left_out:
  description: What is not in the bundle, and why.
  type: list
  elements: str
  returned: success
  sample: ["journal: there is no journalctl on the host"]
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them.
  type: dict
  returned: success
  sample:
    host_name: store-042-1
    addresses: [10.42.0.11/24]
"""
