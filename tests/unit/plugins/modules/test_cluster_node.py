# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cluster_node, on the level of HTTP: how a node is found, waited for, and given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.cases_nodes import MAINTENANCE, node
from ansible_collections.palette.edge.tests.unit.module_world import CLOUD
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    cluster,
    cluster_row,
    config,
    machine,
    member,
    pool,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, Call, PaletteServer, page, projects

Run = Callable[..., dict[str, Any]]
CORDON = {"cluster": "store-042", "node": "edge-4", "schedulable": False, "wait_sleep": 0}


def meets(palette: PaletteServer, *machines: dict[str, Any], rows: Any = None) -> None:
    """A cluster of two workers; ``machines`` are the answers of each look, the last one for good."""
    several = {"times": None, "optional": True}
    search = page([cluster_row()] if rows is None else rows)
    pools = pool("workers", member("edge-4", name="store-042-4"), member("edge-5", name="store-042-5"))
    left = list(machines)

    def look(dummy: Any) -> Any:
        return {"items": [left.pop(0) if len(left) > 1 else left[0], machine("edge-5")]}

    palette.answer(
        projects(),
        Call("POST", "/v1/dashboard/spectroclusters/search", search, params=ANY, body=ANY, **several),
        Call("GET", f"/v1/spectroclusters/{CLUSTER}", cluster(), **several),
        Call("GET", CLOUD, config(pools), **several),
        Call("GET", f"{CLOUD}/machinePools/workers/machines", look, **several),
    )


def put(palette: PaletteServer, action: str) -> None:
    palette.answer(Call("PUT", MAINTENANCE, None, 204, body={"action": action}))


@pytest.mark.parametrize("name", ["edge-4", "store-042-4", "machine-edge-4"])
def test_a_node_is_cordoned_whatever_it_is_called(palette: PaletteServer, run_module: Run, name: str) -> None:
    steps = [node(), node("cordon", "Initiated"), node("cordon", "InProgress"), node("cordon")]
    meets(palette, *steps)
    put(palette, "cordon")
    result = run_module("cluster_node", {**CORDON, "node": name})
    assert (result["changed"], result["cluster_node"]["schedulable"]) == (True, False)
    assert result["steps"] == ["cordon the node store-042-4 of the cluster store-042"]
    assert result["diff"]["before"] == {"name": "store-042-4", "schedulable": True}


def test_one_that_is_under_way_is_waited_for(palette: PaletteServer, run_module: Run) -> None:
    meets(palette, node("cordon", "InProgress"), node("cordon", "InProgress"), node("cordon"))
    assert run_module("cluster_node", CORDON)["changed"] is False


def test_a_failure_ends_the_wait(palette: PaletteServer, run_module: Run) -> None:
    meets(palette, node(), node("cordon", "InProgress"), node("cordon", "Failed", "pod web-0 stays"))
    put(palette, "cordon")
    result = run_module("cluster_node", CORDON)
    assert (result["failed"], result["changed"], result["error"]) == (True, True, "terminal_state")
    assert "To cordon the node store-042-4 failed: pod web-0 stays. Look at its pods" in result["msg"]


def test_an_earlier_failure_is_tried_again(palette: PaletteServer, run_module: Run) -> None:
    failed = node("cordon", "Failed", "pod web-0 stays")
    meets(palette, failed, failed, failed, node("cordon", "InProgress"), node("cordon"))
    put(palette, "cordon")
    assert run_module("cluster_node", CORDON)["cluster_node"]["schedulable"] is False


def test_a_failure_that_comes_again_ends_the_wait(palette: PaletteServer, run_module: Run) -> None:
    meets(palette, node("cordon", "Failed", "pod web-0 stays"))
    put(palette, "cordon")
    assert "pod web-0 stays" in run_module("cluster_node", CORDON)["msg"]


@pytest.mark.parametrize(
    ("action", "state", "schedulable", "changed"),
    [
        ("", "", True, False),
        ("cordon", "Failed", True, False),
        ("uncordon", "Failed", True, True),
        ("uncordon", "Failed", False, False),
        ("cordon", "Completed", False, False),
        ("uncordon", "Completed", False, True),
    ],
)
def test_what_is_so_already(
    palette: PaletteServer, run_module: Run, action: str, state: str, schedulable: bool, changed: bool
) -> None:
    meets(palette, node(action, state))
    result = run_module("cluster_node", {**CORDON, "schedulable": schedulable}, check=True)
    assert (result["changed"], result["cluster_node"]["schedulable"]) == (changed, schedulable)


def test_without_waiting(palette: PaletteServer, run_module: Run) -> None:
    meets(palette, node(), node("cordon", "Initiated"))
    put(palette, "cordon")
    assert run_module("cluster_node", {**CORDON, "wait": False})["changed"] is True


def test_an_unknown_node(palette: PaletteServer, failure: Callable[..., str]) -> None:
    meets(palette, node())
    text = failure("cluster_node", {**CORDON, "node": "store-042-9"})
    assert "node: the cluster store-042 has no node 'store-042-9'. Those that come near: store-042-" in text


def test_an_ambiguous_node(palette: PaletteServer, failure: Callable[..., str]) -> None:
    twin = node()
    twin["metadata"]["name"] = "edge-5"
    meets(palette, twin)
    text = failure("cluster_node", {**CORDON, "node": "edge-5"})
    assert "node: 'edge-5' is several nodes of the cluster store-042: store-042-4 (Edge host edge-4), " in text
    assert text.endswith("Give the Edge host's ID")


def test_an_unknown_cluster(palette: PaletteServer, failure: Callable[..., str]) -> None:
    meets(palette, node(), rows=[])
    assert "cluster: there is no cluster 'store-042' here" in failure("cluster_node", CORDON)
