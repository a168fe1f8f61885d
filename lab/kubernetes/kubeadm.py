"""A Kubernetes formed with kubeadm: what is written to a host and run on it, step by step."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from lab.agent.user_data import NIC, merge
from lab.instance.state import write_text
from lab.kubernetes.desired import Desired, Member
from lab.kubernetes.kubectl import Kubectl
from lab.kubernetes.node import NodeHost
from lab.kubernetes.node_root import RELEASES
from lab.kubernetes.plan import control_plane_taint

# etcd runs in pods, where it can be asked, and does not notice by itself that a node is gone for good.
IN_PODS = True
SOCKET = "/run/containerd/containerd.sock"
_PKI = (
    "ca.crt",
    "ca.key",
    "sa.pub",
    "sa.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "etcd/ca.crt",
    "etcd/ca.key",
)
_TOKEN_SECONDS = 3600
# Shorter than Kubernetes' own, so that a cut cable and a lost host are seen within the patience of a person.
_TOLERATED = "30"
_API_ARGS = {
    "default-not-ready-toleration-seconds": _TOLERATED,
    "default-unreachable-toleration-seconds": _TOLERATED,
    # With its cache, an API server of 1.20 that saw etcd without a leader, as it is for seconds when the second control
    # plane joins, leaves some watches open without events: endpoints were never made.
    "watch-cache": "false",
}
_LEADER_ARGS = {
    "leader-elect-lease-duration": "10s",
    "leader-elect-renew-deadline": "7s",
    "leader-elect-retry-period": "2s",
}
_CONTROLLER_ARGS = {
    **_LEADER_ARGS,
    "allocate-node-cidrs": "false",  # the lab gives each node its addresses; the allocator would sleep 10 s first
    "node-monitor-grace-period": "16s",
    "kube-api-qps": "200",
    "kube-api-burst": "400",
}


@dataclass(frozen=True)
class Addresses:
    """The cluster's own addresses: of the API server, of pods and of services."""

    endpoint: str
    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/12"

    def pods_of(self, number: int) -> str:
        """The pods' addresses on the node of this number, from 0."""
        first, second, *_rest = self.pods.split(".")
        return f"{first}.{second}.{number + 1}.0/24"


@dataclass(frozen=True)
class Cluster:
    """What all steps need to know: ``folder`` is where the lab keeps the cluster's keys, ``releases`` the provider's."""

    desired: Desired
    folder: Path
    releases: Path
    addresses: Addresses
    numbers: Mapping[str, int]  # of each member's pods, by UID
    hosts: Mapping[str, NodeHost]

    @property
    def admin_conf(self) -> Path:
        """The kubeconfig of the cluster's administrator."""
        return self.folder / "admin.conf"


