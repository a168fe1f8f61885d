"""``python -m lab.controller``: serve a lab's API, or fill it with hosts that are not there."""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from . import catalogue, hosts, tls
from .app import Application
from .core import Context, Lab, Options
from .store import Store

PROJECTS = ("Default", "Lab B")


def open_lab(folder: Path, options: Options, *, clock: Callable[[], float] = time.time) -> Lab:
    """The lab of this folder: keys and projects are made at first use and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder / "controller.db")
    for name in ("api_key", "read_only_key", "lab_key"):
        if store.setting(name) is None:
            store.set(name, secrets.token_hex(20))
    keys = {name: store.setting(name) for name in ("api_key", "read_only_key", "lab_key")}
    lab = Lab(store, options, **keys, clock=clock)
    if store.setting("tenant") is None:
        store.set("user", lab.uid())
        for name in PROJECTS:
            uid = lab.uid()
            metadata = {"uid": uid, "name": name, "creationTimestamp": lab.now()}
            store.put("project", uid, {"metadata": metadata, "spec": {}, "status": {}}, name=name)
        store.set("tenant", lab.uid())
    store.excuse(lab.clock())
    return lab


def publish(folder: Path, values: dict[str, Any]) -> None:
    """Merges what others need to know into lab.json, readable by its owner alone."""
    path = folder / "lab.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    tls.write(path, json.dumps({**known, **values}, indent=2).encode(), mode=0o600)


def serve(arguments: argparse.Namespace) -> None:
    """Serves until it is told to end."""
    folder: Path = arguments.state
    options = Options(
        seed=arguments.seed,
        form_seconds=arguments.form_seconds,
        heartbeat_timeout=arguments.heartbeat_timeout,
        rate_limits=arguments.rate_limits,
        retry_after=arguments.retry_after,
        open_pairing=arguments.open_pairing,
        kubernetes=arguments.kubernetes,
    )
    lab = open_lab(folder, options)
    # With the protocol named, asyncio turns Nagle's delay off: 1 ms a request instead of 45.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", arguments.port))
    port = listener.getsockname()[1]
    certificate = None
    if arguments.tls:
        tls.make(folder)
        certificate = str(folder / "server.pem")
    publish(
        folder,
        {
            "url": f"{'https' if arguments.tls else 'http'}://127.0.0.1:{port}",
            "port": port,
            "api_key": lab.api_key,
            "read_only_key": lab.read_only_key,
            "lab_key": lab.lab_key,
            "ca": str(folder / "ca.pem") if arguments.tls else "",
            "seed": options.seed,
            "pid": os.getpid(),
        },
    )
    config = uvicorn.Config(
        Application(lab),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        ssl_certfile=certificate,
    )
    uvicorn.Server(config).run(sockets=[listener])


def fill(lab: Lab, count: int) -> None:
    """Puts hosts that are not there into the state, for measuring what many hosts cost: the same for the same seed."""
    project = next(one["metadata"]["uid"] for one in lab.store.all("project", name="Default"))
    chance = random.Random(lab.options.seed)
    context = Context(lab, "", "", project, {}, {}, None, {})
    with lab.store.transaction():
        for number in range(count):
            uid = f"edge-{number:06d}"
            site = f"store-{number // 10:04d}"
            labels = {"site": site, "region": chance.choice(["north", "south", "east", "west"])}
            if chance.random() < 0.8:
                labels["rack"] = chance.choice("abcd")
            address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            nic = {"nicName": "eth0", "ip": address, "subnet": "255.255.255.0", "isDefault": True}
            device = {
                "archType": chance.choice(["amd64", "amd64", "amd64", "arm64"]),
                "hostType": "appliance",
                "cpu": {"cores": chance.choice([4, 8, 16])},
                "memory": {"sizeInMB": chance.choice([8192, 16384])},
                "os": {"family": "ubuntu", "version": "22.04"},
                "nics": [nic],
            }
            host = hosts.new_host(context, uid, name=uid, labels=labels, project=project, device=device)
            mac = "02:00:00:" + ":".join(f"{number >> shift & 255:02x}" for shift in (16, 8, 0))
            host["spec"]["host"] |= {
                "hostAddress": address,
                "macAddress": mac,
            }
            health = {"state": chance.choice(["healthy"] * 9 + ["unhealthy"]), "agentVersion": "4.8.21"}
            host["status"] |= {"state": "ready", "health": health}
            lab.store.put("host", uid, host, project=project, name=uid)


def _kubernetes(text: str) -> dict[str, tuple[str, ...]]:
    try:
        return catalogue.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m lab.controller", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "seed"], default="serve")
    parser.add_argument("--state", type=Path, required=True, help="folder of the lab's state")
    parser.add_argument("--port", type=int, default=0, help="port on loopback, 0 for any free one")
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same UIDs")
    parser.add_argument("--form-seconds", type=float, default=2.0, help="time that a cluster takes to form")
    parser.add_argument("--heartbeat-timeout", type=float, default=5.0, help="silence after which a host is unhealthy")
    parser.add_argument("--rate-limits", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--retry-after", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--open-pairing", action="store_true", help="a registered host pairs without a token")
    parser.add_argument(
        "--kubernetes",
        type=_kubernetes,
        default={},
        metavar="PACK=VERSION,VERSION",
        help="clusters are formed by others who report, of this Kubernetes pack (default: clusters are states only)",
    )
    parser.add_argument("--hosts", type=int, default=1000, help="how many hosts seed makes")
    arguments = parser.parse_args()
    if arguments.command == "serve":
        serve(arguments)
    else:
        fill(open_lab(arguments.state, Options(seed=arguments.seed)), arguments.hosts)


if __name__ == "__main__":
    main()
