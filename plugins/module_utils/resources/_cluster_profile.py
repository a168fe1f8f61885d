# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles: planned by scope, name and version.

Each version is an object of its own. One that is missing is made as a copy of the newest, since that shares the
name; one that is there is changed in place, which reaches the clusters that use it, so that is refused unless asked
for. Writes go to a draft; publishing makes it what clusters can use. What the user did not set is not compared,
sensitive defaults are write-only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step, same
from ..palette._errors import ConflictError, InputError
from ..palette._names import labels_of
from ..palette._session import Scope
from ._metadata import plan_metadata
from ._packs import ResolvedPack
from ._profile_content import (
    have_pack,
    pack_body,
    pack_version,
    predicted_packs,
    shown_packs,
    shown_variables,
    variable_changes,
    want_pack,
)
from ._profile_read import (
    PATH,
    SEARCH,
    Current,
    describe,
    find,
    in_scope,
    layers_of,
    listing,
    read,
    read_uid,
    semver,
    versions,
)
from ._profile_rules import check_used

__all__ = [
    "PATH",
    "SEARCH",
    "Current",
    "DesiredProfile",
    "describe",
    "find",
    "in_scope",
    "listing",
    "plan",
    "publish_step",
    "read",
    "read_uid",
    "semver",
    "target_of",
    "versions",
]


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
    publish: bool = True
    update_in_use: bool = False

    @property
    def label(self) -> str:
        """The version in words."""
        return f"cluster profile {self.name} {self.version}"


