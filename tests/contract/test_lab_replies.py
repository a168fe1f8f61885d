# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every endpoint of the lab's controller answers as the API description says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.contract import (
    replies_clusters,
    replies_dashboard,
    replies_hosts,
    replies_profiles,
)
from ansible_collections.palette.edge.tests.contract.replies import CASES, Ask, Case, case, plain
from ansible_collections.palette.edge.tests.contract.replies_profiles import manifest_profile
from ansible_collections.palette.edge.tests.contract.swagger import Swagger
from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World
from lab.controller import shapes
from lab.controller.core import ROUTES, Route

HOSTS = ("edge-1", "edge-2", "edge-3")
# Cases of their own rooms, declared by being imported.
ROOMS = (replies_clusters, replies_dashboard, replies_hosts, replies_profiles)
WIRED = [one for one in ROUTES if not one.template.startswith("/lab/")]
# Read back by newer versions than the description is of: the Terraform provider of July 2026 relies on both.
NEWER = {
    "v1EdgeNativeMachinePoolConfig": {
        "skipK8sUpgrade": {"type": "string", "enum": ["enabled", "disabled"]},
        "overrideHealthCheckConfiguration": {"type": "string"},
    },
    "v1MachinePoolConfigEntity": {"overrideHealthCheckConfiguration": {"type": "string"}},
}


@pytest.fixture(scope="session")
def swagger(specs: Path) -> Swagger:
    """The description of the API."""
    return Swagger(specs / "palette-edge-subset.json", newer=NEWER)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


@pytest.mark.parametrize("route", WIRED, ids=[f"{one.method} {one.template}" for one in WIRED])
def test_replies_are_as_described(route: Route, swagger: Swagger, world: World) -> None:
    operation = swagger.operation(route.method, route.template)
    assert operation is not None, "the description has no such endpoint"
    assert (route.method, route.template) in CASES, "this test has no case for the endpoint"
    for ask in CASES[route.method, route.template](world):
        assert set(ask.params) <= operation.query
        if ask.body is not None:
            assert operation.body is not None, "the description knows no body"
            assert not list(swagger.problems(operation.body, ask.body, "request", reply=False))
        headers = {}
        if ask.agent:
            host = world.lab.store.get("host", ask.agent)
            assert host
            headers = {"ApiKey": "", "ServiceToken": host["status"]["serviceAuthToken"]}
        path = route.template.format(**ask.parts)
        if ask.form is not None:
            headers["Content-Type"] = ask.form[0]
        body = ask.form[1] if ask.form else ask.body
        reply = world.call(route.method, path, body, scope=ask.scope, headers=headers, **ask.params)
        if ask.status:
            assert reply.status_code == ask.status
            continue
        assert reply.is_success, reply.text
        described = operation.reply(reply.status_code)
        assert described is not None, f"{reply.status_code} is not described"
        if "schema" not in described:
            assert not reply.content
            continue
        if described["schema"].get("format") == "binary":
            assert [reply.headers["content-type"]] == operation.description["produces"]
            assert {name.lower() for name in described["headers"]} <= set(reply.headers)
            assert reply.content
            continue
        assert not list(swagger.problems(described["schema"], reply.json(), "reply"))


@pytest.mark.parametrize("route", [one for one in WIRED if one.body], ids=lambda one: f"{one.method} {one.template}")
def test_shapes_of_bodies_know_no_field_that_the_description_does_not(route: Route, swagger: Swagger) -> None:
    operation = swagger.operation(route.method, route.template)
    assert operation is not None
    assert operation.body is not None
    samples = _samples(route.body)
    assert not list(swagger.problems(operation.body, samples, "body", reply=False))


def test_the_judge_sees_what_is_wrong(swagger: Swagger) -> None:
    schema = {"$ref": "#/definitions/v1EdgeToken"}
    good = {"metadata": {"name": "a"}, "spec": {"expiry": "2027-12-31T00:00:00Z"}, "status": {"isActive": False}}
    assert not list(swagger.problems(schema, good))
    for wrong in (
        {**good, "status": {}},
        {**good, "status": {"isActive": "yes"}},
        {**good, "spec": {"expiry": "tomorrow"}},
        {**good, "other": 1},
        {**good, "metadata": {"labels": {"a": 1}}},
        [],
    ):
        assert len(list(swagger.problems(schema, wrong))) == 1
    host = {"spec": {"type": "toaster"}}
    assert len(list(swagger.problems({"$ref": "#/definitions/v1EdgeHostDevice"}, host))) == 1


