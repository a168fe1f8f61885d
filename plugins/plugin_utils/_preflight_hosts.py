# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the hosts of a site, each by itself and against each other: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.plugin_utils._checks import FREE, OWN, TAKEN
from ansible_collections.palette.edge.plugins.plugin_utils._preflight import Host, Row, Site, row, some

_OPEN, _REFUSED, _UNKNOWN = "open", "refused", "unknown"
# What boards say that were never given a number of their own.
_NO_UUID = ("03000200-0400-0500-0006-000700080009", "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff")  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """A value that several hosts of the inventory have, though it is to be unique."""

    check: str
    value: str
    entries: tuple[str, ...]


_UNIQUE: dict[str, tuple[str, Callable[[Host], Iterable[str]], str]] = {
    "boot": (
        "the same machine",
        lambda host: [host.facts.get("boot_id") or ""],
        "their addresses lead to one machine: correct them",
    ),
    "host_id": (
        "Edge host ID",
        lambda host: [str(host.settings.get("id") or "")],
        "give each host an ID of its own",
    ),
    "machine_id": (
        "machine ID",
        lambda host: [host.facts.get("machine_id") or ""],
        "they were cloned: empty /etc/machine-id on all but one and reboot them",
    ),
    "product_uuid": (
        "product UUID",
        lambda host: [host.product_uuid],
        "give the machines UUIDs of their own, in the firmware or in the hypervisor",
    ),
    "mac": ("MAC address", lambda host: sorted(host.macs), "give the cloned machine a MAC address of its own"),
}


def shared_values(everyone: Iterable[Host]) -> list[Shared]:
    """What hosts of the whole inventory share and must not. Of one machine under two names, only that."""
    listed = list(everyone)
    found: list[Shared] = []
    same: set[frozenset[str]] = set()
    for check, (dummy, values_of, dummy_advice) in _UNIQUE.items():
        holders: dict[str, list[str]] = {}
        for host in listed:
            for value in values_of(host):
                if value:
                    holders.setdefault(value, []).append(host.entry)
        for value, entries in holders.items():
            group = frozenset(entries)
            if len(group) < 2 or (check != "host_id" and group in same):
                continue
            if check == "boot":
                same.add(group)
            found.append(Shared(check, value, tuple(sorted(group))))
    return found


def host_rows(hosts: Sequence[Host], shared: Iterable[Shared], site: Site | None) -> list[Row]:
    """All rows on the hosts of one site.

    :param shared: what is not unique over the inventory.
    """
    found: list[Row] = []
    for host in hosts:
        found += _itself(host)
    found += _missing(hosts, site)
    found += _unique(hosts, shared)
    found += _same_in_site(hosts)
    found += _clocks(hosts)
    for host in hosts:
        found += _paths(host, hosts)
    found += _addresses(hosts, site)
    found += _alike(hosts)
    return found


def _itself(host: Host) -> Iterator[Row]:
    if host.unreachable:
        advice = "see to its power, network and SSH; its other checks are left out"
        yield row(
            "reachable", host.entry, seen=host.message.rstrip("."), wanted="the host answers over SSH", advice=advice
        )
        return
    if not host.seen:
        seen = host.message or "it was not asked"
        yield row("reachable", host.entry, seen=seen, wanted="the host can be looked at", advice="mend that first")
        return
    yield row("reachable", host.entry, ok=True, seen=f"answers at {host.address}", wanted="the host answers over SSH")
    for one in host.findings:
        yield Row(**{**one, "where": (host.entry,)})
    if host.tried is not None and host.tried.message:
        advice = "mend that first: ports between hosts and free addresses were not checked from here"
        yield row("reachable", host.entry, seen=host.tried.message, wanted="the host answers again", advice=advice)


def _missing(hosts: Sequence[Host], site: Site | None) -> Iterator[Row]:
    if site is None:
        return
    known = {one.entry for one in hosts} | {str(one.settings.get("name")) for one in hosts}
    absent = [str(one.get("name")) for one in site.hosts if one.get("name") not in known]
    if absent:
        advice = "run it for the whole site: another slice of the job, or --limit, left them out"
        seen = f"{some(absent)} not looked at in this run"
        yield row("complete", site.entry, seen=seen, wanted="all hosts of the site", advice=advice, warning=True)


