"""Events of Edge hosts and clusters: what happened to them, the newest of each."""

from __future__ import annotations

from .core import DONE, Context, Lab, Reply, route
from .errors import invalid
from .listing import listed
from .store import Document

PATH = "/v1/events/components"
# How many are kept of each object.
KEPT = 200
# The kinds of objects, with what the store calls them.
KINDS = {"edgehost": "host", "spectrocluster": "cluster"}
INFO, WARNING, ERROR = "Info", "Warning", "Error"


def record(lab: Lab, kind: str, uid: str, name: str, reason: str, message: str, severity: str = INFO) -> None:
    """Notes what happened to an object.

    :param kind: ``edgehost`` or ``spectrocluster``.
    :param reason: what it is, in one CamelCase word; ``message`` tells it to people, without secrets.
    :param severity: one of this module's.
    """
    about = {"kind": kind, "name": name, "uid": uid}
    source = {"component": "palette"}
    if kind == "edgehost":
        source = {"component": "edge-agent", "host": uid}
    event: Document = {
        "metadata": {"creationTimestamp": lab.now(), "lastModifiedTimestamp": lab.now()},
        "involvedObject": about,
        "relatedObject": about,
        "reason": reason,
        "message": message,
        "severity": severity,
        "source": source,
    }
    lab.store.note(KINDS[kind], uid, event, keep=KEPT)


def of_cluster(lab: Lab, cluster: Document, reason: str, message: str, severity: str = INFO) -> None:
    """As :func:`record`, of a cluster."""
    record(lab, "spectrocluster", cluster["metadata"]["uid"], cluster["metadata"]["name"], reason, message, severity)


def forget(lab: Lab, kind: str, uid: str) -> None:
    """Drops all events of an object, as when one of its UID may come again."""
    lab.store.forget_notes(KINDS[kind], uid)


@route("GET", PATH)
def all_events(context: Context) -> Document:
    return _listed(context, context.store.notes(projects=context.visible()))


@route("GET", PATH + "/{kind}/{uid}")
def events_of(context: Context) -> Document:
    kind = _kind(context)
    return _listed(context, context.store.notes(projects=context.visible(), kind=kind, uid=context.parts["uid"]))


@route("DELETE", PATH + "/{kind}/{uid}")
def delete_events(context: Context) -> Reply:
    kind, uid = _kind(context), context.parts["uid"]
    context.find(kind, uid, name=context.parts["kind"])
    context.store.forget_notes(kind, uid)
    return DONE


def _kind(context: Context) -> str:
    kind = KINDS.get(context.parts["kind"])
    if kind is None:
        raise invalid(f"The kind of object must be one of {', '.join(KINDS)}")
    return kind


def _listed(context: Context, oldest_first: list[Document]) -> Document:
    if not context.query.get("orderBy"):
        oldest_first.reverse()
    return listed(context, oldest_first)
