# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads by the real `ssh` to an SSH server of the test's own; scripts of the host run here."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import stat
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure

pytest.importorskip("paramiko")

from ansible_collections.palette.edge.plugins.action import host_upload
from ansible_collections.palette.edge.plugins.plugin_utils import _sftp, _transfer, _upload
from ansible_collections.palette.edge.tests.unit.sftp_server import SftpServer

MIB = 1024 * 1024
SECRET = "s3cr3t-canary"

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH's client is not installed")


@dataclass
class Uploads:
    """Runs the action with the options of an ssh connection."""

    lab: t.Any
    server: SftpServer
    folder: Path
    options: dict[str, t.Any] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def dest(self) -> Path:
        return self.folder / "host" / "a bundle"

    def left(self) -> list[str]:
        """Names in the folder of the destination."""
        return sorted(os.listdir(self.dest.parent))

    @property
    def part(self) -> Path:
        return next(self.dest.parent.glob(".palette-upload-*/part"))

    def run(self, **args: t.Any) -> dict[str, t.Any]:
        given = {"src": str(self.source), "dest": str(self.dest), "retries": 0, "timeout": 5, **args}
        return dict(self.lab.run(host_upload, **given))


@pytest.fixture(scope="module")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def uploads(lab: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private_key: Path) -> t.Iterator[Uploads]:
    server = SftpServer()
    known = server.known_hosts(tmp_path / "known", "edge-1")
    found = Uploads(lab, server, tmp_path)
    found.options = {
        "host": "127.0.0.1",
        "port": server.port,
        "remote_user": "kairos",
        "password": None,
        "timeout": 10,
        "ssh_executable": "ssh",
        "private_key_file": str(private_key),
        "host_key_checking": True,
        "ssh_args": "-F /dev/null -C -o ControlMaster=auto -o ControlPersist=60s",
        "ssh_common_args": f"-o HostKeyAlias=edge-1 -o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes",
        "ssh_extra_args": "",
    }
    connection = lab.run.__globals__["FakeConnection"]
    monkeypatch.setattr(connection, "has_option", lambda self, name: name in found.options)
    monkeypatch.setattr(connection, "get_option", lambda self, name: found.options[name])
    monkeypatch.setattr(host_upload.ActionModule, "_find_needle", lambda self, folder, name: name)
    # A block of one MiB keeps the files small.
    monkeypatch.setattr(_upload, "BLOCK", 1)
    lab.address = "127.0.0.1"
    lab.host("127.0.0.1")
    found.dest.parent.mkdir()
    found.source.write_bytes(random.Random(1).randbytes(3 * MIB + 12345))
    try:
        yield found
    finally:
        server.close()


@pytest.mark.parametrize("size", [0, 1, _sftp.CHUNK, 3 * MIB + 12345])
def test_arrives_whole_and_a_second_run_sends_nothing(uploads: Uploads, size: int) -> None:
    uploads.source.write_bytes(uploads.source.read_bytes()[:size])
    first = uploads.run(mode="0640")
    assert first.get("msg") is None
    assert (first["changed"], first["changes"], first["sent"], first["resumed_from"]) == (True, ["content"], size, 0)
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    assert stat.S_IMODE(uploads.dest.stat().st_mode) == 0o640
    assert first["sha256"] == hashlib.sha256(uploads.source.read_bytes()).hexdigest()
    assert uploads.left() == ["a bundle"]
    again = uploads.run(mode="0640", checksum=f"sha256:{first['sha256'].upper()}")
    assert (again["changed"], again["sent"], uploads.server.sessions) == (False, 0, 1)
    attributes = uploads.run(mode="0600")
    assert (attributes["changes"], uploads.server.sessions) == (["mode"], 1)
    assert stat.S_IMODE(uploads.dest.stat().st_mode) == 0o600


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_goes_on_with_any_shell(uploads: Uploads, shell: str) -> None:
    found, tools, host = shutil.which(shell), uploads.folder / "tools", uploads.lab.network["127.0.0.1"]
    if not found:
        pytest.skip(f"{shell} is not installed")
    if shell == "busybox":
        tools.mkdir()
        subprocess.run([found, "--install", "-s", str(tools)], check=True)
        host.environment = {"PATH": str(tools)}
    host.shell = (found, "sh") if shell == "busybox" else (found,)
    uploads.server.cut_after = [2 * MIB]
    assert uploads.run()["unreachable"]
    done = uploads.run()
    assert (done.get("msg"), done["resumed_from"], uploads.left()) == (None, 2 * MIB, ["a bundle"])
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    assert uploads.run()["changed"] is False


