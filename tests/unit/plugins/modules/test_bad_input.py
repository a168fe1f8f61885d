# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input: refused before anything is written, in one line that names the option and its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.cases_clusters import definition, site, site_hosts
from ansible_collections.palette.edge.tests.unit.cases_profiles import PACKS
from ansible_collections.palette.edge.tests.unit.module_cases import TOKENS, World
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    cluster,
    cluster_row,
    host,
    profile,
    profile_row,
    token,
    unpaired,
)
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer, error, page, projects

Failure = Callable[..., str]


def pools(hosts: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"name": "cp", "control_plane": True, "hosts": hosts, **more}]


def changed_host(number: int = 1, **more: Any) -> list[dict[str, Any]]:
    hosts = site_hosts(1, 2, 3)
    hosts[number - 1].update(more)
    return hosts


def without(option: str) -> dict[str, Any]:
    return {key: value for key, value in definition().items() if key != option}


BEFORE_ANY_REQUEST = [
    # module, options, what the message must contain
    ("registration_token", {"name": "t", "expires": "2020-01-01"}, ["expires", "2020-01-01", "past"]),
    ("registration_token", {"name": "t", "expires": "next year"}, ["expires", "'next year'"]),
    ("registration_token", {"name": "t", "expires_in_days": 0}, ["expires_in_days", "0"]),
    ("registration_token", {"name": "t", "expires_in_days": 10**12}, ["expires_in_days", str(10**12)]),
    ("registration_token", {"name": "t", "expires": "2030-01-01", "expires_in_days": 3}, ["expires|expires_in_days"]),
    ("registration_token", {}, ["name"]),
    ("edge_host", {"uid": "edge.1"}, ["uid", "'edge.1'", "does not take in an Edge host ID: ."]),
    ("edge_host", {"uid": "two words"}, ["uid", "'two words'", "white space"]),
    ("edge_host", {"uid": "x" * 129}, ["uid", "xxx", "129 characters"]),
    ("edge_host", {"uid": ""}, ["uid", "is empty"]),
    ("edge_host", {"hosts": [{"uid": "a"}, {"uid": "a"}]}, ["uid", "'a' is given twice"]),
    ("edge_host", {"hosts": [{"uid": "a"}, {"uid": "b/"}, {"uid": "c?"}]}, ["'b/'", "'c?'"]),
    ("edge_host", {"uid": "a", "hosts": []}, ["uid|hosts"]),
    ("edge_host", {}, ["uid, hosts"]),
    ("edge_host", {"uid": "a", "architecture": "s390x"}, ["architecture", "s390x"]),
    (
        "edge_host",
        {"uid": "a", "remote_shell": "disabled", "remote_shell_temporary_user": "enabled"},
        ["remote_shell_temporary_user needs remote_shell"],
    ),
    ("cluster_profile", {"name": "p", "version": "1.0"}, ["version", "'1.0'"]),
    ("cluster_profile", {"name": "p", "cloud": "all"}, ["cloud", "all"]),
    ("cluster_profile", {"name": "p", "packs": [{"name": "a"}]}, ["packs[0].version", "a needs a version"]),
    ("cluster_profile", {"name": "p", "packs": [{"name": "m", "type": "manifest"}]}, ["packs[0].manifests", "m"]),
    ("cluster_profile", {"name": "p", "packs": [PACKS[0], PACKS[0]]}, ["packs", "edge-native-byoi is given twice"]),
    ("cluster_profile", {"name": "p", "variables": [{"name": "v"}, {"name": "v"}]}, ["variables", "v is given twice"]),
    (
        "cluster_profile",
        {"name": "p", "variables": [{"name": "v", "required": True}]},
        ["variables[0].default_value", "v"],
    ),
]


@pytest.mark.parametrize(("module", "options", "named"), BEFORE_ANY_REQUEST)
def test_before_any_request(
    palette: PaletteServer, failure: Failure, module: str, options: dict[str, Any], named: list[str]
) -> None:
    text = failure(module, options)
    assert [one for one in named if one not in text] == [], text
    assert palette.requests == []


