# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: packs of a profile one by one, their manifests, variables and macros, and profiles as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World
from lab.controller import variable_rules
from lab.controller.catalogue import COMPANY, PUBLIC
from lab.controller.packs import pack_uid

PATH = "/v1/clusterprofiles"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _own(content: str = "kind: Namespace", name: str = "own") -> dict[str, Any]:
    """A pack of manifests."""
    return {"name": name, "type": "manifest", "layer": "addon", "manifests": [{"name": "m", "content": content}]}


def _names(world: World, uid: str) -> list[str]:
    return [one["spec"]["name"] for one in world.ok("GET", f"{PATH}/{uid}/packs")["items"]]


# -- packs one by one


def test_packs_are_added_changed_and_removed_in_a_draft(world: World) -> None:
    uid = world.profile(packs=[world.pack()])
    world.ok("POST", f"{PATH}/{uid}/packs", {"pack": world.pack("nginx", "1.11.2", "addon")})
    assert _names(world, uid) == ["edge-k3s", "nginx"]
    profile = world.ok("GET", f"{PATH}/{uid}")
    assert len(profile["spec"]["published"]["packs"]) == 1
    assert profile["spec"]["draft"]["cloudType"] == "edge-native"
    world.refused(409, "DuplicatePack", "POST", f"{PATH}/{uid}/packs", {"pack": world.pack()})
    newer = {"name": "edge-k3s", "uid": pack_uid("edge-k3s", "1.31.1"), "tag": "1.31.1", "values": "b: 2\n"}
    world.ok("PUT", f"{PATH}/{uid}/packs/edge-k3s", {"pack": newer})
    pack = world.ok("GET", f"{PATH}/{uid}/packs/edge-k3s")["spec"]
    assert (pack["pack"]["version"], pack["pack"]["values"]) == ("1.31.1", "b: 2")
    assert pack["registry"]["name"] == "Public Repo"
    world.refused(400, "InvalidRequest", "PUT", f"{PATH}/{uid}/packs/edge-k3s", {"pack": {**newer, "name": "x"}})
    world.ok("DELETE", f"{PATH}/{uid}/packs/nginx")
    world.refused(404, "ResourceNotFound", "DELETE", f"{PATH}/{uid}/packs/nginx")
    world.ok("PATCH", f"{PATH}/{uid}/publish")
    profile = world.ok("GET", f"{PATH}/{uid}")
    assert [one["version"] for one in profile["spec"]["published"]["packs"]] == ["1.31.1"]
    assert profile["spec"]["published"]["version"] == 2


def test_several_packs_are_changed_at_once(world: World) -> None:
    uid = world.profile(packs=[world.pack(), _own()])
    given = [world.pack(version="1.31.1"), {"name": "own", "type": "manifest", "values": "b: 2"}]
    world.ok("PATCH", f"{PATH}/{uid}/packRefs", {"packs": given})
    first, second = world.ok("GET", f"{PATH}/{uid}")["spec"]["draft"]["packs"]
    assert (first["version"], second["values"]) == ("1.31.1", "b: 2")
    assert [one["name"] for one in second["manifests"]] == ["m"]
    world.refused(404, "ResourceNotFound", "PATCH", f"{PATH}/{uid}/packRefs", {"packs": [{"name": "none"}]})


def test_manifests_are_added_changed_and_removed(world: World) -> None:
    uid = world.profile(packs=[_own()])
    path = f"{PATH}/{uid}/packs/own/manifests"
    (known,) = world.ok("GET", path)["items"]
    assert known["spec"]["published"]["content"] == "kind: Namespace"
    assert "draft" not in known["spec"]
    first = known["metadata"]["uid"]
    world.ok("PUT", f"{path}/{first}", {"name": "m", "content": "kind: Secret\n"})
    changed = world.ok("GET", f"{path}/{first}")["spec"]
    assert (changed["published"]["content"], changed["draft"]["content"]) == ("kind: Namespace", "kind: Secret")
    second = world.ok("POST", path, {"name": "n", "content": "kind: Pod"})["uid"]
    world.refused(409, "DuplicateManifest", "POST", path, {"name": "n", "content": ""})
    world.refused(409, "DuplicateManifest", "PUT", f"{path}/{second}", {"name": "m", "content": ""})
    world.ok("DELETE", f"{path}/{first}")
    assert [one["metadata"]["name"] for one in world.ok("GET", path)["items"]] == ["n"]
    world.refused(404, "ResourceNotFound", "GET", f"{path}/{first}")
    world.refused(400, "PackVariablesUndefined", "POST", path, {"name": "v", "content": "{{.spectro.var.none}}"})


