"""The steps of a plan, carried out on the hosts with kubeadm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab.hosts.enter import GuestError
from lab.instance.state import read_json, write_json
from lab.kubernetes import kubeadm, room
from lab.kubernetes.desired import Desired, Member
from lab.kubernetes.distribution import Distribution
from lab.kubernetes.kubectl import ApiError, DrainOptions, Kubectl
from lab.kubernetes.node import NodeHost
from lab.kubernetes.plan import Membership, NodeView, Step, os_image, settings, target

_READY_WITHIN = 120.0


class StepError(Exception):
    """A step cannot be done; the text says why, in one line."""


@dataclass
class Known:
    """What the lab remembers of a cluster, in ``state.json`` of its folder."""

    folder: Path
    formed: bool = False
    complete: bool = False
    version: str = ""
    endpoint: str = ""
    port: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Known:
        """As it was left; the folder is made when it is not there."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder=folder, **read_json(folder / "state.json"))

    def keep(self, **facts: Any) -> None:
        """Change it and write it down."""
        for name, value in facts.items():
            setattr(self, name, value)
        facts = {name: value for name, value in vars(self).items() if name != "folder"}
        write_json(self.folder / "state.json", facts)

    def number(self, desired: Desired) -> None:
        """Give each member a number of its own, which it keeps as long as it is one."""
        wanted = [member.uid for member in desired.members]
        numbers = {uid: number for uid, number in self.numbers.items() if uid in wanted}
        free = (number for number in range(254) if number not in numbers.values())
        numbers |= {uid: next(free) for uid in wanted if uid not in numbers}
        if numbers != self.numbers:
            self.keep(numbers=numbers)


