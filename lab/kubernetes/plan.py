"""What is to be done next to a cluster, from what is wanted and what is seen. Nothing here touches a host.

One step at a time, so that a cluster that is interrupted anywhere goes on from what is there:

1. a cluster that is being deleted: every host is reset;
2. a host on which a step was not finished is reset, and begins anew;
3. the control plane is formed on its first host, then the others join: control planes one by one, workers together;
4. what left for good is forgotten, a control plane only when the others can do without it;
5. nodes are taken out of service and back as the user says, then get the version, control planes first, each drained
   before; labels and taints follow;
6. the layers above Kubernetes are applied in their order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.kubernetes.desired import Desired, Member

# On a node that was drained by the lab: one that somebody else cordoned stays cordoned.
DRAINED = "palette-edge-lab/drained"
# On a node that the user took out of service.
MAINTAINED = "palette-edge-lab/maintained"
TAINTS = ("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane")


@dataclass(frozen=True)
class Membership:
    """What a host remembers of the cluster that it is in; ``joined`` once that step was finished."""

    cluster: str
    control_plane: bool
    version: str
    node: str
    joined: bool = False
    os_image: str = ""
    settings: str = ""


@dataclass(frozen=True)
class HostView:
    """A host as it is: ``up`` when a command can be run in it."""

    uid: str
    up: bool
    node: str = ""
    address: str = ""
    membership: Membership | None = None


@dataclass(frozen=True)
class NodeView:
    """A node as the API server knows it."""

    name: str
    ready: bool
    version: str = ""
    message: str = ""
    boot: str = ""
    unschedulable: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True)
class Seen:
    """A cluster as it is. ``nodes`` is None while no API server answers; ``version`` is the control plane's."""

    formed: bool
    version: str = ""
    nodes: Mapping[str, NodeView] | None = None
    hosts: Mapping[str, HostView] = field(default_factory=dict)
    layers_due: bool = False


@dataclass(frozen=True)
class Step:
    """One thing to do: reset, init, join, forget, leave, maintain, upgrade, adjust or layers; ``hosts`` are UIDs."""

    kind: str
    hosts: tuple[str, ...] = ()
    node: str = ""
    why: str = ""


def next_step(desired: Desired, seen: Seen) -> Step | None:
    """The next step, or None when there is nothing to do, or nothing that can be done now."""
    ours = {uid: host for uid, host in seen.hosts.items() if host.membership and host.membership.cluster == desired.uid}
    if desired.deleting:
        left = tuple(uid for uid, host in ours.items() if host.up)
        return Step("reset", left, why="the cluster is deleted") if left else None
    unfinished = tuple(uid for uid, host in ours.items() if host.up and host.membership and not host.membership.joined)
    if unfinished:
        return Step("reset", unfinished, why="a step on it was interrupted")
    if not seen.formed:
        first = next((one.uid for one in desired.control_planes if seen.hosts.get(one.uid, _AWAY).up), None)
        return Step("init", (first,)) if first else None
    if seen.nodes is None:
        return None
    return (
        _forget(seen, ours)
        or _join(desired, seen, ours)
        or _leave(desired, seen, ours)
        or _maintain(desired, seen, ours)
        or _upgrade(desired, seen, ours)
        or _adjust(desired, seen, ours)
        or (Step("layers") if seen.layers_due else None)
    )


_AWAY = HostView(uid="", up=False)


def target(desired: Desired) -> str:
    """The version that the profile names; empty when it names none."""
    return desired.kubernetes.version if desired.kubernetes else ""


def os_image(desired: Desired) -> str:
    """The image of the operating system that the profile names: another one is a reboot of each node."""
    layer = desired.operating_system
    value = (layer.mapping("options") if layer else {}).get("system.uri")
    return "" if value is None else str(value)


