"""Clusters of Edge hosts: definition, validation, profiles and settings."""

from __future__ import annotations

import ipaddress
from typing import Any

from . import engine, profiles
from .core import DONE, Context, Reply, created, paged, route
from .errors import ApiError, invalid, not_found
from .store import Document

PATH = "/v1/spectroclusters"


@route("POST", PATH + "/edge-native")
def create_cluster(context: Context) -> Reply:
    problems = [text for _group, _name, text in _problems(context)]
    if problems:
        raise invalid("; ".join(problems), code="ClusterValidationFailed")
    metadata, spec = context.given("metadata"), context.given("spec")
    uid, config_uid = context.lab.uid(), context.lab.uid()
    config: Document = {
        "metadata": {"uid": config_uid, "name": metadata["name"]},
        "spec": {"clusterConfig": spec.get("cloudConfig") or {}, "machinePoolConfig": []},
        "_lab": {"cluster": uid, "machines": []},
    }
    cluster: Document = {
        "metadata": {
            "uid": uid,
            "name": metadata["name"],
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), "scope": "project"},
            "creationTimestamp": context.lab.now(),
        },
        "spec": {
            "cloudType": "edge-native",
            "clusterType": "PureManage",
            "cloudConfigRef": {"kind": "EdgeNativeCloudConfig", "uid": config_uid},
            "clusterConfig": spec.get("clusterConfig") or {},
            "clusterProfileTemplates": [],
        },
        "_lab": {"variables": {}, "since": context.lab.clock(), "phase": "new", "worked": 0.0},
    }
    with context.store.transaction():
        for one in spec["profiles"]:
            _attach(context, cluster, one)
        for pool in spec["machinepoolconfig"]:
            engine.write_pool(context.lab, config, pool)
        context.store.put("cluster", uid, cluster, project=context.project, name=metadata["name"])
        context.store.put("config", config_uid, config, project=context.project)
        engine.bind_hosts(context.lab, cluster, config)
    return created(uid)


@route("POST", PATH + "/edge-native/validate")
def validate_cluster(context: Context) -> Document:
    results: dict[str, dict[str, list[Document]]] = {"pool": {}, "profile": {}}
    for group, name, text in _problems(context):
        results[group].setdefault(name, []).append({"code": "ValidationFailed", "message": text})
    pools = [{"name": name, "displayName": name, "errors": errors} for name, errors in results["pool"].items()]
    packs = [
        {"uid": name, "packs": {"results": [{"name": name, "displayName": name, "errors": errors}]}}
        for name, errors in results["profile"].items()
    ]
    return {"machinePools": {"results": pools}, "profiles": packs}


@route("GET", PATH + "/validate/name")
def validate_name(context: Context) -> Reply:
    if _named(context, context.query.get("name", "")):
        raise ApiError(409, "DuplicateClusterName", f"A cluster named '{context.query.get('name')}' already exists")
    return DONE


@route("GET", PATH + "/{uid}")
def get_cluster(context: Context) -> Document:
    return find(context)


@route("GET", PATH + "/{uid}/status")
def get_status(context: Context) -> Document:
    return {"status": {"state": (find(context).get("status") or {}).get("state", "")}}


@route("GET", "/v1/dashboard/spectroclusters/{uid}/overview")
def overview(context: Context) -> Document:
    cluster = find(context)
    state = (cluster.get("status") or {}).get("state", "")
    health = {"state": "Healthy" if state == "Running" else "Unknown"}
    return {
        "metadata": cluster["metadata"],
        "spec": {"cloudConfig": {"cloudType": "edge-native", "uid": cluster["spec"]["cloudConfigRef"]["uid"]}},
        "status": {**(cluster.get("status") or {}), "health": health},
    }


@route("DELETE", PATH + "/{uid}")
def delete_cluster(context: Context) -> Reply:
    cluster = find(context)
    if cluster["_lab"]["phase"] not in ("deleting", "deleted"):
        cluster["_lab"] |= {"phase": "deleting", "since": context.lab.clock()}
        cluster["status"] = {**(cluster.get("status") or {}), "state": "Deleting"}
        _save(context, cluster)
        engine.move(context.lab, context.parts["uid"])
    return DONE


@route("GET", PATH + "/{uid}/edge-native/edgeHosts")
def cluster_hosts(context: Context) -> Document:
    config = _config(context, find(context))
    hosts = [context.store.get("host", uid) for uid in engine.members(config)]
    return paged(context, [host for host in hosts if host])


