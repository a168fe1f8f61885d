"""The layers above Kubernetes: in their order, told in the server's words, changed, taken away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import FakeKubectl, cluster, packs
from lab.kubernetes.desired import Desired, Layer
from lab.kubernetes.kubectl import ApiError
from lab.kubernetes.layers import Layers, documents, reference, unready

READY = {"os": (True, ""), "k8s": (True, ""), "cni": (True, ""), "csi": (True, "")}


def _map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def _deployment(name: str = "web", *, ready: int = 1) -> dict[str, Any]:
    status = {"observedGeneration": 1, "replicas": 1, "readyReplicas": ready, "updatedReplicas": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "generation": 1},
        "spec": {"replicas": 1},
        "status": status,
    }


def _manifest(name: str, *texts: str, **more: Any) -> Layer:
    return Layer("p2", name, "addon", "manifest", "1", manifests=texts, **more)


HELLO = Layer(
    "p2", "hello", "addon", "spectro", "1", values="pack: {namespace: hi}\ncharts: {hello-edge: {replicas: 2}}"
)


class World:
    """The layers of one cluster, with a clock that goes on when it is told to."""

    def __init__(self, folder: Path, helm: Path | None = Path("/usr/bin/helm")) -> None:
        self.now = 1000.0
        self.folder, self.helm = folder, helm
        self.kubectl = FakeKubectl()
        self.layers = self.opened()

    def opened(self) -> Layers:
        """As after a restart of the lab."""
        self.layers = Layers(self.folder, self.helm, clock=lambda: self.now)
        return self.layers

    def turn(self, *addons: Layer, basics: dict[str, tuple[bool, str]] | None = None) -> dict[str, tuple[str, str]]:
        """One look and, where it is due, one round of work; returns type and message of each add-on."""
        desired = self.desired(*addons)
        self.layers.base(desired, basics=basics or READY)
        if self.layers.due(desired):
            self.layers.work(desired, self.kubectl)
        told = {one["name"]: one["condition"] for one in self.layers.conditions(desired)}
        return {one.name: (told[one.name]["type"], told[one.name]["message"]) for one in addons}

    @staticmethod
    def desired(*addons: Layer) -> Desired:
        """The cluster with these add-ons."""
        return cluster("cp1", layers=(*packs(), *addons))

    def applied(self) -> list[str]:
        """The names of objects that were applied, in order."""
        texts = [
            given
            for words, given in zip(self.kubectl.journal, self.kubectl.given, strict=True)
            if words.startswith("kubectl apply")
        ]
        return [item["metadata"]["name"] for text in texts for item in documents(text)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Layers that were never applied."""
    return World(tmp_path)


def test_nothing_is_applied_before_the_layers_below_are_ready(world: World) -> None:
    one = _manifest("one", _map("one"))
    below = {**READY, "k8s": (False, "not yet 1.20.3: cp2")}
    assert world.turn(one, basics=below) == {"one": ("WaitingForOtherLayers", "")}
    told = {each["name"]: each["condition"] for each in world.layers.conditions(world.desired(one))}
    assert (told["edge-k8s"]["type"], told["edge-k8s"]["message"]) == ("Installed", "not yet 1.20.3: cp2")
    assert told["edge-native-byoi"]["type"] == "Ready"
    assert world.kubectl.journal == []


def test_layers_are_applied_in_their_order_and_are_ready_when_there_is_nothing_to_wait_for(world: World) -> None:
    assert world.turn(_manifest("b", _map("b1"), _map("b2")), _manifest("a", _map("a"))) == {
        "b": ("Ready", ""),
        "a": ("Ready", ""),
    }
    assert world.applied() == ["b1", "b2", "a"]
    (first, _second) = world.kubectl.asked("kubectl apply")
    assert "--server-side --force-conflicts --field-manager=palette-edge-lab --namespace=default" in first


def test_a_layer_waits_for_the_one_before_it(world: World) -> None:
    one, two = _manifest("one", json.dumps(_deployment())), _manifest("two", _map("two"))
    world.kubectl.answers["kubectl get"] = json.dumps(_deployment(ready=0))
    assert world.turn(one, two) == {
        "one": ("Installed", "Deployment web: 0 of 1 pods ready"),
        "two": ("WaitingForOtherLayers", ""),
    }
    world.kubectl.answers["kubectl get"] = json.dumps({"kind": "List", "items": [_deployment()]})
    world.now += 1.0
    assert world.turn(one, two)["one"][0] == "Installed"
    world.now += 1.5
    assert world.turn(one, two) == {"one": ("Ready", ""), "two": ("Ready", "")}
    assert world.applied() == ["web", "two"]


