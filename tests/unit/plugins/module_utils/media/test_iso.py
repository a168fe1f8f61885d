# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.module_utils.media._boot import boot_of
from ansible_collections.palette.edge.plugins.module_utils.media._errors import MediaError
from ansible_collections.palette.edge.plugins.module_utils.media._iso import SECTOR, Iso
from ansible_collections.palette.edge.tests.unit.media_images import base, needs_xorriso, plain_iso


def iso_of(data: bytes) -> Iso:
    return Iso(BytesIO(data), "the image")


class TestIso:
    @needs_xorriso
    def test_reads_what_xorriso_wrote(self, tmp_path: Path) -> None:
        long = "a name that is too long for ISO 9660 and has Capitals " * 3
        data = base(tmp_path, files={f"deep/er/{long}": "x", "empty": "", "opt/two sectors": "y" * 3000}).read_bytes()
        iso = iso_of(data)
        assert (iso.volume_id, iso.joliet) == ("COS_LIVE", True)
        assert iso.modified > 0
        sizes = {path: entry.size for path, entry in iso.files().items() if not entry.folder}
        assert sizes[f"/deep/er/{long}"] == 1
        assert sizes["/empty"] == 0
        assert sizes["/rootfs.squashfs"] == 300_000
        found = iso.find("/opt/two sectors")
        assert found
        assert iso.read(found, 3000) == b"y" * 3000
        assert iso.read(found, 2999) is None
        assert iso.find("/nowhere") is None

    @needs_xorriso
    def test_a_folder_of_many_sectors(self, tmp_path: Path) -> None:
        names = {f"many/file number {number}": str(number) for number in range(200)}
        iso = iso_of(base(tmp_path, files=names).read_bytes())
        assert {path[1:] for path in iso.files() if path.startswith("/many/")} == set(names)

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "the image is not an ISO image"),
            (b"x" * 100_000, "the image is not an ISO image"),
            (b"\x28\xb5\x2f\xfd" * 100_000, "the image is not an ISO image"),
        ],
    )
    def test_what_is_none(self, data: bytes, words: str) -> None:
        with pytest.raises(MediaError, match=words):
            iso_of(data)

    def test_cut_short(self) -> None:
        data = plain_iso()
        with pytest.raises(MediaError, match=r"the image is cut short: its volume has .* Copy it again"):
            iso_of(data[:-SECTOR])

    def test_damage_is_told_and_never_a_traceback_or_a_loop(self) -> None:
        """Every byte of the descriptors and folders in turn; each reading ends, with an error of ours or without one."""
        data = bytearray(plain_iso(boots=True))
        places = [*range(16 * SECTOR, 17 * SECTOR), *range(23 * SECTOR, 23 * SECTOR + 400)]
        told = set()
        for place in places:
            for value in (0x00, 0xFF):
                kept, data[place] = data[place], value
                try:
                    boot_of(iso_of(bytes(data)))
                except MediaError as error:
                    told.add(str(error))
                data[place] = kept
        assert told
        assert all("\n" not in text for text in told)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return base(tmp_path_factory.mktemp("good")).read_bytes()


@needs_xorriso
class TestBoot:
    def test_names_all_that_there_is(self, good: bytes) -> None:
        assert boot_of(iso_of(good)).names == ["bios", "uefi", "mbr", "gpt"]

    def test_an_iso_that_boots_by_bios_alone(self) -> None:
        assert boot_of(iso_of(plain_iso(boots=True))).names == ["bios"]
        assert boot_of(iso_of(plain_iso())).names == []

    @pytest.mark.parametrize(
        ("place", "lost"),
        [
            (20, ["the boot code of the MBR"]),
            (450, ["the partitions of the MBR"]),
            (
                510,
                ["the boot code of the MBR", "the partitions of the MBR", "the GPT", "the EFI system partition"],
            ),
            (512, ["the GPT", "the EFI system partition"]),  # its signature
            (560, ["the GPT", "the EFI system partition"]),  # what its checksum is over
            (-512, ["the GPT", "the EFI system partition"]),  # the one at the end
        ],
    )
    def test_what_is_lost_is_named(self, good: bytes, place: int, lost: list[str]) -> None:
        bad = bytearray(good)
        bad[place] ^= 0xFF
        found = boot_of(iso_of(good)).lost(boot_of(iso_of(bytes(bad))))
        # Without a GPT the place of the UEFI image is known by its size in the catalog.
        assert [word for word in found if word != "the El Torito entry for UEFI"] == lost

    def test_a_catalog_without_its_checksum_boots_nothing(self, good: bytes) -> None:
        bad, iso = bytearray(good), iso_of(good)
        assert iso.catalog
        bad[iso.catalog * SECTOR + 4] ^= 0xFF
        lost = boot_of(iso).lost(boot_of(iso_of(bytes(bad))))
        assert lost == ["the El Torito entry for BIOS", "the El Torito entry for UEFI"]

    def test_what_an_entry_loads_counts_and_where_it_lies_does_not(self, good: bytes) -> None:
        iso = iso_of(good)
        file = iso.find("/boot/bios.img")
        assert file
        begin = file.extents[0][0] * SECTOR
        for place, lost in ((begin + 12, []), (begin + 2550, []), (begin + 5000, ["the El Torito entry for BIOS"])):
            bad = bytearray(good)
            bad[place] ^= 0xFF
            assert boot_of(iso).lost(boot_of(iso_of(bytes(bad)))) == lost

    def test_another_efi_system_partition_is_a_loss(self, good: bytes) -> None:
        first = struct.unpack_from("<Q", good, 2 * 512 + 128 + 32)[0]
        bad = bytearray(good)
        bad[first * 512 + 100] ^= 0xFF
        lost = boot_of(iso_of(good)).lost(boot_of(iso_of(bytes(bad))))
        assert lost == ["the El Torito entry for UEFI", "the EFI system partition"]
