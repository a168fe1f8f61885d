"""The hosts supervisor: one process that boots a lab's hosts and carries all their agents.

It reads ``config.json`` in the state directory, again whenever that changes, so that hosts can be added and taken away
while the others run. Everything else is told to it through each host's ``wanted.json``.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.agent.agent import Agent, Pace
from lab.agent.apply import Lease
from lab.agent.client import Client
from lab.agent.scheduler import Scheduler
from lab.hosts.base import BaseRootError, base_root
from lab.hosts.config import HostConfig, LabConfig
from lab.hosts.guest import Look
from lab.hosts.machine import INSTALLER_MARK, Machine, NodeParts
from lab.hosts.wanted import Journal, WantedFile
from lab.instance.state import Instance, read_json
from lab.kubernetes.fleet import Fleet
from lab.kubernetes.node import CLUSTER_PATHS, NodeHost
from lab.kubernetes.node_root import RELEASES
from lab.kubernetes.provider import Delivery

_LOG = logging.getLogger("lab.hosts")
# Booting is bound by the processor: more at once end no sooner, and the last one's start-up then takes too long.
_BOOTING_AT_ONCE = 4 * (os.cpu_count() or 1)


@dataclass
class _Carried:
    """A host that is being carried."""

    host: HostConfig
    agent: Agent
    machine: Machine | None = None
    thread: threading.Thread | None = None


class Supervisor:
    """Carries the hosts of one lab until it is told to end."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._stopping = threading.Event()
        self._booting = threading.Semaphore(_BOOTING_AT_ONCE)
        self._scheduler = Scheduler()
        self._client = Client(lambda: self._url, instance.ca)
        self._carried: dict[str, _Carried] = {}
        self._url = ""
        self._fleet: Fleet | None = None
        self._stamp: tuple[int, int] | None = None

    def end(self) -> None:
        """Have `run` end: the hosts are powered off."""
        self._stopping.set()

    def run(self) -> None:
        """Carry the hosts until `end` is called. Raises BaseRootError."""
        while not self._stopping.is_set():
            self._reload_when_changed()
            self._stopping.wait(0.3)
        _LOG.info("ending: powering the hosts off")
        if self._fleet is not None:
            self._fleet.end()
        self._scheduler.stop()
        self._join(list(self._carried.values()))

    def _reload_when_changed(self) -> None:
        found = self._instance.config_json.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._stamp:
            return
        data = read_json(self._instance.config_json)
        self._stamp, self._url = stamp, str(data["url"])
        config = LabConfig.from_data(data["lab"])
        wanted = {host.name: host for host in config.hosts}
        gone = [carried for name, carried in self._carried.items() if wanted.get(name) != carried.host]
        for carried in gone:
            self._scheduler.remove(carried.agent)
            if carried.machine is not None:
                carried.machine.stop()
            del self._carried[carried.host.name]
        self._join(gone)
        new = [host for host in config.hosts if host.name not in self._carried]
        delivery = Delivery.from_data(data.get("kubernetes") or {})
        pace = Pace.for_hosts(len(config.hosts))
        for host in new:
            base = _base(host, node=delivery.directory is not None)
            self._carried[host.name] = self._carry(host, config, pace=pace, base=base, data=data)
        if self._fleet is None and delivery.directory is not None:
            self._fleet = self._keep_clusters(delivery)
        _LOG.info("carrying %d hosts, %d of them booted", len(self._carried), sum(host.boot for host in config.hosts))

    def _carry(
        self, host: HostConfig, config: LabConfig, *, pace: Pace, base: Path | None, data: dict[str, Any]
    ) -> _Carried:
        directory = self._instance.hosts / host.name
        kind = "booted" if host.boot else "speak-only"
        journal = Journal(directory, name=host.name, id=host.id, kind=kind, machine=host.machine, state="off")
        lease = Lease(host.address, config.gateway_for(host.address) if host.address else "")
        machine = None
        if base is not None and host.boot:
            machine = Machine(
                instance=self._instance,
                host=host,
                base=base,
                journal=journal,
                booting=self._booting,
                stopping=self._stopping,
                installer_user_data=_installer_layer(host, str(data["endpoint"])),
                authorized_key=str(data["authorized_key"]),
                # What is installed on a plain Linux becomes no node: its root has no container runtime.
                node=None if host.agent_mode else _node_parts(Delivery.from_data(data.get("kubernetes") or {})),
            )
        agent = Agent(
            host=host,
            directory=directory,
            client=self._client,
            journal=journal,
            wanted=machine.wanted.read if machine else WantedFile(directory).read,
            sight=machine.sight if machine else _SpeakOnly(directory, host, lease, journal).sight,
            lease=lease,
            pace=pace,
        )
        thread = None
        if machine is not None:
            thread = threading.Thread(target=machine.run, args=(agent,), name=host.name, daemon=True)
            thread.start()
        # Hosts that only speak are there at once: spread over one heartbeat, they do not all ask at the same moment.
        self._scheduler.add(agent, first=0.2 if machine else random.uniform(0.0, pace.heartbeat))
        return _Carried(host=host, agent=agent, machine=machine, thread=thread)

    def _keep_clusters(self, delivery: Delivery) -> Fleet:
        return Fleet(
            folder=self._instance.state / "clusters",
            delivery=delivery,
            hosts=self._node_hosts,
            netns=self._instance.netns,
            url=lambda: self._url,
            ca=self._instance.ca,
            key=str(read_json(self._instance.lab_json).get("lab_key") or ""),
        )

    def _node_hosts(self) -> dict[str, NodeHost]:
        """The booted hosts by the UIDs of their Edge hosts."""
        found = {}
        for carried in list(self._carried.values()):
            if carried.machine is not None and not carried.host.agent_mode:
                host = _node_host(carried.machine, carried.agent)
                found[host.uid] = host
        return found

    def _join(self, carried: list[_Carried]) -> None:
        for one in carried:
            if one.thread is not None:
                one.thread.join(timeout=15)


