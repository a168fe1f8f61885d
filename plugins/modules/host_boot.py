#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_boot
short_description: The next boot entry of an Edge host
description:
  - Chooses what an appliance host boots next, and only next, by C(next_entry) in the environment of its GRUB. With
    O(reboot) it is rebooted, found again, and must have booted what was chosen.
  - A choice that stands already is left alone, and so is a host that runs what it is to be rebooted into. A reset with
    O(reboot) resets in every run.
  - Hosts without GRUB are refused with what to do instead. These are hosts in agent mode and hosts with Trusted Boot.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.attributes
options:
  entry:
    description:
      - V(active) is the system that is booted by itself, V(fallback) the one before the last upgrade, V(recovery) the
        installer's, in which no agent runs, and V(registration) waits for the registration.
      - V(reset) takes links, content, cluster and upgrades of the agent away, and keeps C(/oem) with the user-data. It needs
        O(confirm).
      - The names of the menu entries C(cos) for V(active) and C(statereset) for V(reset) are documented by the vendor.
        C(fallback) and C(recovery) are those of Kairos, on which the appliance is built. C(registration) is inferred.
        Where the boot menu can be read on the host, the entry must be in it.
    type: str
    choices: [active, fallback, recovery, registration, reset]
  menu_entry:
    description:
      - ID or title of the menu entry, literally, in place of O(entry). One with C(reset) in its name is judged as V(reset).
    type: str
  state:
    description: V(absent) takes a choice back that did not come to a boot yet.
    type: str
    choices: [present, absent]
    default: present
  grubenv:
    description: The environment of GRUB on the host.
    type: str
    default: /oem/grubenv
  host_id:
    description:
      - ID that the Edge host is to have. Another host at its address is refused.
      - Needed with O(confirm) for a host whose user-data names no ID.
    type: str
    default: ""
  confirm:
    description: The ID of the Edge host, to confirm a reset. It is compared with what the host says of itself.
    type: str
    default: ""
  force:
    description: Whether to reset a host although it is a member of a cluster, which may lose its quorum with it.
    type: bool
    default: false
  reboot:
    description: Whether to reboot the host and wait for it, at its own address or one of O(addresses).
    type: bool
    default: false
  reboot_timeout:
    description: Seconds from the order to reboot until the host must answer again. A reset reboots twice.
    type: int
    default: 1800
notes:
  - After a reset a host may show another host key, as the old one may be gone with what was reset.
seealso:
  - module: palette.edge.host_reboot
    description: Reboots without a choice.
  - module: palette.edge.edge_host_reset
    description: Resets through Palette, which needs no SSH.
"""

EXAMPLES = r"""
- name: Go back to the active system after an upgrade that fell back
  palette.edge.host_boot:
    entry: active
    reboot: true
  become: true

- name: Reset a host that is in no cluster any more
  palette.edge.host_boot:
    entry: reset
    confirm: edge-store-042-1
    reboot: true
  become: true

- name: Choose the recovery system for the next boot, whoever boots it
  palette.edge.host_boot:
    entry: recovery
  become: true

- name: Think better of it
  palette.edge.host_boot:
    state: absent
  become: true
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.11
menu_entry:
  description: The menu entry that was chosen; empty with O(state=absent).
  type: str
  returned: success
  sample: statereset
next_entry:
  description: The menu entry that is booted next; empty when it is the usual one. In check mode, before the change.
  type: str
  returned: success
  sample: ""
booted:
  description: What the host booted, in the words of O(entry), V(live) from a medium, or V(unknown).
  type: str
  returned: success
  sample: active
rebooted:
  description: Whether the host was rebooted.
  type: bool
  returned: success
  sample: true
old_boot_id:
  description: Boot ID before the reboot.
  type: str
  returned: when it was rebooted
  sample: 416f4d72-04ba-4542-9670-7e9002850c51
new_boot_id:
  description: Boot ID after the reboot.
  type: str
  returned: when it was rebooted
  sample: 8a1f0f4e-5d2e-44a1-9a59-6c0c1a7b8f10
elapsed:
  description: Seconds from the order to the answer.
  type: float
  returned: when it was rebooted
  sample: 41.3
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them.
  type: dict
  returned: success
  sample:
    host_name: store-042-1
    addresses: [10.42.0.11/24]
"""
