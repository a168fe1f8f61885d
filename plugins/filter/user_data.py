# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on the user-data of Edge hosts, for templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import effective
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render, without_empty
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide
from ansible_collections.palette.edge.plugins.module_utils.user_data._source import read
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import plain


def to_user_data(document: Mapping[str, Any]) -> str:
    """A mapping as the text of a user-data file."""
    return render(without_empty(_mapping(document, "to_user_data")))


def from_user_data(text: str) -> dict[str, Any]:
    """The mapping that the text of a user-data file holds."""
    if not isinstance(text, str):
        raise AnsibleFilterError("from_user_data: give the text of a user-data file.")
    source = read(str(text))
    for problem in source.problems:
        line = source.line(problem.path)
        raise AnsibleFilterError(
            f"from_user_data: the user-data {problem.told() if problem.path else problem.text}"
            f"{f' (line {line})' if line else ''}"
        )
    return source.document


def merge_user_data(document: Mapping[str, Any], *more: Mapping[str, Any]) -> dict[str, Any]:
    """What comes of several layers, the later ones winning."""
    return effective(*(_mapping(one, "merge_user_data") for one in (document, *more)))


def hide_user_data(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same user-data with its secrets hidden."""
    return dict(hide(_mapping(document, "hide_user_data")))


def _mapping(document: Any, name: str) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise AnsibleFilterError(f"{name}: user-data is a mapping, and this is none.")
    return dict(plain(dict(document)))


class FilterModule:
    """The filters on user-data."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {
            "to_user_data": to_user_data,
            "from_user_data": from_user_data,
            "merge_user_data": merge_user_data,
            "hide_user_data": hide_user_data,
        }
