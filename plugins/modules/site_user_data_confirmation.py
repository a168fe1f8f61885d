#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_user_data_confirmation
short_description: Confirmation of a changed user-data, so that an Edge host keeps it
description:
  - Confirms the user-data that M(palette.edge.site_user_data) wrote with
    O(palette.edge.site_user_data#module:confirm_within), over the connection that it leads to. The host's way back to
    its old user-data is taken away.
  - Fails, saying so, when the host took its old user-data back, or is about to, and when the user-data is another one than that
    which waits.
  - A host that has yet to boot with it is not confirmed, as nothing is proven. Nor is there anything to do on a host
    where nothing waits.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
attributes:
  check_mode:
    description: Says whether it would confirm, and changes nothing.
    support: full
  diff_mode:
    description: There is no shape to show.
    support: none
  idempotent:
    description: What is confirmed stays so; a second run changes nothing.
    support: full
options:
  state:
    description: V(confirmed) confirms, V(asked) only tells how it stands.
    type: str
    choices: [confirmed, asked]
    default: confirmed
  path:
    description: Path of the site layer on the host.
    type: str
    default: /oem/user-data
  sha256:
    description:
      - Checksum of the user-data that is to be in force (RV(palette.edge.site_user_data#module:sha256)).
      - Without it, a note that the host took something back earlier is no failure.
    type: str
seealso:
  - module: palette.edge.site_user_data
"""

EXAMPLES = r"""
- name: Give the host another address, with a way back
  palette.edge.site_user_data:
    addresses: [10.42.0.12/24, 10.42.0.11]
    partial: true
    host_id: edge-store-042-1
    confirm_within: 600
    interfaces:
      eth0: {address: 10.42.0.12/24, gateway: 10.42.0.1}
  become: true
  register: site_layer

- name: Reboot, and find the host again
  palette.edge.host_reboot:
    addresses: [10.42.0.12]
  become: true
  when: site_layer.reboot_required

- name: It is reached at its new address, so that stays
  palette.edge.site_user_data_confirmation:
    addresses: [10.42.0.12, 10.42.0.11]
    sha256: "{{ site_layer.sha256 }}"
  become: true
"""

RETURN = r"""
address:
  description: The address at which the host answered.
  type: str
  returned: success
  sample: 10.42.0.12
waits:
  description: Whether a user-data still waits for its confirmation.
  type: bool
  returned: success
  sample: false
booted:
  description: Whether the host has booted with the user-data that waited.
  type: bool
  returned: success
  sample: true
within:
  description: Seconds from the boot that the host waits; 0 when nothing waited.
  type: int
  returned: success
  sample: 600
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them.
  type: dict
  returned: success
  sample:
    boot_id: 416f4d72-04ba-4542-9670-7e9002850c51
"""
