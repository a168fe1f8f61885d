# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_upload: its documentation is in plugins/modules/host_upload.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ansible_collections.palette.edge.plugins.plugin_utils._action import (
    REACH_OPTIONS,
    HostAction,
    checked_mode,
    checked_owner,
    checked_path,
)
from ansible_collections.palette.edge.plugins.plugin_utils._files import (
    attribute_diff,
    attributes_script,
    differences,
    read_state,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, quote
from ansible_collections.palette.edge.plugins.plugin_utils._sftp import check_library
from ansible_collections.palette.edge.plugins.plugin_utils._transfer import Transfer
from ansible_collections.palette.edge.plugins.plugin_utils._upload import (
    Place,
    Source,
    checked_checksum,
    local_sha256,
    look,
    read_place,
    sized,
    source_size,
)


class ActionModule(HostAction):
    ARGUMENTS = {
        "src": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True, "aliases": ["path"]},
        "checksum": {"type": "str"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "mode": {"type": "raw"},
        "bandwidth_limit": {"type": "bytes"},
        "retries": {"type": "int", "default": 5},
        **REACH_OPTIONS,
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        dest = checked_path(args["dest"], option="dest")
        wanted = {
            "owner": checked_owner(args["owner"], option="owner"),
            "group": checked_owner(args["group"], option="group"),
            "mode": checked_mode(args["mode"]),
        }
        self._check_numbers(args)
        check_library()
        source = self._source(args)
        reach = self.reach
        remote, output = reach.first(
            args["addresses"],
            lambda candidate: look(candidate, dest, source),
            connect_timeout=args["connect_timeout"],
            timeout=args["timeout"],
            asked=f"to upload {source.path}",
        )
        place = read_place(output, read_state(output, dest))
        state = place.state
        changes = differences(state, source.sha256, **wanted)
        result: dict[str, t.Any] = {
            "changed": bool(changes),
            "dest": state.path,
            "address": remote.address,
            "changes": changes,
            "size": source.size,
            "sha256": source.sha256,
            "sent": 0,
            "resumed_from": 0,
        }
        if changes and self.wants_diff:
            result["diff"] = _diff(place, source, changes, wanted)
        if "content" in changes:
            _check_room(remote, place, source)
            if args["checksum"] and local_sha256(source.path) != source.sha256:
                raise HostError(f"checksum: {source.path} is another file: its SHA-256 is {local_sha256(source.path)}.")
            if not self.check_mode:
                transfer = Transfer(reach, remote, place, source, args)
                result.update(transfer.run(**wanted))
        elif changes and not self.check_mode:
            remote.run(PRELUDE + attributes_script(quote(state.path), **wanted) + END)
        return result

    @staticmethod
    def _check_numbers(args: dict[str, t.Any]) -> None:
        for name in ("connect_timeout", "timeout"):
            if args[name] < 1:
                raise HostError(f"{name}: {args[name]} is no time to wait; give one second or more.")
        if args["retries"] < 0:
            raise HostError(f"retries: {args['retries']} is no number of tries; give 0 or more.")
        if args["bandwidth_limit"] is not None and args["bandwidth_limit"] < 1024:
            raise HostError(
                f"bandwidth_limit: {args['bandwidth_limit']} bytes a second is too little; give 1K or more, as 10M."
            )

    def _source(self, args: dict[str, t.Any]) -> Source:
        given = checked_checksum(args["checksum"]) if args["checksum"] else ""
        try:
            path = str(self._find_needle("files", args["src"]))
        except AnsibleError as error:
            raise HostError(f"src: {args['src']} cannot be read here: {' '.join(str(error).split())}") from None
        size = source_size(path)
        return Source(path, size, given or local_sha256(path))


def _check_room(remote: Remote, place: Place, source: Source) -> None:
    """HostError where the file cannot be put, before anything is."""
    folder = place.state.path.rpartition("/")[0] or "/"
    if not place.writable:
        raise HostError(
            f"{remote.address}: {folder} cannot be written by the user who works there: become root, or check whether its "
            "file system is read-only."
        )
    needed = source.size - min(place.waiting, source.size)
    if place.free < needed:
        raise HostError(
            f"{remote.address}: {folder} has room for {sized(place.free)}, and {source.path} needs {sized(needed)}"
            f"{' more' if place.waiting else ''}; make room there, or give another dest."
        )


def _diff(place: Place, source: Source, changes: list[str], wanted: dict[str, str | None]) -> list[dict[str, str]]:
    """Size and checksum, then what else changes of the attributes."""
    shown, state = [], place.state
    if "content" in changes:
        # One of another size was not read for its checksum.
        digest = f"sha256: {state.sha256}\n" if state.sha256 else ""
        before = f"size: {state.size}\n{digest}" if state.exists else ""
        after = f"size: {source.size}\nsha256: {source.sha256}\n"
        shown.append({"before_header": state.path, "after_header": state.path, "before": before, "after": after})
    return shown + attribute_diff(state, changes, **wanted)
