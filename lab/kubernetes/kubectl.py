"""The cluster's API server, asked with the provider's own kubectl over the hosts' network."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.kubernetes.desired import Member
from lab.kubernetes.plan import DRAINED, MAINTAINED, NodeView, wanted_labels, wanted_taints

# A leader renews its lease every two seconds, and needs a few to know all objects when it is new.
_RENEWED_WITHIN, _LED_FOR = 5.0, 5.0
_KEYS = "/etc/kubernetes/pki/etcd"
_ETCD = f"--cacert={_KEYS}/ca.crt --cert={_KEYS}/peer.crt --key={_KEYS}/peer.key"


class ApiError(Exception):
    """kubectl or Helm failed: the API server's own words, in one line."""


@dataclass(frozen=True)
class DrainOptions:
    """How nodes are drained, as the operating system's pack says; times in seconds, ``grace`` -1 is the pod's own."""

    drain: bool = True
    timeout: float = 120.0
    grace: int = -1
    ignore_daemon_sets: bool = True
    delete_local_data: bool = True
    force: bool = False
    disable_eviction: bool = False
    skip_wait_for_delete: int = 0
    selector: str = ""

    @classmethod
    def from_pack(cls, pack: Mapping[str, Any], *, nodes: int) -> DrainOptions:
        """From ``pack`` of the pack's values: ``drainPods`` (auto: where there are several nodes) and ``drain``."""
        given = pack.get("drain")
        drain: Mapping[str, Any] = given if isinstance(given, dict) else {}
        pods = str(pack.get("drainPods", "auto")).lower()
        return cls(
            drain=nodes > 1 if pods == "auto" else pods == "true",
            timeout=_seconds("timeout", drain.get("timeout", cls.timeout)),
            grace=int(_seconds("gracePeriod", drain.get("gracePeriod", cls.grace))),
            ignore_daemon_sets=bool(drain.get("ignoreDaemonSets", cls.ignore_daemon_sets)),
            delete_local_data=bool(drain.get("deleteLocalData", cls.delete_local_data)),
            force=bool(drain.get("force", cls.force)),
            disable_eviction=bool(drain.get("disableEviction", pack.get("disableEviction", cls.disable_eviction))),
            skip_wait_for_delete=int(
                _seconds("skipWaitForDeleteTimeout", drain.get("skipWaitForDeleteTimeout", cls.skip_wait_for_delete))
            ),
            selector=str(pack.get("podSelector") or ""),
        )

    def arguments(self) -> list[str]:
        """As arguments of ``kubectl drain``."""
        found = [f"--timeout={self.timeout:.0f}s", f"--grace-period={self.grace}"]
        found += [f"--ignore-daemonsets={str(self.ignore_daemon_sets).lower()}"]
        found += [f"--delete-emptydir-data={str(self.delete_local_data).lower()}"]
        found += ["--force"] if self.force else []
        found += ["--disable-eviction"] if self.disable_eviction else []
        found += [f"--skip-wait-for-delete-timeout={self.skip_wait_for_delete}"] if self.skip_wait_for_delete else []
        return [*found, *([f"--pod-selector={self.selector}"] if self.selector else [])]


