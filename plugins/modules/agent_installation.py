#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_installation
short_description: Install, upgrade or uninstall Palette's agent on a Linux host
description:
  - Makes a Linux host an Edge host by agent mode, with shell commands over the task's connection alone. The host needs
    no Python.
  - What is done is decided from what is on the host. A record there (C(record.json) in O(folder), readable by root
    only) says which version was installed, with a digest of the user-data; an installation that agrees with it is left
    alone.
  - The installation runs as a unit of systemd and outlives the connection. A run that was cut off is taken up by the
    next one, which waits for the end of the installation instead of starting another.
  - The user-data is checked as a whole before the host is contacted, lies on the host with mode 0600 while the
    installer runs, and is removed then. C(install.reboot) and C(install.poweroff) are always false. Reboot with
    M(palette.edge.host_reboot) when RV(reboot_required).
  - The installer is run in a private directory with every address given (C(IMAGE), C(URL)), its program a local file
    that was checked. An installer that wants its program from elsewhere all the same is stopped, and one that ends well
    without having installed a unit has failed.
  - With O(method=package) the package is unpacked at C(/), units last, and the user-data is put at
    C(/var/lib/spectro/userdata), where it stays. The agent installs itself with the next boot.
  - An upgrade installs another version in the same way and leaves the user-data in force alone. That it may be done
    like this is not documented by the vendor.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.on_host.proxy
attributes:
  check_mode:
    description: Says what would be done; the host is asked only.
    support: full
  diff_mode:
    description: Shows version, variant and a digest of the user-data without its registration token.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
options:
  state:
    description: Whether the agent is to be installed.
    type: str
    choices: [present, absent]
    default: present
  version:
    description: Version of the agent. Needed with O(state=present).
    type: str
  method:
    description: >-
      V(connected) runs the vendor's installer, which pulls an image. V(package) unpacks the package that has all in it.
    type: str
    choices: [connected, package]
    default: connected
  fips:
    description: The FIPS variant. The host's system must be in FIPS mode itself.
    type: bool
    default: false
  files:
    description: >-
      Files of the release, as M(palette.edge.agent_release) returns them. For O(state=absent), the uninstaller.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name in the release.
        type: str
        required: true
      sha256:
        description: SHA-256. The file is compared with it on the host before it is used.
        type: str
        required: true
      path:
        description: Path on the control node.
        type: path
      url:
        description: Address for O(fetch_from=host).
        type: str
  fetch_from:
    description: Whether the files come from the control node, or the host itself downloads them with curl.
    type: str
    choices: [control_node, host]
    default: control_node
  image:
    description: >-
      Image that the installer takes the agent from, such as one on a mirror, or V(dir:/path). By default the vendor's.
    type: str
    default: ""
  user_data:
    description: The user-data, as a mapping or YAML text. Needed with O(state=present).
    type: raw
  registration_token:
    description: The secret of the registration token, put into the user-data.
    type: str
  registration_token_later:
    description: Whether a run in check mode may go without the token.
    type: bool
    default: false
  host_id:
    description: >-
      Edge host ID. It is C(stylus.site.name) of the user-data, and compared with what the host was installed as.
    type: str
    required: true
  folder:
    description: Folder on the host for all this. Programs are run from it, so its file system must allow that.
    type: str
    default: /opt/palette-agent
  root:
    description: Install root of the agent, for O(state=absent). Otherwise it is C(stylus.path) of the user-data.
    type: str
    default: /
  registered:
    description: >-
      Whether Palette knows the host. One that never registered is installed again when its user-data changed.
    type: bool
    default: true
  running_version:
    description: >-
      Version that Palette reports, if any. Palette upgrades agents by itself; such a host is not installed again.
    type: str
    default: ""
  on_user_data_change:
    description:
      - What to do when the user-data of an installed host differs. It is not read again by the agent, so V(refuse) is
        an error that says so, V(ignore) leaves it, and V(install) runs the installer again, which the vendor does not
        document.
      - Another registration token alone is no difference.
    type: str
    choices: [refuse, ignore, install]
    default: refuse
  allow_downgrade:
    description: Whether an older version may be installed over a newer one.
    type: bool
    default: false
  adopt:
    description: Whether an agent that others installed is taken over as it is. Nothing but the record is written then.
    type: bool
    default: false
  confirm:
    description: The Edge host ID once more, for O(state=absent).
    type: str
    default: ""
  install_timeout:
    description: Seconds to wait for the installer. It goes on when they are over, and a later run waits for it.
    type: int
    default: 1800
seealso:
  - module: palette.edge.agent_release
  - module: palette.edge.agent_registration
"""

EXAMPLES = r"""
- name: Install the agent
  palette.edge.agent_installation:
    version: 4.8.21
    files: "{{ release.files }}"
    host_id: edge-store-042-1
    user_data:
      stylus:
        site:
          paletteEndpoint: api.spectrocloud.com
          projectName: Default
    registration_token: "{{ lookup('palette.edge.registration_token', 'store-042') }}"
  become: true
  register: agent

- name: Reboot, so that the agent starts
  palette.edge.host_reboot:
  become: true
  when: agent.reboot_required

- name: Uninstall the agent
  palette.edge.agent_installation:
    state: absent
    host_id: edge-store-042-1
    confirm: edge-store-042-1
  become: true
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.101
act:
  description: What was or would be done, of V(nothing), V(install), V(upgrade), V(attach), V(adopt) and V(uninstall).
  type: str
  returned: success
  sample: install
steps:
  description: What was or would be done, in words.
  type: list
  elements: str
  returned: success
  sample: [install 4.8.21]
uninstaller:
  description: Path of the uninstaller that came with the agent; empty when there is none.
  type: str
  returned: when O(state=absent)
  sample: /opt/spectrocloud/scripts/spectro-uninstall.sh
installed:
  description: What is installed then, with the keys C(version), C(method) and C(fips).
  type: dict
  returned: when O(state=present)
  sample: {version: 4.8.21, method: connected, fips: false}
reboot_required:
  description: Whether the host has yet to boot with it.
  type: bool
  returned: success
  sample: true
user_data:
  description: The user-data, secrets hidden.
  type: dict
  returned: when O(state=present)
  sample: {stylus: {site: {name: edge-store-042-1}}}
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them.
  type: dict
  returned: success
  sample: {host_name: store-042-1, architecture: amd64}
"""
