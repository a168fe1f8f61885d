# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML compared by what it says, with Palette's templates in it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.resources import _yaml_text
from ansible_collections.palette.edge.plugins.module_utils.resources._yaml_text import meaning, same_yaml, text_of_yaml


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a: 1", "a: 1"),
        ("\n\na: 1\r\n\n", "a: 1"),
        ("b: 1\na: [1, 2]", "a:\n  - 1\n  - 2\nb:   1 # why"),
        ("a: 'x'", 'a: "x"'),
        ("a: x", {"a": "x"}),
        ("a: |\n  one\n  two", {"a": "one\ntwo"}),
        ("a: {{.spectro.var.x}}", "a: {{  .spectro.var.x  }}"),
        ("a: '{{.x}}/y'", {"a": "{{ .x }}/y"}),
        ("a: {{.x}}:{{.y}}", "a: '{{.x}}:{{.y}}'"),
        ("---\na: 1\n---\nb: 2\n", "a: 1\n---\nb: 2"),
        ("---\na: 1\n", "a: 1"),
        ("a: 2026-01-01", "a: '2026-01-01'"),
        ("", "# nothing"),
        ("{{- if x }}\na: 1\n{{- end }}", "\n{{- if x }}\na: 1\n{{- end }}\n"),
    ],
)
def test_the_same(left: Any, right: Any) -> None:
    for mine, other in ((left, right), (right, left)):
        assert same_yaml(mine, other)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a: 1", "a: 2"),
        ("a: 1", "a: true"),
        ("a: 1", "a: '1'"),
        ("a: 0", ""),
        ("a: [1, 2]", "a: [2, 1]"),
        ("a: {{.x}}", "a: {{.y}}"),
        # Without quotes it may become a number.
        ("a: {{.x}}", "a: '{{.x}}'"),
        ("{{- if x }}\na: 1", "{{- if x }}\na: 2"),
        ("a: &x [*x]", "a: 1"),
    ],
)
def test_another(left: Any, right: Any) -> None:
    assert not same_yaml(left, right)


def test_text_of_a_mapping_is_read_again_as_it_was() -> None:
    value = {"b": {"text": "one\ntwo\n", "template": "{{ .spectro.macro.x }}", "on": "yes"}, "a": [1, 2.5, None, True]}
    assert meaning(text_of_yaml(value)) == value
    assert list(meaning(text_of_yaml(value))) == ["b", "a"]
    assert "text: |" in text_of_yaml(value)


def test_the_first_line_keeps_its_indentation() -> None:
    assert text_of_yaml("\n  \n  a: 1\n  b: 2 \n\n") == "  a: 1\n  b: 2"


def test_without_pyyaml_the_text_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yaml_text, "HAS_YAML", False)
    assert same_yaml("a: 1\n", "\na: 1")
    assert not same_yaml("a: 1", "a:  1")
    assert text_of_yaml({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
