# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds of every document: rendering, merging, hiding and judging."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import effective, judge
from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import merge
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, without_empty
from ansible_collections.palette.edge.plugins.module_utils.user_data._schema import INSTALL, STYLUS, Each
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide
from ansible_collections.palette.edge.plugins.module_utils.user_data._source import read

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

SETTINGS = {"max_examples": 150, "deadline": None, "derandomize": True, "database": None}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "on",
        "1:20",
        "0o7",
        "####",
        "null",
        "~",
        "- a",
        "a: b",
        "*x",
        "&x",
        "!t",
        "\n",
        "a\nb\n",
        "a\n\n",
        " a",
        "é",
        "2027-12-31",
    ]
)
KEYS = st.sampled_from(["stylus", "site", "a", "b", "name", "on", "1"]) | TEXT
SCALARS = TEXT | st.integers() | st.booleans() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=12
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)
# One shape for each key, as user-data has: what is a map in one layer is a map in all.
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "stylus": st.fixed_dictionaries(
            {},
            optional={
                "debug": st.booleans(),
                "site": st.dictionaries(
                    st.sampled_from(["tags", "network"]), st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2
                ),
            },
        ),
        "list": st.lists(SCALARS, max_size=3),
        "stages": st.dictionaries(
            st.sampled_from(["boot", "network"]), st.lists(st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2)
        ),
    },
)


def _typed(schema: t.Any) -> t.Any:
    """Values as a schema wants them, and now and then others."""
    if isinstance(schema, Each):
        return st.dictionaries(TEXT, _typed(schema.value), max_size=2)
    if isinstance(schema, dict):
        return st.fixed_dictionaries({}, optional={key: _typed(below) for key, below in schema.items()}) | SCALARS
    if isinstance(schema, list):
        return st.lists(_typed(schema[0]), max_size=2) | SCALARS
    return SCALARS | st.none()


@hypothesis.settings(**SETTINGS)
@hypothesis.given(DOCUMENTS)
def test_what_is_rendered_reads_back_as_the_same(document: dict[str, t.Any]) -> None:
    text = render(document)
    assert text.startswith("#cloud-config\n")
    assert "\r" not in text
    assert yaml.safe_load(text) == (document or None)
    assert read(text).document == document
    assert render(read(text).document) == text


@hypothesis.settings(**SETTINGS)
@hypothesis.given(SHAPED, SHAPED, SHAPED)
def test_layers_can_be_put_together_in_any_grouping(one: t.Any, two: t.Any, three: t.Any) -> None:
    for combine in (merge, effective):
        assert combine(combine(one, two), three) == combine(one, combine(two, three)) == combine(one, two, three)
        assert combine(one, {}) == combine({}, one) == combine(one)


@hypothesis.settings(**SETTINGS)
@hypothesis.given(DOCUMENTS)
def test_a_layer_put_onto_itself_is_the_same(document: dict[str, t.Any]) -> None:
    assert merge(document, document) == merge(document)


@hypothesis.settings(**SETTINGS)
@hypothesis.given(DOCUMENTS, st.text("abcdefgh0123456789", min_size=12, max_size=20), KEYS)
def test_a_secret_is_hidden_wherever_it_stands(document: dict[str, t.Any], secret: str, key: str) -> None:
    # Names of keys and numbers are not looked through.
    hypothesis.assume(key != "edgeHostToken" and secret not in key and secret not in str(document))
    document = {**document, "stylus": {"site": {"edgeHostToken": secret, key: f"x {secret} y"}, "more": [f"-{secret}"]}}
    assert secret not in str(hide(document))


@hypothesis.settings(**SETTINGS)
@hypothesis.given(
    st.fixed_dictionaries({}, optional={"stylus": _typed(STYLUS), "install": _typed(INSTALL), "stages": VALUES}),
    DOCUMENTS,
)
def test_whatever_is_given_is_judged_and_never_breaks(one: dict[str, t.Any], two: dict[str, t.Any]) -> None:
    for view in ("effective", "layer"):
        judged = judge(one, two, view=view, agent=(4, 8, 6))
        assert all(finding.message and finding.layer for finding in judged.errors + judged.warnings)


@hypothesis.settings(**SETTINGS)
@hypothesis.given(st.text(max_size=60) | TEXT.map(lambda text: f"#cloud-config\nstylus:\n  site: {text}\n"))
def test_whatever_text_is_given_is_judged_and_never_breaks(text: str) -> None:
    judge(text, "#cloud-config\n" + text)


@hypothesis.settings(**SETTINGS)
@hypothesis.given(DOCUMENTS)
def test_every_place_of_a_text_has_its_line(document: dict[str, t.Any]) -> None:
    text = render(document, note=False)
    lines = text.splitlines()
    for key in document:
        found = read(text).line((key,))
        assert found is not None
        assert not lines[found - 1].startswith((" ", "#"))


@hypothesis.settings(**SETTINGS)
@hypothesis.given(DOCUMENTS)
def test_nothing_empty_is_left_and_nothing_else_goes(document: dict[str, t.Any]) -> None:
    left = without_empty(document)

    def values(value: t.Any, *, of_map: bool = False) -> t.Iterator[t.Any]:
        if isinstance(value, dict):
            for below in value.values():
                yield from values(below, of_map=True)
        elif isinstance(value, list):
            for below in value:
                yield from values(below)
        if of_map or not isinstance(value, (dict, list)):
            yield value

    assert not [one for one in values({"all": left}) if isinstance(one, (dict, list)) and not one and left]
    full = [repr(one) for one in values(document) if not isinstance(one, (dict, list)) and one != ""]
    assert sorted(repr(one) for one in values(left) if not isinstance(one, (dict, list)) and one != "") == sorted(full)
    assert without_empty(left) == left
