# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data as YAML for people: text of several lines as a block, remarks beside what they are about.

Read back, every text is the same again: as a site file, where a text in quotes stays a text, and as variables, where
``unsafe`` keeps Ansible from taking Palette's macros for templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True
    _LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.+-]*( [A-Za-z0-9_/.+()-]+)*")
_NUMBERS = re.compile(r"\d+(\.\d+){2,3}(/\d+|-[a-z0-9.]+)?")
_RESERVED = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")
_TEMPLATE = re.compile(r"\{[{%#]")
_LONGEST_ROW = 90


@dataclass(frozen=True)
class Remark:
    """A key of a mapping that is written as a comment; its value does not matter."""

    text: str


def dump(data: Mapping[Any, Any], *, unsafe: bool = False) -> str:
    """A mapping as a YAML document without its first line.

    :param unsafe: whether texts that look like templates are marked, as Ansible's own files need it.
    """
    return "\n".join(_mapping(data, 0, unsafe)) + "\n"


def plain(data: Any) -> Any:
    """``data`` as it is read back: without remarks."""
    if isinstance(data, Mapping):
        return {key: plain(value) for key, value in data.items() if not isinstance(key, Remark)}
    if isinstance(data, (list, tuple)):
        return [plain(one) for one in data]
    return data


def _mapping(data: Mapping[Any, Any], depth: int, unsafe: bool) -> list[str]:
    lines: list[str] = []
    pad = "  " * depth
    for key, value in data.items():
        if isinstance(key, Remark):
            lines += [f"{pad}# {line}" for line in key.text.splitlines()]
        else:
            lines += _entry(f"{pad}{_one_line(str(key))}:", value, depth, unsafe)
    return lines


def _entry(head: str, value: Any, depth: int, unsafe: bool) -> list[str]:
    """A key or the dash of an item with what belongs to it."""
    if isinstance(value, Mapping) and value:
        inner = _mapping(value, depth + 1, unsafe)
        if not head.endswith("-"):
            return [head, *inner] if plain(value) else [f"{head} {{}}", *inner]
        # The first key stands behind the dash, unless a remark comes first.
        return [head, *inner] if inner[0].lstrip().startswith("#") else [f"{head} {inner[0].lstrip()}", *inner[1:]]
    if isinstance(value, (list, tuple)) and value:
        row = _row(head, value)
        if row:
            return [row]
        dash = "  " * (depth + 1) + "-"
        return [head, *(line for one in value for line in _entry(dash, one, depth + 1, unsafe))]
    if isinstance(value, str):
        mark = "!unsafe " if unsafe and _TEMPLATE.search(value) else ""
        return f"{head} {mark}{_block(value, depth + 1) or _one_line(value)}".split("\n")
    return [f"{head} {_scalar(value)}"]


def _row(head: str, values: Sequence[Any]) -> str:
    """A short list of plain words in one line, else ""."""
    if not all(isinstance(one, str) and _is_plain(one) for one in values):
        return ""
    row = f"{head} [{', '.join(values)}]"
    return row if len(row) <= _LONGEST_ROW else ""


def _scalar(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _is_plain(text: str) -> bool:
    return bool(_NUMBERS.fullmatch(text) or (_WORD.fullmatch(text) and text.lower() not in _RESERVED))


def _one_line(text: str) -> str:
    if _is_plain(text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def _block(text: str, depth: int) -> str:
    """A text of several lines as they are, or "" when YAML cannot hold it so."""
    body = text.rstrip("\n")
    lines = body.split("\n")
    if "\n" not in text or not body.strip() or not all(line.replace("\t", "").isprintable() for line in lines):
        return ""
    # Where the first line is indented or empty, YAML has to be told where the text begins.
    hint = "2" if lines[0][:1] in ("", " ", "\t") else ""
    ending = {0: "-", 1: ""}.get(len(text) - len(body), "+")
    pad = "  " * depth
    more = [""] * max(0, len(text) - len(body) - 1)
    block = "\n".join([f"|{hint}{ending}", *(pad + line if line else "" for line in lines), *more])
    # YAML has corners that nobody remembers all of: what is not read back the same is not written so.
    return block if _read("k: " + block.replace("\n" + pad, "\n  ") + "\n") == text else ""


def _read(document: str) -> Any:
    try:
        return [event.value for event in yaml.parse(document, Loader=_LOADER) if isinstance(event, yaml.ScalarEvent)][
            -1
        ]
    except yaml.YAMLError:
        return None
