"""Cluster profiles: versions as objects of their own, drafts and publishing, manifests by UID."""

from __future__ import annotations

import copy
import re
from typing import Any

from . import bodies
from .core import DONE, Context, Reply, created, paged, route, text_fits
from .errors import ApiError, conflict, invalid, not_found
from .packs import layers
from .store import Document

PATH = "/v1/clusterprofiles"
MASK = "*****"


@route("POST", PATH, body=bodies.PROFILE)
def create_profile(context: Context) -> Reply:
    metadata, spec = context.given("metadata") or {}, context.given("spec") or {}
    template = spec.get("template") or {}
    name, version = metadata.get("name", ""), spec.get("version") or "1.0.0"
    if not name:
        raise invalid("metadata.name is required")
    if template.get("cloudType") == "all" and template.get("type") != "add-on":
        raise invalid("cloudType 'all' is for add-on profiles only")
    _refuse_taken(context, name, version)
    uid = context.lab.uid()
    profile: Document = {
        "metadata": {
            "uid": uid,
            "name": name,
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), "scope": "project" if context.project else "tenant"},
            "creationTimestamp": context.lab.now(),
            "lastModifiedTimestamp": context.lab.now(),
        },
        "spec": {"version": version},
        "status": {},
        "_lab": {"variables": spec.get("variables") or [], "manifests": {}, "revision": 0},
    }
    _write_packs(context, profile, template.get("packs") or [], kind=template.get("type") or "cluster")
    profile["spec"]["draft"]["cloudType"] = template.get("cloudType", "")
    _check_variables(profile)
    if context.query.get("publish") == "true":
        _publish(profile)
    context.store.put("profile", uid, profile, project=context.project, name=name)
    return created(uid)


@route("GET", PATH + "/validate/name")
def validate_name(context: Context) -> Reply:
    _refuse_taken(context, context.query.get("name", ""), context.query.get("version") or "1.0.0")
    return DONE


@route("GET", PATH + "/{uid}")
def get_profile(context: Context) -> Document:
    return shown(context, _any_scope(context))


@route("PUT", PATH + "/{uid}", body=bodies.PROFILE_UPDATE)
def put_profile(context: Context) -> Reply:
    profile = find(context)
    template = context.given("spec", "template") or {}
    old = _template(profile)
    _write_packs(context, profile, template.get("packs") or [], kind=old["type"])
    profile["spec"]["draft"]["cloudType"] = old["cloudType"]
    version = context.given("spec", "version")
    if version and version != profile["spec"]["version"]:
        _refuse_taken(context, profile["metadata"]["name"], version)
        profile["spec"]["version"] = version
    _check_variables(profile)
    return _save(context, profile)


@route("DELETE", PATH + "/{uid}")
def delete_profile(context: Context) -> Reply:
    profile = find(context)
    used = shown(context, profile)["status"].get("inUseClusters")
    if used:
        raise ApiError(400, "ClusterProfileInUse", f"The profile is in use by cluster '{used[0]['name']}'")
    context.store.delete("profile", context.parts["uid"])
    return DONE


@route("PATCH", PATH + "/{uid}/metadata", body=bodies.PROFILE_META)
def patch_metadata(context: Context) -> Reply:
    profile = find(context)
    metadata = context.body["metadata"]
    name = metadata.get("name") or profile["metadata"]["name"]
    version = context.given("spec", "version") or profile["spec"]["version"]
    if (name, version) != (profile["metadata"]["name"], profile["spec"]["version"]):
        _refuse_taken(context, name, version)
    profile["spec"]["version"] = version
    profile["metadata"] |= {"name": name, "labels": metadata.get("labels") or {}}
    profile["metadata"]["annotations"] |= metadata.get("annotations") or {}
    return _save(context, profile)


@route("PATCH", PATH + "/{uid}/publish")
def publish(context: Context) -> Reply:
    profile = find(context)
    _publish(profile)
    return _save(context, profile)