def settings(desired: Desired) -> str:
    """Changes with what the cluster's definition says of all its hosts: SSH keys and time servers."""
    whole = json.dumps([desired.ssh_keys, desired.ntp_servers])
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def _forget(seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    """A node whose host was reset, or left while it was away, is only a name in the API by now."""
    known = {host.membership.node for host in ours.values() if host.membership}
    for name in seen.nodes or {}:
        if name not in known:
            return Step("forget", node=name, why="its host is no longer a node of this cluster")
    return None


def _join(desired: Desired, seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    waiting = [
        one
        for one in desired.members
        if one.uid not in ours and (host := seen.hosts.get(one.uid)) is not None and host.up and host.membership is None
    ]
    # etcd takes one new member at a time; workers do not wait for each other.
    planes = [one.uid for one in waiting if one.control_plane][:1]
    workers = [one.uid for one in waiting if not one.control_plane]
    return Step("join", (*planes, *workers)) if planes or workers else None


def _leave(desired: Desired, seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    """One host that is a member no longer; a control plane only when enough others are well."""
    leaving = [host for uid, host in ours.items() if desired.member(uid) is None and host.membership]
    for host in sorted(leaving, key=lambda one: bool(one.membership and one.membership.control_plane)):
        if host.membership is None or not host.membership.control_plane:
            return Step("leave", (host.uid,), node=host.membership.node if host.membership else "")
        others = [
            one for one in ours.values() if one.uid != host.uid and one.membership and one.membership.control_plane
        ]
        well = [one for one in others if _ready(seen, one)]
        if all(one.uid in ours for one in desired.control_planes) and len(well) > len(others) // 2:
            return Step("leave", (host.uid,), node=host.membership.node)
    return None


def _maintain(desired: Desired, seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    """A node that the user takes out of service, or back."""
    for member in desired.members:
        membership = _membership(ours, member.uid)
        node = (seen.nodes or {}).get(membership.node) if membership else None
        if node is None:
            continue
        ours_to_take_back = MAINTAINED in node.annotations
        if (not node.unschedulable or not ours_to_take_back) if member.cordoned else ours_to_take_back:
            return Step("maintain", (member.uid,), node=node.name)
    return None


def _upgrade(desired: Desired, seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    """The next node with another version or image than the profile's; while a node is not well, none."""
    version, image = target(desired), os_image(desired)
    members = sorted(desired.members, key=lambda one: not one.control_plane)
    behind = [
        one
        for one in members
        if (membership := _membership(ours, one.uid))
        and (membership.version != version or membership.os_image != image)
    ]
    if not behind or not version:
        return None
    unwell = [one.uid for one in members if one.uid in ours and not _ready(seen, ours[one.uid])]
    chosen = behind[0]
    # One that fell ill on the way is the one to go on with.
    if [uid for uid in unwell if uid != chosen.uid] or not ours[chosen.uid].up:
        return None
    return Step("upgrade", (chosen.uid,), node=ours[chosen.uid].node)


def _adjust(desired: Desired, seen: Seen, ours: Mapping[str, HostView]) -> Step | None:
    different = []
    for member in desired.members:
        membership = _membership(ours, member.uid)
        node = (seen.nodes or {}).get(membership.node) if membership else None
        stale = membership is not None and membership.settings != settings(desired) and ours[member.uid].up
        if node is not None and (stale or differs(member, node)):
            different.append(member.uid)
    return Step("adjust", tuple(different)) if different else None


def wanted_labels(member: Member) -> dict[str, str]:
    """The labels of the member's node that are the cluster's affair."""
    roles = {} if member.control_plane else {"node-role.kubernetes.io/worker": ""}
    return {**member.labels, **roles, "palette-edge-lab/pool": member.pool}


def wanted_taints(member: Member, node: NodeView) -> frozenset[tuple[str, str, str]]:
    """The taints that the node shall have: the pool's, those that Kubernetes itself sets, and the control plane's own."""
    own = {taint for taint in node.taints if taint[0].startswith("node.kubernetes.io/")}
    if member.control_plane and not member.works:
        present = {taint for taint in node.taints if taint[0] in TAINTS}
        own |= present or {(control_plane_taint(node.version), "", "NoSchedule")}
    return frozenset(own | set(member.taints))


def control_plane_taint(version: str) -> str:
    """The key of the taint that keeps pods away from a control plane, which was renamed with 1.24."""
    numbers = [int(part) for part in version.split("-", maxsplit=1)[0].split(".")[:2] if part.isdigit()]
    return TAINTS[1] if numbers >= [1, 24] else TAINTS[0]


def differs(member: Member, node: NodeView) -> bool:
    """Whether the node's labels, annotations or taints are not those of its pool, or a drain of ours was not ended."""
    labels, notes = wanted_labels(member), member.annotations
    return (
        any(node.labels.get(key) != value for key, value in labels.items())
        or any(node.annotations.get(key) != value for key, value in notes.items())
        or wanted_taints(member, node) != node.taints
        or (node.unschedulable and DRAINED in node.annotations)
    )


def _membership(ours: Mapping[str, HostView], uid: str) -> Membership | None:
    return ours[uid].membership if uid in ours else None


def _ready(seen: Seen, host: HostView) -> bool:
    node = (seen.nodes or {}).get(host.membership.node) if host.membership else None
    return node is not None and node.ready


def unready(desired: Desired, seen: Seen) -> Sequence[str]:
    """UIDs of the members whose node is not ready, or not there."""
    ours = {uid: host for uid, host in seen.hosts.items() if host.membership and host.membership.cluster == desired.uid}
    return [one.uid for one in desired.members if one.uid not in ours or not _ready(seen, ours[one.uid])]