def _unique(hosts: Sequence[Host], shared: Iterable[Shared]) -> Iterator[Row]:
    own = {one.entry for one in hosts}
    troubled: set[str] = set()
    for one in shared:
        where = [entry for entry in one.entries if entry in own]
        if not where:
            continue
        troubled.update(where)
        what, dummy, advice = _UNIQUE[one.check]
        seen = f"{some(one.entries)} {'are' if one.check == 'boot' else 'share the'} {what}"
        seen += "" if one.check == "boot" else f" {one.value}"
        yield row("unique", where, seen=seen, wanted="each its own", advice=advice)
    for host in hosts:
        if host.product_uuid in _NO_UUID:
            advice = "harmless as long as the Edge host ID is given, as it is in a site file"
            seen = f"the product UUID {host.product_uuid} is one of boards without a number"
            yield row("unique", host.entry, seen=seen, wanted="a UUID of its own", advice=advice, warning=True)
        elif host.seen and host.entry not in troubled:
            yield row("unique", host.entry, ok=True, seen="nothing is shared", wanted="each its own")


def _same_in_site(hosts: Sequence[Host]) -> Iterator[Row]:
    """What may come again at another site, but not here."""
    names: dict[str, list[Host]] = {}
    addresses: dict[str, list[Host]] = {}
    for host in hosts:
        if host.facts.get("host_name"):
            names.setdefault(host.facts["host_name"], []).append(host)
        if host.static:
            addresses.setdefault(host.static, []).append(host)
    for name, several in names.items():
        if len(several) > 1:
            # Whoever is given a name of its own at the site does not keep this one.
            named = {host.settings.get("name") for host in several}
            given = len(named) == len(several) and not named & {None, "", name}
            advice = "palette.edge.configure gives each its own" if given else "give each host a name of its own"
            entries = [host.entry for host in several]
            seen = f"{some(entries)} are called {name}"
            yield row("unique", entries, seen=seen, wanted="each its own host name", advice=advice, warning=given)
    for address, several in addresses.items():
        if len(several) > 1:
            entries = [host.entry for host in several]
            seen = f"{some(entries)} have the address {address}"
            yield row("unique", entries, seen=seen, wanted="each its own address", advice="correct the site file")


def _clocks(hosts: Sequence[Host]) -> Iterator[Row]:
    """The greatest difference that is certain between two hosts of a site."""
    told = [one for one in hosts if len(one.clock_range) == 2 and one.max_clock_skew]
    worst: tuple[float, Host, Host] | None = None
    for behind in told:
        for ahead in told:
            sure = ahead.clock_range[0] - behind.clock_range[1]
            if worst is None or sure > worst[0]:
                worst = sure, behind, ahead
    if worst is None or len(told) < 2:
        return
    sure, behind, ahead = worst
    limit = min(behind.max_clock_skew, ahead.max_clock_skew)
    seen = f"{ahead.entry} is {sure:.1f} s ahead of {behind.entry}" if sure > 0 else "no difference"
    yield row(
        "clock",
        (behind.entry, ahead.entry),
        ok=sure <= limit,
        seen=seen,
        wanted=f"clocks within {limit} s of each other",
        advice="give all hosts of the site the same time servers, which they reach",
    )


def _paths(host: Host, hosts: Sequence[Host]) -> Iterator[Row]:
    """The ways from a host to the others."""
    if host.tried is None:
        return
    by_address = {one.address: one for one in hosts if one.address}
    for target, what in host.tried.connections.items():
        place, dummy, port = target.rpartition(":")
        other = by_address.get(place.strip("[]"))
        if other is None:
            continue
        wanted = f"port {port} of {other.entry} is open to {host.entry}"
        # Who listens answers; so there a refusal is a firewall's. Asked too late, it says nothing about that.
        listens = int(port) in other.listening and host.tried.at < other.listen_until
        ok = what == _OPEN or (what == _REFUSED and not listens)
        seen = {
            _OPEN: "it answers",
            _REFUSED: "refused although it listens: a firewall" if listens else "open: refused, as nothing listens yet",
            "silent": "filtered: no answer in time",
            "unreachable": "no route, or a firewall rejects it",
        }.get(what, "could not be checked: the host has no tool to try, or it failed")
        advice = f"let {port}/tcp through between the hosts, in their firewalls and in the network"
        if what == _UNKNOWN:
            advice = "install bash, nc or curl on the host, or look yourself"
        yield row("path", host.entry, ok=ok, seen=seen, wanted=wanted, advice=advice, warning=what == _UNKNOWN)


