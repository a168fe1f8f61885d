"""The rules of profile variables: what a declaration may say, and which values fit it."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable

from .errors import ApiError, invalid
from .store import Document


def _number(value: str) -> None:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise ValueError


def _boolean(value: str) -> None:
    if value not in ("true", "false"):
        raise ValueError


def _version(value: str) -> None:
    if not re.fullmatch(r"v?\d+\.\d+\.\d+([-+][\w.+-]+)?", value):
        raise ValueError


def _base64(value: str) -> None:
    base64.b64decode(value, validate=True)


def _cidr(value: str) -> None:
    if "/" not in value:
        raise ValueError
    ipaddress.IPv4Interface(value)


_FORMATS: dict[str, Callable[[str], object]] = {
    "number": _number,
    "boolean": _boolean,
    "ipv4": ipaddress.IPv4Address,
    "ipv4cidr": _cidr,
    "ipv6": ipaddress.IPv6Address,
    "version": _version,
    "base64": _base64,
}


def problem(variable: Document, value: str) -> str:
    """What is wrong with a value of a variable, "" when nothing is. The value itself is not told."""
    kind = variable.get("format") or "string"
    try:
        _FORMATS.get(kind, str)(value)
    except ValueError:
        return f"is no {kind}"
    if variable.get("regex") and not _matches(variable["regex"], value):
        return f"does not match {variable['regex']}"
    options = [one["value"] for one in variable.get("options") or []]
    if variable.get("inputType") == "dropdown" and value not in options:
        return f"is not one of {', '.join(options)}"
    return ""


def refuse(variables: list[Document], *, before: list[Document]) -> None:
    """Raises ApiError for variables that cannot be declared so.

    :param before: those that are declared already, whose format stays.
    """
    names = [one["name"] for one in variables]
    if len(set(names)) != len(names) or not all(names):
        raise invalid("The names of variables must be unique and not empty", code="InvalidVariable")
    formats = {one["name"]: one.get("format") or "string" for one in before}
    for one in variables:
        name, kind, default = one["name"], one.get("format") or "string", one.get("defaultValue") or ""
        if formats.get(name, kind) != kind:
            raise _wrong(name, f"its format is {formats[name]} and cannot be changed")
        if one.get("required") and not default:
            raise _wrong(name, "one that is required needs a default value")
        if one.get("inputType") == "dropdown" and not one.get("options"):
            raise _wrong(name, "a dropdown needs options")
        if default and problem(one, default):
            raise _wrong(name, f"its default value {problem(one, default)}")


def _matches(regex: str, value: str) -> bool:
    try:
        return re.search(regex, value) is not None
    except re.error:
        raise invalid(f"'{regex}' is no regular expression", code="InvalidVariable") from None


def _wrong(name: str, what: str) -> ApiError:
    return invalid(f"Variable '{name}': {what}", code="InvalidVariable")
