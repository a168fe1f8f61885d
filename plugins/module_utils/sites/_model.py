# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site file may say, key by key, and the site that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._entry import group_name
from . import _fields as fields
from ._fields import Complaints, Key, listing, mapping, scalar
from ._load import Document, KeyPath


@dataclass(frozen=True, kw_only=True)
class Host:
    """One Edge host of a site. ``settings`` are its keys with the site's defaults merged, without absent ones.

    ``place`` is its number in the file.
    """

    name: str
    id: str
    place: int
    settings: dict[str, Any]

    @property
    def reachable_at(self) -> str:
        """The static address without prefix, else where it answers before it is configured, else ""."""
        return str(self.settings.get("address", "")).partition("/")[0] or self.settings.get("initial_address", "")


@dataclass(frozen=True, kw_only=True)
class Site:
    """One site. ``settings`` are the keys of the site as given, but for hosts and their defaults."""

    name: str
    document: Document
    settings: dict[str, Any]
    tags: dict[str, str]
    hosts: list[Host] = field(default_factory=list)

    @property
    def group(self) -> str:
        return group_name(self.name)


TEXT = scalar(fields.plain_text, "text")
MAYBE_TEXT = scalar(fields.any_text, "text")
HOST_NAME = scalar(fields.host_name, "a host name")
IP = scalar(fields.ip, "an IP address")
SERVERS = listing(scalar(fields.ip_or_name, "an IP address or a host name"))
BOOLEAN = scalar(fields.boolean, "true or false")
POOL_HOST = {
    "name": Key(TEXT, required=True),
    "two_node_role": Key(scalar(fields.one_of("primary", "secondary"), "text")),
    "node_name": Key(MAYBE_TEXT),
}


