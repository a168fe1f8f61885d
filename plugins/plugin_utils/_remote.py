# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shell scripts on an Edge host through any Ansible connection, at the first of several addresses that answers.

An Edge host has no Python, so nothing here uses Ansible's module machinery: a script is the command line (it holds
no secret), what it is given to read is its standard input.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import time
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible import constants as C
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.loader import connection_loader

from ansible_collections.palette.edge.plugins.plugin_utils._host_keys import refusal
from ansible_collections.palette.edge.plugins.plugin_utils._script import Output, parse_output

if t.TYPE_CHECKING:
    from ansible.playbook.play_context import PlayContext
    from ansible.plugins.connection import ConnectionBase

PAUSE = 1.0
"""Seconds between two rounds over the addresses."""

# The user's own ssh arguments come first, and ssh takes the first value it meets: these are defaults.
_KEEP_ALIVE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"
# A shared master connection outlives the host that died behind it, so who waits for a host does not share one.
_NO_MASTER = "-o ControlMaster=no -o ControlPath=none"
_STAGE = (
    "umask 077\n"
    'for d in "${XDG_RUNTIME_DIR:-}" /dev/shm "${HOME:-}" /tmp; do\n'
    '  [ -n "$d" ] && [ -w "$d" ] && t=$(mktemp -d "$d/.palette-XXXXXX" 2>/dev/null) || continue\n'
    '  printf "@dir %s\\n@end\\n" "$t"; exit 0\n'
    "done\n"
    'printf "@error no directory to hand the file over in\\n"; exit 1\n'
)
# What a further try cannot cure.
_FINAL = (
    "Permission denied",
    "Too many authentication failures",
    "Could not resolve hostname",
    "Bad configuration",
)
# What ssh says last, and which says less than the line before.
_HOLLOW = re.compile(
    r"UNKNOWN port|^stdio forwarding failed|^Disconnected from |^kex_exchange_identification: Connection closed"
)

# What Ansible wraps around ssh's own words.
_WRAPPING = re.compile(
    r"^(Failed to connect to the host via ssh: ?|Data could not be sent to remote host \"[^\"]*\"\. "
    r"Make sure this host can be reached over ssh: ?)+"
)

T = t.TypeVar("T")


class HostError(Exception):
    """The host answered, and what was asked of it cannot be done. The text is one line for people."""


class HostUnreachable(Exception):
    """No address of the host answered. The text is one line for people."""


@dataclass(frozen=True)
class Failure:
    """Why one address did not answer; `final` when trying again cannot help; `advice` when that is known."""

    address: str
    reason: str
    final: bool = False
    advice: str = ""


