"""What forms the clusters of a lab: as asked, as before, or the first that can be had, and why not more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.hosts import cgroups
from lab.instance import kubernetes, processes
from lab.instance.state import Instance, LabError, write_json
from lab.kubernetes import room
from lab.kubernetes.provider import Delivery, ProviderError

BUILT = Delivery("built", "1.20.2, built", "kubeadm", Path("/cache/kubernetes"), ("1.20.2",))
ALL = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "blkio"}


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setattr(cgroups, "controllers", lambda: ALL)
    monkeypatch.setattr(room, "available_memory", lambda: 8000)
    return Instance(tmp_path, "test-choice")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The wishes that a provider was asked for."""
    wishes: list[str] = []

    def deliver(wish: str, *, say: Callable[[str], None]) -> Delivery:
        wishes.append(wish)
        return BUILT

    monkeypatch.setattr(kubernetes, "deliver", deliver)
    return wishes


def test_the_first_that_can_be_had_is_taken_and_said(instance: Instance, asked: list[str]) -> None:
    said: list[str] = []
    assert kubernetes.choose(instance, None, booted=3, say=said.append) == BUILT
    assert asked == ["auto"]
    assert said == ["kubernetes: 1.20.2, built"]


def test_what_was_chosen_before_is_kept(instance: Instance, asked: list[str]) -> None:
    write_json(instance.instance_json, {"kubernetes": "official=/there"})
    kubernetes.choose(instance, None, booted=1, say=print)
    kubernetes.choose(instance, "built", booted=1, say=print)
    assert asked == ["official=/there", "built"]


def test_without_hosts_that_boot_there_is_none(instance: Instance, asked: list[str]) -> None:
    found = kubernetes.choose(instance, None, booted=0, say=print)
    assert (found.directory, asked) == (None, [])
    assert "no host is booted" in found.says


def test_version_2_of_control_groups_falls_back_and_says_why(
    instance: Instance, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "controllers", set)
    said: list[str] = []
    assert kubernetes.choose(instance, None, booted=3, say=said.append).directory is None
    assert asked == []
    assert "control groups of version 1 are needed" in said[0]
    with pytest.raises(LabError, match=r"--kubernetes built: control groups of version 1 are needed.*cpuset"):
        kubernetes.choose(instance, "built", booted=3, say=print)


def test_too_little_memory_is_told_with_figures(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available_memory", lambda: 900)
    said: list[str] = []
    assert kubernetes.choose(instance, "auto", booted=3, say=said.append).directory is None
    assert "1100 MiB are needed, 900 MiB are free" in said[0]


def test_a_provider_that_fails_is_an_error_for_people(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(wish: str, *, say: Callable[[str], None]) -> Delivery:
        raise ProviderError("it cannot be had")

    monkeypatch.setattr(kubernetes, "deliver", refuse)
    with pytest.raises(LabError, match=r"^it cannot be had$"):
        kubernetes.choose(instance, "built", booted=1, say=print)


def test_hosts_that_run_keep_what_they_were_started_with(
    instance: Instance, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "running", lambda instance, part: 1)
    write_json(instance.instance_json, {"kubernetes": "built"})
    write_json(instance.config_json, {"kubernetes": BUILT.as_data()})
    assert kubernetes.choose(instance, None, booted=1, say=print) == BUILT
    assert kubernetes.choose(instance, "built", booted=1, say=print) == BUILT
    with pytest.raises(LabError, match="the hosts run with --kubernetes built: 'down' first"):
        kubernetes.choose(instance, "none", booted=1, say=print)
    assert asked == []


def test_the_controller_is_told_the_pack_and_its_versions() -> None:
    assert kubernetes.for_controller(BUILT) == ["--kubernetes", "edge-k8s=1.20.2"]
    assert kubernetes.for_controller(Delivery.nothing("x")) == []
