# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts: the steps from what is there to what is wanted, and what results may tell."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan, StepFailedError
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import (
    ConflictError,
    InputError,
    RejectedError,
    TerminalStateError,
    UnavailableError,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import TENANT, Connection, Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host_list as several
from ansible_collections.palette.edge.plugins.module_utils.resources._remote_shell import shell_standing
from ansible_collections.palette.edge.tests.unit.palette_objects import HOST_TOKEN, PAIRING_KEY, host, unpaired
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, PaletteServer, error, page

SCOPE = Scope(PROJECT)
META = "/v1/edgehosts/edge-1/meta"


def plan(current: Any = None, scope: Scope = SCOPE, **desired: Any) -> Plan:
    return edge.plan(current, edge.DesiredHost(uid="edge-1", **desired), scope=scope)


def writes(planned: Plan) -> list[tuple[str, str, Any]]:
    assert all(step.scope is SCOPE for step in planned.steps)
    return [(step.method, step.path, step.body) for step in planned.steps]


def test_register() -> None:
    assert writes(plan()) == [
        ("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1", "name": "edge-1"}, "spec": {"archType": "amd64"}})
    ]


def test_register_with_everything() -> None:
    planned = plan(
        name="front",
        tags={"site": "42", "bare": ""},
        architecture="arm64",
        pairing_key=PAIRING_KEY,
        remote_shell="enabled",
        remote_shell_temporary_user="enabled",
    )
    assert writes(planned)[0][2] == {
        "metadata": {"uid": "edge-1", "name": "front", "labels": {"site": "42", "bare": "spectro__tag"}},
        "spec": {
            "archType": "arm64",
            "hostPairingKey": PAIRING_KEY,
            "tunnelConfig": {"remoteSsh": "enabled", "remoteSshTempUser": "enabled"},
        },
    }
    assert PAIRING_KEY not in repr([planned.before, planned.after])
    assert planned.after["tags"] == {"site": "42", "bare": ""}


@pytest.mark.parametrize(
    "desired",
    [
        {},
        {"name": "edge-1"},
        {"tags": {"site": "42"}},
        {"tags": {"bare": ""}},
        {"tags": {"site": "42", "bare": None}, "purge_tags": True},
        {"architecture": "amd64"},
        {"pairing_key": PAIRING_KEY},
        {"remote_shell": "disabled"},
        {"remote_shell": "disabled", "remote_shell_temporary_user": "disabled"},
    ],
)
def test_adopted_as_it_is(desired: dict[str, Any]) -> None:
    have = host(labels={"site": "42", "bare": "spectro__tag"}, pairing_key=PAIRING_KEY)
    assert not plan(have, **desired).changed


@pytest.mark.parametrize("state", ["ready", "in-use"])
def test_a_host_that_registered_itself_is_adopted(state: str) -> None:
    planned = plan(host(state=state, labels={"own": "1"}), tags={"site": "42"})
    labels = {"own": "1", "site": "42"}
    assert writes(planned) == [("PUT", META, {"metadata": {"uid": "edge-1", "name": "edge-1", "labels": labels}})]


@pytest.mark.parametrize(
    ("desired", "name", "labels", "says"),
    [
        ({"name": "front"}, "front", {"a": "1", "b": "2"}, "set name of"),
        ({"tags": {"b": "3"}}, "own", {"a": "1", "b": "3"}, "set tags of"),
        ({"tags": {"c": "4"}, "purge_tags": True}, "own", {"c": "4"}, "set tags of"),
        ({"tags": {}, "purge_tags": True}, "own", {}, "set tags of"),
        ({"tags": {}}, "own", {}, "set tags of"),
        ({"name": "front", "tags": {"b": "3"}}, "front", {"a": "1", "b": "3"}, "set name and tags of"),
    ],
)
def test_name_and_tags_are_sent_whole(desired: dict[str, Any], name: str, labels: dict[str, str], says: str) -> None:
    planned = plan(host(name="own", labels={"a": "1", "b": "2"}), **desired)
    assert writes(planned) == [("PUT", META, {"metadata": {"uid": "edge-1", "name": name, "labels": labels}})]
    assert planned.steps[0].says == f"{says} Edge host edge-1"
    assert set(planned.before) == set(planned.after)


