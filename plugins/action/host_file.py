# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_file: its documentation is in plugins/modules/host_file.py."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError

from ansible_collections.palette.edge.plugins.plugin_utils._action import (
    HostAction,
    checked_mode,
    checked_owner,
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
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE

SHOWN_UP_TO = 100_000
"""Bytes: longer files are shown in a diff by size and checksum."""


class ActionModule(HostAction):
    ARGUMENTS = {
        "path": {"type": "str", "required": True, "aliases": ["dest"]},
        "content": {"type": "str"},
        "src": {"type": "str"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "mode": {"type": "raw"},
        "validate": {"type": "str", "default": ""},
        "sensitive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = checked_path(args["path"])
        absent = args["state"] == "absent"
        wanted = None if absent else self._wanted(args)
        remote = Remote(self._connection, self._play_context, self.where)
        up_to = SHOWN_UP_TO if self.wants_diff and not args["sensitive"] else 0
        output = remote.run(PRELUDE + state_script(path, content_up_to=up_to) + END, secret=up_to > 0)
        state = read_state(output, path, must_have_folder=not absent)
        changes = [] if wanted is None else differing(state, wanted)
        changed = state.exists if wanted is None else bool(changes)
        result: dict[str, t.Any] = {
            "changed": changed,
            "path": state.path,
            "changes": ["removed"] if absent and changed else changes,
        }
        if wanted is not None:
            result["sha256"] = hashlib.sha256(wanted.content).hexdigest()
        if changed and self.wants_diff:
            result["diff"] = _diff(state, wanted, changes, sensitive=args["sensitive"])
        if changed and not self.check_mode:
            if wanted is None:
                remove(remote, state)
            else:
                write(remote, state, wanted)
        return result

    def _wanted(self, args: dict[str, t.Any]) -> FileWanted:
        if (args["content"] is None) == (args["src"] is None):
            raise HostError("content, src: give the file's content by exactly one of the two options.")
        if args["validate"] and "%s" not in args["validate"]:
            raise HostError("validate: the command does not say where the file's path goes; put %s there.")
        return FileWanted(
            content=args["content"].encode() if args["src"] is None else self._local(args["src"]),
            owner=checked_owner(args["owner"], option="owner"),
            group=checked_owner(args["group"], option="group"),
            mode=checked_mode(args["mode"]),
            validate=args["validate"],
            sensitive=args["sensitive"],
        )

    def _local(self, src: str) -> bytes:
        try:
            # A vaulted file comes decrypted, in a temporary file that the loader removes in the end.
            return Path(self._loader.get_real_file(self._find_needle("files", src))).read_bytes()
        except (AnsibleError, OSError) as error:
            raise HostError(f"src: {src} cannot be read here: {' '.join(str(error).split())}") from None


def _diff(state: FileState, wanted: FileWanted | None, changes: list[str], *, sensitive: bool) -> list[dict[str, str]]:
    """Content before and after (or its checksum), then what else changes of the attributes."""
    shown = []
    if wanted is None or "content" in changes:
        after = "" if wanted is None else _shown(wanted.content, len(wanted.content), "", sensitive=sensitive)
        before = _shown(state.content, state.size, state.sha256, sensitive=sensitive) if state.exists else ""
        shown.append({"before_header": state.path, "after_header": state.path, "before": before, "after": after})
    if wanted is not None:
        shown += attribute_diff(state, changes, owner=wanted.owner, group=wanted.group, mode=wanted.mode)
    return shown


def _shown(content: bytes | None, size: int, checksum: str, *, sensitive: bool) -> str:
    if content is not None and not sensitive and size <= SHOWN_UP_TO:
        try:
            return content.decode()
        except UnicodeDecodeError:
            pass
    digest = checksum or hashlib.sha256(content or b"").hexdigest()
    return f"({'hidden' if sensitive else 'not shown'}: {size} bytes, sha256 {digest})\n"
