# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules over HTTP: lost answers, conflicts, failures half way, waiting, scopes, and what results tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.cases_clusters import definition, site
from ansible_collections.palette.edge.tests.unit.module_cases import CLOUD, CLUSTERS, PROFILES, TOKENS, World
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    HOST_TOKEN,
    OVERVIEW,
    PAIRING_KEY,
    PROFILE,
    TOKEN_SECRET,
    cluster,
    cluster_row,
    config,
    event,
    events,
    host,
    machine,
    member,
    overview,
    pool,
    profile,
    profile_row,
    token,
    unpaired,
)
from ansible_collections.palette.edge.tests.unit.palette_server import (
    ANY,
    PROJECT,
    Call,
    FakeClock,
    PaletteServer,
    error,
    page,
    projects,
)

Run = Callable[..., dict[str, Any]]
Failure = Callable[..., str]
NEW_TOKEN = {"name": "store-042", "expires": "2030-01-01"}
SEARCH = "/v1/dashboard/spectroclusters/search"


def tokens(*listed: Any) -> Call:
    return Call("GET", TOKENS, {"items": list(listed)}, scope="")


def post_token(**more: Any) -> Call:
    return Call("POST", TOKENS, body=ANY, scope="", **{"reply": {"uid": "uid-store-042"}, "status": 201, **more})


# -- the order of requests, exactly --------------------------------------------------------------------------------


def test_a_token_is_made_and_read_again(palette: PaletteServer, run_module: Run) -> None:
    palette.expect(tokens(), post_token(), tokens(token()))
    result = run_module("registration_token", NEW_TOKEN)
    assert result["registration_token"]["uid"] == "uid-store-042"
    assert result["steps"] == ["create registration token store-042"]
    assert TOKEN_SECRET not in json.dumps(result)


def test_nothing_to_do_is_one_look(palette: PaletteServer, run_module: Run) -> None:
    palette.expect(tokens(token()))
    result = run_module("registration_token", NEW_TOKEN)
    assert result["changed"] is False
    assert "diff" not in result


# -- lost answers and conflicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [{"cut": True}, {"status": 503, "reply": b""}])
def test_an_accepted_post_whose_answer_is_lost_makes_no_second_token(
    palette: PaletteServer, run_module: Run, lost: dict[str, Any]
) -> None:
    palette.expect(tokens(), post_token(**lost), tokens(token()), tokens(token()))
    result = run_module("registration_token", NEW_TOKEN)
    assert result["changed"] is True
    assert len(palette.writes) == 1


def test_a_lost_post_that_was_not_carried_out_is_sent_again(palette: PaletteServer, run_module: Run) -> None:
    palette.expect(tokens(), post_token(cut=True), tokens(), post_token(), tokens(token()))
    assert run_module("registration_token", NEW_TOKEN)["registration_token"]["uid"] == "uid-store-042"


def test_what_somebody_else_made_meanwhile_is_adopted(palette: PaletteServer, run_module: Run) -> None:
    taken = post_token(status=409, reply=error("Conflict", "taken"))
    theirs = token(description="theirs")
    update = Call("PUT", f"{TOKENS}/uid-store-042", status=204, body=ANY)
    palette.expect(tokens(), taken, tokens(theirs), tokens(theirs), update, tokens(token()))
    result = run_module("registration_token", {**NEW_TOKEN, "description": "ours"})
    assert result["steps"] == ["update description of registration token store-042"]


def test_a_conflict_that_stays_is_told(palette: PaletteServer, failure: Failure) -> None:
    palette.expect(tokens(), post_token(status=409, reply=error("Conflict", "busy")), tokens())
    assert "409 Conflict: busy" in failure("registration_token", NEW_TOKEN)


