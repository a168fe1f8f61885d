# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: projects made, changed and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import TENANT, World

PATH = "/v1/projects"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _new(world: World, name: str = "Shop") -> str:
    body = {"metadata": {"name": name, "labels": {"a": "b"}, "annotations": {"description": "d"}}}
    return str(world.ok("POST", PATH, body, scope=TENANT)["uid"])


def _names(world: World, **body: Any) -> list[str]:
    items = world.ok("POST", "/v1/dashboard/projects", body, scope=TENANT)["items"]
    return [one["metadata"]["name"] for one in items]


def test_a_new_project_is_a_scope_of_its_own(world: World) -> None:
    uid = _new(world)
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}}, scope=uid)
    world.refused(404, "ResourceNotFound", "GET", "/v1/edgehosts/edge-1")
    project = world.ok("GET", f"{PATH}/{uid}", scope=TENANT)
    assert project["metadata"]["annotations"]["description"] == "d"
    body = {"metadata": {"name": "Shop"}}
    world.refused(409, "DuplicateProject", "POST", PATH, body, scope=TENANT)
    world.refused(400, "InvalidRequest", "POST", PATH, {}, scope=TENANT)
    assert _names(world, filter={"name": {"contains": "shop"}}) == ["Shop"]
    assert _names(world, sort=[{"field": "name", "order": "desc"}]) == ["Shop", "Lab B", "Default"]


def test_a_project_is_renamed_with_its_hosts(world: World) -> None:
    uid = _new(world)
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}}, scope=uid)
    world.ok("PUT", f"{PATH}/{uid}/meta", {"name": "Store"}, scope=TENANT)
    host = world.ok("GET", "/v1/edgehosts/edge-1", scope=uid)
    assert host["spec"]["host"]["project"]["name"] == "Store"
    world.refused(409, "DuplicateProject", "PUT", f"{PATH}/{uid}/meta", {"name": "Default"}, scope=TENANT)
    body = {"metadata": {"name": "Shop"}, "spec": {"teams": [{"teamId": "t", "roles": ["r"]}]}}
    world.ok("PUT", f"{PATH}/{uid}", body, scope=TENANT)
    project = world.ok("GET", f"{PATH}/{uid}", scope=TENANT)
    assert project["spec"]["teams"] == [{"teamId": "t", "roles": ["r"]}]
    # What is not sent is gone.
    assert "labels" not in project["metadata"]


def test_a_project_in_use_is_not_deleted(world: World) -> None:
    world.create_cluster(*world.hosts("edge-1"))
    uid = world.project
    told = world.ok("DELETE", f"{PATH}/{uid}/validate", scope=TENANT)
    assert told["clusters"]["clusters"][0]["clusterRef"]["name"] == "store-042"
    assert "store-042" in world.refused(400, "ProjectInUse", "DELETE", f"{PATH}/{uid}", scope=TENANT)
    other = _new(world)
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-2"}}, scope=other)
    world.refused(400, "ProjectInUse", "DELETE", f"{PATH}/{other}", scope=TENANT)
    world.ok("DELETE", f"{PATH}/{other}", scope=TENANT, cleanupProjectResources="true")
    world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{other}", scope=TENANT)
    world.refused(404, "ResourceNotFound", "GET", "/v1/edgehosts/edge-2", scope=TENANT)
    world.refused(403, "ProjectForbidden", "GET", "/v1/edgehosts/tags", scope=other)