def test_purge_without_tags_touches_nothing() -> None:
    assert not plan(host(labels={"a": "1"}), purge_tags=True).changed


@pytest.mark.parametrize(
    ("have", "desired", "body"),
    [
        ({}, {"remote_shell": "enabled"}, {"remoteSsh": "enabled"}),
        ({"remoteSsh": "enabled"}, {"remote_shell": "disabled"}, {"remoteSsh": "disabled"}),
        (
            {"remoteSsh": "enabled", "remoteSshTempUser": "enabled"},
            {"remote_shell": "disabled"},
            {"remoteSsh": "disabled", "remoteSshTempUser": "disabled"},
        ),
        (
            {"remoteSsh": "enabled"},
            {"remote_shell_temporary_user": "enabled"},
            {"remoteSsh": "enabled", "remoteSshTempUser": "enabled"},
        ),
    ],
)
def test_remote_shell(have: dict[str, str], desired: dict[str, Any], body: dict[str, str]) -> None:
    planned = plan(host(tunnel=have), **desired)
    assert writes(planned) == [("PATCH", "/v1/edgehosts/edge-1/tunnelConfig", body)]
    assert not plan(host(tunnel=body), **desired).changed


def test_another_pairing_key_is_set_and_not_shown() -> None:
    planned = plan(host(pairing_key="canary-old"), pairing_key=PAIRING_KEY)
    assert writes(planned) == [("PATCH", "/v1/edgehosts/edge-1/hostPairingKey", {"hostPairingKey": PAIRING_KEY})]
    assert planned.before != planned.after
    assert "canary" not in repr([planned.before, planned.after])


@pytest.mark.parametrize("key", [None, "", "********"])
def test_a_pairing_key_that_palette_does_not_tell_is_left(key: str | None) -> None:
    have = host(pairing_key=key)
    assert not plan(have, pairing_key=PAIRING_KEY).changed


def test_a_host_that_waits_for_its_agent_gets_a_pairing_key() -> None:
    assert plan(unpaired(pairing_key=""), pairing_key=PAIRING_KEY).changed


# -- remote shell, and its limits


def test_a_user_needs_a_shell() -> None:
    with pytest.raises(ConflictError, match="remote_shell_temporary_user: Edge host edge-1 has no remote shell for it"):
        plan(host(), remote_shell_temporary_user="enabled")
    with pytest.raises(ConflictError, match="remote_shell_temporary_user: Edge host edge-1"):
        plan(remote_shell_temporary_user="enabled")


@pytest.mark.parametrize(("version", "good"), [("4.6.8", False), ("v4.6.9", True), ("4.10.1", True), ("dev", True)])
def test_a_shell_needs_an_agent_that_can(version: str, good: bool) -> None:
    have = host()
    have["status"]["health"]["agentVersion"] = version
    if good:
        assert plan(have, remote_shell="enabled").changed
        return
    with pytest.raises(ConflictError, match=f"remote_shell: the agent of Edge host edge-1 is {version}, and"):
        plan(have, remote_shell="enabled")


def _with_tunnel(**ssh: Any) -> dict[str, Any]:
    have = host()
    have["status"]["tunnelStatus"] = {"ssh": ssh}
    return edge.describe(have)


ON = {"edge-1": {"remote_shell": "enabled", "remote_shell_temporary_user": "enabled"}}
OFF = {"edge-1": {"remote_shell": "disabled", "remote_shell_temporary_user": "disabled"}}


@pytest.mark.parametrize(
    ("ssh", "wanted", "done", "words"),
    [
        ({}, ON, False, "remote_shell of edge-1 is not there; remote_shell_temporary_user of edge-1 is not there"),
        ({"state": "Created"}, ON, False, "remote_shell_temporary_user of edge-1 is not there"),
        ({"state": "Created", "user": {"state": "Created"}}, ON, True, "all remote shells as wanted"),
        ({"state": "Deleting", "user": {"state": "Deleted"}}, OFF, False, "remote_shell of edge-1 is Deleting"),
        ({"state": "Deleted"}, OFF, True, "all remote shells as wanted"),
    ],
)
def test_how_far_a_shell_is(ssh: Any, wanted: Any, done: bool, words: str) -> None:
    assert shell_standing([_with_tunnel(**ssh)], wanted) == (done, words)


