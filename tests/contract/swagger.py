# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Swagger 2 description as a judge of requests and replies: strict, where JSON Schema would let much pass."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    description: Schema
    shared: list[Schema]

    @property
    def parameters(self) -> list[Schema]:
        """Parameters of the operation and of its path."""
        return [*self.shared, *self.description.get("parameters", [])]

    @property
    def body(self) -> Schema | None:
        """The schema of what is sent."""
        return next((one["schema"] for one in self.parameters if one["in"] == "body"), None)

    @property
    def query(self) -> set[str]:
        """The names of the query's parameters."""
        return {one["name"] for one in self.parameters if one["in"] == "query"}

    def reply(self, status: int) -> Schema | None:
        """What is said of this status; None when nothing is."""
        return self.description["responses"].get(str(status))


class Swagger:
    """:param path: the description, JSON. :param newer: fields beyond it, by definition, which are known of later versions."""

    def __init__(self, path: Path, *, newer: dict[str, Schema] | None = None) -> None:
        whole = json.loads(path.read_text())
        self._definitions: dict[str, Schema] = whole["definitions"]
        self._paths = {plain(template): item for template, item in whole["paths"].items()}
        for name, fields in (newer or {}).items():
            self._definitions[name]["properties"] |= fields

    def operation(self, method: str, template: str) -> Operation | None:
        """The operation, whatever its path's parameters are called."""
        item = self._paths.get(plain(template), {})
        found = item.get(method.lower())
        return Operation(found, item.get("parameters", [])) if found else None

    def problems(self, schema: Schema, value: Any, where: str = "", *, reply: bool = True) -> Iterator[str]:
        """What is wrong with ``value``; in a reply, fields that are always sent must be there."""
        name = schema["$ref"].rpartition("/")[2] if "$ref" in schema else ""
        schema = self._definitions[name] if name else schema
        kind = schema.get("type") or ("object" if "properties" in schema else "")
        if kind and (not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
            yield f"{where}: {value!r} is not of type {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not one of {schema['enum']}"
        if schema.get("format") == "date-time" and not _is_time(value):
            yield f"{where}: {value!r} is not a time"
        if kind == "array":
            for index, item in enumerate(value):
                yield from self.problems(schema["items"], item, f"{where}[{index}]", reply=reply)
        if kind == "object":
            yield from self._object(schema, value, where, reply=reply)

    def _object(self, schema: Schema, value: dict[str, Any], where: str, *, reply: bool) -> Iterator[str]:
        fields: dict[str, Schema] = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        free = others is True or (not fields and others is None)
        always = {key for key, inner in fields.items() if reply and inner.get("x-omitempty") is False}
        for key in sorted({*schema.get("required", ()), *always} - set(value)):
            yield f"{where}.{key}: is missing"
        for key, inner in value.items():
            if key in fields:
                yield from self.problems(fields[key], inner, f"{where}.{key}", reply=reply)
            elif isinstance(others, dict):
                yield from self.problems(others, inner, f"{where}.{key}", reply=reply)
            elif not free:
                yield f"{where}.{key}: is not known"


def plain(template: str) -> str:
    """A path's template without the names of its parameters."""
    return re.sub(r"\{\w+\}", "{}", template)


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
