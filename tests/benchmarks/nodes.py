# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the lab's hosts take from bare to nodes that are ready, and what each of them uses.

``python3.11 -m tests.benchmarks.nodes [CONTROL_PLANES+WORKERS ...]``, as root; default 1+0 1+2 3+0 3+2. The controller's
place is taken by a stand-in that wants one cluster of all hosts, so that nothing but the lab's own work is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.hosts import cgroups
from lab.instance import processes
from lab.instance.state import Instance, read_json

_ROOT = Path(__file__).resolve().parents[2]
_WITHIN = 600.0
_DEFAULT = ("1+0", "1+2", "3+0", "3+2")


@dataclass
class Wanted:
    """The one cluster that is wanted, and what was said of it last."""

    planes: int
    workers: int
    version: str
    report: dict[str, Any] = field(default_factory=dict)
    begun: bool = False

    def answer(self) -> dict[str, Any]:
        """What the controller would say."""
        if not self.begun:
            return {"items": []}
        pools = [
            {"name": "planes", "controlPlane": True, "asWorker": True, "hosts": _uids(0, self.planes)},
            {"name": "workers", "controlPlane": False, "hosts": _uids(self.planes, self.workers)},
        ]
        network = {"controlPlaneEndpoint": {"type": "VIP", "host": "10.42.0.10"}}
        layers = [{"profileUid": "p", "name": "edge-k8s", "layer": "k8s", "type": "spectro", "version": self.version}]
        one = {"uid": "c1", "name": "bench", "revision": 1, "deleting": False, "network": network}
        return {"items": [{**one, "pools": pools, "layers": layers}]}


def _uids(first: int, count: int) -> list[dict[str, str]]:
    return [{"uid": f"edge-n{number}"} for number in range(first, first + count)]


class _Handler(BaseHTTPRequestHandler):
    """Answers the supervisor; the agents are refused, which they bear."""

    wanted: Wanted

    def do_GET(self) -> None:
        """The cluster that is wanted."""
        self._reply(200 if self.path == "/lab/v1/clusters" else 404, self.wanted.answer())

    def do_PUT(self) -> None:
        """What the keeper reports."""
        self.wanted.report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._reply(200, {})

    def do_POST(self) -> None:
        """An agent that registers."""
        self._reply(404, {})

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def measure(planes: int, workers: int, folder: Path) -> dict[str, float]:
    """Seconds and MiB of one cluster from bare hosts."""
    name = f"bench-{planes}-{workers}"
    instance = Instance(folder / name, name)
    hosts = [f"  - {{name: n{n}, id: edge-n{n}, address: 10.42.0.{11 + n}/24}}" for n in range(planes + workers)]
    (folder / f"{name}.yml").write_text("network: {bridge: [10.42.0.1/24]}\nhosts:\n" + "\n".join(hosts) + "\n")
    common = ["--state", str(instance.state), "--name", name]
    try:
        began = time.monotonic()
        _lab("up", *common, "--config", str(folder / f"{name}.yml"), "--no-tls", "--kubernetes", "built")
        booted = time.monotonic() - began
        port = int(read_json(instance.lab_json)["port"])
        processes.end(processes.find_all(instance, "controller"), within=5)
        versions = read_json(instance.config_json)["kubernetes"]["versions"]
        wanted = Wanted(planes, workers, versions[0])
        handler = type("Handler", (_Handler,), {"wanted": wanted})
        with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            begun = time.monotonic()
            wanted.begun = True
            _wait(wanted, instance)
            formed = time.monotonic() - begun
            server.shutdown()
        used = [_memory(name, f"n{number}") for number in range(planes + workers)]
    finally:
        _lab("down", *common, "--purge")
    return {
        "boot": booted,
        "form": formed,
        "plane": sum(used[:planes]) / planes,
        "worker": sum(used[planes:]) / workers if workers else 0.0,
    }


def _wait(wanted: Wanted, instance: Instance) -> None:
    deadline = time.monotonic() + _WITHIN
    while (wanted.report.get("state"), wanted.report.get("health")) != ("Running", "Healthy"):
        if time.monotonic() > deadline or wanted.report.get("state") == "Error":
            raise SystemExit(f"not formed: {wanted.report}\n{processes.log_tail(instance, 'hosts')}")
        time.sleep(0.1)


def _memory(name: str, host: str) -> float:
    """MiB that the processes of a host have of their own, without the page cache."""
    for group in cgroups.existing(name, host):
        if (group / "memory.stat").is_file():
            facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            return int(facts.get("total_rss", facts.get("anon", "0"))) / (1 << 20)
    return 0.0


def _lab(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def main(shapes: list[str]) -> None:
    """Measure each shape and print a table."""
    # The first of a fresh machine would measure the building of what is kept afterwards.
    print(
        f"{'planes+workers':<16}{'boot s':>8}{'form s':>8}{'all s':>8}{'ratio':>8}{'MiB plane':>11}{'MiB worker':>12}"
    )
    first = 0.0
    with tempfile.TemporaryDirectory(prefix="nodes-") as folder:
        for shape in shapes:
            planes, _plus, workers = shape.partition("+")
            found = measure(int(planes), int(workers or 0), Path(folder))
            whole = found["boot"] + found["form"]
            first = first or whole
            worker = f"{found['worker']:.0f}" if found["worker"] else "-"
            print(
                f"{shape:<16}{found['boot']:>8.1f}{found['form']:>8.1f}{whole:>8.1f}{whole / first:>8.2f}"
                f"{found['plane']:>11.0f}{worker:>12}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:] or list(_DEFAULT))