@pytest.mark.parametrize("module", ["cluster", "cluster_info", "cluster_profile", "edge_host_info"])
def test_an_unknown_project_lists_those_that_match(palette: PaletteServer, failure: Failure, module: str) -> None:
    palette.answer(projects("stores-north", "stores-south", "else"))
    options: dict[str, Any] = {} if module.endswith("_info") else {"name": "x"}
    text = failure(module, {**options, "project": "stores"})
    assert text == "project: no project 'stores'. Those that come near: stores-north, stores-south"
    assert palette.writes == []


def test_a_project_whose_name_is_borne_twice(palette: PaletteServer, failure: Failure) -> None:
    both = projects("north", "north")
    both.reply["items"][2]["metadata"]["uid"] = "uid-2"
    palette.answer(both)
    text = failure("edge_host", {"uid": "a", "project": "north"})
    assert "project: 2 projects are named 'north': give one of their UIDs (uid-2, uid-of-north)" in text


@pytest.mark.parametrize(
    ("environment_key", "options", "text"),
    [
        ("", {}, "api_key is not set: give the option api_key, or the environment variable PALETTE_API_KEY"),
        ("two words", {}, "api_key has characters"),
        ("k", {"host": "https://palette.example.com/?x"}, "host 'https://palette.example.com/?x' is neither"),
        ("k", {"ca_path": "/not/there.pem"}, "ca_path '/not/there.pem' does not exist"),
        ("k", {"timeout": 0}, "timeout must be above 0"),
    ],
)
def test_a_connection_that_cannot_work(
    palette: PaletteServer,
    failure: Failure,
    environment: pytest.MonkeyPatch,
    environment_key: str,
    options: dict[str, Any],
    text: str,
) -> None:
    environment.setenv("PALETTE_API_KEY", environment_key)
    for module in ("registration_token_info", "cluster_info"):
        assert text in failure(module, options)
    assert palette.requests == []


