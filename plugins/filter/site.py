# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters between a site's description and the options of the modules, and a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

HOST_OPTIONS = ("name", "tags", "architecture", "pairing_key", "remote_shell", "remote_shell_temporary_user")
MEMBER_OPTIONS = ("name", "address", "gateway", "nameservers", "nic", "two_node_role")


def to_edge_hosts(hosts: Iterable[Mapping[str, Any]], tags: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Hosts of a site as the option ``hosts`` of the module edge_host; ``tags`` are put under their own."""
    listed = []
    for host in _mappings(hosts, "to_edge_hosts"):
        options = {key: host[key] for key in HOST_OPTIONS if host.get(key) is not None}
        if host.get("display_name"):
            options["name"] = host["display_name"]
        # None at all would mean to the module that the tags of the host are to go.
        merged = {**(tags or {}), **(host.get("tags") or {})}
        options.pop("tags", None)
        options |= {"tags": merged} if merged else {}
        listed.append({"uid": _id(host, "to_edge_hosts"), **options})
    return listed


def to_node_pools(pools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Node pools of a site's cluster as the option ``node_pools`` of the module cluster."""
    listed = []
    for pool in _mappings(pools, "to_node_pools"):
        members = []
        for host in _mappings(pool.get("hosts") or [], "to_node_pools"):
            given = {**host, "name": host.get("node_name", host.get("name"))}
            options = {key: given[key] for key in MEMBER_OPTIONS if given.get(key) not in (None, "", [])}
            members.append({"uid": _id(host, "to_node_pools"), **options})
        listed.append({**pool, "hosts": members})
    return listed


def to_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | Mapping[str, str]) -> list[str]:
    """Rows as lines of text in columns. ``columns`` names keys, or maps headings to keys."""
    names = dict(columns) if isinstance(columns, Mapping) else {one: one for one in columns}
    cells = [[_text(row.get(key)) for key in names.values()] for row in _mappings(rows, "to_table")]
    heads = [str(head).upper().replace("_", " ") for head in names]
    widths = [max([len(heads[index]), *(len(row[index]) for row in cells)]) for index in range(len(heads))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in [heads, *cells]]


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(str(one) for one in value) or "-"
    return str(value) if value not in (None, "") else "-"


def _id(host: Mapping[str, Any], name: str) -> str:
    found = host.get("uid") or host.get("id")
    if not found:
        raise AnsibleFilterError(f"palette.edge.{name}: the host {host.get('name', '(without a name)')} has no id")
    return str(found)


def _mappings(given: Any, name: str) -> list[Mapping[str, Any]]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise AnsibleFilterError(f"palette.edge.{name} takes a list, not {type(given).__name__}")
    listed = list(given)
    wrong = next((one for one in listed if not isinstance(one, Mapping)), None)
    if wrong is not None:
        raise AnsibleFilterError(f"palette.edge.{name} takes a list of mappings, and there is {wrong!r} in it")
    return listed


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """Name -> function."""
        return {"to_edge_hosts": to_edge_hosts, "to_node_pools": to_node_pools, "to_table": to_table}
