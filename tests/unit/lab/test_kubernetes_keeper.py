"""A cluster's keeper: what it tells Palette, when it says that something is wrong, and that it goes on trying."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import (
    V1,
    V2,
    FakeHost,
    FakeKubectl,
    cluster,
    membership,
    nodes,
    packs,
)
from lab.kubernetes import keeper, proxy
from lab.kubernetes.desired import Desired, Layer
from lab.kubernetes.keeper import Keeper, Surroundings
from lab.kubernetes.kubectl import ApiError
from lab.kubernetes.plan import Membership, Step
from lab.kubernetes.provider import Delivery
from lab.kubernetes.steps import Known, StepError

ADMIN = {"clusters": [{"name": "store", "cluster": {"server": "https://10.0.0.10:6443"}}], "users": []}


class World:
    """One keeper without a thread, whose turns are the test's; steps are noted, and fail with ``words``."""

    def __init__(self, folder: Path, *uids: str, delivery: Delivery | None = None, **more: Any) -> None:
        self.folder = folder
        self.desired = cluster(*uids, **more)
        self.hosts = {uid: FakeHost(uid) for uid in uids}
        self.kubectl = FakeKubectl()
        self.reports: list[dict[str, Any]] = []
        self.done: list[Step] = []
        self.words = ""
        self.held: threading.Event | None = None
        found = delivery or Delivery("built", "x", "kubeadm", folder, (V1, V2))
        around = Surroundings(found, lambda: self.hosts, folder, lambda uid, body: self.reports.append(body))  # type: ignore[arg-type,return-value]
        self.keeper = Keeper(self.desired, folder / "c1", around)
        self.keeper._steps.do = self._do  # type: ignore[method-assign]
        self.keeper._steps.kubectl = lambda: self.kubectl  # type: ignore[method-assign]

    def formed(self, **more: Any) -> World:
        """All hosts are nodes, and ready."""
        for uid, host in self.hosts.items():
            host.membership = membership(self.desired, uid)
        self.keeper._known.keep(formed=True, version=V1, endpoint="10.0.0.10", **more)
        self.kubectl.answers["kubectl get nodes"] = nodes(*self.hosts)
        (self.folder / "c1" / "admin.conf").write_text(yaml.safe_dump(ADMIN))
        return self

    def turn(self, desired: Desired | None = None) -> dict[str, Any]:
        """One turn, without waiting after a failure, and the step that it begins; returns what was reported."""
        self.keeper.desired = desired or self.keeper.desired
        self.keeper._finish()
        self.keeper._trouble.again = 0.0
        self.keeper._turn()
        if self.keeper._doing is not None and self.held is None:
            self.keeper._doing[1].exception(timeout=5)
        return self.reports[-1]

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and message of a condition of the last report."""
        (found,) = [one for one in self.reports[-1]["conditions"] if one["type"] == kind]
        return found["status"], found["message"]

    def _do(self, step: Step, desired: Desired) -> None:
        self.done.append(step)
        if self.held is not None:
            self.held.wait(5)
        if self.words:
            raise StepError(self.words)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Makes worlds; their keepers have no threads of their own, and the proxies no processes."""
    made: list[World] = []
    monkeypatch.setattr(Keeper, "_run", lambda self: None)
    monkeypatch.setattr(proxy.Proxy, "open", lambda self, address, port=0: port or 40123)

    def world(*uids: str, **more: Any) -> World:
        made.append(World(tmp_path, *uids, **more))
        return made[-1]

    yield world
    for one in made:
        if one.held is not None:
            one.held.set()
        one.keeper.end()


