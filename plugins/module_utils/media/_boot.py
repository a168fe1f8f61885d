# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine needs on a medium to boot from it, read from the image itself: El Torito, the boot code of the MBR, the GPT."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ._iso import SECTOR, Entry, Iso

BIOS, UEFI, MBR, GPT = "bios", "uefi", "mbr", "gpt"
_PLATFORMS = {0x00: BIOS, 0xEF: UEFI}
_BLOCK = 512
_CODE = slice(0, 440)
_PATCHED = slice(432, 440)
"""Where the boot code of GRUB and of ISOLINUX keeps the sector of the boot image, which may move."""
_INFO_TABLE = slice(8, 64)
_GRUB_INFO = slice(2548, 2556)
"""Where a boot image keeps its own place and the volume's, which may move."""
_ESP = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Boot:
    """The boot records of an image, without what may move from one image to another.

    `images`: for each entry of the El Torito catalog its platform, its kind, and the SHA-256 of what it loads.
    `code`: SHA-256 of the MBR's boot code, "" when there is none.
    `partitions`: type of each of the MBR's partitions, but for empty ones, and whether it is the active one.
    `systems`: SHA-256 of each EFI system partition of MBR or GPT.
    `gpt`: whether there is a partition table whose checksums are right, at the image's begin and at its end.
    """

    images: tuple[tuple[str, str, str], ...] = ()
    code: str = ""
    partitions: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    gpt: bool = False

    @property
    def names(self) -> list[str]:
        """By what the medium boots, of `bios`, `uefi`, `mbr` and `gpt`."""
        found = [name for name in (BIOS, UEFI) if any(image[0] == name for image in self.images)]
        return found + [MBR] * bool(self.code) + [GPT] * self.gpt

    def lost(self, other: Boot) -> list[str]:
        """What of these boot records `other` has not, in words."""
        words = []
        for image in self.images:
            if image not in other.images:
                words.append(f"the El Torito entry for {image[0].upper()}")
        if self.code and self.code != other.code:
            words.append("the boot code of the MBR")
        if self.partitions != other.partitions:
            words.append("the partitions of the MBR")
        if self.gpt and not other.gpt:
            words.append("the GPT")
        if set(self.systems) - set(other.systems):
            words.append("the EFI system partition")
        return words


def boot_of(iso: Iso) -> Boot:
    """The boot records of an image."""
    sector = iso.at(0, _BLOCK)
    marked = sector[510:512] == b"\x55\xaa"
    table = _gpt(iso) if marked else None
    code = sector[_CODE]
    partitions = [sector[446 + 16 * number : 462 + 16 * number] for number in range(4)] if marked else []
    used = [part for part in partitions if any(part)]
    efi = [struct.unpack_from("<II", part, 8) for part in used if part[4] == 0xEF]
    return Boot(
        images=tuple(_images(iso, table)),
        code=_digest(_without(code, _PATCHED)) if marked and any(code) else "",
        partitions=tuple(f"{part[4]:#04x}{' active' if part[0] & 0x80 else ''}" for part in used),
        systems=tuple(
            sorted({_digest_of(iso, start * _BLOCK, count * _BLOCK) for start, count in [*efi, *(table or [])]})
        ),
        gpt=table is not None,
    )


def _images(iso: Iso, table: list[tuple[int, int]] | None) -> Iterator[tuple[str, str, str]]:
    if iso.catalog is None:
        return
    catalog = iso.at(iso.catalog * SECTOR, SECTOR)
    if len(catalog) < SECTOR or catalog[0] != 1 or catalog[30:32] != b"\x55\xaa":
        return
    if sum(struct.unpack_from("<16H", catalog)) & 0xFFFF:
        return
    files = {entry.extents[0][0]: entry for entry in iso.files().values() if not entry.folder and entry.extents}
    platform, place, left = catalog[1], 32, 1
    while place + 32 <= len(catalog):
        entry = catalog[place : place + 32]
        if not left:
            if entry[0] not in (0x90, 0x91):
                return
            platform, left = entry[1], struct.unpack_from("<H", entry, 2)[0]
        else:
            left -= 1
            if entry[0] == 0x88:
                yield _image(iso, entry, _PLATFORMS.get(platform, f"platform {platform:#04x}"), files, table)
        place += 32


def _image(
    iso: Iso, entry: bytes, platform: str, files: dict[int, Entry], table: list[tuple[int, int]] | None
) -> tuple[str, str, str]:
    count, sector = struct.unpack_from("<HI", entry, 6)
    kind = f"emulation {entry[1]:#04x}"
    file = files.get(sector)
    if platform == BIOS:
        # What is loaded is the catalog's count; that program then loads the rest of its file.
        kind += f", {count} blocks"
        data = iso.at(sector * SECTOR, file.size if file else count * _BLOCK)
        for moving in (_INFO_TABLE, _GRUB_INFO):
            data = _without(data, moving)
        return platform, kind, _digest(data)
    length = next(
        (blocks * _BLOCK for start, blocks in table or () if start * _BLOCK == sector * SECTOR), count * _BLOCK
    )
    return platform, kind, _digest_of(iso, sector * SECTOR, file.size if file else length)


def _gpt(iso: Iso) -> list[tuple[int, int]] | None:
    """First block and number of blocks of the EFI system partitions; None without a GPT that is right at both ends."""
    header = iso.at(_BLOCK, _BLOCK)
    partitions = _gpt_entries(iso, header, 1)
    if partitions is None:
        return None
    other = struct.unpack_from("<Q", header, 32)[0]
    return partitions if _gpt_entries(iso, iso.at(other * _BLOCK, _BLOCK), other) == partitions else None


def _gpt_entries(iso: Iso, header: bytes, block: int) -> list[tuple[int, int]] | None:
    if len(header) < 92 or header[:8] != b"EFI PART":
        return None
    length, checksum = struct.unpack_from("<II", header, 12)
    own, entries, count, size, over = (
        struct.unpack_from("<Q", header, 24)[0],
        struct.unpack_from("<Q", header, 72)[0],
        *struct.unpack_from("<III", header, 80),
    )
    if not 92 <= length <= _BLOCK or size < 128 or count * size > _CHUNK or own != block:
        return None
    if zlib.crc32(header[:16] + bytes(4) + header[20:length]) != checksum:
        return None
    array = iso.at(entries * _BLOCK, count * size)
    if zlib.crc32(array) != over:
        return None
    found = []
    for number in range(count):
        entry = array[number * size : (number + 1) * size]
        if entry[:16] == _ESP:
            first, last = struct.unpack_from("<QQ", entry, 32)
            found.append((first, last - first + 1))
    return found


def _without(data: bytes, part: slice) -> bytes:
    return data[: part.start] + bytes(len(data[part])) + data[part.stop :]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_of(iso: Iso, place: int, length: int) -> str:
    digest = hashlib.sha256()
    while length > 0 and (data := iso.at(place, min(length, _CHUNK))):
        digest.update(data)
        place, length = place + len(data), length - len(data)
    return digest.hexdigest()
