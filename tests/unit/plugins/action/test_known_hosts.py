# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of known hosts, held against what ssh-keygen makes of them."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.plugin_utils import _known_hosts as known_hosts
from ansible_collections.palette.edge.plugins.plugin_utils._known_hosts import HostKey

ED = "AAAAC3NzaC1lZDI1NTE5AAAAINPf0Mlqwc4bvrO3SA3Htq0ZtDef5WwwPStuS4Pql8Gy"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAILKdvl8vz2w+CcwYl/CFxCQ8Nb40iR+wkkOm9RvwPkL7"
FINGERPRINT = "SHA256:t+UTwwU9cJeiMXVsXt3lYDtvaYM0DqhMdwnvOaoowjE"
KEY, OTHER_KEY = HostKey("ssh-ed25519", ED), HostKey("ssh-ed25519", OTHER)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_and_its_fingerprint_as_ssh_keygen_says(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-f", str(path), "-C", "a comment"], check=True)
    said = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, text=True, check=True).stdout
    key = known_hosts.read_key(path.with_suffix(".pub").read_text())
    assert key.fingerprint == said.split()[1]
    assert f"({key.kind})" in said
    assert known_hosts.read_fingerprint(said) == key.fingerprint
    with pytest.raises(ValueError, match="is a private key; give the public one"):
        known_hosts.read_key(path.read_text())


@pytest.mark.parametrize(
    "text",
    ["", "ssh-ed25519", "ssh-ed25519 AAAA", f"ssh-ed25519 {ED[:-8]}%", f"ssh-rsa {ED}", "ssh-dss AAAAB3NzaC1kc3M="],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (public )?key") as said:
        known_hosts.read_key(text)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("text", ["", "MD5:16:27:ac:a5", "SHA256:short", FINGERPRINT + "x", "sha256:" + "A" * 43])
def test_what_is_no_fingerprint(text: str) -> None:
    with pytest.raises(ValueError, match="has no fingerprint of the form SHA256"):
        known_hosts.read_fingerprint(text)


@pytest.mark.parametrize("name", ["", "a b", "a,b", "*", "!a", "#a", "|1|x", "@revoked"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a host"):
        known_hosts.check_name(name)


FILE = f"""\
# ours
edge-1 ssh-ed25519 {OTHER} with a comment
edge-2,10.0.0.2 ssh-ed25519 {ED}
@revoked edge-1 ssh-ed25519 {ED}
edge-* ssh-ed25519 {ED}
no line of a key
Edge-1,10.0.0.1 ssh-ed25519 {OTHER}
"""


def test_one_name_is_changed_and_all_else_stays() -> None:
    assert known_hosts.keys_of(FILE, "edge-1") == [OTHER_KEY]
    lines = FILE.splitlines(keepends=True)
    without = known_hosts.with_keys(FILE, "edge-1", [])
    assert without == "".join([lines[0], *lines[2:6], f"10.0.0.1 ssh-ed25519 {OTHER}\n"])
    assert known_hosts.with_keys(without, "edge-1", []) == without
    changed = known_hosts.with_keys(FILE, "edge-1", [KEY])
    assert changed == f"{without}edge-1 ssh-ed25519 {ED}\n"
    assert known_hosts.with_keys(changed, "edge-1", [KEY]) == changed
    # Of two lines with the key, one stays.
    assert known_hosts.with_keys(FILE, "edge-1", [OTHER_KEY]).count("dge-1") == FILE.count("dge-1") - 1
    assert known_hosts.with_keys("edge-3 x", "edge-1", [KEY]) == f"edge-3 x\nedge-1 ssh-ed25519 {ED}\n"


def test_hashed_names_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text(f"edge-1 ssh-ed25519 {ED}\n[10.0.0.1]:2222 ssh-ed25519 {OTHER}\n")
    subprocess.run(["ssh-keygen", "-qHf", str(path)], check=True, capture_output=True)
    text = path.read_text()
    assert "edge-1" not in text
    assert known_hosts.keys_of(text, "edge-1") == [KEY]
    assert known_hosts.keys_of(text, "[10.0.0.1]:2222") == [OTHER_KEY]
    assert known_hosts.keys_of(text, "edge-2") == []
    assert known_hosts.with_keys(text, "edge-1", []) == text.splitlines(keepends=True)[1]


def test_what_ssh_appends_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text(f"edge-1 ssh-ed25519 {ED}\n")
    path.chmod(0o640)
    late = path.open("a")

    def change(text: str) -> str:
        late.write(f"edge-2 ssh-ed25519 {ED}\n")
        late.flush()
        return known_hosts.with_keys(text, "edge-1", [OTHER_KEY])

    known_hosts.replace(str(path), change)
    late.close()
    assert path.read_text() == f"edge-1 ssh-ed25519 {OTHER}\nedge-2 ssh-ed25519 {ED}\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["known"]


def test_many_replace_at_once(tmp_path: Path) -> None:
    path = tmp_path / "known"
    names = [f"edge-{number}" for number in range(30)]
    wrong: list[BaseException] = []

    def work(name: str) -> None:
        try:
            known_hosts.replace(str(path), lambda text: known_hosts.with_keys(text, name, [KEY]))
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sorted(line.split()[0] for line in path.read_text().splitlines()) == sorted(names)


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "known"
    path.write_text(FILE)
    link = tmp_path / "link"
    link.symlink_to(path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            known_hosts.replace(str(link), lambda text: "")
    assert (path.read_text(), sorted(os.listdir(tmp_path))) == (FILE, ["known", "link"])
    known_hosts.replace(str(link), lambda text: "")
    assert (path.read_text(), link.is_symlink()) == ("", True)
