"""Profiles as clusters hold them: snapshots of what is published, with the cluster's own values."""

from __future__ import annotations

from . import profile_content
from .core import Context
from .errors import ApiError, invalid, not_found
from .store import Document
from .variable_rules import problem


def published(context: Context, uid: str) -> Document | None:
    """A profile that a cluster of this scope can use."""
    profile = context.store.get("profile", uid)
    visible = context.store.project_of("profile", uid) in (context.project, "")
    return profile if profile and visible and profile["spec"].get("published") else None


def behind(context: Context, cluster: Document) -> list[Document]:
    """The attached profiles that were changed in place since they were attached, as they are published now."""
    found = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        profile = published(context, one["uid"])
        if profile and profile["spec"]["published"].get("version") != one.get("version"):
            found.append({**profile["spec"]["published"], "uid": one["uid"], "name": one["name"]})
    return found


def attach(context: Context, cluster: Document, given: Document) -> None:
    """Attaches a profile as it is written; another version that it replaces goes, and its variables stay."""
    profile = published(context, given.get("uid", ""))
    if profile is None:
        raise not_found("ClusterProfile", given.get("uid", ""))
    snapshot = profile_content.attached(profile, given.get("packValues") or [])
    templates: list[Document] = cluster["spec"]["clusterProfileTemplates"]
    replaced = {given.get("replaceWithProfile", ""), given["uid"]}
    place = next((index for index, one in enumerate(templates) if one["uid"] in replaced), len(templates))
    kept = [one for one in templates if one["uid"] not in replaced]
    used = {pack["name"] for one in kept for pack in one["packs"]}
    twice = sorted(used & {pack["name"] for pack in snapshot["packs"]})
    if twice:
        raise ApiError(400, "DuplicateClusterPacksForbidden", f"Pack '{twice[0]}' is in two attached profiles")
    kept.insert(min(place, len(kept)), snapshot)
    cluster["spec"]["clusterProfileTemplates"] = kept
    old = cluster["_lab"]["variables"].get(given.get("replaceWithProfile", ""), {})
    cluster["_lab"]["variables"].setdefault(given["uid"], dict(old))
    take_variables(context, cluster, given["uid"], given.get("variables") or [])


def take_variables(context: Context, cluster: Document, uid: str, values: list[Document]) -> None:
    """Takes values of the variables of an attached profile."""
    profile = context.store.get("profile", uid)
    declared = {one["name"]: one for one in profile["_lab"]["variables"]} if profile else {}
    known = cluster["_lab"]["variables"].setdefault(uid, {})
    for one in values:
        if one["name"] not in declared:
            raise invalid(f"The profile has no variable '{one['name']}'", code="VariableNotFound")
        wrong = problem(declared[one["name"]], one.get("value", ""))
        if wrong:
            raise invalid(f"The value of the variable '{one['name']}' {wrong}", code="InvalidVariableValue")
        before = known.get(one["name"], declared[one["name"]].get("defaultValue", ""))
        if declared[one["name"]].get("immutable") and cluster["_lab"].get("formed") and one.get("value", "") != before:
            raise invalid(f"The variable '{one['name']}' cannot be changed after deployment", code="VariableImmutable")
        known[one["name"]] = one.get("value", "")
