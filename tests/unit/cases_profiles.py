# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of cluster profiles, packs and registries."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
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
from ansible_collections.palette.edge.tests.unit.palette_server import PROJECT, page

PACKS = [
    {"name": "edge-native-byoi", "version": "2.1.0", "registry": "Public", "layer": "os"},
    {"name": "edge-k3s", "version": "1.30.4", "values": "a: 1\n"},
    {"name": "greeting", "type": "manifest", "manifests": [{"name": "cm", "content": "kind: ConfigMap\n"}]},
]
PRESET = {"name": "extra", "displayName": "Extra", "group": "more", "add": "c: 2\n", "remove": ["b"]}
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
    world.reads("POST", f"{PROFILES}/validate/packs", {"packs": {"results": [{"name": "edge-k3s", "errors": []}]}})
    world.reads("GET", "/v1/registries/metadata", {"items": [{"name": "Public", "uid": "uid-registry"}]})
    found = {"spec": {"name": "edge-k3s", "registries": [{"uid": "uid-registry", "name": "Public"}]}}
    world.reads("POST", "/v1/packs/search", page([found]))
    for name, version in (("edge-native-byoi", "2.1.0"), ("edge-k3s", "1.30.4")):
        tags = [{"version": version, "packUid": f"uid-{name}"}, {"version": "1.29.0", "packUid": f"uid-{name}-old"}]
        own = {"packUid": f"uid-{name}", "values": "a: 0\nb: 1\n", "presets": [PRESET]}
        entry = {"layer": "k8s", "tags": tags, "packValues": [own]}
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


@case(
    "cluster_profile",
    "draft",
    name="edge-store",
    version="1.1.0",
    publish=False,
    packs=[{"name": "edge-k3s", "version": "1.30.x", "presets": ["extra"]}, {**PACKS[0], "values": {"a": 1}}],
)
def _profile_draft(world: World) -> None:
    _catalogue(world)
    _profile_reads(world, rows=[profile_row("other", v1_0_0="x")], after=page([profile_row(v1_1_0=PROFILE)]))
    world.writes("POST", PROFILES, {"uid": PROFILE})


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


@case("cluster_profile_info", "one", changed=False, name="edge-store", version="1.0.0", gather=["content"])
def _profile_info_one(world: World) -> None:
    _profile_reads(world)


@case("cluster_profile_copy", "create", name="edge-store", target_project="south", target_name="shop")
def _profile_copy(world: World) -> None:
    _projects(world)
    _profile_reads(world, after=page([profile_row("shop", v1_0_0="uid-copy")]))
    copy = World()
    _profile_reads(copy, uid="uid-copy", draft=True)
    world.calls += [call for call in copy.calls if call.path.startswith(f"{PROFILES}/uid-copy")]
    world.reads("POST", f"{PROFILES}/{PROFILE}/clone/validate", None)
    world.writes("POST", f"{PROFILES}/{PROFILE}/clone", {"uid": "uid-copy"})
    world.writes("PATCH", f"{PROFILES}/uid-copy/publish", scope="uid-south")


@case("cluster_profile_copy", "same", changed=False, name="edge-store", version="1.0.0", target_scope="tenant")
def _profile_copied(world: World) -> None:
    rows = [profile_row(v1_0_0=PROFILE), profile_row(scope="tenant", v1_0_0=PROFILE)]
    _profile_reads(world, rows=rows)


# The files of the cases below: what a case changes is in Palette, not in a file.
_FOLDER = tempfile.TemporaryDirectory(prefix="palette-edge-test-")
_HELD = Path(_FOLDER.name, "held.json")
_SOURCE = Path(_FOLDER.name, "source.json")


