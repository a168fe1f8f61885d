# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Site files to sites, with everything that is wrong with any of them, each with its line."""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ._entries import entry_name
from ._fields import WRONG, Complaints, interface_of, mapping, moment
from ._load import Document, KeyPath, Problem, load, site_files
from ._model import HOST, SITE, Host, Site, pem_problem

_read_site = mapping(SITE)
_MERGED = ("backend", "proxy", "tags")
_RESERVED = ("all", "ungrouped")


@dataclass
class Outcome:
    """The sites, and what is wrong. ``expired`` are problems too, kept apart for those who want to go on with them."""

    sites: list[Site] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    expired: list[Problem] = field(default_factory=list)


def read_sites(folder: str, paths: Sequence[str], *, now: datetime.datetime) -> Outcome:
    """All sites of the files in ``paths``, relative to ``folder``.

    :param now: with a time zone; what expires before it is refused.
    :raises ValueError: naming the path that is missing or empty.
    """
    outcome = Outcome()
    certificates: dict[str, str] = {}
    for file in site_files(folder, paths):
        relative = os.path.relpath(file, folder)
        document = load(file, shown=file if relative.startswith("..") else relative)
        outcome.problems += document.problems
        if document.data is None:
            continue
        checker = _SiteCheck(document, now=now, certificates=certificates)
        site = checker.site()
        outcome.problems += [document.problem(path, text) for path, text in checker.complaints.found]
        outcome.expired += [document.problem(path, text) for path, text in checker.expired.found]
        document.data = None
        if site is not None:
            outcome.sites.append(site)
    outcome.problems += _clashes(outcome.sites)
    return outcome


