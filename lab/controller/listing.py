"""Lists that take ``filters`` and ``orderBy``: which items, in which order, which page."""

from __future__ import annotations

import re
from typing import Any

from .core import Context, paged
from .errors import invalid
from .store import Document

_ITEM = r"[\w.]+(?:=|_in_)"
_JOIN = re.compile(rf"(AND|OR)(?={_ITEM})")
_TEST = re.compile(r"(?P<path>[\w.]+?)(?P<sign>=|_in_)(?P<value>.*)", re.DOTALL)


def listed(context: Context, items: list[Document]) -> Document:
    """One page of the items that the request's filters leave, in its order."""
    return paged(context, ordered(chosen(items, context.query.get("filters", "")), context.query.get("orderBy", "")))


def chosen(items: list[Document], filters: str) -> list[Document]:
    """The items that fit ``spec.name=aANDspec.version_in_1,2``; AND binds closer than OR."""
    if not filters:
        return items
    groups: list[list[re.Match[str]]] = [[]]
    for part in _JOIN.split(filters):
        if part == "OR":
            groups.append([])
        elif part != "AND":
            test = _TEST.fullmatch(part)
            if test is None:
                raise invalid(f"filters: '{part}' is not field=value or field_in_a,b")
            groups[-1].append(test)
    return [item for item in items if any(all(_fits(item, test) for test in group) for group in groups)]


def ordered(items: list[Document], order: str) -> list[Document]:
    """The items by ``metadata.name=1,metadata.uid=-1``; a descending order is the ascending one backwards."""
    for part in reversed([one for one in order.split(",") if one]):
        path, sign, direction = part.partition("=")
        if not sign or direction not in ("1", "-1"):
            raise invalid(f"orderBy: '{part}' is not field=1 or field=-1")
        items = sorted(items, key=lambda item: text_at(item, path))
        if direction == "-1":
            items.reverse()
    return items


def text_at(item: Document, path: str) -> str:
    """What an item has at a dotted path, as a text; "" when nothing is there."""
    value: Any = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _fits(item: Document, test: re.Match[str]) -> bool:
    wanted = test["value"].split(",") if test["sign"] == "_in_" else [test["value"]]
    return text_at(item, test["path"]) in wanted