def plan(
    current: Current,
    desired: DesiredProfile,
    *,
    scope: Scope,
    settle: Callable[[], str | None] | None = None,
    fresh: bool = False,
) -> Plan:
    """The steps from ``current`` to ``desired``.

    :param fresh: this run has just made the version as a copy.
    :raises InputError: for variables and layers that do not go together.
    :raises ConflictError: for a change of type or cloud, of a version in use, or the removal of one in use.
    """
    if not desired.present:
        return _removal(current, desired, scope)
    label = desired.label
    if current.profile is None and current.source is None:
        return _creation(desired, scope, settle)
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
        result.steps.append(
            Step(
                says=f"create {label} as a copy of version {have['version']}",
                method="POST",
                path=f"{PATH}/{have['uid']}/clone",
                scope=scope,
                body={"metadata": {"name": desired.name, "version": desired.version, "target": target_of(scope)}},
                binds="profile",
                settle=settle,
            )
        )
        result.replan_after = 1
        result.before["version"] = ""
    else:
        uid = have["uid"]
        result.before["version"] = desired.version

    # What is published stays with the versions of packs that it has, as long as a wildcard is content with them.
    stays = current.profile is not None and not fresh and bool((base.get("spec") or {}).get("published"))
    content = _content_steps(result, current, desired, uid, scope, stays=stays)
    publishes = desired.publish and (bool(content) or not have["published"])
    if current.profile is not None and have["clusters"] and not desired.update_in_use and (content or publishes):
        what = "; ".join(step.says for step in content) or f"publish the draft of {label}"
        raise ConflictError(
            f"{label} is used by the cluster {', '.join(have['clusters'][:5])} and would change under it "
            f"({what}): give a new version, or set update_in_use"
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
    if desired.publish and (result.steps or not have["published"]):
        result.steps.append(publish_step(label, uid, scope))
    if result.steps:
        drafted = bool(content) or current.profile is None or have["draft"]
        result.predicted |= {
            "published": desired.publish or (not drafted and have["published"]),
            "draft": not desired.publish and drafted,
        }
    return result


def target_of(scope: Scope) -> dict[str, Any]:
    """Where a copy goes to."""
    return {"scope": "project", "projectUid": scope.project_uid} if scope.project_uid else {"scope": "tenant"}


def publish_step(label: str, uid: str, scope: Scope) -> Step:
    """Makes a draft what clusters can use."""
    return Step(says=f"publish {label}", method="PATCH", path=f"{PATH}/{uid}/publish", scope=scope)


def _content_steps(
    result: Plan, current: Current, desired: DesiredProfile, uid: str, scope: Scope, *, stays: bool
) -> list[Step]:
    """New variables before the packs that use them, packs, then variables that nothing uses any more."""
    base = current.profile or current.source or {}
    changed, removed = variable_changes(current.variables, desired.variables)
    have = [have_pack(pack, current.manifests.get(pack["name"], {})) for pack in layers_of(base)]
    packs = [_staying(pack, base) if stays else pack for pack in desired.packs or []]
    want = have if desired.packs is None else _wanted(packs, have)
    kept = {one["name"] for one in current.variables} - set(removed)
    _check_used(want, have, [*kept, *(one["name"] for one in changed)], removed, ours=desired.packs is not None)
    steps = []
    if changed:
        result.before["variables"] = shown_variables(current.variables, changed)
        result.after["variables"] = shown_variables(changed, changed)
        steps.append(
            Step(
                says=f"set the variables {', '.join(one['name'] for one in changed)} of {desired.label}",
                method="PATCH",
                path=f"{PATH}/{uid}/variables",
                scope=scope,
                body={"variables": changed},
            )
        )
    if not same(have, want):
        steps.append(_layers_step(result, current, desired, uid, scope, packs, have, want))
    if removed:
        result.before["variables_removed"], result.after["variables_removed"] = [], removed
        steps.append(
            Step(
                says=f"remove the variables {', '.join(removed)} of {desired.label}",
                method="DELETE",
                path=f"{PATH}/{uid}/variables",
                scope=scope,
                body={"variables": removed},
                # Sites may publish the same version side by side.
                gone_is_done=True,
            )
        )
    return steps


def _layers_step(
    result: Plan,
    current: Current,
    desired: DesiredProfile,
    uid: str,
    scope: Scope,
    packs: Sequence[ResolvedPack],
    have: Sequence[Mapping[str, Any]],
    want: Sequence[Mapping[str, Any]],
) -> Step:
    touched = sorted({one["name"] for one in [*have, *want] if one not in have or one not in want})
    if [one["name"] for one in have] != [one["name"] for one in want]:
        result.before["layers"] = [one["name"] for one in have]
        result.after["layers"] = [one["name"] for one in want]
    shown, wanted = shown_packs(have, want)
    if touched:
        result.before["packs"], result.after["packs"] = shown, wanted
    result.predicted["packs"] = predicted_packs(packs, want)
    sent = [pack_body(pack, one, current.manifests) for pack, one in zip(packs, want)]
    return Step(
        says=f"set the layers {', '.join(touched)} of {desired.label}" if touched else f"reorder {desired.label}",
        method="PUT",
        path=f"{PATH}/{uid}",
        scope=scope,
        body={
            "metadata": {"uid": uid if current.profile is not None else "", "name": desired.name},
            "spec": {"template": {"packs": sent, "type": desired.type}, "version": desired.version},
        },
    )


def _wanted(packs: Sequence[ResolvedPack], have: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [want_pack(pack, have, f"packs[{index}]") for index, pack in enumerate(packs)]


def _staying(pack: ResolvedPack, base: Mapping[str, Any]) -> ResolvedPack:
    for one in layers_of(base):
        if one["name"] == pack.name:
            return pack.staying(pack_version(one), one.get("packUid") or "")
    return pack


def _check_used(
    want: Sequence[Mapping[str, Any]],
    have: Sequence[Mapping[str, Any]],
    declared: Sequence[str],
    removed: Sequence[str],
    *,
    ours: bool,
) -> None:
    """Layers that stay as they are may use what they like: Palette has taken them."""
    listed = [
        (f"packs[{index}]" if ours and one not in have else "", one["name"], one["values"], one["manifests"])
        for index, one in enumerate(want)
    ]
    check_used(listed, declared, removed=removed)


def _creation(desired: DesiredProfile, scope: Scope, settle: Callable[[], str | None] | None) -> Plan:
    if not desired.packs:
        raise InputError(f"packs: {desired.label} is not there yet, and a new one needs its packs")
    metadata: dict[str, Any] = {"name": desired.name}
    if desired.description:
        metadata["annotations"] = {"description": desired.description}
    if desired.tags:
        metadata["labels"] = labels_of(desired.tags)
    want = _wanted(desired.packs, [])
    packs = [pack_body(pack, one, {}) for pack, one in zip(desired.packs, want)]
    template = {"cloudType": desired.cloud, "type": desired.type, "packs": packs}
    spec: dict[str, Any] = {"template": template, "version": desired.version}
    variables = variable_changes([], desired.variables)[0]
    _check_used(want, [], [one["name"] for one in variables], [], ours=True)
    if variables:
        spec["variables"] = variables
    after: dict[str, Any] = {"name": desired.name, "version": desired.version, "type": desired.type}
    after["layers"] = [f"{one['name']} {one['version']}".strip() for one in want]
    if variables:
        after["variables"] = [one["name"] for one in variables]
    step = Step(
        says=f"create and publish {desired.label}" if desired.publish else f"create {desired.label} as a draft",
        method="POST",
        path=PATH,
        scope=scope,
        params={"publish": "true"} if desired.publish else {},
        body={"metadata": metadata, "spec": spec},
        binds="profile",
        settle=settle,
    )
    predicted = {
        "packs": predicted_packs(desired.packs, want),
        "published": desired.publish,
        "draft": not desired.publish,
    }
    return Plan(steps=[step], after=after, predicted=predicted)


def _removal(current: Current, desired: DesiredProfile, scope: Scope) -> Plan:
    if current.profile is None:
        return Plan()
    have = describe(current.profile)
    if have["clusters"]:
        raise ConflictError(
            f"{desired.label} is used by the cluster {', '.join(have['clusters'][:5])}: detach it there first"
        )
    step = Step(
        says=f"delete {desired.label}",
        method="DELETE",
        path=f"{PATH}/{have['uid']}",
        scope=scope,
        gone_is_done=True,
    )
    return Plan(steps=[step], before={"name": desired.name, "version": desired.version})