def test_check_mode_predicts_and_the_diff_is_short(uploads: Uploads) -> None:
    uploads.dest.write_bytes(b"old")
    uploads.dest.chmod(0o600)
    uploads.lab.network["127.0.0.1"].read_only = True
    result = uploads.run(check=True, mode="0644")
    assert (result["changed"], result["changes"], result["sent"]) == (True, ["content", "mode"], 0)
    shown = result["diff"][0]
    assert (shown["before"], shown["after"]) == (
        "size: 3\n",
        f"size: {uploads.source.stat().st_size}\nsha256: {result['sha256']}\n",
    )
    assert (uploads.server.sessions, uploads.dest.read_bytes(), uploads.left()) == (0, b"old", ["a bundle"])


def test_a_cut_link_leaves_the_old_file_and_the_next_run_goes_on(uploads: Uploads) -> None:
    uploads.dest.write_bytes(b"old")
    uploads.server.cut_after = [2 * MIB]
    cut = uploads.run()
    assert cut["unreachable"]
    assert "source was cut off at " in cut["msg"]
    assert "Run again: it goes on from there" in cut["msg"]
    assert "\n" not in cut["msg"]
    assert uploads.dest.read_bytes() == b"old"
    assert uploads.part.stat().st_size == 2 * MIB
    uploads.server.written.clear()
    done = uploads.run()
    size = uploads.source.stat().st_size
    assert (done["resumed_from"], done["sent"]) == (2 * MIB, size - 2 * MIB)
    assert min(offset for offset, dummy in uploads.server.written) == 2 * MIB
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    assert uploads.left() == ["a bundle"]


def test_goes_on_by_itself_as_often_as_it_may(uploads: Uploads) -> None:
    uploads.server.cut_after = [MIB, MIB]
    done = uploads.run(retries=2)
    assert done.get("msg") is None
    assert (uploads.server.sessions, done["resumed_from"], uploads.left()) == (3, 0, ["a bundle"])
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    uploads.source.write_bytes(b"x" * 4 * MIB)
    uploads.server.cut_after = [MIB, MIB, MIB]
    failed = uploads.run(retries=1)
    assert failed["unreachable"]
    assert uploads.server.sessions == 5
    assert uploads.dest.stat().st_size == 3 * MIB + 12345


@pytest.mark.parametrize(("at", "good"), [(MIB + 7, MIB), (5, 0), (2 * MIB + 5, 2 * MIB)])
def test_what_waits_is_used_up_to_the_first_wrong_block(uploads: Uploads, at: int, good: int) -> None:
    uploads.server.cut_after = [2 * MIB + 65536]
    uploads.run()
    with uploads.part.open("r+b") as part:
        part.seek(at)
        part.write(b"wrong")
    done = uploads.run()
    assert done["resumed_from"] == good
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()


def test_a_link_that_is_cut_when_all_is_done_is_no_reason_to_send_again(uploads: Uploads) -> None:
    host, cut = uploads.lab.network["127.0.0.1"], []

    def answer(command: str, payload: bytes | None) -> None:
        if "mv -f" in command and not cut:
            cut.append(subprocess.run(["/bin/sh", "-c", command], input=b"", capture_output=True, check=True))
            raise AnsibleConnectionFailure("Timeout, server not responding.")

    host.answer = answer
    done = uploads.run(retries=1)
    assert (done.get("msg"), done["changed"], len(cut)) == (None, True, 1)
    assert sum(length for dummy, length in uploads.server.written) == uploads.source.stat().st_size
    assert uploads.left() == ["a bundle"]


