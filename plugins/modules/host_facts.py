#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_facts
short_description: Facts of an Edge host without Python, in one round trip
description:
  - Asks an Edge host about itself with one shell script over the task's connection, at the first of several addresses
    that answers.
  - The facts are a value of the result and nothing else. They do not become C(ansible_facts), so they neither mix with
    those of M(ansible.builtin.setup) nor linger in a fact cache; register the result.
  - A host that answers at no address is reported as unreachable, with each address and why it failed in one line. Other
    hosts go on.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.attributes.info
options:
  files:
    description: Absolute paths of files whose SHA-256 to tell. Files that only root may read need become.
    type: list
    elements: str
    default: []
seealso:
  - module: palette.edge.host_reboot
  - module: palette.edge.site_user_data
"""

EXAMPLES = r"""
- name: Find a host that may have its static address already, or still a lease
  palette.edge.host_facts:
    addresses:
      - 10.42.0.11/24
      - 10.42.0.101
    connect_timeout: 3
  register: found

- name: Go on at the address that answered
  ansible.builtin.set_fact:
    ansible_host: "{{ found.address }}"

- name: Refuse a host of another architecture
  ansible.builtin.assert:
    that: found.edge_host_facts.architecture == "amd64"
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.101
edge_host_facts:
  description: What the host says about itself.
  type: dict
  returned: success
  contains:
    boot_id:
      description: ID of this boot; another one after each reboot.
      type: str
      returned: success
    machine_id:
      description: ID of the operating system's installation.
      type: str
      returned: success
    host_name:
      description: Host name.
      type: str
      returned: success
    kernel:
      description: Release of the kernel.
      type: str
      returned: success
    architecture:
      description: V(amd64) or V(arm64), as Palette calls it, else the kernel's word.
      type: str
      returned: success
    os:
      description: Operating system, by C(/etc/os-release), with the keys C(id), C(version) and C(name).
      type: dict
      returned: success
    cpus:
      description: Number of processors.
      type: int
      returned: success
    memory_mib:
      description: Memory in MiB.
      type: int
      returned: success
    uptime_seconds:
      description: Seconds since the kernel started.
      type: int
      returned: success
    user:
      description: Who the task was on the host, after become.
      type: str
      returned: success
    root:
      description: Whether that is root.
      type: bool
      returned: success
    python:
      description: Path of a Python interpreter; empty on a host without one.
      type: str
      returned: success
    oem:
      description: Whether C(/oem) is there, where an appliance keeps its user-data.
      type: bool
      returned: success
    deployment:
      description: >-
        A hint at how Palette Edge came to the host, V(appliance) (traces of Kairos), V(agent) (C(/opt/spectrocloud)
        without them) or V(unknown).
      type: str
      returned: success
    system_state:
      description: What C(systemctl is-system-running) says; empty without systemd.
      type: str
      returned: success
    interfaces:
      description: >-
        NICs except loopback, each with the keys C(name), C(mac), C(state), C(mtu) and C(addresses) (with prefix length).
      type: list
      elements: dict
      returned: success
    addresses:
      description: Addresses of all NICs, with prefix length, without loopback and link-local ones.
      type: list
      elements: str
      returned: success
    gateway:
      description: The default route's C(address) and C(interface); both empty without one.
      type: dict
      returned: success
    files:
      description: For each path of O(files), whether it C(exists) as a file, and its C(sha256).
      type: dict
      returned: success
  sample:
    boot_id: 416f4d72-04ba-4542-9670-7e9002850c51
    host_name: store-042-1
    addresses: [10.42.0.11/24]
    gateway: {address: 10.42.0.1, interface: host0}
    architecture: amd64
    python: ""
"""
