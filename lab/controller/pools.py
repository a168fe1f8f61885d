"""The cloud config of a cluster: its network definition, node pools and machines."""

from __future__ import annotations

from typing import Any

from . import bodies, engine, events
from .core import DONE, Context, Lab, Reply, created, route
from .errors import ApiError, conflict, invalid, not_found
from .store import Document

PATH = "/v1/cloudconfigs/edge-native/{uid}"
POOLS = PATH + "/machinePools"


@route("GET", PATH)
def get_config(context: Context) -> Document:
    return find(context)


@route("PUT", PATH + "/clusterConfig", body=bodies.CLUSTER_NETWORK)
def put_cluster_config(context: Context) -> Reply:
    config = find(context)
    wanted = network(context.given("clusterConfig") or {})
    fixed = [name for name, have in _fixed(config["spec"]["clusterConfig"]).items() if _fixed(wanted)[name] != have]
    if fixed:
        raise invalid(f"{', '.join(fixed)} cannot be changed after the cluster was created", code="ClusterConfigFixed")
    config["spec"]["clusterConfig"] = wanted
    events.of_cluster(
        context.lab, _cluster(context, config), "CloudConfigChanged", "SSH keys, NTP servers or VIP changed"
    )
    return _save(context, config)


def _fixed(network_of: Document) -> dict[str, Any]:
    """What of a network definition is decided at creation."""
    overlay = network_of.get("overlayNetworkConfiguration") or {}
    return {
        "overlayNetworkConfiguration": (bool(overlay.get("enable")), overlay.get("cidr") or ""),
        "isTwoNodeCluster": bool(network_of.get("isTwoNodeCluster")),
    }


@route("POST", POOLS, body=bodies.POOL)
def create_pool(context: Context) -> Reply:
    config = find(context)
    name = context.body["poolConfig"]["name"]
    if _pool(config, name) is not None:
        raise conflict(f"Machine pool '{name}' already exists")
    _write(context, config)
    return created(context.lab.uid())


@route("PUT", POOLS + "/{pool}", body=bodies.POOL)
def put_pool(context: Context) -> Reply:
    config = find(context)
    _named(config, context.parts["pool"])
    if context.body["poolConfig"]["name"] != context.parts["pool"]:
        raise invalid("A machine pool cannot be renamed")
    _write(context, config)
    return DONE


@route("DELETE", POOLS + "/{pool}")
def delete_pool(context: Context) -> Reply:
    config = find(context)
    pool = _named(config, context.parts["pool"])
    if pool.get("isControlPlane"):
        raise invalid("The control plane pool cannot be deleted")
    config["spec"]["machinePoolConfig"].remove(pool)
    events.of_cluster(context.lab, _cluster(context, config), "PoolDeleted", f"The node pool {pool['name']} is deleted")
    engine.bind_hosts(context.lab, _cluster(context, config), config)
    return _save(context, config)


@route("GET", "/v1/cloudconfigs/{uid}/machinePools/machineUids")
def machine_uids(context: Context) -> Document:
    config = find(context)
    found: dict[str, dict[str, list[str]]] = {
        pool["name"]: {"machineUids": []} for pool in config["spec"]["machinePoolConfig"]
    }
    for one in config["_lab"]["machines"]:
        found.setdefault(one["_lab"]["pool"], {"machineUids": []})["machineUids"].append(one["metadata"]["uid"])
    return {"machinePools": found}


@route("GET", POOLS + "/{pool}/machines")
def list_machines(context: Context) -> Document:
    config = find(context)
    _named(config, context.parts["pool"])
    machines = [one for one in config["_lab"]["machines"] if one["_lab"]["pool"] == context.parts["pool"]]
    return {"items": machines}


@route("GET", POOLS + "/{pool}/machines/{machine}")
def get_machine(context: Context) -> Document:
    return find_machine(context, find(context))


@route("DELETE", POOLS + "/{pool}/machines/{machine}")
def delete_machine(context: Context) -> Reply:
    config = find(context)
    engine.leave(context.lab, find_machine(context, config))
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
        wanted = (config.get("machinePoolProperties") or {}).get("archType") or "amd64"
        own = (host["spec"].get("device") or {}).get("archType") or host["spec"].get("archType") or "amd64"
        if own != wanted:
            found.append(f"Edge host '{uid}' is {own}, the pool is {wanted}")
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


def find(context: Context) -> Document:
    """The cloud config of the path."""
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


def find_machine(context: Context, config: Document) -> Document:
    """The machine of the path."""
    machines: list[Document] = config["_lab"]["machines"]
    for machine in machines:
        if (machine["metadata"]["uid"], machine["_lab"]["pool"]) == (context.parts["machine"], context.parts["pool"]):
            return machine
    raise not_found("Machine", context.parts["machine"])


def _quorum(config: Document, name: str, wanted: int) -> list[str]:
    """Growing to an even number of control planes is refused, but for one more than three or five, to replace a host."""
    have = len((_pool(config, name) or {"hosts": []})["hosts"])
    replacing = have >= 3 and wanted == have + 1
    if wanted % 2 == 1 or wanted <= have or replacing or config["spec"]["clusterConfig"].get("isTwoNodeCluster"):
        return []
    return [f"{wanted} control planes have no better quorum than {max(wanted - 1, 0)}: an odd number is needed"]


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
    if context.body["poolConfig"].get("isControlPlane"):
        found += _quorum(config, name, len(context.body["cloudConfig"]["edgeHosts"]))
    if found:
        raise ApiError(400, "MachinePoolValidationFailed", "; ".join(found))
    known = _pool(config, name) is not None
    write(context.lab, config, context.body)
    hosts = ", ".join(one["hostUid"] for one in context.body["cloudConfig"]["edgeHosts"])
    words = f"The node pool {name} is {'changed' if known else 'added'}: {hosts or 'no hosts'}"
    events.of_cluster(context.lab, cluster, "PoolChanged" if known else "PoolAdded", words)
    engine.bind_hosts(context.lab, cluster, config)
