# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a cluster over HTTP: what is sent for it, what is refused before, and what a failed wait tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils import _cluster_options, _runner
from ansible_collections.palette.edge.plugins.module_utils.resources import _moments
from ansible_collections.palette.edge.tests.unit.cases_clusters import definition, site
from ansible_collections.palette.edge.tests.unit.module_cases import CLOUD, CLUSTERS, PROFILES, World
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    EVENTS,
    PROFILE,
    attached,
    certificates,
    cluster,
    cluster_manifests,
    cluster_row,
    config,
    event,
    events,
    machine,
    manifest_pack,
    member,
    pack,
    pool,
    profile,
    profile_row,
    repave,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, Call, FakeClock, PaletteServer, error, page

Run = Callable[..., dict[str, Any]]
Failure = Callable[..., str]
AT = f"{CLUSTERS}/{CLUSTER}"
NAME = {"name": "store-042"}


@pytest.fixture
def passing(environment: pytest.MonkeyPatch, clock: FakeClock) -> FakeClock:
    """Waits end in no time."""
    environment.setattr(_runner, "time", SimpleNamespace(monotonic=clock, sleep=clock.sleep))
    return clock


def there(world: World, *, machines: Any = None, variables: Any = (), **more: Any) -> None:
    """A cluster of one node."""
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", AT, cluster(**more))
    world.reads("GET", CLOUD, config(pool("cp", member("edge-1"), control_plane=True)))
    world.reads("GET", f"{CLOUD}/machinePools/cp/machines", {"items": machines or [machine("edge-1")]})
    world.reads("GET", f"{AT}/variables", [{"profileUid": PROFILE, "variables": list(variables)}])
    world.reads("POST", f"{AT}/validate/packs", {})
    world.reads("POST", f"{AT}/validate/repave", {})


def profiles(world: World, **of_profile: Any) -> None:
    """edge-store 1.0.0 and 2.0.0."""
    rows = page([profile_row(v1_0_0=PROFILE, v2_0_0="uid-2")])
    world.reads("POST", "/v1/dashboard/clusterprofiles", rows)
    declared = {"variables": of_profile.pop("variables", [])}
    for uid, version in ((PROFILE, "1.0.0"), ("uid-2", "2.0.0")):
        world.reads("GET", f"{PROFILES}/{uid}", profile(version=version, uid=uid, **of_profile))
        world.reads("GET", f"{PROFILES}/{uid}/variables", declared)


