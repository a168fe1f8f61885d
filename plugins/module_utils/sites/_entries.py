# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sites as entries of an inventory: names, variables, groups. Each entry has all that work on it needs.

Variables are flat, and a key that a site file does not have is no variable: so ordinary group_vars give defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._entry import Entry, group_name
from ._model import Host, Site

SITES_GROUP = "palette_sites"
HOSTS_GROUP = "palette_hosts"

_SHARED = ("project", "management_mode", "registration", "palette_endpoint")
_SITE_ONLY = ("description", "profiles", "wave")
_MEMBER = ("name", "id", "address", "gateway", "nameservers", "nic", "architecture")


def entry_name(site: Site) -> str:
    """The name of the site's own entry: the site's name, with C(-site) behind it where that is the group's name too."""
    return f"{site.name}-site" if site.group == site.name else site.name


def site_entry(site: Site, *, python: str) -> Entry:
    """The entry for work on the site as a whole, which runs on the controller.

    :param python: interpreter of the controller.
    """
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": python,
        **_shared(site),
        **{f"edge_site_{key}": site.settings[key] for key in _SITE_ONLY if key in site.settings},
        "edge_site_hosts": [host.settings for host in site.hosts],
    }
    if "cluster" in site.settings:
        variables["edge_site_cluster"] = _cluster(site)
    return Entry(
        name=entry_name(site),
        variables=variables,
        groups=[SITES_GROUP, *_groups(site, site.tags)],
        untrusted=site.document.braces,
    )


def host_entries(site: Site) -> Iterator[Entry]:
    """The entries for work on the Edge hosts, each self-sufficient."""
    shared = _shared(site)
    for host in site.hosts:
        variables = {**shared, **{f"edge_host_{key}": value for key, value in host.settings.items()}}
        if host.reachable_at:
            variables["ansible_host"] = host.reachable_at
        yield Entry(
            name=host.name,
            variables=variables,
            groups=[HOSTS_GROUP, *_groups(site, host.settings["tags"])],
            untrusted=site.document.braces,
        )


def _shared(site: Site) -> dict[str, Any]:
    variables: dict[str, Any] = {"edge_site_name": site.name, "edge_site_tags": site.tags}
    variables.update((f"edge_site_{key}", site.settings[key]) for key in _SHARED if key in site.settings)
    return variables


def _groups(site: Site, tags: Mapping[str, str]) -> list[str]:
    groups = [site.group]
    groups += [group_name(f"tag_{key}_{value}" if value else f"tag_{key}") for key, value in tags.items()]
    if "project" in site.settings:
        groups.append(group_name(f"project_{site.settings['project']}"))
    if "management_mode" in site.settings:
        groups.append(f"mode_{site.settings['management_mode']}")
    if "wave" in site.settings:
        groups.append(group_name(f"wave_{site.settings['wave']}"))
    return list(dict.fromkeys(groups))


def _cluster(site: Site) -> dict[str, Any]:
    """The cluster with the hosts of its pools in full, so that no other entry is needed."""
    by_name = {host.name: host for host in site.hosts}
    cluster = dict(site.settings["cluster"])
    if cluster.get("tags") is not None:
        cluster["tags"] = {**site.tags, **cluster["tags"]}
    cluster["node_pools"] = [
        {**_given(pool), "hosts": [_member(by_name[one["name"]], one) for one in pool["hosts"]]}
        for pool in cluster["node_pools"]
    ]
    return cluster


def _member(host: Host, given: Mapping[str, Any]) -> dict[str, Any]:
    return {**_given(given), **{key: host.settings[key] for key in _MEMBER if key in host.settings}}


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value is not None}
