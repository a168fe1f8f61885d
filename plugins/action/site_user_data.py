# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.site_user_data: its documentation is in plugins/modules/site_user_data.py."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import TOKEN_LATER, SiteLayer
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, render_body
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide, hide_pair
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import unknown_keys
from ansible_collections.palette.edge.plugins.plugin_utils._action import (
    REACH_OPTIONS,
    HostAction,
    checked_entry,
    checked_path,
)
from ansible_collections.palette.edge.plugins.plugin_utils._files import (
    FileState,
    FileWanted,
    attribute_diff,
    differing,
    read_state,
    remove,
    state_script,
    write,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import quote
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import parse, plain, same, site_layer

LONGEST = 1_000_000
"""Bytes of user-data that are read back for the comparison."""

MARKERS = "/run/palette-edge"
"""Directory on the host, in memory, for the notes that a reboot is due."""

_INTERFACE = {
    "type": {"type": "str", "choices": ["dhcp", "static"]},
    "address": {"type": "str"},
    "gateway": {"type": "str"},
    "nameservers": {"type": "list", "elements": "str"},
}
_USER = {
    "groups": {"type": "list", "elements": "str"},
    "passwd": {"type": "str", "no_log": True},
    "password_expiry": {"type": "str", "no_log": False},
    "lock_passwd": {"type": "bool", "no_log": False},
    "ssh_authorized_keys": {"type": "list", "elements": "str", "no_log": False},
}
_PROXY = {
    "http": {"type": "str"},
    "https": {"type": "str"},
    "no_proxy": {"type": "list", "elements": "str"},
}


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "path": {"type": "str", "default": "/oem/user-data"},
        "palette_endpoint": {"type": "str"},
        "registration_token": {"type": "str", "no_log": True},
        "registration_token_name": {"type": "str", "no_log": False},
        "registration_token_wait": {"type": "int", "default": 0, "no_log": False},
        "registration_token_later": {"type": "bool", "default": False, "no_log": False},
        "partial": {"type": "bool", "default": False},
        "project": {"type": "str"},
        "management_mode": {"type": "str", "choices": ["central", "local"]},
        "host_id": {"type": "str"},
        "host_name": {"type": "str"},
        "tags": {"type": "dict"},
        "proxy": {"type": "dict", "options": _PROXY},
        "ca_certificates": {"type": "list", "elements": "str"},
        "ntp_servers": {"type": "list", "elements": "str"},
        "nameserver": {"type": "str"},
        "interfaces": {"type": "dict"},
        "users": {"type": "dict"},
        "extra": {"type": "dict"},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = checked_path(args["path"])
        absent = args["state"] == "absent"
        missing = "" if absent else self._look_up_token(args)
        wanted, warnings = (None, []) if absent else self._wanted(args)
        if missing:
            warnings = [*warnings, missing]
        marker = f"{MARKERS}/{hashlib.sha256(path.encode()).hexdigest()[:12]}.reboot"
        pending = f'[ -r {quote(marker)} ] && say pending "$(cat {quote(marker)})"\n'
        more = state_script(path, content_up_to=LONGEST) + pending
        remote, facts, output = self.ask(args, asked="Site user-data of the Edge host", more=more, secret=True)
        state = read_state(output, path, must_have_folder=not absent)
        current, wrong = parse(state.content)
        if wanted is not None and wanted.token_later:
            wanted = wanted.with_token_of(current)
        # Tags are set through Palette once a host is registered: no reason to take a node of a cluster away.
        boots = absent or current is None or not same(_without_tags(current), _without_tags(wanted and wanted.document))
        file, changes = _compare(state, current, wanted, marker if boots else "")
        changed = state.exists if absent else bool(changes)
        # A reboot is due when what the host booted with is not what lies there now, by this run or an earlier one.
        due = output.first("pending") == facts["boot_id"] != ""
        result: dict[str, t.Any] = {
            "changed": changed,
            "reboot_required": due or (boots and "content" in changes) or (absent and changed),
            "address": remote.address,
            "path": state.path,
            "changes": ["removed"] if absent and changed else changes,
            "user_data": hide(wanted.document) if wanted is not None else {},
            "edge_host_facts": facts,
        }
        if wanted is not None and (old := _host_id(current)) and (new := _host_id(wanted.document)) and old != new:
            warnings = [
                *warnings,
                f"The Edge host ID changes from {old} to {new}: a registered host registers anew under it.",
            ]
        if warnings:
            result["warnings"] = warnings
        if changed and self.wants_diff:
            result["diff"] = _diff(state, current, wrong, wanted, changes)
        if changed and not self.check_mode:
            if file is None:
                remove(remote, state, marker=marker)
            else:
                write(remote, state, file)
        return result

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

    def _wanted(self, args: dict[str, t.Any]) -> tuple[_Wanted, list[str]]:
        """The document to write, checked; HostError with everything that is wrong with it."""
        args = plain(args)
        for name, schema in (("interfaces", _INTERFACE), ("users", _USER)):
            args[name] = {
                key: checked_entry(f"{name}.{key}", value, schema) for key, value in (args[name] or {}).items()
            }
        later = args["registration_token_later"] and not args["registration_token"]
        if later and not self.check_mode:
            raise HostError(
                "registration_token_later: only a run in check mode goes without the token; give registration_token."
            )
        layer = site_layer(args)
        if later:
            layer = replace(layer, registration_token=TOKEN_LATER)
        document = layer.document()
        found = problems(document, partial=args["partial"])
        if found:
            lines = [problem.told(layer.option_of) for problem in found]
            many = (
                f"{len(lines)} things are wrong with the site user-data"
                if len(lines) > 1
                else "The site user-data is wrong"
            )
            raise HostError(f"{many} (nothing was sent to the host): {' '.join(lines)}")
        warnings = layer.warnings() + [problem.told(layer.option_of) for problem in unknown_keys(document)]
        return _Wanted(layer, document, later), warnings


class _Wanted(t.NamedTuple):
    layer: SiteLayer
    document: dict[str, t.Any]
    token_later: bool

    def with_token_of(self, current: dict[str, t.Any] | None) -> _Wanted:
        """Take the token that the host has for the one that is not known yet."""
        token = _site(current).get("edgeHostToken")
        if not token:
            return self
        layer = replace(self.layer, registration_token=str(token))
        return _Wanted(layer, layer.document(), token_later=True)


def _compare(
    state: FileState, current: dict[str, t.Any] | None, wanted: _Wanted | None, marker: str
) -> tuple[FileWanted | None, list[str]]:
    """The file to write, and what of it differs from what the host has."""
    if wanted is None:
        return None, []
    equal = current is not None and state.content is not None and same(current, wanted.document)
    # What says the same stays as it is written.
    content = state.content if equal and state.content is not None else render(wanted.document).encode()
    file = FileWanted(content, owner="root", group="root", mode="0600", marker=marker, sensitive=True)
    return file, differing(state, file)


def _diff(
    state: FileState, current: dict[str, t.Any] | None, wrong: str, wanted: _Wanted | None, changes: list[str]
) -> list[dict[str, str]]:
    """The YAML of both sides, secrets hidden."""
    shown = []
    if wanted is None or "content" in changes:
        before, after = hide_pair(current or {}, wanted.document if wanted is not None else {})
        text = render_body(before) if not wrong else f"(the file {wrong}; {state.size} bytes, not shown)\n"
        header = {"before_header": state.path, "after_header": state.path}
        shown.append({**header, "before": text, "after": render_body(after)})
    return shown + attribute_diff(state, changes, owner="root", group="root", mode="0600")


def _without_tags(document: dict[str, t.Any] | None) -> dict[str, t.Any]:
    """The document without its tags, which take effect without a reboot."""
    stylus = dict((document or {}).get("stylus") or {})
    if isinstance(stylus.get("site"), dict):
        stylus["site"] = {key: value for key, value in stylus["site"].items() if key != "tags"}
    return {**(document or {}), "stylus": stylus}


def _site(document: dict[str, t.Any] | None) -> dict[str, t.Any]:
    stylus = (document or {}).get("stylus")
    site = stylus.get("site") if isinstance(stylus, dict) else None
    return site if isinstance(site, dict) else {}


def _host_id(document: dict[str, t.Any] | None) -> str:
    return str(_site(document).get("name") or "")
