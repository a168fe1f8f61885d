#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_upload
short_description: Send a large file to an Edge host, and go on where a cut link broke it off
description:
  - Sends a file of any size from the control node over SFTP, as fast as C(scp), with a few MiB of memory.
  - What has arrived waits in a hidden folder until it is complete. When the link is cut it stays there. The action goes on by
    itself (O(retries)), and so does a later run, after every part of what waits has been compared with the source by SHA-256.
  - The complete file is verified by SHA-256 on the host, given its owner and mode, flushed to the disk and renamed.
    Whatever happens before that leaves the file at O(dest) as it was.
  - A second run compares size and SHA-256 on the host and sends nothing when they are the same.
  - With C(become) the file is sent by the SSH user into a folder of that user's on the file system of O(dest), and the other
    user, who must be root, takes it from there. Where the SSH user cannot get at any folder on that file system, it waits in
    that user's home and is copied, which needs room for it twice.
  - Symbolic links are followed.
notes:
  - The host is reached by C(ssh) with the options that the connection of the task has, so user, port, keys, agent, password, jump
    hosts, C(~/.ssh/config), known hosts and the policy for host keys are the same. It asks no questions, and does not compress.
  - One login more than that of the connection is made for each upload, as a shared connection is not used for it.
  - Several hosts are served at once, as many as C(forks) allows. The checksum of O(src) is computed once for all of them.
  - While it is sent, its progress is told every ten seconds with C(-v).
  - A file that was cut off takes up its space until it is sent again. The folder is called C(.palette-upload-*) and lies beside
    O(dest), at the top of its file system, or in the home of the SSH user. One of another content for the same O(dest) is removed
    after an hour.
  - When the disk fills up meanwhile, what was sent is removed, as a host needs the space more.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.on_host.ownership
requirements:
  - paramiko >= 3.4 and OpenSSH's C(ssh) on the control node, P(ansible.builtin.ssh#connection) as the connection.
  - An SFTP server on the host, as OpenSSH has it.
attributes:
  check_mode:
    description: Can run in check mode and predict the change, and a lack of space, without writing anything.
    support: full
  diff_mode:
    description: Shows size and checksum, and the attributes.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
options:
  src:
    description:
      - The file on the control node, relative to the role's or playbook's C(files).
      - It is sent as it is; a file encrypted with Ansible Vault is refused.
    type: str
    required: true
  dest:
    description: Absolute path of the file on the host. Its directory must be there.
    type: str
    required: true
    aliases: [path]
  checksum:
    description:
      - SHA-256 of O(src), as C(sha256sum) prints it, with or without C(sha256:) before it.
      - Without it, it is computed, which takes a few seconds for each GiB. With it, only when the file is to be sent.
    type: str
  bandwidth_limit:
    description: The most bytes a second to send to this host, as V(10M) for 10 MiB. Each host has its own limit.
    type: bytes
  retries:
    description: How often it goes on by itself after the link was cut, each time when the host answers within O(timeout).
    type: int
    default: 5
seealso:
  - module: palette.edge.host_file
    description: For small files and for secrets.
"""

EXAMPLES = r"""
- name: Bring the content bundle
  palette.edge.host_upload:
    src: bundles/store-2.4.0.tar.zst
    dest: /usr/local/spectrocloud/bundle/store-2.4.0.tar.zst
    owner: root
    group: root
    mode: "0644"
  become: true

- name: Leave room on a slow line for the shop's own traffic
  palette.edge.host_upload:
    src: bundles/store-2.4.0.tar.zst
    dest: /usr/local/spectrocloud/bundle/store-2.4.0.tar.zst
    checksum: sha256:5d7108f27e148c22c29bfd3e8d20331e985801d3bbe87f81a5c1726a8490279a
    bandwidth_limit: 2M
    retries: 50
    timeout: 600
  become: true
"""

RETURN = r"""
dest:
  description: Path of the file on the host, symbolic links followed.
  type: str
  returned: success
  sample: /usr/local/spectrocloud/bundle/store-2.4.0.tar.zst
address:
  description: Address at which the host answered.
  type: str
  returned: success
  sample: 10.0.10.25
changes:
  description: What changed or would change, of V(content), V(owner), V(group) and V(mode).
  type: list
  elements: str
  returned: success
  sample: [content]
size:
  description: Bytes of the file.
  type: int
  returned: success
  sample: 5368709120
sha256:
  description: SHA-256 of the file.
  type: str
  returned: success
  sample: 5d7108f27e148c22c29bfd3e8d20331e985801d3bbe87f81a5c1726a8490279a
sent:
  description: Bytes of the file that this run brought.
  type: int
  returned: success
  sample: 3221225472
resumed_from:
  description: Bytes that were there when this run began, from one that was cut off.
  type: int
  returned: success
  sample: 2147483648
"""
