# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: registration tokens, Edge hosts and what their agents tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import START, TENANT, World
from lab.controller.core import stamp

TOKENS = "/v1/edgehosts/tokens"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


# -- registration tokens


def test_two_tokens_may_have_one_name(world: World) -> None:
    first, second = world.token("same"), world.token("same")
    assert first != second
    listed = world.ok("GET", TOKENS, scope=TENANT)["items"]
    assert [one["metadata"]["name"] for one in listed] == ["same", "same"]
    assert len({one["spec"]["token"] for one in listed}) == 2


def test_a_token_is_written_by_uid_of_its_project_and_read_by_name_too(world: World) -> None:
    uid = world.token()
    token = world.ok("GET", f"{TOKENS}/{uid}", scope=TENANT)
    assert token["spec"]["defaultProject"] == {"name": "Default", "uid": world.project}
    assert token["status"] == {"isActive": True}
    bare = {"metadata": {"name": "other"}, "spec": {"expiry": "2031-01-01T00:00:00Z"}}
    world.ok("PUT", f"{TOKENS}/{uid}", bare, scope=TENANT)
    after = world.ok("GET", f"{TOKENS}/{uid}", scope=TENANT)
    assert "defaultProject" not in after["spec"]
    assert after["spec"]["token"] == token["spec"]["token"]


def test_a_token_of_no_project_or_no_expiry_is_refused(world: World) -> None:
    spec = {"expiry": "2031-01-01T00:00:00Z", "defaultProjectUid": "none"}
    body = {"metadata": {"name": "a"}, "spec": spec}
    world.refused(404, "ResourceNotFound", "POST", TOKENS, body, scope=TENANT)
    world.refused(400, "InvalidRequest", "POST", TOKENS, {"metadata": {"name": "a"}}, scope=TENANT)


def test_a_token_that_is_gone_is_404(world: World) -> None:
    uid = world.token()
    world.ok("DELETE", f"{TOKENS}/{uid}", scope=TENANT)
    world.refused(404, "ResourceNotFound", "GET", f"{TOKENS}/{uid}", scope=TENANT)


@pytest.mark.parametrize("what", ["unknown", "expired", "inactive", "deleted", "missing"])
def test_a_token_that_does_not_count_registers_nothing(world: World, what: str) -> None:
    uid = world.token(expiry=stamp(START + 60))
    secret = {"unknown": "x", "missing": ""}.get(what, world.secret(uid))
    if what == "expired":
        assert world.register("edge-0", secret=secret).status_code == 200
        world.now += 60
    if what == "inactive":
        world.ok("PUT", f"{TOKENS}/{uid}/state", {"isActive": False}, scope=TENANT)
    if what == "deleted":
        world.ok("DELETE", f"{TOKENS}/{uid}", scope=TENANT)
    reply = world.register("edge-1", secret=secret)
    assert reply.status_code == 403
    codes = {"expired": "EdgeTokenExpired", "inactive": "EdgeTokenInactive"}
    assert reply.json()["code"] == codes.get(what, "EdgeTokenInvalid")
    assert world.call("GET", "/v1/edgehosts/edge-1").status_code == 404


# -- Edge hosts


def test_a_host_is_registered_once_in_the_whole_tenant(world: World) -> None:
    body = {"metadata": {"uid": "edge-1"}}
    world.ok("POST", "/v1/edgehosts", body)
    for project in world.projects.values():
        world.refused(409, "DuplicateEdgeHost", "POST", "/v1/edgehosts", body, scope=project)
    world.refused(400, "InvalidRequest", "POST", "/v1/edgehosts", {"metadata": {"uid": "edge-2"}}, scope=TENANT)


@pytest.mark.parametrize("uid", ["", "a b", "a.b", "a/b", "a" * 129, "a\n"])
def test_an_id_that_is_none_is_refused(world: World, uid: str) -> None:
    world.refused(400, "InvalidRequest", "POST", "/v1/edgehosts", {"metadata": {"uid": uid}})
    assert world.register(uid, secret=world.secret(world.token())).status_code == 400


def test_a_host_is_of_its_project(world: World) -> None:
    world.hosts("edge-1")
    world.refused(404, "ResourceNotFound", "GET", "/v1/edgehosts/edge-1", scope=world.projects["Lab B"])
    world.ok("GET", "/v1/edgehosts/edge-1", scope=TENANT)


