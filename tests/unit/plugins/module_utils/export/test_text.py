# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written is read back the same: as a site file, and by Ansible, which must not take it for a template."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.palette.edge.plugins.module_utils.export._text import Remark, dump, plain
from ansible_collections.palette.edge.plugins.module_utils.sites._load import load

MACROS = """\
pack:
  namespace: "{{.spectro.var.where}}"
  pin: {{ .spectro.system.cluster.name }}
  raw: '{% raw %} {# no comment #}'
"""
TEXTS = [
    "plain",
    "two words",
    "10.42.0.11/24",
    "1.10",
    "1.30.4",
    "1.2.3-rc.1",
    "01234",
    "0x1f",
    "1e5",
    "1_000",
    "12:30:45",
    "2027-12-31",
    "true",
    "No",
    "null",
    "~",
    "",
    " ",
    " leading and trailing ",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "[a, b]",
    "{a: b}",
    "*alias",
    "&anchor",
    "!tag",
    "%directive",
    "@at",
    "`tick`",
    "|",
    ">",
    "---",
    "...",
    "it's",
    '"quoted"',
    "back\\slash",
    "tab\there",
    "bell\x07",
    "nbsp\u00a0x",
    "next\u0085line",
    "separator\u2028x",
    "bom\ufeffx",
    "\u00fc\u00e4\u00f6 \U0001f680 \u65e5\u672c",
    "one\ntwo",
    "one\ntwo\n",
    "one\n\n\n",
    "\n",
    "\n\n\none",
    "  indented\nless",
    "\tindented by a tab\nless",
    "trailing spaces  \nnext\n",
    "   \nonly spaces first\n",
    "a\r\nb\r\n",
    "a\rb",
    "# looks like a comment\nkey: value\n",
    "---\n- a\n...\n",
    "key: |\n  text\n\n  more\n",
    MACROS,
    "{{ x }}",
    "{% if x %}\n{% endif %}",
    "a {# b #}",
    "${#list[@]}",
    "x" * 5000,
]


def through_site_file(folder: Path, data: Any) -> Any:
    path = folder / "site.yml"
    path.write_bytes(dump(data).encode())
    document = load(str(path), shown="site.yml")
    assert not document.problems, document.problems
    return document.data


def through_ansible(folder: Path, data: Any) -> Any:
    path = folder / "vars.yml"
    path.write_bytes(b"---\n" + dump(data, unsafe=True).encode())
    loader = DataLoader()
    variables = loader.load_from_file(str(path))
    return Templar(loader=loader, variables={"x": "templated", **variables}).template(variables)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_text_comes_back(tmp_path: Path, text: str) -> None:
    data = {"top": text, "list": [text, {"name": text, "more": [text]}], "deep": {"er": {"still": text}}, "end": "x"}
    assert through_site_file(tmp_path, data) == data
    assert through_ansible(tmp_path, data) == data


def test_texts_of_all_kinds_of_signs_come_back(tmp_path: Path) -> None:
    chance = random.Random(4)
    signs = " \n\t:#-'\"{}[]%!&*|>\\,?@`~ab01\u00e9\u2028\x85\r"
    for dummy in range(300):
        text = "".join(chance.choice(signs) for dummy in range(chance.randrange(1, 30)))
        data = {"a": text, "b": [text, {"c": text}]}
        assert through_site_file(tmp_path, data) == data, repr(text)
        assert yaml.safe_load(dump(data)) == data, repr(text)


def test_keys_are_texts_too(tmp_path: Path) -> None:
    data = {"plain": {"a: b": "1", "yes": "2", "01": "3", "": "4", "{{ x }}": "5", "zwei\u00fc": "6", "#": "7"}}
    assert through_site_file(tmp_path, data) == data


def test_values_keep_their_types(tmp_path: Path) -> None:
    data = {"a": True, "b": 0, "c": None, "d": [], "e": {}, "f": [True, 1], "g": [{"h": [[1], {"i": False}]}]}
    assert through_ansible(tmp_path, data) == data


def test_long_text_is_a_block_and_short_lists_are_rows() -> None:
    text = dump({"values": MACROS, "servers": ["10.0.0.1", "pool.ntp.org"], "odd": ["a b", "c, d"]}, unsafe=True)
    assert text.startswith("values: !unsafe |\n  pack:\n")
    assert "servers: [10.0.0.1, pool.ntp.org]\n" in text
    assert "odd:\n  - a b\n  - 'c, d'\n" in text


def test_remarks_stand_where_they_belong_and_are_no_data(tmp_path: Path) -> None:
    data = {
        Remark("first\nsecond"): None,
        "a": {Remark("alone"): None},
        "list": [{Remark("in front"): None, "b": "1"}, {"c": "2", Remark("between"): None, "d": "3"}],
    }
    assert dump(data).splitlines() == [
        "# first",
        "# second",
        "a: {}",
        "  # alone",
        "list:",
        "  -",
        "    # in front",
        "    b: '1'",
        "  - c: '2'",
        "    # between",
        "    d: '3'",
    ]
    assert through_site_file(tmp_path, data) == plain(data) | {"a": through_site_file(tmp_path, data)["a"]}
    assert through_ansible(tmp_path, data) == plain(data)