def exported(**more: Any) -> dict[str, Any]:
    """What Palette exports."""
    registry = {"metadata": {"name": "Public", "uid": "uid-there", "kind": "pack"}}
    k3s = {
        "name": "edge-k3s",
        "layer": "k8s",
        "type": "spectro",
        "tag": "1.0.0",
        "version": "1.0.0",
        "registry": registry,
    }
    contents = [{"name": "cm", "content": "kind: Old"}, {"name": "old", "content": "kind: Gone"}]
    greeting = {"name": "greeting", "layer": "addon", "type": "manifest", "manifests": contents}
    variables = [
        {"name": "who", "defaultValue": "nobody", "hidden": True},
        {"name": "old"},
        *more.get("variables", []),
    ]
    template = {"cloudType": "edge-native", "type": "cluster", "packs": [{**k3s, "values": ""}, greeting]}
    metadata = {"name": "edge-store", "description": "Stores", "labels": {"a": "1"}}
    return {"metadata": metadata, "spec": {"version": "1.0.0", "template": template, "variables": variables}}


@case("cluster_profile_export", "held", changed=False, name="edge-store", dest=str(_HELD))
def _profile_export(world: World) -> None:
    _HELD.write_text(json.dumps(exported()), encoding="utf-8")
    _profile_reads(world)
    world.reads("GET", f"{PROFILES}/{PROFILE}/export", json.dumps(exported(), sort_keys=True).encode())


@case(
    "cluster_profile_import",
    "create",
    src=str(_SOURCE),
    version="2.0.0",
    registries={"Public": "Mirror"},
    variable_defaults={"secret": "canary-variable-5f2a"},
)
def _profile_import(world: World) -> None:
    secret = {"name": "secret", "isSensitive": True, "required": True, "defaultValue": "********"}
    _SOURCE.write_text(json.dumps(exported(variables=[secret])), encoding="utf-8")
    world.reads("GET", "/v1/registries/metadata", {"items": [{"name": "Mirror", "uid": "uid-here", "kind": "pack"}]})
    rows = page([profile_row(v2_0_0=PROFILE)])
    _profile_reads(world, rows=[profile_row("other", v1_0_0="x")], after=rows, version="2.0.0")

    def checked(request: Any) -> Any:
        answer = json.loads(json.dumps(request.body))
        for one in answer["spec"]["template"]["packs"]:
            if "registry" in one:
                one["registry"]["matchingRegistries"] = [{"name": "Mirror", "uid": "uid-here", "kind": "pack"}]
        return answer

    world.reads("POST", f"{PROFILES}/import/validate", checked)
    world.writes("POST", f"{PROFILES}/import", {"uid": PROFILE})


@case("cluster_profile_import", "same", changed=False, src=str(_HELD))
def _profile_imported(world: World) -> None:
    _HELD.write_text(json.dumps(exported()), encoding="utf-8")
    _profile_reads(world)


@case("pack_info", "all", changed=False, registry="Public", layer="k8s")
def _packs(world: World) -> None:
    _catalogue(world)


@case("pack_info", "versions", changed=False, name="edge-k3s", version="1.x", gather=["values", "presets"])
def _pack_versions(world: World) -> None:
    _catalogue(world)


@case("registry_info", "synchronised", changed=False, gather=["sync"])
def _registries(world: World) -> None:
    _catalogue(world)
    sync = {"isSyncSupported": True, "status": "Completed", "lastSyncedTime": "2027-01-10T10:00:00Z"}
    row = {"metadata": {"name": "Public", "uid": "uid-registry"}, "status": {"sync": sync}}
    for kind, rows in (("pack", [row]), ("helm", []), ("oci", [])):
        world.reads("GET", f"/v1/registries/{kind}/summary", page(rows))


def _projects(world: World) -> None:
    listed = [{"metadata": {"name": name, "uid": uid}} for name, uid in (("Default", PROJECT), ("south", "uid-south"))]
    world.calls[0].reply = {"items": listed}


@case("project_info", "one", changed=False, name="Default")
def _project_info(world: World) -> None:
    metadata = {"name": "Default", "uid": PROJECT, "labels": {"a": "1"}, "annotations": {"description": "ours"}}
    world.reads("POST", "/v1/dashboard/projects", page([{"metadata": metadata}]), scope="")
