# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: cluster profiles, their versions, manifests and variables, and the catalogue of packs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World
from lab.controller.packs import REGISTRY, pack_uid

PATH = "/v1/clusterprofiles"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _own(content: str = "kind: Namespace", **manifest: Any) -> dict[str, Any]:
    """A pack of manifests."""
    return {"name": "own", "type": "manifest", "manifests": [{"name": "m", "content": content, **manifest}]}


def _manifests(world: World, uid: str) -> list[dict[str, Any]]:
    packs = world.ok("GET", f"{PATH}/{uid}/packs/manifests")["spec"]["packs"]
    return [one for pack in packs for one in pack["spec"].get("manifests", [])]


def _put(world: World, uid: str, *packs: Any, **spec: Any) -> None:
    world.ok("PUT", f"{PATH}/{uid}", {"spec": {"template": {"type": "cluster", "packs": list(packs)}, **spec}})


def test_a_draft_becomes_what_clusters_can_use_by_publishing(world: World) -> None:
    body = {"metadata": {"name": "p"}, "spec": {"template": {"cloudType": "edge-native", "packs": [world.pack()]}}}
    uid = world.ok("POST", PATH, body)["uid"]
    profile = world.ok("GET", f"{PATH}/{uid}")
    assert profile["spec"]["version"] == "1.0.0"
    assert "published" not in profile["spec"]
    assert profile["status"]["isPublished"] is False
    world.ok("PATCH", f"{PATH}/{uid}/publish")
    profile = world.ok("GET", f"{PATH}/{uid}")
    assert "draft" not in profile["spec"]
    assert profile["spec"]["published"]["version"] == 1
    assert profile["spec"]["published"]["profileVersion"] == "1.0.0"
    _put(world, uid, world.pack(values="b: 2"))
    profile = world.ok("GET", f"{PATH}/{uid}")
    assert profile["spec"]["draft"]["packs"][0]["values"] == "b: 2"
    assert profile["spec"]["published"]["packs"][0]["values"] == "a: 1"
    world.ok("PATCH", f"{PATH}/{uid}/publish")
    assert world.ok("GET", f"{PATH}/{uid}")["spec"]["published"]["version"] == 2


def test_versions_are_objects_of_their_own(world: World) -> None:
    first, second = world.profile("p", "1.0.0"), world.profile("p", "1.1.0")
    listed = world.ok("GET", f"{PATH}/{first}")["spec"]["versions"]
    assert listed == [{"uid": first, "version": "1.0.0"}, {"uid": second, "version": "1.1.0"}]
    body = {"metadata": {"name": "p"}, "spec": {"version": "1.0.0", "template": {}}}
    world.refused(409, "DuplicateClusterProfile", "POST", PATH, body)
    world.ok("GET", f"{PATH}/validate/name", name="p", version="1.2.0")
    world.refused(409, "DuplicateClusterProfile", "GET", f"{PATH}/validate/name", name="p", version="1.1.0")
    world.ok("POST", PATH, body, scope=TENANT)


def test_a_put_of_another_version_renames_it(world: World) -> None:
    uid = world.profile("p", "1.0.0")
    _put(world, uid, world.pack(), version="1.0.1")
    assert world.ok("GET", f"{PATH}/{uid}")["spec"]["versions"] == [{"uid": uid, "version": "1.0.1"}]


def test_a_clone_has_manifests_of_its_own(world: World) -> None:
    uid = world.profile("p", packs=[world.pack(), _own()], variables=[{"name": "a"}])
    body = {"metadata": {"name": "p", "version": "2.0.0"}}
    twin = world.ok("POST", f"{PATH}/{uid}/clone", body)["uid"]
    old, new = _manifests(world, uid), _manifests(world, twin)
    assert (old[0]["name"], old[0]["content"]) == (new[0]["name"], new[0]["content"])
    assert old[0]["uid"] != new[0]["uid"]
    profile = world.ok("GET", f"{PATH}/{twin}")
    assert profile["status"]["isPublished"] is False
    assert profile["spec"]["draft"]["uid"] == twin
    assert world.ok("GET", f"{PATH}/{twin}/variables")["variables"][0]["name"] == "a"
    world.refused(409, "DuplicateClusterProfile", "POST", f"{PATH}/{uid}/clone", body)


def test_a_clone_can_go_elsewhere(world: World) -> None:
    uid, other = world.profile("p"), world.projects["Lab B"]
    target = {"scope": "project", "projectUid": other}
    twin = world.ok("POST", f"{PATH}/{uid}/clone", {"metadata": {"name": "p", "target": target}})["uid"]
    world.refused(404, "ResourceNotFound", "DELETE", f"{PATH}/{twin}")
    # One of any scope can be read by its UID.
    assert world.ok("GET", f"{PATH}/{twin}")["metadata"]["name"] == "p"
    common = world.ok("POST", f"{PATH}/{uid}/clone", {"metadata": {"name": "p", "target": {"scope": "tenant"}}})["uid"]
    assert world.ok("GET", f"{PATH}/{common}")["metadata"]["annotations"]["scope"] == "tenant"
    message = world.refused(
        400, "InvalidRequest", "POST", f"{PATH}/{uid}/clone", {"metadata": {"name": "x", "target": {}}}
    )
    assert "scope" in message


