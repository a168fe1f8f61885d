# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's endpoints about registries, packs and cluster profiles are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ansible_collections.palette.edge.tests.contract.replies import Ask, case, plain
from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World
from lab.controller.catalogue import CHARTS, COMPANY, IMAGES, PUBLIC
from lab.controller.packs import pack_uid

# -- registries and packs

plain("GET", "/v1/registries/metadata")
plain("GET", "/v1/registries/pack/summary", Ask(), Ask(params={"filters": "metadata.name=Public Repo"}))
plain("GET", "/v1/registries/helm/summary", Ask(), Ask(params={"limit": "1", "orderBy": "metadata.name=-1"}))
plain("GET", "/v1/registries/oci/summary")
SYNC = {"pack/{uid}": COMPANY, "helm/{uid}": CHARTS, "oci/{uid}/basic": IMAGES}
for _path, _registry in SYNC.items():
    _ask = Ask({"uid": _registry.uid}, status=0 if _registry.synchronised else 400)
    plain("POST", f"/v1/registries/{_path}/sync", _ask)
    plain("GET", f"/v1/registries/{_path}/sync/status", Ask({"uid": _registry.uid}))
plain(
    "POST",
    "/v1/packs/search",
    Ask(body={}),
    Ask(body={"filter": {"name": {"eq": "store-agent"}, "layer": ["addon"]}}),
    Ask(
        body={"filter": {"type": ["helm"]}, "sort": [{"field": "displayName", "order": "desc"}]}, params={"limit": "2"}
    ),
)
plain("GET", "/v1/packs", Ask(), Ask(params={"filters": "spec.name=edge-k3sANDspec.version=1.30.4"}))
plain("GET", "/v1/packs/{uid}", Ask({"uid": pack_uid("csi-longhorn", "1.6.2")}))
plain(
    "GET",
    "/v1/packs/{name}/registries/{registry}",
    Ask({"name": "edge-k3s", "registry": PUBLIC.uid}),
    Ask({"name": "cni-cilium-oss", "registry": PUBLIC.uid}, params={"cloudType": "edge-native"}),
    Ask({"name": "store-agent", "registry": COMPANY.uid}),
    Ask({"name": "store-agent", "registry": IMAGES.uid}, status=404),
)

# -- cluster profiles


def manifest_profile(world: World, **more: Any) -> str:
    """UID of a profile with manifests, and variables of which one is a secret."""
    manifests = [{"name": "hello", "content": "kind: Namespace\nname: {{.spectro.var.greeting}}"}]
    own = {"name": "hello", "type": "manifest", "layer": "addon", "manifests": manifests}
    options = [{"value": "hello", "label": "Hello"}, {"value": "moin"}]
    greeting = {"name": "greeting", "defaultValue": "hello", "options": options, "inputType": "dropdown"}
    secret = {"name": "secret", "defaultValue": "s", "isSensitive": True}
    return world.profile(packs=[world.pack(), own], variables=[greeting, secret], **more)


def _profile_body() -> dict[str, Any]:
    pack = {"name": "own", "type": "manifest", "layer": "addon", "manifests": [{"name": "m", "content": "a"}]}
    template = {"cloudType": "edge-native", "type": "add-on", "packs": [pack]}
    variables = [{"name": "a", "format": "ipv4", "required": True, "defaultValue": "10.0.0.1"}]
    return {"metadata": {"name": "p"}, "spec": {"version": "1.0.0", "template": template, "variables": variables}}


plain("POST", "/v1/clusterprofiles", Ask(body=_profile_body()))
plain("GET", "/v1/clusterprofiles/validate/name", Ask(params={"name": "p", "version": "1.0.0"}))


@case("GET", "/v1/clusterprofiles/{uid}")
@case("GET", "/v1/dashboard/clusterprofiles/{uid}")
@case("GET", "/v1/clusterprofiles/{uid}/packs")
@case("GET", "/v1/clusterprofiles/{uid}/packs/manifests")
@case("GET", "/v1/clusterprofiles/{uid}/variables")
def _profiles(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.ok("POST", "/v1/clusterprofiles", _profile_body())["uid"]})
    uid = manifest_profile(world)
    world.create_cluster(*world.hosts("edge-1"), profile=uid)
    yield Ask({"uid": uid})


@case("PUT", "/v1/clusterprofiles/{uid}")
def _put_profile(world: World) -> Iterator[Ask]:
    packs = [{"name": "own", "type": "manifest", "layer": "addon", "manifests": [{"name": "m", "content": "b"}]}]
    yield Ask({"uid": world.profile()}, {"spec": {"template": {"type": "cluster", "packs": packs}, "version": "1.0.1"}})