@route("GET", PATH + "/{uid}/assets/kubeconfig")
@route("GET", PATH + "/{uid}/assets/kubeconfigclient")
@route("GET", PATH + "/{uid}/assets/adminKubeconfig")
def kubeconfig(context: Context) -> Document:
    find(context)
    # States only: no Kubernetes runs behind this cluster.
    raise not_found("Kubeconfig of cluster", context.parts["uid"])


@route("PATCH", PATH + "/{uid}/metadata")
def patch_metadata(context: Context) -> Reply:
    cluster = find(context)
    metadata = context.given("metadata") or {}
    cluster["metadata"]["labels"] = metadata.get("labels") or {}
    cluster["metadata"]["annotations"] |= metadata.get("annotations") or {}
    return _save(context, cluster)


@route("GET", PATH + "/{uid}/profiles")
def get_profiles(context: Context) -> Document:
    cluster = find(context)
    items = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        packs = [{"metadata": {"name": pack["name"]}, "spec": _pack_spec(pack)} for pack in one["packs"]]
        spec = {"cloudType": one.get("cloudType", ""), "type": one["type"], "packs": packs}
        items.append({"metadata": {"uid": one["uid"], "name": one["name"]}, "spec": spec})
    return {"profiles": items}


@route("PUT", PATH + "/{uid}/profiles")
def put_profiles(context: Context) -> Reply:
    cluster = find(context)
    cluster["spec"]["clusterProfileTemplates"] = []
    return _take_profiles(context, cluster)


@route("PATCH", PATH + "/{uid}/profiles")
def patch_profiles(context: Context) -> Reply:
    return _take_profiles(context, find(context))


@route("DELETE", PATH + "/{uid}/profiles")
def delete_profiles(context: Context) -> Reply:
    cluster = find(context)
    gone = set(context.given("profileUids") or [])
    kept = [one for one in cluster["spec"]["clusterProfileTemplates"] if one["uid"] not in gone]
    cluster["spec"]["clusterProfileTemplates"] = kept
    return _save(context, cluster)


@route("GET", PATH + "/{uid}/variables")
def get_variables(context: Context) -> list[Document]:
    cluster = find(context)
    answer = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        profile = context.store.get("profile", one["uid"]) or {"_lab": {"variables": []}}
        values = cluster["_lab"]["variables"].get(one["uid"], {})
        variables = [profiles.masked_variable(each, values.get(each["name"])) for each in profile["_lab"]["variables"]]
        answer.append({"profileUid": one["uid"], "variables": variables})
    return answer


@route("PATCH", PATH + "/{uid}/variables")
def patch_variables(context: Context) -> Reply:
    cluster = find(context)
    for one in context.body or []:
        _take_variables(context, cluster, one["profileUid"], one.get("variables") or [])
    return _save(context, cluster)


def _setting(name: str, path: str, verb: str, *, within: str = "") -> None:
    """An endpoint that keeps one field of the cluster's configuration."""

    @route(verb, PATH + "/{uid}/" + path)
    def keep(context: Context) -> Reply:
        cluster = find(context)
        place: Document = cluster["spec"]["clusterConfig"]
        if within:
            place = place.setdefault(within, {})
        place[name] = context.given(name)
        if name == "location":
            cluster["status"] = {**(cluster.get("status") or {}), "location": context.given(name)}
        return _save(context, cluster)


_setting("timezone", "clusterConfig/timezone", "PATCH")
_setting("clusterMetaAttribute", "clusterConfig/clusterMetaAttribute", "PATCH")
_setting("controlPlaneHealthCheckTimeout", "clusterConfig/controlPlaneHealthCheckTimeout", "PATCH")
_setting("hostClusterConfig", "clusterConfig/hostCluster", "PATCH")
_setting("osPatchConfig", "clusterConfig/osPatch", "PATCH", within="machineManagementConfig")
_setting("location", "location", "PUT")


def find(context: Context) -> Document:
    """The cluster of the path."""
    return context.find("cluster", context.parts["uid"], name="SpectroCluster")


def _save(context: Context, cluster: Document) -> Reply:
    context.store.put("cluster", cluster["metadata"]["uid"], cluster)
    return DONE


def _config(context: Context, cluster: Document) -> Document:
    return context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"]) or {"spec": {}}


