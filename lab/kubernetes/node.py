"""One host as the place of a node: what runs on it, what it remembers, and what is written to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from lab.hosts import rootfs
from lab.hosts.enter import Guest, GuestError
from lab.hosts.wanted import change_wanted, read_wanted
from lab.instance.state import read_json, write_json
from lab.kubernetes.node_root import RELEASES
from lab.kubernetes.plan import HostView, Membership

# What of a host's root belongs to a cluster: it goes when the host is reset.
CLUSTER_PATHS = (
    "etc/kubernetes",
    "etc/cni/net.d",
    "etc/containerd/config.toml",
    "etc/keepalived/keepalived.conf",
    "etc/lab-node/api",
    "etc/lab-node/routes",
    "etc/lab-node/kubeadm.yaml",
    "etc/ssh/authorized_keys.d/kairos",
    "etc/systemd/timesyncd.conf.d/60-cluster.conf",
    "etc/systemd/system/multi-user.target.wants/containerd.service",
    "etc/systemd/system/multi-user.target.wants/keepalived.service",
    "etc/systemd/system/multi-user.target.wants/kubelet.service",
    "etc/systemd/system/multi-user.target.wants/k3s.service",
    "etc/systemd/system/k3s.service",
    "etc/default/kubelet",
    "etc/rancher",
    "usr/bin/k3s",
    "usr/bin/kubeadm",
    "usr/bin/kubectl",
    "usr/bin/kubelet",
    "var/lib/cni",
    "var/lib/etcd",
    "var/lib/kubelet",
    "var/lib/rancher",
    "var/log/containers",
    "var/log/pods",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NodeHost:
    """A booted host of the lab; ``uid`` is that of its Edge host, ``node`` the name of its node."""

    def __init__(
        self,
        *,
        name: str,
        directory: Path,
        uid: Callable[[], str],
        guest: Callable[[], Guest | None],
        address: Callable[[], str],
    ) -> None:
        self.name, self.directory = name, directory
        self._uid, self._guest, self._address = uid, guest, address
        self._root = directory / "root"
        self._lock = threading.Lock()

    @property
    def uid(self) -> str:
        """The Edge host's UID, as its user-data says."""
        return self._uid()

    @property
    def up(self) -> bool:
        """Whether commands can be run in it, and it is not about to be reset."""
        wanted = read_wanted(self.directory).resets
        return self._guest() is not None and int(read_json(self.directory / "reset.json").get("done") or 0) == wanted

    @property
    def address(self) -> str:
        """Its address without the prefix; empty while it has none."""
        return self._address().partition("/")[0]

    @property
    def node(self) -> str:
        """The name that its node has, or would have: that of the host."""
        return (rootfs.present(self._root, "etc/hostname") or self.name).strip().lower().replace("_", "-")

    def view(self) -> HostView:
        """The host for the plan."""
        return HostView(uid=self.uid, up=self.up, node=self.node, address=self.address, membership=self.membership)

    # -- what it remembers

    @property
    def membership(self) -> Membership | None:
        """The cluster that it is in, or on its way into."""
        data = read_json(self.directory / "node.json")
        return Membership(**data) if data else None

    def remember(self, membership: Membership) -> None:
        """Note the cluster that it is in."""
        write_json(self.directory / "node.json", asdict(membership))

    def forget(self) -> None:
        """Have the host reset: at once while it runs, else at its next boot."""
        change_wanted(self.directory, resets=read_wanted(self.directory).resets + 1)
        if self._guest() is None:
            (self.directory / "node.json").unlink(missing_ok=True)

    # -- what is done on it

    def run(
        self, command: Sequence[str], *, timeout: float = 30.0, given: str = "", version: str = "", quiet: bool = False
    ) -> str:
        """What a command prints; with ``version`` the programs of that release come first. Raises GuestError.

        Its output is kept in the host's ``kubernetes.log``, unless it is ``quiet`` as it may hold a secret.
        """
        guest = self._guest()
        if guest is None:
            raise GuestError(f"host {self.name} is not up")
        path = f"{RELEASES}/{version}:{_PATH}" if version else _PATH
        log = None if quiet else self.directory / "kubernetes.log"
        return guest.run(command, timeout=timeout, given=given, environment={"PATH": path}, log=log)

    def shell(self, script: str, *, timeout: float = 30.0, version: str = "") -> str:
        """As `run`, for a script."""
        return self.run(["sh", "-euc", script], timeout=timeout, version=version)

    def put(self, path: str, text: str, *, mode: int = 0o644) -> bool:
        """Write a file of its root; returns whether it was different. Raises OSError."""
        with self._lock:
            return rootfs.put(self._root, path, text, mode=mode)

    def text(self, path: str) -> str | None:
        """The text of a file of its root."""
        return rootfs.present(self._root, path)

    def link(self, path: str, target: str) -> None:
        """Make ``path`` a link to ``target``."""
        self.run(["ln", "-sfn", target, f"/{path}"])

    def wait_until_up(self, within: float, *, after: Callable[[], bool] = lambda: True) -> None:
        """Wait until it is up and ``after`` holds. Raises GuestError."""
        deadline = time.monotonic() + within
        while not (after() and self.up):
            if time.monotonic() > deadline:
                raise GuestError(f"host {self.name} was not up again within {within:.0f} s")
            time.sleep(0.2)

    def reset(self, *, within: float = 60.0) -> None:
        """Take away what the cluster left on it, and wait until it is up again. Raises GuestError."""
        self.forget()
        self.wait_until_up(within)

    def reboot(self, *, within: float = 60.0) -> None:
        """Reboot it and wait until it is up again. Raises GuestError."""
        before = self.run(["cat", "/proc/sys/kernel/random/boot_id"])
        change_wanted(self.directory, reboots=read_wanted(self.directory).reboots + 1)

        def again() -> bool:
            try:
                return self.run(["cat", "/proc/sys/kernel/random/boot_id"], timeout=5.0, quiet=True) != before
            except GuestError:
                return False

        self.wait_until_up(within, after=again)
