# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles: each version is an object of its own, found by (scope, name, version).

A new version is a copy (clone) of the newest one, then changed; writing to a version that is there changes it in place
and reaches the clusters that use it, so that is refused unless asked for. Writes go to a draft; publishing makes it
what clusters can use. What the user did not set is not compared, sensitive defaults are write-only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step, same
from ..palette._errors import ConflictError, InputError
from ..palette._names import labels_of, tags_of
from ..palette._session import Scope, Session
from ._metadata import plan_metadata
from ._packs import ResolvedPack
from ._profile_content import (
    have_pack,
    pack_body,
    pack_version,
    predicted_packs,
    shown_variables,
    variable_changes,
    want_pack,
)

PATH = "/v1/clusterprofiles"
SEARCH = "/v1/dashboard/clusterprofiles"


@dataclass(frozen=True, kw_only=True)
class DesiredProfile:
    """None means "leave it as it is" (and Palette's default on creation)."""

    name: str
    version: str = "1.0.0"
    present: bool = True
    type: str = "cluster"
    cloud: str = "edge-native"
    description: str | None = None
    tags: Mapping[str, Any] | None = None
    packs: Sequence[ResolvedPack] | None = None
    variables: Sequence[Mapping[str, Any]] | None = None
    update_in_use: bool = False


@dataclass(frozen=True)
class Current:
    """A profile as Palette has it: the version asked for, or else the newest one to copy from.

    :ivar profile: GET of the version asked for, None when there is none.
    :ivar source: GET of the newest other version, None unless ``profile`` is None.
    :ivar manifests: pack name -> manifest name -> (UID, content), of whichever of the two there is.
    :ivar variables: of whichever of the two there is.
    """

    profile: Mapping[str, Any] | None
    source: Mapping[str, Any] | None
    manifests: Mapping[str, Mapping[str, tuple[str, str]]]
    variables: Sequence[Mapping[str, Any]]


def versions(session: Session, scope: Scope, name: str) -> dict[str, list[str]]:
    """Version -> UIDs of the profiles of this name in this scope (two UIDs: the name is borne twice)."""
    body = {"filter": {"profileName": {"eq": name, "ignoreCase": False}}}
    found: dict[str, list[str]] = {}
    for item in session.pages("POST", SEARCH, scope=scope, what=f"look for the cluster profile {name}", body=body):
        metadata, summary = item["metadata"], item.get("specSummary") or {}
        if metadata.get("name") != name or not in_scope(metadata, scope):
            continue
        pairs = [(summary.get("version") or "1.0.0", metadata["uid"])]
        pairs += [(one["version"], one["uid"]) for one in summary.get("versions") or []]
        for version, uid in pairs:
            if uid not in found.setdefault(version, []):
                found[version].append(uid)
    return found


