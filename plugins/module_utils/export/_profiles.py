# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles of Palette as the definitions of the role cluster_profile, and profiles on clusters as sites name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._names import tags_of
from ..resources._profile_content import VARIABLE_FIELDS, pack_version
from ._read import Cluster, Notes, Profile, Project
from ._text import Remark

# Palette's own words where a profile says nothing.
_FILLED_IN = {"format": "string", "input_type": "text"}
_CLOUDS = ("edge-native", "all")
_TYPES = ("cluster", "infra", "add-on")
_SECRET = "The default is a secret, which Palette does not tell: give it as default_value, from a vault."


def definitions(project: Project) -> list[dict[Any, Any]]:
    """The project's own profiles, every version, in the words of the role cluster_profile."""
    own = [one for one in project.profiles if one.scope == "project"]
    made = []
    for profile in own:
        about = f"cluster profile {profile.name} {profile.version}"
        twins = [one for one in own if (one.name, one.version) == (profile.name, profile.version)]
        template = profile.template
        if len(twins) > 1:
            uids = ", ".join(one.uid for one in twins)
            project.notes.add(about, f"{len(twins)} bear this name and version ({uids}): none of them is exported")
        elif not template:
            project.notes.add(about, "it has no layers yet, and is left out")
        elif template.get("cloudType") not in _CLOUDS or template.get("type") not in _TYPES:
            what = f"type {template.get('type') or 'unknown'} for {template.get('cloudType') or 'unknown'}"
            project.notes.add(about, f"it is of {what}, which is not of Edge, and left out")
        else:
            made.append(_definition(profile, project, about))
    return made


def _definition(profile: Profile, project: Project, about: str) -> dict[Any, Any]:
    template, metadata = profile.template, profile.whole["metadata"]
    made: dict[Any, Any] = {
        "name": profile.name,
        "version": profile.version,
        "type": template["type"],
        "cloud": template["cloudType"],
    }
    if (profile.whole.get("spec") or {}).get("draft"):
        made[Remark("A draft: publish it with true, when it is ready.")] = None
        made["publish"] = False
    description = (metadata.get("annotations") or {}).get("description", "")
    if description:
        made["description"] = description
    tags = tags_of(metadata.get("labels"))
    if tags:
        made["tags"] = tags
    made["packs"] = [_pack(pack, profile, project, about) for pack in template.get("packs") or []]
    variables = [_variable(one, project.notes, about) for one in profile.variables]
    if variables:
        made["variables"] = variables
    return made


def _pack(pack: Mapping[str, Any], profile: Profile, project: Project, about: str) -> dict[Any, Any]:
    kind, registry = pack.get("type") or "spectro", pack.get("registryUid") or ""
    made: dict[Any, Any] = {"name": pack["name"]}
    if kind != "spectro":
        made["type"] = kind
    if kind != "spectro" and pack.get("layer") not in (None, "", "addon"):
        made["layer"] = pack["layer"]
    if kind != "manifest":
        made["version"] = pack_version(pack)
        if registry:
            made["registry"] = project.registries.get(registry, registry)
        why = project.unresolved.get((pack["name"], registry, pack_version(pack)), "")
        if why:
            project.notes.add(about, f"the layer {pack['name']} is not found in its registry: {why}")
            made["uid"] = pack.get("packUid") or pack.get("uid") or ""
    values = trimmed(pack.get("values"))
    if values:
        made["values"] = values
    contents = profile.manifests.get(pack["name"], {})
    names = [one["name"] for one in pack.get("manifests") or []]
    if names:
        made["manifests"] = [{"name": name, "content": trimmed(contents.get(name))} for name in names]
    return made


def _variable(variable: Mapping[str, Any], notes: Notes, about: str) -> dict[Any, Any]:
    made: dict[Any, Any] = {"name": variable["name"]}
    for option, wire in VARIABLE_FIELDS.items():
        value = variable.get(wire)
        if value in (None, "", False, []) or value == _FILLED_IN.get(option):
            continue
        if option == "display_name" and value == variable["name"]:
            continue
        if option == "default_value" and variable.get("isSensitive"):
            made[Remark(_SECRET)] = None
            notes.add(about, f"the default of its variable {variable['name']} is a secret, and left out")
            continue
        made[option] = value
    return made