def wanted(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {**NAME, "wait": False, "profiles": [{"name": "edge-store", "version": version, **more}]}


def body_of(palette: PaletteServer, path: str) -> Any:
    (request,) = [one for one in palette.writes if one.path == path]
    return request.body


# -- profiles ------------------------------------------------------------------------------------------------------


def test_manifests_are_named_by_the_uid_that_they_have_on_the_cluster(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    layers = [pack("k8s", values="a: 1"), manifest_pack("greeting", "cm", "other")]
    profiles(world, packs=layers)
    here = [pack("k8s", values="a: ours"), manifest_pack("greeting", "cm", "other")]
    there(world, profiles=[attached(packs=here)])
    contents = {"cm": "kind: ConfigMap", "other": "kind: Other"}
    world.reads("GET", f"{AT}/profiles/packs/manifests", cluster_manifests(greeting=contents))
    world.writes("PATCH", f"{AT}/profiles")
    palette.answer(*world.calls)
    result = run_module("cluster", wanted(manifests={"greeting": {"cm": "kind: Secret"}}))
    assert result["diff"]["after"]["profiles"]["edge-store"]["manifest cm of greeting"] == ["kind: Secret"]
    (one,) = body_of(palette, f"{AT}/profiles")["profiles"]
    # The values that this cluster has for itself go along, or those of the profile would take their place.
    assert {entry["name"]: entry for entry in one["packValues"]} == {
        "greeting": {
            "name": "greeting",
            "values": "",
            "manifests": [
                {"name": "cm", "content": "kind: Secret", "uid": "uid-here-cm"},
                {"name": "other", "content": "kind: Other", "uid": "uid-here-other"},
            ],
        },
        "k8s": {"name": "k8s", "values": "a: ours"},
    }


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"pack_values": {"k8d": "a: 1"}}, "profiles[0].pack_values: the cluster profile edge-store 1.0.0 has no layer"),
        ({"manifests": {"greeting": {"cn": "x"}}}, "the layer greeting of edge-store 1.0.0 has no manifest 'cn'"),
        ({"manifests": {"greeting": "x"}}, "profiles[0].manifests: greeting is no mapping"),
        ({"pack_values": {"k8s": 5}}, "profiles[0].pack_values: neither YAML text nor a mapping"),
        ({"variables": {"port": "http"}}, "port: 'http' is not a number, which its format number asks for"),
        ({"variables": {"color": "blue"}}, "color: 'blue' is none of its options (red, green)"),
        ({"variables": {"ip": "10.0.0.300"}}, "ip: '10.0.0.300' is not an IPv4 address"),
        ({"variables": {"pin": "canary"}}, "pin: it does not match its regex"),
        ({"variables": {"prot": 1}}, "prot is not declared by the cluster profile edge-store 1.0.0. Those that come near: port"),
        ({"state": "present", "version": "3.0.0"}, "has no version 3.0.0. Those that come near: 2.0.0"),
    ],
)  # fmt: skip
def test_what_is_refused_of_a_profile(palette: PaletteServer, failure: Failure, more: Any, text: str) -> None:
    palette.refuse_writes = True
    world = World()
    rules = [
        {"name": "port", "format": "number"},
        {"name": "color", "inputType": "dropdown", "options": [{"value": "red"}, {"value": "green"}]},
        {"name": "ip", "format": "ipv4"},
        {"name": "pin", "regex": "^[0-9]+$", "isSensitive": True},
    ]
    profiles(world, packs=[pack("k8s"), manifest_pack("greeting", "cm")], variables=rules)
    there(world)
    palette.answer(*world.calls)
    said = failure("cluster", wanted(**more))
    assert text in said
    assert "canary" not in said


@pytest.mark.parametrize("scope", ["new", "next"])
def test_a_required_variable_without_any_value(palette: PaletteServer, failure: Failure, scope: str) -> None:
    palette.refuse_writes = True
    world = World()
    site(world)
    world.calls = [call for call in world.calls if not call.path.endswith("/variables")]
    for uid in (PROFILE, "uid-2"):
        world.reads("GET", f"{PROFILES}/{uid}/variables", {"variables": [{"name": "who", "required": True}]})
    if scope == "next":
        there(world)
        options = wanted("2.0.0")
    else:
        world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
        options = definition(profiles=[{"name": "edge-store", "version": "1.0.0"}])
    palette.answer(*world.calls)
    assert "profiles[0].variables: who of edge-store" in failure("cluster", options)


