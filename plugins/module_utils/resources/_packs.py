# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packs: from names and versions that people write to the UIDs that a cluster profile needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..palette._errors import InputError, NotFoundError
from ..palette._names import nearest
from ..palette._session import Scope, Session
from ._registries import pick_registry, registries

MANIFEST_PACK = "spectro-manifest-pack"
SEARCH = "/v1/packs/search"
_WILD = ("x", "X", "*")
_EARLY = re.compile(r"alpha|beta|rc|dev|pre", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class DesiredPack:
    """One layer of a profile as the user wrote it. None: left as it is.

    :ivar version: exact, or with a wildcard for its end: C(1.30.x), C(1.*), C(*).
    """

    name: str
    type: str = "spectro"
    layer: str = ""
    version: str = ""
    registry: str = ""
    uid: str = ""
    values: str | None = None
    presets: tuple[str, ...] | None = None
    manifests: tuple[tuple[str, str], ...] | None = None

    @property
    def real_name(self) -> str:
        """Its name in the registry: the same pack twice in a profile is written as unique--name."""
        return self.name.split("--", maxsplit=1)[-1]


@dataclass(frozen=True, kw_only=True)
class ResolvedPack:
    """A desired pack with everything that Palette wants to know.

    :ivar exact: the version that a wildcard stands for: the newest that fits.
    :ivar fitting: version -> UID, default values and presets of all that fit.
    """

    wanted: DesiredPack
    uid: str = ""
    registry_uid: str = ""
    layer: str = "addon"
    exact: str = ""
    default_values: str = ""
    presets: Sequence[Mapping[str, Any]] = ()
    manifests: dict[str, str] | None = None
    fitting: Mapping[str, tuple[str, str, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name within the profile."""
        return self.wanted.name

    @property
    def version(self) -> str:
        """The version without wildcards; that of a manifest pack means nothing."""
        return "" if self.wanted.type == "manifest" else self.exact or self.wanted.version

    def staying(self, attached: str, uid: str) -> ResolvedPack:
        """The pack with the version that is attached, where a wildcard is content with it."""
        if not is_wildcard(self.wanted.version) or attached == self.version or not fits(attached, self.wanted.version):
            return self
        known, values, presets = self.fitting.get(attached, (uid, "", ()))
        return replace(self, uid=known, exact=attached, default_values=values, presets=presets)


def is_wildcard(version: str) -> bool:
    """Whether the version stands for several."""
    return any(part in _WILD for part in version.split("."))


def fits(version: str, wanted: str) -> bool:
    """Whether a version is meant by one with or without a wildcard. A wildcard means no release candidates."""
    if not is_wildcard(wanted):
        return version == wanted
    first = [part for part in wanted.split(".") if part not in _WILD]
    return version.split(".")[: len(first)] == first and not _EARLY.search(version.partition("-")[2])


def version_key(version: str) -> tuple[Any, ...]:
    """For sorting versions: 1.30.4 before 1.30.10, 1.31.0-rc1 before 1.31.0 before 1.31.0-rev2."""
    plain, dummy, suffix = version.lstrip("v").partition("-")
    numbers = tuple(int(part) if part.isdigit() else 0 for part in plain.split("."))
    kind = 0 if not suffix else -1 if _EARLY.search(suffix) else 1
    return numbers, kind, tuple(int(part) for part in re.findall(r"\d+", suffix)), suffix


def newest(versions: Iterable[str]) -> str:
    """The newest version."""
    return max(versions, key=version_key)


class PackCatalogue:
    """Look-ups of packs in one run, each answer asked for once."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self._session = session
        self._scope = scope
        self._registries: list[dict[str, Any]] | None = None
        self._packs: dict[tuple[str, str], dict[str, Any] | None] = {}

    def resolve(self, pack: DesiredPack, *, option: str) -> ResolvedPack:
        """UIDs, layer and default values of a pack.

        :raises InputError: for an unknown registry, pack or version, listing those that come near.
        """
        given = pack.manifests
        manifests = None if given is None else {name: content.strip() for name, content in given}
        if pack.type == "manifest":
            return ResolvedPack(
                wanted=pack, uid=pack.uid or MANIFEST_PACK, layer=pack.layer or "addon", manifests=manifests
            )
        registry = self._registry(pack, option)
        entry = self.entry(pack.real_name, registry)
        if entry is None:
            if pack.type in ("helm", "oci") and not is_wildcard(pack.version):
                # A registry that is not synchronised lists nothing; Palette takes name, version and registry as they are.
                return ResolvedPack(
                    wanted=pack, uid=pack.uid, registry_uid=registry, layer=pack.layer or "addon", manifests=manifests
                )
            raise InputError(
                f"{option}.name: the registry {self._named(registry)} has no pack {pack.real_name!r}"
                f"{self._near(pack.real_name, registry)}"
            )
        offered = versions_of(entry)
        fitting = {version: one for version, one in offered.items() if fits(version, pack.version)}
        if not fitting and not (pack.uid and not is_wildcard(pack.version)):
            near = nearest(pack.version, offered)
            if is_wildcard(pack.version) and offered:
                near = f"There are: {', '.join(sorted(offered, key=version_key, reverse=True)[:5])}"
            raise InputError(f"{option}.version: the pack {pack.real_name} has no version {pack.version!r}. {near}")
        exact = newest(fitting) if fitting else pack.version
        uid, values, presets = fitting.get(exact, (pack.uid, "", ()))
        return ResolvedPack(
            wanted=pack,
            uid=pack.uid or uid,
            registry_uid=registry,
            layer=pack.layer or entry.get("layer") or "addon",
            exact=exact,
            default_values=values,
            presets=presets,
            manifests=manifests,
            fitting=fitting if is_wildcard(pack.version) else {},
        )

    def registries(self) -> list[dict[str, Any]]:
        """Every registry that the key can see."""
        if self._registries is None:
            self._registries = registries(self._session, self._scope)
        return self._registries

    def entry(self, name: str, registry: str) -> dict[str, Any] | None:
        """A pack of a registry with all its versions; None when the registry does not list it."""
        if (name, registry) not in self._packs:
            try:
                self._packs[name, registry] = self._session.request(
                    "GET", f"/v1/packs/{name}/registries/{registry}", scope=self._scope, what=f"read the pack {name}"
                )
            except NotFoundError:
                self._packs[name, registry] = None
        return self._packs[name, registry]

    def search(self, **wanted: Any) -> list[dict[str, Any]]:
        """The packs that a filter of Palette's finds, across registries."""
        what = "search packs"
        pages = self._session.pages("POST", SEARCH, scope=self._scope, what=what, body={"filter": wanted})
        return [item.get("spec") or {} for item in pages]

    def _registry(self, pack: DesiredPack, option: str) -> str:
        if pack.registry:
            return pick_registry(self.registries(), pack.registry, pack_type=pack.type, option=f"{option}.registry")
        real, found = pack.real_name, {}
        for spec in self.search(name={"eq": real, "ignoreCase": False}):
            if spec.get("name") == real:
                found.update({one["uid"]: one for one in spec.get("registries") or []})
        if len(found) == 1:
            return str(next(iter(found)))
        if not found:
            names = ", ".join(sorted(one["name"] for one in self.registries())) or "none"
            raise InputError(
                f"{option}.name: no registry that this key can see has a pack {real!r}{self._near(real, '')}. "
                f"Registries: {names}"
            )
        listed = ", ".join(sorted(_candidate(one) for one in found.values()))
        raise InputError(f"{option}.registry: the pack {real} is in several registries, say which: {listed}")

    def _near(self, name: str, registry: str) -> str:
        """Packs whose names come near, as the end of a sentence."""
        first = re.split(r"[-_.]", name)[0]
        where = {"registryUid": [registry]} if registry else {}
        known = [spec.get("name") or "" for spec in self.search(name={"contains": first, "ignoreCase": True}, **where)]
        return f". {nearest(name, known)}" if known else ""

    def _named(self, uid: str) -> str:
        return next((str(one["name"]) for one in self.registries() if one["uid"] == uid), uid)


def versions_of(entry: Mapping[str, Any]) -> dict[str, tuple[str, str, Sequence[Mapping[str, Any]]]]:
    """Version -> UID, default values and presets, of a pack of a registry."""
    own = {one.get("packUid"): one for one in entry.get("packValues") or []}
    found: dict[str, tuple[str, str, Sequence[Mapping[str, Any]]]] = {}
    for tag in entry.get("tags") or []:
        one = own.get(tag.get("packUid")) or {}
        values = str(one.get("values") or "").strip()
        found[tag.get("version") or tag.get("tag") or ""] = (tag.get("packUid", ""), values, one.get("presets") or ())
    return found


def described(
    spec: Mapping[str, Any],
    registry: Mapping[str, Any],
    entry: Mapping[str, Any] | None,
    *,
    version: str | None,
    gather: Sequence[str],
) -> dict[str, Any]:
    """A pack of a registry as a result; empty when it has no version that fits.

    :param spec: what the search told of it; ``entry``: all its versions, if they were asked for.
    """
    found: dict[str, Any] = {
        "name": spec.get("name") or "",
        "display_name": spec.get("displayName") or "",
        "layer": spec.get("layer") or "",
        "type": spec.get("type") or "spectro",
        "registry": registry.get("name") or "",
        "registry_uid": registry["uid"],
        "version": registry.get("latestVersion") or "",
        "uid": registry.get("latestPackUid") or "",
    }
    if entry is None:
        return {} if version and not fits(found["version"], version) else found
    offered = {one: known for one, known in versions_of(entry).items() if not version or fits(one, version)}
    if not offered:
        return {}
    found["versions"] = sorted(offered, key=version_key, reverse=True)
    found["version"] = found["versions"][0]
    found["uid"], values, presets = offered[found["version"]]
    if "values" in gather:
        found["default_values"] = values
    if "presets" in gather:
        found["presets"] = [
            {
                "name": one.get("name") or "",
                "display_name": one.get("displayName") or "",
                "group": one.get("group") or "",
                "add": one.get("add") or "",
                "remove": list(one.get("remove") or []),
            }
            for one in presets
        ]
    return found


def _candidate(registry: Mapping[str, Any]) -> str:
    name, latest = registry.get("name") or registry["uid"], registry.get("latestVersion")
    return f"{name} (newest {latest})" if latest else str(name)
