"""A host's user-data as the agent reads it: the layers on its disk, merged, and what of them the agent acts on."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NIC = "host0"
_NICS = re.compile(r"host[0-9]")
_LARGEST = 1 << 20
_ENDPOINT = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$")
_HOST_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
_HOST_ID = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_-]{0,126}[A-Za-z0-9])?$")
_PEM = re.compile(r"^-----BEGIN CERTIFICATE-----\s.*\s-----END CERTIFICATE-----\s*$", re.S)


class UserDataError(Exception):
    """The user-data cannot be used; the text names file or path and what is wrong, joined by '; '."""


@dataclass(frozen=True)
class Nic:
    """A NIC beside the first one; ``address`` is empty when it is on DHCP."""

    name: str
    address: str = ""
    gateway: str = ""
    nameserver: str = ""


@dataclass(frozen=True)
class UserData:
    """What the agent acts on. ``address`` (``10.42.0.11/24``) is empty when the NIC is on DHCP; ``notes`` are for people.

    ``steps`` are those of all layers by stage, the earlier layer's first.
    """

    uid: str
    host_name: str
    endpoint: str = ""
    token: str = field(default="", repr=False)
    local: bool = False
    project: Mapping[str, str] = field(default_factory=dict)
    disable_auto_register: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    gateway: str = ""
    nameservers: tuple[str, ...] = ()
    proxy: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_certs: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()
    nics: tuple[Nic, ...] = ()
    users: Mapping[str, Any] = field(default_factory=dict, repr=False)
    steps: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()


def read_layers(root: Path) -> dict[str, Any]:
    """The layers below ``root``/oem merged: every ``*.yaml`` in the order of the names, then the site's ``user-data``.

    Maps merge deeply; anything else, lists too, is replaced by the later layer. Only the steps of a stage add up, as each
    file's are run. Raises UserDataError.
    """
    oem = root / "oem"
    merged: dict[str, Any] = {}
    steps: dict[str, list[Any]] = {}
    names = sorted(path.name for path in oem.glob("*.yaml")) if oem.is_dir() and not oem.is_symlink() else []
    for name in [*names, "user-data"]:
        text = _read(oem / name)
        if text is None:
            continue
        try:
            layer = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserDataError(f"/oem/{name}: not YAML: {_yaml_complaint(error)}") from error
        if layer is None:
            continue
        if not isinstance(layer, dict):
            raise UserDataError(f"/oem/{name}: expected a mapping, found {type(layer).__name__}")
        merged = merge(merged, layer)
        for stage, added in _stages(layer, f"/oem/{name}: stages").items():
            steps[stage] = [*steps.get(stage, []), *added]
    return {**merged, "stages": steps} if steps else merged


def _stages(layer: Mapping[str, Any], path: str) -> dict[str, list[Any]]:
    """The steps by stage. Raises UserDataError for what is no list of mappings."""
    wrong: list[str] = []
    stages = _mapping(layer, "stages", path, wrong)
    for stage, steps in stages.items():
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            wrong.append(f"{path}.{stage}: expected a list of steps")
    if wrong:
        raise UserDataError("; ".join(wrong))
    return {str(stage): list(steps) for stage, steps in stages.items()}


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``under``: maps deeply, everything else replaced."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def understand(merged: Mapping[str, Any], *, uid: str, host_name: str) -> UserData:
    """What of the merged user-data the agent acts on; ``uid`` and ``host_name`` stand in where it names none.

    Raises UserDataError with everything that is wrong.
    """
    wrong: list[str] = []
    stylus = _mapping(merged, "stylus", "stylus", wrong)
    site = _mapping(stylus, "site", "stylus.site", wrong)
    net = _mapping(site, "network", "stylus.site.network", wrong)
    mode = str(stylus.get("managementMode") or "central")
    if mode not in ("central", "local"):
        wrong.append(f"stylus.managementMode: '{mode}' is neither central nor local")
    endpoint = str(site.get("paletteEndpoint") or "")
    if endpoint and not _ENDPOINT.match(endpoint):
        wrong.append(f"stylus.site.paletteEndpoint: '{endpoint}' must be a bare host without scheme and path")
    named = str(site.get("name") or uid)
    if not _HOST_ID.match(named):
        wrong.append(f"stylus.site.name: '{named}' is not an Edge host ID")
    os_name = str(site.get("hostName") or site.get("name") or host_name)
    if not _HOST_NAME.match(os_name):
        wrong.append(f"stylus.site.hostName: '{os_name}' is not a host name")
    tags = _mapping(site, "tags", "stylus.site.tags", wrong)
    users = _mapping(site, "users", "stylus.site.users", wrong)
    first, *more = _interfaces(net, wrong)
    interfaces = _mapping(net, "interfaces", "stylus.site.network.interfaces", [])
    notes = [
        f"user-data names the NIC {name}, and those of a host are called {NIC}, host1 and so on"
        for name in interfaces
        if not _NICS.fullmatch(str(name))
    ]
    nameserver = first.nameserver or str(net.get("nameserver") or "")
    if nameserver and not _is_ip(nameserver):
        wrong.append(f"stylus.site.network.nameserver: '{nameserver}' is not an IP address")
    certificates = _certificates(site.get("caCerts"), wrong)
    if wrong:
        raise UserDataError("; ".join(wrong))
    proxy = {key: str(net[name]) for key, name in _PROXIES.items() if net.get(name)}
    return UserData(
        uid=named,
        host_name=os_name,
        endpoint=endpoint,
        token=str(site.get("edgeHostToken") or ""),
        local=mode == "local",
        project=_project(site),
        disable_auto_register=site.get("disableAutoRegister") is True,
        tags={str(key): _label(value) for key, value in tags.items()},
        address=first.address,
        gateway=first.gateway,
        nameservers=(nameserver,) if nameserver else (),
        proxy=proxy,
        ca_certs=certificates,
        ntp_servers=_words(site.get("ntpServers")),
        nics=tuple(more),
        users=users,
        steps={stage: tuple(steps) for stage, steps in _stages(merged, "stages").items()},
        notes=tuple(notes),
    )


def _project(site: Mapping[str, Any]) -> dict[str, str]:
    """The project that user-data names, as the API does: by uid or by name; empty leaves it to the token."""
    for key, field_name in (("uid", "projectUid"), ("name", "projectName")):
        if site.get(field_name):
            return {key: str(site[field_name])}
    return {}


_PROXIES = {"http_proxy": "httpProxy", "https_proxy": "httpsProxy", "no_proxy": "noProxy"}


def _interfaces(net: Mapping[str, Any], wrong: list[str]) -> list[Nic]:
    """The first NIC, then the others that user-data names."""
    interfaces = _mapping(net, "interfaces", "stylus.site.network.interfaces", wrong)
    names = [NIC, *sorted(str(name) for name in interfaces if _NICS.fullmatch(str(name)) and name != NIC)]
    return [_interface(name, interfaces, wrong) for name in names]


def _interface(name: str, interfaces: Mapping[str, Any], wrong: list[str]) -> Nic:
    path = f"stylus.site.network.interfaces.{name}"
    nic = _mapping(interfaces, name, path, wrong)
    kind = str(nic.get("type") or "dhcp")
    if kind not in ("dhcp", "static"):
        wrong.append(f"{path}.type: '{kind}' is neither dhcp nor static")
    nameserver = str(nic.get("nameserver") or "")
    if kind != "static":
        return Nic(name, nameserver=nameserver)
    given, mask, gateway = (str(nic.get(key) or "") for key in ("ipAddress", "mask", "gateway"))
    combined = f"{given}/{mask}" if mask and "/" not in given else given
    try:
        if "/" not in combined:
            raise ValueError("no prefix length")
        interface = ipaddress.IPv4Interface(combined)
    except ValueError as error:
        wrong.append(f"{path}.ipAddress: '{given}' is not an address with prefix, such as 10.42.0.11/24: {error}")
        return Nic(name, nameserver=nameserver)
    if gateway and not (_is_ip(gateway) and ipaddress.ip_address(gateway) in interface.network):
        wrong.append(f"{path}.gateway: '{gateway}' is no address in {interface.network}")
    return Nic(name, interface.with_prefixlen, gateway, nameserver)


def _certificates(value: object, wrong: list[str]) -> tuple[str, ...]:
    if value is not None and not isinstance(value, list):
        wrong.append("stylus.site.caCerts: expected a list of PEM certificates")
        return ()
    found = []
    for index, item in enumerate(value or []):
        text = str(item).strip() + "\n"
        if not _PEM.match(text):
            # The documentation's text says base64, its samples show PEM: both are taken.
            text = _decoded(text)
        if not _PEM.match(text):
            wrong.append(f"stylus.site.caCerts[{index}]: not a PEM certificate")
        found.append(text)
    return tuple(found)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode().strip() + "\n"
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _mapping(data: Mapping[str, Any], key: str, path: str, wrong: list[str]) -> Mapping[str, Any]:
    value = data.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    wrong.append(f"{path}: expected a mapping, found {type(value).__name__}")
    return {}


def _label(value: object) -> str:
    """Tags are strings in Palette, while user-data may hold bare numbers and booleans."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _words(value: object) -> tuple[str, ...]:
    """A list, or a text separated by commas or blanks: both are seen in the field."""
    items = value if isinstance(value, list) else re.split(r"[,\s]+", str(value or ""))
    return tuple(str(item).strip() for item in items if str(item).strip())


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _read(path: Path) -> str | None:
    """The text of a file of the host; a symbolic link is not followed, as it could lead out of the host's root."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserDataError(f"/oem/{path.name}: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise UserDataError(f"/oem/{path.name}: larger than 1 MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UserDataError(f"/oem/{path.name}: not UTF-8 text") from error


def _yaml_complaint(error: yaml.YAMLError) -> str:
    """The parser's words and the line, without the text itself: that may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or 'malformed'} (line {error.problem_mark.line + 1})"
    return "malformed"