def _no_proxy(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """A list, or one text with commas, as people know it from the environment variable."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return listing(TEXT)(complaints, path, value)


def _certificate(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """PEM text, or C({file: path}) that the check reads relative to the site file."""
    if isinstance(value, dict):
        return mapping({"file": Key(TEXT, required=True)})(complaints, path, value)
    if not isinstance(value, str):
        return complaints.add(path, "must be the text of a certificate, or {file: path}")
    problem = pem_problem(value)
    return complaints.add(path, problem) if problem else value.strip() + "\n"


def pem_problem(text: str) -> str:
    """What is wrong with ``text`` as certificates in PEM form, or ""."""
    if "PRIVATE KEY-----" in text:
        return "holds a private key: name the certificate alone"
    if not text.strip().startswith("-----BEGIN CERTIFICATE-----"):
        return "is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    if text.count("-----BEGIN CERTIFICATE-----") != text.count("-----END CERTIFICATE-----"):
        return "is cut off: it has no -----END CERTIFICATE-----"
    return ""


def _pool_host(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """The name of a host of this site, or C({name: ..., two_node_role: ..., node_name: ...})."""
    if isinstance(value, dict):
        return mapping(POOL_HOST)(complaints, path, value)
    name = TEXT(complaints, path, value)
    return name if name is fields.WRONG else {"name": name}


def _pack_values(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """Values by name of the pack: YAML text, or a mapping as YAML has it."""
    if not isinstance(value, dict):
        return complaints.add(path, "must be a mapping: name of the pack, and its values")
    return {name: fields.as_yaml(one) if isinstance(one, dict) else str(one or "") for name, one in value.items()}


def _manifests(complaints: Complaints, path: KeyPath, value: Any) -> Any:
    """Contents by name of the pack and of the manifest."""
    if not isinstance(value, dict):
        return complaints.add(path, "must be a mapping: name of the pack, and its manifests by name")
    return {name: fields.text_map(complaints, (*path, name), one) for name, one in value.items()}


BACKENDS = ("bare_metal", "vm", "maas", "agent_mode")
PROXY = {
    "http": Key(scalar(fields.proxy_url, "a proxy URL")),
    "https": Key(scalar(fields.proxy_url, "a proxy URL")),
    "no_proxy": Key(_no_proxy),
}
HOST_DEFAULTS = {
    "architecture": Key(scalar(fields.one_of("amd64", "arm64"), "text")),
    "backend": Key(mapping({"type": Key(scalar(fields.one_of(*BACKENDS), "text"))}, free=True)),
    "nic": Key(scalar(fields.nic_name, "the name of a network interface")),
    "gateway": Key(IP),
    "nameservers": Key(listing(IP)),
    "ntp_servers": Key(SERVERS),
    "proxy": Key(mapping(PROXY)),
    "ca_certificates": Key(listing(_certificate)),
    "tags": Key(fields.tag_map),
}
HOST = {
    "name": Key(HOST_NAME, required=True),
    "id": Key(scalar(fields.host_id, "text"), required=True),
    "display_name": Key(TEXT),
    "address": Key(scalar(fields.static_address, "an address with prefix length, such as 10.42.0.11/24")),
    "initial_address": Key(scalar(fields.ip_or_name, "an IP address or a host name")),
    **HOST_DEFAULTS,
}
PROFILE = {
    "name": Key(TEXT, required=True),
    "version": Key(scalar(fields.semver, "a version such as 1.0.0")),
    "variables": Key(fields.text_map),
    "pack_values": Key(_pack_values),
    "manifests": Key(_manifests),
}
REGISTRATION = {
    "token": Key(TEXT),
    "description": Key(MAYBE_TEXT),
    "expires": Key(scalar(fields.expiry, "a date")),
    "expires_in_days": Key(scalar(fields.whole_number(1, 3650), "a number of days")),
}
NODE_POOL = {
    "name": Key(scalar(fields.dns_name, "a name"), required=True),
    "control_plane": Key(BOOLEAN),
    "hosts": Key(listing(_pool_host, least=1), required=True),
    "architecture": HOST_DEFAULTS["architecture"],
    "control_plane_as_worker": Key(BOOLEAN),
    "additional_labels": Key(fields.text_map),
    "additional_annotations": Key(fields.text_map),
    "taints": Key(fields.anything),
    "update_strategy": Key(fields.anything),
    "node_repave_interval": Key(scalar(fields.whole_number(0, 2**31 - 1), "a number of seconds")),
    "skip_kubernetes_upgrade": Key(scalar(fields.switch, "true or false")),
    "override_kubeadm_configuration": Key(TEXT),
    "override_health_check_configuration": Key(TEXT),
}
OS_PATCH = {
    "schedule": Key(TEXT),
    "on_boot": Key(BOOLEAN),
    "reboot_if_required": Key(BOOLEAN),
}
CLUSTER = {
    "name": Key(scalar(fields.dns_name, "a name")),
    "description": Key(TEXT),
    "tags": Key(fields.tag_map),
    "vip": Key(scalar(fields.ip_or_name, "an IP address")),
    "endpoint_type": Key(scalar(fields.one_of("VIP", "External", "DDNS", "IP"), "text")),
    "overlay_cidr": Key(scalar(fields.network, "a network such as 192.168.100.0/24")),
    "two_node": Key(BOOLEAN),
    "ntp_servers": Key(SERVERS),
    "ssh_keys": Key(listing(TEXT)),
    "timezone": Key(TEXT),
    "os_patch": Key(mapping(OS_PATCH)),
    "pause_agent_upgrades": Key(BOOLEAN),
    "control_plane_health_check_timeout": Key(TEXT),
    "meta_attribute": Key(TEXT),
    "update_worker_pools_in_parallel": Key(BOOLEAN),
    "node_pools": Key(listing(mapping(NODE_POOL), least=1), required=True),
}
SITE = {
    "name": Key(HOST_NAME, required=True),
    "description": Key(TEXT),
    "project": Key(TEXT),
    "management_mode": Key(scalar(fields.one_of("central", "local"), "text")),
    "palette_endpoint": Key(scalar(fields.endpoint, "a host name")),
    "tags": Key(fields.tag_map),
    "site_tag": Key(BOOLEAN),
    "wave": Key(scalar(fields.wave, "a name or number")),
    "registration": Key(mapping(REGISTRATION)),
    "host_defaults": Key(mapping(HOST_DEFAULTS)),
    "hosts": Key(listing(mapping(HOST), least=1), required=True),
    "profiles": Key(listing(mapping(PROFILE))),
    "cluster": Key(mapping(CLUSTER)),
}
