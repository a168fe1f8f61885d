# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an export reads of a project: lists by search, and one by one only what no list tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import _fleet as fleet
from ..palette._errors import ForbiddenError, PaletteError
from ..palette._names import projects
from ..palette._session import Scope, Session
from ..resources import _cluster as clusters
from ..resources import _cluster_profile as profiles
from ..resources import _registration_token as tokens
from ..resources._cluster_parts import read_manifests, read_variables
from ..resources._packs import DesiredPack, PackCatalogue
from ..resources._profile_content import pack_version

CLOUD = "edge-native"


@dataclass
class Notes:
    """What could not be expressed, as sentences: each once, in order of what they are about."""

    found: dict[str, None] = field(default_factory=dict)

    def add(self, about: str, text: str) -> None:
        self.found[f"{about}: {text}"] = None

    def listed(self) -> list[str]:
        return sorted(self.found)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A version of a cluster profile. ``whole`` and what follows are read of the project's own, and of those in use.

    :ivar scope: project, tenant or system.
    :ivar manifests: name of the pack -> name of the manifest -> content.
    """

    uid: str
    name: str
    version: str
    scope: str
    whole: Mapping[str, Any] = field(default_factory=dict)
    variables: Sequence[Mapping[str, Any]] = ()
    manifests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def template(self) -> Mapping[str, Any]:
        """Its layers: the draft where there is one."""
        spec = self.whole.get("spec") or {}
        found: Mapping[str, Any] = spec.get("draft") or spec.get("published") or {}
        return found


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster, its cloud config, and by UID of the profile its variables and manifests.

    :ivar manifests: UID of the profile -> pack -> manifest -> (UID, content).
    """

    whole: Mapping[str, Any]
    config: Mapping[str, Any]
    variables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    manifests: Mapping[str, Mapping[str, Mapping[str, tuple[str, str]]]] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return str(self.whole["metadata"]["uid"])

    @property
    def name(self) -> str:
        return str(self.whole["metadata"].get("name", ""))

    @property
    def labels(self) -> Mapping[str, str]:
        return self.whole["metadata"].get("labels") or {}

    @property
    def templates(self) -> list[Mapping[str, Any]]:
        """The attached profiles, as the cluster has them."""
        return list((self.whole.get("spec") or {}).get("clusterProfileTemplates") or [])

    @property
    def pools(self) -> list[Mapping[str, Any]]:
        return clusters.pools_of(self.config)