@route("POST", PATH + "/{uid}/clone", body=bodies.CLONE)
def clone(context: Context) -> Reply:
    source = find(context)
    metadata = context.given("metadata") or {}
    name, version = metadata.get("name", ""), metadata.get("version") or "1.0.0"
    target = metadata.get("target") or {}
    project = "" if target.get("scope") == "tenant" else target.get("projectUid") or context.project
    if not name:
        raise invalid("metadata.name is required")
    if project and context.store.get("project", project) is None:
        raise not_found("Project", project)
    _refuse_taken(context, name, version, project=project)
    uid = context.lab.uid()
    twin = copy.deepcopy(source)
    now = context.lab.now()
    twin["metadata"] |= {"uid": uid, "name": name, "creationTimestamp": now, "lastModifiedTimestamp": now}
    twin["metadata"]["annotations"] |= {"scope": "project" if project else "tenant"}
    twin["spec"]["version"] = version
    twin["spec"]["draft"] = twin["spec"].pop("published", None) or twin["spec"].get("draft")
    # A copy's manifests are objects of their own.
    for pack in twin["spec"]["draft"]["packs"]:
        for reference in pack.get("manifests") or []:
            old = reference["uid"]
            reference["uid"] = context.lab.uid()
            twin["_lab"]["manifests"][reference["uid"]] = twin["_lab"]["manifests"].pop(old)
    twin["spec"]["draft"] |= {"uid": uid, "name": name}
    context.store.put("profile", uid, twin, project=project, name=name)
    return created(uid)


@route("GET", PATH + "/{uid}/variables")
def get_variables(context: Context) -> Document:
    return {"variables": [_masked(one) for one in _any_scope(context)["_lab"]["variables"]]}


@route("PATCH", PATH + "/{uid}/variables", body=bodies.VARIABLES)
def patch_variables(context: Context) -> Reply:
    profile = find(context)
    known = {one["name"]: one for one in profile["_lab"]["variables"]}
    for one in context.given("variables") or []:
        known[one["name"]] = {**known.get(one["name"], {}), **one}
    profile["_lab"]["variables"] = list(known.values())
    return _save(context, profile)


@route("PUT", PATH + "/{uid}/variables", body=bodies.VARIABLES)
def put_variables(context: Context) -> Reply:
    profile = find(context)
    profile["_lab"]["variables"] = context.given("variables") or []
    _check_variables(profile)
    return _save(context, profile)


@route("DELETE", PATH + "/{uid}/variables", body=bodies.VARIABLE_NAMES)
def delete_variables(context: Context) -> Reply:
    profile = find(context)
    gone = set(context.given("variables") or [])
    profile["_lab"]["variables"] = [one for one in profile["_lab"]["variables"] if one["name"] not in gone]
    _check_variables(profile)
    return _save(context, profile)


@route("GET", PATH + "/{uid}/packs/manifests")
def packs_manifests(context: Context) -> Document:
    profile = find(context)
    packs = []
    for pack in _template(profile)["packs"]:
        manifests = [
            {"name": one["name"], "uid": one["uid"], "content": profile["_lab"]["manifests"][one["uid"]]}
            for one in pack.get("manifests") or []
        ]
        spec = {key: pack.get(key, "") for key in ("name", "layer", "type", "version", "registryUid", "values")}
        packs.append({"metadata": {"name": pack["name"]}, "spec": {**spec, "manifests": manifests}})
    return {"metadata": profile["metadata"], "spec": {"packs": packs}}


@route("GET", "/v1/dashboard/clusterprofiles/metadata")
def profiles_metadata(context: Context) -> Document:
    return {
        "items": [
            {
                "metadata": {"name": one["metadata"]["name"], "uid": one["metadata"]["uid"]},
                "spec": {"cloudType": _template(one)["cloudType"], "version": one["spec"]["version"]},
            }
            for one in context.store.all("profile", projects=context.visible())
        ]
    }


