# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of single values of a site file: text in, clean value out, or a complaint with its path.

A reader is called with what collects complaints, the path of the value and the value, and returns the clean value or
:data:`WRONG`. Scalars are made by :func:`scalar` from a function that raises ValueError.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .._identity import host_id_problem
from ._load import KeyPath, Plain

WRONG: Any = object()


@dataclass
class Complaints:
    """What is wrong with one file, and where."""

    found: list[tuple[KeyPath, str]] = field(default_factory=list)

    def add(self, path: KeyPath, text: str) -> Any:
        self.found.append((path, text))
        return WRONG


Reader = Callable[[Complaints, KeyPath, Any], Any]


@dataclass(frozen=True)
class Key:
    """One key of a mapping: how it is read, and whether it must be there."""

    read: Reader
    required: bool = False


def scalar(function: Callable[[str], Any], what: str) -> Reader:
    """A reader of one scalar. ``what`` names it, as in "an IP address"."""

    def read(complaints: Complaints, path: KeyPath, value: Any) -> Any:
        if not isinstance(value, str):
            return complaints.add(path, f"must be {what}, not {_kind(value)}")
        try:
            return function(str(value))
        except ValueError as error:
            return complaints.add(path, str(error))

    return read


def listing(item: Reader, *, least: int = 0) -> Reader:
    """A reader of a list."""

    def read(complaints: Complaints, path: KeyPath, value: Any) -> Any:
        if not isinstance(value, list):
            return complaints.add(path, f"must be a list, not {_kind(value)}")
        if len(value) < least:
            return complaints.add(path, "must not be empty")
        items = []
        for number, one in enumerate(value):
            if is_null(one):
                complaints.add((*path, number), "is empty")
            else:
                clean = item(complaints, (*path, number), one)
                # A wrong item keeps its place, so that later rules name the right number.
                items.append(clean)
        return items

    return read


def mapping(keys: Mapping[str, Key], *, free: bool = False) -> Reader:
    """A reader of a mapping with known keys. A key without a value is None in the result; a wrong one is not there.

    :param free: whether further keys may stand there; they are taken as YAML has them.
    """

    def read(complaints: Complaints, path: KeyPath, value: Any) -> Any:
        if not isinstance(value, dict):
            return complaints.add(path, f"must be a mapping of keys, not {_kind(value)}")
        clean: dict[str, Any] = {}
        wrong: set[str] = set()
        for name, given in value.items():
            key = keys.get(name)
            if key is None and free:
                clean[name] = as_yaml(given)
            elif key is None:
                complaints.add((*path, name), f"unknown key{did_you_mean(name, keys)}")
            elif is_null(given):
                clean[name] = None
            else:
                clean[name] = key.read(complaints, (*path, name), given)
                if clean[name] is WRONG:
                    wrong.add(name)
                    del clean[name]
        for name, key in keys.items():
            if key.required and clean.get(name) is None and name not in wrong:
                complaints.add((*path, name) if name in value else path, _missing(name, name in value))
        return clean

    return read


