# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variants of small installer ISOs, made by the real xorriso."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.media import _content as content
from ansible_collections.palette.edge.plugins.module_utils.media import _place as files
from ansible_collections.palette.edge.plugins.module_utils.media._boot import boot_of
from ansible_collections.palette.edge.plugins.module_utils.media._iso import Iso
from ansible_collections.palette.edge.tests.unit.media_images import (
    GZIP,
    SECRET_USER_DATA,
    TOKEN,
    USER_DATA,
    base,
    bundle,
    needs_xorriso,
    plain_iso,
    remade,
)
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module

pytestmark = needs_xorriso

Result = dict[str, Any]


@dataclass
class World:
    """A folder with a base, a place for the medium, and files to put onto it."""

    folder: Path
    base: Path

    @property
    def dest(self) -> Path:
        return self.folder / "medium.iso"

    def write(self, name: str, data: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    def options(self, **more: Any) -> dict[str, Any]:
        own = {"base": str(self.base), "dest": str(self.dest), **more}
        return {name: value for name, value in own.items() if value is not None}

    def run(self, *, check: bool = False, **more: Any) -> Result:
        result = run_module("installer_media", self.options(**more), check=check)
        assert not result.get("failed"), result
        return result

    def on_medium(self, path: str) -> bytes | None:
        with self.dest.open("rb") as file:
            iso = Iso(file, "the medium")
            entry = iso.find(path)
            return None if entry is None else iso.read(entry, 1 << 30)

    def tree(self) -> dict[str, tuple[int, int, bytes]]:
        found = (path for path in self.folder.iterdir() if path.is_file())
        return {path.name: (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes()) for path in found}


@pytest.fixture(scope="module")
def made_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def world(tmp_path: Path, made_base: Path) -> World:
    return World(tmp_path, made_base)


@pytest.fixture
def all_inside(world: World) -> dict[str, Any]:
    return {
        "user_data": world.write("user-data", USER_DATA + "# changed\n"),
        "content_bundles": [str(bundle(world.folder / "store.tar.zst"))],
        "cluster_definition": world.write("store.tgz", GZIP + b"definition"),
    }


class TestMakes:
    def test_everything_is_inside_and_boots_and_a_second_run_changes_nothing(
        self, world: World, all_inside: dict[str, Any]
    ) -> None:
        said = world.run(check=True, **all_inside)
        assert (said["changed"], said["changes"]) == (True, ["created", "checksum"])
        assert not world.dest.exists()
        first = world.run(**all_inside)
        assert {key: said[key] for key in ("changes", "diff", "content_bundles", "boot_records")} == {
            key: first[key] for key in ("changes", "diff", "content_bundles", "boot_records")
        }
        assert first["boot_records"] == ["bios", "uefi", "mbr", "gpt"]
        assert world.on_medium("/files-iso/config.yaml") == Path(all_inside["user_data"]).read_bytes()
        part = "/opt/spectrocloud/content/store.tar.zst_part00"
        assert world.on_medium(part) == Path(all_inside["content_bundles"][0]).read_bytes()
        assert world.on_medium("/opt/spectrocloud/clusterconfig/spc.tgz") == GZIP + b"definition"
        assert first["sha256"] == hashlib.sha256(world.dest.read_bytes()).hexdigest()
        assert (world.folder / "medium.iso.sha256").read_text() == f"{first['sha256']}  medium.iso\n"
        before = world.tree()
        for check in (False, True):
            again = world.run(check=check, **all_inside)
            assert (again["changed"], again["changes"], again["sha256"]) == (False, [], first["sha256"])
            assert "diff" not in again
        assert world.tree() == before

    def test_the_same_inputs_give_the_same_bytes_whoever_builds_it_and_when(
        self, world: World, all_inside: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = world.run(**all_inside)["sha256"]
        other = world.folder / "another folder"
        other.mkdir()
        copies = {}
        for name, value in all_inside.items():
            paths = []
            for path in [value] if isinstance(value, str) else value:
                copy = other / Path(path).name
                copy.write_bytes(Path(path).read_bytes())
                copy.chmod(0o600)
                os.utime(copy, (1, 1))
                paths.append(str(copy))
            copies[name] = paths[0] if isinstance(value, str) else paths
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        monkeypatch.setenv("LANG", "C")
        mask = os.umask(0o077)
        try:
            again = world.run(**copies, dest=str(other / "medium.iso"))
        finally:
            os.umask(mask)
        assert again["sha256"] == first

    def test_date_and_label_of_the_base_stay_as_it_may_boot_by_them(self, world: World) -> None:
        world.run(content_bundles=[])
        with world.dest.open("rb") as new, world.base.open("rb") as old:
            one, other = Iso(new, "new"), Iso(old, "old")
            assert (one.volume_id, one.modified, one.joliet) == (other.volume_id, other.modified, other.joliet)

    def test_a_large_bundle_is_cut_in_pieces(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(content, "PART", 20_000)
        whole = bundle(world.folder / "large.zst", 50_000)
        result = world.run(content_bundles=[str(whole)])
        pieces = [world.on_medium(f"/opt/spectrocloud/content/large.zst_part0{number}") or b"" for number in range(3)]
        assert b"".join(pieces) == whole.read_bytes()
        assert [len(piece) for piece in pieces] == [20_000, 20_000, 10_004]
        assert result["content_bundles"] == {"large.zst": 50_004}

    def test_names_that_people_give(self, world: World) -> None:
        names = [
            "with blank.zst",
            "star*[a]?.zst",
            "quo'te\".zst",
            "ümlaut.zst",
            "-dash.zst",
            "back\\slash.zst",
            "$(id).zst",
        ]
        result = world.run(content_bundles=[str(bundle(world.folder / name, 100)) for name in names])
        assert set(result["content_bundles"]) == set(names)
        assert world.run(content_bundles=[str(world.folder / name) for name in names])["changed"] is False


BIOS = ("-b", "boot/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table")
APPENDED = ("-append_partition", "2", "0xef", "{folder}/efi.img")
GRUB = ("--grub2-boot-info", "--grub2-mbr", "{folder}/mbr.img")
UEFI_PARTITION = ("-e", "--interval:appended_partition_2:all::", "-no-emul-boot")
UEFI_FILE = ("-e", "boot/efi.img", "-no-emul-boot")


@pytest.mark.parametrize(
    ("options", "records"),
    [
        ((*APPENDED, "-appended_part_as_gpt", *UEFI_PARTITION), ["uefi", "gpt"]),
        ((*BIOS, *GRUB, *APPENDED, "-eltorito-alt-boot", *UEFI_PARTITION), ["bios", "uefi", "mbr"]),
        ((*BIOS, *GRUB, "-partition_offset", "16", *APPENDED, "-eltorito-alt-boot", *UEFI_PARTITION), ["bios", "uefi", "mbr"]),
        ((*BIOS, "-eltorito-alt-boot", *UEFI_FILE), ["bios", "uefi"]),
        ((*BIOS, "--protective-msdos-label"), ["bios"]),
    ],
)  # fmt: skip
def test_bases_of_other_layouts_keep_what_they_have(
    tmp_path: Path, options: tuple[str, ...], records: list[str]
) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    words = tuple(word.format(folder=folder) for word in options)
    world = World(tmp_path, base(folder, files={"boot/efi.img": "e" * 70_000}, options=words))
    # More than fits beside the old places of what is loaded.
    large = str(bundle(tmp_path / "large.zst", 3_000_000))
    assert world.run(content_bundles=[large])["boot_records"] == records
    with world.dest.open("rb") as file:
        assert boot_of(Iso(file, "it")).names == records
    assert world.run(content_bundles=[large])["changed"] is False


class TestChanges:
    def test_each_input_counts_and_the_file_that_differs_is_named(
        self, world: World, all_inside: dict[str, Any]
    ) -> None:
        world.run(**all_inside)
        for option, file, place in (
            ("user_data", "user-data", "/files-iso/config.yaml"),
            ("content_bundles", "store.tar.zst", "/opt/spectrocloud/content/store.tar.zst_part00"),
            ("cluster_definition", "store.tgz", "/opt/spectrocloud/clusterconfig/spc.tgz"),
        ):
            path = world.folder / file
            kept = path.stat()
            data = bytearray(path.read_bytes())
            data[-2] ^= 0x01
            path.write_bytes(data)
            # Neither size nor date tell.
            os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
            for check in (True, False):
                result = world.run(check=check, **all_inside)
                assert result["changes"] == ["content", "checksum"], option
                assert result["differs_at"] == place
            assert world.run(**all_inside)["changed"] is False

    def test_an_image_that_somebody_damaged_is_made_again(self, world: World) -> None:
        good = world.run(content_bundles=[])["sha256"]
        data = bytearray(world.dest.read_bytes())
        data[-5000] ^= 0xFF
        world.dest.write_bytes(data)
        assert world.run(content_bundles=[])["changes"] == ["content", "checksum"]
        world.dest.write_bytes(world.dest.read_bytes() + b"more")
        assert world.run(content_bundles=[])["changes"] == ["content", "checksum"]
        world.dest.write_bytes(b"no image")
        assert world.run(content_bundles=[])["sha256"] == good

    def test_what_is_left_out_stays_and_what_is_given_takes_its_place(
        self, world: World, all_inside: dict[str, Any]
    ) -> None:
        full = world.run(**all_inside, dest=str(world.folder / "full.iso"))
        options = {"base": full["dest"], "dest": str(world.dest)}
        other = str(bundle(world.folder / "other.zst"))
        result = run_module("installer_media", {**options, "content_bundles": [other]})
        assert result["content_bundles"] == {"other.zst": 50_004}
        assert world.on_medium("/opt/spectrocloud/clusterconfig/spc.tgz") == GZIP + b"definition"
        assert world.on_medium("/files-iso/config.yaml") == Path(all_inside["user_data"]).read_bytes()
        result = run_module("installer_media", {**options, "content_bundles": []})
        assert result["content_bundles"] == {}

    def test_the_checksum_file(self, world: World) -> None:
        beside = world.folder / "medium.iso.sha256"
        world.run(content_bundles=[])
        told = beside.read_text()
        beside.write_text("something else")
        assert world.run(content_bundles=[])["changes"] == ["checksum"]
        assert beside.read_text() == told
        inode = world.dest.stat().st_ino
        assert world.run(content_bundles=[], checksum=False)["changes"] == ["checksum"]
        assert not beside.exists()
        assert world.run(content_bundles=[], checksum=False)["changed"] is False
        assert world.dest.stat().st_ino == inode

    def test_user_data_goes_where_an_installer_for_trusted_boot_has_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "uki"
        folder.mkdir()
        options = tuple(word.format(folder=folder) for word in (*APPENDED, "-appended_part_as_gpt", *UEFI_PARTITION))
        world = World(tmp_path, base(folder, options=options))
        given = world.write("user-data", USER_DATA)
        assert world.run(user_data=given)["user_data_path"] == "/files-iso/config.yaml", "as the base has it"
        shutil.rmtree(folder / "tree" / "files-iso")
        (folder / "tree" / "rootfs.squashfs").unlink()
        shutil.rmtree(folder / "tree" / "boot")
        world = World(tmp_path, remade(folder, options))
        assert world.run(user_data=given)["user_data_path"] == "/config.yaml"
        assert world.on_medium("/config.yaml") == USER_DATA.encode()

    def test_only_one_user_data_is_left(self, tmp_path: Path) -> None:
        folder = tmp_path / "two"
        folder.mkdir()
        world = World(tmp_path, base(folder, files={"config.yaml": "#cloud-config\n"}))
        world.run(user_data=world.write("user-data", USER_DATA))
        assert world.on_medium("/config.yaml") is None, "both would be read"


class TestSecrets:
    def test_a_secret_makes_it_its_owner_s_alone_and_is_shown_nowhere(self, world: World) -> None:
        path = world.write("user-data", SECRET_USER_DATA)
        world.dest.write_text("old")
        world.dest.chmod(0o644)
        result = world.run(user_data=path)
        assert result["mode"] == "0600"
        assert world.dest.stat().st_mode & 0o777 == 0o600
        assert TOKEN not in repr(result)
        assert "<hidden>" in result["diff"]["after"]
        world.dest.chmod(0o644)
        again = world.run(user_data=path)
        assert again["changes"] == ["mode"]
        assert world.dest.stat().st_mode & 0o777 == 0o600
        Path(path).write_text(SECRET_USER_DATA.replace(TOKEN, "another-token-of-theirs"))
        result = world.run(user_data=path)
        assert "<hidden, changed>" in result["diff"]["after"]
        assert TOKEN not in repr(result)

    def test_a_secret_of_the_base_too(self, world: World, tmp_path: Path) -> None:
        folder = tmp_path / "secret"
        folder.mkdir()
        world.base = base(folder, files={"files-iso/config.yaml": SECRET_USER_DATA})
        assert world.run(content_bundles=[])["mode"] == "0600"

    def test_without_one_the_file_keeps_its_mode(self, world: World) -> None:
        world.dest.write_text("old")
        world.dest.chmod(0o640)
        assert world.run(user_data=world.write("user-data", USER_DATA))["mode"] == "0640"


class TestRefused:
    @pytest.fixture(autouse=True)
    def _nothing_changes(self, world: World) -> Any:
        world.dest.write_text("the old one")
        yield
        assert world.dest.read_text() == "the old one"
        assert not [name for name in os.listdir(world.folder) if name.endswith("palette-part")]

    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("base.iso", b"x" * 50_000, "base: .* is not an ISO image"),
            ("base.iso", plain_iso, "has no boot records (El Torito), so no machine would boot from a variant of it"),
            ("base.iso", lambda: plain_iso(boots=True)[:-2048], "is cut short"),
            ("base.iso", b"", "base: .* is empty"),
        ],
    )  # fmt: skip
    def test_a_base_that_is_none(self, world: World, name: str, data: bytes | Callable[[], bytes], words: str) -> None:
        world.base = Path(world.write(name, data() if callable(data) else data))
        for check in (True, False):
            said = failure("installer_media", world.options(content_bundles=[]), check=check)
            assert said.startswith("base: ")
            assert words.rpartition(".* ")[2] in said

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({}, "user_data, content_bundles, cluster_definition: give at least one"),
            ({"base": "/nowhere.iso", "content_bundles": []}, "base: /nowhere.iso cannot be read on "),
            ({"user_data": "/nowhere"}, "user_data: /nowhere cannot be read on "),
            ({"user_data": "/dev/null"}, "user_data: /dev/null is no file on "),
            ({"content_bundles": ["/nowhere.zst"]}, "content_bundles: /nowhere.zst cannot be read on "),
            ({"cluster_definition": "/nowhere.tgz"}, "cluster_definition: /nowhere.tgz cannot be read on "),
            ({"content_bundles": [], "dest": "/nowhere/medium.iso"}, "dest: /nowhere/medium.iso cannot be written: there is no"),
            ({"content_bundles": [], "dest": "/"}, "dest: / cannot be written: it is there and no file"),
        ],
    )  # fmt: skip
    def test_options(self, world: World, options: dict[str, Any], words: str) -> None:
        for check in (True, False):
            assert failure("installer_media", world.options(**options), check=check).startswith(words)

    @pytest.mark.parametrize(
        ("option", "name", "data", "words"),
        [
            ("content_bundles", "store.tar", b"\x28\xb5\x2f\xfd", "is called like no content bundle"),
            ("content_bundles", "store.tar.zst", b"PK\3\4", "is not compressed with zstd"),
            ("cluster_definition", "store.tgz", b"{}", "is no .tgz"),
            ("user_data", "user-data", b"\xff\xfe", "is not UTF-8"),
            ("user_data", "user-data", b"stylus: {}\n", "line 1: does not begin with the line #cloud-config"),
            ("user_data", "user-data", b"#cloud-config\na: [\n", "is no YAML"),
            ("user_data", "user-data", b"#" * (1 << 20) + b"\n", "which is no user-data"),
        ],
    )
    def test_files(self, world: World, option: str, name: str, data: bytes, words: str) -> None:
        path = world.write(name, data)
        given = {option: [path] if option == "content_bundles" else path}
        said = failure("installer_media", world.options(**given))
        assert said.startswith(f"{option}: {path}")
        assert words in said

    def test_user_data_with_all_that_is_wrong_by_line_and_without_its_secrets(self, world: World) -> None:
        path = world.write(
            "user-data",
            "#cloud-config\nstylus:\n  managementMode: sometimes\n  site:\n"
            f"    edgeHostToken: '{TOKEN} {TOKEN}'\n    name: a/b\n",
        )
        said = failure("installer_media", world.options(user_data=path))
        assert said.startswith(f"user_data: {path}: 3 things are wrong with the user-data: ")
        for place in (
            "stylus.managementMode (line 3)",
            "stylus.site.edgeHostToken (line 5)",
            "stylus.site.name (line 6)",
        ):
            assert place in said
        assert TOKEN not in said

    def test_two_bundles_of_one_name(self, world: World) -> None:
        (world.folder / "other").mkdir()
        paths = [str(bundle(world.folder / "a.zst")), str(bundle(world.folder / "other" / "a.zst"))]
        assert "two are called a.zst" in failure("installer_media", world.options(content_bundles=paths))

    def test_the_base_itself(self, world: World) -> None:
        options = world.options(content_bundles=[], base=str(world.dest))
        assert "is what base names" in failure("installer_media", options)

    def test_no_room(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        room = os.statvfs_result((4096, 4096, 1000, 10, 10, 10, 10, 10, 0, 255))
        monkeypatch.setattr(files.os, "statvfs", lambda dummy: room)
        for check in (True, False):
            said = failure("installer_media", world.options(content_bundles=[]), check=check)
            assert said.startswith(f"dest: {world.dest} needs ")
            assert "and 40.0 KiB are free. Make room" in said

    def test_no_xorriso(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.get_bin_path", lambda *dummy, **more: None)
        said = failure("installer_media", world.options(content_bundles=[]))
        assert said.startswith("xorriso is not installed on ")

    def test_a_variant_that_does_not_boot_is_not_put_in_its_place(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """As an xorriso that forgets how to repeat boot records."""
        forgetful(tmp_path, monkeypatch, "s/^replay$/discard/")
        said = failure("installer_media", world.options(content_bundles=[]))
        assert "lost the El Torito entry for BIOS" in said

    def test_what_xorriso_says_is_told_in_one_line(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        forgetful(tmp_path, monkeypatch, "s/^-joliet$/-no_such_command/")
        said = failure("installer_media", world.options(content_bundles=[]))
        assert said.startswith("base: xorriso could not make a variant: ")
        assert "no_such_command" in said


def forgetful(folder: Path, monkeypatch: pytest.MonkeyPatch, edit: str) -> None:
    """Puts an xorriso on the PATH that is run with some words of its command line changed, one a line, by sed."""
    tools = folder / "tools"
    tools.mkdir()
    script = tools / "xorriso"
    real = subprocess.run(["sh", "-c", "command -v xorriso"], capture_output=True, text=True, check=True).stdout.strip()
    script.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" | sed '{edit}' > {tools}/words\n"
        f'set --\nwhile IFS= read -r word; do set -- "$@" "$word"; done < {tools}/words\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


def test_a_run_that_is_killed_leaves_the_old_file_and_the_next_one_carries_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module as a process of its own, killed while the new image is half written."""
    world.dest.write_text("the old one")
    tools = tmp_path / "tools"
    tools.mkdir()
    stuck = tools / "xorriso"
    stuck.write_text(
        '#!/bin/sh\nfor word in "$@"; do case $word in stdio:/dev/fd/*) out=${word#stdio:};; esac; done\n'
        'head -c 300000 /dev/zero > "$out"\nexec sleep 60 >&- 2>&-\n'
    )
    stuck.chmod(0o755)

    def run() -> None:
        os.setsid()
        os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
        world.run(content_bundles=[])

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    part = world.folder / ".medium.iso.palette-part"
    deadline = time.monotonic() + 60
    try:
        while not (part.exists() and part.stat().st_size > 0):
            assert process.is_alive(), "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert "another run is writing" in failure("installer_media", world.options(content_bundles=[]))
    finally:
        os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
    assert world.dest.read_text() == "the old one"
    assert world.run(content_bundles=[])["changes"] == ["content", "checksum"]
    assert not part.exists()
    assert world.run(content_bundles=[])["changed"] is False
