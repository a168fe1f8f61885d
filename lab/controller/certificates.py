"""Certificates of control planes: when they expire, and their renewal, which takes a moment."""

from __future__ import annotations

from . import events, faults
from .clusters import PATH, find
from .core import DONE, Context, Reply, route, stamp
from .errors import invalid
from .store import Document

DAY = 86400.0
VALID, CA_VALID, SOON = 365 * DAY, 3650 * DAY, 10 * DAY
# What a control plane has; the rest of its names is Kubernetes' own.
NAMES = {"kubernetes": ("apiserver", "apiserver-kubelet-client"), "etcd-ca": ("etcd-server", "etcd-peer")}


@route("GET", PATH + "/{uid}/k8certificates")
def get_certificates(context: Context) -> Document:
    cluster = find(context)
    config = context.store.get("config", cluster["spec"]["cloudConfigRef"]["uid"]) or {"spec": {}}
    planes = [pool for pool in config["spec"].get("machinePoolConfig") or [] if pool.get("isControlPlane")]
    until, authorities = _expiry(context, cluster), []
    for authority, names in NAMES.items():
        certificates = [{"name": name, "expiry": stamp(until)} for name in names]
        expiry = stamp(_born(context, cluster) + CA_VALID)
        authorities.append({"name": authority, "expiry": expiry, "certificates": certificates})
    machines = [host.get("hostName") or host["hostUid"] for pool in planes for host in pool["hosts"]]
    formed = cluster["_lab"].get("formed")
    listed = [{"name": name, "certificateAuthorities": authorities} for name in machines] if formed else []
    return {"machineCertificates": listed}


@route("PATCH", PATH + "/{uid}/k8certificates/renew")
def renew(context: Context) -> Reply:
    cluster = find(context)
    if not cluster["_lab"].get("formed"):
        raise invalid("The cluster does not run yet")
    cluster["_lab"]["renewal"] = {"asked": context.lab.clock(), "before": _expiry(context, cluster)}
    events.of_cluster(context.lab, cluster, "CertificatesRenewed", "Control plane certificates are renewed")
    context.store.put("cluster", context.parts["uid"], cluster)
    return DONE


def _born(context: Context, cluster: Document) -> float:
    born: float = cluster["_lab"].setdefault("born", cluster["_lab"].get("since", context.lab.clock()))
    return born


def _expiry(context: Context, cluster: Document) -> float:
    renewal = cluster["_lab"].get("renewal")
    if renewal is not None:
        # One control plane after the other gets them and is restarted.
        done = context.lab.clock() - renewal["asked"] >= context.lab.options.form_seconds / 2
        return float(renewal["asked"] + VALID if done else renewal["before"])
    if faults.holds(context.lab.faults, "certificates-expiring", name=cluster["metadata"]["name"]):
        # The same whenever it is asked for on one day: what differs is what was renewed.
        return context.lab.clock() // DAY * DAY + SOON
    return _born(context, cluster) + VALID
