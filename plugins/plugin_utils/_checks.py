# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must have, and the judgement of what it has: pure, on the control node.

What could not be checked is never fine: it is a warning that says so.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from ansible_collections.palette.edge.plugins.plugin_utils import _checks_seen as script
from ansible_collections.palette.edge.plugins.plugin_utils._checks_seen import Disk, Seen
from ansible_collections.palette.edge.plugins.plugin_utils._checks_wanted import VERSION, Space, Wanted

ERROR, WARNING = "error", "warning"
NOT_CHECKED = "could not be checked"

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")

_TOLD = {
    script.OPEN: "it answers",
    script.REFUSED: "refused",
    script.SILENT: "no answer in time",
    script.UNREACHABLE: "no route, or a firewall rejects it",
    script.UNRESOLVED: "the name does not resolve",
    script.PROXY: "the proxy refuses",
}
_NO_TOOL = f"{NOT_CHECKED}: the host has neither bash, nc nor curl that could try"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked. ``check`` is one of CHECKS; ``advice`` is empty when it is fine."""

    check: str
    ok: bool
    severity: str
    seen: str
    wanted: str
    advice: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        return asdict(self)


def judge(
    wanted: Wanted, seen: Seen, facts: Mapping[str, t.Any], *, skew: tuple[float, float] | None = None
) -> list[Finding]:
    """All that was looked at, fine or not, in the order of the options.

    :param facts: as the module host_facts has them.
    :param skew: bounds of how many seconds the host's clock is ahead; None when it did not tell.
    """
    found = [
        *_sizes(wanted, seen, facts),
        *_system(wanted, seen, facts),
        *_clock(wanted, seen, skew),
        *_network(wanted, seen),
    ]
    return [replace(one, severity=WARNING) if one.check in wanted.warnings else one for one in found]


def told(findings: Iterable[Finding]) -> str:
    """What is wrong, in one line."""
    wrong = [one for one in findings if not one.ok]
    return "; ".join(f"{one.check}: {one.seen}, wanted {one.wanted}: {one.advice}" for one in wrong)


def skew_between(clock: tuple[float, float] | None, *, before: float, after: float) -> tuple[float, float] | None:
    """Bounds of how far the host is ahead, from its clock at begin and end and ours before and after."""
    if clock is None:
        return None
    # The host's clock is cut to whole seconds where its date knows nothing finer.
    grain = 0.0 if any(one % 1 for one in clock) else 1.0
    return clock[1] - after, clock[0] + grain - before


def skew_told(skew: tuple[float, float]) -> float:
    """The skew that is sure, 0.0 when the clocks may well be the same."""
    low, high = skew
    return round(low if low > 0 else high if high < 0 else 0.0, 1)


# -- judgements --------------------------------------------------------------------------------------------------------


def _verdict(check: str, ok: bool | None, *, seen: str, wanted: str, advice: str, severity: str = ERROR) -> Finding:
    """A finding; `ok` is None for what could not be checked."""
    if ok is None and not seen.startswith(NOT_CHECKED):
        seen = f"{NOT_CHECKED}: {seen}" if seen else NOT_CHECKED
    severity = WARNING if ok is None else severity
    return Finding(check=check, ok=bool(ok), severity=severity, seen=seen, wanted=wanted, advice="" if ok else advice)


def _sizes(wanted: Wanted, seen: Seen, facts: Mapping[str, t.Any]) -> Iterator[Finding]:
    for size, severity in ((wanted.size, ERROR), (wanted.recommended, WARNING)):
        asked = "or more" if severity == ERROR else "or more, as recommended"
        for check, least, has, unit in (
            ("cpus", size.cpus, facts["cpus"], ""),
            ("memory", size.memory_mib, facts["memory_mib"], " MiB"),
            ("disk", size.disk_gb, seen.disk_gb, " GB on the largest disk"),
        ):
            if least:
                what = {"cpus": "more processors", "memory": "more memory", "disk": "a larger disk"}[check]
                advice = f"give the host {what}, or take another one"
                said, ok = (f"{has}{unit}", has >= least) if has else ("the host does not tell", None)
                yield _verdict(check, ok, seen=said, wanted=f"{least}{unit} {asked}", advice=advice, severity=severity)
        for space in size.disks:
            yield from _disk(space, seen.disks.get(space.path), asked=asked, severity=severity)


def _disk(space: Space, disk: Disk | None, *, asked: str, severity: str) -> Iterator[Finding]:
    for least, has, what in (
        (space.size_mib, disk.size_mib if disk else 0, "in all"),
        (space.free_mib, disk.free_mib if disk else 0, "free"),
    ):
        if not least:
            continue
        wanted = f"{least} MiB {what} for {space.path} {asked}"
        if disk is None:
            yield _verdict(
                "disk", None, seen="df says nothing about it", wanted=wanted, advice="look at it on the host"
            )
            continue
        advice = f"make room on {disk.mount}" if what == "free" else f"give {disk.mount} a larger disk"
        yield _verdict(
            "disk",
            has >= least,
            seen=f"{has} MiB {what} on {disk.mount}",
            wanted=wanted,
            advice=advice,
            severity=severity,
        )


def _system(wanted: Wanted, seen: Seen, facts: Mapping[str, t.Any]) -> Iterator[Finding]:
    if wanted.architecture:
        advice = "the image, bundle and profile for this host must be of its own architecture"
        has = facts["architecture"]
        yield _verdict("architecture", has == wanted.architecture, seen=has, wanted=wanted.architecture, advice=advice)
    if wanted.kernel:
        has = facts["kernel"]
        ok = _version(has) >= _version(wanted.kernel) if VERSION.match(has) else None
        yield _verdict("kernel", ok, seen=has, wanted=f"{wanted.kernel} or newer", advice="boot a newer kernel")
    if wanted.valid_host_name:
        has = facts["host_name"]
        advice = "Kubernetes takes small letters, digits, - and . only: give the host such a name"
        ok = bool(_HOST_NAME.fullmatch(has)) and len(has) <= 253
        yield _verdict("host_name", ok, seen=has or "none", wanted="a valid name of a node", advice=advice)
    for one in wanted.commands:
        there = [name for name in one.split("|") if name in seen.commands]
        said = f"{there[0]} is there" if there else "missing"
        name = " or ".join(one.split("|"))
        yield _verdict("command", bool(there), seen=said, wanted=name, advice="install the package that has it")
    for name in wanted.absent_services:
        active, enabled = seen.services.get(name, ("unknown", ""))
        if active == "unknown" and not enabled.replace("unknown", ""):
            ok, said = None, "no systemd answers there"
        else:
            is_on = active in {"active", "activating", "reloading"}
            ok, said = not is_on and not enabled.startswith("enabled"), f"{active}{', ' + enabled if enabled else ''}"
        advice = f"stop and remove it, if nothing else on the host needs it: systemctl disable --now {name}"
        yield _verdict(
            "service", ok, seen=f"{name} is {said}" if ok is not None else said, wanted=f"no {name}", advice=advice
        )
    for path in wanted.not_noexec:
        disk = seen.disks.get(path)
        said = "df says nothing about it"
        if disk is not None:
            said = f"{disk.mount} is mounted with{'' if 'noexec' in disk.options else 'out'} noexec"
        ok = None if disk is None or disk.options == ("-",) else "noexec" not in disk.options
        advice = "mount it without noexec, or use another folder"
        yield _verdict("exec", ok, seen=said, wanted=f"programs can be run from {path}", advice=advice)
    if not wanted.swap:
        ok = not seen.swap if "swaps" in seen.told else None
        said = ", ".join(seen.swap) or ("none" if ok else "the host lists none")
        advice = "turn it off (swapoff -a) and take it out of /etc/fstab: Kubernetes refuses to start with it"
        yield _verdict("swap", ok, seen=said, wanted="no swap", advice=advice)
    if wanted.cgroup_v2:
        ok = seen.cgroup == "cgroup2fs" if seen.cgroup else None
        advice = "boot with systemd.unified_cgroup_hierarchy=1"
        yield _verdict("cgroup", ok, seen=seen.cgroup, wanted="control groups of version 2", advice=advice)


def _clock(wanted: Wanted, seen: Seen, skew: tuple[float, float] | None) -> Iterator[Finding]:
    if wanted.max_clock_skew:
        limit = f"within {wanted.max_clock_skew} s of the control node"
        sure = skew_told(skew) if skew else 0.0
        ok = abs(sure) <= wanted.max_clock_skew if skew else None
        advice = "set the host's clock, and give it a time server that it reaches (or set that of the control node)"
        yield _verdict("clock", ok, seen=clock_told(sure) if skew else "", wanted=limit, advice=advice)
    if wanted.time_synchronised:
        ok = {"yes": True, "no": False}.get(seen.synchronised)
        said = "timedatectl does not say" if ok is None else f"synchronised: {seen.synchronised}"
        advice = "give the host a time server that it reaches"
        yield _verdict("time", ok, seen=said, wanted="a clock kept by a time server", advice=advice, severity=WARNING)


def clock_told(skew: float) -> str:
    """A skew in words."""
    return f"{abs(skew)} s {'ahead' if skew > 0 else 'behind'}" if skew else "no difference"


def _network(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    servers = ", ".join(seen.name_servers) or "none"
    for name in wanted.resolve:
        code, said = seen.names.get(name, (127, ""))
        ok = None if code == 127 else code == 0
        told_ = (
            said.split(" ")[0] if ok else "no address" if ok is False else "the host has neither getent nor nslookup"
        )
        advice = f"look at the name servers of the host ({servers}) and at the name"
        yield _verdict("resolve", ok, seen=told_, wanted=f"{name} resolves", advice=advice)
    for target, (host, dummy) in wanted.reach.items():
        what, said = seen.tcp.get(target, (script.UNKNOWN, ""))
        if what != script.OPEN and seen.names.get(host, (0, ""))[0] not in (0, 127):
            what = script.UNRESOLVED
        advice = {
            script.UNRESOLVED: f"look at the name servers of the host ({servers}) and at the name",
            script.PROXY: "let the proxy allow it, or put it into no_proxy",
            script.REFUSED: "nothing listens there, or a firewall refuses: check the address and the port",
        }.get(what, "check gateway, firewall and proxy between the host and there")
        yield _verdict(
            "reach", None if what == script.UNKNOWN else what == script.OPEN, seen=_connect_told(what, said, seen),
            wanted=f"{target} answers", advice=advice,
        )  # fmt: skip
    yield from _trust(wanted, seen)
    for target in wanted.peers:
        what, said = seen.tcp.get(target, (script.UNKNOWN, ""))
        ok = None if what == script.UNKNOWN else what in (script.OPEN, script.REFUSED)
        told_ = _connect_told(what, said, seen)
        if what == script.REFUSED:
            told_ = "the way is open, nothing listens yet"
        advice = "open the port between the hosts, in their firewalls and in the network"
        yield _verdict("path", ok, seen=told_, wanted=f"{target} is not filtered", advice=advice)
    for address in wanted.free_addresses:
        yield _vacant(address, seen)
    for port in (*wanted.free_ports, *wanted.listen):
        ok = port not in seen.listening or port in seen.bound if "sockets" in seen.told else None
        advice = f"another program has the port: ss -ltnp sport = :{port} tells which"
        said = "nothing listens" if ok else "something listens" if ok is False else "the host does not tell who listens"
        yield _verdict("port", ok, seen=f"{said} on port {port}", wanted=f"port {port} is free", advice=advice)


def _trust(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    """Whether the host trusts the certificates of what it reaches; what it does not reach is no matter of trust."""
    for target in wanted.tls:
        code, said = seen.tls.get(target, (127, ""))
        doubt = re.search(r"certificate|\bSSL|\bTLS|verif", said, re.I)
        if code and not doubt and code != 127:
            if target not in wanted.reach:
                yield _verdict(
                    "tls", None, seen=said, wanted=f"{target} has a certificate that the host trusts", advice=""
                )
            continue
        yield _verdict(
            "tls",
            None if code == 127 else not code,
            seen={0: "it has", 127: "the host has neither curl nor openssl"}.get(code, said[:160]),
            wanted=f"{target} has a certificate that the host trusts",
            advice="give the host the CA certificate, also that of a proxy that inspects TLS, and check its clock",
        )


def _connect_told(what: str, said: str, seen: Seen) -> str:
    if what == script.PROXY or (what != script.OPEN and "proxy" in said):
        return said if what != script.UNKNOWN else f"{NOT_CHECKED}: {said}"
    if what == script.UNKNOWN:
        return f"{NOT_CHECKED}: {seen.tool} says: {said or 'nothing'}" if seen.tool else _NO_TOOL
    return f"{_TOLD[what]}{' ' + said if said == 'through the proxy' else ''}"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who has an address: ``state`` is one of OWN, TAKEN, FREE, FAR (in no network of the host) and UNKNOWN."""

    state: str
    mac: str = ""


