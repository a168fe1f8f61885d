"""What a machine's maintenance has come to: asked for, under way, done. Pure, for all who show machines."""

from __future__ import annotations

from .store import Document

INITIATED, UNDER_WAY, COMPLETED = "Initiated", "InProgress", "Completed"


def ask(machine: Document, action: str) -> None:
    """Notes that the machine's node is to be cordoned or uncordoned."""
    machine["_lab"]["maintenance"] = {"action": action, "worked": 0.0}
    machine["status"]["maintenanceStatus"] = {"action": action, "state": INITIATED, "message": ""}


def wanted(machine: Document) -> str:
    """The latest action that was asked for, "" for none."""
    return str((machine["_lab"].get("maintenance") or {}).get("action", ""))


def kept(machine: Document) -> Document:
    """What of a machine's status stays whatever else becomes of it."""
    status = machine["status"].get("maintenanceStatus")
    return {"maintenanceStatus": status} if status else {}


def take(machine: Document, *, cordoned: bool) -> None:
    """What those who form the cluster say of the node."""
    status = machine["status"].get("maintenanceStatus")
    if status:
        status["state"] = COMPLETED if cordoned == (status["action"] == "cordon") else UNDER_WAY


def advance(machine: Document, passed: float, span: float) -> bool:
    """Time passes for a machine of a cluster of states; returns whether something is still under way."""
    inner, status = machine["_lab"].get("maintenance"), machine["status"].get("maintenanceStatus")
    if not inner or not status or status["state"] == COMPLETED:
        return False
    inner["worked"] += passed
    share = 1.0 if span <= 0 else inner["worked"] / span
    status["state"] = COMPLETED if share >= 0.3 else UNDER_WAY if share >= 0.1 else INITIATED
    return bool(status["state"] != COMPLETED)
