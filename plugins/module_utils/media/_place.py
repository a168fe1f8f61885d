# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of any size in its place: there is the old one or the new one, whole, whatever breaks in between."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO

from ._errors import MediaError

SECRET_MODE = 0o600
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def checked_place(dest: str, *, inputs: Iterable[tuple[str, str]] = ()) -> str:
    """The path that C(dest) leads to, links followed.

    :param inputs: files that are read for it, each with the option that names it. They must be other ones.

    :raises MediaError: when no file can be written there.
    """
    place = os.path.realpath(dest)
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise MediaError(
            f"dest: {dest} cannot be written: there is no directory {folder}. Make it, or name another path"
        )
    if os.path.exists(place) and not os.path.isfile(place):
        raise MediaError(
            f"dest: {dest} cannot be written: it is there and no file. Name a file, such as {dest}/media.iso"
        )
    for option, path in inputs:
        if os.path.realpath(path) == place or (os.path.exists(place) and os.path.samefile(path, place)):
            raise MediaError(f"dest: {dest} is what {option} names. Name another file, so that {option} stays as it is")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MediaError(
            f"dest: {dest} cannot be written: {folder} is not ours to write in. Name another path, or run as a user who may"
        )
    return place


def check_room(dest: str, place: str, needed: int) -> None:
    """Raises MediaError when the new file does not fit beside the old one."""
    folder = os.path.dirname(place)
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    with suppress(OSError):
        free += os.stat(_beside(place)).st_blocks * 512  # left by a run that was cut off, and used again
    if needed > free:
        raise MediaError(
            f"dest: {dest} needs {_size(needed)} in {folder}, beside what is there, and {_size(free)} are free."
            " Make room, or name a place on another file system"
        )


def usual_mode(place: str) -> int:
    """The mode that the file has, or that a new one gets."""
    with suppress(OSError):
        return stat.S_IMODE(os.stat(place).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class Part:
    """The new file, made beside its place under a name of its own, for its owner's eyes alone.

    A context: what is not put in its place by `finish` is removed. Where the run itself is killed, the next one takes
    the remainder over.

    :raises MediaError: when it cannot be written, or another run is at it.
    """

    def __init__(self, dest: str, place: str) -> None:
        self._dest, self._place, self._path = dest, place, _beside(place)
        self._finished = False
        self.file: BinaryIO

    def __enter__(self) -> Part:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(self._path, flags, SECRET_MODE)
        except OSError as error:
            raise failed(self._dest, error) from None
        self.file = os.fdopen(handle, "r+b", buffering=0)
        try:
            self._take(handle)
        except BaseException:
            self.file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            # Before the lock goes with the file: another run may be waiting for the name.
            with suppress(OSError):
                os.unlink(self._path)
        self.file.close()

    def write(self, data: memoryview | bytes) -> None:
        """Adds all of it at the end."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.file.fileno(), left) :]
        except OSError as error:
            raise failed(self._dest, error) from None

    def settle(self) -> None:
        """What was written is on the disk when this returns, and is read from there from now on."""
        try:
            os.fsync(self.file.fileno())
        except OSError as error:
            raise failed(self._dest, error) from None
        if hasattr(os, "posix_fadvise"):
            with suppress(OSError):
                os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def finish(self, mode: int) -> None:
        """Puts it in its place."""
        try:
            os.fchmod(self.file.fileno(), mode)
            os.fsync(self.file.fileno())
            os.replace(self._path, self._place)
            self._finished = True
            _settle_folder(self._place)
        except OSError as error:
            raise failed(self._dest, error) from None

    def _take(self, handle: int) -> None:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink > 1:
            raise MediaError(f"dest: {self._path} is in the way of the new file and not ours. Remove it")
        busy = MediaError(f"dest: another run is writing {self._dest} at this moment. Wait for its end and run again")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError:
            pass  # a file system without locks
        # Whoever had the lock may just have put the file in its place, or removed it.
        if not os.path.exists(self._path) or os.stat(self._path).st_ino != found.st_ino:
            raise busy
        os.ftruncate(handle, 0)
        os.fchmod(handle, SECRET_MODE)


def put(dest: str, place: str, content: bytes, *, mode: int) -> None:
    """A small file in its place."""
    with Part(dest, place) as part:
        part.write(content)
        part.settle()
        part.finish(mode)


def remove(dest: str, place: str) -> None:
    """Removes a file that is there."""
    try:
        os.unlink(place)
        _settle_folder(place)
    except OSError as error:
        raise failed(dest, error, done="removed") from None


def failed(dest: str, error: OSError, *, done: str = "written") -> MediaError:
    """The error of a write as a line for people."""
    if error.errno in _FULL:
        return MediaError(
            f"dest: {dest} cannot be {done}: {error.strerror}. What was there is as it was. Make room and run again"
        )
    return MediaError(
        f"dest: {dest} cannot be {done}: {error.strerror}. What was there is as it was. Name another path, or run as a"
        " user who may"
    )


def _beside(place: str) -> str:
    return os.path.join(os.path.dirname(place), f".{os.path.basename(place)}.palette-part")


def _settle_folder(place: str) -> None:
    """Has a new name last through a power cut, where the file system can promise that of a folder."""
    handle = os.open(os.path.dirname(place), os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _size(count: int) -> str:
    amount, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.1f} {unit}" if unit != "bytes" else f"{count} bytes"
