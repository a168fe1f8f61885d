"""One cluster's keeper: looks at it, tells Palette what it sees, and does the next step, until it is as wanted.

It is what the agents of the cluster's hosts do together. All that it knows is on disk or in the cluster, so that a
keeper that was ended at any moment goes on from there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.kubernetes import proxy
from lab.kubernetes.desired import KUBERNETES_PACKS, Desired
from lab.kubernetes.distribution import of
from lab.kubernetes.kubectl import ApiError, Kubectl
from lab.kubernetes.layers import Layers
from lab.kubernetes.node import NodeHost
from lab.kubernetes.plan import MAINTAINED, HostView, Seen, Step, next_step, target, unready
from lab.kubernetes.provider import Delivery
from lab.kubernetes.steps import Known, StepError, Steps, described

_LOG = logging.getLogger(__name__)
_PAUSE = 0.7
_AGAIN_FIRST, _AGAIN_MOST = 3.0, 60.0
# So many times in a row a step may fail before the cluster is said to be in error; it is tried on all the same.
_PATIENCE = 3


@dataclass
class _Trouble:
    """The step that fails at present."""

    words: str = ""
    times: int = 0
    again: float = 0.0


@dataclass(frozen=True)
class Surroundings:
    """What keepers share: the provider's delivery, the hosts by UID, their network, and where reports go."""

    delivery: Delivery
    hosts: Callable[[], dict[str, NodeHost]]
    netns: Path
    report: Callable[[str, dict[str, Any]], None]


