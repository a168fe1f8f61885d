"""The layers above Kubernetes: manifests by server-side apply, charts by Helm, in their order, and how far each is."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.instance.state import write_json, write_text
from lab.kubernetes.desired import Desired, Layer
from lab.kubernetes.kubectl import ApiError, Kubectl

CHARTS = Path(__file__).with_name("charts")
_BASIC = ("os", "k8s", "cni", "csi")
_MANAGER = "palette-edge-lab"
_LOOK_WHEN_WAITING, _LOOK_WHEN_READY = 2.0, 15.0
_RETRY = 10.0


@dataclass
class State:
    """How far a layer is, as Palette words it: ``type`` WaitingForOtherLayers, Installed, Ready or Error."""

    type: str = "WaitingForOtherLayers"
    message: str = ""
    digest: str = ""
    looked: float = 0.0
    tried: float = 0.0

    def condition(self) -> dict[str, str]:
        """As the condition of a pack."""
        status = "False" if self.type == "Error" else "True"
        reason = {"reason": "ApplyFailed"} if self.type == "Error" else {}
        return {"type": self.type, "status": status, "message": self.message, **reason}


@dataclass
class Layers:
    """The layers of one cluster. What was applied is kept in ``folder``, which only its owner can read."""

    folder: Path
    helm: Path | None
    clock: Callable[[], float] = time.monotonic
    states: dict[tuple[str, str], State] = field(default_factory=dict)

    def conditions(self, desired: Desired) -> list[dict[str, Any]]:
        """The packs' conditions for a report."""
        return [
            {"profileUid": one.profile_uid, "name": one.name, "condition": self._state(one).condition()}
            for one in desired.layers
        ]

    def base(self, desired: Desired, *, basics: Mapping[str, tuple[bool, str]]) -> None:
        """Take over how the layers below the add-ons are: ``basics`` tells for each kind whether it is there, and words."""
        for one in desired.layers:
            if one.layer in _BASIC:
                there, words = basics.get(one.layer, (True, ""))
                state = self._state(one)
                state.type, state.message = ("Ready" if there else "Installed"), words
        for one in desired.layers:
            # A layer that was changed is not ready as it was.
            state = self._state(one)
            if one.layer not in _BASIC and state.digest != digest(one) and state.type != "Error":
                state.type, state.message = "WaitingForOtherLayers", ""

    def due(self, desired: Desired) -> bool:
        """Whether a layer has to be applied, looked at or taken away now."""
        now = self.clock()
        for one in self._addons(desired):
            state = self._state(one)
            if state.digest != digest(one):
                return state.type != "Error" or now - state.tried > _RETRY
            wait = _LOOK_WHEN_READY if state.type == "Ready" else _LOOK_WHEN_WAITING
            if now - state.looked > wait:
                return True
            if state.type != "Ready":
                return False
        return bool(self._gone(desired))

    def work(self, desired: Desired, kubectl: Kubectl) -> None:
        """Apply what changed, in order, up to the first layer that is not ready; take away what is no longer wanted."""
        if not all(self._state(one).type == "Ready" for one in desired.layers if one.layer in _BASIC):
            return
        for one in self._addons(desired):
            state = self._state(one)
            try:
                if state.digest != digest(one):
                    state.tried = self.clock()
                    self._apply(one, kubectl)
                    state.digest, state.type, state.message = digest(one), "Installed", ""
                waits = self._waits(one, kubectl)
            except (ApiError, ValueError, yaml.YAMLError) as error:
                if state.type != "WaitingForOtherLayers" and "(NotFound)" in str(error):
                    # Somebody took away what was there: it is put back at the next turn.
                    state.digest, state.type, state.message = "", "Installed", str(error)
                    return
                state.type, state.message = "Error", " ".join(str(error).split())
                return
            finally:
                state.looked = self.clock()
            state.type, state.message = ("Installed", waits) if waits else ("Ready", "")
            if waits:
                return
        for name in self._gone(desired):
            self._remove(name, kubectl)

    def error(self, desired: Desired) -> str:
        """The first layer that could not be applied, and why; empty when there is none."""
        failed = [one for one in desired.layers if self._state(one).type == "Error"]
        return f"pack {failed[0].name}: {self._state(failed[0]).message}" if failed else ""

    # -- parts

    def _state(self, layer: Layer) -> State:
        key = (layer.layer, layer.name)
        if key not in self.states:
            known = self._known().get(layer.name) or {}
            self.states[key] = State(digest=str(known.get("digest") or ""))
        return self.states[key]

    @staticmethod
    def _addons(desired: Desired) -> list[Layer]:
        return [one for one in desired.layers if one.layer not in _BASIC]

    def _known(self) -> dict[str, Any]:
        path = self.folder / "layers.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def _note(self, name: str, facts: dict[str, Any] | None) -> None:
        known = self._known()
        known.pop(name, None)
        write_json(self.folder / "layers.json", {**known, **({name: facts} if facts else {})})

    def _gone(self, desired: Desired) -> list[str]:
        wanted = {one.name for one in self._addons(desired)}
        return [name for name in self._known() if name not in wanted]

    def _apply(self, layer: Layer, kubectl: Kubectl) -> None:
        before = self._known().get(layer.name) or {}
        objects = [item for text in layer.manifests for item in documents(text)]
        namespace = str(layer.setting("pack", "namespace") or "default")
        releases = []
        for chart, values in layer.mapping("charts").items():
            self._chart(str(chart), values if isinstance(values, dict) else {}, namespace, kubectl)
            releases.append([str(chart), namespace])
        if objects:
            text = yaml.safe_dump_all(objects)
            write_text(self.folder / f"layer-{layer.name}.yaml", text, mode=0o600)
            command = ["apply", "--server-side", "--force-conflicts", f"--field-manager={_MANAGER}"]
            kubectl.run([*command, f"--namespace={namespace}", "--filename=-"], given=text, timeout=60.0)
        now = [reference(item, namespace) for item in objects]
        self._delete([one for one in before.get("objects") or [] if one not in now], kubectl)
        facts = {"digest": digest(layer), "objects": now, "releases": releases, "namespace": namespace}
        self._note(layer.name, facts)

    def _chart(self, chart: str, values: dict[str, Any], namespace: str, kubectl: Kubectl) -> None:
        folder = CHARTS / chart
        if not folder.is_dir():
            have = ", ".join(sorted(path.name for path in CHARTS.iterdir()))
            raise ApiError(f"the lab has no chart {chart} (it has: {have})")
        if self.helm is None:
            raise ApiError(
                f"chart {chart} needs helm, which is not on this machine and could not be fetched: install it"
            )
        command = ["upgrade", "--install", chart, str(folder), f"--namespace={namespace}", "--create-namespace"]
        kubectl.run([*command, "--values=-"], given=yaml.safe_dump(values), timeout=90.0, program=self.helm)

    def _waits(self, layer: Layer, kubectl: Kubectl) -> str:
        """What the layer still waits for; empty when all of it is there."""
        known = self._known().get(layer.name) or {}
        namespace = str(known.get("namespace") or "default")
        found: list[dict[str, Any]] = []
        if known.get("objects"):
            listed = kubectl.data(
                ["get", f"--filename={self.folder / f'layer-{layer.name}.yaml'}", f"--namespace={namespace}"]
            )
            found += listed["items"] if listed.get("kind") == "List" else [listed]
        for release, place in known.get("releases") or []:
            selector = f"--selector=app.kubernetes.io/instance={release}"
            kinds = "deployments,daemonsets,statefulsets,jobs"
            found += kubectl.data(["get", kinds, f"--namespace={place}", selector]).get("items") or []
        return "; ".join(words for item in found if (words := unready(item)))

    def _remove(self, name: str, kubectl: Kubectl) -> None:
        known = self._known().get(name) or {}
        for release, place in known.get("releases") or []:
            if self.helm is not None:
                command = ["uninstall", release, f"--namespace={place}", "--ignore-not-found"]
                kubectl.run(command, timeout=60.0, program=self.helm)
        self._delete(known.get("objects") or [], kubectl)
        self._note(name, None)
        # Should it come back, it is applied anew.
        self.states = {key: state for key, state in self.states.items() if key[1] != name}
        (self.folder / f"layer-{name}.yaml").unlink(missing_ok=True)

    @staticmethod
    def _delete(references: Iterable[list[str]], kubectl: Kubectl) -> None:
        for kind, name, namespace in references:
            where = [f"--namespace={namespace}"] if namespace else []
            kubectl.run(["delete", kind, name, *where, "--ignore-not-found", "--wait=false"])


