# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names to UIDs, tags to labels."""

from __future__ import annotations

import pytest

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import (
    labels_of,
    nearest,
    pick,
    scope_of,
    tags_of,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Connection, Session
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer, projects

OBJECTS = [
    {"name": "one", "uid": "u1"},
    {"name": "two", "uid": "u2"},
    {"name": "two", "uid": "u3"},
    {"name": "u1", "uid": "u4"},
]


@pytest.mark.parametrize(("wanted", "uid"), [("one", "u1"), ("u2", "u2"), ("u1", "u4")])
def test_pick_by_name_then_by_uid(wanted: str, uid: str) -> None:
    assert pick(OBJECTS, wanted, kind="thing", option="o") == uid


def test_a_name_borne_twice_lists_the_uids() -> None:
    with pytest.raises(InputError) as caught:
        pick(OBJECTS, "two", kind="thing", option="packs[0].registry")
    assert str(caught.value) == "packs[0].registry: 2 things are named 'two': give one of their UIDs (u2, u3)"


def test_an_unknown_name_lists_those_that_match() -> None:
    with pytest.raises(InputError) as caught:
        pick(OBJECTS, "On", kind="thing", option="o")
    assert str(caught.value) == "o: no thing 'On'. Those that come near: one"


@pytest.mark.parametrize(
    ("wanted", "names", "text"),
    [
        ("x", [], "There are none that this key can see"),
        ("zzz", ["b", "a"], "There are: a, b"),
        ("zzz", [f"n{number}" for number in range(7)], "There are: n0, n1, n2, n3, n4 and 2 more"),
        ("stores", ["store-1", "stores-north", "else"], "Those that come near: stores-north, store-1"),
        ("defualt", ["Default", "Other", "default"], "Those that come near: default, Default"),
        ("", ["b", "a"], "There are: a, b"),
    ],
)
def test_nearest(wanted: str, names: list[str], text: str) -> None:
    assert nearest(wanted, names) == text


def test_scope(palette: PaletteServer) -> None:
    palette.answer(projects("north"))
    north = Session(Connection(host=palette.host, api_key=palette.key, project="north"))
    assert scope_of(north).project_uid == "uid-of-north"
    tenant = Session(Connection(host=palette.host, api_key=palette.key, tenant_scope=True))
    assert scope_of(tenant).project_uid == ""
    with pytest.raises(InputError, match=r"project: no project 'noth'. Those that come near: north"):
        scope_of(Session(Connection(host=palette.host, api_key=palette.key, project="noth")))


def test_tags_and_labels() -> None:
    assert labels_of({"a": "b", "bare": "", "none": None, "number": 4, "flag": True}) == {
        "a": "b",
        "bare": "spectro__tag",
        "none": "spectro__tag",
        "number": "4",
        "flag": "true",
    }
    assert tags_of({"a": "b:c", "bare": "spectro__tag"}) == {"a": "b:c", "bare": ""}
    assert labels_of(None) == tags_of(None) == {}