OWN, TAKEN, FREE, FAR = "own", "taken", "free", "far"


def holder(address: str, seen: Seen) -> Holder:
    """What the host saw of an address."""
    what, dummy = seen.vacant.get(address, (script.UNKNOWN, ""))
    neighbour = seen.neighbours.get(address)
    place, said = (neighbour.place, neighbour.said) if neighbour else ("", "")
    mac = re.search(r"lladdr (\S+)", said)
    nobody = re.search(r"FAILED|INCOMPLETE", said)
    if place == "own":
        return Holder(state=OWN)
    if what in (script.OPEN, script.REFUSED) or (place == "on-link" and mac and not nobody):
        return Holder(state=TAKEN, mac=mac[1].lower() if mac else "")
    if place == "on-link" and nobody:
        return Holder(state=FREE)
    return Holder(state=FAR if place == "far" else script.UNKNOWN)


def _vacant(address: str, seen: Seen) -> Finding:
    found = holder(address, seen)
    told_ = {
        OWN: "this host has it itself",
        TAKEN: f"a machine has it{', MAC address ' + found.mac if found.mac else ''}",
        FREE: "nobody answers",
        FAR: "it is in no network of this host, and nothing answers by TCP",
    }.get(found.state, "there is no way to ask for it from this host")
    advice = f"find out who has {address} and free it, or choose another address"
    if found.state == FAR:
        advice = "ask from a host in its network, or check its prefix length and gateway"
    ok = {OWN: False, TAKEN: False, FREE: True}.get(found.state)
    return _verdict("address", ok, seen=told_, wanted=f"{address} is free", advice=advice)


def _version(text: str) -> tuple[int, ...]:
    found = VERSION.match(text)
    return tuple(int(one) for one in found[0].split(".")) if found else ()
