"""How things move on: the health of hosts, clusters from Pending to Running, machines, deletion.

A cluster that others form moves on by what they report (see :mod:`lab.controller.reports`), every other by time.

Nothing runs in the background: with each request the state is brought up to the present, so that a restarted
controller, or a test with a clock of its own, sees the same.
"""

from __future__ import annotations

from . import events, faults, nodes, reports, rollout
from .core import Lab
from .store import Document

# Between two requests that follow each other faster than this (in seconds), nothing is looked at. With many clusters on
# their way it is longer, so that looking at them takes about a tenth of the time.
TICK = 0.02
TOGETHER = 10
# The share of its forming during which a new cluster is shown without a status.
BARE = 0.1
# How long the repave of one node takes, as a share of the time that a cluster takes to form.
TURN = 0.15


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
    # One whose machine was gone already when its pool let it go has nobody else to free it.
    present = {one["spec"]["edgeHostUid"] for one in machines}
    release(lab, uid, set(config["_lab"].get("bound", [])) - set(wanted) - present)
    config["_lab"]["bound"] = sorted({*wanted, *present})
    lab.store.put("config", config["metadata"]["uid"], config)
    move(lab, uid)


def leave(lab: Lab, machine: Document) -> None:
    """A machine begins to go."""
    if machine["status"]["instanceState"] != "Deleting":
        machine["status"] = {**machine["status"], "instanceState": "Deleting", "ready": False}
        machine["_lab"]["since"] = lab.clock()


def upgrade(lab: Lab, cluster: Document, before: Document) -> None:
    """The attached profiles changed: nodes are repaved one after the other where they have to be, packs get ready anew.

    :param before: what was in force (see :func:`lab.controller.rollout.in_force`).
    """
    touch(lab, cluster)
    inner = cluster["_lab"]
    if reports.reported(cluster) or not inner.get("formed"):
        return
    config = lab.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"])
    if rollout.reasons(before["templates"], rollout.templates(cluster)) and config is not None:
        inner["turns"] = _turns(config)
        inner["turn"] = 0.0
    inner |= {"phase": "forming", "worked": lab.options.form_seconds * 0.7, "since": lab.clock()}
    move(lab, cluster["metadata"]["uid"])


def _turns(config: Document) -> list[str]:
    """The hosts whose nodes are repaved, in their order: control planes first; pools that skip upgrades stay."""
    pools = sorted(config["spec"].get("machinePoolConfig") or [], key=lambda one: not one.get("isControlPlane"))
    return [host["hostUid"] for pool in pools if pool.get("skipK8sUpgrade") != "enabled" for host in pool["hosts"]]


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
        cluster["metadata"]["deletionTimestamp"] = lab.now()
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
        name = host["metadata"]["name"]
        events.record(lab, "edgehost", uid, name, "Unhealthy", "No heartbeat from the host", events.WARNING)
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
        away = [one for one in members(config) if not healthy(lab, one)]
        if inner.get("force") or not away:
            # A host that does not answer cannot be cleaned up.
            inner["leaving"] = inner.get("leaving", 0.0) + passed
        else:
            _waits(lab, cluster, away)
        inner.setdefault("leaving", 0.0)
        if inner["leaving"] >= lab.options.form_seconds / 2:
            end(lab, cluster, config)
    else:
        _form(lab, cluster, config, passed)
    lab.store.put("config", config["metadata"]["uid"], config)
    lab.store.put("cluster", uid, cluster)
    idle = all(_idle(one) for one in config["_lab"]["machines"])
    if inner["phase"] == "deleted" or (inner["phase"] == "running" and idle):
        move(lab, uid, settled=True)


def _form(lab: Lab, cluster: Document, config: Document, passed: float) -> None:
    inner = cluster["_lab"]
    unwell = [uid for uid in members(config) if not healthy(lab, uid)]
    broken = inner["phase"] != "running" and faults.breaks(lab.faults, cluster)
    inner["age"] = inner.get("age", 0.0) + passed
    span = lab.options.form_seconds
    if not unwell and not broken:
        inner["worked"] += _take_turns(lab, cluster, passed)
    _waits(lab, cluster, unwell)
    done = 1.0 if span <= 0 else min(1.0, inner["worked"] / span)
    _advance_machines(lab, cluster, config, 0.0 if unwell or broken else passed)
    if broken:
        state, inner["phase"] = "Error", "failed"
    elif done >= 1.0:
        state, inner["phase"] = "Running", "running"
        inner["formed"] = True
    else:
        state, inner["phase"] = ("Provisioning" if done > 0.3 else "Pending"), "forming"
        if inner["age"] <= BARE * lab.options.form_seconds:
            return  # a fresh cluster has no status yet
    message = f"Waiting for Edge hosts: {', '.join(unwell)}" if unwell else ""
    templates = rollout.templates(cluster)
    packs = [_pack_status(pack, one, ready=done >= 1.0) for one in templates for pack in one["packs"]]
    conditions = [{"type": "EdgeHostsReady", "status": "False" if unwell else "True", "message": message}]
    if broken:
        conditions.append({"type": "AsDefined", "status": "False", "message": faults.WORDS})
        for one in packs:
            if one["name"] in _repaved(templates):
                one["condition"] = {"type": "Error", "status": "True", "message": faults.WORDS}
    reports.tell(lab, cluster, state)
    cluster["status"] = {
        **(cluster.get("status") or {}),
        "location": inner.get("location") or {},
        "state": state,
        "conditions": conditions,
        "packs": packs,
        "spcApply": rollout.applied(cluster),
    }


