# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of clusters beside their definition: the dashboard, files, events, and what of a cloud config is fixed."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World

PATH = "/v1/spectroclusters"
BOARD = "/v1/dashboard/spectroclusters"
HOSTS = ("edge-1", "edge-2", "edge-3")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _reasons(world: World, uid: str) -> list[str]:
    """What happened to a cluster, the newest last."""
    found = world.ok("GET", f"/v1/events/components/spectrocluster/{uid}")["items"]
    return [one["reason"] for one in reversed(found)]


def test_a_profile_that_was_changed_in_place_is_notified_until_it_is_taken(world: World) -> None:
    hosts = world.hosts("edge-1")
    profile = world.profile("edge")
    uid = world.create_cluster(*hosts, profile=profile)
    world.later(4, beats=hosts)
    row = world.ok("POST", f"{BOARD}/metadata/search", {})["items"][0]
    assert (row["status"]["health"]["state"], row["status"]["updates"]["isUpdatesPending"]) == ("Healthy", False)
    spec = {"template": {"type": "cluster", "packs": [world.pack(values="b: 2")]}, "version": "1.0.0"}
    world.ok("PUT", f"/v1/clusterprofiles/{profile}", {"spec": spec})
    world.ok("PATCH", f"/v1/clusterprofiles/{profile}/publish")
    assert world.ok("GET", f"{BOARD}/{uid}/overview")["status"]["notifications"]["isAvailable"] is True
    assert [one["uid"] for one in world.ok("GET", f"{PATH}/{uid}/profileUpdates")["profiles"]] == [profile]
    world.ok("PATCH", f"{PATH}/{uid}/profiles", {"profiles": [{"uid": profile}]}, resolveNotification="true")
    assert world.ok("GET", f"{BOARD}/{uid}")["status"]["notifications"]["isAvailable"] is False


def test_a_definition_can_be_downloaded(world: World) -> None:
    spec = {"cloudType": "edge-native", "profiles": [{"uid": world.profile("edge", "1.2.0")}]}
    reply = world.call("POST", f"{PATH}/spc/download", {"metadata": {"name": "content"}, "spec": spec})
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.namelist() == ["edge-1.2.0.json", "definition.json"]
    wrong = {**spec, "cloudType": "aws"}
    world.refused(400, "InvalidRequest", "POST", f"{PATH}/spc/download", {"spec": wrong})


def test_kubeconfigs_come_as_text_or_in_base64(world: World) -> None:
    world.lab.options.kubernetes = {"edge-k8s": ("1.20.2",)}
    profile = world.profile("own", packs=[world.pack("edge-k8s", "1.20.2")])
    uid = world.create_cluster(*world.hosts("edge-1"), profile=profile)
    world.form(uid)
    content = {
        kind: world.call("GET", f"{PATH}/{uid}/assets/{kind}").content
        for kind in ("kubeconfig", "kubeconfigclient", "adminKubeconfig", "frpKubeconfig", "adminTokenKubeconfig")
    }
    for kind in ("frpKubeconfig", "adminTokenKubeconfig"):
        content[kind] = base64.b64decode(content[kind], validate=True)
    assert {kind for kind, text in content.items() if b"canary-proxy" in text} == {"kubeconfig", "frpKubeconfig"}
    assert all(text.startswith(b"apiVersion") for text in content.values())
    assert "canary-proxy" in world.ok("GET", f"{PATH}/{uid}/assets")["spec"]["frpKubeconfig"]


def test_what_is_fixed_at_creation_is_refused_and_the_rest_is_taken(world: World) -> None:
    uid = world.create_cluster(*world.hosts("edge-1"))
    path = f"/v1/cloudconfigs/edge-native/{world.config(uid)}"
    for wrong in (
        {"overlayNetworkConfiguration": {"enable": True, "cidr": "100.64.0.0/16"}},
        {"isTwoNodeCluster": True},
    ):
        world.refused(400, "ClusterConfigFixed", "PUT", f"{path}/clusterConfig", {"clusterConfig": wrong})
    network = {"sshKeys": ["new"], "ntpServers": ["ntp"], "controlPlaneEndpoint": {"host": "10.42.0.99", "type": "VIP"}}
    world.ok("PUT", f"{path}/clusterConfig", {"clusterConfig": network})
    read = world.ok("GET", path)["spec"]["clusterConfig"]
    assert (read["sshKeys"], read["ntpServers"], read["controlPlaneEndpoint"]["host"]) == (
        ["new"],
        ["ntp"],
        "10.42.0.99",
    )


def test_control_planes_grow_by_one_only_to_replace_a_host(world: World) -> None:
    hosts = world.hosts(*HOSTS, "edge-4")
    uid = world.create_cluster("edge-1")
    pool = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools/plane"
    words = world.refused(400, "MachinePoolValidationFailed", "PUT", pool, world.pool("edge-1", "edge-2"))
    assert "an odd number is needed" in words
    for uids in (HOSTS, hosts, HOSTS):
        world.ok("PUT", pool, world.pool(*uids))


def test_events_tell_what_became_of_a_cluster(world: World) -> None:
    hosts = world.hosts(*HOSTS)
    uid = world.create_cluster("edge-1")
    world.later(4, beats=hosts)
    pools = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools"
    world.ok("POST", pools, world.pool("edge-2", name="workers", worker=True))
    world.later(4, beats=hosts)
    world.ok("DELETE", f"{pools}/workers")
    world.later(4, beats=hosts)
    found = _reasons(world, uid)
    expected = [
        "ClusterCreated",
        "NodeJoined",
        "ClusterRunning",
        "PoolAdded",
        "NodeJoined",
        "PoolDeleted",
        "NodesRemoved",
    ]
    assert [one for one in found if one in expected] == expected
    world.ok("DELETE", f"{PATH}/{uid}")
    world.later(8)
    world.ok("DELETE", f"{PATH}/{uid}")
    assert _reasons(world, uid).count("ClusterDeleting") == 1
    assert _reasons(world, uid)[-1] in ("ClusterDeleting", "EdgeHostsNotReady")
