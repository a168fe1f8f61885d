# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node pools and nodes on the lab's controller: changes of pools cut after each write, quorum, cordon and uncordon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, cut_in_turn, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]
Result = dict[str, Any]
HOSTS = [f"edge-{number}" for number in range(1, 10)]
LAYERS = [
    {"name": "edge-native-byoi", "version": "2.1.0"},
    {"name": "edge-k3s", "version": "1.30.4"},
    {"name": "cni-calico", "version": "3.28.0"},
]


def pool(name: str, *numbers: int, **more: Any) -> Result:
    return {"name": name, "hosts": [{"uid": f"edge-{number}"} for number in numbers], **more}


def plane(*numbers: int, **more: Any) -> Result:
    return pool("plane", *numbers, control_plane=True, **more)


def change(*pools: Result, **more: Any) -> Result:
    return {"name": "store-042", "node_pools": list(pools), "retry_timeout": 5, **more}


def done(result: Result) -> Result:
    assert not result.get("failed"), result
    return result


def formed(*pools: Result, **more: Any) -> Callable[[LabServer], None]:
    """What brings a lab to a cluster of these pools."""

    def prepare(lab: LabServer) -> None:
        lab.hosts(*HOSTS)
        done(run_module("cluster_profile", {"name": "edge-store", "packs": LAYERS}))
        profiles = [{"name": "edge-store", "version": "1.0.0"}]
        did = run_module("cluster", change(*pools, profiles=profiles, vip="10.42.0.10", **more))
        assert done(did)["cluster"]["state"] == "Running"

    return prepare


def pools_of(lab: LabServer) -> Result:
    (config,) = lab.world.lab.store.all("config")
    return {
        one["name"]: sorted(host["hostUid"] for host in one["hosts"]) for one in config["spec"]["machinePoolConfig"]
    }


def state(lab: LabServer) -> Any:
    """Pools with their settings, machines that stay, hosts in use."""
    lab.sleep(60)
    (config,) = lab.world.lab.store.all("config")
    (one,) = lab.world.lab.store.all("cluster")
    settings = [
        {key: value for key, value in pool.items() if key != "hosts"} for pool in config["spec"]["machinePoolConfig"]
    ]
    machines = [(found["_lab"]["pool"], found["spec"]["edgeHostUid"]) for found in config["_lab"]["machines"]]
    used = [host["metadata"]["uid"] for host in lab.world.lab.store.all("host") if host["status"]["state"] == "in-use"]
    return pools_of(lab), sorted(settings, key=str), sorted(machines), sorted(used), one["status"]["state"]


def cut(folder: Path, environment: pytest.MonkeyPatch, before: Callable[[LabServer], None], options: Result) -> int:
    run = {"prepare": before, "run": lambda: run_module("cluster", options), "state": state}
    return cut_in_turn(folder, environment, **run)


