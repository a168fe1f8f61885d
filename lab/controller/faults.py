"""Faults that can be switched on while the lab runs, and the log of requests, behind a key of the lab's own."""

from __future__ import annotations

from .core import DONE, Context, Reply, route
from .errors import ApiError, invalid
from .store import Document

PATH = "/lab/v1/faults"
KINDS = ("status", "cut-after-accept", "cut-before", "slow", "heartbeat-loss", "cluster-error")


@route("GET", PATH)
def list_faults(context: Context) -> Document:
    return {"items": context.lab.faults}


@route("POST", PATH)
def add_fault(context: Context) -> Reply:
    fault = dict(context.body or {})
    if fault.get("kind") not in KINDS:
        raise invalid(f"kind '{fault.get('kind')}' is not one of {', '.join(KINDS)}")
    if fault["kind"] == "status" and not fault.get("status"):
        raise invalid("a fault of kind status needs status")
    context.lab.faults.append(fault)
    return Reply(201, fault)


@route("DELETE", PATH)
def clear_faults(context: Context) -> Reply:
    context.lab.faults.clear()
    return DONE


@route("GET", "/lab/v1/requests")
def list_requests(context: Context) -> Document:
    return {"items": context.lab.log}


def check_key(context: Context) -> None:
    """The lab's own endpoints take the lab's own key."""
    if context.headers.get("labkey") != context.lab.lab_key:
        raise ApiError(401, "Unauthorized", "LabKey is missing or wrong")


def due(faults: list[Document], method: str, path: str) -> Document | None:
    """The first fault that this request meets; one with a count is used up by it."""
    for fault in faults:
        if fault["kind"] in ("heartbeat-loss", "cluster-error"):
            continue
        if fault.get("method") not in (None, "", method) or not path.startswith(fault.get("path") or "/"):
            continue
        if "count" in fault:
            fault["count"] -= 1
            if fault["count"] <= 0:
                faults.remove(fault)
        return fault
    return None
