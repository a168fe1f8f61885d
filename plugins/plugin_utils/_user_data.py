# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of site_user_data to the site layer, and the layer that a host has."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import SiteLayer, User
from ansible_collections.palette.edge.plugins.module_utils.user_data._source import read
from ansible_collections.palette.edge.plugins.plugin_utils._interfaces import interface


def site_layer(args: dict[str, t.Any]) -> SiteLayer:
    """The site layer that validated options describe."""
    args = plain(args)
    proxy = args.get("proxy") or {}
    return SiteLayer(
        management_mode=args.get("management_mode"),
        palette_endpoint=args.get("palette_endpoint"),
        registration_token=args.get("registration_token"),
        project=args.get("project"),
        host_id=args.get("host_id"),
        host_name=args.get("host_name"),
        tags=args.get("tags") or {},
        proxy_http=proxy.get("http"),
        proxy_https=proxy.get("https"),
        no_proxy=tuple(proxy.get("no_proxy") or ()),
        ca_certificates=tuple(args.get("ca_certificates") or ()),
        ntp_servers=tuple(args.get("ntp_servers") or ()),
        nameserver=args.get("nameserver"),
        interfaces={name: interface(nic) for name, nic in (args.get("interfaces") or {}).items()},
        users={
            name: User(
                groups=tuple(user.get("groups") or ()),
                passwd=user.get("passwd"),
                password_expiry=user.get("password_expiry"),
                lock_passwd=user.get("lock_passwd"),
                ssh_authorized_keys=tuple(user.get("ssh_authorized_keys") or ()),
            )
            for name, user in (args.get("users") or {}).items()
        },
        extra=args.get("extra") or {},
    )


def plain(value: t.Any) -> t.Any:
    """The value without Ansible's own types: tagged, unsafe and vaulted strings become strings."""
    if isinstance(value, dict):
        return {plain(key): plain(below) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(below) for below in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    # An unsafe text of ansible-core 2.16 makes one of itself again when it is asked for its string.
    return str.__str__(value) if isinstance(value, str) else str(value)


def parse(content: bytes | None) -> tuple[dict[str, t.Any] | None, str]:
    """The mapping that a user-data file holds; None with the reason (which quotes nothing of it) when it holds none."""
    if content is None:
        return None, ""
    try:
        source = read(content.decode())
    except UnicodeDecodeError:
        return None, "is not UTF-8"
    # A key that stands twice has a path: the agent takes one of the two as well.
    wrong = next((one.text.rstrip(".") for one in source.problems if not one.path), "")
    line = source.line(())
    return (None, f"{wrong} (line {line})" if line else wrong) if wrong else (source.document, "")


def same(one: t.Any, other: t.Any) -> bool:
    """Whether two documents say the same; `1`, `true` and `"1"` are not the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
