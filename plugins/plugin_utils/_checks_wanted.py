# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must have, as the options of the module host_checks say it, and what the host is asked for it."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ansible_collections.palette.edge.plugins.plugin_utils._checks_script import Asked
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError

CHECKS = (
    "address",
    "architecture",
    "cgroup",
    "clock",
    "command",
    "cpus",
    "disk",
    "exec",
    "host_name",
    "kernel",
    "memory",
    "path",
    "port",
    "reach",
    "resolve",
    "service",
    "swap",
    "time",
    "tls",
)
"""The names of all checks, as they are in findings."""

VERSION = re.compile(r"\d+(?:\.\d+)*")

_TARGET = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)):([0-9]{1,5})")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_COMMAND = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_.+/-]*")
_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")


@dataclass(frozen=True, kw_only=True)
class Space:
    """What a file system must have, in MiB; 0 for anything."""

    path: str
    free_mib: int = 0
    size_mib: int = 0


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a machine must have; 0 for anything."""

    cpus: int = 0
    memory_mib: int = 0
    disk_gb: int = 0
    disks: Sequence[Space] = ()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All that is to be looked at on one host."""

    size: Size = Size()
    recommended: Size = Size()
    architecture: str = ""
    kernel: str = ""
    commands: Sequence[str] = ()
    absent_services: Sequence[str] = ()
    not_noexec: Sequence[str] = ()
    swap: bool = True
    cgroup_v2: bool = False
    valid_host_name: bool = False
    max_clock_skew: int = 0
    time_synchronised: bool = False
    resolve: Sequence[str] = ()
    reach: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    peers: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    tls: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    proxy: tuple[str, int] | None = None
    no_proxy: Sequence[str] = ()
    free_addresses: Sequence[str] = ()
    free_ports: Sequence[int] = ()
    listen: Sequence[int] = ()
    listen_seconds: int = 30
    stop_listening: bool = False
    seconds: int = 3
    warnings: Sequence[str] = ()

    def through_proxy(self, host: str) -> bool:
        """Whether the way to a host leads through the proxy."""
        return self.proxy is not None and not covered(host, self.no_proxy)

    def asked(self) -> Asked:
        """What of it the host is asked."""
        disks = [one.path for one in (*self.size.disks, *self.recommended.disks)]
        via = {target: place for target, place in self.reach.items() if self.through_proxy(place[0])}
        straight = {target: place for target, place in self.reach.items() if target not in via}
        names = [host for host, dummy in straight.values() if not is_address(host)]
        return Asked(
            commands=list(dict.fromkeys(name for one in self.commands for name in one.split("|"))),
            paths=list(dict.fromkeys([*disks, *self.not_noexec])),
            services=self.absent_services,
            names=list(dict.fromkeys([*self.resolve, *names])),
            tcp={**straight, **self.peers},
            proxy=self.proxy,
            via=via,
            tls=self.tls,
            tls_via=[target for target, place in self.tls.items() if self.through_proxy(place[0])],
            addresses=self.free_addresses,
            listen=self.listen,
            listen_seconds=self.listen_seconds,
            stop_listening=self.stop_listening,
            seconds=self.seconds,
        )


