# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a site layer, all of it at once.

Each problem says where it is, what is wrong and what to do, and never repeats a secret. What cannot be known from here
(whether a token has expired, whether an address is free) is not guessed.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import ssl
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from ansible_collections.palette.edge.plugins.module_utils._identity import FORBIDDEN, LONGEST
from ansible_collections.palette.edge.plugins.module_utils.user_data._advice import is_local
from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import NETWORK, SITE, TOKEN_LATER
from ansible_collections.palette.edge.plugins.module_utils.user_data._registries import registry_problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._schema import STAGES
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_text
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Path, Problem, type_problems

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?\s-----END CERTIFICATE-----\s*", re.DOTALL)


def problems(document: Document, *, partial: bool = False) -> list[Problem]:
    """Everything wrong with a site layer; `partial` when the installer's layer gives the rest."""
    found = list(type_problems(document))
    if not found:
        # With the types as they should be, the rest can be looked at without care.
        found += [
            *_top(document, partial=partial),
            *_registration(document, partial=partial),
            *_names(document),
            *_network(document),
        ]
        found += [*_lists(document), *_users(document), *_install(document), *_stages(document)]
    return found


# ---- rules ----------------------------------------------------------------------------------------------------------


def _top(document: Document, *, partial: bool) -> Iterator[Problem]:
    for name in ("registryCredentials", "externalRegistries", "site"):
        if name in document:
            yield Problem((name,), "belongs under stylus; at the top it is not read.")
    if "siteNetwork" in document:
        yield Problem(("siteNetwork",), "is no key, though one table prints it; use stylus.site.network.")
    for name in document:
        if name in STAGES:
            yield Problem((name,), "is a stage; put it under stages.")
    stylus = document.get("stylus", {})
    yield from registry_problems(stylus, _certificate, partial=partial)
    if "managementMode" in stylus and "installationMode" in stylus:
        text = "stands beside managementMode, which is its new name; give the one that the agent knows."
        yield Problem(("stylus", "installationMode"), text)
    yield from _choice(stylus, "managementMode", ("central", "local"))
    yield from _choice(stylus, "installationMode", ("connected", "airgap"))
    for names in (("localUI", "port"), ("emcServer", "port")):
        port = _at(stylus, *names)
        if port is not None and not 1 <= port <= 65535:
            yield Problem(("stylus", *names), f"{port} is no port; give a number from 1 to 65535.")
    if not str(stylus.get("path", "/")).startswith("/"):
        yield Problem(("stylus", "path"), "must be an absolute path.")


def _choice(stylus: Document, name: str, values: tuple[str, ...]) -> Iterator[Problem]:
    if name in stylus and stylus[name] not in values:
        yield Problem(("stylus", name), f"{stylus[name]!r} is unknown; use {' or '.join(values)}.")


def _registration(document: Document, *, partial: bool) -> Iterator[Problem]:
    site = _at(document, *SITE) or {}
    central = not is_local(document)
    endpoint, token = site.get("paletteEndpoint"), site.get("edgeHostToken")
    if endpoint is not None:
        yield from _endpoint(str(endpoint))
    elif central and not partial:
        text = "is missing, and a centrally managed host needs it; give the host name of Palette's API."
        yield Problem((*SITE, "paletteEndpoint"), text)
    if token and token != TOKEN_LATER and (re.search(r"\s", token) or not token.isprintable()):
        yield Problem(
            (*SITE, "edgeHostToken"), "holds a blank or a line break (the token is not shown); give the bare secret."
        )
    if not token and central and not partial and not site.get("registrationURL"):
        text = "is missing, and a centrally managed host needs it; give the secret of a registration token."
        yield Problem((*SITE, "edgeHostToken"), text)
    if "projectName" in site and "projectUid" in site:
        yield Problem((*SITE, "projectUid"), "stands beside projectName; give the project once.")


def _endpoint(value: str) -> Iterator[Problem]:
    path = (*SITE, "paletteEndpoint")
    bare = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://", "", value)
    if "@" in bare:
        yield Problem(path, "holds a user name or password; give the bare host name.")
        return
    host = re.split(r"[/?#]", bare)[0]
    wrong = [word for word, there in (("a scheme", bare != value), ("a path", host != bare)) if there]
    if wrong:
        yield Problem(path, f"{value!r} has {' and '.join(wrong)}; write {host!r}.")
        return
    name, dummy, port = host.partition(":") if host.count(":") < 2 else host.rpartition("]:")
    name = name.strip("[]") if name else host.strip("[]")
    if (port and not (port.isdigit() and 1 <= int(port) <= 65535)) or not _is_server(name):
        yield Problem(
            path, f"{value!r} is no host name or address; write it as palette.example.com or palette.example.com:8443."
        )


