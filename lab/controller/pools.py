"""The cloud config of a cluster: its network definition, node pools and machines."""

from __future__ import annotations

from . import engine
from .core import DONE, Context, Reply, created, route
from .errors import ApiError, conflict, invalid, not_found
from .store import Document

PATH = "/v1/cloudconfigs/edge-native/{uid}"
POOLS = PATH + "/machinePools"


@route("GET", PATH)
def get_config(context: Context) -> Document:
    return _find(context)


@route("PUT", PATH + "/clusterConfig")
def put_cluster_config(context: Context) -> Reply:
    config = _find(context)
    config["spec"]["clusterConfig"] = context.given("clusterConfig") or {}
    return _save(context, config)


@route("POST", POOLS)
def create_pool(context: Context) -> Reply:
    config = _find(context)
    name = context.given("poolConfig", "name")
    if _pool(config, name) is not None:
        raise conflict(f"Machine pool '{name}' already exists")
    _write(context, config)
    return created(context.lab.uid())


@route("PUT", POOLS + "/{pool}")
def put_pool(context: Context) -> Reply:
    config = _find(context)
    if _pool(config, context.parts["pool"]) is None:
        raise not_found("MachinePool", context.parts["pool"])
    if context.given("poolConfig", "name") != context.parts["pool"]:
        raise invalid("A machine pool cannot be renamed")
    _write(context, config)
    return DONE


@route("DELETE", POOLS + "/{pool}")
def delete_pool(context: Context) -> Reply:
    config = _find(context)
    pool = _pool(config, context.parts["pool"])
    if pool is None:
        raise not_found("MachinePool", context.parts["pool"])
    if pool.get("isControlPlane"):
        raise invalid("The control plane pool cannot be deleted")
    config["spec"]["machinePoolConfig"].remove(pool)
    engine.bind_hosts(context.lab, _cluster(context, config), config)
    return _save(context, config)


@route("GET", POOLS + "/{pool}/machines")
def list_machines(context: Context) -> Document:
    config = _find(context)
    if _pool(config, context.parts["pool"]) is None:
        raise not_found("MachinePool", context.parts["pool"])
    machines = [one for one in config["_lab"]["machines"] if one["_lab"]["pool"] == context.parts["pool"]]
    return {"items": machines}


@route("GET", POOLS + "/{pool}/machines/{machine}")
def get_machine(context: Context) -> Document:
    return _machine(context, _find(context))


@route("DELETE", POOLS + "/{pool}/machines/{machine}")
def delete_machine(context: Context) -> Reply:
    config = _find(context)
    machine = _machine(context, config)
    machine["status"]["instanceState"] = "Deleting"
    machine["_lab"]["since"] = context.lab.clock()
    engine.move(context.lab, config["_lab"]["cluster"])
    return _save(context, config)


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


def _machine(context: Context, config: Document) -> Document:
    for machine in config["_lab"]["machines"]:
        if machine["metadata"]["uid"] == context.parts["machine"]:
            return machine
    raise not_found("Machine", context.parts["machine"])


def _write(context: Context, config: Document) -> None:
    cluster = _cluster(context, config)
    uid = cluster["metadata"]["uid"]
    others = {
        host["hostUid"]
        for pool in config["spec"]["machinePoolConfig"]
        if pool["name"] != (context.given("poolConfig") or {}).get("name")
        for host in pool["hosts"]
    }
    problems = engine.pool_problems(context.lab, context.body or {}, project=context.project, cluster=uid, taken=others)
    if problems:
        raise ApiError(400, "MachinePoolValidationFailed", "; ".join(text for _group, _name, text in problems))
    with context.store.transaction():
        engine.write_pool(context.lab, config, context.body)
        engine.bind_hosts(context.lab, cluster, config)
        _save(context, config)
