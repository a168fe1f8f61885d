# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import host_facts, host_file
from ansible_collections.palette.edge.plugins.plugin_utils._files import FileState, FileWanted, write_script

SECRET = "s3cr3t-canary"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "with blank",
        "quo'te",
        'dou"ble',
        "$HOME",
        "back`tick`",
        "semi;colon && x",
        "star*[a]?",
        "ümlaut",
        "-dash",
        "back\\slash",
        "%s",
    ],
)
def test_writes_any_name_and_any_bytes_then_changes_nothing(lab: t.Any, tmp_path: Path, name: str) -> None:
    lab.host()
    path = tmp_path / name
    content = "line 'one'\n$two `three` \\four \"five\"\n\n%s @end\nno newline at the end"
    first = lab.run(host_file, path=str(path), content=content, mode="0640")
    assert not first.get("failed"), first
    assert first["changed"] is True
    assert first["changes"] == ["content"]
    assert path.read_text() == content
    assert mode(path) == 0o640
    assert os.listdir(tmp_path) == [name]
    second = lab.run(host_file, path=str(path), content=content, mode="0640")
    assert second["changed"] is False
    assert "diff" not in second
    assert first["sha256"] == hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_on_any_shell(lab: t.Any, tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"{shell} is not installed")
    tools = tmp_path / "tools"
    tools.mkdir()
    environment = {}
    if shell == "busybox":
        subprocess.run([found, "--install", "-s", str(tools)], check=True)
        environment = {"PATH": str(tools)}
    lab.host(shell=(found, "sh") if shell == "busybox" else (found,), environment=environment)
    path = tmp_path / "a file"
    for content in ("one\n", "t\\wo $x `y`"):
        result = lab.run(host_file, path=str(path), content=content, mode="0600", validate="test -s %s")
        assert result.get("msg") is None
        assert (result["changed"], path.read_text(), mode(path)) == (True, content, 0o600)
        assert lab.run(host_file, path=str(path), content=content, mode="0600")["changed"] is False
    facts = lab.run(host_facts, files=[str(path)])["edge_host_facts"]
    assert facts["files"][str(path)]["exists"]
    assert facts["boot_id"]
    assert lab.run(host_file, path=str(path), state="absent")["changed"] is True
    assert [name for name in os.listdir(tmp_path) if name != "tools"] == []


def test_src_may_be_binary(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    source, path = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 700)

    class Loader:
        def get_real_file(self, name: str) -> str:
            return name

        def path_dwim_relative_stack(self, paths: t.Any, folder: str, name: str) -> str:
            return name

    lab.monkeypatch.setattr(host_file.ActionModule, "_find_needle", lambda self, folder, name: name)
    result = lab.run(host_file, path=str(path), src=str(source), loader=Loader())
    assert result["changed"] is True
    assert path.read_bytes() == source.read_bytes()
    assert "not shown" in result["diff"][0]["after"]


def test_check_mode_writes_nothing_and_predicts(lab: t.Any, tmp_path: Path, snapshot: t.Any) -> None:
    lab.host(read_only=True)
    path = tmp_path / "file"
    path.write_text("old\n")
    path.chmod(0o600)
    before = snapshot(tmp_path)
    result = lab.run(host_file, check=True, path=str(path), content="new\n", mode="0644")
    assert result["changed"] is True
    assert result["changes"] == ["content", "mode"]
    assert result["diff"][0]["before"] == "old\n"
    assert result["diff"][0]["after"] == "new\n"
    assert result["diff"][1]["before"] == "mode: 0600\n"
    assert result["diff"][1]["after"] == "mode: 0644\n"
    assert lab.run(host_file, check=True, path=str(path), state="absent")["changed"] is True
    assert snapshot(tmp_path) == before