def test_a_shell_that_failed_ends_the_wait_with_its_message() -> None:
    failed = _with_tunnel(state="Created", user={"state": "Failed", "message": "no room for a user."})
    with pytest.raises(
        TerminalStateError, match="remote_shell_temporary_user of Edge host edge-1 failed: no room for a"
    ):
        shell_standing([failed], ON)
    with pytest.raises(TerminalStateError, match="remote_shell of Edge host edge-1 failed: Palette does not say why"):
        shell_standing([_with_tunnel(state="Failed")], ON)


# -- installed anew


def test_the_record_of_an_old_installation_is_made_anew() -> None:
    have = host(
        name="front",
        labels={"site": "42"},
        health="unhealthy",
        architecture="arm64",
        pairing_key=PAIRING_KEY,
        tunnel={"remoteSsh": "enabled", "remoteSshTempUser": "disabled"},
    )
    planned = plan(have, reinstalled=True)
    assert writes(planned) == [
        ("DELETE", "/v1/edgehosts/edge-1", None),
        (
            "POST",
            "/v1/edgehosts",
            {
                "metadata": {"uid": "edge-1", "name": "front", "labels": {"site": "42"}},
                "spec": {
                    "archType": "arm64",
                    "hostPairingKey": PAIRING_KEY,
                    "tunnelConfig": {"remoteSsh": "enabled"},
                },
            },
        ),
    ]
    assert planned.steps[1].says == "register Edge host edge-1 anew as front with the tags site=42"
    assert PAIRING_KEY not in repr([planned.before, planned.after, [step.says for step in planned.steps]])
    body = plan(have, reinstalled=True, tags={"rack": "a"}, name="other").steps[1].body["metadata"]
    assert (body["name"], body["labels"]) == ("other", {"site": "42", "rack": "a"})
    assert "labels" not in plan(have, reinstalled=True, tags={}).steps[1].body["metadata"]


@pytest.mark.parametrize("have", [host(), unpaired(), host(state="in-use", cluster="store-042")])
def test_a_host_that_is_well_or_waits_is_not_registered_anew(have: Any) -> None:
    assert not plan(have, reinstalled=True).changed


def test_a_host_in_use_is_not_registered_anew() -> None:
    with pytest.raises(ConflictError, match="Edge host edge-1 is in use by the cluster store-042: take it out"):
        plan(host(state="in-use", cluster="store-042", health="unhealthy"), reinstalled=True)


# -- many


def _several(count: int, have: Any) -> dict[str, Plan]:
    hosts = [edge.DesiredHost(uid=f"e-{number}", architecture="amd64", tags={"a": "1"}) for number in range(count)]
    return several.plan_all(hosts, lambda one: edge.plan(have(one.uid), one, scope=SCOPE))


def test_what_cannot_be_is_told_of_all_hosts_before_a_write() -> None:
    with pytest.raises(ConflictError) as caught:
        _several(8, lambda uid: host(uid, architecture="amd64" if uid == "e-0" else "arm64"))
    assert str(caught.value).startswith(
        "7 of 8 Edge hosts are refused, and nothing was written: architecture: Edge host e-1 is arm64, not amd64"
    )
    assert str(caught.value).endswith("; and 2 more")


def test_the_diff_of_many_hosts_is_short() -> None:
    whole = several.summary(_several(500, lambda uid: None if uid != "e-7" else host(uid)))
    assert len(whole.steps) == 500
    assert len(whole.after) == several.LISTED + 1
    assert whole.after["e-7"] == {"tags": {"a": "1"}}
    assert whole.after["in all"].startswith("499 registered, 0 deleted, 1 changed, 0 left alone")


