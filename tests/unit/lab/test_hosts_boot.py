"""The boot loader of a lab host: which entry is taken, the tool that chooses it, and what a reset takes away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lab.hosts import boot


def tool(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = root / "usr/bin/grub2-editenv"
    return subprocess.run(
        ["sh", str(script), str(root / "oem/grubenv"), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "oem").mkdir()
    boot.prepare(tmp_path, boot.ACTIVE)
    return tmp_path


def test_without_a_choice_the_active_system_is_booted(root: Path) -> None:
    assert boot.take_entry(root) == "active"
    assert not (root / "oem/grubenv").exists()


@pytest.mark.parametrize(
    ("chosen", "booted"),
    [("statereset", "reset"), ("recovery", "recovery"), ("cos", "active"), ("no such entry", "active")],
)
def test_a_choice_is_for_one_boot(root: Path, chosen: str, booted: str) -> None:
    assert tool(root, "set", f"next_entry={chosen}", "extra_cmdline=quiet").returncode == 0
    assert boot.take_entry(root) == booted
    assert boot.take_entry(root) == "active"
    # Emptied as GRUB does it, and nothing else with it.
    assert tool(root, "list").stdout.splitlines() == ["extra_cmdline=quiet", "next_entry="]


def test_the_tool_knows_its_commands(root: Path) -> None:
    assert tool(root, "list").returncode == 1
    assert tool(root, "create").returncode == 0
    assert tool(root, "list").stdout == ""
    tool(root, "set", "a=1", "b=x=y")
    tool(root, "set", "a=2")
    assert sorted(tool(root, "list").stdout.split()) == ["a=2", "b=x=y"]
    tool(root, "unset", "a", "missing")
    assert tool(root, "list").stdout.split() == ["b=x=y"]
    content = (root / "oem/grubenv").read_bytes()
    assert len(content) == 1024
    assert content.startswith(b"# GRUB Environment Block\n")
    full = tool(root, "set", f"a={'x' * 1024}")
    assert (full.returncode, "too small" in full.stderr) == (1, True)
    assert (root / "oem/grubenv").read_bytes() == content


@pytest.mark.skipif(shutil.which("grub-editenv") is None, reason="grub-editenv is not installed here")
def test_the_real_tool_reads_what_ours_writes(root: Path) -> None:
    tool(root, "set", "next_entry=statereset", "other=1")
    read = ["grub-editenv", str(root / "oem/grubenv"), "list"]
    assert subprocess.run(read, capture_output=True, text=True, check=True).stdout.split() == [
        "next_entry=statereset",
        "other=1",
    ]


def test_a_reset_keeps_the_user_data(root: Path) -> None:
    (root / "oem/user-data").write_text("#cloud-config\n")
    content = root / "usr/local/spectrocloud/peerbundle/sha256"
    content.mkdir(parents=True)
    (content / "blob").write_text("x")
    boot.wipe(root)
    assert not (root / "usr/local/spectrocloud").exists()
    assert (root / "oem/user-data").exists()


def test_registration_is_told_by_the_command_line(root: Path) -> None:
    assert not boot.registers(root)
    boot.prepare(root, boot.REGISTRATION)
    assert boot.registers(root)


def test_a_folder_that_leads_out_is_left_alone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "spectrocloud").mkdir()
    (root / "opt").symlink_to(outside)
    with pytest.raises(OSError, match="leads out of the host"):
        boot.wipe(root, ["opt/spectrocloud"])
    assert (outside / "spectrocloud").exists()
