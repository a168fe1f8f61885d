# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles as Palette has them: looked up by name and version, read with layers, manifests and variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..palette._errors import InputError
from ..palette._names import nearest, tags_of
from ..palette._session import Scope, Session
from ._profile_content import VARIABLE_FIELDS, have_pack, pack_version

PATH = "/v1/clusterprofiles"
SEARCH = "/v1/dashboard/clusterprofiles"


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
    current = read_whole(session, scope, hits[0] if hits else found[max(found, key=semver)][0], name)
    return current if hits else Current(None, current.profile, current.manifests, current.variables)


def read_whole(session: Session, scope: Scope, uid: str, name: str) -> Current:
    """One version with its variables and the contents of its manifests."""
    what = f"read the cluster profile {name}"
    profile = session.request("GET", f"{PATH}/{uid}", scope=scope, what=what)
    variables = session.request("GET", f"{PATH}/{uid}/variables", scope=scope, what=what) or {}
    manifests: dict[str, dict[str, tuple[str, str]]] = {}
    if any(pack.get("manifests") for pack in layers_of(profile)):
        answer = session.request("GET", f"{PATH}/{uid}/packs/manifests", scope=scope, what=what) or {}
        for pack in (answer.get("spec") or {}).get("packs") or []:
            spec = pack.get("spec") or {}
            manifests[spec.get("name", "")] = {
                one["name"]: (one.get("uid", ""), str(one.get("content") or "").strip())
                for one in spec.get("manifests") or []
            }
    return Current(profile, None, manifests, variables.get("variables") or [])


def find(session: Session, scope: Scope, name: str, version: str | None) -> tuple[str, str]:
    """Version and UID of the profile of this name, the newest when no version is given.

    :raises InputError: when there is none, listing those that come near, or two.
    """
    found = versions(session, scope, name)
    if not found:
        near = nearest(name, (one["name"] for one in listing(session, scope)))
        raise InputError(f"name: no cluster profile {name!r}. {near}")
    if version is not None and version not in found:
        raise InputError(
            f"version: the cluster profile {name} has no version {version}. There are: "
            f"{', '.join(sorted(found, key=semver))}"
        )
    wanted = version or max(found, key=semver)
    if len(found[wanted]) > 1:
        raise InputError(
            f"name: {len(found[wanted])} cluster profiles are named {name!r} with version {wanted} "
            f"({', '.join(found[wanted])}): remove all but one"
        )
    return wanted, found[wanted][0]


def content(current: Current) -> dict[str, Any]:
    """Layers and variables of a version as the options of the module have them; defaults that are secrets left out."""
    layers = []
    for pack in layers_of(current.profile or {}):
        have = have_pack(pack, current.manifests.get(pack["name"], {}))
        layer = {"name": pack["name"], "type": pack.get("type") or "spectro", "layer": pack.get("layer", "")}
        layer |= {"version": have["version"], "registry_uid": have["registry_uid"], "values": have["values"]}
        manifests = [{"name": name, "content": text} for name, text in have["manifests"].items()]
        layers.append({**layer, "manifests": manifests})
    return {"packs": layers, "variables": [options_of_variable(one) for one in current.variables]}


def options_of_variable(variable: Mapping[str, Any]) -> dict[str, Any]:
    """A variable as the options of the module have it, without what is unset, and without a default that is a secret."""
    found = {"name": variable["name"]}
    for option, wire in VARIABLE_FIELDS.items():
        value = variable.get(wire)
        if value not in (None, "", [], False) and not (wire == "defaultValue" and variable.get("isSensitive")):
            found[option] = value
    return found


def describe(profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """The profile as a result."""
    if profile is None:
        return {}
    metadata, spec, status = profile["metadata"], profile.get("spec") or {}, profile.get("status") or {}
    template = template_of(profile)
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
        "draft": bool(spec.get("draft")),
        "packs": [
            {"name": pack["name"], "layer": pack.get("layer", ""), "version": pack_version(pack)}
            for pack in layers_of(profile)
        ],
        "clusters": [one.get("name", "") for one in status.get("inUseClusters") or []],
    }


def template_of(profile: Mapping[str, Any]) -> Mapping[str, Any]:
    """The draft if there is one, or else what is published."""
    spec = profile.get("spec") or {}
    template: Mapping[str, Any] = spec.get("draft") or spec.get("published") or {}
    return template


def layers_of(profile: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The layers of a version, in order."""
    return list(template_of(profile).get("packs") or [])