def prepare(cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
    """Make the host ready for its node: images, network, keys, time; the VIP where it is a control plane."""
    release = f"{RELEASES}/{version}"
    for program in ("kubelet", "kubeadm", "kubectl"):
        host.link(f"usr/bin/{program}", f"{release}/{program}")
    host.put("etc/containerd/config.toml", _containerd(pause_image(host, version)))
    write_network(cluster, host, member.uid)
    write_access(cluster.desired, host)
    host.put("etc/default/kubelet", f"KUBELET_EXTRA_ARGS=--node-ip={host.address}\n")
    host.run(["systemctl", "enable", "--now", "--quiet", "lab-node.service", "containerd.service"])
    import_images(host, version, control_plane=member.control_plane)
    host.run(["systemctl", "enable", "--quiet", "kubelet.service"])


def pause_image(host: NodeHost, version: str) -> str:
    """The image of the container that holds a pod's network, by the name that this version of kubeadm gives it."""
    listed = host.run(["kubeadm", "config", "images", "list", f"--kubernetes-version=v{version}"], version=version)
    return next((line for line in listed.split() if "/pause:" in line), "k8s.gcr.io/pause:3.2")


def import_images(host: NodeHost, version: str, *, control_plane: bool) -> None:
    """Put the release's images, and those common to all, into the host's containerd."""
    folders = f"{RELEASES}/{version}/images {RELEASES}/images"
    # A worker has no use for the control plane's, which are most of the bytes.
    skip = (
        "" if control_plane else "*/kube-apiserver*|*/kube-controller-manager*|*/kube-scheduler*|*/etcd*) ;;\n        "
    )
    host.shell(
        f"""
until ctr version >/dev/null 2>&1; do sleep 0.1; done
for archive in $(find {folders} -name '*.tar' 2>/dev/null); do
    case $archive in
        {skip}*) ctr --namespace k8s.io images import "$archive" & all="${{all:-}} $!" ;;
    esac
done
for one in ${{all:-}}; do wait "$one"; done
# Upstream's own archives have the architecture in the name, by which nobody asks.
ctr --namespace k8s.io images list --quiet | grep -E -e '-(amd64|arm64):' | while read -r name; do
    ctr --namespace k8s.io images tag --force "$name" "$(echo "$name" | sed -E 's/-(amd64|arm64):/:/')"
done
""",
        timeout=180,
    )


def write_network(cluster: Cluster, host: NodeHost, uid: str) -> bool:
    """The pods' network on the host, and its routes to the pods of the others; returns whether something changed."""
    conflist = {
        "cniVersion": "0.3.1",
        "name": "lab",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": cluster.addresses.pods_of(cluster.numbers[uid])}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    changed = host.put("etc/cni/net.d/10-lab.conflist", json.dumps(conflist, indent=2) + "\n")
    routes = [
        f"{cluster.addresses.pods_of(number)} {cluster.hosts[other].address}"
        for other, number in sorted(cluster.numbers.items())
        if other != uid and other in cluster.hosts and cluster.hosts[other].address
    ]
    if host.put("etc/lab-node/routes", "".join(f"{line}\n" for line in routes)):
        host.run(["systemctl", "restart", "lab-routes.service"])
        changed = True
    return changed


def write_access(desired: Desired, host: NodeHost) -> bool:
    """SSH keys and time servers of the cluster's definition; returns whether something changed."""
    keys = host.put("etc/ssh/authorized_keys.d/kairos", "".join(f"{key.strip()}\n" for key in desired.ssh_keys))
    servers = f"NTP={' '.join(desired.ntp_servers)}\n" if desired.ntp_servers else ""
    if host.put("etc/systemd/timesyncd.conf.d/60-cluster.conf", f"[Time]\n{servers}"):
        host.run(["systemctl", "try-restart", "systemd-timesyncd.service"])
        return True
    return keys


def write_vip(cluster: Cluster, host: NodeHost, member: Member, *, guarded: bool = True) -> None:
    """The VIP on a control plane's host, when the cluster has one: where an API server answers, if it is ``guarded``."""
    if member.control_plane and cluster.desired.vip:
        if guarded:
            host.put("etc/lab-node/api", "")
        host.put("etc/keepalived/keepalived.conf", _keepalived(cluster, member), mode=0o600)
        host.run(["systemctl", "enable", "--quiet", "keepalived.service"])
        host.run(["systemctl", "restart", "keepalived.service"])


def init(cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
    """Form the control plane on its first host, and keep what the others need of it."""
    # kubeadm asks the API server by the VIP, before there is one.
    write_vip(cluster, host, member, guarded=False)
    documents = [
        {
            **_kind(version, "InitConfiguration"),
            "localAPIEndpoint": {"advertiseAddress": host.address, "bindPort": 6443},
            "nodeRegistration": _registration(host, member, version),
        },
        cluster_configuration(cluster, version),
        _kubelet(),
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clusterCIDR": cluster.addresses.pods,
            # The table's size is the machine's, and read-only here.
            "conntrack": {"maxPerCore": 0},
        },
    ]
    host.put("etc/lab-node/kubeadm.yaml", yaml.safe_dump_all(documents), mode=0o600)
    skip = [] if has_dns(cluster, version) else ["--skip-phases=addon/coredns"]
    command = ["kubeadm", "init", "--config=/etc/lab-node/kubeadm.yaml", "--skip-token-print", *skip]
    host.run([*command, "--ignore-preflight-errors=ImagePull,NumCPU,Mem"], timeout=240, version=version)
    host.put("etc/lab-node/api", "")
    keep = cluster.folder / "pki"
    shutil.rmtree(keep, ignore_errors=True)
    (keep / "etcd").mkdir(parents=True, mode=0o700)
    for name in _PKI:
        write_text(keep / name, host.text(f"etc/kubernetes/pki/{name}") or "", mode=0o600)
    # How a joining host knows the authority: the hash of its public key.
    key = "openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -pubkey | openssl pkey -pubin -outform DER"
    write_text(keep / "ca.hash", "sha256:" + host.shell(f"{key} | sha256sum").split()[0])
    write_text(cluster.admin_conf, host.text("etc/kubernetes/admin.conf") or "", mode=0o600)


def join(cluster: Cluster, host: NodeHost, member: Member, version: str, token: str) -> None:
    """Have the host join with a ``token`` of `bootstrap_token`, as a control plane or as a worker."""
    document: dict[str, Any] = {
        **_kind(version, "JoinConfiguration"),
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": f"{cluster.addresses.endpoint}:6443",
                "token": token,
                "caCertHashes": [(cluster.folder / "pki" / "ca.hash").read_text().strip()],
            },
            "timeout": "60s",
        },
        "nodeRegistration": _registration(host, member, version),
    }
    if member.control_plane:
        document["controlPlane"] = {"localAPIEndpoint": {"advertiseAddress": host.address, "bindPort": 6443}}
        for name in _PKI:
            mode = 0o600 if name.endswith(".key") else 0o644
            host.put(f"etc/kubernetes/pki/{name}", (cluster.folder / "pki" / name).read_text(), mode=mode)
    host.put("etc/lab-node/kubeadm.yaml", yaml.safe_dump(document), mode=0o600)
    command = [
        "kubeadm",
        "join",
        "--config=/etc/lab-node/kubeadm.yaml",
        "--ignore-preflight-errors=ImagePull,NumCPU,Mem",
    ]
    try:
        host.run(command, timeout=240, version=version)
    finally:
        host.run(["rm", "-f", "/etc/lab-node/kubeadm.yaml"])
    write_vip(cluster, host, member)


