# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: keys, scopes, what is written how, and bodies that are none."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import SEARCH, TENANT, World
from lab.controller import shapes
from lab.controller.core import ROUTES, Route, pruned


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


# -- keys and scopes


def test_no_key_is_401(world: World) -> None:
    world.refused(401, "Unauthorized", "GET", "/v1/users/info", headers={"ApiKey": ""})


def test_an_unknown_key_looks_like_a_missing_object_and_is_echoed(world: World) -> None:
    headers = {"ApiKey": "wrong-key"}
    message = world.refused(404, "ResourceNotFound", "GET", "/v1/edgehosts/edge-1", headers=headers)
    assert "wrong-key" in message


def test_the_read_only_key_reads_and_searches_and_writes_nothing(world: World) -> None:
    headers = {"ApiKey": world.lab.read_only_key}
    world.ok("GET", "/v1/users/info", headers=headers)
    world.ok("POST", SEARCH, {}, headers=headers)
    world.ok("POST", "/v1/packs/search", {}, headers=headers)
    world.ok("POST", "/v1/spectroclusters/edge-native/validate", {}, headers=headers)
    writing = [one for one in ROUTES if one.method != "GET" and not one.template.startswith("/lab/")]
    refused = 0
    for one in writing:
        if one.who == "anyone" or (one.method == "POST" and ("dashboard" in one.template or "search" in one.template)):
            continue
        if one.template.endswith(("/validate", "/validate/packs", "/validate/repave")):
            continue
        path = re.sub(r"\{\w+\}", "search", one.template)
        world.refused(403, "OperationForbidden", one.method, path, {}, headers=headers)
        refused += 1
    assert refused > 30


def test_a_project_that_is_none_is_403(world: World) -> None:
    world.refused(403, "ProjectForbidden", "GET", "/v1/edgehosts/tags", scope="no-such-project")


_TENANTS = ("/v1/edgehosts/tokens", "/v1/projects", "/v1/dashboard/projects")
TENANT_ONLY = [one.template for one in ROUTES if one.template.startswith(_TENANTS)]


@pytest.mark.parametrize("template", sorted(set(TENANT_ONLY)))
def test_what_is_the_tenants_refuses_a_project(world: World, template: str) -> None:
    uid = world.token()
    for one in ROUTES:
        if one.template == template:
            path = template.replace("{uid}", world.project if "projects" in template else uid)
            world.refused(400, "ProjectUidIsNotEmpty", one.method, path, {"metadata": {"name": "x"}})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/edgehosts/edge-1"),
        ("DELETE", "/v1/edgehosts/edge-1"),
        ("PUT", "/v1/edgehosts/edge-1/meta"),
        ("GET", "/v1/edgehosts/tokens"),
        ("DELETE", "/v1/edgehosts/tokens/any"),
    ],
)
def test_a_service_token_is_no_key_for_what_is_the_users(world: World, method: str, path: str) -> None:
    world.hosts("edge-1")
    host = world.lab.store.get("host", "edge-1")
    assert host
    for secret in ("anything", host["status"]["serviceAuthToken"]):
        reply = world.agent(method, path, {}, ServiceToken=secret)
        assert reply.status_code == 401


def test_paths_and_methods_that_are_not_there(world: World) -> None:
    world.refused(404, "PathNotFound", "GET", "/v1/nothing")
    world.refused(405, "MethodNotAllowed", "PATCH", "/v1/users/info")
    world.refused(404, "PathNotFound", "GET", "/v1/users/info\n")


def test_the_labs_own_endpoints_take_the_labs_own_key(world: World) -> None:
    for headers in ({}, {"LabKey": world.lab.api_key}):
        assert world.send("GET", "/lab/v1/faults", None, headers).status_code == 401
    assert world.send("GET", "/lab/v1/faults", None, {"LabKey": world.lab.lab_key}).json() == {"items": []}


def test_requests_are_listed_in_order_and_heartbeats_push_none_out(world: World) -> None:
    world.call("GET", "/v1/users/info")
    world.hosts("edge-1")
    for _number in range(5100):
        world.lab.log.add({"method": "PATCH", "path": "/v1/edgehosts/edge-1/health", "source": "edge-1", "status": 204})
    world.call("GET", "/v1/nothing")
    listed = world.send("GET", "/lab/v1/requests", None, {"LabKey": world.lab.lab_key}).json()["items"]
    paths = [one["path"] for one in listed if not one.get("source")]
    assert paths[0] == "/v1/users/info"
    assert listed[-1] == {"method": "GET", "path": "/v1/nothing", "project": world.project, "status": 404}
    assert len(listed) < 5200


