"""Projects of the tenant."""

from __future__ import annotations

from . import bodies
from .core import DONE, Context, Reply, created, paged, route, text_fits
from .errors import ApiError, conflict, invalid
from .store import Document

PATH = "/v1/projects"
_KINDS = ("host", "cluster", "profile")


@route("GET", "/v1/dashboard/projects/metadata")
def projects_metadata(context: Context) -> Document:
    context.tenant_only()
    wanted = context.query.get("name")
    found = [
        {"metadata": {"name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}}
        for one in context.store.all("project")
        if not wanted or one["metadata"]["name"] == wanted
    ]
    return {"items": found}


@route("POST", "/v1/dashboard/projects", body=bodies.PROJECTS_FILTER)
def search_projects(context: Context) -> Document:
    context.tenant_only()
    wanted = (context.given("filter") or {}).get("name") or {}
    found = [one for one in context.store.all("project") if text_fits(wanted, one["metadata"]["name"])]
    for order in reversed(context.given("sort") or []):
        field = order.get("field", "")
        found.sort(key=lambda one: str(one["metadata"].get(field, "")), reverse=order.get("order") == "desc")
    answer = paged(context, found)
    return {**answer, "items": [_summary(context, one) for one in answer["items"]]}


@route("POST", PATH, body=bodies.PROJECT)
def create_project(context: Context) -> Reply:
    context.tenant_only()
    name = context.given("metadata", "name") or ""
    _refuse_name(context, name, but="")
    uid = context.lab.uid()
    metadata = {"uid": uid, "name": name, "creationTimestamp": context.lab.now()}
    _write(context, {"metadata": metadata, "spec": {}, "status": {}})
    return created(uid)


@route("GET", PATH + "/{uid}")
def get_project(context: Context) -> Document:
    return _find(context)


@route("PUT", PATH + "/{uid}", body=bodies.PROJECT)
def put_project(context: Context) -> Reply:
    project = _find(context)
    _refuse_name(context, context.given("metadata", "name") or "", but=context.parts["uid"])
    _write(context, project)
    return DONE


@route("PUT", PATH + "/{uid}/meta", body=bodies.META)
def put_meta(context: Context) -> Reply:
    project = _find(context)
    _refuse_name(context, context.given("name") or "", but=context.parts["uid"])
    _describe(context, project, context.body)
    return DONE


@route("DELETE", PATH + "/{uid}", body=bodies.PROJECT_CLEANUP)
def delete_project(context: Context) -> Reply:
    project, uid = _find(context), context.parts["uid"]
    living = _clusters(context, uid)
    if living:
        raise ApiError(400, "ProjectInUse", f"The project has clusters: {living[0]['clusterRef']['name']}")
    owned = [(kind, one["metadata"]["uid"]) for kind in _KINDS for one in context.store.all(kind, projects=[uid])]
    if any(kind == "host" for kind, _uid in owned) and context.query.get("cleanupProjectResources") != "true":
        raise ApiError(400, "ProjectInUse", f"Project '{project['metadata']['name']}' has Edge hosts")
    for kind, one in owned:
        context.store.delete(kind, one)
        context.store.forget_notes(kind, one)
        if kind == "host":
            context.store.forget(one)
    context.store.delete("project", uid)
    return DONE


@route("DELETE", PATH + "/{uid}/validate")
def validate_deletion(context: Context) -> Document:
    """Only tells what still lives in the project."""
    _find(context)
    living = _clusters(context, context.parts["uid"])
    none = {"clusters": [], "count": 0}
    return {
        "appDeployments": {"apps": [], "count": 0},
        "clusters": {"clusters": living, "count": len(living)},
        "virtualClusters": none,
    }


def _find(context: Context) -> Document:
    context.tenant_only()
    return context.find("project", context.parts["uid"], name="Project")


def _refuse_name(context: Context, name: str, *, but: str) -> None:
    if not name:
        raise invalid("metadata.name is required")
    if any(one["metadata"]["uid"] != but for one in context.store.all("project", name=name)):
        raise conflict(f"Project '{name}' already exists", code="DuplicateProject")


def _write(context: Context, project: Document) -> None:
    spec = context.given("spec") or {}
    project["spec"] = {key: spec[key] for key in ("teams", "users") if spec.get(key)}
    _describe(context, project, context.given("metadata") or {})


def _describe(context: Context, project: Document, metadata: Document) -> None:
    project["metadata"] |= {
        "name": metadata["name"],
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "lastModifiedTimestamp": context.lab.now(),
    }
    uid, name = project["metadata"]["uid"], metadata["name"]
    context.store.put("project", uid, project, name=name)
    for host in context.store.all("host", projects=[uid]):
        host["spec"]["host"]["project"] = {"name": name, "uid": uid}
        context.store.put("host", host["metadata"]["uid"], host)


def _clusters(context: Context, uid: str) -> list[Document]:
    return [
        {"clusterRef": {"name": row.facts["clusterName"], "uid": row.uid}, "state": row.facts["clusterState"]}
        for row in context.store.rows("cluster").values()
        if row.project == uid and not row.facts["isDeleted"]
    ]


def _summary(context: Context, project: Document) -> Document:
    """A project as the dashboard tells it; health is counted by states."""
    states = [one["state"] for one in _clusters(context, project["metadata"]["uid"])]
    running, errored = states.count("Running"), states.count("Error")
    health = {"errored": errored, "healthy": running, "running": running, "unhealthy": errored}
    return {
        "metadata": project["metadata"],
        "specSummary": {},
        "status": {
            "clustersHealth": health,
            "status": {"isDisabled": False},
            "usage": {"alloyCpuCores": 0, "pureCpuCores": 0, "clusters": []},
        },
    }
