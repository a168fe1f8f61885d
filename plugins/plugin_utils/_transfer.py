# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending a large file to one host, over and over until it has arrived or the tries are used up."""

from __future__ import annotations

import errno
import posixpath
import time
import typing as t
from dataclasses import dataclass, field

from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.palette.edge.plugins.plugin_utils._remote import (
    HostError,
    HostUnreachable,
    Reach,
    Remote,
    plain_reason,
)
from ansible_collections.palette.edge.plugins.plugin_utils._sftp import LinkCutError, Session, clock
from ansible_collections.palette.edge.plugins.plugin_utils._upload import (
    Place,
    Source,
    discard,
    finish,
    folder_name,
    free_bytes,
    good_until,
    look,
    prepare,
    sized,
)

PAUSE = 2.0
"""Seconds before it goes on behind a cut."""

TELL_EVERY = 10.0
"""Seconds between two words on how far it is, with -v."""

_display = Display()


class _ElsewhereError(Exception):
    """The SSH user cannot write in this folder. The text says why."""


@dataclass
class Transfer:
    """One file to one host. `args` has the options connect_timeout, timeout, retries and bandwidth_limit."""

    reach: Reach
    remote: Remote
    place: Place
    source: Source
    args: dict[str, t.Any]
    done: int = 0
    resumed_from: int | None = None
    _sender: str = ""
    _told: float = field(default_factory=clock)

    def run(self, *, owner: str | None, group: str | None, mode: str | None) -> dict[str, int]:
        """Send what is missing and put it in place; what was sent, and from where. Raises HostError or HostUnreachable."""
        self._sender = self._user()
        for left in range(self.args["retries"], -1, -1):
            try:
                folder = self._arrive(again=left < self.args["retries"])
                if folder:
                    _display.v(f"{self._progress()}: verifying", host=self._host)
                    handed = self._sender != self.place.user[0]
                    finish(
                        self.remote, self.place, folder, self.source, handed=handed, owner=owner, group=group, mode=mode
                    )
                break
            except (LinkCutError, AnsibleConnectionFailure) as error:
                self.remote.drop()
                if not left:
                    raise HostUnreachable(f"{self.remote.address}: {self._cut(plain_reason(error))}") from None
                _display.v(f"{self._progress()}: the link was cut ({plain_reason(error)}), going on", host=self._host)
                time.sleep(PAUSE)
            except HostUnreachable as error:
                raise HostUnreachable(self._cut(str(error)) if self.done else str(error)) from None
        found = self.resumed_from or 0
        return {"sent": self.source.size - found, "resumed_from": found}

    @property
    def _host(self) -> str:
        return str(self.reach.play_context.remote_addr)

    def _cut(self, reason: str) -> str:
        # The answer to the rename may be what did not come.
        left = "as it was" if self.done < self.source.size else "whole, be it the old or the new one"
        return (
            f"{self.source.path} was cut off at {sized(self.done)} of {sized(self.source.size)}: {reason.rstrip('.')}. "
            f"Run again: it goes on from there, and {self.place.state.path} is {left}."
        )

    def _user(self) -> str:
        """The number of the SSH user. Raises HostError when nothing of that user's can be taken over."""
        worker = self.place.user[0]
        if self.remote.connection.become is None:
            return worker
        user = self.remote.run('printf "@uid %s\\n@end\\n" "$(id -u)"', elevated=False).first("uid")
        if worker not in {"0", user}:
            raise HostError(
                f"{self.remote.address}: what the SSH user sends can be taken over by root only, and become_user has the "
                f"number {worker}; become root, and give `owner`."
            )
        return user

    def _arrive(self, *, again: bool) -> str:
        """The folder in which the whole file waits; empty when it is in its place already."""
        self.remote, session = self.reach.first(
            [self.remote.address, *self.args["addresses"]],
            lambda candidate: Session.open(candidate.connection),
            connect_timeout=self.args["connect_timeout"],
            timeout=self.args["timeout"],
            asked=f"to upload {self.source.path}",
        )
        try:
            # The link may have been cut when all was done.
            if again and look(self.remote, self.place.state.path, self.source).first("sha256") == self.source.sha256:
                return ""
            refusals = []
            for base in self._bases(session):
                folder = posixpath.join(base, folder_name(self.place.state.path, self.source.sha256))
                try:
                    self._fill(session, folder)
                except _ElsewhereError as error:
                    refusals.append(str(error))
                else:
                    return folder
            raise HostError(f"{self.remote.address}: no folder that the SSH user may write to: {'; '.join(refusals)}.")
        finally:
            session.close()

    def _bases(self, session: Session) -> list[str]:
        """Where the file may wait, the best first: where a rename is all that remains to be done."""
        bases = [posixpath.dirname(self.place.state.path)]
        if self._sender != self.place.user[0]:
            bases += [self.place.mount, session.home()]
        return [base for base in dict.fromkeys(bases) if base.startswith("/")]

    def _fill(self, session: Session, folder: str) -> None:
        try:
            blocks = prepare(self.remote, folder, owner=self._sender, size=self.source.size)
        except HostError as error:
            raise _ElsewhereError(str(error)) from None
        offset = self.done = good_until(self.source, blocks)
        if self.resumed_from is None:
            self.resumed_from = offset
        try:
            with open(self.source.path, "rb", buffering=1024 * 1024) as stream:
                session.write(
                    stream,
                    f"{folder}/part",
                    offset=offset,
                    size=self.source.size,
                    limit=self.args["bandwidth_limit"] or 0,
                    report=self._report,
                )
        except LinkCutError:
            raise
        except OSError as error:
            if error.errno in {errno.EACCES, errno.ENOENT}:
                discard(self.remote, folder)
                raise _ElsewhereError(f"{folder}: {error.strerror or error}") from None
            raise self._refused(folder, str(error)) from None

    def _refused(self, folder: str, said: str) -> HostError:
        """Why the host takes no more. SFTP has no word for a full disk."""
        free = free_bytes(self.remote, folder)
        if free > 1024 * 1024:
            return HostError(
                f"{self.remote.address}: {folder} was not written after {sized(self.done)}: {said}; check quota and disk. "
                f"{self.place.state.path} is as it was; run again, it goes on from there."
            )
        # A host with a full disk is worse than one to send to again.
        discard(self.remote, folder)
        return HostError(
            f"{self.remote.address}: no space left on the device after {sized(self.done)} of {sized(self.source.size)}; "
            f"what was sent is removed and {self.place.state.path} is as it was. Make room, then run again."
        )

    def _report(self, done: int) -> None:
        self.done = done
        now = time.monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            _display.v(self._progress(), host=self._host)

    def _progress(self) -> str:
        share = self.done * 100 // (self.source.size or 1)
        return f"host_upload: {sized(self.done)} of {sized(self.source.size)} ({share} %) of {self.source.path}"
