# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share: options checked, entries added, values never taken for templates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.palette.edge.plugins.module_utils._entry import Entry
from ansible_collections.palette.edge.plugins.module_utils.sites._fields import did_you_mean

try:
    from ansible.template import trust_as_template
except ImportError:
    # Before ansible-core 2.19 any text with braces is a template, unless it is marked.
    from ansible.utils.unsafe_proxy import wrap_var

    trust_as_template = None
else:
    # Since then only text that is trusted is one, and what a plugin sets is not.
    wrap_var = None

_BRACES = ("{{", "{%", "{#")
MOST_LINES = 100


class EntriesPlugin(BaseInventoryPlugin, Constructable):
    """Base of the inventory plugins of this collection. ``SUFFIXES`` are the file names that a plugin takes."""

    SUFFIXES: tuple[str, ...] = ()

    def verify_file(self, path: str) -> bool:
        """Whether ``path`` is a file of this plugin, by its name."""
        return os.path.basename(path).endswith(self.SUFFIXES) and bool(super().verify_file(path))

    def read_options(self, path: str) -> None:
        """Reads the inventory file. A key that is no option is refused, as it would be ignored in silence."""
        config = self._read_config_data(path)
        known = {key for key in self._options if not key.startswith("_")}
        unknown = [key for key in config if key not in known and key != "plugin"]
        if unknown:
            raise AnsibleParserError(
                one_line(f"{path}: {unknown[0]}: unknown option{did_you_mean(str(unknown[0]), known)}")
            )

    def add_entries(self, entries: Sequence[Entry], path: str) -> None:
        """Adds ``entries`` with their variables and groups, then what compose, groups and keyed_groups make of them.

        :raises AnsibleParserError: when a name is an entry in one inventory source and a group in another.
        """
        inventory = self.inventory
        groups = list(dict.fromkeys(group for entry in entries for group in entry.groups))
        for entry in entries:
            if entry.name in inventory.groups:
                raise AnsibleParserError(_clash(path, f"the entry {entry.name}", "a group"))
        for group in groups:
            if group in inventory.hosts:
                raise AnsibleParserError(_clash(path, f"the group {group}", "an entry"))
        for entry in entries:
            inventory.add_host(entry.name)
            # Set on the host itself: since core 2.19 the inventory's own set_variable copies each value at every depth
            # to mark where it came from, which for ten thousand hosts takes longer than all the rest.
            host = inventory.get_host(entry.name)
            for key, value in entry.variables.items():
                host.set_variable(key, untemplated(value) if wrap_var and entry.untrusted else value)
        for group in groups:
            inventory.add_group(group)
        for entry in entries:
            for group in entry.groups:
                inventory.add_child(group, entry.name)
        self._construct(entries)

    def _construct(self, entries: Iterable[Entry]) -> None:
        """The seam for something faster than core's own, which compiles each expression again for each host."""
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for entry in entries:
            try:
                variables = self.inventory.get_host(entry.name).get_vars()
                self._set_composite_vars(compose, variables, entry.name, strict=strict)
                if compose:
                    variables = self.inventory.get_host(entry.name).get_vars()
                self._add_host_to_composed_groups(groups, variables, entry.name, strict=strict, fetch_hostvars=False)
                self._add_host_to_keyed_groups(keyed, variables, entry.name, strict=strict, fetch_hostvars=False)
            except AnsibleError as error:
                raise AnsibleParserError(one_line(str(error))) from None


def untemplated(value: Any) -> Any:
    """``value`` so that no text in it is ever a template.

    Only text with braces is marked: a mark is what AWX shows instead of the value.
    """
    if isinstance(value, str):
        return wrap_var(value) if wrap_var and any(sign in value for sign in _BRACES) else value
    if isinstance(value, Mapping):
        return {key: untemplated(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [untemplated(one) for one in value]
    return value


def template(value: Any) -> Any:
    """``value``, of which a text is a template: for what this collection itself wrote."""
    return trust_as_template(value) if trust_as_template and isinstance(value, str) else value


def one_line(text: str) -> str:
    """``text`` without line breaks, for messages."""
    return " ".join(text.split())


def listed(lines: Sequence[object]) -> str:
    """Problems one a line, cut after many of them."""
    shown = [one_line(str(line)) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"... and {len(lines) - MOST_LINES} more")
    return "\n".join(shown)


def _clash(path: str, what: str, other: str) -> str:
    return (
        f"{path}: {what} is {other} of another inventory source already, and Ansible keeps one space for both names: "
        "rename one of them"
    )
