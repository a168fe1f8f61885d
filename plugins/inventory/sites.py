# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Site files as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sites
short_description: Site files as an inventory of sites and their Edge hosts
author:
  - The palette.edge authors (@palette-edge)
description:
  - Each site is one file. This plugin makes of a folder of site files an entry for each site, for work on the site
    as a whole (cluster profile, registration token, cluster), and one for each of its Edge hosts.
  - Use a YAML file whose name ends in C(.sites.yml) or C(.sites.yaml).
  - All files are checked as a whole before the inventory has any entry. What is wrong is reported all at once, each
    with file, line and path.
  - Every entry has in its own variables all that work on it needs, so that each slice of a sliced AWX job is right by
    itself.
  - A key that a site file does not have is not set as a variable. So ordinary C(group_vars) give defaults, for example
    C(group_vars/palette_sites.yml) for all sites and C(group_vars/all.yml) for sites and hosts alike.
  - Values of site files are plain text and never templated.
extends_documentation_fragment:
  - ansible.builtin.constructed
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [palette.edge.sites]
  path:
    description:
      - Folders with site files (every C(*.yml) and C(*.yaml) in them, subfolders not included), or single site files.
      - Relative to the folder of the inventory file.
    type: list
    elements: str
    default: [sites]
  level:
    description:
      - Which entries the inventory has. V(site) gives one for each site, V(host) one for each Edge host.
    type: str
    choices: [both, site, host]
    default: both
  expired_tokens:
    description:
      - What to do with a site whose C(registration.expires) is past. V(error) refuses the inventory; V(warning) goes on,
        for work on sites that registered long ago.
    type: str
    choices: [error, warning]
    default: error
  host_keys:
    description:
      - How the keys are checked by which Edge hosts prove over SSH who they are. OpenSSH does it, with options that the
        group C(palette_hosts) gets as C(ansible_ssh_extra_args), C(ansible_sftp_extra_args) and C(ansible_scp_extra_args).
      - They come after what C(ansible_ssh_args) and C(ansible_ssh_common_args) say, and C(group_vars) and C(host_vars) win
        over them. Who sets C(ansible_ssh_extra_args) there adds C({{ edge_ssh_host_key_args }}) to keep the check.
    type: dict
    default: {}
    suboptions:
      policy:
        description:
          - V(pinned) takes the key that a host shows at the first contact, and refuses the host when it shows another
            one later. It belongs to the host's name in the inventory, at whatever address.
          - V(strict) refuses hosts that have no key in O(host_keys.known_hosts).
          - V(system) leaves all to the configuration of ssh.
          - As a default, V(pinned) gives way to C(host_key_checking=false) of Ansible's configuration. Written down
            here, it does not.
        type: str
        choices: [pinned, strict, system]
        default: pinned
      known_hosts:
        description:
          - The file with the keys, relative to the folder of the inventory file. It may be kept under version control.
        type: str
        default: .known_hosts
requirements:
  - PyYAML, as ansible-core has it; with libyaml it is several times faster
notes:
  - "Entries: the site's own bears the name of the site. Where that would also be the name of its group, which is so
    for a name of letters and digits alone such as C(hamburg), it is C(hamburg-site), so that C(--limit hamburg) means
    the whole site."
  - "Groups: C(palette_sites) for the entries of sites, C(palette_hosts) for those of Edge hosts, one group for each
    site with its entry and its hosts (C(store_042) for the site C(store-042)), C(tag_KEY_VALUE), C(project_NAME),
    C(mode_central) or C(mode_local), and C(wave_NAME) for sites that name the wave of an upgrade. What is neither
    letter, digit nor C(_) becomes C(_) in the name of a group."
  - "Variables of a site's entry: C(edge_site_name), C(edge_site_description), C(edge_site_project),
    C(edge_site_management_mode), C(edge_site_palette_endpoint), C(edge_site_tags), C(edge_site_registration),
    C(edge_site_profiles), C(edge_site_hosts), C(edge_site_cluster), C(edge_site_wave). It runs on the controller:
    C(ansible_connection) is V(local)."
  - "Variables of an Edge host's entry: C(edge_site_name), C(edge_site_project), C(edge_site_management_mode),
    C(edge_site_palette_endpoint), C(edge_site_tags), C(edge_site_registration), and C(edge_host_KEY) for each key of
    the host with the site's defaults merged. C(ansible_host) is the static address, else the initial address."
