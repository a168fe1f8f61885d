"""Edge hosts: what users do with them, and what their agents tell."""

from __future__ import annotations

import re
from typing import Any

from . import bodies, events, faults, shapes, tunnels
from .core import DONE, Context, Lab, Reply, created, route
from .errors import ApiError, conflict, invalid, not_found
from .store import Document

PATH = "/v1/edgehosts"
_FORBIDDEN = re.compile(r"[/?#&+%,$~!@*(){}|=;:<>'.^\"\s\x00-\x1f]")


@route("POST", PATH, body=bodies.HOST)
def create_host(context: Context) -> Reply:
    if not context.project:
        raise invalid("An Edge host is registered in a project: ProjectUid is missing")
    metadata, spec = context.given("metadata") or {}, context.given("spec") or {}
    uid = _checked_uid(metadata)
    if context.store.get("host", uid) is not None:
        raise conflict(f"Edge host with uid '{uid}' already exists", code="DuplicateEdgeHost")
    host = new_host(
        context,
        uid,
        name=metadata.get("name") or uid,
        labels=metadata.get("labels") or {},
        project=context.project,
        device={"archType": spec.get("archType") or "amd64"},
    )
    tunnels.change(context.lab, host, spec.get("tunnelConfig") or {})
    host["spec"]["host"]["hostPairingKey"] = spec.get("hostPairingKey", "")
    context.store.put("host", uid, host, project=context.project, name=host["metadata"]["name"])
    return created(uid)


@route("GET", PATH + "/tags")
def host_tags(context: Context) -> Document:
    labels = (host["metadata"].get("labels") or {} for host in context.store.all("host", projects=context.visible()))
    return {"tags": sorted({f"{key}:{value}" for one in labels for key, value in one.items()})}


@route("GET", PATH + "/metadata")
def hosts_metadata(context: Context) -> Document:
    hosts = context.store.all("host", projects=context.visible())
    if context.query.get("quickFilter") == "unusedEdgeHosts":
        hosts = (host for host in hosts if host["status"]["state"] == "ready")
    if context.query.get("type") not in (None, "", "edge-native"):
        hosts = iter(())
    return {
        "edgeHosts": [
            {
                "uid": host["metadata"]["uid"],
                "name": host["metadata"]["name"],
                "state": host["status"]["state"],
                "healthState": (host["status"].get("health") or {}).get("state", ""),
                "archType": host["spec"]["device"].get("archType", ""),
                "edgeHostType": "edge-native",
            }
            for host in hosts
        ]
    }


@route("GET", PATH + "/{uid}")
def get_host(context: Context) -> Document:
    return tunnels.shown(context.lab, find(context))


@route("PUT", PATH + "/{uid}/meta", body=bodies.HOST_META)
def put_meta(context: Context) -> Reply:
    host = find(context)
    metadata = context.given("metadata") or {}
    name = metadata.get("name") or host["metadata"]["name"]
    host["metadata"] |= {
        "name": name,
        "labels": metadata.get("labels") or {},
        "lastModifiedTimestamp": context.lab.now(),
    }
    context.store.put("host", context.parts["uid"], host, name=name)
    return DONE


@route("PATCH", PATH + "/{uid}/tunnelConfig", body=bodies.TUNNEL)
def patch_tunnel(context: Context) -> Reply:
    host = find(context)
    tunnels.change(context.lab, host, context.body)
    save(context, host)
    return DONE


@route("PATCH", PATH + "/{uid}/hostPairingKey", body=bodies.PAIRING_KEY)
def patch_pairing_key(context: Context) -> Reply:
    host = find(context)
    host["spec"]["host"]["hostPairingKey"] = context.given("hostPairingKey") or ""
    save(context, host)
    return DONE


