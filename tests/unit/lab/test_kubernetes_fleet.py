"""All clusters of a lab: which get a keeper, which are handed back, and what is told when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import FakeHost, cluster, membership
from lab.kubernetes import fleet
from lab.kubernetes.desired import Desired
from lab.kubernetes.fleet import Fleet
from lab.kubernetes.provider import Delivery


class FakeKeeper:
    """Remembers what it is given."""

    made: list[FakeKeeper]

    def __init__(self, desired: Desired, folder: Path, around: Any) -> None:
        self.desired, self.folder, self.ended = desired, folder, False
        folder.mkdir(parents=True, exist_ok=True)
        self.made.append(self)

    def end(self) -> None:
        """Noted."""
        self.ended = True


class World:
    """A fleet without a thread, whose controller is the test's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "clusters"
        self.hosts = {uid: FakeHost(uid) for uid in ("cp1", "w1")}
        self.asked: list[tuple[str, str, Any]] = []
        self.away = False
        self.keepers: list[FakeKeeper] = []
        self.now = 1000.0
        monkeypatch.setattr(Fleet, "_run", lambda fleet: None)
        monkeypatch.setattr(fleet, "Keeper", type("Keeper", (FakeKeeper,), {"made": self.keepers}))
        monkeypatch.setattr(fleet.time, "monotonic", lambda: self.now)
        self.fleet = Fleet(
            folder=self.folder,
            delivery=Delivery.nothing("x"),
            hosts=lambda: self.hosts,  # type: ignore[arg-type,return-value]
            netns=folder,
            url=lambda: "https://127.0.0.1:1",
            ca=folder / "ca.pem",
            key="key",
        )
        monkeypatch.setattr(self.fleet, "_ask", self._ask)

    def take(self, *wanted: Desired) -> None:
        """What the controller wants at present."""
        self.fleet._take(list(wanted))

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        if self.away:
            raise requests.ConnectionError("refused")
        self.asked.append((method, path, body))
        return {}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two booted hosts that are up."""
    made = World(tmp_path, monkeypatch)
    yield made
    made.fleet.end()


def test_a_cluster_of_booted_hosts_gets_one_keeper(world: World) -> None:
    first, second = cluster("cp1", "w1"), cluster("cp1")
    world.take(first)
    world.take(second)
    (keeper,) = world.keepers
    assert (keeper.desired, keeper.folder) == (second, world.folder / "c1")
    assert world.asked == []


def test_a_cluster_with_a_host_of_elsewhere_is_handed_back(world: World) -> None:
    world.take(cluster("cp1", "speaker"))
    assert world.keepers == []
    assert world.asked == [("PUT", "/lab/v1/clusters/c1", {"formedBy": "states", "revision": 1})]


def test_hosts_that_have_not_booted_yet_may_get_other_names(world: World) -> None:
    world.hosts["w1"].up = False
    world.take(cluster("cp1", "named-by-user-data"))
    assert world.asked == []
    world.now += 31.0
    world.take(cluster("cp1", "named-by-user-data"))
    assert len(world.asked) == 1


def test_a_cluster_that_was_begun_is_kept_whatever_hosts_it_has(world: World) -> None:
    (world.folder / "c1").mkdir(parents=True)
    world.take(cluster("cp1", "speaker"))
    assert len(world.keepers) == 1
    assert world.asked == []


def test_a_cluster_that_is_gone_is_not_kept_and_its_keys_are_removed(world: World) -> None:
    world.take(cluster("cp1"))
    (world.folder / "c1" / "admin.conf").write_text("secret")
    world.take()
    assert world.keepers[0].ended
    assert not (world.folder / "c1").exists()


def test_a_host_whose_cluster_is_gone_is_reset_as_soon_as_it_is_up(world: World) -> None:
    desired = cluster("cp1")
    for host in world.hosts.values():
        host.membership = membership(desired, host.uid)
    world.hosts["w1"].up = False
    world.take(desired)
    assert [host.journal for host in world.hosts.values()] == [[], []]
    world.take()
    assert [host.journal for host in world.hosts.values()] == [["cp1: forget"], []]
    world.hosts["w1"].up = True
    world.take()
    assert world.hosts["w1"].journal == ["w1: forget"]


def test_only_news_are_told(world: World) -> None:
    world.fleet._report("c1", {"state": "Pending"})
    world.fleet._report("c1", {"state": "Pending"})
    world.fleet._report("c2", {"state": "Pending"})
    world.fleet._report("c1", {"state": "Running"})
    assert [(path, body["state"]) for _method, path, body in world.asked] == [
        ("/lab/v1/clusters/c1", "Pending"),
        ("/lab/v1/clusters/c2", "Pending"),
        ("/lab/v1/clusters/c1", "Running"),
    ]


def test_what_could_not_be_told_is_told_later(world: World) -> None:
    world.away = True
    world.fleet._report("c1", {"state": "Running"})
    world.away = False
    world.fleet._report("c1", {"state": "Running"})
    assert len(world.asked) == 1


def test_at_the_end_all_keepers_end(world: World) -> None:
    world.take(cluster("cp1"))
    world.fleet.end()
    assert world.keepers[0].ended