def test_a_packs_configuration_needs_its_uid(world: World) -> None:
    uid = world.profile(packs=[world.pack()])
    path = f"{PATH}/{uid}/packs/edge-k3s/config"
    (found,) = world.ok("GET", path, packUid=pack_uid("edge-k3s", "1.30.4"))["items"]
    assert found["spec"]["values"] == "a: 1"
    assert found["spec"]["isValuesOverridden"] is False
    world.refused(400, "InvalidRequest", "GET", path)
    world.refused(404, "ResourceNotFound", "GET", path, packUid="other")


def test_validation_tells_what_is_wrong_with_each_pack_and_writes_nothing(world: World) -> None:
    packs = [
        world.pack(),
        world.pack("edge-k8s", "1.31.1"),
        world.pack("nginx", "9.9.9", "addon"),
        world.pack("csi-longhorn", "1.6.2", "csi", values="a: ["),
    ]
    body = {"cloudType": "edge-native", "type": "cluster", "packs": packs}
    results = world.ok("POST", f"{PATH}/validate/packs", body)["packs"]["results"]
    codes = {one["name"]: [error["code"] for error in one.get("errors") or []] for one in results}
    assert codes == {
        "edge-k3s": ["DuplicateLayer"],
        "edge-k8s": ["DuplicateLayer"],
        "nginx": ["ResourceNotFound"],
        "csi-longhorn": ["PackValuesInvalid"],
    }
    uid = world.profile(variables=[{"name": "here"}])
    undeclared = [world.pack(values="a: {{.spectro.var.here}}"), _own("{{.spectro.var.gone}}")]
    answer = world.ok("POST", f"{PATH}/{uid}/validate/packs", {**body, "packs": undeclared})
    first, second = answer["packs"]["results"]
    assert "errors" not in first
    assert second["errors"][0]["code"] == "PackVariablesUndefined"
    assert _names(world, uid) == ["edge-k3s"]


# -- variables


def test_a_variable_in_use_stays_declared(world: World) -> None:
    uid = world.profile(packs=[world.pack(values="a: {{.spectro.var.city}}")], variables=[{"name": "city"}])
    path = f"{PATH}/{uid}/variables"
    world.refused(400, "PackVariablesUndefined", "DELETE", path, {"variables": ["city"]})
    world.refused(400, "PackVariablesUndefined", "PUT", path, {"variables": [{"name": "other"}]})
    assert [one["name"] for one in world.ok("GET", path)["variables"]] == ["city"]
    world.ok("PATCH", path, {"variables": [{"name": "city", "description": "d"}, {"name": "other"}]})
    assert [one["name"] for one in world.ok("GET", path)["variables"]] == ["city", "other"]
    world.ok("DELETE", path, {"variables": ["other"]})
    packs = [world.pack(values="a: {{.spectro.var.none}}")]
    body = {"spec": {"template": {"type": "cluster", "packs": packs}}}
    world.refused(400, "PackVariablesUndefined", "PUT", f"{PATH}/{uid}", body)


@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ({"name": "a", "format": "number"}, "cannot be changed"),
        ({"name": "b", "required": True}, "needs a default value"),
        ({"name": "b", "inputType": "dropdown"}, "needs options"),
        ({"name": "b", "format": "ipv4", "defaultValue": "300.0.0.1"}, "is no ipv4"),
        ({"name": "b", "regex": "^[a-z]+$", "defaultValue": "A"}, "does not match"),
        ({"name": "b", "regex": "(", "defaultValue": "A"}, "no regular expression"),
        ({"name": ""}, "must be unique"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_variable_against_its_rules_is_refused(
    world: World, method: str, variable: dict[str, Any], what: str
) -> None:
    uid = world.profile(variables=[{"name": "a", "format": "ipv4"}])
    path = f"{PATH}/{uid}/variables"
    assert what in world.refused(400, "InvalidVariable", method, path, {"variables": [variable]})
    assert len(world.ok("GET", path)["variables"]) == 1


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        ("string", "anything", None),
        ("number", "-1.5", "one"),
        ("boolean", "true", "True"),
        ("ipv4", "10.0.0.1", "10.0.0.1/8"),
        ("ipv4cidr", "10.0.0.0/8", "10.0.0.1"),
        ("ipv6", "::1", "10.0.0.1"),
        ("version", "v1.30.4-rc.1", "1.30"),
        ("base64", "YQ==", "a!"),
    ],
)
def test_formats_of_variables(kind: str, good: str, wrong: str | None) -> None:
    assert variable_rules.problem({"format": kind}, good) == ""
    if wrong is not None:
        assert variable_rules.problem({"format": kind}, wrong) == f"is no {kind}"


