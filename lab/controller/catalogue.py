"""What packs there are: those of a lab whose clusters are states, and those that a lab with Kubernetes can deploy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pack:
    """A pack: its layer, its versions in ascending order, and the values that it comes with."""

    layer: str
    versions: tuple[str, ...]
    values: str


Catalogue = dict[str, Pack]

# How a node is emptied before it is worked on, as the pack documents it.
_DRAIN = """\
  drainPods: auto
  drain:
    cordon: true
    timeout: 120
    gracePeriod: -1
    ignoreDaemonSets: true
    deleteLocalData: true
    force: false
    disableEviction: false
    skipWaitForDeleteTimeout: 0
"""
_SYSTEM = "edge-native-byoi"
STATES: Catalogue = {
    _SYSTEM: Pack(
        "os",
        ("1.0.0", "2.0.0", "2.1.0"),
        f"pack:\n  content:\n    images: []\n{_DRAIN}options:\n  system.uri: registry.example.com/edge/os:latest\n",
    ),
    "edge-k3s": Pack(
        "k8s", ("1.29.9", "1.30.4", "1.31.1"), "cluster:\n  config: |\n    disable: [traefik, servicelb]\n"
    ),
    "edge-k8s": Pack("k8s", ("1.30.4", "1.31.1"), "cluster:\n  config: |\n    clusterConfiguration: {}\n"),
    "edge-rke2": Pack("k8s", ("1.30.4", "1.31.1"), "cluster:\n  config: |\n    disable: [rke2-ingress-nginx]\n"),
    "cni-calico": Pack("cni", ("3.27.2", "3.28.0"), "manifests:\n  calico:\n    env: {}\n"),
    "cni-cilium-oss": Pack("cni", ("1.15.3", "1.16.0"), "charts:\n  cilium: {}\n"),
    "csi-longhorn": Pack("csi", ("1.6.2",), "charts:\n  longhorn: {}\n"),
    "nginx": Pack("addon", ("1.11.2",), "charts:\n  ingress-nginx: {}\n"),
}
# What the lab itself can put on a Kubernetes.
_OWN: Catalogue = {
    "cni-lab-routes": Pack("cni", ("1.0.0",), "# Plain routes between the hosts, no NetworkPolicy.\npack: {}\n"),
    "hello-edge": Pack(
        "addon",
        ("1.0.0", "1.1.0"),
        "pack:\n  namespace: hello-edge\n"
        "charts:\n  hello-edge:\n    replicas: 3\n    greeting: hello\n    nodePort: 30080\n",
    ),
}


def offered(kubernetes: Mapping[str, tuple[str, ...]]) -> Catalogue:
    """The packs of a lab that can form these versions by Kubernetes pack; without any, clusters are states only."""
    if not kubernetes:
        return STATES
    distributions = {name: replace(STATES[name], versions=versions) for name, versions in kubernetes.items()}
    return {_SYSTEM: STATES[_SYSTEM], **distributions, **_OWN}


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """C(PACK=VERSION,VERSION) as the command line has it. Raises ValueError with what is wrong, for people."""
    name, _sign, listed = text.partition("=")
    known = [one for one, pack in STATES.items() if pack.layer == "k8s"]
    versions = tuple(one.strip().removeprefix("v") for one in listed.split(",") if one.strip())
    if name not in known or not versions:
        raise ValueError(f"'{text}' is not PACK=VERSION,VERSION, with PACK one of {', '.join(known)}")
    return {name: versions}
