# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster profile is made of: its layers and variables, in the options', the diff's and the wire's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._reconcile import differing
from ..palette._errors import ConflictError
from ..palette._session import HIDDEN
from ._packs import ResolvedPack

# option of a profile variable -> field on the wire
VARIABLE_FIELDS = {
    "display_name": "displayName",
    "description": "description",
    "default_value": "defaultValue",
    "format": "format",
    "input_type": "inputType",
    "options": "options",
    "regex": "regex",
    "required": "required",
    "hidden": "hidden",
    "immutable": "immutable",
    "sensitive": "isSensitive",
}


def variable_body(variable: Mapping[str, Any]) -> dict[str, Any]:
    """A variable of the options as Palette writes it, with only what was given."""
    given = {wire: variable[option] for option, wire in VARIABLE_FIELDS.items() if variable.get(option) is not None}
    return {"name": variable["name"], **given}


def variable_changes(
    current: Sequence[Mapping[str, Any]], desired: Sequence[Mapping[str, Any]] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    if desired is None:
        return [], []
    have = {one["name"]: one for one in current}
    changed = []
    for variable in desired:
        body, known = variable_body(variable), have.get(variable["name"])
        if known is None:
            changed.append({"displayName": variable["name"], **body})
            continue
        # Palette leaves its defaults out.
        there = {"format": "string", "inputType": "text", **known}
        if body.get("format") not in (None, there["format"]):
            raise ConflictError(
                f"variables: the format of {variable['name']} is {there['format']}, not {body['format']}, "
                "and is fixed once the variable is there: use another name"
            )
        compared, kept = dict(body), dict(known)
        if known.get("isSensitive"):
            # Masked when read: neither to be compared nor to be written back.
            compared.pop("defaultValue", None)
            kept.pop("defaultValue", None)
        # Palette fills in what was not given: compare what was given.
        if differing(there, compared):
            changed.append({**kept, **body})
    return changed, sorted(set(have) - {one["name"] for one in desired})


def shown_variables(variables: Sequence[Mapping[str, Any]], only: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = {one["name"] for one in only}
    return {
        one["name"]: {
            key: HIDDEN if key == "defaultValue" and one.get("isSensitive") else value
            for key, value in one.items()
            if key != "name" and value not in (None, "", False, [])
        }
        for one in variables
        if one["name"] in names
    }


def pack_version(pack: Mapping[str, Any]) -> str:
    return str(pack.get("version") or pack.get("tag") or "")


def have_pack(pack: Mapping[str, Any], manifests: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "name": pack["name"],
        "version": pack_version(pack) if pack.get("type") != "manifest" else "",
        "registry_uid": pack.get("registryUid") or "",
        "values": str(pack.get("values") or "").strip(),
        "manifests": {name: content for name, (dummy, content) in manifests.items()},
    }


def want_pack(pack: ResolvedPack, have: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = next((one for one in have if one["name"] == pack.name), None)
    values = pack.wanted.values
    if values is None:
        # Not given: keep what is there, or start with the pack's own.
        keep = known is not None and known["version"] == (pack.wanted.version or known["version"])
        values = known["values"] if known is not None and keep else pack.default_values
    return {
        "name": pack.name,
        "version": pack.wanted.version if pack.wanted.type != "manifest" else "",
        "registry_uid": pack.registry_uid,
        "values": values.strip(),
        # Not given: what others put there stays.
        "manifests": dict(known["manifests"] if pack.manifests is None and known else pack.manifests or {}),
    }


def predicted_packs(packs: Sequence[ResolvedPack], want: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The layers as they will be, as a result."""
    return [{"name": pack.name, "layer": pack.layer, "version": one["version"]} for pack, one in zip(packs, want)]


def pack_body(
    pack: ResolvedPack, want: Mapping[str, Any], manifests: Mapping[str, Mapping[str, tuple[str, str]]]
) -> dict[str, Any]:
    body: dict[str, Any] = {"name": pack.name, "type": pack.wanted.type, "layer": pack.layer, "values": want["values"]}
    if pack.uid:
        body["uid"] = pack.uid
    if pack.registry_uid:
        body["registryUid"] = pack.registry_uid
    if want["version"]:
        body["tag"] = want["version"]
    if want["manifests"]:
        known = manifests.get(pack.name, {})
        # A manifest that is there must carry its UID, or Palette makes a second one.
        body["manifests"] = [
            {"name": name, "content": content, **({"uid": known[name][0]} if name in known else {})}
            for name, content in want["manifests"].items()
        ]
    return body
