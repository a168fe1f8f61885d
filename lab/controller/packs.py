"""Registries and packs: a small catalogue that is built in (see :mod:`lab.controller.catalogue`)."""

from __future__ import annotations

import hashlib

from . import bodies
from .catalogue import offered
from .core import Context, Lab, paged, route, text_fits
from .errors import not_found
from .store import Document

REGISTRY = {"name": "Public Repo", "uid": "5eecc89d0b150045ae661cef"}


@route("GET", "/v1/registries/metadata")
def registries_metadata(context: Context) -> Document:
    return {"items": [{**REGISTRY, "kind": "pack", "scope": "system", "isDefault": True, "isPrivate": False}]}


@route("GET", "/v1/registries/pack/summary")
def registries_summary(context: Context) -> Document:
    spec = {"endpoint": "https://registry.example.com", "private": False, "scope": "system"}
    sync = {"isSyncSupported": True, "status": "Completed", "message": ""}
    return paged(context, [{"metadata": dict(REGISTRY), "spec": spec, "status": {"sync": sync}}])


@route("POST", "/v1/packs/search", body=bodies.PACKS_FILTER)
def search_packs(context: Context) -> Document:
    wanted = context.given("filter") or {}
    given = {key: set(wanted.get(key) or ()) for key in ("layer", "registryUid", "type")}
    items = []
    for name, pack in offered(context.lab.options.kubernetes).items():
        if not all(text_fits(wanted.get(key) or {}, name) for key in ("name", "displayName")):
            continue
        own = {"layer": pack.layer, "registryUid": REGISTRY["uid"], "type": "spectro"}
        if any(given[key] and own[key] not in given[key] for key in given):
            continue
        registry = {
            **REGISTRY,
            "scope": "system",
            "latestVersion": pack.versions[-1],
            "latestPackUid": pack_uid(name, pack.versions[-1]),
        }
        spec = {
            "name": name,
            "displayName": name,
            "layer": pack.layer,
            "type": "spectro",
            "cloudTypes": ["edge-native"],
        }
        items.append({"metadata": {"name": name}, "spec": {**spec, "registries": [registry]}})
    return paged(context, items)


@route("GET", "/v1/packs/{name}/registries/{registry}")
def pack_versions(context: Context) -> Document:
    name = context.parts["name"]
    pack = offered(context.lab.options.kubernetes).get(name)
    if pack is None or context.parts["registry"] != REGISTRY["uid"]:
        raise not_found("Pack", name)
    return {
        "name": name,
        "displayName": name,
        "layer": pack.layer,
        "cloudTypes": ["edge-native"],
        "registryUid": REGISTRY["uid"],
        "tags": [{"packUid": pack_uid(name, version), "tag": version, "version": version} for version in pack.versions],
        "packValues": [{"packUid": pack_uid(name, version), "values": pack.values} for version in pack.versions],
    }


def pack_uid(name: str, version: str) -> str:
    """UID of a version of a pack in the catalogue."""
    return hashlib.sha256(f"{name}:{version}".encode()).hexdigest()[:24]


def layers(lab: Lab) -> dict[str, str]:
    """The layer of everything in the catalogue, by UID."""
    catalogue = offered(lab.options.kubernetes)
    return {pack_uid(name, version): pack.layer for name, pack in catalogue.items() for version in pack.versions}
