# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: the remote shell of hosts, resetting them, and taking them into clusters by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import SEARCH, TENANT, World

PATH = "/v1/edgehosts"
SHELL = {"remoteSsh": "enabled"}
WITH_USER = {**SHELL, "remoteSshTempUser": "enabled"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


def _ssh(world: World, uid: str = "edge-1") -> dict[str, Any]:
    found: dict[str, Any] = world.host(uid)["status"].get("tunnelStatus", {}).get("ssh", {})
    return found


def _reasons(world: World, uid: str = "edge-1") -> list[str]:
    return [one["reason"] for one in world.ok("GET", f"/v1/events/components/edgehost/{uid}")["items"]]


# -- the remote shell


def test_a_tunnel_and_its_user_come_and_go_after_a_while(world: World) -> None:
    world.hosts("edge-1")
    assert _ssh(world) == {}
    path = f"{PATH}/edge-1/tunnelConfig"
    world.ok("PATCH", path, WITH_USER)
    assert (_ssh(world)["state"], "user" in _ssh(world)) == ("Initiating", False)
    world.later(2, beats=("edge-1",))
    assert _ssh(world)["state"] == "Created"
    user = _ssh(world)["user"]
    assert user["state"] == "Created"
    secrets = [user["credentials"][key] for key in ("password", "sshKey")]
    assert all(secrets)
    # The secrets are in what is read of the host, and nowhere else.
    texts = (world.ok("POST", SEARCH, {}), world.ok("GET", "/v1/events/components"), world.ok("GET", f"{PATH}/tags"))
    assert not any(secret in str(text) for secret in secrets for text in texts)
    world.ok("PATCH", path, {"remoteSshTempUser": "disabled"})
    world.later(2, beats=("edge-1",))
    assert (_ssh(world)["state"], _ssh(world)["user"]["state"]) == ("Created", "Deleted")
    assert "credentials" not in _ssh(world)["user"]
    world.ok("PATCH", path, {"remoteSsh": "disabled"})
    assert _ssh(world)["state"] == "Deleting"
    world.later(2, beats=("edge-1",))
    assert _ssh(world)["state"] == "Deleted"


def test_another_user_has_other_credentials(world: World) -> None:
    world.hosts("edge-1")
    path, seen = f"{PATH}/edge-1/tunnelConfig", set()
    for _round in range(2):
        world.ok("PATCH", path, WITH_USER)
        world.later(2, beats=("edge-1",))
        seen.add(_ssh(world)["user"]["credentials"]["password"])
        # Asking for what is wanted already changes nothing.
        world.ok("PATCH", path, WITH_USER)
        assert _ssh(world)["state"] == "Created"
        world.ok("PATCH", path, {"remoteSshTempUser": "disabled"})
    assert len(seen) == 2


def test_a_tunnel_waits_for_its_host(world: World) -> None:
    world.ok("POST", PATH, {"metadata": {"uid": "edge-1"}, "spec": {"tunnelConfig": SHELL}})
    world.later(3)
    assert (_ssh(world)["state"], _ssh(world)["message"]) == ("Initiating", "The Edge host is not connected")
    world.hosts("edge-1")
    assert _ssh(world)["state"] == "Created"


def test_an_agent_that_is_too_old_has_no_remote_shell(world: World) -> None:
    world.hosts("edge-1")
    host = world.lab.store.get("host", "edge-1")
    assert host
    body = {"agentVersion": "4.6.8", "state": "healthy"}
    world.agent("PATCH", f"{PATH}/edge-1/health", body, ServiceToken=host["status"]["serviceAuthToken"])
    world.ok("PATCH", f"{PATH}/edge-1/tunnelConfig", SHELL)
    assert _ssh(world)["state"] == "Failed"


# -- reset


def test_a_host_of_no_cluster_is_only_reset(world: World) -> None:
    world.ok("POST", PATH, {"metadata": {"uid": "edge-1"}})
    world.refused(400, "EdgeHostDeviceNotRegistered", "PUT", f"{PATH}/edge-1/reset")
    world.hosts("edge-1")
    world.ok("PUT", f"{PATH}/edge-1/reset")
    assert world.host("edge-1")["status"]["state"] == "ready"
    assert _reasons(world)[0] == "Reset"


def test_a_member_leaves_its_cluster_and_is_ready_then(world: World) -> None:
    world.hosts("edge-1", "edge-2")
    cluster = world.create_cluster("edge-1", "edge-2")
    world.later(5, beats=("edge-1", "edge-2"))
    world.ok("PUT", f"{PATH}/edge-2/reset")
    assert world.host("edge-2")["status"]["state"] == "in-use"
    assert _reasons(world, "edge-2")[0] == "ResetRequested"
    (pool,) = world.ok("GET", f"/v1/cloudconfigs/edge-native/{world.config(cluster)}")["spec"]["machinePoolConfig"]
    assert ([one["hostUid"] for one in pool["hosts"]], pool["size"]) == (["edge-1"], 1)
    world.later(5, beats=("edge-1", "edge-2"))
    assert world.host("edge-2")["status"]["state"] == "ready"
    assert _reasons(world, "edge-2")[0] == "Reset"
    message = world.refused(400, "InvalidRequest", "PUT", f"{PATH}/edge-1/reset")
    assert "only control plane of cluster 'store-042'" in message
    world.refused(404, "ResourceNotFound", "PUT", f"{PATH}/none/reset")


# -- association


def test_a_host_is_taken_into_a_cluster_by_hand_and_out_of_it(world: World) -> None:
    cluster = world.create_cluster(*world.hosts("edge-1"))
    world.hosts("edge-2")
    path = f"{PATH}/edge-2/cluster/associate"
    world.refused(404, "ResourceNotFound", "PATCH", path, {"clusterUid": "none"})
    world.ok("PATCH", path, {"clusterUid": cluster})
    assert world.host("edge-2")["status"]["inUseClusters"] == [{"uid": cluster, "name": "store-042"}]
    world.refused(400, "EdgeHostInUse", "DELETE", f"{PATH}/edge-2")
    world.ok("DELETE", path)
    assert world.host("edge-2")["status"]["state"] == "ready"
    world.ok("PATCH", path, {"clusterUid": cluster})
    world.ok("PUT", f"{PATH}/edge-2/reset")
    assert world.host("edge-2")["status"]["state"] == "ready"
    world.refused(400, "EdgeHostInUse", "DELETE", f"{PATH}/edge-1/cluster/associate")


# -- lists


def test_hosts_are_chosen_by_name_and_state(world: World) -> None:
    world.create_cluster(*world.hosts("edge-1"))
    world.hosts("edge-2", "edge-3")

    def names(scope: str | None = None, **body: Any) -> list[str]:
        items = world.ok("POST", "/v1/dashboard/appliances/metadata", body, scope=scope)["items"]
        return [one["metadata"]["name"] for one in items]

    assert names(filter={"states": ["ready"]}, sort=[{"field": "name", "order": "desc"}]) == ["edge-3", "edge-2"]
    assert names(filter={"name": {"eq": "EDGE-1"}}) == ["edge-1"]
    assert names(scope=TENANT) == ["edge-1", "edge-2", "edge-3"]
    assert names(scope=world.projects["Lab B"]) == []