def wanted_from(args: Mapping[str, t.Any]) -> Wanted:
    """The options of the module host_checks. Raises HostError, naming option and value, for what makes no sense."""
    for name in ("cpus", "memory_mib", "disk_gb", "max_clock_skew"):
        _at_least(args[name], 0, name)
    for name in ("listen_seconds", "probe_timeout"):
        _at_least(args[name], 1, name)
    unknown = [one for one in args["warnings"] if one not in CHECKS]
    if unknown:
        raise HostError(f"warnings: there is no check {unknown[0]!r}. Checks: {', '.join(CHECKS)}.")
    if args["kernel"] and not VERSION.match(args["kernel"]):
        raise HostError(f"kernel: {args['kernel']!r} is no version; write it like 4.19.")
    for one in args["commands"]:
        _words(one.split("|"), _COMMAND, "commands", "the name of a program, or names with | between them")
    _words(args["absent_services"], _UNIT, "absent_services", "the name of a service")
    _words(args["resolve"], _NAME, "resolve", "a host name")
    recommended = args["recommended"] or {}
    return Wanted(
        size=_size(args, "disks"),
        recommended=_size(recommended, "recommended.disks"),
        architecture=args["architecture"] or "",
        kernel=args["kernel"] or "",
        commands=args["commands"],
        absent_services=args["absent_services"],
        not_noexec=[_path(one, "not_noexec") for one in args["not_noexec"]],
        swap=args["swap"] is not False,
        cgroup_v2=args["cgroup_v2"],
        valid_host_name=args["valid_host_name"],
        max_clock_skew=args["max_clock_skew"] or 0,
        time_synchronised=args["time_synchronised"],
        resolve=[one for one in args["resolve"] if not is_address(one)],
        reach=dict(_targets(args["reach"], "reach")),
        peers=dict(_targets(args["peers"], "peers")),
        tls=dict(_targets(args["tls"], "tls")),
        proxy=_proxy(args["proxy"]) if args["proxy"] else None,
        no_proxy=args["no_proxy"],
        free_addresses=[_address(one) for one in args["free_addresses"] if one],
        free_ports=[_port(one, "free_ports") for one in args["free_ports"]],
        listen=[_port(one, "listen") for one in args["listen"]],
        listen_seconds=args["listen_seconds"],
        stop_listening=args["stop_listening"],
        seconds=args["probe_timeout"],
        warnings=args["warnings"],
    )


def covered(host: str, no_proxy: Iterable[str]) -> bool:
    """Whether a host is reached without the proxy, as most programs read the list: domains, addresses, networks."""
    host = host.lower()
    for one in (one.strip().lower() for one in no_proxy):
        if one == "*" or (one and f".{host}".endswith(f".{one.lstrip('*.')}")):
            return True
        with suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(one, strict=False):
                return True
    return False


def _proxy(url: str) -> tuple[str, int]:
    # The URL may hold a password, so it is in no message.
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port = "", 0
    if not (_NAME.fullmatch(host) or is_address(host)) or not port:
        raise HostError("proxy: that is no URL of a proxy; write it like http://proxy.example.com:3128.")
    return host, port


def _size(given: Mapping[str, t.Any], option: str) -> Size:
    disks = []
    for number, one in enumerate(given.get("disks") or []):
        where = f"{option}[{number}]"
        for key in ("free_mib", "size_mib"):
            _at_least(one.get(key), 0, f"{where}.{key}")
        if not one.get("free_mib") and not one.get("size_mib"):
            raise HostError(f"{where}: give free_mib or size_mib, or there is nothing to check.")
        free, size = one.get("free_mib") or 0, one.get("size_mib") or 0
        disks.append(Space(path=_path(one["path"], f"{where}.path"), free_mib=free, size_mib=size))
    return Size(**{key: given.get(key) or 0 for key in ("cpus", "memory_mib", "disk_gb")}, disks=disks)


def _targets(given: Iterable[str], option: str) -> Iterator[tuple[str, tuple[str, int]]]:
    for one in filter(None, given):
        found = _TARGET.fullmatch(one)
        if not found or (found[1] and not is_address(found[1])):
            raise HostError(
                f"{option}: {one!r} is not host:port; write it like api.example.com:443 or [2001:db8::1]:443."
            )
        yield one, (found[1] or found[2], _port(int(found[3]), option))


def _port(port: int, option: str) -> int:
    if not 1 <= port <= 65535:
        raise HostError(f"{option}: {port} is no port; give 1 to 65535.")
    return port


def _path(path: str, option: str) -> str:
    if not path.startswith("/") or any(ord(sign) < 32 for sign in path):
        raise HostError(f"{option}: {path!r} is no absolute path; begin it with /.")
    return path.rstrip("/") or "/"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(str(text).strip().split("/", 1)[0]))
    except ValueError:
        raise HostError(f"free_addresses: {text!r} is no IP address.") from None


def _words(given: Iterable[str], pattern: re.Pattern[str], option: str, what: str) -> None:
    wrong = next((one for one in given if not pattern.fullmatch(one)), None)
    if wrong is not None:
        raise HostError(f"{option}: {wrong!r} is not {what}.")


def _at_least(value: int | None, least: int, option: str) -> None:
    if value is not None and value < least:
        raise HostError(f"{option}: {value} makes no sense; give {least} or more.")


def is_address(text: str) -> bool:
    """Whether it is an IP address, and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
