# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an export and the folder they go to: what would change there, and what is not the export's to change.

The first line of each file says what it is the export of, with a digest of the rest: so a file of somebody else, of
another project, and one that was changed by hand since are all known for what they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..palette._errors import InputError

_MARK = re.compile(r"(?:#|<!--) Export of the Palette project (\S+) by palette\.edge, digest ([0-9a-f]{64})")
_KINDS = (".yml", ".md")
_SHOWN = 5


def marked(path: str, text: str, project_uid: str) -> str:
    """``text`` with the line in front that says whose it is."""
    words = f"Export of the Palette project {project_uid} by palette.edge, digest {_digest(text)}"
    return f"<!-- {words} -->\n{text}" if path.endswith(".md") else f"# {words}\n{text}"


@dataclass
class Changes:
    """What writing an export would do to a folder; the paths are relative to it.

    :ivar texts: path -> what the file is to hold, of those that differ.
    :ivar before: path -> what the file holds now, of those that differ and are there, and of those to be removed.
    :ivar foreign: path -> why it is not the export's to overwrite.
    :ivar stale: what an earlier export wrote, and this one does not.
    :ivar kept: path -> why a stale file is not the export's to remove.
    """

    texts: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)


def compare(folder: str, texts: Mapping[str, str], project_uid: str) -> Changes:
    """What writing ``texts`` (path -> text, marked) to ``folder`` would do.

    :raises InputError: when the folder or a file cannot be read.
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"dest: {folder} is not a folder: name one, it is made when it is not there")
    changes = Changes()
    for path, text in texts.items():
        there = _read(folder, path)
        if there == text:
            continue
        changes.texts[path] = text
        if there is not None:
            changes.before[path] = there
            why = _whose(there, project_uid)
            if why:
                changes.foreign[path] = why
    for path in _marked_files(folder):
        there = _read(folder, path) or ""
        match = _MARK.match(there)
        if path in texts or match is None or match.group(1) != project_uid:
            continue
        changes.stale.append(path)
        changes.before[path] = there
        why = _whose(there, project_uid)
        if why:
            changes.kept[path] = why
    return changes


def refuse_foreign(folder: str, foreign: Mapping[str, str]) -> None:
    """Refuses to overwrite what the export did not write.

    :raises InputError: naming the files, and why each is not the export's.
    """
    if not foreign:
        return
    listed = [f"{path} {why}" for path, why in list(foreign.items())[:_SHOWN]]
    more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    raise InputError(
        f"dest: {folder} has files that are not overwritten, nothing was written: {'; '.join(listed)}{more}. "
        "Give another folder, or force: true"
    )


def problem_of(folder: str) -> str:
    """What keeps files from being written below ``folder``, or ""."""
    at = os.path.abspath(folder)
    while not os.path.lexists(at):
        at = os.path.dirname(at)
    if not os.path.isdir(at):
        return f"{at} is not a folder"
    return "" if os.access(at, os.W_OK | os.X_OK) else f"{at} is not writable"


def _marked_files(folder: str) -> Iterator[str]:
    """Where an export writes: the folder itself, sites and group_vars with the folders in it."""
    places = ["", "sites", "group_vars", os.path.join("group_vars", "palette_sites")]
    for place in places:
        path = os.path.join(folder, place)
        names = sorted(os.listdir(path)) if os.path.isdir(path) else []
        for name in names:
            if name.endswith(_KINDS) and os.path.isfile(os.path.join(path, name)):
                yield os.path.join(place, name)


def _read(folder: str, path: str) -> str | None:
    file = os.path.join(folder, path)
    try:
        # As it stands there: a line end of another kind is a change by hand.
        with open(file, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"dest: {file} cannot be read: {error.strerror}") from None


def _whose(text: str, project_uid: str) -> str:
    """Why a file is not the export's own, or ""."""
    match = _MARK.match(text)
    if match is None:
        return "was not written by an export"
    if match.group(1) != project_uid:
        return f"is of the export of another project ({match.group(1)})"
    return "" if match.group(2) == _digest(text.partition("\n")[2]) else "was changed since the last export"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
