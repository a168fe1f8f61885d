# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A variant of an installer ISO in its place: built, checked after it was written, and left alone when it is there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ..user_data._source import read
from . import _content as content
from ._boot import Boot, boot_of
from ._errors import MediaError
from ._iso import SECTOR, Iso
from ._place import SECRET_MODE, Part, check_room, checked_place, put, remove, usual_mode
from ._remaster import Variant, compare, copy, path_at, running

CREATED, CONTENT, MODE, CHECKSUM = "created", "content", "mode", "checksum"
_SLACK = 4 << 20
"""Bytes of folders and padding that a variant may have beyond its files."""


@dataclass
class Outcome:
    """What became of it, or would in check mode. `sha256` is empty in check mode when the image is not there yet."""

    changes: list[str]
    place: str
    boot_records: list[str]
    mode: int
    user_data_place: str = ""
    bundles: dict[str, int] = field(default_factory=dict)
    size: int = 0
    sha256: str = ""
    differs_at: str = ""
    warnings: tuple[str, ...] = ()
    diff: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Job:
    dest: str
    place: str
    base: content.File
    variant: Variant
    boot: Boot
    contents: content.Contents
    mode: int
    xorriso: str

    @property
    def checksum_place(self) -> str:
        return f"{self.place}.sha256"

    def checksum_line(self, sha256: str) -> str:
        # The bare name, so that `sha256sum --check` works in the folder, as with EdgeForge's own file.
        return f"{sha256}  {os.path.basename(self.place)}\n"


@contextmanager
def opened(path: str, told: str) -> Iterator[Iso]:
    """An image at a path. Raises MediaError."""
    try:
        with open(path, "rb") as file:
            yield Iso(file, told)
    except OSError as error:
        raise MediaError(f"{told} cannot be read: {error.strerror}. Name the ISO that EdgeForge built") from None


def make(
    *, base: content.File, dest: str, contents: content.Contents, checksum: bool, xorriso: str, check_mode: bool
) -> Outcome:
    """Makes the variant where there is none or another one. Raises MediaError."""
    place = checked_place(dest, inputs=[(file.option, file.path) for file in (base, *contents.files)])
    with opened(base.path, f"base: {base.path}") as iso:
        boot = boot_of(iso)
        if not boot.images:
            raise MediaError(
                f"base: {base.path} has no boot records (El Torito), so no machine would boot from a variant of it."
                " Give the installer ISO that EdgeForge built"
            )
        variant = content.variant_of(base.path, iso, boot, contents)
        own = contents.user_data.content if contents.user_data else content.user_data_on(iso)
        after = content.described(iso, variant), own
        length = iso.length
        put_at = content.user_data_place(iso, boot) if contents.user_data else ""
    mode = SECRET_MODE if _secret(contents, own) else usual_mode(place)
    job = _Job(dest, place, base, variant, boot, contents, mode, xorriso)
    changes, sha256, differs_at = _changes(job, checksum=checksum)
    outcome = Outcome(
        changes, place, boot.names, mode, put_at, after[0]["content_bundles"], sha256=sha256, differs_at=differs_at
    )
    outcome.warnings = contents.user_data.warnings if contents.user_data else ()
    if changes:
        outcome.diff = content.shown(_there(job), after)
    writes = CREATED in changes or CONTENT in changes
    if writes:
        check_room(dest, place, length + sum(piece.length for piece in variant.pieces) + _SLACK)
    if not check_mode:
        if writes:
            outcome.sha256 = _build(job)
        elif MODE in changes:
            _set_mode(job)
        if CHECKSUM in changes:
            _tell_checksum(job, outcome.sha256 if checksum else "")
        outcome.size = os.path.getsize(place)
    elif not writes:
        outcome.size = os.path.getsize(place)
    return outcome


