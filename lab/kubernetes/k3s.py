"""A Kubernetes formed with k3s, from a binary that the user has.

Unproven: no binary was at hand when this was written. It follows k3s' documentation: embedded etcd, flannel by plain
routes, the same host options, kernel settings and VIP as with kubeadm.
"""

from __future__ import annotations

import json
import secrets

from lab.instance.state import write_text
from lab.kubernetes.desired import Member
from lab.kubernetes.kubeadm import Cluster, write_access, write_vip
from lab.kubernetes.kubectl import Kubectl
from lab.kubernetes.node import NodeHost
from lab.kubernetes.node_root import RELEASES

# etcd is within k3s, and follows the nodes: one that is deleted is a member no longer.
IN_PODS = False
_CONFIG = "etc/rancher/k3s/config.yaml"
_UNIT = """\
[Unit]
Description=k3s
After=lab-node.service
[Service]
Type=notify
ExecStart=/usr/bin/k3s {role}
KillMode=process
Delegate=yes
Restart=always
RestartSec=2
TimeoutStartSec=0
[Install]
WantedBy=multi-user.target
"""
_DISABLED = ["traefik", "servicelb", "local-storage", "metrics-server"]
_STARTED_WITHIN = 240.0


def prepare(cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
    """Make the host ready for its node: the program, its images, keys, time, and the VIP where it is a control plane."""
    for program in ("k3s", "kubectl"):
        host.link(f"usr/bin/{program}", f"{RELEASES}/{version}/{program}")
    unit = _UNIT.format(role="server" if member.control_plane else "agent")
    host.put("etc/systemd/system/k3s.service", unit)
    write_access(cluster.desired, host)
    import_images(host, version, control_plane=member.control_plane)
    host.run(["systemctl", "enable", "--now", "--quiet", "lab-node.service"])
    host.run(["systemctl", "daemon-reload"])


def init(cluster: Cluster, host: NodeHost, member: Member, version: str) -> None:
    """Form the control plane on its first host, and keep what the others need of it."""
    del version
    write_vip(cluster, host, member, guarded=False)
    _configure(cluster, host, member, {"cluster-init": True, "token": _token(cluster)})
    _start(host)
    host.put("etc/lab-node/api", "")
    conf = host.run(["cat", "/etc/rancher/k3s/k3s.yaml"], quiet=True)
    address = f"https://{cluster.addresses.endpoint}:6443"
    write_text(cluster.admin_conf, conf.replace("https://127.0.0.1:6443", address), mode=0o600)


def join(cluster: Cluster, host: NodeHost, member: Member, version: str, token: str) -> None:
    """Have the host join, as a control plane or as a worker."""
    del version, token
    server = f"https://{cluster.addresses.endpoint}:6443"
    _configure(cluster, host, member, {"server": server, "token": _token(cluster)})
    _start(host)
    write_vip(cluster, host, member)


def bootstrap_token(kubectl: Kubectl) -> str:
    """Nothing: hosts join with the cluster's own token, which never stands in a command line."""
    del kubectl
    return ""


def import_images(host: NodeHost, version: str, *, control_plane: bool) -> None:
    """Put the archives of images where k3s takes them from when it starts."""
    del control_plane
    folders = f"{RELEASES}/{version}/images {RELEASES}/images"
    place = "/var/lib/rancher/k3s/agent/images"
    host.shell(f"mkdir -p {place}; find {folders} -name '*.tar*' -exec cp -u {{}} {place}/ \\;", timeout=180.0)


def write_network(cluster: Cluster, host: NodeHost, uid: str) -> bool:
    """Nothing: flannel, which is within k3s, keeps the routes."""
    del cluster, host, uid
    return False


def upgrade(host: NodeHost, member: Member, version: str, *, first: bool) -> None:
    """Bring the node, which is drained, to the version: another program, and another start."""
    del member, first
    for program in ("k3s", "kubectl"):
        host.link(f"usr/bin/{program}", f"{RELEASES}/{version}/{program}")
    host.run(["systemctl", "restart", "k3s.service"], timeout=_STARTED_WITHIN)


def _configure(cluster: Cluster, host: NodeHost, member: Member, more: dict[str, object]) -> None:
    """The settings of k3s, in its file: JSON is YAML too."""
    settings: dict[str, object] = {"node-name": host.node, "node-ip": host.address, **more}
    if member.control_plane:
        settings |= {
            "tls-san": sorted({"127.0.0.1", cluster.addresses.endpoint}),
            "flannel-backend": "host-gw",
            "disable": _DISABLED,
            "disable-network-policy": True,
            "cluster-cidr": cluster.addresses.pods,
            "service-cidr": cluster.addresses.services,
            "write-kubeconfig-mode": "0600",
        }
    host.put(_CONFIG, json.dumps(settings, indent=2) + "\n", mode=0o600)


def _start(host: NodeHost) -> None:
    host.run(["systemctl", "enable", "--quiet", "k3s.service"])
    host.run(["systemctl", "restart", "k3s.service"], timeout=_STARTED_WITHIN)


def _token(cluster: Cluster) -> str:
    """The cluster's token, made once and kept."""
    path = cluster.folder / "token"
    if not path.is_file():
        write_text(path, secrets.token_hex(16), mode=0o600)
    return path.read_text().strip()