class _SiteCheck:
    """The rules within one file."""

    def __init__(self, document: Document, *, now: datetime.datetime, certificates: dict[str, str]) -> None:
        self.document = document
        self.now = now
        self.certificates = certificates
        self.complaints = Complaints()
        self.expired = Complaints()

    def site(self) -> Site | None:
        """The site, or None when too little of it is right to compare it with others."""
        read = _read_site(self.complaints, (), self.document.data)
        if read is WRONG:
            return None
        given = _present(read)
        name = given.get("name")
        tagged = given.get("site_tag") is not False
        if tagged:
            self._tags(given.get("tags", {}), name)
        self._registration(given.get("registration", {}), given.get("management_mode", "central"))
        tags = {**given.get("tags", {}), **({"site": name} if name and tagged else {})}
        hosts = self._hosts(read, tags, tagged=tagged)
        self._addresses(hosts)
        self._profiles(given.get("profiles", []))
        if "cluster" in given:
            given["cluster"] = self._cluster(_present(given["cluster"]), given, hosts)
        if not name:
            return None
        if name in _RESERVED:
            self.complaints.add(("name",), f"{name!r} is a group that Ansible keeps for itself")
        settings = {key: one for key, one in given.items() if key not in ("host_defaults", "hosts")}
        listed = [
            Host(name=host["name"], id=host["id"], place=place, settings=host)
            for place, host in hosts.items()
            if "name" in host and "id" in host
        ]
        return Site(name=name, document=self.document, settings=settings, tags=tags, hosts=listed)

    def _tags(self, tags: dict[str, str], name: str | None) -> None:
        if "site" in tags and name and tags["site"] != name:
            text = f"the tag site is the site's name ({name}) and set by the inventory: leave it out"
            self.complaints.add(("tags", "site"), text)

    def _registration(self, registration: dict[str, Any], mode: str) -> None:
        given = _present(registration)
        if "expires" in given and "expires_in_days" in given:
            self.complaints.add(("registration", "expires_in_days"), "give either expires or expires_in_days, not both")
        if "expires" in given and moment(given["expires"]) < self.now:
            token = f" of the token {given['token']}" if "token" in given else ""
            text = f"the expiry date {given['expires']}{token} is past: give a later one"
            self.expired.add(("registration", "expires"), text)
        if mode == "local" and given:
            text = (
                "a locally managed site does not register with Palette: leave it out, or set management_mode: central"
            )
            self.complaints.add(("registration",), text)

    # -- hosts ---------------------------------------------------------------------------------------------------------

    def _hosts(self, read: dict[str, Any], site_tags: dict[str, str], *, tagged: bool) -> dict[int, dict[str, Any]]:
        """Place in the file -> settings of the host, defaults merged and certificates read."""
        defaults = _present(read.get("host_defaults") or {})
        self._certificates(defaults, ("host_defaults",))
        hosts: dict[int, dict[str, Any]] = {}
        for number, own in enumerate(read.get("hosts") or []):
            if own is WRONG:
                continue
            self._certificates(own, ("hosts", number))
            merged = {**defaults, **own}
            for key in _MERGED:
                if isinstance(own.get(key), dict) and key in defaults:
                    merged[key] = {**defaults[key], **own[key]}
            host = _present({key: merged.get(key) for key in [*HOST, *merged]})
            for key in ("backend", "proxy"):
                if key in host:
                    host[key] = _present(host[key])
            if host.get("backend") and "type" not in host["backend"]:
                self.complaints.add(("hosts", number, "backend"), "the key type is missing, here and in host_defaults")
            named = site_tags.get("site") if tagged else ""
            if named and host.get("tags", {}).get("site", named) != named:
                self.complaints.add(
                    ("hosts", number, "tags", "site"), "the tag site is set by the inventory: leave it out"
                )
            host["tags"] = {**site_tags, **host.get("tags", {})}
            hosts[number] = host
        for key in ("name", "id"):
            self._once(hosts, key, lambda host, key=key: host.get(key))
        return hosts

    def _certificates(self, settings: dict[str, Any], path: KeyPath) -> None:
        """Replaces C({file: ...}) by the text of the file."""
        if not settings.get("ca_certificates"):
            return
        texts = []
        for number, one in enumerate(settings["ca_certificates"]):
            if isinstance(one, dict) and one.get("file"):
                file = os.path.join(os.path.dirname(self.document.file), os.path.expanduser(one["file"]))
                try:
                    one = self._certificate_file(os.path.normpath(file))
                except ValueError as error:
                    self.complaints.add((*path, "ca_certificates", number, "file"), str(error))
            texts.append(one)
        settings["ca_certificates"] = texts

    def _certificate_file(self, file: str) -> str:
        if file not in self.certificates:
            try:
                with open(file, encoding="utf-8") as stream:
                    text = stream.read()
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"{file} cannot be read: {getattr(error, 'strerror', 'it is not text')}") from None
            problem = pem_problem(text)
            if problem:
                raise ValueError(f"{file} {problem}")
            self.certificates[file] = text.strip() + "\n"
        return self.certificates[file]

    def _once(self, hosts: dict[int, dict[str, Any]], key: str, value: Any) -> None:
        seen: dict[str, int] = {}
        for number, host in hosts.items():
            one = value(host)
            if one is not None and seen.setdefault(one, number) != number:
                self.complaints.add(("hosts", number, key), f"{one} is the {key} of hosts[{seen[one]}] already")

    def _addresses(self, hosts: dict[int, dict[str, Any]]) -> None:
        self._once(hosts, "address", _static_ip)
        self._once(hosts, "initial_address", lambda host: host.get("initial_address"))
        statics = {_static_ip(host): number for number, host in hosts.items() if _static_ip(host)}
        for number, host in hosts.items():
            initial, address, gateway = (host.get(key) for key in ("initial_address", "address", "gateway"))
            if initial in statics and statics[initial] != number:
                text = f"{initial} is the address of hosts[{statics[initial]}]: this one would be found there"
                self.complaints.add(("hosts", number, "initial_address"), text)
            if address is None or gateway is None:
                continue
            interface, router = interface_of(address), ipaddress.ip_address(gateway)
            if router not in interface.network:
                text = f"{gateway} is outside the subnet {interface.network} of {address}"
            elif router == interface.ip:
                text = f"{gateway} is the host's own address"
            else:
                continue
            self.complaints.add(("hosts", number, "gateway"), text)

    # -- profiles and cluster ------------------------------------------------------------------------------------------

    def _profiles(self, profiles: list[Any]) -> None:
        seen: dict[str, int] = {}
        for number, profile in enumerate(profiles):
            name = profile.get("name") if isinstance(profile, dict) else None
            if isinstance(name, str) and seen.setdefault(name, number) != number:
                text = f"the profile {name} is profiles[{seen[name]}] already: a cluster takes one version of it"
                self.complaints.add(("profiles", number, "name"), text)

    def _cluster(
        self, cluster: dict[str, Any], site: dict[str, Any], hosts: dict[int, dict[str, Any]]
    ) -> dict[str, Any]:
        by_name = {host["name"]: host for host in hosts.values() if "name" in host}
        # With a host whose name is wrong, what its pool calls it would be one more complaint about the same.
        sure = len(by_name) == len(site.get("hosts") or [])
        cluster = {"name": site.get("name"), **cluster}
        placed: dict[str, str] = {}
        names: dict[str, int] = {}
        control: list[tuple[int, int]] = []
        for number, pool in enumerate(cluster.get("node_pools") or []):
            if pool is WRONG:
                continue
            path: KeyPath = ("cluster", "node_pools", number)
            if "name" in pool and names.setdefault(pool["name"], number) != number:
                self.complaints.add(
                    (*path, "name"), f"the pool {pool['name']} is node_pools[{names[pool['name']]}] already"
                )
            members = pool.get("hosts") or []
            if pool.get("control_plane") is True:
                control.append((number, len(members)))
            for place, member in enumerate(members):
                self._member((*path, "hosts", place), member, f"node_pools[{number}]", by_name, placed, sure=sure)
        self._control_planes(cluster, control, local=site.get("management_mode") == "local")
        self._vip(cluster, [by_name[name] for name in placed])
        return cluster

    def _member(
        self,
        path: KeyPath,
        member: Any,
        pool: str,
        by_name: dict[str, dict[str, Any]],
        placed: dict[str, str],
        *,
        sure: bool,
    ) -> None:
        name = member.get("name") if isinstance(member, dict) else None
        if not isinstance(name, str):
            return
        if name not in by_name:
            if not sure:
                return
            known = ", ".join(by_name) or "none"
            self.complaints.add(path, f"{name} is not a host of this site. Its hosts: {known}")
        elif name in placed:
            self.complaints.add(path, f"{name} is in {placed[name]} already: a host belongs to one pool")
        else:
            placed[name] = pool

    def _control_planes(self, cluster: dict[str, Any], control: list[tuple[int, int]], *, local: bool) -> None:
        path: KeyPath = ("cluster", "node_pools")
        two_node = cluster.get("two_node") is True
        if two_node and local:
            self.complaints.add(("cluster", "two_node"), "a locally managed site cannot have a two-node cluster")
        if cluster.get("node_pools") and len(control) != 1:
            text = f"{len(control)} pools have control_plane: true, a cluster has exactly one"
            self.complaints.add(path, text)
        for number, count in control:
            if two_node and count != 2:
                text = f"{count} control planes; with two_node: true there are exactly 2"
            elif not two_node and count and count % 2 == 0:
                text = f"{count} control planes: their number must be odd (1, 3, 5), or 2 with two_node: true"
            else:
                continue
            self.complaints.add((*path, number, "hosts"), text)

    def _vip(self, cluster: dict[str, Any], hosts: list[dict[str, Any]]) -> None:
        path: KeyPath = ("cluster", "vip")
        vip = cluster.get("vip")
        if vip is None or cluster.get("endpoint_type", "VIP") not in ("VIP", "IP"):
            return
        try:
            address = ipaddress.ip_address(vip)
        except ValueError:
            text = f"{vip} is not an IP address (for a name, set endpoint_type to External or DDNS)"
            self.complaints.add(path, text)
            return
        if "overlay_cidr" in cluster:
            if address not in ipaddress.ip_network(cluster["overlay_cidr"]):
                self.complaints.add(path, f"{vip} is outside the overlay network {cluster['overlay_cidr']}")
            return
        statics = [host for host in hosts if _static_ip(host)]
        for host in statics:
            if _static_ip(host) == vip and len(hosts) > 1:
                self.complaints.add(path, f"{vip} is the address of the host {host['name']}: give a free address")
            if host.get("gateway") == vip:
                self.complaints.add(path, f"{vip} is the gateway: give a free address")
                break
        networks = list(dict.fromkeys(interface_of(host["address"]).network for host in statics))
        outside = [str(net) for net in networks if address not in net]
        if outside:
            text = f"{vip} is outside the hosts' subnet {', '.join(outside)}: give a free address inside it"
            self.complaints.add(path, text)


