# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SFTP to an Edge host: paramiko's client over a session of OpenSSH's own `ssh`.

Started as Ansible's ssh connection starts it, `ssh` finds host, user, keys, agents and jump hosts where it always does
and refuses the host keys that it always refuses. It also encrypts, in a process of its own; paramiko's transport needs more
than twice the time of this process for that. What paramiko adds is the protocol, with any place of a file to write to and
an answer to each write.
"""

from __future__ import annotations

import os
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError

try:
    import paramiko
    from paramiko.sftp import CMD_WRITE, int64
except ImportError:
    paramiko = None

if t.TYPE_CHECKING:
    from ansible.plugins.connection import ConnectionBase

CHUNK = 32 * 1024
"""Bytes of one write: what every SFTP server takes."""

WINDOW = 128
"""Writes under way without an answer: 4 MiB, twice of what OpenSSH's server lets come in at once."""

STALLED = 120.0
"""Seconds without a byte in either direction after which the link counts as cut."""

# The first value that ssh meets counts. A connection of its own, so that nobody waits for this one and nothing that dies
# behind a shared one is waited for; and what sftp(1) turns off, as only one session of a host can have it.
_OPTIONS = (
    "ControlMaster=no",
    "ControlPath=none",
    "Compression=no",
    "ClearAllForwardings=yes",
    "ForwardX11=no",
    "ForwardAgent=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
)
_WITHOUT_PASSWORD = (
    "KbdInteractiveAuthentication=no",
    "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey",
    "PasswordAuthentication=no",
    # Nobody is there to answer a question about a host key or a passphrase.
    "BatchMode=yes",
)
# The answer to the first question for a password, and to no other: not for a passphrase, not for a host key.
_ASKPASS = """\
#!/bin/sh
case "$1" in *yes/no*|*passphrase*) exit 1 ;; esac
mv "$PALETTE_EDGE_ASKPASS.first" "$PALETTE_EDGE_ASKPASS.taken" 2>/dev/null || exit 1
IFS= read -r line < "$PALETTE_EDGE_ASKPASS.taken" && printf "%s\\n" "$line"
"""


class LinkCutError(ConnectionError):
    """The session ended, or nothing went through it any more. The text says why, as far as ssh knows."""


def check_library() -> None:
    """HostError where paramiko is missing or too old."""
    if paramiko is None:
        raise HostError(
            "Large files are sent with the Python library paramiko (3.4 or later), which is not there on the control "
            f"node: {sys.executable} -m pip install paramiko."
        )


def ssh_command(connection: ConnectionBase) -> list[str]:
    """The command line of `ssh` for an SFTP session, from the options that Ansible's ssh connection has.

    What that connection itself makes of them is the same but for `-C`: what is large is compressed already.
    """
    if not connection.has_option("ssh_executable"):
        kind = connection._load_name
        raise HostError(f"Large files go over ansible.builtin.ssh, and the connection of this host is {kind}.")

    def option(name: str) -> t.Any:
        return connection.get_option(name) if connection.has_option(name) else None

    def words(name: str) -> list[str]:
        return [word.strip() for word in shlex.split(option(name) or "") if word.strip()]

    found = list(_OPTIONS)
    password, pkcs11 = option("password"), option("pkcs11_provider")
    if password and pkcs11:
        found += ["KbdInteractiveAuthentication=no", "PreferredAuthentications=publickey", "PasswordAuthentication=no"]
        found.append(f"PKCS11Provider={pkcs11}")
    later = []
    if option("host_key_checking") is False:
        later.append("StrictHostKeyChecking=no")
    if option("port") is not None:
        later.append(f"Port={option('port')}")
    if option("private_key"):
        # Into the agent, under the name that comes back, as the connection does it.
        later += ["IdentitiesOnly=yes", f'IdentityFile="{connection._populate_agent()}"']
    elif option("private_key_file"):
        later.append(f'IdentityFile="{Path(option("private_key_file")).expanduser()}"')
    later += ["NumberOfPasswordPrompts=1"] if password else _WITHOUT_PASSWORD
    if option("remote_user"):
        later.append(f'User="{option("remote_user")}"')
    later.append(f"ConnectTimeout={option('timeout')}")
    command = [str(option("ssh_executable")), *_as_options(found)]
    command += [word for word in words("ssh_args") if word != "-C"]
    command += [*_as_options(later), *words("ssh_common_args"), *words("ssh_extra_args")]
    return [*command, "-s", str(option("host")), "sftp"]


def _as_options(settings: t.Iterable[str]) -> list[str]:
    return [word for setting in settings for word in ("-o", setting)]


