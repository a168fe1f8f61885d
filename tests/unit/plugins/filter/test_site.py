# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters between a site's description and the modules."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.palette.edge.plugins.filter.site import FilterModule, to_edge_hosts, to_node_pools, to_table
from ansible_collections.palette.edge.plugins.module_utils._cluster_options import POOL
from ansible_collections.palette.edge.plugins.modules import edge_host

HOST = {
    "name": "store-042-1",
    "id": "edge-1",
    "address": "10.42.0.11/24",
    "gateway": "10.42.0.1",
    "nameservers": [],
    "nic": "host0",
    "backend": {"type": "bare_metal"},
    "tags": {"rack": "a"},
    "architecture": "amd64",
}


def test_hosts() -> None:
    assert to_edge_hosts([HOST], {"site": "042", "rack": "none"}) == [
        {"uid": "edge-1", "name": "store-042-1", "tags": {"site": "042", "rack": "a"}, "architecture": "amd64"}
    ]
    assert to_edge_hosts([{"uid": "e"}]) == [{"uid": "e"}]
    assert to_edge_hosts([]) == []


def test_pools() -> None:
    pools = [{"name": "cp", "control_plane": True, "hosts": [HOST], "taints": []}]
    member = {key: HOST[key] for key in ("name", "address", "gateway", "nic")}
    assert to_node_pools(pools) == [
        {"name": "cp", "control_plane": True, "taints": [], "hosts": [{"uid": "edge-1", **member}]}
    ]
    assert "backend" in HOST  # what is there stays as it was


def test_what_comes_out_are_options_of_the_modules() -> None:
    (host,) = to_edge_hosts([HOST])
    assert set(host) <= set(edge_host.ARGUMENTS["hosts"]["options"])
    (pool,) = to_node_pools([{"name": "cp", "hosts": [HOST]}])
    assert set(pool["hosts"][0]) <= set(POOL["hosts"]["options"])


def test_table() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "store-042-1", "clusters": ["a", "b"], "health": "healthy", "count": 0},
        {"name": "x", "clusters": [], "health": None},
    ]
    assert to_table(rows, ["name", "clusters", "health", "count"]) == [
        "NAME         CLUSTERS  HEALTH   COUNT",
        "store-042-1  a,b       healthy  0",
        "x            -         -        -",
    ]
    assert to_table(rows, {"agent_version": "health"}) == ["AGENT VERSION", "healthy", "-"]
    assert to_table([], ["name"]) == ["NAME"]


@pytest.mark.parametrize("given", ["text", {"a": 1}, 5, None])
@pytest.mark.parametrize("name", ["to_edge_hosts", "to_node_pools", "to_table"])
def test_not_a_list(name: str, given: Any) -> None:
    function = FilterModule().filters()[name]
    with pytest.raises(AnsibleFilterError, match=f"palette.edge.{name} takes a list"):
        function(given, ["a"]) if name == "to_table" else function(given)


@pytest.mark.parametrize("given", [[{"name": "no-id"}], ["text"]])
def test_a_host_without_an_id(given: list[Any]) -> None:
    with pytest.raises(AnsibleFilterError, match=r"palette\.edge\.to_edge_hosts"):
        to_edge_hosts(given)
