"""Settings of a cluster that have an endpoint each."""

from __future__ import annotations

from . import bodies, defaults
from .bodies_clusters import UPGRADE_SETTINGS
from .clusters import PATH, find
from .core import DONE, Context, Reply, route
from .shapes import Shape
from .store import Document


def _setting(name: str, path: str, shape: Shape, *, required: bool = False, within: str = "") -> None:
    """An endpoint that keeps one field of the cluster's configuration."""

    @route("PATCH", PATH + "/{uid}/clusterConfig/" + path, body={name + "!" * required: shape})
    def keep(context: Context) -> Reply:
        cluster = find(context)
        place: Document = cluster["spec"]["clusterConfig"]
        if within:
            place = place.setdefault(within, {})
        place[name] = defaults.filled(name, context.given(name))
        context.store.put("cluster", context.parts["uid"], cluster)
        return DONE


_setting("timezone", "timezone", str, required=True)
_setting("clusterMetaAttribute", "clusterMetaAttribute", str)
_setting("controlPlaneHealthCheckTimeout", "controlPlaneHealthCheckTimeout", str)
_setting("hostClusterConfig", "hostCluster", bodies.HOST_CLUSTER)
_setting("osPatchConfig", "osPatch", bodies.OS_PATCH, within="machineManagementConfig")


@route("PUT", PATH + "/{uid}/location", body={"location": bodies.LOCATION})
def put_location(context: Context) -> Reply:
    cluster = find(context)
    cluster["_lab"]["location"] = defaults.location(context.given("location") or {})
    if cluster.get("status"):
        cluster["status"]["location"] = cluster["_lab"]["location"]
    context.store.put("cluster", context.parts["uid"], cluster)
    return DONE


@route("POST", PATH + "/{uid}/upgrade/settings", body=UPGRADE_SETTINGS)
def lock_cluster(context: Context) -> Reply:
    cluster = find(context)
    locked = context.given("spectroComponents") == "lock"
    cluster["metadata"].setdefault("annotations", {})["spectroComponentsUpgradeForbidden"] = str(locked).lower()
    context.store.put("cluster", context.parts["uid"], cluster)
    return DONE


@route("GET", PATH + "/upgrade/settings")
def get_lock(context: Context) -> Document:
    return {"spectroComponents": context.store.setting(f"agent-upgrades-{context.project}", "unlock")}


@route("POST", PATH + "/upgrade/settings", body=UPGRADE_SETTINGS)
def lock_all(context: Context) -> Reply:
    context.store.set(f"agent-upgrades-{context.project}", context.given("spectroComponents") or "unlock")
    return DONE


@route("PATCH", PATH + "/{uid}/clusterConfig/lifecycleConfig", body={"lifecycleConfig": {"pause": bool}})
def pause(context: Context) -> Reply:
    cluster = find(context)
    cluster["spec"]["clusterConfig"]["lifecycleConfig"] = {"pause": False, **(context.given("lifecycleConfig") or {})}
    context.store.put("cluster", context.parts["uid"], cluster)
    return DONE
