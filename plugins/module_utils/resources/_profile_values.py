# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of packs: presets put into them, the profile variables that they use, and the lines of them that change."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._errors import InputError
from ..palette._names import nearest
from ._yaml_text import HAS_YAML, text_of_yaml

if HAS_YAML:
    import yaml

_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_VARIABLE = re.compile(r"\.spectro\.var\.([A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)")
_LONGEST = 20


def variables_in(text: str) -> list[str]:
    """Names of the profile variables that the text uses (C({{ .spectro.var.NAME }})), each once, in order."""
    found = (name for template in _TEMPLATE.findall(text) for name in _VARIABLE.findall(template))
    return list(dict.fromkeys(found))


def values_text(value: Any, *, option: str) -> str | None:
    """The option, text or mapping, as YAML text.

    :raises InputError: for anything else.
    """
    if value is None or isinstance(value, str):
        return None if value is None else text_of_yaml(value)
    if isinstance(value, Mapping):
        return text_of_yaml(value)
    raise InputError(f"{option}: neither YAML text nor a mapping")


def with_presets(
    text: str, wanted: Sequence[str], offered: Sequence[Mapping[str, Any]], *, pack: str, option: str
) -> str:
    """The values with presets put into them: what each removes is taken out, then what it adds is merged in.

    Comments are lost, as the text is written anew.

    :raises InputError: for a preset that the pack does not have, two of one group, or values that are no YAML.
    """
    by_name: dict[str, Mapping[str, Any]] = {}
    for one in offered:
        by_name |= {str(one.get("displayName") or one.get("name")): one, str(one.get("name")): one}
    groups: dict[str, str] = {}
    if not HAS_YAML:
        raise InputError(f"{option}: presets need PyYAML on the host that runs the module")
    for name in wanted:
        if name not in by_name:
            names = [str(one.get("name")) for one in offered]
            raise InputError(f"{option}: the pack {pack} has no preset {name!r}. {nearest(name, names)}")
        preset = by_name[name]
        group = str(preset.get("group") or "")
        if group and group in groups:
            raise InputError(f"{option}: {groups[group]} and {name} are alternatives of {group}: give one of them")
        groups[group] = name
        text = _with_preset(text, preset, pack=pack, name=name, option=option)
    return text


def _with_preset(text: str, preset: Mapping[str, Any], *, pack: str, name: str, option: str) -> str:
    aside: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        aside.append(found[0])
        return f"Palette9x{len(aside) - 1}x"

    try:
        target = yaml.compose(_TEMPLATE.sub(put_aside, text), Loader=yaml.SafeLoader)
        added = yaml.compose(_TEMPLATE.sub(put_aside, str(preset.get("add") or "")), Loader=yaml.SafeLoader)
        if not isinstance(target, (yaml.MappingNode, type(None))) or not isinstance(
            added, (yaml.MappingNode, type(None))
        ):
            raise InputError(f"{option}: the values of {pack} are no mapping, so the preset {name} cannot be put in")
        target = target or yaml.MappingNode("tag:yaml.org,2002:map", [], flow_style=False)
        for path in preset.get("remove") or []:
            _remove(target, str(path).split("."))
        if added is not None:
            _merge(target, added)
        written = (
            str(yaml.serialize(target, Dumper=yaml.SafeDumper, allow_unicode=True, width=1000)) if target.value else ""
        )
    except yaml.YAMLError as error:
        first = str(getattr(error, "problem", "") or error).splitlines()[0]
        raise InputError(f"{option}: the values of {pack}, or its preset {name}, are no YAML: {first}") from None
    return text_of_yaml(re.sub(r"Palette9x(\d+)x", lambda found: aside[int(found[1])], written))


def _key(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _remove(node: Any, path: list[str]) -> None:
    """Takes out what the path leads to; a key may have dots itself. What is not there is gone already."""
    if not isinstance(node, yaml.MappingNode):
        return
    for length in range(len(path), 0, -1):
        name = ".".join(path[:length])
        for pair in [one for one in node.value if _key(one[0]) == name]:
            if length == len(path):
                node.value.remove(pair)
            else:
                _remove(pair[1], path[length:])
            return


def _merge(target: Any, added: Any) -> None:
    for key, value in added.value:
        at = next((place for place, one in enumerate(target.value) if _key(one[0]) == _key(key)), None)
        if at is None:
            target.value.append((key, value))
        elif isinstance(target.value[at][1], yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            _merge(target.value[at][1], value)
        else:
            target.value[at] = (target.value[at][0], value)


def changed_lines(before: str, after: str, *, around: int = 2) -> tuple[list[str], list[str]]:
    """The lines that differ, with a few around them, of each of two texts; C(...) stands for what is left out."""
    mine, other = before.splitlines(), after.splitlines()
    if not mine or not other:
        return _short(mine), _short(other)
    left: list[str] = []
    right: list[str] = []
    for group in difflib.SequenceMatcher(None, mine, other, autojunk=False).get_grouped_opcodes(around):
        if left or right or group[0][1] or group[0][3]:
            left.append("...")
            right.append("...")
        left += mine[group[0][1] : group[-1][2]]
        right += other[group[0][3] : group[-1][4]]
    return left, right


def _short(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _LONGEST else [*lines[:_LONGEST], f"... and {len(lines) - _LONGEST} lines more"]
