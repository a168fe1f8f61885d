# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.user_data: its documentation is in plugins/modules/user_data.py."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

from ansible_collections.palette.edge.plugins.module_utils import _private_file as private_file
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import (
    EFFECTIVE,
    LAYER,
    Finding,
    Judgement,
    judge,
)
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import (
    render,
    render_body,
    without_empty,
)
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide, hide_pair
from ansible_collections.palette.edge.plugins.module_utils.user_data._versions import Version, version_of
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import parse, plain, same

_MOST = 20
"""Findings that the error text of a task tells; the result has all of them."""


class ActionModule(LocalAction):
    ARGUMENTS = {
        "installer": {"type": "raw", "no_log": True},
        "site": {"type": "raw", "no_log": True},
        "view": {"type": "str", "choices": [EFFECTIVE, LAYER], "default": EFFECTIVE},
        "agent_version": {"type": "str"},
        "strict": {"type": "bool", "default": False},
        "dest": {"type": "path"},
        "render": {"type": "bool", "default": False},
        "fail_on_error": {"type": "bool", "default": True},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        layers = {name: _layer(name, args[name]) for name in ("installer", "site")}
        if all(layer is None for layer in layers.values()):
            raise InputError("installer, site: there is nothing to judge; give one of the two, or both.")
        single = None in layers.values()
        if args["view"] == LAYER and not single and (args["dest"] or args["render"]):
            text = "view: layer judges each layer alone, and what is written is one document; give one layer, or leave view out."
            raise InputError(text)
        judged = judge(**layers, view=args["view"], agent=_agent(args["agent_version"]), strict=args["strict"])
        result: dict[str, t.Any] = {
            "valid": judged.valid,
            "errors": [one.result() for one in judged.errors],
            # Newer ansible-core makes texts of whatever stands in this key, so the data has one of its own.
            "warnings": [one.told() for one in judged.warnings],
            "advice": [one.result() for one in judged.warnings],
            "effective": hide(judged.document),
        }
        if not judged.valid:
            if args["fail_on_error"]:
                result |= {"failed": True, "msg": _told(judged.errors, args["dest"])}
            return result
        if args["render"]:
            result["rendered"] = render(without_empty(judged.document))
        if args["dest"]:
            result |= self._write(args["dest"], judged)
        return result

    def _write(self, dest: str, judged: Judgement) -> dict[str, t.Any]:
        """Write the document where the file says something else, or may be read by others."""
        wanted = without_empty(judged.document)
        text = render(wanted)
        current, wrong, kept = _current(dest)
        if current is not None and same(without_empty(current), wanted):
            # What says the same stays as it is written.
            text = kept
        changed = private_file.differs(dest, text)
        result: dict[str, t.Any] = {"changed": changed, "dest": dest}
        if changed and self.wants_diff:
            before, after = hide_pair(current or {}, wanted)
            shown = f"(the file {wrong}; not shown)\n" if wrong else render_body(before)
            result["diff"] = [
                {"before_header": dest, "after_header": dest, "before": shown, "after": render_body(after)}
            ]
            if text == kept:
                mode = stat.S_IMODE(Path(dest).stat().st_mode)
                result["diff"] = [{"before": f"mode: {mode:04o}\n", "after": f"mode: {private_file.MODE:04o}\n"}]
        if changed and not self.check_mode:
            private_file.write(dest, text)
        return result


def _layer(name: str, given: t.Any) -> dict[str, t.Any] | str | None:
    """A layer without Ansible's own types; None when it is not given."""
    if given is None or isinstance(given, str):
        return None if given is None else str(given)
    if not isinstance(given, dict):
        raise InputError(f"{name}: must be a mapping, or the text of a user-data file.")
    return dict(plain(given))


def _agent(text: str | None) -> Version | None:
    try:
        return version_of(text) if text else None
    except ValueError as error:
        raise InputError(f"agent_version: {error}.") from None


def _current(dest: str) -> tuple[dict[str, t.Any] | None, str, str]:
    """What the file says, why it says nothing, and its text."""
    try:
        raw = Path(dest).read_bytes()
    except OSError:
        # Missing, or told by the check before writing.
        return None, "", ""
    document, wrong = parse(raw)
    return document, wrong, raw.decode(errors="replace")


def _told(errors: list[Finding], dest: str | None) -> str:
    many = "One thing is" if len(errors) == 1 else f"{len(errors)} things are"
    left = f" And {len(errors) - _MOST} more." if len(errors) > _MOST else ""
    nothing = f" ({dest} was not written)" if dest else ""
    return f"{many} wrong with the user-data{nothing}: {' '.join(one.told() for one in errors[:_MOST])}{left}"
