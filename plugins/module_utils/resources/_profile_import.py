# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles as files: what Palette exports, and what it takes to import it, perhaps into another Palette."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import InputError
from ..palette._names import nearest
from ..palette._session import HIDDEN, Scope, Session
from ._cluster_profile import PATH, Current
from ._profile_read import options_of_variable
from ._profile_rules import check_used, value_problem
from ._profile_transfer import already_there
from ._yaml_text import HAS_YAML, text_of_yaml

if HAS_YAML:
    import yaml

_MASK = re.compile(r"\*{3,}")


def export_text(session: Session, scope: Scope, uid: str, *, form: str, name: str) -> str:
    """A version as Palette exports it; JSON is laid out for people and for diffs."""
    text: str = session.request(
        "GET",
        f"{PATH}/{uid}/export",
        scope=scope,
        what=f"export the cluster profile {name}",
        params={"format": form},
        text=True,
    )
    if form == "json":
        # What is no JSON is written as it came.
        with contextlib.suppress(ValueError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text.rstrip() + "\n"


def parsed(text: str, *, file: str) -> dict[str, Any]:
    """The profile that a file of Palette's export holds, JSON or YAML.

    :raises InputError: when it is none.
    """
    whole: Any = None
    try:
        whole = json.loads(text)
    except ValueError as error:
        if not HAS_YAML:
            raise InputError(
                f"{file} is not JSON ({error}); YAML needs PyYAML on the host that runs the module"
            ) from None
        try:
            whole = yaml.safe_load(text)
        except yaml.YAMLError as problem:
            first = str(getattr(problem, "problem", "") or problem).splitlines()[0]
            raise InputError(f"{file} is neither JSON nor YAML: {first}") from None
    if not isinstance(whole, dict) or not isinstance((whole.get("spec") or {}).get("template"), dict):
        raise InputError(f"{file} is no exported cluster profile: it has no spec.template")
    return whole


def hidden(text: str) -> tuple[list[str], list[str]]:
    """An export as lines without secrets, and the secrets."""
    try:
        whole = parsed(text, file="")
    except InputError:
        return text.splitlines(), []
    secrets = [
        str(one["defaultValue"])
        for one in (whole["spec"].get("variables") or [])
        if one.get("isSensitive") and one.get("defaultValue") and not _MASK.fullmatch(str(one["defaultValue"]))
    ]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text.splitlines(), secrets


def adapted(
    entity: Mapping[str, Any], *, name: str | None, version: str | None, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The profile of a file under another name or version, with defaults of its variables put in.

    :raises InputError: for a default that misses its rule or is of no variable, a secret that the file does not have, a
        layer that uses a variable which is not declared, and the same layer twice.
    """
    made: dict[str, Any] = copy.deepcopy(dict(entity))
    made.setdefault("metadata", {})
    made["metadata"]["name"] = name or made["metadata"].get("name") or ""
    spec = made["spec"]
    spec["version"] = str(version or spec.get("version") or "1.0.0")
    if not made["metadata"]["name"]:
        raise InputError("name: the file has none, so give one")
    variables = spec.get("variables") or []
    known = [one["name"] for one in variables]
    for one in sorted(set(defaults) - set(known)):
        raise InputError(f"variable_defaults: the profile has no variable {one!r}. {nearest(one, known)}")
    problems = []
    for one in variables:
        if one["name"] in defaults:
            one["defaultValue"] = str(defaults[one["name"]])
            problem = value_problem(one, one["defaultValue"])
            if problem:
                problems.append(f"variable_defaults: the default of {one['name']} misses its rule: {problem}")
        elif one.get("isSensitive") and _MASK.fullmatch(str(one.get("defaultValue") or "")):
            # The mask is not the secret.
            del one["defaultValue"]
            if one.get("required"):
                problems.append(f"variable_defaults: {one['name']} is a secret that the file does not have: give it")
    if problems:
        raise InputError("; ".join(problems))
    packs = packs_of(made)
    names = [one["name"] for one in packs]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise InputError(f"src: the layer {', '.join(twice)} is in the profile twice")
    layers = [
        ("src", one["name"], str(one.get("values") or ""), {key["name"]: key["content"] for key in _manifests(one)})
        for one in packs
    ]
    check_used(layers, known, removed=[])
    return made


def packs_of(entity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The layers of a file."""
    return list(entity["spec"]["template"].get("packs") or [])


def _manifests(pack: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(pack.get("manifests") or [])


def as_whole(entity: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of a file in the shape of :func:`~._profile_transfer.whole`; registries are not told."""
    template = entity["spec"]["template"]
    packs = [
        {
            "name": one["name"],
            "type": one.get("type") or "spectro",
            "version": str(one.get("version") or one.get("tag") or ""),
            "registry_uid": "",
            "values": text_of_yaml(str(one.get("values") or "")),
            "manifests": [{"name": key["name"], "content": str(key.get("content") or "")} for key in _manifests(one)],
        }
        for one in packs_of(entity)
    ]
    variables = [options_of_variable(one) for one in entity["spec"].get("variables") or []]
    kind, cloud = template.get("type") or "", template.get("cloudType") or ""
    return {"type": kind, "cloud": cloud, "packs": packs, "variables": variables}


def check_import(session: Session, scope: Scope, entity: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Palette's opinion of a file: layer -> the registries here that have its pack."""
    answer = session.request(
        "POST",
        f"{PATH}/import/validate",
        scope=scope,
        what=f"check the import of the cluster profile {entity['metadata']['name']}",
        body=entity,
        reads=True,
    )
    # The rest of the answer has its secrets masked, so it is not what is to be imported.
    packs = ((answer or {}).get("spec") or {}).get("template", {}).get("packs") or []
    return {one["name"]: (one.get("registry") or {}).get("matchingRegistries") or [] for one in packs}


def map_registries(
    entity: Mapping[str, Any],
    mapping: Mapping[str, str],
    *,
    matches: Mapping[str, Sequence[Mapping[str, Any]]],
    known: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any], dict[str, str]]:
    """The profile with the registries of this Palette, and layer -> name of its registry.

    :param matches: layer -> the registries that have its pack.
    :param mapping: name or UID of a registry in the file -> name or UID of one here; one not named keeps its name.
    :param known: the registries here, for those that are not synchronised and so are not matched by Palette.
    :raises InputError: where no registry, or several, bear the name; with those that have the pack.
    """
    made = copy.deepcopy(dict(entity))
    chosen: dict[str, str] = {}
    problems, seen = [], set()
    for pack in packs_of(made):
        if (pack.get("type") or "spectro") == "manifest":
            pack.pop("registry", None)
            continue
        registry = pack.get("registry") or {}
        origin = registry.get("metadata") or {}
        name, uid = str(origin.get("name") or ""), str(origin.get("uid") or "")
        seen |= {name, uid}
        wanted = mapping.get(name) or mapping.get(uid) or name or uid
        matching = matches.get(pack["name"]) or []
        if not matching and pack.get("type") in ("helm", "oci"):
            matching = [{"name": one["name"], "uid": one["uid"], "kind": one["kind"]} for one in known]
        hits = [one for one in matching if wanted and wanted in (one.get("name"), one.get("uid"))]
        if len(hits) == 1:
            pack["registry"] = {"metadata": hits[0]}
            chosen[pack["name"]] = str(hits[0].get("name") or hits[0]["uid"])
            continue
        have = ", ".join(
            sorted(f"{one.get('name')}" + (f" ({one['uid']})" if hits else "") for one in hits or matching)
        )
        tag = pack.get("version") or pack.get("tag") or ""
        if not matching:
            problems.append(f"no registry that this key can see has {pack['name']} {tag}".rstrip())
        elif hits:
            problems.append(f"{len(hits)} registries named {wanted} have {pack['name']}, give a UID: {have}")
        else:
            problems.append(
                f"{wanted or 'no registry named in the file'} does not have {pack['name']} {tag} here; these have it: {have}"
            )
    unknown = sorted(set(mapping) - seen)
    if unknown:
        problems.append(f"no layer of the file is of the registry {', '.join(unknown)}")
    if problems:
        raise InputError(f"registries: {'; '.join(problems)}")
    return made, chosen


def plan_import(entity: Mapping[str, Any], target: Current, *, scope: Scope, publish: bool, settle: Any) -> Plan:
    """The step that imports a profile, or nothing when it is there with the same content."""
    name, version = entity["metadata"]["name"], entity["spec"]["version"]
    label = f"cluster profile {name} {version}"
    want = as_whole(entity)
    if target.profile is not None:
        hint = "Give another version or name, or delete it"
        return already_there(target, want, label=label, scope=scope, publish=publish, hint=hint)
    layers = [f"{one['name']} {one['version']}".strip() for one in want["packs"]]
    step = Step(
        says=f"import and publish {label}" if publish else f"import {label} as a draft",
        method="POST",
        path=f"{PATH}/import",
        scope=scope,
        params={"publish": "true"} if publish else {},
        body=entity,
        binds="profile",
        settle=settle,
    )
    after = {"name": name, "version": version, "type": want["type"], "layers": layers}
    after["variables"] = [one["name"] for one in want["variables"]]
    return Plan(steps=[step], after=after, predicted={"published": publish, "draft": not publish})
