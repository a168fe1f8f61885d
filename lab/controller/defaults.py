"""What the API sends of a cluster's settings beside what was written into them."""

from __future__ import annotations

from typing import Any

from .store import Document

_DEFAULTS: dict[str, Document] = {
    "hostClusterConfig": {"isHostCluster": False},
    "osPatchConfig": {"patchOnBoot": False, "rebootIfRequired": False},
    "lifecycleConfig": {"pause": False},
}


def filled(name: str, given: Any) -> Any:
    """A setting with the fields that are always sent."""
    return {**_DEFAULTS[name], **given} if name in _DEFAULTS and isinstance(given, dict) else given


def location(given: Document) -> Document:
    """A location as it is read."""
    place = given.get("geoLoc")
    return {**given, "geoLoc": {"latitude": 0, "longitude": 0, **place}} if place is not None else given


def taken(given: Document) -> Document:
    """The ``clusterConfig`` of a new cluster as it is read."""
    read = {name: filled(name, value) for name, value in given.items() if name != "location"}
    management = given.get("machineManagementConfig") or {}
    if "osPatchConfig" in management:
        patch = filled("osPatchConfig", management["osPatchConfig"])
        read["machineManagementConfig"] = {**management, "osPatchConfig": patch}
    return read
