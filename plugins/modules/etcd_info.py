#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_info
short_description: Members and health of a cluster's etcd, asked on a control-plane host without Python
description:
  - Asks the etcd of a control plane who its members are, who leads, and how well each is, with the C(etcdctl) and the
    certificates of a control-plane host, by one shell script over the task's connection.
  - That a node is healthy does not say that its etcd member is. So look here before a control-plane host is taken out of
    a cluster.
  - Knows where PXK-E (kubeadm), RKE2 and K3s keep their certificates. A two-node cluster has no etcd.
  - An etcd that is not well is no failure of the module; RV(etcd.healthy) and RV(etcd.problems) tell.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.attributes.info
options:
  prefix:
    description: Folder that the agent was installed under in agent mode (its C(stylus.path)), when that is not the root.
    type: str
    default: ""
  etcdctl:
    description: Path of the program on the host. Without it, the one of the agent is used, or one that is on the path.
    type: str
    default: ""
  members:
    description: How many members there are to be. Another number is a problem.
    type: int
  lost:
    description:
      - Names or addresses of members that are known to be gone. That such a member is silent is no problem by itself;
        that too few others are well still is.
    type: list
    elements: str
    default: []
notes:
  - The certificates are readable for root only, so use become.
seealso:
  - module: palette.edge.host_facts
  - module: palette.edge.cluster
"""

EXAMPLES = r"""
- name: Look at the etcd of store 42
  palette.edge.etcd_info:
    members: 3
  become: true
  register: found

- name: Go on only when it is well
  ansible.builtin.assert:
    that: found.etcd.healthy
    fail_msg: "{{ found.etcd.problems | join('; ') }}"
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.11
etcd:
  description: The etcd.
  type: dict
  returned: success
  contains:
    healthy:
      description: >-
        Whether every member (but those of O(lost)) has started, is well and no learner, there is one leader, and enough
        members are well for a quorum.
      type: bool
      returned: success
    problems:
      description: What is wrong, in words; empty when it is healthy.
      type: list
      elements: str
      returned: success
    quorum:
      description: How many members must be well.
      type: int
      returned: success
    leaders:
      description: IDs of the members that are said to lead; one, when all is well.
      type: list
      elements: str
      returned: success
    members:
      description: >-
        The members, each with the keys C(id), C(name), C(started), C(learner), C(leader), C(healthy), C(version),
        C(error), C(peer_urls) and C(client_urls).
      type: list
      elements: dict
      returned: success
  sample:
    healthy: false
    problems: [store-042-4 is a learner]
    quorum: 2
"""
