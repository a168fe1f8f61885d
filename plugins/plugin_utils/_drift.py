# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host does not bear what its user-data says. A pure function of both.

Only what the user-data names is looked at: further addresses (of a VIP, of containers), users and certificates are no
drift. Secrets are compared and not told.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t
from collections.abc import Iterator
from contextlib import suppress

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import site_of
from ansible_collections.palette.edge.plugins.module_utils.user_data._networkd import PREFIX
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import HIDDEN, hide_text
from ansible_collections.palette.edge.plugins.plugin_utils._in_force import InForce, key_body

NONE = "none"
_PROXIES = {"httpProxy": "http_proxy", "httpsProxy": "https_proxy", "noProxy": "no_proxy"}


class Drift(t.NamedTuple):
    """One thing that is not as it should be."""

    what: str
    wanted: str
    seen: str

    def told(self) -> dict[str, str]:
        return {"what": self.what, "wanted": self.wanted, "seen": self.seen}


def accounts_of(document: t.Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """The accounts that the site and the steps of a boot's stages make, those of the site last."""
    found: dict[str, dict[str, t.Any]] = {}
    for step in _steps(document):
        # A step with a condition may well have done nothing.
        if not step.get("if"):
            found.update(_users(step))
    return {**found, **_users(site_of(document))}


def _users(of: t.Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    return {str(name): user if isinstance(user, dict) else {} for name, user in _map(of, "users").items()}


def network_files(document: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The files for systemd-networkd that `interfaces` of site_user_data became, by path."""
    return {
        str(file["path"]): str(file.get("content") or "")
        for step in _steps(document)
        for file in _list(step, "files")
        if isinstance(file, dict) and f"/{PREFIX}" in str(file.get("path"))
    }


def drift(document: t.Mapping[str, t.Any], seen: InForce) -> list[Drift]:
    """Everything that is not in force of the effective user-data."""
    site, files = site_of(document), network_files(document)
    network = _map(site, "network")
    found = [*_host_name(site, seen), *_interfaces(network, files, seen), *_name_service(network, files, seen)]
    found += [*_proxy(network, seen), *_lists(site, seen), *_accounts(document, seen)]
    return [*found, *_written(files, seen)]


def _host_name(site: dict[str, t.Any], seen: InForce) -> Iterator[Drift]:
    name = str(site.get("hostName") or site.get("name") or "")
    if name not in ("", "$random", seen.facts["host_name"]):
        yield Drift("host name", name, seen.facts["host_name"] or NONE)


def _interfaces(network: dict[str, t.Any], files: dict[str, str], seen: InForce) -> Iterator[Drift]:
    nics = {nic["name"]: nic for nic in seen.facts["interfaces"]}
    wanted = {str(name): _of_stylus(nic) for name, nic in _map(network, "interfaces").items() if isinstance(nic, dict)}
    wanted.update(_of_files(files))
    for name, want in wanted.items():
        nic = nics.get(name)
        if nic is None:
            yield Drift(f"interface {name}", "there", NONE)
            continue
        addresses = [address for address in nic["addresses"] if not address.startswith("fe80:")]
        address = want.get("Address", "")
        if address and address not in addresses:
            yield Drift(f"address of {name}", address, ", ".join(addresses) or NONE)
        elif want.get("DHCP") and not addresses:
            yield Drift(f"address of {name}", "one by DHCP", NONE)
        gateway = seen.facts["gateway"]
        if want.get("Gateway") and (want["Gateway"], name) != (gateway["address"], gateway["interface"]):
            via = f"{gateway['address']} on {gateway['interface']}" if gateway["address"] else NONE
            yield Drift("gateway", f"{want['Gateway']} on {name}", via)
        if want.get("MTUBytes") and int(want["MTUBytes"]) != nic["mtu"]:
            yield Drift(f"MTU of {name}", want["MTUBytes"], str(nic["mtu"]))
        if want.get("Id") and want["Id"] != seen.vlans.get(name, ("", ""))[0]:
            yield Drift(f"VLAN of {name}", want["Id"], seen.vlans.get(name, (NONE, ""))[0])


def _of_stylus(nic: dict[str, t.Any]) -> dict[str, str]:
    if nic.get("type", "dhcp") != "static":
        return {"DHCP": "yes"}
    address, mask = str(nic.get("ipAddress") or ""), str(nic.get("mask") or "")
    if "/" not in address and mask:
        with suppress(ValueError):
            address = ipaddress.ip_interface(f"{address}/{mask}").with_prefixlen
    return {"Address": address, "Gateway": str(nic.get("gateway") or "")}


def _of_files(files: dict[str, str]) -> dict[str, dict[str, str]]:
    """What the files say of each interface. Of a repeated key the last value is kept, which suits those used here."""
    found: dict[str, dict[str, str]] = {}
    for text in files.values():
        said = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        found.setdefault(said.get("Name", ""), {}).update(said)
    found.pop("", None)
    return found


def _name_service(network: dict[str, t.Any], files: dict[str, str], seen: InForce) -> Iterator[Drift]:
    nics = [nic for nic in _map(network, "interfaces").values() if isinstance(nic, dict)]
    named = [str(one["nameserver"]) for one in (*nics, network) if one.get("nameserver")]
    named += [server for text in files.values() for server in re.findall(r"^DNS=(\S+)$", text, re.MULTILINE)]
    yield from _missing("name servers", named, seen.nameservers)
    lines = [line for text in files.values() for line in re.findall(r"^Domains=(.+)$", text, re.MULTILINE)]
    yield from _missing("search domains", " ".join(lines).split(), seen.search)


def _proxy(network: dict[str, t.Any], seen: InForce) -> Iterator[Drift]:
    for key, name in _PROXIES.items():
        wanted, there = str(network.get(key) or ""), seen.proxy.get(name, "")
        if wanted and wanted != there:
            shown, found = hide_text(wanted), hide_text(there) or NONE
            yield Drift(name, shown, "another user or password" if found == shown else found)


def _lists(site: dict[str, t.Any], seen: InForce) -> Iterator[Drift]:
    servers = site.get("ntpServers")
    wanted = servers if isinstance(servers, list) else re.split(r"[,\s]+", str(servers or ""))
    yield from _missing("time servers", [str(server) for server in wanted if str(server)], seen.ntp_servers)
    certificates = _list(site, "caCerts")
    missing = [str(at + 1) for at, dummy in enumerate(certificates) if at not in seen.certificates]
    if missing:
        told = f"not trusted: {', '.join(missing)} of {len(certificates)} (in the order of caCerts)"
        yield Drift("CA certificates", f"{len(certificates)} trusted", told)


def _accounts(document: t.Mapping[str, t.Any], seen: InForce) -> Iterator[Drift]:
    for name, user in accounts_of(document).items():
        account = seen.accounts.get(name)
        if account is None:
            yield Drift(f"user {name}", "there", NONE)
            continue
        yield from _missing(f"groups of {name}", [str(group) for group in _list(user, "groups")], account.groups)
        keys = [body for key in _list(user, "ssh_authorized_keys") if (body := key_body(str(key)))]
        here = sum(body in account.keys for body in keys)
        if here < len(keys):
            yield Drift(f"SSH keys of {name}", f"{len(keys)}", f"{here} of them")
        locked = account.password.startswith("!")
        passwd = str(user.get("passwd") or "")
        # A password in clear cannot be compared with its hash here.
        if passwd.startswith("$") and passwd != account.password.lstrip("!"):
            yield Drift(f"password of {name}", HIDDEN, "another one")
        if user.get("lock_passwd") is True and not (locked or account.password.startswith("*")):
            yield Drift(f"password of {name}", "locked", "not locked")


def _written(files: dict[str, str], seen: InForce) -> Iterator[Drift]:
    for path, text in files.items():
        checksum = seen.files.get(path, "")
        if checksum != hashlib.sha256(text.encode()).hexdigest():
            yield Drift(f"file {path}", "as the user-data has it", "other content" if checksum else NONE)


def _missing(what: str, wanted: t.Sequence[str], there: t.Sequence[str]) -> Iterator[Drift]:
    wanted = list(dict.fromkeys(wanted))
    if set(wanted) - set(there):
        yield Drift(what, ", ".join(wanted), ", ".join(there) or NONE)


def _steps(document: t.Mapping[str, t.Any]) -> Iterator[dict[str, t.Any]]:
    for stage, steps in _map(document, "stages").items():
        if str(stage).split(".", maxsplit=1)[0] in {"rootfs", "initramfs", "fs", "boot", "network"} and isinstance(
            steps, list
        ):
            yield from (step for step in steps if isinstance(step, dict))


def _map(document: t.Any, name: str) -> dict[str, t.Any]:
    found = document.get(name) if isinstance(document, t.Mapping) else None
    return found if isinstance(found, dict) else {}


def _list(of: t.Mapping[str, t.Any], name: str) -> list[t.Any]:
    found = of.get(name)
    return found if isinstance(found, list) else []
