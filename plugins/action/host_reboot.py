# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_reboot: its documentation is in plugins/modules/host_reboot.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS
from ansible_collections.palette.edge.plugins.plugin_utils._reboot import RebootAction


class ActionModule(RebootAction):
    ARGUMENTS = {**REACH_OPTIONS, "timeout": {"type": "int", "default": 600}}

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        own = self.rebootable()
        reach = {**args, "addresses": [own, *args["addresses"]], "timeout": max(1, min(args["timeout"], 30))}
        remote, before, dummy = self.ask(reach, asked="Reboot of the Edge host")
        if self.check_mode:
            return {
                "changed": True,
                "address": remote.address,
                "old_boot_id": before["boot_id"],
                "new_boot_id": before["boot_id"],
                "elapsed": 0,
                "edge_host_facts": before,
                "msg": "Would reboot the host.",
            }
        done = self.reboot(
            remote, before, args["addresses"], connect_timeout=args["connect_timeout"], timeout=args["timeout"]
        )
        return {"changed": True, **done}