@route("DELETE", PATH + "/{uid}")
def delete_host(context: Context) -> Reply:
    host = find(context)
    if host["status"].get("inUseClusters"):
        used = host["status"]["inUseClusters"][0]["name"]
        raise ApiError(400, "EdgeHostInUse", f"Edge host '{context.parts['uid']}' is in use by cluster '{used}'")
    context.store.delete("host", context.parts["uid"])
    context.store.forget(context.parts["uid"])
    events.forget(context.lab, "edgehost", context.parts["uid"])
    return DONE


# -- the agent's side: bodies as documented, headers the lab's own


@route("POST", PATH + "/register", body=bodies.REPORT, who="anyone")
def register(context: Context) -> Document:
    uid = _checked_uid(context.given("metadata") or {})
    token = _token(context)
    host = context.store.get("host", uid)
    if host is None:
        if token is None:
            raise ApiError(403, "EdgeTokenInvalid", "The registration token is missing")
        if context.given("spec", "host", "disableAutoRegister"):
            raise ApiError(403, "EdgeHostNotRegistered", f"Edge host '{uid}' waits to be registered by an operator")
        project = _project(context, token)
        host = new_host(context, uid, name=uid, labels={}, project=project, device={})
        context.store.put("host", uid, host, project=project, name=uid)
    elif token is None and not (context.lab.options.open_pairing or _service_token_fits(context, host)):
        raise ApiError(403, "EdgeTokenInvalid", "The registration token is missing")
    key = host["spec"]["host"].get("hostPairingKey", "")
    if key and context.given("spec", "host", "hostPairingKey") != key:
        raise ApiError(403, "PairingKeyMismatch", f"The pairing key of Edge host '{uid}' is wrong")
    _take_report(host, context.body)
    if host["status"]["state"] == "unpaired":
        host["status"]["state"] = "ready"
        tell(context.lab, host, "Registered", "The Edge host registered")
    host["status"]["serviceAuthToken"] = host["status"].get("serviceAuthToken") or context.lab.secret()
    host["spec"]["host"]["hostAuthToken"] = host["spec"]["host"].get("hostAuthToken") or context.lab.secret()
    save(context, host)
    return host


@route("PUT", PATH + "/{uid}", body=bodies.REPORT, who="agent")
def put_host(context: Context) -> Reply:
    host = by_agent(context)
    _take_report(host, context.body)
    save(context, host)
    return DONE


@route("PATCH", PATH + "/{uid}/health", body=bodies.HEALTH, who="agent")
def patch_health(context: Context) -> Reply:
    host = by_agent(context)
    uid = context.parts["uid"]
    if faults.holds(context.lab.faults, "heartbeat-loss", host=uid):
        return DONE
    health = {key: context.given(key) or "" for key in ("agentVersion", "message", "state")}
    before = host["status"].get("health") or {}
    if before != health:
        host["status"]["health"] = health
        save(context, host)
    if before.get("state") != health["state"]:
        well = health["state"] == "healthy"
        message = health["message"] or f"The Edge host is {health['state']}"
        tell(context.lab, host, "Healthy" if well else "Unhealthy", message, events.INFO if well else events.WARNING)
    context.store.beat(uid, context.lab.clock())
    return DONE


@route("GET", PATH + "/{uid}/config", who="agent")
def get_config(context: Context) -> Document:
    host = by_agent(context) if "servicetoken" in context.headers else find(context)
    clusters = [one["uid"] for one in host["status"].get("inUseClusters") or []]
    return {"clusterUids": clusters, "tunnelConfig": host["spec"]["tunnelConfig"]}


# -- parts


def find(context: Context) -> Document:
    """The host of the path, in the scope of the request."""
    return context.find("host", context.parts["uid"], name="EdgeHost")


def by_agent(context: Context) -> Document:
    """The host of the path, proved by its service token."""
    host = context.store.get("host", context.parts["uid"])
    if host is None or host["status"]["state"] == "unpaired":
        raise ApiError(404, "EdgeHostDeviceNotRegistered", f"Edge host '{context.parts['uid']}' is not registered")
    if not _service_token_fits(context, host):
        raise ApiError(401, "Unauthorized", "The service token is missing or wrong")
    return host