class Steps:
    """Carries out steps of one cluster. ``do`` may take minutes; it raises StepError, and can always be begun anew."""

    def __init__(
        self,
        *,
        known: Known,
        releases: Path,
        hosts: Callable[[], dict[str, NodeHost]],
        kubectl: Callable[[str], Kubectl],
        distribution: Distribution,
    ) -> None:
        self._known, self._releases, self._hosts, self._kubectl = known, releases, hosts, kubectl
        self._distribution = distribution

    def do(self, step: Step, desired: Desired) -> None:
        """Carry out a step. Raises StepError."""
        try:
            {
                "reset": self._reset,
                "init": self._init,
                "join": self._join,
                "forget": self._forget,
                "leave": self._leave,
                "maintain": self._maintain,
                "upgrade": self._upgrade,
                "adjust": self._adjust,
            }[step.kind](step, desired)
        except (GuestError, ApiError) as error:
            raise StepError(f"{described(step)}: {error}") from error
        except OSError as error:
            raise StepError(f"{described(step)}: {error.strerror or error}: {error.filename}") from error

    def kubectl(self) -> Kubectl:
        """kubectl of the version that the cluster has."""
        return self._kubectl(self._known.version)

    def cluster(self, desired: Desired) -> kubeadm.Cluster:
        """What kubeadm's steps need to know."""
        addresses = kubeadm.Addresses(self._known.endpoint, **_subnets(desired))
        return kubeadm.Cluster(
            desired, self._known.folder, self._releases, addresses, dict(self._known.numbers), self._hosts()
        )

    # -- the steps

    def _reset(self, step: Step, _desired: Desired) -> None:
        _together(lambda uid: self._hosts()[uid].reset(), step.hosts)

    def _init(self, step: Step, desired: Desired) -> None:
        version, (uid,) = target(desired), step.hosts
        host, member = self._hosts()[uid], _member(desired, uid)
        self._room(control_planes=1, workers=0)
        self._known.keep(version=version, endpoint=desired.vip or host.address)
        membership = self._begin(desired, host, member, version)
        cluster = self.cluster(desired)
        self._distribution.prepare(cluster, host, member, version)
        self._distribution.init(cluster, host, member, version)
        host.remember(replace(membership, joined=True))
        self._known.keep(formed=True)

    def _join(self, step: Step, desired: Desired) -> None:
        members = [_member(desired, uid) for uid in step.hosts]
        planes = sum(member.control_plane for member in members)
        self._room(control_planes=planes, workers=len(members) - planes)
        version, kubectl = self._known.version, self.kubectl()
        token = self._distribution.bootstrap_token(kubectl)
        cluster = self.cluster(desired)

        def one(uid: str) -> None:
            host, member = self._hosts()[uid], _member(desired, uid)
            membership = self._begin(desired, host, member, version)
            self._distribution.prepare(cluster, host, member, version)
            self._distribution.join(cluster, host, member, version, token)
            host.remember(replace(membership, joined=True))

        _together(one, step.hosts)
        self._connect(desired)
        for member in members:
            self._settled(self._hosts()[member.uid], member, version)

    def _forget(self, step: Step, desired: Desired) -> None:
        self._out_of_etcd(step.node, desired)
        self.kubectl().forget(step.node)

    def _leave(self, step: Step, desired: Desired) -> None:
        host, kubectl = self._hosts()[step.hosts[0]], self.kubectl()
        membership = host.membership
        if membership is None:
            return
        if membership.control_plane and self._distribution.IN_PODS and host.up:
            # One that is dead is no hindrance to its own removal: the plan has seen that the others are a majority.
            kubectl.etcd_healthy(self._plane(desired, besides=step.node))
        node = kubectl.nodes().get(step.node)
        if host.up and node is not None and node.ready:
            self._drain(step.node, desired)
            if membership.control_plane:
                # The API server ends before its VIP goes: who watches it is cut off at once, and asks the next one.
                ended = "systemctl stop kubelet.service k3s.service || true; pkill -x kube-apiserver || true; sleep 1"
                host.shell(f"{ended}; systemctl stop keepalived.service")
        if membership.control_plane:
            self._out_of_etcd(step.node, desired)
        kubectl.forget(step.node)
        if host.up:
            host.reset()
        else:
            host.forget()
        self._connect(desired)

    def _upgrade(self, step: Step, desired: Desired) -> None:
        version, host, member = target(desired), self._hosts()[step.hosts[0]], _member(desired, step.hosts[0])
        membership, kubectl = host.membership, self.kubectl()
        if membership is None:
            return
        if membership.version != version:
            self._may_become(version)
            if member.control_plane:
                self._planes_well(desired, kubectl, version)
            self._bring_images(version)
        self._drain(membership.node, desired)
        if membership.os_image != os_image(desired):
            host.reboot()
            self._ready(host, membership.version)
        if membership.version != version:
            self._bring_to(host, member, version)
        self._settled(host, member, version)
        host.remember(replace(membership, version=version, os_image=os_image(desired)))

    def _bring_to(self, host: NodeHost, member: Member, version: str) -> None:
        """Bring a node that is drained to the version."""
        first = self._known.version != version
        self._distribution.upgrade(host, member, version, first=first)
        if first:
            self._known.keep(version=version)
        if first and self._distribution.IN_PODS:
            # kube-proxy is replaced on all nodes now; a node that waits for its new one does not hear which pods go.
            # One after the other would take half a minute; at once is as good, as their rules stay where they are.
            pods = ["--namespace=kube-system", "--selector=k8s-app=kube-proxy", "--grace-period=1", "--wait=false"]
            self.kubectl().run(["delete", "pods", *pods])
            rollout = ["rollout", "status", "daemonset/kube-proxy", "--namespace=kube-system", "--timeout=90s"]
            self.kubectl().run(rollout, timeout=100)

    def _maintain(self, step: Step, desired: Desired) -> None:
        if not _member(desired, step.hosts[0]).cordoned:
            self.kubectl().uncordon(step.node)
            return
        # Noted as done only when its pods have left.
        self._drain(step.node, desired)
        self.kubectl().cordon(step.node)

    def _adjust(self, step: Step, desired: Desired) -> None:
        kubectl, hosts = self.kubectl(), self._hosts()
        nodes = kubectl.nodes()
        for uid in step.hosts:
            membership = hosts[uid].membership
            if membership is None or membership.node not in nodes:
                continue
            kubectl.adjust(nodes[membership.node], _member(desired, uid))
            if membership.settings != settings(desired) and hosts[uid].up:
                kubeadm.write_access(desired, hosts[uid])
                hosts[uid].remember(replace(membership, settings=settings(desired)))

    # -- parts

    def _begin(self, desired: Desired, host: NodeHost, member: Member, version: str) -> Membership:
        """Note on the host that it is on its way into the cluster: what is interrupted now is undone by a reset."""
        membership = Membership(
            desired.uid,
            member.control_plane,
            version,
            host.node,
            joined=False,
            os_image=os_image(desired),
            settings=settings(desired),
        )
        host.remember(membership)
        return membership

    def _room(self, *, control_planes: int, workers: int) -> None:
        lacking = room.lacking(self._known.folder, control_planes=control_planes, workers=workers)
        if lacking:
            raise StepError(lacking)

    def _connect(self, desired: Desired) -> None:
        """Tell all nodes the ways to each other's pods."""
        cluster, hosts = self.cluster(desired), self._hosts()
        for uid in self._known.numbers:
            host = hosts.get(uid)
            if host is not None and host.up and host.membership is not None:
                self._distribution.write_network(cluster, host, uid)

    def _settled(self, host: NodeHost, member: Member, version: str) -> None:
        """Wait until the node is ready with this version, and give it its labels and taints. Raises StepError."""
        self.kubectl().adjust(self._ready(host, version), member)

    def _ready(self, host: NodeHost, version: str) -> NodeView:
        """The node, as soon as it is ready with this version since the host's last boot. Raises StepError."""
        deadline, kubectl, words = time.monotonic() + _READY_WITHIN, self.kubectl(), "it is not there"
        boot = host.run(["cat", "/proc/sys/kernel/random/boot_id"]).strip()
        while time.monotonic() < deadline:
            try:
                node = kubectl.nodes().get(host.node)
            except ApiError as error:
                node, words = None, str(error)
            if node is not None:
                words = node.message or "it is not ready"
                same = node.version.split("-")[0] == version.split("-", maxsplit=1)[0] and node.boot in ("", boot)
                if node.ready and same:
                    return node
            time.sleep(0.5)
        raise StepError(f"node {host.node} was not ready with {version} within {_READY_WITHIN:.0f} s: {words}")

    def _bring_images(self, version: str) -> None:
        """Have the images on every node before the first one is upgraded: kube-proxy is replaced on all of them at once."""

        def one(uid: str) -> None:
            host = self._hosts()[uid]
            if host.up and host.membership is not None and host.membership.version != version:
                self._distribution.import_images(host, version, control_plane=host.membership.control_plane)

        _together(one, [uid for uid in self._known.numbers if uid in self._hosts()])

    def _may_become(self, version: str) -> None:
        now = self._known.version
        if parts(version) < parts(now):
            raise StepError(f"Kubernetes {version} is older than {now}, which the cluster has: it cannot go back")

    def _planes_well(self, desired: Desired, kubectl: Kubectl, version: str) -> None:
        """Before a control plane is taken away for a while, the others must be able to do without it."""
        planes = [one for one in desired.control_planes if one.uid in self._hosts()]
        if len(planes) > 1 and self._distribution.IN_PODS:
            deadline = time.monotonic() + 60
            while True:
                try:
                    kubectl.etcd_healthy(self._plane(desired))
                    return
                except ApiError as error:
                    if time.monotonic() > deadline:
                        raise StepError(
                            f"the control plane is not ready to be upgraded to {version}: {error}"
                        ) from error
                time.sleep(1)

    def _plane(self, desired: Desired, *, besides: str = "") -> str:
        """A control plane's node that is ready, to be asked for etcd."""
        nodes = self.kubectl().nodes()
        for uid, host in self._hosts().items():
            membership = host.membership
            if membership is None or membership.cluster != desired.uid or not membership.control_plane or not uid:
                continue
            node = nodes.get(membership.node)
            if membership.joined and node is not None and node.ready and node.name != besides:
                return node.name
        raise StepError("no other control plane is ready: etcd cannot be asked")

    def _out_of_etcd(self, node: str, desired: Desired) -> None:
        if not self._distribution.IN_PODS:
            return  # it follows the nodes
        try:
            asked = self._plane(desired, besides=node)
        except StepError:
            return  # the only control plane there was
        kubectl = self.kubectl()
        member = kubectl.etcd_members(asked).get(node)
        if member:
            kubectl.etcd(asked, f"member remove {member}")

    def _drain(self, node: str, desired: Desired) -> None:
        kubectl = self.kubectl()
        if self._distribution.IN_PODS:
            kubectl.wait_for_controllers()
        kubectl.drain(node, self._drain_options(desired))

    def _drain_options(self, desired: Desired) -> DrainOptions:
        layer = desired.operating_system
        return DrainOptions.from_pack(layer.mapping("pack") if layer else {}, nodes=len(desired.members))


