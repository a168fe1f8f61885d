# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.agent_installation: its documentation is in plugins/modules/agent_installation.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_plan as planning
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_scripts as scripts
from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._agent_host import AgentHost, Sight
from ansible_collections.palette.edge.plugins.plugin_utils._agent_install import Installation, uninstall
from ansible_collections.palette.edge.plugins.plugin_utils._agent_options import Options, options_from
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError

_FILE = {
    "name": {"type": "str", "required": True},
    "sha256": {"type": "str", "required": True},
    "path": {"type": "path"},
    "url": {"type": "str"},
}


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "version": {"type": "str"},
        "method": {"type": "str", "choices": ["connected", "package"], "default": "connected"},
        "fips": {"type": "bool", "default": False},
        "files": {"type": "list", "elements": "dict", "default": [], "options": _FILE},
        "fetch_from": {"type": "str", "choices": ["control_node", "host"], "default": "control_node"},
        "image": {"type": "str", "default": ""},
        "user_data": {"type": "raw", "no_log": True},
        "registration_token": {"type": "str", "no_log": True},
        "registration_token_later": {"type": "bool", "default": False, "no_log": False},
        "host_id": {"type": "str", "required": True},
        "proxy": {"type": "dict", "options": scripts.PROXY},
        "folder": {"type": "str", "default": "/opt/palette-agent"},
        "registered": {"type": "bool", "default": True},
        "running_version": {"type": "str", "default": ""},
        "on_user_data_change": {"type": "str", "choices": ["refuse", "ignore", "install"], "default": "refuse"},
        "allow_downgrade": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
        "confirm": {"type": "str", "default": ""},
        "root": {"type": "str", "default": "/"},
        "install_timeout": {"type": "int", "default": 1800},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        folder = checked_path(args["folder"], option="folder")
        return self._absent(args, folder) if args["state"] == "absent" else self._present(args, folder)

    def _present(self, args: dict[str, t.Any], folder: str) -> dict[str, t.Any]:
        options = options_from(args, folder, check_mode=self.check_mode)
        host, sight = self._look(args, folder, options)
        is_a = sight.facts["architecture"]
        if is_a != options.architecture:
            raise HostError(
                f"files: are for {options.architecture}, and {host.remote.address} is {is_a}; nothing was done."
            )
        installation = Installation(host, options, tell=lambda text: self._tell(host, text))
        record = installation.go(sight, check_mode=self.check_mode) or options.record
        act, before = installation.act, sight.record
        installs = act in (planning.INSTALL, planning.UPGRADE, planning.ATTACH)
        warnings = [*options.warnings, *sight.warnings(fips=options.record.fips)]
        warnings += [installation.warning] if installation.warning else []
        result: dict[str, t.Any] = {
            "changed": bool(installation.done),
            "address": host.remote.address,
            "act": act,
            "steps": installation.done,
            "installed": {"version": record.version, "method": record.method, "fips": record.fips},
            "reboot_required": installs or bool(sight.units and record.boot_id and record.boot_id == host.boot_id),
            "user_data": hide(options.document),
            "edge_host_facts": sight.facts,
        }
        if warnings:
            result["warnings"] = warnings
        if installation.done and self.wants_diff:
            header = {"before_header": host.record_path, "after_header": host.record_path}
            result["diff"] = [{**header, "before": before.told() if before else "", "after": record.told()}]
        return result

    def _look(self, args: dict[str, t.Any], folder: str, options: Options | None) -> tuple[AgentHost, Sight]:
        root = options.root if options else args["root"]
        more = scripts.look(folder, root)
        remote, facts, output = self.ask(args, asked="Agent of the host", more=more, secret=True)
        has = self._connection.has_option("remote_user") and self._connection.get_option("remote_user")
        login = str(has or self._play_context.remote_user or "")
        host = AgentHost(remote, folder, root, login=login, boot_id=str(facts["boot_id"]))
        return host, Sight.of(output, facts)

    def _tell(self, host: AgentHost, text: str) -> None:
        self._display.v(f"{host.remote.address}: {text}")

    def _absent(self, args: dict[str, t.Any], folder: str) -> dict[str, t.Any]:
        if args["confirm"] != args["host_id"]:
            raise HostError(
                f"confirm: an uninstallation ends the agent of {args['host_id']} and what runs by it; give its Edge host ID"
                " here too."
            )
        host, sight = self._look(args, folder, None)
        record = sight.record
        if record and record.host_id and record.host_id != args["host_id"]:
            text = f"was installed as {record.host_id}, not as {args['host_id']}; nothing was done."
            raise HostError(f"host_id: {host.remote.address} {text}")
        changed = bool(sight.units or record)
        steps = ["uninstall the agent"] if sight.units else ["remove what was noted of the installation"]
        result: dict[str, t.Any] = {
            "changed": changed,
            "address": host.remote.address,
            "act": "uninstall" if changed else planning.NOTHING,
            "uninstaller": sight.uninstaller,
            "steps": steps if changed else [],
            # Also when the run that took it off did not come to reboot.
            "reboot_required": bool(sight.units or sight.removed),
            "edge_host_facts": sight.facts,
        }
        if changed and self.wants_diff:
            before = record.told() if record else "\n".join(sight.units) + "\n"
            result["diff"] = [{"before_header": host.record_path, "before": before, "after": ""}]
        if changed and not self.check_mode:
            uninstall(
                host,
                sight,
                files=args["files"],
                fetch=args["fetch_from"],
                timeout=args["install_timeout"],
                tell=lambda text: self._tell(host, text),
            )
        return result