@dataclass
class Remote:
    """One host at one address."""

    connection: ConnectionBase
    play_context: PlayContext
    address: str

    def run(self, script: str, *, payload: bytes = b"", secret: bool = False, elevated: bool = True) -> Output:
        """What `script` (POSIX sh) prints, given `payload` on its standard input.

        `secret` keeps what it prints from Ansible's own -vvv output; without `elevated` it is the SSH user who runs it
        (only a script without payload, on any connection). Raises HostError for an `@error` line or an
        unfinished script, AnsibleConnectionFailure when the connection breaks.
        """
        with self._unlogged(secret):
            if self.connection.has_pipelining:
                # A payload that is never empty also keeps ssh from asking for a terminal.
                answer = self._execute(script, payload or b"\n", elevated=elevated)
            elif payload:
                answer = self._execute_staged(script, payload)
            else:
                answer = self._execute("exec </dev/null\n" + script, None, elevated=elevated)
        rc, stdout, stderr = answer
        output = parse_output(stdout)
        if output.error:
            raise HostError(f"{self.address}: {output.error}")
        if not output.finished:
            said = "" if secret else _last_line(stderr or stdout)
            raise HostError(
                f"{self.address}: the shell on the host ended early (exit code {rc}){': ' + said if said else ''}"
            )
        return output

    def drop(self) -> None:
        """Forget the connection, a shared one behind it included. Never fails."""
        try:
            if str(self.connection.transport).rsplit(".", maxsplit=1)[-1] == "ssh":
                self.connection.reset()
            elif self.connection.connected:
                self.connection.close()
        except (AnsibleError, OSError, EOFError):
            pass

    def _execute(self, script: str, payload: bytes | None, *, elevated: bool = True) -> tuple[int, str, str]:
        connection, become, command = self.connection, self.connection.become, script
        if elevated and become and self._other_user(become):
            command = become.build_become_command(command, connection._shell)
        if connection.allow_executable:
            executable = self.play_context.executable or "/bin/sh"
            command = f"{executable} -c {shlex.quote(command)}"
        rc, stdout, stderr = connection.exec_command(command, in_data=payload, sudoable=elevated)
        return rc, _text(stdout), _text(stderr)

    def _other_user(self, become: t.Any) -> bool:
        user, me = become.get_option("become_user"), self.play_context.remote_user
        if self.connection.has_option("remote_user"):
            me = self.connection.get_option("remote_user") or me
        return bool(C.BECOME_ALLOW_SAME_USER) or user != me or not user

    def _execute_staged(self, script: str, payload: bytes) -> tuple[int, str, str]:
        """For connections without standard input: hand the payload over as a private file, in memory if possible."""
        rc, stdout, stderr = self._execute(_STAGE, None, elevated=False)
        folder = parse_output(stdout).first("dir")
        if not folder:
            said = _last_line(stderr or stdout) or f"exit code {rc}"
            raise HostError(f"{self.address}: no directory to hand a file over in: {said}")
        handle, local = tempfile.mkstemp(dir=C.DEFAULT_LOCAL_TMP)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(payload)
            self.connection.put_file(local, f"{folder}/payload")
            # Opened, then unlinked: from here on it is gone whatever happens to the script.
            return self._execute(f'exec <"{folder}/payload" || exit 1\nrm -rf "{folder}"\n{script}', None)
        except BaseException:
            self._discard(folder)
            raise
        finally:
            os.unlink(local)

    def _discard(self, folder: str) -> None:
        with suppress(AnsibleError):
            self._execute(f'rm -rf "{folder}"', None, elevated=False)

    @contextmanager
    def _unlogged(self, secret: bool) -> Iterator[None]:
        before = self.play_context.no_log
        self.play_context.no_log = bool(before) or secret
        try:
            yield
        finally:
            self.play_context.no_log = before


