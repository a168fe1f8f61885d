# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a site as a whole: its networks, its versions, and what Palette says: pure."""

from __future__ import annotations

import datetime
import ipaddress
import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product

from ansible_collections.palette.edge.plugins.plugin_utils._checks_wanted import covered
from ansible_collections.palette.edge.plugins.plugin_utils._preflight import Host, Row, Site, own_nic, row, some

POD_CIDR, SERVICE_CIDR = "192.168.0.0/16", "10.96.0.0/12"
"""What the packs have when nobody says otherwise."""

SOON = datetime.timedelta(days=7)
"""How long a registration token should still be good for."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_KEYS = {
    "pod": r"podCIDR|podSubnet|clusterCIDR|cluster-cidr|pod-network-cidr",
    "service": r"serviceClusterIpRange|serviceSubnet|serviceCIDR|service-cidr",
}
_VALUE = r"""["']?\b(?:{keys})["']?\s*[:=]\s*["']?([0-9a-fA-F.:]+/\d+)"""


def site_rows(site: Site, hosts: Sequence[Host], *, now: datetime.datetime) -> list[Row]:
    """All rows on a site as a whole.

    :param hosts: those of the site that were looked at.
    :param now: with a time zone.
    """
    return [*_networks(site, hosts), *_proxies(site, hosts), *_versions(site, hosts), *_palette(site, now=now)]


# -- networks ----------------------------------------------------------------------------------------------------------


def networks_of(site: Site) -> dict[str, tuple[str, bool]]:
    """The networks of pods and services, each with whether somebody said so."""
    text = "\n".join(_flat(profile.get("pack_values") or {}) for profile in site.profiles)
    found = {}
    for kind, given, usual in (("pod", site.pod_cidr, POD_CIDR), ("service", site.service_cidr, SERVICE_CIDR)):
        there = re.search(_VALUE.format(keys=_KEYS[kind]), text)
        found[kind] = given or (there[1] if there else usual), bool(given or there)
    return found


def _flat(values: t.Any) -> str:
    """Keys and values as lines; text in them, such as the configuration of a distribution, as it is."""
    if isinstance(values, Mapping):
        return "\n".join(f"{key}: {_flat(value)}" for key, value in values.items())
    return "\n".join(map(_flat, values)) if isinstance(values, list) else str(values)


def _networks(site: Site, hosts: Sequence[Host]) -> Iterator[Row]:
    given = networks_of(site) | {"overlay": (str(site.cluster.get("overlay_cidr") or ""), True)}
    planned: list[tuple[str, Network, bool]] = []
    for what, (text, sure) in given.items():
        # Two of them, with a comma, where a cluster has IPv4 and IPv6.
        for one in filter(None, text.split(",")):
            try:
                planned.append((f"the {what} network", ipaddress.ip_network(one.strip(), strict=False), sure))
            except ValueError:
                advice = f"write it like {POD_CIDR}"
                yield row(
                    "network", site.entry, seen=f"{one} is no network", wanted=f"the {what} network", advice=advice
                )
    standing = [(f"the network of {some(entries)}", one, True) for one, entries in _host_networks(site, hosts).items()]
    pairs = [*combinations(planned, 2), *product(planned, standing)]
    fine = 0
    for (name, network, sure), (other, second, too) in pairs:
        if network.version != second.version:
            continue
        if not network.overlaps(second):
            fine += 1
            continue
        unsure = "" if sure and too else " (the usual one of the packs, as none is known here)"
        seen = f"{name} {network} overlaps {other} {second}{unsure}"
        advice = "choose another one in the pack's values" if unsure == "" else (
            "name the real ones (preflight_pod_cidr, preflight_service_cidr), or choose others in the pack's values"
        )  # fmt: skip
        yield row(
            "network",
            site.entry,
            seen=seen,
            wanted="networks apart from each other",
            advice=advice,
            warning=bool(unsure),
        )
    if fine:
        yield row("network", site.entry, ok=True, seen=f"{fine} pairs apart", wanted="networks apart from each other")
    yield from _inside(site, hosts, [one for one in planned if one[0] != "the overlay network"])
    yield from _vip_subnet(site, hosts)


def _host_networks(site: Site, hosts: Sequence[Host]) -> dict[Network, list[str]]:
    """The networks that the hosts stand in or will stand in."""
    found: dict[Network, list[str]] = {}
    given = [(str(one.get("name")), [str(one["address"])]) for one in site.hosts if one.get("address")]
    for name, addresses in [*given, *((one.entry, _addresses_of(one)) for one in hosts)]:
        for address in addresses:
            try:
                network = ipaddress.ip_interface(address).network
            except ValueError:
                continue
            if network.num_addresses > 1 and name not in found.setdefault(network, []):
                found[network].append(name)
    return found


def _addresses_of(host: Host) -> list[str]:
    nics = [nic for nic in host.facts.get("interfaces") or [] if own_nic(nic)]
    return [one for nic in nics for one in nic["addresses"] if not one.startswith(("fe80:", "169.254."))]


def _inside(site: Site, hosts: Sequence[Host], planned: Sequence[tuple[str, Network, bool]]) -> Iterator[Row]:
    """Addresses beyond the hosts' own networks that pods or services would hide."""
    used: dict[str, str] = {}
    for host in (*site.hosts, *(one.settings for one in hosts)):
        used |= {str(one): "the name server" for one in host.get("nameservers") or []}
        used |= {str(host["gateway"]): "the gateway"} if host.get("gateway") else {}
    used |= {site.vip: "the VIP"} if site.vip and not site.cluster.get("overlay_cidr") else {}
    for address, what in used.items():
        for name, network, sure in planned:
            try:
                hidden = ipaddress.ip_address(address) in network
            except ValueError:
                continue
            if hidden:
                seen = f"{what} {address} is in {name} {network}{'' if sure else ' (the usual one of the packs)'}"
                advice = "choose another network for it: nodes would not reach the address any more"
                yield row(
                    "network",
                    site.entry,
                    seen=seen,
                    wanted="addresses apart from them",
                    advice=advice,
                    warning=not sure,
                )