def test_a_dropdowns_value_is_one_of_its_options() -> None:
    variable = {"inputType": "dropdown", "options": [{"value": "a"}, {"value": "b"}]}
    assert variable_rules.problem(variable, "a") == ""
    assert variable_rules.problem(variable, "c") == "is not one of a, b"


# -- macros


def test_macros_are_the_tenants_and_the_projects(world: World) -> None:
    tenant, project = f"/v1/tenants/{world.lab.store.setting('tenant')}/macros", f"/v1/projects/{world.project}/macros"
    world.ok("POST", tenant, {"macros": [{"name": "city", "value": "Rome"}, {"name": "land", "value": "it"}]}, scope="")
    world.ok("POST", project, {"macros": [{"name": "city", "value": "Berlin"}]}, scope=TENANT)
    world.refused(422, "MacroAlreadyExists", "POST", project, {"macros": [{"name": "city"}]}, scope=TENANT)
    seen = {one["name"]: one["value"] for one in world.ok("GET", f"{PATH}/macros")["macros"]}
    assert seen == {"city": "Berlin", "land": "it"}
    uid = world.profile(packs=[world.pack(values="a: {{.spectro.macro.city}} {{.spectro.macro.none}}")])
    pack = world.ok("GET", f"{PATH}/{uid}/packs/edge-k3s")["spec"]
    assert pack["macros"]["resolved"] == {".spectro.macro.city": "Berlin"}
    assert world.ok("GET", f"{PATH}/{uid}")["status"]["hasUserMacros"] is True
    wanted = {"references": ["{{.spectro.macro.land}}", "other"]}
    answer = world.ok("GET", f"{PATH}/{uid}/packs/resolvedValues", wanted)
    assert answer["resolved"] == {"{{.spectro.macro.land}}": "it"}
    world.ok("PATCH", project, {"macros": [{"name": "city", "value": "Bonn"}, {"name": "x", "value": "y"}]}, scope="")
    world.ok("DELETE", project, {"macros": [{"name": "x"}]}, scope=TENANT)
    assert world.ok("GET", project, scope=TENANT)["macros"] == [{"name": "city", "value": "Bonn"}]
    world.ok("PUT", project, {"macros": []}, scope=TENANT)
    assert world.ok("GET", project, scope=TENANT) == {}
    world.refused(404, "ResourceNotFound", "GET", "/v1/projects/none/macros", scope=TENANT)


def test_macros_reach_those_who_form_clusters(tmp_path: Path) -> None:
    world = World(tmp_path, kubernetes={"edge-k8s": ("1.20.2",)})
    world.ok("POST", f"/v1/projects/{world.project}/macros", {"macros": [{"name": "city", "value": "Rome"}]}, scope="")
    values = "a: {{ .spectro.macro.city }} {{ .spectro.macro.none }}"
    profile = world.profile(packs=[world.pack("edge-k8s", "1.20.2", values=values)])
    world.create_cluster(*world.hosts("edge-1"), profile=profile)
    (wanted,) = world.wanted()
    assert wanted["layers"][0]["values"] == "a: Rome {{ .spectro.macro.none }}"


# -- files


def _whole(world: World, uid: str) -> Any:
    reply = world.call("GET", f"{PATH}/{uid}/export")
    assert reply.headers["content-disposition"] == 'attachment; filename="edge-1.0.0.json"'
    return json.loads(reply.content)


