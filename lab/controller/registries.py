"""Registries: their names and kinds, and whether they are synchronised. They cannot be made or changed here."""

from __future__ import annotations

from .catalogue import PUBLIC, REGISTRIES, Registry
from .core import Context, Reply, route
from .errors import invalid, not_found
from .listing import listed
from .store import Document

PATH = "/v1/registries"
# Where a registry of a kind is synchronised.
_SYNC = {"pack": "/pack/{uid}/sync", "helm": "/helm/{uid}/sync", "oci": "/oci/{uid}/basic/sync"}


@route("GET", PATH + "/metadata")
def registries_metadata(context: Context) -> Document:
    return {"items": [metadata(one) for one in REGISTRIES.values() if _in_scope(context, one)]}


@route("GET", PATH + "/oci/summary")
def oci_summary(context: Context) -> Document:
    return {
        "items": [
            {
                "metadata": _named(one),
                "spec": {
                    "endpoint": one.endpoint,
                    "scope": one.scope,
                    "isPrivate": one.private,
                    "containsSpectroManifest": False,
                    "providerType": "helm",
                    "registryType": "basic",
                },
                "status": {"sync": _sync(context, one)},
            }
            for one in REGISTRIES.values()
            if one.kind == "oci"
        ]
    }


def metadata(registry: Registry) -> Document:
    """A registry as it is told among all kinds."""
    return {
        "uid": registry.uid,
        "name": registry.name,
        "kind": registry.kind,
        "scope": registry.scope,
        "isDefault": registry is PUBLIC,
        "isPrivate": registry.private,
    }


def _summary(kind: str, private: str) -> None:
    """The list of the registries of a kind; ``private`` is what the field is called there."""

    @route("GET", f"{PATH}/{kind}/summary")
    def summary(context: Context) -> Document:
        items = [
            {
                "metadata": _named(one),
                "spec": {"endpoint": one.endpoint, "scope": one.scope, private: one.private},
                "status": {"sync": _sync(context, one)},
            }
            for one in REGISTRIES.values()
            if one.kind == kind and _in_scope(context, one)
        ]
        return listed(context, items)


def _synchronising(kind: str, path: str) -> None:
    """How a registry of a kind is synchronised, and how far that is."""

    @route("POST", PATH + path)
    def sync(context: Context) -> Reply:
        registry = _find(context, kind)
        if not registry.synchronised:
            raise invalid(f"Registry '{registry.name}' cannot be synchronised", code="RegistrySyncNotSupported")
        context.store.set(f"synchronised {registry.uid}", context.lab.clock())
        return Reply(202)

    @route("GET", PATH + path + "/status")
    def status(context: Context) -> Document:
        return _sync(context, _find(context, kind))


_summary("pack", "private")
_summary("helm", "isPrivate")
for _kind, _path in _SYNC.items():
    _synchronising(_kind, _path)


def _find(context: Context, kind: str) -> Registry:
    found = REGISTRIES.get(context.parts["uid"])
    if found is None or found.kind != kind:
        raise not_found("Registry", context.parts["uid"])
    return found


def _named(registry: Registry) -> Document:
    return {"uid": registry.uid, "name": registry.name}


def _sync(context: Context, registry: Registry) -> Document:
    if not registry.synchronised:
        return {"isSyncSupported": False, "message": "", "status": ""}
    since = context.lab.clock() - context.store.setting(f"synchronised {registry.uid}", float("-inf"))
    busy = since < context.lab.options.form_seconds
    return {"isSyncSupported": True, "message": "", "status": "InProgress" if busy else "Completed"}


def _in_scope(context: Context, registry: Registry) -> bool:
    return context.query.get("scope", "all") in ("", "all", registry.scope)
