"""Clusters as the dashboard tells them: one with its health, and lists with little of each."""

from __future__ import annotations

from . import attaching, bodies, engine, reports
from .clusters import find
from .core import Context, page_answer, route
from .search import selected
from .store import Document

PATH = "/v1/dashboard/spectroclusters"


@route("GET", PATH + "/{uid}/overview")
@route("GET", PATH + "/{uid}")
def overview(context: Context) -> Document:
    cluster = find(context)
    status = {key: value for key, value in (cluster.get("status") or {}).items() if key != "repave"}
    inner = cluster["_lab"]
    known = bool((inner.get("kubeconfig") or {}).get("admin"))
    kube = {"hasKubeConfig": known, "hasKubeConfigClient": known, "hasManifest": False}
    kube["kubernetesVersion"] = (inner.get("report") or {}).get("kubernetesVersion", "")
    place = dict(status.get("location") or {})
    point = place.pop("geoLoc", None)
    if point:
        # Read in another form here.
        place["coordinates"] = [point["latitude"], point["longitude"]]
    told = {
        "location": place,
        "health": {"state": health(context, cluster)},
        "kubeMeta": kube,
        "notifications": {
            "isAvailable": bool(attaching.behind(context, cluster)),
            "isTemplateVariableResolutionPending": False,
        },
    }
    return {
        "metadata": cluster["metadata"],
        "spec": {"cloudConfig": {"cloudType": "edge-native", "uid": cluster["spec"]["cloudConfigRef"]["uid"]}},
        "status": {**status, **told},
    }


@route("POST", PATH + "/metadata/search", body=bodies.SEARCH)
def search_metadata(context: Context) -> Document:
    found = [context.store.get("cluster", uid) for uid in selected(context, "cluster")]
    rows = [_row(context, one) for one in found if one]
    # All of them at once: it takes no page.
    return page_answer(rows, len(rows), len(rows), 0)


@route("GET", PATH + "/metadata")
def list_metadata(context: Context) -> Document:
    found = context.store.all("cluster", projects=context.visible())
    return {"items": [one["metadata"] for one in found if one["_lab"]["phase"] != "deleted"]}


def health(context: Context, cluster: Document) -> str:
    """``Healthy``, ``UnHealthy`` or ``Unknown``."""
    state = (cluster.get("status") or {}).get("state")
    if reports.reported(cluster):
        report = cluster["_lab"].get("report") or {}
        # With a fault, or when it goes, it is shown otherwise than it was reported.
        return str(report.get("health") or "Unknown") if state == report.get("state") != "Deleting" else "Unknown"
    if cluster["_lab"].get("turns"):
        return "UnHealthy"
    return "Unknown" if state != "Running" else "UnHealthy" if _silent(context, cluster) else "Healthy"


def _silent(context: Context, cluster: Document) -> bool:
    """Whether one of its hosts is not heard of."""
    config = context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"]) or {"spec": {}}
    return not all(engine.healthy(context.lab, uid) for uid in engine.members(config))


def _row(context: Context, cluster: Document) -> Document:
    project = context.store.get("project", context.store.project_of("cluster", cluster["metadata"]["uid"]))
    meta = {"name": project["metadata"]["name"], "uid": project["metadata"]["uid"]} if project else {}
    labels = cluster["metadata"].get("labels") or {}
    return {
        "metadata": cluster["metadata"],
        "specSummary": {
            "cloudType": cluster["spec"]["cloudType"],
            "clusterType": cluster["spec"]["clusterType"],
            "projectMeta": meta,
            "tags": [f"{key}:{value}" for key, value in labels.items()],
        },
        "status": {
            "state": (cluster.get("status") or {}).get("state", ""),
            "health": {"state": health(context, cluster), "isHeartBeatFailed": _silent(context, cluster)},
            "updates": {"isUpdatesPending": bool(attaching.behind(context, cluster))},
        },
    }
