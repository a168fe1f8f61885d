# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Site files as data that still knows where it stood.

A scalar without quotes arrives as :class:`Plain`, its text as written: what it means is decided by the key it belongs
to. So C(version: 1.10) is not 1.1, the tag C(zip: 01234) no octal number and C(expires: 2027-12-31) needs no quotes.
Lines are looked up only for a file that has a problem, as keeping them for a thousand files would cost more than the
files themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True
    _LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Keys and places in lists, from the top of the file.
KeyPath = tuple[Any, ...]

_STRING = "tag:yaml.org,2002:str"
_SUFFIXES = (".yml", ".yaml")


class Plain(str):
    """A scalar that was written without quotes."""

    __slots__ = ()


@dataclass(frozen=True)
class Problem:
    """One thing wrong. C(str()) is C(file:line: path: text); line 0 means the file as a whole."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.text}" if self.path else f"{where}: {self.text}"


@dataclass
class Document:
    """One site file. ``file`` opens it, ``shown`` names it to people; ``data`` is None when it could not be read."""

    file: str
    shown: str
    data: Any = None
    braces: bool = False
    problems: list[Problem] = field(default_factory=list)
    _lines: dict[KeyPath, int] | None = None

    def problem(self, path: KeyPath, text: str) -> Problem:
        """A problem at ``path``, or at the nearest thing above it that stands in the file."""
        if self._lines is None:
            self._lines = lines_of(self.file)
        at = path
        while at and at not in self._lines:
            at = at[:-1]
        return Problem(self.shown, self._lines.get(at, 1), path_text(path), text)


def path_text(path: Sequence[str | int]) -> str:
    """C(hosts[1].address) of C(("hosts", 1, "address"))."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def site_files(folder: str, paths: Sequence[str]) -> list[str]:
    """The site files of ``paths`` (folders or files, relative to ``folder``), each once, sorted within its folder.

    :raises ValueError: naming the path that is missing or holds no site file.
    """
    found: dict[str, None] = {}
    for given in paths:
        path = os.path.normpath(os.path.join(folder, os.path.expanduser(os.path.expandvars(given))))
        if os.path.isfile(path):
            found[path] = None
            continue
        if not os.path.isdir(path):
            raise ValueError(f"path: there is no folder or file {given!r} ({path})")
        names = sorted(n for n in os.listdir(path) if n.endswith(_SUFFIXES) and not n.startswith("."))
        if not names:
            raise ValueError(f"path: no site file (*.yml, *.yaml) in {given!r} ({path})")
        found.update((os.path.join(path, name), None) for name in names)
    return list(found)


def load(file: str, *, shown: str) -> Document:
    """Reads one file. What cannot be read is in ``problems`` of the document.

    :raises ValueError: without PyYAML, which ansible-core itself needs.
    """
    if not HAS_YAML:
        raise ValueError("needs the Python library PyYAML on the controller")
    document = Document(file, shown)
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except UnicodeDecodeError as error:
        document.problems.append(Problem(shown, 0, "", f"is not UTF-8 text (byte {error.start})"))
        return document
    except OSError as error:
        document.problems.append(Problem(shown, 0, "", f"cannot be read: {error.strerror}"))
        return document
    document.braces = "{{" in text or "{%" in text or "{#" in text
    builder = _Builder(text)
    try:
        document.data = builder.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        says = getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML"
        document.problems.append(Problem(shown, mark.line + 1 if mark else 0, "", f"YAML: {says}"))
    else:
        document.problems += [Problem(shown, line, path_text(path), text) for path, line, text in builder.faults]
        if document.data is None and not document.problems:
            document.problems.append(Problem(shown, 0, "", "is empty"))
    return document


def lines_of(file: str) -> dict[KeyPath, int]:
    """Path -> line of everything in a file that :func:`load` could read."""
    try:
        with open(file, encoding="utf-8") as stream:
            builder = _Builder(stream.read(), lines={})
        builder.document()
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return builder.lines or {}


class _Builder:
    """Builds plain data from the events of a YAML text: cheaper than nodes, and nothing is guessed about types."""

    def __init__(self, text: str, *, lines: dict[KeyPath, int] | None = None) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.lines = lines
        self.faults: list[tuple[KeyPath, int, str]] = []
        self.anchors: dict[str, Any] = {}

    def document(self) -> Any:
        data: Any = None
        count = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > 1:
                    self._fault((), event, "a second YAML document: one site is one file")
                    break
                data = self._value(next(self.events), ())
        return data

    def _value(self, event: Any, path: KeyPath) -> Any:
        if self.lines is not None:
            self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = event.value if event.style else Plain(event.value)
            if event.tag and event.tag != "!":
                value = str(value)
                if event.tag != _STRING:
                    what = (
                        "a site file holds no secrets: keep them in group_vars"
                        if event.tag == "!vault"
                        else "leave it out"
                    )
                    self._fault(path, event, f"the YAML tag {event.tag} has no meaning here; {what}")
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor is None or event.anchor not in self.anchors:
                self._fault(path, event, f"unknown anchor *{event.anchor}")
                return None
            return self.anchors[event.anchor]
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(path)
        else:
            value = self._sequence(path)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def _sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        items: dict[str, Any] = {}
        merged: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = event.value if isinstance(event, yaml.ScalarEvent) else self._value(event, path)
            if not isinstance(key, str):
                self._fault(path, event, "a key must be plain text")
                key = "?"
            inner = (*path, str(key))
            if key == "<<" and not getattr(event, "style", None):
                merged.append(self._value(next(self.events), inner))
                continue
            if key in items:
                self._fault(inner, event, "is given twice")
            if self.lines is not None:
                self.lines[inner] = event.start_mark.line + 1
            items[str(key)] = self._value(next(self.events), inner)
        for source in merged:
            for mapping in source if isinstance(source, list) else [source]:
                if isinstance(mapping, dict):
                    items = {**mapping, **items}
        return items

    def _fault(self, path: KeyPath, event: Any, text: str) -> None:
        self.faults.append((path, event.start_mark.line + 1, text))
