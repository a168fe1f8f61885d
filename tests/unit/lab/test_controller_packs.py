# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: registries and packs, searched, by version, and from which registry a profile takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World
from lab.controller.catalogue import CHARTS, COMPANY, IMAGES, PUBLIC
from lab.controller.packs import pack_uid, parents

PROFILES = "/v1/clusterprofiles"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _names(answer: Any) -> list[str]:
    return [one["spec"]["name"] for one in answer["items"]]


def _search(world: World, **wanted: Any) -> list[str]:
    return _names(world.ok("POST", "/v1/packs/search", {"filter": wanted}))


def _make(world: World, pack: dict[str, Any], *, name: str = "p") -> Any:
    template = {"type": "add-on", "cloudType": "all", "packs": [pack]}
    return world.call("POST", PROFILES, {"metadata": {"name": name}, "spec": {"template": template}}, publish="true")


def test_registries_are_told_with_their_kind_and_whether_they_are_synchronised(world: World) -> None:
    listed = {one["name"]: one for one in world.ok("GET", "/v1/registries/metadata")["items"]}
    assert listed["Public Repo"]["isDefault"] is True
    assert listed["Company OCI"]["isPrivate"] is True
    assert {one["kind"] for one in listed.values()} == {"pack", "helm", "oci"}
    (oci,) = world.ok("GET", "/v1/registries/oci/summary")["items"]
    assert oci["status"]["sync"]["isSyncSupported"] is False
    packs = world.ok("GET", "/v1/registries/pack/summary", filters="metadata.name=Company Packs")["items"]
    assert [one["metadata"]["uid"] for one in packs] == [COMPANY.uid]
    (chart,) = world.ok("GET", "/v1/registries/helm/summary")["items"]
    assert chart["status"]["sync"] == {"isSyncSupported": True, "status": "Completed"}


def test_a_registry_is_synchronised_for_a_while(world: World) -> None:
    path = f"/v1/registries/pack/{COMPANY.uid}/sync"
    assert world.call("POST", path).status_code == 202
    assert world.ok("GET", f"{path}/status")["status"] == "InProgress"
    world.later(3)
    assert world.ok("GET", f"{path}/status")["status"] == "Completed"
    world.refused(400, "RegistrySyncNotSupported", "POST", f"/v1/registries/oci/{IMAGES.uid}/basic/sync")
    world.refused(404, "ResourceNotFound", "GET", f"/v1/registries/helm/{COMPANY.uid}/sync/status")


def test_a_pack_is_found_with_all_registries_that_list_it(world: World) -> None:
    (found,) = world.ok("POST", "/v1/packs/search", {"filter": {"name": {"eq": "store-agent"}}})["items"]
    latest = {one["name"]: one["latestVersion"] for one in found["spec"]["registries"]}
    assert latest == {"Public Repo": "1.10.0", "Company Packs": "1.3.0"}
    assert _search(world, registryUid=[COMPANY.uid]) == ["store-agent", "till-printer"]
    assert _search(world, type=["helm"]) == ["price-tags"]
    assert _search(world, layer=["cni"], displayName={"beginsWith": "cil"}) == ["cni-cilium-oss"]
    assert _search(world, addOnType=["monitoring"]) == ["store-agent"]
    assert _search(world, environment=["vsphere"]) == ["store-agent"]
    # Of a registry that is not synchronised nothing is known.
    assert _search(world, registryUid=[IMAGES.uid]) == []


def test_packs_are_sorted_and_paged(world: World) -> None:
    body = {"sort": [{"field": "name", "order": "desc"}]}
    first = world.ok("POST", "/v1/packs/search", body, limit=4)
    again = world.ok("POST", "/v1/packs/search", body, limit=50, **{"continue": first["listmeta"]["continue"]})
    names = [*_names(first), *_names(again)]
    assert names == sorted(names, reverse=True)
    assert len(names) == first["listmeta"]["count"]


def test_versions_have_floating_tags_values_presets_and_a_schema(world: World) -> None:
    entry = world.ok("GET", f"/v1/packs/store-agent/registries/{PUBLIC.uid}")
    tags = {one["version"]: (one["tag"], one["parentTags"]) for one in entry["tags"]}
    assert tags["1.2.3"] == ("1.2.3", ["1.2.x"])
    assert parents("1.0.0-rc.1") == ["1.0.x"]
    presets = world.ok("GET", f"/v1/packs/cni-cilium-oss/registries/{PUBLIC.uid}")["packValues"][0]["presets"]
    assert {one["group"] for one in presets} == {"proxy", "hubble"}
    assert presets[1]["remove"] == ["charts.cilium.nodePort"]
    (schema,) = world.ok("GET", f"/v1/packs/{pack_uid('csi-longhorn', '1.6.2')}")["packValues"][0]["schema"]
    assert schema["required"] is True
    world.refused(404, "ResourceNotFound", "GET", f"/v1/packs/store-agent/registries/{IMAGES.uid}")
    world.refused(404, "ResourceNotFound", "GET", f"/v1/packs/nginx/registries/{PUBLIC.uid}", cloudType="vsphere")
    world.ok("GET", f"/v1/packs/store-agent/registries/{PUBLIC.uid}", cloudType="vsphere")
    world.refused(404, "ResourceNotFound", "GET", "/v1/packs/none")


def test_every_version_is_in_the_list_of_packs(world: World) -> None:
    found = world.ok("GET", "/v1/packs", filters="spec.name=store-agentANDspec.version=1.2.3")["items"]
    assert {one["spec"]["registryUid"] for one in found} == {PUBLIC.uid, COMPANY.uid}
    assert len({one["metadata"]["uid"] for one in found}) == 2
    page = world.ok("GET", "/v1/packs", limit=1, orderBy="spec.name=-1")
    assert _names(page) == ["till-printer"]


def test_a_profile_takes_a_pack_from_the_registry_that_has_it(world: World) -> None:
    uid = pack_uid("store-agent", "1.3.0", COMPANY.uid)
    pack = {"name": "store-agent", "layer": "addon", "uid": uid, "registryUid": COMPANY.uid, "tag": "1.3.x"}
    profile = world.ok("GET", f"{PROFILES}/{_make(world, pack).json()['uid']}")
    (kept,) = profile["spec"]["published"]["packs"]
    assert (kept["version"], kept["tag"], kept["registryUid"]) == ("1.3.0", "1.3.x", COMPANY.uid)
    for wrong in ({"registryUid": PUBLIC.uid}, {"registryUid": "none"}, {"uid": ""}):
        assert _make(world, {**pack, **wrong}, name="q").status_code == 404


def test_a_registry_that_is_not_synchronised_takes_names_as_they_are(world: World) -> None:
    pack = {"name": "any", "type": "oci", "layer": "addon", "tag": "5.0.0", "registryUid": IMAGES.uid}
    assert _make(world, pack).status_code == 201
    chart = {"name": "price-tags", "type": "helm", "tag": "2.1.0", "registryUid": CHARTS.uid}
    assert _make(world, chart, name="q").status_code == 404
    chart["uid"] = pack_uid("price-tags", "2.1.0", CHARTS.uid)
    assert _make(world, chart, name="q").status_code == 201
