"""One Edge host's agent: registers with the controller, says that it is alive, follows what changes.

An agent is a set of short steps. `Agent.step` does one and says when the next is due, so that a few threads carry a
thousand agents (`lab.agent.scheduler`).
"""

from __future__ import annotations

import hashlib
import platform
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from ipaddress import IPv4Interface
from os import cpu_count, sysconf
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from lab.agent import installed
from lab.agent.apply import Lease, apply
from lab.agent.client import Client, Reply, UnreachableError
from lab.agent.user_data import NIC, UserData, UserDataError, read_layers, understand
from lab.hosts.boot import registers
from lab.hosts.config import HostConfig
from lab.hosts.wanted import Journal, Wanted
from lab.instance.state import read_json, write_json

VERSION = "4.8.21-lab"
_CONFIG_EVERY = 5  # heartbeats
_FIRST_RETRY, _LONGEST_RETRY = 0.5, 5.0


class Seen(Protocol):
    """What an agent sees of its own host."""

    @property
    def address(self) -> str:
        """Address with prefix."""

    @property
    def gateway(self) -> str:
        """Default gateway."""

    @property
    def mac(self) -> str:
        """Hardware address."""

    @property
    def boot_id(self) -> str:
        """ID of the boot."""

    @property
    def recovery(self) -> bool:
        """Whether it booted its recovery system."""

    @property
    def ready(self) -> bool:
        """Whether the guest is up."""


@dataclass(frozen=True)
class Pace:
    """How often an agent speaks, in seconds: stretched when there are many, so that the machine bears them."""

    heartbeat: float = 1.0
    longest_retry: float = _LONGEST_RETRY

    @classmethod
    def for_hosts(cls, count: int) -> Pace:
        """About a hundred requests a second in all, whatever the number of hosts."""
        heartbeat = max(1.0, count / 100)
        return cls(heartbeat=heartbeat, longest_retry=max(_LONGEST_RETRY, 2 * heartbeat))


@dataclass(frozen=True)
class Memory:
    """What an agent keeps on disk: its service token, and which host ID and registration token it got it for."""

    uid: str = ""
    registered_with: str = ""
    service_token: str = ""