def listing(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """Every profile of this scope, one entry a version, without layers."""
    answer = session.request("GET", f"{SEARCH}/metadata", scope=scope, what="list cluster profiles") or {}
    return [
        {
            "uid": item["metadata"]["uid"],
            "name": item["metadata"].get("name", ""),
            "version": (item.get("spec") or {}).get("version") or "1.0.0",
            "cloud": (item.get("spec") or {}).get("cloudType", ""),
        }
        for item in answer.get("items") or []
    ]


def read_uid(session: Session, scope: Scope, uid: str) -> dict[str, Any]:
    """One version as Palette has it."""
    profile: dict[str, Any] = session.request(
        "GET", f"{PATH}/{uid}", scope=scope, what=f"read the cluster profile {uid}"
    )
    return profile


def in_scope(metadata: Mapping[str, Any], scope: Scope) -> bool:
    """Whether an object of a project-scoped list is the scope's own: such lists show the tenant's objects, too."""
    owner = (metadata.get("annotations") or {}).get("scope")
    return owner in (None, "", "project" if scope.project_uid else "tenant")


def semver(version: str) -> tuple[int, ...]:
    """A version as numbers, for comparing; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("-", maxsplit=1)[0].split("."))


def read(session: Session, scope: Scope, name: str, version: str) -> Current:
    """What :func:`plan` needs to know.

    :raises InputError: when two profiles bear the name and version.
    """
    found = versions(session, scope, name)
    hits = found.get(version, [])
    if len(hits) > 1:
        raise InputError(
            f"name: {len(hits)} cluster profiles are named {name!r} with version {version} "
            f"({', '.join(hits)}): remove all but one"
        )
    if not found:
        return Current(None, None, {}, [])
    uid = hits[0] if hits else found[max(found, key=semver)][0]
    what = f"read the cluster profile {name}"
    profile = session.request("GET", f"{PATH}/{uid}", scope=scope, what=what)
    variables = session.request("GET", f"{PATH}/{uid}/variables", scope=scope, what=what) or {}
    manifests: dict[str, dict[str, tuple[str, str]]] = {}
    if any(pack.get("manifests") for pack in _packs(profile)):
        answer = session.request("GET", f"{PATH}/{uid}/packs/manifests", scope=scope, what=what) or {}
        for pack in (answer.get("spec") or {}).get("packs") or []:
            spec = pack.get("spec") or {}
            manifests[spec.get("name", "")] = {
                one["name"]: (one.get("uid", ""), str(one.get("content") or "").strip())
                for one in spec.get("manifests") or []
            }
    listed = variables.get("variables") or []
    return Current(profile, None, manifests, listed) if hits else Current(None, profile, manifests, listed)


def describe(profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """The profile as a result."""
    if profile is None:
        return {}
    metadata, spec, status = profile["metadata"], profile.get("spec") or {}, profile.get("status") or {}
    template = _template(profile)
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name", ""),
        "version": spec.get("version") or template.get("profileVersion") or "1.0.0",
        "versions": sorted((one["version"] for one in spec.get("versions") or []), key=semver),
        "description": (metadata.get("annotations") or {}).get("description", ""),
        "tags": tags_of(metadata.get("labels")),
        "type": template.get("type", ""),
        "cloud": template.get("cloudType", ""),
        "published": bool(spec.get("published")) and not spec.get("draft"),
        "packs": [
            {"name": pack["name"], "layer": pack.get("layer", ""), "version": pack_version(pack)}
            for pack in _packs(profile)
        ],
        "clusters": [one.get("name", "") for one in status.get("inUseClusters") or []],
    }


def plan(
    current: Current, desired: DesiredProfile, *, scope: Scope, settle: Callable[[], str | None] | None = None
) -> Plan:
    """The steps from ``current`` to ``desired``.

    :raises ConflictError: for a change of type or cloud, of a version in use, or the removal of one in use.
    """
    if not desired.present:
        return _removal(current, desired, scope)
    label = f"cluster profile {desired.name} {desired.version}"
    if current.profile is None and current.source is None:
        return _creation(desired, label, scope, settle)
    base = current.profile or current.source or {}
    have = describe(base)
    if have["type"] != desired.type or have["cloud"] != desired.cloud:
        raise ConflictError(
            f"type: {label} is there as type {have['type']} for {have['cloud']}, and neither can be changed: "
            "use another name"
        )
    result = Plan(before={"name": desired.name}, after={"name": desired.name, "version": desired.version})
    uid = "{profile}"
    if current.profile is None:
        target: dict[str, Any] = {"scope": "project" if scope.project_uid else "tenant"}
        if scope.project_uid:
            target["projectUid"] = scope.project_uid
        result.steps.append(
            Step(
                says=f"create {label} as a copy of version {have['version']}",
                method="POST",
                path=f"{PATH}/{have['uid']}/clone",
                scope=scope,
                body={"metadata": {"name": desired.name, "version": desired.version, "target": target}},
                binds="profile",
                settle=settle,
            )
        )
        result.replan_after = 1
        result.before["version"] = ""
    else:
        uid = have["uid"]
        result.before["version"] = desired.version

    content = _content_steps(result, current, desired, base, uid, label, scope)
    if content and current.profile is not None and have["clusters"] and not desired.update_in_use:
        raise ConflictError(
            f"{label} is used by the cluster {', '.join(have['clusters'][:5])} and would change under it "
            f"({'; '.join(step.says for step in content)}): give a new version, or set update_in_use"
        )
    result.steps += content
    result.steps += plan_metadata(
        result,
        have,
        name=desired.name,
        description=desired.description,
        tags=desired.tags,
        what=label,
        path=f"{PATH}/{uid}",
        scope=scope,
        body={"spec": {"version": desired.version}},
    )
    if result.steps or not have["published"]:
        result.steps.append(Step(says=f"publish {label}", method="PATCH", path=f"{PATH}/{uid}/publish", scope=scope))
    return result


def _content_steps(
    result: Plan,
    current: Current,
    desired: DesiredProfile,
    base: Mapping[str, Any],
    uid: str,
    label: str,
    scope: Scope,
) -> list[Step]:
    """New variables before the packs that use them, packs, then variables that nothing uses any more."""
    changed, removed = variable_changes(current.variables, desired.variables)
    steps = []
    if changed:
        result.before["variables"] = shown_variables(current.variables, changed)
        result.after["variables"] = shown_variables(changed, changed)
        steps.append(
            Step(
                says=f"set the variables {', '.join(one['name'] for one in changed)} of {label}",
                method="PATCH",
                path=f"{PATH}/{uid}/variables",
                scope=scope,
                body={"variables": changed},
            )
        )
    if desired.packs is not None:
        have = [have_pack(pack, current.manifests.get(pack["name"], {})) for pack in _packs(base)]
        want = [want_pack(pack, have) for pack in desired.packs]
        if not same(have, want):
            touched = {one["name"] for one in [*have, *want] if one not in have or one not in want}
            if [one["name"] for one in have] != [one["name"] for one in want]:
                result.before["layers"] = [one["name"] for one in have]
                result.after["layers"] = [one["name"] for one in want]
            result.before["packs"] = [one for one in have if one["name"] in touched]
            result.after["packs"] = [one for one in want if one["name"] in touched]
            packs = [pack_body(pack, one, current.manifests) for pack, one in zip(desired.packs, want)]
            result.predicted["packs"] = predicted_packs(desired.packs, want)
            body = {
                "metadata": {"uid": base["metadata"]["uid"] if current.profile else "", "name": desired.name},
                "spec": {"template": {"packs": packs, "type": desired.type}, "version": desired.version},
            }
            steps.append(
                Step(
                    says=f"set the layers {', '.join(sorted(touched))} of {label}" if touched else f"reorder {label}",
                    method="PUT",
                    path=f"{PATH}/{uid}",
                    scope=scope,
                    body=body,
                )
            )
    if removed:
        result.before["variables_removed"], result.after["variables_removed"] = [], removed
        steps.append(
            Step(
                says=f"remove the variables {', '.join(removed)} of {label}",
                method="DELETE",
                path=f"{PATH}/{uid}/variables",
                scope=scope,
                body={"variables": removed},
            )
        )
    return steps


def _creation(desired: DesiredProfile, label: str, scope: Scope, settle: Callable[[], str | None] | None) -> Plan:
    if not desired.packs:
        raise InputError(f"packs: {label} is not there yet, and a new one needs its packs")
    metadata: dict[str, Any] = {"name": desired.name}
    if desired.description:
        metadata["annotations"] = {"description": desired.description}
    if desired.tags:
        metadata["labels"] = labels_of(desired.tags)
    want = [want_pack(pack, []) for pack in desired.packs]
    packs = [pack_body(pack, one, {}) for pack, one in zip(desired.packs, want)]
    template = {"cloudType": desired.cloud, "type": desired.type, "packs": packs}
    spec: dict[str, Any] = {"template": template, "version": desired.version}
    if desired.variables:
        spec["variables"] = variable_changes([], desired.variables)[0]
    after: dict[str, Any] = {"name": desired.name, "version": desired.version, "type": desired.type}
    after["layers"] = [f"{one['name']} {one['version']}".strip() for one in want]
    if desired.variables:
        after["variables"] = [one["name"] for one in desired.variables]
    step = Step(
        says=f"create and publish {label}",
        method="POST",
        path=PATH,
        scope=scope,
        params={"publish": "true"},
        body={"metadata": metadata, "spec": spec},
        binds="profile",
        settle=settle,
    )
    return Plan(steps=[step], after=after, predicted={"packs": predicted_packs(desired.packs, want)})


def _removal(current: Current, desired: DesiredProfile, scope: Scope) -> Plan:
    if current.profile is None:
        return Plan()
    have = describe(current.profile)
    if have["clusters"]:
        raise ConflictError(
            f"cluster profile {desired.name} {desired.version} is used by the cluster "
            f"{', '.join(have['clusters'][:5])}: detach it there first"
        )
    step = Step(
        says=f"delete cluster profile {desired.name} {desired.version}",
        method="DELETE",
        path=f"{PATH}/{have['uid']}",
        scope=scope,
        gone_is_done=True,
    )
    return Plan(steps=[step], before={"name": desired.name, "version": desired.version})


def _template(profile: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = profile.get("spec") or {}
    template: Mapping[str, Any] = spec.get("draft") or spec.get("published") or {}
    return template


def _packs(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(_template(profile).get("packs") or [])
