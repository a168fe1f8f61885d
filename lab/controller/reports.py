"""How a cluster is shown that others form: what they reported last, as far as it is still about what is wanted.

The status follows from the last report, the definition and the faults that are on, whenever it is looked at.
"""

from __future__ import annotations

import json

from . import desired, events, faults, nodes, rollout
from .core import Lab
from .store import Document


def reported(cluster: Document) -> bool:
    """Whether the cluster is formed by others who report; a cluster of states goes on by time."""
    return str(cluster["_lab"].get("formedBy", "states")) != "states"


def number(lab: Lab, cluster: Document, config: Document) -> Document:
    """What is wanted of the cluster, with its revision: another one when something of it changed since it was asked."""
    inner = cluster["_lab"]
    wanted = desired.of(lab, cluster, config)
    known = desired.digest(wanted)
    if inner.get("digest") != known:
        inner["digest"], inner["revision"] = known, inner.get("revision", 0) + 1
    members = {(pool["name"], host["uid"]) for pool in wanted["pools"] for host in pool["hosts"]}
    for machine in config["_lab"]["machines"]:
        if (machine["_lab"]["pool"], machine["spec"]["edgeHostUid"]) in members:
            machine["_lab"].setdefault("revision", inner["revision"])
    return {**wanted, "revision": inner["revision"]}


def digests(wanted: Document) -> dict[str, str]:
    """What each pack is about, by profile and name."""
    return {f"{one['profileUid']}/{one['name']}": desired.digest(one) for one in wanted["layers"]}


def show(lab: Lab, cluster: Document, config: Document) -> Document:
    """Brings what is shown up to the present and returns what is wanted; writes only what changed."""
    before = json.dumps(cluster), json.dumps(config)
    wanted = number(lab, cluster, config)
    if cluster["_lab"].get("report") is not None and cluster["_lab"]["phase"] not in ("deleting", "deleted"):
        _show_cluster(lab, cluster, wanted)
        _show_machines(config, cluster["_lab"]["report"])
    if before[0] != json.dumps(cluster):
        lab.store.put("cluster", cluster["metadata"]["uid"], cluster)
    if before[1] != json.dumps(config):
        lab.store.put("config", config["metadata"]["uid"], config)
    return wanted


def settled(cluster: Document) -> bool:
    """Whether nothing but a report or a change moves it on."""
    return cluster["_lab"]["phase"] in ("running", "deleting", "deleted")


def _show_cluster(lab: Lab, cluster: Document, wanted: Document) -> None:
    inner = cluster["_lab"]
    report = inner["report"]
    about = digests(wanted)
    changed = {key for key in about if inner["packs"].get(key) != about[key]}
    if inner["phase"] == "running" and changed:
        inner["phase"] = "forming"
    state = report.get("state") or "Pending"
    broken = inner["phase"] != "running" and faults.breaks(lab.faults, cluster)
    if broken:
        state, inner["phase"] = "Error", "failed"
    elif inner["phase"] != "running":
        inner["phase"] = "running" if state == "Running" and not changed else "forming"
    inner["formed"] = inner.get("formed", False) or inner["phase"] == "running"
    told = {f"{one['profileUid']}/{one['name']}": one["condition"] for one in report.get("packs") or []}
    waiting = {"type": "WaitingForOtherLayers", "status": "False"}
    packs = [
        {
            "name": one["name"],
            "profileUid": one["profileUid"],
            "type": one["type"],
            "version": one["version"],
            "condition": waiting if key in changed else told.get(key, waiting),
        }
        for key, one in zip(about, wanted["layers"], strict=True)
    ]
    tell(lab, cluster, state)
    cluster["status"] = {
        **(cluster.get("status") or {}),
        "location": inner.get("location") or {},
        "state": state,
        "conditions": report.get("conditions") or [],
        "packs": packs,
        "spcApply": rollout.applied(cluster),
    }


def _show_machines(config: Document, report: Document) -> None:
    told = report.get("machines") or {}
    for machine in config["_lab"]["machines"]:
        one = told.get(machine["spec"]["edgeHostUid"])
        known = machine["_lab"].get("revision")
        if one is None or machine["status"]["instanceState"] == "Deleting":
            continue
        # What was said of this host before it became this machine is not about it.
        if known is not None and report["revision"] >= known:
            health = {"health": {"conditions": one["conditions"]}} if one.get("conditions") else {}
            machine["status"] = {
                **nodes.kept(machine),
                "instanceState": one.get("state") or "Pending",
                "ready": bool(one.get("ready")),
                **health,
            }
            nodes.take(machine, cordoned=bool(one.get("cordoned")))


def tell(lab: Lab, cluster: Document, state: str) -> None:
    """Notes that a cluster is in another state than it was."""
    before = (cluster.get("status") or {}).get("state", "")
    if state == before:
        return
    failed = state == "Error"
    words = f"The cluster was {before or 'new'} and is {state}"
    uid, name = cluster["metadata"]["uid"], cluster["metadata"]["name"]
    if failed:
        words = f"{words}: {faults.WORDS}" if cluster["_lab"]["phase"] == "failed" else words
    events.record(lab, "spectrocluster", uid, name, f"Cluster{state}", words, events.ERROR if failed else events.INFO)