def _named(context: Context, name: str) -> list[Document]:
    found = context.store.all("cluster", projects=[context.project], name=name)
    return [one for one in found if one["_lab"]["phase"] != "deleted"]


def _pack_spec(pack: Document) -> Document:
    return {key: pack.get(key, "") for key in ("name", "layer", "type", "version", "registryUid", "values")}


def _take_profiles(context: Context, cluster: Document) -> Reply:
    for one in context.given("profiles") or []:
        _attach(context, cluster, one)
    engine.upgrade(context.lab, cluster)
    return _save(context, cluster)


def _attach(context: Context, cluster: Document, given: Document) -> None:
    profile = context.store.get("profile", given.get("uid", ""))
    if profile is None or not profile["spec"].get("published"):
        raise not_found("ClusterProfile", given.get("uid", ""))
    overrides = {one["name"]: one.get("values", "") for one in given.get("packValues") or []}
    snapshot = profiles.attached(profile, overrides)
    templates: list[Document] = cluster["spec"]["clusterProfileTemplates"]
    replaced = {given.get("replaceWithProfile", ""), given["uid"]}
    place = next((index for index, one in enumerate(templates) if one["uid"] in replaced), len(templates))
    kept = [one for one in templates if one["uid"] not in replaced]
    used = {pack["name"] for one in kept for pack in one["packs"]}
    twice = sorted(used & {pack["name"] for pack in snapshot["packs"]})
    if twice:
        raise ApiError(400, "DuplicateClusterPacksForbidden", f"Pack '{twice[0]}' is in two attached profiles")
    kept.insert(min(place, len(kept)), snapshot)
    cluster["spec"]["clusterProfileTemplates"] = kept
    old = cluster["_lab"]["variables"].get(given.get("replaceWithProfile", ""), {})
    cluster["_lab"]["variables"].setdefault(given["uid"], dict(old))
    _take_variables(context, cluster, given["uid"], given.get("variables") or [])


def _take_variables(context: Context, cluster: Document, uid: str, values: list[Document]) -> None:
    profile = context.store.get("profile", uid)
    declared = {one["name"]: one for one in profile["_lab"]["variables"]} if profile else {}
    known = cluster["_lab"]["variables"].setdefault(uid, {})
    for one in values:
        if one["name"] not in declared:
            raise invalid(f"The profile has no variable '{one['name']}'", code="VariableNotFound")
        known[one["name"]] = one.get("value", "")


def _problems(context: Context) -> list[tuple[str, str, str]]:
    """What is wrong with a definition: (pool or profile, its name, the problem)."""
    name = context.given("metadata", "name") or ""
    spec = context.given("spec") or {}
    pools: list[Document] = spec.get("machinepoolconfig") or []
    problems: list[tuple[str, str, str]] = []
    if not name:
        problems.append(("pool", "cluster", "metadata.name is required"))
    if _named(context, name):
        problems.append(("pool", "cluster", f"A cluster named '{name}' already exists"))
    if sum(bool((pool.get("poolConfig") or {}).get("isControlPlane")) for pool in pools) != 1:
        problems.append(("pool", "cluster", "Exactly one pool must be the control plane"))
    taken: set[str] = set()
    for pool in pools:
        problems += engine.pool_problems(context.lab, pool, project=context.project, cluster="", taken=taken)
    endpoint: Any = (spec.get("cloudConfig") or {}).get("controlPlaneEndpoint") or {}
    if endpoint.get("type") == "VIP":
        try:
            ipaddress.ip_address(endpoint.get("host", ""))
        except ValueError:
            problems.append(
                ("pool", "cluster", f"controlPlaneEndpoint.host '{endpoint.get('host')}' is not an address")
            )
    if not spec.get("profiles"):
        problems.append(("profile", "cluster", "At least one profile is required"))
    for one in spec.get("profiles") or []:
        profile = context.store.get("profile", one.get("uid", ""))
        if profile is None or not profile["spec"].get("published"):
            problems.append(
                ("profile", one.get("uid", ""), f"Profile '{one.get('uid')}' is not found or not published")
            )
            continue
        given = {each["name"] for each in one.get("variables") or []}
        unknown = given - {each["name"] for each in profile["_lab"]["variables"]}
        problems += [("profile", one["uid"], f"The profile has no variable '{each}'") for each in sorted(unknown)]
    return problems
