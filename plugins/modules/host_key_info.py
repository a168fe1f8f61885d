#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_key_info
short_description: Read which SSH host key is pinned for an Edge host
description:
  - Reads, on the control node, what the file of known hosts has for the task's host, and on request which key the host
    shows now.
  - Run the task on the host itself, without C(delegate_to). Nobody logs in.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host.reach
  - palette.edge.attributes.info
attributes:
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options:
  shown:
    description: Whether to ask the host for its keys, through jump hosts if need be.
    type: bool
    default: false
  name:
    description: The name under which the key is kept. By default the one that ssh is told to use.
    type: str
  known_hosts:
    description: The file of known hosts. By default the one that ssh is told to use.
    type: path
seealso:
  - module: palette.edge.host_key
"""

EXAMPLES = r"""
- name: Compare the keys of all hosts with what they show now
  palette.edge.host_key_info:
    shown: true
  register: host_keys

- name: Name the hosts that show another key
  ansible.builtin.debug:
    msg: "{{ host_keys.name }} shows {{ host_keys.shown | map(attribute='fingerprint') | join(', ') }}"
  when: not host_keys.matches
"""

RETURN = r"""
name:
  description: The name under which the key is kept.
  type: str
  returned: success
  sample: store-042-1
known_hosts:
  description: The file of known hosts.
  type: str
  returned: success
  sample: /srv/stores/.known_hosts
fingerprints:
  description: What the file has for the host; empty before the first contact.
  type: list
  elements: str
  returned: success
  sample: ["SHA256:pP4tlDMSlvyZwvSXxBZAJsG8GdmsbUaqPPxYmfbXxoI"]
shown:
  description: The keys that the host shows, until one of them is in the file.
  type: list
  elements: dict
  returned: when O(shown)
  contains:
    type:
      description: Kind of the key.
      type: str
      returned: success
      sample: ED25519
    fingerprint:
      description: Its fingerprint.
      type: str
      returned: success
      sample: SHA256:pP4tlDMSlvyZwvSXxBZAJsG8GdmsbUaqPPxYmfbXxoI
address:
  description: The address that answered.
  type: str
  returned: when O(shown)
  sample: 10.42.0.11
matches:
  description: Whether one of them is in the file.
  type: bool
  returned: when O(shown)
  sample: true
"""