def _samples(shape: shapes.Shape) -> Any:
    """A value with every field of a shape."""
    if isinstance(shape, dict):
        return {key.removesuffix("!").replace("*", "any"): _samples(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [_samples(shape[0])]
    if isinstance(shape, tuple):
        return shape[0]
    if shape is shapes.TIME:
        return "2027-12-31T00:00:00Z"
    return shape(1)


# -- the tenant's

plain("GET", "/v1/users/info")
plain("GET", "/v1/health/ping")
TOKEN = {"metadata": {"name": "a"}, "spec": {"expiry": "2027-12-31T00:00:00Z"}}
plain("POST", "/v1/edgehosts/tokens", Ask(body=TOKEN, scope=TENANT))


@case("GET", "/v1/edgehosts/tokens")
def _tokens(world: World) -> Iterator[Ask]:
    yield Ask(scope=TENANT)
    world.token()
    off = world.token("off", project="")
    world.ok("PUT", f"/v1/edgehosts/tokens/{off}/state", {"isActive": False}, scope=TENANT)
    yield Ask(scope=TENANT)


@case("GET", "/v1/edgehosts/tokens/{uid}")
@case("DELETE", "/v1/edgehosts/tokens/{uid}")
def _token(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.token()}, scope=TENANT)


@case("PUT", "/v1/edgehosts/tokens/{uid}")
def _put_token(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.token()}, TOKEN, scope=TENANT)


@case("PUT", "/v1/edgehosts/tokens/{uid}/state")
def _token_state(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.token()}, {"isActive": False}, scope=TENANT)


# -- Edge hosts

NEW_HOST = {
    "metadata": {"uid": "edge-9", "name": "edge-9", "labels": {"site": "x", "bare": ""}},
    "spec": {"archType": "arm64", "hostPairingKey": "k", "tunnelConfig": {"remoteSsh": "enabled"}},
}
plain("POST", "/v1/edgehosts", Ask(body=NEW_HOST), Ask(body={"metadata": {"uid": "edge-8"}}))


@case("DELETE", "/v1/edgehosts/{uid}")
def _delete_host(world: World) -> Iterator[Ask]:
    world.ok("POST", "/v1/edgehosts", NEW_HOST)
    yield Ask({"uid": "edge-9"})


@case("PUT", "/v1/edgehosts/{uid}/meta")
def _host_meta(world: World) -> Iterator[Ask]:
    world.ok("POST", "/v1/edgehosts", NEW_HOST)
    yield Ask({"uid": "edge-9"}, {"metadata": {"uid": "edge-9", "name": "n", "labels": {}}})


@case("PATCH", "/v1/edgehosts/{uid}/hostPairingKey")
def _pairing_key(world: World) -> Iterator[Ask]:
    world.ok("POST", "/v1/edgehosts", NEW_HOST)
    yield Ask({"uid": "edge-9"}, {"hostPairingKey": "other"})


@case("GET", "/v1/edgehosts/tags")
@case("GET", "/v1/edgehosts/metadata")
def _hosts(world: World) -> Iterator[Ask]:
    yield Ask()
    world.ok("POST", "/v1/edgehosts", NEW_HOST)
    _cluster_of(world)
    yield Ask()
    yield Ask(scope=TENANT)


@case("POST", "/v1/edgehosts/register")
def _register(world: World) -> Iterator[Ask]:
    world.lab.options.open_pairing = True
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-9"}})
    yield Ask(body=world.report("edge-9", labels={"rack": "a"}))


@case("PUT", "/v1/edgehosts/{uid}")
def _put_host(world: World) -> Iterator[Ask]:
    world.hosts("edge-1")
    yield Ask({"uid": "edge-1"}, world.report("edge-1"), agent="edge-1")


@case("PATCH", "/v1/edgehosts/{uid}/health")
def _health(world: World) -> Iterator[Ask]:
    world.hosts("edge-1")
    yield Ask({"uid": "edge-1"}, {"agentVersion": "1", "message": "", "state": "healthy"}, agent="edge-1")


@case("GET", "/v1/edgehosts/{uid}/config")
def _host_config(world: World) -> Iterator[Ask]:
    _cluster_of(world)
    yield Ask({"uid": "edge-1"}, agent="edge-1")
    yield Ask({"uid": "edge-1"})


