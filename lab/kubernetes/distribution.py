"""What a distribution of Kubernetes must be able to do on a host; a module of this package is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lab.kubernetes import k3s, kubeadm

if TYPE_CHECKING:
    from lab.kubernetes.desired import Member
    from lab.kubernetes.kubeadm import Cluster
    from lab.kubernetes.kubectl import Kubectl
    from lab.kubernetes.node import NodeHost


class Distribution(Protocol):
    """The steps that depend on the distribution. They raise GuestError and ApiError, and can be begun anew."""

    @property
    def IN_PODS(self) -> bool:  # noqa: N802
        """Whether etcd and kube-proxy run in pods, where the lab can ask them, and must see to them itself."""

    def prepare(self, cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
        """Make the host ready for its node."""

    def init(self, cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
        """Form the control plane on its first host."""

    def join(self, cluster: Cluster, host: NodeHost, member: Member, version: str, token: str) -> None:
        """Have the host join."""

    def bootstrap_token(self, kubectl: Kubectl) -> str:
        """What hosts join with."""

    def import_images(self, host: NodeHost, version: str, *, control_plane: bool) -> None:
        """Bring the images of a version to the host."""

    def write_network(self, cluster: Cluster, host: NodeHost, uid: str) -> bool:
        """The pods' network on the host; returns whether something changed."""

    def upgrade(self, host: NodeHost, member: Member, version: str, *, first: bool) -> None:
        """Bring the node, which is drained, to the version."""


def of(name: str) -> Distribution:
    """The distribution of this name."""
    return k3s if name == "k3s" else kubeadm
