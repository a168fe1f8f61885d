"""Registries and packs: a small catalogue that is built in."""

from __future__ import annotations

import hashlib

from . import bodies
from .core import Context, paged, route, text_fits
from .errors import not_found
from .store import Document

REGISTRY = {"name": "Public Repo", "uid": "5eecc89d0b150045ae661cef"}
# name -> layer, versions, default values
CATALOGUE: dict[str, tuple[str, list[str], str]] = {
    "edge-native-byoi": (
        "os",
        ["1.0.0", "2.0.0", "2.1.0"],
        "pack:\n  content:\n    images: []\noptions:\n  system.uri: registry.example.com/edge/os:latest\n",
    ),
    "edge-k3s": ("k8s", ["1.29.9", "1.30.4", "1.31.1"], "cluster:\n  config: |\n    disable: [traefik, servicelb]\n"),
    "edge-k8s": ("k8s", ["1.30.4", "1.31.1"], "cluster:\n  config: |\n    clusterConfiguration: {}\n"),
    "edge-rke2": ("k8s", ["1.30.4", "1.31.1"], "cluster:\n  config: |\n    disable: [rke2-ingress-nginx]\n"),
    "cni-calico": ("cni", ["3.27.2", "3.28.0"], "manifests:\n  calico:\n    env: {}\n"),
    "cni-cilium-oss": ("cni", ["1.15.3", "1.16.0"], "charts:\n  cilium: {}\n"),
    "csi-longhorn": ("csi", ["1.6.2"], "charts:\n  longhorn: {}\n"),
    "nginx": ("addon", ["1.11.2"], "charts:\n  ingress-nginx: {}\n"),
}


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
    for name, (layer, versions, _values) in CATALOGUE.items():
        if not all(text_fits(wanted.get(key) or {}, name) for key in ("name", "displayName")):
            continue
        own = {"layer": layer, "registryUid": REGISTRY["uid"], "type": "spectro"}
        if any(given[key] and own[key] not in given[key] for key in given):
            continue
        registry = {
            **REGISTRY,
            "scope": "system",
            "latestVersion": versions[-1],
            "latestPackUid": pack_uid(name, versions[-1]),
        }
        spec = {"name": name, "displayName": name, "layer": layer, "type": "spectro", "cloudTypes": ["edge-native"]}
        items.append({"metadata": {"name": name}, "spec": {**spec, "registries": [registry]}})
    return paged(context, items)


@route("GET", "/v1/packs/{name}/registries/{registry}")
def pack_versions(context: Context) -> Document:
    name = context.parts["name"]
    if name not in CATALOGUE or context.parts["registry"] != REGISTRY["uid"]:
        raise not_found("Pack", name)
    layer, versions, values = CATALOGUE[name]
    return {
        "name": name,
        "displayName": name,
        "layer": layer,
        "cloudTypes": ["edge-native"],
        "registryUid": REGISTRY["uid"],
        "tags": [{"packUid": pack_uid(name, version), "tag": version, "version": version} for version in versions],
        "packValues": [{"packUid": pack_uid(name, version), "values": values} for version in versions],
    }


def pack_uid(name: str, version: str) -> str:
    """UID of a version of a pack in the catalogue."""
    return hashlib.sha256(f"{name}:{version}".encode()).hexdigest()[:24]


def layers() -> dict[str, str]:
    """The layer of everything in the catalogue, by UID."""
    return {
        pack_uid(name, version): layer for name, (layer, versions, _values) in CATALOGUE.items() for version in versions
    }
