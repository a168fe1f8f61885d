"""The clusters that are formed by others: what is wanted of them, and what they report. Lab's own, behind its key.

The controller touches no host. Whoever forms clusters on hosts asks here what is wanted and tells what is seen; a
cluster of hosts that only speak is handed back, and formed by time (see :mod:`lab.controller.engine`).
"""

from __future__ import annotations

from . import bodies, engine, reports
from .core import DONE, Context, Reply, route
from .errors import conflict, not_found
from .store import Document

PATH = "/lab/v1/clusters"


@route("GET", PATH)
def list_clusters(context: Context) -> Document:
    found = [uid for uid, row in context.store.rows("cluster").items() if row.facts["_reported"]]
    items = []
    with context.store.transaction():
        for uid in found:
            cluster = context.store.get("cluster", uid)
            config = _config(context, cluster) if cluster else None
            if cluster and config:
                items.append(reports.show(context.lab, cluster, config))
    return {"items": items}


@route("PUT", PATH + "/{uid}", body=bodies.CLUSTER_REPORT)
def take_report(context: Context) -> Reply:
    uid = context.parts["uid"]
    cluster = context.store.get("cluster", uid)
    config = _config(context, cluster) if cluster else None
    if cluster is None or config is None:
        raise not_found("SpectroCluster", uid)
    inner = cluster["_lab"]
    by = context.body["formedBy"]
    if inner["phase"] == "deleted" or by == inner.get("formedBy", "states") == "states":
        return DONE
    if inner.get("formedBy", "states") not in ("", by):
        raise conflict(f"The cluster '{cluster['metadata']['name']}' is formed by {inner.get('formedBy', 'states')}")
    if by == "states":
        engine.take_over(context.lab, cluster)
        return DONE
    _take(context, cluster, config)
    return DONE


def _take(context: Context, cluster: Document, config: Document) -> None:
    lab, inner, body = context.lab, cluster["_lab"], dict(context.body)
    wanted = reports.number(lab, cluster, config)
    body["revision"] = body.get("revision", wanted["revision"])
    if "kubeconfig" in body:
        inner["kubeconfig"] = body.pop("kubeconfig")
    gone = set(body.pop("gone", None) or [])
    inner["formedBy"] = "kubernetes"
    if body["revision"] == wanted["revision"]:
        inner["packs"] = reports.digests(wanted)
        # One who reports on what was wanted before may not know yet that a host has to leave.
        engine.let_go(lab, cluster, config, gone)
    inner["report"] = {**(inner.get("report") or {}), **body}
    inner.setdefault("packs", {})
    if inner["phase"] == "deleting" and body.get("state") == "Deleted":
        engine.end(lab, cluster, config)
    _write(context, cluster, config)
    if inner["phase"] != "deleted":
        reports.show(lab, cluster, config)
        engine.move(lab, cluster["metadata"]["uid"], settled=reports.settled(cluster))


def _write(context: Context, cluster: Document, config: Document) -> None:
    """Reports come every second: what did not change is not written."""
    for kind, document in (("cluster", cluster), ("config", config)):
        uid = document["metadata"]["uid"]
        if context.store.get(kind, uid) != document:
            context.store.put(kind, uid, document)


def _config(context: Context, cluster: Document) -> Document | None:
    return context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"])