def _vip_subnet(site: Site, hosts: Sequence[Host]) -> Iterator[Row]:
    """Control planes hand the VIP to each other within one network."""
    if not site.vip or site.cluster.get("overlay_cidr"):
        return
    try:
        vip = ipaddress.ip_address(site.vip)
    except ValueError:
        return
    for host in hosts:
        if site.control_planes and not {host.entry, host.settings.get("name")} & site.control_planes:
            continue
        given = [one for one in (host.settings.get("address"), *_addresses_of(host)) if one]
        networks = [ipaddress.ip_interface(one).network for one in given]
        if networks:
            ok = any(vip in network for network in networks)
            seen = "it is" if ok else f"it stands in {', '.join(dict.fromkeys(str(one) for one in networks))}"
            yield row(
                "vip", host.entry, ok=ok, seen=seen, wanted=f"the VIP {vip} is in the network of the host",
                advice="choose a VIP in that network, or put the host there",
            )  # fmt: skip


def _proxies(site: Site, hosts: Sequence[Host]) -> Iterator[Row]:
    networks = networks_of(site)
    for host in hosts:
        if not host.settings.get("proxied"):
            continue
        no_proxy = [str(one) for one in host.settings.get("no_proxy") or []]
        needed = {site.vip: "the VIP", host.static or host.address: "its own address"}
        needed |= {text.split("/")[0]: f"the {kind} network {text}" for kind, (text, sure) in networks.items() if sure}
        missing = [what for one, what in needed.items() if one and not covered(one, no_proxy)]
        yield row(
            "proxy",
            host.entry,
            ok=not missing,
            seen=f"no_proxy has not {', '.join(missing)}" if missing else "no_proxy has them",
            wanted="what is at the site is reached without the proxy",
            advice="add it to no_proxy in the site file",
            warning=True,
        )