@dataclass
class Keeper:
    """The keeper of one cluster, with a thread of its own; ``folder`` is where it keeps the cluster's keys."""

    desired: Desired
    folder: Path
    around: Surroundings
    _trouble: _Trouble = field(default_factory=_Trouble)

    def __post_init__(self) -> None:
        self._known = Known.read(self.folder)
        self._layers = Layers(self.folder, self.around.delivery.helm)
        self._steps = Steps(
            known=self._known,
            releases=self._releases,
            hosts=self.around.hosts,
            kubectl=self._kubectl,
            distribution=of(self.around.delivery.distribution),
        )
        self._proxy = proxy.Proxy(self.around.netns)
        self._ended = threading.Event()
        self._said: dict[str, Any] = {}
        self._doing: tuple[Step, Future[None]] | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"step-{self.desired.name}")
        self._thread = threading.Thread(target=self._run, name=f"cluster-{self.desired.name}", daemon=True)
        self._thread.start()

    @property
    def _releases(self) -> Path:
        return self.around.delivery.directory or Path("/nonexistent")

    def end(self) -> None:
        """Stop keeping; a step that is being done ends with its host."""
        self._ended.set()
        self._proxy.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._turn()
            except Exception:  # noqa: BLE001
                # A bug met by one cluster must not end the care for it, nor the supervisor.
                _LOG.exception("cluster %s", self.desired.name)
                self._ended.wait(_AGAIN_FIRST)
            self._ended.wait(_PAUSE)

    def _turn(self) -> None:
        desired = self.desired
        self._known.number(desired)
        seen = self._look(desired)
        self._finish()
        blocked = self._blocked(desired)
        self._tell(desired, seen, blocked)
        if self._doing is not None or blocked or time.monotonic() < self._trouble.again:
            return
        step = next_step(desired, seen)
        if step is not None:
            if step.kind != "layers":
                _LOG.info("cluster %s: %s%s", desired.name, described(step), f" ({step.why})" if step.why else "")
            self._doing = (step, self._worker.submit(self._work, step, desired))

    def _work(self, step: Step, desired: Desired) -> None:
        if step.kind == "layers":
            self._layers.work(desired, self._steps.kubectl())
        else:
            self._steps.do(step, desired)

    def _finish(self) -> None:
        """Take note of a step that has ended."""
        if self._doing is None or not self._doing[1].done():
            return
        (step, future), self._doing = self._doing, None
        error = future.exception()
        if error is None:
            self._trouble = _Trouble()
            return
        if not isinstance(error, StepError):
            _LOG.error("cluster %s: %s", self.desired.name, described(step), exc_info=error)
        times = self._trouble.times + 1
        again = time.monotonic() + min(_AGAIN_FIRST * 2 ** (times - 1), _AGAIN_MOST)
        words = str(error) if isinstance(error, StepError) else f"{described(step)}: {type(error).__name__}: {error}"
        _LOG.warning("cluster %s: %s", self.desired.name, words)
        self._trouble = _Trouble(words, times, again)

    # -- looking

    def _kubectl(self, version: str) -> Kubectl:
        return Kubectl(
            binary=self._releases / version / "kubectl",
            netns=self.around.netns,
            kubeconfig=self.folder / "admin.conf",
            home=self.folder,
        )

    def _look(self, desired: Desired) -> Seen:
        hosts = self.around.hosts()
        views = {uid: host.view() for uid, host in hosts.items() if self._concerns(desired, uid, host)}
        nodes = None
        if self._known.formed and not desired.deleting:
            try:
                nodes = self._steps.kubectl().nodes()
            except ApiError as error:
                _LOG.debug("cluster %s: %s", desired.name, error)
        if not desired.deleting:
            self._layers.base(desired, basics=self._basics(desired, views, nodes is not None))
        due = nodes is not None and self._layers.due(desired)
        return Seen(formed=self._known.formed, version=self._known.version, nodes=nodes, hosts=views, layers_due=due)

    @staticmethod
    def _concerns(desired: Desired, uid: str, host: NodeHost) -> bool:
        membership = host.membership
        return desired.member(uid) is not None or (membership is not None and membership.cluster == desired.uid)

    def _basics(self, desired: Desired, views: Mapping[str, HostView], answers: bool) -> dict[str, tuple[bool, str]]:
        """Whether the layers below the add-ons are there, and what they wait for."""
        joined = [one.membership for one in views.values() if one.membership and one.membership.joined]
        behind = [one.node for one in joined if one.version != target(desired)]
        formed = self._known.formed and bool(joined)
        words = f"not yet {target(desired)}: {', '.join(sorted(behind))}" if behind else ""
        return {
            "os": (formed, ""),
            "k8s": (formed and not behind, words),
            "cni": (formed and (answers or self._known.complete), ""),
            "csi": (formed, ""),
        }

    def _blocked(self, desired: Desired) -> str:
        """Why the cluster cannot be as it is wanted, whatever is tried; empty when it can."""
        layer, delivery = desired.kubernetes, self.around.delivery
        if desired.deleting:
            return ""
        if layer is None:
            return "no attached profile has a Kubernetes layer"
        have = f"this lab has {', '.join(delivery.versions)} ({delivery.provider})"
        if KUBERNETES_PACKS.get(layer.name) != delivery.distribution:
            return f"the lab does not form Kubernetes from the pack {layer.name}; {have}"
        if layer.version not in delivery.versions:
            return f"Kubernetes {layer.version} of the pack {layer.name} is not there; {have}"
        return ""

    # -- telling

    def _tell(self, desired: Desired, seen: Seen, blocked: str) -> None:
        if desired.deleting:
            left = [uid for uid, one in seen.hosts.items() if one.membership and one.membership.cluster == desired.uid]
            state = "Deleting" if left or self._doing else "Deleted"
            self.around.report(desired.uid, {"formedBy": "kubernetes", "state": state, "revision": desired.revision})
            return
        waiting = unready(desired, seen)
        if seen.nodes is not None and not waiting and not self._known.complete:
            self._known.keep(complete=True)
        failed = bool(blocked) or self._trouble.times >= _PATIENCE
        begun = seen.formed or any(one.membership for one in seen.hosts.values())
        state = "Running" if self._known.complete else "Provisioning" if begun else "Pending"
        health = "Unknown" if not self._known.complete else "UnHealthy" if waiting or seen.nodes is None else "Healthy"
        self.around.report(
            desired.uid,
            {
                "formedBy": "kubernetes",
                "revision": desired.revision,
                "state": "Error" if failed else state,
                "health": health,
                "kubernetesVersion": self._known.version if seen.formed else "",
                "conditions": self._conditions(desired, seen, blocked),
                "packs": self._layers.conditions(desired),
                "machines": {one.uid: self._machine(desired, seen, one.uid) for one in desired.members},
                "gone": [] if self._doing else self._gone(desired),
                "kubeconfig": self._kubeconfig(),
            },
        )

    def _conditions(self, desired: Desired, seen: Seen, blocked: str) -> list[dict[str, str]]:
        away = [one.uid for one in desired.members if one.uid not in seen.hosts or not seen.hosts[one.uid].up]
        found = [_condition("EdgeHostsReady", not away, f"Waiting for Edge hosts: {', '.join(away)}")]
        if self._known.complete:
            words = "no API server answers" if seen.nodes is None else self._ill(seen)
            found.append(_condition("NodesReady", not words, words))
        trouble = blocked or self._trouble.words or self._layers.error(desired)
        found.append(_condition("AsDefined", not trouble, trouble))
        return found

    @staticmethod
    def _ill(seen: Seen) -> str:
        return "; ".join(
            f"node {one.name} is not ready: {one.message}" for one in (seen.nodes or {}).values() if not one.ready
        )

    def _machine(self, desired: Desired, seen: Seen, uid: str) -> dict[str, Any]:
        host = seen.hosts.get(uid)
        membership = host.membership if host and host.membership and host.membership.cluster == desired.uid else None
        node = (seen.nodes or {}).get(membership.node) if membership else None
        if membership is None:
            state = "Pending"
        elif not membership.joined:
            state = "Provisioning"
        else:
            # A node that is away for a while is still a machine of the cluster.
            state = "Running" if (node and node.ready) or self._known.complete else "Provisioned"
        ready = bool(node and node.ready)
        words = node.message if node else "no such node" if membership and membership.joined else "not joined yet"
        cordoned = node is not None and node.unschedulable and MAINTAINED in node.annotations
        conditions = [_condition("Ready", ready, words)]
        return {"state": state, "ready": ready, "cordoned": cordoned, "conditions": conditions}

    def _gone(self, desired: Desired) -> list[str]:
        """Hosts that are free of this cluster."""
        hosts = self.around.hosts()
        return [
            uid
            for uid, host in hosts.items()
            if desired.member(uid) is None and not ((one := host.membership) and one.cluster == desired.uid)
        ]

    def _kubeconfig(self) -> dict[str, str]:
        conf = self.folder / "admin.conf"
        if not self._known.formed or not conf.is_file():
            return {}
        port = self._proxy.open(self._known.endpoint, self._known.port)
        if port != self._known.port:
            self._known.keep(port=port)
        text = conf.read_text()
        return {"admin": text, "proxy": proxy.proxied(text, port)}


def _condition(kind: str, well: bool, words: str) -> dict[str, str]:
    return {"type": kind, "status": "True" if well else "False", "reason": "", "message": "" if well else words}