@case("POST", "/v1/dashboard/edgehosts/search")
def _search_hosts(world: World) -> Iterator[Ask]:
    yield Ask(body={})
    world.ok("POST", "/v1/edgehosts", NEW_HOST)
    _cluster_of(world)
    condition = {"string": {"operator": "eq", "match": {"conjunction": "or", "values": ["in-use"]}}}
    one = {"property": "state", "type": "string", "condition": condition}
    groups = [{"conjunction": "and", "filters": [one]}]
    yield Ask(body={"filter": {"conjunction": "and", "filterGroups": groups}}, params={"limit": "2"})
    yield Ask(body={"sort": [{"field": "creationTimestamp", "order": "desc"}]}, params={"offset": "1"}, scope=TENANT)


plain("GET", "/v1/dashboard/edgehosts/search/schema")
plain("GET", "/v1/dashboard/spectroclusters/search/schema")

# -- clusters


def _cluster_of(world: World) -> str:
    """A cluster that runs, with all that can be set."""
    world.hosts(*HOSTS)
    body = world.definition(manifest_profile(world), world.pool(*HOSTS[:1]), _workers(world))
    body["spec"]["cloudConfig"]["overlayNetworkConfiguration"] = {"enable": False}
    patch = {"schedule": "0 0 * * *", "patchOnBoot": True}
    place = {"countryCode": "DE", "geoLoc": {"latitude": 53.5, "longitude": 0.0}}
    body["spec"]["clusterConfig"] = {
        "timezone": "Europe/Berlin",
        "location": place,
        "machineManagementConfig": {"osPatchConfig": patch},
        "hostClusterConfig": {"isHostCluster": False},
        "lifecycleConfig": {"pause": False},
    }
    uid = str(world.ok("POST", "/v1/spectroclusters/edge-native", body)["uid"])
    world.later(4, beats=HOSTS)
    assert world.state(uid) == "Running"
    return uid


def _workers(world: World) -> dict[str, Any]:
    nic = {
        "nicName": "host0",
        "ip": "10.42.0.12",
        "subnet": "255.255.255.0",
        "gateway": "10.42.0.1",
        "dns": ["1.1.1.1"],
    }
    taints = [{"key": "a", "value": "", "effect": "NoSchedule"}]
    strategy = {"type": "OverrideScaling", "maxSurge": "1", "maxUnavailable": "0"}
    properties = {"archType": "amd64"}
    pool = world.pool(*HOSTS[1:], name="workers", worker=True, taints=taints, updateStrategy=strategy)
    pool["poolConfig"] |= {
        "additionalLabels": {"role": ""},
        "skipK8sUpgrade": "enabled",
        "nodeRepaveInterval": 60,
        "machinePoolProperties": properties,
    }
    pool["cloudConfig"]["edgeHosts"][0] |= {"hostName": "w-1", "nic": nic, "twoNodeCandidatePriority": "primary"}
    return pool


@case("POST", "/v1/spectroclusters/edge-native")
def _create(world: World) -> Iterator[Ask]:
    world.hosts(*HOSTS)
    yield Ask(body=world.definition(world.profile(), world.pool(*HOSTS)))


@case("POST", "/v1/spectroclusters/edge-native/validate")
def _validate(world: World) -> Iterator[Ask]:
    world.hosts(*HOSTS)
    yield Ask(body=world.definition(world.profile(), world.pool(*HOSTS)))
    yield Ask(body=world.definition("none", world.pool("nobody"), name=""))


plain("GET", "/v1/spectroclusters/validate/name", Ask(params={"name": "free"}))


@case("GET", "/v1/spectroclusters/{uid}")
@case("GET", "/v1/spectroclusters/{uid}/status")
@case("GET", "/v1/dashboard/spectroclusters/{uid}/overview")
@case("GET", "/v1/spectroclusters/{uid}/edge-native/edgeHosts")
@case("GET", "/v1/spectroclusters/{uid}/profiles")
@case("GET", "/v1/spectroclusters/{uid}/variables")
def _cluster(world: World) -> Iterator[Ask]:
    world.hosts("edge-0")
    yield Ask({"uid": world.create_cluster("edge-0", name="fresh")})
    uid = _cluster_of(world)
    yield Ask({"uid": uid})
    world.ok("DELETE", f"/v1/spectroclusters/{uid}")
    yield Ask({"uid": uid})
    world.later(4)
    yield Ask({"uid": uid})
    uid = _reported(world)
    yield Ask({"uid": uid})
    world.told(uid, {"formedBy": "kubernetes", "state": "Provisioning"})
    yield Ask({"uid": uid})
    world.form(uid)
    yield Ask({"uid": uid})
    error = {"type": "Error", "status": "False", "reason": "ApplyFailed", "message": "no such kind"}
    (wanted,) = world.wanted()
    packs = [{**one, "condition": error} for one in world.seen(wanted)["packs"]]
    world.form(
        uid, state="Error", health="UnHealthy", conditions=[{"type": "AsDefined", "status": "False"}], packs=packs
    )
    yield Ask({"uid": uid})
    attachment = {"uid": wanted["layers"][0]["profileUid"], "packValues": [{"name": "edge-k8s", "values": "b: 2"}]}
    world.ok("PATCH", f"/v1/spectroclusters/{uid}/profiles", {"profiles": [attachment]})
    yield Ask({"uid": uid})
    world.ok("DELETE", f"/v1/spectroclusters/{uid}")
    world.told(uid, {"formedBy": "kubernetes", "state": "Deleted"})
    yield Ask({"uid": uid})


