# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""palette.edge.site_media: its documentation is in plugins/modules/site_media.py."""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t
from contextlib import suppress

from ansible_collections.palette.edge.plugins.module_utils.media import _cidata as cidata
from ansible_collections.palette.edge.plugins.module_utils.media import _place as files
from ansible_collections.palette.edge.plugins.module_utils.media._content import judged, shown
from ansible_collections.palette.edge.plugins.module_utils.media._errors import MediaError
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, render_body
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import plain


class ActionModule(LocalAction):
    ARGUMENTS = {
        "site": {"type": "raw", "no_log": True},
        "dest": {"type": "path", "required": True},
        "meta_data": {"type": "raw"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        dest = str(args["dest"])
        if args["state"] == "absent":
            return self._absent(dest)
        site = plain(args["site"])
        layer = judged(_site(site), "site", site=True, given=site if isinstance(site, dict) else None)
        wanted = {cidata.USER_DATA: layer.content, cidata.META_DATA: _meta(plain(args["meta_data"])).encode()}
        place = files.checked_place(dest)
        image = cidata.image(wanted)
        mode = files.SECRET_MODE if layer.secret else files.usual_mode(place)
        have = _read(dest, place)
        changes = ["created"] if have is None else ["content"] if have != image else []
        if have is not None and stat.S_IMODE(os.stat(place).st_mode) != mode:
            changes.append("mode")
        result: dict[str, t.Any] = {
            "changed": bool(changes),
            "changes": changes,
            "dest": place,
            "mode": f"{mode:04o}",
            "size": len(image),
            "sha256": hashlib.sha256(image).hexdigest(),
        }
        if layer.warnings:
            result["warnings"] = list(layer.warnings)
        if changes and self.wants_diff:
            result["diff"] = _diff(place, have, wanted, mode=mode)
        if changes and not self.check_mode:
            files.check_room(dest, place, len(image))
            files.put(dest, place, image, mode=mode)
        return result

    def _absent(self, dest: str) -> dict[str, t.Any]:
        place = files.checked_place(dest) if os.path.exists(dest) else dest
        there = os.path.exists(place)
        result: dict[str, t.Any] = {"changed": there, "changes": ["removed"] * there, "dest": place}
        if there and self.wants_diff:
            result["diff"] = {"before_header": place, "after_header": place, "before": f"{place}\n", "after": ""}
        if there and not self.check_mode:
            files.remove(dest, place)
        return result


def _site(site: t.Any) -> str:
    """The user-data as text with LF line ends: as it was given, or made of the mapping."""
    if isinstance(site, str) and site.strip():
        return site.replace("\r\n", "\n").rstrip("\n") + "\n"
    if isinstance(site, dict) and site:
        return render(site)
    raise MediaError("site: give the site's user-data, as a mapping or as the text of a user-data file")


def _meta(meta_data: t.Any) -> str:
    if meta_data is None:
        return ""
    if not isinstance(meta_data, (str, dict)):
        raise MediaError("meta_data: give a mapping, or the text of the file")
    return render_body(meta_data) if isinstance(meta_data, dict) else meta_data.replace("\r\n", "\n")


def _read(dest: str, place: str) -> bytes | None:
    """What is there; None when nothing is."""
    try:
        with open(place, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MediaError(f"dest: {dest} cannot be read: {error.strerror}. Run as a user who may") from None


def _diff(place: str, have: bytes | None, wanted: dict[str, bytes], *, mode: int) -> dict[str, str]:
    """Both media as YAML with the secrets hidden, and their modes."""
    before = None
    if have is not None:
        found: dict[str, bytes] = {}
        with suppress(MediaError):
            found = cidata.content(have, place)
        before = _told(found, stat.S_IMODE(os.stat(place).st_mode)), found.get(cidata.USER_DATA)
    old, new = shown(before, (_told(wanted, mode), wanted[cidata.USER_DATA]))
    return {"before_header": place, "after_header": place, "before": old, "after": new}


def _told(found: dict[str, bytes], mode: int) -> dict[str, t.Any]:
    told = {"mode": f"{mode:04o}", "meta_data": found.get(cidata.META_DATA, b"").decode(errors="replace")}
    # A medium of another kind is told by the names in it.
    others = [name for name in found if name not in (cidata.USER_DATA, cidata.META_DATA)]
    return {**told, "other_files": others} if others else told
