# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters and Edge hosts of Palette as site files: one site a cluster, and one or more for hosts of no cluster.

What a run of the playbooks on such a site would compare stands in its file as Palette has it.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..palette._names import tags_of
from ..resources._registration_token import moment
from ._cluster import cluster_keys
from ._names import Names, is_name
from ._profiles import attached
from ._read import Cluster, Notes, Project
from ._text import Remark

UNASSIGNED = "unassigned"
_SHARED = ("architecture", "nic", "gateway", "nameservers")
_SHOWN = 10


@dataclass
class Site:
    """A site file in the making. ``overrides`` are variables of roles for what no key of the file can hold."""

    name: str
    data: dict[Any, Any]
    overrides: dict[str, Any] = field(default_factory=dict)
    cluster: str = ""


def sites_of(project: Project, *, now: datetime.datetime) -> list[Site]:
    """The sites of a project: its clusters by name, then hosts by the tag C(site), then all others."""
    hosts = {str(host["metadata"]["uid"]): host for host in project.hosts}
    names = Names()
    members = {cluster.uid: _members(cluster) for cluster in project.clusters}
    placed = {uid for listed in members.values() for uid in listed}
    loose: dict[str, list[str]] = {}
    for uid, host in hosts.items():
        if uid not in placed:
            loose.setdefault(tags_of(host["metadata"].get("labels")).get("site", ""), []).append(uid)
    made: list[Site] = []
    for cluster in project.clusters:
        listed = members[cluster.uid]
        about = f"cluster {cluster.name}"
        missing = [uid for uid in listed if uid not in hosts]
        if missing:
            # With a part of its members a run would take the others out.
            text = f"its Edge hosts {', '.join(missing[:_SHOWN])} are not in this project: it is left out"
            project.notes.add(about, text)
        if len(missing) == len(listed):
            project.notes.add(about, "it has no Edge hosts here, and a site has one at least: it is no site")
            continue
        own = [hosts[uid] for uid in listed if uid in hosts]
        name = names.site(_site_name(cluster, own), cluster.uid)
        if name != cluster.name and not is_name(cluster.name):
            project.notes.add(about, f"no site can be called so: its site is {name}")
        elif name != cluster.name and cluster.labels.get("site") != name:
            project.notes.add(about, f"the name is taken by another site, group or host: its site is {name}")
        spare = [hosts[uid] for uid in loose.pop(name, [])]
        made.append(_site(project, names, name, [*own, *spare], cluster=None if missing else cluster))
    for tag in sorted(loose):
        label = tag or UNASSIGNED
        name = names.site(label, label)
        made.append(_site(project, names, name, [hosts[uid] for uid in loose[tag]], cluster=None))
        if tag and name != tag:
            project.notes.add(f"Edge hosts with the tag site: {tag}", f"no site can be called so: their site is {name}")
    if not made:
        project.notes.add("Edge hosts", "the project has none, so there is no site, and no inventory")
    _standing(project)
    _registrations(project, made, now=now)
    return made


def _members(cluster: Cluster) -> dict[str, Mapping[str, Any]]:
    """UID of each Edge host of the cluster's pools -> the member."""
    return {str(member["hostUid"]): member for pool in cluster.pools for member in pool.get("hosts") or []}


def _site_name(cluster: Cluster, hosts: Iterable[Mapping[str, Any]]) -> str:
    """The tag C(site), where the cluster and all its hosts bear the same, as the roles write it; else its name."""
    tag = tags_of(cluster.labels).get("site", "")
    same = all(tags_of(host["metadata"].get("labels")).get("site") == tag for host in hosts)
    return tag if tag and same and is_name(tag) else cluster.name


