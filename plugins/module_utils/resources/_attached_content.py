# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster has of an attached profile and what it shall have: values, manifests and variables, by their meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..palette._names import nearest
from ._profile_rules import value_problem
from ._profile_values import changed_lines
from ._yaml_text import same_yaml

INFRASTRUCTURE = ("cluster", "infra")
# Profile UID -> layer -> manifest -> (UID, content).
Manifests = Mapping[str, Mapping[str, Mapping[str, tuple[str, str]]]]
# Profile UID -> variable -> what Palette says of it.
Variables = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A profile to attach, or to detach. ``uid`` is empty only in check mode, for a profile that is not there yet.

    :ivar option: where it stands in the options, for errors.
    :ivar packs: layer -> values of the profile itself; None while they are not known.
    :ivar layers: layer -> names of its manifests in the profile itself.
    :ivar declared: variable -> what the profile says of it; None while that is not known.
    """

    name: str
    version: str = ""
    uid: str = ""
    type: str = "cluster"
    present: bool = True
    option: str = "profiles"
    variables: Mapping[str, str] | None = None
    pack_values: Mapping[str, str] | None = None
    manifests: Mapping[str, Mapping[str, str]] | None = None
    packs: Mapping[str, str] | None = None
    layers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    declared: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def label(self) -> str:
        """The profile in words."""
        return f"{self.name} {self.version}".strip()


@dataclass
class Change:
    """What of one attached profile is to be written, and both sides of the diff."""

    body: dict[str, Any] | None = None
    variables: dict[str, str] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def problems_of(one: Attachment) -> list[str]:
    """What can be told of an attachment from its profile alone, each with its option."""
    found = []
    layers = one.packs
    for option, given in (("pack_values", one.pack_values), ("manifests", one.manifests)):
        for layer in given or {}:
            if layers is not None and layer not in layers:
                found.append(
                    f"{one.option}.{option}: the cluster profile {one.label} has no layer {layer!r}. "
                    f"{nearest(layer, layers)}"
                )
    for layer, given_manifests in (one.manifests or {}).items():
        for name in given_manifests:
            if layers is not None and layer in layers and name not in one.layers.get(layer, ()):
                found.append(
                    f"{one.option}.manifests: the layer {layer} of {one.label} has no manifest {name!r}. "
                    f"{nearest(name, one.layers.get(layer, ()))}"
                )
    for name, value in (one.variables or {}).items() if one.declared is not None else ():
        rule = (one.declared or {}).get(name)
        label = f"{one.option}.variables: {name}"
        if rule is None:
            found.append(
                f"{label} is not declared by the cluster profile {one.label}. {nearest(name, one.declared or {})}"
            )
        elif not value:
            found += [f"{label} is required and cannot be empty"] if rule.get("required") else []
        elif value_problem(rule, value):
            found.append(f"{label}: {value_problem(rule, value)}")
    return found


def change_of(
    one: Attachment, there: Mapping[str, Any] | None, *, variables: Variables, manifests: Manifests
) -> tuple[Change, list[str]]:
    """What is to be written for ``one``, and what forbids it.

    :param there: the attached profile that it is or replaces, None when it is attached beside.
    """
    change = Change()
    known = variables.get((there or {}).get("uid", ""), {})
    problems = _variable_problems(one, known, new=there is None or there["uid"] != one.uid)
    if there is None or there["uid"] != one.uid:
        change.body = attachment_body(_without_fixed(one, known), manifests.get(there["uid"], {}) if there else {})
        if there is not None:
            change.body["replaceWithProfile"] = there["uid"]
        change.before = {"version": there.get("profileVersion", "")} if there else {}
        change.after = {"version": one.version}
        if there is not None and there.get("name") != one.name:
            change.before, change.after = (
                {"name": there.get("name", ""), **change.before},
                {
                    "name": one.name,
                    **change.after,
                },
            )
        return change, problems
    mine = manifests.get(one.uid, {})
    values = {pack["name"]: str(pack.get("values") or "") for pack in there.get("packs") or []}
    for layer, text in (one.pack_values or {}).items():
        if not same_yaml(values.get(layer, ""), text):
            _note(change, f"values of {layer}", values.get(layer, ""), text)
    for layer, given in (one.manifests or {}).items():
        for name, content in given.items():
            have = mine.get(layer, {}).get(name, ("", ""))[1]
            if not same_yaml(have, content):
                _note(change, f"manifest {name} of {layer}", have, content)
    overridden = bool(change.after)
    change.variables = _changed_variables(one, known)
    if change.variables:
        change.before["variables"] = {name: _value(known.get(name, {})) for name in change.variables}
        change.after["variables"] = dict(change.variables)
    if overridden:
        change.body = attachment_body(one, mine, values=values, whole=True)
        change.body.pop("variables", None)
        change.before["version"] = change.after["version"] = there.get("profileVersion", "")
    return change, problems


def attachment_body(
    one: Attachment,
    manifests: Mapping[str, Mapping[str, tuple[str, str]]],
    *,
    values: Mapping[str, str] | None = None,
    whole: bool = False,
) -> dict[str, Any]:
    """The attachment as it is written.

    :param manifests: of the cluster: a manifest that is there must be named by the UID that it has there.
    :param values: of the layers as the cluster has them, for layers of which only manifests are given.
    :param whole: what the cluster has of its own in other layers and manifests goes along, or it would be lost.
    """
    body: dict[str, Any] = {"uid": one.uid}
    packs = []
    own = dict(values or {})
    layers = dict.fromkeys([*(one.pack_values or {}), *(one.manifests or {})])
    if whole and one.packs is not None:
        theirs = one.packs
        layers |= dict.fromkeys(layer for layer in own if not same_yaml(own[layer], theirs.get(layer, "")))
        layers |= dict.fromkeys(layer for layer in own if manifests.get(layer))
    for layer in layers:
        entry: dict[str, Any] = {"name": layer}
        text = (one.pack_values or {}).get(layer)
        # Without values, those of the layer would be emptied.
        entry["values"] = (values or one.packs or {}).get(layer, "") if text is None else text
        known = manifests.get(layer, {})
        contents = {name: content for name, (dummy, content) in known.items()} if whole else {}
        contents |= (one.manifests or {}).get(layer, {})
        if contents:
            entry["manifests"] = [
                {"name": name, "content": content, **({"uid": known[name][0]} if name in known else {})}
                for name, content in contents.items()
            ]
        packs.append(entry)
    if packs:
        body["packValues"] = packs
    if one.variables:
        body["variables"] = variables_body(one.variables)
    return body


def variables_body(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Variables as they are written."""
    return [{"name": name, "value": value} for name, value in values.items()]