def _checked_uid(metadata: Document) -> str:
    uid: str = metadata.get("uid", "")
    if not uid or len(uid) > 128 or _FORBIDDEN.search(uid):
        raise invalid(f"metadata.uid '{uid}' is not a valid Edge host id")
    return uid


def tell(lab: Lab, host: Document, reason: str, message: str, severity: str = events.INFO) -> None:
    """Notes an event of a host."""
    events.record(lab, "edgehost", host["metadata"]["uid"], host["metadata"]["name"], reason, message, severity)


def save(context: Context, host: Document) -> None:
    """Writes a host."""
    context.store.put("host", host["metadata"]["uid"], host)


def new_host(context: Context, uid: str, *, name: str, labels: Document, project: str, device: Document) -> Document:
    """A host as it is before its agent called."""
    owner = context.store.get("project", project) or {"metadata": {"name": "", "uid": project}}
    meta = {"name": owner["metadata"]["name"], "uid": project}
    now = context.lab.now()
    return {
        "aclmeta": {"projectUid": project, "tenantUid": context.store.setting("tenant")},
        "metadata": {
            "uid": uid,
            "name": name,
            "labels": labels,
            "annotations": {"scope": "project"},
            "creationTimestamp": now,
            "lastModifiedTimestamp": now,
        },
        "spec": {
            "device": {"archType": "amd64", **device},
            "host": {
                "hostUid": uid,
                "hostAddress": "",
                "macAddress": "",
                "project": meta,
                "disableAutoRegister": False,
                "hostAuthToken": "",
                "hostChecksum": "",
                "hostPairingKey": "",
                "remoteSsh": "enabled",
            },
            "tunnelConfig": dict(tunnels.NONE),
            "type": "edge-native",
        },
        "status": {"state": "unpaired"},
    }


def _take_report(host: Document, report: Document) -> None:
    """What an agent tells of its host; labels given at registration win over its own."""
    spec: Document = report.get("spec") or {}
    host["spec"]["device"] |= spec.get("device") or {}
    given: Document = spec.get("host") or {}
    host["spec"]["host"] |= {key: given[key] for key in ("hostAddress", "macAddress") if given.get(key)}
    labels: Document = (report.get("metadata") or {}).get("labels") or {}
    host["metadata"]["labels"] = {**labels, **(host["metadata"].get("labels") or {})}


def _token(context: Context) -> Document | None:
    secret = context.headers.get("edgehosttoken", "")
    if not secret:
        return None
    uid = next((row.uid for row in context.store.rows("token").values() if row.facts["_secret"] == secret), "")
    token = context.store.get("token", uid)
    if token is None:
        raise ApiError(403, "EdgeTokenInvalid", "The registration token is unknown")
    if not token["status"].get("isActive"):
        raise ApiError(403, "EdgeTokenInactive", "The registration token is disabled")
    if shapes.instant(token["spec"]["expiry"], "spec.expiry") <= context.lab.clock():
        raise ApiError(403, "EdgeTokenExpired", "The registration token has expired")
    return token


def _project(context: Context, token: Document) -> str:
    wanted: Any = context.given("spec", "host", "project") or {}
    for project in context.store.all("project"):
        if wanted.get("uid") == project["metadata"]["uid"] or wanted.get("name") == project["metadata"]["name"]:
            return str(project["metadata"]["uid"])
    if wanted:
        raise not_found("Project", wanted.get("name") or wanted.get("uid") or "")
    default = str(token["spec"].get("defaultProjectUid") or "")
    if context.store.get("project", default) is not None:
        return default
    raise ApiError(403, "ProjectMissing", "Neither the token nor the host's user-data names a project")


def _service_token_fits(context: Context, host: Document) -> bool:
    token = host["status"].get("serviceAuthToken")
    return bool(token) and context.headers.get("servicetoken") == token
