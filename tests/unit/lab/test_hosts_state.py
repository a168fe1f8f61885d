"""What the command line and the supervisor tell each other through files, and what labs share of the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab.hosts import cleanup, registry, rootfs
from lab.hosts.wanted import Journal, Wanted, WantedFile, change_wanted, read_wanted
from lab.instance.state import Instance, LabError, write_json


def test_a_host_is_wanted_well_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert read_wanted(tmp_path) == Wanted()
    (tmp_path / "wanted.json").write_text("{half")
    assert read_wanted(tmp_path) == Wanted()


def test_wishes_add_up_and_are_seen_by_who_looks_again(tmp_path: Path) -> None:
    file = WantedFile(tmp_path)
    assert file.read() == Wanted()
    change_wanted(tmp_path, link=False)
    change_wanted(tmp_path, heartbeat=False)
    assert file.read() == Wanted(link=False, heartbeat=False)
    change_wanted(tmp_path, link=True)
    assert file.read() == Wanted(heartbeat=False)


def test_a_journal_writes_what_changed_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path, name="a")
    journal.note(state="running", address="10.0.0.1/24")
    first = (tmp_path / "status.json").stat().st_ino
    journal.note(state="running")
    assert (tmp_path / "status.json").stat().st_ino == first
    journal.note(address=None)
    found = json.loads((tmp_path / "status.json").read_text())
    assert found["state"] == "running"
    assert "address" not in found


def test_a_journal_that_cannot_be_written_harms_nobody_and_is_written_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "host", name="a")
    (tmp_path / "host").rmdir()
    journal.note(state="running")
    (tmp_path / "host").mkdir()
    journal.note(state="running")
    assert json.loads((tmp_path / "host/status.json").read_text())["state"] == "running"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose /run and inotify limit are files of the test."""
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n")
    monkeypatch.setattr(registry, "DIRECTORY", tmp_path / "run")
    monkeypatch.setattr(registry, "_LIMIT", limit)
    return tmp_path


def _lab(machine: Path, name: str) -> Instance:
    instance = Instance(state=machine / f"state-{name}", name=f"test-{name}-{os.getpid()}")
    instance.state.mkdir(exist_ok=True)
    write_json(instance.instance_json, {"name": instance.name})
    return instance


def test_the_limit_is_raised_only_for_many_hosts_and_put_back_by_the_last(machine: Path) -> None:
    limit = machine / "max_user_instances"
    few, many, more = (_lab(machine, name) for name in ("few", "many", "more"))
    assert registry.claim(few, booted=3) is False
    assert limit.read_text() == "128\n"
    assert registry.claim(many, booted=30) is True
    assert limit.read_text() == "1024\n"
    assert registry.claim(more, booted=30) is False
    registry.release(many)
    assert limit.read_text() == "1024\n"
    registry.release(more)
    assert limit.read_text() == "128\n"
    registry.release(few)
    assert not (machine / "run").exists()
    registry.release(few)


def test_a_name_belongs_to_one_lab(machine: Path) -> None:
    lab = _lab(machine, "one")
    registry.claim(lab, booted=1)
    registry.claim(lab, booted=2)
    other = Instance(state=machine / "other", name=lab.name)
    with pytest.raises(LabError, match=f"in use by the lab in {lab.state}"):
        registry.claim(other, booted=1)
    lab.instance_json.unlink()
    registry.claim(other, booted=1)
    assert registry.owner(lab.name) == other.state


def test_writing_into_a_host_does_not_follow_its_links_out_of_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "etc").mkdir(parents=True)
    outside.mkdir()
    (outside / "passwd").write_text("mine")
    (root / "etc/passwd").symlink_to(outside / "passwd")
    assert rootfs.present(root, "etc/passwd") is None
    assert rootfs.put(root, "etc/passwd", "theirs") is True
    assert (outside / "passwd").read_text() == "mine"
    (root / "oem").symlink_to(outside)
    with pytest.raises(OSError, match="leads out of the host"):
        rootfs.put(root, "oem/passwd", "theirs")


def test_writing_the_same_again_writes_nothing_and_keeps_the_mode(tmp_path: Path) -> None:
    assert rootfs.put(tmp_path, "a/b", "x", mode=0o600) is True
    assert rootfs.put(tmp_path, "a/b", "x") is False
    assert rootfs.put(tmp_path, "a/b", "y") is True
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o600


def test_mounts_are_found_by_directory_also_with_blanks_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "20 1 0:1 / / rw - ext4 /dev/vda rw",
        r"30 20 0:2 / /my\040lab/hosts/a/root rw - overlay overlay rw",
        "31 20 0:3 / /my rw - tmpfs tmpfs rw",
        r"32 30 0:4 / /my\040lab/hosts/a/root/x rw - tmpfs tmpfs rw",
        r"33 20 0:5 / /my\040lab/hosts-of-others rw - tmpfs tmpfs rw",
    )
    monkeypatch.setattr(Path, "read_text", lambda self, **options: "\n".join(lines))
    found = cleanup.mounts(Path("/my lab/hosts"))
    assert found == [Path("/my lab/hosts/a/root/x"), Path("/my lab/hosts/a/root")]
