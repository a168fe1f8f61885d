# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packs and registries: from names that people write to the UIDs that a cluster profile needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..palette._errors import InputError, NotFoundError
from ..palette._names import nearest, pick
from ..palette._session import Scope, Session

MANIFEST_PACK = "spectro-manifest-pack"


@dataclass(frozen=True, kw_only=True)
class DesiredPack:
    """One layer of a profile as the user wrote it. ``values`` or ``manifests`` None: left as they are."""

    name: str
    type: str = "spectro"
    layer: str = ""
    version: str = ""
    registry: str = ""
    uid: str = ""
    values: str | None = None
    manifests: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedPack:
    """A desired pack with everything that Palette wants to know."""

    wanted: DesiredPack
    uid: str = ""
    registry_uid: str = ""
    layer: str = "addon"
    default_values: str = ""
    manifests: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """Its name within the profile."""
        return self.wanted.name


class PackCatalogue:
    """Look-ups of packs in one run, each answer asked for once."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self._session = session
        self._scope = scope
        self._registries: list[dict[str, str]] | None = None
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
        # The same pack twice in a profile is written as unique--name.
        real = pack.name.split("--", maxsplit=1)[-1]
        registry = self._registry(pack, real, option)
        entry = self._entry(real, registry)
        if entry is None:
            if pack.type in ("helm", "oci"):
                # A registry that is not synchronised lists nothing; Palette takes name, version and registry as they are.
                return ResolvedPack(
                    wanted=pack, uid=pack.uid, registry_uid=registry, layer=pack.layer or "addon", manifests=manifests
                )
            raise InputError(f"{option}.name: the registry {pack.registry or registry} has no pack {real!r}")
        versions = {tag.get("version", ""): tag.get("packUid", "") for tag in entry.get("tags") or []}
        if pack.version not in versions and not pack.uid:
            raise InputError(
                f"{option}.version: the pack {real} has no version {pack.version!r}. {nearest(pack.version, versions)}"
            )
        uid = pack.uid or versions[pack.version]
        defaults: dict[str, Any] = next((one for one in entry.get("packValues") or [] if one.get("packUid") == uid), {})
        return ResolvedPack(
            wanted=pack,
            uid=uid,
            registry_uid=registry,
            layer=pack.layer or entry.get("layer") or "addon",
            default_values=str(defaults.get("values") or "").strip(),
            manifests=manifests,
        )

    def _registry(self, pack: DesiredPack, real: str, option: str) -> str:
        if self._registries is None:
            answer = self._session.request(
                "GET", "/v1/registries/metadata", scope=self._scope, what="list registries", params={"scope": "all"}
            )
            self._registries = [
                {"name": item["name"], "uid": item["uid"]} for item in (answer or {}).get("items") or []
            ]
        if pack.registry:
            return pick(self._registries, pack.registry, kind="registry", option=f"{option}.registry")
        body = {"filter": {"name": {"eq": real, "ignoreCase": False}}}
        found: dict[str, str] = {}
        for item in self._session.pages(
            "POST", "/v1/packs/search", scope=self._scope, what=f"search the pack {real}", body=body
        ):
            if item["spec"].get("name") == real:
                found.update({one["uid"]: one.get("name", "") for one in item["spec"].get("registries") or []})
        if len(found) == 1:
            return next(iter(found))
        if not found:
            names = ", ".join(sorted(one["name"] for one in self._registries)) or "none"
            raise InputError(
                f"{option}.name: no registry that this key can see has a pack {real!r}. Registries: {names}"
            )
        raise InputError(
            f"{option}.registry: the pack {real} is in several registries, say which: {', '.join(sorted(found.values()))}"
        )

    def _entry(self, name: str, registry: str) -> dict[str, Any] | None:
        if (name, registry) not in self._packs:
            try:
                self._packs[name, registry] = self._session.request(
                    "GET", f"/v1/packs/{name}/registries/{registry}", scope=self._scope, what=f"read the pack {name}"
                )
            except NotFoundError:
                self._packs[name, registry] = None
        return self._packs[name, registry]
