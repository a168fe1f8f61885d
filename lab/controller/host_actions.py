"""Edge hosts: reset, taken into a cluster and out of it by hand, and the list for choosing among them."""

from __future__ import annotations

from . import bodies, engine, events
from .core import DONE, Context, Reply, route, text_fits
from .errors import ApiError, invalid
from .hosts import PATH, find, save, tell
from .search import host_summary
from .store import Document


@route("PUT", PATH + "/{uid}/reset")
def reset(context: Context) -> Reply:
    """A host that is no member only forgets what is on it; a member leaves its cluster and can be used again then."""
    host = find(context)
    uid = context.parts["uid"]
    if host["status"]["state"] == "unpaired":
        raise ApiError(400, "EdgeHostDeviceNotRegistered", f"Edge host '{uid}' is not registered")
    used = host["status"].get("inUseClusters") or []
    cluster = context.store.get("cluster", used[0]["uid"]) if used else None
    config = context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"]) if cluster else None
    if cluster is None or config is None or not _is_member(config, uid):
        engine.free(host)
        save(context, host)
        tell(context.lab, host, "Reset", "The Edge host was reset")
        return DONE
    for pool in config["spec"].get("machinePoolConfig") or []:
        kept = [one for one in pool["hosts"] if one["hostUid"] != uid]
        if pool.get("isControlPlane") and not kept:
            raise invalid(f"Edge host '{uid}' is the only control plane of cluster '{used[0]['name']}'")
        pool |= {"hosts": kept, "size": len(kept)}
    host.setdefault("_lab", {})["resetting"] = True
    save(context, host)
    tell(context.lab, host, "ResetRequested", f"The Edge host leaves cluster '{used[0]['name']}'", events.WARNING)
    if cluster["_lab"]["phase"] not in ("deleting", "deleted"):
        engine.bind_hosts(context.lab, cluster, config)
        context.store.put("config", config["metadata"]["uid"], config)
    return DONE


@route("PATCH", PATH + "/{uid}/cluster/associate", body=bodies.HOST_CLUSTER_UID)
def associate(context: Context) -> Reply:
    host, uid = find(context), context.given("clusterUid") or ""
    cluster = context.find("cluster", uid, name="SpectroCluster")
    reference = {"uid": uid, "name": cluster["metadata"]["name"]}
    used = [one for one in host["status"].get("inUseClusters") or [] if one["uid"] != uid]
    if used:
        raise ApiError(400, "EdgeHostInUse", f"The Edge host is in use by cluster '{used[0]['name']}'")
    if host["status"]["state"] == "unpaired":
        raise ApiError(400, "EdgeHostDeviceNotRegistered", "The Edge host is not registered")
    host["status"] |= {"state": "in-use", "inUseClusters": [reference], "inUseClustersRef": [reference]}
    save(context, host)
    return DONE


@route("DELETE", PATH + "/{uid}/cluster/associate")
def dissociate(context: Context) -> Reply:
    host, uid = find(context), context.parts["uid"]
    for used in host["status"].get("inUseClusters") or []:
        cluster = context.store.get("cluster", used["uid"])
        config = context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"]) if cluster else None
        state = ((cluster or {}).get("status") or {}).get("state")
        if config and state != "Deleted" and uid in engine.members(config):
            raise ApiError(400, "EdgeHostInUse", f"Edge host '{uid}' is in a node pool of cluster '{used['name']}'")
    if host["status"].get("inUseClusters"):
        engine.free(host)
        save(context, host)
    return DONE


@route("POST", "/v1/dashboard/appliances/metadata", body=bodies.HOSTS_FILTER)
def appliances(context: Context) -> Document:
    wanted = context.given("filter") or {}
    found = [
        host
        for host in context.store.all("host", projects=[context.project] if context.project else None)
        if text_fits(wanted.get("name") or {}, host["metadata"]["name"])
        and (not wanted.get("states") or host["status"]["state"] in wanted["states"])
    ]
    for order in reversed(context.given("sort") or []):
        field = order.get("field", "")
        found.sort(key=lambda host: _sorted_by(host, field), reverse=order.get("order") == "desc")
    return {"items": [host_summary(host) for host in found]}


def _is_member(config: Document, uid: str) -> bool:
    return uid in engine.members(config) or any(one["spec"]["edgeHostUid"] == uid for one in config["_lab"]["machines"])


def _sorted_by(host: Document, field: str) -> str:
    return str(host["status"]["state"] if field == "state" else host["metadata"].get(field, ""))
