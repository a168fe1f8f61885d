# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Palette's Edge hosts as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
short_description: Edge hosts as Palette knows them, as an inventory
author:
  - The palette.edge authors (@palette-edge)
description:
  - Reads the Edge hosts of a Palette project, or of all projects, through the search, 50 hosts a request and several
    requests at a time within Palette's limits.
  - Use a YAML file whose name ends in C(.palette.yml) or C(.palette.yaml).
  - Values from Palette are plain text and never templated, and secrets that Palette returns are left out.
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.palette.plugin
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [palette.edge.fleet]
  filters:
    description:
      - Which hosts Palette returns; a host must match all that is given here and in O(properties).
    type: dict
    default: {}
    suboptions:
      states:
        description: Hosts in one of these states, of V(ready), V(unpaired) and V(in-use).
        type: list
        elements: str
      health:
        description: Hosts of this health, V(healthy) or V(unhealthy).
        type: list
        elements: str
      tags:
        description: Hosts with all of these tags, each as V(key:value), or as V(key) for one without a value.
        type: list
        elements: str
      tags_any:
        description: Hosts with any of these tags.
        type: list
        elements: str
      architectures:
        description: Hosts of these architectures, V(amd64) or V(arm64).
        type: list
        elements: str
      names:
        description: Hosts with one of these names.
        type: list
        elements: str
  properties:
    description:
      - Further filters by whatever property Palette's search knows. They are checked against the list of properties
        that Palette returns, which takes one request more.
    type: list
    elements: dict
    default: []
    suboptions:
      property:
        description: Name of the property.
        type: str
        required: true
      values:
        description: What it is compared with.
        type: list
        elements: raw
        required: true
      type:
        description: Type of the property, by default what Palette says.
        type: str
        choices: [string, keyValue, int, float, date, bool]
      operator:
        description:
          - How it is compared. V(eq), V(contains) and V(beginsWith) for texts, V(eq), V(gt), V(gte), V(lt) and V(lte)
            for numbers and dates, V(range) for dates.
        type: str
        default: eq
      match:
        description: Whether V(and) all or V(or) any of several values must match.
        type: str
        choices: [and, or]
        default: or
      key:
        description: The key whose value is compared, for the type V(keyValue).
        type: str
      negation:
        description: Hosts that do not match.
        type: bool
        default: false
      ignore_case:
        description: Whether upper and lower case are the same.
        type: bool
        default: false
  query:
    description:
      - A JMESPath expression that selects from the list of host records, whose keys are those of the variables
        without C(palette_). Needs the Python library C(jmespath).
      - It works on what was fetched or cached, so changing it needs no request.
    type: str
  hostnames:
    description:
      - What names an entry, in order of preference. Each is a key of the host record or V(tags.KEY).
      - A name that several hosts would bear is given to none of them; they go on to the next preference. The last
        resort is always the UID.
    type: list
    elements: str
    default: [name, uid]
  default_groups:
    description:
      - Which groups are made without asking, besides C(palette_fleet) with all hosts. V(site) is the value of the tag
        O(site_tag), spelled as P(palette.edge.sites#inventory) spells it (C(store_042)); the others are
        C(state_ready), C(health_healthy), C(cluster_NAME), C(project_NAME), C(tag_KEY_VALUE), C(architecture_amd64).
      - An empty list makes none.
    type: list
    elements: str
    choices: [site, state, health, cluster, project, tags, architecture]
    default: [site, state, health, cluster, project]
  group_prefix:
    description: Put before the names of these groups.
    type: str
    default: ''
  site_tag:
    description: The tag that names the site of a host.
    type: str
    default: site
  set_ansible_host:
    description: Whether C(ansible_host) is set, to the address of the host's default NIC.
    type: bool
    default: true
requirements:
  - jmespath, only for O(query)
notes:
  - "Variables, always all of them: C(palette_uid), C(palette_name), C(palette_tags), C(palette_state),
    C(palette_health), C(palette_health_message), C(palette_agent_version), C(palette_cluster),
    C(palette_cluster_uid), C(palette_clusters), C(palette_cluster_uids), C(palette_profiles), C(palette_project),
    C(palette_project_uid), C(palette_address), C(palette_mac_address), C(palette_nics), C(palette_architecture),
    C(palette_host_type), C(palette_host_state), C(palette_os), C(palette_os_family), C(palette_os_version),
    C(palette_kernel_version), C(palette_cpu_cores), C(palette_memory_mib), C(palette_gpus), C(palette_secure_boot),
    C(palette_created)."
  - With a cache, a hit makes no request at all and needs no API key. C(--flush-cache) and C(meta=refresh_inventory)
    read again; so does a change of the options that decide what is fetched.
seealso:
  - plugin: palette.edge.sites
    plugin_type: inventory
    description: The same Edge hosts as their site files describe them. Both may be used together.
"""

EXAMPLES = r"""
# ready hosts of the north, cached for ten minutes; the API key comes from PALETTE_API_KEY
plugin: palette.edge.fleet
host: palette.example.com
project: Retail
filters:
  states: [ready]
  tags: ["region:north"]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/tmp/palette-inventory
cache_timeout: 600

# all hosts of the project that PALETTE_PROJECT names
# plugin: palette.edge.fleet

# hosts of all projects with little memory, named by their tag asset, with groups of their own
# plugin: palette.edge.fleet
# scope: tenant
# query: "[?memory_mib < `16384`]"
# hostnames: [tags.asset, name]
# keyed_groups:
#   - key: palette_tags.region
#     prefix: region
# groups:
#   old_agent: palette_agent_version is version('4.8', '<')
# compose:
#   ansible_user: "'kairos'"
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import Cacheable

from ansible_collections.palette.edge.plugins.module_utils import _fleet, _fleet_entries
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError, PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import scope_of
from ansible_collections.palette.edge.plugins.module_utils.palette._options import (
    DEFAULTS,
    ENVIRONMENT,
    connection_from,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import HAS_REQUESTS, session_for
from ansible_collections.palette.edge.plugins.plugin_utils._inventory import EntriesPlugin, one_line

TEXT_KEYS = tuple(key for key, value in _fleet.record({"metadata": {"uid": ""}}).items() if value == "")


class InventoryModule(EntriesPlugin, Cacheable):
    """Host records from the cache or from Palette; then selected, named and grouped."""

    NAME = "palette.edge.fleet"
    SUFFIXES = (".palette.yml", ".palette.yaml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Adds the hosts that the inventory file ``path`` asks for."""
        super().parse(inventory, loader, path, cache)
        self.read_options(path)
        try:
            records = self._records(path, cache=cache)
            entries = self._entries(records)
        except PaletteError as error:
            raise AnsibleParserError(one_line(f"{path}: {error}")) from None
        self.add_entries(entries, path)

    def _records(self, path: str, *, cache: bool) -> list[dict[str, Any]]:
        """Plain records of hosts, cached before anything is made of them."""
        options = {name: self._option(name) for name in sorted({*ENVIRONMENT, *DEFAULTS})}
        connection = connection_from(options)
        simple = _fleet.simple_filters(self.get_option("filters") or {})
        properties = _fleet.check_properties(self.get_option("properties") or [])
        # What was fetched with other options is not what is asked for now. No secret is part of it.
        asked = json.dumps([connection.url, connection.project, connection.tenant_scope, simple, properties])
        caching, key = self.get_option("cache"), self.get_cache_key(path)
        if caching and cache:
            try:
                cached = self._cache[key]
            except KeyError:
                cached = None
            if isinstance(cached, dict) and cached.get("asked") == asked and isinstance(cached.get("hosts"), str):
                return list(json.loads(cached["hosts"]))
        if not HAS_REQUESTS:
            raise InputError("needs the Python library requests on the controller (pip install requests)")
        session = session_for(connection)
        scope = scope_of(session)
        if properties:
            simple += _fleet.property_filters(properties, _fleet.schema_of(session, scope))
        hosts = _fleet.fetch(session, scope, _fleet.search_body(simple))
        records = [_fleet.record(host) for host in hosts]
        if caching:
            self._cache[key] = {"asked": asked, "hosts": json.dumps(records)}
        return records

    def _entries(self, records: list[dict[str, Any]]) -> list[Any]:
        """Entries of the records, after selection."""
        hostnames, kinds = self.get_option("hostnames"), self.get_option("default_groups")
        _fleet_entries.check_hostnames(hostnames, TEXT_KEYS)
        for kind in kinds:
            if kind not in _fleet_entries.GROUPS:
                raise InputError(f"default_groups: {kind!r} is not one of {', '.join(_fleet_entries.GROUPS)}")
        unusable = [record["uid"] for record in records if not _fleet_entries.usable(record["uid"])]
        if unusable:
            self.display.warning(f"Left out {len(unusable)} Edge hosts whose UID no entry can bear: {unusable[:3]!r}")
        chosen: Sequence[Mapping[str, Any]] = [record for record in records if _fleet_entries.usable(record["uid"])]
        if self.get_option("query"):
            chosen = _fleet_entries.select(chosen, str(self._option("query")))
        names, warnings = _fleet_entries.name_hosts(chosen, hostnames)
        for text in warnings:
            self.display.warning(text)
        return _fleet_entries.entries_of(
            chosen,
            names,
            kinds=kinds,
            site_tag=self.get_option("site_tag"),
            group_prefix=self.get_option("group_prefix"),
            connect=self.get_option("set_ansible_host"),
        )

    def _option(self, name: str) -> Any:
        """An option that may be a template, as in C({{ lookup('ansible.builtin.file', ...) }})."""
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) and self.templar.is_template(value) else value