def _advance_machines(lab: Lab, cluster: Document, config: Document, worked: float) -> None:
    """Machines follow one after the other and are ready before the cluster is; going takes each as long as coming."""
    kept, gone = [], set()
    span = lab.options.form_seconds / 2
    machines = config["_lab"]["machines"]
    turn = cluster["_lab"].get("turns", [])[:1]
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
        if machine["spec"]["edgeHostUid"] in turn:
            state = "Provisioning"
        machine["status"] = {**nodes.kept(machine), "instanceState": state, "ready": state == "Running"}
        if state == "Running" and not inner.get("joined"):
            inner["joined"] = True
            words = f"The node {machine['metadata']['name']} has joined the pool {inner['pool']}"
            events.of_cluster(lab, cluster, "NodeJoined", words)
        nodes.advance(machine, worked, lab.options.form_seconds)
        kept.append(machine)
    if gone:
        config["_lab"]["machines"] = kept
        events.of_cluster(lab, cluster, "NodesRemoved", f"Removed: {', '.join(sorted(gone))}")
        release(lab, cluster["metadata"]["uid"], gone - set(members(config)))


def _waits(lab: Lab, cluster: Document, away: list[str]) -> None:
    """Notes whom the cluster waits for, when it is another one than before."""
    before, cluster["_lab"]["away"] = cluster["_lab"].get("away") or [], away
    if away and away != before:
        words = f"Waiting for Edge hosts: {', '.join(away)}"
        events.of_cluster(lab, cluster, "EdgeHostsNotReady", words, events.WARNING)


def _idle(machine: Document) -> bool:
    status = machine["status"].get("maintenanceStatus") or {}
    return bool(
        machine["status"]["instanceState"] == "Running" and status.get("state", nodes.COMPLETED) == nodes.COMPLETED
    )


def _take_turns(lab: Lab, cluster: Document, passed: float) -> float:
    """Nodes are repaved one after the other; returns the time that is left for what comes after."""
    inner, span = cluster["_lab"], lab.options.form_seconds
    if not inner.get("turns"):
        return passed
    inner["turn"] = inner.get("turn", 0.0) + passed
    while inner["turns"] and inner["turn"] >= TURN * span:
        inner["turn"] -= TURN * span
        events.of_cluster(lab, cluster, "NodeRepaved", f"The node {inner['turns'][0]} was repaved")
        inner["turns"] = inner["turns"][1:]
    return 0.0 if inner["turns"] else float(inner["turn"])


def _repaved(templates: list[Document]) -> set[str]:
    return {pack["name"] for one in templates for pack in one["packs"] if pack.get("layer") == "k8s"}


def release(lab: Lab, cluster_uid: str, hosts: set[str]) -> None:
    """Hosts that are no longer part of the cluster can be used again."""
    for uid in sorted(hosts):
        host = lab.store.get("host", uid)
        if host is not None and any(one["uid"] == cluster_uid for one in host["status"].get("inUseClusters") or []):
            was_reset = free(host)
            lab.store.put("host", uid, host)
            if was_reset:
                events.record(lab, "edgehost", uid, host["metadata"]["name"], "Reset", "The Edge host was reset")


def free(host: Document) -> bool:
    """Makes a host ready for another cluster; returns whether somebody waits for it to be reset."""
    host["status"] |= {"state": "ready", "inUseClusters": [], "inUseClustersRef": []}
    return bool((host.get("_lab") or {}).pop("resetting", False))


def _pack_status(pack: Document, template: Document, *, ready: bool) -> Document:
    condition = {"type": "Ready" if ready else "WaitingForOtherLayers", "status": "True"}
    return {
        "name": pack["name"],
        "profileUid": template["uid"],
        "type": pack.get("type", ""),
        "version": pack.get("version", ""),
        "condition": condition,
    }