def bootstrap_token(kubectl: Kubectl) -> str:
    """A new token with which hosts may join for an hour; it never stands in a command line."""
    identity, secret = secrets.token_hex(3), secrets.token_hex(8)
    expires = datetime.fromtimestamp(time.time() + _TOKEN_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "token-id": identity,
            "token-secret": secret,
            "expiration": expires,
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }
    kubectl.run(["apply", "--filename=-"], given=json.dumps(document))
    return f"{identity}.{secret}"


def upgrade(host: NodeHost, member: Member, version: str, *, first: bool) -> None:
    """Bring the node, which is drained, to the version; ``first`` is the first control plane that gets it."""
    del member
    if first:
        command = ["kubeadm", "upgrade", "apply", f"v{version}", "--yes"]
        # Without one of the cluster's DNS there is nothing of it to upgrade either.
        command += ["--ignore-preflight-errors=ImagePull,CoreDNSUnsupportedPlugins,CoreDNSMigration"]
    else:
        command = ["kubeadm", "upgrade", "node", "--ignore-preflight-errors=ImagePull"]
    host.run(command, timeout=360, version=version)
    for program in ("kubelet", "kubeadm", "kubectl"):
        host.link(f"usr/bin/{program}", f"{RELEASES}/{version}/{program}")
    host.run(["systemctl", "restart", "kubelet.service"])


def has_dns(cluster: Cluster, version: str) -> bool:
    """Whether the provider has an image of the cluster's DNS for this version."""
    return any((cluster.releases / version / "images").glob("*coredns*.tar"))


