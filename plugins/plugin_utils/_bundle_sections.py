# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a support bundle consists of: names of sections and the shell lines that print them.

The lines use no single quotes, find their programs missing without a fuss, and are ended when they take too long (`lim`).
"""

from __future__ import annotations

STATE: tuple[tuple[str, str], ...] = (
    ("boot/cmdline", "cat /proc/cmdline"),
    (
        "boot/entries",
        (
            "ls /run/cos 2>/dev/null; g=$(command -v grub2-editenv || command -v grub-editenv)"
            " && [ -s /oem/grubenv ] && $g /oem/grubenv list"
        ),
    ),
    ("state/time", "date -u +%s; date; lim timedatectl; lim chronyc tracking"),
    ("state/system", "uname -a; cat /etc/os-release /etc/kairos-release 2>/dev/null; cat /proc/uptime; hostname"),
    ("state/memory", "cat /proc/meminfo; cat /proc/loadavg"),
    ("state/swaps", "cat /proc/swaps"),
    ("state/df", "lim df -PkT 2>/dev/null || lim df -Pk"),
    ("state/inodes", "lim df -PiT 2>/dev/null || lim df -Pi"),
    ("state/mounts", "cat /proc/mounts"),
    ("state/disks", "lim lsblk -o NAME,TYPE,SIZE,FSTYPE,LABEL,MOUNTPOINT"),
    ("state/discard", "lim lsblk -D -n -l -o NAME,TYPE,DISC-MAX"),
    ("state/processes", "ps -eo pid,user,rss,stat,lstart,comm 2>/dev/null || ps"),
    ("state/selinux", "lim getenforce; lim aa-status --enabled && echo AppArmor is on"),
    (
        "state/files",
        (
            "for p in / /tmp /var/tmp /oem /opt/cni/bin /opt/cni/bin/* /var/lib/kubelet/kubeadm-flags.env; do"
            ' [ -e "$p" ] && stat -c "%n %a %U:%G" "$p"; done; ls -Z /var/lib/kubelet/kubeadm-flags.env 2>/dev/null'
        ),
    ),
    ("network/addresses", "lim ip -o addr show; lim ip -o link show"),
    ("network/routes", "lim ip route show; lim ip -6 route show; lim ip rule show"),
    ("network/links", "lim networkctl --no-pager --no-legend list"),
    ("network/names", "cat /etc/resolv.conf /etc/hosts; lim resolvectl --no-pager status"),
    ("network/sockets", "lim ss -lntup"),
    (
        "network/proxy",
        (
            'grep -ihs "_proxy" /etc/environment /etc/systemd/system/*.service.d/*proxy*.conf'
            " /etc/default/kubelet /etc/default/k3s /etc/default/rke2-server"
        ),
    ),
    ("units/failed", "lim systemctl --failed --no-legend --plain --no-pager"),
    (
        "units/known",
        "lim systemctl list-units --all --no-legend --plain --no-pager "
        + " ".join(
            f'"{name}*"'
            for name in (
                "stylus",
                "spectro",
                "palette",
                "cos-setup",
                "kubelet",
                "containerd",
                "k3s",
                "rke2",
                "snap.k8s",
            )
        ),
    ),
    ("units/system", "lim systemctl is-system-running"),
    (
        "content/empty",
        (
            "[ -d $R/usr/local/spectrocloud/peerbundle ] &&"
            " lim find $R/usr/local/spectrocloud/peerbundle/sha256 -type f -size 0 2>/dev/null | head -n 200"
        ),
    ),
    ("content/sizes", "lim du -sk /usr/local/spectrocloud /opt/spectrocloud /var/lib/containerd /var/log 2>/dev/null"),
    (
        "certificates/dates",
        (
            "for p in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem"
            " /var/lib/rancher/k3s/server/tls/*.crt /var/lib/rancher/rke2/server/tls/*.crt; do"
            ' [ -r "$p" ] && echo "$p $(lim openssl x509 -noout -enddate -in "$p" 2>&1 | head -n 1)"; done; '
            'if ss -lnt 2>/dev/null | grep -q ":30003 "; then echo "registry:30003 $(echo | lim openssl s_client -connect'
            ' 127.0.0.1:30003 2>/dev/null | openssl x509 -noout -enddate 2>&1 | head -n 1)"; fi'
        ),
    ),
    ("kubernetes/versions", "lim kubelet --version; lim containerd --version; lim k3s --version; lim rke2 --version"),
    ("kubernetes/nodes", "k get nodes -o wide"),
    ("kubernetes/pods", "k get pods -A -o wide"),
    ("kubernetes/events", "k get events -A --sort-by=.lastTimestamp | tail -n 300"),
    ("kubernetes/services", "k get services -A"),
    (
        "kubernetes/arguments",
        (
            "grep -hsoE -- "
            '"--(cluster-cidr|service-cluster-ip-range|pod-network-cidr)=[^ \\"]*" /etc/kubernetes/manifests/*.yaml;'
            ' grep -hsE "^ *(cluster-cidr|service-cidr):" /etc/rancher/k3s/config.yaml /etc/rancher/rke2/config.yaml'
            " /etc/rancher/k3s/config.d/* /etc/rancher/rke2/config.d/*"
        ),
    ),
    ("kubernetes/containers", "lim crictl ps -a || lim ctr -n k8s.io containers list"),
)
"""Small sections, all asked for in the first round trip."""

UNITS = (
    "stylus-agent", "stylus-operator", "palette-tui", "palette-agent", "spectro-init", "spectro-stylus-agent",
    "spectro-stylus-operator", "spectro-palette-tui", "spectro-containerd", "kubelet", "containerd", "k3s", "k3s-agent",
    "rke2-server", "rke2-agent", "systemd-networkd", "systemd-resolved", "systemd-timesyncd", "chronyd", "ssh", "sshd",
)  # fmt: skip
"""Units whose journal is of interest; of `UNIT_PATTERNS` those that the host has."""

UNIT_PATTERNS = ("spectro-palette-agent-*", "cos-setup-*", "snap.k8s.*")

LOGS = (
    "/var/log/stylus-*.log", "/var/log/palette-agent*.log", "/var/log/provider-*.log", "/var/log/kube-*.log",
    "/var/log/cos*.log", "/var/log/kairos/*.log", "/opt/spectrocloud/logs/*.log",
    "/var/log/pods/kube-system_kube-vip*/kube-vip/*.log", "/var/log/containers/*stylus*.log",
)  # fmt: skip
"""Log files, by pattern; below the agent's own root too, where it has one."""

LAYERS = ("/oem/*.yaml", "/oem/*.yml", "/oem/userdata", "/oem/user-data", "/run/stylus/userdata")
"""User-data, which goes into the bundle with its secrets hidden."""

SECRETS = (
    "/opt/spectrocloud/.upload-auth-token", "/oem/.stylus-state", "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/rke2/server/token", "/etc/rancher/k3s/token", "/etc/rancher/node/password",
)  # fmt: skip
"""Files that do not go into the bundle; what they hold is hidden everywhere."""

VENDOR_SCRIPTS = tuple(
    f"$R/opt/spectrocloud/{folder}/support-bundle-{kind}.sh"
    for folder in ("scripts", "bin")
    for kind in ("edge", "infra")
)
