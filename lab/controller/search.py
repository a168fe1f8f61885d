"""The search endpoints of the dashboard and their filter grammar."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import bodies, facts
from .core import SELECTIONS, Context, page_answer, page_of, route
from .errors import invalid
from .shapes import instant
from .store import Document, Row

Test = Callable[[dict[str, Any]], bool]


@route("POST", "/v1/dashboard/edgehosts/search", body=bodies.SEARCH)
def search_hosts(context: Context) -> Document:
    return _page(context, "host", host_summary)


@route("GET", "/v1/dashboard/edgehosts/search/schema")
def host_schema(context: Context) -> Document:
    return _schema("host")


@route("POST", "/v1/dashboard/spectroclusters/search", body=bodies.SEARCH)
def search_clusters(context: Context) -> Document:
    return _page(context, "cluster", lambda cluster: _cluster_summary(context, cluster))


@route("GET", "/v1/dashboard/spectroclusters/search/schema")
def cluster_schema(context: Context) -> Document:
    return _schema("cluster")


def host_summary(host: Document) -> Document:
    """A host as the search tells it: no tunnel, no secrets."""
    spec, status = host["spec"], host["status"]
    address = {key: spec["host"][key] for key in ("hostAddress", "macAddress") if spec["host"].get(key)}
    return {
        "metadata": host["metadata"],
        "spec": {
            "device": spec["device"],
            "host": address,
            "projectMeta": spec["host"].get("project") or {},
            "type": spec["type"],
        },
        "status": {
            key: status[key] for key in ("health", "inUseClusters", "inUseClustersRef", "state") if key in status
        },
    }


def selected(context: Context, kind: str) -> list[str]:
    """UIDs of the objects that the body selects, in its order. The next page of the same search finds it done."""
    rows = context.store.rows(kind)
    revision = context.store.revision(kind)
    key = json.dumps([kind, context.project, context.body], sort_keys=True)
    known = context.lab.selections.pop(key, None)
    if known is None or known[0] != revision:
        fits = chooser(kind, context.given("filter") or {})
        places = {context.project} if context.project else None
        found = [row for row in rows.values() if (places is None or row.project in places) and fits(row.facts)]
        _sort(found, context.given("sort") or [])
        known = (revision, [row.uid for row in found])
    context.lab.selections[key] = known
    while len(context.lab.selections) > SELECTIONS:
        del context.lab.selections[next(iter(context.lab.selections))]
    return known[1]


def chooser(kind: str, wanted: Document) -> Test:
    """The test that a filter makes of an object's facts. Raises ApiError for what the grammar does not know."""
    groups = [
        _joined([_item(kind, item) for item in group.get("filters") or []], group.get("conjunction", ""))
        for group in wanted.get("filterGroups") or []
    ]
    return _joined(groups, wanted.get("conjunction", ""))


def _joined(tests: list[Test], conjunction: str) -> Test:
    if not tests:
        return lambda _known: True
    if len(tests) == 1:
        return tests[0]
    if conjunction == "or":
        return lambda known: any(test(known) for test in tests)
    return lambda known: all(test(known) for test in tests)


def _item(kind: str, item: Document) -> Test:
    """One filter of a group."""
    name, type_ = item.get("property", ""), item.get("type") or "string"
    known_names = [one for one in facts.FACTS[kind] if not one.startswith("_")]
    if name not in known_names:
        raise invalid(f"filter property '{name}' is not one of {', '.join(sorted(known_names))}")
    if type_ != facts.TYPES.get(name, "string"):
        raise invalid(f"filter property '{name}' is of type {facts.TYPES.get(name, 'string')}, not {type_}")
    condition = (item.get("condition") or {}).get(type_)
    if condition is None:
        raise invalid(f"filter property '{name}' has no condition of type {type_}")
    if type_ == "bool":
        value = bool(condition.get("value"))
        return lambda known: known[name] is value
    match = condition.get("match") or {}
    compare = _comparison(condition.get("operator") or "eq", type_, lower=bool(condition.get("ignoreCase")))
    values = [_comparable(one, type_, lower=bool(condition.get("ignoreCase"))) for one in match.get("values") or []]
    if condition.get("operator") == "range":
        values = [(values[0], values[1])] if len(values) == 2 else []
    # Any of the values, unless it says that all of them are wanted.
    many = all if match.get("conjunction") == "and" else any
    negated = bool(condition.get("negation"))

    def test(known: dict[str, Any]) -> bool:
        have = known[name]
        own = have if isinstance(have, list) else [have]
        hit = bool(values) and many(any(compare(one, value) for one in own) for value in values)
        return hit is not negated

    return test


def _comparison(operator: str, type_: str, *, lower: bool) -> Callable[[Any, Any], bool]:
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "eq": lambda have, want: bool(have == want),
        "contains": lambda have, want: want in have,
        "beginsWith": lambda have, want: bool(have.startswith(want)),
        "gt": lambda have, want: bool(have > want),
        "gte": lambda have, want: bool(have >= want),
        "lt": lambda have, want: bool(have < want),
        "lte": lambda have, want: bool(have <= want),
        "range": lambda have, want: bool(want[0] <= have <= want[1]),
    }
    test = tests[operator]
    if type_ == "string" and not lower:
        return test
    return lambda have, want: test(_comparable(have, type_, lower=lower), want)


def _comparable(value: Any, type_: str, *, lower: bool) -> Any:
    if type_ == "date":
        return instant(value, "value") if value else float("-inf")
    return value.lower() if lower and isinstance(value, str) else value


def _sort(rows: list[Row], sorts: list[Document]) -> None:
    for sort in reversed(sorts):
        name = sort.get("field", "")
        rows.sort(key=lambda row: str(row.facts.get(name, "")), reverse=sort.get("order") == "desc")


def _page(context: Context, kind: str, summary: Callable[[Document], Document]) -> Document:
    limit, offset = page_of(context)
    uids = selected(context, kind)
    found = [context.store.get(kind, uid) for uid in uids[offset : offset + limit]]
    return page_answer([summary(one) for one in found if one is not None], len(uids), limit, offset)


def _schema(kind: str) -> Document:
    names = [name for name in facts.FACTS[kind] if not name.startswith("_")]
    properties = [
        {"name": name, "displayName": name, "type": facts.TYPES.get(name, "string"), "isDeprecated": False}
        for name in names
    ]
    return {"schema": {"properties": properties}}


def _cluster_summary(context: Context, cluster: Document) -> Document:
    project = context.store.get("project", context.store.project_of("cluster", cluster["metadata"]["uid"]))
    meta = {"name": project["metadata"]["name"], "uid": project["metadata"]["uid"]} if project else {}
    return {
        "metadata": cluster["metadata"],
        "specSummary": {
            "projectMeta": meta,
            "cloudConfig": {"cloudType": cluster["spec"]["cloudType"], "uid": cluster["spec"]["cloudConfigRef"]["uid"]},
        },
        "status": {"state": (cluster.get("status") or {}).get("state", "")},
    }
