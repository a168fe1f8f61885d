"""Packs: what the registries list (see :mod:`lab.controller.catalogue`), searched, and told version by version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from . import bodies_profiles as bodies
from .catalogue import PUBLIC, REGISTRIES, Catalogue, Pack, Registry, shelves
from .core import Context, Lab, paged, route, text_fits
from .errors import not_found
from .listing import listed
from .store import Document

REGISTRY = {"name": PUBLIC.name, "uid": PUBLIC.uid}
MANIFEST_PACK = "spectro-manifest-pack"


@dataclass(frozen=True)
class Version:
    """One version of a pack in one registry."""

    registry: Registry
    name: str
    pack: Pack
    version: str

    @property
    def uid(self) -> str:
        """Its UID."""
        return pack_uid(self.name, self.version, self.registry.uid)


def pack_uid(name: str, version: str, registry: str = PUBLIC.uid) -> str:
    """UID of a version of a pack in the catalogue."""
    place = "" if registry == PUBLIC.uid else f"{registry}:"
    return hashlib.sha256(f"{place}{name}:{version}".encode()).hexdigest()[:24]


def known(lab: Lab) -> dict[str, Version]:
    """Everything in the catalogue, by UID."""
    found = [
        Version(REGISTRIES[registry], name, pack, version)
        for registry, catalogue in _shelves(lab).items()
        for name, pack in catalogue.items()
        for version in pack.versions
    ]
    return {one.uid: one for one in found}


def holders(lab: Lab, name: str, version: str) -> list[Registry]:
    """The registries that list this version of a pack."""
    return [
        REGISTRIES[registry]
        for registry, catalogue in _shelves(lab).items()
        if name in catalogue and version in catalogue[name].versions
    ]


def parents(version: str) -> list[str]:
    """The floating tags that a version is behind: ``1.30.x`` of ``1.30.4``."""
    numbers = version.split("-", maxsplit=1)[0].split(".")
    return [".".join([*numbers[:2], "x"])] if len(numbers) > 2 else []


@route("POST", "/v1/packs/search", body=bodies.PACKS_FILTER)
def search_packs(context: Context) -> Document:
    wanted = context.given("filter") or {}
    items: dict[tuple[str, str], Document] = {}
    for uid, catalogue in _shelves(context.lab).items():
        registry = REGISTRIES[uid]
        for name, pack in catalogue.items():
            if not _fits(wanted, registry, name, pack):
                continue
            spec = {**_traits(name, pack), "name": name, "type": registry.pack_type, "registries": []}
            entry = items.setdefault((name, registry.pack_type), {"metadata": {"name": name}, "spec": spec})
            entry["spec"]["registries"].append(
                {
                    "uid": uid,
                    "name": registry.name,
                    "scope": registry.scope,
                    "latestVersion": pack.versions[-1],
                    "latestPackUid": pack_uid(name, pack.versions[-1], uid),
                }
            )
    return paged(context, _sorted(list(items.values()), context.given("sort") or []))


@route("GET", "/v1/packs")
def list_packs(context: Context) -> Document:
    items = [
        {"metadata": {"name": one.name, "uid": uid}, "spec": summary(one)} for uid, one in known(context.lab).items()
    ]
    return listed(context, items)


@route("GET", "/v1/packs/{uid}")
def get_pack(context: Context) -> Document:
    found = known(context.lab).get(context.parts["uid"])
    if found is None:
        raise not_found("Pack", context.parts["uid"])
    return _entry(found.registry, found.name, found.pack)


@route("GET", "/v1/packs/{name}/registries/{registry}")
def pack_versions(context: Context) -> Document:
    name, registry = context.parts["name"], REGISTRIES.get(context.parts["registry"])
    pack = _shelves(context.lab).get(context.parts["registry"], {}).get(name)
    if registry is None or pack is None:
        raise not_found("Pack", name)
    cloud, layer = context.query.get("cloudType", "all"), context.query.get("layer")
    if not {"all", cloud} & {*pack.clouds, cloud if cloud == "all" else ""} or layer not in (None, "", pack.layer):
        raise not_found("Pack", name)
    return _entry(registry, name, pack)


def summary(one: Version) -> Document:
    """One version as lists tell it."""
    return {
        **_traits(one.name, one.pack),
        "name": one.name,
        "version": one.version,
        "registryUid": one.registry.uid,
        "type": one.registry.pack_type,
        "values": one.pack.values,
        **_choices(one.pack),
    }


def _shelves(lab: Lab) -> dict[str, Catalogue]:
    return shelves(lab.options.kubernetes)


def _fits(wanted: Document, registry: Registry, name: str, pack: Pack) -> bool:
    given = {key: set(wanted.get(key) or ()) for key in ("layer", "registryUid", "type", "addOnType")}
    own = {
        "layer": pack.layer,
        "registryUid": registry.uid,
        "type": registry.pack_type,
        "addOnType": pack.addon_type,
    }
    clouds = set(wanted.get("environment") or ())
    return (
        text_fits(wanted.get("name") or {}, name)
        and text_fits(wanted.get("displayName") or {}, pack.title or name)
        and not any(given[key] and own[key] not in given[key] for key in given)
        and (not clouds or bool(clouds & set(pack.clouds)) or "all" in pack.clouds)
    )


def _sorted(items: list[Document], orders: list[Document]) -> list[Document]:
    for order in reversed(orders):
        given = order.get("field", "")
        field = {"addOnType": "addonType"}.get(given, given)
        items.sort(key=lambda item: str(item["spec"].get(field, "")), reverse=order.get("order") == "desc")
    return items


def _traits(name: str, pack: Pack) -> Document:
    return {
        "displayName": pack.title or name,
        "layer": pack.layer,
        "addonType": pack.addon_type,
        "cloudTypes": list(pack.clouds),
    }


def _choices(pack: Pack) -> Document:
    """Presets and schema as they are told."""
    presets: list[Any] = [
        {"group": one.group, "name": one.name, "displayName": one.title, "add": one.add, "remove": list(one.remove)}
        for one in pack.presets
    ]
    schema = {
        "name": pack.required,
        "type": "object",
        "format": "yaml",
        "regex": ".*",
        "required": True,
        "readonly": False,
        "hints": [],
        "listOptions": [],
    }
    return {"presets": presets, "schema": [schema] if pack.required else []}


def _entry(registry: Registry, name: str, pack: Pack) -> Document:
    uids = {version: pack_uid(name, version, registry.uid) for version in pack.versions}
    return {
        **_traits(name, pack),
        "name": name,
        "registryUid": registry.uid,
        "tags": [
            {"packUid": uid, "tag": version, "version": version, "parentTags": parents(version)}
            for version, uid in uids.items()
        ],
        "packValues": [
            {"packUid": uid, "values": pack.values, "readme": f"# {pack.title or name}", **_choices(pack)}
            for uid in uids.values()
        ],
    }
