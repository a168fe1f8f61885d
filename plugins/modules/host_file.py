#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_file
short_description: Put a file on an Edge host without Python, in one piece
description:
  - Writes a file over the task's connection, with shell commands alone.
  - The new file is made beside its place, checked against its SHA-256, given its owner and mode, flushed to the disk
    and then renamed.
    A full disk, a cut connection or a power cut leaves the old file as it was.
    What a power cut leaves behind of the temporary file is removed by a later write.
  - The content goes through the connection's standard input. It is never on a command line nor in a temporary directory.
    (Over a connection without standard input, such as paramiko, it is handed over as a private file
    in memory that is unlinked as soon as it is opened.)
  - A second run compares SHA-256, owner, group and mode in one round trip and writes nothing when they are as wanted.
  - Symbolic links are followed.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.ownership
attributes:
  check_mode:
    description: Can run in check mode and predict the change without writing anything.
    support: full
  diff_mode:
    description: Shows the content and the attributes; with O(sensitive) sizes and checksums in place of the content.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
options:
  path:
    description: Absolute path of the file. Its directory must be there.
    type: str
    required: true
    aliases: [dest]
  content:
    description: The content, to the letter. Give this or O(src).
    type: str
  src:
    description:
      - A file on the controller with the content, relative to the role's or playbook's C(files). Give this or O(content).
      - A file encrypted with Ansible Vault is decrypted.
    type: str
  validate:
    description:
      - A shell command that must succeed on the new content before it takes its place. C(%s) in it is the path of the
        new file.
    type: str
    default: ""
  sensitive:
    description: The content is a secret. The diff then shows its size and checksum only, and the output of O(validate)
      is hidden.
    type: bool
    default: false
  state:
    description: Whether the file is to be there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: ansible.builtin.copy
    description: For hosts with Python.
"""

EXAMPLES = r"""
- name: Configure the time servers
  palette.edge.host_file:
    path: /etc/systemd/timesyncd.conf
    content: |
      [Time]
      NTP=ntp.example.com
    owner: root
    group: root
    mode: "0644"
  become: true

- name: Give an account passwordless sudo, but never a broken sudoers file
  palette.edge.host_file:
    path: /etc/sudoers.d/ops
    content: "ops ALL=(ALL) NOPASSWD: ALL\n"
    mode: "0440"
    validate: visudo -cf %s
  become: true

- name: Put a key file without showing it
  palette.edge.host_file:
    path: /etc/ssl/private/edge.key
    src: edge.key
    mode: "0600"
    sensitive: true
  become: true
"""

RETURN = r"""
path:
  description: Path of the file, symbolic links followed.
  type: str
  returned: success
  sample: /etc/systemd/timesyncd.conf
changes:
  description: What changed or would change, of V(content), V(owner), V(group), V(mode) and V(removed).
  type: list
  elements: str
  returned: success
  sample: [content]
sha256:
  description: SHA-256 of the wanted content.
  type: str
  returned: when O(state=present)
  sample: 5d7108f27e148c22c29bfd3e8d20331e985801d3bbe87f81a5c1726a8490279a
"""
