# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site layer of an Edge host's user-data: from the collection's words to Palette's."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.module_utils.user_data import _networkd
from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document, merge

TOKEN_LATER = "<not known yet>"
"""Stands for a registration token that a run in check mode cannot know, as it does not exist yet."""

_UID = re.compile(r"[0-9a-f]{24}")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

SITE = ("stylus", "site")
NETWORK = (*SITE, "network")
OPTIONS: dict[tuple[str, ...], str] = {
    ("stylus", "managementMode"): "management_mode",
    (*SITE, "paletteEndpoint"): "palette_endpoint",
    (*SITE, "edgeHostToken"): "registration_token",
    (*SITE, "projectName"): "project",
    (*SITE, "projectUid"): "project",
    (*SITE, "name"): "host_id",
    (*SITE, "hostName"): "host_name",
    (*SITE, "tags"): "tags",
    (*SITE, "ntpServers"): "ntp_servers",
    (*SITE, "caCerts"): "ca_certificates",
    (*SITE, "users"): "users",
    (*NETWORK, "httpProxy"): "proxy.http",
    (*NETWORK, "httpsProxy"): "proxy.https",
    (*NETWORK, "noProxy"): "proxy.no_proxy",
    (*NETWORK, "nameserver"): "nameserver",
    (*NETWORK, "interfaces"): "interfaces",
}
"""Where in the document each option ends up."""

_BELOW = {"ipAddress": "address", "nameserver": "nameservers", "passwordExpiry": "password_expiry"}


@dataclass(frozen=True)
class Interface:
    """A NIC, or a VLAN on one (which has no VLANs of its own).

    `address` carries its prefix length; type None means static with an address and dhcp without; `none` is a NIC that
    has no address, as it only bears VLANs. `vlans` are by ID, in digits.
    """

    type: str | None = None
    address: str | None = None
    gateway: str | None = None
    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    mtu: int | None = None
    vlans: t.Mapping[str, Interface] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The type, derived where it is not given."""
        return self.type or ("static" if self.address else "dhcp")

    def document(self) -> Document:
        return _given(
            type=self.kind,
            ipAddress=self.address,
            gateway=self.gateway,
            nameserver=self.nameservers[0] if self.nameservers else None,
        )


@dataclass(frozen=True)
class User:
    """An account of the operating system. `passwd` is a secret, a hash for preference."""

    groups: tuple[str, ...] = ()
    passwd: str | None = None
    password_expiry: str | None = None
    lock_passwd: bool | None = None
    ssh_authorized_keys: tuple[str, ...] = ()

    def document(self) -> Document:
        return _given(
            groups=list(self.groups),
            passwd=self.passwd,
            passwordExpiry=self.password_expiry,
            lock_passwd=self.lock_passwd,
            ssh_authorized_keys=list(self.ssh_authorized_keys),
        )


@dataclass(frozen=True)
class SiteLayer:
    """What a site says about one of its hosts. Whatever is None or empty is left to the installer's user-data."""

    management_mode: str | None = None
    palette_endpoint: str | None = None
    registration_token: str | None = None
    project: str | None = None
    host_id: str | None = None
    host_name: str | None = None
    tags: t.Mapping[str, t.Any] = field(default_factory=dict)
    proxy_http: str | None = None
    proxy_https: str | None = None
    no_proxy: tuple[str, ...] = ()
    ca_certificates: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    nameserver: str | None = None
    interfaces: t.Mapping[str, Interface] = field(default_factory=dict)
    users: t.Mapping[str, User] = field(default_factory=dict)
    extra: t.Mapping[str, t.Any] = field(default_factory=dict)

    def document(self) -> Document:
        """The user-data as a mapping, `extra` merged last. What of the NICs `stylus` cannot say is a step of a stage."""
        network = _given(
            httpProxy=self.proxy_http,
            httpsProxy=self.proxy_https,
            noProxy=",".join(self.no_proxy),
            nameserver=self.nameserver,
            interfaces={name: nic.document() for name, nic in self.interfaces.items() if nic.type != "none"},
        )
        by_uid = bool(self.project and _UID.fullmatch(self.project))
        site = _given(
            paletteEndpoint=self.palette_endpoint,
            edgeHostToken=self.registration_token,
            projectName=None if by_uid else self.project,
            projectUid=self.project if by_uid else None,
            name=self.host_id,
            hostName=self.host_name,
            tags={key: _tag(value) for key, value in self.tags.items()},
            caCerts=[certificate for text in self.ca_certificates for certificate in _certificates(text)],
            ntpServers=list(self.ntp_servers),
            users={name: user.document() for name, user in self.users.items()},
            network=network,
        )
        document = merge(_given(stylus=_given(managementMode=self.management_mode, site=site)), self.extra)
        return _networkd.with_step(document, self.interfaces)

    def option_of(self, path: t.Sequence[str | int]) -> str:
        """How the user calls the place `path` of the document: the option, or the place within `extra`."""
        names = tuple(part for part in path if isinstance(part, str))
        within: t.Any = self.extra
        for part in names:
            within = within.get(part) if isinstance(within, t.Mapping) else None
        if within is None:
            for length in range(len(names), 0, -1):
                if option := OPTIONS.get(names[:length]):
                    rest = path[length:]
                    return option + dotted(
                        [_BELOW.get(part, part) if isinstance(part, str) else part for part in rest], leading=True
                    )
        return "extra" + dotted(path, leading=True)


def site_of(document: t.Mapping[str, t.Any]) -> Document:
    """`stylus.site`, empty when there is none."""
    stylus = document.get("stylus")
    site = stylus.get("site") if isinstance(stylus, dict) else None
    return site if isinstance(site, dict) else {}


def dotted(path: t.Sequence[str | int], *, leading: bool = False) -> str:
    """`stages.network[0].if`; `leading` puts the first separator too."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text if leading else text.removeprefix(".")


def _certificates(text: str) -> list[str]:
    """The certificates of a PEM text one by one, so that a bundle can be given; the text itself when it holds none."""
    found = [certificate.strip().replace("\r\n", "\n") + "\n" for certificate in _PEM.findall(text)]
    # Anything between or around them is for the rules to refuse.
    return found if found and not _PEM.sub("", text).strip() else [text]


def _tag(value: t.Any) -> t.Any:
    """Tags are strings in Palette; YAML makes numbers and booleans of some."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _given(**values: t.Any) -> Document:
    """Those values that say something. `False` does."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [], {})}