# -- versions ----------------------------------------------------------------------------------------------------------


def _versions(site: Site, hosts: Sequence[Host]) -> Iterator[Row]:
    pairs, rules = site.matrix.get("pairs") or [], site.matrix.get("rules") or []
    shared = {key: value for key, value in site.versions.items() if value}
    kubernetes = [shared["kubernetes"]] if "kubernetes" in shared else _kubernetes_of(site)
    agents = {
        str(one.get("uid")): str(one.get("agent_version") or "") for one in _items(site.api, "hosts", "edge_hosts")
    }
    agents = {uid: version for uid, version in agents.items() if version}
    told = {shared["agent"]: [site.entry]} if "agent" in shared else {}
    for host in hosts:
        version = agents.get(str(host.settings.get("id")))
        if version and "agent" not in shared:
            told.setdefault(version, []).append(host.entry)
    if len(told) > 1:
        seen = "; ".join(f"{version}: {some(entries)}" for version, entries in told.items())
        where = [one for entries in told.values() for one in entries]
        advice = "bring all hosts of the site to one version of the agent"
        yield row("version", where, seen=seen, wanted="one version of the agent", advice=advice, warning=True)
    for version, where in told.items():
        yield from _pair(shared.get("palette", ""), version, where, pairs)
    for rule in rules:
        if not _applies(rule.get("when") or {}, kubernetes, site.management_mode):
            continue
        for part, least in (rule.get("needs") or {}).items():
            if part == "kernel":
                known = [(str(one.facts.get("kernel") or ""), [one.entry]) for one in hosts if one.seen]
            elif part == "agent":
                known = list(told.items())
            else:
                known = [(shared[part], [site.entry])] if part in shared else []
            for version, where in known:
                ok = _number(version) >= _number(str(least))
                wanted = f"{part} {least} or newer for {rule.get('what')}"
                yield row(
                    "version", where, ok=ok, seen=f"{part} {version}", wanted=wanted, advice=str(rule.get("advice", ""))
                )


def _pair(palette: str, agent: str, where: Sequence[str], pairs: Iterable[Mapping[str, t.Any]]) -> Iterator[Row]:
    if not palette:
        return
    wanted = f"an agent that goes with Palette {palette}"
    known = next((one for one in pairs if str(one.get("palette")) == palette), None)
    same = _number(palette)[:2] == _number(agent)[:2]
    if not same and _number(agent)[:2] > _number(palette)[:2]:
        advice = "an agent newer than Palette is not supported: upgrade Palette first"
        yield row("version", where, seen=f"agent {agent}", wanted=wanted, advice=advice)
    elif not same:
        advice = (
            "Palette upgrades agents of older releases when they register; upgrade them first if that is not wanted"
        )
        yield row("version", where, seen=f"agent {agent}", wanted=wanted, advice=advice, warning=True)
    elif known and _number(agent) > _number(str(known.get("agent"))):
        advice = f"the agent that was released with it is {known.get('agent')}"
        yield row("version", where, seen=f"agent {agent}", wanted=wanted, advice=advice, warning=True)
    else:
        yield row("version", where, ok=True, seen=f"agent {agent}", wanted=wanted)


def _kubernetes_of(site: Site) -> list[str]:
    """The versions of the Kubernetes packs of the site's profiles, by what Palette says of them."""
    return [
        str(pack.get("version") or "")
        for one in site.api.get("profiles") or []
        for profile in one.get("cluster_profiles") or []
        for pack in profile.get("packs") or []
        if pack.get("layer") == "k8s" and pack.get("version")
    ]


def _applies(when: Mapping[str, t.Any], kubernetes: Sequence[str], mode: str) -> bool:
    if "mode" in when and when["mode"] != mode:
        return False
    if "kubernetes" in when and not set(kubernetes) & {str(one) for one in when["kubernetes"]}:
        return False
    least = when.get("kubernetes_from")
    return least is None or any(_number(one) >= _number(str(least)) for one in kubernetes)