def test_what_is_ready_is_not_applied_again_and_looked_at_now_and_then(world: World) -> None:
    one = _manifest("one", _map("one"))
    world.turn(one)
    before = len(world.kubectl.journal)
    world.now += 14.0
    world.turn(one)
    assert len(world.kubectl.journal) == before
    world.now += 2.0
    world.turn(one)
    assert world.applied() == ["one"]
    assert len(world.kubectl.asked("kubectl get")) == 2


def test_a_restarted_lab_knows_what_it_applied(world: World) -> None:
    one = _manifest("one", _map("one"))
    world.turn(one)
    world.opened()
    assert world.turn(one) == {"one": ("Ready", "")}
    assert world.applied() == ["one"]


def test_what_the_server_refuses_is_told_in_its_words_and_tried_again_later(world: World) -> None:
    one, two = _manifest("one", _map("one")), _manifest("two", _map("two"))
    world.kubectl.answers["kubectl apply"] = ApiError("ConfigMap one is invalid:\n  data: too much")
    assert world.turn(one, two) == {
        "one": ("Error", "ConfigMap one is invalid: data: too much"),
        "two": ("WaitingForOtherLayers", ""),
    }
    assert world.layers.error(world.desired(one, two)) == "pack one: ConfigMap one is invalid: data: too much"
    condition = world.layers.conditions(world.desired(one, two))[2]["condition"]
    assert (condition["status"], condition["reason"]) == ("False", "ApplyFailed")
    world.kubectl.answers.clear()
    world.now += 9.0
    assert world.turn(one, two)["one"][0] == "Error"
    world.now += 2.0
    assert world.turn(one, two) == {"one": ("Ready", ""), "two": ("Ready", "")}
    assert world.layers.error(world.desired(one, two)) == ""


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "not YAML"), ("kind: Pod", "apiVersion and kind are missing"), ("- 1", "apiVersion")]
)
def test_a_manifest_that_is_none_is_an_error_of_its_layer(world: World, text: str, words: str) -> None:
    kind, message = world.turn(_manifest("one", text))["one"]
    assert kind == "Error"
    assert words in message
    assert "\n" not in message
    assert world.applied() == []


def test_a_changed_layer_is_applied_again_and_what_it_lost_is_deleted(world: World) -> None:
    world.turn(_manifest("one", _map("kept"), _map("lost")))
    changed = _manifest("one", _map("kept", text="new"))
    world.layers.base(world.desired(changed), basics=READY)
    waiting = {one["name"]: one["condition"]["type"] for one in world.layers.conditions(world.desired(changed))}
    assert waiting["one"] == "WaitingForOtherLayers"
    assert world.turn(changed) == {"one": ("Ready", "")}
    assert world.applied() == ["kept", "lost", "kept"]
    assert world.kubectl.asked("kubectl delete") == [
        "kubectl delete ConfigMap lost --namespace=default --ignore-not-found --wait=false"
    ]


def test_a_removed_layer_is_taken_away_with_its_chart_and_its_objects(world: World) -> None:
    whole = replace(HELLO, manifests=(_map("extra"),))
    world.turn(whole)
    assert world.turn() == {}
    assert world.kubectl.asked("helm uninstall") == ["helm uninstall hello-edge --namespace=hi --ignore-not-found"]
    assert len(world.kubectl.asked("kubectl delete ConfigMap extra --namespace=hi")) == 1
    assert json.loads((world.folder / "layers.json").read_text()) == {}
    assert not (world.folder / "layer-hello.yaml").exists()
    assert not world.layers.due(world.desired())


def test_a_layer_that_comes_back_is_applied_again(world: World) -> None:
    one = _manifest("one", _map("one"))
    world.turn(one)
    world.turn()
    world.turn(one)
    assert world.applied() == ["one", "one"]


def test_an_object_that_somebody_deleted_is_made_again(world: World) -> None:
    one = _manifest("one", _map("one"))
    world.turn(one)
    world.kubectl.answers["kubectl get"] = ApiError('Error from server (NotFound): configmaps "one" not found')
    for _turn in range(3):
        world.now += 20.0
        world.turn(one)
    assert world.applied()[:2] == ["one", "one"]