@dataclass
class Reach:
    """Makes connections to the addresses of the task's host, with the options that its own connection has."""

    connection: ConnectionBase
    play_context: PlayContext
    task_uuid: str = ""

    def at(self, address: str, *, connect_timeout: int, shared: bool = True) -> Remote:
        """A fresh connection to `address`; `connect_timeout` in seconds. Nothing is sent yet."""
        old = self.connection
        # The name as the play gives it: what a plugin calls itself cannot always be loaded again.
        kind = str(self.play_context.connection or old._load_name)
        play_context = self.play_context.copy()
        play_context.remote_addr = address
        fresh, dummy = connection_loader.get_with_context(
            kind,
            play_context,
            new_stdin=None,
            task_uuid=self.task_uuid,
            ansible_playbook_pid=str(os.getppid()),
        )
        if fresh is None:
            raise HostError(f"The connection plugin {kind} cannot be loaded again for the address {address}.")
        known = fresh.option_definitions
        options = {name: value for name, value in old.get_options().items() if value is not None}
        options.update({name: address for name in ("host", "remote_addr") if name in known})
        if "ssh_executable" in known:
            # Not by the option `timeout`, which also limits how long sudo may take to ask.
            ours = f"-o ConnectTimeout={max(1, connect_timeout)}{'' if shared else ' ' + _NO_MASTER}"
            options["ssh_args"] = f"{ours} {options.get('ssh_args') or ''}".strip()
            options["ssh_extra_args"] = f"{options.get('ssh_extra_args') or ''} {_KEEP_ALIVE}".strip()
            options["reconnection_retries"] = 0
        elif "timeout" in known:
            options["timeout"] = max(1, connect_timeout)
        fresh.set_options(direct=options)
        fresh.set_become_plugin(old.become)
        fresh._shell = old._shell
        return Remote(fresh, play_context, address)

    def own_address(self) -> str | None:
        """The address that the inventory gives the host; None for a connection without one (such as local)."""
        for name in ("host", "remote_addr"):
            if self.connection.has_option(name):
                value = self.connection.get_option(name)
                return str(value) if value else None
        return None

    def candidates(self, addresses: Iterable[str]) -> list[str]:
        """`addresses` without prefix lengths, empty ones and repetitions; the inventory's own when none is left."""
        wanted = dict.fromkeys(str(address).strip().split("/", 1)[0] for address in addresses)
        wanted.pop("", None)
        if wanted and self.own_address() is None:
            kind = self.connection._load_name
            raise HostError(f"addresses: a connection of type {kind} has no address to choose; leave the option out.")
        return list(wanted) or [own for own in (self.own_address(),) if own]

    def first(
        self,
        addresses: Iterable[str],
        probe: Callable[[Remote], T],
        *,
        connect_timeout: int,
        timeout: int,
        asked: str,
    ) -> tuple[Remote, T]:
        """The first address that answers `probe`, tried in order, round after round for `timeout` seconds.

        Raises HostUnreachable, with `asked` (what for) in its text, or what the probe raises on a host that answers.
        """
        wanted = self.candidates(addresses)
        if not wanted:
            remote = Remote(self.connection, self.play_context, str(self.play_context.remote_addr or "localhost"))
            return remote, probe(remote)
        deadline = time.monotonic() + timeout
        while True:
            failures: list[Failure] = []
            for address in wanted:
                left = max(1, min(connect_timeout, int(deadline - time.monotonic())))
                found = self.attempt(self.at(address, connect_timeout=left), probe)
                if not isinstance(found, Failure):
                    return found
                failures.append(found)
            if all(failure.final for failure in failures) or time.monotonic() + PAUSE >= deadline:
                raise HostUnreachable(f"{asked}: {told(failures, user=self._user())}")
            time.sleep(PAUSE)

    def attempt(self, remote: Remote, probe: Callable[[Remote], T]) -> tuple[Remote, T] | Failure:
        """Try one address once."""
        try:
            return remote, probe(remote)
        except (AnsibleError, EOFError, OSError) as error:
            refused = refusal(str(error))
            if isinstance(error, AnsibleError) and not (refused or isinstance(error, AnsibleConnectionFailure)):
                raise
            remote.drop()
            final = isinstance(error, AnsibleAuthenticationFailure) or any(sign in str(error) for sign in _FINAL)
            advice = refused.advice if refused else ""
            return Failure(remote.address, plain_reason(error), final or bool(refused), advice)

    def _user(self) -> str:
        if self.connection.has_option("remote_user"):
            return str(self.connection.get_option("remote_user") or "")
        return str(self.play_context.remote_user or "")


def told(failures: list[Failure], *, user: str = "") -> str:
    """One sentence on all addresses that were tried, with the advice that fits."""
    tried = "; ".join(f"{failure.address} ({failure.reason})" for failure in failures)
    known = dict.fromkeys(failure.advice for failure in failures if failure.advice)
    if known:
        advice = "; ".join(known)
    elif failures and all(failure.final for failure in failures):
        advice = f"check the user{' ' + user if user else ''}, its key and whether it may log in"
    else:
        advice = "check power, network and sshd of the host, and its addresses in the inventory"
    return f"no address answered over SSH: {tried}; {advice}."


def broken(error: BaseException) -> str:
    """What to say of a connection that did not come about, or ended in the middle of the work."""
    refused = refusal(str(error))
    if refused:
        return f"{refused.reason}; {refused.advice}."
    return f"the connection broke: {plain_reason(error)}. Run again: what is done stays done."


def plain_reason(error: BaseException) -> str:
    """The line of a connection error that says what happened."""
    text = str(getattr(error, "message", "") or error)
    refused = refusal(text)
    if refused:
        return refused.reason
    lines = [line.strip() for line in text.replace("\r", "").splitlines()]
    lines = [
        line
        for line in lines
        if line and not line.startswith(("debug", "OpenSSH_", "@@", "Warning: Permanently added"))
    ]
    if not lines:
        return type(error).__name__
    # Through a jump host, ssh itself does not know whom it lost; the line before tells more, if there is one.
    telling = [line for line in lines if not _HOLLOW.search(_WRAPPING.sub("", line))]
    if not telling:
        return "no answer in time" if "timed out" in lines[-1] else "connection closed"
    return _WRAPPING.sub("", telling[-1]).removeprefix("ssh: ").rstrip(".") or "the connection was lost"


def _text(raw: t.Any) -> str:
    data = raw if isinstance(raw, (bytes, str)) else raw.read()
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else str(data)
    return text.replace("\r\n", "\n")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
