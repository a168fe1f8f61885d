#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user_data
short_description: Judge, merge and write the user-data of Edge hosts
description:
  - Judges user-data before a host sees it, and says everything that is wrong at once, with path and line and without
    secret values.
  - Puts the two layers together as a host does. Maps are merged, and the steps of C(stages) of both layers are run.
    What comes of another list that both layers give is not documented. Here that of the site is taken, and a
    warning says so.
  - Writes the result in a form that every YAML reader reads the same way, in one piece and for its owner alone. Keys that
    say nothing (C(""), C({}), C([])) are left out.
  - Works on the control node, so the layers are in no arguments that a host could log.
author:
  - The palette.edge authors (@palette-edge)
attributes:
  check_mode:
    description: Judges as usual, and predicts whether O(dest) would change without writing it.
    support: full
  diff_mode:
    description: Shows what changes in O(dest), secrets hidden.
    support: full
  idempotent:
    description: A file that says the same already stays as it is, comments and all.
    support: full
options:
  installer:
    description:
      - The layer that is built into the installer, as a mapping or as the text of a file.
      - Only of text the lines are known, and only text is asked for its first line, C(#cloud-config).
    type: raw
  site:
    description: The layer that the host is given on site, as a mapping or as the text of a file.
    type: raw
  view:
    description:
      - V(effective) judges what comes of the layers by the rules of its management mode, so nothing that a host needs may be
        missing.
      - V(layer) judges each layer alone.
    type: str
    choices: [effective, layer]
    default: effective
  agent_version:
    description:
      - Version of the agent (that of the installer's build, not Palette's), such as V(4.8.6). Keys that it does not know
        are errors.
      - Without it, keys with a replacement are warnings.
    type: str
  strict:
    description: Whether keys that no documentation names are errors instead of warnings.
    type: bool
    default: false
  dest:
    description:
      - Where to write the document on the control node, with mode C(0600). Nothing is written when there are errors.
      - With O(view=layer) one layer only.
    type: path
  render:
    description:
      - Whether to return the text of the document as RV(rendered). It holds the secrets in clear, so give the task C(no_log).
    type: bool
    default: false
  fail_on_error:
    description: Whether to fail when something is wrong. Otherwise see RV(valid).
    type: bool
    default: true
seealso:
  - module: palette.edge.site_user_data
  - plugin: palette.edge.to_user_data
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Judge the user-data of the installer alone
  palette.edge.user_data:
    installer: "{{ lookup('ansible.builtin.file', 'user-data') }}"
    view: layer
    agent_version: 4.8.6

- name: Judge what comes of both layers, and say what is wrong without failing
  palette.edge.user_data:
    installer: "{{ lookup('ansible.builtin.file', 'user-data') }}"
    site:
      stylus:
        site:
          name: edge-store-042-1
          tags: {site: store-042}
    fail_on_error: false
  register: judged

- name: Write the user-data of a host
  palette.edge.user_data:
    site:
      stylus:
        site:
          paletteEndpoint: palette.example.com
          edgeHostToken: "{{ lookup('palette.edge.registration_token', 'stores') }}"
          name: edge-store-042-1
    dest: user-data
"""

RETURN = r"""
valid:
  description: Whether nothing is wrong.
  returned: always
  type: bool
  sample: false
errors:
  description: What is wrong.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The place in the document. Empty for the text as a whole.
      type: str
      sample: stylus.site.paletteEndpoint
    line:
      description: The line of the place, or of what is around it; null for a layer given as a mapping.
      type: int
      sample: 4
    layer:
      description: Where it stands, V(installer) or V(site); V(effective) for what is in neither.
      type: str
      sample: site
    message:
      description: What is wrong and what to do, as a sentence that begins after the path.
      type: str
      sample: is missing, and a centrally managed host needs it; give the host name of Palette's API.
advice:
  description: What is allowed and mostly not meant, in the form of RV(errors).
  returned: always
  type: list
  elements: dict
  sample: [{path: stylus.skipKubeVip, line: 3, layer: site, message: is deprecated; use stylus.vip.skip.}]
warnings:
  description: RV(advice) as sentences, which Ansible prints.
  returned: when there are any
  type: list
  elements: str
  sample: ["stylus.skipKubeVip (site, line 3): is deprecated; use stylus.vip.skip."]
effective:
  description: The document that comes of the layers, its secrets hidden.
  returned: always
  type: dict
  sample: {stylus: {site: {paletteEndpoint: palette.example.com, edgeHostToken: <hidden>}}}
rendered:
  description: The text of the document, with its secrets.
  returned: when O(render) is true and nothing is wrong
  type: str
dest:
  description: The file.
  returned: when O(dest) is given and nothing is wrong
  type: str
  sample: user-data
"""
