"""Clusters of Edge hosts: definition, validation, profiles and settings."""

from __future__ import annotations

import ipaddress

from . import bodies, defaults, engine, pools, profiles, reports
from .core import DONE, Context, Reply, created, paged, route
from .errors import ApiError, invalid, not_found
from .store import Document

PATH = "/v1/spectroclusters"


@route("POST", PATH + "/edge-native", body=bodies.CLUSTER)
def create_cluster(context: Context) -> Reply:
    problems = [text for _group, _name, text in _problems(context)]
    if problems:
        raise invalid("; ".join(problems), code="ClusterValidationFailed")
    metadata, spec = context.body["metadata"], context.body["spec"]
    given = spec.get("clusterConfig") or {}
    scope = "project" if context.project else "tenant"
    uid, config_uid = context.lab.uid(), context.lab.uid()
    config: Document = {
        "metadata": {"uid": config_uid, "name": metadata["name"]},
        "spec": {"clusterConfig": pools.network(spec.get("cloudConfig") or {}), "machinePoolConfig": []},
        "_lab": {"cluster": uid, "machines": []},
    }
    cluster: Document = {
        "metadata": {
            "uid": uid,
            "name": metadata["name"],
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), "scope": scope},
            "creationTimestamp": context.lab.now(),
        },
        "spec": {
            "cloudType": "edge-native",
            "clusterType": "PureManage",
            "cloudConfigRef": {"kind": "EdgeNativeCloudConfig", "uid": config_uid},
            "clusterConfig": defaults.taken(given),
            "clusterProfileTemplates": [],
        },
        "_lab": {
            "variables": {},
            # Nobody forms it yet; without Kubernetes it is states from the start.
            "formedBy": "" if context.lab.options.kubernetes else "states",
            "since": context.lab.clock(),
            "phase": "new",
            "worked": 0.0,
            "location": defaults.location(given.get("location") or {}),
        },
    }
    for one in spec["profiles"]:
        _attach(context, cluster, one)
    for pool in spec["machinepoolconfig"]:
        pools.write(context.lab, config, pool)
    context.store.put("cluster", uid, cluster, project=context.project, name=metadata["name"])
    context.store.put("config", config_uid, config, project=context.project)
    engine.bind_hosts(context.lab, cluster, config)
    return created(uid)


@route("POST", PATH + "/edge-native/validate", body=bodies.CLUSTER)
def validate_cluster(context: Context) -> Document:
    results: dict[str, dict[str, list[Document]]] = {"pool": {}, "profile": {}}
    for group, name, text in _problems(context):
        results[group].setdefault(name, []).append({"code": "ValidationFailed", "message": text})
    wrong = [{"name": name, "displayName": name, "errors": errors} for name, errors in results["pool"].items()]
    packs = [
        {"uid": name, "packs": {"results": [{"name": name, "displayName": name, "errors": errors}]}}
        for name, errors in results["profile"].items()
    ]
    return {"machinePools": {"results": wrong}, "profiles": packs}


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
    status = dict(cluster.get("status") or {})
    inner = cluster["_lab"]
    known = bool((inner.get("kubeconfig") or {}).get("admin"))
    kube = {"hasKubeConfig": known, "hasKubeConfigClient": known, "hasManifest": False}
    kube["kubernetesVersion"] = (inner.get("report") or {}).get("kubernetesVersion", "")
    place = status.pop("location", {})
    point = place.pop("geoLoc", None)
    if point:
        # Read in another form here.
        place["coordinates"] = [point["latitude"], point["longitude"]]
    return {
        "metadata": cluster["metadata"],
        "spec": {"cloudConfig": {"cloudType": "edge-native", "uid": cluster["spec"]["cloudConfigRef"]["uid"]}},
        "status": {**status, "location": place, "health": {"state": _health(context, cluster)}, "kubeMeta": kube},
    }


@route("DELETE", PATH + "/{uid}")
def delete_cluster(context: Context) -> Reply:
    engine.delete(context.lab, find(context), force=context.query.get("forceDelete") == "true")
    return DONE


@route("GET", PATH + "/{uid}/edge-native/edgeHosts")
def cluster_hosts(context: Context) -> Document:
    config = _config(context, find(context))
    hosts = [context.store.get("host", uid) for uid in engine.members(config)]
    return paged(context, [host for host in hosts if host])


@route("GET", PATH + "/{uid}/assets/kubeconfig")
@route("GET", PATH + "/{uid}/assets/kubeconfigclient")
@route("GET", PATH + "/{uid}/assets/adminKubeconfig")
def kubeconfig(context: Context) -> Reply:
    cluster = find(context)
    # The older call leads through the reverse proxy, unless it says otherwise.
    proxied = context.path.endswith("/kubeconfig") and context.query.get("frp", "true") != "false"
    text = (cluster["_lab"].get("kubeconfig") or {}).get("proxy" if proxied else "admin")
    if not text:
        raise not_found("Kubeconfig of cluster", context.parts["uid"])
    return Reply(200, text.encode(), file=f"{cluster['metadata']['name']}.kubeconfig")


@route("PATCH", PATH + "/{uid}/metadata", body=bodies.CLUSTER_META)
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
        spec = {**{key: one.get(key) for key in ("cloudType", "type", "version")}, "packs": packs}
        items.append({"metadata": {"uid": one["uid"], "name": one["name"]}, "spec": spec})
    return {"profiles": items}


