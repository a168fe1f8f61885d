# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory that C(ansible-inventory --graph) or C(--list) prints, as groups with their members."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_LINE = re.compile(r"^(?P<deep>(?:\s*\|)*)--(?P<group>@)?(?P<name>.*?):?$")
_SHOWN = 5

Groups = dict[str, set[str]]


def groups_of(graph: str) -> Groups:
    """Groups and what is directly in them, a group as C(@name), of the output of C(--graph)."""
    found: Groups = {}
    above: list[str] = []
    for line in graph.splitlines():
        text = line.strip()
        if text.startswith("@"):
            above = [text[1:].rstrip(":")]
            found[above[0]] = set()
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"not a line of --graph: {line!r}")
        depth = match["deep"].count("|")
        name = f"@{match['name']}" if match["group"] else match["name"]
        found[above[depth - 1]].add(name)
        if match["group"]:
            above[depth:] = [match["name"]]
            found.setdefault(match["name"], set())
    return found


def differences(one: Groups, other: Groups) -> list[str]:
    """What differs in groups or members; empty when nothing does."""
    lines = [f"only the first has the group {name}" for name in sorted(one.keys() - other.keys())]
    lines += [f"only the second has the group {name}" for name in sorted(other.keys() - one.keys())]
    for name in sorted(one.keys() & other.keys()):
        apart = sorted(one[name] ^ other[name])
        if apart:
            lines.append(f"group {name}: {len(apart)} members differ: {', '.join(apart[:_SHOWN])}")
    return lines


def variable_differences(one: str, other: str) -> list[str]:
    """Hosts whose variables differ between two outputs of C(--list)."""
    sides: list[Mapping[str, Any]] = [json.loads(text)["_meta"]["hostvars"] for text in (one, other)]
    lines = []
    for host in sorted(sides[0].keys() | sides[1].keys()):
        first, second = sides[0].get(host), sides[1].get(host)
        if first != second:
            keys = {key for side in (first, second) for key in side or {}}
            apart = sorted(key for key in keys if (first or {}).get(key) != (second or {}).get(key))
            lines.append(f"variables of {host} differ: {', '.join(apart)}")
    return lines
