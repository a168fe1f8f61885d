# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of Edge hosts."""

from __future__ import annotations

from ansible_collections.palette.edge.tests.unit.module_world import World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    PAIRING_KEY,
    host,
    unpaired,
)
from ansible_collections.palette.edge.tests.unit.palette_server import Call, error, page


@case(
    "edge_host",
    "register",
    uid="edge-1",
    name="front",
    tags={"site": "42"},
    architecture="amd64",
    pairing_key=PAIRING_KEY,
    remote_shell="enabled",
    remote_shell_temporary_user="enabled",
)
def _host_register(world: World) -> None:
    gone = Call("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), 404, optional=True)
    world.calls.append(gone)
    world.reads("GET", "/v1/edgehosts/edge-1", unpaired(pairing_key=PAIRING_KEY))
    world.writes("POST", "/v1/edgehosts", {"uid": "edge-1"})


@case(
    "edge_host",
    "site",
    hosts=[
        {"uid": "edge-new", "pairing_key": PAIRING_KEY},
        {"uid": "edge-tags", "tags": {"site": "42", "bare": ""}, "name": "front"},
        {"uid": "edge-same"},
        {"uid": "edge-shell", "remote_shell": "enabled", "pairing_key": "canary-pairing-key-other"},
    ],
    purge_tags=True,
    wait=True,
    wait_sleep=0,
)
def _host_site(world: World) -> None:
    world.calls.append(Call("GET", "/v1/edgehosts/edge-new", error("ResourceNotFound"), 404, optional=True))
    world.reads("GET", "/v1/edgehosts/edge-new", host("edge-new"))
    world.reads("GET", "/v1/edgehosts/edge-tags", host("edge-tags", labels={"old": "1"}))
    world.reads("GET", "/v1/edgehosts/edge-same", host("edge-same", state="in-use"))
    world.reads("GET", "/v1/edgehosts/edge-shell", host("edge-shell", pairing_key=PAIRING_KEY))
    world.writes("POST", "/v1/edgehosts", {"uid": "edge-new"})
    world.writes("PUT", "/v1/edgehosts/edge-tags/meta")
    world.writes("PATCH", "/v1/edgehosts/edge-shell/tunnelConfig")
    world.writes("PATCH", "/v1/edgehosts/edge-shell/hostPairingKey")


@case("edge_host", "same", changed=False, uid="edge-1", tags={"site": "42"}, wait=True)
def _host_same(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host(labels={"site": "42"}))


@case("edge_host", "delete", uid="edge-1", state="absent")
def _host_delete(world: World) -> None:
    world.calls.append(Call("GET", "/v1/edgehosts/edge-1", host(), optional=True))
    world.reads("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), status=404)
    world.writes("DELETE", "/v1/edgehosts/edge-1")


@case("edge_host_info", "uids", changed=False, uids=["edge-1", "edge-2"])
def _host_info_uids(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host(pairing_key=PAIRING_KEY))
    world.reads("GET", "/v1/edgehosts/edge-2", error("ResourceNotFound"), status=404)


@case(
    "edge_host_info",
    "search",
    changed=False,
    names=["edge-1"],
    tags={"site": "42", "bare": ""},
    states=["ready", "in-use"],
    healths=["healthy"],
    architectures=["amd64"],
)
def _host_info_search(world: World) -> None:
    world.reads("POST", "/v1/dashboard/edgehosts/search", page([host(pairing_key=PAIRING_KEY)]))
