"""How the API server is asked: arguments, drains, nodes as they are understood, and errors in one line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import FakeKubectl, etcd, node
from lab.kubernetes.desired import Member
from lab.kubernetes.kubectl import ApiError, DrainOptions, Kubectl
from lab.kubernetes.plan import DRAINED, NodeView

WORKER = Member("w1", "workers", control_plane=False, labels={"zone": "a"}, annotations={"note": "x"})


# -- how nodes are drained


def test_the_defaults_are_those_of_the_pack() -> None:
    found = DrainOptions.from_pack({}, nodes=3)
    assert found == DrainOptions()
    assert found.arguments() == [
        "--timeout=120s",
        "--grace-period=-1",
        "--ignore-daemonsets=true",
        "--delete-emptydir-data=true",
    ]


@pytest.mark.parametrize(
    ("name", "value", "argument"),
    [
        ("timeout", 30, "--timeout=30s"),
        ("timeout", 0, "--timeout=0s"),
        ("gracePeriod", 5, "--grace-period=5"),
        ("ignoreDaemonSets", False, "--ignore-daemonsets=false"),
        ("deleteLocalData", False, "--delete-emptydir-data=false"),
        ("force", True, "--force"),
        ("disableEviction", True, "--disable-eviction"),
        ("skipWaitForDeleteTimeout", 7, "--skip-wait-for-delete-timeout=7"),
    ],
)
def test_every_value_of_the_pack_is_an_argument(name: str, value: object, argument: str) -> None:
    assert argument not in DrainOptions.from_pack({}, nodes=3).arguments()
    assert argument in DrainOptions.from_pack({"drain": {name: value}}, nodes=3).arguments()


def test_values_beside_the_drain_are_arguments_too() -> None:
    found = DrainOptions.from_pack({"podSelector": "app!=pos", "disableEviction": True}, nodes=3).arguments()
    assert found[-2:] == ["--disable-eviction", "--pod-selector=app!=pos"]


@pytest.mark.parametrize(
    ("value", "nodes", "drains"),
    [
        ("auto", 1, False),
        ("auto", 2, True),
        (True, 1, True),
        ("true", 1, True),
        (False, 3, False),
        ("false", 3, False),
    ],
)
def test_pods_are_moved_where_there_is_a_place_for_them_or_as_the_pack_says(
    value: object, nodes: int, drains: bool
) -> None:
    assert DrainOptions.from_pack({"drainPods": value}, nodes=nodes).drain is drains


def test_a_drain_that_is_no_mapping_is_the_default() -> None:
    assert DrainOptions.from_pack({"drain": "fast"}, nodes=3) == DrainOptions()


def test_a_node_is_marked_and_cordoned_before_its_pods_are_moved() -> None:
    kubectl = FakeKubectl()
    kubectl.drain("w1", DrainOptions(timeout=10))
    assert kubectl.journal[:2] == [f"kubectl annotate node w1 --overwrite {DRAINED}=yes", "kubectl cordon w1"]
    assert kubectl.journal[2].startswith("kubectl drain w1 --timeout=10s ")
    kubectl.journal.clear()
    kubectl.drain("w1", DrainOptions(drain=False))
    assert not kubectl.asked("kubectl drain")
    assert kubectl.asked("kubectl cordon")


# -- nodes


def _patch(kubectl: FakeKubectl) -> dict[str, Any]:
    (words,) = kubectl.asked("kubectl patch node w1 --type=merge --patch=")
    patch: dict[str, Any] = json.loads(words.partition("--patch=")[2])
    return patch


def test_nodes_are_understood() -> None:
    item = node("w1", ready=False, version="1.20.3", labels={"a": "b"}, annotations={DRAINED: "yes"})
    item["spec"] = {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]}
    kubectl = FakeKubectl()
    kubectl.answers["kubectl get nodes --output=json"] = json.dumps({"items": [item, {"metadata": {"name": "new"}}]})
    found = kubectl.nodes()
    assert found["w1"] == NodeView(
        "w1",
        False,
        version="1.20.3",
        message="kubelet is silent",
        unschedulable=True,
        labels={"a": "b"},
        annotations={DRAINED: "yes"},
        taints=frozenset({("k", "", "NoSchedule")}),
        boot="b00t",
    )
    assert found["new"] == NodeView("new", False)


def test_adjusting_gives_what_the_pool_says_and_ends_a_drain_of_the_labs() -> None:
    kubectl = FakeKubectl()
    kubectl.adjust(NodeView("w1", True, unschedulable=True, annotations={DRAINED: "yes"}), WORKER)
    assert _patch(kubectl) == {
        "metadata": {
            "labels": {"zone": "a", "node-role.kubernetes.io/worker": "", "palette-edge-lab/pool": "workers"},
            "annotations": {"note": "x", DRAINED: None},
        },
        "spec": {"taints": None, "unschedulable": None},
    }


def test_adjusting_leaves_a_cordon_of_somebody_elses_and_taints_of_kubernetes() -> None:
    kubectl = FakeKubectl()
    own = ("node.kubernetes.io/unschedulable", "", "NoSchedule")
    tainted = Member("w1", "workers", control_plane=False, taints=(("till", "yes", "NoExecute"),))
    kubectl.adjust(
        NodeView("w1", True, unschedulable=True, taints=frozenset({own, ("old", "", "NoSchedule")})), tainted
    )
    assert _patch(kubectl)["spec"] == {
        "taints": [{"key": own[0], "effect": own[2]}, {"key": "till", "effect": "NoExecute", "value": "yes"}]
    }


# -- etcd


def test_members_of_etcd_are_known_by_their_hexadecimal_numbers() -> None:
    kubectl = FakeKubectl()
    kubectl.answers["kubectl exec --namespace=kube-system etcd-cp1 -- etcdctl"] = etcd("cp1", "cp2")
    assert kubectl.etcd_members("cp1") == {"cp1": "a", "cp2": "b"}


def test_etcd_is_healthy_when_all_answer_and_none_only_learns() -> None:
    kubectl = FakeKubectl()
    kubectl.answers["kubectl exec"] = etcd("cp1", "cp2")
    kubectl.etcd_healthy("cp1")
    assert kubectl.journal[-1].endswith(" endpoint health --cluster")
    kubectl.answers["kubectl exec"] = etcd("cp1", "cp2", learner="cp2")
    with pytest.raises(ApiError, match="not whole yet: cp2"):
        kubectl.etcd_healthy("cp1")
    kubectl.answers["kubectl exec"] = etcd("cp1", "")
    with pytest.raises(ApiError, match="not whole yet"):
        kubectl.etcd_healthy("cp1")


# -- the program itself


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Kubectl, list[dict[str, Any]]]]:
    """A kubectl whose process is one of the test's; returns it and how it was started."""

    def made(outcome: object) -> tuple[Kubectl, list[dict[str, Any]]]:
        started: list[dict[str, Any]] = []

        def run(command: list[str], **options: Any) -> object:
            started.append({"command": command, **options})
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(subprocess, "run", run)
        place = Path("/run/netns/lab")
        return Kubectl(
            binary=Path("/k/kubectl"), netns=place, kubeconfig=Path("/c/admin.conf"), home=Path("/h")
        ), started

    return made


