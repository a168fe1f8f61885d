# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a document has the keys and the types that the documentation of user-data gives."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import dotted
from ansible_collections.palette.edge.plugins.module_utils.user_data._schema import (
    INSTALL,
    RESERVED,
    STAGES,
    STYLUS,
    Each,
)

Path: t.TypeAlias = "tuple[str | int, ...]"

_NULL = "has no value (null)"
_TYPES = {
    "str": "a string",
    "int": "a whole number",
    "bool": "true or false",
    "scalar": "a string",
    "strings": "a list of strings",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the place in the document, and what is wrong and what to do."""

    path: Path
    text: str

    def told(self, name: Callable[[Path], str] = dotted) -> str:
        """The problem as a line, its place called as `name` says."""
        return f"{name(self.path)}: {self.text}"


def unknown_keys(document: Document) -> list[Problem]:
    """Keys under `stylus` and `install` that no documentation names, and stages that Kairos does not know."""
    found = list(_unknown(document.get("stylus"), STYLUS, ("stylus",)))
    found += _unknown(document.get("install"), INSTALL, ("install",))
    stages = document.get("stages")
    if isinstance(stages, dict):
        found += [
            Problem(("stages", name), "is no stage that Kairos runs; check its spelling.")
            for name in stages
            if name not in STAGES
        ]
    found += [
        Problem((name,), "is for hosts that Kairos runs by itself; Palette drives Kubernetes, so leave it out.")
        for name in RESERVED
        if name in document
    ]
    return found


def type_problems(document: Document) -> Iterator[Problem]:
    """Values of the wrong type, nulls, and keys that are no strings."""
    yield from _string_keys(document, ())
    for name, schema in (("stylus", STYLUS), ("install", INSTALL)):
        if name in document:
            yield from _typed(document[name], schema, (name,))
    if not isinstance(document.get("stages", {}), dict):
        yield Problem(("stages",), "must be a map from the names of stages to lists of steps.")


def nulls(document: Document) -> list[Problem]:
    """Keys without a value, as `password: ####`, whose value is a comment to YAML."""
    return [problem for problem in _string_keys(document, ()) if problem.text.startswith(_NULL)]


def _string_keys(value: t.Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, below in value.items():
            if isinstance(key, str):
                yield from _string_keys(below, (*path, key))
            else:
                yield Problem(
                    (*path, str(key)), "is a key that YAML reads as something else than a string; put it in quotes."
                )
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from _string_keys(below, (*path, at))
    elif value is None:
        yield Problem(path, f"{_NULL}; give one (in quotes where it has a #), or leave the key out.")


def _typed(value: t.Any, schema: t.Any, path: Path) -> Iterator[Problem]:
    if isinstance(schema, (dict, Each)):
        if not isinstance(value, dict):
            if value is not None:
                yield Problem(path, "must be a map.")
            return
        for key, below in value.items():
            expected = schema.value if isinstance(schema, Each) else schema.get(key, "any")
            yield from _typed(below, expected, (*path, str(key)))
    elif isinstance(schema, list):
        if not isinstance(value, list):
            if value is not None:
                yield Problem(path, "must be a list.")
            return
        for at, below in enumerate(value):
            yield from _typed(below, schema[0], (*path, at))
    elif not _is(value, schema) and value is not None:
        hint = "; put it in quotes" if schema == "str" and isinstance(value, (int, float)) else ""
        yield Problem(path, f"must be {_TYPES[schema]}, and is {_kind(value)}{hint}.")


def _is(value: t.Any, schema: str) -> bool:
    if schema == "scalar":
        return isinstance(value, (str, int, float))
    if schema == "strings":
        return isinstance(value, str) or (
            isinstance(value, list) and all(one is None or isinstance(one, str) for one in value)
        )
    if schema == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return schema == "any" or isinstance(value, {"str": str, "bool": bool}[schema])


def _kind(value: t.Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    return {dict: "a map", list: "a list", int: "a number", float: "a number", str: "a string"}.get(
        type(value), "something else"
    )


def _unknown(value: t.Any, schema: t.Any, path: Path) -> list[Problem]:
    if isinstance(schema, list) and isinstance(value, list):
        return [found for at, below in enumerate(value) for found in _unknown(below, schema[0], (*path, at))]
    if not isinstance(value, dict):
        return []
    if isinstance(schema, Each):
        return [found for key, below in value.items() for found in _unknown(below, schema.value, (*path, key))]
    found = []
    for key, below in value.items() if isinstance(schema, dict) else ():
        if key not in schema:
            found.append(
                Problem((*path, key), "is no key that the documentation of user-data names; check its spelling.")
            )
        else:
            found += _unknown(below, schema[key], (*path, key))
    return found
