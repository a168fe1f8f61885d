"""What forms the clusters of a lab: the provider that was asked for, or the first that this machine can have."""

from __future__ import annotations

from collections.abc import Callable

from lab.hosts import cgroups
from lab.instance import processes
from lab.instance.state import Instance, LabError, read_json
from lab.kubernetes import room
from lab.kubernetes.desired import KUBERNETES_PACKS
from lab.kubernetes.provider import Delivery, ProviderError, deliver

AUTO, NONE = "auto", "none"
# kubelet counts and limits pods with these; where version 2 of control groups has them all, the lab has not been tried.
_NEEDED = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "blkio"}


def choose(instance: Instance, wish: str | None, *, booted: int, say: Callable[[str], None]) -> Delivery:
    """What forms the clusters: as asked, as before, or the first that can be had; says which. Raises LabError.

    Hosts that run keep what they were started with. Without ``booted`` hosts clusters are states only.
    """
    before = read_json(instance.instance_json).get("kubernetes")
    if processes.running(instance, "hosts") is not None:
        if wish not in (None, before):
            raise LabError(f"the hosts run with --kubernetes {before}: 'down' first, then 'up --kubernetes {wish}'")
        return delivered(instance)
    asked = wish or str(before or AUTO)
    if not booted:
        return Delivery.nothing("no host is booted")
    unable = "" if asked == NONE else lacking(instance, booted=booted)
    if unable and asked != AUTO:
        raise LabError(f"--kubernetes {asked}: {unable}")
    try:
        found = Delivery.nothing(unable) if unable else deliver(asked, say=say)
    except ProviderError as error:
        raise LabError(str(error)) from error
    say(f"kubernetes: {found.says}")
    return found


def delivered(instance: Instance) -> Delivery:
    """What the hosts of the lab were started with."""
    return Delivery.from_data(read_json(instance.config_json).get("kubernetes") or {})


def lacking(instance: Instance, *, booted: int) -> str:
    """Why this machine cannot have a real Kubernetes, in one line; empty when it can."""
    without = sorted(_NEEDED - cgroups.controllers())
    if without:
        return f"control groups of version 1 are needed, and these controllers are not mounted: {', '.join(without)}"
    # What a lab needs at the least; which hosts become control planes is not known yet.
    return room.lacking(instance.state, control_planes=1, workers=booted - 1)


def for_controller(delivery: Delivery) -> list[str]:
    """The controller's arguments: the Kubernetes pack and its versions."""
    if delivery.directory is None:
        return []
    pack = next(name for name, distribution in KUBERNETES_PACKS.items() if distribution == delivery.distribution)
    return ["--kubernetes", f"{pack}={','.join(delivery.versions)}"]
