"""Cluster profiles as files: exported, validated and imported, from JSON, or from a file in a form."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import yaml

from . import bodies_profiles as bodies
from . import shapes
from .catalogue import REGISTRIES, Registry
from .core import Context, Reply, created, pruned, route
from .errors import ApiError, invalid
from .packs import MANIFEST_PACK, holders, pack_uid
from .profile_content import template_of
from .profile_variables import masked
from .profiles import PATH, any_scope, new_profile
from .store import Document

_FORMATS = ("json", "yaml")


@route("GET", PATH + "/{uid}/export")
def export(context: Context) -> Reply:
    profile = any_scope(context)
    kind = _format(context)
    whole = {
        "metadata": {
            "name": profile["metadata"]["name"],
            "description": profile["metadata"]["annotations"].get("description", ""),
            "labels": profile["metadata"].get("labels") or {},
        },
        "spec": {
            "version": profile["spec"]["version"],
            "template": _exported(profile),
            "variables": [masked(one) for one in profile["_lab"]["variables"]],
        },
    }
    told = pruned(whole)
    text = json.dumps(told, indent=2) if kind == "json" else yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    name = f"{profile['metadata']['name']}-{profile['spec']['version']}.{kind}"
    return Reply(200, text.encode(), file=name)


@route("POST", PATH + "/import/validate", body=bodies.PROFILE_IMPORT)
def validate_import(context: Context) -> Document:
    whole: Document = context.body
    _refuse_nameless(whole)
    packs = []
    for pack in _packs(whole):
        matching = [_told(one) for one in _matching(context, pack)]
        packs.append({**pack, "registry": {**(pack.get("registry") or {}), "matchingRegistries": matching}})
    spec = whole.get("spec") or {}
    variables = [masked(one) for one in spec.get("variables") or []]
    template = {**(spec.get("template") or {}), "packs": packs}
    return {**whole, "spec": {**spec, "template": template, "variables": variables}}


@route("POST", PATH + "/import", body=bodies.PROFILE_IMPORT)
def import_profile(context: Context) -> Reply:
    return created(_imported(context, context.body))


@route("POST", PATH + "/import/file")
def import_file(context: Context) -> Reply:
    text = _form_file(context, "importFile")
    try:
        whole = json.loads(text) if _format(context) == "json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise invalid(f"importFile is no {_format(context)}") from None
    given = shapes.take(bodies.PROFILE_IMPORT, whole)
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid("importFile has characters that are none") from None
    return created(_imported(context, given))


# -- parts


def _format(context: Context) -> str:
    kind = context.query.get("format") or "json"
    if kind not in _FORMATS:
        raise invalid(f"format must be one of {', '.join(_FORMATS)}")
    return kind


def _exported(profile: Document) -> Document:
    template = template_of(profile)
    contents = profile["_lab"]["manifests"]
    packs = []
    for pack in template["packs"]:
        registry = REGISTRIES.get(pack.get("registryUid", ""))
        manifests = [{"name": one["name"], "content": contents[one["uid"]]} for one in pack.get("manifests") or []]
        packs.append(
            {
                **{key: pack.get(key, "") for key in ("name", "layer", "type", "tag", "version", "values")},
                **({"registry": {"metadata": _told(registry)}} if registry else {}),
                **({"manifests": manifests} if manifests else {}),
            }
        )
    return {"type": template["type"], "cloudType": template["cloudType"], "packs": packs}


def _told(registry: Registry) -> Document:
    return {
        "uid": registry.uid,
        "name": registry.name,
        "kind": registry.kind,
        "isPrivate": registry.private,
        "isSyncSupported": registry.synchronised,
        "providerType": "helm" if registry.kind == "oci" else "",
    }


def _packs(whole: Document) -> list[Document]:
    return ((whole.get("spec") or {}).get("template") or {}).get("packs") or []


def _refuse_nameless(whole: Document) -> None:
    if not (whole.get("metadata") or {}).get("name"):
        raise invalid("metadata.name is required")


def _matching(context: Context, pack: Document) -> list[Registry]:
    """Where a pack could come from: what lists it, and what of its type lists nothing."""
    kind = pack.get("type") or "spectro"
    if kind == "manifest":
        return []
    listing = holders(context.lab, _real(pack), pack.get("version") or pack.get("tag") or "")
    silent = [one for one in REGISTRIES.values() if not one.synchronised and one.pack_type == kind]
    return [one for one in listing if one.pack_type == kind] + silent


def _imported(context: Context, whole: Document) -> str:
    """UID of the new profile. Raises ApiError where a pack's registry is not to be told."""
    _refuse_nameless(whole)
    spec, metadata = whole.get("spec") or {}, whole["metadata"]
    template = spec.get("template") or {}
    packs = [_resolved(context, pack) for pack in _packs(whole)]
    described = {"description": metadata["description"]} if metadata.get("description") else {}
    return new_profile(
        context,
        {"name": metadata["name"], "labels": metadata.get("labels") or {}, "annotations": described},
        {**spec, "template": {**template, "packs": packs}},
    )


def _resolved(context: Context, pack: Document) -> Document:
    """A pack of a file as a profile takes it: with the UIDs of its registry and of its version there."""
    version = pack.get("version") or pack.get("tag") or ""
    kept: dict[str, Any] = {key: pack[key] for key in ("name", "layer", "type", "values", "manifests") if key in pack}
    kept["tag"] = pack.get("tag") or version
    if pack.get("type") == "manifest":
        return {**kept, "uid": MANIFEST_PACK}
    given = ((pack.get("registry") or {}).get("metadata") or {}).get("uid", "")
    matching = _matching(context, pack)
    fitting = [one for one in matching if one.uid == given] if given else matching
    if len(fitting) != 1:
        names = ", ".join(sorted(one.name for one in matching)) or "none"
        what = "is not the one of" if given else "has to be chosen for"
        raise ApiError(
            400,
            "PackRegistryUnresolved",
            f"The registry {given} {what} pack '{pack['name']}' {version}: matching are {names}".replace("  ", " "),
        )
    registry = fitting[0]
    uid = pack_uid(_real(pack), version, registry.uid) if registry.synchronised else ""
    return {**kept, "registryUid": registry.uid, "uid": uid}


def _real(pack: Document) -> str:
    """The pack that is meant by ``unique--name``."""
    return str(pack["name"]).split("--", maxsplit=1)[-1]


def _form_file(context: Context, field: str) -> bytes:
    """What a form has as a file. Raises ApiError where there is none."""
    kind = context.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        whole = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace") + context.raw
        for part in BytesParser(policy=HTTP).parsebytes(whole).iter_parts():
            if part.get_param("name", header="content-disposition") == field:
                content = part.get_payload(decode=True)
                return content if isinstance(content, bytes) else b""
    raise invalid(f"The form has no file {field}")
