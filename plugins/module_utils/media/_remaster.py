# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has xorriso make a variant of an installer ISO, as a stream: the same inputs give the same bytes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ._errors import MediaError
from ._iso import Iso
from ._place import Part

_CHUNK = 1 << 18
"""Bytes at a time: what stays in a processor's cache is hashed and written at once."""
_SET_PIPE_SIZE = 1031
"""Of fcntl, on Linux."""
_ENDED_BADLY = ("FATAL", "FAILURE", "MISHAP", "SORRY")


@dataclass(frozen=True)
class Piece:
    """Bytes of a file on this machine that become a file on the medium."""

    source: str
    target: str
    begin: int
    length: int


@dataclass(frozen=True)
class Variant:
    """What is to become of a base.

    `removed` and `folders` (new ones) are paths on the medium, `epoch` the date (seconds since 1970) of whatever is
    added.
    """

    base: str
    joliet: bool
    epoch: int
    removed: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()

    def command(self, xorriso: str, output: int) -> list[str]:
        """The command line; `output` is the file descriptor that the image goes to."""
        words = [xorriso, "-no_rc", "-report_about", "SORRY", "-return_with", "SORRY", "32", "-abort_on", "FAILURE"]
        words += ["-iso_rr_pattern", "off", "-disk_pattern", "off", "-follow", "on"]
        words += ["-indev", f"stdio:{self.base}", "-outdev", f"stdio:/dev/fd/{output}"]
        # Before anything is added: this reads how the base boots, and has it done again.
        words += ["-boot_image", "any", "replay", "-joliet", "on" if self.joliet else "off"]
        for path in self.removed:
            words += ["-rm", path, "--"]
        for path in self.folders:
            words += ["-mkdir", path, "--"]
        for piece in self.pieces:
            words += ["-cut_out", piece.source, str(piece.begin), str(piece.length), piece.target]
        # Nothing of who builds it, when, and from which file.
        for mode, paths in (("0755", self.folders), ("0644", [piece.target for piece in self.pieces])):
            for path in paths:
                words += ["-chown", "0", path, "--", "-chgrp", "0", path, "--", "-chmod", mode, path, "--"]
                for kind in ("b", "c"):
                    words += ["-alter_date", kind, f"={self.epoch}", path, "--"]
        # Where nothing is added or removed, too.
        return [*words, "-changes_pending", "yes", "-commit", "-end"]


@contextmanager
def running(variant: Variant, xorriso: str) -> Iterator[int]:
    """A file descriptor to read the image from, to its end unless the block is left earlier by an error.

    :raises MediaError: at the end of the block, when xorriso could not make the image.
    """
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as said:
        try:
            with suppress(OSError):
                fcntl.fcntl(reading, _SET_PIPE_SIZE, 4 * _CHUNK)
            # Dates of an ISO carry the time zone; names are converted by the locale.
            env = {**os.environ, "SOURCE_DATE_EPOCH": str(variant.epoch), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
            # run_command keeps all output in memory, and this is several GB.
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                variant.command(xorriso, writing),
                pass_fds=(writing,), stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=env, cwd="/",
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        try:
            yield reading
            status = process.wait()
        finally:
            os.close(reading)
            process.kill()
            process.wait()
        if status:
            said.seek(0)
            raise MediaError(_reason(said.read().decode(errors="replace"), status))


def copy(reading: int, part: Part) -> tuple[int, str]:
    """Writes the image; its length and SHA-256."""
    digest, buffer, length = hashlib.sha256(), memoryview(bytearray(_CHUNK)), 0
    while count := _fill(reading, buffer):
        digest.update(buffer[:count])
        part.write(buffer[:count])
        length += count
    return length, digest.hexdigest()


def compare(reading: int, file: int) -> tuple[int | None, str]:
    """Where the image first differs from the file, None where it does not; and its SHA-256, "" unless read to its end."""
    digest, buffer, other, place = hashlib.sha256(), bytearray(_CHUNK), bytearray(_CHUNK), 0
    while count := _fill(reading, memoryview(buffer)):
        digest.update(memoryview(buffer)[:count])
        have = _fill(file, memoryview(other)[:count])
        # Arrays are compared as blocks of memory, where views of them would be byte by byte: whole ones need no copy.
        if not (buffer == other if have == _CHUNK else buffer[:count] == other[:have]):
            pairs = enumerate(zip(buffer[:count], other[:have]))
            return place + next((at for at, (one, two) in pairs if one != two), have), ""
        place += count
    return place if os.read(file, 1) else None, digest.hexdigest()


def _fill(handle: int, buffer: memoryview) -> int:
    """Reads until the buffer is full or the end is reached; how many bytes that were."""
    count = 0
    while count < len(buffer) and (more := os.readv(handle, [buffer[count:]])):
        count += more
    return count


def path_at(iso: Iso, place: int) -> str:
    """The file on the medium that the byte at `place` belongs to; "" when it is none's."""
    for entry in iso.files().values():
        if not entry.folder and any(sector * 2048 <= place < sector * 2048 + size for sector, size in entry.extents):
            return entry.path
    return ""


def _reason(said: str, status: int) -> str:
    told = [line.removeprefix("xorriso : ") for line in said.splitlines() if line.startswith("xorriso : ")]
    bad = [line for line in told if line.startswith(_ENDED_BADLY)]
    reason = next(iter(bad), f"it ended with status {status}" if status > 0 else f"it was ended by signal {-status}")
    return (
        f"base: xorriso could not make a variant: {reason.rstrip('.')}. What was at dest is as it was. Give a base"
        " that EdgeForge built: xorriso cannot repeat every kind (HFS+ of grub-mkrescue, for one)"
    )
