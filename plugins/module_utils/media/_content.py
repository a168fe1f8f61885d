# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes onto an installer ISO, and where: as EdgeForge puts it there."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Any

from ..user_data._layers import LAYER, judge
from ..user_data._render import render_body
from ..user_data._secrets import hide_pair, hide_text, secrets_of
from ..user_data._source import read
from ._boot import BIOS, Boot
from ._errors import MediaError
from ._iso import Iso
from ._remaster import Piece, Variant

USER_DATA_PLACES = ("/files-iso/config.yaml", "/config.yaml")
"""Of an ordinary installer, and of one for Trusted Boot (UKI)."""
BUNDLES = "/opt/spectrocloud/content"
DEFINITION = "/opt/spectrocloud/clusterconfig/spc.tgz"

PART = 3_000_000_000
"""Bytes: bundles are cut into pieces of at most so many, which the installer puts together."""

_LONGEST = 1 << 20
"""Bytes of user-data."""
_BUNDLE = re.compile(re.escape(BUNDLES) + r"/([^/]+\.zst)(?:_part\d+)?")
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16)))
_GZIP = (b"\x1f\x8b",)
_MOST_PARTS, _MOST_TOLD = 90, 20


@dataclass(frozen=True)
class File:
    """A file on this machine as it was when it was looked at."""

    option: str
    path: str
    size: int
    changed: int

    def check_still(self) -> None:
        """Raises MediaError when it is another one by now."""
        try:
            found = os.stat(self.path)
        except OSError:
            found = None
        if found is None or (found.st_size, found.st_mtime_ns) != (self.size, self.changed):
            raise MediaError(
                f"{self.option}: {self.path} changed while it was read. Run again when nobody writes to it"
            )