def test_another_content_does_not_go_on_with_what_waits(uploads: Uploads) -> None:
    uploads.server.cut_after = [2 * MIB]
    uploads.run()
    old = uploads.part.parent
    os.utime(old, (0, 0))
    uploads.source.write_bytes(b"another")
    assert uploads.run()["resumed_from"] == 0
    assert uploads.dest.read_bytes() == b"another"
    assert not old.exists(), "what waits for nobody any more goes after an hour"


@pytest.mark.parametrize("kind", ["link", "folder", "long", "second name"])
def test_what_else_is_in_the_way_is_not_touched(uploads: Uploads, kind: str) -> None:
    uploads.server.cut_after = [MIB]
    uploads.run()
    part, precious = uploads.part, uploads.folder / "precious"
    precious.write_bytes(b"precious")
    part.unlink()
    if kind == "link":
        part.symlink_to(precious)
    elif kind == "folder":
        part.mkdir()
    elif kind == "second name":
        part.hardlink_to(precious)
    else:
        part.write_bytes(b"y" * 4 * MIB)
    done = uploads.run()
    assert (done.get("msg"), done["resumed_from"]) == (None, 0)
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    assert precious.read_bytes() == b"precious"
    assert not uploads.dest.is_symlink()


def test_what_arrives_wrong_is_removed(uploads: Uploads) -> None:
    uploads.dest.write_bytes(b"old")
    uploads.server.damaged_at = MIB
    failed = uploads.run()
    assert failed["failed"]
    assert "what arrived is not what was to be sent" in failed["msg"]
    assert (uploads.dest.read_bytes(), uploads.left()) == (b"old", ["a bundle"])


def stub(uploads: Uploads, name: str, says: str) -> None:
    """Another program in the place of one of the host's."""
    tools = uploads.folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(f"#!/bin/sh\n{says}\n")
    (tools / name).chmod(0o755)
    uploads.lab.network["127.0.0.1"].environment = {"PATH": f"{tools}:{os.environ['PATH']}"}


def stub_df(uploads: Uploads, kib: int) -> None:
    stub(uploads, "df", f"echo header; echo dev 9 9 {kib} 1% {uploads.folder}")


