# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of waiting, the same for every module that can wait."""

from __future__ import annotations


class ModuleDocFragment:
    """Use as ``palette.edge.wait``."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the desired state is reached, not only asked for.
      - The wait ends early on a state from which nothing goes on by itself, and tells the last state when it times out.
      - In check mode nothing is waited for.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 3600
  wait_sleep:
    description:
      - Seconds between two looks at the most. The first looks follow each other faster.
    type: int
    default: 10
"""
