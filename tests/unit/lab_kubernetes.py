"""Hosts and an API server that only note what is done to them, in one journal, so that its order can be told."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.hosts.enter import GuestError
from lab.kubernetes.desired import Desired, Layer, Member
from lab.kubernetes.kubectl import Kubectl
from lab.kubernetes.plan import HostView, Membership, os_image, settings

V1, V2 = "1.20.2", "1.20.3"
BOOT = "b00t"
Answer = str | Exception | Callable[[], str]


def packs(
    version: str = V1, *, system: str = "options: {system.uri: r/os:1}", kubernetes: str = ""
) -> tuple[Layer, ...]:
    """The layers of the operating system and of Kubernetes."""
    return (
        Layer("p1", "edge-native-byoi", "os", "spectro", "2.1.0", values=system),
        Layer("p1", "edge-k8s", "k8s", "spectro", version, values=kubernetes),
    )


def cluster(*uids: str, layers: tuple[Layer, ...] = (), **more: Any) -> Desired:
    """A cluster of the hosts cp... and w..., by their names."""
    members = tuple(
        Member(uid, "planes" if uid.startswith("cp") else "workers", control_plane=uid.startswith("cp")) for uid in uids
    )
    more = {"vip": "10.0.0.10", **more}
    return Desired("c1", "store", 1, False, members, layers or packs(more.pop("version", V1)), **more)


def membership(desired: Desired, uid: str, **more: Any) -> Membership:
    """What a host remembers that has joined the cluster as it is defined."""
    facts = {
        "cluster": desired.uid,
        "control_plane": uid.startswith("cp"),
        "version": V1,
        "node": uid,
        "joined": True,
        "os_image": os_image(desired),
        "settings": settings(desired),
    }
    return Membership(**{**facts, **more})


@dataclass
class FakeHost:
    """A host on which nothing runs. ``refuses`` has, by the beginning of a command, the words with which it fails."""

    uid: str
    journal: list[str] = field(default_factory=list)
    membership: Membership | None = None
    up: bool = True
    files: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the UID."""
        return self.uid

    @property
    def node(self) -> str:
        """As the UID."""
        return self.uid

    @property
    def address(self) -> str:
        """One of its own, by the last sign of its name."""
        return f"10.0.0.{'1' if self.uid.startswith('cp') else '2'}{self.uid[-1]}"

    def view(self) -> HostView:
        """For the plan."""
        return HostView(self.uid, self.up, node=self.node, address=self.address, membership=self.membership)

    def remember(self, what: Membership) -> None:
        """Noted as on its way, or as a member."""
        self.membership = what
        self.note(f"remember {'joined' if what.joined else 'begun'} {what.version}")

    def forget(self) -> None:
        """Asked to be reset some time."""
        self.note("forget")
        self.membership = None

    def reset(self) -> None:
        """Reset at once."""
        self.note("reset")
        self.membership = None

    def reboot(self) -> None:
        """Rebooted."""
        self.note("reboot")

    def run(
        self, command: Sequence[str], *, timeout: float = 0, given: str = "", version: str = "", quiet: bool = False
    ) -> str:
        """Answers as `says` has it."""
        words = " ".join(command)
        if words == "cat /proc/sys/kernel/random/boot_id":
            return f"{BOOT}\n"
        self.note(words)
        for start, why in self.refuses.items():
            if words.startswith(start):
                raise GuestError(f"{self.name}: {why}")
        return next((text for start, text in self.says.items() if words.startswith(start)), "")

    def shell(self, script: str, *, timeout: float = 0, version: str = "") -> str:
        """As `run`."""
        return self.run([script.strip()])

    def put(self, path: str, text: str, *, mode: int = 0o644) -> bool:
        """Kept in `files`."""
        changed = self.files.get(path) != text
        self.files[path], self.modes[path] = text, mode
        return changed

    def text(self, path: str) -> str | None:
        """A file that was put, or something of its name."""
        return self.files.get(path, f"the {path}")

    def link(self, path: str, target: str) -> None:
        """Noted."""
        self.note(f"link {path} {target}")

    def note(self, words: str) -> None:
        """In the journal, with the name of the host."""
        self.journal.append(f"{self.uid}: {words}")


class FakeKubectl(Kubectl):
    """Answers by the beginning of what is asked; notes what was asked, and what was given on stdin."""

    def __init__(self, journal: list[str] | None = None, **answers: Answer) -> None:
        super().__init__(binary=Path("/k/kubectl"), netns=Path("/n"), kubeconfig=Path("/c"), home=Path("/h"))
        self.journal = journal if journal is not None else []
        self.answers: dict[str, Answer] = dict(answers)
        self.given: list[str] = []

    def wait_for_controllers(self, *, within: float = 60.0) -> None:
        """There is always one that leads."""

    def run(self, arguments: Sequence[str], *, given: str = "", timeout: float = 0, program: Path | None = None) -> str:
        """As the answers say, and nothing where there is none."""
        words = " ".join([program.name if program else "kubectl", *arguments])
        self.journal.append(words)
        self.given.append(given)
        for start, answer in self.answers.items():
            if words.startswith(start):
                if isinstance(answer, Exception):
                    raise answer
                return answer if isinstance(answer, str) else answer()
        return ""

    def asked(self, start: str) -> list[str]:
        """What was asked that begins so."""
        return [words for words in self.journal if words.startswith(start)]


def nodes(*names: str, ill: Collection[str] = (), versions: Mapping[str, str] | None = None) -> str:
    """What ``kubectl get nodes`` says of these; ``ill`` are not ready."""
    known = versions or {}
    return json.dumps({"items": [node(name, ready=name not in ill, version=known.get(name, V1)) for name in names]})


def node(name: str, *, ready: bool = True, version: str = V1, **metadata: Any) -> dict[str, Any]:
    """A node as the API server shows it."""
    status = {"type": "Ready", "status": "True" if ready else "False", "message": "" if ready else "kubelet is silent"}
    return {
        "metadata": {"name": name, **metadata},
        "spec": {},
        "status": {"conditions": [status], "nodeInfo": {"kubeletVersion": f"v{version}", "bootID": BOOT}},
    }


def etcd(*names: str, learner: str = "") -> str:
    """What ``etcdctl member list`` says; IDs are 10, 11, ... as numbers."""
    members = [{"ID": 10 + number, "name": name, "isLearner": name == learner} for number, name in enumerate(names)]
    return json.dumps({"members": members})
