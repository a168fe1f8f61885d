# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of a cluster's profiles that is taken back while it waits, and a fleet of clusters that is upgraded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World

CLUSTERS = "/v1/spectroclusters"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _version(world: World, version: str, kubernetes: str) -> str:
    return world.profile("edge", version, packs=[world.pack("edge-k8s", kubernetes)])


def _repave(world: World, uid: str) -> str:
    return str(world.cluster(uid)["status"]["repave"]["state"])


def test_a_repave_that_waits_is_reverted_when_the_change_is_taken_back(world: World) -> None:
    hosts = world.hosts("edge-1")
    old, new = _version(world, "1.0.0", "1.30.4"), _version(world, "1.1.0", "1.31.1")
    uid = world.create_cluster(*hosts, profile=old)
    world.later(4, beats=hosts)
    world.fault("repave-approval", name="store-042")
    change = f"{CLUSTERS}/{uid}/profiles"
    world.ok("PATCH", change, {"profiles": [{"uid": new, "replaceWithProfile": old}]})
    assert _repave(world, uid) == "Pending"
    world.ok("PATCH", change, {"profiles": [{"uid": old, "replaceWithProfile": new}]})
    assert _repave(world, uid) == "Reverted"
    assert world.ok("GET", "/v1/dashboard/spectroclusters/repaveStatus")["items"] == []
    world.ok("PATCH", f"{CLUSTERS}/{uid}/repave/approve")
    world.later(4, beats=hosts)
    assert (_repave(world, uid), world.state(uid)) == ("Reverted", "Running")


def test_a_change_that_waits_for_both_needs_both(world: World) -> None:
    hosts = world.hosts("edge-1")
    old, new = _version(world, "1.0.0", "1.30.4"), _version(world, "1.1.0", "1.31.1")
    uid = world.create_cluster(*hosts, profile=old)
    world.later(4, beats=hosts)
    world.fault("repave-approval", name="store-042")
    later = {"actionType": "DownloadAndInstallLater"}
    body = {"profiles": [{"uid": new, "replaceWithProfile": old}], "spcApplySettings": later}
    world.ok("PATCH", f"{CLUSTERS}/{uid}/profiles", body)
    assert world.call("POST", f"{CLUSTERS}/{uid}/status/spcApply").status_code == 202
    world.later(2, beats=hosts)
    (pack,) = world.cluster(uid)["status"]["packs"]
    assert (_repave(world, uid), pack["version"]) == ("Pending", "1.30.4")
    world.ok("PATCH", f"{CLUSTERS}/{uid}/repave/approve")
    world.later(4, beats=hosts)
    (pack,) = world.cluster(uid)["status"]["packs"]
    assert (_repave(world, uid), pack["version"], world.state(uid)) == ("Approved", "1.31.1", "Running")


def test_thirty_clusters_are_upgraded_at_once_while_one_is_stuck(world: World) -> None:
    sites = [f"site-{number:02}" for number in range(30)]
    hosts = world.hosts(*(f"{site}-{number}" for site in sites for number in (1, 2, 3)))
    old, new = _version(world, "1.0.0", "1.30.4"), _version(world, "1.1.0", "1.31.1")
    uids = {
        site: world.create_cluster(*(f"{site}-{one}" for one in (1, 2, 3)), name=site, profile=old) for site in sites
    }
    world.later(4, beats=hosts)
    assert {world.state(uid) for uid in uids.values()} == {"Running"}
    world.fault("upgrade-error", name="site-07")
    for uid in uids.values():
        world.ok("PATCH", f"{CLUSTERS}/{uid}/profiles", {"profiles": [{"uid": new, "replaceWithProfile": old}]})
    world.later(3, beats=hosts)
    assert [site for site, uid in uids.items() if world.state(uid) != "Running"] == ["site-07"]
    world.clear_faults()
    world.later(3, beats=hosts)
    assert {world.state(uid) for uid in uids.values()} == {"Running"}