def digest(layer: Layer) -> str:
    """Changes when what is applied changes."""
    whole = json.dumps([layer.version, layer.values, layer.manifests])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a manifest. Raises ValueError when it is not one."""
    found: list[dict[str, Any]] = []
    try:
        for item in yaml.safe_load_all(text):
            if item is None:
                continue
            if not isinstance(item, dict) or not item.get("kind") or not item.get("apiVersion"):
                raise ValueError("a manifest is not a Kubernetes object: apiVersion and kind are missing")
            found += item["items"] if item["kind"] == "List" else [item]
    except yaml.YAMLError as error:
        raise ValueError(f"a manifest is not YAML: {' '.join(str(error).split())}") from error
    return found


def reference(item: Mapping[str, Any], namespace: str) -> list[str]:
    """[kind with its group, name, namespace] of an object, as kubectl deletes it."""
    group = str(item["apiVersion"]).rpartition("/")[0]
    version = str(item["apiVersion"]).rpartition("/")[2]
    kind = f"{item['kind']}.{version}.{group}" if group else str(item["kind"])
    metadata = item.get("metadata") or {}
    return [kind, str(metadata.get("name") or ""), str(metadata.get("namespace") or namespace)]


def unready(item: Mapping[str, Any]) -> str:
    """What a workload still lacks, in words; empty when it is whole, or no workload."""
    kind, name = item.get("kind"), (item.get("metadata") or {}).get("name")
    spec, status = item.get("spec") or {}, item.get("status") or {}
    generation = (item.get("metadata") or {}).get("generation") or 0
    seen = (status.get("observedGeneration") or 0) >= generation
    if kind == "DaemonSet":
        wanted = status.get("desiredNumberScheduled") or 0
        ready, fresh = status.get("numberReady") or 0, status.get("updatedNumberScheduled") or 0
        whole = seen and wanted > 0 and ready >= wanted and fresh >= wanted
        return "" if whole else f"DaemonSet {name}: {ready} of {wanted} pods ready"
    if kind in ("Deployment", "StatefulSet"):
        wanted = int(spec.get("replicas", 1))
        ready, fresh = status.get("readyReplicas") or 0, status.get("updatedReplicas") or 0
        whole = seen and ready >= wanted and fresh >= wanted and (status.get("replicas") or 0) <= wanted
        return "" if whole else f"{kind} {name}: {ready} of {wanted} pods ready"
    if kind == "Job":
        wanted = int(spec.get("completions") or 1)
        done = status.get("succeeded") or 0
        return "" if done >= wanted else f"Job {name}: {done} of {wanted} done"
    return ""