def test_a_manifest_without_its_uid_is_a_second_one(world: World) -> None:
    uid = world.profile(packs=[_own("one")])
    (known,) = _manifests(world, uid)
    _put(world, uid, _own("two", uid=known["uid"]))
    (same,) = _manifests(world, uid)
    assert (same["uid"], same["content"]) == (known["uid"], "two")
    _put(world, uid, _own("two"))
    (other,) = _manifests(world, uid)
    assert other["uid"] != known["uid"]


def test_values_and_manifests_lose_the_newlines_around_them(world: World) -> None:
    uid = world.profile(packs=[world.pack(values="\na: 1\n\n"), _own("\nkind: x\n")])
    assert world.ok("GET", f"{PATH}/{uid}")["spec"]["published"]["packs"][0]["values"] == "a: 1"
    assert _manifests(world, uid)[0]["content"] == "kind: x"


def test_packs_are_known_and_named_once(world: World) -> None:
    def body(*packs: Any) -> Any:
        return {"metadata": {"name": "p"}, "spec": {"template": {"packs": list(packs)}}}

    unknown = world.pack(uid="none")
    assert "edge-k3s" in world.refused(404, "ResourceNotFound", "POST", PATH, body(unknown))
    world.refused(400, "InvalidRequest", "POST", PATH, body(world.pack(), world.pack()))
    world.refused(400, "InvalidRequest", "POST", PATH, body(world.pack(layer="cake")))


def test_variables_must_be_declared_before_they_are_used(world: World) -> None:
    used = world.pack(values="a: {{.spectro.var.greeting}}")
    body = {"metadata": {"name": "p"}, "spec": {"template": {"packs": [used]}}}
    assert "greeting" in world.refused(400, "PackVariablesUndefined", "POST", PATH, body)
    uid = world.profile("q", packs=[used], variables=[{"name": "greeting", "defaultValue": "hi"}, {"name": "spare"}])
    variables = f"{PATH}/{uid}/variables"
    world.refused(400, "PackVariablesUndefined", "DELETE", variables, {"variables": ["greeting"]})
    world.refused(400, "PackVariablesUndefined", "PUT", variables, {"variables": [{"name": "spare"}]})
    world.ok("DELETE", variables, {"variables": ["spare"]})
    world.ok("PATCH", variables, {"variables": [{"name": "greeting", "description": "d"}, {"name": "new"}]})
    found = {one["name"]: one for one in world.ok("GET", variables)["variables"]}
    assert set(found) == {"greeting", "new"}
    assert (found["greeting"]["defaultValue"], found["greeting"]["description"]) == ("hi", "d")
    manifest = _own("x: {{ .spectro.var.nothing }}")
    put = {"spec": {"template": {"type": "cluster", "packs": [manifest]}}}
    world.refused(400, "PackVariablesUndefined", "PUT", f"{PATH}/{uid}", put)


def test_sensitive_defaults_are_masked(world: World) -> None:
    uid = world.profile(variables=[{"name": "a", "defaultValue": "hush", "isSensitive": True}])
    (shown,) = world.ok("GET", f"{PATH}/{uid}/variables")["variables"]
    assert shown["defaultValue"] == "*****"


def test_metadata_has_an_endpoint_of_its_own(world: World) -> None:
    uid = world.profile("p")
    body = {"metadata": {"name": "q", "labels": {"a": "b"}, "annotations": {"description": "d"}}}
    world.ok("PATCH", f"{PATH}/{uid}/metadata", body)
    metadata = world.ok("GET", f"{PATH}/{uid}")["metadata"]
    assert (metadata["name"], metadata["labels"]) == ("q", {"a": "b"})
    assert metadata["annotations"] == {"description": "d", "scope": "project"}
    world.profile("p")
    world.refused(409, "DuplicateClusterProfile", "PATCH", f"{PATH}/{uid}/metadata", {"metadata": {"name": "p"}})


def test_a_profile_in_use_stays_until_its_cluster_is_gone(world: World) -> None:
    uid = world.profile()
    cluster = world.create_cluster(*world.hosts("edge-1"), profile=uid)
    status = world.ok("GET", f"{PATH}/{uid}")["status"]
    assert status["inUseClusterUids"] == [cluster]
    assert "store-042" in world.refused(400, "ClusterProfileInUse", "DELETE", f"{PATH}/{uid}")
    world.ok("DELETE", f"/v1/spectroclusters/{cluster}")
    world.later(2)
    world.ok("DELETE", f"{PATH}/{uid}")
    world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}")


def test_all_clouds_are_for_add_ons_only(world: World) -> None:
    spec = {"template": {"cloudType": "all", "type": "cluster", "packs": []}}
    world.refused(400, "InvalidRequest", "POST", PATH, {"metadata": {"name": "p"}, "spec": spec})


