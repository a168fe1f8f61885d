# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a cluster profile: what is wrong in them alone, and their packs with everything that Palette asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._errors import InputError
from ..palette._session import Scope, Session
from ._packs import DesiredPack, PackCatalogue, ResolvedPack, is_wildcard
from ._profile_values import values_text

_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?")
_PACK_VERSION = re.compile(r"([^.*]+\.)*([xX*]\.)*[xX*]")


def check_version(version: str | None, *, option: str = "version") -> None:
    """Refuses what is no version of a profile."""
    if version is not None and not _VERSION.fullmatch(version):
        raise InputError(f"{option}: {version!r} is not of the form major.minor.patch")


def check_options(params: Mapping[str, Any]) -> None:
    """Refuses what is wrong in the options alone."""
    check_version(params["version"])
    problems = []
    if params["cloud"] == "all" and params["type"] != "add-on":
        problems.append("cloud: all is for profiles of type add-on only")
    for option in ("packs", "variables"):
        problems += [f"{option}: {name} is given twice" for name in _twice(params[option] or [])]
    for index, pack in enumerate(params["packs"] or []):
        problems += [f"packs[{index}].{problem}" for problem in _pack_problems(pack)]
    for index, variable in enumerate(params["variables"] or []):
        # Palette may have the default of a secret: then it need not be given again.
        if variable["required"] and not variable["default_value"] and not variable["sensitive"]:
            problems.append(f"variables[{index}].default_value: the required variable {variable['name']} needs one")
    if problems:
        raise InputError("; ".join(problems))


def _twice(named: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [one["name"] for one in named]
    return sorted({name for name in names if names.count(name) > 1})


def _pack_problems(pack: Mapping[str, Any]) -> list[str]:
    name, found = pack["name"], []
    if pack["type"] == "manifest":
        if not pack["manifests"]:
            found.append(f"manifests: the pack {name} of type manifest has none")
        found += [f"{one}: the pack {name} of type manifest has none" for one in ("presets", "registry") if pack[one]]
    elif not pack["version"]:
        found.append(f"version: the pack {name} needs a version")
    elif is_wildcard(pack["version"]):
        if not _PACK_VERSION.fullmatch(pack["version"]):
            found.append(f"version: {pack['version']!r} of {name}: a wildcard stands at the end, as in 1.30.x")
        if pack["uid"]:
            found.append(f"uid: a UID is of one version of {name}, and {pack['version']} is a wildcard")
    found += [f"manifests: {one} is given twice in {name}" for one in _twice(pack["manifests"] or [])]
    try:
        values_text(pack["values"], option="values")
    except InputError as error:
        found.append(f"{error} (pack {name})")
    return found


def resolve_packs(
    session: Session, scope: Scope, packs: Sequence[Mapping[str, Any]] | None
) -> list[ResolvedPack] | None:
    """Packs with their UIDs.

    :raises InputError: for those that no registry has, or several.
    """
    if packs is None:
        return None
    catalogue = PackCatalogue(session, scope)
    return [
        catalogue.resolve(
            DesiredPack(
                name=pack["name"],
                type=pack["type"],
                layer=pack["layer"] or "",
                version=pack["version"] or "",
                registry=pack["registry"] or "",
                uid=pack["uid"] or "",
                values=values_text(pack["values"], option=f"packs[{index}].values"),
                presets=None if pack["presets"] is None else tuple(pack["presets"]),
                manifests=_manifests(pack["manifests"]),
            ),
            option=f"packs[{index}]",
        )
        for index, pack in enumerate(packs)
    ]


def _manifests(given: Sequence[Mapping[str, Any]] | None) -> tuple[tuple[str, str], ...] | None:
    return None if given is None else tuple((one["name"], one["content"]) for one in given)
