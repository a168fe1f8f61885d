# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a site know of its hosts and of the site itself, and all that is wrong with it: pure.

A host and a site are what the module preflight_record stores of an entry of the inventory.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from ansible_collections.palette.edge.plugins.plugin_utils._checks import ERROR, WARNING, Finding

Given = Mapping[str, t.Any]


@dataclass(frozen=True, kw_only=True)
class Row(Finding):
    """A finding and whom it is about: entries of the inventory."""

    where: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a host met at the others, and when it was asked (seconds since 1970)."""

    connections: dict[str, str] = field(default_factory=dict)
    holders: dict[str, dict[str, str]] = field(default_factory=dict)
    at: float = 0.0
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Host:
    """An Edge host as its entry has it, and as it told. Without `facts` it could not be looked at."""

    entry: str
    site: str
    settings: dict[str, t.Any] = field(default_factory=dict)
    message: str = ""
    unreachable: bool = False
    address: str = ""
    findings: list[dict[str, t.Any]] = field(default_factory=list)
    facts: dict[str, t.Any] = field(default_factory=dict)
    product_uuid: str = ""
    clock_range: list[float] = field(default_factory=list)
    max_clock_skew: int = 0
    listening: list[int] = field(default_factory=list)
    listen_until: float = 0.0
    ports: list[dict[str, t.Any]] = field(default_factory=list)
    tried: Tried | None = None

    @property
    def seen(self) -> bool:
        """Whether it answered."""
        return bool(self.facts)

    @property
    def static(self) -> str:
        """The static address that it has or will have, without prefix length."""
        return str(self.settings.get("address") or "").partition("/")[0]

    @property
    def macs(self) -> set[str]:
        """Those of its own NICs."""
        return {nic["mac"] for nic in self.facts.get("interfaces") or [] if own_nic(nic)}


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site as its entry has it."""

    entry: str
    site: str
    hosts: list[dict[str, t.Any]] = field(default_factory=list)
    cluster: dict[str, t.Any] = field(default_factory=dict)
    profiles: list[dict[str, t.Any]] = field(default_factory=list)
    project: str = ""
    management_mode: str = "central"
    token: str = ""
    pod_cidr: str = ""
    service_cidr: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    matrix: dict[str, t.Any] = field(default_factory=dict)
    api: dict[str, t.Any] = field(default_factory=dict)

    @property
    def vip(self) -> str:
        """The VIP, when it is an address."""
        if self.cluster.get("endpoint_type", "VIP") not in ("VIP", "IP"):
            return ""
        return str(self.cluster.get("vip") or "")

    @property
    def control_planes(self) -> set[str]:
        """Names of the hosts that are control planes."""
        pools = [one for one in self.cluster.get("node_pools") or [] if one.get("control_plane")]
        return {str(host.get("name")) for pool in pools for host in pool.get("hosts") or []}


def host_from(data: Given) -> Host:
    """A host out of its JSON. Raises TypeError for what is none."""
    known = {one.name for one in fields(Host)}
    given = {key: value for key, value in data.items() if key in known}
    return Host(**{**given, "tried": Tried(**given["tried"]) if given.get("tried") else None})


def site_from(data: Given) -> Site:
    """A site out of its JSON. Raises TypeError for what is none."""
    known = {one.name for one in fields(Site)}
    return Site(**{key: value for key, value in data.items() if key in known})


# What containers, bridges and overlays make on a host is not the network that it stands in.
_MADE_UP = ("lo", "docker", "cni", "flannel", "cali", "vxlan", "veth", "kube-", "scbr-", "lxc", "cilium", "nodelocal",
            "tunl", "br-", "virbr", "podman", "wg")  # fmt: skip


def own_nic(nic: Given) -> bool:
    """Whether a NIC belongs to the machine, and not to what runs on it."""
    return bool(nic.get("mac")) and not str(nic["name"]).startswith(_MADE_UP) and not nic["mac"].startswith("02:42:")


def row(
    check: str,
    where: str | Iterable[str],
    *,
    seen: str,
    wanted: str,
    advice: str = "",
    ok: bool = False,
    warning: bool = False,
) -> Row:
    """A row; an error unless it is fine or a warning."""
    return Row(
        check=check,
        ok=ok,
        severity=WARNING if warning else ERROR,
        seen=seen,
        wanted=wanted,
        advice="" if ok else advice,
        where=(where,) if isinstance(where, str) else tuple(where),
    )


def targets(host: Host, hosts: Iterable[Host], site: Site | None) -> list[str]:
    """What a host is to try at the other hosts of its site, as C(address:port)."""
    found = []
    for other in hosts:
        if other.entry == host.entry or other.site != host.site or not other.seen or not other.address:
            continue
        place = f"[{other.address}]" if ":" in other.address else other.address
        for one in host.ports:
            if _plays(host, one.get("from"), site) and _plays(other, one.get("to"), site):
                found.append(f"{place}:{one['port']}")
    return list(dict.fromkeys(found))


def _plays(host: Host, part: str | None, site: Site | None) -> bool:
    """Whether a host has the part that a port is for; when nobody knows its part, it has."""
    if part != "control_plane" or site is None or not site.control_planes:
        return True
    return host.entry in site.control_planes or host.settings.get("name") in site.control_planes


def merged(rows: Sequence[Row]) -> list[Row]:
    """Rows that say the same of several, as one; errors first, then in the order in which they were found."""
    found: dict[tuple[t.Any, ...], Row] = {}
    for one in rows:
        key = (one.check, one.ok, one.severity, one.seen, one.wanted, one.advice)
        there = found.get(key)
        found[key] = one if there is None else _both(there, one)
    return sorted(found.values(), key=lambda one: (one.ok, one.severity != ERROR))


def _both(one: Row, other: Row) -> Row:
    where = tuple(dict.fromkeys((*one.where, *other.where)))
    return Row(**{**one.as_dict(), "where": where})


def some(names: Sequence[str], *, among: int = 0, most: int = 4) -> str:
    """Names for people: all of them, some of them, or that it is all."""
    if among > 2 and len(names) == among:
        return f"all {among} hosts"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def table_rows(rows: Iterable[Row], *, hosts: int) -> list[dict[str, str]]:
    """What is not fine, as the rows of a table."""
    return [
        {
            "where": some(one.where, among=hosts),
            "check": one.check.replace("_", " "),
            "level": one.severity,
            "seen": one.seen,
            "wanted": one.wanted,
            "what to do": one.advice,
        }
        for one in rows
        if not one.ok
    ]


def counted(rows: Iterable[Row]) -> dict[str, int]:
    """How many errors, warnings and fine checks there are."""
    listed = list(rows)
    wrong = [one for one in listed if not one.ok]
    errors = sum(one.severity == ERROR for one in wrong)
    return {"errors": errors, "warnings": len(wrong) - errors, "fine": len(listed) - len(wrong)}


def one_line(rows: Iterable[Row], *, most: int = 4) -> str:
    """The errors among them, for the message of a failure."""
    wrong = [one for one in rows if not one.ok and one.severity == ERROR]
    told = [f"{one.check.replace('_', ' ')} ({some(one.where)}): {one.seen}, wanted {one.wanted}" for one in wrong]
    rest = f"; and {len(told) - most} more, see the table" if len(told) > most else ""
    return f"{len(wrong)} error{'' if len(wrong) == 1 else 's'}: {'; '.join(told[:most])}{rest}"
