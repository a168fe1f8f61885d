"""Steps, carried out: what is done on the hosts and asked of the API server, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import (
    V1,
    V2,
    FakeHost,
    FakeKubectl,
    cluster,
    etcd,
    membership,
    nodes,
    packs,
)
from lab.hosts.enter import GuestError
from lab.instance.state import read_json
from lab.kubernetes import room, steps
from lab.kubernetes.desired import Desired, Member
from lab.kubernetes.kubectl import ApiError, Kubectl
from lab.kubernetes.plan import Step, settings
from lab.kubernetes.steps import Known, StepError, Steps, described, parts


class FakeDistribution:
    """Notes what it is asked to do on which host. ``refuses`` has the words with which a step fails."""

    def __init__(self, *, in_pods: bool = True) -> None:
        self._in_pods = in_pods
        self.refuses: dict[str, str] = {}
        self.connected: list[str] = []

    @property
    def IN_PODS(self) -> bool:
        """As kubeadm, or as k3s."""
        return self._in_pods

    def prepare(self, made: Any, host: Any, member: Member, version: str) -> None:
        """Noted."""
        self._note("prepare", host, version)

    def init(self, made: Any, host: Any, member: Member, version: str) -> None:
        """Noted, with the endpoint."""
        self._note("init", host, made.addresses.endpoint)

    def join(self, made: Any, host: Any, member: Member, version: str, token: str) -> None:
        """Noted, with the token."""
        self._note("join", host, token)

    def bootstrap_token(self, kubectl: Kubectl) -> str:
        """One that is easily found."""
        return "a.token"

    def import_images(self, host: Any, version: str, *, control_plane: bool) -> None:
        """Noted."""
        self._note("images", host, version)

    def write_network(self, made: Any, host: Any, uid: str) -> bool:
        """Remembered."""
        self.connected.append(uid)
        return True

    def upgrade(self, host: Any, member: Member, version: str, *, first: bool) -> None:
        """Noted, with whether it is the first."""
        self._note("upgrade", host, f"{version}{' first' if first else ''}")

    def _note(self, step: str, host: FakeHost, words: str) -> None:
        host.note(f"{step} {words}")
        if step in self.refuses:
            raise GuestError(f"{host.name}: {self.refuses[step]}")


class World:
    """A cluster's steps with hosts, an API server and a distribution that only note."""

    def __init__(self, folder: Path, *uids: str, joined: bool = True, in_pods: bool = True, **more: Any) -> None:
        self.journal: list[str] = []
        self.desired = cluster(*uids, **more)
        bound = {uid: membership(self.desired, uid) if joined else None for uid in uids}
        self.hosts = {uid: FakeHost(uid, self.journal, bound[uid]) for uid in uids}
        self.kubectl = FakeKubectl(self.journal)
        self.versions: dict[str, str] = dict.fromkeys(uids, V1)
        self.ill: set[str] = set()
        planes = [uid for uid in uids if uid.startswith("cp")]
        self.kubectl.answers = {
            "kubectl get nodes": self._nodes,
            "kubectl exec --namespace=kube-system etcd-": etcd(*planes),
        }
        self.known = Known.read(folder)
        self.known.keep(formed=joined, version=V1 if joined else "", endpoint="10.0.0.10")
        self.known.number(self.desired)
        self.distribution = FakeDistribution(in_pods=in_pods)
        self.asked: list[str] = []
        self.steps = Steps(
            known=self.known,
            releases=folder,
            hosts=lambda: self.hosts,  # type: ignore[arg-type,return-value]
            kubectl=self._client,
            distribution=self.distribution,
        )

    def do(self, kind: str, *uids: str, node: str = "", desired: Desired | None = None) -> list[str]:
        """Carries out a step, and returns what was done without looks at the nodes."""
        self.steps.do(Step(kind, uids, node=node), desired or self.desired)
        return self.done()

    def done(self) -> list[str]:
        """What was done, without the looks at the nodes."""
        return [words for words in self.journal if not words.startswith("kubectl get nodes")]

    def place(self, start: str) -> int:
        """Where in the journal something stands that begins so."""
        return next(number for number, words in enumerate(self.done()) if words.startswith(start))

    def _client(self, version: str) -> Kubectl:
        self.asked.append(version)
        return self.kubectl

    def _nodes(self) -> str:
        for words in self.journal:
            host, _colon, rest = words.partition(": ")
            if rest.startswith("upgrade "):
                self.versions[host] = rest.split()[1]
        return nodes(*self.versions, ill=self.ill, versions=self.versions)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time goes on by what is slept, and there is room; returns the sleeps."""
    slept: list[float] = []
    monkeypatch.setattr(steps.time, "sleep", slept.append)
    monkeypatch.setattr(steps.time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(room, "lacking", lambda place, *, control_planes, workers: "")
    return slept


# -- forming


def test_the_first_host_is_noted_before_and_after(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", joined=False)
    assert world.do("init", "cp1") == [
        f"cp1: remember begun {V1}",
        f"cp1: prepare {V1}",
        "cp1: init 10.0.0.10",
        f"cp1: remember joined {V1}",
    ]
    known = read_json(tmp_path / "state.json")
    assert (known["formed"], known["version"], known["endpoint"]) == (True, V1, "10.0.0.10")
    assert world.hosts["cp1"].membership == membership(world.desired, "cp1")


def test_without_a_vip_the_first_host_is_the_endpoint(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", joined=False, vip="")
    assert "cp1: init 10.0.0.11" in world.do("init", "cp1")


@pytest.mark.parametrize("where", ["prepare", "init"])
def test_forming_that_fails_leaves_a_host_that_is_on_its_way(tmp_path: Path, where: str) -> None:
    world = World(tmp_path, "cp1", joined=False)
    world.distribution.refuses[where] = "no more disk"
    with pytest.raises(StepError, match=r"^forming the control plane on cp1: cp1: no more disk$"):
        world.do("init", "cp1")
    bound = world.hosts["cp1"].membership
    assert bound is not None
    assert not bound.joined
    assert not read_json(tmp_path / "state.json")["formed"]


def test_too_little_room_is_refused_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def lacking(place: Path, *, control_planes: int, workers: int) -> str:
        asked.append((control_planes, workers))
        return "too little memory: 1100 MiB are needed, 300 MiB are free"

    monkeypatch.setattr(room, "lacking", lacking)
    world = World(tmp_path, "cp1", "cp2", "w1", joined=False)
    for kind, uids in (("init", ("cp1",)), ("join", ("cp2", "w1"))):
        with pytest.raises(StepError, match="1100 MiB are needed, 300 MiB are free"):
            world.do(kind, *uids)
    assert asked == [(1, 0), (1, 1)]
    assert world.journal == []


# -- joining


def test_hosts_join_with_one_token_and_all_learn_their_routes(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "w1")
    world.hosts["cp2"].membership = world.hosts["w1"].membership = None
    done = world.do("join", "cp2", "w1")
    for uid in ("cp2", "w1"):
        assert [words.removeprefix(f"{uid}: ") for words in done if words.startswith(f"{uid}:")] == [
            f"remember begun {V1}",
            f"prepare {V1}",
            "join a.token",
            f"remember joined {V1}",
        ]
        assert world.place(f"{uid}: remember joined") < world.place(f"kubectl patch node {uid}")
    assert sorted(world.distribution.connected) == ["cp1", "cp2", "w1"]


def test_a_join_that_is_interrupted_is_not_a_joined_one(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1", "w2")
    world.hosts["w1"].membership = world.hosts["w2"].membership = None
    world.distribution.refuses["join"] = "it does not answer"
    with pytest.raises(StepError, match=r"^joining w1, w2: w1: it does not answer$"):
        world.do("join", "w1", "w2")
    assert [host.membership.joined for host in world.hosts.values() if host.membership] == [True, False, False]
    assert world.distribution.connected == []


def test_hosts_that_join_get_the_version_that_the_cluster_has(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1", version=V2)
    world.hosts["w1"].membership = None
    assert f"w1: prepare {V1}" in world.do("join", "w1")
    assert set(world.asked) == {V1}


def test_a_node_that_does_not_become_ready_is_told_with_its_words(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    world.hosts["w1"].membership = None
    world.ill.add("w1")
    with pytest.raises(StepError, match=rf"^node w1 was not ready with {V1} within 120 s: kubelet is silent$"):
        world.do("join", "w1")


def test_a_host_that_is_no_member_any_more_does_not_join(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="host w9 is no member any more"):
        World(tmp_path, "cp1").do("join", "w9")


# -- leaving


def test_a_worker_is_drained_forgotten_and_reset(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1", "w2")
    left = world.do("leave", "w2", node="w2", desired=cluster("cp1", "w1"))
    assert [words.split(" --")[0] for words in left] == [
        "kubectl annotate node w2",
        "kubectl cordon w2",
        "kubectl drain w2",
        "kubectl delete node w2",
        "w2: reset",
    ]
    assert sorted(world.distribution.connected) == ["cp1", "w1"]


def test_a_control_plane_leaves_etcd_before_it_is_forgotten_and_only_when_etcd_is_healthy(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3")
    world.do("leave", "cp3", node="cp3", desired=cluster("cp1", "cp2"))
    exec_in = "kubectl exec --namespace=kube-system etcd-cp1 -- etcdctl"
    health = next(number for number, words in enumerate(world.done()) if words.endswith("endpoint health --cluster"))
    removal = next(number for number, words in enumerate(world.done()) if words.endswith("member remove c"))
    assert world.done()[health].startswith(exec_in)
    assert world.done()[removal].startswith(exec_in)
    order = [
        health,
        world.place("kubectl drain cp3"),
        world.place("cp3: systemctl stop kubelet"),
        removal,
        world.place("kubectl delete node cp3"),
        world.place("cp3: reset"),
    ]
    assert order == sorted(order)


def test_a_control_plane_does_not_leave_an_etcd_that_is_not_healthy(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3")
    world.kubectl.answers["kubectl exec --namespace=kube-system etcd-"] = etcd("cp1", "cp2", "cp3", learner="cp2")
    with pytest.raises(StepError, match=r"^removing cp3: etcd: members that are not whole yet: cp2$"):
        world.do("leave", "cp3", node="cp3", desired=cluster("cp1", "cp2"))
    assert not [words for words in world.done() if "drain" in words or "remove" in words or "delete" in words]
    assert world.hosts["cp3"].membership is not None


def test_etcd_is_not_asked_on_the_one_that_leaves(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2")
    world.do("leave", "cp1", node="cp1", desired=cluster("cp2"))
    assert {words.split()[3] for words in world.done() if "etcdctl" in words} == {"etcd-cp2"}


def test_the_last_control_plane_cannot_leave(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    with pytest.raises(StepError, match="no other control plane is ready"):
        world.do("leave", "cp1", node="cp1", desired=cluster("w1"))


@pytest.mark.parametrize("away", ["host", "node"])
def test_one_that_is_away_is_not_drained(tmp_path: Path, away: str) -> None:
    world = World(tmp_path, "cp1", "w1", "w2")
    world.ill.add("w2")
    world.hosts["w2"].up = away != "host"
    done = world.do("leave", "w2", node="w2", desired=cluster("cp1", "w1"))
    assert not [words for words in done if "drain" in words]
    assert done[-1] == ("w2: forget" if away == "host" else "w2: reset")


def test_a_control_plane_that_is_dead_can_leave(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3")
    world.ill.add("cp3")
    world.hosts["cp3"].up = False
    members = world.kubectl.answers.pop("kubectl exec --namespace=kube-system etcd-")
    start = "kubectl exec --namespace=kube-system etcd-cp1 -- etcdctl --endpoints=https://127.0.0.1:2379"
    keys = "--cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/peer.crt"
    keys += " --key=/etc/kubernetes/pki/etcd/peer.key"
    world.kubectl.answers[f"{start} {keys} endpoint health --cluster"] = ApiError("https://10.0.0.13:2379 is unhealthy")
    world.kubectl.answers[start] = members
    assert world.do("leave", "cp3", node="cp3", desired=cluster("cp1", "cp2"))[-1] == "cp3: forget"


def test_a_node_that_is_gone_is_forgotten_by_etcd_too(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3")
    done = world.do("forget", node="cp3")
    assert done[-2].endswith("member remove c")
    assert done[-1].startswith("kubectl delete node cp3 ")


def test_where_etcd_follows_the_nodes_it_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3", in_pods=False)
    world.do("leave", "cp3", node="cp3", desired=cluster("cp1", "cp2"))
    world.do("forget", node="cp2")
    assert not [words for words in world.done() if "etcdctl" in words]


def test_resetting_is_done_on_all(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    assert sorted(world.do("reset", "cp1", "w1")) == ["cp1: reset", "w1: reset"]


# -- upgrading


def test_the_first_control_plane_is_upgraded_with_images_everywhere_before(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "w1", version=V2)
    done = world.do("upgrade", "cp1", node="cp1")
    order = [
        next(number for number, words in enumerate(done) if words.endswith("endpoint health --cluster")),
        max(world.place(f"{uid}: images {V2}") for uid in ("cp1", "cp2", "w1")),
        world.place("kubectl drain cp1"),
        world.place(f"cp1: upgrade {V2} first"),
        world.place("kubectl rollout status daemonset/kube-proxy"),
        world.place("kubectl patch node cp1"),
        world.place(f"cp1: remember joined {V2}"),
    ]
    assert order == sorted(order)
    assert read_json(tmp_path / "state.json")["version"] == V2
    assert world.asked[-1] == V2


def test_the_others_follow_without_another_rollout(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1", version=V2)
    world.known.keep(version=V2)
    done = world.do("upgrade", "w1", node="w1")
    assert f"w1: upgrade {V2}" in done
    assert not [words for words in done if "rollout" in words or "etcdctl" in words]


def test_a_version_that_is_older_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", version="1.19.16")
    with pytest.raises(
        StepError, match=rf"Kubernetes 1\.19\.16 is older than {V1}, which the cluster has: it cannot go back"
    ):
        world.do("upgrade", "cp1", node="cp1")
    assert world.journal == []


def test_an_etcd_that_is_not_healthy_holds_an_upgrade_up(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "cp2", "cp3", version=V2)
    world.kubectl.answers["kubectl exec --namespace=kube-system etcd-"] = ApiError("unhealthy cluster")
    with pytest.raises(StepError, match=f"^the control plane is not ready to be upgraded to {V2}: unhealthy cluster$"):
        world.do("upgrade", "cp1", node="cp1")
    assert not [words for words in world.done() if "drain" in words or "upgrade" in words]


@pytest.mark.parametrize("fault", ["drain", "upgrade"])
def test_an_upgrade_that_fails_is_not_noted(tmp_path: Path, fault: str) -> None:
    world = World(tmp_path, "cp1", "cp2", version=V2)
    if fault == "drain":
        world.kubectl.answers["kubectl drain"] = ApiError("cannot evict pod: disruption budget")
    else:
        world.distribution.refuses["upgrade"] = "preflight"
    with pytest.raises(StepError, match=r"^upgrading cp1: "):
        world.do("upgrade", "cp1", node="cp1")
    bound = world.hosts["cp1"].membership
    assert bound is not None
    assert bound.version == V1
    assert read_json(tmp_path / "state.json")["version"] == V1


def test_another_image_of_the_system_is_a_reboot_after_the_drain(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    changed = replace(world.desired, layers=packs(system="options: {system.uri: r/os:2}"))
    done = world.do("upgrade", "w1", node="w1", desired=changed)
    assert world.place("kubectl drain w1") < world.place("w1: reboot") < world.place("kubectl patch node w1")
    assert not [words for words in done if "upgrade" in words or "images" in words]
    bound = world.hosts["w1"].membership
    assert bound is not None
    assert bound.os_image == "r/os:2"


def test_pods_stay_where_the_pack_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    stays = replace(world.desired, layers=packs(V2, system="pack: {drainPods: false}\noptions: {system.uri: r/os:1}"))
    done = world.do("upgrade", "w1", node="w1", desired=stays)
    assert "kubectl cordon w1" in done
    assert not [words for words in done if words.startswith("kubectl drain")]


# -- the rest


def test_labels_are_given_and_keys_written_where_they_changed(tmp_path: Path) -> None:
    world = World(tmp_path, "cp1", "w1")
    other = replace(world.desired, ssh_keys=("ssh-ed25519 AAAA",))
    world.hosts["cp1"].up = False
    done = world.do("adjust", "cp1", "w1", desired=other)
    assert [words.split(" --")[0] for words in done if words.startswith("kubectl")] == [
        "kubectl patch node cp1",
        "kubectl patch node w1",
    ]
    assert world.hosts["w1"].files["etc/ssh/authorized_keys.d/kairos"] == "ssh-ed25519 AAAA\n"
    assert "etc/ssh/authorized_keys.d/kairos" not in world.hosts["cp1"].files
    kept = {uid: host.membership.settings for uid, host in world.hosts.items() if host.membership}
    assert kept == {"cp1": settings(world.desired), "w1": settings(other)}


def test_a_members_number_stays_its_own(tmp_path: Path) -> None:
    known = Known.read(tmp_path)
    known.number(cluster("cp1", "cp2", "w1"))
    known.number(cluster("cp1", "w1", "w2"))
    assert known.numbers == {"cp1": 0, "w1": 2, "w2": 1}
    assert Known.read(tmp_path).numbers == known.numbers


def test_the_subnets_are_those_of_the_pack(tmp_path: Path) -> None:
    config = "cluster: {config: 'clusterConfiguration: {networking: {podSubnet: 10.9.0.0/16}}'}"
    found = World(tmp_path, "cp1", layers=packs(kubernetes=config)).steps
    addresses = found.cluster(cluster("cp1", layers=packs(kubernetes=config))).addresses
    assert (addresses.pods, addresses.services, addresses.pods_of(0)) == ("10.9.0.0/16", "10.96.0.0/12", "10.9.1.0/24")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: OSError(28, "No space left on device", "/x"), "No space left on device: /x"),
        (lambda: ApiError("refused"), "refused"),
    ],
)
def test_what_fails_is_told_with_the_step(tmp_path: Path, make: Callable[[], Exception], words: str) -> None:
    world = World(tmp_path, "cp1", "w1")
    world.kubectl.answers = {"kubectl": make()}
    with pytest.raises(StepError, match=f"^forgetting node w1: {words}$"):
        world.do("forget", node="w1")


def test_steps_are_described_and_versions_compared() -> None:
    assert described(Step("leave", ("w1",), node="w1")) == "removing w1"
    assert described(Step("layers")) == "applying the layers"
    assert parts("1.9.11") < parts("1.20.2") == parts("1.20.2-0+k3s1")
    assert parts("1.31.4+k3s1") == (1, 31, 4)