@case("DELETE", "/v1/spectroclusters/{uid}")
def _delete(world: World) -> Iterator[Ask]:
    uid = world.create_cluster(*world.hosts("edge-1"))
    yield Ask({"uid": uid})
    yield Ask({"uid": uid}, params={"forceDelete": "true"})


def _reported(world: World) -> str:
    """UID of a cluster that others form; nothing is reported of it yet."""
    world.lab.options.kubernetes = {"edge-k8s": ("1.20.2", "1.20.3")}
    layers = [world.pack("edge-k8s", "1.20.2"), world.pack("hello-edge", "1.0.0", "addon")]
    profile = world.profile("reported", packs=layers)
    body = world.definition(profile, world.pool("own-1"), world.pool("own-2", name="workers", worker=True), name="own")
    world.hosts("own-1", "own-2")
    return str(world.ok("POST", "/v1/spectroclusters/edge-native", body)["uid"])


@case("GET", "/v1/spectroclusters/{uid}/assets/kubeconfigclient")
@case("GET", "/v1/spectroclusters/{uid}/assets/adminKubeconfig")
def _kubeconfig(world: World) -> Iterator[Ask]:
    # States only: there is no Kubernetes whose kubeconfig could be given.
    yield Ask({"uid": world.create_cluster(*world.hosts("edge-1"))}, status=404)
    uid = _reported(world)
    yield Ask({"uid": uid}, status=404)
    world.form(uid)
    yield Ask({"uid": uid})


@case("GET", "/v1/spectroclusters/{uid}/assets/kubeconfig")
def _kubeconfig_of_both_kinds(world: World) -> Iterator[Ask]:
    yield from _kubeconfig(world)
    uid, *_others = (one["uid"] for one in world.wanted())
    for value in ("true", "false"):
        yield Ask({"uid": uid}, params={"frp": value})


@case("PATCH", "/v1/spectroclusters/{uid}/metadata")
def _cluster_metadata(world: World) -> Iterator[Ask]:
    body = {"metadata": {"name": "store-042", "labels": {"a": ""}, "annotations": {"description": "d"}}}
    yield Ask({"uid": world.create_cluster(*world.hosts("edge-1"))}, body)


@case("PUT", "/v1/spectroclusters/{uid}/profiles")
@case("PATCH", "/v1/spectroclusters/{uid}/profiles")
def _attach(world: World) -> Iterator[Ask]:
    uid = world.create_cluster(*world.hosts("edge-1"))
    old = world.cluster(uid)["spec"]["clusterProfileTemplates"][0]["uid"]
    given = {"uid": manifest_profile(world, version="2.0.0"), "replaceWithProfile": old}
    given["variables"] = [{"name": "greeting", "value": "moin"}]
    given["packValues"] = [{"name": "edge-k3s", "values": "b: 2"}]
    body = {"profiles": [given], "spcApplySettings": {"actionType": "DownloadAndInstall"}}
    yield Ask({"uid": uid}, body, params={"resolveNotification": "true"})


@case("DELETE", "/v1/spectroclusters/{uid}/profiles")
def _detach(world: World) -> Iterator[Ask]:
    uid = world.create_cluster(*world.hosts("edge-1"))
    old = world.cluster(uid)["spec"]["clusterProfileTemplates"][0]["uid"]
    yield Ask({"uid": uid}, {"profileUids": [old]})


@case("PATCH", "/v1/spectroclusters/{uid}/variables")
def _cluster_variables(world: World) -> Iterator[Ask]:
    profile = manifest_profile(world)
    uid = world.create_cluster(*world.hosts("edge-1"), profile=profile)
    yield Ask({"uid": uid}, [{"profileUid": profile, "variables": [{"name": "greeting", "value": "moin"}]}])


