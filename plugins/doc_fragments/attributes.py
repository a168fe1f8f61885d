# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module promises."""

from __future__ import annotations


class ModuleDocFragment:
    """``palette.edge.attributes`` for modules that write, ``.info`` for those that read, ``.group`` for the group."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict the change without writing anything.
    support: full
  diff_mode:
    description: Returns what changes or would change, in the desired shape, with secrets hidden.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Reads only, so it does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
  idempotent:
    description: Reads only.
    support: full
"""

    GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/palette.edge.palette) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - palette.edge.palette
"""