def test_when_palette_is_gone_the_rest_is_not_tried() -> None:
    session = Session(Connection(host="palette.test", api_key="k"))
    tried: list[str] = []

    def carry_out(one: edge.DesiredHost) -> None:
        tried.append(one.uid)
        raise UnavailableError("nobody there")

    hosts = [edge.DesiredHost(uid=f"e-{number}") for number in range(200)]
    with pytest.raises(UnavailableError, match=r"Edge hosts failed, .* were not tried, the others went through"):
        several.apply_all(session, hosts, carry_out, total=200)
    assert len(tried) < 40


def test_a_host_of_another_project_is_named_with_it(palette: PaletteServer, session: Session) -> None:
    other = host("e", project="uid-other")
    other["spec"]["projectMeta"] = {"name": "north", "uid": "uid-other"}
    palette.answer(Call("GET", "/v1/edgehosts/e", other, scope=""))
    with pytest.raises(ConflictError, match="project: Edge host e belongs to the project north, and a host cannot"):
        several.refuse_elsewhere(session, SCOPE, "e")


def test_an_architecture_cannot_change() -> None:
    with pytest.raises(ConflictError, match="architecture: Edge host edge-1 is amd64, not arm64"):
        plan(host(), architecture="arm64")


def test_a_host_cannot_move() -> None:
    with pytest.raises(ConflictError, match="project: Edge host edge-1 belongs to the project other"):
        plan(host(project="other"))
    assert not edge.plan(host(project="other"), edge.DesiredHost(uid="edge-1"), scope=TENANT).changed


def test_remove() -> None:
    for have in (host(), unpaired()):
        planned = plan(have, present=False)
        assert writes(planned) == [("DELETE", "/v1/edgehosts/edge-1", None)]
        assert planned.steps[0].gone_is_done
    assert not plan(None, present=False).changed


def test_a_host_in_use_is_not_removed() -> None:
    with pytest.raises(ConflictError, match="Edge host edge-1 is in use by the cluster store-042: take it out"):
        plan(host(state="in-use", cluster="store-042"), present=False)


def test_results_have_no_secrets() -> None:
    seen = edge.describe(host(pairing_key=PAIRING_KEY, address="10.0.0.1/24"))
    assert HOST_TOKEN not in repr(seen)
    assert PAIRING_KEY not in repr(seen)
    assert seen["address"] == "10.0.0.1"
    assert edge.describe(None) == {}


def test_a_host_of_the_search_is_described_too() -> None:
    row = {
        "metadata": {"uid": "e", "name": "n"},
        "spec": {"projectMeta": {"uid": PROJECT}, "host": {"hostAddress": "10.0.0.9", "macAddress": "aa"}},
        "status": {"state": "ready"},
    }
    seen = edge.describe(row)
    assert (seen["project_uid"], seen["address"], seen["mac_address"]) == (PROJECT, "10.0.0.9", "aa")


def test_the_address_is_that_of_the_default_nic() -> None:
    nics = [{"nicName": "a", "ip": "10.0.0.1"}, {"nicName": "b", "ip": "10.0.0.2/24", "isDefault": True}]
    assert edge.default_address({"nics": nics}) == "10.0.0.2"
    assert edge.default_address({"nics": [{"isDefault": True}, nics[0]]}) == "10.0.0.1"
    assert edge.default_address({}) == ""


@pytest.mark.parametrize(
    ("hosts", "done", "words"),
    [
        ({"a": host("a")}, True, "1 of 1 ready and healthy"),
        ({"a": host("a", state="in-use")}, True, "1 of 1 ready and healthy"),
        ({"a": unpaired("a")}, False, "0 of 1 ready and healthy; a is unpaired, no health yet"),
        ({"a": None, "b": host("b")}, False, "1 of 2 ready and healthy; a is not there, no health yet"),
        (
            {"a": host("a", health="unhealthy", note="disk full")},
            False,
            "0 of 1 ready and healthy; a is ready, unhealthy: disk full",
        ),
    ],
)
def test_standing(hosts: Any, done: bool, words: str) -> None:
    assert edge.standing(hosts) == (done, words)


def test_standing_of_many_is_short() -> None:
    done, words = edge.standing({str(number): None for number in range(30)})
    assert not done
    assert words.endswith("; and 25 more")


