# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site whose cluster is a real Kubernetes: described in its file, formed by the playbooks, looked at with kubectl."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from ansible_collections.palette.edge.tests.lab.site_lab import REPOSITORY, Lab, Run, host, until
from lab.kubernetes.provider import Delivery

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2mWkNOdkZ0bXBsZS1rZXktb2YtdGhlLXN0b3Jlcw operator@example.com"
NAME = "the-shop"
VIP = "10.42.0.10"
PORT = 30080
# Forming and upgrading take their time on a machine that does other things too.
PATIENT = {"cluster_wait_timeout": 420, "registration_wait_timeout": 120}


@dataclass
class Shop:
    """The site ``the-shop`` with its hosts shop-1 to shop-6, of which the pools say which are used."""

    lab: Lab
    delivery: Delivery
    planes: list[int] = field(default_factory=lambda: [1, 2, 3])
    workers: list[int] = field(default_factory=lambda: [4])
    version: str = "1.0.0"
    greeting: str = "hello"
    profiles: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def inventory(self) -> Path:
        """The inventory source whose sites folder holds the site."""
        return self.lab.folder / "inventory" / "shop.sites.yml"

    def up(self) -> None:
        """Boot the hosts."""
        hosts = [host("shop", number, "10.42.0") for number in range(1, 7)]
        self.lab.up(hosts, "--kubernetes", "built")
        (self.inventory.parent / "sites").mkdir(parents=True)
        self.inventory.write_text("plugin: palette.edge.sites\npath: sites\n")

    def describe(self) -> None:
        """Write the site's file."""
        site = {
            "name": NAME,
            "project": "Default",
            "management_mode": "central",
            "palette_endpoint": self.lab.info["url"].partition("://")[2],
            "registration": {"token": NAME, "expires_in_days": 90},
            "host_defaults": {
                "architecture": "amd64",
                "backend": {"type": "bare_metal"},
                "nic": "host0",
                "gateway": "10.42.0.1",
            },
            "hosts": [
                {
                    "name": f"shop-{number}",
                    "id": f"edge-shop-{number}",
                    "address": f"10.42.0.1{number}/24",
                    "initial_address": f"10.42.0.10{number}",
                }
                for number in range(1, 7)
            ],
            "profiles": [
                {"name": "edge-store", "version": self.version, "variables": {"greeting": self.greeting}},
                *self.profiles,
            ],
            "cluster": {
                "vip": VIP,
                "ntp_servers": ["pool.ntp.org"],
                "ssh_keys": [KEY],
                "node_pools": [
                    {
                        "name": "control-plane-pool",
                        "control_plane": True,
                        "control_plane_as_worker": True,
                        "hosts": [f"shop-{number}" for number in self.planes],
                    },
                    *(
                        [
                            {
                                "name": "worker-pool",
                                "additional_labels": {"role": "checkout"},
                                "taints": [{"key": "till", "value": "yes", "effect": "PreferNoSchedule"}],
                                "hosts": [f"shop-{number}" for number in self.workers],
                            }
                        ]
                        if self.workers
                        else []
                    ),
                ],
            },
        }
        (self.inventory.parent / "sites" / "shop.yml").write_text(yaml.safe_dump(site, sort_keys=False))

    def apply(self, *arguments: str, playbook: str = "palette.edge.form", **extra: Any) -> Run:
        """Write the site's file and run a playbook on it, with the lab's profiles."""
        self.describe()
        profiles = ["-e", f"@{REPOSITORY / 'lab/examples/kubernetes.yml'}"]
        return self.lab.play(
            *profiles,
            *arguments,
            playbook=playbook,
            limit=NAME.replace("-", "_"),
            inventory=self.inventory,
            extra={**PATIENT, **extra},
            within=600,
        )

    def model(self, profile: dict[str, Any]) -> None:
        """Have this cluster profile."""
        self.lab.ansible("ansible", "localhost", "-m", "palette.edge.cluster_profile", "-a", json.dumps(profile))

    def good(self, run: Run) -> Run:
        """The run, which must have gone well."""
        assert run.code == 0, run.tell()
        return run

    # -- the cluster ------------------------------------------------------------------------------------------------

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig as the collection fetched it."""
        return self.lab.folder / "kubeconfig"

    def fetch_kubeconfig(self) -> str:
        """Have the collection fetch it, for use from this machine; returns what Ansible said."""
        arguments = f"name={NAME} kubeconfig_path={self.kubeconfig} kubeconfig_type=proxy"
        return self.lab.ansible("ansible", "localhost", "-m", "palette.edge.cluster_info", "-a", arguments)

    def kubectl(self, *arguments: str) -> str:
        """What kubectl prints on this machine."""
        assert self.delivery.directory is not None
        binary = self.delivery.directory / self.delivery.versions[-1] / "kubectl"
        command = [str(binary), "--kubeconfig", str(self.kubeconfig), "--request-timeout=10s", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={"HOME": str(self.lab.folder)}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answers(self) -> bool:
        """Whether an API server answers."""
        try:
            return bool(self.kubectl("get", "--raw", "/healthz"))
        except AssertionError:
            return False

    def get(self, *arguments: str) -> Any:
        """An object or a list, as data."""
        return json.loads(self.kubectl("get", *arguments, "--output=json"))

    def nodes(self) -> dict[str, bool]:
        """Whether each node is ready, by the number of its host."""
        return {item["metadata"]["name"].rpartition("-")[2]: ready(item) for item in self.get("nodes")["items"]}

    def versions(self) -> set[str]:
        """The versions of all kubelets."""
        return {item["status"]["nodeInfo"]["kubeletVersion"] for item in self.get("nodes")["items"]}

    def etcd(self) -> set[str]:
        """The names of etcd's members, all of which must be well."""
        keys = "/etc/kubernetes/pki/etcd"
        command = f"etcdctl --cacert={keys}/ca.crt --cert={keys}/peer.crt --key={keys}/peer.key"
        pods = self.get("pods", "--namespace=kube-system", "--selector=component=etcd")["items"]
        pod = next(item["metadata"]["name"] for item in pods)
        inside = ["exec", "--namespace=kube-system", pod, "--", *command.split()]
        self.kubectl(*inside, "endpoint", "health", "--cluster")
        members = json.loads(self.kubectl(*inside, "member", "list", "--write-out=json"))["members"]
        return {member["name"] for member in members}

    def etcd_whole(self, *names: str) -> bool:
        """Whether etcd answers, and has these members."""
        try:
            return self.etcd() == set(names)
        except (AssertionError, subprocess.TimeoutExpired):
            return False

    def fetch(self, address: str, *, within: float = 5.0) -> str:
        """What the add-on answers on a host's port; inside the lab's network."""
        done = subprocess.run(
            [
                "nsenter",
                f"--net=/run/netns/{self.lab.name}",
                "curl",
                "-s",
                "-m",
                str(within),
                f"http://{address}:{PORT}/",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def cluster(self) -> dict[str, Any]:
        """The cluster as Palette shows it."""
        return next(one for one in self.lab.search("spectroclusters") if one["metadata"]["name"] == NAME)

    def timed(self, name: str, condition: Callable[[], Any], *, within: float = 120.0) -> None:
        """Wait until something holds, and note how long that took."""
        began = time.monotonic()
        until(condition, within, name)
        self.seconds[name] = time.monotonic() - began


class Client:
    """Asks the add-on on each of the hosts in turn, ten times a second, until the block ends."""

    def __init__(self, lab: Lab, addresses: list[str]) -> None:
        self.answered = 0
        self.lost: list[str] = []
        self._tally = lab.folder / "requests"
        script = REPOSITORY / "scripts" / "lib" / "demo_client.py"
        enter = ["nsenter", f"--net=/run/netns/{lab.name}"]
        self._command = [*enter, sys.executable, str(script), str(self._tally), str(PORT), *addresses]

    def __enter__(self) -> Client:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)
        told = json.loads(self._tally.read_text())
        self.answered, self.lost = told["answered"], told["lost"]


def ready(node: dict[str, Any]) -> bool:
    """Whether the node's condition Ready is true."""
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])