@case("DELETE", "/v1/clusterprofiles/{uid}")
@case("PATCH", "/v1/clusterprofiles/{uid}/publish")
def _profile(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile()})


@case("PATCH", "/v1/clusterprofiles/{uid}/metadata")
def _profile_metadata(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile()}, {"metadata": {"name": "edge", "labels": {"a": "b"}}})


@case("POST", "/v1/clusterprofiles/{uid}/clone")
def _clone(world: World) -> Iterator[Ask]:
    target = {"scope": "project", "projectUid": world.project}
    yield Ask({"uid": world.profile()}, {"metadata": {"name": "edge", "version": "1.1.0", "target": target}})


@case("PUT", "/v1/clusterprofiles/{uid}/variables")
@case("PATCH", "/v1/clusterprofiles/{uid}/variables")
def _profile_variables(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile()}, {"variables": [{"name": "a"}]})


@case("DELETE", "/v1/clusterprofiles/{uid}/variables")
def _delete_variables(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile(variables=[{"name": "a"}])}, {"variables": ["a"]})


@case("GET", "/v1/dashboard/clusterprofiles/metadata")
def _profiles_metadata(world: World) -> Iterator[Ask]:
    yield Ask()
    world.profile()
    yield Ask()


@case("POST", "/v1/dashboard/clusterprofiles")
def _search_profiles(world: World) -> Iterator[Ask]:
    yield Ask(body={})
    world.create_cluster(*world.hosts("edge-1"))
    world.ok("POST", "/v1/clusterprofiles", _profile_body())
    yield Ask(body={"filter": {"profileName": {"contains": "store"}, "scope": "project"}})
    yield Ask(body={})


# -- parts of a profile


@case("DELETE", "/v1/clusterprofiles/bulk")
def _bulk(world: World) -> Iterator[Ask]:
    uid = world.profile("used")
    world.create_cluster(*world.hosts("edge-1"), profile=uid)
    yield Ask(body={"uids": [world.profile("free"), uid, "none"]})
    yield Ask(body={"uids": []})


@case("POST", "/v1/clusterprofiles/{uid}/clone/validate")
def _validate_clone(world: World) -> Iterator[Ask]:
    target = {"scope": "project", "projectUid": world.projects["Lab B"]}
    yield Ask({"uid": world.profile()}, {"name": "edge", "version": "1.1.0"})
    yield Ask({"uid": world.profile("other")}, {"name": "other", "version": "1.0.0", "target": target})
    yield Ask({"uid": world.profile("third")}, {"name": "third", "version": "1.0.0"}, status=409)


WRONG = {"name": "store-agent", "layer": "addon", "uid": "none", "registryUid": PUBLIC.uid, "values": "a: ["}
PACKS = "/v1/clusterprofiles/{uid}/packs"


@case("POST", "/v1/clusterprofiles/validate/packs")
def _validate_packs(world: World) -> Iterator[Ask]:
    yield Ask(body={"cloudType": "edge-native", "type": "cluster", "packs": [world.pack(), WRONG, WRONG]})
    yield Ask(body={})


@case("POST", "/v1/clusterprofiles/{uid}/validate/packs")
def _validate_packs_of_profile(world: World) -> Iterator[Ask]:
    undeclared = world.pack("nginx", "1.11.2", "addon", values="a: {{.spectro.var.none}}")
    yield Ask({"uid": world.profile()}, {"cloudType": "edge-native", "packs": [world.pack(), undeclared]})


@case("POST", PACKS)
def _add_pack(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile()}, {"pack": world.pack("nginx", "1.11.2", "addon")})
    own = {"name": "own", "type": "manifest", "layer": "addon", "manifests": [{"name": "m", "content": "a"}]}
    yield Ask({"uid": world.profile("manifests")}, {"pack": own})


@case("GET", PACKS + "/{name}")
def _pack(world: World) -> Iterator[Ask]:
    macros = {"macros": [{"name": "city", "value": "Berlin"}]}
    world.ok("POST", f"/v1/projects/{world.project}/macros", macros, scope=TENANT)
    values = world.pack("cni-cilium-oss", "1.16.0", "cni", values="a: {{.spectro.macro.city}}")
    own = {"name": "own", "type": "manifest", "layer": "addon", "manifests": [{"name": "m", "content": "a"}]}
    uid = world.profile(packs=[values, own])
    yield Ask({"uid": uid, "name": "cni-cilium-oss"})
    yield Ask({"uid": uid, "name": "own"})


