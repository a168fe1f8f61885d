# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registration tokens: the steps from what is there to what is wanted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import TENANT
from ansible_collections.palette.edge.plugins.module_utils.resources import _registration_token as tokens
from ansible_collections.palette.edge.tests.unit.palette_objects import TOKEN_SECRET, token
from ansible_collections.palette.edge.tests.unit.palette_server import PROJECT

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.timezone.utc)
LATER = dt.datetime(2030, 1, 1, tzinfo=dt.timezone.utc)


def plan(current: Any = None, **desired: Any) -> Plan:
    return tokens.plan(current, tokens.DesiredToken(name=desired.pop("name", "store-042"), **desired), now=NOW)


def writes(planned: Plan) -> list[tuple[str, str, Any]]:
    assert all(step.scope is TENANT for step in planned.steps)
    return [(step.method, step.path, step.body) for step in planned.steps]


def test_create() -> None:
    planned = plan(description="Store 42", project_uid=PROJECT, expires=LATER)
    assert writes(planned) == [
        (
            "POST",
            "/v1/edgehosts/tokens",
            {
                "metadata": {"name": "store-042", "annotations": {"description": "Store 42"}},
                "spec": {"expiry": "2030-01-01T00:00:00.000Z", "defaultProjectUid": PROJECT},
            },
        )
    ]
    assert planned.before == {}
    assert planned.after["active"] is True


def test_create_good_for_some_days() -> None:
    assert writes(plan(expires_in_days=10))[0][2]["spec"] == {"expiry": "2026-12-01T12:00:00.000Z"}


def test_create_needs_an_end() -> None:
    with pytest.raises(InputError, match="expires: the new registration token 'store-042' needs"):
        plan()


def test_create_closed() -> None:
    planned = plan(expires=LATER, active=False)
    assert writes(planned)[1] == ("PUT", "/v1/edgehosts/tokens/{token}/state", {"isActive": False})
    assert planned.steps[0].binds == "token"


@pytest.mark.parametrize(
    "desired",
    [
        {},
        {"expires": LATER},
        {"expires": LATER.astimezone(dt.timezone(dt.timedelta(hours=2)))},  # the same instant
        {"expires_in_days": 3},  # only for a new one
        {"description": ""},
        {"description": "", "project_uid": PROJECT, "active": True, "expires": LATER},
        {"name": "uid-store-042"},  # found by its UID, it keeps its name
    ],
)
def test_nothing_to_do(desired: dict[str, Any]) -> None:
    assert not plan(token(), **desired).changed


@pytest.mark.parametrize(
    ("desired", "body"),
    [
        ({"description": "new"}, {"annotations": {"description": "new"}}),
        ({"project_uid": "other"}, {"defaultProjectUid": "other"}),
        ({"project_uid": ""}, {}),
        ({"expires": LATER + dt.timedelta(days=1)}, {"expiry": "2030-01-02T00:00:00.000Z"}),
    ],
)
def test_set_in_place_sends_the_whole(desired: dict[str, Any], body: dict[str, Any]) -> None:
    have = token(description="old")
    (method, path, sent) = writes(plan(have, **desired))[0]
    assert (method, path) == ("PUT", "/v1/edgehosts/tokens/uid-store-042")
    spec = {"expiry": "2030-01-01T00:00:00.000Z", "defaultProjectUid": PROJECT, **body}
    if desired.get("project_uid") == "":
        del spec["defaultProjectUid"]
    annotations = spec.pop("annotations", {"description": "old"})
    metadata = {"name": "store-042", "uid": "uid-store-042", "annotations": annotations}
    assert sent == {"metadata": metadata, "spec": spec}


def test_clear_the_description() -> None:
    sent = writes(plan(token(description="old"), description=""))[0][2]
    assert sent["metadata"] == {"name": "store-042", "uid": "uid-store-042"}


@pytest.mark.parametrize("active", [True, False])
def test_open_and_close(active: bool) -> None:
    planned = plan(token(active=not active), active=active)
    assert writes(planned) == [("PUT", "/v1/edgehosts/tokens/uid-store-042/state", {"isActive": active})]
    assert planned.steps[0].says.startswith("enable" if active else "disable")
    assert (planned.before["active"], planned.after["active"]) == (not active, active)


def test_both_writes() -> None:
    planned = plan(token(), description="new", active=False)
    assert [step.method + step.path[-6:] for step in planned.steps] == ["PUTre-042", "PUT/state"]


def test_remove() -> None:
    planned = plan(token(), present=False)
    assert writes(planned) == [("DELETE", "/v1/edgehosts/tokens/uid-store-042", None)]
    assert planned.steps[0].gone_is_done
    assert planned.after == {}
    assert not plan(None, present=False).changed


def test_the_secret_is_in_no_plan_and_no_result() -> None:
    planned = plan(token(), description="new", active=False)
    assert TOKEN_SECRET not in repr(planned) + repr(tokens.describe(token()))


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("2027-12-31", "2027-12-31T00:00:00.000Z"),
        ("2027-12-31T10:00:00Z", "2027-12-31T10:00:00.000Z"),
        ("2027-12-31T10:00:00+02:00", "2027-12-31T08:00:00.000Z"),
        (" 2027-12-31T10:00:00.125Z ", "2027-12-31T10:00:00.125Z"),
    ],
)
def test_moments(text: str, wire: str) -> None:
    assert tokens.wire_time(tokens.future(text, option="expires", now=NOW)) == wire


@pytest.mark.parametrize("text", ["soon", "31.12.2027", "2027-13-01", "", "2027-02-30"])
def test_no_moment(text: str) -> None:
    with pytest.raises(InputError, match=f"expires: '{text}' is neither a date"):
        tokens.moment(text, option="expires")


@pytest.mark.parametrize("text", ["2026-11-21", "2020-01-01", "2026-11-21T12:00:00Z"])
def test_a_moment_that_is_past(text: str) -> None:
    with pytest.raises(InputError, match=f"expires: {text} is past"):
        tokens.future(text, option="expires", now=NOW)


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_days_that_make_no_token(days: int) -> None:
    with pytest.raises(InputError, match=f"expires_in_days: {days} is not between"):
        tokens.check_days(days)
    tokens.check_days(None)
    tokens.check_days(1)
