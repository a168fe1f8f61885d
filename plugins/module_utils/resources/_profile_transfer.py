# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles that go elsewhere: into another project or name, and what two of them differ in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._reconcile import Plan, Step, same
from ..palette._errors import ConflictError
from ..palette._session import Scope, Session
from ._cluster_profile import PATH, Current, describe, publish_step, target_of
from ._profile_read import content
from ._yaml_text import same_yaml

_MOST = 5


def whole(current: Current) -> dict[str, Any]:
    """A version with type, cloud, layers and variables, in the options' shape."""
    have = describe(current.profile)
    return {"type": have["type"], "cloud": have["cloud"], **content(current)}


def differences(have: Mapping[str, Any], want: Mapping[str, Any]) -> list[str]:
    """What differs between two versions (:func:`whole`), in words. A registry that is not told is not compared."""
    found = [one for one in ("type", "cloud") if have[one] != want[one]]
    mine, other = _named(have["packs"]), _named(want["packs"])
    if list(mine) != list(other):
        found.append(f"layers ({', '.join(mine)}; not {', '.join(other)})")
    for name in [one for one in mine if one in other]:
        found += [f"{what} of {name}" for what in _pack_differences(mine[name], other[name])]
    mine, other = _named(have["variables"]), _named(want["variables"])
    for name in sorted({*mine, *other}):
        if not _same_variable(mine.get(name), other.get(name)):
            found.append(f"variable {name}")
    return found


def _named(listed: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in listed}


def _pack_differences(have: Mapping[str, Any], want: Mapping[str, Any]) -> list[str]:
    found = [] if have["version"] == want["version"] or "manifest" in (have["type"], want["type"]) else ["version"]
    if have["registry_uid"] and want["registry_uid"] and have["registry_uid"] != want["registry_uid"]:
        found.append("registry")
    if not same_yaml(have["values"], want["values"]):
        found.append("values")
    mine, other = ({key["name"]: key["content"].strip() for key in one["manifests"]} for one in (have, want))
    return found if mine == other else [*found, "manifests"]


def _same_variable(have: Mapping[str, Any] | None, want: Mapping[str, Any] | None) -> bool:
    if have is None or want is None:
        return False
    usual = {"format": "string", "input_type": "text", "display_name": have["name"]}
    mine, other = ({**usual, **{key: value for key, value in one.items() if value}} for one in (have, want))
    for one in (mine, other):
        one["options"] = [{key: item.get(key) for key in ("value", "label")} for item in one.get("options") or []]
        if one.get("sensitive"):
            # Masked in one of them at the least.
            one.pop("default_value", None)
    return same(mine, other)


def already_there(
    have: Current, want: Mapping[str, Any], *, label: str, scope: Scope, publish: bool, hint: str
) -> Plan:
    """The plan where the version is there: nothing but publishing it.

    :param hint: what to do when it is another one.
    :raises ConflictError: when it is.
    """
    found = differences(whole(have), want)
    seen = describe(have.profile)
    if found:
        rest = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        raise ConflictError(f"{label} is there already and is another one: {', '.join(found[:_MOST])}{rest}. {hint}")
    result = Plan(before={"published": False}, after={"published": True})
    if publish and not seen["published"]:
        result.steps.append(publish_step(label, seen["uid"], scope))
    return result


def plan_copy(
    source: Current,
    target: Current,
    *,
    name: str,
    version: str,
    publish: bool,
    scopes: tuple[Scope, Scope],
    where: str,
    settle: Callable[[], str | None],
) -> Plan:
    """The steps that bring a version of a profile to another place.

    :param target: what is there now, under ``name`` and ``version``.
    :param scopes: where it comes from, and where it goes to; ``where`` names the second.
    """
    label = f"cluster profile {name} {version} in {where}"
    if target.profile is not None:
        hint = "Give another target_version or target_name, or delete it"
        return already_there(target, whole(source), label=label, scope=scopes[1], publish=publish, hint=hint)
    have = describe(source.profile)
    step = Step(
        says=f"create {label} as a copy of {have['name']} {have['version']}",
        method="POST",
        path=f"{PATH}/{have['uid']}/clone",
        scope=scopes[0],
        body={"metadata": {"name": name, "version": version, "target": target_of(scopes[1])}},
        binds="profile",
        settle=settle,
    )
    after: dict[str, Any] = {"name": name, "version": version, "place": where}
    after["layers"] = [f"{one['name']} {one['version']}".strip() for one in have["packs"]]
    steps = [step, publish_step(label, "{profile}", scopes[1])] if publish else [step]
    predicted = {key: have[key] for key in ("type", "cloud", "description", "tags", "packs")}
    return Plan(
        steps=steps,
        after=after,
        predicted={**predicted, "published": publish, "draft": not publish},
        replan_after=1 if publish else None,
    )


def check_copy(session: Session, planned: Plan) -> Plan:
    """The plan, once Palette has nothing against its copy: that the target is there, say, and may be written to."""
    step = planned.steps[0] if planned.replan_after or (planned.steps and planned.steps[0].binds) else None
    if step is not None:
        path, body = f"{step.path}/validate", step.body["metadata"]
        session.request("POST", path, scope=step.scope, what=f"check whether to {step.says}", body=body, reads=True)
    return planned