@route("PUT", PATH + "/{uid}/profiles", body=bodies.ATTACHMENTS)
def put_profiles(context: Context) -> Reply:
    cluster = find(context)
    cluster["spec"]["clusterProfileTemplates"] = []
    return _take_profiles(context, cluster)


@route("PATCH", PATH + "/{uid}/profiles", body=bodies.ATTACHMENTS)
def patch_profiles(context: Context) -> Reply:
    return _take_profiles(context, find(context))


@route("DELETE", PATH + "/{uid}/profiles", body=bodies.DETACHMENT)
def delete_profiles(context: Context) -> Reply:
    cluster = find(context)
    gone = set(context.given("profileUids") or [])
    kept = [one for one in cluster["spec"]["clusterProfileTemplates"] if one["uid"] not in gone]
    cluster["spec"]["clusterProfileTemplates"] = kept
    engine.touch(context.lab, cluster)
    return _save(context, cluster)


@route("GET", PATH + "/{uid}/variables")
def get_variables(context: Context) -> list[Document]:
    cluster = find(context)
    answer = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        profile = context.store.get("profile", one["uid"]) or {"_lab": {"variables": []}}
        values = cluster["_lab"]["variables"].get(one["uid"], {})
        variables = [
            profiles.variable_in_cluster(each, values.get(each["name"])) for each in profile["_lab"]["variables"]
        ]
        answer.append({"profileUid": one["uid"], "variables": variables})
    return answer


@route("PATCH", PATH + "/{uid}/variables", body=bodies.CLUSTER_VARIABLES)
def patch_variables(context: Context) -> Reply:
    cluster = find(context)
    attached = {one["uid"] for one in cluster["spec"]["clusterProfileTemplates"]}
    for one in context.body:
        if one["profileUid"] not in attached:
            raise not_found("Attached ClusterProfile", one["profileUid"])
        _take_variables(context, cluster, one["profileUid"], one.get("variables") or [])
    engine.touch(context.lab, cluster)
    return _save(context, cluster)


def find(context: Context) -> Document:
    """The cluster of the path."""
    return context.find("cluster", context.parts["uid"], name="SpectroCluster")


def _health(context: Context, cluster: Document) -> str:
    state = (cluster.get("status") or {}).get("state")
    if reports.reported(cluster):
        report = cluster["_lab"].get("report") or {}
        # With a fault, or when it goes, it is shown otherwise than it was reported.
        return str(report.get("health") or "Unknown") if state == report.get("state") != "Deleting" else "Unknown"
    well = all(engine.healthy(context.lab, uid) for uid in engine.members(_config(context, cluster)))
    return "Unknown" if state != "Running" else "Healthy" if well else "UnHealthy"


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
    for one in context.body["profiles"]:
        _attach(context, cluster, one)
    engine.upgrade(context.lab, cluster)
    return _save(context, cluster)


def _published(context: Context, uid: str) -> Document | None:
    profile = context.store.get("profile", uid)
    visible = context.store.project_of("profile", uid) in (context.project, "")
    return profile if profile and visible and profile["spec"].get("published") else None


def _attach(context: Context, cluster: Document, given: Document) -> None:
    profile = _published(context, given.get("uid", ""))
    if profile is None:
        raise not_found("ClusterProfile", given.get("uid", ""))
    snapshot = profiles.attached(profile, given.get("packValues") or [])
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
    written: list[Document] = spec.get("machinepoolconfig") or []
    general: list[str] = []
    if not name:
        general.append("metadata.name is required")
    if _named(context, name):
        general.append(f"A cluster named '{name}' already exists")
    if sum(bool(pool["poolConfig"].get("isControlPlane")) for pool in written) != 1:
        general.append("Exactly one pool must be the control plane")
    names = [pool["poolConfig"]["name"] for pool in written]
    general += [f"Two pools are named '{one}'" for one in sorted({one for one in names if names.count(one) > 1})]
    endpoint = (spec.get("cloudConfig") or {}).get("controlPlaneEndpoint") or {}
    if endpoint.get("type") == "VIP":
        try:
            ipaddress.ip_address(endpoint.get("host", ""))
        except ValueError:
            general.append(f"controlPlaneEndpoint.host '{endpoint.get('host', '')}' is not an address")
    found = [("pool", "cluster", text) for text in general]
    taken: set[str] = set()
    for pool in written:
        texts = pools.problems(context.lab, pool, project=context.project, cluster="", taken=taken)
        found += [("pool", pool["poolConfig"]["name"], text) for text in texts]
    return found + _profile_problems(context, spec.get("profiles") or [])


def _profile_problems(context: Context, attachments: list[Document]) -> list[tuple[str, str, str]]:
    found = [] if attachments else [("profile", "cluster", "At least one profile is required")]
    for one in attachments:
        uid = one.get("uid", "")
        profile = _published(context, uid)
        if profile is None:
            found.append(("profile", uid, f"Profile '{uid}' is not found or not published"))
            continue
        declared = {each["name"]: each for each in profile["_lab"]["variables"]}
        given = {each["name"] for each in one.get("variables") or []}
        found += [("profile", uid, f"The profile has no variable '{each}'") for each in sorted(given - set(declared))]
    return found