def _names(document: Document) -> Iterator[Problem]:
    site = _at(document, *SITE) or {}
    host_id, host_name = site.get("name"), site.get("hostName")
    if host_id and host_id != "$random":
        bad = sorted({sign for sign in host_id if sign in FORBIDDEN or sign.isspace() or not sign.isprintable()})
        if bad:
            told = " ".join("blank" if sign.isspace() else sign for sign in bad)
            text = f"{host_id!r} has what an Edge host ID may not have: {told}; use letters, digits, '-' and '_'."
            yield Problem((*SITE, "name"), text)
        if len(host_id) > LONGEST:
            yield Problem(
                (*SITE, "name"), f"has {len(host_id)} characters and an Edge host ID at most {LONGEST}; shorten it."
            )
        if not bad and not host_name and not _is_host_name(host_id):
            text = f"{host_id!r} would be the host name too, and is none by RFC 1123; give a host name beside it."
            yield Problem((*SITE, "name"), text)
    if host_name and not _is_host_name(host_name):
        text = f"{host_name!r} is no host name by RFC 1123; use small letters, digits and '-', at most 63."
        yield Problem((*SITE, "hostName"), text)
    if "prefix" in site and not re.fullmatch(r"[A-Za-z0-9-]+", site["prefix"]):
        yield Problem((*SITE, "prefix"), f"{site['prefix']!r} may hold letters, digits and '-' only.")
    for key, value in (site.get("tags") or {}).items():
        if not key.strip() or str(value) == "":
            yield Problem((*SITE, "tags", key), "is a tag without a name or value; give both.")


def _network(document: Document) -> Iterator[Problem]:
    network = _at(document, *NETWORK) or {}
    for name in ("httpProxy", "httpsProxy"):
        if name in network and not _is_proxy(network[name]):
            text = f"{hide_text(network[name])!r} is no address of a proxy; write it as http://proxy.example.com:3128."
            yield Problem((*NETWORK, name), text)
    for entry in str(network.get("noProxy", "")).split(",") if network.get("noProxy") else ():
        if not entry.strip() or re.search(r"\s|://", entry.strip()):
            text = f"{entry!r} is no entry; give addresses, networks and domain suffixes, one an entry."
            yield Problem((*NETWORK, "noProxy"), text)
    if "nameserver" in network and not ip_address(network["nameserver"]):
        yield Problem((*NETWORK, "nameserver"), f"{network['nameserver']!r} is no IP address; give exactly one.")
    seen: dict[str, str] = {}
    for name, nic in (network.get("interfaces") or {}).items():
        yield from _interface(name, nic, seen)


def _interface(name: str, nic: Document, seen: dict[str, str]) -> Iterator[Problem]:
    path = (*NETWORK, "interfaces", name)
    if not name:
        yield Problem((*NETWORK, "interfaces"), "the NIC that gets the address has no name; give it, such as eth0.")
    elif not re.fullmatch(r"[^\s/:]{1,15}", name):
        yield Problem(path, f"{name!r} is no name of a NIC: at most 15 characters, without blank, '/' and ':'.")
    kind, address = nic.get("type", "dhcp"), nic.get("ipAddress")
    if kind not in {"dhcp", "static"}:
        yield Problem((*path, "type"), f"{kind!r} is unknown; use dhcp or static.")
        return
    if "nameserver" in nic and not ip_address(nic["nameserver"]):
        yield Problem((*path, "nameserver"), f"{nic['nameserver']!r} is no IP address; give exactly one.")
    if kind == "dhcp":
        for key in ("ipAddress", "mask", "gateway"):
            if key in nic:
                yield Problem(
                    (*path, key), f"{nic[key]} is given for a NIC of type dhcp; make it static, or leave it out."
                )
    elif address is None:
        yield Problem(
            (*path, "ipAddress"),
            "is missing, and a static NIC needs it; give it with its prefix length, as 10.0.10.25/24.",
        )
    else:
        yield from _static(path, nic, str(address), seen, name)


def _static(path: Path, nic: Document, address: str, seen: dict[str, str], name: str) -> Iterator[Problem]:
    where = (*path, "ipAddress")
    if "/" not in address and "mask" not in nic:
        text = (
            f"{address} has no prefix length; add the one of its network, as {address}/24."
            if ip_address(address)
            else (f"{address!r} is no IP address; give it with its prefix length, as 10.0.10.25/24.")
        )
        yield Problem(where, text)
        return
    try:
        own = ipaddress.ip_interface(address if "/" in address else f"{address}/{nic['mask']}")
    except ValueError:
        yield Problem(where, f"{address!r} is no IP address with a prefix length; write it as 10.0.10.25/24.")
        return
    edges = {own.network.network_address} | ({own.network.broadcast_address} if own.version == 4 else set())
    if own.network.prefixlen < own.max_prefixlen - 1 and own.ip in edges:
        yield Problem(
            where, f"{address} is the network {own.network} itself or its broadcast; give the address of a host."
        )
    elif own.ip.is_loopback or own.ip.is_multicast or own.ip.is_unspecified:
        yield Problem(where, f"{address} is no address that a host can have on a network.")
    if other := seen.get(str(own.ip)):
        yield Problem(where, f"{own.ip} is also the address of {other}; give each NIC its own.")
    seen.setdefault(str(own.ip), name)
    if "gateway" not in nic:
        return
    gateway = ip_address(nic["gateway"])
    if gateway is None:
        yield Problem((*path, "gateway"), f"{nic['gateway']!r} is no IP address.")
    elif gateway not in own.network:
        yield Problem(
            (*path, "gateway"),
            f"{gateway} is outside the subnet {own.network} of the address {address}; correct one of the two.",
        )
    elif gateway == own.ip:
        yield Problem((*path, "gateway"), f"{gateway} is the host's own address; give that of the router.")


