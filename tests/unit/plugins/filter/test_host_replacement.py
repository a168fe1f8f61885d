# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What replaces what, from any state that a cut can leave."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.filter.host_replacement import FilterModule, host_replacement


def host(number: int, **more: Any) -> dict[str, Any]:
    return {"name": f"s-{number}", "id": f"edge-{number}", "address": f"10.0.0.{number}/24", **more}


def definition(control: list[int], workers: list[int] | None = None, **more: Any) -> dict[str, Any]:
    pools = [{"name": "cp", "control_plane": True, "hosts": [host(one) for one in control]}]
    if workers is not None:
        pools.append({"name": "workers", "architecture": "arm64", "hosts": [host(one) for one in workers]})
    return {"name": "s", "node_pools": pools, **more}


def cluster(control: list[int], workers: list[int] | None = None) -> dict[str, Any]:
    def members(numbers: list[int]) -> list[dict[str, str]]:
        return [{"uid": f"edge-{one}", "name": f"s-{one}", "address": f"10.0.0.{one}"} for one in numbers]

    pools = [{"name": "cp", "control_plane": True, "hosts": members(control)}]
    if workers is not None:
        pools.append({"name": "workers", "control_plane": False, "hosts": members(workers)})
    return {"name": "s", "node_pools": pools}


HOSTS = [host(number) for number in range(1, 8)]


def look(have: dict[str, Any], wanted: dict[str, Any], **named: str) -> dict[str, Any]:
    function = FilterModule().filters()["host_replacement"]
    return dict(function(have, wanted, HOSTS, **named))


def test_each_state_on_the_way_by_the_site_file() -> None:
    wanted = definition([1, 3, 4])
    first = look(cluster([1, 2, 3]), wanted)
    assert (first["stage"], first["old"], first["new"], first["pool"]) == ("add", "edge-2", "edge-4", "cp")
    assert (first["old_name"], first["new_name"], first["members"], first["control_plane"]) == ("s-2", "s-4", 3, True)
    (pool,) = first["pools_to_add"]
    # The host alone, with the network of the file: the others stay because nobody takes them out.
    assert pool == {
        "name": "cp",
        "control_plane": True,
        "hosts": [{"uid": "edge-4", "name": "s-4", "address": "10.0.0.4/24"}],
    }
    assert first["ask"] == {"entry": "s-1", "ids": ["edge-1", "edge-3"], "addresses": ["10.0.0.1", "10.0.0.3"]}

    second = look(cluster([1, 2, 3, 4]), wanted)
    assert (second["stage"], second["old"], second["members"]) == ("remove", "edge-2", 3)
    (pool,) = second["pools_to_remove"]
    assert [one["uid"] for one in pool["hosts"]] == ["edge-1", "edge-3", "edge-4"]

    assert look(cluster([1, 3, 4]), wanted)["stage"] == "done"


def test_each_state_on_the_way_by_names() -> None:
    before = definition([1, 2, 3])
    for named in ({"old": "edge-2", "new": "edge-4"}, {"old": "s-2", "new": "s-4"}):
        first = look(cluster([1, 2, 3]), before, **named)
        assert (first["stage"], first["old"], first["new"]) == ("add", "edge-2", "edge-4")
        assert first["pools_to_add"][0]["hosts"][0]["address"] == "10.0.0.4/24"
        second = look(cluster([1, 2, 3, 4]), before, **named)
        assert (second["stage"], second["members"]) == ("remove", 3)
        assert "edge-4" not in second["ask"]["ids"]
        assert [one["uid"] for one in second["pools_to_remove"][0]["hosts"]] == ["edge-1", "edge-3", "edge-4"]
        third = look(cluster([1, 3, 4]), before, **named)
        assert third["stage"] == "done"
        assert third["members"] == 3


def test_a_worker() -> None:
    found = look(cluster([1], [2, 3]), definition([1], [2, 4]))
    assert (found["stage"], found["pool"], found["control_plane"], found["architecture"]) == (
        "add", "workers", False, "arm64",
    )  # fmt: skip
    # A definition has a control plane; this one is left as it is.
    assert found["pools_to_add"][1] == {"name": "cp", "control_plane": True}
    assert [one["uid"] for one in found["pools_to_remove"][0]["hosts"]] == ["edge-2", "edge-4"]


def test_two_nodes_in_one_edit_and_the_role_goes_over() -> None:
    wanted = definition([1, 2], two_node=True)
    wanted["node_pools"][0]["hosts"] = [host(1, two_node_role="primary"), host(2, two_node_role="secondary")]
    found = look(cluster([1, 2]), wanted, old="edge-2", new="edge-4")
    assert (found["stage"], found["two_node"]) == ("edit", True)
    assert found["pools_to_remove"][0]["hosts"] == [
        {"uid": "edge-1", "two_node_role": "primary"},
        {"uid": "edge-4", "name": "s-4", "address": "10.0.0.4/24", "two_node_role": "secondary"},
    ]


@pytest.mark.parametrize(
    ("have", "wanted", "named", "words"),
    [
        (cluster([1, 2, 3]), definition([1, 4, 5]), {}, "takes edge-2, edge-3 out of the cluster s and puts edge-4, edge-5"),
        (cluster([1, 2, 3]), definition([1, 2, 3], [4]), {}, "adds edge-4 to the cluster s and takes no host out"),
        (cluster([1], [2]), definition([2], [4]), {}, "puts edge-4 in, but also moves edge-2 to another pool"),
        (cluster([1, 2, 3]), definition([1, 2, 3]), {"old": "edge-2"}, "replace_new: give both"),
        (cluster([1, 2, 3]), definition([1, 2, 3]), {"new": "edge-2"}, "replace_old: give both"),
        (cluster([1, 2, 3]), definition([1, 2, 3]), {"old": "edge-2", "new": "s-2"}, "replace_new: s-2 is the host that"),
        (cluster([1, 2, 3]), definition([1, 2, 3]), {"old": "edge-7", "new": "edge-6"}, "its hosts are edge-1, edge-2"),
        (cluster([1, 2, 3]), definition([1, 2]), {}, "edge-3 has no replacement: no new host stands beside the 3 control"),
        (cluster([1, 2, 3]), definition([1, 2, 3]), {"old": "s-1", "new": "s-3"}, "edge-3 is one of the 3 control planes"),
        (cluster([1], [2]), definition([1], [2]), {"old": "s-1", "new": "s-2"}, "replace_new: edge-2 is in use by the"),
        (cluster([1], [2]), definition([1, 4], []), {}, "a replacement stays in its pool"),
    ],
)  # fmt: skip
def test_what_is_no_replacement(have: Any, wanted: Any, named: dict[str, str], words: str) -> None:
    found = host_replacement(have, wanted, HOSTS, **named)
    assert found["stage"] == "refused"
    assert words in found["problem"]
    assert "\n" not in found["problem"]
