# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.etcd_info: its documentation is in plugins/modules/etcd_info.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._etcd import etcd_script, problems, read_etcd
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "prefix": {"type": "str", "default": ""},
        "etcdctl": {"type": "str", "default": ""},
        "members": {"type": "int"},
        "lost": {"type": "list", "elements": "str", "default": []},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        if args["members"] is not None and args["members"] < 1:
            raise HostError(f"members: {args['members']} is no number of members; give 1 or more.")
        paths = {name: checked_path(args[name], option=name) for name in ("prefix", "etcdctl") if args[name]}
        script = etcd_script(prefix=paths.get("prefix", ""), etcdctl=paths.get("etcdctl", ""))
        remote, dummy, output = self.ask(args, asked="Etcd of the control plane", more=script)
        found = read_etcd(output, where=remote.address)
        wrong = problems(found, lost=args["lost"], expected=args["members"])
        return {"address": remote.address, "etcd": {**found, "healthy": not wrong, "problems": wrong}}
