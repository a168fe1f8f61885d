"""How things move on: the health of hosts, clusters from Pending to Running, machines, deletion.

Nothing runs in the background: with each request the state is brought up to the present, so that a restarted
controller, or a test with a clock of its own, sees the same.
"""

from __future__ import annotations

from typing import Any

from .core import Lab
from .kubernetes import Provider, StatesOnly
from .store import Document

SETTLED = ("running", "deleted", "failed")


def advance(lab: Lab) -> None:
    """Brings everything up to the present."""
    now = lab.clock()
    for uid in lab.store.silent(now - lab.options.heartbeat_timeout):
        host = lab.store.get("host", uid)
        if host is not None and (host["status"].get("health") or {}).get("state") == "healthy":
            host["status"]["health"] |= {"state": "unhealthy", "message": "No heartbeat from the host"}
            lab.store.put("host", uid, host)
    for uid in lab.store.setting("moving", []):
        cluster = lab.store.get("cluster", uid)
        if cluster is not None:
            _advance_cluster(lab, cluster, now)


def members(config: Document) -> list[str]:
    """UIDs of the hosts of all pools."""
    return [host["hostUid"] for pool in config["spec"].get("machinePoolConfig") or [] for host in pool["hosts"]]


def pool_problems(
    lab: Lab, pool: Document, *, project: str, cluster: str, taken: set[str]
) -> list[tuple[str, str, str]]:
    """What is wrong with a pool as it is written; ``taken`` collects the hosts already used by others."""
    config: Document = pool.get("poolConfig") or {}
    hosts: list[Document] = (pool.get("cloudConfig") or {}).get("edgeHosts") or []
    name = str(config.get("name", ""))
    found: list[str] = []
    if config.get("labels") != ["control-plane" if config.get("isControlPlane") else "worker"]:
        found.append("labels must be [control-plane] or [worker], as isControlPlane says")
    if config.get("size") != len(hosts):
        found.append(f"size is {config.get('size')}, the pool has {len(hosts)} hosts")
    for given in hosts:
        uid = given.get("hostUid", "")
        host = lab.store.get("host", uid)
        if uid in taken:
            found.append(f"Edge host '{uid}' is used twice")
        taken.add(uid)
        if host is None or lab.store.project_of("host", uid) != project:
            found.append(f"Edge host '{uid}' is not found in this project")
            continue
        used = [one for one in host["status"].get("inUseClusters") or [] if one["uid"] != cluster]
        if used:
            found.append(f"Edge host '{uid}' is in use by cluster '{used[0]['name']}'")
        elif host["status"]["state"] == "unpaired":
            found.append(f"Edge host '{uid}' is not ready")
    return [("pool", name, text) for text in found]


def write_pool(lab: Lab, config: Document, pool: Document) -> None:
    """Takes a pool as it is written into the cloud config, in the shape in which it is read."""
    given = pool["poolConfig"]
    hosts = []
    for one in pool["cloudConfig"]["edgeHosts"]:
        host = lab.store.get("host", one["hostUid"]) or {"spec": {"host": {}}}
        hosts.append({**one, "hostAddress": host["spec"]["host"].get("hostAddress", "")})
    kept = {key: value for key, value in given.items() if key not in ("size", "labels")}
    read = {**kept, "size": len(hosts), "labels": given["labels"], "hosts": hosts}
    pools = config["spec"]["machinePoolConfig"]
    place = next((index for index, one in enumerate(pools) if one["name"] == given["name"]), None)
    if place is None:
        pools.append(read)
    else:
        pools[place] = read


def bind_hosts(lab: Lab, cluster: Document, config: Document) -> None:
    """Makes machines for new members, takes hosts into use and lets those go that are no members any more."""
    uid, name = cluster["metadata"]["uid"], cluster["metadata"]["name"]
    wanted = {host["hostUid"]: pool["name"] for pool in config["spec"]["machinePoolConfig"] for host in pool["hosts"]}
    machines: list[Document] = config["_lab"]["machines"]
    have = {one["spec"]["edgeHostUid"] for one in machines}
    for machine in machines:
        if machine["spec"]["edgeHostUid"] not in wanted and machine["status"]["instanceState"] != "Deleting":
            machine["status"]["instanceState"] = "Deleting"
            machine["_lab"]["since"] = lab.clock()
    for host_uid, pool in wanted.items():
        if host_uid not in have:
            machines.append(_machine(lab, host_uid, pool))
        host = lab.store.get("host", host_uid)
        if host is not None:
            reference = {"uid": uid, "name": name}
            host["status"] |= {"state": "in-use", "inUseClusters": [reference], "inUseClustersRef": [reference]}
            lab.store.put("host", host_uid, host)
    lab.store.put("config", config["metadata"]["uid"], config)
    move(lab, uid)


def upgrade(lab: Lab, cluster: Document) -> None:
    """The attached profiles changed: the packs get ready anew."""
    if cluster["_lab"]["phase"] == "running":
        cluster["_lab"] |= {"phase": "forming", "worked": lab.options.form_seconds * 0.7, "since": lab.clock()}
        move(lab, cluster["metadata"]["uid"])


def move(lab: Lab, uid: str, *, settled: bool = False) -> None:
    """Notes that a cluster has to be looked at with each request, or has not any more."""
    moving = [one for one in lab.store.setting("moving", []) if one != uid]
    lab.store.set("moving", moving if settled else [*moving, uid])