def test_what_is_exported_can_be_imported(world: World) -> None:
    secret = {"name": "word", "defaultValue": "canary", "isSensitive": True}
    variables = [{"name": "city", "defaultValue": "Berlin"}, secret]
    packs = [world.pack(values="a: {{.spectro.var.city}}"), _own()]
    uid = world.profile(packs=packs, variables=variables)
    whole = _whole(world, uid)
    assert "canary" not in str(whole)
    assert yaml.safe_load(world.call("GET", f"{PATH}/{uid}/export", format="yaml").content) == whole
    world.refused(409, "DuplicateClusterProfile", "POST", f"{PATH}/import", whole)
    whole["metadata"] = {"name": "copy", "description": "d", "labels": {"a": "b"}}
    twin = world.ok("POST", f"{PATH}/import", whole, publish="true")["uid"]
    old, new = world.ok("GET", f"{PATH}/{uid}"), world.ok("GET", f"{PATH}/{twin}")
    assert new["metadata"]["annotations"]["description"] == "d"
    assert new["status"]["isPublished"] is True
    for one, other in zip(old["spec"]["published"]["packs"], new["spec"]["published"]["packs"], strict=True):
        assert {**one, "manifests": None, "packUid": None} == {**other, "manifests": None, "packUid": None}
    contents = [
        one["spec"]["published"]["content"] for one in world.ok("GET", f"{PATH}/{twin}/packs/own/manifests")["items"]
    ]
    assert contents == ["kind: Namespace"]


def test_an_import_names_the_registries_that_could_be_meant(world: World) -> None:
    pack = {"name": "store-agent", "layer": "addon", "version": "1.2.3", "tag": "1.2.3"}
    spec = {"version": "1.0.0", "template": {"type": "add-on", "cloudType": "all", "packs": [pack]}}
    whole: dict[str, Any] = {"metadata": {"name": "p"}, "spec": spec}
    answer = world.ok("POST", f"{PATH}/import/validate", whole)
    matching = answer["spec"]["template"]["packs"][0]["registry"]["matchingRegistries"]
    assert {one["uid"] for one in matching} == {PUBLIC.uid, COMPANY.uid}
    message = world.refused(400, "PackRegistryUnresolved", "POST", f"{PATH}/import", whole)
    assert "Company Packs, Public Repo" in message
    pack["registry"] = {"metadata": {"uid": "of another Palette", "name": "Public Repo"}}  # type: ignore[assignment]
    world.refused(400, "PackRegistryUnresolved", "POST", f"{PATH}/import", whole)
    pack["registry"] = {"metadata": {"uid": COMPANY.uid}}  # type: ignore[assignment]
    uid = world.ok("POST", f"{PATH}/import", whole)["uid"]
    (kept,) = world.ok("GET", f"{PATH}/{uid}")["spec"]["draft"]["packs"]
    assert kept["packUid"] == pack_uid("store-agent", "1.2.3", COMPANY.uid)


def test_a_pack_of_a_registry_that_is_not_synchronised_is_imported_by_name(world: World) -> None:
    pack = {"name": "any", "type": "oci", "layer": "addon", "tag": "5.0.0"}
    spec = {"template": {"type": "add-on", "cloudType": "all", "packs": [pack]}}
    uid = world.ok("POST", f"{PATH}/import", {"metadata": {"name": "p"}, "spec": spec})["uid"]
    (kept,) = world.ok("GET", f"{PATH}/{uid}")["spec"]["draft"]["packs"]
    assert (kept["name"], kept["tag"], kept.get("packUid", "")) == ("any", "5.0.0", "")


def _form(content: str, *, field: str = "importFile") -> bytes:
    part = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="p"\r\n\r\n{content}\r\n--b--\r\n'
    return part.encode()


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_file_is_imported_from_a_form(world: World, kind: str) -> None:
    uid = world.profile(packs=[_own("a: ä\n\nb: 1")])
    text = world.call("GET", f"{PATH}/{uid}/export", format=kind).text.replace("edge", "copy", 1)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    world.refused(400, "InvalidRequest", "POST", f"{PATH}/import/file", _form("{"), headers=headers, format=kind)
    wrong = _form(text, field="other")
    world.refused(400, "InvalidRequest", "POST", f"{PATH}/import/file", wrong, headers=headers, format=kind)
    twin = world.ok("POST", f"{PATH}/import/file", _form(text), headers=headers, format=kind)["uid"]
    packs = world.ok("GET", f"{PATH}/{twin}/packs/manifests")["spec"]["packs"]
    assert packs[0]["spec"]["manifests"][0]["content"] == "a: ä\n\nb: 1"
    world.refused(400, "InvalidRequest", "POST", f"{PATH}/import/file", b"{}")
    for text in ('{"metadata": {"name": "\\ud800"}}', "[]", '{"metadata": {"name": 5}}', "{}"):
        world.refused(400, "InvalidRequest", "POST", f"{PATH}/import/file", _form(text), headers=headers)
    world.refused(400, "InvalidRequest", "GET", f"{PATH}/{uid}/export", format="toml")
