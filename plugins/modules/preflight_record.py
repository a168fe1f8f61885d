#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_record
short_description: What a preflight learns of one Edge host or site
description:
  - Keeps what M(palette.edge.host_checks) told of a host, and what is known of a site, until M(palette.edge.preflight_report)
    judges all of it together. Hosts know nothing of each other, so what they have in common is kept on the control node.
  - Is kept in Ansible's own temporary folder, and gone when Ansible ends.
  - The role C(palette.edge.preflight) is made with it.
author:
  - The palette.edge authors (@palette-edge)
options:
  site:
    description: Name of the site that the entry of the inventory belongs to.
    type: str
    default: ""
  phase:
    description:
      - V(site) keeps what is known of a site, in O(settings).
      - V(host) keeps what a host told at first, in O(answer).
      - V(peers) tells what a host is to try at those that answered.
      - V(tried) keeps what came of that, in O(answer).
    type: str
    choices: [site, host, peers, tried]
    required: true
  settings:
    description:
      - Of a host C(name), C(id), C(address), C(gateway), C(nameservers), C(proxied) and C(no_proxy).
      - Of a site C(hosts), C(cluster) and C(profiles) as the inventory has them, C(project), C(management_mode), C(token),
        C(pod_cidr), C(service_cidr), C(versions), C(matrix), and C(api) with the results of the tasks that asked Palette.
    type: dict
    default: {}
  answer:
    description: The result of M(palette.edge.host_checks), also when the host did not answer.
    type: dict
    default: {}
  ports:
    description: Ports that must be open between the hosts of a site.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: TCP port.
        type: int
        required: true
      from:
        description: Who has to reach it.
        type: str
        choices: [all, control_plane]
        default: all
      to:
        description: Where it has to be reached.
        type: str
        choices: [all, control_plane]
        default: all
  listen_seconds:
    description: For how many seconds the host listens on those ports.
    type: int
    default: 0
  max_clock_skew:
    description: How many seconds the clocks of two hosts of a site may differ.
    type: int
    default: 0
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
  idempotent:
    description: Never reports a change.
    support: full
seealso:
  - module: palette.edge.host_checks
  - module: palette.edge.preflight_report
"""

EXAMPLES = r"""
- name: Look at the host
  palette.edge.host_checks:
    memory_mib: 7500
    listen: [6443]
    fail_on_error: false
  register: looked
  ignore_unreachable: true

- name: Keep what it told
  palette.edge.preflight_record:
    phase: host
    site: store-042
    answer: "{{ looked }}"
    ports:
      - port: 6443
        to: control_plane
    settings:
      name: store-042-1
      id: edge-store-042-1
      address: 10.42.0.11/24
"""

RETURN = r"""
peers:
  description: What the host is to try, as O(palette.edge.host_checks#module:peers) takes it.
  returned: when O(phase=peers)
  type: list
  elements: str
  sample: ["10.42.0.12:6443"]
free_addresses:
  description: Addresses that it is to ask for, as O(palette.edge.host_checks#module:free_addresses) takes them.
  returned: when O(phase=peers)
  type: list
  elements: str
  sample: [10.42.0.11, 10.42.0.10]
"""
