# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of nodes."""

from __future__ import annotations

from typing import Any

from ansible_collections.palette.edge.tests.unit.module_world import CLOUD, CLUSTERS, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    cluster,
    cluster_row,
    config,
    machine,
    member,
    pool,
)
from ansible_collections.palette.edge.tests.unit.palette_server import page

MAINTENANCE = f"{CLOUD}/machinePools/workers/machines/machine-edge-4/maintenance"


def node(action: str = "", state: str = "Completed", message: str = "") -> dict[str, Any]:
    """A machine, and what became of the latest maintenance."""
    made = machine("edge-4")
    if action:
        made["status"]["maintenanceStatus"] = {"action": action, "state": state, "message": message}
    return made


def shop(world: World, before: dict[str, Any], after: dict[str, Any] | None = None) -> None:
    """A cluster with a worker."""
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster())
    world.reads("GET", CLOUD, config(pool("workers", member("edge-4", name="store-042-4"))))
    items = {"items": [after]} if after else None
    world.reads("GET", f"{CLOUD}/machinePools/workers/machines", {"items": [before]}, items)


@case("cluster_node", "cordon", cluster="store-042", node="store-042-4", schedulable=False, wait_sleep=0)
def _cordon(world: World) -> None:
    shop(world, node(), node("cordon"))
    world.writes("PUT", MAINTENANCE)


@case("cluster_node", "uncordon", cluster="store-042", node="edge-4", schedulable=True, wait_sleep=0)
def _uncordon(world: World) -> None:
    shop(world, node("cordon"), node("uncordon"))
    world.writes("PUT", MAINTENANCE)


@case("cluster_node", "nothing", changed=False, cluster="store-042", node="machine-edge-4", schedulable=True)
def _nothing(world: World) -> None:
    shop(world, node())