# -- how things are written


def test_zero_fields_are_left_out_where_the_api_does_so() -> None:
    written = {"a": 0, "b": "", "c": [], "d": {}, "e": False, "f": None, "_lab": 1, "g": {"h": {"i": ""}}, "j": ["", 0]}
    assert pruned(written) == {"j": ["", 0]}
    kept = {"items": [], "isActive": False, "metadata": {"labels": {"bare": ""}, "annotations": {}}}
    assert pruned(kept) == {"items": [], "isActive": False, "metadata": {"labels": {"bare": ""}}}


def test_a_host_is_written_so(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    host = world.host("edge-1")
    assert "labels" not in host["metadata"]
    assert "health" not in host["status"]
    assert host["spec"]["host"]["hostPairingKey"] == ""


def test_a_projects_lists_show_the_tenants_objects_too(world: World) -> None:
    world.profile("of-project")
    template = {"type": "add-on", "cloudType": "all", "packs": []}
    body = {"metadata": {"name": "of-tenant"}, "spec": {"template": template}}
    world.ok("POST", "/v1/clusterprofiles", body, scope=TENANT)
    other = world.projects["Lab B"]
    world.ok("POST", "/v1/clusterprofiles", {**body, "metadata": {"name": "of-other"}}, scope=other)

    def names(scope: str) -> set[str]:
        items = world.ok("GET", "/v1/dashboard/clusterprofiles/metadata", scope=scope)["items"]
        return {one["metadata"]["name"] for one in items}

    assert names(world.project) == {"of-project", "of-tenant"}
    assert names(other) == {"of-other", "of-tenant"}
    assert names(TENANT) == {"of-project", "of-tenant", "of-other"}
    summaries = world.ok("POST", "/v1/dashboard/clusterprofiles", {})["items"]
    scopes = {one["metadata"]["name"]: one["metadata"]["annotations"]["scope"] for one in summaries}
    assert scopes == {"of-project": "project", "of-tenant": "tenant"}


# -- bodies that are none

WITH_BODY = [one for one in ROUTES if one.body is not None]


@pytest.mark.parametrize("route", WITH_BODY, ids=[f"{one.method} {one.template}" for one in WITH_BODY])
def test_wrong_types_are_refused_and_never_a_failure_of_the_server(world: World, route: Route) -> None:
    world.hosts("edge-1", "edge-2")
    cluster = world.create_cluster("edge-1")
    config = world.config(cluster)
    profile = world.cluster(cluster)["spec"]["clusterProfileTemplates"][0]["uid"]
    uids = {"tokens": world.token(), "edgehosts": "edge-1", "clusterprofiles": profile, "cloudconfigs": config}
    uid = next((one for part, one in uids.items() if part in route.template), cluster)
    path = re.sub(r"\{\w+\}", "none", route.template.replace("{uid}", uid).replace("{pool}", "plane"))
    tenant = any(part in route.template for part in ("tokens", "/v1/projects", "/v1/tenants"))
    host = world.lab.store.get("host", "edge-1")
    assert host
    headers = {"LabKey": world.lab.lab_key}
    if route.who != "user":
        headers |= {"ApiKey": "", "ServiceToken": host["status"]["serviceAuthToken"]}
    for body, is_wrong in _mutations(_sample(route.body)):
        reply = world.call(route.method, path, body, scope=TENANT if tenant else None, headers=headers)
        assert reply.status_code < 500, (body, reply.text)
        if is_wrong:
            assert reply.status_code == 400, (body, reply.text)
            assert reply.json()["code"] == "InvalidRequest"


def _sample(shape: shapes.Shape) -> Any:
    if isinstance(shape, dict):
        return {key.removesuffix("!").replace("*", "any"): _sample(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [_sample(shape[0])]
    if isinstance(shape, tuple):
        return shape[0]
    return "2027-12-31T00:00:00Z" if shape is shapes.TIME else shape(1)


def _mutations(sample: Any) -> Iterator[tuple[Any, bool]]:
    """The body with each of its values replaced by others, and whether that is a wrong type."""
    yield sample, False
    yield b"", False
    for place in _places(sample):
        for other in (None, "", "x", 7, -1, 1.5, True, [], {}, [None], [[]], {"a": None}, "\x00", 10**30):
            changed = json.loads(json.dumps(sample))
            inner, old = changed, sample
            for key in place[:-1]:
                inner, old = inner[key], old[key]
            if place:
                old, inner[place[-1]] = old[place[-1]], other
            else:
                changed = other
            kinds = {bool: "bool", int: "number", float: "number", str: "text", list: "list", dict: "object"}
            yield changed, other is not None and kinds[type(old)] != kinds[type(other)]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*place, key))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"metadata": NaN}',
        b'{"metadata": {"name": "\\ud800"}}',
        b"[" * 100_000,
        b'{"spec": {"expiry": "2027-12-31"}}',
        b'{"spec": {"expiry": "9999-12-31T23:59:59-14:00"}, "metadata": {"name": 1e400}}',
    ],
)
def test_what_is_no_json_or_no_time_is_400(world: World, body: bytes) -> None:
    assert world.call("POST", "/v1/edgehosts/tokens", body, scope=TENANT).status_code == 400