def test_profiles_are_looked_up_by_name_version_and_kind(world: World) -> None:
    world.profile("edge", "1.0.0")
    world.profile("edge", "1.1.0")
    world.profile("edge-addon", "1.0.0", type="add-on")

    def found(**wanted: Any) -> list[str]:
        items = world.ok("POST", "/v1/dashboard/clusterprofiles", {"filter": wanted})["items"]
        return [f"{one['metadata']['name']}:{one['specSummary']['version']}" for one in items]

    assert found(profileName={"eq": "EDGE"}) == ["edge:1.0.0", "edge:1.1.0"]
    assert found(profileName={"eq": "EDGE", "ignoreCase": False}) == []
    assert found(profileName={"beginsWith": "edge-"}) == ["edge-addon:1.0.0"]
    assert found(profileName={"eq": "edge"}, version={"eq": "1.1.0"}) == ["edge:1.1.0"]
    assert found(profileType=["add-on"]) == ["edge-addon:1.0.0"]
    assert found(scope="tenant") == []


def test_the_catalogue(world: World) -> None:
    items = world.ok("POST", "/v1/packs/search", {"filter": {"name": {"contains": "cni"}}})["items"]
    assert {one["spec"]["layer"] for one in items} == {"cni"}
    path = f"/v1/packs/edge-k3s/registries/{REGISTRY['uid']}"
    tags = world.ok("GET", path)["tags"]
    assert pack_uid("edge-k3s", "1.30.4") in {one["packUid"] for one in tags}
    world.refused(404, "ResourceNotFound", "GET", "/v1/packs/edge-k3s/registries/none")


def test_several_profiles_are_deleted_but_for_those_in_use(world: World) -> None:
    used = world.profile("used")
    world.create_cluster(*world.hosts("edge-1"), profile=used)
    answer = world.ok("DELETE", f"{PATH}/bulk", {"uids": [world.profile("free"), used, "none"]})
    assert (answer["deletedCount"], answer["isSucceeded"]) == (1, False)
    assert [(one["uid"], one.get("name", "")) for one in answer["failures"]] == [(used, "used"), ("none", "")]
    assert "store-042" in answer["failures"][0]["errMsg"]
    assert world.ok("DELETE", f"{PATH}/bulk", {"uids": []})["failures"] == []


def test_a_copy_is_checked_before_it_is_made(world: World) -> None:
    uid, other = world.profile("p"), world.projects["Lab B"]
    path = f"{PATH}/{uid}/clone/validate"
    world.ok("POST", path, {"name": "p", "version": "1.1.0"})
    world.refused(409, "DuplicateClusterProfile", "POST", path, {"name": "p", "version": "1.0.0"})
    target = {"scope": "project", "projectUid": other}
    world.ok("POST", path, {"name": "p", "version": "1.0.0", "target": target})
    world.ok("POST", f"{PATH}/{uid}/clone", {"metadata": {"name": "p", "version": "1.0.0", "target": target}})
    world.refused(409, "DuplicateClusterProfile", "POST", path, {"name": "p", "version": "1.0.0", "target": target})
    world.refused(404, "ResourceNotFound", "POST", path, {"name": "q", "target": {**target, "projectUid": "none"}})
    world.refused(400, "InvalidRequest", "POST", path, {"name": "q", "target": {"scope": "system"}})


def test_a_copy_of_what_is_published_leaves_the_draft_behind(world: World) -> None:
    uid = world.profile("p", packs=[_own("published")])
    (known,) = _manifests(world, uid)
    _put(world, uid, _own("draft", uid=known["uid"]))
    twin = world.ok("POST", f"{PATH}/{uid}/clone", {"metadata": {"name": "p", "version": "2.0.0"}})["uid"]
    assert _manifests(world, twin)[0]["content"] == "published"
    assert _manifests(world, uid)[0]["content"] == "draft"


def test_profiles_are_searched_by_version_and_tags_and_sorted(world: World) -> None:
    uids = {version: world.profile("p", version) for version in ("1.9.0", "1.10.0", "2.0.0")}
    world.ok("PATCH", f"{PATH}/{uids['2.0.0']}/metadata", {"metadata": {"name": "p", "labels": {"line": "new"}}})

    def found(**body: Any) -> list[str]:
        items = world.ok("POST", "/v1/dashboard/clusterprofiles", body)["items"]
        return [one["specSummary"]["version"] for one in items]

    assert found(filter={"version": {"gt": "1.9.0", "lt": "2.0.0"}}) == ["1.10.0"]
    assert found(filter={"tags": {"eq": ["line:NEW"]}}) == ["2.0.0"]
    assert found(filter={"tags": {"ne": ["line:new"]}}) == ["1.9.0", "1.10.0"]
    assert found(sort=[{"field": "profileName", "order": "desc"}])
    one = world.ok("GET", f"/v1/dashboard/clusterprofiles/{uids['1.9.0']}")
    assert one["specSummary"]["published"]["packs"][0]["name"] == "edge-k3s"
    assert len(one["specSummary"]["versions"]) == 3