def _lists(document: Document) -> Iterator[Problem]:
    site = _at(document, *SITE) or {}
    servers = site.get("ntpServers") or ()
    for at, server in enumerate(servers.replace(",", " ").split() if isinstance(servers, str) else servers):
        if not _is_server(server):
            yield Problem((*SITE, "ntpServers", at), f"{server!r} is no host name or address of an NTP server.")
    for at, text in enumerate(site.get("caCerts") or ()):
        if wrong := _certificate(text):
            yield Problem((*SITE, "caCerts", at), wrong)


def _certificate(text: str) -> str:
    """What is wrong with a PEM text; empty when nothing is."""
    if "PRIVATE KEY" in text:
        return "holds a private key (not shown); give certificates only, as the host keeps what it is given."
    if not _PEM.fullmatch(text.strip()):
        # One page says base64, each of its samples is PEM: the base64 of a PEM text is taken too.
        with suppress(ValueError):
            text = base64.b64decode(text, validate=True).decode()
    if not _PEM.fullmatch(text.strip()):
        return "is not a PEM certificate, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."
    try:
        der = ssl.PEM_cert_to_DER_cert(text.strip())
    except ValueError:
        der = b""
    if der[:1] != b"\x30" or len(der) < 64:
        return "is cut off or garbled: there is no certificate between BEGIN and END; copy the PEM file again."
    return ""


def _users(document: Document) -> Iterator[Problem]:
    for name, user in ((_at(document, *SITE) or {}).get("users") or {}).items():
        path = (*SITE, "users", name)
        if not _USER_NAME.fullmatch(name):
            yield Problem(
                path,
                f"{name!r} is no name of a user; begin with a small letter, then small letters, digits, '-' and '_'.",
            )
        if "passwordExpiry" in user and not _DATE.fullmatch(user["passwordExpiry"]):
            yield Problem((*path, "passwordExpiry"), f"{user['passwordExpiry']!r} is no date; write it as 2027-12-31.")
        for at, key in enumerate(user.get("ssh_authorized_keys") or ()):
            if "PRIVATE KEY" in key:
                yield Problem((*path, "ssh_authorized_keys", at), "is a private key (not shown); give the public one.")


def _install(document: Document) -> Iterator[Problem]:
    install = document.get("install", {})
    if install.get("poweroff") and install.get("reboot"):
        yield Problem(("install", "reboot"), "is true, and so is install.poweroff; a host can do one of the two.")
    if "extra_dirs_rootfs" in install:
        yield Problem(("install", "extra_dirs_rootfs"), "is written extra-dirs-rootfs.")


def _stages(document: Document) -> Iterator[Problem]:
    for name, steps in document.get("stages", {}).items():
        path: Path = ("stages", name)
        if not isinstance(steps, list):
            yield Problem(path, "must be a list of steps; begin each with '- '.")
            continue
        for at, step in enumerate(steps):
            if not isinstance(step, dict):
                yield Problem((*path, at), "must be a map, as a step has keys such as name and commands.")
                continue
            if "if" in step and not isinstance(step["if"], str):
                yield Problem(
                    (*path, at, "if"), "must be a string; put the test in quotes, as YAML makes a list of [ ]."
                )
            if "commands" in step and not (
                isinstance(step["commands"], list) and all(isinstance(one, str) for one in step["commands"])
            ):
                yield Problem((*path, at, "commands"), "must be a list of strings.")
            files = step.get("files", [])
            for number, file in enumerate(files if isinstance(files, list) else ()):
                if isinstance(file, dict) and not isinstance(file.get("permissions", 0), int):
                    yield Problem(
                        (*path, at, "files", number, "permissions"), "must be a number; write 0644 without quotes."
                    )


# ---- small things ---------------------------------------------------------------------------------------------------


def _at(document: t.Any, *names: str) -> t.Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def ip_address(text: t.Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def _is_host_name(text: str) -> bool:
    return len(text) <= 253 and bool(_HOST_NAME.fullmatch(text))


def _is_server(text: str) -> bool:
    """A DNS name or an address; `10.0.0.256` is neither."""
    return bool(ip_address(text)) or (bool(_DNS_NAME.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text))


def _is_proxy(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not re.search(r"\s", text)