@route("POST", "/v1/dashboard/clusterprofiles", body=bodies.PROFILES_FILTER)
def search_profiles(context: Context) -> Document:
    wanted = context.given("filter") or {}
    items = []
    for one in context.store.all("profile", projects=context.visible()):
        if not _fits(wanted, one):
            continue
        whole = shown(context, one)
        summary = {"version": one["spec"]["version"], "versions": whole["spec"]["versions"]}
        items.append(
            {
                "metadata": one["metadata"],
                "specSummary": summary,
                "status": {"isPublished": whole["status"]["isPublished"]},
            }
        )
    return paged(context, items)


def _fits(wanted: Document, profile: Document) -> bool:
    template = _template(profile)
    return (
        text_fits(wanted.get("profileName") or {}, profile["metadata"]["name"])
        and text_fits({"ignoreCase": False, **(wanted.get("version") or {})}, profile["spec"]["version"])
        and wanted.get("scope") in (None, "", profile["metadata"]["annotations"]["scope"])
        and (not wanted.get("profileType") or template["type"] in wanted["profileType"])
        and (not wanted.get("environment") or template["cloudType"] in wanted["environment"])
    )


def find(context: Context) -> Document:
    """The profile of the path, in the scope of the request."""
    return context.find("profile", context.parts["uid"], name="ClusterProfile")


def _any_scope(context: Context) -> Document:
    """The profile of the path: one of any scope can be read by its UID."""
    profile = context.store.get("profile", context.parts["uid"])
    return profile if profile is not None else find(context)


def shown(context: Context, profile: Document) -> Document:
    """The profile as it is read."""
    uid, name = profile["metadata"]["uid"], profile["metadata"]["name"]
    project = context.store.project_of("profile", uid)
    twins = context.store.all("profile", projects=[project], name=name)
    versions = [{"uid": one["metadata"]["uid"], "version": one["spec"]["version"]} for one in twins]
    users = [
        {"kind": "spectrocluster", "name": row.facts["clusterName"], "projectUid": row.project, "uid": row.uid}
        for row in context.store.rows("cluster").values()
        if uid in row.facts["_profiles"] and not row.facts["isDeleted"]
    ]
    spec = {key: value for key, value in profile["spec"].items() if value}
    return {
        **profile,
        "spec": {**spec, "versions": versions},
        "status": {
            "inUseClusters": users,
            "inUseClusterUids": [one["uid"] for one in users],
            "isPublished": bool(spec.get("published")),
            "hasUserMacros": False,
        },
    }


def attached(profile: Document, overrides: list[Document]) -> Document:
    """The snapshot of a profile that a cluster holds, with its overrides of packs: values and manifests by name."""
    template = copy.deepcopy(profile["spec"].get("published") or {})
    contents = profile["_lab"].get("published") or profile["_lab"]["manifests"]
    by_name = {one["name"]: one for one in overrides}
    for pack in template.get("packs") or []:
        given = by_name.get(pack["name"], {})
        pack["values"] = given.get("values", pack.get("values", ""))
        written = {one["name"]: one["content"] for one in given.get("manifests") or [] if "content" in one}
        pack["_lab"] = {
            "manifests": {
                one["uid"]: written.get(one["name"], contents.get(one["uid"], ""))
                for one in pack.get("manifests") or []
            }
        }
    return {
        **template,
        "uid": profile["metadata"]["uid"],
        "name": profile["metadata"]["name"],
        "profileVersion": profile["spec"]["version"],
    }


def variable_in_cluster(variable: Document, value: str | None) -> Document:
    """A variable with its value in a cluster, as it is read."""
    shown_value = value if value is not None else variable.get("defaultValue", "")
    known = {"inputType": "text", "options": [], **_masked(variable)}
    return {**known, "value": MASK if variable.get("isSensitive") else shown_value}


