#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_checks
short_description: What is in the way on an Edge host before work on it begins
description:
  - Looks at one host without Python, in one round trip, and tells everything that is not as it is wanted at once, each
    with what was seen, what is wanted, and what to do.
  - What is not named in an option is not checked.
  - What could not be checked, as the host lacks a tool for it, is a finding of severity V(warning) that says so. It never
    counts as fine.
  - Writes nothing. With O(listen) the host listens on some ports for some seconds.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.attributes.info
options:
  cpus:
    description: Number of processors that the host has at the least.
    type: int
  memory_mib:
    description:
      - Memory in MiB that the host has at the least.
      - Kernel and firmware keep some for themselves, so a machine of 8 GB tells less than 8192; ask for 7500.
    type: int
  disk_gb:
    description: Size in GB (of 10^9 bytes) that the largest disk of the host has at the least.
    type: int
  disks:
    description: Room that there is at the least.
    type: list
    elements: dict
    default: []
    suboptions: &disks
      path:
        description: Absolute path. Where it does not exist yet, the file system of the nearest folder above it is looked at.
        type: str
        required: true
      free_mib:
        description: Free space in MiB.
        type: int
      size_mib:
        description: Size of the file system in MiB.
        type: int
  recommended:
    description: What the host should have beyond that. Less is a warning.
    type: dict
    suboptions:
      cpus:
        description: As O(cpus).
        type: int
      memory_mib:
        description: As O(memory_mib).
        type: int
      disk_gb:
        description: As O(disk_gb).
        type: int
      disks:
        description: As O(disks).
        type: list
        elements: dict
        default: []
        suboptions: *disks
  architecture:
    description: Architecture of the host.
    type: str
    choices: [amd64, arm64]
  kernel:
    description: The oldest release of the kernel that will do, such as V(4.19).
    type: str
  commands:
    description: Programs that are on the path of the user of the task. With C(|) between several, one of them is enough.
    type: list
    elements: str
    default: []
  absent_services:
    description: Services of systemd that neither run nor start with the host, such as V(docker).
    type: list
    elements: str
    default: []
  not_noexec:
    description: Paths from which programs must be startable.
    type: list
    elements: str
    default: []
  swap:
    description: With V(false), there is no swap. With V(true), or without it, swap is not looked at.
    type: bool
  cgroup_v2:
    description: Whether the host must have control groups of version 2.
    type: bool
    default: false
  valid_host_name:
    description: Whether the host name must be one that a node of Kubernetes may bear.
    type: bool
    default: false
  max_clock_skew:
    description:
      - How many seconds the host's clock may differ from that of the control node.
      - Only what is certain counts. The time that the question and its answer took is not held against the host.
    type: int
  time_synchronised:
    description: Whether a time server should keep the host's clock. When none does, that is a warning.
    type: bool
    default: false
  resolve:
    description: Host names that the host must be able to resolve. Addresses are left out.
    type: list
    elements: str
    default: []
  reach:
    description: Where the host must get an answer by TCP, each as C(host:port).
    type: list
    elements: str
    default: []
  tls:
    description:
      - Where the host must trust the certificate, each as C(host:port). Takes C(curl) or C(openssl) on the host.
      - What does not answer at all is no finding of this check when it is in O(reach), too.
    type: list
    elements: str
    default: []
  proxy:
    description:
      - URL of an HTTP proxy through which the host reaches what is in O(reach) or O(tls) and not in O(no_proxy). The proxy
        is asked for a connection to it, which takes C(bash) or C(curl).
      - A login in it is not sent, as it would be seen on the host. A proxy that wants one leaves the check undecided.
    type: str
  no_proxy:
    description: Host names, domains, addresses and networks that are reached without the proxy.
    type: list
    elements: str
    default: []
  peers:
    description:
      - Where nothing may stand in the way, each as C(host:port). An answer is fine, and so is a refusal, since nothing may
        listen there yet; silence and rejection are not.
      - Some firewalls refuse as well. To be sure, have the other host listen (O(listen)) and look at RV(connections).
    type: list
    elements: str
    default: []
  free_addresses:
    description:
      - IP addresses that nobody may have yet, such as a VIP. They are asked for by TCP and by ARP or NDP, so a machine that
        answers to no ping is found as well.
    type: list
    elements: str
    default: []
  free_ports:
    description: TCP ports on which nothing may listen on the host.
    type: list
    elements: int
    default: []
  listen:
    description:
      - TCP ports to listen on for O(listen_seconds), so that others can try them (O(peers)). Where something listens already
        that is a finding.
      - Needs C(systemd-socket-activate) or C(nc) on the host; RV(listening) tells on which ports it listens.
    type: list
    elements: int
    default: []
  listen_seconds:
    description: Seconds to listen.
    type: int
    default: 30
  stop_listening:
    description: Whether to end what an earlier O(listen) of this module still listens with. O(listen) itself does so, too.
    type: bool
    default: false
  probe_timeout:
    description: Seconds that one attempt to connect may take. All are made beside each other.
    type: int
    default: 3
  warnings:
    description:
      - Names of checks (RV(findings[].check)) that are only warnings.
    type: list
    elements: str
    default: []
  fail_on_error:
    description: Whether to fail when a finding of severity V(error) is not fine. The message has all of them.
    type: bool
    default: true
