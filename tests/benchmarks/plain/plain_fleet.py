# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Palette's Edge hosts put into an inventory in the plain way, to compare with.

The same records from the same session as palette.edge.fleet; but one page after the other, each variable through the
inventory's own set_variable, and for each host what the developer guide of ansible-core shows.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.palette.edge.plugins.module_utils._fleet import record, search_body
from ansible_collections.palette.edge.plugins.module_utils._fleet_entries import DEFAULT_GROUPS, entries_of, name_hosts
from ansible_collections.palette.edge.plugins.module_utils.palette._names import scope_of
from ansible_collections.palette.edge.plugins.module_utils.palette._options import (
    DEFAULTS,
    ENVIRONMENT,
    connection_from,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import session_for
from ansible_collections.palette.edge.plugins.module_utils.resources._edge_host import SEARCH

DOCUMENTATION = r"""
name: plain_fleet
short_description: Edge hosts in the plain way, for benchmarks
author:
  - The palette.edge authors (@palette-edge)
description:
  - Only for benchmarks.
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.palette.plugin
  - ansible.builtin.constructed
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [plain_fleet]
"""


class InventoryModule(BaseInventoryPlugin, Constructable):
    """The plain way."""

    NAME = "plain_fleet"

    def verify_file(self, path: str) -> bool:
        """Any file of YAML."""
        return path.endswith(".yml") and bool(super().verify_file(path))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Adds every host of the project."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        session = session_for(connection_from({name: self.get_option(name) for name in {*ENVIRONMENT, *DEFAULTS}}))
        body = search_body([])
        pages = session.pages("POST", SEARCH, scope=scope_of(session), what="search Edge hosts", body=body)
        records = [record(host) for host in pages]
        names, _warnings = name_hosts(records, ["name", "uid"])
        entries = entries_of(
            records,
            names,
            kinds=DEFAULT_GROUPS,
            site_tag="site",
            group_prefix="",
            connect=True,
        )
        strict = self.get_option("strict")
        for entry in entries:
            inventory.add_host(entry.name)
            for key, value in entry.variables.items():
                inventory.set_variable(entry.name, key, value)
            for group in entry.groups:
                inventory.add_group(group)
                inventory.add_child(group, entry.name)
            variables = inventory.get_host(entry.name).get_vars()
            self._set_composite_vars(self.get_option("compose"), variables, entry.name, strict=strict)
            variables = inventory.get_host(entry.name).get_vars()
            self._add_host_to_composed_groups(self.get_option("groups"), variables, entry.name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, entry.name, strict=strict)
