# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles on a cluster: one UID for each version, replaced by naming the one that goes, variables apart.

PATCH adds and replaces, DELETE detaches; PUT would also detach what others attached, so it is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import ConflictError, InputError
from ..palette._session import Scope
from ._attached_content import (
    INFRASTRUCTURE,
    Attachment,
    Manifests,
    Variables,
    attachment_body,
    change_of,
    double_packs,
    variables_body,
)
from ._cluster_profile import semver

__all__ = ["Attached", "Attachment", "Way", "attachment_body", "described", "plan_profiles", "shown"]


@dataclass(frozen=True, kw_only=True)
class Attached:
    """What a cluster has: its profiles with their layers, variables and manifests, and whether something is staged.

    :ivar staged: changes were downloaded only, and wait until they are told to be installed.
    """

    templates: Sequence[Mapping[str, Any]] = ()
    variables: Variables = field(default_factory=dict)
    manifests: Manifests = field(default_factory=dict)
    staged: bool = False


@dataclass(frozen=True, kw_only=True)
class Way:
    """How profiles get onto a cluster.

    :ivar purge: those that are not given are detached.
    :ivar allow_downgrade: a version lower than the attached one is taken.
    :ivar apply: C(now), C(later), or "" for now without what was staged before.
    :ivar still_staged: asks Palette whether something is staged, for a lost answer.
    """

    purge: bool = False
    allow_downgrade: bool = False
    apply: str = ""
    still_staged: Callable[[], bool] | None = None


def described(template: Mapping[str, Any]) -> dict[str, str]:
    """An attached profile as a result."""
    return {
        "name": template.get("name", ""),
        "version": template.get("profileVersion", ""),
        "uid": template.get("uid", ""),
    }


def shown(one: Attachment) -> dict[str, str]:
    """A profile that is to be attached, as a result."""
    return {"name": one.name, "version": one.version, "uid": one.uid}


def plan_profiles(
    result: Plan, attached: Attached, wanted: Sequence[Attachment], *, way: Way, path: str, scope: Scope, name: str
) -> list[dict[str, Any]]:
    """Adds the steps from the attached profiles to the wanted ones to ``result``; returns what is to be attached anew.

    :param path: of the cluster; ``name`` is its name.
    :raises ConflictError: for all that Palette would refuse, or that should not happen by accident.
    """
    bodies: list[dict[str, Any]] = []
    variables: list[dict[str, Any]] = []
    named: list[str] = []
    replaced: set[str] = set()
    problems: list[str] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one in (one for one in wanted if one.present):
        there = _attached_as(one, attached.templates)
        if there is not None:
            replaced.add(there["uid"])
            problems += _downgrade(one, there) if not way.allow_downgrade else []
        change, wrong = change_of(one, there, variables=attached.variables, manifests=attached.manifests)
        problems += wrong
        if change.body is not None:
            bodies.append(change.body)
            named.append(one.name)
        if change.variables:
            variables.append({"profileUid": one.uid, "variables": variables_body(change.variables)})
        if change.after:
            before[one.name], after[one.name] = change.before, change.after
    leaving = [one for one in attached.templates if one["uid"] not in replaced and _leaves(one, wanted, way)]
    problems += [_needed(one, wanted) for one in leaving if one.get("type") in INFRASTRUCTURE]
    gone = replaced | {one["uid"] for one in leaving}
    staying = [one for one in attached.templates if one["uid"] not in gone]
    if bodies:
        # Those that stay as they are have no such pack twice; Palette would have refused it.
        problems += double_packs(_layers(wanted, staying))
    if problems:
        raise ConflictError("; ".join(problems))
    before.update({one.get("name", ""): {"version": one.get("profileVersion", "")} for one in leaving})
    if leaving:
        result.steps.append(_detach(leaving, path=path, scope=scope, name=name))
    if bodies:
        later = way.apply == "later"
        result.steps.append(
            Step(
                says=f"attach {', '.join(named)} to the cluster {name}{', to be installed later' if later else ''}",
                method="PATCH",
                path=f"{path}/profiles",
                scope=scope,
                params={"resolveNotification": "true"},
                body={
                    "profiles": bodies,
                    "spcApplySettings": {"actionType": f"DownloadAndInstall{'Later' if later else ''}"},
                },
            )
        )
    if variables:
        result.steps.append(
            Step(
                says=f"set profile variables of the cluster {name}",
                method="PATCH",
                path=f"{path}/variables",
                scope=scope,
                body=variables,
            )
        )
    if before or after:
        result.before["profiles"], result.after["profiles"] = before, after
        result.predicted["profiles"] = [shown(one) for one in wanted if one.present]
        result.predicted["profiles"] += [described(one) for one in staying]
    return bodies


