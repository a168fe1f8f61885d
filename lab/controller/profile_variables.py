"""Variables of cluster profiles: written by the rules of :mod:`lab.controller.variable_rules`, and read."""

from __future__ import annotations

from . import bodies_profiles as bodies
from .core import Context, Reply, route
from .profile_content import check_variables
from .profiles import PATH, any_scope, find, save
from .store import Document
from .variable_rules import refuse

MASK = "*****"


@route("GET", PATH + "/{uid}/variables")
def get_variables(context: Context) -> Document:
    return {"variables": [masked(one) for one in any_scope(context)["_lab"]["variables"]]}


@route("PATCH", PATH + "/{uid}/variables", body=bodies.VARIABLES)
def patch_variables(context: Context) -> Reply:
    profile = find(context)
    merged = {one["name"]: one for one in profile["_lab"]["variables"]}
    for one in context.given("variables") or []:
        merged[one["name"]] = {**merged.get(one["name"], {}), **one}
    return _keep(context, profile, list(merged.values()))


@route("PUT", PATH + "/{uid}/variables", body=bodies.VARIABLES)
def put_variables(context: Context) -> Reply:
    return _keep(context, find(context), context.given("variables") or [])


@route("DELETE", PATH + "/{uid}/variables", body=bodies.VARIABLE_NAMES)
def delete_variables(context: Context) -> Reply:
    profile = find(context)
    gone = set(context.given("variables") or [])
    return _keep(context, profile, [one for one in profile["_lab"]["variables"] if one["name"] not in gone])


def variable_in_cluster(variable: Document, value: str | None) -> Document:
    """A variable with its value in a cluster, as it is read."""
    shown_value = value if value is not None else variable.get("defaultValue", "")
    whole = {"inputType": "text", "options": [], **masked(variable)}
    return {**whole, "value": MASK if variable.get("isSensitive") else shown_value}


def masked(variable: Document) -> Document:
    """A variable as it is read: a sensitive default is not told."""
    always = {"defaultValue": "", "hidden": False, "immutable": False, "isSensitive": False, "required": False}
    mask = {"defaultValue": MASK} if variable.get("isSensitive") and variable.get("defaultValue") else {}
    options = {"options": [{"default": False, **one} for one in variable["options"]]} if "options" in variable else {}
    return {**always, **variable, **options, **mask}


def _keep(context: Context, profile: Document, variables: list[Document]) -> Reply:
    refuse(variables, before=profile["_lab"]["variables"])
    profile["_lab"]["variables"] = variables
    check_variables(profile)
    return save(context, profile)