class Kubectl:
    """``binary`` run in the network namespace ``netns`` with ``kubeconfig``; ``home`` is where it may keep its cache."""

    def __init__(self, *, binary: Path, netns: Path, kubeconfig: Path, home: Path) -> None:
        self._binary, self._netns, self._kubeconfig, self._home = binary, netns, kubeconfig, home

    def run(
        self, arguments: Sequence[str], *, given: str = "", timeout: float = 20.0, program: Path | None = None
    ) -> str:
        """What kubectl (or another ``program`` that takes its kubeconfig) prints. Raises ApiError."""
        command = ["nsenter", f"--net={self._netns}", str(program or self._binary), *arguments]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._home),
            "KUBECONFIG": str(self._kubeconfig),
        }
        try:
            done = subprocess.run(
                command,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                env=environment,
                cwd="/",
            )
        except subprocess.TimeoutExpired:
            raise ApiError(f"the API server did not carry out '{_words(arguments)}' within {timeout:.0f} s") from None
        except OSError as error:
            raise ApiError(f"{program or self._binary} cannot be run: {error.strerror}") from error
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith("W")]
            raise ApiError(" / ".join(lines[-3:]) or f"'{_words(arguments)}' ended with status {done.returncode}")
        return done.stdout

    def data(self, arguments: Sequence[str], *, given: str = "", timeout: float = 10.0) -> dict[str, Any]:
        """What it prints as JSON."""
        text = self.run(
            [*arguments, "--output=json", f"--request-timeout={timeout:.0f}s"], given=given, timeout=timeout + 5
        )
        try:
            found = json.loads(text) if text.strip() else {}
        except ValueError:
            raise ApiError(f"'{_words(arguments)}' did not answer with JSON") from None
        return found if isinstance(found, dict) else {}

    def nodes(self) -> dict[str, NodeView]:
        """The nodes by name. Raises ApiError when no API server answers."""
        return {
            item["metadata"]["name"]: _node(item) for item in self.data(["get", "nodes"], timeout=4.0).get("items", [])
        }

    def version(self) -> str:
        """The version of the API server, without its v."""
        found = self.data(["version"])
        return str((found.get("serverVersion") or {}).get("gitVersion", "")).removeprefix("v")

    def adjust(self, node: NodeView, member: Member) -> None:
        """Give the node the labels, annotations and taints of its pool, and end a drain of ours."""
        notes: dict[str, Any] = dict(member.annotations)
        notes |= {DRAINED: None} if DRAINED in node.annotations else {}
        taints = [
            {"key": key, "effect": effect, **({"value": value} if value else {})}
            for key, value, effect in sorted(wanted_taints(member, node))
        ]
        spec: dict[str, Any] = {"taints": taints or None}
        spec |= {"unschedulable": None} if DRAINED in node.annotations and MAINTAINED not in node.annotations else {}
        change = {"metadata": {"labels": wanted_labels(member), "annotations": notes}, "spec": spec}
        self.run(["patch", "node", node.name, "--type=merge", f"--patch={json.dumps(change)}"])

    def cordon(self, node: str) -> None:
        """Take the node out of service, until the user takes it back."""
        self.run(["annotate", "node", node, "--overwrite", f"{MAINTAINED}=yes"])
        self.run(["cordon", node])

    def uncordon(self, node: str) -> None:
        """Take the node back."""
        change = {"metadata": {"annotations": {MAINTAINED: None, DRAINED: None}}, "spec": {"unschedulable": None}}
        self.run(["patch", "node", node, "--type=merge", f"--patch={json.dumps(change)}"])

    def drain(self, node: str, options: DrainOptions) -> None:
        """Cordon the node and, where the pack says so, move its pods. Raises ApiError when they do not go in time."""
        self.run(["annotate", "node", node, "--overwrite", f"{DRAINED}=yes"])
        self.run(["cordon", node])
        if options.drain:
            # 0 is no limit for kubectl; the lab has one, so that nothing waits for ever.
            self.run(["drain", node, *options.arguments()], timeout=(options.timeout or 600.0) + 30)

    def wait_for_controllers(self, *, within: float = 60.0) -> None:
        """Wait until a controller manager leads, and has done so for a while. Raises ApiError.

        While none does, as after the leader's host was upgraded, nobody takes pods that end out of their services.
        """
        deadline = time.monotonic() + within
        while True:
            lease = self.data(["get", "lease", "kube-controller-manager", "--namespace=kube-system"]).get("spec") or {}
            now = datetime.now(UTC)
            renewed, acquired = (_age(str(lease.get(key) or ""), now) for key in ("renewTime", "acquireTime"))
            if renewed < _RENEWED_WITHIN and acquired > _LED_FOR:
                return
            if time.monotonic() > deadline:
                raise ApiError(f"no controller manager leads: the last one was heard of {renewed:.0f} s ago")
            time.sleep(0.5)

    def forget(self, node: str) -> None:
        """Remove the node's object."""
        self.run(["delete", "node", node, "--ignore-not-found", "--wait=false"])

    # -- etcd, asked in the pod of a control plane that is well

    def etcd(self, node: str, words: str) -> str:
        """What etcdctl says in the etcd of this node."""
        command = f"etcdctl --endpoints=https://127.0.0.1:2379 {_ETCD} {words}"
        return self.run(["exec", "--namespace=kube-system", f"etcd-{node}", "--", *command.split()])

    def etcd_members(self, node: str) -> dict[str, str]:
        """IDs (hexadecimal) of etcd's members by name."""
        found = json.loads(self.etcd(node, "member list --write-out=json"))
        return {str(one.get("name") or ""): f"{int(one['ID']):x}" for one in found.get("members") or []}

    def etcd_healthy(self, node: str) -> None:
        """Raises ApiError unless every member of etcd answers, and none only learns."""
        found = json.loads(self.etcd(node, "member list --write-out=json"))
        learning = [
            str(one.get("name")) for one in found.get("members") or [] if one.get("isLearner") or not one.get("name")
        ]
        if learning:
            raise ApiError(f"etcd: members that are not whole yet: {', '.join(learning)}")
        self.etcd(node, "endpoint health --cluster")


def _age(stamp: str, now: datetime) -> float:
    """Seconds since a time as Kubernetes writes it; without one, for ever."""
    return (now - datetime.fromisoformat(stamp)).total_seconds() if stamp else float("inf")


def _seconds(name: str, value: object) -> float:
    """A number of seconds, also with an s behind it. Raises ApiError."""
    try:
        return float(str(value).removesuffix("s"))
    except ValueError:
        raise ApiError(f"drain.{name} of the operating system's pack: '{value}' is no number of seconds") from None


def _words(arguments: Sequence[str]) -> str:
    return " ".join(["kubectl", *arguments[:3]])


def _node(item: Mapping[str, Any]) -> NodeView:
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    ready: Mapping[str, Any] = next((one for one in status.get("conditions") or [] if one.get("type") == "Ready"), {})
    return NodeView(
        name=metadata["name"],
        ready=ready.get("status") == "True",
        version=str((status.get("nodeInfo") or {}).get("kubeletVersion", "")).removeprefix("v"),
        message=str(ready.get("message") or ""),
        boot=str((status.get("nodeInfo") or {}).get("bootID", "")),
        unschedulable=bool(spec.get("unschedulable")),
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        taints=frozenset(
            (str(one.get("key") or ""), str(one.get("value") or ""), str(one.get("effect") or ""))
            for one in spec.get("taints") or []
        ),
    )
