# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: events of hosts and clusters, and lists with filters and an order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World
from lab.controller import events, listing
from lab.controller.errors import ApiError

PATH = "/v1/events/components"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _reasons(world: World, path: str, **more: Any) -> list[str]:
    return [one["reason"] for one in world.ok("GET", path, **more)["items"]]


def test_a_host_tells_when_it_came_went_and_came_back(world: World) -> None:
    world.hosts("edge-1")
    world.later(6)
    world.beat("edge-1")
    path = f"{PATH}/edgehost/edge-1"
    assert _reasons(world, path) == ["Healthy", "Unhealthy", "Healthy", "Registered"]
    assert _reasons(world, path, orderBy="metadata.creationTimestamp=1")[0] == "Registered"
    assert _reasons(world, path, orderBy="metadata.creationTimestamp=-1", limit=1) == ["Healthy"]
    assert _reasons(world, path, filters="severity=Warning") == ["Unhealthy"]
    first = world.ok("GET", path)["items"][0]
    assert first["involvedObject"] == {"kind": "edgehost", "name": "edge-1", "uid": "edge-1"}
    assert first["metadata"]["uid"]
    # Another heartbeat like the last one is no news.
    world.beat("edge-1")
    assert len(_reasons(world, path)) == 4


def test_events_are_those_of_the_scope(world: World) -> None:
    world.hosts("edge-1")
    assert _reasons(world, PATH) == ["Healthy", "Registered"]
    assert _reasons(world, PATH, scope=world.projects["Lab B"]) == []
    assert len(_reasons(world, PATH, scope=TENANT)) == 2
    assert _reasons(world, f"{PATH}/edgehost/other") == []
    world.refused(400, "InvalidRequest", "GET", f"{PATH}/toaster/edge-1")


def test_the_newest_of_each_object_stay(world: World) -> None:
    world.hosts("edge-1", "edge-2")
    for number in range(events.KEPT + 20):
        events.record(world.lab, "edgehost", "edge-1", "edge-1", "Counted", str(number))
    path = f"{PATH}/edgehost/edge-1"
    listed = world.ok("GET", path)
    assert listed["listmeta"]["count"] == events.KEPT
    assert listed["items"][0]["message"] == str(events.KEPT + 19)
    assert world.ok("GET", f"{PATH}/edgehost/edge-2")["listmeta"]["count"] == 2
    world.ok("DELETE", path)
    assert _reasons(world, path) == []
    world.ok("DELETE", "/v1/edgehosts/edge-2")
    assert _reasons(world, PATH) == []


def test_events_survive_a_restart(world: World) -> None:
    world.hosts("edge-1")
    assert len(_reasons(world.again(), PATH)) == 2


ITEMS = [{"a": {"b": "1"}, "on": True}, {"a": {"b": "2"}}, {"a": {"b": "ORACLE"}}]


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ("", [0, 1, 2]),
        ("a.b=1", [0]),
        ("a.b=1ORa.b=2", [0, 1]),
        ("a.b_in_1,2ANDon=true", [0]),
        ("a.b=ORACLE", [2]),
        ("none=", [0, 1, 2]),
    ],
)
def test_filters_choose(filters: str, chosen: list[int]) -> None:
    assert listing.chosen(ITEMS, filters) == [ITEMS[index] for index in chosen]


def test_an_order_has_several_fields() -> None:
    items: list[dict[str, Any]] = [{"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"a": "1", "b": "2"}]
    assert listing.ordered(items, "a=1,b=-1") == [items[2], items[0], items[1]]
    assert listing.ordered(items, "a=-1") == [items[1], items[2], items[0]]


def test_what_is_no_filter_and_no_order_is_refused() -> None:
    for wrong in (
        lambda: listing.chosen([], "a~b"),
        lambda: listing.ordered([], "a"),
        lambda: listing.ordered([], "a=up"),
    ):
        with pytest.raises(ApiError):
            wrong()