class Agent:
    """The agent of one host. ``sight`` returns None while the host is down."""

    def __init__(
        self,
        *,
        host: HostConfig,
        directory: Path,
        client: Client,
        journal: Journal,
        wanted: Callable[[], Wanted],
        sight: Callable[[], Seen | None],
        lease: Lease,
        pace: Pace,
    ) -> None:
        self._host, self._directory, self._client, self._journal = host, directory, client, journal
        self._wanted, self._sight, self._lease, self._pace = wanted, sight, lease, pace
        self._memory = Memory(**read_json(directory / "agent.json"))
        self._user_data: UserData | None = None
        self._root: Path | None = None
        self._woke_in = ""
        self._wrong = self._logged = ""
        self._reported: tuple[str, str] | None = None
        self._failures = self._beats = 0
        if not host.boot:
            self._user_data = UserData(uid=host.id, host_name=host.name)

    @property
    def uid(self) -> str:
        """The UID of its Edge host: what user-data says, else what the lab's description does."""
        return self._user_data.uid if self._user_data is not None else self._host.id

    def before_boot(self, root: Path) -> None:
        """Read, check and apply the user-data of a host that does not run.

        With user-data that is wrong the host boots with what it had, and the agent says why. Raises OSError.
        """
        self._reported, self._root = None, root
        if registers(root):
            self._memory = Memory()
        self._read(root)
        if self._user_data is None:
            return
        changed = apply(root, self._user_data, self._lease)
        self._journal.note(applied=changed)

    def _read(self, root: Path) -> None:
        """Read and check the user-data; what is wrong is told, and what was there before is used."""
        try:
            merged = read_layers(root)
            user_data = understand(merged, uid=self._host.id, host_name=self._host.name)
        except UserDataError as error:
            self._wrong = f"user-data is not used: {error}"
            merged = read_json(self._directory / "applied.json")
            user_data = understand(merged, uid=self._host.id, host_name=self._host.name)
        else:
            self._wrong = ""
            write_json(self._directory / "applied.json", _plain(merged))
        self._user_data = user_data
        notes = list(user_data.notes) or None
        self._journal.note(user_data=self._wrong or "applied", notes=notes, id=user_data.uid)

    def step(self) -> float:
        """Do what is due; returns the seconds until the next step."""
        user_data, seen = self._user_data, self._sight()
        if seen is None or user_data is None or not seen.ready:
            self._reported = None
            return self._says("down", "the host is down or cut off", again=0.3)
        if self._host.agent_mode and not self._runs(seen):
            return self._says("absent", "no agent runs on this host", again=0.3)
        if seen.recovery:
            return self._says("inactive", "the host booted its recovery system, where no agent runs", again=0.3)
        user_data = self._user_data or user_data
        if not self._wanted().heartbeat:
            return self._says("silent", "heartbeats are switched off", again=0.3)
        if user_data.local:
            return self._says("waiting", "locally managed: does not register", again=2.0)
        if self._host.boot and not user_data.endpoint:
            return self._says("waiting", self._wrong or "user-data has no stylus.site.paletteEndpoint", again=2.0)
        if self._host.boot and not user_data.token:
            return self._says("waiting", self._wrong or "user-data has no stylus.site.edgeHostToken", again=2.0)
        try:
            reply, done = self._speak(user_data, seen)
        except UnreachableError as error:
            return self._retry("unreachable", f"controller not reached: {error}")
        if not reply.ok:
            return self._retry("refused", f"{done} refused: {reply.complaint}", at_least=reply.retry_after)
        self._failures = 0
        words = self._wrong or f"{done} as {user_data.uid}"
        if done != "heartbeat":
            # Healthy is who has said so: with the first heartbeat, not a second after it could have been.
            return self._says("registered", words, again=0.05)
        # Spread a little, or all the agents of a restarted lab would speak at the same moment for ever.
        return self._says("registered", words, again=self._pace.heartbeat * random.uniform(0.9, 1.1))

    def _runs(self, seen: Seen) -> bool:
        """Whether the agent was installed on the host and started in this boot; reads its user-data then."""
        if self._root is None or not installed.runs(self._root, seen.boot_id):
            self._woke_in = ""
            return False
        if self._woke_in != seen.boot_id:
            self._read(self._root)
            self._woke_in, self._logged = seen.boot_id, ""
        return True

    def _speak(self, user_data: UserData, seen: Seen) -> tuple[Reply, str]:
        """One exchange with the controller: (reply, what it was)."""
        if not self._memory.service_token or self._memory != replace(self._memory, **self._claim(user_data)):
            return self._register(user_data, seen), "registration"
        path = f"/v1/edgehosts/{quote(user_data.uid, safe='')}"
        if self._reported != (seen.address, seen.mac):
            reply = self._ask("PUT", path, user_data, body=self._device(user_data, seen))
            if reply.ok:
                self._reported = (seen.address, seen.mac)
            return reply, "report of the address"
        self._beats += 1
        if self._beats % _CONFIG_EVERY == 1:
            reply = self._ask("GET", f"{path}/config", user_data)
            if reply.ok:
                self._journal.note(clusters=list(reply.body.get("clusterUids") or []) or None)
        health = {"agentVersion": self._version(), "message": self._wrong, "state": "healthy"}
        return self._ask("PATCH", f"{path}/health", user_data, body=health), "heartbeat"

    def _version(self) -> str:
        return (self._host.agent_mode and self._root and installed.version(self._root)) or VERSION

    def _register(self, user_data: UserData, seen: Seen) -> Reply:
        headers = {"EdgeHostToken": user_data.token} if user_data.token else {}
        body = self._device(user_data, seen)
        reply = self._client.call("POST", "/v1/edgehosts/register", source=user_data.uid, headers=headers, body=body)
        if not reply.ok:
            return reply
        status = reply.body.get("status")
        token = str(status.get("serviceAuthToken") or "") if isinstance(status, dict) else ""
        if not token:
            return Reply(status=502, body={"message": "the reply bears no service token"})
        self._memory = Memory(**self._claim(user_data), service_token=token)
        write_json(self._directory / "agent.json", asdict(self._memory))
        self._reported, self._beats = (seen.address, seen.mac), 0
        return reply

    def _ask(self, method: str, path: str, user_data: UserData, *, body: object = None) -> Reply:
        headers = {"ServiceToken": self._memory.service_token}
        reply = self._client.call(method, path, source=user_data.uid, headers=headers, body=body)
        if reply.status in (401, 403, 404):
            # The host was deleted in Palette, or the controller began anew: register again at the next step.
            self._memory = Memory()
        return reply

    def _claim(self, user_data: UserData) -> dict[str, str]:
        digest = hashlib.sha256(user_data.token.encode()).hexdigest()[:16]
        return {"uid": user_data.uid, "registered_with": digest}

    def _device(self, user_data: UserData, seen: Seen) -> dict[str, Any]:
        """The EdgeHostDevice that describes this host."""
        nic = {"nicName": NIC, "macAddr": seen.mac, "isDefault": True}
        address = ""
        if seen.address:
            interface = IPv4Interface(seen.address)
            address = str(interface.ip)
            nic |= {"ip": address, "subnet": str(interface.netmask)}
        nic |= {"gateway": seen.gateway} if seen.gateway else {}
        nic |= {"dns": list(user_data.nameservers)} if user_data.nameservers else {}
        host: dict[str, Any] = {"hostUid": user_data.uid, "hostAddress": address, "macAddress": seen.mac}
        host |= {"project": dict(user_data.project)} if user_data.project else {}
        host |= {"disableAutoRegister": True} if user_data.disable_auto_register else {}
        host |= {"hostPairingKey": self._host.pairing_key} if self._host.pairing_key else {}
        return {
            "metadata": {"uid": user_data.uid, "name": user_data.uid, "labels": dict(user_data.tags)},
            "spec": {"device": {**_machine(), "nics": [nic]}, "host": host, "type": "edge-native"},
        }

    def _retry(self, state: str, words: str, *, at_least: float | None = None) -> float:
        """Wait longer after each failure in a row, but never so long that a person gives up."""
        wait = min(_FIRST_RETRY * 2**self._failures, self._pace.longest_retry)
        self._failures = min(self._failures + 1, 10)
        return self._says(state, words, again=max(wait * random.uniform(0.8, 1.2), at_least or 0.0))

    def _says(self, state: str, words: str, *, again: float) -> float:
        self._journal.note(agent=state, agent_says=words)
        if self._host.agent_mode and self._woke_in and self._root and (words != self._logged or state == "refused"):
            self._logged = words
            installed.log(self._root, words)
        return again


@cache
def _machine() -> dict[str, Any]:
    """The parts of a host's description that it shares with the machine it runs on."""
    return {
        "archType": "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64",
        "hostType": "appliance",
        "cpu": {"cores": cpu_count() or 1},
        "memory": {"sizeInMB": sysconf("SC_PAGE_SIZE") * sysconf("SC_PHYS_PAGES") // (1 << 20)},
        "os": {"family": "debian", "version": "12", "kernel": "linux", "kernelVersion": platform.release()},
    }


def _plain(merged: Mapping[str, Any]) -> dict[str, Any]:
    """The merged user-data in a form that JSON holds: YAML has dates and keys that are no strings."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value if isinstance(value, str | int | float | bool) or value is None else str(value)

    return {str(key): plain(value) for key, value in merged.items()}
