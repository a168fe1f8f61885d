# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sheet of labels with QR codes: what is on each label, and where. In millimetres from the top left of the page.

Nothing here depends on a date or on the order of the input: the same hosts give the same sheet.
"""

from __future__ import annotations

import os
import re
import typing as t
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from urllib.parse import quote, urlsplit, urlunsplit

try:
    import segno

    HAS_SEGNO = True
except ImportError:
    HAS_SEGNO = False

PLACEHOLDER = "{id}"
PARAMETER = "appliance-id"
"""The query parameter from which the vendor's sample of a registration application takes the ID of the host."""

QUIET = 4
"""Modules around a QR code that stay white, as its standard asks for."""

SMALLEST_MODULE = 0.25
"""Millimetres: what the camera of a telephone still reads off a printed page."""

PAGES = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
_POINT = 25.4 / 72
_CELL = 0.6
"""Width of a sign of a monospaced font, in its size."""
_LEADING = 1.2
_SIZES = (12.0, 11.0, 10.0, 9.0, 8.0, 7.5, 7.0, 6.5, 6.0, 5.0, 4.5)
_FEWEST, _ID_LINES, _EASY = 4, 3, 6.0
"""Signs that a line has at least, lines in which an ID is easily read, and the size in points down to which it is."""


class SheetError(ValueError):
    """No such sheet can be made. The text is one line for people."""


@dataclass(frozen=True)
class Format:
    """How the labels lie on the page; they are centred as a whole where no margin is given."""

    page: str
    columns: int
    rows: int
    width: float
    height: float
    gap_x: float = 0.0
    gap_y: float = 0.0
    left: float | None = None
    top: float | None = None

    @property
    def count(self) -> int:
        return self.columns * self.rows

    @property
    def origin(self) -> tuple[float, float]:
        """Where the first label begins."""
        width, height = PAGES[self.page]
        left = (width - self.columns * self.width - (self.columns - 1) * self.gap_x) / 2
        top = (height - self.rows * self.height - (self.rows - 1) * self.gap_y) / 2
        return (left if self.left is None else self.left, top if self.top is None else self.top)

    def place(self, number: int) -> tuple[float, float]:
        """The top left of the label with this number on its page."""
        left, top = self.origin
        row, column = divmod(number, self.columns)
        return left + column * (self.width + self.gap_x), top + row * (self.height + self.gap_y)


FORMATS = {
    "a4_3x7": Format("A4", 3, 7, 63.5, 38.1, gap_x=2.54),
    "a4_3x8": Format("A4", 3, 8, 63.5, 33.9, gap_x=2.54),
    "a4_2x7": Format("A4", 2, 7, 99.1, 38.1, gap_x=2.54),
    "a4_2x4": Format("A4", 2, 4, 99.1, 67.7, gap_x=2.54),
    "letter_3x10": Format("Letter", 3, 10, 66.675, 25.4, gap_x=3.175),
    "letter_2x5": Format("Letter", 2, 5, 101.6, 50.8, gap_x=4.7625),
}


def changed_format(name: str, changes: dict[str, t.Any]) -> Format:
    """The format of this name with other figures. Raises SheetError when the labels do not fit on the page."""
    found = replace(FORMATS[name], **{key: value for key, value in changes.items() if value is not None})
    for field in fields(found):
        value = getattr(found, field.name)
        least = 1 if field.name in ("columns", "rows", "width", "height") else 0
        if isinstance(value, (int, float)) and value < least:
            raise SheetError(f"layout.{field.name}: {value:g} is too small")
    left, top = found.place(0)
    right, bottom = (edge + size for edge, size in zip(found.place(found.count - 1), (found.width, found.height)))
    width, height = PAGES[found.page]
    # A tenth of a millimetre is what rounding of inches may cost.
    if min(left, top) < -0.1 or right > width + 0.1 or bottom > height + 0.1:
        raise SheetError(
            f"layout: {found.columns} x {found.rows} labels of {found.width:g} x {found.height:g} mm with gaps and margins"
            f" need {max(right, width - left):.1f} x {max(bottom, height - top):.1f} mm, and {found.page} has {width:g} x"
            f" {height:g} mm"
        )
    return found


@dataclass(frozen=True)
class Label:
    """One host. Only the ID must be there."""

    id: str
    name: str = ""
    site: str = ""
    address: str = ""
    url: str = ""

    @property
    def lines(self) -> list[str]:
        """What is written below the ID."""
        named = (("Site", self.site), ("Host", "" if self.name == self.id else self.name), ("Addr", self.address))
        return [f"{caption}: {text}" for caption, text in named if text]

    @property
    def told(self) -> str:
        """The label as one line, for a comparison."""
        return " ".join(part for part in (self.site, self.name, self.id, self.address, self.url) if part)


def in_order(labels: Iterable[Label]) -> list[Label]:
    """By site, then by name, numbers by their value. Raises SheetError for an ID that two hosts have."""
    seen: dict[str, Label] = {}
    for label in labels:
        other = seen.setdefault(label.id, label)
        if other != label:
            names = " and ".join(sorted(one.name or one.site or "a label" for one in (other, label)))
            raise SheetError(f"the Edge host ID {label.id} is given twice: {names}")
    return sorted(seen.values(), key=lambda one: (_natural(one.site), _natural(one.name), _natural(one.id)))


