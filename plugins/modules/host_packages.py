#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_packages
short_description: Install packages on a Linux host without Python
description:
  - Installs what is missing of a list of packages, with the package manager of the host (apt-get, dnf or zypper) and
    shell commands alone.
  - The names are given for each family of distributions, so that one task serves a mixed fleet.
  - Nothing is upgraded, no recommended package comes along, and nothing is removed. A package that could only be
    installed by removing another one, as systemd-timesyncd does with chrony on Debian, is an error.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
  - palette.edge.on_host.proxy
attributes:
  check_mode:
    description: Says which packages are missing; the host is asked only.
    support: full
  diff_mode:
    description: Shows the packages that are missing.
    support: full
  idempotent:
    description: A second run installs nothing.
    support: full
options:
  packages:
    description:
      - Lists of packages by family, with the keys C(debian), C(redhat) and C(suse). A host of a family without a list
        is an error.
      - A program after a colon makes the package needless where it is there, as in V(curl:curl), whatever it came with.
    type: dict
    required: true
  install:
    description: Whether to install what is missing. When not, a missing package is an error.
    type: bool
    default: true
seealso:
  - module: ansible.builtin.package
    description: For hosts with Python.
"""

EXAMPLES = r"""
- name: Have jq and conntrack on the host
  palette.edge.host_packages:
    packages:
      debian: ["jq:jq", conntrack]
      redhat: ["jq:jq", conntrack-tools]
      suse: ["jq:jq", conntrack-tools]
  become: true
"""

RETURN = r"""
address:
  description: The address that answered.
  type: str
  returned: success
  sample: 10.42.0.101
family:
  description: Family of the host's distribution.
  type: str
  returned: success
  sample: debian
manager:
  description: Its package manager.
  type: str
  returned: success
  sample: apt-get
missing:
  description: Packages that were, or in check mode are, missing.
  type: list
  elements: str
  returned: success
  sample: [jq]
"""
