# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Palette's Edge hosts as plain records: what is asked of the search, how its pages are fetched, what is kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .palette._errors import InputError, RejectedError
from .palette._session import PAGE_SIZE, Scope, Session
from .resources._edge_host import SEARCH, describe, text_filter

CHOICES: dict[str, tuple[str, ...]] = {
    "states": ("ready", "unpaired", "in-use"),
    "health": ("healthy", "unhealthy"),
    "architectures": ("amd64", "arm64"),
}
_PROPERTIES = {"states": "state", "health": "healthState", "architectures": "architecture", "names": "name"}
FILTERS = (*_PROPERTIES, "tags", "tags_any")
PROPERTY_KEYS = ("property", "type", "operator", "values", "key", "negation", "ignore_case", "match")
_OPERATORS = {
    "string": ("eq", "contains", "beginsWith"),
    "keyValue": ("eq", "contains", "beginsWith"),
    "int": ("eq", "gt", "gte", "lt", "lte"),
    "float": ("eq", "gt", "gte", "lt", "lte"),
    "date": ("eq", "gt", "gte", "lt", "lte", "range"),
    "bool": ("eq",),
}
# The order must stay while pages are fetched, and a host that registers meanwhile must come last.
_SORT = [{"field": "creationTimestamp", "order": "asc"}]


# -- what is asked -----------------------------------------------------------------------------------------------------