def test_meta_replaces_labels_and_name(world: World) -> None:
    body = {"metadata": {"uid": "edge-1", "name": "one", "labels": {"a": "1", "b": "2"}}}
    world.ok("POST", "/v1/edgehosts", body)
    world.ok("PUT", "/v1/edgehosts/edge-1/meta", {"metadata": {"name": "two", "labels": {"c": "", "d": "4"}}})
    assert world.host("edge-1")["metadata"]["labels"] == {"c": "", "d": "4"}
    assert world.host("edge-1")["metadata"]["name"] == "two"
    world.ok("PUT", "/v1/edgehosts/edge-1/meta", {"metadata": {"uid": "edge-1", "name": "two"}})
    assert "labels" not in world.host("edge-1")["metadata"]
    assert world.ok("GET", "/v1/edgehosts/tags") == {}


def test_reading_a_host_gives_its_secrets_away_as_the_real_one_does(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}, "spec": {"hostPairingKey": "pair"}})
    assert world.register("edge-1", secret=world.secret(world.token()), key="pair").status_code == 200
    host = world.host("edge-1")
    assert host["spec"]["host"]["hostPairingKey"] == "pair"
    assert host["spec"]["host"]["hostAuthToken"]
    assert host["status"]["serviceAuthToken"]
    summary = str(world.ok("POST", "/v1/dashboard/edgehosts/search", {}))
    for secret in ("pair", host["spec"]["host"]["hostAuthToken"], host["status"]["serviceAuthToken"]):
        assert secret not in summary


def test_the_tunnels_temporary_user_needs_the_tunnel(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    path = "/v1/edgehosts/edge-1/tunnelConfig"
    world.refused(400, "InvalidRequest", "PATCH", path, {"remoteSshTempUser": "enabled"})
    world.ok("PATCH", path, {"remoteSsh": "enabled"})
    world.ok("PATCH", path, {"remoteSshTempUser": "enabled"})
    world.refused(400, "InvalidRequest", "PATCH", path, {"remoteSsh": "disabled"})
    wanted = {"remoteSsh": "enabled", "remoteSshTempUser": "enabled"}
    assert world.ok("GET", "/v1/edgehosts/edge-1/config")["tunnelConfig"] == wanted


def test_a_host_in_use_is_not_deleted(world: World) -> None:
    world.create_cluster(*world.hosts("edge-1"))
    assert "store-042" in world.refused(400, "EdgeHostInUse", "DELETE", "/v1/edgehosts/edge-1")


# -- pairing


def test_a_registered_host_pairs_and_its_labels_win(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1", "labels": {"rack": "a"}}})
    assert world.host("edge-1")["status"]["state"] == "unpaired"
    reply = world.register("edge-1", secret=world.secret(world.token()), labels={"rack": "z", "site": "s"})
    assert reply.status_code == 200
    host = world.host("edge-1")
    assert host["status"]["state"] == "ready"
    assert "health" not in host["status"]
    assert host["metadata"]["labels"] == {"rack": "a", "site": "s"}
    assert host["spec"]["host"]["hostAddress"] == "10.42.0.11"


def test_a_pairing_key_is_compared_when_there_is_one(world: World) -> None:
    secret = world.secret(world.token())
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}, "spec": {"hostPairingKey": "right"}})
    for wrong in ("", "wrong"):
        reply = world.register("edge-1", secret=secret, key=wrong)
        assert (reply.status_code, reply.json()["code"]) == (403, "PairingKeyMismatch")
    assert world.host("edge-1")["status"]["state"] == "unpaired"
    assert world.register("edge-1", secret=secret, key="right").status_code == 200
    world.ok("PATCH", "/v1/edgehosts/edge-1/hostPairingKey", {"hostPairingKey": ""})
    assert world.register("edge-1", secret=secret).status_code == 200


def test_a_host_registers_itself_in_the_tokens_project_or_the_one_it_names(world: World) -> None:
    token = world.secret(world.token())
    assert world.register("edge-1", secret=token).status_code == 200
    assert world.host("edge-1")["aclmeta"]["projectUid"] == world.project
    assert world.register("edge-2", secret=token, project={"name": "Lab B"}).status_code == 200
    assert world.register("edge-3", secret=token, project={"uid": world.projects["Lab B"]}).status_code == 200
    for uid in ("edge-2", "edge-3"):
        host = world.ok("GET", f"/v1/edgehosts/{uid}", scope=world.projects["Lab B"])
        assert host["spec"]["host"]["project"] == {"name": "Lab B", "uid": world.projects["Lab B"]}
    assert world.register("edge-4", secret=token, project={"name": "none"}).status_code == 404
    nowhere = world.secret(world.token("nowhere", project=""))
    assert world.register("edge-5", secret=nowhere).json()["code"] == "ProjectMissing"


