"""The cloud config of a cluster: its network definition, node pools and machines."""

from __future__ import annotations

from typing import Any

from . import bodies, engine
from .core import DONE, Context, Lab, Reply, created, route
from .errors import ApiError, conflict, invalid, not_found
from .store import Document

PATH = "/v1/cloudconfigs/edge-native/{uid}"
POOLS = PATH + "/machinePools"


@route("GET", PATH)
def get_config(context: Context) -> Document:
    return _find(context)


@route("PUT", PATH + "/clusterConfig", body=bodies.CLUSTER_NETWORK)
def put_cluster_config(context: Context) -> Reply:
    config = _find(context)
    config["spec"]["clusterConfig"] = network(context.given("clusterConfig") or {})
    return _save(context, config)


@route("POST", POOLS, body=bodies.POOL)
def create_pool(context: Context) -> Reply:
    config = _find(context)
    name = context.body["poolConfig"]["name"]
    if _pool(config, name) is not None:
        raise conflict(f"Machine pool '{name}' already exists")
    _write(context, config)
    return created(context.lab.uid())


@route("PUT", POOLS + "/{pool}", body=bodies.POOL)
def put_pool(context: Context) -> Reply:
    config = _find(context)
    _named(config, context.parts["pool"])
    if context.body["poolConfig"]["name"] != context.parts["pool"]:
        raise invalid("A machine pool cannot be renamed")
    _write(context, config)
    return DONE


@route("DELETE", POOLS + "/{pool}")
def delete_pool(context: Context) -> Reply:
    config = _find(context)
    pool = _named(config, context.parts["pool"])
    if pool.get("isControlPlane"):
        raise invalid("The control plane pool cannot be deleted")
    config["spec"]["machinePoolConfig"].remove(pool)
    engine.bind_hosts(context.lab, _cluster(context, config), config)
    return _save(context, config)


@route("GET", POOLS + "/{pool}/machines")
def list_machines(context: Context) -> Document:
    config = _find(context)
    _named(config, context.parts["pool"])
    machines = [one for one in config["_lab"]["machines"] if one["_lab"]["pool"] == context.parts["pool"]]
    return {"items": machines}


@route("GET", POOLS + "/{pool}/machines/{machine}")
def get_machine(context: Context) -> Document:
    return _machine(context, _find(context))


@route("DELETE", POOLS + "/{pool}/machines/{machine}")
def delete_machine(context: Context) -> Reply:
    config = _find(context)
    engine.leave(context.lab, _machine(context, config))
    engine.move(context.lab, config["_lab"]["cluster"])
    return _save(context, config)


def network(given: Document) -> Document:
    """A cluster's network definition as it is read."""
    overlay = given.get("overlayNetworkConfiguration")
    filled = {"overlayNetworkConfiguration": {"enable": False, **overlay}} if overlay is not None else {}
    return {**given, **filled}


def problems(lab: Lab, pool: Document, *, project: str, cluster: str, taken: set[str]) -> list[str]:
    """What is wrong with a pool as it is written; ``taken`` collects the hosts already used by others."""
    config: Document = pool["poolConfig"]
    hosts: list[Document] = pool["cloudConfig"]["edgeHosts"]
    found: list[str] = []
    if config["labels"] != ["control-plane" if config.get("isControlPlane") else "worker"]:
        found.append("labels must be [control-plane] or [worker], as isControlPlane says")
    if config["size"] != len(hosts):
        found.append(f"size is {config['size']}, the pool has {len(hosts)} hosts")
    for given in hosts:
        uid = given["hostUid"]
        if uid in taken:
            found.append(f"Edge host '{uid}' is used twice")
        taken.add(uid)
        host = lab.store.get("host", uid)
        if host is None or lab.store.project_of("host", uid) != project:
            found.append(f"Edge host '{uid}' is not found in this project")
            continue
        used: list[Any] = [one for one in host["status"].get("inUseClusters") or [] if one["uid"] != cluster]
        if used:
            found.append(f"Edge host '{uid}' is in use by cluster '{used[0]['name']}'")
        elif host["status"]["state"] == "unpaired":
            found.append(f"Edge host '{uid}' is not ready")
    return found


def write(lab: Lab, config: Document, pool: Document) -> None:
    """Takes a pool as it is written into the cloud config, in the shape in which it is read."""
    given: Document = pool["poolConfig"]
    hosts = []
    for one in pool["cloudConfig"]["edgeHosts"]:
        host = lab.store.get("host", one["hostUid"]) or {"spec": {"host": {}}}
        address = host["spec"]["host"].get("hostAddress", "")
        hosts.append({**one, "hostAddress": address, "IsCandidateCaption": False})
    properties = {"archType": "amd64", **(given.get("machinePoolProperties") or {})}
    read = {**given, "size": len(hosts), "hosts": hosts, "machinePoolProperties": properties}
    pools = config["spec"]["machinePoolConfig"]
    place = next((index for index, one in enumerate(pools) if one["name"] == given["name"]), None)
    if place is None:
        pools.append(read)
    else:
        pools[place] = read


def _find(context: Context) -> Document:
    return context.find("config", context.parts["uid"], name="CloudConfig")


def _save(context: Context, config: Document) -> Reply:
    context.store.put("config", config["metadata"]["uid"], config)
    return DONE


def _cluster(context: Context, config: Document) -> Document:
    cluster = context.store.get("cluster", config["_lab"]["cluster"])
    if cluster is None:
        raise not_found("SpectroCluster", config["_lab"]["cluster"])
    return cluster


def _pool(config: Document, name: str) -> Document | None:
    return next((one for one in config["spec"]["machinePoolConfig"] if one["name"] == name), None)


def _named(config: Document, name: str) -> Document:
    pool = _pool(config, name)
    if pool is None:
        raise not_found("MachinePool", name)
    return pool


def _machine(context: Context, config: Document) -> Document:
    machines: list[Document] = config["_lab"]["machines"]
    for machine in machines:
        if (machine["metadata"]["uid"], machine["_lab"]["pool"]) == (context.parts["machine"], context.parts["pool"]):
            return machine
    raise not_found("Machine", context.parts["machine"])


def _write(context: Context, config: Document) -> None:
    cluster = _cluster(context, config)
    uid = cluster["metadata"]["uid"]
    if cluster["_lab"]["phase"] in ("deleting", "deleted"):
        raise invalid(f"Cluster '{cluster['metadata']['name']}' is being deleted")
    name = context.body["poolConfig"]["name"]
    others = [pool for pool in config["spec"]["machinePoolConfig"] if pool["name"] != name]
    taken = {host["hostUid"] for pool in others for host in pool["hosts"]}
    project = context.store.project_of("cluster", uid)
    found = problems(context.lab, context.body, project=project, cluster=uid, taken=taken)
    planes = [pool["name"] for pool in others if pool.get("isControlPlane")]
    if bool(planes) == bool(context.body["poolConfig"].get("isControlPlane")):
        found.append("Exactly one pool must be the control plane")
    if found:
        raise ApiError(400, "MachinePoolValidationFailed", "; ".join(found))
    write(context.lab, config, context.body)
    engine.bind_hosts(context.lab, cluster, config)