# -- what the lab cannot do


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            packs("1.31.1"),
            "Kubernetes 1.31.1 of the pack edge-k8s is not there; this lab has 1.20.2, 1.20.3 (built)",
        ),
        (
            (Layer("p", "edge-k3s", "k8s", "spectro", V1),),
            "the lab does not form Kubernetes from the pack edge-k3s; this lab has 1.20.2, 1.20.3 (built)",
        ),
        ((Layer("p", "hello", "addon", "spectro", "1"),), "no attached profile has a Kubernetes layer"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_what_there_is(
    make: Callable[..., World], layers: tuple[Layer, ...], words: str
) -> None:
    world = make("cp1", layers=layers)
    assert world.turn()["state"] == "Error"
    assert world.condition("AsDefined") == ("False", words)
    assert world.done == []


def test_a_cluster_that_cannot_be_is_deleted_all_the_same(make: Callable[..., World]) -> None:
    world = make("cp1", layers=packs("1.31.1"))
    assert world.turn(replace(world.desired, deleting=True))["state"] == "Deleted"


def test_k3s_is_formed_from_its_own_pack(make: Callable[..., World], tmp_path: Path) -> None:
    world = make(
        "cp1",
        layers=(Layer("p", "edge-k3s", "k8s", "spectro", "1.31.4"),),
        delivery=Delivery("k3s", "x", "k3s", tmp_path, ("1.31.4",)),
    )
    assert world.turn()["state"] == "Pending"
    assert [step.kind for step in world.done] == ["init"]


# -- states


def test_a_new_cluster_is_pending_then_provisioning_then_running(make: Callable[..., World]) -> None:
    world = make("cp1", "w1")
    first = world.turn()
    assert (first["formedBy"], first["state"], first["health"], first["revision"]) == (
        "kubernetes",
        "Pending",
        "Unknown",
        1,
    )
    assert (first["kubernetesVersion"], first["kubeconfig"]) == ("", {})
    assert {one["state"] for one in first["machines"].values()} == {"Pending"}
    world.hosts["cp1"].membership = membership(world.desired, "cp1", joined=False)
    begun = world.turn()
    assert begun["state"] == "Provisioning"
    assert begun["machines"]["cp1"]["state"] == "Provisioning"
    world.formed()
    whole = world.turn()
    assert (whole["state"], whole["health"], whole["kubernetesVersion"]) == ("Running", "Healthy", V1)
    assert {uid: (one["state"], one["ready"]) for uid, one in whole["machines"].items()} == {
        "cp1": ("Running", True),
        "w1": ("Running", True),
    }
    assert Known.read(world.folder / "c1").complete


def test_a_node_that_is_not_ready_is_told_with_its_words(make: Callable[..., World]) -> None:
    world = make("cp1", "w1").formed(complete=True)
    world.kubectl.answers["kubectl get nodes"] = nodes("cp1", "w1", ill=["w1"])
    found = world.turn()
    assert (found["state"], found["health"]) == ("Running", "UnHealthy")
    assert world.condition("NodesReady") == ("False", "node w1 is not ready: kubelet is silent")
    (condition,) = found["machines"]["w1"]["conditions"]
    assert (found["machines"]["w1"]["state"], found["machines"]["w1"]["ready"]) == ("Running", False)
    assert (condition["status"], condition["message"]) == ("False", "kubelet is silent")


def test_before_it_was_whole_once_a_machine_that_is_not_ready_is_only_provisioned(make: Callable[..., World]) -> None:
    world = make("cp1", "w1").formed()
    world.kubectl.answers["kubectl get nodes"] = nodes("cp1")
    found = world.turn()
    assert found["state"] == "Provisioning"
    assert {uid: one["state"] for uid, one in found["machines"].items()} == {"cp1": "Running", "w1": "Provisioned"}
    assert found["machines"]["w1"]["conditions"][0]["message"] == "no such node"


def test_when_no_api_server_answers_it_is_unhealthy_and_left_alone(make: Callable[..., World]) -> None:
    world = make("cp1").formed(complete=True)
    world.kubectl.answers["kubectl get nodes"] = ApiError("connection refused")
    found = world.turn(replace(world.desired, layers=packs(V2)))
    assert (found["state"], found["health"]) == ("Running", "UnHealthy")
    assert world.condition("NodesReady") == ("False", "no API server answers")
    assert world.done == []


def test_hosts_that_are_away_are_named(make: Callable[..., World]) -> None:
    world = make("cp1", "w1").formed(complete=True)
    world.hosts["w1"].up = False
    world.turn()
    assert world.condition("EdgeHostsReady") == ("False", "Waiting for Edge hosts: w1")


def test_the_layer_of_kubernetes_is_not_ready_during_an_upgrade(make: Callable[..., World]) -> None:
    world = make("cp1", "w1").formed(complete=True)
    world.hosts["cp1"].membership = membership(world.desired, "cp1", version=V2)
    found = world.turn(replace(world.desired, layers=packs(V2)))
    told = {one["name"]: (one["condition"]["type"], one["condition"]["message"]) for one in found["packs"]}
    assert told == {"edge-native-byoi": ("Ready", ""), "edge-k8s": ("Installed", f"not yet {V2}: w1")}
    assert world.done == [Step("upgrade", ("w1",), node="w1")]


# -- steps that fail


def test_a_step_that_fails_is_told_at_once_and_an_error_only_after_three(make: Callable[..., World]) -> None:
    world = make("cp1")
    world.words = "forming the control plane on cp1: too little memory"
    states = []
    for _turn in range(4):
        states.append(world.turn()["state"])
    assert states == ["Pending", "Pending", "Pending", "Error"]
    assert world.condition("AsDefined") == ("False", world.words)
    assert len(world.done) == 4
    world.words = ""
    world.turn()
    assert world.turn()["state"] == "Pending"
    assert world.condition("AsDefined") == ("True", "")


def test_it_waits_longer_from_time_to_time(make: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    world = make("cp1")
    world.words = "no"
    monkeypatch.setattr(keeper.time, "monotonic", lambda: 100.0)
    waits = []
    for _turn in range(8):
        world.turn()
        world.keeper._finish()
        waits.append(world.keeper._trouble.again - 100.0)
    assert waits == [3.0, 6.0, 12.0, 24.0, 48.0, 60.0, 60.0, 60.0]
    before = len(world.done)
    world.keeper._turn()
    assert len(world.done) == before


def test_what_is_not_foreseen_is_told_with_its_kind(make: Callable[..., World]) -> None:
    world = make("cp1")

    def broken(step: Step, desired: Desired) -> None:
        raise KeyError("x")

    world.keeper._steps.do = broken  # type: ignore[method-assign]
    for _turn in range(2):
        world.turn()
    assert world.condition("AsDefined") == ("False", "forming the control plane on cp1: KeyError: 'x'")


def test_while_a_step_is_done_no_other_is_begun_and_nobody_is_let_go(make: Callable[..., World]) -> None:
    world = make("cp1")
    world.hosts["free"] = FakeHost("free")
    world.held = threading.Event()
    assert world.turn()["gone"] == ["free"]
    assert world.turn()["gone"] == []
    assert world.turn()["state"] == "Pending"
    world.held.set()
    assert world.keeper._doing is not None
    world.keeper._doing[1].exception(timeout=5)
    assert len(world.done) == 1
    assert world.turn()["gone"] == ["free"]


def test_a_host_is_gone_when_it_is_free_of_this_cluster(make: Callable[..., World]) -> None:
    world = make("cp1", "w1", "w2").formed(complete=True)
    world.hosts["w3"] = FakeHost("w3", membership=Membership("other", False, V1, "w3"))
    smaller = replace(world.desired, members=world.desired.members[:2])
    assert world.turn(smaller)["gone"] == ["w3"]
    assert world.done == [Step("leave", ("w2",), node="w2")]
    world.hosts["w2"].membership = None
    assert world.turn()["gone"] == ["w2", "w3"]


# -- the end, and access


def test_a_cluster_is_deleted_when_all_of_its_hosts_are_clean(make: Callable[..., World]) -> None:
    world = make("cp1", "w1").formed(complete=True)
    world.hosts["w1"].up = False
    deleting = replace(world.desired, deleting=True)
    assert world.turn(deleting) == {"formedBy": "kubernetes", "state": "Deleting", "revision": 1}
    assert [(step.kind, step.hosts) for step in world.done] == [("reset", ("cp1",))]
    world.hosts["cp1"].membership = None
    assert world.turn()["state"] == "Deleting"
    world.hosts["w1"].membership = None
    assert world.turn()["state"] == "Deleted"
    assert len(world.done) == 1


def test_the_kubeconfig_is_told_for_both_ways(make: Callable[..., World]) -> None:
    world = make("cp1").formed()
    found = world.turn()["kubeconfig"]
    assert yaml.safe_load(found["admin"]) == ADMIN
    assert yaml.safe_load(found["proxy"])["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:40123"
    assert Known.read(world.folder / "c1").port == 40123


def test_a_keeper_goes_on_from_what_is_on_disk(make: Callable[..., World]) -> None:
    make("cp1").formed(complete=True).turn()
    again = make("cp1")
    again.hosts["cp1"].membership = membership(again.desired, "cp1")
    again.kubectl.answers["kubectl get nodes"] = nodes("cp1")
    assert again.turn()["state"] == "Running"