def test_a_host_that_must_not_register_itself_waits_for_an_operator(world: World) -> None:
    secret = world.secret(world.token())
    reply = world.register("edge-1", secret=secret, disableAutoRegister=True)
    assert (reply.status_code, reply.json()["code"]) == (403, "EdgeHostNotRegistered")
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    assert world.register("edge-1", secret=secret, disableAutoRegister=True).status_code == 200


def test_open_pairing_needs_no_token_but_a_registered_host(tmp_path: Path) -> None:
    world = World(tmp_path, open_pairing=True)
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    assert world.register("edge-1").status_code == 200
    assert world.register("edge-2").status_code == 403


def test_pairing_is_open_only_when_the_lab_says_so(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    assert world.register("edge-1").status_code == 403


# -- what agents tell


def test_silence_makes_a_host_unhealthy_and_a_heartbeat_brings_it_back(world: World) -> None:
    world.hosts("edge-1", "edge-2")
    world.later(5.5, beats=("edge-2",))
    assert world.host("edge-1")["status"]["health"]["state"] == "unhealthy"
    assert "heartbeat" in world.host("edge-1")["status"]["health"]["message"]
    assert world.host("edge-1")["status"]["state"] == "ready"
    assert world.host("edge-2")["status"]["health"]["state"] == "healthy"
    world.beat("edge-1")
    assert world.host("edge-1")["status"]["health"] == {"agentVersion": "4.8.21", "state": "healthy"}
    world.later(5.5)
    assert world.host("edge-1")["status"]["health"]["state"] == "unhealthy"


def test_an_agent_may_say_itself_that_the_host_is_unhealthy(world: World) -> None:
    world.hosts("edge-1")
    world.beat("edge-1", "unhealthy")
    assert world.host("edge-1")["status"]["health"]["state"] == "unhealthy"


def test_heartbeats_that_get_lost_are_answered_as_if_nothing_were(world: World) -> None:
    world.hosts("edge-1", "edge-2")
    world.fault("heartbeat-loss", host="edge-1")
    world.later(6, beats=("edge-1", "edge-2"))
    states = {uid: world.host(uid)["status"]["health"]["state"] for uid in ("edge-1", "edge-2")}
    assert states == {"edge-1": "unhealthy", "edge-2": "healthy"}
    world.clear_faults()
    world.beat("edge-1")
    assert world.host("edge-1")["status"]["health"]["state"] == "healthy"


def test_a_host_that_changes_its_address_tells_so(world: World) -> None:
    world.hosts("edge-1")
    token = world.host("edge-1")["status"]["serviceAuthToken"]
    report = world.report("edge-1", hostAddress="10.42.0.99")
    assert world.agent("PUT", "/v1/edgehosts/edge-1", report, ServiceToken=token).status_code == 204
    assert world.host("edge-1")["spec"]["host"]["hostAddress"] == "10.42.0.99"


def test_an_agent_that_never_paired_or_has_a_wrong_token_is_refused(world: World) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}})
    for uid in ("edge-1", "edge-2"):
        reply = world.agent("PUT", f"/v1/edgehosts/{uid}", world.report(uid), ServiceToken="x")
        assert (reply.status_code, reply.json()["code"]) == (404, "EdgeHostDeviceNotRegistered")
    world.hosts("edge-3")
    assert world.agent("PATCH", "/v1/edgehosts/edge-3/health", {}, ServiceToken="x").status_code == 401


def test_an_agent_learns_its_cluster(world: World) -> None:
    uid = world.create_cluster(*world.hosts("edge-1"))
    token = world.host("edge-1")["status"]["serviceAuthToken"]
    assert world.agent("GET", "/v1/edgehosts/edge-1/config", ServiceToken=token).json()["clusterUids"] == [uid]


def test_the_list_without_pages_can_be_of_hosts_that_are_free(world: World) -> None:
    world.hosts("edge-1", "edge-2")
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-3"}})
    world.create_cluster("edge-1")

    def names(**query: Any) -> list[str]:
        return [one["uid"] for one in world.ok("GET", "/v1/edgehosts/metadata", **query).get("edgeHosts", [])]

    assert names() == ["edge-1", "edge-2", "edge-3"]
    assert names(quickFilter="unusedEdgeHosts") == ["edge-2"]
    assert names(type="vsphere") == []
