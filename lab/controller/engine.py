"""How things move on: the health of hosts, clusters from Pending to Running, machines, deletion.

A cluster that others form moves on by what they report (see :mod:`lab.controller.reports`), every other by time.

Nothing runs in the background: with each request the state is brought up to the present, so that a restarted
controller, or a test with a clock of its own, sees the same.
"""

from __future__ import annotations

from . import faults, reports
from .core import Lab
from .store import Document

# Between two requests that follow each other faster than this (in seconds), nothing is looked at. With many clusters on
# their way it is longer, so that looking at them takes about a tenth of the time.
TICK = 0.02
TOGETHER = 10
# The share of its forming during which a new cluster is shown without a status.
BARE = 0.1


def advance(lab: Lab) -> None:
    """Brings everything up to the present."""
    now = lab.clock()
    if 0 <= now - lab.advanced < lab.pause:
        return
    lab.advanced = now
    silent = lab.store.silent(now - lab.options.heartbeat_timeout)
    moving = lab.store.setting("moving", [])
    lab.pause = TICK * max(1.0, len(moving) / TOGETHER)
    if not silent and not moving:
        return
    with lab.store.transaction():
        for uid in silent:
            _lose(lab, uid)
        for uid in moving:
            cluster = lab.store.get("cluster", uid)
            if cluster is not None:
                _advance_cluster(lab, cluster, now)


def members(config: Document) -> list[str]:
    """UIDs of the hosts of all pools."""
    return [host["hostUid"] for pool in config["spec"].get("machinePoolConfig") or [] for host in pool["hosts"]]


def bind_hosts(lab: Lab, cluster: Document, config: Document) -> None:
    """Makes machines for new members, takes hosts into use and lets those go that are no members any more."""
    uid, name = cluster["metadata"]["uid"], cluster["metadata"]["name"]
    wanted = {host["hostUid"]: pool["name"] for pool in config["spec"]["machinePoolConfig"] for host in pool["hosts"]}
    machines: list[Document] = config["_lab"]["machines"]
    for machine in machines:
        if wanted.get(machine["spec"]["edgeHostUid"]) != machine["_lab"]["pool"]:
            leave(lab, machine)
    have = {one["spec"]["edgeHostUid"] for one in machines if one["status"]["instanceState"] != "Deleting"}
    for host_uid, pool in wanted.items():
        host = lab.store.get("host", host_uid)
        if host_uid not in have:
            machines.append(_machine(lab, host_uid, pool, host))
        reference = {"uid": uid, "name": name}
        if host is not None and host["status"].get("inUseClusters") != [reference]:
            host["status"] |= {"state": "in-use", "inUseClusters": [reference], "inUseClustersRef": [reference]}
            lab.store.put("host", host_uid, host)
    lab.store.put("config", config["metadata"]["uid"], config)
    move(lab, uid)


def leave(lab: Lab, machine: Document) -> None:
    """A machine begins to go."""
    if machine["status"]["instanceState"] != "Deleting":
        machine["status"] = {**machine["status"], "instanceState": "Deleting", "ready": False}
        machine["_lab"]["since"] = lab.clock()


def upgrade(lab: Lab, cluster: Document) -> None:
    """The attached profiles changed: the packs get ready anew."""
    touch(lab, cluster)
    if not reports.reported(cluster) and cluster["_lab"]["phase"] == "running":
        cluster["_lab"] |= {"phase": "forming", "worked": lab.options.form_seconds * 0.7, "since": lab.clock()}
        move(lab, cluster["metadata"]["uid"])


def touch(lab: Lab, cluster: Document) -> None:
    """Something that packs depend on changed: those who form the cluster have to say anew that they are ready."""
    if reports.reported(cluster):
        move(lab, cluster["metadata"]["uid"])
        # The very next request sees it.
        lab.advanced = float("-inf")


def delete(lab: Lab, cluster: Document, *, force: bool = False) -> None:
    """A cluster begins to go. Asking again changes nothing, unless with ``force``: then it is gone at once."""
    if cluster["_lab"]["phase"] == "deleting" and force:
        config = lab.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"])
        if config is not None:
            end(lab, cluster, config)
            lab.store.put("cluster", cluster["metadata"]["uid"], cluster)
    elif cluster["_lab"]["phase"] not in ("deleting", "deleted"):
        cluster["_lab"] |= {"phase": "deleting", "since": lab.clock(), "force": force}
        cluster["status"] = {**(cluster.get("status") or {}), "state": "Deleting"}
        lab.store.put("cluster", cluster["metadata"]["uid"], cluster)
        move(lab, cluster["metadata"]["uid"])


def end(lab: Lab, cluster: Document, config: Document) -> None:
    """A cluster is gone: its hosts can be used again, and nothing secret is kept of it."""
    uid = cluster["metadata"]["uid"]
    release(lab, uid, {*members(config), *(one["spec"]["edgeHostUid"] for one in config["_lab"]["machines"])})
    cluster["_lab"]["phase"] = "deleted"
    cluster["_lab"].pop("kubeconfig", None)
    cluster["status"] = {**(cluster.get("status") or {}), "state": "Deleted"}
    move(lab, uid, settled=True)


def let_go(lab: Lab, cluster: Document, config: Document, hosts: set[str]) -> None:
    """The leaving machines of these hosts are gone; the hosts can be used again where no pool has them."""
    config["_lab"]["machines"] = [
        one
        for one in config["_lab"]["machines"]
        if one["status"]["instanceState"] != "Deleting" or one["spec"]["edgeHostUid"] not in hosts
    ]
    release(lab, cluster["metadata"]["uid"], hosts - set(members(config)))


