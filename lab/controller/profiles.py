"""Cluster profiles: versions as objects of their own, drafts and publishing, copies, and the lists of them."""

from __future__ import annotations

from typing import Any

from . import bodies_profiles as bodies
from .core import DONE, Context, Reply, created, paged, route, text_fits
from .errors import ApiError, conflict, invalid, not_found
from .profile_content import check_variables, copied, publish, template_of, texts, write_packs
from .store import Document
from .variable_rules import refuse

PATH = "/v1/clusterprofiles"


@route("POST", PATH, body=bodies.PROFILE)
def create_profile(context: Context) -> Reply:
    metadata, spec = context.given("metadata") or {}, context.given("spec") or {}
    return created(new_profile(context, metadata, spec))


@route("GET", PATH + "/validate/name")
def validate_name(context: Context) -> Reply:
    refuse_taken(context, context.query.get("name", ""), context.query.get("version") or "1.0.0")
    return DONE


@route("GET", PATH + "/{uid}")
def get_profile(context: Context) -> Document:
    return shown(context, any_scope(context))


@route("PUT", PATH + "/{uid}", body=bodies.PROFILE_UPDATE)
def put_profile(context: Context) -> Reply:
    profile = find(context)
    template = context.given("spec", "template") or {}
    old = template_of(profile)
    write_packs(context.lab, profile, template.get("packs") or [], kind=old["type"], cloud=old["cloudType"])
    version = context.given("spec", "version")
    if version and version != profile["spec"]["version"]:
        refuse_taken(context, profile["metadata"]["name"], version)
        profile["spec"]["version"] = version
    check_variables(profile)
    return save(context, profile)


@route("DELETE", PATH + "/bulk", body=bodies.PROFILES_BULK)
def delete_profiles(context: Context) -> Document:
    uids, failures = context.body["uids"], []
    for uid in uids:
        profile: Document = context.store.get("profile", uid) or {"metadata": {"name": ""}}
        try:
            _remove(context, uid)
        except ApiError as error:
            failures.append({"uid": uid, "name": profile["metadata"]["name"], "errMsg": error.message})
    gone = len(uids) - len(failures)
    return {
        "deletedCount": gone,
        "failures": failures,
        "isSucceeded": not failures,
        "message": f"Deleted {gone} of {len(uids)} cluster profiles",
    }


@route("DELETE", PATH + "/{uid}")
def delete_profile(context: Context) -> Reply:
    _remove(context, context.parts["uid"])
    return DONE


@route("PATCH", PATH + "/{uid}/metadata", body=bodies.PROFILE_META)
def patch_metadata(context: Context) -> Reply:
    profile = find(context)
    metadata = context.body["metadata"]
    name = metadata.get("name") or profile["metadata"]["name"]
    version = context.given("spec", "version") or profile["spec"]["version"]
    if (name, version) != (profile["metadata"]["name"], profile["spec"]["version"]):
        refuse_taken(context, name, version)
    profile["spec"]["version"] = version
    profile["metadata"] |= {"name": name, "labels": metadata.get("labels") or {}}
    profile["metadata"]["annotations"] |= metadata.get("annotations") or {}
    return save(context, profile)


@route("PATCH", PATH + "/{uid}/publish")
def publish_profile(context: Context) -> Reply:
    profile = find(context)
    publish(profile)
    return save(context, profile)


@route("POST", PATH + "/{uid}/clone", body=bodies.CLONE)
def clone(context: Context) -> Reply:
    source = find(context)
    name, version, project = _target(context, context.given("metadata") or {})
    uid = context.lab.uid()
    metadata = {
        **source["metadata"],
        **_born(context, uid, name),
        "annotations": {**source["metadata"]["annotations"], "scope": "project" if project else "tenant"},
    }
    context.store.put("profile", uid, copied(context.lab, source, metadata, version), project=project, name=name)
    return created(uid)


@route("POST", PATH + "/{uid}/clone/validate", body=bodies.CLONE_META)
def validate_clone(context: Context) -> Reply:
    find(context)
    _target(context, context.body)
    return DONE


@route("GET", "/v1/dashboard/clusterprofiles/metadata")
def profiles_metadata(context: Context) -> Document:
    return {
        "items": [
            {
                "metadata": {"name": one["metadata"]["name"], "uid": one["metadata"]["uid"]},
                "spec": {"cloudType": template_of(one)["cloudType"], "version": one["spec"]["version"]},
            }
            for one in context.store.all("profile", projects=context.visible())
        ]
    }