def double_packs(profiles: Mapping[str, Sequence[str]]) -> list[str]:
    """Each layer that two profiles (by what they are called) would bring to a cluster."""
    owners: dict[str, list[str]] = {}
    for label, layers in profiles.items():
        for layer in layers:
            owners.setdefault(layer, []).append(label)
    return [
        f"profiles: {' and '.join(labels)} both have the pack {layer}, and a cluster takes a pack once only: "
        "leave one of them out"
        for layer, labels in sorted(owners.items())
        if len(labels) > 1
    ]


def _note(change: Change, what: str, have: str, want: str) -> None:
    change.before[what], change.after[what] = changed_lines(have.strip(), want.strip())


def _value(known: Mapping[str, Any]) -> str:
    """The value of a variable on a cluster; one that was never set has its default."""
    return str(known["value"] if "value" in known else known.get("defaultValue") or "")


def _changed_variables(one: Attachment, known: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    # A sensitive value is masked when read: it is sent with a new version only, never compared.
    return {
        name: value
        for name, value in (one.variables or {}).items()
        if not _sensitive(one, known, name)
        and value != _value(known.get(name, {}))
        and (value or "value" in known.get(name, {}))
    }


def _without_fixed(one: Attachment, known: Mapping[str, Mapping[str, Any]]) -> Attachment:
    """Without secrets that the cluster has and that must stay: a value that may be another one would be refused."""
    fixed = {name for name, rule in (one.declared or {}).items() if rule.get("immutable") and rule.get("isSensitive")}
    kept = {name: value for name, value in (one.variables or {}).items() if name not in fixed or name not in known}
    return replace(one, variables=kept)


def _sensitive(one: Attachment, known: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    return bool(known.get(name, {}).get("isSensitive") or (one.declared or {}).get(name, {}).get("isSensitive"))


def _variable_problems(one: Attachment, known: Mapping[str, Mapping[str, Any]], *, new: bool) -> list[str]:
    found = []
    for name, rule in (one.declared or {}).items():
        given = (one.variables or {}).get(name)
        fixed = rule.get("immutable") or known.get(name, {}).get("immutable")
        if given is not None and fixed and name in known and not _sensitive(one, known, name):
            if given != _value(known[name]):
                found.append(
                    f"{one.option}.variables: {name} is immutable: it is {_value(known[name])!r} since the profile was "
                    "attached, and cannot be changed"
                )
        elif given is None and new and rule.get("required") and not rule.get("isSensitive"):
            value = _value(known.get(name, {})) or rule.get("defaultValue")
            found += [] if value else [f"{one.option}.variables: {name} of {one.label} is required and has no default"]
    return found
