# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job with hosts that only speak to the controller, when all is well and while Palette fails in ways it does."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import REPOSITORY, STORE_042, Lab, Run

pytestmark = pytest.mark.lab

NAMES = [f"store-042-{number}" for number in (1, 2, 3)]
EVERYONE = ["store-042", *NAMES]
NO_SSH: dict[str, Any] = {"extra": {"site_configuration_over_ssh": False}}
CREATIONS = {
    "/v1/clusterprofiles": 1,
    "/v1/edgehosts/tokens": 1,
    "/v1/edgehosts": 3,
    "/v1/spectroclusters/edge-native": 1,
}


@pytest.fixture
def lab(laboratory: Laboratory) -> Iterator[Lab]:
    with laboratory(STORE_042, "--speak-only", "--form-seconds", "2") as lab:
        yield lab


def check_runs(lab: Lab) -> None:
    """The site runs, and there is one of each object."""
    hosts = {one["metadata"]["name"]: one["status"] for one in lab.search("edgehosts")}
    assert {name: (one["state"], one["health"]["state"]) for name, one in hosts.items()} == dict.fromkeys(
        NAMES, ("in-use", "healthy")
    )
    clusters = [(one["metadata"]["name"], one["status"]["state"]) for one in lab.search("spectroclusters")]
    assert clusters == [("store-042", "Running")]
    assert [one["metadata"]["name"] for one in lab.search("clusterprofiles")] == ["edge-store"]
    assert [one["metadata"]["name"] for one in lab.tokens()] == ["store-042"]


def posts(lab: Lab) -> Counter[str]:
    """How often each kind of object was asked to be made."""
    return Counter(one["path"] for one in lab.requests() if one["method"] == "POST" and one["path"] in CREATIONS)


def silence(lab: Lab) -> None:
    """No agent speaks, so that faults meet the job's own requests."""
    for name in NAMES:
        lab.command("fault", "host", name, "lose-heartbeat")


def speak(lab: Lab) -> None:
    """They speak again."""
    for name in NAMES:
        lab.command("fault", "host", name, "restore")


def test_without_ssh_the_job_is_done_and_the_steps_left_out_are_named(lab: Lab) -> None:
    run = lab.play(**NO_SSH)
    assert run.code == 0, run.tell()
    check_runs(lab)
    assert posts(lab) == CREATIONS
    said = [event["msg"] for event in run.results("ok", task="Say which steps are left out")]
    assert sorted(one.split()[0] for one in said) == NAMES
    assert all("Left out: finding the host, writing its site user-data, rebooting it" in one for one in said)
    assert run.results("ok", task="write it") == []
    before = lab.writes()
    again = lab.play(**NO_SSH)
    assert again.code == 0, again.tell()
    assert again.changed == dict.fromkeys(EVERYONE, 0)
    assert lab.writes() == before


def test_an_answer_lost_after_a_post_was_accepted_makes_nothing_twice(lab: Lab) -> None:
    silence(lab)
    cut = {"kind": "cut-after-accept", "method": "POST"}
    lab.fault(**cut, path="/v1/edgehosts/tokens", count=1)
    lab.fault(**cut, path="/v1/edgehosts", count=3)
    lab.fault(**cut, path="/v1/clusterprofiles", count=1)
    # The first POST there is the validation: a delay of nothing takes its turn.
    lab.fault("slow", method="POST", path="/v1/spectroclusters/edge-native", seconds=0, count=1)
    lab.fault(**cut, path="/v1/spectroclusters/edge-native", count=1)
    started = lab.start(**NO_SSH)
    started.until("waiting for 3 Edge hosts")
    assert [one["path"] for one in lab.faults()] == ["/v1/spectroclusters/edge-native"] * 2
    speak(lab)
    run = started.end()
    assert run.code == 0, run.tell()
    assert lab.faults() == []
    assert posts(lab) == CREATIONS
    check_runs(lab)


def test_bursts_of_429_and_503_are_borne(lab: Lab) -> None:
    silence(lab)
    lab.fault("status", status=429, count=4, path="/v1/edgehosts/edge-store-042", retry_after=1)
    lab.fault("status", status=429, count=3, path="/v1/edgehosts", method="POST")
    lab.fault("status", status=503, count=2, path="/v1/edgehosts/tokens", method="GET")
    lab.fault("status", status=503, count=2, path="/v1/dashboard/spectroclusters")
    lab.fault("slow", method="POST", path="/v1/spectroclusters/edge-native", seconds=0, count=1)
    lab.fault("status", status=503, count=1, path="/v1/spectroclusters/edge-native", method="POST")
    started = lab.start(**NO_SSH)
    started.until("waiting for 3 Edge hosts")
    speak(lab)
    run = started.end()
    assert run.code == 0, run.tell()
    assert lab.faults() == []
    assert Counter(one["status"] for one in lab.requests())[429] == 7
    assert Counter(one["status"] for one in lab.requests())[503] == 5
    check_runs(lab)


def test_a_controller_that_is_killed_between_phases_and_while_it_is_waited_for_costs_nothing(lab: Lab) -> None:
    program, state = shlex.join([sys.executable, "-m", "lab"]), shlex.quote(str(lab.state))
    kill, up = f"{program} fault controller kill --state {state}", f"{program} up --state {state}"
    restart = ["sh", "-c", f"cd {shlex.quote(str(REPOSITORY))} && {kill} && {up}"]
    started = lab.start(**NO_SSH, LAB_BETWEEN_PLAYS=shlex.join(restart))
    started.until("waiting for the cluster")
    lab.restart_controller()
    run = started.end()
    assert run.code == 0, run.tell()
    assert len([event for event in run.events if event["event"] == "play"]) == 7
    check_runs(lab)
    again: Run = lab.play(**NO_SSH)
    assert again.changed == dict.fromkeys(EVERYONE, 0), again.tell()
