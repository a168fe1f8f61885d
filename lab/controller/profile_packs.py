"""The packs of a cluster profile one by one: values, manifests, configuration, and validation of them all."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import yaml

from . import bodies_profiles as bodies
from . import macros
from .catalogue import REGISTRIES
from .core import DONE, Context, Reply, created, route
from .errors import ApiError, conflict, invalid, not_found
from .packs import known, summary
from .profile_content import (
    check_variables,
    draft_of,
    refuse_pack,
    taken,
    template_of,
    texts,
    undefined,
    undefined_message,
)
from .profiles import PATH, any_scope, find, save
from .registries import metadata
from .store import Document

PACKS = PATH + "/{uid}/packs"
# What is filled in later, and would be no YAML before.
_TEMPLATED = re.compile(r"\{\{.*?\}\}")
_SINGLE_LAYERS = ("kernel", "os", "k8s", "cni")


@route("GET", PACKS)
def get_packs(context: Context) -> Document:
    profile = any_scope(context)
    items = [
        {"metadata": {"name": one["name"], "uid": one["packUid"]}, "spec": _spec(context, one)}
        for one in template_of(profile)["packs"]
    ]
    return {"items": items}


@route("POST", PACKS, body={"pack!": bodies.PACK})
def add_pack(context: Context) -> Reply:
    profile = find(context)
    given = context.body["pack"]
    packs = draft_of(profile)["packs"]
    if not given["name"]:
        raise invalid("pack.name is required")
    if any(one["name"] == given["name"] for one in packs):
        raise conflict(f"The profile has a pack '{given['name']}' already", code="DuplicatePack")
    packs.append(taken(context.lab, profile, given, known(context.lab)))
    check_variables(profile)
    save(context, profile)
    return created(packs[-1]["packUid"] or context.lab.uid())


@route("GET", PACKS + "/manifests")
def packs_manifests(context: Context) -> Document:
    profile = any_scope(context)
    packs = []
    for pack in template_of(profile)["packs"]:
        manifests = [
            {"name": one["name"], "uid": one["uid"], "content": _content(profile, one), "digest": _digest(profile, one)}
            for one in pack.get("manifests") or []
        ]
        spec = {key: pack.get(key, "") for key in ("name", "layer", "type", "version", "registryUid", "values")}
        packs.append({"metadata": {"name": pack["name"]}, "spec": {**spec, "manifests": manifests}})
    return {"metadata": profile["metadata"], "spec": {"packs": packs}}


@route("GET", PACKS + "/resolvedValues", body=bodies.PACK_PARAMS)
def resolved_values(context: Context) -> Document:
    any_scope(context)
    return {"resolved": macros.resolved(context, context.given("references") or [])}


@route("PATCH", PATH + "/{uid}/packRefs", body=bodies.PACK_REFS)
def patch_packs(context: Context) -> Reply:
    """Several packs anew, the others as they are; a pack without manifests keeps those that it has."""
    profile = find(context)
    packs, catalogue = draft_of(profile)["packs"], known(context.lab)
    places = {one["name"]: index for index, one in enumerate(packs)}
    for given in context.given("packs") or []:
        if given["name"] not in places:
            raise not_found("Pack", given["name"])
        old = packs[places[given["name"]]]
        new = taken(context.lab, profile, {"type": old["type"], **given}, catalogue)
        kept = {} if "manifests" in given else {"manifests": old.get("manifests") or []}
        packs[places[given["name"]]] = {**new, **kept}
    check_variables(profile)
    return save(context, profile)


@route("GET", PACKS + "/{name}")
def get_pack(context: Context) -> Document:
    profile = any_scope(context)
    pack = _pack(context, template_of(profile))
    registry = REGISTRIES.get(pack.get("registryUid", ""))
    used = sorted({name for text in texts(profile, pack) for name in macros.used(text)})
    return {
        "metadata": {"name": pack["name"], "uid": pack["packUid"]},
        "spec": {
            "pack": _spec(context, pack),
            "macros": {"resolved": macros.resolved(context, used)},
            **({"registry": metadata(registry)} if registry else {}),
        },
    }


@route("PUT", PACKS + "/{name}", body={"pack!": bodies.PACK_ENTITY})
def put_pack(context: Context) -> Reply:
    profile = find(context)
    template, given = draft_of(profile), context.body["pack"]
    old = _pack(context, template)
    if given["name"] != old["name"]:
        raise invalid(f"pack.name '{given['name']}' is not the pack of the path")
    catalogue = known(context.lab)
    whole = {"registryUid": old.get("registryUid", ""), "type": old["type"], **given}
    if given["uid"] in catalogue:
        whole["registryUid"] = catalogue[given["uid"]].registry.uid
    new = taken(context.lab, profile, whole, catalogue)
    template["packs"][template["packs"].index(old)] = {**new, "manifests": old.get("manifests") or []}
    check_variables(profile)
    return save(context, profile)


@route("DELETE", PACKS + "/{name}")
def delete_pack(context: Context) -> Reply:
    profile = find(context)
    template = draft_of(profile)
    template["packs"].remove(_pack(context, template))
    return save(context, profile)


@route("GET", PACKS + "/{name}/config")
def pack_config(context: Context) -> Document:
    profile = any_scope(context)
    pack = _pack(context, template_of(profile))
    if not context.query.get("packUid"):
        raise invalid("packUid is required")
    if context.query["packUid"] != pack["packUid"]:
        raise not_found("Pack", context.query["packUid"])
    manifests = [
        {"name": one["name"], "uid": one["uid"], "digest": _digest(profile, one), "isOverridden": False}
        for one in pack.get("manifests") or []
    ]
    spec = {key: pack.get(key, "") for key in ("name", "packUid", "tag", "type", "values", "version")}
    about = {"associatedObject": profile["metadata"]["uid"], "scope": "clusterprofile", "isValuesOverridden": False}
    return {"items": [{"spec": {**spec, **about, "manifests": manifests}}]}


@route("GET", PACKS + "/{name}/manifests")
def list_manifests(context: Context) -> Document:
    profile = any_scope(context)
    references = _pack(context, template_of(profile)).get("manifests") or []
    return {"items": [_manifest(profile, one) for one in references]}


@route("POST", PACKS + "/{name}/manifests", body=bodies.MANIFEST)
def add_manifest(context: Context) -> Reply:
    profile = find(context)
    pack = _pack(context, draft_of(profile))
    uid = context.lab.uid()
    _refuse_manifest(pack, context.given("name") or "", but="")
    pack.setdefault("manifests", []).append({"kind": "manifest", "name": context.given("name"), "uid": uid})
    _write(context, profile, uid)
    return created(uid)


@route("GET", PACKS + "/{name}/manifests/{manifest}")
def get_manifest(context: Context) -> Document:
    profile = any_scope(context)
    return _manifest(profile, _reference(context, _pack(context, template_of(profile))))


@route("PUT", PACKS + "/{name}/manifests/{manifest}", body=bodies.MANIFEST)
def put_manifest(context: Context) -> Reply:
    profile = find(context)
    pack = _pack(context, draft_of(profile))
    reference = _reference(context, pack)
    _refuse_manifest(pack, context.given("name") or "", but=reference["uid"])
    reference["name"] = context.given("name")
    _write(context, profile, reference["uid"])
    return DONE


@route("DELETE", PACKS + "/{name}/manifests/{manifest}")
def delete_manifest(context: Context) -> Reply:
    profile = find(context)
    pack = _pack(context, draft_of(profile))
    pack["manifests"].remove(_reference(context, pack))
    return save(context, profile)


@route("POST", PATH + "/validate/packs", body=bodies.TEMPLATE)
def validate_packs(context: Context) -> Document:
    return _validated(context, None)


@route("POST", PATH + "/{uid}/validate/packs", body=bodies.TEMPLATE)
def validate_packs_of_profile(context: Context) -> Document:
    return _validated(context, [one["name"] for one in any_scope(context)["_lab"]["variables"]])


# -- parts


def _pack(context: Context, template: Document) -> Document:
    for pack in template["packs"]:
        if pack["name"] == context.parts["name"]:
            found: Document = pack
            return found
    raise not_found("Pack", context.parts["name"])


def _reference(context: Context, pack: Document) -> Document:
    for reference in pack.get("manifests") or []:
        if reference["uid"] == context.parts["manifest"]:
            found: Document = reference
            return found
    raise not_found("Manifest", context.parts["manifest"])


def _refuse_manifest(pack: Document, name: str, *, but: str) -> None:
    if not name:
        raise invalid("name is required")
    if any(one["name"] == name and one["uid"] != but for one in pack.get("manifests") or []):
        raise conflict(f"Pack '{pack['name']}' has a manifest '{name}' already", code="DuplicateManifest")


def _write(context: Context, profile: Document, uid: str) -> None:
    profile["_lab"]["manifests"][uid] = str(context.given("content") or "").strip()
    check_variables(profile)
    save(context, profile)


def _spec(context: Context, pack: Document) -> Document:
    """A pack of a profile as lists tell it: what the catalogue knows, and what the profile makes of it."""
    found = known(context.lab).get(pack["packUid"])
    whole: Document = summary(found) if found else {}
    traits = ("name", "layer", "type", "version", "registryUid", "values")
    return {**whole, **{key: pack[key] for key in traits if key in pack}, "manifests": pack.get("manifests") or []}


def _content(profile: Document, reference: Document) -> str:
    return str(profile["_lab"]["manifests"].get(reference["uid"], ""))


def _digest(profile: Document, reference: Document) -> str:
    return hashlib.sha256(_content(profile, reference).encode()).hexdigest()


def _manifest(profile: Document, reference: Document) -> Document:
    """A manifest with its content: as a draft where it is not what is published."""
    content, published = _content(profile, reference), profile["_lab"].get("published") or {}
    spec: dict[str, Any] = {}
    if reference["uid"] in published:
        old = published[reference["uid"]]
        spec["published"] = {"content": old, "digest": hashlib.sha256(old.encode()).hexdigest()}
    if published.get(reference["uid"]) != content:
        spec["draft"] = {"content": content, "digest": _digest(profile, reference)}
    return {"metadata": {"name": reference["name"], "uid": reference["uid"]}, "spec": spec}


def _validated(context: Context, declared: list[str] | None) -> Document:
    packs = context.given("packs") or []
    results = [
        {"name": one["name"], "displayName": one["name"], "errors": list(_problems(context, packs, one, declared))}
        for one in packs
    ]
    return {"packs": {"results": results}}


def _problems(context: Context, packs: list[Document], pack: Document, declared: list[str] | None) -> list[Document]:
    """What is wrong with one of the packs that shall be a profile; variables only where they are declared already."""
    found = []
    catalogue = known(context.lab)
    if sum(one["name"] == pack["name"] for one in packs) > 1:
        found.append(("DuplicatePack", f"Pack '{pack['name']}' is there more than once"))
    layer = pack.get("layer", "")
    if layer in _SINGLE_LAYERS and sum(one.get("layer") == layer for one in packs) > 1:
        found.append(("DuplicateLayer", f"There is more than one pack of the layer {layer}"))
    try:
        refuse_pack(pack, catalogue.get(pack.get("uid", "")))
    except ApiError as error:
        found.append((error.code, error.message))
    try:
        yaml.safe_load(_TEMPLATED.sub("templated", str(pack.get("values") or "")))
    except yaml.YAMLError:
        found.append(("PackValuesInvalid", f"The values of pack '{pack['name']}' are no YAML"))
    if declared is not None:
        contents = {str(index): str(one.get("content", "")) for index, one in enumerate(pack.get("manifests") or [])}
        own = {**pack, "manifests": [{"uid": uid} for uid in contents]}
        missing = undefined({"_lab": {"manifests": contents}}, own, declared=declared)
        if missing:
            found.append(("PackVariablesUndefined", undefined_message(pack["name"], missing)))
    return [{"code": code, "message": message} for code, message in found]
