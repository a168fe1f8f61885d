# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import multiprocessing
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

pytest.importorskip("paramiko")

from ansible_collections.palette.edge.plugins.plugin_utils import _sftp, _upload
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Reach

OURS = {
    "batchmode",
    "clearallforwardings",
    "compression",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "numberofpasswordprompts",
    "permitlocalcommand",
    "requesttty",
    "sessiontype",
}
CONFIG = """\
Host 192.0.2.9
  HostName 192.0.2.10
  Port 2200
  User configured
  IdentityFile ~/.ssh/of-the-config
  ProxyJump jump.example.com
  Ciphers aes128-gcm@openssh.com
"""


@pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"ansible_user": "kairos", "ansible_port": 2222, "ansible_ssh_private_key_file": "~/a key"},
        {"ansible_password": "secret", "ansible_host_key_checking": False},
        {"ansible_ssh_common_args": "-o ProxyJump=one,two -o HostKeyAlias=edge-1 -o UserKnownHostsFile='\"/a b\"'"},
        {"ansible_ssh_common_args": "-o ProxyCommand='ssh -W %h:%p \"a jump\"' -o StrictHostKeyChecking=accept-new"},
        {"ansible_ssh_extra_args": "-J over -i other -p 99", "ansible_ssh_args": "-o ControlPersist=9 -C -4 -l me"},
    ],
)
def test_ssh_is_told_what_the_connection_tells_it(
    variables: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(CONFIG)
    context = PlayContext()
    context.remote_addr, context.connection = "192.0.2.1", "ssh"
    connection, dummy = connection_loader.get_with_context("ssh", context, new_stdin=None)
    variables["ansible_ssh_args"] = f"-F {config} {variables.get('ansible_ssh_args', '-C -o ControlPersist=60s')}"
    connection.set_options(var_options={"ansible_host": "192.0.2.1", "inventory_hostname": "edge-1", **variables})
    fresh = Reach(connection, context).at("192.0.2.9", connect_timeout=7).connection
    # Passwords are given to `ssh` in another way than by a program before it.
    monkeypatch.setattr(type(fresh), "_sshpass_available", staticmethod(lambda: True), raising=False)
    its = [word.decode() for word in fresh._build_command("ssh", "ssh", "192.0.2.9")]
    ours, theirs = effective(_sftp.ssh_command(fresh)), effective(its[its.index("ssh") :])
    assert {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)} <= OURS
    assert ours["hostname"] == ["192.0.2.10"]
    assert ours["connecttimeout"] == ["7"]
    assert ours["compression"] == ["no"]
    assert ours["controlmaster"] == ["false"]


def effective(command: list[str]) -> dict[str, list[str]]:
    """What `ssh` makes of its arguments and its configuration."""
    done = subprocess.run([command[0], "-G", *command[1:]], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, dummy, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    return found


class Host:
    """An SFTP server that answers when it is asked to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[t.Any, int, int, int]] = []
        self.most, self.number, self.refuse_at, self.got = 0, 0, -1, bytearray()
        self.handle = b"h"

    def open(self, path: str, mode: str) -> Host:
        if mode == "r+":
            raise FileNotFoundError(path)
        return self

    def close(self) -> None:
        assert not self.waiting, "closed before everything was answered"

    def _async_request(self, writer: t.Any, kind: int, handle: bytes, offset: int, data: bytes) -> int:
        self.number += 1
        self.waiting.append((writer, self.number, int(offset), len(data)))
        self.most = max(self.most, len(self.waiting))
        self.got += data
        return self.number

    def _read_response(self) -> None:
        writer, number, offset, dummy = self.waiting.pop(0)
        writer._async_response(0, offset, number)

    def _convert_status(self, offset: int) -> None:
        if offset == self.refuse_at:
            raise OSError("Failure")


def write(host: Host, data: bytes, **more: t.Any) -> list[int]:
    told: list[int] = []
    session = _sftp.Session(t.cast(t.Any, None), host)
    session.write(io.BytesIO(data), "/x", offset=0, size=len(data), report=told.append, **more)
    return told


def test_no_more_is_under_way_than_the_window_and_it_is_full() -> None:
    host, data = Host(), b"x" * (_sftp.CHUNK * 500 + 1)
    told = write(host, data)
    assert (host.most, bytes(host.got) == data) == (_sftp.WINDOW, True)
    assert told == sorted(told)
    assert told[-1] == len(data)


def test_a_refusal_of_any_write_is_noticed() -> None:
    for refused in (0, 10, 499):
        host = Host()
        host.refuse_at = refused * _sftp.CHUNK
        with pytest.raises(OSError, match="Failure"):
            write(host, b"x" * _sftp.CHUNK * 500)


def test_a_source_that_shrinks_is_told() -> None:
    source = io.BytesIO(b"x" * 10)
    source.name = "bundle"
    with pytest.raises(HostError, match="bundle has become shorter while it was sent"):
        _sftp.Session(t.cast(t.Any, None), Host()).write(source, "/x", offset=0, size=11, report=lambda done: None)


def test_the_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(_sftp.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_sftp.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    write(Host(), b"x" * _sftp.CHUNK * 320, limit=1024 * 1024)
    assert now[0] == pytest.approx(110)


def _hash(path: str, folder: str, count: t.Any) -> None:
    before = _upload.Source.digest

    def counted(self: _upload.Source, offset: int, length: int) -> str:
        with count.get_lock():
            count.value += 1
        return before(self, offset, length)

    _upload.C.DEFAULT_LOCAL_TMP = folder
    _upload.Source.digest = counted  # type: ignore[method-assign]
    _upload.local_sha256(path)


def test_the_checksum_is_computed_once_for_all_hosts(tmp_path: Path) -> None:
    source, context = tmp_path / "source", multiprocessing.get_context("fork")
    source.write_bytes(b"x" * 5_000_000)
    count = context.Value("i", 0)
    forks = [context.Process(target=_hash, args=(str(source), str(tmp_path), count)) for dummy in range(5)]
    for fork in forks:
        fork.start()
    for fork in forks:
        fork.join()
    assert ([fork.exitcode for fork in forks], count.value) == ([0] * 5, 1)
    source.write_bytes(b"y" * 5_000_000)
    _hash_here = context.Process(target=_hash, args=(str(source), str(tmp_path), count))
    _hash_here.start()
    _hash_here.join()
    assert count.value == 2
