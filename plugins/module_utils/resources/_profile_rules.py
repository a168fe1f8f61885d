# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of profile variables, held against what a profile would have before anything is sent."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..palette._errors import InputError
from ._profile_values import variables_in

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
# What Palette's expressions (RE2) have and Python's have not, or mean otherwise.
_FOREIGN = re.compile(r"\[\[:|\\[pPzQEC]|\(\?[a-zA-Z-]*U|\(\?P>|\(\?<[a-zA-Z]")


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _address(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "number": ("a number", lambda text: re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", text) is not None),
    "boolean": ("true or false", lambda text: text in ("true", "false")),
    "ipv4": ("an IPv4 address", lambda text: _address(ipaddress.IPv4Address, text)),
    "ipv4cidr": ("an IPv4 network such as 10.0.0.0/16", lambda text: "/" in text and _address(_network, text)),
    "ipv6": ("an IPv6 address", lambda text: _address(ipaddress.IPv6Address, text)),
    "version": (
        "a version such as 1.2.3",
        lambda text: re.fullmatch(r"v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?", text) is not None,
    ),
    "base64": ("base64", _base64),
}


def _network(text: str) -> object:
    return ipaddress.IPv4Network(text, strict=False)


def value_problem(variable: Mapping[str, Any], value: str) -> str:
    """What is wrong with a value of a variable as Palette writes it, "" for nothing; secrets are not shown."""
    shown = "it" if variable.get("isSensitive") else repr(value)
    expected, good = FORMATS.get(variable.get("format") or "string", ("", lambda dummy: True))
    if not good(value):
        return f"{shown} is not {expected}, which its format {variable['format']} asks for"
    options = variable.get("options") or []
    if variable.get("inputType") == "dropdown" and options:
        known = {str(one.get(key)) for one in options for key in ("value", "label") if one.get(key) is not None}
        if value not in known:
            return f"{shown} is none of its options ({', '.join(str(one.get('value')) for one in options)})"
    pattern = variable.get("regex") or ""
    if pattern and not _FOREIGN.search(pattern) and not re.search(pattern, value):
        return f"{shown} does not match its regex {pattern}"
    return ""


def check_variables(
    current: Sequence[Mapping[str, Any]], desired: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]
) -> None:
    """Holds the variables that would be there (as Palette writes them, with what it has already) against the rules.

    :param desired: each merged with what is there; defaults that are masked are left out.
    :param changed: those of them that would be written: what Palette has taken already is not questioned.
    :raises InputError: with every rule that is missed, each with its option.
    """
    problems: list[str] = []
    have = {one["name"]: one for one in current}
    titles: dict[str, str] = {}
    for one in reversed(desired):
        titles[str(one.get("displayName") or one["name"])] = one["name"]
    for index, variable in enumerate(desired):
        name, at = variable["name"], f"variables[{index}]"
        if variable not in changed:
            continue
        if not _NAME.fullmatch(name):
            problems.append(f"{at}.name: {name!r} has signs that cannot stand in .spectro.var.NAME")
        title = str(variable.get("displayName") or name)
        if titles.get(title, name) != name:
            problems.append(f"{at}.display_name: {title!r} is borne by {titles[title]} and {name}")
        problems += [f"{at}.{one}" for one in _problems(variable, have.get(name) or {})]
    if problems:
        raise InputError("; ".join(problems))


def _problems(variable: Mapping[str, Any], have: Mapping[str, Any]) -> list[str]:
    name, found = variable["name"], []
    options = variable.get("options") or []
    values = [str(one.get("value")) for one in options if one.get("value") not in (None, "")]
    dropdown = variable.get("inputType") == "dropdown"
    if dropdown and not options:
        found.append(f"options: the dropdown {name} has none to choose from")
    if options and not dropdown:
        found.append(f"options: {name} is no dropdown, so they would never be shown: set input_type to dropdown")
    if len(values) < len(options):
        found.append(f"options: one of {name} has no value")
    if len(set(values)) < len(values):
        found.append(f"options: a value of {name} is given twice")
    pattern = variable.get("regex") or ""
    if pattern and not _FOREIGN.search(pattern):
        try:
            re.compile(pattern)
        except re.error as error:
            return [*found, f"regex: {pattern!r} of {name} is no regular expression: {error}"]
    default = variable.get("defaultValue")
    if default:
        problem = value_problem(variable, str(default))
        if problem:
            found.append(f"default_value: the default of {name} misses its rule: {problem}")
    elif variable.get("required") and not have.get("defaultValue"):
        found.append(f"default_value: the required variable {name} needs one")
    for value in values if dropdown else []:
        problem = value_problem({**variable, "options": []}, value)
        if problem:
            found.append(f"options: a choice of {name} misses its rule: {problem}")
    return found


def check_used(
    layers: Sequence[tuple[str, str, str, Mapping[str, str]]], declared: Sequence[str], *, removed: Sequence[str]
) -> None:
    """Refuses layers that use a profile variable which the profile would not have.

    :param layers: option ("" for a layer that is not the user's), name, values, and manifest name -> content.
    :param removed: variables that the profile has now, and that are to go.
    """
    problems = []
    for option, name, values, manifests in layers:
        texts = {"values": values, **{f"manifests ({one})": text for one, text in manifests.items()}}
        for place, text in texts.items():
            for variable in variables_in(text):
                if variable in removed:
                    problems.append(
                        f"variables: {variable} is still used by the {place} of {name}: give it, or change that layer"
                    )
                elif variable not in declared and option:
                    known = ", ".join(sorted(declared)) or "none"
                    problems.append(
                        f"{option}.{place}: {name} uses the variable {variable}, which the profile does not declare "
                        f"(declared: {known}): add it to variables"
                    )
    if problems:
        raise InputError("; ".join(problems))
