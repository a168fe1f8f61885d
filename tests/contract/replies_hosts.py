# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's endpoints about Edge hosts beyond their registration are asked, about events and about projects."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.palette.edge.tests.contract.replies import Ask, case, plain
from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World

# -- Edge hosts


@case("PATCH", "/v1/edgehosts/{uid}/tunnelConfig")
def _tunnel(world: World) -> Iterator[Ask]:
    world.hosts("edge-9")
    yield Ask({"uid": "edge-9"}, {"remoteSsh": "enabled", "remoteSshTempUser": "enabled"})


@case("GET", "/v1/edgehosts/{uid}")
def _host(world: World) -> Iterator[Ask]:
    body = {
        "metadata": {"uid": "edge-9", "name": "edge-9", "labels": {"site": "x", "bare": ""}},
        "spec": {"archType": "arm64", "hostPairingKey": "k", "tunnelConfig": {"remoteSsh": "enabled"}},
    }
    world.ok("POST", "/v1/edgehosts", body)
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-8"}})
    world.create_cluster(*world.hosts("edge-1", "edge-2"))
    tunnel = "/v1/edgehosts/edge-1/tunnelConfig"
    for wanted in ({"remoteSsh": "enabled", "remoteSshTempUser": "enabled"}, {"remoteSsh": "disabled"}):
        world.ok("PATCH", tunnel, {"remoteSshTempUser": "disabled", **wanted})
        yield Ask({"uid": "edge-1"})
        world.later(2, beats=("edge-1", "edge-2"))
        yield Ask({"uid": "edge-1"})
    for uid in ("edge-9", "edge-8", "edge-2"):
        yield Ask({"uid": uid})


@case("PUT", "/v1/edgehosts/{uid}/reset")
def _reset(world: World) -> Iterator[Ask]:
    world.hosts("edge-1", "edge-2", "edge-3")
    yield Ask({"uid": "edge-3"})
    world.create_cluster("edge-1", "edge-2")
    yield Ask({"uid": "edge-1"})
    yield Ask({"uid": "edge-2"}, status=400)


@case("PATCH", "/v1/edgehosts/{uid}/cluster/associate")
def _associate(world: World) -> Iterator[Ask]:
    cluster = world.create_cluster(*world.hosts("edge-1"))
    world.hosts("edge-2")
    yield Ask({"uid": "edge-2"}, {"clusterUid": cluster})


@case("DELETE", "/v1/edgehosts/{uid}/cluster/associate")
def _dissociate(world: World) -> Iterator[Ask]:
    cluster = world.create_cluster(*world.hosts("edge-1"))
    world.hosts("edge-2")
    world.ok("PATCH", "/v1/edgehosts/edge-2/cluster/associate", {"clusterUid": cluster})
    yield Ask({"uid": "edge-2"})
    yield Ask({"uid": "edge-1"}, status=400)


@case("POST", "/v1/dashboard/appliances/metadata")
def _appliances(world: World) -> Iterator[Ask]:
    yield Ask(body={})
    world.create_cluster(*world.hosts("edge-1"))
    world.hosts("edge-2")
    yield Ask(body={"filter": {"states": ["ready"], "name": {"beginsWith": "edge"}}})
    yield Ask(body={"sort": [{"field": "name", "order": "desc"}]}, scope=TENANT)


# -- events


@case("GET", "/v1/events/components")
def _events(world: World) -> Iterator[Ask]:
    yield Ask()
    world.create_cluster(*world.hosts("edge-1", "edge-2"))
    world.later(7, beats=("edge-1",))
    yield Ask(params={"limit": "2", "orderBy": "metadata.creationTimestamp=-1"})
    yield Ask(params={"filters": "severity=Warning"}, scope=TENANT)


@case("GET", "/v1/events/components/{kind}/{uid}")
def _events_of(world: World) -> Iterator[Ask]:
    cluster = world.create_cluster(*world.hosts("edge-1"))
    world.later(4, beats=("edge-1",))
    yield Ask({"kind": "edgehost", "uid": "edge-1"})
    yield Ask({"kind": "spectrocluster", "uid": cluster}, params={"orderBy": "metadata.creationTimestamp=-1"})


@case("DELETE", "/v1/events/components/{kind}/{uid}")
def _forget_events(world: World) -> Iterator[Ask]:
    world.hosts("edge-1")
    yield Ask({"kind": "edgehost", "uid": "edge-1"})


# -- projects and macros

PROJECT = {
    "metadata": {"name": "Lab C", "labels": {"a": "b"}, "annotations": {"description": "d"}},
    "spec": {"teams": [{"teamId": "t", "roles": ["r"]}], "users": [{"userId": "u", "roles": ["r"]}]},
}
MACROS = {"macros": [{"name": "city", "value": "Berlin"}, {"name": "empty"}]}
plain("GET", "/v1/dashboard/projects/metadata", Ask(scope=TENANT), Ask(scope=TENANT, params={"name": "Default"}))
plain("POST", "/v1/projects", Ask(body=PROJECT, scope=TENANT))


@case("POST", "/v1/dashboard/projects")
def _search_projects(world: World) -> Iterator[Ask]:
    world.ok("POST", "/v1/projects", PROJECT, scope=TENANT)
    world.create_cluster(*world.hosts("edge-1"))
    yield Ask(body={}, scope=TENANT)
    body = {"filter": {"name": {"contains": "lab"}}, "sort": [{"field": "name", "order": "desc"}]}
    yield Ask(body=body, params={"limit": "1"}, scope=TENANT)


@case("GET", "/v1/projects/{uid}")
def _project(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.project}, scope=TENANT)
    yield Ask({"uid": world.ok("POST", "/v1/projects", PROJECT, scope=TENANT)["uid"]}, scope=TENANT)


@case("PUT", "/v1/projects/{uid}")
def _put_project(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.project}, PROJECT, scope=TENANT)


@case("PUT", "/v1/projects/{uid}/meta")
def _put_project_meta(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.project}, PROJECT["metadata"], scope=TENANT)


@case("DELETE", "/v1/projects/{uid}")
def _delete_project(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.ok("POST", "/v1/projects", PROJECT, scope=TENANT)["uid"]}, scope=TENANT)
    world.hosts("edge-1")
    yield Ask({"uid": world.project}, scope=TENANT, status=400)
    yield Ask({"uid": world.project}, {}, params={"cleanupProjectResources": "true"}, scope=TENANT)


@case("DELETE", "/v1/projects/{uid}/validate")
def _validate_project(world: World) -> Iterator[Ask]:
    world.create_cluster(*world.hosts("edge-1"))
    yield Ask({"uid": world.project}, scope=TENANT)


def _macros(method: str, scope: str) -> None:
    @case(method, f"/v1/{scope}/{{uid}}/macros")
    def asks(world: World) -> Iterator[Ask]:
        parts = {"uid": world.project if scope == "projects" else str(world.lab.store.setting("tenant"))}
        yield Ask(parts, None if method == "GET" else MACROS, scope=TENANT)
        if method == "POST":
            yield Ask(parts, MACROS, scope=TENANT, status=422)
        if method == "GET":
            world.ok("POST", f"/v1/{scope}/{parts['uid']}/macros", MACROS, scope=TENANT)
            yield Ask(parts, scope=TENANT)


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    for _scope in ("projects", "tenants"):
        _macros(_method, _scope)


@case("GET", "/v1/clusterprofiles/macros")
def _profile_macros(world: World) -> Iterator[Ask]:
    yield Ask()
    world.ok("POST", f"/v1/projects/{world.project}/macros", MACROS, scope=TENANT)
    yield Ask()