def take_over(lab: Lab, cluster: Document) -> None:
    """A cluster that nobody can form goes on by time, from now."""
    cluster["_lab"] |= {"formedBy": "states", "since": lab.clock()}
    lab.store.put("cluster", cluster["metadata"]["uid"], cluster)
    move(lab, cluster["metadata"]["uid"])


def move(lab: Lab, uid: str, *, settled: bool = False) -> None:
    """Notes that a cluster has to be looked at as time passes, or has not any more."""
    before = lab.store.setting("moving", [])
    moving = [one for one in before if one != uid] + ([] if settled else [uid])
    if moving != before:
        lab.store.set("moving", moving)


def healthy(lab: Lab, uid: str) -> bool:
    """Whether the host's agent says so, and is heard of."""
    host = lab.store.get("host", uid)
    return host is not None and (host["status"].get("health") or {}).get("state") == "healthy"


def _lose(lab: Lab, uid: str) -> None:
    """A host is silent; the next heartbeat brings it back."""
    host = lab.store.get("host", uid)
    if host is not None and (host["status"].get("health") or {}).get("state") == "healthy":
        host["status"]["health"] |= {"state": "unhealthy", "message": "No heartbeat from the host"}
        lab.store.put("host", uid, host)
    lab.store.forget(uid)


def _machine(lab: Lab, host_uid: str, pool: str, host: Document | None) -> Document:
    address = host["spec"]["host"].get("hostAddress", "") if host else ""
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
    if reports.reported(cluster):
        reports.show(lab, cluster, config)
        if reports.settled(cluster):
            move(lab, uid, settled=True)
        return
    passed, inner["since"] = max(0.0, now - inner["since"]), now
    if inner["phase"] == "deleting":
        inner["leaving"] = inner.get("leaving", 0.0) + passed
        if inner["leaving"] >= lab.options.form_seconds / 2:
            end(lab, cluster, config)
    else:
        _form(lab, cluster, config, passed)
    lab.store.put("config", config["metadata"]["uid"], config)
    lab.store.put("cluster", uid, cluster)
    idle = all(one["status"]["instanceState"] == "Running" for one in config["_lab"]["machines"])
    if inner["phase"] == "deleted" or (inner["phase"] == "running" and idle):
        move(lab, uid, settled=True)


def _form(lab: Lab, cluster: Document, config: Document, passed: float) -> None:
    inner = cluster["_lab"]
    unwell = [uid for uid in members(config) if not healthy(lab, uid)]
    broken = inner["phase"] != "running" and faults.holds(lab.faults, "cluster-error", name=cluster["metadata"]["name"])
    inner["age"] = inner.get("age", 0.0) + passed
    if not unwell and not broken:
        inner["worked"] += passed
    span = lab.options.form_seconds
    done = 1.0 if span <= 0 else min(1.0, inner["worked"] / span)
    _advance_machines(lab, cluster, config, 0.0 if unwell or broken else passed)
    if broken:
        state, inner["phase"] = "Error", "failed"
    elif done >= 1.0:
        state, inner["phase"] = "Running", "running"
    else:
        state, inner["phase"] = ("Provisioning" if done > 0.3 else "Pending"), "forming"
        if inner["age"] <= BARE * lab.options.form_seconds:
            return  # a fresh cluster has no status yet
    message = f"Waiting for Edge hosts: {', '.join(unwell)}" if unwell else ""
    templates = cluster["spec"]["clusterProfileTemplates"]
    packs = [_pack_status(pack, one, ready=done >= 1.0) for one in templates for pack in one["packs"]]
    condition = {"type": "EdgeHostsReady", "status": "False" if unwell else "True", "message": message}
    cluster["status"] = {
        **(cluster.get("status") or {}),
        "location": inner.get("location") or {},
        "state": state,
        "conditions": [condition],
        "packs": packs,
        "spcApply": {"actionType": "DownloadAndInstall", "canBeApplied": True},
    }


def _advance_machines(lab: Lab, cluster: Document, config: Document, worked: float) -> None:
    """Machines follow one after the other and are ready before the cluster is; going takes each as long as coming."""
    kept, gone = [], set()
    span = lab.options.form_seconds / 2
    machines = config["_lab"]["machines"]
    for index, machine in enumerate(machines):
        inner = machine["_lab"]
        if machine["status"]["instanceState"] == "Deleting":
            if lab.clock() - inner["since"] < span:
                kept.append(machine)
            else:
                gone.add(machine["spec"]["edgeHostUid"])
            continue
        inner["worked"] += worked
        share = 1.0 if span <= 0 else inner["worked"] / span - 0.5 * index / len(machines)
        states = ((1.0, "Running"), (0.6, "Provisioned"), (0.2, "Provisioning"))
        state = next((name for floor, name in states if share >= floor), "Pending")
        machine["status"] = {"instanceState": state, "ready": state == "Running"}
        kept.append(machine)
    if gone:
        config["_lab"]["machines"] = kept
        release(lab, cluster["metadata"]["uid"], gone - set(members(config)))


def release(lab: Lab, cluster_uid: str, hosts: set[str]) -> None:
    """Hosts that are no longer part of the cluster can be used again."""
    for uid in sorted(hosts):
        host = lab.store.get("host", uid)
        if host is not None and any(one["uid"] == cluster_uid for one in host["status"].get("inUseClusters") or []):
            host["status"] |= {"state": "ready", "inUseClusters": [], "inUseClustersRef": []}
            lab.store.put("host", uid, host)


def _pack_status(pack: Document, template: Document, *, ready: bool) -> Document:
    condition = {"type": "Ready" if ready else "WaitingForOtherLayers", "status": "True"}
    return {
        "name": pack["name"],
        "profileUid": template["uid"],
        "type": pack.get("type", ""),
        "version": pack.get("version", ""),
        "condition": condition,
    }