def test_a_chart_is_installed_with_its_values_on_stdin(world: World) -> None:
    world.kubectl.answers["kubectl get"] = json.dumps({"items": [_deployment(ready=0)]})
    assert world.turn(HELLO)["hello"] == ("Installed", "Deployment web: 0 of 1 pods ready")
    (command,) = world.kubectl.asked("helm")
    assert command.startswith("helm upgrade --install hello-edge ")
    assert command.endswith("/hello-edge --namespace=hi --create-namespace --values=-")
    assert world.kubectl.given[world.kubectl.journal.index(command)] == "replicas: 2\n"
    (asked,) = world.kubectl.asked("kubectl get")
    assert "--namespace=hi --selector=app.kubernetes.io/instance=hello-edge" in asked


def test_without_helm_a_chart_is_an_error_that_says_so(tmp_path: Path) -> None:
    kind, message = World(tmp_path, helm=None).turn(HELLO)["hello"]
    assert kind == "Error"
    assert "chart hello-edge needs helm" in message


def test_a_chart_that_the_lab_has_not_is_named_with_those_it_has(world: World) -> None:
    other = replace(HELLO, values="charts: {cilium: {}}")
    assert world.turn(other)["hello"] == ("Error", "the lab has no chart cilium (it has: hello-edge)")


def test_what_was_applied_can_be_read_by_its_owner_only(world: World) -> None:
    world.turn(_manifest("one", _map("one", password="x")))
    assert (world.folder / "layer-one.yaml").stat().st_mode & 0o777 == 0o600


def test_an_object_is_named_with_its_group_and_its_own_namespace() -> None:
    assert reference(_deployment(), "default") == ["Deployment.v1.apps", "web", "default"]
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "own"}}
    assert reference(item, "default") == ["Secret", "s", "own"]


def test_the_objects_of_a_list_are_objects() -> None:
    text = f"---\n---\napiVersion: v1\nkind: List\nitems: [{_map('a')}, {_map('b')}]\n"
    assert [item["metadata"]["name"] for item in documents(text)] == ["a", "b"]


def _workload(kind: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status}


_SCALED = {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}
_SPREAD = {"observedGeneration": 2, "desiredNumberScheduled": 3, "numberReady": 3, "updatedNumberScheduled": 3}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({}, ""),
        ({"observedGeneration": 1}, "2 of 2 pods ready"),
        ({"readyReplicas": None}, "0 of 2 pods ready"),
        ({"updatedReplicas": 1}, "2 of 2 pods ready"),
        ({"replicas": 3}, "2 of 2 pods ready"),
    ],
)
def test_a_workload_of_replicas_is_whole_when_all_are_new_and_ready(
    kind: str, lacking: dict[str, Any], words: str
) -> None:
    item = _workload(kind, {"replicas": 2}, {**_SCALED, **lacking})
    assert unready(item) == (f"{kind} x: {words}" if words else "")


def test_a_workload_that_is_scaled_to_nothing_is_whole() -> None:
    assert unready(_workload("Deployment", {"replicas": 0}, {"observedGeneration": 2})) == ""


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({}, ""),
        ({"numberReady": 2}, "2 of 3 pods ready"),
        ({"updatedNumberScheduled": 2}, "3 of 3 pods ready"),
        ({"observedGeneration": 1}, "3 of 3 pods ready"),
        ({"desiredNumberScheduled": 0, "numberReady": 0}, "0 of 0 pods ready"),
    ],
)
def test_a_daemon_set_is_whole_on_all_its_nodes(lacking: dict[str, Any], words: str) -> None:
    item = _workload("DaemonSet", {}, {**_SPREAD, **lacking})
    assert unready(item) == (f"DaemonSet x: {words}" if words else "")


def test_a_job_is_whole_when_it_is_done() -> None:
    assert unready(_workload("Job", {"completions": 2}, {"succeeded": 1})) == "Job x: 1 of 2 done"
    assert unready(_workload("Job", {}, {"succeeded": 1})) == ""


def test_what_is_no_workload_lacks_nothing() -> None:
    assert unready({"kind": "ConfigMap", "metadata": {"name": "x"}}) == ""