@pytest.mark.parametrize("query", [{"limit": "a"}, {"limit": "-1"}, {"offset": "1.5"}, {"offset": "9" * 40}])
def test_paging_that_is_none_is_400(world: World, query: dict[str, str]) -> None:
    world.refused(400, "InvalidRequest", "POST", SEARCH, {}, **query)


def test_a_continue_token_that_is_none_is_400(world: World) -> None:
    for token in ("zz", "00", "6f66667365743d2d31"):
        world.refused(400, "InvalidContinueToken", "POST", SEARCH, {}, **{"continue": token})


def test_the_path_of_what_is_wrong_is_told(world: World) -> None:
    body = {"metadata": {"name": "a", "labels": {"a": 1}}}
    message = world.refused(400, "InvalidRequest", "POST", "/v1/edgehosts/tokens", body, scope=TENANT)
    assert message == "metadata.labels.a must be a string, not a number"


def test_a_mistake_of_the_lab_is_a_json_500_and_leaves_nothing_half_done(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.hosts("edge-1")
    profile = world.profile()
    # What is kept in memory for searches must not keep it either.
    assert world.ok("POST", "/v1/dashboard/spectroclusters/search", {})["items"] == []
    monkeypatch.setattr("lab.controller.engine.bind_hosts", lambda *_arguments: 1 / 0)
    body = world.definition(profile, world.pool("edge-1"))
    world.refused(500, "InternalError", "POST", "/v1/spectroclusters/edge-native", body)
    assert "ZeroDivisionError" in caplog.text
    assert world.ok("POST", "/v1/dashboard/spectroclusters/search", {})["listmeta"]["count"] == 0
    world.ok("GET", "/v1/spectroclusters/validate/name", name="store-042")


# -- a disk that is full, many at once


def test_a_full_disk_is_told_and_the_lab_lives_on(world: World) -> None:
    world.hosts("edge-1")
    pages = sqlite3.connect(world.folder / "controller.db").execute("PRAGMA page_count").fetchone()[0]
    world.lab.store.execute(f"PRAGMA max_page_count={pages}")
    refused = 0
    for number in range(200):
        reply = world.call(
            "POST", "/v1/edgehosts", {"metadata": {"uid": f"edge-x{number}", "labels": {"a": "b" * 500}}}
        )
        if reply.status_code == 201:
            continue
        assert (reply.status_code, reply.json()["code"]) == (500, "StorageError")
        assert "full" in reply.json()["message"]
        refused += 1
        # What was refused is not there, on the disk or in memory.
        assert world.call("GET", f"/v1/edgehosts/edge-x{number}").status_code == 404
        assert _count(world) == number + 1 - (refused - 1)
        if refused == 3:
            break
    assert refused == 3
    world.lab.store.execute("PRAGMA max_page_count=1000000")
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-y"}})
    assert world.host("edge-y")["status"]["state"] == "unpaired"


def _count(world: World) -> int:
    return int(world.ok("POST", SEARCH, {})["listmeta"]["count"])


def test_requests_that_come_at_once_are_all_done(world: World) -> None:
    async def register(number: int) -> int:
        body = json.dumps({"metadata": {"uid": f"edge-{number}"}}).encode()
        headers = {"apikey": world.lab.api_key, "projectuid": world.project}
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/edgehosts",
            "raw_path": b"/v1/edgehosts",
            "query_string": b"",
            "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
            "client": None,
        }
        parts = [body[:5], body[5:]]
        statuses: list[int] = []

        async def receive() -> Any:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)
            statuses.append(message.get("status", 0))

        await world.app(scope, receive, send)
        return statuses[0]

    async def many() -> list[int]:
        return await asyncio.gather(*(register(number // 2) for number in range(200)))

    statuses = asyncio.run(many())
    assert (statuses.count(201), statuses.count(409)) == (100, 100)
    assert _count(world) == 100