@pytest.mark.parametrize(
    ("module", "options", "path", "uid"),
    [
        ("edge_host", {"uid": "edge-1"}, "/v1/edgehosts", "edge-1"),
        ("cluster", definition(wait=False), f"{CLUSTERS}/edge-native", CLUSTER),
        (
            "cluster_profile",
            {
                "name": "edge-store",
                "packs": [{"name": "m", "type": "manifest", "manifests": [{"name": "a", "content": "b"}]}],
            },
            PROFILES,
            PROFILE,
        ),
    ],
)
def test_no_module_posts_twice_after_a_cut(
    palette: PaletteServer, run_module: Run, module: str, options: dict[str, Any], path: str, uid: str
) -> None:
    world = World()

    def accepted(dummy: Any) -> dict[str, str]:
        world.changed = True
        return {"uid": uid}

    if module == "edge_host":
        world.calls.append(Call("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), 404))
    world.reads("POST", SEARCH, page([]), page([cluster_row()]))
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster())
    world.reads("GET", CLOUD, config())
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/variables", [])
    world.reads("POST", f"{CLUSTERS}/edge-native/validate", {})
    rows = page([profile_row(v1_0_0=PROFILE)])
    before = rows if module == "cluster" else page([])
    world.reads("POST", "/v1/dashboard/clusterprofiles", before, rows)
    world.reads("GET", f"{PROFILES}/{PROFILE}", profile())
    world.reads("POST", f"{PROFILES}/validate/packs", {})
    declared = {"variables": [{"name": "who"}, {"name": "pin", "isSensitive": True}]}
    world.reads("GET", f"{PROFILES}/{PROFILE}/variables", declared if module == "cluster" else {})
    site(world)
    palette.answer(*world.calls, Call("POST", path, accepted, 201, params=ANY, body=ANY, cut=True))
    result = run_module(module, options)
    assert result["changed"] is True, result
    assert len(palette.writes) == 1


# -- several hosts -------------------------------------------------------------------------------------------------


def test_one_host_of_a_list_fails_and_the_others_go_through(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(projects(), Call("GET", "/v1/users/info", {}, times=None, optional=True))
    for uid in ("a", "b", "c"):
        palette.answer(Call("GET", f"/v1/edgehosts/{uid}", error("ResourceNotFound"), 404, times=None))
        body = {"metadata": {"uid": uid, "name": uid}, "spec": {"archType": "amd64"}}
        status, reply = (400, error("BadRequest", "licence used up")) if uid == "b" else (201, {"uid": uid})
        palette.answer(Call("POST", "/v1/edgehosts", reply, status, body=body))
    result = run_module("edge_host", {"hosts": [{"uid": uid} for uid in "abc"]})
    assert result["failed"] is True
    assert result["changed"] is True
    assert result["error"] == "rejected"
    assert result["msg"].startswith("1 of 3 Edge hosts failed, the others went through; run again for these. b: Could")
    assert "licence used up" in result["msg"]
    assert len(palette.writes) == 3


def test_a_host_that_registers_itself_meanwhile_is_adopted(palette: PaletteServer, run_module: Run) -> None:
    gone = Call("GET", "/v1/edgehosts/a", error("ResourceNotFound"), 404)
    palette.answer(projects(), gone, Call("GET", "/v1/users/info", {}, times=None, optional=True))
    palette.answer(Call("POST", "/v1/edgehosts", error("Conflict"), 409, body=ANY))
    palette.answer(Call("GET", "/v1/edgehosts/a", host("a"), times=2))
    palette.answer(Call("PUT", "/v1/edgehosts/a/meta", status=204, body=ANY))
    result = run_module("edge_host", {"uid": "a", "tags": {"site": "42"}})
    assert result["changed"] is True, result


def test_no_hosts_at_all(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(projects())
    result = run_module("edge_host", {"hosts": [], "wait": True})
    assert (result["changed"], result["edge_hosts"]) == (False, [])


def test_a_site_is_searched_once_when_it_is_large(palette: PaletteServer, run_module: Run) -> None:
    uids = [f"h{number}" for number in range(60)]
    rows = [host(uid) for uid in uids]
    search = ("POST", "/v1/dashboard/edgehosts/search")
    palette.answer(
        projects(),
        Call(*search, page(rows[:50], token="t"), params={"limit": "50"}, body={}, scope=PROJECT),
        Call(*search, page(rows[50:]), params={"limit": "50", "continue": "t"}, body={}, scope=PROJECT),
    )
    result = run_module("edge_host", {"hosts": [{"uid": uid} for uid in uids]})
    assert result["changed"] is False
    assert [one["uid"] for one in result["edge_hosts"]] == uids


# -- failures half way ---------------------------------------------------------------------------------------------


def test_what_was_done_before_a_failure_is_told(palette: PaletteServer, run_module: Run) -> None:
    state = Call("PUT", f"{TOKENS}/uid-store-042/state", error("Boom", "no"), 500, body={"isActive": False})
    palette.expect(tokens(), post_token(), state)
    result = run_module("registration_token", {**NEW_TOKEN, "active": False})
    assert result["steps_done"] == ["create registration token store-042"]
    assert result["changed"] is True
    assert (result["status"], result["code"], result["error"]) == (500, "Boom", "rejected")
    assert "Step 2 of 2 (disable registration token store-042) failed" in result["msg"]


def test_a_copy_that_was_made_is_told_when_what_follows_fails(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    both = page([profile_row(v1_0_0=PROFILE, v1_1_0="uid-copy")])
    world.reads("POST", "/v1/dashboard/clusterprofiles", page([profile_row(v1_0_0=PROFILE)]), both)
    for uid, version in ((PROFILE, "1.0.0"), ("uid-copy", "1.1.0")):
        world.reads("GET", f"{PROFILES}/{uid}", profile(uid=uid, version=version))
        world.reads("GET", f"{PROFILES}/{uid}/variables", {})
    world.writes("POST", f"{PROFILES}/{PROFILE}/clone", {"uid": "uid-copy"})
    palette.answer(*world.calls)
    palette.answer(Call("PATCH", f"{PROFILES}/uid-copy/metadata", error("Boom"), 500, body=ANY))
    result = run_module("cluster_profile", {"name": "edge-store", "version": "1.1.0", "description": "x"})
    assert result["steps_done"] == ["create cluster profile edge-store 1.1.0 as a copy of version 1.0.0"]
    assert result["changed"] is True


# -- waiting -------------------------------------------------------------------------------------------------------


def test_waiting_for_hosts(palette: PaletteServer, run_module: Run) -> None:
    palette.expect(projects())
    palette.ordered[0].times = 1
    palette.expect(*(Call("GET", "/v1/edgehosts/edge-1", seen) for seen in (unpaired(), unpaired(), host(), host())))
    result = run_module("edge_host", {"uid": "edge-1", "wait": True, "wait_sleep": 0})
    assert (result["changed"], result["edge_host"]["state"]) == (False, "ready")


def test_a_wait_that_ends_too_soon_tells_the_last_state(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(projects(), Call("GET", "/v1/edgehosts/edge-1", unpaired(), times=None))
    result = run_module("edge_host", {"uid": "edge-1", "wait": True, "wait_timeout": 0, "wait_sleep": 1})
    assert result["msg"] == (
        "Waited 0 s for Edge host edge-1; last state: 0 of 1 ready and healthy; edge-1 is unpaired, no health yet. "
        "It may still get there: run again to wait on, or raise wait_timeout"
    )
    assert result["error"] == "wait_timeout"
    assert result["changed"] is False


def test_a_wait_that_ends_too_soon_after_a_write_tells_the_write(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(
        projects(),
        Call("GET", "/v1/edgehosts/edge-1", unpaired(), times=None),
        Call("PUT", "/v1/edgehosts/edge-1/meta", None, 204, body=ANY),
    )
    options = {"uid": "edge-1", "name": "renamed", "wait": True, "wait_timeout": 0, "wait_sleep": 1}
    result = run_module("edge_host", options)
    assert (result["error"], result["changed"]) == ("wait_timeout", True)


def running(palette: PaletteServer, *states: dict[str, Any]) -> None:
    """A cluster whose answers follow each other; the last one stays."""
    left = list(states)
    last = states[-1]
    palette.answer(
        projects(),
        Call("POST", SEARCH, page([cluster_row()]), params=ANY, body=ANY, times=None),
        Call("GET", f"{CLUSTERS}/{CLUSTER}", lambda dummy: left.pop(0) if left else last, times=None),
        Call("GET", CLOUD, config(pool("cp", member("a"), control_plane=True)), times=None),
        Call("GET", f"{CLOUD}/machinePools/cp/machines", {"items": [machine("a")]}, times=None, optional=True),
    )


def test_waiting_for_a_cluster(palette: PaletteServer, run_module: Run) -> None:
    running(palette, cluster(state="Pending"), cluster(state="Provisioning"), cluster())
    result = run_module("cluster", {"name": "store-042", "wait_sleep": 0})
    assert result["cluster"]["state"] == "Running"
    assert result["changed"] is False


def test_a_cluster_that_does_not_go_on_by_itself(palette: PaletteServer, run_module: Run) -> None:
    trouble = {"conditions": [{"type": "VIPReachable", "status": "False", "message": "10.42.0.10 is taken"}]}
    running(palette, cluster(state="Error", status=trouble))
    palette.answer(events(event("the address answers already", "2026-01-01T00:00:00Z", "Warning")))
    result = run_module("cluster", {"name": "store-042"})
    assert result["error"] == "terminal_state"
    assert "VIPReachable: 10.42.0.10 is taken" in result["msg"]
    assert result["msg"].endswith("Latest events: 2026-01-01T00:00:00Z store-042: the address answers already")


def test_a_cluster_seen_without_its_cloud_config_is_waited_for(palette: PaletteServer, run_module: Run) -> None:
    fresh = cluster(state="Pending")
    del fresh["spec"]["cloudConfigRef"]
    running(palette, fresh, cluster())
    result = run_module("cluster", {"name": "store-042", "ntp_servers": ["x"], "wait_sleep": 0})
    assert result["changed"] is False
    assert "cloud config" in json.dumps(result["warnings"])


def test_check_mode_does_not_wait(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(projects(), Call("GET", "/v1/edgehosts/edge-1", unpaired()))
    assert run_module("edge_host", {"uid": "edge-1", "wait": True}, check=True)["changed"] is False


# -- scope and environment -----------------------------------------------------------------------------------------


def test_the_tenants_scope(palette: PaletteServer, run_module: Run) -> None:
    palette.expect(
        Call("POST", "/v1/dashboard/clusterprofiles", page([]), params=ANY, body=ANY, scope=""),
        Call("POST", f"{PROFILES}/validate/packs", {}, body=ANY, scope=""),
        Call("POST", PROFILES, {"uid": PROFILE}, 201, params={"publish": "true"}, body=ANY, scope=""),
        Call("POST", "/v1/dashboard/clusterprofiles", page([]), params=ANY, body=ANY, scope=""),
    )
    pack = {"name": "m", "type": "manifest", "manifests": [{"name": "a", "content": "b"}]}
    options = {"name": "edge-store", "packs": [pack], "scope": "tenant", "project": "not looked at"}
    assert run_module("cluster_profile", options)["changed"] is True


def test_a_profile_of_the_tenant_serves_a_cluster_of_a_project(palette: PaletteServer, failure: Failure) -> None:
    path = "/v1/dashboard/clusterprofiles"
    palette.answer(
        projects(),
        Call("GET", f"{PROFILES}/t/variables", {}),
        Call("POST", path, page([profile_row(scope="tenant", v1_0_0="t")]), params=ANY, body=ANY, scope=PROJECT),
        Call("POST", path, page([profile_row(scope="tenant", v1_0_0="t")]), params=ANY, body=ANY, scope=""),
        Call("GET", f"{PROFILES}/t", profile(uid="t")),
        Call("POST", SEARCH, page([]), params=ANY, body=ANY),
    )
    options = {"name": "store-042", "profiles": [{"name": "edge-store", "version": "1.0.0"}]}
    assert "node_pools" in failure("cluster", options)


@pytest.mark.parametrize("blank", ["", " "])
def test_blank_variables_fall_through(
    palette: PaletteServer, run_module: Run, environment: pytest.MonkeyPatch, tmp_path: Path, blank: str
) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    environment.setenv("SPECTROCLOUD_HOST", palette.host)
    environment.setenv("SPECTROCLOUD_APIKEY", palette.key)
    environment.setenv("PALETTE_CA_PATH", str(empty))
    for name in ("HOST", "API_KEY", "PROJECT", "VALIDATE_CERTS", "TIMEOUT", "RETRY_TIMEOUT"):
        environment.setenv(f"PALETTE_{name}", blank)
    palette.expect(tokens())
    assert run_module("registration_token_info", {"host": "", "api_key": ""})["registration_tokens"] == []


def test_busy_for_a_while(palette: PaletteServer, run_module: Run, clock: FakeClock) -> None:
    busy = Call("GET", TOKENS, error("TooManyRequests"), 429, reply_headers={"Retry-After": "7"}, times=3)
    palette.expect(busy, tokens())
    assert run_module("registration_token_info", {})["registration_tokens"] == []
    assert clock.slept == [7.0, 7.0, 7.0]


# -- what results tell ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["edge_host", "edge_host_info"])
def test_secrets_of_a_host_stay_where_they_are(palette: PaletteServer, run_module: Run, module: str) -> None:
    have = host(pairing_key=PAIRING_KEY)
    palette.answer(projects(), Call("GET", "/v1/edgehosts/edge-1", have, times=None))
    options = {"uids": ["edge-1"]} if module.endswith("info") else {"uid": "edge-1", "pairing_key": PAIRING_KEY}
    text = json.dumps(run_module(module, options))
    assert '"failed"' not in text
    for secret in (PAIRING_KEY, HOST_TOKEN, palette.key):
        assert secret not in text


def test_profiles_by_version(palette: PaletteServer, run_module: Run) -> None:
    rows = page([profile_row(v1_0_0="a", v1_1_0="b")])
    palette.answer(projects(), Call("POST", "/v1/dashboard/clusterprofiles", rows, params=ANY, body=ANY, times=2))
    palette.answer(
        Call("GET", f"{PROFILES}/a", profile(uid="a"), times=2), Call("GET", f"{PROFILES}/b", profile(uid="b"))
    )
    assert [one["uid"] for one in run_module("cluster_profile_info", {"name": "edge-store"})["cluster_profiles"]] == [
        "a",
        "b",
    ]
    found = run_module("cluster_profile_info", {"name": "edge-store", "version": "1.0.0"})["cluster_profiles"]
    assert [one["uid"] for one in found] == ["a"]


def test_a_cluster_is_told_with_its_progress(palette: PaletteServer, run_module: Run) -> None:
    running(palette, cluster(state="Error"))
    palette.answer(Call("GET", OVERVIEW, overview("1.30.4", "UnHealthy")))
    (seen,) = run_module("cluster_info", {"name": "store-042"})["clusters"]
    assert seen["running"] is False
    assert (seen["health"], seen["kubernetes_version"]) == ("UnHealthy", "1.30.4")
    assert "does not go on by itself" in seen["progress"]


def test_no_such_cluster_is_an_empty_list(palette: PaletteServer, run_module: Run) -> None:
    palette.answer(projects(), Call("POST", SEARCH, page([]), params=ANY, body=ANY))
    assert run_module("cluster_info", {"name": "none"})["clusters"] == []


# -- as a process of its own, as on a managed host -----------------------------------------------------------------


def test_a_module_as_a_process(palette: PaletteServer, collections_path: Path) -> None:
    palette.expect(tokens(), post_token(), tokens(token()))
    arguments = {**NEW_TOKEN, "host": palette.host, "api_key": palette.key}
    script = (
        "import sys\n"
        "from ansible.plugins.loader import init_plugin_loader\n"
        f"init_plugin_loader([{str(collections_path)!r}])\n"
        "from ansible_collections.palette.edge.tests.unit.module_runner import module_arguments\n"
        "from ansible_collections.palette.edge.plugins.modules.registration_token import main\n"
        "import json\n"
        "with module_arguments(json.loads(sys.stdin.read())):\n"
        "    main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections_path)},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["registration_token"]["name"] == "store-042"
    assert palette.key not in done.stdout + done.stderr