def groups(labels: list[Label], name: str, per_site: bool) -> dict[str, list[Label]]:
    """Name of the file of each sheet -> its labels. Raises SheetError when that cannot be the name of a file."""
    groups: dict[str, list[Label]] = {}
    for label in labels:
        if per_site and not label.site:
            raise SheetError(f"per_site: the host {label.name or label.id} belongs to no site")
        groups.setdefault(f"{name}-{label.site}" if per_site else name, []).append(label)
    for group in groups:
        if os.path.basename(group) != group or group.startswith("."):
            raise SheetError(f"name: {group!r} is no name of a file")
    return groups


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", text) if part]


def check_url(url: str) -> str:
    """The registration URL, when it is one that may be printed. Raises SheetError."""
    try:
        parts = urlsplit(url)
        host, password = parts.hostname, parts.username is not None or parts.password is not None
    except ValueError:
        host, password = None, False
    if password:
        raise SheetError(
            "registration_url: carries a user or password, and the sheet is for everybody's eyes: leave it out"
        )
    if not host or parts.scheme not in ("http", "https") or re.search(r"[\s\x00-\x1f]", url):
        raise SheetError(f"registration_url: {url[:100]!r} is no URL like https://registration.example.com/")
    rest = url.replace(PLACEHOLDER, "")
    if "{" in rest or "}" in rest:
        raise SheetError(f"registration_url: the only placeholder is {PLACEHOLDER}, for the ID of the host")
    return url


def url_of(url: str, host_id: str, *, parameter: str = PARAMETER) -> str:
    """Where the QR code leads: `url` with the ID in place of its placeholder, else as a parameter of its query."""
    written = quote(host_id, safe="")
    if PLACEHOLDER in url:
        return url.replace(PLACEHOLDER, written)
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(path=parts.path or "/", query=f"{query}{quote(parameter, safe='')}={written}"))


@dataclass(frozen=True)
class Code:
    """A QR code: its modules in a row, and for each row where black begins and how long it is."""

    modules: int
    runs: list[tuple[int, int, int]]


def code_of(text: str) -> Code:
    """The QR code of `text`: with the correction of level M (15 % of it lost), or better where that costs nothing."""
    made = segno.make(text, error="m", micro=False, boost_error=True)
    rows = [bytes(row) for row in made.matrix]
    runs = [
        (y, run.start(), run.end() - run.start()) for y, row in enumerate(rows) for run in re.finditer(b"\x01+", row)
    ]
    return Code(len(rows), runs)


@dataclass(frozen=True)
class Text:
    """A line of text: left end and baseline, size in points."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True)
class Placed:
    """A label on its page, with the square of its QR code (the white around it not included)."""

    label: Label
    x: float
    y: float
    code: Code
    code_x: float
    code_y: float
    module: float
    texts: list[Text]


def pages(labels: list[Label], form: Format, *, skip: int = 0) -> Iterator[list[Placed]]:
    """The labels page by page; `skip` labels of the first page stay empty. Raises SheetError when one has no room."""
    placed: list[Placed] = []
    for number, label in enumerate(labels, start=skip):
        placed.append(_placed(label, form, *form.place(number % form.count)))
        if (number + 1) % form.count == 0:
            yield placed
            placed = []
    if placed:
        yield placed


def _placed(label: Label, form: Format, x: float, y: float) -> Placed:
    code = code_of(label.url)
    margin = 1.0
    side = min(form.height - 2 * margin, 0.54 * form.width)
    module = side / (code.modules + 2 * QUIET)
    if module < SMALLEST_MODULE:
        raise SheetError(
            f"the QR code of {label.id} would have modules of {module:.2f} mm, too small to be read: take larger labels or a"
            f" shorter registration_url ({len(label.url)} characters with the ID)"
        )
    top = y + (form.height - side) / 2
    # The white around the code is the space between it and the text.
    texts = _texts(label, x + margin + side, y + 2.5, form.width - side - margin - 2.0, form.height - 5.0)
    white = QUIET * module
    return Placed(label, x, y, code, x + margin + white, top + white, module, texts)


def _texts(label: Label, x: float, y: float, width: float, height: float) -> list[Text]:
    """The ID in full and what else there is: as large as goes without breaking lines, else as large as there is room."""
    found: list[Text] = []
    for size in _SIZES:
        cells = int(width / (size * _CELL * _POINT))
        if cells < _FEWEST:
            continue
        wrapped = [(line, True) for line in _wrap(label.id, cells)]
        whole = len(wrapped) <= _ID_LINES and all(_width(text) <= cells for text in label.lines)
        wrapped += [(line, False) for text in label.lines for line in _wrap(text, cells)]
        step = size * _LEADING * _POINT
        if len(wrapped) * step > height:
            continue
        if not found or (whole and size >= _EASY):
            # In the middle of the label, as the code is.
            first = y + (height - len(wrapped) * step) / 2 + size * 0.8 * _POINT
            found = [Text(x, first + row * step, size, line, bold) for row, (line, bold) in enumerate(wrapped)]
        if whole:
            break
    if not found:
        raise SheetError(f"there is no room for the ID {label.id} on a label of this size: take larger labels")
    return found


def _wrap(text: str, cells: int) -> list[str]:
    """Lines of so many cells at most, after a `-`, `.`, `_` or blank where that costs little."""
    lines = []
    while _width(text) > cells:
        end = max(at for at in range(1, len(text) + 1) if _width(text[:at]) <= cells)
        soft = max(text.rfind(sign, 0, end) for sign in "-._ ") + 1
        end = soft if soft > end * 2 // 3 else end
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*lines, text] if text else lines


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