notes:
  - Connecting is tried with C(bash), C(nc) or C(curl), whichever is there and works.
  - Some things can only be seen by root, such as the product UUID, so use become.
seealso:
  - module: palette.edge.host_facts
"""

EXAMPLES = r"""
- name: Look whether the host will do
  palette.edge.host_checks:
    cpus: 2
    memory_mib: 7500
    disks:
      - path: /
        size_mib: 95000
      - path: /var
        free_mib: 40000
    kernel: "4.19"
    commands: [bash, jq, zstd, rsync, curl, conntrack, iptables]
    absent_services: [docker]
    not_noexec: [/var, /opt]
    swap: false
    max_clock_skew: 5
    resolve: [palette.example.com]
    reach: ["palette.example.com:443"]
    free_addresses: [10.42.0.10]
  become: true

- name: Listen where other hosts will try
  palette.edge.host_checks:
    listen: [6443, 2379, 2380, 10250]
    listen_seconds: 60
  become: true

- name: Try them
  palette.edge.host_checks:
    peers: ["10.42.0.12:6443", "10.42.0.12:10250"]
    fail_on_error: false
  register: tried
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.11
ok:
  description: Whether no finding of severity V(error) is wrong.
  type: bool
  returned: success
findings:
  description: All that was checked, fine or not, in the order of the options.
  type: list
  elements: dict
  returned: success
  contains:
    check:
      description: >-
        What was looked at. One of V(address), V(architecture), V(cgroup), V(clock), V(command), V(cpus), V(disk), V(exec),
        V(host_name), V(kernel), V(memory), V(path), V(port), V(reach), V(resolve), V(service), V(swap), V(time), V(tls).
      type: str
      returned: success
    ok:
      description: Whether it is fine.
      type: bool
      returned: success
    severity:
      description: V(error) or V(warning).
      type: str
      returned: success
    seen:
      description: What was seen. Begins with C(could not be checked) where that is so.
      type: str
      returned: success
    wanted:
      description: What is wanted.
      type: str
      returned: success
    advice:
      description: What to do; empty when it is fine.
      type: str
      returned: success
  sample:
    - check: memory
      ok: false
      severity: error
      seen: 3936 MiB
      wanted: 7500 MiB or more
      advice: give the host more memory, or take another one
edge_host_facts:
  description: What the host says about itself, as M(palette.edge.host_facts) tells it.
  type: dict
  returned: success
product_uuid:
  description: Product UUID of the machine; empty in a container, and for users other than root.
  type: str
  returned: success
container:
  description: The kind of container that the host is; empty for a machine.
  type: str
  returned: success
has_cluster:
  description: Whether the host bears traces of a node of Kubernetes.
  type: bool
  returned: success
clock_skew:
  description: Seconds that the host's clock is certainly ahead of the control node's (behind, when negative).
  type: float
  returned: success
clock_range:
  description: The lowest and the highest number of seconds that the host's clock may be ahead.
  type: list
  elements: float
  returned: success
holders:
  description: >-
    What was seen of each of O(free_addresses), with C(state) (V(own) for the host itself, V(taken), V(free), V(far) for an
    address in no network of the host, V(unknown)) and the C(mac) address of who has it.
  type: dict
  returned: success
connections:
  description: >-
    What became of each of O(reach) and O(peers), one of V(open), V(refused), V(silent), V(unreachable), V(unresolved),
    V(proxy) (the proxy says no), V(unknown).
  type: dict
  returned: success
asked_at:
  description: When the host was asked, in seconds since 1970 by the clock of the control node.
  type: float
  returned: success
listening:
  description: Those ports of O(listen) on which the host listens now.
  type: list
  elements: int
  returned: success
"""
