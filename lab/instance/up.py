"""Bringing a lab up: starts whatever is missing, in order, and waits until it answers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests

from lab.agent.agent import Pace
from lab.hosts import cleanup, network, preconditions, registry
from lab.hosts.base import base_root
from lab.hosts.config import LabConfig
from lab.hosts.wanted import change_wanted, read_wanted
from lab.instance import kubernetes, processes
from lab.instance.state import REPOSITORY, Instance, LabError, exclusive, read_json, write_json
from lab.kubernetes.provider import Delivery

_CONTROLLER_WITHIN = 30.0
_HOSTS_WITHIN = 60.0
_SETTLING = 3.0
_ROOM = 1 << 20  # bytes; a host writes about half of that when it boots
_EACH_HOST_WITHIN = 2.0  # more seconds for each host: booting is bound by the processor
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")


class PreconditionsMissing(Exception):
    """This machine cannot boot hosts; ``missing`` says why, a line each."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("; ".join(missing))
        self.missing = missing


@dataclass(frozen=True)
class Options:
    """What `up` was asked for; None means as before, or the default.

    ``port`` 0 is any free one. ``controller`` are further arguments for the controller, by what they are about: each
    is kept until it is given anew, and an empty one means the controller's own default. ``kubernetes`` is what forms
    the clusters, as `lab.kubernetes.provider.deliver` takes it.
    """

    config: LabConfig | None = None
    port: int | None = None
    kubernetes: str | None = None
    controller: Mapping[str, Sequence[str]] = field(default_factory=dict)


def up(instance: Instance, options: Options, say: Callable[[str], None]) -> None:
    """Bring the lab up. Raises LabError, PreconditionsMissing, BaseRootError, NetworkError."""
    if not _NAME.match(instance.name):
        raise LabError(f"--name: '{instance.name}' must be lower case letters, digits and '-', at most 32")
    config = options.config or _config_before(instance) or LabConfig()
    booted = sum(host.boot for host in config.hosts)
    instance.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    _room(instance)
    with exclusive(instance):
        _same_name_as_before(instance)
        if booted:
            _can_boot(instance)
        delivery = kubernetes.choose(instance, options.kubernetes, booted=booted, say=say)
        if booted:
            _ready_for_hosts(instance, config, delivery, say)
        _keys(instance)
        remembered, changed = _remember(instance, config, options, delivery)
        _controller(instance, remembered, changed, say)
        if booted:
            network.create(instance.name, config.bridge)
            say(f"network: namespace {instance.name}, bridge {', '.join(config.bridge)}")
        # Written before the hosts are there, so that a failure can be looked at with the same commands.
        _describe(instance, config)
        _hosts(instance, config, delivery, say)


def _config_before(instance: Instance) -> LabConfig | None:
    data = read_json(instance.config_json).get("lab")
    return LabConfig.from_data(data) if data else None


def _room(instance: Instance) -> None:
    free = shutil.disk_usage(instance.state).free
    if free < _ROOM:
        raise LabError(
            f"the disk that holds {instance.state} is full ({free >> 10} KiB left): make room, then 'up' again"
        )


def _same_name_as_before(instance: Instance) -> None:
    before = read_json(instance.instance_json).get("name")
    if before not in (None, instance.name) and processes.running(replace(instance, name=str(before)), "hosts"):
        raise LabError(f"the lab in {instance.state} is up with the name {before}: take it down first")


def _can_boot(instance: Instance) -> None:
    if processes.running(instance, "hosts") is None:
        lacking = preconditions.missing(instance.state)
        if lacking:
            raise PreconditionsMissing(lacking)


def _ready_for_hosts(instance: Instance, config: LabConfig, delivery: Delivery, say: Callable[[str], None]) -> None:
    nodes = delivery.directory is not None
    booted = sum(host.boot for host in config.hosts)
    if registry.claim(instance, booted=booted, nodes=nodes):
        say(f"fs.inotify.max_user_instances raised for {booted} hosts; 'down' puts it back")
    for linux in sorted({host.agent_mode for host in config.hosts if host.boot}):
        base_root(say, node=nodes and not linux, linux=linux)


