"""What registries and packs there are: packs of a lab whose clusters are states, or those that Kubernetes can deploy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Registry:
    """A registry. One that is not synchronised tells nothing of its packs.

    :ivar kind: ``pack``, ``helm`` or ``oci``, which is also how its packs are called, but for ``pack``: ``spectro``.
    """

    uid: str
    name: str
    kind: str
    endpoint: str
    scope: str = "tenant"
    private: bool = False
    synchronised: bool = True

    @property
    def pack_type(self) -> str:
        """The type of its packs."""
        return "spectro" if self.kind == "pack" else self.kind


@dataclass(frozen=True)
class Preset:
    """A choice that a pack offers: YAML laid over its values, and dotted paths taken out of them."""

    group: str
    name: str
    title: str
    add: str
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pack:
    """A pack: its layer, its versions in ascending order, and the values that it comes with.

    :ivar required: a dotted path of the values that its schema requires, "" for no schema.
    """

    layer: str
    versions: tuple[str, ...]
    values: str
    title: str = ""
    addon_type: str = ""
    clouds: tuple[str, ...] = ("edge-native",)
    presets: tuple[Preset, ...] = ()
    required: str = ""


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
PUBLIC = Registry("5eecc89d0b150045ae661cef", "Public Repo", "pack", "https://registry.example.com", scope="system")
COMPANY = Registry("5eecc89d0b150045ae661cf0", "Company Packs", "pack", "https://packs.example.com", private=True)
CHARTS = Registry("5eecc89d0b150045ae661cf1", "Company Charts", "helm", "https://charts.example.com")
IMAGES = Registry(
    "5eecc89d0b150045ae661cf2",
    "Company OCI",
    "oci",
    "https://oci.example.com",
    private=True,
    synchronised=False,
)
REGISTRIES = {one.uid: one for one in (PUBLIC, COMPANY, CHARTS, IMAGES)}
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
    "cni-calico": Pack("cni", ("3.27.2", "3.28.0"), "manifests:\n  calico:\n    env: {}\n", title="Calico"),
    "cni-cilium-oss": Pack(
        "cni",
        ("1.15.3", "1.16.0"),
        "charts:\n  cilium: {}\n",
        title="Cilium",
        presets=(
            Preset("proxy", "kube-proxy", "With kube-proxy", "charts:\n  cilium:\n    kubeProxyReplacement: false\n"),
            Preset(
                "proxy",
                "no-kube-proxy",
                "Without kube-proxy",
                "charts:\n  cilium:\n    kubeProxyReplacement: true\n    k8sServicePort: 6443\n",
                ("charts.cilium.nodePort",),
            ),
            Preset("hubble", "hubble", "Hubble", "charts:\n  cilium:\n    hubble:\n      enabled: true\n"),
        ),
    ),
    "csi-longhorn": Pack("csi", ("1.6.2",), "charts:\n  longhorn: {}\n", title="Longhorn", required="charts.longhorn"),
    "nginx": Pack("addon", ("1.11.2",), "charts:\n  ingress-nginx: {}\n", title="Nginx", addon_type="ingress"),
    "store-agent": Pack(
        "addon",
        ("1.2.0", "1.2.3", "1.10.0"),
        "charts:\n  store-agent:\n    interval: 60\n",
        title="Store Agent",
        addon_type="monitoring",
        clouds=("all",),
    ),
}
# In the company's registries: one pack that the public one has, too, one that only they have, and a chart.
COMPANIES: dict[str, Catalogue] = {
    COMPANY.uid: {
        "store-agent": replace(STATES["store-agent"], versions=("1.2.3", "1.3.0")),
        "till-printer": Pack(
            "addon",
            ("0.9.0", "1.0.0-rc.1", "1.0.0"),
            "charts:\n  till-printer:\n    queue: tills\n",
            title="Till Printer",
            addon_type="app services",
        ),
    },
    CHARTS.uid: {
        "price-tags": Pack("addon", ("2.0.1", "2.1.0"), "charts:\n  price-tags: {}\n", addon_type="app services")
    },
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


def shelves(kubernetes: Mapping[str, tuple[str, ...]]) -> dict[str, Catalogue]:
    """What each registry lists, by its UID; one that is not synchronised lists nothing."""
    return {PUBLIC.uid: offered(kubernetes), **({} if kubernetes else COMPANIES)}


def offered(kubernetes: Mapping[str, tuple[str, ...]]) -> Catalogue:
    """The public registry's packs of a lab that can form these versions by Kubernetes pack, or only states without."""
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
