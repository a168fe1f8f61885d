"""The search endpoints of the dashboard and their filter grammar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .core import Context, page_answer, page_of, paged, route
from .errors import invalid
from .store import Document

HOST_FIELDS: dict[str, Callable[[Document], Any]] = {
    "name": lambda host: host["metadata"]["name"],
    "tags": lambda host: [f"{key}:{value}" for key, value in (host["metadata"].get("labels") or {}).items()],
    "state": lambda host: host["status"]["state"],
    "healthState": lambda host: host["status"].get("health", {}).get("state", ""),
    "architecture": lambda host: host["spec"]["device"].get("archType", ""),
    "clusterName": lambda host: [one["name"] for one in host["status"].get("inUseClusters") or []],
    "memoryInMB": lambda host: host["spec"]["device"].get("memory", {}).get("sizeInMB", 0),
    "creationTimestamp": lambda host: host["metadata"].get("creationTimestamp", ""),
}
CLUSTER_FIELDS: dict[str, Callable[[Document], Any]] = {
    "clusterName": lambda cluster: cluster["metadata"]["name"],
    "clusterState": lambda cluster: (cluster.get("status") or {}).get("state", ""),
    "environment": lambda cluster: cluster["spec"]["cloudType"],
    "isDeleted": lambda cluster: (cluster.get("status") or {}).get("state") == "Deleted",
    "tags": lambda cluster: [f"{key}:{value}" for key, value in (cluster["metadata"].get("labels") or {}).items()],
}
TYPES = {"memoryInMB": "int", "creationTimestamp": "date", "isDeleted": "bool"}
SORTS = {"creationTimestamp", "lastModifiedTimestamp", "healthState", "clusterName", "clusterState", "environment"}


@route("POST", "/v1/dashboard/edgehosts/search")
def search_hosts(context: Context) -> Document:
    if not context.given("filter") and not context.given("sort"):
        limit, offset = page_of(context)
        hosts, total = context.store.page("host", projects=_places(context), offset=offset, limit=limit)
        return page_answer([host_summary(host) for host in hosts], total, limit, offset)
    found = selected(context, list(context.store.all("host", projects=_places(context))), HOST_FIELDS)
    answer = paged(context, found)
    answer["items"] = [host_summary(host) for host in answer["items"]]
    return answer


@route("GET", "/v1/dashboard/edgehosts/search/schema")
def host_schema(context: Context) -> Document:
    return _schema(HOST_FIELDS)


@route("POST", "/v1/dashboard/spectroclusters/search")
def search_clusters(context: Context) -> Document:
    found = selected(context, list(context.store.all("cluster", projects=_places(context))), CLUSTER_FIELDS)
    answer = paged(context, found)
    answer["items"] = [_cluster_summary(context, cluster) for cluster in answer["items"]]
    return answer


@route("GET", "/v1/dashboard/spectroclusters/search/schema")
def cluster_schema(context: Context) -> Document:
    return _schema(CLUSTER_FIELDS)


def host_summary(host: Document) -> Document:
    """A host as the search tells it: no tunnel, no secrets."""
    spec, status = host["spec"], host["status"]
    return {
        "metadata": host["metadata"],
        "spec": {
            "device": spec["device"],
            "host": {key: spec["host"].get(key, "") for key in ("hostAddress", "macAddress")},
            "projectMeta": spec["host"].get("project") or {},
            "type": spec["type"],
        },
        "status": {
            key: status[key] for key in ("health", "inUseClusters", "inUseClustersRef", "state") if key in status
        },
    }


def selected(context: Context, objects: list[Document], fields: dict[str, Callable[[Document], Any]]) -> list[Document]:
    """The objects that the body's filter selects, in its order."""
    wanted = context.given("filter") or {}
    groups = wanted.get("filterGroups") or []
    whole = any if wanted.get("conjunction") == "or" else all

    def fits(one: Document) -> bool:
        return not groups or whole(
            (any if group.get("conjunction") == "or" else all)(
                _fits(one, item, fields) for item in group.get("filters") or []
            )
            for group in groups
        )

    found = [one for one in objects if fits(one)]
    for sort in reversed(context.given("sort") or []):
        if sort.get("field") not in SORTS:
            raise invalid(f"sort.field '{sort.get('field')}' is not one of {', '.join(sorted(SORTS))}")
        get = fields.get(sort["field"], _nothing)
        found.sort(key=lambda one: str(get(one)), reverse=sort.get("order") == "desc")
    return found


def _nothing(_object: Document) -> str:
    return ""


def _places(context: Context) -> list[str]:
    return [context.project] if context.project else context.every_place()


def _fits(one: Document, item: Document, fields: dict[str, Callable[[Document], Any]]) -> bool:
    name, kind = item.get("property", ""), item.get("type", "string")
    if name not in fields:
        raise invalid(f"filter property '{name}' is not one of {', '.join(sorted(fields))}")
    if kind != TYPES.get(name, "string"):
        raise invalid(f"filter property '{name}' is of type {TYPES.get(name, 'string')}, not {kind}")
    condition = (item.get("condition") or {}).get(kind)
    if condition is None:
        raise invalid(f"filter property '{name}' has no condition of type {kind}")
    value = fields[name](one)
    if kind == "bool":
        return bool(value) == bool(condition.get("value"))
    values = value if isinstance(value, list) else [value]
    operator, wanted = condition.get("operator", "eq"), (condition.get("match") or {}).get("values") or []
    lower = bool(condition.get("ignoreCase"))
    hit = any(_compare(operator, have, want, lower=lower) for have in values for want in wanted)
    return hit != bool(condition.get("negation"))


def _compare(operator: str, have: Any, want: Any, *, lower: bool) -> bool:
    if isinstance(have, str):
        want = str(want)
        if lower:
            have, want = have.lower(), want.lower()
    tests: dict[str, Callable[[], bool]] = {
        "eq": lambda: have == want,
        "contains": lambda: want in have,
        "beginsWith": lambda: have.startswith(want),
        "gt": lambda: have > want,
        "gte": lambda: have >= want,
        "lt": lambda: have < want,
        "lte": lambda: have <= want,
    }
    if operator not in tests:
        raise invalid(f"filter operator '{operator}' is not one of {', '.join(sorted(tests))}")
    return bool(tests[operator]())


def _schema(fields: dict[str, Callable[[Document], Any]]) -> Document:
    properties = [{"name": name, "displayName": name, "type": TYPES.get(name, "string")} for name in fields]
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