def _number(text: str) -> tuple[int, ...]:
    found = re.match(r"\D*(\d+(?:\.\d+)*)", text)
    return tuple(int(one) for one in found[1].split(".")) if found else ()


# -- Palette -----------------------------------------------------------------------------------------------------------


def _palette(site: Site, *, now: datetime.datetime) -> Iterator[Row]:
    api = site.api
    failed = {str(one.get("msg")) for one in _answers(api) if one.get("failed") and one.get("msg")}
    for message in sorted(failed):
        yield row("palette", site.entry, seen=message, wanted="Palette answers the key", advice="mend that first")
    if "project" in api and not api["project"].get("failed") and site.project:
        there = [one for one in _items(api, "project", "projects") if site.project in (one.get("name"), one.get("uid"))]
        advice = "make it, correct the name in the site file, or use a key that sees it"
        yield row(
            "project", site.entry, ok=bool(there), seen="it is there" if there else "the key sees no such project",
            wanted=f"the project {site.project}", advice=advice,
        )  # fmt: skip
    if "token" in api and not api["token"].get("failed") and site.token:
        yield from _token(site, _items(api, "token", "registration_tokens"), now=now)
    name = str(site.cluster.get("name") or site.site)
    for one in _items(api, "hosts", "edge_hosts"):
        others = [str(cluster) for cluster in one.get("clusters") or [] if cluster != name]
        host = next((str(given.get("name")) for given in site.hosts if given.get("id") == one.get("uid")), site.entry)
        advice = f"reset it, or take it out of that cluster; this site's is {name}"
        yield row(
            "registered", host, ok=not others, seen=f"in use by the cluster {', '.join(others)}" if others else "free for it",
            wanted="no other cluster uses the host", advice=advice,
        )  # fmt: skip


def _token(site: Site, tokens: Sequence[Mapping[str, t.Any]], *, now: datetime.datetime) -> Iterator[Row]:
    wanted = f"the registration token {site.token} can be used"
    if not tokens:
        yield row("token", site.entry, ok=True, seen="it is not there yet: palette.edge.token makes it", wanted=wanted)
        return
    if len(tokens) > 1:
        advice = "delete or rename all but one"
        yield row("token", site.entry, seen=f"{len(tokens)} tokens bear the name", wanted=wanted, advice=advice)
        return
    token = tokens[0]
    project = str(token.get("project") or "")
    left = _moment(str(token.get("expires") or ""))
    if not token.get("active", True):
        yield row("token", site.entry, seen="it is not active", wanted=wanted, advice="activate it, or name another")
    elif left is not None and left <= now:
        advice = "give it a later date (registration.expires in the site file)"
        yield row("token", site.entry, seen=f"it expired on {left:%Y-%m-%d}", wanted=wanted, advice=advice)
    elif project and site.project and site.project not in (project, token.get("project_uid")):
        advice = "hosts would register there: name another token, or another project"
        yield row("token", site.entry, seen=f"it leads into the project {project}", wanted=wanted, advice=advice)
    elif left is not None and left - now < SOON:
        advice = "give it a later date before hosts are staged with it"
        yield row(
            "token", site.entry, seen=f"it expires on {left:%Y-%m-%d}", wanted=wanted, advice=advice, warning=True
        )
    else:
        yield row("token", site.entry, ok=True, seen="it can", wanted=wanted)


def _answers(api: Mapping[str, t.Any]) -> Iterator[Mapping[str, t.Any]]:
    for one in api.values():
        yield from one if isinstance(one, list) else [one]


def _items(api: Mapping[str, t.Any], part: str, key: str) -> list[Mapping[str, t.Any]]:
    return list((api.get(part) or {}).get(key) or [])


def _moment(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
