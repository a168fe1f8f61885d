# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_facts: its documentation is in plugins/modules/host_facts.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path


class ActionModule(HostAction):
    ARGUMENTS = {**REACH_OPTIONS, "files": {"type": "list", "elements": "str", "default": []}}

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        files = [checked_path(path, option="files") for path in args["files"]]
        remote, facts, dummy = self.ask(args, asked="Facts of the Edge host", files=files)
        return {"address": remote.address, "edge_host_facts": facts}
