"""What Palette wants of a cluster, as its controller tells the hosts' agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

# Kubernetes packs, and what forms them on the hosts.
KUBERNETES_PACKS = {"edge-k8s": "kubeadm", "edge-k3s": "k3s"}


@dataclass(frozen=True)
class Layer:
    """A pack of an attached profile, with its values as they apply to this cluster."""

    profile_uid: str
    name: str
    layer: str
    type: str
    version: str
    values: str = ""
    manifests: tuple[str, ...] = ()

    def setting(self, *path: str) -> Any:
        """A value of the pack's values by its path; None where there is none, or the values are no mapping."""
        try:
            value = yaml.safe_load(self.values)
        except yaml.YAMLError:
            return None
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def mapping(self, *path: str) -> dict[str, Any]:
        """As `setting`, where a mapping is expected; empty where there is none."""
        found = self.setting(*path)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Member:
    """A host of the cluster: what pool it is in, and what its node shall bear."""

    uid: str
    pool: str
    control_plane: bool
    works: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[tuple[str, str, str], ...] = ()  # key, value, effect
    cordoned: bool = False


@dataclass(frozen=True)
class Desired:
    """A cluster as it shall be. ``vip`` is empty where the definition has none."""

    uid: str
    name: str
    revision: int
    deleting: bool
    members: tuple[Member, ...]
    layers: tuple[Layer, ...]
    vip: str = ""
    ssh_keys: tuple[str, ...] = ()
    ntp_servers: tuple[str, ...] = ()

    @property
    def control_planes(self) -> tuple[Member, ...]:
        """The members that are control planes, in the order of their pool."""
        return tuple(member for member in self.members if member.control_plane)

    @property
    def kubernetes(self) -> Layer | None:
        """The layer that names the Kubernetes."""
        return next((layer for layer in self.layers if layer.layer == "k8s"), None)

    @property
    def operating_system(self) -> Layer | None:
        """The layer of the operating system, which says how nodes are drained."""
        return next((layer for layer in self.layers if layer.layer == "os"), None)

    def member(self, uid: str) -> Member | None:
        """The member on the host of this UID."""
        return next((member for member in self.members if member.uid == uid), None)


def understand(item: Mapping[str, Any]) -> Desired:
    """One item of ``GET /lab/v1/clusters``."""
    network = item.get("network") or {}
    endpoint = network.get("controlPlaneEndpoint") or {}
    return Desired(
        uid=str(item["uid"]),
        name=str(item["name"]),
        revision=int(item.get("revision") or 0),
        deleting=bool(item.get("deleting")),
        members=tuple(_member(pool, host) for pool in item.get("pools") or [] for host in pool.get("hosts") or []),
        layers=tuple(_layer(layer) for layer in item.get("layers") or []),
        vip=str(endpoint.get("host") or ""),
        ssh_keys=tuple(str(key) for key in network.get("sshKeys") or []),
        ntp_servers=tuple(str(server) for server in network.get("ntpServers") or []),
    )


def _member(pool: Mapping[str, Any], host: Mapping[str, Any]) -> Member:
    control_plane = bool(pool.get("controlPlane"))
    return Member(
        uid=str(host["uid"]),
        pool=str(pool["name"]),
        control_plane=control_plane,
        works=not control_plane or bool(pool.get("asWorker")),
        cordoned=bool(host.get("cordoned")),
        labels={str(key): str(value) for key, value in (pool.get("labels") or {}).items()},
        annotations={str(key): str(value) for key, value in (pool.get("annotations") or {}).items()},
        taints=tuple(
            (str(taint.get("key") or ""), str(taint.get("value") or ""), str(taint.get("effect") or "NoSchedule"))
            for taint in pool.get("taints") or []
        ),
    )


def _layer(layer: Mapping[str, Any]) -> Layer:
    return Layer(
        profile_uid=str(layer.get("profileUid") or ""),
        name=str(layer.get("name") or ""),
        layer=str(layer.get("layer") or "addon"),
        type=str(layer.get("type") or ""),
        version=str(layer.get("version") or ""),
        values=str(layer.get("values") or ""),
        manifests=tuple(str(one.get("content") or "") for one in layer.get("manifests") or []),
    )