@pytest.mark.parametrize(
    ("uid", "problem"),
    [
        ("", "is empty"),
        ("e" * 129, "has 129 characters, Palette takes 128 at most"),
        ("a.b", "does not take in an Edge host ID: ."),
        ("a b/c", "white space /"),
        ("a\tb", "white space"),
    ],
)
def test_ids_that_palette_does_not_take(uid: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        edge.check([edge.DesiredHost(uid="fine"), edge.DesiredHost(uid=uid)])
    assert str(caught.value).startswith(f"uid: {uid[:60]!r} ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("sign", list("/?#&+%,$~!@*(){}|=;:<>'.^\""))
def test_every_forbidden_sign(sign: str) -> None:
    with pytest.raises(InputError, match="does not take"):
        edge.check([edge.DesiredHost(uid=f"a{sign}b")])


def test_everything_wrong_is_told_at_once() -> None:
    hosts = [
        edge.DesiredHost(uid="a.b"),
        edge.DesiredHost(uid="twice"),
        edge.DesiredHost(uid="twice"),
        edge.DesiredHost(uid="c", remote_shell="disabled", remote_shell_temporary_user="enabled"),
    ]
    with pytest.raises(InputError) as caught:
        edge.check(hosts)
    assert "'a.b'" in str(caught.value)
    assert "'twice' is given twice" in str(caught.value)
    assert "'c': remote_shell_temporary_user" in str(caught.value)
    edge.check([edge.DesiredHost(uid="x" * 128), edge.DesiredHost(uid="edge_1-a")])


def test_one_error_for_several_hosts() -> None:
    steps = plan().steps
    failed = StepFailedError(steps, 0, RejectedError("no room", status=400))
    told = several.several_failed({"a": failed, "b": ConflictError("there")}, 10, changed=True)
    assert isinstance(told, RejectedError)
    assert str(told) == (
        "2 of 10 Edge hosts failed, the others went through; run again for these. a: no room. "
        "The same list also failed for: b"
    )
    assert told.facts == {"status": 400, "changed": True, "failed_hosts": ["a", "b"]}


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(palette: PaletteServer) -> Session:
    return Session(Connection(host=palette.host, api_key=palette.key))


def test_a_few_hosts_are_read_one_by_one(palette: PaletteServer, session: Session) -> None:
    missing = Call("GET", "/v1/edgehosts/b", error("ResourceNotFound"), 404)
    palette.answer(Call("GET", "/v1/edgehosts/a", host("a")), missing)
    palette.answer(Call("GET", "/v1/users/info", {}, optional=True))
    found = edge.read_many(session, SCOPE, ["a", "b"])
    assert found["a"] is not None
    assert found["b"] is None
    assert edge.read_many(session, SCOPE, []) == {}


@pytest.mark.parametrize("whole", [True, False])
def test_many_hosts_are_read_by_the_page(palette: PaletteServer, session: Session, whole: bool) -> None:
    uids = [f"h{number}" for number in range(60)]
    rows = [host(uid) for uid in uids[:51]] + [host("foreign")]
    search = ("POST", "/v1/dashboard/edgehosts/search")
    palette.expect(
        Call(*search, page(rows[:50], token="t"), params={"limit": "50"}, body={}, scope=PROJECT),
        Call(*search, page(rows[50:]), params={"limit": "50", "continue": "t"}, body={}, scope=PROJECT),
    )
    if whole:
        palette.answer(*(Call("GET", f"/v1/edgehosts/{uid}", host(uid)) for uid in uids[:51]))
    found = edge.read_many(session, SCOPE, uids, whole=whole)
    assert list(found) == uids
    assert [uid for uid, one in found.items() if one is None] == uids[51:]


def test_search_filters(palette: PaletteServer, session: Session) -> None:
    palette.expect(Call("POST", "/v1/dashboard/edgehosts/search", page([]), params=ANY, body=ANY))
    edge.search(session, SCOPE, filters=[edge.text_filter("state", ["ready"]), edge.text_filter("tags", ["a:1"])])
    group = palette.requests[0].body["filter"]["filterGroups"][0]
    assert group["conjunction"] == "and"
    assert [one["property"] for one in group["filters"]] == ["state", "tags"]
    assert group["filters"][0]["condition"]["string"]["match"] == {"conjunction": "or", "values": ["ready"]}
