"""Clusters of Edge hosts: definition, validation, profiles and settings."""

from __future__ import annotations

import ipaddress

from . import bodies, defaults, engine, events, pools, tunnels
from .attaching import attach, published
from .core import DONE, Context, Reply, created, paged, route
from .errors import ApiError, invalid
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
            "born": context.lab.clock(),
            "phase": "new",
            "worked": 0.0,
            "location": defaults.location(given.get("location") or {}),
        },
    }
    for one in spec["profiles"]:
        attach(context, cluster, one)
    for pool in spec["machinepoolconfig"]:
        pools.write(context.lab, config, pool)
    context.store.put("cluster", uid, cluster, project=context.project, name=metadata["name"])
    context.store.put("config", config_uid, config, project=context.project)
    engine.bind_hosts(context.lab, cluster, config)
    events.record(context.lab, "spectrocluster", uid, metadata["name"], "ClusterCreated", "The cluster was defined")
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


@route("DELETE", PATH + "/{uid}")
def delete_cluster(context: Context) -> Reply:
    cluster, force = find(context), context.query.get("forceDelete") == "true"
    if force or cluster["_lab"]["phase"] not in ("deleting", "deleted"):
        words = f"The cluster is deleted{' by force' if force else ''}"
        events.of_cluster(context.lab, cluster, "ClusterDeleting", words)
    engine.delete(context.lab, cluster, force=force)
    return DONE


@route("GET", PATH + "/{uid}/edge-native/edgeHosts")
def cluster_hosts(context: Context) -> Document:
    config = _config(context, find(context))
    hosts = [context.store.get("host", uid) for uid in engine.members(config)]
    return paged(context, [tunnels.shown(context.lab, host) for host in hosts if host])


@route("PATCH", PATH + "/{uid}/metadata", body=bodies.CLUSTER_META)
def patch_metadata(context: Context) -> Reply:
    cluster = find(context)
    metadata = context.given("metadata") or {}
    cluster["metadata"]["labels"] = metadata.get("labels") or {}
    cluster["metadata"]["annotations"] |= metadata.get("annotations") or {}
    return _save(context, cluster)


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
    return found + profile_problems(context, spec.get("profiles") or [])


def profile_problems(context: Context, attachments: list[Document]) -> list[tuple[str, str, str]]:
    """What is wrong with profiles as they are attached: ("profile", UID, the problem)."""
    found = [] if attachments else [("profile", "cluster", "At least one profile is required")]
    for one in attachments:
        uid = one.get("uid", "")
        profile = published(context, uid)
        if profile is None:
            found.append(("profile", uid, f"Profile '{uid}' is not found or not published"))
            continue
        declared = {each["name"]: each for each in profile["_lab"]["variables"]}
        given = {each["name"] for each in one.get("variables") or []}
        found += [("profile", uid, f"The profile has no variable '{each}'") for each in sorted(given - set(declared))]
    return found
