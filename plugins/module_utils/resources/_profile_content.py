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
from ._profile_rules import check_variables
from ._profile_values import changed_lines, with_presets
from ._yaml_text import same_yaml, text_of_yaml

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
    if "options" in given:
        # Palette wants text, and an option without a label is shown as its value.
        given["options"] = [
            {key: value if isinstance(value, bool) else str(value) for key, value in one.items() if value is not None}
            for one in given["options"]
        ]
    return {"name": variable["name"], **given}


def variable_changes(
    current: Sequence[Mapping[str, Any]], desired: Sequence[Mapping[str, Any]] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The variables to write, whole, and the names of those to remove.

    :raises InputError: for a variable that misses its rule.
    :raises ConflictError: for another format of a variable that is there.
    """
    if desired is None:
        return [], []
    have = {one["name"]: one for one in current}
    changed, merged = [], []
    for variable in desired:
        body, known = variable_body(variable), have.get(variable["name"])
        if known is None:
            changed.append({"displayName": variable["name"], **body})
            merged.append(changed[-1])
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
        if kept.get("options"):
            # Palette marks the option that is the default, and that may be another one now.
            kept["options"] = [{key: one[key] for key in one if key != "default"} for one in kept["options"]]
        merged.append({**kept, **body})
        if "options" in compared:
            there["options"] = _as_given(there.get("options") or [], compared["options"])
            if compared.get("defaultValue"):
                compared["defaultValue"] = _same_choice(compared, str(there.get("defaultValue") or ""))
        # Palette fills in what was not given: compare what was given.
        if differing(there, compared):
            changed.append(merged[-1])
    check_variables(current, merged, changed)
    return changed, sorted(set(have) - {one["name"] for one in desired})


def _as_given(have: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Options as Palette has them without what it filled in."""
    if len(have) != len(given):
        return [dict(one) for one in have]
    return [{key: value for key, value in one.items() if key in wanted} for one, wanted in zip(have, given)]


def _same_choice(wanted: Mapping[str, Any], have: str) -> str:
    """The default of a dropdown, which may be given as the value or the label of an option, as Palette has it."""
    for one in wanted["options"]:
        names = [str(one.get("value")), str(one.get("label", one.get("value")))]
        if wanted["defaultValue"] in names and have in names:
            return have
    return str(wanted["defaultValue"])


def shown_variables(variables: Sequence[Mapping[str, Any]], only: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Variables for a diff, by name."""
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
    """Version of a pack as Palette has it."""
    return str(pack.get("version") or pack.get("tag") or "")


def have_pack(pack: Mapping[str, Any], manifests: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """A layer as Palette has it, in the shape of :func:`want_pack`."""
    return {
        "name": pack["name"],
        "version": pack_version(pack) if pack.get("type") != "manifest" else "",
        "registry_uid": pack.get("registryUid") or "",
        "values": text_of_yaml(str(pack.get("values") or "")),
        "manifests": {name: content for name, (dummy, content) in manifests.items()},
    }


def want_pack(pack: ResolvedPack, have: Sequence[Mapping[str, Any]], option: str = "packs") -> dict[str, Any]:
    """A layer as it is to be. Values that mean what is there are taken from there, so that they do not differ."""
    known = next((one for one in have if one["name"] == pack.name), None)
    values = pack.wanted.values
    if values is None:
        # Not given: keep what is there, or start with the pack's own.
        keep = known is not None and known["version"] == (pack.version or known["version"]) and not pack.wanted.presets
        values = known["values"] if known is not None and keep else pack.default_values
    if pack.wanted.presets:
        values = with_presets(
            values, pack.wanted.presets, pack.presets, pack=pack.wanted.real_name, option=f"{option}.presets"
        )
    if known is not None and same_yaml(known["values"], values):
        values = known["values"]
    return {
        "name": pack.name,
        "version": pack.version,
        "registry_uid": pack.registry_uid,
        "values": text_of_yaml(values),
        # Not given: what others put there stays.
        "manifests": dict(known["manifests"] if pack.manifests is None and known else pack.manifests or {}),
    }


def predicted_packs(packs: Sequence[ResolvedPack], want: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The layers as they will be, as a result."""
    return [{"name": pack.name, "layer": pack.layer, "version": one["version"]} for pack, one in zip(packs, want)]


def shown_packs(
    have: Sequence[Mapping[str, Any]], want: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The layers that change, by name, for a diff: of each what changes, of texts the lines."""
    before, after = {one["name"]: one for one in have}, {one["name"]: one for one in want}
    left: dict[str, Any] = {}
    right: dict[str, Any] = {}
    for name in dict.fromkeys([*before, *after]):
        mine, other = before.get(name), after.get(name)
        if mine == other:
            continue
        pair: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for key in ("version", "registry_uid"):
            if (mine or {}).get(key) != (other or {}).get(key):
                for shown, one in zip(pair, (mine, other)):
                    shown.update({key: one[key]} if one and one[key] else {})
        _show_text(pair, "values", (mine or {}).get("values", ""), (other or {}).get("values", ""))
        contents = ((mine or {}).get("manifests", {}), (other or {}).get("manifests", {}))
        for manifest in dict.fromkeys([*contents[0], *contents[1]]):
            _show_text(pair, f"manifest {manifest}", contents[0].get(manifest, ""), contents[1].get(manifest, ""))
        if mine is not None:
            left[name] = pair[0]
        if other is not None:
            right[name] = pair[1]
    return left, right


def _show_text(pair: tuple[dict[str, Any], dict[str, Any]], key: str, before: str, after: str) -> None:
    if before != after:
        for shown, lines in zip(pair, changed_lines(before, after)):
            if lines:
                shown[key] = lines


def pack_body(
    pack: ResolvedPack, want: Mapping[str, Any], manifests: Mapping[str, Mapping[str, tuple[str, str]]]
) -> dict[str, Any]:
    """A layer as Palette writes it."""
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