def simple_filters(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Search filters of the option C(filters): all of them must match.

    :raises InputError: naming what Palette does not know.
    """
    filters: list[dict[str, Any]] = []
    for name, given in options.items():
        if name not in FILTERS:
            raise InputError(f"filters.{name}: unknown filter{meant(name, FILTERS)}")
        wanted = _texts(given, f"filters.{name}")
        for one in wanted:
            if one not in CHOICES.get(name, (one,)):
                raise InputError(f"filters.{name}: {one!r} is not one of {', '.join(CHOICES[name])}")
        if not wanted:
            continue
        if name == "tags":
            filters += [text_filter("tags", _tag_spellings(one)) for one in wanted]
        elif name == "tags_any":
            filters.append(text_filter("tags", [text for one in wanted for text in _tag_spellings(one)]))
        else:
            filters.append(text_filter(_PROPERTIES[name], wanted))
    return filters


def property_filters(asked: Sequence[Mapping[str, Any]], schema: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Search filters of the option C(properties), checked against what the search itself says that it knows.

    :param schema: each with C(name) and C(type).
    :raises InputError: naming the property that is unknown, or what does not fit it.
    """
    known = {str(one.get("name", "")): str(one.get("type", "")) for one in schema}
    filters = []
    for number, one in enumerate(asked):
        label = f"properties[{number}]"
        name = str(one.get("property", ""))
        if name not in known:
            raise InputError(f"{label}.property: the search has no property {name!r}{meant(name, known)}")
        kind = str(one.get("type") or known[name])
        if kind not in _OPERATORS:
            raise InputError(f"{label}.type: {kind!r} is not one of {', '.join(_OPERATORS)}: give it")
        if known[name] in _OPERATORS and kind != known[name]:
            raise InputError(f"{label}.type: {name} is of the type {known[name]}, not {kind}")
        if kind == "keyValue" and not one.get("key"):
            raise InputError(f"{label}: {name} needs the key whose value is compared")
        operator = str(one.get("operator") or "eq")
        if operator not in _OPERATORS[kind]:
            raise InputError(f"{label}.operator: {operator!r} is not one of {', '.join(_OPERATORS[kind])} ({kind})")
        filters.append({"property": name, "type": kind, "condition": {kind: _condition(one, kind, operator, label)}})
    return filters


def check_properties(asked: Any) -> list[Mapping[str, Any]]:
    """The option C(properties), its shape checked: what can be told before anything is asked of Palette."""
    if not isinstance(asked, list) or not all(isinstance(one, Mapping) for one in asked):
        raise InputError("properties: must be a list of mappings, each with property and values")
    for number, one in enumerate(asked):
        for key in one:
            if key not in PROPERTY_KEYS:
                raise InputError(f"properties[{number}].{key}: unknown key{meant(str(key), PROPERTY_KEYS)}")
        for key in ("property", "values"):
            if one.get(key) in (None, "", []):
                raise InputError(f"properties[{number}]: the key {key} is missing")
        if one.get("match", "or") not in ("and", "or"):
            raise InputError(f"properties[{number}].match: {one['match']!r} is neither or nor and")
    return asked


def schema_of(session: Session, scope: Scope) -> list[Mapping[str, Any]]:
    """The properties that the search knows."""
    answer = session.request("GET", f"{SEARCH}/schema", scope=scope, what="read what Edge hosts can be searched by")
    return list(((answer or {}).get("schema") or {}).get("properties") or [])


def search_body(filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of the search for hosts that match every filter."""
    body: dict[str, Any] = {"sort": _SORT}
    if filters:
        group = {"conjunction": "and", "filters": list(filters)}
        body["filter"] = {"conjunction": "and", "filterGroups": [group]}
    return body


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses ``name``: what was probably meant, else what there is."""
    listed = sorted(known)
    near = difflib.get_close_matches(name, listed, n=3, cutoff=0.5)
    return f": did you mean {' or '.join(near)}?" if near else f". There are: {', '.join(listed)}"


def _texts(given: Any, option: str) -> list[str]:
    if isinstance(given, Mapping) and all(isinstance(one, (str, int, type(None))) for one in given.values()):
        given = [f"{key}:{value}" if value not in (None, "") else str(key) for key, value in given.items()]
    if given is None:
        return []
    if isinstance(given, (str, int)):
        given = [given]
    if not isinstance(given, list) or not all(isinstance(one, (str, int)) for one in given):
        raise InputError(f"{option}: must be a list of texts")
    return [str(one) for one in given]


def _tag_spellings(tag: str) -> list[str]:
    """A tag as the search knows it. How one without a value is spelled there is not documented: so both ways."""
    key, colon, value = tag.partition(":")
    return [tag] if colon and value else [key, f"{key}:spectro__tag"]


def _condition(asked: Mapping[str, Any], kind: str, operator: str, label: str) -> dict[str, Any]:
    given = asked["values"] if isinstance(asked["values"], list) else [asked["values"]]
    values = [_typed(one, kind, f"{label}.values") for one in given]
    if kind == "bool":
        return {"value": values[0] != bool(asked.get("negation"))}
    match = {"conjunction": str(asked.get("match") or "or"), "values": values}
    condition: dict[str, Any] = {"operator": operator, "negation": bool(asked.get("negation")), "match": match}
    if kind in ("string", "keyValue"):
        condition["ignoreCase"] = bool(asked.get("ignore_case"))
    if kind == "keyValue":
        condition["key"] = str(asked.get("key") or "")
    return condition


def _typed(value: Any, kind: str, option: str) -> Any:
    try:
        if kind == "bool":
            return {"true": True, "false": False}[str(value).lower()]
        if kind == "int":
            return int(str(value))
        if kind == "float":
            return float(str(value))
    except (KeyError, ValueError):
        raise InputError(f"{option}: {value!r} is not of the type {kind}") from None
    return str(value)


# -- pages -------------------------------------------------------------------------------------------------------------


def fetch(session: Session, scope: Scope, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All hosts that the search finds, each once, as it returns them.

    Pages are chained by a token, so only one could be fetched at a time. Where the server honours ``offset`` (it says
    so by returning it) and tells the total, the rest is fetched several pages at a time; in any doubt the chain is
    followed instead.
    """
    what = "search Edge hosts"

    def page(offset: int) -> dict[str, Any]:
        params = {"limit": PAGE_SIZE, **({"offset": offset} if offset else {})}
        answer = session.request("POST", SEARCH, scope=scope, what=what, body=body, params=params, reads=True)
        return answer if isinstance(answer, dict) else {}

    first = page(0)
    meta = first.get("listmeta") or {}
    total = meta.get("count") or 0
    if not meta.get("continue") or not first.get("items"):
        return unique(first.get("items") or [])
    hosts = _by_offset(session, page, first, total) if total > PAGE_SIZE else None
    return unique(session.pages("POST", SEARCH, scope=scope, what=what, body=body)) if hosts is None else hosts


def _by_offset(session: Session, page: Any, first: Mapping[str, Any], total: int) -> list[dict[str, Any]] | None:
    """All pages by offset, or None as soon as anything shows that the server does not mean the same by it."""
    offsets = range(PAGE_SIZE, total, PAGE_SIZE)
    try:
        pages = [first, page(offsets[0])]
    except RejectedError:
        return None
    if not _is_page(pages[1], offsets[0]):
        return None
    pages += session.map(page, offsets[1:])
    if not all(_is_page(one, offset) for one, offset in zip(pages[2:], offsets[1:])):
        return None
    hosts = unique(host for one in pages for host in one.get("items") or [])
    return hosts if len(hosts) == total else None


def _is_page(answer: Mapping[str, Any], offset: int) -> bool:
    return bool(answer.get("items")) and (answer.get("listmeta") or {}).get("offset") == offset


def unique(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``hosts`` without those that came twice, as happens when one registers while pages are fetched."""
    found: dict[str, dict[str, Any]] = {}
    for host in hosts:
        uid = (host.get("metadata") or {}).get("uid")
        if uid:
            found.setdefault(str(uid), dict(host))
    return list(found.values())


# -- what is kept ------------------------------------------------------------------------------------------------------

_DESCRIBED = (
    "uid",
    "name",
    "tags",
    "state",
    "health",
    "health_message",
    "agent_version",
    "clusters",
    "cluster_uids",
    "architecture",
    "host_type",
    "address",
    "mac_address",
    "nics",
    "project_uid",
)


def record(host: Mapping[str, Any]) -> dict[str, Any]:
    """A host as a flat record of plain values, always with the same keys. An allow-list: Palette returns secrets too."""
    seen = describe(host)
    spec = host.get("spec") or {}
    device = spec.get("device") or {}
    system = device.get("os") or {}
    return {
        **{key: seen[key] for key in _DESCRIBED},
        "cluster": next(iter(seen["clusters"]), ""),
        "cluster_uid": next(iter(seen["cluster_uids"]), ""),
        "project": (spec.get("projectMeta") or {}).get("name", ""),
        "host_state": device.get("hostState", ""),
        "os": " ".join(text for text in (system.get("family"), system.get("version")) if text),
        "os_family": system.get("family", ""),
        "os_version": system.get("version", ""),
        "kernel_version": system.get("kernelVersion", ""),
        "cpu_cores": (device.get("cpu") or {}).get("cores", 0),
        "memory_mib": (device.get("memory") or {}).get("sizeInMB", 0),
        "gpus": [
            {"vendor": gpu.get("vendor", ""), "model": gpu.get("model", ""), "count": gpu.get("gpuCount", 0)}
            for gpu in device.get("gpus") or []
        ],
        "secure_boot": bool(device.get("secureBoot")),
        "profiles": [
            {"name": one.get("name", ""), "version": one.get("version", "")}
            for one in spec.get("clusterProfileTemplates") or []
        ],
        "created": host["metadata"].get("creationTimestamp", ""),
    }