def text_map(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """A reader of a mapping of scalars, taken as the text that stands there."""
    if not isinstance(value, dict):
        return complaints.add(path, f"must be a mapping of keys, not {_kind(value)}")
    clean: dict[str, str] = {}
    for name, given in value.items():
        if isinstance(given, str):
            clean[name] = "" if is_null(given) else str(given)
        else:
            complaints.add((*path, name), f"must be text or a number, not {_kind(given)}")
    return clean


def tag_map(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """A reader of tags: keys without white space or colon, as Palette writes a tag C(key:value)."""
    clean = text_map(complaints, path, value)
    for name in clean if clean is not WRONG else ():
        if not name or ":" in name or any(sign.isspace() or not sign.isprintable() for sign in name):
            complaints.add((*path, name), f"the tag key {name!r} must have neither white space nor a colon")
    return clean


def anything(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """A reader that takes what stands there, typed as YAML types it."""
    del complaints, path
    return as_yaml(value)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses ``name``: what was probably meant, else what there is."""
    listed = sorted(known)
    near = difflib.get_close_matches(name.lower().replace("-", "_"), listed, n=1, cutoff=0.6)
    return f": did you mean {near[0]}?" if near else f". Known here: {', '.join(listed)}"


def is_null(value: Any) -> bool:
    """Whether nothing was written, or a plain null."""
    return value is None or (isinstance(value, Plain) and value in ("", "~", "null", "Null", "NULL"))


def as_yaml(value: Any) -> Any:
    """Plain text as null, boolean or number where YAML 1.2 says so, at any depth."""
    if isinstance(value, dict):
        return {str(key): as_yaml(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_yaml(one) for one in value]
    if not isinstance(value, Plain):
        return value
    if is_null(value):
        return None
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", value):
        return int(value)
    if re.fullmatch(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?", value):
        return float(value)
    return str(value)


# -- scalars -----------------------------------------------------------------------------------------------------------

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


def plain_text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return str(value)


@functools.lru_cache(maxsize=4096)
def dns_name(value: str) -> str:
    """A host name after RFC 1123, in lower case, as Kubernetes wants its node names."""
    for label in value.split("."):
        if len(label) > 63 or not _LABEL.fullmatch(label):
            raise ValueError(
                f"{value[:80]!r} is not a host name (RFC 1123): a-z, 0-9 and '-', "
                "at most 63 characters in each part, first and last a letter or digit"
            )
    return str(value)


def host_name(value: str) -> str:
    name = dns_name(value)
    if len(name) > 63:
        raise ValueError(f"{name[:80]!r} has {len(name)} characters, the name of a host takes 63 at most")
    return name


def host_id(value: str) -> str:
    problem = host_id_problem(value)
    if problem:
        raise ValueError(f"{value[:60]!r} {problem}")
    return str(value)


@functools.lru_cache(maxsize=4096)
def ip(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        more = ", without a prefix length" if "/" in value else ""
        raise ValueError(f"{value[:60]!r} is not an IP address{more}") from None


@functools.lru_cache(maxsize=4096)
def ip_or_name(value: str) -> str:
    if ":" in value or re.fullmatch(r"[0-9./]+", value):
        return ip(value)
    try:
        return dns_name(value.lower())
    except ValueError:
        raise ValueError(f"{value[:60]!r} is neither an IP address nor a host name") from None


@functools.lru_cache(maxsize=1024)
def interface_of(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """The address with its subnet; for what :func:`static_address` has let through."""
    return ipaddress.ip_interface(value)


def static_address(value: str) -> str:
    if "/" not in value:
        ip(value)
        raise ValueError(f"{value} has no prefix length: write it like {value}/24")
    try:
        found = interface_of(value)
    except ValueError:
        raise ValueError(f"{value[:60]!r} is not an address with prefix length, such as 10.42.0.11/24") from None
    net = found.network
    if "." in value.split("/")[1]:
        raise ValueError(f"{value} has a mask: write the prefix length, {found.ip}/{net.prefixlen}")
    if net.num_addresses > 2 and found.ip in (net.network_address, net.broadcast_address):
        raise ValueError(f"{value} is the network or broadcast address of {net}, no host can have it")
    return str(value)


def network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(f"{value[:60]!r} is not a network such as 192.168.100.0/24 ({error})") from None


def endpoint(value: str) -> str:
    """Palette as Edge hosts know it: a host, perhaps with a port, nothing else."""
    if "://" in value or "/" in value or "@" in value or "?" in value:
        bare = urlsplit(value if "://" in value else f"//{value}").netloc.split("@")[-1]
        raise ValueError(
            f"{value[:80]!r} must be a bare host name, without scheme and path: {bare or 'palette.example.com'}"
        )
    host, colon, port = value.partition(":") if value.count(":") < 2 else (value, "", "")
    if colon and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"{value[:80]!r}: the port {port!r} is not a number from 1 to 65535")
    ip_or_name(host)
    return str(value)


def proxy_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value[:80]!r} is not a proxy URL such as http://proxy.example.com:3128")
    if parts.username or parts.password:
        raise ValueError(
            "carries a user or password; a site file holds no secrets: set edge_host_proxy in a vaulted group_vars file"
        )
    return str(value)


def nic_name(value: str) -> str:
    if not 0 < len(value) < 16 or "/" in value or any(sign.isspace() for sign in value):
        raise ValueError(f"{value[:40]!r} is not the name of a network interface (15 characters at most)")
    return str(value)


def any_text(value: str) -> str:
    return str(value)


def wave(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,32}", value):
        raise ValueError(f"{value[:40]!r} is not the name of a wave, such as canary or 2: a-z, 0-9, '-' and '_'")
    return str(value)


def semver(value: str) -> str:
    if not _SEMVER.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is not a version of three numbers, such as 1.0.0")
    return str(value)


def boolean(value: str) -> bool:
    if value.lower() not in _TRUE + _FALSE:
        raise ValueError(f"{value[:40]!r} is neither true nor false")
    return value.lower() in _TRUE


def switch(value: str) -> bool:
    """A boolean that Palette spells C(enabled) or C(disabled)."""
    return boolean({"enabled": "true", "disabled": "false"}.get(value.lower(), value))


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isdecimal() or not least <= int(value) <= most:
            raise ValueError(f"{value[:40]!r} is not a whole number from {least} to {most}")
        return int(value)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"{value[:40]!r} is not one of {', '.join(choices)}")
        return str(value)

    return read


def moment(value: str) -> datetime.datetime:
    """A date (until its end, UTC) or an RFC 3339 time as a point in time."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            day = datetime.date.fromisoformat(value)
            return datetime.datetime.combine(day, datetime.time(23, 59, 59), datetime.timezone.utc)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", value):
            text = value.upper().replace(" ", "T").replace("Z", "+00:00")
            # Python 3.10 takes fractions of three or six digits only.
            return datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    except ValueError:
        pass
    raise ValueError(f"{value[:40]!r} is neither a date such as 2027-12-31 nor a time such as 2027-12-31T12:00:00Z")


def expiry(value: str) -> str:
    moment(value)
    return str(value)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "empty" if is_null(value) else "text"


def _missing(name: str, written: bool) -> str:
    return "is required, and empty here" if written else f"the key {name} is missing"