@dataclass
class Channel:
    """The part of a paramiko channel that its SFTP client uses, over the standard streams of a process."""

    command: list[str]
    password: str = ""

    def __post_init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._private = tempfile.TemporaryDirectory(prefix="sftp-", dir=C.DEFAULT_LOCAL_TMP)
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(STALLED)
        self._held = -1
        environment = dict(os.environ)
        if self.password:
            self._askpass(environment)
        try:
            # Without a terminal of its own, ssh cannot wait for an answer from one.
            self._process = subprocess.Popen(
                self.command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._said,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self.settled()
            self._socket.close()
            self._said.close()
            raise HostError(f"{self.command[0]} cannot be run here: {error.strerror}.") from None
        finally:
            theirs.close()

    def _askpass(self, environment: dict[str, str]) -> None:
        """Have the password ready in a pipe that only this user can open: it is in no file, argument or environment."""
        program, pipe = Path(self._private.name, "askpass"), Path(self._private.name, "pipe")
        program.write_text(_ASKPASS)
        program.chmod(0o700)
        os.mkfifo(f"{pipe}.first", 0o600)
        self._held = os.open(f"{pipe}.first", os.O_RDWR | os.O_NONBLOCK)
        os.write(self._held, self.password.encode() + b"\n")
        environment.update(SSH_ASKPASS=str(program), SSH_ASKPASS_REQUIRE="force", PALETTE_EDGE_ASKPASS=str(pipe))
        environment.setdefault("DISPLAY", "none")

    def send(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except OSError as error:
            raise self._cut(error) from None

    def recv(self, size: int) -> bytes:
        try:
            data = self._socket.recv(size)
        except OSError as error:
            raise self._cut(error) from None
        if not data:
            raise self._cut(None)
        return data

    def recv_ready(self) -> bool:
        return bool(select.select([self._socket], [], [], 0)[0])

    def get_name(self) -> str:
        return "ssh"

    def settled(self) -> None:
        """The login is over: the password is needed no more."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        self._private.cleanup()

    def close(self) -> None:
        self.settled()
        self._socket.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _cut(self, error: OSError | None) -> LinkCutError:
        if isinstance(error, TimeoutError):
            return LinkCutError(f"nothing went through it for {STALLED:.0f} s")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        said = ""
        # A file that is closed late says goodbye to a session that is over.
        if not self._said.closed:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()
        return LinkCutError(said or "the connection was lost")


@dataclass
class Session:
    """An SFTP session. Everything in it raises LinkCutError when the link is gone, OSError when the host refuses."""

    channel: Channel
    sftp: t.Any

    @classmethod
    def open(cls, connection: ConnectionBase) -> Session:
        """Log in. Raises AnsibleConnectionFailure with the words of ssh, HostError for a host without SFTP."""
        check_library()
        channel = Channel(ssh_command(connection), str(connection.get_option("password") or ""))
        try:
            session = cls(channel, paramiko.SFTPClient(channel))
        except BaseException as error:
            channel.close()
            where = connection.get_option("host")
            if isinstance(error, paramiko.SFTPError):
                raise HostError(f"{where}: no SFTP server answers: {error}; does the login shell print text?") from None
            if not isinstance(error, LinkCutError):
                raise
            if "ubsystem request failed" in str(error):
                raise HostError(f"{where}: its sshd has no SFTP; add `Subsystem sftp internal-sftp`.") from None
            raise AnsibleConnectionFailure(str(error)) from None
        channel.settled()
        return session

    def close(self) -> None:
        self.channel.close()

    def home(self) -> str:
        """The folder that a session begins in."""
        return str(self.sftp.normalize("."))

    def write(
        self,
        source: t.BinaryIO,
        path: str,
        *,
        offset: int,
        size: int,
        limit: int = 0,
        report: t.Callable[[int], None],
    ) -> None:
        """Write `source` from `offset` up to `size` to the same place of the file `path`, made if it is not there.

        `limit` is bytes a second. `report` is called with the number of bytes that the host has, again and again.
        """
        try:
            file = self.sftp.open(path, "r+")
        except FileNotFoundError:
            file = self.sftp.open(path, "wx")
        source.seek(offset)
        pace, writer, at = Pace(limit), _Writer(self.sftp, file.handle, offset), offset
        while at < size:
            data = source.read(min(CHUNK, size - at))
            if not data:
                raise HostError(f"src: {source.name} has become shorter while it was sent; nothing was put in place.")
            writer.write(data, at)
            at += len(data)
            writer.wait(WINDOW - 1)
            report(writer.done)
            pace.sent(len(data))
        writer.wait(0)
        file.close()
        report(writer.done)


def clock() -> float:
    """The clock as it is when it is asked."""
    return time.monotonic()


@dataclass
class Pace:
    """Keeps to `limit` bytes a second; 0 is no limit."""

    limit: int
    bytes: int = 0
    since: float = field(default_factory=clock)

    def sent(self, count: int) -> None:
        self.bytes += count
        if self.limit:
            early = self.since + self.bytes / self.limit - time.monotonic()
            if early > 0:
                time.sleep(early)


class _Writer:
    """Writes that are answered while further ones are under way.

    paramiko's own pipelining waits for all answers each time that a hundred are due, and the line is idle meanwhile.
    """

    def __init__(self, sftp: t.Any, handle: bytes, done: int) -> None:
        self.sftp, self.handle, self.done = sftp, handle, done
        self.waiting: dict[int, int] = {}

    def write(self, data: bytes, at: int) -> None:
        number = self.sftp._async_request(self, CMD_WRITE, self.handle, int64(at), data)
        self.waiting[number] = len(data)

    def wait(self, most: int) -> None:
        """Until no more than `most` writes lack an answer."""
        while len(self.waiting) > most:
            self.sftp._read_response()

    def _async_response(self, dummy_kind: int, message: t.Any, number: int) -> None:
        """paramiko calls this with the answer; OSError when the host could not write."""
        self.sftp._convert_status(message)
        self.done += self.waiting.pop(number)