def _static_ip(host: dict[str, Any]) -> str | None:
    address = host.get("address")
    return str(interface_of(address).ip) if address is not None else None


def _present(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in settings.items() if one is not None}


# -- across files ------------------------------------------------------------------------------------------------------


def _clashes(sites: Sequence[Site]) -> list[Problem]:
    """What must be unique over all files: sites, groups, entries of the inventory, host IDs, clusters of a project."""
    problems: list[Problem] = []
    names: dict[str, Site] = {}
    groups: dict[str, Site] = {}
    entries: dict[str, str] = {}
    ids: dict[str, str] = {}
    clusters: dict[tuple[str, str], str] = {}
    for site in sites:
        document = site.document
        first = names.setdefault(site.name, site)
        if first is not site:
            text = f"the site {site.name} is in {first.document.shown} already"
            problems.append(document.problem(("name",), text))
            continue
        twin = groups.setdefault(site.group, site)
        if twin is not site:
            text = f"{site.name} has the same group ({site.group}) as the site {twin.name} in {twin.document.shown}"
            problems.append(document.problem(("name",), text))
        entry = f"the entry of the site {site.name}"
        taken = entries.setdefault(entry_name(site), entry)
        if taken != entry:
            text = f"{site.name} needs the entry {entry_name(site)}, which is {taken} already"
            problems.append(document.problem(("name",), text))
        cluster = site.settings.get("cluster", {}).get("name")
        key = (str(site.settings.get("project", "")), str(cluster))
        if cluster and clusters.setdefault(key, document.shown) != document.shown:
            problems.append(
                document.problem(("cluster", "name"), f"the cluster {cluster} is in {clusters[key]} already")
            )
    for site in names.values():
        own: set[str] = set()
        for host in site.hosts:
            where = f"a host of the site {site.name} in {site.document.shown}"
            if host.name in own:
                continue  # said already, within the file
            own.add(host.name)
            taken = entries.setdefault(host.name, where)
            if host.name in groups:
                taken = f"the group of the site {groups[host.name].name}"
            if taken != where:
                text = f"{host.name} is {taken} already: every entry of the inventory has a name of its own"
                problems.append(site.document.problem(("hosts", host.place, "name"), text))
            if ids.setdefault(host.id, where) != where:
                text = f"{host.id} is the ID of {ids[host.id]} already: Edge host IDs are unique in the tenant"
                problems.append(site.document.problem(("hosts", host.place, "id"), text))
    return problems