def test_pools_are_added_and_hosts_exchanged(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    new = pool("more", 5, 6, taints=taints, additional_labels={"zone": "a"})
    options = change(plane(1), pool("workers", 2, 4, node_repave_interval=60), new)
    assert cut(tmp_path, environment, formed(plane(1), pool("workers", 2, 3)), options) == 4


def test_a_pool_gets_smaller(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    options = change(plane(1), pool("workers", 2))
    assert cut(tmp_path, environment, formed(plane(1), pool("workers", 2, 3, 4)), options) == 3


def test_a_pool_goes_and_its_host_comes_to_others(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    options = change(plane(1), pool("workers", 2, 3), pool("new", 4), {"name": "old", "state": "absent"})
    assert cut(tmp_path, environment, formed(plane(1), pool("workers", 2), pool("old", 3, 4)), options) == 5


def test_pools_that_swap_hosts(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    options = change(plane(1), pool("a", 2, 5), pool("b", 4, 3), purge_node_pools=True)
    assert cut(tmp_path, environment, formed(plane(1), pool("a", 2, 3), pool("b", 4, 5)), options) == 6


def test_the_control_plane_grows_and_a_host_is_replaced(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    # What the playbook replace_host does, in its two halves.
    grown = change(plane(4), purge_hosts=False)
    assert cut(tmp_path / "add", environment, formed(plane(1, 2, 3)), grown) == 1

    def between(lab: LabServer) -> None:
        formed(plane(1, 2, 3))(lab)
        done(run_module("cluster", grown))

    assert cut(tmp_path / "remove", environment, between, change(plane(2, 3, 4))) == 2


def test_a_host_of_two_nodes_is_replaced_in_one_edit(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    before = formed(plane(1, 2), two_node=True)
    assert cut(tmp_path, environment, before, change(plane(2, 3), two_node=True)) == 2


@pytest.fixture
def lab(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LabServer]:
    with lab_server(tmp_path, environment) as made:
        formed(plane(1, 2, 3), pool("workers", 4, 5))(made)
        yield made


def test_what_check_mode_says_is_done(lab: LabServer) -> None:
    for options in (
        change(plane(1, 2, 3), pool("workers", 4, 6)),
        change(plane(1, 2, 3), pool("workers", 5), purge_hosts=False),
        change(plane(1, 2, 3), pool("new", 7, override_kubeadm_configuration="a: 1"), purge_node_pools=True),
        change(plane(1, 2, 3, 8, 9)),
    ):
        writes = len(lab.writes)
        said = run_module("cluster", options, check=True)
        assert len(lab.writes) == writes
        did = done(run_module("cluster", options))
        assert (said["changed"], said["steps"]) == (True, did["steps"])
        assert len(lab.writes) == writes + len(did["steps"])
        again = done(run_module("cluster", options))
        assert again["changed"] is False, again["steps"]
    assert pools_of(lab) == {"plane": ["edge-1", "edge-2", "edge-3", "edge-8", "edge-9"], "new": ["edge-7"]}


def test_yaml_is_compared_by_what_it_means(lab: LabServer) -> None:
    kubeadm, health = "override_kubeadm_configuration", "override_health_check_configuration"
    done(run_module("cluster", change(plane(1, 2, 3), pool("new", 6, **{kubeadm: "a: {b: 1}", health: "c: 1"}))))
    same = {kubeadm: "# ours\na:\n  b: 1\n", health: "c:   1"}
    assert done(run_module("cluster", change(plane(1, 2, 3), pool("new", 6, **same))))["changed"] is False
    other = change(plane(1, 2, 3), pool("new", 6, **{**same, health: "c: 2"}))
    assert done(run_module("cluster", other))["changed"] is True
    assert done(run_module("cluster", other))["changed"] is False


@pytest.mark.parametrize(
    ("pools", "more", "text"),
    [
        ([plane(1, 2)], {}, "plane has 2 hosts, the number of control planes must be odd"),
        ([plane(1, 2, 3, 6)], {}, "plane has 4 hosts, the number of control planes must be odd"),
        ([plane(6, 7, 8)], {"purge_hosts": False}, "plane has 6 hosts, the number of control planes must be odd"),
        ([plane(1, 2, 6)], {}, "would lose edge-3 before edge-6 has joined: add first"),
        ([plane(1)], {}, "plane has 3 hosts and cannot do without edge-2, edge-3: delete the cluster"),
        ([pool("other", 6, control_plane=True)], {}, "other cannot be the control plane, plane is it"),
        ([plane(1, 2, 3), pool("more", 4)], {}, "edge-4 cannot come to more while workers has it"),
        ([plane(1, 2, 3), pool("workers")], {}, "workers would have no hosts left: remove the pool with state: absent"),
        ([plane(1, 2, 3), pool("more")], {}, "the pool more is not there yet, and a new one needs its hosts"),
        ([plane(1, 2, 3, state="absent")], {}, "plane is the control plane and cannot be removed"),
        ([plane(1, 2, 3), pool("workers", 4, 5, architecture="arm64")], {}, "the architecture of workers is amd64"),
        ([plane(1, 2, 3), pool("workers", 4, 99)], {}, "edge-99 is not registered in this project"),
    ],
)
def test_what_is_refused_before_anything_is_written(
    lab: LabServer, pools: list[Result], more: Result, text: str
) -> None:
    writes = len(lab.writes)
    assert text in failure("cluster", change(*pools, **more))
    assert len(lab.writes) == writes


def test_a_host_that_is_unwell_is_refused(lab: LabServer) -> None:
    lab.beats = tuple(uid for uid in lab.beats if uid != "edge-9")
    lab.sleep(60)
    text = failure("cluster", change(plane(1, 2, 3), pool("workers", 4, 5, 9)))
    assert "Edge host edge-9 is unhealthy (No heartbeat from the host): see that it runs" in text


def test_nodes_are_cordoned_and_uncordoned(lab: LabServer) -> None:
    for schedulable in (False, True):
        options = {"cluster": "store-042", "node": "edge-4", "schedulable": schedulable}
        said = run_module("cluster_node", options, check=True)
        did = done(run_module("cluster_node", options))
        assert said["steps"] == did["steps"] != []
        assert did["cluster_node"]["schedulable"] is schedulable
        assert done(run_module("cluster_node", options))["changed"] is False


def test_a_cordon_cut_after_its_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    options = {"cluster": "store-042", "node": "edge-1", "schedulable": False, "retry_timeout": 5}

    def cordoned(lab: LabServer) -> Any:
        (config,) = lab.world.lab.store.all("config")
        return [one["status"]["maintenanceStatus"] for one in config["_lab"]["machines"]]

    run = {"prepare": formed(plane(1)), "run": lambda: run_module("cluster_node", options), "state": cordoned}
    assert cut_in_turn(tmp_path, environment, **run) == 1
