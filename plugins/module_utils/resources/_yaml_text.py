# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that people write as text or as a mapping, compared by what it means: order of keys, quotes, comments and
indentation are no difference.

Palette's templates (``{{ .spectro.var.site }}``) are no YAML where they stand without quotes, so they are put aside
while the text is parsed. Where PyYAML is not installed, and for text that is no YAML even so (a template that holds
whole lines), the text itself is the meaning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True
    _LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class _Dumper(yaml.SafeDumper):
        """Writes text of several lines as lines."""

    def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    _Dumper.add_representer(str, _text)

_TEMPLATE = re.compile(r"\{\{[-]?[ \t]*(.*?)[ \t]*[-]?\}\}")
_ASIDE = re.compile(r"Palette0x([0-9a-f]*)x")
_DATE = "tag:yaml.org,2002:timestamp"
_TEXT = "tag:yaml.org,2002:str"


def meaning(text: str) -> Any:
    """What the text says: one document as it is, several as a list, text that cannot be parsed as trimmed text.

    A template is told from the same template in quotes, which is a string for certain.
    """
    trimmed = text_of_yaml(text)
    if not HAS_YAML:
        return trimmed
    parsed = _TEMPLATE.sub(lambda found: f"Palette0x{found[1].encode().hex()}x", trimmed)
    try:
        loader = _LOADER(parsed)
        try:
            documents = []
            while loader.check_node():
                node = loader.get_node()
                _prepare(node, set())
                documents.append(loader.construct_document(node))
        finally:
            loader.dispose()
        found = [_restored(one) for one in documents if one is not None]
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return trimmed
    return found[0] if len(found) == 1 else found or None


def same_yaml(left: str | Mapping[str, Any], right: str | Mapping[str, Any]) -> bool:
    """Whether both say the same. A mapping is compared as the text that it is written as."""
    mine, other = text_of_yaml(left), text_of_yaml(right)
    return mine == other or _equal(meaning(mine), meaning(other))


def text_of_yaml(value: str | Mapping[str, Any]) -> str:
    """YAML as it is written: text without blank lines around it, a mapping dumped in its own order."""
    if isinstance(value, str):
        # Blank lines only: blanks before the first word are its indentation.
        return re.sub(r"\A(?:[ \t]*\n)+", "", value.replace("\r\n", "\n")).rstrip()
    if not HAS_YAML:
        return json.dumps(value, indent=2, default=str)
    dumped: str = yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text_of_yaml(dumped)


def _prepare(node: Any, seen: set[int]) -> None:
    """Marks templates without quotes, and leaves dates the text that they are."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        if node.tag == _DATE:
            node.tag = _TEXT
        if not node.style and _ASIDE.fullmatch(node.value):
            node.value = f"bare {node.value}"
        return
    for one in node.value:
        for child in one if isinstance(one, tuple) else (one,):
            _prepare(child, seen)


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return {_restored(key): _restored(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_restored(one) for one in value]
    if isinstance(value, str):
        return _ASIDE.sub(lambda found: "{{ " + bytes.fromhex(found[1]).decode() + " }}", value)
    return value


def _equal(left: Any, right: Any) -> bool:
    """Equality that tells true from 1, as Python's own does not."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(one, right[key]) for key, one in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_equal(a, b) for a, b in zip(left, right))
    return type(left) is type(right) and bool(left == right)


def _plain(value: Any) -> Any:
    """Ansible's own kinds of text and mappings as Python's, which are all that can be dumped."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return str(value)
    return value
