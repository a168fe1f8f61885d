"""What lists are chosen and searched by, for each kind of object: read off the document once, when it is written.

Names that begin with ``_`` are the lab's own; the others are the properties of the search endpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Fact = Callable[[Document], Any]

TYPES = {"memoryInMB": "int", "creationTimestamp": "date", "lastModifiedTimestamp": "date", "isDeleted": "bool"}


def _tags(one: Document) -> list[str]:
    return [f"{key}:{value}" for key, value in (one["metadata"].get("labels") or {}).items()]


def _state(one: Document) -> str:
    return str((one.get("status") or {}).get("state", ""))


HOST: dict[str, Fact] = {
    "name": lambda host: host["metadata"]["name"],
    "tags": _tags,
    "state": _state,
    "healthState": lambda host: (host["status"].get("health") or {}).get("state", ""),
    "architecture": lambda host: host["spec"]["device"].get("archType", ""),
    "clusterName": lambda host: [one["name"] for one in host["status"].get("inUseClusters") or []],
    "memoryInMB": lambda host: (host["spec"]["device"].get("memory") or {}).get("sizeInMB", 0),
    "creationTimestamp": lambda host: host["metadata"].get("creationTimestamp", ""),
    "lastModifiedTimestamp": lambda host: host["metadata"].get("lastModifiedTimestamp", ""),
}
CLUSTER: dict[str, Fact] = {
    "clusterName": lambda cluster: cluster["metadata"]["name"],
    "clusterState": _state,
    "environment": lambda cluster: cluster["spec"]["cloudType"],
    "isDeleted": lambda cluster: _state(cluster) == "Deleted",
    "tags": _tags,
    "creationTimestamp": lambda cluster: cluster["metadata"].get("creationTimestamp", ""),
    "lastModifiedTimestamp": lambda cluster: cluster["metadata"].get("lastModifiedTimestamp", ""),
    "_reported": lambda cluster: (
        cluster["_lab"].get("formedBy", "states") != "states" and cluster["_lab"]["phase"] != "deleted"
    ),
    "_profiles": lambda cluster: [one["uid"] for one in cluster["spec"]["clusterProfileTemplates"]],
}
TOKEN: dict[str, Fact] = {"_secret": lambda token: token["spec"]["token"]}
FACTS: dict[str, dict[str, Fact]] = {"host": HOST, "cluster": CLUSTER, "token": TOKEN}


def of(kind: str, document: Document) -> dict[str, Any]:
    """The facts of one object."""
    return {name: read(document) for name, read in FACTS[kind].items()}
