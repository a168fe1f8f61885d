# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An SSH server on loopback with the files of this machine over SFTP, and with faults."""

from __future__ import annotations

import errno
import os
import socket
import threading
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko


@dataclass
class SftpServer:
    """Ask for `port` and `key`. A login needs `password`, or any key when there is none."""

    password: str = ""
    cut_after: list[int] = field(default_factory=list)
    """For each session in order: how many bytes it takes before the connection is closed."""
    full_after: int | None = None
    damaged_at: int | None = None
    sftp: bool = True
    sessions: int = 0
    written: list[tuple[int, int]] = field(default_factory=list)
    """Offset and length of each write."""

    def __post_init__(self) -> None:
        self.key = paramiko.ECDSAKey.generate()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def known_hosts(self, path: Path, name: str, key: t.Any = None) -> Path:
        """A file for ssh that says that `name` has the key."""
        key = key or self.key
        path.write_text(f"{name} {key.get_name()} {key.get_base64()}\n")
        return path

    def close(self) -> None:
        self._listener.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, dummy = self._listener.accept()
                transport = paramiko.Transport(connection)
                self._transports.append(transport)
                transport.add_server_key(self.key)
                if self.sftp:
                    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self, transport)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(event=threading.Event(), server=_Login(self))


class _Login(paramiko.ServerInterface):
    def __init__(self, server: SftpServer) -> None:
        self.server = server

    def get_allowed_auths(self, username: str) -> str:
        return "password" if self.server.password else "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_FAILED if self.server.password else paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == self.server.password else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, interface: _Login, server: SftpServer, transport: paramiko.Transport) -> None:
        self.server, self.transport = server, transport
        server.sessions += 1
        self.left = server.cut_after.pop(0) if server.cut_after else None

    def canonicalize(self, path: str) -> str:
        return os.path.realpath(path)

    def open(self, path: str, flags: int, attr: t.Any) -> t.Any:
        try:
            return _File(self, os.open(path, flags, 0o600))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)


class _File(paramiko.SFTPHandle):
    def __init__(self, files: _Files, handle: int) -> None:
        super().__init__()
        self.files, self.handle = files, handle

    def write(self, offset: int, data: bytes) -> int:
        server, files = self.files.server, self.files
        if files.left is not None and files.left <= 0:
            return int(paramiko.SFTP_FAILURE)
        if server.full_after is not None and offset + len(data) > server.full_after:
            return int(paramiko.SFTP_FAILURE)
        if server.damaged_at is not None and offset <= server.damaged_at < offset + len(data):
            data = data[: server.damaged_at - offset] + b"?" + data[server.damaged_at - offset + 1 :]
        os.pwrite(self.handle, data, offset)
        server.written.append((offset, len(data)))
        if files.left is not None:
            files.left -= len(data)
            if files.left <= 0:
                files.transport.close()
        return int(paramiko.SFTP_OK)

    def close(self) -> None:
        os.close(self.handle)
