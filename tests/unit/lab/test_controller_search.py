# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: the grammar of its searches, their pages, and what they cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import SEARCH, TENANT, World
from lab.controller import facts
from lab.controller.__main__ import fill

CLUSTERS = "/v1/dashboard/spectroclusters/search"
HOSTS = {
    "edge-1": {"site": "store-042", "rack": "a"},
    "edge-2": {"site": "store-042", "rack": "b"},
    "Edge-3": {"site": "store-007", "rack": "a"},
    "other": {},
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller with four hosts, of which one is ready and healthy."""
    world = World(tmp_path)
    for number, (uid, labels) in enumerate(HOSTS.items()):
        world.now += 60
        architecture = "arm64" if number == 3 else "amd64"
        body = {"metadata": {"uid": uid, "labels": labels}, "spec": {"archType": architecture}}
        world.ok("POST", "/v1/edgehosts", body)
    assert world.register("edge-1", secret=world.secret(world.token())).status_code == 200
    world.beat("edge-1")
    return world


def _item(name: str, *values: Any, kind: str = "string", operator: str = "eq", many: str = "or", **more: Any) -> Any:
    match = {"conjunction": many, "values": list(values)}
    return {"property": name, "type": kind, "condition": {kind: {"operator": operator, "match": match, **more}}}


def _body(*groups: list[Any], conjunction: str = "and", inner: str = "and") -> Any:
    written = [{"conjunction": inner, "filters": group} for group in groups]
    return {"filter": {"conjunction": conjunction, "filterGroups": written}}


def _found(world: World, body: Any, **more: Any) -> list[str]:
    return [one["metadata"]["uid"] for one in world.ok("POST", SEARCH, body, **more)["items"]]


@pytest.mark.parametrize(
    ("item", "uids"),
    [
        (_item("name", "edge-1"), ["edge-1"]),
        (_item("name", "edge-1", negation=True), ["edge-2", "Edge-3", "other"]),
        (_item("name", "edge", operator="contains"), ["edge-1", "edge-2"]),
        (_item("name", "edge", operator="contains", ignoreCase=True), ["edge-1", "edge-2", "Edge-3"]),
        (_item("name", "EDGE-", operator="beginsWith", ignoreCase=True), ["edge-1", "edge-2", "Edge-3"]),
        (_item("name", "edge-", operator="beginsWith", negation=True), ["Edge-3", "other"]),
        (_item("name", "edge-1", "other"), ["edge-1", "other"]),
        (_item("name", "edge-1", "other", negation=True), ["edge-2", "Edge-3"]),
        (_item("name"), []),
        (_item("state", "ready"), ["edge-1"]),
        (_item("healthState", "healthy"), ["edge-1"]),
        (_item("architecture", "arm64"), ["other"]),
        (_item("tags", "site:store-042"), ["edge-1", "edge-2"]),
        (_item("tags", "site:store-042", "rack:a"), ["edge-1", "edge-2", "Edge-3"]),
        (_item("tags", "site:store-042", "rack:a", many="and"), ["edge-1"]),
        (_item("tags", "site:", operator="beginsWith", negation=True), ["other"]),
        (_item("memoryInMB", 0, kind="int", operator="gt"), []),
        (_item("memoryInMB", 0, kind="int", operator="lte"), list(HOSTS)),
        (_item("creationTimestamp", "2027-01-15T08:02:00+00:00", kind="date", operator="gte"), list(HOSTS)[1:]),
        (_item("creationTimestamp", "2027-01-15T08:02:00Z", kind="date", operator="lt"), ["edge-1"]),
        (_item("creationTimestamp", "2027-01-15T09:03:00+01:00", kind="date"), ["Edge-3"]),
        (
            _item("creationTimestamp", "2027-01-15T08:02:00Z", "2027-01-15T08:03:00Z", kind="date", operator="range"),
            ["edge-2", "Edge-3"],
        ),
    ],
)
def test_one_filter(world: World, item: Any, uids: list[str]) -> None:
    assert _found(world, _body([item])) == uids


def test_filters_and_groups_are_joined_by_and_or_or(world: World) -> None:
    site, rack = _item("tags", "site:store-042"), _item("tags", "rack:a")
    assert _found(world, _body([site, rack])) == ["edge-1"]
    assert _found(world, _body([site, rack], inner="or")) == ["edge-1", "edge-2", "Edge-3"]
    assert _found(world, _body([site], [rack])) == ["edge-1"]
    assert _found(world, _body([site], [rack], conjunction="or")) == ["edge-1", "edge-2", "Edge-3"]
    assert _found(world, {}) == _found(world, _body()) == _found(world, _body([])) == list(HOSTS)


@pytest.mark.parametrize(
    "item",
    [
        _item("shoeSize", "1"),
        _item("_secret", "1"),
        _item("name", "a", operator="gt"),
        _item("name", "a", operator="like"),
        _item("name", 1),
        _item("name", 1, kind="int"),
        _item("creationTimestamp", "yesterday", kind="date"),
        {"property": "name", "type": "string", "condition": {"int": {}}},
        {"property": "name", "type": "string"},
        {},
    ],
)
def test_what_the_grammar_does_not_know_is_refused_even_if_nothing_is_there(
    world: World, tmp_path: Path, item: Any
) -> None:
    (tmp_path / "empty").mkdir()
    for one in (world, World(tmp_path / "empty")):
        one.refused(400, "InvalidRequest", "POST", SEARCH, _body([item]))
    world.refused(400, "InvalidRequest", "POST", SEARCH, {"sort": [{"field": "name", "order": "asc"}]})


def test_sorting(world: World) -> None:
    newest = {"sort": [{"field": "creationTimestamp", "order": "desc"}]}
    assert _found(world, newest) == list(reversed(HOSTS))
    by_health = {"sort": [{"field": "healthState", "order": "desc"}, {"field": "creationTimestamp", "order": "asc"}]}
    assert _found(world, by_health) == ["edge-1", "edge-2", "Edge-3", "other"]


def test_the_schema_tells_the_properties(world: World) -> None:
    for path, kind in ((SEARCH, "host"), (CLUSTERS, "cluster")):
        told = {one["name"]: one["type"] for one in world.ok("GET", f"{path}/schema")["schema"]["properties"]}
        assert set(told) == {name for name in facts.FACTS[kind] if not name.startswith("_")}
    assert told["isDeleted"] == "bool"


def test_the_scope_narrows_and_the_tenants_spans_all(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "far"}}, scope=world.projects["Lab B"])
    assert "far" not in _found(world, {})
    assert _found(world, {}, scope=world.projects["Lab B"]) == ["far"]
    assert _found(world, {}, scope=TENANT) == [*HOSTS, "far"]


def test_pages_by_token_and_by_offset(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world.lab, 120)
    first = world.ok("POST", SEARCH, {})
    assert len(first["items"]) == 50
    assert first["listmeta"]["count"] == 120
    assert world.ok("POST", SEARCH, {}, limit="1000")["listmeta"]["limit"] == 50
    seen, token = [], ""
    for _page in range(4):
        page = world.ok("POST", SEARCH, {}, limit="40", **({"continue": token} if token else {}))
        seen += [one["metadata"]["uid"] for one in page["items"]]
        token = page["listmeta"]["continue"]
        if not token:
            break
    assert seen == [f"edge-{number:06d}" for number in range(120)]
    last = world.ok("POST", SEARCH, {}, limit="40", offset="80")
    assert last["listmeta"] == {"continue": "", "count": 120, "limit": 40, "offset": 80}
    assert world.ok("POST", SEARCH, {}, offset="500")["items"] == []


def test_a_change_between_two_pages_is_seen(world: World) -> None:
    body = _body([_item("tags", "rack:a")])
    assert _found(world, body) == ["edge-1", "Edge-3"]
    world.ok("PUT", "/v1/edgehosts/Edge-3/meta", {"metadata": {"name": "x"}})
    assert _found(world, body) == ["edge-1"]
    world.ok("DELETE", "/v1/edgehosts/edge-1")
    assert _found(world, body) == []


def test_what_another_process_writes_is_seen(world: World, tmp_path: Path) -> None:
    assert len(_found(world, {})) == 4
    other = World(tmp_path, now=world.now)
    other.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "late"}})
    assert "late" in _found(world, {})


def test_clusters_by_name_that_are_not_deleted(world: World) -> None:
    world.hosts("edge-8", "edge-9")
    first, second = world.create_cluster("edge-8", name="a"), world.create_cluster("edge-9", name="b")
    alive = {"property": "isDeleted", "type": "bool", "condition": {"bool": {"value": False}}}
    nested = _item("environment", "nested", negation=True)

    def found(name: str) -> list[str]:
        body = _body([_item("clusterName", name), alive, nested])
        return [one["metadata"]["uid"] for one in world.ok("POST", CLUSTERS, body)["items"]]

    assert (found("a"), found("b")) == ([first], [second])
    world.ok("DELETE", f"/v1/spectroclusters/{first}")
    assert found("a") == [first]
    world.later(2)
    assert found("a") == []


@pytest.mark.slow
def test_ten_thousand_hosts_by_pages_cost_little(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world.lab, 10_000)
    body = _body([_item("tags", "region:north", "region:south", "region:east", "region:west"), _item("state", "ready")])
    for search in ({}, body):
        began = time.process_time()
        seen: set[str] = set()
        token = ""
        while True:
            page = world.ok("POST", SEARCH, search, **({"continue": token} if token else {}))
            seen |= {one["metadata"]["uid"] for one in page["items"]}
            token = page["listmeta"]["continue"]
            if not token:
                break
        assert len(seen) == 10_000
        # Processor time, so that a busy machine does not matter; about 1.5 s where this was written.
        assert time.process_time() - began < 5


@pytest.mark.slow
def test_pages_stay_cheap_while_hosts_change(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world.lab, 10_000)
    body = _body([_item("tags", "region:north"), _item("healthState", "healthy")])
    began = time.process_time()
    for number in range(100):
        world.ok("PUT", f"/v1/edgehosts/edge-{number:06d}/meta", {"metadata": {"name": "x", "labels": {"a": "b"}}})
        world.ok("POST", SEARCH, body, offset=str(number))
    assert time.process_time() - began < 5