def test_mode_alone_leaves_the_content_where_it_is(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    path = tmp_path / "file"
    path.write_text("same\n")
    path.chmod(0o644)
    inode = path.stat().st_ino
    assert lab.run(host_file, path=str(path), content="same\n", mode="0600")["changes"] == ["mode"]
    assert (mode(path), path.stat().st_ino) == (0o600, inode)


def test_without_mode_an_existing_file_keeps_its_own_and_a_new_one_gets_0644(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("x")
    old.chmod(0o604)
    lab.run(host_file, path=str(old), content="y")
    lab.run(host_file, path=str(new), content="y")
    assert (mode(old), mode(new)) == (0o604, 0o644)


def test_a_link_is_followed(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("x")
    link.symlink_to(target)
    assert lab.run(host_file, path=str(link), content="y")["path"] == str(target)
    assert link.is_symlink()
    assert target.read_text() == "y"


def test_sensitive_content_is_never_shown_logged_or_on_a_command_line(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host()
    path = tmp_path / "file"
    path.write_text(f"old {SECRET}\n")
    result = lab.run(host_file, path=str(path), content=f"new {SECRET}\n", sensitive=True, validate="cat %s; false")
    assert result["failed"] is True
    assert "its output is hidden" in result["msg"]
    result = lab.run(host_file, path=str(path), content=f"new {SECRET}\n", sensitive=True)
    assert result["changed"] is True
    assert "hidden: " in result["diff"][0]["before"]
    assert SECRET not in repr(result)
    assert SECRET not in "".join(host.commands) + "".join(host.logged)
    assert any(SECRET.encode() in payload for payload in host.payloads)


def test_no_content_is_on_a_command_line(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host()
    lab.run(host_file, path=str(tmp_path / "file"), content=SECRET)
    assert SECRET not in "".join(host.commands)


def test_refused_by_validate_leaves_the_old_file_and_nothing_else(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    path = tmp_path / "my file"
    path.write_text("good\n")
    result = lab.run(
        host_file,
        path=str(path),
        content="bad\n",
        validate="grep -q good %s || { echo 'no \"good\" in it' >&2; false; }",
    )
    assert result["failed"] is True
    assert 'no "good" in it' in result["msg"]
    assert path.read_text() == "good\n"
    assert os.listdir(tmp_path) == ["my file"]
    assert lab.run(host_file, path=str(path), content="good too\n", validate="grep -q good %s")["changed"] is True


def test_cut_off_content_leaves_the_old_file_and_nothing_else(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host()
    path = tmp_path / "file"
    path.write_text("old\n")
    whole: t.Callable[[str, bytes | None], tuple[int, bytes, bytes]] = host.execute

    def cut(command: str, payload: bytes | None) -> tuple[int, bytes, bytes]:
        return whole(command, payload[:-3] if payload and len(payload) > 60 else payload)

    host.execute = cut
    result = lab.run(host_file, path=str(path), content="new content\n")
    assert result["failed"] is True
    assert "arrived incomplete; it is as it was" in result["msg"]
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(lab: t.Any, tmp_path: Path) -> None:
    tools, folder = tmp_path / "tools", tmp_path / "folder"
    tools.mkdir()
    folder.mkdir()
    path = folder / "file"
    path.write_text("old\n")
    fake = tools / "dd"
    fake.write_text(
        '#!/bin/sh\necho half > "${1#of=}"\n'
        'echo "dd: error writing ${1#of=}: No space left on device" >&2\necho 1+0 >&2\nexit 1\n'
    )
    fake.chmod(0o755)
    lab.host(environment={"PATH": f"{tools}:{os.environ['PATH']}"})
    result = lab.run(host_file, path=str(path), content="new content\n")
    assert result["failed"] is True
    assert "No space left on device; it is as it was" in result["msg"]
    assert "\n" not in result["msg"]
    assert path.read_text() == "old\n"
    assert os.listdir(folder) == ["file"]


def test_what_an_interrupted_write_left_behind_is_removed_by_the_next(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    stale, fresh = tmp_path / ".file.palette-00", tmp_path / ".file.palette-11"
    for path in (stale, fresh):
        path.write_text("half")
    os.utime(stale, (1, 1))
    lab.run(host_file, path=str(tmp_path / "file"), content="x")
    assert sorted(os.listdir(tmp_path)) == [".file.palette-11", "file"]


def test_a_link_laid_in_the_way_of_the_temporary_file_is_not_followed(
    tmp_path: Path, lab: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "known")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".file.palette-known").symlink_to(victim)
    script = write_script(FileState(str(tmp_path / "file")), FileWanted(b"x"))
    done = lab.host().execute(script, b"0\nx")
    assert b"@error cannot write in" in done[1]
    assert victim.read_text() == "mine"


def test_without_standard_input_the_content_is_handed_over_in_a_private_file(lab: t.Any, tmp_path: Path) -> None:
    handover = tmp_path / "run"
    handover.mkdir()
    host = lab.host(pipelining=False, environment={"XDG_RUNTIME_DIR": str(handover)})
    path = tmp_path / "file"
    assert lab.run(host_file, path=str(path), content=SECRET)["changed"] is True
    assert path.read_text() == SECRET
    assert os.listdir(handover) == []
    assert SECRET not in "".join(host.commands)
    assert lab.run(host_file, path=str(path), content=SECRET)["changed"] is False


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"path": "relative", "content": "x"}, "path: 'relative' is not the absolute path"),
        ({"path": "/etc/", "content": "x"}, "path: '/etc/'"),
        ({"path": "/a\nb", "content": "x"}, "path: "),
        ({"path": "/x"}, "content, src: give the file's content by exactly one"),
        ({"path": "/x", "content": "a", "src": "b"}, "content, src:"),
        ({"path": "/x", "content": "a", "mode": "u+x"}, "mode: 'u+x' is not an octal mode"),
        ({"path": "/x", "content": "a", "mode": "999"}, "mode: '999'"),
        ({"path": "/x", "content": "a", "owner": "a b"}, "owner: 'a b' is no name"),
        ({"path": "/x", "content": "a", "group": "$(reboot)"}, "group: "),
        ({"path": "/x", "content": "a", "validate": "true"}, "validate: the command does not say"),
    ],
)
def test_bad_options_are_refused_before_the_host_is_asked(lab: t.Any, args: dict[str, t.Any], words: str) -> None:
    host = lab.host()
    result = lab.run(host_file, **args)
    assert result["failed"] is True
    assert result["msg"].startswith(words)
    assert "\n" not in result["msg"]
    assert host.commands == []


def test_yaml_s_octal_number_is_a_mode(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    lab.run(host_file, path=str(tmp_path / "file"), content="x", mode=0o640)
    assert mode(tmp_path / "file") == 0o640


def test_a_directory_and_a_missing_directory_are_refused(lab: t.Any, tmp_path: Path) -> None:
    lab.host(read_only=True)
    assert "is a directory on the host" in lab.run(host_file, path=str(tmp_path), content="x")["msg"]
    assert (
        "there is no directory"
        in lab.run(host_file, check=True, path=str(tmp_path / "no" / "file"), content="x")["msg"]
    )
    assert lab.run(host_file, path=str(tmp_path / "no" / "file"), state="absent")["changed"] is False


def test_absent(lab: t.Any, tmp_path: Path) -> None:
    lab.host()
    path = tmp_path / "file"
    path.write_text("x")
    assert lab.run(host_file, path=str(path), state="absent")["changes"] == ["removed"]
    assert not path.exists()
    assert lab.run(host_file, path=str(path), state="absent")["changed"] is False


def test_a_connection_that_breaks_is_unreachable_in_one_line(lab: t.Any) -> None:
    result = lab.run(host_file, path="/tmp/x", content="x")
    assert result["unreachable"] is True
    assert "No route to host" in result["msg"]
    assert "\n" not in result["msg"]
