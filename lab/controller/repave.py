"""Repaves of a cluster: whether a change would cause one, why one waits for approval, and the approval."""

from __future__ import annotations

import copy

from . import engine, events, rollout
from .attaching import attach
from .bodies_clusters import PACKS_ENTITY
from .clusters import PATH, find
from .core import DONE, Context, Reply, paged, route
from .store import Document


@route("POST", PATH + "/{uid}/validate/repave", body=PACKS_ENTITY)
def validate_repave(context: Context) -> Document:
    cluster = find(context)
    tried = copy.deepcopy(cluster)
    for one in context.given("profiles") or []:
        attach(context, tried, one)
    why = rollout.reasons(rollout.templates(cluster), tried["spec"]["clusterProfileTemplates"])
    return {"isRepaveRequired": bool(why), "reasons": why}


@route("GET", PATH + "/{uid}/repave/status")
def repave_status(context: Context) -> Document:
    cluster = find(context)
    inner = cluster["_lab"].get("repave") or {}
    state = ((cluster.get("status") or {}).get("repave") or {}).get("state", "")
    spec = {"reasons": inner.get("reasons") or [], "source": "user", "spectroClusterUid": cluster["metadata"]["uid"]}
    status = {"state": state, "repaveTransitionTime": inner.get("since", ""), "message": ""}
    return {"metadata": {"uid": cluster["metadata"]["uid"]}, "spec": spec, "status": status}


@route("PATCH", PATH + "/{uid}/repave/approve")
def approve(context: Context) -> Reply:
    cluster = find(context)
    before = rollout.release(context.lab, cluster, rollout.APPROVAL)
    if before is not None:
        engine.upgrade(context.lab, cluster, before)
    name, uid = cluster["metadata"]["name"], cluster["metadata"]["uid"]
    if ((cluster.get("status") or {}).get("repave") or {}).get("state") == "Approved":
        events.record(context.lab, "spectrocluster", uid, name, "RepaveApproved", "The repave was approved")
    context.store.put("cluster", uid, cluster)
    return DONE


@route("GET", "/v1/dashboard/spectroclusters/repaveStatus")
def waiting(context: Context) -> Document:
    wanted = context.query.get("repaveState", "Pending").lower()
    found = context.store.all("cluster", projects=context.visible())
    rows = [one for one in found if ((one.get("status") or {}).get("repave") or {}).get("state", "").lower() == wanted]
    return paged(context, [{"metadata": one["metadata"], "status": _summary(one)} for one in rows])


@route("GET", PATH + "/{uid}/status/spcApply")
def spc_apply(context: Context) -> Document:
    return rollout.applied(find(context))


@route("POST", PATH + "/{uid}/status/spcApply")
def apply_staged(context: Context) -> Reply:
    cluster = find(context)
    before = rollout.release(context.lab, cluster, rollout.STAGED)
    if before is not None:
        engine.upgrade(context.lab, cluster, before)
    if cluster.get("status"):
        cluster["status"]["spcApply"] = rollout.applied(cluster)
    context.store.put("cluster", context.parts["uid"], cluster)
    return Reply(202)


def _summary(cluster: Document) -> Document:
    status = cluster.get("status") or {}
    return {"state": status.get("state", ""), "repave": status["repave"]}