seealso:
  - module: palette.edge.host_key
  - plugin: palette.edge.fleet
    plugin_type: inventory
    description: What Palette knows of the same Edge hosts.
"""

EXAMPLES = r"""
# stores.sites.yml, beside the folder sites with store-007.yml, store-042.yml, store-100.yml;
# what follows path is only for further groups and variables
plugin: palette.edge.sites
path: sites
keyed_groups:
  - key: edge_site_tags.region
    prefix: region
groups:
  three_hosts: edge_site_hosts is defined and edge_site_hosts | length == 3
compose:
  ansible_user: "'kairos'"

# with the keys of hosts in another file, and no host that is not in it
# plugin: palette.edge.sites
# host_keys:
#   policy: strict
#   known_hosts: ../known_hosts

# only sites: the inventory for work on whole sites, which AWX may slice
# plugin: palette.edge.sites
# path: [north/sites, south/sites]
# level: site
"""

import datetime
import os
import sys
from typing import Any

from ansible.errors import AnsibleParserError

from ansible_collections.palette.edge.plugins.module_utils._entry import Entry
from ansible_collections.palette.edge.plugins.module_utils.sites._check import read_sites
from ansible_collections.palette.edge.plugins.module_utils.sites._entries import HOSTS_GROUP, host_entries, site_entry
from ansible_collections.palette.edge.plugins.plugin_utils._host_keys import ARGS, HostKeys, host_keys_option
from ansible_collections.palette.edge.plugins.plugin_utils._inventory import EntriesPlugin, listed, template


class InventoryModule(EntriesPlugin):
    """Reads site files, refuses them as a whole, or adds their entries."""

    NAME = "palette.edge.sites"
    SUFFIXES = (".sites.yml", ".sites.yaml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Adds the sites of the files that the inventory file ``path`` names."""
        super().parse(inventory, loader, path, cache)
        self.read_options(path)
        # Playbooks name these in their patterns, and a group that is not there earns a warning.
        for group in ("palette_sites", "palette_hosts", "mode_central", "mode_local", "wave_canary"):
            self.inventory.add_group(group)
        host_keys = self._host_keys(path)
        entries = self._entries(path)
        if host_keys.policy != "system" and self.get_option("level") != "site":
            self._check_keys(host_keys, entries, path)
        self.add_entries(entries, path)

    def _check_keys(self, host_keys: HostKeys, entries: list[Entry], path: str) -> None:
        """Gives the hosts what ssh needs to check their keys."""
        for entry in entries:
            if HOSTS_GROUP in entry.groups:
                entry.variables[ARGS] = host_keys.args(entry.name)
        for name, value in host_keys.variables().items():
            self.inventory.set_variable(HOSTS_GROUP, name, template(value))
        if host_keys.warning():
            self.display.warning(f"{path}: {host_keys.warning()}")

    def _host_keys(self, path: str) -> HostKeys:
        try:
            return host_keys_option(self.get_option("host_keys"), os.path.dirname(os.path.abspath(path)))
        except ValueError as error:
            raise AnsibleParserError(f"{path}: {error}") from None

    def _entries(self, path: str) -> list[Entry]:
        folder = os.path.dirname(os.path.abspath(path))
        try:
            outcome = read_sites(folder, self.get_option("path"), now=datetime.datetime.now(datetime.timezone.utc))
        except ValueError as error:
            raise AnsibleParserError(f"{path}: {error}") from None
        if self.get_option("expired_tokens") == "error":
            outcome.problems += outcome.expired
        else:
            for problem in outcome.expired:
                self.display.warning(str(problem))
        if outcome.problems:
            outcome.problems.sort(key=lambda one: (one.file, one.line, one.path))
            raise AnsibleParserError(listed(outcome.problems))
        level = self.get_option("level")
        entries: list[Entry] = []
        for site in outcome.sites:
            if level != "host":
                entries.append(site_entry(site, python=sys.executable))
            if level != "site":
                entries.extend(host_entries(site))
        return entries