def test_a_refused_key_is_told_from_a_missing_object(
    palette: PaletteServer, failure: Failure, environment: pytest.MonkeyPatch
) -> None:
    world = World()
    world.calls.clear()
    refused = error("ResourceNotFound", f"API key '{palette.key}' is not found")
    world.reads("GET", TOKENS, refused, status=404)
    world.reads("GET", "/v1/users/info", refused, status=404)
    palette.answer(*world.calls)
    text = failure("registration_token", {"name": "t", "expires": "2030-01-01"})
    assert "The API key is refused: check api_key" in text
    assert palette.key not in text
    assert palette.writes == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (definition(vip="10.43.0.10"), ["vip: 10.43.0.10 is outside the hosts' subnet 10.42.0.0/24"]),
        (definition(vip="10.42.0.12"), ["vip: 10.42.0.12 is the address of the Edge host store-042-2"]),
        (definition(vip="store.example.com"), ["vip: 'store.example.com' is not an IP address"]),
        (
            definition(vip="10.42.0.10", overlay_cidr="100.64.0.0/24"),
            ["vip: 10.42.0.10 is outside the overlay network"],
        ),
        (definition(overlay_cidr="100.64.0.1/24"), ["overlay_cidr: 100.64.0.1/24 has host bits set"]),
        (definition(node_pools=pools(site_hosts(1, 2))), ["node_pools: cp has 2 hosts", "must be odd"]),
        (definition(node_pools=pools(site_hosts(1, 2, 3, 4))), ["node_pools: cp has 4 hosts", "must be odd"]),
        (definition(node_pools=pools([])), ["node_pools: cp has 0 hosts"]),
        (definition(two_node=True), ["node_pools: control-plane-pool has 3 hosts", "exactly 2"]),
        (
            definition(node_pools=[{"name": "workers", "hosts": site_hosts(1)}]),
            ["node_pools: 0 pools have control_plane set"],
        ),
        (
            definition(node_pools=pools(site_hosts(1)) + pools(site_hosts(2))),
            ["node_pools: the pool cp is given twice", "node_pools: 2 pools have control_plane set"],
        ),
        (
            definition(node_pools=[*pools(site_hosts(1)), {"name": "w", "hosts": site_hosts(1)}]),
            ["node_pools: the Edge host edge-1 is given twice"],
        ),
        (definition(node_pools=pools(changed_host(uid="edge.1"))), ["node_pools: the Edge host ID 'edge.1' has"]),
        (
            definition(node_pools=pools(changed_host(address="10.42.0.12/24"))),
            ["node_pools: Edge host store-042-2 has the same address as store-042-1: 10.42.0.12"],
        ),
        (
            definition(node_pools=pools(changed_host(address="10.42.0.11"))),
            ["node_pools: Edge host store-042-1: the address 10.42.0.11 has no prefix length"],
        ),
        (
            definition(node_pools=pools(changed_host(address="10.42.0.300/24"))),
            ["node_pools: Edge host store-042-1: '10.42.0.300/24'"],
        ),
        (
            definition(node_pools=pools(changed_host(gateway="10.43.0.1"))),
            ["node_pools: Edge host store-042-1: the gateway 10.43.0.1 is outside its subnet 10.42.0.0/24"],
        ),
        (
            definition(node_pools=pools(changed_host(gateway="router"))),
            ["node_pools: Edge host store-042-1: the gateway router is outside"],
        ),
        (
            definition(profiles=definition()["profiles"] * 2),
            ["profiles: edge-store is given twice", "profiles: only one may bring the infrastructure layers"],
        ),
        (
            definition(profiles=[{"name": "edge-stor", "version": "1.0.0"}]),
            ["profiles[0].name: there is no cluster profile 'edge-stor'. Those that come near: edge-store"],
        ),
        (
            definition(profiles=[{"name": "edge-store", "version": "3.0.0"}]),
            ["profiles[0].version: the cluster profile edge-store has no version 3.0.0", "1.0.0"],
        ),
        (without("profiles"), ["profiles: the cluster store-042 is not there yet"]),
        (without("node_pools"), ["node_pools: the cluster store-042 is not there yet"]),
    ],
)
def test_a_cluster_that_cannot_work(
    palette: PaletteServer, failure: Failure, options: dict[str, Any], named: list[str]
) -> None:
    world = World()
    site(world)
    listed = {"metadata": {"name": "edge-store", "uid": "u"}, "spec": {"version": "1.0.0"}}
    world.reads("GET", "/v1/dashboard/clusterprofiles/metadata", {"items": [listed]})
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    text = failure("cluster", options)
    assert [one for one in named if one not in text] == [], text
    assert palette.writes == []
    assert not any(request.path.endswith("/validate") for request in palette.requests)


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (
            {"h1": host("edge-1", state="in-use", cluster="other")},
            ["node_pools: Edge host store-042-1 is in use by the cluster other"],
        ),
        ({"h2": unpaired("edge-2")}, ["node_pools: Edge host store-042-2 is unpaired, not ready"]),
        (
            {"h3": host("edge-3", architecture="arm64")},
            ["node_pools: Edge host store-042-3 is arm64, the pool control-plane-pool is amd64"],
        ),
        (
            {"h1": host("edge-1", project="elsewhere")},
            ["node_pools: Edge host store-042-1 belongs to another project (elsewhere)"],
        ),
        (
            {"h1": host("edge-1", cluster="a", state="in-use"), "h2": host("edge-2", cluster="b", state="in-use")},
            ["in use by the cluster a", "in use by the cluster b"],
        ),
    ],
)
def test_hosts_that_cannot_be_used(
    palette: PaletteServer, failure: Failure, state: dict[str, Any], named: list[str]
) -> None:
    world = World()
    site(world, **state)
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    text = failure("cluster", definition())
    assert [one for one in named if one not in text] == [], text
    assert palette.writes == []


