"""The description of a lab's network and hosts: ``lab.yml``, checked as a whole before anything is touched."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

_HOST_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_HOST_ID = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_-]{0,126}[A-Za-z0-9])?$")
_HOST_KEYS = {"name", "id", "address", "boot", "pairing_key", "agent_mode", "nics"}
# The outer end of a host's virtual cable is called vb-<machine>, and the kernel allows 15 characters.
_LONGEST_MACHINE_NAME = 12
_TOLD = 20


class ConfigError(Exception):
    """Something in lab.yml is wrong; the text is one line for each thing found."""


@dataclass(frozen=True)
class HostConfig:
    """One Edge host of the lab.

    ``address`` is the lease it boots with (with prefix length; empty = none), ``machine`` the short name that the
    machine itself knows it by, ``boot`` is false for a host that only speaks to the controller. With ``agent_mode`` it is a
    plain Linux, whose agent does nothing until it was installed there. ``nics`` counts its NICs, host0 to host3.
    """

    name: str
    id: str
    address: str = ""
    boot: bool = True
    machine: str = ""
    pairing_key: str = field(default="", repr=False)
    agent_mode: bool = False
    nics: int = 1


@dataclass(frozen=True)
class LabConfig:
    """What a lab consists of: the addresses of the bridge (``10.42.0.1/24``) and the hosts."""

    bridge: tuple[str, ...] = ()
    hosts: tuple[HostConfig, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """A form for JSON that `from_data` reads back."""
        return {"bridge": list(self.bridge), "hosts": [asdict(host) for host in self.hosts]}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> LabConfig:
        """The inverse of `as_data`."""
        return cls(bridge=tuple(data["bridge"]), hosts=tuple(HostConfig(**host) for host in data["hosts"]))

    def gateway_for(self, address: str) -> str:
        """The bridge's address in the subnet of ``address`` (with prefix), or an empty string."""
        network = ipaddress.ip_interface(address).network
        for bridge in self.bridge:
            if ipaddress.ip_interface(bridge).ip in network:
                return str(ipaddress.ip_interface(bridge).ip)
        return ""


def load(path: Path, *, speak_only: bool = False) -> LabConfig:
    """Read and check ``lab.yml``; with ``speak_only`` no host of it is booted. Raises ConfigError."""
    try:
        data = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return parse(data, source=str(path), speak_only=speak_only)


def parse(data: object, *, source: str = "lab.yml", speak_only: bool = False) -> LabConfig:
    """Check the content of a lab.yml. Raises ConfigError with everything that is wrong, one line each."""
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: expected a mapping with 'network' and 'hosts'")
    wrong = [f"unknown key '{key}'" for key in data if key not in {"network", "hosts"}]
    bridge = _bridge(data.get("network"), wrong)
    entries = data.get("hosts")
    if entries is not None and not isinstance(entries, list):
        wrong.append("hosts: expected a list")
    listed = entries if isinstance(entries, list) else []
    if speak_only:
        listed = [{**entry, "boot": False} if isinstance(entry, dict) else entry for entry in listed]
    hosts = [_host(f"hosts[{index}]", entry, bridge, wrong) for index, entry in enumerate(listed)]
    _duplicates(hosts, wrong)
    if wrong:
        lines = [f"{source}: {line}" for line in wrong[:_TOLD]]
        lines += [f"{source}: and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
        raise ConfigError("\n".join(lines))
    return LabConfig(bridge=tuple(bridge), hosts=tuple(_with_machine_names(hosts)))


def _bridge(network: object, wrong: list[str]) -> list[str]:
    if network is None:
        return []
    if not isinstance(network, dict) or not isinstance(network.get("bridge", []), list):
        wrong.append("network: expected a mapping with 'bridge', a list of addresses such as 10.42.0.1/24")
        return []
    wrong.extend(f"network: unknown key '{key}'" for key in network if key != "bridge")
    return [str(address) for address in network.get("bridge", []) if _is_address("network.bridge", address, wrong)]


def _host(path: str, entry: object, bridge: list[str], wrong: list[str]) -> HostConfig:
    nobody = HostConfig(name="", id="")
    if not isinstance(entry, dict):
        wrong.append(f"{path}: expected a mapping with 'name', 'id' and 'address'")
        return nobody
    wrong.extend(f"{path}: unknown key '{key}'" for key in entry if key not in _HOST_KEYS)
    name, host_id = str(entry.get("name") or ""), str(entry.get("id") or entry.get("name") or "")
    if not _HOST_NAME.match(name):
        wrong.append(f"{path}.name: '{name}' is not a host name (lower case letters, digits and '-', at most 63)")
        return nobody
    if not _HOST_ID.match(host_id):
        wrong.append(f"{path}.id: '{host_id}' is not an Edge host ID (letters, digits, '-', '_', at most 128)")
    boot, agent_mode = entry.get("boot", True), entry.get("agent_mode", False)
    if not isinstance(boot, bool):
        wrong.append(f"{path}.boot: expected true or false")
        boot = True
    if not isinstance(agent_mode, bool) or (agent_mode and not boot):
        wrong.append(f"{path}.agent_mode: expected true or false, and true for a host that is booted only")
        agent_mode = False
    nics = entry.get("nics", 1)
    if isinstance(nics, bool) or not isinstance(nics, int) or not 1 <= nics <= 4:
        wrong.append(f"{path}.nics: expected a number of NICs, from 1 to 4")
        nics = 1
    address = entry.get("address")
    if address is None and boot:
        wrong.append(f"{path}.address: a host that is booted needs the address it boots with, such as 10.42.0.101/24")
    elif (
        address is not None
        and _is_address(f"{path}.address", address, wrong)
        and boot
        and not LabConfig(bridge=tuple(bridge)).gateway_for(str(address))
    ):
        wrong.append(f"{path}.address: {address} is in no subnet of network.bridge ({', '.join(bridge) or 'empty'})")
    key = entry.get("pairing_key")
    return HostConfig(
        name=name,
        id=host_id,
        address=str(address or ""),
        boot=boot,
        pairing_key="" if key is None else str(key),
        agent_mode=agent_mode,
        nics=nics,
    )


def _is_address(path: str, value: object, wrong: list[str]) -> bool:
    try:
        if "/" not in str(value):
            raise ValueError("the prefix length is missing, as in 10.42.0.1/24")
        ipaddress.IPv4Interface(str(value))
    except ValueError as error:
        wrong.append(f"{path}: '{value}' is not an IPv4 address with prefix: {error}")
        return False
    return True


def _duplicates(hosts: list[HostConfig], wrong: list[str]) -> None:
    for what, values in (
        ("name", [host.name for host in hosts]),
        ("id", [host.id for host in hosts]),
        ("address", [host.address.split("/")[0] for host in hosts]),
    ):
        repeated = sorted({value for value in values if value and values.count(value) > 1}) if _repeats(values) else []
        wrong.extend(f"hosts: two hosts have the {what} {value}" for value in repeated)


def _repeats(values: list[str]) -> bool:
    present = [value for value in values if value]
    return len(set(present)) != len(present)


def _with_machine_names(hosts: Iterable[HostConfig]) -> Iterable[HostConfig]:
    hosts = list(hosts)
    taken = {host.name for host in hosts}
    short = [name for number in range(1, len(hosts) * 2 + 1) if (name := f"h{number}") not in taken]
    for host in hosts:
        machine = host.name if len(host.name) <= _LONGEST_MACHINE_NAME else short.pop(0)
        yield HostConfig(**{**asdict(host), "machine": machine})
