#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_reboot
short_description: Reboot an Edge host without Python and find it again
description:
  - Reboots a host and waits until it answers with another boot ID, at its old address or a new one.
  - The machine that answers must be the one that was rebooted, by its machine ID or the MAC address of a NIC,
    so another host that got the old address is not mistaken for it.
  - Stops early when the host refuses the order, or when it took it and goes on running.
  - A host that does not come back in time is reported as unreachable, with the last state seen of each address. Other
    hosts go on.
  - With C(-v) it tells every round what it waits for.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
attributes:
  check_mode:
    description: Says that it would reboot; the host is asked, not rebooted.
    support: full
  diff_mode:
    description: A reboot has no shape to show.
    support: none
  idempotent:
    description: Every run reboots. Run it when something asks for it, such as
      RV(palette.edge.site_user_data#module:reboot_required).
    support: none
options:
  addresses:
    description:
      - Addresses at which the host may answer after the reboot, the likeliest (a new one) first. A prefix length is
        taken off.
      - The address at which the host answers before the reboot is tried in any case, last unless it is listed.
    type: list
    elements: str
    default: []
  connect_timeout:
    description: Seconds that one try of one address may take to connect.
    type: int
    default: 5
  timeout:
    description: Seconds from the order to reboot until the host must answer again.
    type: int
    default: 600
seealso:
  - module: ansible.builtin.reboot
    description: For hosts with Python, at an address that stays.
"""

EXAMPLES = r"""
- name: Reboot, and find the host at its new address or the old one
  palette.edge.host_reboot:
    addresses:
      - 10.42.0.11
    timeout: 900
  become: true
  register: rebooted

- name: Go on at the address that answered
  ansible.builtin.set_fact:
    ansible_host: "{{ rebooted.address }}"
"""

RETURN = r"""
address:
  description: The address that answered after the reboot; in check mode, before it.
  type: str
  returned: success
  sample: 10.42.0.11
old_boot_id:
  description: Boot ID before the reboot.
  type: str
  returned: success
  sample: 416f4d72-04ba-4542-9670-7e9002850c51
new_boot_id:
  description: Boot ID after the reboot; in check mode, the one before it.
  type: str
  returned: success
  sample: 8a1f0f4e-5d2e-44a1-9a59-6c0c1a7b8f10
elapsed:
  description: Seconds from the order to the answer.
  type: float
  returned: success
  sample: 41.3
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them, after the reboot.
  type: dict
  returned: success
  sample:
    boot_id: 416f4d72-04ba-4542-9670-7e9002850c51
    host_name: store-042-1
    addresses: [10.42.0.11/24]
"""