def _masked(variable: Document) -> Document:
    always = {"defaultValue": "", "hidden": False, "immutable": False, "isSensitive": False, "required": False}
    mask = {"defaultValue": MASK} if variable.get("isSensitive") and variable.get("defaultValue") else {}
    options = {"options": [{"default": False, **one} for one in variable["options"]]} if "options" in variable else {}
    return {**always, **variable, **options, **mask}


def _template(profile: Document) -> Document:
    template: Document = profile["spec"].get("draft") or profile["spec"]["published"]
    return template


def _save(context: Context, profile: Document) -> Reply:
    profile["metadata"]["lastModifiedTimestamp"] = context.lab.now()
    context.store.put("profile", profile["metadata"]["uid"], profile, name=profile["metadata"]["name"])
    return DONE


def _refuse_taken(context: Context, name: str, version: str, *, project: str | None = None) -> None:
    place = context.project if project is None else project
    for one in context.store.all("profile", projects=[place], name=name):
        if one["spec"]["version"] == version:
            raise conflict(
                f"Cluster profile '{name}' with version '{version}' already exists", code="DuplicateClusterProfile"
            )


def _publish(profile: Document) -> None:
    draft = profile["spec"].pop("draft", None)
    if draft:
        profile["_lab"]["revision"] += 1
        profile["spec"]["published"] = {**draft, "version": profile["_lab"]["revision"]}
        profile["_lab"]["published"] = dict(profile["_lab"]["manifests"])
    profile["spec"]["published"]["profileVersion"] = profile["spec"]["version"]


def _write_packs(context: Context, profile: Document, packs: list[Document], *, kind: str) -> None:
    names = [pack["name"] for pack in packs]
    if len(set(names)) != len(names) or not all(names):
        raise invalid("The names of packs must be unique and not empty")
    old = profile["_lab"]["manifests"]
    manifests: dict[str, str] = {}
    written = []
    known = layers(context.lab)
    for pack in packs:
        layer = pack.get("layer") or known.get(pack.get("uid", ""), "addon")
        if layer not in bodies.LAYER:
            raise invalid(f"Pack '{pack['name']}': layer '{layer}' is not one of {', '.join(bodies.LAYER)}")
        if (pack.get("type") or "spectro") == "spectro" and pack.get("uid") not in known:
            raise ApiError(
                404, "ResourceNotFound", f"Pack '{pack['name']}' with uid '{pack.get('uid', '')}' is not found"
            )
        references = []
        for manifest in pack.get("manifests") or []:
            # One without its UID is a new one, also when its name is there already.
            uid = str(manifest["uid"]) if manifest.get("uid") in old else context.lab.uid()
            manifests[uid] = str(manifest.get("content", "")).strip()
            references.append({"kind": "manifest", "name": manifest["name"], "uid": uid})
        kept = {key: pack[key] for key in ("name", "registryUid", "tag", "type") if pack.get(key)}
        written.append(
            {
                "type": "spectro",
                **kept,
                "layer": layer,
                "packUid": pack.get("uid", ""),
                "version": pack.get("tag", ""),
                "values": str(pack.get("values") or "").strip("\n"),
                "manifests": references,
            }
        )
    profile["_lab"]["manifests"] = {**old, **manifests}
    name = profile["metadata"]["name"]
    profile["spec"]["draft"] = {"type": kind, "name": name, "uid": profile["metadata"]["uid"], "packs": written}


def _check_variables(profile: Document) -> None:
    declared = {one["name"] for one in profile["_lab"]["variables"]}
    template = profile["spec"].get("draft") or profile["spec"].get("published") or {}
    for pack in template.get("packs") or []:
        texts: list[Any] = [pack.get("values", "")]
        texts += [profile["_lab"]["manifests"][one["uid"]] for one in pack.get("manifests") or []]
        for text in texts:
            missing = set(re.findall(r"\.spectro\.var\.(\w+)", text)) - declared
            if missing:
                raise ApiError(
                    400,
                    "PackVariablesUndefined",
                    f"Pack '{pack['name']}' uses undefined variables: {', '.join(sorted(missing))}",
                )
