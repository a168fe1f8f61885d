"""A way from this machine to a cluster's API server: what Palette's reverse proxy is to a site behind a firewall."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import yaml


class Proxy:
    """Forwards a port of 127.0.0.1 to port 6443 of an address in the network namespace ``netns``."""

    def __init__(self, netns: Path) -> None:
        self._netns = netns
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def open(self, address: str, port: int = 0) -> int:
        """The port, the same as before where it can be had; begins to listen, or goes on."""
        if self._process is not None and self._process.poll() is None:
            return self._port
        self._port = port if port and _free(port) else _any_port()
        # socat takes a colon for its own unless it is escaped.
        inner = f"nsenter --net={self._netns} socat - TCP:{address}:6443".replace(":", "\\:")
        listen = f"TCP-LISTEN:{self._port},bind=127.0.0.1,reuseaddr,fork"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "socat", listen, f"EXEC:{inner}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        return self._port

    def close(self) -> None:
        """End it, with the connections that it carries."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
        self._process = None


def proxied(admin_conf: str, port: int) -> str:
    """The administrator's kubeconfig with the API server's address replaced by a port of this machine."""
    config = yaml.safe_load(admin_conf)
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{port}"
    return yaml.safe_dump(config)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