@route("POST", "/v1/dashboard/clusterprofiles", body=bodies.PROFILES_FILTER)
def search_profiles(context: Context) -> Document:
    wanted = context.given("filter") or {}
    found = [one for one in context.store.all("profile", projects=context.visible()) if _fits(wanted, one)]
    for order in reversed(context.given("sort") or []):
        found.sort(key=lambda one: _sorted_by(one, order.get("field", "")), reverse=order.get("order") == "desc")
    answer = paged(context, found)
    return {**answer, "items": [_summary(context, one) for one in answer["items"]]}


@route("GET", "/v1/dashboard/clusterprofiles/{uid}")
def profile_summary(context: Context) -> Document:
    return _summary(context, any_scope(context))


# -- parts


def find(context: Context) -> Document:
    """The profile of the path, in the scope of the request."""
    return context.find("profile", context.parts["uid"], name="ClusterProfile")


def any_scope(context: Context) -> Document:
    """The profile of the path: one of any scope can be read by its UID."""
    profile = context.store.get("profile", context.parts["uid"])
    return profile if profile is not None else find(context)


def save(context: Context, profile: Document) -> Reply:
    """Writes a profile."""
    profile["metadata"]["lastModifiedTimestamp"] = context.lab.now()
    context.store.put("profile", profile["metadata"]["uid"], profile, name=profile["metadata"]["name"])
    return DONE


def new_profile(context: Context, metadata: Document, spec: Document) -> str:
    """UID of a new profile, a draft unless the request wants it published. Raises ApiError."""
    template = spec.get("template") or {}
    name, version = metadata.get("name", ""), spec.get("version") or "1.0.0"
    if not name:
        raise invalid("metadata.name is required")
    if template.get("cloudType") == "all" and template.get("type") != "add-on":
        raise invalid("cloudType 'all' is for add-on profiles only")
    refuse_taken(context, name, version)
    variables = spec.get("variables") or []
    refuse(variables, before=[])
    uid = context.lab.uid()
    scope = {"scope": "project" if context.project else "tenant"}
    profile: Document = {
        "metadata": {
            **_born(context, uid, name),
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), **scope},
        },
        "spec": {"version": version},
        "status": {},
        "_lab": {"variables": variables, "manifests": {}, "revision": 0},
    }
    kind, cloud = template.get("type") or "cluster", template.get("cloudType", "")
    write_packs(context.lab, profile, template.get("packs") or [], kind=kind, cloud=cloud)
    check_variables(profile)
    if context.query.get("publish") == "true":
        publish(profile)
    context.store.put("profile", uid, profile, project=context.project, name=name)
    return uid


def refuse_taken(context: Context, name: str, version: str, *, project: str | None = None) -> None:
    """Raises ApiError when there is a profile of this name and version in the scope."""
    place = context.project if project is None else project
    for one in context.store.all("profile", projects=[place], name=name):
        if one["spec"]["version"] == version:
            raise conflict(
                f"Cluster profile '{name}' with version '{version}' already exists", code="DuplicateClusterProfile"
            )


def shown(context: Context, profile: Document) -> Document:
    """The profile as it is read."""
    uid, name = profile["metadata"]["uid"], profile["metadata"]["name"]
    project = context.store.project_of("profile", uid)
    twins = context.store.all("profile", projects=[project], name=name)
    versions = [{"uid": one["metadata"]["uid"], "version": one["spec"]["version"]} for one in twins]
    used = [
        {"kind": "spectrocluster", "name": row.facts["clusterName"], "projectUid": row.project, "uid": row.uid}
        for row in context.store.rows("cluster").values()
        if uid in row.facts["_profiles"] and not row.facts["isDeleted"]
    ]
    spec = {key: value for key, value in profile["spec"].items() if value}
    written = [text for pack in template_of(profile)["packs"] for text in texts(profile, pack)]
    return {
        **profile,
        "spec": {**spec, "versions": versions},
        "status": {
            "inUseClusters": used,
            "inUseClusterUids": [one["uid"] for one in used],
            "isPublished": bool(spec.get("published")),
            "hasUserMacros": any(".spectro.macro." in text for text in written),
        },
    }


