# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User-data as text: the same mapping gives the same bytes, and every YAML reader reads the same mapping.

What a reader might take for a number, a date or a boolean (YAML 1.1 knows `on`, `1:20`, `0o7`) is quoted; so is
whatever is not plainly a word. Written here, for the quoting of YAML libraries depends on their version.
"""

from __future__ import annotations

import re
import typing as t

HEADER = "#cloud-config"
"""Must be the first line, to the letter: without it the file is ignored."""

NOTE = "# Written by palette.edge: a change made here is lost at its next run."

_EMPTY: tuple[t.Any, ...] = ("", {}, [])
_FIRST = {"stylus": 0, "install": 1, "stages": 2}
_FIRST_IN_STEP = {"name": 0, "if": 1}
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "nan", "inf"}
_BLOCK = re.compile(r"(?=[^\s#])[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*")


def without_empty(document: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The document without keys that say nothing: `""`, `{}` and `[]`, however deep. False and 0 say something.

    The agent takes a missing key for its default, and an empty one not always.
    """
    return {
        key: value for key, value in ((key, _trimmed(value)) for key, value in document.items()) if value not in _EMPTY
    }


def _trimmed(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return without_empty(value)
    return [_trimmed(one) for one in value] if isinstance(value, (list, tuple)) else value


def render(document: t.Mapping[str, t.Any], *, note: bool = True) -> str:
    """The text of a user-data file, with LF line ends."""
    lines = [HEADER, NOTE] if note else [HEADER]
    if document:
        lines += _mapping(document, 0, _FIRST)
    return "\n".join(lines) + "\n"


def render_body(document: t.Mapping[str, t.Any]) -> str:
    """The YAML alone, for a diff."""
    return "\n".join(_mapping(document, 0, _FIRST)) + "\n" if document else ""


def _mapping(mapping: t.Mapping[str, t.Any], indent: int, first: t.Mapping[str, int]) -> list[str]:
    lines = []
    for key in sorted(mapping, key=lambda name: (first.get(str(name), len(first)), str(name))):
        lines += _entry(f"{' ' * indent}{_scalar(key)}:", mapping[key], indent + 2)
    return lines


def _sequence(values: t.Sequence[t.Any], indent: int) -> list[str]:
    lines = []
    for value in values:
        if isinstance(value, t.Mapping) and value:
            inner = _mapping(value, indent + 2, _FIRST_IN_STEP)
            lines += [f"{' ' * indent}- {inner[0].lstrip()}", *inner[1:]]
        else:
            lines += _entry(f"{' ' * indent}-", value, indent + 2)
    return lines


def _entry(lead: str, value: t.Any, indent: int) -> list[str]:
    """`lead` followed by a value, whose further lines are indented by `indent`."""
    if isinstance(value, t.Mapping):
        return [lead, *_mapping(value, indent, {})] if value else [f"{lead} {{}}"]
    if isinstance(value, (list, tuple)):
        return [lead, *_sequence(value, indent)] if value else [f"{lead} []"]
    if isinstance(value, str) and "\n" in value.rstrip("\n") and _BLOCK.fullmatch(value):
        body = value.rstrip("\n")
        ends = len(value) - len(body)
        sign = "|-" if ends == 0 else "|" if ends == 1 else "|+"
        text = [f"{' ' * indent}{line}" if line else "" for line in body.split("\n")]
        return [f"{lead} {sign}", *text, *[""] * max(0, ends - 1)]
    return [f"{lead} {_scalar(value)}"]


def _scalar(value: t.Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = repr(value)
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(
            text, text if "." in text else text.replace("e", ".0e")
        )
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(_escaped(sign) for sign in text) + '"'


def _escaped(sign: str) -> str:
    if sign in {'"', "\\"}:
        return "\\" + sign
    if sign == "\n":
        return "\\n"
    code = ord(sign)
    if sign.isprintable():
        return sign
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
