# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of Edge hosts."""

from __future__ import annotations

from ansible_collections.palette.edge.tests.unit.module_world import CLOUD, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    PAIRING_KEY,
    cluster,
    config,
    host,
    member,
    pool,
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
    opened = host("edge-shell", pairing_key=PAIRING_KEY, tunnel={"remoteSsh": "enabled"}, tunnel_state="Created")
    world.reads("GET", "/v1/edgehosts/edge-shell", host("edge-shell", pairing_key=PAIRING_KEY), opened)
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


@case("edge_host", "reinstalled", uid="edge-1", reinstalled=True, tags={"rack": "a"})
def _host_reinstalled(world: World) -> None:
    old = host(health="unhealthy", name="front", labels={"site": "42"})
    world.reads("GET", "/v1/edgehosts/edge-1", old, unpaired(name="front", labels={"site": "42", "rack": "a"}))
    world.writes("DELETE", "/v1/edgehosts/edge-1")
    world.writes("POST", "/v1/edgehosts", {"uid": "edge-1"})


@case("edge_host", "reinstalled-and-back", changed=False, uid="edge-1", reinstalled=True)
def _host_reinstalled_and_back(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host())


@case("edge_host_info", "parts", changed=False, name_contains="store", tags={"a": "1", "b": "2"}, tags_match="any")
def _host_info_parts(world: World) -> None:
    world.reads("POST", "/v1/dashboard/edgehosts/search", page([host(pairing_key=PAIRING_KEY)]))


@case("edge_host_reset", "free", uid="edge-1", confirm="edge-1", wait_sleep=0)
def _host_reset(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host())
    world.writes("PUT", "/v1/edgehosts/edge-1/reset")


@case("edge_host_reset", "worker", uid="edge-4", confirm="edge-4", wait_sleep=0)
def _host_reset_worker(world: World) -> None:
    used = host("edge-4", state="in-use", cluster="store-042")
    world.reads("GET", "/v1/edgehosts/edge-4", used, host("edge-4"))
    world.reads("GET", "/v1/spectroclusters/uid-of-store-042", cluster())
    world.reads("GET", CLOUD, config(pool("workers", member("edge-4"))))
    world.writes("PUT", "/v1/edgehosts/edge-4/reset")


@case("edge_host_reset", "control-plane", uid="edge-1", confirm="edge-1", wait=False)
def _host_reset_control_plane(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host("edge-1", state="in-use", cluster="store-042"))
    world.reads("GET", "/v1/spectroclusters/uid-of-store-042", cluster())
    world.reads("GET", CLOUD, config(pool("plane", *(member(f"edge-{one}") for one in "123"), control_plane=True)))
    for one in "23":
        world.reads("GET", f"/v1/edgehosts/edge-{one}", host(f"edge-{one}", state="in-use", cluster="store-042"))
    world.writes("PUT", "/v1/edgehosts/edge-1/reset")