SETTINGS: dict[str, tuple[str, Any]] = {
    "timezone": ("timezone", "Europe/Berlin"),
    "clusterMetaAttribute": ("clusterMetaAttribute", "a"),
    "controlPlaneHealthCheckTimeout": ("controlPlaneHealthCheckTimeout", "10m"),
    "hostCluster": ("hostClusterConfig", {"isHostCluster": False}),
    "osPatch": ("osPatchConfig", {"schedule": "0 0 * * *", "onDemandPatchAfter": "0001-01-01T00:00:00.000Z"}),
}


@pytest.mark.parametrize("path", SETTINGS)
def test_what_is_set_is_read_as_described(path: str, swagger: Swagger, world: World) -> None:
    uid = world.create_cluster(*world.hosts("edge-1"))
    name, value = SETTINGS[path]
    world.ok("PATCH", f"/v1/spectroclusters/{uid}/clusterConfig/{path}", {name: value})
    assert not list(swagger.problems({"$ref": "#/definitions/v1SpectroCluster"}, world.cluster(uid)))


def _setting(path: str) -> Case:
    def asks(world: World) -> Iterator[Ask]:
        name, value = SETTINGS[path]
        yield Ask({"uid": world.create_cluster(*world.hosts("edge-1"))}, {name: value})

    return asks


for one in SETTINGS:
    case("PATCH", "/v1/spectroclusters/{uid}/clusterConfig/" + one)(_setting(one))


@case("PUT", "/v1/spectroclusters/{uid}/location")
def _location(world: World) -> Iterator[Ask]:
    body = {"location": {"countryCode": "DE", "geoLoc": {"latitude": 1}}}
    yield Ask({"uid": world.create_cluster(*world.hosts("edge-1"))}, body)


@case("POST", "/v1/dashboard/spectroclusters/search")
def _search_clusters(world: World) -> Iterator[Ask]:
    yield Ask(body={})
    world.create_cluster(*world.hosts("edge-0"), name="fresh")
    _cluster_of(world)
    deleted = {"property": "isDeleted", "type": "bool", "condition": {"bool": {"value": False}}}
    groups = [{"conjunction": "and", "filters": [deleted]}]
    yield Ask(body={"filter": {"conjunction": "and", "filterGroups": groups}})


# -- cloud configs

CONFIG = "/v1/cloudconfigs/edge-native/{uid}"
POOLS = CONFIG + "/machinePools"


@case("GET", CONFIG)
def _config(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.config(_cluster_of(world))})


@case("PUT", CONFIG + "/clusterConfig")
def _put_config(world: World) -> Iterator[Ask]:
    uid = world.config(world.create_cluster(*world.hosts("edge-1")))
    yield Ask({"uid": uid}, {"clusterConfig": {"sshKeys": ["a"], "overlayNetworkConfiguration": {"cidr": ""}}})


@case("POST", POOLS)
def _create_pool(world: World) -> Iterator[Ask]:
    world.hosts(*HOSTS)
    yield Ask({"uid": world.config(world.create_cluster("edge-1"))}, _workers(world))


@case("PUT", POOLS + "/{pool}")
def _put_pool(world: World) -> Iterator[Ask]:
    uid = world.config(_cluster_of(world))
    yield Ask({"uid": uid, "pool": "workers"}, world.pool("edge-2", name="workers", worker=True))


@case("DELETE", POOLS + "/{pool}")
@case("GET", POOLS + "/{pool}/machines")
def _pool(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.config(_cluster_of(world)), "pool": "workers"})
    uid = _reported(world)
    world.form(uid)
    yield Ask({"uid": world.config(uid), "pool": "workers"})


@case("GET", POOLS + "/{pool}/machines/{machine}")
@case("DELETE", POOLS + "/{pool}/machines/{machine}")
def _machine(world: World) -> Iterator[Ask]:
    parts = {"uid": world.config(_cluster_of(world)), "pool": "workers"}
    path = (POOLS + "/{pool}/machines").format(**parts)
    machine = world.ok("GET", path)["items"][0]["metadata"]["uid"]
    yield Ask({**parts, "machine": machine})
    own = _reported(world)
    world.form(own)
    parts["uid"] = world.config(own)
    machine = world.ok("GET", (POOLS + "/{pool}/machines").format(**parts))["items"][0]["metadata"]["uid"]
    yield Ask({**parts, "machine": machine})
