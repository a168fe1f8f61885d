"""Shapes of what is sent: a body is taken as a Go server takes it, so that endpoints can rely on its types.

A shape is a type (``str``, ``int``, ``float``, ``bool``), ``TIME``, a tuple of the words allowed, a list with the shape
of its items, ``MAP`` (texts by name), or an object: shapes by field, of which a name ending in ``!`` is required.
``null`` is what is not there, a field that is not known is left out, and a wrong type is refused with its path.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from .errors import invalid

Shape = Any
TIME = object()
MAP = {"*": str}
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_NAMES = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def take(shape: Shape, value: Any, where: str = "") -> Any:
    """``value`` in its shape, without what is null or not known. Raises ApiError (400) with the path."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        return _object(shape, value, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        return [take(shape[0], one, f"{where}[{index}]") for index, one in enumerate(value)]
    if isinstance(shape, tuple):
        if value not in ("", *shape) or not isinstance(value, str):
            raise _wrong(where, f"one of {', '.join(shape)}", value)
        return value
    if shape is TIME:
        instant(value, where)
        return value
    numeric = shape in (int, float) and isinstance(value, (int, shape)) and not isinstance(value, bool)
    if not (numeric or (shape in (str, bool) and isinstance(value, shape))):
        raise _wrong(where, _NAMES[shape], value)
    if numeric and not (math.isfinite(value) and abs(value) < 2**53):
        raise _wrong(where, "a number that can be kept", value)
    return value


def instant(value: Any, where: str) -> float:
    """Seconds since 1970 of a time in RFC 3339. Raises ApiError (400)."""
    try:
        if not _STAMP.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper().replace("Z", "+00:00")).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise _wrong(where, "a time such as 2027-12-31T00:00:00Z", value) from None


def _object(shape: dict[str, Shape], value: dict[str, Any], where: str) -> dict[str, Any]:
    if "*" in shape:
        return {key: take(shape["*"], one, f"{where}.{key}") for key, one in value.items() if one is not None}
    taken = {}
    for field, inner in shape.items():
        name = field.removesuffix("!")
        path = f"{where}.{name}" if where else name
        if value.get(name) is not None:
            taken[name] = take(inner, value[name], path)
        elif field != name:
            raise invalid(f"{path} is required")
    return taken


def _wrong(where: str, wanted: str, value: Any) -> Exception:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return invalid(f"{where or 'The body'} must be {wanted}, not {kinds.get(type(value), 'null')}")