def _done(code: int = 0, out: str = "", err: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, out, err)


def test_it_runs_in_the_hosts_network_with_the_clusters_kubeconfig(program: Any) -> None:
    kubectl, started = program(_done(out='{"a": 1}'))
    assert kubectl.data(["get", "x"], timeout=3.0) == {"a": 1}
    assert kubectl.run(["install"], program=Path("/usr/bin/helm"), given="secret") == '{"a": 1}'
    first, second = started
    assert first["command"][:3] == ["nsenter", "--net=/run/netns/lab", "/k/kubectl"]
    assert first["command"][3:] == ["get", "x", "--output=json", "--request-timeout=3s"]
    assert (first["env"]["KUBECONFIG"], first["env"]["HOME"]) == ("/c/admin.conf", "/h")
    assert second["command"][2] == "/usr/bin/helm"
    assert second["input"] == "secret"
    assert "secret" not in " ".join(second["command"])


def test_the_servers_words_are_told_in_one_line(program: Any) -> None:
    said = "W1121 09:00:00 warning.go] old\nWarning: deprecated\nError from server:\n\n  no such thing\n"
    kubectl, _started = program(_done(1, err=said))
    with pytest.raises(ApiError) as caught:
        kubectl.run(["get", "nodes"])
    assert str(caught.value) == "Error from server: / no such thing"


def test_one_that_fails_without_a_word_is_named(program: Any) -> None:
    kubectl, _started = program(_done(4))
    with pytest.raises(ApiError, match="'kubectl get nodes' ended with status 4"):
        kubectl.run(["get", "nodes"])


def test_one_that_takes_too_long_or_cannot_be_run_is_told(program: Any) -> None:
    kubectl, _started = program(subprocess.TimeoutExpired("kubectl", 5))
    with pytest.raises(ApiError, match="did not carry out 'kubectl drain w1' within 5 s"):
        kubectl.run(["drain", "w1"], timeout=5)
    kubectl, _started = program(FileNotFoundError(2, "No such file or directory"))
    with pytest.raises(ApiError, match="/k/kubectl cannot be run: No such file or directory"):
        kubectl.nodes()


def lease(*, renewed: float, led_for: float) -> str:
    now = datetime.now(UTC)
    times = {"renewTime": now - timedelta(seconds=renewed), "acquireTime": now - timedelta(seconds=led_for)}
    return json.dumps({"spec": {key: when.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for key, when in times.items()}})


@pytest.mark.parametrize(
    ("renewed", "led_for", "leads"), [(1, 60, True), (20, 60, False), (1, 2, False)], ids=["leads", "gone", "new"]
)
def test_a_drain_waits_for_a_controller_manager_that_leads(
    monkeypatch: pytest.MonkeyPatch, renewed: float, led_for: float, leads: bool
) -> None:
    kubectl = Kubectl(binary=Path("/k"), netns=Path("/n"), kubeconfig=Path("/c"), home=Path("/h"))
    monkeypatch.setattr(Kubectl, "run", lambda *_given, **_more: lease(renewed=renewed, led_for=led_for))
    if leads:
        kubectl.wait_for_controllers(within=0)
    else:
        with pytest.raises(ApiError, match="no controller manager leads"):
            kubectl.wait_for_controllers(within=0)