def _addresses(hosts: Sequence[Host], site: Site | None) -> Iterator[Row]:
    """Who has the addresses that hosts and cluster are to have."""
    owners = {mac: host.entry for host in hosts for mac in host.macs}
    for host in hosts:
        held = host.tried.holders.get(host.static) if host.tried and host.static else None
        if held is None:
            continue
        state, mac = held["state"], held["mac"]
        who = owners.get(mac, "")
        ok = state in (OWN, FREE) or who == host.entry
        seen = {
            OWN: "the host has it",
            FREE: "nobody has it",
            TAKEN: f"{who or 'another machine'} has it{f' (MAC address {mac})' if mac else ''}",
        }.get(state, "could not be checked: it is in no network of the host")
        yield row(
            "address",
            host.entry,
            ok=ok,
            seen=seen,
            wanted=f"{host.static} is free for the host",
            advice="free it, or give the host another address in the site file"
            if state == TAKEN
            else "check address, prefix length and the network that the host stands in",
            warning=state != TAKEN,
        )
    yield from _vip(hosts, site, owners)


def _vip(hosts: Sequence[Host], site: Site | None, owners: dict[str, str]) -> Iterator[Row]:
    """The VIP: whether anybody but the site's own cluster has it."""
    vip = site.vip if site else ""
    if site is None or not vip or site.cluster.get("overlay_cidr"):
        return
    wanted = f"the VIP {vip} is free"
    held = [(host, host.tried.holders[vip]) for host in hosts if host.tried and vip in host.tried.holders]
    own = [host.entry if one["state"] == OWN else owners.get(one["mac"], "") for host, one in held]
    own = [one for one in own if one]
    taken = sorted({one["mac"] for dummy, one in held if one["state"] == TAKEN})
    if own:
        yield row("vip", site.entry, ok=True, seen=f"{own[0]} has it: the cluster runs already", wanted=wanted)
    elif taken:
        mac = f" (MAC address {', '.join(taken)})" if any(taken) else ""
        advice = "free it, or choose another VIP in the site file"
        yield row("vip", site.entry, seen=f"another machine has it{mac}", wanted=wanted, advice=advice)
    elif any(one["state"] == FREE for dummy, one in held):
        yield row("vip", site.entry, ok=True, seen="nobody has it", wanted=wanted)
    else:
        seen = "could not be checked: no host that was looked at stands in its network"
        advice = "check it yourself, or run this when a host stands in its network"
        yield row("vip", site.entry, seen=seen, wanted=wanted, advice=advice, warning=True)


def _alike(hosts: Sequence[Host]) -> Iterator[Row]:
    """Hosts of one cluster have the same operating system."""
    systems: dict[str, list[str]] = {}
    for host in hosts:
        if host.seen:
            system = host.facts.get("os") or {}
            systems.setdefault(f"{system.get('id', '')} {system.get('version', '')}".strip(), []).append(host.entry)
    if len(systems) > 1:
        seen = "; ".join(f"{name or 'unknown'}: {some(entries)}" for name, entries in systems.items())
        entries = [one for several in systems.values() for one in several]
        advice = "install all hosts of the site from one image"
        yield row("system", entries, seen=seen, wanted="one operating system", advice=advice, warning=True)
    sizes: dict[int, list[str]] = {}
    for host in hosts:
        for nic in host.facts.get("interfaces") or []:
            if nic.get("mtu") and any(str(one).partition("/")[0] == host.address for one in nic["addresses"]):
                sizes.setdefault(nic["mtu"], []).append(host.entry)
    if len(sizes) > 1:
        seen = "; ".join(f"MTU {size}: {some(entries)}" for size, entries in sorted(sizes.items()))
        entries = [one for several in sizes.values() for one in several]
        advice = "give all hosts the MTU that the network of the site has"
        yield row("mtu", entries, seen=seen, wanted="one MTU", advice=advice, warning=True)