def _changes(job: _Job, *, checksum: bool) -> tuple[list[str], str, str]:
    """What is not as it should be, the SHA-256 of an image that is, and the file in it that first differs otherwise."""
    if not os.path.exists(job.place):
        return [CREATED, *[CHECKSUM] * (checksum or os.path.exists(job.checksum_place))], "", ""
    changes, differs_at = [], ""
    try:
        with open(job.place, "rb") as file, running(job.variant, job.xorriso) as reading:
            where, sha256 = compare(reading, file.fileno())
            if where is not None:
                with suppress(MediaError):
                    differs_at = path_at(Iso(file, job.dest), where)
            if not sha256:
                raise _DifferentError
        if where is not None:
            raise _DifferentError
    except _DifferentError:
        return [CONTENT, *[CHECKSUM] * (checksum or os.path.exists(job.checksum_place))], "", differs_at
    except OSError as error:
        raise MediaError(f"dest: {job.dest} cannot be read: {error.strerror}. Run as a user who may") from None
    if stat.S_IMODE(os.stat(job.place).st_mode) != job.mode:
        changes.append(MODE)
    said = None
    with suppress(OSError, ValueError), open(job.checksum_place, encoding="utf-8") as told:
        said = told.read(1000)
    if said != (job.checksum_line(sha256) if checksum else None):
        changes.append(CHECKSUM)
    return changes, sha256, ""


class _DifferentError(Exception):
    """Ends the work of xorriso when the image is known to be another one."""


def _build(job: _Job) -> str:
    """Writes the image, looks at what lies on the disk, and puts it in its place; its SHA-256."""
    with Part(job.dest, job.place) as part:
        with running(job.variant, job.xorriso) as reading:
            length, sha256 = copy(reading, part)
        part.settle()
        for file in (job.base, *job.contents.files):
            file.check_still()
        _verify(job, Iso(part.file, "dest: the new image"), length)
        part.finish(job.mode)
    return sha256


def _verify(job: _Job, iso: Iso, length: int) -> None:
    lost = job.boot.lost(boot_of(iso))
    if lost:
        raise MediaError(
            f"base: a variant of {job.variant.base} lost {', '.join(lost)}, so it was not put at {job.dest}."
            " Build the base with EdgeForge, or use a newer xorriso"
        )
    have = iso.files()
    for piece in job.variant.pieces:
        entry = have.get(piece.target)
        if entry is None or entry.size != piece.length:
            raise MediaError(f"dest: the new image lacks {piece.target}, so it was not put at {job.dest}. Run again")
    wanted = job.contents.user_data
    if wanted and content.user_data_on(iso) != wanted.content:
        raise MediaError(f"user_data: the new image has other user-data, so it was not put at {job.dest}. Run again")
    if length % SECTOR or iso.length != length:
        raise MediaError(f"dest: the new image is not whole, so it was not put at {job.dest}. Run again")


def _secret(contents: content.Contents, user_data: bytes | None) -> bool:
    if contents.user_data:
        return contents.user_data.secret
    # It is the base's own: what is wrong with it is not ours to say.
    text = (user_data or b"").decode(errors="replace")
    return content.has_secret(text, read(text).document)


def _there(job: _Job) -> tuple[dict[str, Any], bytes | None] | None:
    """The medium that is there, as far as it can be read."""
    try:
        with opened(job.place, job.dest) as iso:
            return content.described(iso), content.user_data_on(iso)
    except MediaError:
        return None


def _set_mode(job: _Job) -> None:
    try:
        os.chmod(job.place, job.mode)
    except OSError as error:
        raise MediaError(f"dest: the mode of {job.dest} cannot be set: {error.strerror}. Run as its owner") from None


def _tell_checksum(job: _Job, sha256: str) -> None:
    if sha256:
        line = job.checksum_line(sha256).encode()
        put(f"{job.dest}.sha256", job.checksum_place, line, mode=usual_mode(job.checksum_place))
    else:
        remove(f"{job.dest}.sha256", job.checksum_place)