def check_new(wanted: Sequence[Attachment]) -> None:
    """What forbids a new cluster of these profiles.

    :raises InputError: for a pack that two of them bring, and a variable that must be given.
    """
    problems = double_packs(_layers(wanted, []))
    for one in wanted:
        problems += change_of(one, None, variables={}, manifests={})[1]
    if problems:
        raise InputError("; ".join(problems))


def is_staged(cluster: Mapping[str, Any] | None) -> bool:
    """Whether changes were downloaded only, and wait until they are told to be installed."""
    status = ((cluster or {}).get("status") or {}).get("spcApply") or {}
    return status.get("actionType") == "DownloadAndInstallLater" and not status.get("canBeApplied")


def plan_staged(result: Plan, attached: Attached, *, way: Way, path: str, scope: Scope, name: str) -> None:
    """Adds the step that installs what was downloaded only, if that is wanted, to ``result``."""
    if way.apply != "now" or not attached.staged:
        return
    still = way.still_staged
    result.steps.append(
        Step(
            says=f"install what is staged for the cluster {name}",
            method="POST",
            path=f"{path}/status/spcApply",
            scope=scope,
            settle=(lambda: None if still() else "installed") if still else None,
        )
    )
    result.before["staged"], result.after["staged"] = True, False


def _attached_as(one: Attachment, templates: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What ``one`` is or replaces: by name, and for the infrastructure layers whatever brings them."""
    same = next((template for template in templates if template.get("name") == one.name), None)
    if same is None and one.type in INFRASTRUCTURE:
        same = next((template for template in templates if template.get("type") in INFRASTRUCTURE), None)
    return same


def _leaves(template: Mapping[str, Any], wanted: Sequence[Attachment], way: Way) -> bool:
    asked = any(
        one.name == template.get("name") and one.version in ("", template.get("profileVersion"))
        for one in wanted
        if not one.present
    )
    return way.purge or asked


def _needed(template: Mapping[str, Any], wanted: Sequence[Attachment]) -> str:
    option = next((one.option for one in wanted if one.name == template.get("name")), "purge_profiles")
    return (
        f"{option}: the profile {template.get('name')} brings the infrastructure layers and cannot be detached: "
        "give the one that replaces it"
    )


def _downgrade(one: Attachment, there: Mapping[str, Any]) -> list[str]:
    have = there.get("profileVersion") or ""
    if there.get("name") != one.name or there["uid"] == one.uid or semver(one.version) >= semver(have):
        return []
    text = f"{one.option}.version: {one.version} of {one.name} is lower than {have}, which is attached: "
    return [f"{text}set allow_downgrade to go back"]


def _layers(wanted: Sequence[Attachment], staying: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    layers = {one.label: list(one.packs or {}) for one in wanted if one.present}
    for one in staying:
        label = f"{one.get('name', '')} {one.get('profileVersion', '')}".strip()
        layers[label] = [pack["name"] for pack in one.get("packs") or []]
    return layers


def _detach(leaving: Sequence[Mapping[str, Any]], *, path: str, scope: Scope, name: str) -> Step:
    return Step(
        says=f"detach the profile {', '.join(one.get('name', '') for one in leaving)} from the cluster {name}",
        method="DELETE",
        path=f"{path}/profiles",
        scope=scope,
        body={"profileUids": [one["uid"] for one in leaving]},
    )