@dataclass(frozen=True)
class UserData:
    """The user-data as bytes and as a mapping, and whether there is a secret in it."""

    content: bytes
    document: dict[str, Any]
    secret: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What the medium is to have. None of user-data, bundles or definition: what the base has of it stays."""

    user_data: UserData | None = None
    user_data_file: File | None = None
    bundles: tuple[File, ...] | None = None
    definition: File | None = None

    @property
    def files(self) -> list[File]:
        """All files that go onto the medium."""
        return [*filter(None, (self.user_data_file, self.definition)), *(self.bundles or ())]


def contents_of(user_data: str | None, bundles: list[str] | None, definition: str | None, *, host: str) -> Contents:
    """Looks at the files that the options name. Raises MediaError for what cannot go onto a medium."""
    if user_data is None and bundles is None and definition is None:
        raise MediaError("user_data, content_bundles, cluster_definition: give at least one, or the medium is the base")
    file = user_data and file_of("user_data", user_data, host)
    content = _read_user_data(file) if file else None
    found = [file_of("content_bundles", path, host) for path in bundles] if bundles is not None else None
    for number, bundle in enumerate(found or ()):
        name = os.path.basename(bundle.path)
        if not name.endswith(".zst"):
            raise MediaError(
                f"content_bundles: {bundle.path} is called like no content bundle. Give a file NAME.tar.zst"
            )
        _begins("content_bundles", bundle, _ZSTD, "is not compressed with zstd, as content bundles are")
        if any(os.path.basename(other.path) == name for other in found[:number]):  # type: ignore[index]
            raise MediaError(f"content_bundles: two are called {name}. Give each a name of its own")
        if bundle.size > _MOST_PARTS * PART:
            raise MediaError(f"content_bundles: {bundle.path} is too large for a medium. Build several smaller bundles")
    defined = file_of("cluster_definition", definition, host) if definition is not None else None
    if defined:
        _begins("cluster_definition", defined, _GZIP, "is no .tgz, as cluster definitions are")
    return Contents(content, file or None, None if found is None else tuple(found), defined)


def judged(text: str, where: str, *, site: bool = False, given: dict[str, Any] | None = None) -> UserData:
    """The user-data that goes onto a medium by itself: another layer may say the rest.

    :param where: how people call it.
    :param site: whether it is the site's layer, and not the installer's.
    :param given: the mapping that the text was made of, whose problems have no line.

    :raises MediaError: with everything that is wrong.
    """
    layer = text if given is None else given
    found = judge(None, layer, view=LAYER) if site else judge(layer, None, view=LAYER)
    if found.errors:
        told = [_place(one.path, one.line) + one.message for one in found.errors[:_MOST_TOLD]]
        many = f"{len(found.errors)} things are" if len(found.errors) > 1 else "one thing is"
        raise MediaError(f"{where}: {many} wrong with the user-data: {' '.join(told)} Nothing was written")
    warnings = tuple(f"{where}: {_place(one.path, one.line)}{one.message}" for one in found.warnings)
    return UserData(text.encode(), found.document, has_secret(text, found.document), warnings)


def has_secret(text: str, document: dict[str, Any]) -> bool:
    """Whether somebody could misuse what the user-data says."""
    return bool(secrets_of(document)) or hide_text(text) != text


def variant_of(base: str, iso: Iso, boot: Boot, contents: Contents) -> Variant:
    """How the base becomes the medium."""
    have = iso.files()
    pieces, removed = [], []
    if contents.user_data_file:
        place = user_data_place(iso, boot)
        pieces.append(Piece(contents.user_data_file.path, place, 0, contents.user_data_file.size))
        # Another one beside it would be read, too.
        removed += [other for other in USER_DATA_PLACES if other in have]
    if contents.bundles is not None:
        removed += [path for path in have if _BUNDLE.fullmatch(path)]
        for bundle in contents.bundles:
            target = f"{BUNDLES}/{os.path.basename(bundle.path)}_part"
            for number, begin in enumerate(range(0, bundle.size, PART)):
                length = min(PART, bundle.size - begin)
                pieces.append(Piece(bundle.path, f"{target}{number:02d}", begin, length))
    if contents.definition:
        pieces.append(Piece(contents.definition.path, DEFINITION, 0, contents.definition.size))
        removed += [DEFINITION] * (DEFINITION in have)
    folders = sorted({above for piece in pieces for above in _above(piece.target)} - set(have))
    return Variant(base, iso.joliet, iso.modified, removed=tuple(removed), folders=tuple(folders), pieces=tuple(pieces))


def user_data_place(iso: Iso, boot: Boot) -> str:
    """Where the installer looks for user-data: where the base has it, or else by its kind."""
    have = iso.files()
    for place in USER_DATA_PLACES:
        if place in have:
            return place
    unified = BIOS not in boot.names and not any(path.endswith(".squashfs") for path in have)
    return USER_DATA_PLACES[1 if unified else 0]


def user_data_on(iso: Iso) -> bytes | None:
    """The user-data that a medium has."""
    for place in USER_DATA_PLACES:
        if entry := iso.find(place):
            return iso.read(entry, _LONGEST)
    return None


def described(iso: Iso, variant: Variant | None = None) -> dict[str, Any]:
    """What a medium has, or will have as a variant of it, for people; but for its user-data."""
    sizes = {path: entry.size for path, entry in iso.files().items() if not entry.folder}
    if variant:
        sizes = {path: size for path, size in sizes.items() if path not in variant.removed}
        sizes |= {piece.target: piece.length for piece in variant.pieces}
    bundles: dict[str, int] = {}
    for path, size in sorted(sizes.items()):
        if match := _BUNDLE.fullmatch(path):
            bundles[match[1]] = bundles.get(match[1], 0) + size
    found: dict[str, Any] = {"volume_id": iso.volume_id, "content_bundles": bundles}
    return found | ({"cluster_definition": sizes[DEFINITION]} if DEFINITION in sizes else {})


def shown(
    before: tuple[dict[str, Any], bytes | None] | None, after: tuple[dict[str, Any], bytes | None]
) -> tuple[str, str]:
    """Both media as YAML with the secrets hidden; None for no medium."""
    documents = [
        {**told, "user_data": read(_text(content)).document} if content is not None else told
        for told, content in (before or ({}, None), after)
    ]
    old, new = hide_pair(*documents)
    return render_body(old), render_body(new)


def _above(path: str) -> list[str]:
    """The folders that a path lies in, the outermost first."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))]


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _place(path: str, line: int | None) -> str:
    where = f"line {line}" if line else ""
    name = f"{path} ({where})" if path and where else path or where
    return f"{name}: " if name else ""


def file_of(option: str, path: str, host: str) -> File:
    """A file on this machine. Raises MediaError when there is none that can be read."""
    try:
        found = os.stat(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        raise MediaError(f"{option}: {path} cannot be read on {host}: {error.strerror}. Name a file there") from None
    if not stat.S_ISREG(found.st_mode):
        raise MediaError(f"{option}: {path} is no file on {host}. Name a file there")
    if not found.st_size:
        raise MediaError(f"{option}: {path} is empty on {host}")
    if any(ord(sign) < 32 for sign in path):
        raise MediaError(f"{option}: {path!r} has a line break or the like in it. Rename the file")
    return File(option, os.path.abspath(path), found.st_size, found.st_mtime_ns)


def _begins(option: str, file: File, with_any: tuple[bytes, ...], wrong: str) -> None:
    with open(file.path, "rb") as handle:
        if not handle.read(8).startswith(with_any):
            raise MediaError(f"{option}: {file.path} {wrong}. Give the file as the palette command wrote it")


def _read_user_data(file: File) -> UserData:
    if file.size > _LONGEST:
        raise MediaError(f"user_data: {file.path} has {file.size} bytes, which is no user-data. Name another file")
    with open(file.path, "rb") as handle:
        content = handle.read()
    try:
        return judged(content.decode(), f"user_data: {file.path}")
    except UnicodeDecodeError:
        raise MediaError(f"user_data: {file.path} is not UTF-8. Write it as UTF-8") from None
