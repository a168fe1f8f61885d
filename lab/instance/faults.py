"""Faults on request: of a host, through its ``wanted.json``; of the API, through the controller's own switches."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import requests

from lab.hosts.wanted import change_wanted, read_wanted
from lab.instance import processes
from lab.instance.state import Instance, LabError, read_json

HOST_FAULTS = ("cut", "restore", "kill", "reboot", "reset", "lose-heartbeat")


def host_fault(instance: Instance, name: str, fault: str) -> str:
    """Carry out one of HOST_FAULTS on a host; returns what was done, in words."""
    names = [host["name"] for host in read_json(instance.lab_json).get("hosts", [])]
    if name not in names:
        raise LabError(f"the lab in {instance.state} has no host {name} (it has: {', '.join(names) or 'none'})")
    directory = instance.hosts / name
    wanted = read_wanted(directory)
    actions: dict[str, Callable[[], Any]] = {
        "cut": lambda: change_wanted(directory, link=False),
        "kill": lambda: change_wanted(directory, power=False),
        "reboot": lambda: change_wanted(directory, reboots=wanted.reboots + 1),
        "reset": lambda: change_wanted(directory, resets=wanted.resets + 1),
        "lose-heartbeat": lambda: change_wanted(directory, heartbeat=False),
        "restore": lambda: change_wanted(
            directory, power=True, link=True, heartbeat=True, boots=wanted.boots + (0 if wanted.power else 1)
        ),
    }
    actions[fault]()
    words = {
        "cut": "its cable is cut",
        "kill": "killed; 'restore' or 'up' boots it again",
        "reboot": "reboots",
        "reset": "reset: what a cluster left on it is gone, its user-data stays",
        "lose-heartbeat": "its agent is silent",
        "restore": "cable, power and heartbeats as they should be",
    }
    asleep = "" if processes.running(instance, "hosts") else " (as soon as the lab is up)"
    return f"host {name}: {words[fault]}{asleep}"


def kill_controller(instance: Instance) -> str:
    """End the controller without a chance to tidy up."""
    pid = processes.running(instance, "controller")
    if pid is None:
        raise LabError(f"the controller of the lab in {instance.state} does not run")
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone([pid], within=5)
    return f"controller: killed (pid {pid}); 'up' starts it again on the same port"


def api_fault(instance: Instance, body: dict[str, Any]) -> dict[str, Any]:
    """Switch a fault of the API on; returns the controller's description of it."""
    return _ask(instance, "POST", body)


def api_faults(instance: Instance) -> list[dict[str, Any]]:
    """The faults of the API that are switched on."""
    data = _ask(instance, "GET")
    return list(data.get("faults") or data.get("items") or [])


def clear(instance: Instance) -> list[str]:
    """Switch every fault off, of the API and of the hosts; returns what was done, in words."""
    done = []
    if processes.running(instance, "controller"):
        _ask(instance, "DELETE")
        done.append("api: no faults")
    for host in read_json(instance.lab_json).get("hosts", []):
        wanted = read_wanted(instance.hosts / host["name"])
        if not (wanted.power and wanted.link and wanted.heartbeat):
            done.append(host_fault(instance, host["name"], "restore"))
    return done


def host_faults(instance: Instance) -> list[str]:
    """The faults of hosts that are in force, in words."""
    found = []
    for host in read_json(instance.lab_json).get("hosts", []):
        wanted = read_wanted(instance.hosts / host["name"])
        for wrong, words in (
            (not wanted.power, "killed"),
            (not wanted.link, "cut"),
            (not wanted.heartbeat, "lose-heartbeat"),
        ):
            if wrong:
                found.append(f"host {host['name']}: {words}")
    return found


def _ask(instance: Instance, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    lab = read_json(instance.lab_json)
    if not lab.get("url") or not lab.get("lab_key"):
        raise LabError(f"the lab in {instance.state} has never been up")
    url = f"{lab['url']}/lab/v1/faults"
    with requests.Session() as session:
        session.trust_env = False
        try:
            reply = session.request(
                method, url, json=body, headers={"LabKey": lab["lab_key"]}, verify=str(instance.ca), timeout=10
            )
        except (requests.RequestException, OSError) as error:
            raise LabError(f"the controller at {lab['url']} does not answer ({type(error).__name__}): 'up'?") from error
    if not reply.ok:
        raise LabError(f"{method} {url} was refused: {reply.status_code} {' '.join(reply.text.split())[:300]}")
    data = reply.json() if reply.content else {}
    return data if isinstance(data, dict) else {"items": data}
