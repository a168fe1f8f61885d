# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site's medium. No host is there: an action that contacted one would fail."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.action import site_media
from ansible_collections.palette.edge.plugins.module_utils.media import _cidata as cidata

pytest.importorskip("pycdlib")

TOKEN = "canary-site-token-77aa"
SITE = {"stylus": {"site": {"name": "edge-1", "edgeHostToken": TOKEN, "tags": {"site": "store-042"}}}}
PLAIN = {"stylus": {"site": {"name": "edge-1"}}}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "site.iso"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def on_medium(dest: Path) -> dict[str, bytes]:
    return cidata.content(dest.read_bytes(), "it")


def test_writes_once_what_check_mode_said(lab: t.Any, dest: Path) -> None:
    said = lab.run(site_media, check=True, dest=str(dest), site=SITE)
    assert said["changed"] is True
    assert os.listdir(dest.parent) == []
    first = lab.run(site_media, dest=str(dest), site=SITE)
    assert first == said
    assert (first["changes"], first["mode"], mode(dest)) == (["created"], "0600", 0o600)
    assert first["sha256"] == hashlib.sha256(dest.read_bytes()).hexdigest()
    before = dest.stat()
    for check in (False, True):
        again = lab.run(site_media, check=check, dest=str(dest), site=SITE)
        assert (again["changed"], again["changes"], again["sha256"]) == (False, [], first["sha256"])
        assert "diff" not in again
    assert (dest.stat().st_mtime_ns, dest.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert os.listdir(dest.parent) == ["site.iso"]


def test_what_is_on_it(lab: t.Any, dest: Path) -> None:
    lab.run(site_media, dest=str(dest), site=SITE)
    found = on_medium(dest)
    assert set(found) == {"user-data", "meta-data"}
    assert found["meta-data"] == b""
    assert found["user-data"].startswith(b"#cloud-config\n")
    assert yaml.safe_load(found["user-data"]) == SITE
    if shutil.which("blkid"):
        told = subprocess.run(
            ["blkid", "-o", "value", "-s", "LABEL", str(dest)], capture_output=True, text=True, check=False
        )
        assert told.stdout.strip() == "cidata"


def test_text_stays_as_it_is_with_unix_line_ends(lab: t.Any, dest: Path) -> None:
    text = "#cloud-config\r\n# a remark\r\nstylus:\r\n  site: {name: edge-1}"
    lab.run(site_media, dest=str(dest), site=text, meta_data={"instance-id": "edge-1"})
    found = on_medium(dest)
    assert found["user-data"] == b"#cloud-config\n# a remark\nstylus:\n  site: {name: edge-1}\n"
    assert yaml.safe_load(found["meta-data"]) == {"instance-id": "edge-1"}


def test_the_diff_tells_what_changes_and_no_secret(lab: t.Any, dest: Path) -> None:
    lab.run(site_media, dest=str(dest), site=SITE)
    other = {"stylus": {"site": {**SITE["stylus"]["site"], "edgeHostToken": "canary-of-another-kind"}}}
    result = lab.run(site_media, dest=str(dest), site=other)
    assert result["changes"] == ["content"]
    assert "<hidden>" in result["diff"]["before"]
    assert "<hidden, changed>" in result["diff"]["after"]
    assert "canary" not in repr(result)


def test_without_a_secret_the_file_keeps_its_mode_and_with_one_never(lab: t.Any, dest: Path) -> None:
    lab.run(site_media, dest=str(dest), site=PLAIN)
    assert mode(dest) == 0o666 & ~_mask()
    dest.chmod(0o640)
    assert lab.run(site_media, dest=str(dest), site=PLAIN)["changed"] is False
    lab.run(site_media, dest=str(dest), site=SITE)
    dest.chmod(0o644)
    result = lab.run(site_media, dest=str(dest), site=SITE)
    assert (result["changes"], mode(dest)) == (["mode"], 0o600)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_of_another_kind_is_replaced_and_not_shown(lab: t.Any, dest: Path) -> None:
    dest.write_text(f"token: {TOKEN}")
    result = lab.run(site_media, dest=str(dest), site=PLAIN)
    assert result["changes"] == ["content"]
    assert "canary" not in repr(result)


def test_absent(lab: t.Any, dest: Path) -> None:
    assert lab.run(site_media, dest=str(dest), state="absent")["changed"] is False
    lab.run(site_media, dest=str(dest), site=SITE)
    assert lab.run(site_media, check=True, dest=str(dest), state="absent")["changes"] == ["removed"]
    assert dest.exists()
    assert lab.run(site_media, dest=str(dest), state="absent")["changed"] is True
    assert not dest.exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "site: give the site's user-data"),
        ({"site": ""}, "site: give the site's user-data"),
        ({"site": ["a"]}, "site: give the site's user-data"),
        ({"site": {"stylus": []}}, "site: one thing is wrong with the user-data: stylus: must be a map."),
        ({"site": "stylus: {}"}, "site: one thing is wrong with the user-data: line 1: does not begin with the line"),
        ({"site": f"#cloud-config\na: [{TOKEN}\n"}, "site: one thing is wrong with the user-data: line "),
        ({"site": PLAIN, "meta_data": ["x"]}, "meta_data: give a mapping"),
        (
            {"site": PLAIN, "dest": "/nowhere/site.iso"},
            "dest: /nowhere/site.iso cannot be written: there is no directory",
        ),
        ({"site": PLAIN, "dest": "/"}, "dest: / cannot be written: it is there and no file"),
        ({"state": "absent", "dest": "/"}, "dest: / cannot be written: it is there and no file"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(lab: t.Any, dest: Path, args: dict[str, t.Any], words: str) -> None:
    dest.write_text("old")
    result = lab.run(site_media, **{"dest": str(dest), **args})
    assert result["failed"] is True
    assert result["msg"].startswith(words)
    assert "\n" not in result["msg"]
    assert "canary" not in repr(result)
    assert dest.read_text() == "old"


def test_everything_wrong_is_told_at_once_and_doubts_are_warnings(lab: t.Any, dest: Path) -> None:
    bad = {"stylus": {"managementMode": "sometimes", "site": {"name": "a/b", "edgeHostToken": f"{TOKEN} x"}}}
    result = lab.run(site_media, dest=str(dest), site=bad)
    assert result["msg"].startswith("site: 3 things are wrong with the user-data: ")
    assert "canary" not in repr(result)
    result = lab.run(site_media, dest=str(dest), site={"stylus": {"site": {"name": "edge-1", "hostNam": "x"}}})
    assert [text for text in result["warnings"] if text.startswith("site: stylus.site.hostNam: is no key")]


def test_without_the_library_nothing_is_touched(lab: t.Any, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cidata, "HAS_PYCDLIB", False)
    result = lab.run(site_media, dest=str(dest), site=PLAIN)
    assert result["msg"] == "pycdlib is not installed here. Install it with: pip install pycdlib"
    assert not dest.exists()


@pytest.mark.slow
def test_a_play_prints_no_secret(tmp_path: Path, collections_path: Path) -> None:
    """Both modules as a user runs them, at -vvvv, where they write, where they change nothing and where they fail."""
    site = "{{ lookup('ansible.builtin.file', 'site.yml') }}"
    made = {"dest": str(tmp_path / "site.iso"), "site": site}
    bad = {**made, "site": "{{ lookup('ansible.builtin.file', 'bad.yml') }}"}
    installer = {
        "base": str(tmp_path / "base.iso"),
        "dest": str(tmp_path / "new.iso"),
        "user_data": str(tmp_path / "bad.yml"),
    }
    (tmp_path / "site.yml").write_text(f"#cloud-config\nstylus: {{site: {{name: edge-1, edgeHostToken: {TOKEN}}}}}\n")
    (tmp_path / "bad.yml").write_text(f"#cloud-config\nstylus: {{site: {{name: a/b, edgeHostToken: '{TOKEN} x'}}}}\n")
    (tmp_path / "base.iso").write_text("no base")
    tasks: list[dict[str, t.Any]] = [
        {"palette.edge.site_media": made},
        {"palette.edge.site_media": made},
        {"palette.edge.site_media": {**made, "site": site + "\n# more"}},
        {"palette.edge.site_media": bad, "ignore_errors": True},
        {"palette.edge.installer_media": installer, "ignore_errors": True},
    ]
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-vvvv",
        "--diff",
    ]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", str(play)]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "ok=5" in printed
    assert "<hidden>" in printed
    for secret in (TOKEN, base64.b64encode(TOKEN.encode()).decode()[:-4]):
        assert secret not in printed