def described(step: Step) -> str:
    """A step in words."""
    words = {
        "reset": "resetting",
        "init": "forming the control plane on",
        "join": "joining",
        "forget": "forgetting node",
        "leave": "removing",
        "maintain": "cordoning or uncordoning",
        "upgrade": "upgrading",
        "adjust": "labelling",
        "layers": "applying the layers",
    }
    return " ".join([words[step.kind], ", ".join(step.hosts) or step.node]).strip()


def parts(version: str) -> tuple[int, ...]:
    """A version for comparison."""
    return tuple(
        int(part) for part in version.split("-", maxsplit=1)[0].split("+", maxsplit=1)[0].split(".") if part.isdigit()
    )


def _member(desired: Desired, uid: str) -> Member:
    member = desired.member(uid)
    if member is None:
        raise StepError(f"host {uid} is no member any more")
    return member


def _subnets(desired: Desired) -> dict[str, str]:
    given = kubeadm.own_configuration(desired).get("networking")
    networking = given if isinstance(given, dict) else {}
    names = {"pods": "podSubnet", "services": "serviceSubnet"}
    return {name: str(networking[key]) for name, key in names.items() if networking.get(key)}


def _together(work: Callable[[str], None], hosts: Iterable[str]) -> None:
    """Do it on all hosts at once. The first that failed is what is told, after all have ended."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        done = [pool.submit(work, uid) for uid in hosts]
    for one in done:
        one.result()
