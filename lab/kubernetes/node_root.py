"""What the root of a host holds beside the plain one, so that the host can become a node of a Kubernetes.

Nothing of it runs until the host joins a cluster, apart from ``lab-node.service``, which makes the guest a place where
kubelet starts: nspawn keeps the control groups and the kernel's settings read-only.
"""

from __future__ import annotations

from collections.abc import Mapping

PACKAGES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "conntrack",
    "iptables",
    "ethtool",
    "socat",
    "kmod",
    "mount",
    "util-linux",
    "keepalived",
    "curl",
    "busybox-static",
)

# Where the guests see the provider's directory.
RELEASES = "/opt/kubernetes"

# kubelet insists on a few settings of the kernel, which belong to the whole machine. It reads them and writes nothing
# when they are as it wants: small files over them are all that it takes, and the machine's own stay as they are.
_PREPARE = """\
#!/bin/sh
set -u
for group in cpuset cpu cpuacct devices pids blkio freezer memory; do
    if [ -d "/sys/fs/cgroup/$group" ]; then mount -o remount,bind,rw "/sys/fs/cgroup/$group"; fi
done
folder=/run/lab-node/sysctl
mkdir -p "$folder"
while read -r name value; do
    path=/proc/sys/$(echo "$name" | tr . /)
    if [ -e "$path" ] && [ "$(cat "$path")" != "$value" ]; then
        echo "$value" >"$folder/$name"
        mount --bind "$folder/$name" "$path"
    fi
done <<TEXT
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
TEXT
echo 1 >/proc/sys/net/ipv4/ip_forward
# Nothing of a cloud answers there, and asking takes time.
ip route replace unreachable 169.254.169.254
"""

_PREPARE_UNIT = """\
[Unit]
Description=What a node of a Kubernetes needs of this guest
Before=containerd.service kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/lab-node/prepare
[Install]
WantedBy=multi-user.target
"""

# The other nodes' pods are reached through their hosts: all of them are on one bridge.
_ROUTES = """\
#!/bin/sh
while read -r pods host; do
    tries=0
    until ip route replace "$pods" via "$host"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || break
        sleep 0.1
    done
done </etc/lab-node/routes
"""

_ROUTES_UNIT = """\
[Unit]
Description=Routes to the pods of the other nodes
After=systemd-networkd.service
ConditionPathExists=/etc/lab-node/routes
[Service]
Type=oneshot
ExecStart=/usr/lib/lab-node/routes
[Install]
WantedBy=multi-user.target
"""

# Whether the VIP may be here: where an API server is expected, it has to answer.
_API = """\
#!/bin/sh
[ -e /etc/lab-node/api ] || exit 0
ask="curl --silent --insecure --max-time 3 --output /dev/null --write-out %{http_code}"
# 401: it is well, and tells so to those alone whom it knows.
case $($ask https://127.0.0.1:6443/healthz) in
    200 | 401) exit 0 ;;
esac
exit 1
"""

_KUBELET_UNIT = """\
[Unit]
Description=kubelet
After=containerd.service lab-node.service
Wants=containerd.service
ConditionPathExists=/var/lib/kubelet/config.yaml
[Service]
Environment=KUBELET_BOOTSTRAP_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf
Environment=KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf
Environment=KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml
Environment=AWS_EC2_METADATA_DISABLED=true
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=/usr/bin/kubelet $KUBELET_BOOTSTRAP_ARGS $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS \\
    $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
Restart=always
StartLimitInterval=0
RestartSec=2
[Install]
WantedBy=multi-user.target
"""

# What kubeadm of a version before it spoke to containerd itself asks crictl, answered by ctr. A provider that has the
# real one delivers it beside kubeadm, which is looked for first.
_CRICTL = """\
#!/bin/sh
images="ctr --namespace k8s.io images"
while [ $# -gt 0 ]; do
    case $1 in
        -r | --runtime-endpoint | -i | --image-endpoint | --timeout) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
command=$1
shift
case $command in
    info) exec ctr version ;;
    inspecti | pull)
        for name in "$@"; do :; done
        $images list --quiet | grep -qxF -e "$name" -e "docker.io/library/$name" || {
            echo "image $name is not among those that the lab delivers" >&2
            exit 1
        } ;;
    pods) exec ctr --namespace k8s.io containers list --quiet ;;
    stopp | rmp) exit 0 ;;
    *)
        echo "crictl $command: not known to the lab" >&2
        exit 1 ;;
esac
"""

# Where Palette's hosts have it. The lab's etcd runs in a pod, whose image has the program, and sees the same certificates.
_ETCDCTL = """\
#!/bin/sh
tasks=$(ctr --namespace k8s.io tasks list | awk '$3 == "RUNNING" {print $1}')
for id in $(ctr --namespace k8s.io containers list --quiet 'labels."io.kubernetes.container.name"==etcd'); do
    case " $(echo $tasks) " in
        *" $id "*) exec ctr --namespace k8s.io tasks exec --exec-id "etcdctl-$$" "$id" etcdctl "$@" ;;
    esac
done
echo "etcd does not run on this host" >&2
exit 1
"""

_NETWORKD = """\
[Network]
ManageForeignRoutes=no
ManageForeignRoutingPolicyRules=no
"""

_SSHD = "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n"

FILES: Mapping[str, tuple[str, int]] = {
    "/usr/lib/lab-node/prepare": (_PREPARE, 0o755),
    "/etc/systemd/system/lab-node.service": (_PREPARE_UNIT, 0o644),
    "/usr/lib/lab-node/routes": (_ROUTES, 0o755),
    "/usr/lib/lab-node/api": (_API, 0o755),
    "/etc/systemd/system/lab-routes.service": (_ROUTES_UNIT, 0o644),
    "/etc/systemd/system/kubelet.service": (_KUBELET_UNIT, 0o644),
    "/usr/local/bin/crictl": (_CRICTL, 0o755),
    "/opt/spectrocloud/bin/etcdctl": (_ETCDCTL, 0o755),
    "/etc/systemd/networkd.conf.d/50-lab-node.conf": (_NETWORKD, 0o644),
    "/etc/ssh/sshd_config.d/60-lab-node.conf": (_SSHD, 0o644),
}

CUSTOMIZE = """\
systemctl --root="$root" --quiet enable lab-node.service lab-routes.service
systemctl --root="$root" --quiet disable containerd.service keepalived.service
rm -rf "$root/etc/cni/net.d" "$root/var/lib/containerd"
mkdir -p "$root/etc/cni/net.d" "$root/var/lib/containerd" "$root/opt/kubernetes" "$root/etc/lab-node"
mkdir -p "$root/etc/ssh/authorized_keys.d"
"""
