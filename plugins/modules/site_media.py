#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_media
short_description: An ISO with a site's user-data, for a USB stick or a virtual CD
description:
  - Writes an ISO labelled C(cidata) with the files C(user-data) and C(meta-data). Plugged into an Edge host before it starts at
    its site for the first time, it brings the site's layer of the user-data. The medium does not boot by itself.
  - Everything wrong with the user-data is told at once, and nothing is written then. It is judged by the rules of
    M(palette.edge.user_data) as one layer of two, since the installer's layer may say the rest.
  - The ISO is made on the control node, as it holds secrets. These are on no command line and in no file but the ISO.
  - The ISO is written beside its place, flushed to the disk and renamed. A fault leaves the old one as it was.
  - The same user-data gives the same ISO, to the byte. Its dates come from its content.
author:
  - The palette.edge authors (@palette-edge)
requirements:
  - The Python library C(pycdlib), 1.14 or later, on the control node.
attributes:
  check_mode:
    description: Can run in check mode and predict the change without writing anything.
    support: full
  diff_mode:
    description: Returns what is on the medium as YAML, before and after, with secrets hidden.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  platform:
    description: The task's host is not contacted.
    support: full
    platforms: posix
  action:
    description: Runs on the control node.
    support: full
options:
  site:
    description:
      - The site's user-data, a mapping or the text of a file, which begins with C(#cloud-config). Required with O(state=present).
      - A mapping is written as M(palette.edge.user_data) renders it. Text is written as it is, with the line ends of Unix.
      - Give what differs from the installer's user-data only.
    type: raw
  dest:
    description:
      - The ISO on the control node. Its directory must be there.
      - Only its owner can read the file (C(0600)) when there is a secret in it. Otherwise it keeps its mode.
    type: path
    required: true
  meta_data:
    description: The file C(meta-data), a mapping or text. Palette Edge asks for an empty one, which is the default.
    type: raw
  state:
    description: Whether the ISO is to be there.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A step of C(stages) whose name begins with C(skip-copy-) runs while the medium is plugged in and is not copied to the host.
    All else stays on the host, secrets too.
  - Take the medium out once the host is registered, and remove the ISO then.
seealso:
  - module: palette.edge.site_user_data
    description: For hosts that can be reached over SSH.
  - module: palette.edge.installer_media
"""

EXAMPLES = r"""
- name: A stick for each host of the store
  palette.edge.site_media:
    dest: "/srv/media/{{ inventory_hostname }}.iso"
    site:
      stylus:
        site:
          name: "edge-{{ inventory_hostname }}"
          paletteEndpoint: palette.example.com
          edgeHostToken: "{{ lookup('palette.edge.registration_token', 'store-042') }}"
          tags:
            site: store-042

- name: The same from a file that is kept in Ansible Vault
  palette.edge.site_media:
    dest: /srv/media/store-042.iso
    site: "{{ lookup('ansible.builtin.file', 'store-042.user-data.yml') }}"

- name: The host is registered, the ISO is not needed any longer
  palette.edge.site_media:
    dest: /srv/media/store-042.iso
    state: absent
"""

RETURN = r"""
dest:
  description: The ISO, symbolic links followed.
  type: str
  returned: success
  sample: /srv/media/store-042.iso
changes:
  description: What changed or would change, of V(created), V(content), V(mode) and V(removed).
  type: list
  elements: str
  returned: success
  sample: [created]
mode:
  description: Mode of the file.
  type: str
  returned: when O(state=present)
  sample: "0600"
size:
  description: Bytes of the ISO.
  type: int
  returned: when O(state=present)
  sample: 372736
sha256:
  description: SHA-256 of the ISO, in check mode of the one that would be written.
  type: str
  returned: when O(state=present)
  sample: 5d7108f27e148c22c29bfd3e8d20331e985801d3bbe87f81a5c1726a8490279a
"""
