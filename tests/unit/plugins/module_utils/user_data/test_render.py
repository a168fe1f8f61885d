# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
import yaml

from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, render_body

AWKWARD = [
    *(
        "",
        " ",
        "a b",
        " lead",
        "trail ",
        "-",
        "- x",
        "a: b",
        "a #b",
        "#x",
        "'",
        '"',
        "\\",
        "a\\nb",
        "\t",
        "a\tb",
        "%x",
        "@x",
        "`x`",
    ),
    *(
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "true",
        "False",
        "null",
        "Null",
        "~",
        "none",
        "nan",
        ".nan",
        ".inf",
        "inf",
        "NaN",
    ),
    *(
        "1",
        "01",
        "0x1f",
        "0o7",
        "1e3",
        "1_000",
        "1:20",
        "12:30:45",
        "2026-01-31",
        "1.5",
        "+1",
        "-1",
        ".5",
        "=",
        "<<",
        "!",
        "!x",
        "&a",
        "*a",
    ),
    *(
        "$random",
        "{a}",
        "[a]",
        "a,b",
        "a|b",
        "|",
        ">",
        "?",
        "? a",
        ":",
        "a:",
        "::1",
        "10.0.0.1/24",
        "host:443",
        "ümlaut",
        "日本",
        "\u00a0",
        "\u2028",
    ),
    *(
        "\x00",
        "\x1b[0m",
        "\x7f",
        "\x85",
        "\ufeffx",
        "😀",
        "one\ntwo",
        "one\ntwo\n",
        "one\ntwo\n\n",
        "one\n",
        "\n",
        "\none",
        " one\ntwo",
        "one\n two\n",
    ),
    *(
        "one\n\ntwo",
        "one\n  \ntwo",
        "a\r\nb",
        "one\n\ttwo",
        "# c\nx",
        "- a\n- b\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    ),
    "x" * 500,
]


@pytest.mark.parametrize("value", AWKWARD, ids=[ascii(text)[:30] for text in AWKWARD])
def test_every_string_stays_itself_wherever_it_stands(value: str) -> None:
    document: dict[str, t.Any] = {
        "a": value,
        "list": [value, {"k": value, "l": value}],
        value or "empty": {"deep": [[value], value]},
        "z": "end",
    }
    assert yaml.safe_load(render(document)) == document
    assert yaml.load(render(document), Loader=yaml.CSafeLoader) == document


def test_other_values_keep_their_types() -> None:
    document: dict[str, t.Any] = {
        "i": 420,
        "f": 1.5,
        "e": 1e30,
        "b": True,
        "n": None,
        "map": {},
        "list": [],
        "s": "420",
        "nested": [{}, [], [[1, "1"]]],
    }
    found = yaml.safe_load(render(document))
    assert found == document
    assert json.dumps(found) == json.dumps(yaml.safe_load(render(found)))


def test_the_first_line_is_the_header_to_the_letter_and_line_ends_are_lf() -> None:
    text = render({"stylus": {"site": {"name": "x"}}})
    assert text.startswith("#cloud-config\n")
    assert "\r" not in text
    assert text.endswith("name: x\n")
    assert "---" not in text
    assert yaml.safe_load(render({})) is None
    assert render_body({}) == ""


def test_the_same_mapping_gives_the_same_bytes_whatever_its_order() -> None:
    one = {
        "stages": {"boot": [{"commands": ["x"], "name": "step", "if": "t"}]},
        "install": {},
        "stylus": {"b": 1, "a": {"d": 1, "c": 2}},
    }
    other = {
        "stylus": {"a": {"c": 2, "d": 1}, "b": 1},
        "install": {},
        "stages": {"boot": [{"if": "t", "name": "step", "commands": ["x"]}]},
    }
    assert render(one) == render(other)
    assert render_body(one) == (
        "stylus:\n  a:\n    c: 2\n    d: 1\n  b: 1\ninstall: {}\nstages:\n  boot:\n    - name: step\n      if: t\n"
        "      commands:\n        - x\n"
    )


def test_what_a_reader_could_take_for_something_else_is_quoted() -> None:
    for text in ("$random", "00100", "yes", "255.255.255.0", "2027-12-31", "0123"):
        assert f'k: "{text}"\n' in render({"k": text})
    for text in ("palette.example.com", "edge-1", "/oem/user-data"):
        assert f"k: {text}\n" in render({"k": text})


def test_a_certificate_is_a_block_that_people_can_read() -> None:
    assert render_body({"c": ["A\nB\n"]}) == "c:\n  - |\n    A\n    B\n"
