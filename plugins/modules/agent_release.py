#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_release
short_description: Have the files of an agent-mode release on the control node, as they are pinned
description:
  - Downloads the files that an installation of Palette's agent on a Linux host needs, into a folder of the control
    node.
  - The vendor publishes no checksums. Yours are compared before a file takes its place; a file with another one is not
    kept.
  - A web page in place of a file, and a program for another architecture, are refused even when their checksum is
    pinned.
  - A file that is there with the pinned checksum is not downloaded again. Where the control node has no way out, put
    the files into O(dest) yourself, below C(v) and the version.
  - Several hosts may ask for one file at once; it is downloaded once. Proxies are taken from the environment.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.attributes
attributes:
  check_mode:
    description: Says what it would download.
    support: full
  diff_mode:
    description: Shows the addresses of what is downloaded.
    support: full
  idempotent:
    description: A second run downloads nothing.
    support: full
  action:
    description: Runs on the control node, whatever the connection of the host is.
    support: full
options:
  version:
    description: Version of the agent, such as V(4.8.21). V(latest) is refused, as it may be too new for your Palette.
    type: str
    required: true
  architecture:
    description: Architecture of the host, V(amd64) or V(arm64).
    type: str
    default: amd64
  method:
    description:
      - V(connected) is the installer and its program, V(package) the package for hosts without a way out, V(uninstall)
        the script that removes the agent.
    type: str
    choices: [connected, package, uninstall]
    default: connected
  fips:
    description: The FIPS variant.
    type: bool
    default: false
  checksums:
    description: SHA-256 of each file by its name. May name more files than are asked for.
    type: dict
    default: {}
  require_checksums:
    description: Whether each file must have a checksum. Without, the result tells what was downloaded, for you to pin.
    type: bool
    default: true
  dest:
    description: Folder on the control node. The files are below C(v) and the version in it.
    type: path
    required: true
  base_url:
    description: Where releases are, without version and name; a mirror, or a C(file) address.
    type: str
    default: https://github.com/spectrocloud/agent-mode/releases/download
  ca_path:
    description: File with the certificates that O(base_url) is trusted by.
    type: path
  timeout:
    description: Seconds that the server may be silent.
    type: int
    default: 60
seealso:
  - module: palette.edge.agent_installation
"""

EXAMPLES = r"""
- name: Have the checksums of a release told, to compare and pin them
  palette.edge.agent_release:
    version: 4.8.21
    require_checksums: false
    dest: ~/.cache/palette-edge/agent-mode
  register: release

- name: Have the package for hosts without a way out here
  palette.edge.agent_release:
    version: 4.8.21
    method: package
    dest: ~/.cache/palette-edge/agent-mode
    checksums:
      agent-mode-linux-amd64.tar: 3f0a3cf5c3cd0d2bd2a3bb5b6c1b0b6f7f9e2b7e5f6a7d8c9e0f1a2b3c4d5e6f
"""

RETURN = r"""
version:
  description: The version without a leading v.
  type: str
  returned: success
  sample: 4.8.21
files:
  description: The files, as O(palette.edge.agent_installation#module:files) takes them.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the file in the release.
      type: str
      returned: success
    path:
      description: Its path on the control node.
      type: str
      returned: success
    sha256:
      description: Its SHA-256.
      type: str
      returned: success
    url:
      description: Where it comes from.
      type: str
      returned: success
  sample:
    - name: palette-agent-linux-amd64
      path: /home/ops/.cache/palette-edge/agent-mode/v4.8.21/palette-agent-linux-amd64
      sha256: 3f0a3cf5c3cd0d2bd2a3bb5b6c1b0b6f7f9e2b7e5f6a7d8c9e0f1a2b3c4d5e6f
      url: https://github.com/spectrocloud/agent-mode/releases/download/v4.8.21/palette-agent-linux-amd64
"""