def _machine(lab: Lab, host_uid: str, pool: str) -> Document:
    host = lab.store.get("host", host_uid) or {"spec": {"host": {}}}
    address = host["spec"]["host"].get("hostAddress", "")
    return {
        "metadata": {"uid": lab.uid(), "name": host_uid},
        "spec": {"edgeHostUid": host_uid, "nics": [{"privateIPs": [address]}] if address else []},
        "status": {"instanceState": "Pending"},
        "_lab": {"pool": pool, "since": lab.clock(), "worked": 0.0},
    }


def _advance_cluster(lab: Lab, cluster: Document, now: float) -> None:
    inner = cluster["_lab"]
    uid = cluster["metadata"]["uid"]
    config = lab.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"])
    if config is None:
        return
    passed, inner["since"] = max(0.0, now - inner["since"]), now
    if inner["phase"] == "deleting":
        inner["leaving"] = inner.get("leaving", 0.0) + passed
        if inner["leaving"] >= lab.options.form_seconds / 2:
            _release(lab, uid, keep=set())
            inner["phase"] = "deleted"
            cluster["status"] = {**(cluster.get("status") or {}), "state": "Deleted"}
    else:
        if any(
            fault["kind"] == "cluster-error" and fault.get("name") == cluster["metadata"]["name"]
            for fault in lab.faults
        ):
            inner["phase"] = "failed"
        _form(lab, cluster, config, passed)
    lab.store.put("config", config["metadata"]["uid"], config)
    lab.store.put("cluster", uid, cluster)
    idle = all(one["status"]["instanceState"] == "Running" for one in config["_lab"]["machines"])
    if inner["phase"] == "deleted" or (inner["phase"] == "running" and idle):
        move(lab, uid, settled=True)


def _form(lab: Lab, cluster: Document, config: Document, passed: float) -> None:
    inner = cluster["_lab"]
    unwell = [uid for uid in members(config) if not _healthy(lab, uid)]
    if not unwell:
        inner["worked"] += passed
    provider: Provider = StatesOnly(lab.options.form_seconds)
    done = provider.formed(cluster, config, worked=inner["worked"])
    _advance_machines(lab, cluster, config, passed, healthy=not unwell)
    if inner["phase"] == "failed":
        state = "Error"
    elif done >= 1.0:
        state, inner["phase"] = "Running", "running"
    else:
        state, inner["phase"] = ("Provisioning" if done > 0.3 else "Pending"), "forming"
        if done <= 0.1:
            return  # a fresh cluster has no status yet
    message = f"Waiting for Edge hosts: {', '.join(unwell)}" if unwell else ""
    templates = cluster["spec"]["clusterProfileTemplates"]
    packs = [_pack_status(pack, one, ready=done >= 1.0) for one in templates for pack in one["packs"]]
    condition = {"type": "EdgeHostsReady", "status": "False" if unwell else "True", "message": message}
    cluster["status"] = {
        **(cluster.get("status") or {}),
        "state": state,
        "conditions": [condition],
        "packs": packs,
        "spcApply": {"actionType": "DownloadAndInstall", "canBeApplied": True},
    }


def _advance_machines(lab: Lab, cluster: Document, config: Document, passed: float, *, healthy: bool) -> None:
    """Machines follow one after the other; each takes half of the time that a cluster takes."""
    kept = []
    span = lab.options.form_seconds / 2
    for index, machine in enumerate(config["_lab"]["machines"]):
        inner = machine["_lab"]
        if machine["status"]["instanceState"] == "Deleting":
            if lab.clock() - inner["since"] < span:
                kept.append(machine)
            continue
        inner["worked"] += passed if healthy else 0.0
        share = 1.0 if span <= 0 else inner["worked"] / span - 0.2 * index
        states = ((1.0, "Running"), (0.6, "Provisioned"), (0.2, "Provisioning"))
        state = next((name for floor, name in states if share >= floor), "Pending")
        # The last machine runs before the cluster does.
        if cluster["_lab"]["phase"] == "running" and share >= 0.5:
            state = "Running"
        machine["status"] = {"instanceState": state, "ready": state == "Running"}
        kept.append(machine)
    if len(kept) != len(config["_lab"]["machines"]):
        config["_lab"]["machines"] = kept
        _release(lab, cluster["metadata"]["uid"], keep=set(members(config)))


def _release(lab: Lab, cluster_uid: str, *, keep: set[str]) -> None:
    for host in lab.store.all("host"):
        used: list[Any] = host["status"].get("inUseClusters") or []
        if used and used[0]["uid"] == cluster_uid and host["metadata"]["uid"] not in keep:
            host["status"] |= {"state": "ready", "inUseClusters": [], "inUseClustersRef": []}
            lab.store.put("host", host["metadata"]["uid"], host)


def _healthy(lab: Lab, uid: str) -> bool:
    host = lab.store.get("host", uid)
    return host is not None and (host["status"].get("health") or {}).get("state") == "healthy"


def _pack_status(pack: Document, template: Document, *, ready: bool) -> Document:
    condition = {"type": "Ready" if ready else "WaitingForOtherLayers", "status": "True"}
    return {
        "name": pack["name"],
        "profileUid": template["uid"],
        "type": pack.get("type", ""),
        "version": pack.get("version", ""),
        "condition": condition,
    }
