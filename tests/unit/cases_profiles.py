# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of cluster profiles, packs and registries."""

from __future__ import annotations

from typing import Any

from ansible_collections.palette.edge.tests.unit.module_world import PROFILES, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    PROFILE,
    manifest_pack,
    manifests_of,
    pack,
    profile,
    profile_row,
)
from ansible_collections.palette.edge.tests.unit.palette_server import page

PACKS = [
    {"name": "edge-native-byoi", "version": "2.1.0", "registry": "Public", "layer": "os"},
    {"name": "edge-k3s", "version": "1.30.4", "values": "a: 1\n"},
    {"name": "greeting", "type": "manifest", "manifests": [{"name": "cm", "content": "kind: ConfigMap\n"}]},
]
VARIABLES = [
    {
        "name": "who",
        "display_name": "Who",
        "description": "whom to greet",
        "default_value": "world",
        "format": "string",
        "input_type": "dropdown",
        "options": [{"value": "world", "label": "World", "description": "all"}],
        "regex": ".*",
        "required": True,
        "hidden": False,
        "immutable": False,
    },
    {"name": "secret", "default_value": "canary-variable-5f2a", "sensitive": True},
]


def _catalogue(world: World) -> None:
    world.reads("GET", "/v1/registries/metadata", {"items": [{"name": "Public", "uid": "uid-registry"}]})
    found = {"spec": {"name": "edge-k3s", "registries": [{"uid": "uid-registry", "name": "Public"}]}}
    world.reads("POST", "/v1/packs/search", page([found]))
    for name, version in (("edge-native-byoi", "2.1.0"), ("edge-k3s", "1.30.4")):
        entry = {"layer": "k8s", "tags": [{"version": version, "packUid": f"uid-{name}"}], "packValues": []}
        world.reads("GET", f"/v1/packs/{name}/registries/uid-registry", entry)


def _profile_reads(world: World, *, uid: str = PROFILE, rows: Any = None, after: Any = None, **more: Any) -> None:
    world.reads("POST", "/v1/dashboard/clusterprofiles", page(rows or [profile_row(v1_0_0=uid)]), after)
    layers = [pack("edge-k3s"), manifest_pack("greeting", "cm", "old")]
    world.reads("GET", f"{PROFILES}/{uid}", profile(uid=uid, packs=layers, **more))
    variables = [{"name": "who", "defaultValue": "nobody", "hidden": True}, {"name": "old"}]
    world.reads("GET", f"{PROFILES}/{uid}/variables", {"variables": variables})
    contents = manifests_of(greeting={"cm": "kind: Old", "old": "kind: Gone"})
    world.reads("GET", f"{PROFILES}/{uid}/packs/manifests", contents)


@case(
    "cluster_profile",
    "create",
    name="edge-store",
    description="Stores",
    tags={"a": "1", "bare": ""},
    packs=PACKS,
    variables=VARIABLES,
)
def _profile_create(world: World) -> None:
    _catalogue(world)
    _profile_reads(world, rows=[profile_row("other", v1_0_0="x")], after=page([profile_row(v1_0_0=PROFILE)]))
    world.writes("POST", PROFILES, {"uid": PROFILE})


@case(
    "cluster_profile",
    "in-place",
    name="edge-store",
    description="new",
    tags={"a": "1"},
    packs=PACKS,
    variables=VARIABLES,
    update_in_use=True,
)
def _profile_update(world: World) -> None:
    _catalogue(world)
    _profile_reads(world, clusters=["store-042"])
    at = f"{PROFILES}/{PROFILE}"
    world.writes("PATCH", f"{at}/variables")
    world.writes("PUT", at)
    world.writes("DELETE", f"{at}/variables")
    world.writes("PATCH", f"{at}/metadata")
    world.writes("PATCH", f"{at}/publish")


@case("cluster_profile", "new-version", name="edge-store", version="1.1.0", packs=PACKS, variables=VARIABLES)
def _profile_version(world: World) -> None:
    _catalogue(world)
    both = page([profile_row(v1_0_0=PROFILE, v1_1_0="uid-copy")])
    _profile_reads(world, after=both)
    copy = World()
    _profile_reads(copy, uid="uid-copy", version="1.1.0", draft=True)
    world.calls += [call for call in copy.calls if call.path.startswith(f"{PROFILES}/uid-copy")]
    world.writes("POST", f"{PROFILES}/{PROFILE}/clone", {"uid": "uid-copy"})
    world.writes("PATCH", f"{PROFILES}/uid-copy/variables")
    world.writes("PUT", f"{PROFILES}/uid-copy")
    world.writes("DELETE", f"{PROFILES}/uid-copy/variables")
    world.writes("PATCH", f"{PROFILES}/uid-copy/publish")


@case("cluster_profile", "same", changed=False, name="edge-store")
def _profile_same(world: World) -> None:
    _profile_reads(world)


@case("cluster_profile", "delete", name="edge-store", state="absent")
def _profile_delete(world: World) -> None:
    _profile_reads(world, after=page([]))
    world.writes("DELETE", f"{PROFILES}/{PROFILE}")


@case("cluster_profile_info", "all", changed=False)
def _profile_info(world: World) -> None:
    row = {"metadata": {"name": "edge-store", "uid": PROFILE}, "spec": {"cloudType": "edge-native", "version": "1.0.0"}}
    world.reads("GET", "/v1/dashboard/clusterprofiles/metadata", {"items": [row]})


@case("cluster_profile_info", "one", changed=False, name="edge-store", version="1.0.0")
def _profile_info_one(world: World) -> None:
    _profile_reads(world)
