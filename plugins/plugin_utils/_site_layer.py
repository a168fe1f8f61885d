# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site layer that is wanted of a host: its options, whether they are sound, and what is to be done about them."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import TOKEN_LATER, SiteLayer, site_of
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, render_body
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_pair
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import unknown_keys
from ansible_collections.palette.edge.plugins.plugin_utils._action import checked_entry
from ansible_collections.palette.edge.plugins.plugin_utils._files import (
    FileState,
    FileWanted,
    attribute_diff,
    differing,
)
from ansible_collections.palette.edge.plugins.plugin_utils._interfaces import checked_interfaces, conflicts, warnings
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import plain, same, site_layer
from ansible_collections.palette.edge.plugins.plugin_utils._way_back import (
    NOTHING,
    OEM,
    WayBack,
    arm_script,
    disarm_script,
)

Document: t.TypeAlias = "dict[str, t.Any]"

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

SITE_OPTIONS: dict[str, t.Any] = {
    "palette_endpoint": {"type": "str"},
    "registration_token": {"type": "str", "no_log": True},
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
"""The options that say what the site layer holds."""


class WantedLayer(t.NamedTuple):
    """A site layer that was found sound. `token_later`: its registration token is not known yet."""

    layer: SiteLayer
    document: Document
    token_later: bool

    def with_token_of(self, current: Document | None) -> WantedLayer:
        """Take the token that the host has for the one that is not known yet."""
        token = site_of(current or {}).get("edgeHostToken")
        if not token:
            return self
        layer = replace(self.layer, registration_token=str(token))
        return WantedLayer(layer, layer.document(), token_later=True)


@dataclass(frozen=True)
class Plan:
    """What is to be done: write `file`, or, when that is None, remove what is there. `sha256` is of what lies there then.

    `boots`: the change asks for a reboot. `guarded`: it gets a way back, which `before` (lines of shell) prepares.
    """

    changed: bool
    sha256: str
    changes: list[str] = field(default_factory=list)
    file: FileWanted | None = None
    boots: bool = False
    guarded: bool = False
    marker: str = ""
    before: str = ""


def wanted_layer(args: dict[str, t.Any], *, partial: bool, token_later: bool) -> tuple[WantedLayer, list[str]]:
    """The document that validated options make, and warnings; HostError with everything that is wrong with it."""
    args = plain(args)
    args["interfaces"] = checked_interfaces(args["interfaces"])
    args["users"] = {key: checked_entry(f"users.{key}", value, _USER) for key, value in (args["users"] or {}).items()}
    layer = site_layer(args)
    if token_later:
        layer = replace(layer, registration_token=TOKEN_LATER)
    document = layer.document()
    found = [*problems(document, partial=partial), *conflicts(layer)]
    if found:
        lines = list(dict.fromkeys(problem.told(layer.option_of) for problem in found))
        many = (
            f"{len(lines)} things are wrong with the site user-data"
            if len(lines) > 1
            else "The site user-data is wrong"
        )
        raise HostError(f"{many} (nothing was sent to the host): {' '.join(lines)}")
    told = [*warnings(layer), *(problem.told(layer.option_of) for problem in unknown_keys(document))]
    return WantedLayer(layer, document, token_later), told


def plan(
    state: FileState,
    current: Document | None,
    wanted: WantedLayer | None,
    *,
    way: WayBack,
    marker: str,
    within: int,
    retry: bool,
    can_go_back: bool,
) -> Plan:
    """What to do to the host that has `current` in a file as `state` says. `within` seconds it waits to be confirmed.

    HostError when it may not be done: the host is going back, took the same back before, or could not go back.
    """
    # Tags are set through Palette once a host is registered: no reason to take a node of a cluster away.
    boots = current is None or not same(_without_tags(current), _without_tags(wanted and wanted.document))
    file, changes = _compare(state, current, wanted, marker if boots else "")
    changed = state.exists if wanted is None else bool(changes)
    content = changed and (wanted is None or "content" in changes)
    new = NOTHING if file is None else hashlib.sha256(file.content).hexdigest()
    if not content:
        return Plan(changed, new, changes, file, boots)
    if way.armed and way.path != state.path:
        raise HostError(f"path: a change of {way.path} still waits to be confirmed on the host; confirm that first.")
    if way.restoring:
        raise HostError("The host is going back to its old user-data at this moment; run again when it has rebooted.")
    if new == way.put_back and not retry:
        raise HostError(
            f"The host had this user-data and took its old one back ({way.put_back_at}), as nobody confirmed it within"
            f" {way.put_back_within} s of the boot. Look at addresses, gateway, VLAN and cable, then correct the options;"
            " or, when the fault lay elsewhere, say retry=true (site_configuration_retry)."
        )
    guarded = within > 0 and (way.armed or not same(_reach(current), _reach(wanted and wanted.document)))
    if guarded and not can_go_back:
        raise HostError(
            f"confirm_within: the host has no {OEM}, where the way back is kept; set it to 0 to go without."
        )
    before = ""
    if guarded:
        old = way.old if way.armed else (state.sha256 if state.exists else NOTHING)
        before = arm_script(path=state.path, new=new, old=old, within=within, keep_previous=way.armed)
    elif way.armed or way.left or (way.put_back and not within):
        # What was taken back stays noted, unless somebody goes without a way back.
        before = disarm_script(note_too=not within)
    if file is not None:
        file = replace(file, before=before)
    return Plan(changed, new, changes, file, boots, guarded, marker if boots else "", before)


def _compare(
    state: FileState, current: Document | None, wanted: WantedLayer | None, marker: str
) -> tuple[FileWanted | None, list[str]]:
    """The file to write, and what of it differs from what the host has."""
    if wanted is None:
        return None, []
    equal = current is not None and state.content is not None and same(current, wanted.document)
    # What says the same stays as it is written.
    content = state.content if equal and state.content is not None else render(wanted.document).encode()
    file = FileWanted(content, owner="root", group="root", mode="0600", marker=marker, sensitive=True)
    return file, differing(state, file)


def shown_diff(
    state: FileState, current: Document | None, wrong: str, wanted: WantedLayer | None, changes: list[str]
) -> list[dict[str, str]]:
    """The YAML of both sides, secrets hidden."""
    shown = []
    if wanted is None or "content" in changes:
        before, after = hide_pair(current or {}, wanted.document if wanted is not None else {})
        text = render_body(before) if not wrong else f"(the file {wrong}; {state.size} bytes, not shown)\n"
        header = {"before_header": state.path, "after_header": state.path}
        shown.append({**header, "before": text, "after": render_body(after)})
    return shown + attribute_diff(state, changes, owner="root", group="root", mode="0600")


def _without_tags(document: Document | None) -> Document:
    """The document without its tags, which take effect without a reboot."""
    site = site_of(document or {})
    if document is None or "tags" not in site:
        return document or {}
    bare = {key: value for key, value in site.items() if key != "tags"}
    return {**document, "stylus": {**document["stylus"], "site": bare}}


def host_id(document: Document | None) -> str:
    return str(site_of(document or {}).get("name") or "")


def moves_node(current: Document | None, wanted: Document) -> bool:
    """Whether the change gives NICs other addresses, which a node of a cluster cannot take."""
    before, after = (site_of(one or {}).get("network") for one in (current, wanted))
    nics = [(one or {}).get("interfaces") if isinstance(one, dict) else None for one in (before, after)]
    return current is not None and not same(nics[0] or {}, nics[1] or {})


def _reach(document: Document | None) -> Document:
    """What of the document decides whether one can log in: network, accounts, and steps, which may do anything."""
    site = site_of(document or {})
    return {
        "network": site.get("network"),
        "users": site.get("users"),
        "stages": (document or {}).get("stages"),
        "top": (document or {}).get("users"),
    }