def _remove(context: Context, uid: str) -> None:
    profile = context.find("profile", uid, name="ClusterProfile")
    used = shown(context, profile)["status"]["inUseClusters"]
    if used:
        raise ApiError(400, "ClusterProfileInUse", f"The profile is in use by cluster '{used[0]['name']}'")
    context.store.delete("profile", uid)


def _born(context: Context, uid: str, name: str) -> Document:
    now = context.lab.now()
    return {"uid": uid, "name": name, "creationTimestamp": now, "lastModifiedTimestamp": now}


def _target(context: Context, wanted: Document) -> tuple[str, str, str]:
    """Name, version and project ("" for the tenant) of a copy. Raises ApiError where it cannot be."""
    name, version = wanted.get("name", ""), wanted.get("version") or "1.0.0"
    target = wanted.get("target") or {}
    if target.get("scope") in ("system", "resource"):
        raise invalid(f"target.scope '{target['scope']}' is not for users")
    project = "" if target.get("scope") == "tenant" else target.get("projectUid") or context.project
    if not name:
        raise invalid("metadata.name is required")
    if project and context.store.get("project", project) is None:
        raise not_found("Project", project)
    refuse_taken(context, name, version, project=project)
    return name, version, project


def _summary(context: Context, profile: Document) -> Document:
    whole = shown(context, profile)
    traits = ("layer", "name", "packUid", "tag", "type", "version")
    templates = {
        state: {
            "cloudType": one["cloudType"],
            "type": one["type"],
            "packs": [{key: pack[key] for key in traits if key in pack} for pack in one["packs"]],
        }
        for state, one in whole["spec"].items()
        if state in ("draft", "published")
    }
    used = [{"name": one["name"], "uid": one["uid"]} for one in whole["status"]["inUseClusters"]]
    return {
        "metadata": profile["metadata"],
        "specSummary": {**templates, "version": profile["spec"]["version"], "versions": whole["spec"]["versions"]},
        "status": {
            "isPublished": whole["status"]["isPublished"],
            "inUseClusters": used,
            "inUseClusterUids": [one["uid"] for one in used],
        },
    }


def _fits(wanted: Document, profile: Document) -> bool:
    template = template_of(profile)
    return (
        text_fits(wanted.get("profileName") or {}, profile["metadata"]["name"])
        and _version_fits(wanted.get("version") or {}, profile["spec"]["version"])
        and _tags_fit(wanted.get("tags") or {}, profile["metadata"].get("labels") or {})
        and wanted.get("scope") in (None, "", profile["metadata"]["annotations"]["scope"])
        and (not wanted.get("profileType") or template["type"] in wanted["profileType"])
        and (not wanted.get("environment") or template["cloudType"] in wanted["environment"])
    )


def _version_fits(wanted: Document, version: str) -> bool:
    texts_wanted = {key: wanted[key] for key in ("eq", "ne", "beginsWith") if wanted.get(key)}
    have = _numbers(version)
    return (
        text_fits({"ignoreCase": False, **texts_wanted}, version)
        and (not wanted.get("gt") or have > _numbers(wanted["gt"]))
        and (not wanted.get("lt") or have < _numbers(wanted["lt"]))
    )


def _tags_fit(wanted: Document, labels: dict[str, str]) -> bool:
    lower = wanted.get("ignoreCase", True)
    have = [f"{key}:{value}" for key, value in labels.items()]
    asked = {key: [str(one) for one in wanted.get(key) or []] for key in ("eq", "ne", "beginsWith")}
    if lower:
        have = [one.lower() for one in have]
        asked = {key: [one.lower() for one in values] for key, values in asked.items()}
    return (
        (not asked["eq"] or any(one in asked["eq"] for one in have))
        and not any(one in asked["ne"] for one in have)
        and (not asked["beginsWith"] or any(one.startswith(tuple(asked["beginsWith"])) for one in have))
    )


def _numbers(version: str) -> list[int]:
    return [int(one) if one.isdigit() else 0 for one in version.split("-", maxsplit=1)[0].split(".")]


def _sorted_by(profile: Document, field: str) -> Any:
    template = template_of(profile)
    own = {
        "profileName": profile["metadata"]["name"],
        "environment": template["cloudType"],
        "profileType": template["type"],
    }
    return own.get(field, profile["metadata"].get(field, ""))