@case("PUT", PACKS + "/{name}")
def _put_pack(world: World) -> Iterator[Ask]:
    pack = {"name": "edge-k3s", "uid": pack_uid("edge-k3s", "1.31.1"), "tag": "1.31.1", "values": "b: 2"}
    yield Ask({"uid": world.profile(), "name": "edge-k3s"}, {"pack": pack})


@case("PATCH", "/v1/clusterprofiles/{uid}/packRefs")
def _pack_refs(world: World) -> Iterator[Ask]:
    uid = world.profile()
    yield Ask({"uid": uid}, {"uid": uid, "packs": [world.pack(version="1.31.1")]}, params={"notify": "true"})


@case("DELETE", PACKS + "/{name}")
def _delete_pack(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.profile(), "name": "edge-k3s"})


@case("GET", PACKS + "/{name}/config")
def _pack_config(world: World) -> Iterator[Ask]:
    parts = {"uid": manifest_profile(world), "name": "edge-k3s"}
    yield Ask(parts, params={"packUid": pack_uid("edge-k3s", "1.30.4")})
    yield Ask(parts, status=400)


@case("GET", PACKS + "/resolvedValues")
def _resolved_values(world: World) -> Iterator[Ask]:
    macros = {"macros": [{"name": "city", "value": "Berlin"}]}
    world.ok("POST", f"/v1/projects/{world.project}/macros", macros, scope=TENANT)
    yield Ask({"uid": world.profile()}, {"references": [".spectro.macro.city", ".spectro.macro.none"]})


def _manifest_of(world: World) -> dict[str, str]:
    uid = manifest_profile(world)
    found = world.ok("GET", f"/v1/clusterprofiles/{uid}/packs/hello/manifests")["items"][0]
    return {"uid": uid, "name": "hello", "manifest": found["metadata"]["uid"]}


@case("GET", PACKS + "/{name}/manifests")
@case("GET", PACKS + "/{name}/manifests/{manifest}")
def _manifests(world: World) -> Iterator[Ask]:
    parts = _manifest_of(world)
    yield Ask(parts)
    path = (PACKS + "/{name}/manifests/{manifest}").format(**parts)
    world.ok("PUT", path, {"name": "hello", "content": "kind: Secret"})
    yield Ask(parts)


@case("POST", PACKS + "/{name}/manifests")
@case("PUT", PACKS + "/{name}/manifests/{manifest}")
def _write_manifest(world: World) -> Iterator[Ask]:
    yield Ask(_manifest_of(world), {"name": "other", "content": "kind: Secret"})


@case("DELETE", PACKS + "/{name}/manifests/{manifest}")
def _delete_manifest(world: World) -> Iterator[Ask]:
    yield Ask(_manifest_of(world))


# -- files


@case("GET", "/v1/clusterprofiles/{uid}/export")
def _export(world: World) -> Iterator[Ask]:
    uid = manifest_profile(world)
    yield Ask({"uid": uid})
    yield Ask({"uid": uid}, params={"format": "yaml"})


def _exported(world: World) -> Any:
    uid = manifest_profile(world)
    whole = json.loads(world.call("GET", f"/v1/clusterprofiles/{uid}/export").content)
    return {**whole, "metadata": {"name": "copy", "description": "d", "labels": {"a": "b"}}}


@case("POST", "/v1/clusterprofiles/import")
def _import(world: World) -> Iterator[Ask]:
    yield Ask(body=_exported(world), params={"publish": "true"})


@case("POST", "/v1/clusterprofiles/import/validate")
def _validate_import(world: World) -> Iterator[Ask]:
    whole = _exported(world)
    yield Ask(body=whole)
    packs = [{"name": "store-agent", "version": "1.2.3"}, {"name": "any", "type": "oci", "tag": "1.0.0"}]
    whole["spec"]["template"]["packs"] += packs
    yield Ask(body=whole)


@case("POST", "/v1/clusterprofiles/import/file")
def _import_file(world: World) -> Iterator[Ask]:
    content = json.dumps(_exported(world))
    part = f'--b\r\nContent-Disposition: form-data; name="importFile"; filename="p.json"\r\n\r\n{content}\r\n--b--\r\n'
    yield Ask(form=("multipart/form-data; boundary=b", part.encode()), params={"format": "json"})
