#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_configuration_info
short_description: What an Edge host has in force, and where it strays from its user-data
description:
  - Reads all layers of user-data from C(/oem) and the site layer, merges them as Palette does, and compares what they
    say with what the host has. In two round trips, without Python there.
  - Compared are host name, addresses, gateway, name servers, search domains, MTU, VLANs, proxy, CA certificates, time servers,
    accounts with their groups, keys and password hashes, the files for systemd-networkd, and the layers themselves.
  - Only what the user-data names is looked at. Further addresses (of a VIP, of containers), accounts and certificates
    are no drift.
  - Secrets are compared on the controller and returned nowhere.
  - Whether the site layer on the host is the one that is wanted says M(palette.edge.site_user_data) in check mode.
notes:
  - "Where an agent puts proxy, time servers and certificates is not documented. They are looked for in C(/etc/environment),
    C(/etc/profile.d) and the like, in the files of systemd-timesyncd, chrony and ntpd, and in the trust stores of the
    distributions. An agent that puts them elsewhere shows as drift."
  - "A password in clear cannot be compared with its hash; one that is a hash can."
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.attributes.info
options:
  path:
    description: Path of the site layer, which is merged last.
    type: str
    default: /oem/user-data
  fail_on_drift:
    description: Whether to fail when anything strays, with all of it in the message.
    type: bool
    default: false
seealso:
  - module: palette.edge.site_user_data
  - module: palette.edge.host_facts
"""

EXAMPLES = r"""
- name: Compare a host with its user-data
  palette.edge.host_configuration_info:
    addresses: [10.42.0.11/24, 10.42.0.101]
  become: true
  register: configuration

- name: Tell what strays
  ansible.builtin.debug:
    msg: "{{ item.what }}: wanted {{ item.wanted }}, seen {{ item.seen }}"
  loop: "{{ configuration.drift }}"
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.11
drift:
  description: What is not as the user-data says, each with C(what), C(wanted) and C(seen) as texts for people.
  type: list
  elements: dict
  returned: success
  sample:
    - {what: MTU of eth0, wanted: "9000", seen: "1500"}
layers:
  description: >-
    The layers in the order of their merge, each with C(path), C(mode), C(owner) and C(problem), which is empty for a sound one.
  type: list
  elements: dict
  returned: success
  sample:
    - {path: /oem/90_custom.yaml, mode: "0600", owner: root, problem: ""}
user_data:
  description: The effective user-data, secrets hidden.
  type: dict
  returned: success
  sample:
    stylus:
      site:
        hostName: store-042-1
put_back:
  description: >-
    When a changed user-data was not confirmed and the host took its old one back, C(at) what time that was, and the
    C(sha256) of the one it gave up. Empty otherwise.
  type: dict
  returned: success
  sample: {}
in_force:
  description: >-
    What the host has, as C(host_name), C(interfaces) and C(gateway) (as M(palette.edge.host_facts) returns them),
    C(nameservers), C(search), C(ntp_servers), C(proxy) (by name in small letters) and C(vlans) (each with C(name),
    C(id) and C(interface)).
  type: dict
  returned: success
  sample:
    host_name: store-042-1
    nameservers: [10.42.0.1]
    vlans: [{name: eth0.42, id: 42, interface: eth0}]
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them.
  type: dict
  returned: success
  sample:
    boot_id: 416f4d72-04ba-4542-9670-7e9002850c51
"""