def _keys(instance: Instance) -> None:
    if instance.private_key.exists():
        return
    instance.private_key.parent.mkdir(mode=0o700, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"kairos@{instance.name}"]
    try:
        subprocess.run([*command, "-f", str(instance.private_key)], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        # Only hosts that are booted can be logged in to, and for those the preconditions ask for it.
        return
    except subprocess.CalledProcessError as error:
        raise LabError(f"ssh-keygen failed: {' '.join(error.stderr.split())}") from error


def _remember(
    instance: Instance, config: LabConfig, options: Options, delivery: Delivery
) -> tuple[dict[str, Any], bool]:
    """The controller's options, kept for the next `up`, and whether they differ from those of before."""
    before = read_json(instance.instance_json)
    now = {**before, "name": instance.name}
    arguments = {**dict(before.get("controller") or {}), **_suited_to(config, delivery), **options.controller}
    now["kubernetes"] = options.kubernetes or before.get("kubernetes") or kubernetes.AUTO
    now["controller"] = {about: list(given) for about, given in arguments.items()}
    if options.port:
        now["port"] = options.port
    now["port"] = now.get("port") or _free_port()
    if now != before:
        write_json(instance.instance_json, now)
    return now, now != before


def _suited_to(config: LabConfig, delivery: Delivery) -> dict[str, list[str]]:
    """Options that follow from the hosts: those that only speak have no token; many hosts speak less often."""
    pace = Pace.for_hosts(len(config.hosts)).heartbeat
    return {
        "pairing": [] if all(host.boot for host in config.hosts) else ["--open-pairing"],
        "silence": ["--heartbeat-timeout", str(3 * pace)] if pace > 1 else [],
        "kubernetes": kubernetes.for_controller(delivery),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _controller(instance: Instance, remembered: dict[str, Any], changed: bool, say: Callable[[str], None]) -> None:
    arguments = [str(argument) for given in remembered["controller"].values() for argument in given]
    pid = processes.running(instance, "controller")
    if pid is not None and changed:
        processes.end([pid], within=5)
        say("controller: ended, as it is to have other options")
        pid = None
    if pid is None:
        pid = processes.start(instance, "controller", ["--port", str(remembered["port"]), *arguments])
        started = "started"
    else:
        started = "runs already"
    deadline, url = time.monotonic() + _CONTROLLER_WITHIN, _url(remembered)
    while True:
        said = _silence(url, instance.ca)
        if not said:
            say(f"controller: {started}, {url} (pid {pid})")
            return
        if not processes.alive(pid) or time.monotonic() > deadline:
            ended = "ended at once" if not processes.alive(pid) else f"does not answer at {url}: {said}"
            raise LabError(
                f"the controller {ended}; its last words ({instance.log('controller')}):\n"
                f"{processes.log_tail(instance, 'controller')}"
            )
        time.sleep(0.1)


def _url(remembered: dict[str, Any]) -> str:
    scheme = "http" if "--no-tls" in remembered["controller"].get("tls", []) else "https"
    return f"{scheme}://127.0.0.1:{remembered['port']}"


def _silence(url: str, ca: Path) -> str:
    """Why the controller does not answer; empty when it does, whatever the answer."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            session.get(f"{url}/lab/v1/health", verify=str(ca), timeout=2)
        except (requests.RequestException, OSError) as error:
            return type(error).__name__
    return ""


def _describe(instance: Instance, config: LabConfig) -> None:
    """Add to lab.json, which the controller began, what the command line knows of the lab."""
    remembered = read_json(instance.instance_json)
    booted = any(host.boot for host in config.hosts)
    description = {
        **read_json(instance.lab_json),
        "url": _url(remembered),
        "port": remembered["port"],
        "name": instance.name,
        "netns": instance.name if booted else None,
        "speak_only": not booted,
        "ssh": {"user": "kairos", "private_key": str(instance.private_key)} if booted else None,
        "hosts": [
            {"name": host.name, "id": host.id, "address": host.address, "boot": host.boot} for host in config.hosts
        ],
    }
    write_json(instance.lab_json, description)


def _hosts(instance: Instance, config: LabConfig, delivery: Delivery, say: Callable[[str], None]) -> None:
    pid = processes.running(instance, "hosts")
    before = read_json(instance.config_json)
    if not config.hosts and pid is None:
        say("hosts: none (--config names them)")
        return
    public_key = instance.private_key.with_suffix(".pub")
    url = str(read_json(instance.lab_json)["url"])
    wanted = {
        "lab": config.as_data(),
        "url": url,
        "endpoint": url.partition("://")[2],
        "authorized_key": public_key.read_text() if public_key.exists() else "",
        "kubernetes": delivery.as_data(),
    }
    if wanted != before:
        write_json(instance.config_json, wanted)
    if pid is None:
        left = cleanup.hosts(instance) if any(host.boot for host in config.hosts) else []
        if left:
            raise LabError(f"of the hosts before, this is left and would not go: {', '.join(left)}")
    _wake(instance, config)
    if pid is None:
        pid = processes.start(instance, "hosts", [])
        say(f"hosts: supervisor started (pid {pid})")
    _wait_for_hosts(instance, config, pid, say)


def _wake(instance: Instance, config: LabConfig) -> None:
    """Ask for another boot of each host that is switched off, was killed or failed; cut cables stay cut."""
    for host in config.hosts:
        directory = instance.hosts / host.name
        wanted = read_wanted(directory)
        resting = read_json(directory / "status.json").get("state") in ("off", "failed", "killed")
        if not wanted.power or (resting and host.boot):
            change_wanted(directory, power=True, boots=wanted.boots + 1)


def _wait_for_hosts(instance: Instance, config: LabConfig, pid: int, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    limit = _HOSTS_WITHIN + _EACH_HOST_WITHIN * sum(host.boot for host in config.hosts)
    names = {host.name: host.boot for host in config.hosts}
    told: set[str] = set()
    while True:
        states = {name: read_json(instance.hosts / name / "status.json") for name in names}
        for name, status in states.items():
            if name not in told and names[name] and _settled(instance, name, status):
                told.add(name)
                address = f"{status['address']} " if status.get("address") else ""
                say(f"host {name}: {status['state']}, {address}after {time.monotonic() - began:.1f} s")
        waiting = [name for name, status in states.items() if not _settled(instance, name, status)]
        failed = [name for name, status in states.items() if status.get("state") == "failed"]
        if not waiting:
            break
        _room(instance)
        # A host that failed before has a moment to notice that it was asked to try again.
        failed = failed if time.monotonic() - began > _SETTLING else []
        if failed or not processes.alive(pid) or time.monotonic() - began > limit:
            raise LabError(_complaint(instance, states, waiting, pid, limit))
        time.sleep(0.1)
    speaking = sum(not boot for boot in names.values())
    if speaking:
        say(f"hosts: {speaking} that only speak to the controller")
    _probe(instance, {name: str(found["address"]) for name, found in states.items() if found["state"] == "running"})


def _settled(instance: Instance, name: str, status: dict[str, Any]) -> bool:
    """Whether the host has come to where it is wanted to be."""
    state = status.get("state")
    return state in ("running", "speaking") or (state == "cut" and not read_wanted(instance.hosts / name).link)


def _complaint(
    instance: Instance, states: dict[str, dict[str, Any]], waiting: list[str], pid: int, limit: float
) -> str:
    lines = []
    for name in waiting[:5]:
        status = states[name]
        console = instance.hosts / name / "console.log"
        state, says = status.get("state", "unknown"), status.get("says", "no word")
        lines.append(f"host {name}: {state}; {says} (console: {console})")
    lines += [f"and {len(waiting) - 5} more hosts"] if len(waiting) > 5 else []
    ended = f"hosts did not come up within {limit:.0f} s"
    if not processes.alive(pid):
        ended = "the hosts supervisor ended"
    elif any(status.get("state") == "failed" for status in states.values()):
        ended = "hosts cannot be started"
    tail = processes.log_tail(instance, "hosts")
    return "\n".join([ended, *lines, f"last words of the supervisor ({instance.log('hosts')}):", tail])


def _probe(instance: Instance, addresses: dict[str, str]) -> None:
    """Ask each host's SSH server for its greeting, over the hosts' own network."""
    if not addresses:
        return
    plain = [address.split("/")[0] for address in addresses.values()]
    command = ["nsenter", f"--net={instance.netns}", sys.executable, "-m", "lab.hosts.probe", *plain]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    silent = done.stdout.split() if done.returncode in (0, 1) else plain
    if silent:
        names = [name for name, address in addresses.items() if address.split("/")[0] in silent]
        raise LabError(f"no SSH server answers on: {', '.join(names)} {' '.join(done.stderr.split())}".strip())