@dataclass
class Project:
    """A project as Palette has it."""

    name: str
    uid: str
    hosts: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    registries: dict[str, str] = field(default_factory=dict)
    # (pack, UID of its registry, version) -> why it is not found again, "" when it is.
    unresolved: dict[tuple[str, str, str], str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


def read_project(session: Session, scope: Scope) -> Project:
    """The whole project. What cannot be read for want of rights, or is not of Edge, is noted."""
    names = {one["uid"]: one["name"] for one in projects(session)}
    project = Project(name=names.get(scope.project_uid, scope.project_uid), uid=scope.project_uid)
    hosts = fleet.fetch(session, scope, fleet.search_body([]))
    project.hosts = sorted(hosts, key=lambda host: str(host["metadata"]["uid"]))
    found = _clusters(session, scope, project.notes)
    rows = _profile_rows(session, scope)
    used = {template.get("uid", "") for cluster in found for template in cluster.templates}
    wanted = [row for row in rows if row.scope == "project" or row.uid in used]
    whole = {row.uid: row for row in session.map(lambda row: _profile(session, scope, row), wanted)}
    project.profiles = [whole.get(row.uid, row) for row in rows]
    project.clusters = session.map(lambda one: _with_its_own(session, scope, one, whole), found)
    project.tokens = _tokens(session, project)
    project.registries = _registries(session, scope)
    _resolve_packs(session, scope, project)
    return project


def _clusters(session: Session, scope: Scope, notes: Notes) -> list[Cluster]:
    """The clusters of Edge hosts, by name, with their cloud configs."""
    rows = []
    for row in clusters.search(session, scope):
        name = row["metadata"].get("name", "")
        cloud = ((row.get("specSummary") or {}).get("cloudConfig") or {}).get("cloudType") or CLOUD
        state = (row.get("status") or {}).get("state", "")
        if cloud != CLOUD:
            notes.add(f"cluster {name}", f"it is no cluster of Edge hosts ({cloud}), and left out")
        elif state in ("Deleting", "Deleted"):
            notes.add(f"cluster {name}", "it is being deleted, and left out")
        else:
            rows.append(row)

    def whole(row: Mapping[str, Any]) -> Cluster | None:
        cluster = clusters.read_cluster(session, scope, row["metadata"]["uid"])
        if cluster is None:
            notes.add(f"cluster {row['metadata'].get('name', '')}", "it went while it was read, and is left out")
            return None
        return Cluster(whole=cluster, config=clusters.read_config(session, scope, cluster))

    found = [one for one in session.map(whole, rows) if one is not None]
    return sorted(found, key=lambda one: (one.name, one.uid))


def _with_its_own(session: Session, scope: Scope, cluster: Cluster, profiles_read: Mapping[str, Profile]) -> Cluster:
    """The cluster with variables and manifests, each asked for only where a profile of it has such."""
    used = [profiles_read[uid] for uid in (one.get("uid", "") for one in cluster.templates) if uid in profiles_read]
    if any(one.variables for one in used):
        known = read_variables(session, scope, cluster.uid, cluster.name)
        cluster = replace(cluster, variables={uid: list(found.values()) for uid, found in known.items()})
    if any(one.manifests for one in used):
        cluster = replace(cluster, manifests=read_manifests(session, scope, cluster.uid, cluster.name))
    return cluster


def _profile_rows(session: Session, scope: Scope) -> list[Profile]:
    """Every version of every profile that the project sees, without layers."""
    found: dict[str, Profile] = {}
    items = session.pages("POST", profiles.SEARCH, scope=scope, what="list cluster profiles", body={"filter": {}})
    for item in items:
        metadata, summary = item["metadata"], item.get("specSummary") or {}
        owner = (metadata.get("annotations") or {}).get("scope") or "project"
        pairs = [(summary.get("version") or "1.0.0", metadata["uid"])]
        pairs += [(one["version"], one["uid"]) for one in summary.get("versions") or []]
        for version, uid in pairs:
            found.setdefault(uid, Profile(uid=uid, name=metadata.get("name", ""), version=version, scope=owner))
    return sorted(found.values(), key=lambda one: (one.name, profiles.semver(one.version), one.uid))


def _profile(session: Session, scope: Scope, row: Profile) -> Profile:
    """The version with layers, variables and the contents of manifests."""
    what = f"read the cluster profile {row.name} {row.version}"
    whole = profiles.read_uid(session, scope, row.uid)
    path = f"{profiles.PATH}/{row.uid}"
    answer = session.request("GET", f"{path}/variables", scope=scope, what=what) or {}
    read = replace(row, whole=whole, variables=answer.get("variables") or [])
    if row.scope != "project" or not any(pack.get("manifests") for pack in read.template.get("packs") or []):
        return read
    packs = ((session.request("GET", f"{path}/packs/manifests", scope=scope, what=what) or {}).get("spec") or {}).get(
        "packs"
    )
    contents = {
        (pack.get("spec") or {}).get("name", ""): {
            one["name"]: str(one.get("content") or "") for one in (pack.get("spec") or {}).get("manifests") or []
        }
        for pack in packs or []
    }
    return replace(read, manifests=contents)


def _tokens(session: Session, project: Project) -> list[dict[str, Any]]:
    """The registration tokens that lead to this project, without their secrets."""
    try:
        found = tokens.listing(session, None)
    except ForbiddenError:
        project.notes.add("registration tokens", "the API key has no right to list them: no site refers to one")
        return []
    free = sum(not one["project_uid"] for one in found)
    if free:
        project.notes.add("registration tokens", f"{free} lead to no project and are left out")
    own = [one for one in found if one["project_uid"] == project.uid]
    return sorted(own, key=lambda one: (one["name"], one["uid"]))


def _registries(session: Session, scope: Scope) -> dict[str, str]:
    """UID -> what a definition calls the registry: its name, or its UID where two bear the name."""
    answer = session.request(
        "GET", "/v1/registries/metadata", scope=scope, what="list registries", params={"scope": "all"}
    )
    names = {one["uid"]: one.get("name", "") for one in (answer or {}).get("items") or []}
    listed = list(names.values())
    return {uid: name if listed.count(name) == 1 else uid for uid, name in names.items()}


def _resolve_packs(session: Session, scope: Scope, project: Project) -> None:
    """Which layers the registries would not find again by name and version."""
    catalogue = PackCatalogue(session, scope)
    for profile in project.profiles:
        for pack in profile.template.get("packs") or [] if profile.scope == "project" else []:
            registry = pack.get("registryUid") or ""
            key = (pack["name"], registry, pack_version(pack))
            if pack.get("type") == "manifest" or key in project.unresolved:
                continue
            wanted = DesiredPack(
                name=pack["name"],
                type=pack.get("type") or "spectro",
                version=pack_version(pack),
                registry=project.registries.get(registry, ""),
            )
            try:
                catalogue.resolve(wanted, option="pack")
                project.unresolved[key] = ""
            except PaletteError as error:
                project.unresolved[key] = str(error)