def test_only_root_takes_over_what_another_user_sends(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    become = SimpleNamespace(get_option=lambda name: "shop", build_become_command=lambda command, shell: command)
    monkeypatch.setattr(uploads.lab.run.__globals__["FakeConnection"], "become", become)
    # Every second time it is the SSH user who asks, and that is user 1000.
    stub(
        uploads,
        "id",
        f'[ -e {uploads.folder}/asked ] && echo 1000 && exit; [ "$1" = -g ] && : > {uploads.folder}/asked; echo 1500',
    )
    failed = uploads.run()
    assert "can be taken over by root only, and become_user has the number 1500" in failed["msg"]
    assert (uploads.server.sessions, uploads.left()) == (0, [])


def test_too_little_room_is_told_before_anything_is_sent(uploads: Uploads) -> None:
    stub_df(uploads, 2048)
    for check in (True, False):
        failed = uploads.run(check=check)
        assert failed["failed"]
        assert "has room for 2.0 MiB, and " in failed["msg"]
        assert "needs 3.0 MiB; make room there" in failed["msg"]
    assert (uploads.server.sessions, uploads.left()) == (0, [])
    stub_df(uploads, 10**7)
    uploads.server.cut_after = [2 * MIB]
    uploads.run()
    stub_df(uploads, 1500)
    assert uploads.run().get("msg") is None, "what waits needs its room no more"


def test_a_disk_that_fills_up_is_left_with_the_room_that_it_had(uploads: Uploads) -> None:
    uploads.dest.write_bytes(b"old")
    uploads.server.full_after = 2 * MIB
    refused = uploads.run()
    assert "was not written after " in refused["msg"]
    assert "goes on from there" in refused["msg"]
    uploads.lab.network["127.0.0.1"].answer = lambda command, payload: (
        (0, "@free 12\n@end\n", "") if "df -Pk" in command and "palette-upload" in command and "find" not in command
        and "@kind" not in command and "readlink" not in command else None
    )  # fmt: skip
    full = uploads.run(retries=3)
    assert "no space left on the device after 2.0 MiB of 3.0 MiB" in full["msg"]
    assert (uploads.dest.read_bytes(), uploads.left()) == (b"old", ["a bundle"])


def test_a_host_key_that_is_unknown_or_another_is_refused(uploads: Uploads) -> None:
    other = SftpServer()
    other.close()
    common, known = uploads.options["ssh_common_args"], uploads.folder / "known"
    for key in (None, other.key):
        known.write_text("")
        if key:
            uploads.server.known_hosts(known, "edge-1", key)
        failed = uploads.run()
        assert failed["unreachable"], failed
        assert "key" in failed["msg"]
        assert "\n" not in failed["msg"]
    before = uploads.server.sessions
    known.write_text("")
    uploads.options["ssh_common_args"] = common.replace("=yes", "=accept-new")
    assert uploads.run().get("msg") is None
    assert "edge-1" in known.read_text()
    assert (before, uploads.server.sessions) == (0, 1)


def test_a_password_is_seen_by_nobody(uploads: Uploads) -> None:
    uploads.server.password = SECRET
    wrapper, seen = uploads.folder / "ssh", uploads.folder / "seen"
    wrapper.write_text(f'#!/bin/sh\n{{ env; printf "%s\\n" "$@"; }} > {seen}\nexec ssh "$@"\n')
    wrapper.chmod(0o755)
    uploads.options.update(password=SECRET, ssh_executable=str(wrapper), private_key_file=None)
    done = uploads.run()
    assert done.get("msg") is None
    assert uploads.dest.read_bytes() == uploads.source.read_bytes()
    assert "NumberOfPasswordPrompts=1" in seen.read_text()
    assert SECRET not in seen.read_text()
    uploads.options["password"] = "wrong-canary"
    uploads.dest.unlink()
    failed = uploads.run()
    assert "Permission denied" in failed["msg"]
    assert "canary" not in str(failed)


def test_a_host_without_sftp(uploads: Uploads) -> None:
    uploads.server.sftp = False
    failed = uploads.run()
    assert "its sshd has no SFTP" in failed["msg"]
    assert uploads.left() == []


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"dest": "relative"}, "dest: 'relative' is not the absolute path"),
        ({"dest": "/nowhere/at/all"}, "there is no directory /nowhere/at on the host"),
        ({"src": "/nowhere"}, "src: /nowhere cannot be read here"),
        ({"checksum": "md5:1"}, "checksum: 'md5:1' is no SHA-256"),
        ({"checksum": "0" * 64}, "is another file: its SHA-256 is"),
        ({"mode": "rw"}, "mode: 'rw' is not an octal mode"),
        ({"owner": "a b"}, "owner: 'a b' is no name"),
        ({"retries": -1}, "retries: -1 is no number of tries"),
        ({"timeout": 0}, "timeout: 0 is no time to wait"),
        ({"bandwidth_limit": "10"}, "bandwidth_limit: 10 bytes a second is too little"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(uploads: Uploads, args: dict[str, t.Any], told: str) -> None:
    failed = uploads.run(**args)
    assert failed["failed"]
    assert told in failed["msg"]
    assert "\n" not in failed["msg"]
    assert (uploads.server.sessions, uploads.left()) == (0, [])


def test_a_vaulted_file_another_connection_and_a_missing_library(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.source.write_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert "is encrypted with Ansible Vault" in uploads.run()["msg"]
    uploads.source.write_bytes(b"x")
    del uploads.options["ssh_executable"]
    assert "the connection of this host is fake" in uploads.run()["msg"]
    monkeypatch.setattr(_sftp, "paramiko", None)
    assert "pip install paramiko" in uploads.run()["msg"]


def test_progress_is_told_now_and_then(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(_transfer._display, "v", lambda text, host=None: told.append(text))
    monkeypatch.setattr(_transfer, "TELL_EVERY", 50)
    uploads.lab.clock.step = 1.0
    uploads.run()
    assert 0 < len(told) < 10
    assert all("of 3.0 MiB (" in line for line in told)
