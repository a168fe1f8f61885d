# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all work on Edge hosts without Python has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """``palette.edge.on_host`` for every such module, ``.reach`` for those that find their host at several addresses."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - On the host, a POSIX shell and the usual small tools (coreutils or busybox), but no Python.
  - >-
    A connection plugin with a shell behind it, such as P(ansible.builtin.ssh#connection), or
    P(ansible.builtin.paramiko_ssh#connection) where ansible-core still has it.
attributes:
  platform:
    description: What the task's host must be.
    support: full
    platforms: posix
  action:
    description: Runs on the controller, so the host needs no Python.
    support: full
"""

    REACH = r"""
options:
  addresses:
    description:
      - Addresses at which the host may answer, tried in this order until one does, over and over until O(timeout).
      - A prefix length (C(10.0.10.25/24)) is taken off. Empty entries and repetitions are ignored.
      - Everything but the address (user, key, port, jump host, become) is as the task's own connection has it.
      - Without any, the host is asked at the address that the inventory gives it.
    type: list
    elements: str
    default: []
  connect_timeout:
    description: Seconds that one try of one address may take to connect.
    type: int
    default: 5
  timeout:
    description:
      - Seconds after which a host that answers at none of its addresses is reported as unreachable.
      - Each address is tried once at the least. A refused login or an unknown host key is not tried again.
    type: int
    default: 30
"""

    OWNERSHIP = r"""
options:
  owner:
    description: User who is to own the file, by name or number. Without it, an existing file keeps its owner.
    type: str
  group:
    description: Group of the file, by name or number. Without it, an existing file keeps its group.
    type: str
  mode:
    description: Octal mode, in quotes. Without it, an existing file keeps its mode and a new one gets V('0644').
    type: raw
"""

    PROXY = r"""
options:
  proxy:
    description: Proxy that the host uses for what it fetches by itself. It is on no command line.
    type: dict
    suboptions:
      http:
        description: URL of the proxy for HTTP.
        type: str
      https:
        description: URL of the proxy for HTTPS.
        type: str
      no_proxy:
        description: Names, addresses and networks that are reached without it.
        type: list
        elements: str
"""
