# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_key_info: its documentation is in plugins/modules/host_key_info.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS
from ansible_collections.palette.edge.plugins.plugin_utils._host_key_action import HostKeyAction


class ActionModule(HostKeyAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "name": {"type": "str"},
        "known_hosts": {"type": "path"},
        "shown": {"type": "bool", "default": False},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        place = self.place(args)
        kept = self.keys(place)
        result: dict[str, t.Any] = {
            "name": place.name,
            "known_hosts": place.known_hosts,
            "fingerprints": [key.fingerprint for key in kept],
        }
        if args["shown"]:
            address, keys = self.shown(args, until=lambda key: key in kept)
            result["address"] = address
            result["shown"] = [{"type": key.kind, "fingerprint": key.fingerprint} for key in keys]
            result["matches"] = any(key in kept for key in keys)
        return result
