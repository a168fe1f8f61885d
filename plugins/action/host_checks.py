# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_checks: its documentation is in plugins/modules/host_checks.py."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._checks import (
    ERROR,
    holder,
    judge,
    skew_between,
    skew_told,
    told,
)
from ansible_collections.palette.edge.plugins.plugin_utils._checks_script import checks_script
from ansible_collections.palette.edge.plugins.plugin_utils._checks_seen import read_checks
from ansible_collections.palette.edge.plugins.plugin_utils._checks_wanted import wanted_from
from ansible_collections.palette.edge.plugins.plugin_utils._remote import Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import Output

_DISKS = {
    "path": {"type": "str", "required": True},
    "free_mib": {"type": "int"},
    "size_mib": {"type": "int"},
}
_SIZE: dict[str, t.Any] = {
    "cpus": {"type": "int"},
    "memory_mib": {"type": "int"},
    "disk_gb": {"type": "int"},
    "disks": {"type": "list", "elements": "dict", "default": [], "options": _DISKS},
}


def _list(elements: str = "str") -> dict[str, t.Any]:
    return {"type": "list", "elements": elements, "default": []}


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        **_SIZE,
        "recommended": {"type": "dict", "options": _SIZE},
        "architecture": {"type": "str", "choices": ["amd64", "arm64"]},
        "kernel": {"type": "str"},
        "commands": _list(),
        "absent_services": _list(),
        "not_noexec": _list(),
        "swap": {"type": "bool"},
        "cgroup_v2": {"type": "bool", "default": False},
        "valid_host_name": {"type": "bool", "default": False},
        "max_clock_skew": {"type": "int"},
        "time_synchronised": {"type": "bool", "default": False},
        "resolve": _list(),
        "reach": _list(),
        "peers": _list(),
        "tls": _list(),
        "proxy": {"type": "str", "no_log": True},
        "no_proxy": _list(),
        "free_addresses": _list(),
        "free_ports": _list("int"),
        "listen": _list("int"),
        "listen_seconds": {"type": "int", "default": 30},
        "stop_listening": {"type": "bool", "default": False},
        "probe_timeout": {"type": "int", "default": 3},
        "warnings": _list(),
        "fail_on_error": {"type": "bool", "default": True},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        wanted = wanted_from(args)
        asked = wanted.asked()
        remote, facts, output = self.ask(args, asked="Checks of the host", more=checks_script(asked))
        seen = read_checks(output, asked)
        skew = skew_between(seen.clock, before=self._before, after=self._after)
        findings = judge(wanted, seen, facts, skew=skew)
        wrong = [one for one in findings if not one.ok and one.severity == ERROR]
        result: dict[str, t.Any] = {
            "address": remote.address,
            "ok": not wrong,
            "findings": [one.as_dict() for one in findings],
            "edge_host_facts": facts,
            "product_uuid": "" if seen.container else seen.product_uuid,
            "container": seen.container,
            "has_cluster": bool(seen.cluster),
            "clock_skew": skew_told(skew) if skew else None,
            "clock_range": [round(one, 3) for one in skew] if skew else [],
            "connections": {target: what for target, (what, dummy) in seen.tcp.items()},
            "holders": {address: asdict(holder(address, seen)) for address in wanted.free_addresses},
            "listening": sorted(seen.bound),
            "asked_at": round(self._before, 3),
        }
        if wrong and args["fail_on_error"]:
            result |= {"failed": True, "msg": f"{remote.address}: {told(wrong)}"}
        return result

    def answer(self, remote: Remote, script: str, *, secret: bool) -> Output:
        # Around this one answer, as addresses that do not answer take their time before it.
        self._before = time.time()
        output = super().answer(remote, script, secret=secret)
        self._after = time.time()
        return output