def cluster_configuration(cluster: Cluster, version: str) -> dict[str, Any]:
    """kubeadm's ClusterConfiguration: the lab's own, and over it that of the pack's values (``cluster.config``)."""
    desired, addresses = cluster.desired, cluster.addresses
    own: dict[str, Any] = {
        **_kind(version, "ClusterConfiguration"),
        "kubernetesVersion": f"v{version}",
        "clusterName": desired.name,
        "controlPlaneEndpoint": f"{addresses.endpoint}:6443",
        "networking": {"podSubnet": addresses.pods, "serviceSubnet": addresses.services},
        # 127.0.0.1 is where the lab's way to the cluster from outside begins.
        "apiServer": {"certSANs": sorted({"127.0.0.1", "localhost", addresses.endpoint}), "extraArgs": dict(_API_ARGS)},
        "controllerManager": {"extraArgs": dict(_CONTROLLER_ARGS)},
        "scheduler": {"extraArgs": dict(_LEADER_ARGS)},
    }
    given = own_configuration(desired)
    given.pop("networking", None)
    merged = merge(own, {key: value for key, value in given.items() if key not in own or isinstance(value, dict)})
    # The pack's names come to the lab's, without which the cluster is not reached from outside.
    names = {str(name) for name in merged["apiServer"].get("certSANs") or []}
    return merge(merged, {"apiServer": {"certSANs": sorted({*names, *own["apiServer"]["certSANs"]})}})


def own_configuration(desired: Desired) -> dict[str, Any]:
    """``clusterConfiguration`` of the Kubernetes pack's values, which hold it as YAML within YAML."""
    text = desired.kubernetes.setting("cluster", "config") if desired.kubernetes else None
    try:
        found = yaml.safe_load(text) if isinstance(text, str) else text
    except yaml.YAMLError:
        return {}
    configuration = found.get("clusterConfiguration") if isinstance(found, dict) else None
    return dict(configuration) if isinstance(configuration, dict) else {}


def _kind(version: str, kind: str) -> dict[str, Any]:
    major, minor, *_rest = (int(part) for part in version.split("-", maxsplit=1)[0].split("."))
    return {"apiVersion": f"kubeadm.k8s.io/{'v1beta3' if (major, minor) >= (1, 22) else 'v1beta2'}", "kind": kind}


def _registration(host: NodeHost, member: Member, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": host.node, "criSocket": SOCKET, "kubeletExtraArgs": {"node-ip": host.address}}
    if member.control_plane:
        found["taints"] = [] if member.works else [{"key": control_plane_taint(version), "effect": "NoSchedule"}]
    return found


def _kubelet() -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "nodeStatusUpdateFrequency": "3s",
    }


def _containerd(pause: str) -> str:
    # The machine need not allow to lower a process' OOM score, and has no AppArmor for the guests.
    return f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
"""


def _keepalived(cluster: Cluster, member: Member) -> str:
    """The VIP is on a control plane whose API server answers, and stays there as long as it does.

    It never leaves an API server that is well: who watches one through the VIP would not be told that the connection is
    dead, and be blind for the 45 seconds after which clients of 1.20 ask.
    """
    router = int(hashlib.sha256(cluster.desired.uid.encode()).hexdigest(), 16) % 254 + 1
    return f"""\
global_defs {{
    enable_script_security
    script_user root
    vrrp_garp_master_refresh 10
}}
vrrp_script api_server {{
    script "/usr/lib/lab-node/api"
    interval 2
    fall 3
    rise 1
}}
vrrp_instance control_plane {{
    state BACKUP
    nopreempt
    interface {NIC}
    virtual_router_id {router}
    priority {100 - cluster.numbers[member.uid] % 40}
    advert_int 0.5
    virtual_ipaddress {{
        {cluster.addresses.endpoint}/32
    }}
    track_script {{
        api_server
    }}
}}
"""
