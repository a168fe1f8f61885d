"""Macros of the tenant and of projects: texts that values of packs can name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import bodies_profiles as bodies
from .core import DONE, Context, Lab, Reply, route
from .errors import ApiError, not_found
from .store import Document

_MACRO = re.compile(r"\.spectro\.macro\.([\w.-]+)")


@route("GET", "/v1/clusterprofiles/macros")
def profile_macros(context: Context) -> Document:
    return _shown(values(context.lab, context.project))


def used(text: str) -> list[str]:
    """The macros that a text names, as ``.spectro.macro.name``."""
    return [found.group(0) for found in _MACRO.finditer(text)]


def values(lab: Lab, project: str) -> dict[str, str]:
    """Values by name, of the tenant and of a project ("" for none); the project's own win."""
    found = _kept(lab, lab.store.setting("tenant"))
    return {**found, **(_kept(lab, project) if project else {})}


def resolved(context: Context, references: Iterable[str]) -> dict[str, str]:
    """What these references stand for, as they are written; one that stands for nothing is left out."""
    have = values(context.lab, context.project)
    found = {}
    for reference in references:
        name = _MACRO.search(reference)
        if name and name.group(1) in have:
            found[reference] = have[name.group(1)]
    return found


def _endpoints(template: str) -> None:
    """The five of one scope."""

    @route("GET", template)
    def read(context: Context) -> Document:
        return _shown(_kept(context.lab, _place(context)))

    @route("POST", template, body=bodies.MACROS)
    def add(context: Context) -> Reply:
        place = _place(context)
        have, given = _kept(context.lab, place), _given(context)
        for name in given:
            if name in have:
                raise ApiError(422, "MacroAlreadyExists", f"Macro '{name}' already exists")
        return _keep(context, place, {**have, **given})

    @route("PUT", template, body=bodies.MACROS)
    def replace(context: Context) -> Reply:
        return _keep(context, _place(context), _given(context))

    @route("PATCH", template, body=bodies.MACROS)
    def change(context: Context) -> Reply:
        place = _place(context)
        return _keep(context, place, {**_kept(context.lab, place), **_given(context)})

    @route("DELETE", template, body=bodies.MACROS)
    def remove(context: Context) -> Reply:
        place, gone = _place(context), _given(context)
        return _keep(context, place, {key: one for key, one in _kept(context.lab, place).items() if key not in gone})


_endpoints("/v1/projects/{uid}/macros")
_endpoints("/v1/tenants/{uid}/macros")


def _place(context: Context) -> str:
    context.tenant_only()
    uid = context.parts["uid"]
    if uid != context.store.setting("tenant") and context.store.get("project", uid) is None:
        raise not_found("Project" if "/projects/" in context.path else "Tenant", uid)
    return uid


def _given(context: Context) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in context.given("macros") or []}


def _kept(lab: Lab, place: str) -> dict[str, str]:
    found: dict[str, str] = lab.store.setting(f"macros {place}", {})
    return found


def _keep(context: Context, place: str, macros: dict[str, str]) -> Reply:
    context.store.set(f"macros {place}", macros)
    return DONE


def _shown(macros: dict[str, str]) -> Document:
    return {"macros": [{"name": name, "value": value} for name, value in macros.items()]}
