"""Faults that can be switched on while the lab runs, and the log of requests, behind a key of the lab's own."""

from __future__ import annotations

from . import bodies
from .core import DONE, Context, Reply, route
from .errors import ApiError, invalid
from .store import Document

PATH = "/lab/v1/faults"
# These three meet requests; the others are looked at where the thing happens.
MEETING = ("status", "cut-after-accept", "cut-before", "slow")
# Of clusters: what cannot form or be upgraded, what cannot be upgraded, what asks before it repaves, what expires soon.
OF_CLUSTERS = ("cluster-error", "upgrade-error", "repave-approval", "certificates-expiring")
KINDS = (*MEETING, "heartbeat-loss", *OF_CLUSTERS)
WORDS = "the image of the new version cannot be pulled (a fault of the lab)"
LONGEST = 600.0


@route("GET", PATH)
def list_faults(context: Context) -> Document:
    return {"items": context.lab.faults}


@route("POST", PATH, body=bodies.FAULT)
def add_fault(context: Context) -> Reply:
    fault: Document = dict(context.body)
    kind = fault["kind"]
    if kind not in KINDS:
        raise invalid(f"kind '{kind}' is not one of {', '.join(KINDS)}")
    if kind == "status" and not 400 <= fault.get("status", 0) <= 599:
        raise invalid("a fault of kind status needs status, from 400 to 599")
    if fault.get("count", 1) < 1:
        raise invalid("count must be 1 or more")
    if kind == "slow":
        fault["seconds"] = fault.get("seconds", 1.0)
        if not 0 <= fault["seconds"] <= LONGEST:
            raise invalid(f"seconds must be from 0 to {LONGEST:.0f}")
    context.lab.faults.append(fault)
    return Reply(201, fault)


@route("DELETE", PATH)
def clear_faults(context: Context) -> Reply:
    context.lab.faults.clear()
    return DONE


@route("GET", "/lab/v1/requests")
def list_requests(context: Context) -> Document:
    return {"items": context.lab.log.entries()}


def check_key(context: Context) -> None:
    """The lab's own endpoints take the lab's own key."""
    if context.headers.get("labkey") != context.lab.lab_key:
        raise ApiError(401, "Unauthorized", "LabKey is missing or wrong")


def due(faults: list[Document], method: str, path: str, *, agent: bool = False) -> Document | None:
    """The first fault that this request meets; one with a count is used up by it.

    Agents call every second: a fault meets them only when it says C(agents), or nothing would be left for the user.
    """
    for fault in faults:
        if fault["kind"] not in MEETING or (agent and not fault.get("agents")):
            continue
        if fault.get("method", "").upper() not in ("", method) or not path.startswith(fault.get("path") or "/"):
            continue
        if "count" in fault:
            fault["count"] -= 1
            if fault["count"] <= 0:
                faults.remove(fault)
        return fault
    return None


def breaks(faults: list[Document], cluster: Document) -> bool:
    """Whether a fault keeps a cluster that is on its way from getting on."""
    name, formed = cluster["metadata"]["name"], cluster["_lab"].get("formed")
    return holds(faults, "cluster-error", name=name) or bool(formed and holds(faults, "upgrade-error", name=name))


def holds(faults: list[Document], kind: str, *, host: str = "", name: str = "") -> bool:
    """Whether a fault of this kind is on for this host or cluster; one that names none is on for all."""
    return any(
        fault["kind"] == kind and fault.get("host") in (None, "", host) and fault.get("name") in (None, "", name)
        for fault in faults
    )
