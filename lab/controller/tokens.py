"""Registration tokens, and who asks."""

from __future__ import annotations

from . import bodies
from .core import DONE, Context, Reply, created, route
from .errors import invalid, not_found
from .store import Document

PATH = "/v1/edgehosts/tokens"


@route("GET", "/v1/users/info")
def users_info(context: Context) -> Document:
    return {"orgName": "lab", "tenantUid": context.store.setting("tenant"), "userUid": context.store.setting("user")}


@route("GET", "/v1/health/ping", who="anyone")
def ping(context: Context) -> Document:
    return {"msg": "pong"}


@route("GET", PATH)
def list_tokens(context: Context) -> Document:
    context.tenant_only()
    return {"items": [_shown(context, token) for token in context.store.all("token")]}


@route("POST", PATH, body=bodies.TOKEN)
def create_token(context: Context) -> Reply:
    context.tenant_only()
    uid = context.lab.uid()
    token = {
        "metadata": {"uid": uid, "creationTimestamp": context.lab.now()},
        "spec": {"token": context.lab.secret()},
        "status": {"isActive": True},
    }
    _write(context, uid, token)
    return created(uid)


@route("GET", PATH + "/{uid}")
def get_token(context: Context) -> Document:
    context.tenant_only()
    return _shown(context, _find(context))


@route("PUT", PATH + "/{uid}", body=bodies.TOKEN)
def put_token(context: Context) -> Reply:
    context.tenant_only()
    _write(context, context.parts["uid"], _find(context))
    return DONE


@route("PUT", PATH + "/{uid}/state", body=bodies.TOKEN_STATE)
def put_token_state(context: Context) -> Reply:
    context.tenant_only()
    token = _find(context)
    token["status"]["isActive"] = bool(context.given("isActive"))
    context.store.put("token", context.parts["uid"], token)
    return DONE


@route("DELETE", PATH + "/{uid}")
def delete_token(context: Context) -> Reply:
    context.tenant_only()
    _find(context)
    context.store.delete("token", context.parts["uid"])
    return DONE


def _find(context: Context) -> Document:
    return context.find("token", context.parts["uid"], name="EdgeToken")


def _write(context: Context, uid: str, token: Document) -> None:
    metadata, spec = context.given("metadata") or {}, context.given("spec") or {}
    if not metadata.get("name") or not spec.get("expiry"):
        raise invalid("metadata.name and spec.expiry are required")
    project = spec.get("defaultProjectUid", "")
    if project and context.store.get("project", project) is None:
        raise not_found("Project", project)
    token["metadata"] |= {
        "name": metadata["name"],
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "lastModifiedTimestamp": context.lab.now(),
    }
    token["spec"] |= {"expiry": spec["expiry"], "defaultProjectUid": project}
    context.store.put("token", uid, token, name=metadata["name"])


def _shown(context: Context, token: Document) -> Document:
    spec = dict(token["spec"])
    project = context.store.get("project", spec.pop("defaultProjectUid", ""))
    if project:
        spec["defaultProject"] = {"name": project["metadata"]["name"], "uid": project["metadata"]["uid"]}
    return {**token, "spec": spec}