def _site(
    project: Project, names: Names, name: str, hosts: Sequence[Mapping[str, Any]], *, cluster: Cluster | None
) -> Site:
    members = _members(cluster) if cluster else {}
    tags = [
        _tags(host["metadata"].get("labels"), project.notes, f"Edge host {host['metadata']['uid']}") for host in hosts
    ]
    bearers = [*tags, *([tags_of(cluster.labels)] if cluster else [])]
    tagged = all(one.get("site") == name for one in bearers)
    common = _common(bearers, leave_out="site" if tagged else "") if cluster or name != UNASSIGNED else {}
    data: dict[Any, Any] = {"name": name, "project": project.name, "management_mode": "central"}
    description = (cluster.whole["metadata"].get("annotations") or {}).get("description", "") if cluster else ""
    if description:
        data["description"] = description
    if common:
        data["tags"] = common
    if not tagged:
        data[Remark("The tag site: NAME is not put on what does not bear it.")] = None
        data["site_tag"] = False
    data["registration"] = {}
    listed = []
    for host, own in zip(hosts, tags):
        own = {key: value for key, value in own.items() if key not in common and not (tagged and key == "site")}
        listed.append(_host(names, host, members.get(host["metadata"]["uid"], {}), own, project.notes))
    defaults = _take_shared(listed)
    if defaults:
        data["host_defaults"] = defaults
    data["hosts"] = listed
    site = Site(name=name, data=data, cluster=cluster.name if cluster else "")
    if cluster:
        profiles = attached(cluster, project)
        if profiles:
            data["profiles"] = profiles
        called = {str(host["metadata"]["uid"]): one["name"] for host, one in zip(hosts, listed)}
        given = {**common, **({"site": name} if tagged else {})}
        more = {key: value for key, value in tags_of(cluster.labels).items() if given.get(key) != value}
        data["cluster"] = cluster_keys(cluster, site=name, tags=more, called=called, notes=project.notes)
    return site


def _tags(labels: Mapping[str, Any] | None, notes: Notes, about: str) -> dict[str, str]:
    """Tags that a site file can hold; others stay on the host as they are."""
    kept = {}
    for key, value in tags_of(labels).items():
        if not key or ":" in key or any(sign.isspace() or not sign.isprintable() for sign in key):
            notes.add(
                about, f"its tag {key!r} has a key that no site file can hold: it stays on the host, and is left out"
            )
        else:
            kept[key] = value
    return kept


def _common(bearers: Sequence[Mapping[str, str]], *, leave_out: str) -> dict[str, str]:
    """The tags that all bear with the same value."""
    first, *rest = bearers
    return {
        key: value for key, value in first.items() if key != leave_out and all(one.get(key) == value for one in rest)
    }


# -- hosts -------------------------------------------------------------------------------------------------------------


def _host(
    names: Names, host: Mapping[str, Any], member: Mapping[str, Any], tags: Mapping[str, str], notes: Notes
) -> dict[Any, Any]:
    uid, shown = str(host["metadata"]["uid"]), str(host["metadata"].get("name") or "")
    device = (host.get("spec") or {}).get("device") or {}
    name = names.host([str(member.get("hostName") or ""), shown, uid], uid)
    made: dict[Any, Any] = {"name": name, "id": uid}
    if shown and shown != name:
        made["display_name"] = shown
    made.update(_network(member, device, notes, f"Edge host {uid}"))
    if device.get("archType"):
        made["architecture"] = device["archType"]
    if device.get("hostType") == "agent-mode":
        made["backend"] = {"type": "agent_mode"}
    if tags:
        made["tags"] = dict(tags)
    return made


def _network(member: Mapping[str, Any], device: Mapping[str, Any], notes: Notes, about: str) -> dict[str, Any]:
    """The static network that the node pool gives a host, else the address at which it answers now."""
    nic = member.get("nic") or {}
    made: dict[str, Any] = {}
    reported = _reported(device, str(nic.get("nicName") or ""))
    address = str(nic.get("ip") or member.get("staticIP") or "")
    if address:
        interface = _interface(address, str(nic.get("subnet") or reported.get("subnet") or ""))
        if interface:
            made["address"] = interface
        else:
            notes.add(about, f"its address {address} has no subnet mask, and is left out")
    elif reported.get("ip"):
        # Whether it is static or leased is not known: a wrong word here would be written to the host one day.
        made["initial_address"] = str(reported["ip"]).partition("/")[0]
    if nic.get("nicName") or (member.get("nicName") and address):
        made["nic"] = str(nic.get("nicName") or member.get("nicName"))
    if address and nic.get("gateway"):
        made["gateway"] = str(nic["gateway"])
    if address and nic.get("dns"):
        made["nameservers"] = [str(one) for one in nic["dns"]]
    return made


