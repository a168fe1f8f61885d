# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import merge


def test_maps_are_merged_however_deep_and_the_later_one_wins() -> None:
    installer = {"stylus": {"site": {"tags": {"city": "Rome", "building": "1"}, "name": "a"}}}
    site = {"stylus": {"site": {"tags": {"zip-code": "00100", "city": "Ostia"}}}}
    assert merge(installer, site) == {
        "stylus": {"site": {"tags": {"city": "Ostia", "building": "1", "zip-code": "00100"}, "name": "a"}}
    }


def test_lists_and_other_values_are_replaced() -> None:
    assert merge({"a": [1, 2], "b": {"c": 1}, "d": 1}, {"a": [3], "b": "text", "d": {"e": 1}}) == {
        "a": [3],
        "b": "text",
        "d": {"e": 1},
    }


def test_a_null_takes_the_key_out() -> None:
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"b": None}, "z": None, "n": {"x": None}}) == {"a": {"c": 2}, "n": {}}


def test_no_layer_is_changed_by_it() -> None:
    one = {"a": {"b": {"c": 1}}}
    merge(one, {"a": {"b": {"c": 2}}})["a"]["b"]["c"] = 3
    assert one == {"a": {"b": {"c": 1}}}
