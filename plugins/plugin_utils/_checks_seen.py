# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script of the checks saw on a host, read from its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.plugin_utils._checks_script import Asked
from ansible_collections.palette.edge.plugins.plugin_utils._script import Output

OPEN, REFUSED, SILENT, UNREACHABLE, UNRESOLVED, UNKNOWN, PROXY = (
    "open",
    "refused",
    "silent",
    "unreachable",
    "unresolved",
    "unknown",
    "proxy",
)
"""What becomes of an attempt to connect; PROXY when the way leads through a proxy, and it says no."""

_PATTERNS = (
    (REFUSED, re.compile(r"refused", re.I)),
    (UNRESOLVED, re.compile(r"not known|could not resolve|name resolution|bad address|getaddrinfo|invalid host", re.I)),
    (SILENT, re.compile(r"timed? ?out", re.I)),
    (UNREACHABLE, re.compile(r"no route|unreachable|prohibited|network is down|permission denied", re.I)),
)


@dataclass(frozen=True)
class Disk:
    """A file system that a path lies on, in MiB."""

    size_mib: int
    free_mib: int
    mount: str
    kind: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Neighbour:
    """What is known of an address: whether it is of this host, on one of its networks, and who answered there."""

    place: str
    said: str = ""


@dataclass
class Seen:
    """What the host told, in the order of what was asked. In `told` is what it could list at all, as a list may be empty."""

    told: set[str] = field(default_factory=set)
    container: str = ""
    product_uuid: str = ""
    name_servers: list[str] = field(default_factory=list)
    swap: list[str] = field(default_factory=list)
    cgroup: str = ""
    synchronised: str = ""
    disk_gb: int = 0
    cluster: str = ""
    tool: str = ""
    clock: tuple[float, float] | None = None
    commands: set[str] = field(default_factory=set)
    disks: dict[str, Disk] = field(default_factory=dict)
    services: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: dict[str, tuple[int, str]] = field(default_factory=dict)
    tcp: dict[str, tuple[str, str]] = field(default_factory=dict)
    tls: dict[str, tuple[int, str]] = field(default_factory=dict)
    vacant: dict[str, tuple[str, str]] = field(default_factory=dict)
    neighbours: dict[str, Neighbour] = field(default_factory=dict)
    listening: set[int] = field(default_factory=set)
    bound: list[int] = field(default_factory=list)


def read_checks(output: Output, asked: Asked) -> Seen:
    """What the script told."""
    seen = Seen(
        told=set(output.all("told")),
        container=output.first("container") if output.first("container") != "none" else "",
        product_uuid=output.first("product_uuid").strip().lower(),
        name_servers=output.all("nameserver"),
        swap=output.all("swap"),
        cgroup=output.first("cgroup"),
        synchronised=output.first("synchronised"),
        cluster=output.first("cluster"),
        tool=output.first("tool"),
        disk_gb=max((int(one) for one in output.all("block") if one.isdecimal()), default=0) * 512 // 10**9,
        commands=set(output.all("command")),
        listening={int(one, 16) for one in output.all("listening") if re.fullmatch("[0-9A-Fa-f]{4}", one)},
        bound=[int(one) for one in output.all("bound") if one.isdecimal()],
    )
    began, ended = _moment(output.first("began")), _moment(output.first("ended"))
    if began and ended:
        seen.clock = began, ended
    for path, words in _numbered(output, "disk", asked.paths):
        # Size, free space, mount point, then kind and options where the mount was found.
        size, free, mount, kind, options = [*words.split(), "", "", "", "", ""][:5]
        if size.isdecimal() and free.isdecimal() and mount:
            seen.disks[path] = Disk(
                int(size) // 1024, int(free) // 1024, mount, kind, tuple((options or "-").split(","))
            )
    for name, words in _numbered(output, "service", asked.services):
        active, enabled = [*words.split(), "", ""][:2]
        seen.services[name] = active or "unknown", enabled
    seen.names = _coded(output, "name", asked.names)
    seen.tls = _coded(output, "tls", list(asked.tls))
    for target, words in _numbered(output, "tcp", list(asked.tcp)):
        seen.tcp[target] = outcome(words)
    for target, words in _numbered(output, "via", list(asked.via)):
        seen.tcp[target] = proxied(words)
    for address, words in _numbered(output, "vacant", asked.addresses):
        seen.vacant[address] = outcome(words)
    for address, words in _numbered(output, "neighbour", asked.addresses):
        place, dummy, said = words.partition(" ")
        seen.neighbours[address] = Neighbour(place, said.strip())
    return seen


def outcome(words: str) -> tuple[str, str]:
    """What an attempt to connect came to, by exit code and words of the tool, and those words."""
    code, dummy, said = words.partition(" ")
    said = " ".join(said.split())
    # Bash tells it twice, the second time with its own line number.
    said = re.sub(r"^bash: connect: (.+?) bash: line \d+: /dev/tcp/.*$", r"\1", said)
    if code == "0":
        return OPEN, said
    for what, pattern in _PATTERNS:
        if pattern.search(said):
            return what, said
    # Ended by our own limit, by its signal: 128 + 15.
    return (SILENT if code in {"143", "137", "28"} else UNKNOWN), said


def proxied(words: str) -> tuple[str, str]:
    """What a proxy says when it is asked for a connection; what became of the proxy itself when it says nothing."""
    answer = re.search(r"HTTP/[0-9.]+ +([1-9]\d\d) *(.*)", words)
    if answer is None:
        what, said = outcome(words)
        return (what if what not in (OPEN, UNKNOWN) else UNKNOWN), f"the proxy does not answer: {said}"
    if answer[1].startswith("2"):
        return OPEN, "through the proxy"
    if answer[1] == "407":
        return UNKNOWN, "the proxy wants a login, which is not sent by this check"
    return PROXY, f"the proxy says {answer[1]} {answer[2]}".strip()


def _coded(output: Output, key: str, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Exit codes and words."""
    found = {}
    for name, words in _numbered(output, key, names):
        code, dummy, said = words.partition(" ")
        if code.isdecimal():
            found[name] = int(code), " ".join(said.split())
    return found


def _numbered(output: Output, key: str, names: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Answers by name, in the order of the names: what runs beside each other answers in any order."""
    said = {number: words for number, dummy, words in (line.partition(" ") for line in output.all(key))}
    for number, name in enumerate(names):
        if str(number) in said:
            yield name, said[str(number)]


def _moment(text: str) -> float:
    """Seconds since 1970; a date without nanoseconds says so by a letter behind the point."""
    found = re.match(r"\d+(\.\d+)?", text)
    return float(found[0]) if found else 0.0
