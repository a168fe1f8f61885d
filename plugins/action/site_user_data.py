# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.site_user_data: its documentation is in plugins/modules/site_user_data.py."""

from __future__ import annotations

import hashlib
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide
from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._files import read_state, remove, state_script, write
from ansible_collections.palette.edge.plugins.plugin_utils._in_force import LONGEST, MARKERS
from ansible_collections.palette.edge.plugins.plugin_utils._interfaces import ask_vlans, refuse_vlans
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import quote
from ansible_collections.palette.edge.plugins.plugin_utils._site_layer import (
    SITE_OPTIONS,
    Plan,
    WantedLayer,
    host_id,
    moves_node,
    plan,
    shown_diff,
    wanted_layer,
)
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import parse
from ansible_collections.palette.edge.plugins.plugin_utils._way_back import ask_script, read_way_back

# What kubeadm, K3s and RKE2 leave on a node.
ASK_NODE = """
r=/var/lib/rancher
for f in /etc/kubernetes/kubelet.conf $r/k3s/agent/kubelet.kubeconfig $r/rke2/agent/kubelet.kubeconfig; do
  [ -e "$f" ] && { say node yes; break; }
done
"""
NODE = (
    "The host is a node of a cluster, which keeps the address that it joined with: take it out of the cluster first, and"
    " add it again with the new one."
)


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        **SITE_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "path": {"type": "str", "default": "/oem/user-data"},
        "registration_token_name": {"type": "str", "no_log": False},
        "registration_token_wait": {"type": "int", "default": 0, "no_log": False},
        "registration_token_later": {"type": "bool", "default": False, "no_log": False},
        "partial": {"type": "bool", "default": False},
        "confirm_within": {"type": "int", "default": 0},
        "retry": {"type": "bool", "default": False},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = checked_path(args["path"])
        absent = args["state"] == "absent"
        if args["confirm_within"] < 0:
            raise HostError(f"confirm_within: {args['confirm_within']} is no time; give seconds, or 0 for no way back.")
        missing = "" if absent else self._look_up_token(args)
        wanted, warnings = (None, []) if absent else self._wanted(args)
        if missing:
            warnings = [*warnings, missing]
        marker = f"{MARKERS}/{hashlib.sha256(path.encode()).hexdigest()[:12]}.reboot"
        pending = f'[ -r {quote(marker)} ] && say pending "$(cat {quote(marker)})"\n'
        more = state_script(path, content_up_to=LONGEST) + pending + ask_script() + ASK_NODE
        more += ask_vlans(wanted.layer) if wanted is not None else ""
        remote, facts, output = self.ask(args, asked="Site user-data of the Edge host", more=more, secret=True)
        state = read_state(output, path, must_have_folder=not absent)
        if wanted is not None:
            refuse_vlans(wanted.layer, output.first("no_vlans"))
        current, wrong = parse(state.content)
        if wanted is not None and wanted.token_later:
            wanted = wanted.with_token_of(current)
        way = read_way_back(output)
        todo = plan(
            state, current, wanted, way=way, marker=marker, within=args["confirm_within"], retry=args["retry"],
            can_go_back=bool(output.first("way_possible")),
        )  # fmt: skip
        # A reboot is due when what the host booted with is not what lies there now, by this run or an earlier one.
        due = output.first("pending") == facts["boot_id"] != ""
        result: dict[str, t.Any] = {
            "changed": todo.changed,
            "reboot_required": due or (todo.boots and todo.changed and ("content" in todo.changes or absent)),
            "address": remote.address,
            "path": state.path,
            "changes": ["removed"] if absent and todo.changed else todo.changes,
            "confirmation_required": todo.guarded or way.armed or way.restoring or way.left,
            "sha256": todo.sha256,
            "user_data": hide(wanted.document) if wanted is not None else {},
            "edge_host_facts": facts,
        }
        if wanted is not None and (old := host_id(current)) and (new := host_id(wanted.document)) and old != new:
            warnings = [
                *warnings,
                f"The Edge host ID changes from {old} to {new}: a registered host registers anew under it.",
            ]
        if wanted is not None and output.first("node") and moves_node(current, wanted.document):
            warnings = [*warnings, NODE]
        if warnings:
            result["warnings"] = warnings
        if todo.changed and self.wants_diff:
            result["diff"] = shown_diff(state, current, wrong, wanted, todo.changes)
        if todo.changed and not self.check_mode:
            self._carry_out(remote, state, todo)
        return result

    def _carry_out(self, remote: t.Any, state: t.Any, todo: Plan) -> None:
        if todo.file is None:
            remove(remote, state, marker=todo.marker, before=todo.before)
        else:
            write(remote, state, todo.file)

    def _look_up_token(self, args: dict[str, t.Any]) -> str:
        """Put the secret of the named token into `args`; in check mode, say why it is not there yet."""
        name = args["registration_token_name"]
        if args["registration_token"] or not name:
            return ""
        lookup = lookup_loader.get("palette.edge.registration_token", loader=self._loader, templar=self._templar)
        wait = 0 if self.check_mode else args["registration_token_wait"]
        try:
            args["registration_token"] = lookup.run([name], self._task_vars, wait=wait)[0]
        except AnsibleError as error:
            reason = " ".join(str(getattr(error, "message", "") or error).split())
            if self.check_mode and args["registration_token_later"]:
                return reason
            raise HostError(f"registration_token_name: {reason}") from None
        return ""

    def _wanted(self, args: dict[str, t.Any]) -> tuple[WantedLayer, list[str]]:
        """The document to write, checked; HostError with everything that is wrong with it."""
        later = args["registration_token_later"] and not args["registration_token"]
        if later and not self.check_mode:
            raise HostError(
                "registration_token_later: only a run in check mode goes without the token; give registration_token."
            )
        return wanted_layer(args, partial=args["partial"], token_later=later)
