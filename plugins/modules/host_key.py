#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_key
short_description: Accept or forget the SSH host key of an Edge host
description:
  - Works on the control node, on the file of known hosts by which OpenSSH checks the task's host. What is kept there of
    other hosts stays as it is.
  - A host that was reinstalled shows another key than the one that was pinned at the first contact, and is refused. This
    module accepts the new key, by the fingerprint that the host's console shows, or forgets the old one.
  - The file is replaced in one piece. Several tasks and several runs may do so at once, while ssh adds keys to it.
  - Run the task on the host itself, without C(delegate_to). Nothing is sent to the host but, with O(fingerprint), the
    question for its key, and nobody logs in.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host.reach
attributes:
  check_mode:
    description: Can run in check mode. The host is asked for its key, and nothing is written.
    support: full
  diff_mode:
    description: Shows the kinds and fingerprints of the host's keys before and after.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options:
  state:
    description:
      - V(present) has exactly the given key for the host, in place of any other.
      - V(absent) forgets all keys of the host. With the policy V(pinned) the next contact takes the key that the host shows
        then, whoever answers.
    type: str
    choices: [present, absent]
    default: present
  fingerprint:
    description:
      - The fingerprint of the key to accept, C(SHA256:) and 43 characters. A line of C(ssh-keygen -l) will do.
      - When no key with this fingerprint is known yet, the host is asked for its keys, through jump hosts if need be. A host
        that shows no such key is an error, and nothing is accepted.
      - Give this or O(key).
    type: str
  key:
    description:
      - The public key itself, as in C(/etc/ssh/ssh_host_ed25519_key.pub) of the host, or several of them. The host need not
        answer.
    type: list
    elements: str
  name:
    description:
      - The name under which the key is kept. By default the one that ssh is told to use (C(HostKeyAlias)), which the inventory
        P(palette.edge.sites#inventory) sets to the host's name in the inventory; else the host's address.
    type: str
  known_hosts:
    description:
      - The file, made when it is missing. By default the one that ssh is told to use (C(UserKnownHostsFile)), in the
        configuration of ssh or by the inventory P(palette.edge.sites#inventory).
    type: path
requirements:
  - OpenSSH on the control node, and P(ansible.builtin.ssh#connection) as the connection, unless O(name), O(known_hosts) and
    O(key) are given.
seealso:
  - module: palette.edge.host_key_info
  - plugin: palette.edge.sites
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Accept the key of a reinstalled host, as its console shows it
  palette.edge.host_key:
    fingerprint: SHA256:pP4tlDMSlvyZwvSXxBZAJsG8GdmsbUaqPPxYmfbXxoI

- name: Forget the key, so that the next contact takes the new one
  palette.edge.host_key:
    state: absent

- name: Pin hosts before the first contact, with keys that came from the installation
  palette.edge.host_key:
    key: "{{ lookup('ansible.builtin.file', 'host_keys/' ~ inventory_hostname ~ '.pub') }}"

- name: Accept the key of a jump host
  palette.edge.host_key:
    name: bastion.example.com
    known_hosts: ~/.ssh/known_hosts
    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINPf0Mlqwc4bvrO3SA3Htq0ZtDef5WwwPStuS4Pql8Gy
  delegate_to: localhost
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
  description: What the file has, or would have, for the host.
  type: list
  elements: str
  returned: success
  sample: ["SHA256:pP4tlDMSlvyZwvSXxBZAJsG8GdmsbUaqPPxYmfbXxoI"]
forgotten:
  description: What it had and has no more.
  type: list
  elements: str
  returned: success
  sample: ["SHA256:eAJBeX5HyvzTtGPvxfBvCcZVSdM46UdRNxNUEXFt6Lw"]
"""