def _node_host(machine: Machine, agent: Agent) -> NodeHost:
    return NodeHost(
        name=machine.host.name,
        directory=machine.directory,
        uid=lambda: agent.uid,
        guest=machine.guest,
        address=lambda: seen.address if (seen := machine.sight()) is not None else "",
    )


def _base(host: HostConfig, *, node: bool) -> Path | None:
    """The base root of a host that is booted."""
    if not host.boot:
        return None
    return base_root(_LOG.info, linux=True) if host.agent_mode else base_root(_LOG.info, node=node)


def _node_parts(delivery: Delivery) -> NodeParts | None:
    return NodeParts(delivery.directory, RELEASES, CLUSTER_PATHS) if delivery.directory is not None else None


class _SpeakOnly:
    """What the agent of a host that is not booted sees of it: what lab.yml says, unless a fault was asked for."""

    def __init__(self, directory: Path, host: HostConfig, lease: Lease, journal: Journal) -> None:
        number = sum(ord(letter) * 31**place for place, letter in enumerate(host.id)) % (1 << 40)
        mac = ":".join(f"{part:02x}" for part in (0x02, *number.to_bytes(5, "big")))
        self._up = Look(address=lease.address, gateway=lease.gateway, mac=mac, carrier=True, speaks=True)
        self._wanted, self._journal = WantedFile(directory), journal
        self.sight()

    def sight(self) -> Look | None:
        """The host, or None while it is switched off or cut off."""
        wanted = self._wanted.read()
        state = "killed" if not wanted.power else "cut" if not wanted.link else "speaking"
        self._journal.note(state=state, address=self._up.address or None)
        return self._up if wanted.power and wanted.link else None


def _installer_layer(host: HostConfig, endpoint: str) -> str:
    """The user-data that a medium made by EdgeForge leaves on the host."""
    lines = ["#cloud-config", INSTALLER_MARK, "stylus:", "  site:", f"    name: {host.id}"]
    return "\n".join([*lines, f'    paletteEndpoint: "{endpoint}"']) + "\n"


def main(instance: Instance) -> int:
    """Run the supervisor in this process until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    supervisor = Supervisor(instance)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_given: supervisor.end())
    try:
        supervisor.run()
    except (BaseRootError, OSError, KeyError) as error:
        _LOG.error("the hosts supervisor ends: %s", error)
        return 1
    return 0