def test_a_variable_that_the_old_version_has_needs_no_value(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    profiles(world, variables=[{"name": "who", "required": True}])
    there(world, variables=[{"name": "who", "value": "you"}])
    world.writes("PATCH", f"{AT}/profiles")
    palette.answer(*world.calls)
    assert run_module("cluster", wanted("2.0.0"))["changed"] is True


def test_a_secret_that_is_fixed_does_not_go_along(palette: PaletteServer, run_module: Run) -> None:
    rule = {"name": "pin", "isSensitive": True, "immutable": True}
    world = World()
    profiles(world, variables=[rule, {"name": "who"}])
    there(world, variables=[{**rule, "value": "***"}, {"name": "who", "value": "x"}])
    world.writes("PATCH", f"{AT}/profiles")
    palette.answer(*world.calls)
    run_module("cluster", wanted("2.0.0", variables={"pin": "canary-1", "who": "y"}))
    (one,) = body_of(palette, f"{AT}/profiles")["profiles"]
    assert one == {"uid": "uid-2", "replaceWithProfile": PROFILE, "variables": [{"name": "who", "value": "y"}]}


def test_a_draft_is_not_attached(palette: PaletteServer, failure: Failure, run_module: Run) -> None:
    palette.refuse_writes = True
    world = World()
    profiles(world, draft=True)
    there(world)
    palette.answer(*world.calls)
    assert "edge-store 2.0.0 is a draft, and clusters take what is published: publish it" in failure(
        "cluster", wanted("2.0.0")
    )
    said = run_module("cluster", wanted("2.0.0"), check=True)
    assert said["changed"] is True
    assert any("A real run needs it to be published before" in one for one in said["warnings"])


def test_what_palette_refuses_of_profiles_is_refused_before_any_write(palette: PaletteServer, failure: Failure) -> None:
    palette.refuse_writes = True
    world = World()
    profiles(world)
    there(world)
    world.calls = [call for call in world.calls if not call.path.endswith("/validate/packs")]
    wrong = {"name": "k8s", "errors": [{"code": "X", "message": "too old"}]}
    world.reads("POST", f"{AT}/validate/packs", {"profiles": [{"packs": {"results": [wrong]}}]})
    palette.answer(*world.calls)
    text = failure("cluster", {**wanted("2.0.0"), "description": "new"})
    assert "Palette refuses the profiles of the cluster store-042: k8s: too old" in text


def test_what_is_installed_later_is_sent_so(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    profiles(world)
    there(world)
    world.writes("PATCH", f"{AT}/profiles")
    palette.answer(*world.calls)
    run_module("cluster", {**wanted("2.0.0"), "apply": "later"})
    assert body_of(palette, f"{AT}/profiles")["spcApplySettings"] == {"actionType": "DownloadAndInstallLater"}


def test_settings_come_before_what_may_lead_to_a_repave(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    profiles(world)
    there(world, profiles=[attached(), attached("extra", uid="x", type="add-on", packs=[])])
    world.writes("PATCH", f"{AT}/metadata")
    world.writes("PATCH", f"{AT}/clusterConfig/timezone")
    world.writes("DELETE", f"{AT}/profiles")
    world.writes("PATCH", f"{AT}/profiles")
    palette.answer(*world.calls)
    run_module("cluster", {**wanted("2.0.0"), "description": "d", "timezone": "UTC", "purge_profiles": True})
    paths = [f"{one.method} {one.path.removeprefix(AT)}" for one in palette.writes]
    assert paths == ["PATCH /metadata", "PATCH /clusterConfig/timezone", "DELETE /profiles", "PATCH /profiles"]


# -- repaves -------------------------------------------------------------------------------------------------------


def test_why_nodes_are_replaced_is_told_in_words(palette: PaletteServer, run_module: Run) -> None:
    world = World()
    profiles(world)
    there(world)
    world.calls = [call for call in world.calls if not call.path.endswith("/validate/repave")]
    answer = {"isRepaveRequired": True, "reasons": repave()["spec"]["reasons"]}
    world.reads("POST", f"{AT}/validate/repave", answer)
    palette.refuse_writes = True
    palette.answer(*world.calls)
    said = run_module("cluster", {**wanted("2.0.0"), "approve_repave": True}, check=True)
    reasons = ["k8s: the version of Kubernetes changes (1.30.4 to 1.31.1)"]
    assert said["repave"] == {"required": True, "reasons": reasons}
    assert said["steps"] == [
        "attach edge-store to the cluster store-042",
        "approve the repave of the cluster store-042",
    ]


def test_a_change_while_a_repave_waits(palette: PaletteServer, failure: Failure) -> None:
    palette.refuse_writes = True
    world = World()
    there(world, status={"repave": {"state": "Pending"}})
    world.reads("GET", f"{AT}/repave/status", repave())
    palette.answer(*world.calls)
    text = failure("cluster", {**NAME, "description": "new"})
    assert "waits for the approval of a repave (k8s: the version of Kubernetes changes (1.30.4 to 1.31.1))" in text
    assert "approve it with palette.edge.cluster_repave, or with approve_repave" in text


@pytest.mark.parametrize("state", ["Approved", "Reverted"])
def test_a_repave_that_is_decided_holds_nothing_up(palette: PaletteServer, run_module: Run, state: str) -> None:
    world = World()
    there(world, status={"repave": {"state": state}})
    world.writes("PATCH", f"{AT}/metadata")
    palette.answer(*world.calls)
    assert run_module("cluster", {**NAME, "description": "new"})["changed"] is True


# -- waits that fail -----------------------------------------------------------------------------------------------


def test_a_wait_tells_the_latest_events_trouble_first(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    there(world, state="Provisioning")
    listed = [event(f"fine {number}", f"2026-01-01T00:00:0{number}Z") for number in range(9)]
    listed.append(event("image not found " * 30, "2026-01-01T00:00:00Z", "Error", name="machine-1"))
    palette.answer(*world.calls, events(*listed))
    text = failure("cluster", {**NAME, "wait_timeout": 0})
    assert "last state: Provisioning, 1 of 1 machines running" in text
    assert "Latest events: 2026-01-01T00:00:00Z machine-1: image not found" in text
    assert "fine" not in text
    assert len(text) < 700


def test_events_that_cannot_be_read_hide_nothing(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    there(world, state="Error")
    palette.answer(*world.calls, Call("GET", EVENTS, error("Forbidden"), 403, params=ANY))
    text = failure("cluster", NAME)
    assert "does not go on by itself: Error" in text
    assert "events" not in text.split("Error")[0]


@pytest.mark.parametrize(
    ("status", "machines", "words"),
    [
        (
            {"packs": [{"name": "cni", "condition": {"type": "Error", "status": "True", "message": "no image"}}]},
            [machine("edge-1")],
            "the pack cni failed: no image",
        ),
        (
            {},
            [{**machine("edge-1"), "status": {"instanceState": "Failed", "health": {"conditions": [{"message": "disk"}]}}}],
            "the machine edge-1 failed: disk",
        ),
    ],
)  # fmt: skip
def test_a_failure_counts_when_it_stays(
    palette: PaletteServer, failure: Failure, passing: FakeClock, status: Any, machines: Any, words: str
) -> None:
    world = World()
    there(world, machines=machines, status=status)
    palette.answer(*world.calls, events(optional=True))
    text = failure("cluster", {**NAME, "wait_sleep": 10})
    assert f"{words}. The same failure lasts for 120 s: correct the cause and run again" in text
    assert sum(passing.slept) >= 120


def test_packs_of_what_was_before_are_not_those_that_are_waited_for(palette: PaletteServer, failure: Failure) -> None:
    world = World()
    old = {"name": "k8s", "profileUid": "uid-0", "condition": {"type": "Ready", "status": "True"}}
    there(world, status={"packs": [old]})
    palette.answer(*world.calls, events(optional=True))
    assert "no pack of edge-store yet" in failure("cluster", {**NAME, "wait_timeout": 0})


# -- deletion ------------------------------------------------------------------------------------------------------


def leaving(world: World, **times: str) -> None:
    rows = page([cluster_row(state="Deleting")])
    world.reads("POST", "/v1/dashboard/spectroclusters/search", rows, page([]))
    stuck = cluster(state="Deleting")
    stuck["metadata"].update(times)
    world.reads("GET", AT, stuck)
    world.reads("GET", CLOUD, config())


@pytest.fixture
def now(environment: pytest.MonkeyPatch, passing: FakeClock) -> None:
    """The time is 2026-01-01 10:00 at first and passes with sleep."""
    start = dt.datetime(2026, 1, 1, 10, tzinfo=dt.timezone.utc)
    begin = passing.now
    environment.setattr(_moments, "utc_now", lambda: start + dt.timedelta(seconds=passing.now - begin))


@pytest.mark.parametrize(
    ("times", "slept"),
    [
        ({"deletionTimestamp": "2026-01-01T09:30:00.000Z"}, 0),
        ({"deletionTimestamp": "2026-01-01T09:45:00.000Z"}, 15 * 60),
        # A Palette that does not tell when it began: this run counts from its own first look.
        ({}, 30 * 60),
    ],
)
def test_a_second_run_goes_on_counting_until_it_forces(
    palette: PaletteServer, run_module: Run, clock: FakeClock, now: None, times: dict[str, str], slept: int
) -> None:
    world = World()
    leaving(world, **times)
    world.writes("DELETE", AT)
    palette.answer(*world.calls)
    options = {**NAME, "state": "absent", "force_delete": True, "force_delete_delay": 30}
    result = run_module("cluster", options)
    assert (result["changed"], result["steps"]) == (True, ["force the deletion of the cluster store-042"])
    assert palette.writes[0].params == {"forceDelete": "true"}
    assert slept <= sum(clock.slept) < slept + 60


def test_what_is_being_deleted_is_not_deleted_again(palette: PaletteServer, run_module: Run, now: None) -> None:
    palette.refuse_writes = True
    world = World()
    leaving(world, deletionTimestamp="2026-01-01T09:59:00.000Z")
    palette.answer(*world.calls)
    for more in ({}, {"force_delete": True}):
        assert run_module("cluster", {**NAME, "state": "absent", "wait": False, **more})["changed"] is False


# -- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "The cluster store-042 tells of no certificates yet"),
        ({"renew_before_days": -1}, "renew_before_days: -1 is not between 0 and 3650"),
    ],
)
def test_certificates_that_cannot_be_renewed(palette: PaletteServer, failure: Failure, options: Any, text: str) -> None:
    palette.refuse_writes = True
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", f"{AT}/k8certificates", {})
    palette.answer(*world.calls)
    assert text in failure("cluster_certificates", {**NAME, **options})


@pytest.mark.parametrize("module", ["cluster_certificates", "cluster_repave"])
def test_a_cluster_that_is_not_there(palette: PaletteServer, failure: Failure, module: str) -> None:
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    assert "name: there is no cluster 'store-042' in this scope" in failure(module, NAME)


def test_all_certificates_are_waited_for(palette: PaletteServer, run_module: Run) -> None:
    old, new = "2020-01-01T00:00:00.000Z", "2035-01-01T00:00:00.000Z"
    answers = [certificates(*ends) for ends in ((old, new), (old, new), (new, new), ("2036-01-01T00:00:00Z",) * 2)]
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", f"{AT}/k8certificates", lambda dummy: answers.pop(0) if len(answers) > 1 else answers[0])
    world.writes("PATCH", f"{AT}/k8certificates/renew")
    palette.answer(*world.calls)
    result = run_module("cluster_certificates", {**NAME, "wait_sleep": 0})
    assert result["cluster_certificates"]["expires"] == "2036-01-01T00:00:00Z"
    assert len(answers) == 1


def test_gather_needs_a_name(palette: PaletteServer, failure: Failure) -> None:
    assert "gather needs name" in failure("cluster_info", {"gather": ["events"]})


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/GMT+5", ""])
def test_time_zones_that_there_are(palette: PaletteServer, run_module: Run, name: str) -> None:
    world = World()
    there(world, settings={"timezone": name})
    palette.answer(*world.calls)
    assert run_module("cluster", {**NAME, "timezone": name, "wait": False})["changed"] is False


@pytest.mark.parametrize("name", ["Europe", "Mars/Base", "../etc/passwd", "Europe/Berlin; x"])
def test_time_zones_that_there_are_not(palette: PaletteServer, failure: Failure, name: str) -> None:
    palette.refuse_writes = True
    palette.answer(*World().calls)
    assert f"timezone: there is no time zone {name!r}" in failure("cluster", {**NAME, "timezone": name})


def test_without_a_list_of_time_zones_the_form_counts(
    palette: PaletteServer, run_module: Run, failure: Failure, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(_cluster_options, "HAS_ZONES", False)
    world = World()
    there(world, settings={"timezone": "Mars/Base"})
    palette.answer(*world.calls)
    assert run_module("cluster", {**NAME, "timezone": "Mars/Base", "wait": False})["changed"] is False
    assert "there is no time zone" in failure("cluster", {**NAME, "timezone": "../x"})


@pytest.mark.parametrize("wait", [True, False])
def test_what_the_plan_approves_is_approved_once(palette: PaletteServer, run_module: Run, wait: bool) -> None:
    world = World()
    pending, approved = ({"status": {"repave": {"state": state}}} for state in ("Pending", "Approved"))
    answers = [cluster(**one) for one in (pending, pending, pending, approved)]
    there(world)
    world.calls = [call for call in world.calls if call.path != AT]
    world.reads("GET", AT, lambda dummy: answers.pop(0) if len(answers) > 1 else answers[0])
    world.reads("GET", f"{AT}/repave/status", repave())
    world.writes("PATCH", f"{AT}/repave/approve")
    palette.answer(*world.calls)
    result = run_module("cluster", {**NAME, "approve_repave": True, "wait": wait, "wait_sleep": 0})
    assert result["steps"] == ["approve the repave of the cluster store-042"]
