# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads an ISO 9660 image: its volume, its tree with Rock Ridge names, its files. Nothing of several GB is held in memory."""

from __future__ import annotations

import calendar
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ._errors import MediaError

SECTOR = 2048
_FIRST_DESCRIPTOR, _MOST_DESCRIPTORS = 16, 64
_PRIMARY, _BOOT, _SUPPLEMENTARY, _LAST = 1, 0, 2, 255
_EL_TORITO = b"EL TORITO SPECIFICATION"
_JOLIET = (b"%/@", b"%/C", b"%/E")
_DIRECTORY, _MORE_EXTENTS = 0x02, 0x80
_LONGEST_FOLDER = 64 << 20
"""Bytes: a folder longer than this is damage, not a folder."""


@dataclass(frozen=True)
class Entry:
    """A file or folder: its path, where its data lies (sector and bytes, one or more times)."""

    path: str
    extents: tuple[tuple[int, int], ...]
    folder: bool

    @property
    def size(self) -> int:
        """Bytes of data."""
        return sum(length for dummy, length in self.extents)


@dataclass(frozen=True)
class Record:
    """A directory record as it lies in the image. `place` is its offset in bytes."""

    place: int
    data: bytes

    @property
    def extent(self) -> tuple[int, int]:
        """First sector and bytes of what it tells of."""
        return struct.unpack_from("<I", self.data, 2)[0], struct.unpack_from("<I", self.data, 10)[0]

    @property
    def identifier(self) -> bytes:
        """The name in ISO 9660; one byte of 0 or 1 for the folder itself and the one above."""
        return self.data[33 : 33 + self.data[32]]

    @property
    def special(self) -> bool:
        """Whether it is the folder itself or the one above."""
        return self.identifier in (b"\0", b"\1")

    @property
    def system_use(self) -> int:
        """Offset within the record of the fields of Rock Ridge."""
        return 33 + self.data[32] + (1 - self.data[32] % 2)


class Iso:
    """An image, open for reading.

    :raises MediaError: when it is none, or its structure is damaged. `name` is how people call it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name = file, name
        self.length = file.seek(0, os.SEEK_END)
        self._files: dict[str, Entry] | None = None
        self.catalog: int | None = None
        self.descriptors: list[tuple[int, Record]] = []
        """Offset of each volume descriptor that has a tree, and the record of its root."""
        self.joliet = False
        primary = b""
        for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _MOST_DESCRIPTORS):
            sector = self.at(number * SECTOR, SECTOR)
            if sector[1:6] != b"CD001":
                break
            kind = sector[0]
            if kind == _BOOT and sector[7:39].startswith(_EL_TORITO) and self.catalog is None:
                self.catalog = struct.unpack_from("<I", sector, 71)[0]
            if kind == _LAST:
                break
            if kind in (_PRIMARY, _SUPPLEMENTARY):
                self.descriptors.append((number * SECTOR, Record(number * SECTOR + 156, sector[156:190])))
                primary = primary or (sector if kind == _PRIMARY else b"")
                self.joliet |= kind == _SUPPLEMENTARY and sector[88:91] in _JOLIET
        if not primary:
            raise MediaError(f"{name} is not an ISO image")
        self.volume_id = primary[40:72].decode("ascii", "replace").rstrip()
        self.size = struct.unpack_from("<I", primary, 80)[0] * SECTOR
        self.modified = _seconds(primary[830:847]) or _seconds(primary[813:830])
        if self.size > self.length:
            raise MediaError(
                f"{name} is cut short: its volume has {self.size} bytes and the file {self.length}. Copy it again"
            )

    def at(self, place: int, length: int) -> bytes:
        """Bytes of the image, fewer at its end."""
        self._file.seek(place)
        return self._file.read(length)

    def find(self, path: str) -> Entry | None:
        """What has this absolute path."""
        return self.files().get(path)

    def files(self) -> dict[str, Entry]:
        """Everything in the image by its path."""
        if self._files is None:
            self._files = {entry.path: entry for entry in self._below("", self.descriptors[0][1].extent, set())}
        return self._files

    def read(self, entry: Entry, limit: int) -> bytes | None:
        """The content of a file; None when it is longer than `limit`."""
        if entry.size > limit:
            return None
        return b"".join(self.at(sector * SECTOR, length) for sector, length in entry.extents)

    def records(self, extent: tuple[int, int]) -> Iterator[Record]:
        """The records of the folder that lies there."""
        sector, length = extent
        if length > _LONGEST_FOLDER or sector * SECTOR + length > self.length:
            raise MediaError(f"{self.name} is damaged: a folder in it lies outside of it. Copy it again")
        place, end = sector * SECTOR, sector * SECTOR + length
        while place < end:
            rest = self.at(place, min(255, end - place))
            size = rest[0]
            if not size:
                # No record crosses a sector: the rest of this one is empty.
                place = (place // SECTOR + 1) * SECTOR
                continue
            if size < 34 or size > len(rest) or 33 + rest[32] > size:
                raise MediaError(f"{self.name} is damaged: a folder in it cannot be read. Copy it again")
            yield Record(place, rest[:size])
            place += size

    def fields(self, record: Record) -> Iterator[tuple[bytes, int, bytes]]:
        """Fields of Rock Ridge: signature, offset in the image, and the whole field."""
        areas = [(record.place + record.system_use, len(record.data) - record.system_use)]
        for turn in range(16):
            if turn == len(areas):
                return
            place, length = areas[turn]
            area = self.at(place, max(0, length))
            at = 0
            while at + 4 <= len(area) and area[at + 2] >= 4:
                field = area[at : at + area[at + 2]]
                if field[:2] == b"CE" and len(field) >= 28:
                    sector, offset, size = (struct.unpack_from("<I", field, 4 + 8 * number)[0] for number in range(3))
                    areas.append((sector * SECTOR + offset, min(size, SECTOR)))
                yield field[:2], place + at, field
                at += area[at + 2]

    def _below(self, path: str, extent: tuple[int, int], seen: set[int]) -> Iterator[Entry]:
        if extent[0] in seen:
            return
        seen.add(extent[0])
        parts: list[tuple[int, int]] = []
        for record in self.records(extent):
            if record.special:
                continue
            flags = record.data[25]
            parts.append(record.extent)
            if flags & _MORE_EXTENTS:
                continue
            entry = Entry(f"{path}/{self._name(record)}", tuple(parts), bool(flags & _DIRECTORY))
            parts = []
            yield entry
            if entry.folder:
                yield from self._below(entry.path, entry.extents[0], seen)

    def _name(self, record: Record) -> str:
        parts = [field[5:] for kind, dummy, field in self.fields(record) if kind == b"NM" and not field[4] & 6]
        if parts:
            return b"".join(parts).decode(errors="surrogateescape")
        return record.identifier.decode("ascii", "replace").split(";")[0].rstrip(".").lower()


def _seconds(stamp: bytes) -> int:
    """Seconds since 1970 of a date of a volume descriptor; 0 when it says none."""
    try:
        year, month, day, hour, minute, second = (
            int(stamp[begin:end]) for begin, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
        )
    except ValueError:
        return 0
    if not year:
        return 0
    quarters: int = struct.unpack("b", stamp[16:17])[0]
    return max(0, calendar.timegm((year, month, day, hour, minute, second)) - quarters * 900)