def test_a_host_that_is_not_registered(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    world.reads("GET", "/v1/edgehosts/edge-2", error("ResourceNotFound"), status=404)
    site(world)
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    text = failure("cluster", definition())
    assert text == "node_pools: Edge host store-042-2 is not registered in this project: register it first"


@pytest.mark.parametrize(
    ("address", "vip", "text"),
    [
        ("10.50.0.11", "10.42.0.10", "vip: 10.42.0.10 is outside the hosts' subnet 10.50.0.0/24"),
        ("10.42.0.10", "10.42.0.10", "vip: 10.42.0.10 is the address of the Edge host edge-1"),
    ],
)
def test_the_vip_against_the_addresses_that_hosts_report(
    palette: PaletteServer, failure: Failure, address: str, vip: str, text: str
) -> None:
    seen = {f"h{number}": host(f"edge-{number}", address=address, subnet="255.255.255.0") for number in (1, 2, 3)}
    world = World()
    site(world, **seen)
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    bare = [{"uid": f"edge-{number}"} for number in (1, 2, 3)]
    assert text in failure("cluster", definition(vip=vip, node_pools=pools(bare)))
    assert palette.writes == []


def test_what_palette_finds_wrong_is_told_whole(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    site(world)
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    verdict = {
        "machinePools": {"results": [{"name": "cp", "errors": [{"code": "X", "message": "too small"}]}]},
        "profiles": [{"packs": {"results": [{"displayName": "K3s", "errors": [{"code": "PackVariablesUndefined"}]}]}}],
    }
    world.reads("POST", "/v1/spectroclusters/edge-native/validate", verdict)
    palette.answer(*world.calls)
    text = failure("cluster", definition())
    assert text == (
        "Palette refuses the definition of the cluster store-042: cp: too small; K3s: PackVariablesUndefined"
    )
    assert palette.writes == []


@pytest.mark.parametrize(
    ("module", "options", "fill", "text"),
    [
        (
            "registration_token",
            {"name": "store-042", "active": False},
            lambda world: world.reads("GET", TOKENS, {"items": [token(), token(uid="uid-2")]}),
            "name: 2 registration tokens are named 'store-042' (uid-store-042, uid-2)",
        ),
        (
            "cluster_profile",
            {"name": "edge-store", "description": "x"},
            lambda world: world.reads(
                "POST", "/v1/dashboard/clusterprofiles", page([profile_row(v1_0_0="a"), profile_row(v1_0_0="b")])
            ),
            "name: 2 cluster profiles are named 'edge-store' with version 1.0.0 (a, b)",
        ),
        (
            "cluster",
            {"name": "store-042", "description": "x"},
            lambda world: world.reads(
                "POST", "/v1/dashboard/spectroclusters/search", page([cluster_row(uid="a"), cluster_row(uid="b")])
            ),
            "name: 2 clusters are named 'store-042' (a, b)",
        ),
    ],
)
def test_a_name_that_two_objects_bear(
    palette: PaletteServer,
    failure: Failure,
    module: str,
    options: dict[str, Any],
    fill: Callable[[World], None],
    text: str,
) -> None:
    world = World()
    fill(world)
    palette.answer(*world.calls)
    assert text in failure(module, options)
    assert palette.writes == []


def test_two_profiles_of_one_name_on_a_cluster(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    rows = page([profile_row(v1_0_0="a"), profile_row(v1_0_0="b")])
    world.reads("POST", "/v1/dashboard/clusterprofiles", rows)
    palette.answer(*world.calls)
    text = failure("cluster", definition())
    assert "profiles[0].name: 2 cluster profiles are named 'edge-store' with version 1.0.0 (a, b)" in text


def test_the_profile_of_another_kind_is_named(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    world.reads("POST", "/v1/dashboard/clusterprofiles", page([profile_row(v1_0_0="uid-profile")]))
    world.reads("GET", "/v1/clusterprofiles/uid-profile", profile())
    world.reads("GET", "/v1/clusterprofiles/uid-profile/variables", {})
    palette.answer(*world.calls)
    text = failure("cluster_profile", {"name": "edge-store", "type": "add-on"})
    assert "type: cluster profile edge-store 1.0.0 is there as type cluster for edge-native" in text


def test_a_fixed_option_is_refused_before_other_changes_are_made(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", "/v1/spectroclusters/uid-cluster", cluster())
    config = {"metadata": {"uid": "c"}, "spec": {"clusterConfig": {"controlPlaneEndpoint": {"host": "10.42.0.10"}}}}
    world.reads("GET", "/v1/cloudconfigs/edge-native/uid-config", config)
    palette.answer(*world.calls)
    text = failure("cluster", {"name": "store-042", "vip": "10.42.0.99", "description": "new"})
    assert "vip: the cluster store-042 has 10.42.0.10, not 10.42.0.99" in text
    assert palette.writes == []