def _reported(device: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The NIC of this name as the host reports it, else its default one, else the first with an address."""
    nics = device.get("nics") or []
    named = [nic for nic in nics if name and nic.get("nicName") == name]
    default = [nic for nic in nics if nic.get("isDefault")]
    return next((nic for nic in [*named, *default, *nics] if nic.get("ip")), {})


def _interface(address: str, mask: str) -> str:
    """C(10.0.0.11/24) of an address and its mask, or "" when that is none."""
    if "/" not in address and not mask:
        return ""
    try:
        return ipaddress.ip_interface(address if "/" in address else f"{address}/{mask}").with_prefixlen
    except ValueError:
        return ""


def _take_shared(hosts: Sequence[dict[Any, Any]]) -> dict[str, Any]:
    """What all hosts have in common, taken out of them."""
    if len(hosts) < 2:
        return {}
    shared = {
        key: hosts[0][key] for key in _SHARED if key in hosts[0] and all(one.get(key) == hosts[0][key] for one in hosts)
    }
    for one in hosts:
        for key in shared:
            del one[key]
    return shared


def _standing(project: Project) -> None:
    """Hosts that a run would wait for."""
    waiting = [
        str(host["metadata"]["uid"])
        for host in project.hosts
        if (host.get("status") or {}).get("state") not in ("ready", "in-use")
        or ((host.get("status") or {}).get("health") or {}).get("state") != "healthy"
    ]
    if waiting:
        more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
        text = f"{', '.join(waiting[:_SHOWN])}{more} are not ready and healthy now: the phase register waits for such"
        project.notes.add("Edge hosts", text)


# -- registration tokens -----------------------------------------------------------------------------------------------


def _registrations(project: Project, sites: Sequence[Site], *, now: datetime.datetime) -> None:
    """Each site's token: the one that bears its name, else the only other one that the project has, else none."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for token in project.tokens:
        by_name.setdefault(token["name"], []).append(token)
    twice = [name for name, found in by_name.items() if len(found) > 1]
    for name in twice:
        project.notes.add(f"registration token {name}", "several bear this name: no site refers to one")
    own = {site.name for site in sites}
    others = [token for token in project.tokens if token["name"] not in own]
    common = others[0] if len(others) == 1 and others[0]["active"] and not _ended(others[0], now) else None
    without = []
    for site in sites:
        own_token = by_name.get(site.name, [])
        chosen = own_token[0] if len(own_token) == 1 else common
        if chosen is None:
            without.append(site.name)
            del site.data["registration"]
        else:
            site.data["registration"] = _registration(chosen, site.name, now)
    if without and project.tokens:
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        text = f"which is theirs is not known: {', '.join(without[:_SHOWN])}{more}. Further hosts of theirs need one"
        project.notes.add("registration tokens", text)
    for token in project.tokens:
        if not token["active"]:
            project.notes.add(f"registration token {token['name']}", "it is disabled, and stays so")
        elif _ended(token, now):
            project.notes.add(f"registration token {token['name']}", f"it ended on {token['expires']}")


def _registration(token: Mapping[str, Any], site: str, now: datetime.datetime) -> dict[str, Any]:
    made = {"token": token["name"]}
    if token["description"] != f"Edge hosts of {site}":
        made["description"] = token["description"]
    if token["expires"] and not _ended(token, now):
        made["expires"] = token["expires"]
    return made


def _ended(token: Mapping[str, Any], now: datetime.datetime) -> bool:
    return bool(token["expires"]) and moment(token["expires"], option="expires") <= now
