# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on Edge hosts share: options, the way to the host, errors as one line."""

from __future__ import annotations

import posixpath
import re
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.palette.edge.plugins.plugin_utils._facts import FACTS, checksum_script, read_facts
from ansible_collections.palette.edge.plugins.plugin_utils._host_keys import refusal
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import OneLineAction
from ansible_collections.palette.edge.plugins.plugin_utils._remote import (
    HostError,
    HostUnreachable,
    Reach,
    Remote,
    broken,
)
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output

REACH_OPTIONS: dict[str, t.Any] = {
    "addresses": {"type": "list", "elements": "str", "default": []},
    "connect_timeout": {"type": "int", "default": 5},
    "timeout": {"type": "int", "default": 30},
}
"""The options of an action that finds its host itself."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")


class HostAction(OneLineAction):
    """An action on one Edge host. `perform` raises HostError or HostUnreachable."""

    ERRORS = (HostUnreachable, HostError, AnsibleError)

    def failure(self, error: Exception) -> dict[str, t.Any]:
        if isinstance(error, (HostUnreachable, HostError)):
            return {"unreachable" if isinstance(error, HostUnreachable) else "failed": True, "msg": str(error)}
        if isinstance(error, AnsibleConnectionFailure):
            return {"unreachable": True, "msg": f"{self.where}: {broken(error)}"}
        # From the connection or become plugin: no password, no privileges. Options are checked before.
        if refusal(str(error)):
            return {"failed": True, "msg": f"{self.where}: {broken(error)}"}
        return super().failure(error)

    @property
    def where(self) -> str:
        return str(self._play_context.remote_addr or "the host")

    @property
    def reach(self) -> Reach:
        return Reach(self._connection, self._play_context, task_uuid=str(self._task._uuid))

    def ask(
        self, args: dict[str, t.Any], *, asked: str, more: str = "", files: t.Sequence[str] = (), secret: bool = False
    ) -> tuple[Remote, dict[str, t.Any], Output]:
        """The host at the first address that answers, its facts, and what the lines `more` said, in one round trip."""
        for name in ("connect_timeout", "timeout"):
            if args[name] < 1:
                raise HostError(f"{name}: {args[name]} is no time to wait; give one second or more.")
        script = PRELUDE + FACTS + checksum_script(files) + more + END
        remote, output = self.reach.first(
            args["addresses"],
            lambda candidate: self.answer(candidate, script, secret=secret),
            connect_timeout=args["connect_timeout"],
            timeout=args["timeout"],
            asked=asked,
        )
        return remote, read_facts(output, files), output

    def answer(self, remote: Remote, script: str, *, secret: bool) -> Output:
        """What the script of `ask` says at one address."""
        return remote.run(script, secret=secret)


def checked_entry(where: str, value: t.Any, spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """One entry of a map of options whose keys are the user's; HostError when it is not as `spec` says."""
    if not isinstance(value, dict):
        raise HostError(f"{where}: must be a map with the keys {', '.join(spec)}.")
    checked = ArgumentSpecValidator(spec).validate(value)
    if checked.error_messages:
        raise HostError(f"{where}: {' '.join(checked.error_messages)}")
    return dict(checked.validated_parameters)


def checked_path(path: str, *, option: str = "path") -> str:
    """An absolute path of a file, normalised; HostError otherwise."""
    if not path.startswith("/") or path.endswith("/") or any(ord(sign) < 32 for sign in path):
        raise HostError(
            f"{option}: {path!r} is not the absolute path of a file; begin it with / and name the file at its end."
        )
    return posixpath.normpath(path)


def checked_owner(name: str | None, *, option: str) -> str | None:
    """A user or group, by name or number; HostError otherwise."""
    if name is not None and not _NAME.fullmatch(name):
        raise HostError(f"{option}: {name!r} is no name or number of a user or group.")
    return name


def checked_mode(mode: t.Any, *, option: str = "mode") -> str | None:
    """An octal mode such as `0644`, given as a string or as YAML's octal number; HostError otherwise."""
    if mode is None:
        return None
    text = f"{mode:04o}" if isinstance(mode, int) and not isinstance(mode, bool) else str(mode).strip()
    if not re.fullmatch(r"[0-7]{3,4}", text):
        raise HostError(f"{option}: {mode!r} is not an octal mode; write it in quotes, as '0644'.")
    return text.zfill(4)