# -- on clusters -------------------------------------------------------------------------------------------------------


def attached(cluster: Cluster, project: Project) -> list[dict[Any, Any]]:
    """The profiles of a cluster as its site file names them: what it has of its own goes with them."""
    made: list[dict[Any, Any]] = []
    about = f"cluster {cluster.name}"
    for template in cluster.templates:
        name, version = template.get("name", ""), template.get("profileVersion", "")
        hits = [one for one in _visible(project.profiles, name) if one.version == version]
        if [one.uid for one in hits] != [template.get("uid")]:
            text = f"its profile {name} {version} is not found by that name and version: it stays, the site does not name it"
            project.notes.add(about, text)
        elif any(one["name"] == name for one in made):
            project.notes.add(about, f"it has two versions of the profile {name}: the site names only one")
        else:
            made.append(_attachment(cluster, template, hits[0], project.notes))
    return made


def _visible(profiles: Sequence[Profile], name: str) -> list[Profile]:
    """The profiles that a cluster's definition can mean by a name: the project's come before the tenant's."""
    named = [one for one in profiles if one.name == name]
    own = [one for one in named if one.scope == "project"]
    return own or [one for one in named if one.scope == "tenant"]


def _attachment(cluster: Cluster, template: Mapping[str, Any], profile: Profile, notes: Notes) -> dict[Any, Any]:
    about = f"cluster {cluster.name}"
    made: dict[Any, Any] = {"name": profile.name, "version": profile.version}
    secret = {one["name"] for one in profile.variables if one.get("isSensitive")}
    variables: dict[Any, Any] = {}
    for one in cluster.variables.get(profile.uid, ()):
        name, value = one["name"], str(one.get("value") or "")
        if one.get("isSensitive") or name in secret:
            variables[Remark(f"{name} is a secret: it stays as it is, and is not known here.")] = None
            notes.add(
                about, f"the value of the variable {name} of its profile {profile.name} is a secret, and left out"
            )
        elif value and value != str(one.get("defaultValue") or ""):
            variables[name] = value
    if variables:
        made["variables"] = variables
    values = {}
    base = (profile.whole.get("spec") or {}).get("published") or profile.template
    defaults = {pack["name"]: trimmed(pack.get("values")) for pack in base.get("packs") or []}
    for pack in template.get("packs") or []:
        own = trimmed(pack.get("values"))
        if own and own != defaults.get(pack["name"], own):
            values[pack["name"]] = own
            text = f"its values of the pack {pack['name']} differ from those of its profile {profile.name}: they are its own"
            notes.add(about, f"{text}, or a change of the profile that it has not taken yet")
    if values:
        made["pack_values"] = values
    manifests = _own_manifests(cluster, profile)
    if manifests:
        made["manifests"] = manifests
        text = (
            f"its manifests of {', '.join(manifests)} differ from those of its profile {profile.name}: they are its own"
        )
        notes.add(about, f"{text}, or a change of the profile that it has not taken yet")
    return made


def _own_manifests(cluster: Cluster, profile: Profile) -> dict[str, dict[str, str]]:
    """Pack -> manifest -> content, of those that are not as the profile has them."""
    made: dict[str, dict[str, str]] = {}
    for pack, found in cluster.manifests.get(profile.uid, {}).items():
        base = profile.manifests.get(pack, {})
        for name, (dummy, content) in found.items():
            if name in base and trimmed(content) != trimmed(base[name]):
                made.setdefault(pack, {})[name] = trimmed(content)
    return made


def trimmed(text: Any) -> str:
    """A text without blank lines around it, as Palette's console stores it, and one line end behind it."""
    bare = str(text or "").strip("\r\n").rstrip()
    return f"{bare}\n" if bare else ""
