# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known failures of Edge hosts: by what each is known, what it means, and what to do about it."""

from __future__ import annotations

from ansible_collections.palette.edge.plugins.plugin_utils import _diagnosis_checks as checks
from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis import WARNING, Rule

AGENT = ("journal/*stylus-agent", "journal/palette-agent", "journal/spectro-palette-agent*", "logs/*palette-agent*")
KUBELET = ("journal/kubelet", "journal/k3s*", "journal/rke2*")
SETUP = ("logs/*kube-init*", "logs/*kube-join*", "logs/*kube-upgrade*", "logs/*provider-*")

RULES: tuple[Rule, ...] = (
    # The system itself.
    Rule(
        name="upgrade-fell-back",
        where=("boot/cmdline",),
        pattern=r"\bupgrade_failure\b",
        means="An upgrade of the operating system did not boot, and the host fell back to its passive image.",
        do="Boot the active image: palette.edge.host_boot with entry active and reboot. When it falls back again, see"
        " /var/log/stylus-upgrade.log.",
    ),
    Rule(
        name="passive-image",
        where=("boot/cmdline",),
        pattern=r"^(?!.*\bupgrade_failure\b).*\bCOS_PASSIVE\b",
        severity=WARNING,
        means="The host runs its passive image, which is the profile before the last upgrade.",
        do="Boot the active image: palette.edge.host_boot with entry active and reboot.",
    ),
    Rule(
        name="recovery-system",
        where=("boot/entries",),
        pattern=r"^recovery_mode$",
        means="The host runs its recovery system: no agent, no Kubernetes.",
        do="Boot the active image: palette.edge.host_boot with entry active and reboot.",
    ),
    Rule(
        name="reset-pending",
        where=("boot/entries",),
        pattern=r"^next_entry=.*reset",
        severity=WARNING,
        means="The next boot, whatever brings it about, resets the host.",
        do="Take it back unless it is meant: palette.edge.host_boot with state absent.",
        source="general",
    ),
    Rule(
        name="disk-full",
        check=checks.full_disks("state/df", nearly=False),
        means="A file system is full. Images cannot be unpacked, logs and state cannot be written.",
        do="Make room (see content/sizes and journalctl --vacuum-size=200M), then reboot the host.",
        source="general",
    ),
    Rule(
        name="disk-nearly-full",
        check=checks.full_disks("state/df", nearly=True),
        severity=WARNING,
        means="A file system is nearly full. An upgrade needs two or three times the size of its content.",
        do="Make room before the next upgrade.",
        source="general",
    ),
    Rule(
        name="inodes-used-up",
        check=checks.full_disks("state/inodes", nearly=False),
        means="A file system has no inodes left, which is as good as full.",
        do="Remove what consists of very many small files.",
        source="general",
    ),
    Rule(
        name="disk-read-only",
        where=("journal/kernel",),
        pattern=r"(?i)remounting filesystem read-only",
        means="The kernel found the disk broken and let nobody write to it any more.",
        do="Check the disk's health and replace it; install the host anew.",
        source="general",
    ),
    Rule(
        name="memory-short",
        where=("journal/kernel",),
        pattern=r"Out of memory: Killed process",
        severity=WARNING,
        means="The host ran out of memory, and the kernel ended a process.",
        do="Give it more memory, or the workload less. On a single node, an upgrade runs old and new workload together:"
        " drain it (pack.drainPods: true).",
        source="general",
    ),
    Rule(
        name="clock-wrong",
        check=checks.skewed_clock,
        means="The clock is wrong, so certificates and tokens are refused, and etcd may lose its leader.",
        do="Set stylus.site.ntpServers to servers that the host reaches, and see timedatectl on the host.",
        source="field",
    ),
    Rule(
        name="resolver-down",
        where=("units/failed",),
        pattern=r"^systemd-resolved\.service",
        means="The name resolver does not start, which is known from a /var/tmp that not everybody may write to.",
        do="chmod a+rwxt /var/tmp, then systemctl enable --now systemd-resolved.",
    ),
    Rule(
        name="var-tmp-closed",
        check=checks.closed_var_tmp,
        severity=WARNING,
        means="Not everybody may write to /var/tmp; systemd-resolved and others fail to start for that.",
        do="chmod a+rwxt /var/tmp.",
    ),
    Rule(
        name="no-address",
        check=checks.lost_addresses,
        means="A NIC got no address after the boot, as is known of hosts on vSphere.",
        do="networkctl reload on the host; when it is by DHCP, see whether a server answers.",
    ),
    Rule(
        name="unit-failed",
        check=checks.failed_units,
        severity=WARNING,
        means="A unit of systemd failed.",
        do="systemctl status UNIT and its journal in the bundle tell why.",
        source="general",
    ),
    Rule(
        name="encrypted-disk-slow",
        check=checks.no_discard,
        severity=WARNING,
        means="The encrypted disk (Trusted Boot) never learns what is free, and slows down with time.",
        do="Enable discards in a stage of the OS layer: cryptsetup refresh --allow-discards --persistent, and fstrim.",
    ),
    # The agent and Palette.
    Rule(
        name="agent-not-running",
        check=checks.agent_off,
        means="Palette's agent is installed and does not run, so that nothing changes on this host.",
        do="systemctl restart the unit, and see its journal in the bundle.",
        source="general",
    ),
    Rule(
        name="registration-refused",
        where=AGENT,
        pattern=r"(?i)(regist\w*.*(\b40[13]\b|unauthori[sz]ed|forbidden|token (is |has )?"
        r"(invalid|expired|inactive|not found|unknown))|(invalid|expired|unknown) (edge ?host|registration) token)",
        unless=r"(?i)\bregistered (as|successfully)|registration (succeeded|successful)|heartbeat",
        last=200,
        means="Palette refuses the registration: the token is wrong, expired or inactive, or of another tenant.",
        do="Make or activate a token (palette.edge.registration_token), write it into the user-data, reboot. A wrong"
        " project in the user-data gives no error at all: check stylus.site.projectName.",
        source="field",
    ),
    Rule(
        name="endpoint-not-found",
        where=AGENT,
        pattern=r"(?i)(lookup|resolve) \S+.*(no such host|server misbehaving|i/o timeout)",
        unless=r"(?i)\bregistered\b|heartbeat",
        last=50,
        means="The agent cannot look up a name, most likely the Palette endpoint.",
        do="Check stylus.site.paletteEndpoint (a bare host name) and the name servers of the host.",
        source="field",
    ),
    Rule(
        name="proxy-refuses",
        where=(*AGENT, *KUBELET, "journal/*containerd"),
        pattern=r"(?i)proxyconnect tcp|proxy authentication required",
        last=100,
        means="The proxy is not there, or wants a password.",
        do="Check stylus.site.network.httpProxy and httpsProxy, with user and password where the proxy asks for them.",
        source="field",
    ),
    Rule(
        name="certificate-not-valid-now",
        where=(*AGENT, *KUBELET),
        pattern=r"x509: certificate has expired or is not yet valid",
        last=100,
        means="A certificate that the host was shown is not valid by the host's clock.",
        do="Check the clock first, then the certificate of whom the line names.",
        source="field",
    ),
    Rule(
        name="endpoint-not-trusted",
        where=AGENT,
        pattern=r"x509: certificate signed by unknown authority(?!.*(pod-registry|stylus-webhook))",
        last=100,
        means="The host does not trust the certificate of Palette, of a registry, or of a proxy that looks into TLS.",
        do="Put the authority's certificate into stylus.site.caCerts.",
        source="general",
    ),
    # Content.
    Rule(
        name="content-empty",
        check=checks.empty_content,
        means="An unclean reboot during the upload of content left files of no length, and content does not sync"
        ' ("content-length: 0").',
        do="Delete the empty files in /usr/local/spectrocloud/peerbundle/sha256/, then restart the agent"
        " (stylus-agent.service, or spectro-stylus-agent.service in agent mode).",
    ),
    Rule(
        name="content-length-zero",
        where=(*AGENT, "logs/*stylus*", "journal/*stylus*"),
        pattern=r"(?i)content-length: ?0\b",
        last=200,
        means="Content does not sync: a file in it has no length, after an unclean reboot during the upload.",
        do="Delete the empty files in /usr/local/spectrocloud/peerbundle/sha256/ on the host that sends, then restart its"
        " agent.",
    ),
    # Kubernetes.
    Rule(
        name="webhook-not-trusted",
        where=("kubernetes/*", "journal/*stylus*", "logs/*", *AGENT, *KUBELET),
        pattern=r"^(?=.*x509: certificate signed by unknown authority)(?=.*(pod-registry\.spectrocloud\.com|stylus-webhook))",
        last=500,
        means="The certificate of the agent's webhook was made twice at the start, and one side has the wrong one (agent"
        " mode). Packs show Invalid date.",
        do="Stop spectro-stylus-operator on all nodes; delete the secret stylus-webhook-tls and the service stylus-webhook"
        " in spectro-system and the MutatingWebhookConfiguration stylus-webhook; start the operators.",
    ),
    Rule(
        name="kernel-too-old",
        where=(*SETUP, *KUBELET, *AGENT),
        pattern=r"SystemVerification.*(?i:unsupported|not supported)",
        last=300,
        means="The kernel is too old for this Kubernetes: RHEL or Rocky 8 (4.18) with Kubernetes 1.32 or newer.",
        do="Install a kernel of 4.19 or newer (kernel-lt of ELRepo), or version 9 of the operating system.",
    ),
    Rule(
        name="kube-vip-without-names",
        where=("logs/*kube-vip*", *KUBELET),
        pattern=r"lookup kubernetes\S*\b.*no such host",
        last=50,
        means="kube-vip started before the names could be looked up, and stays down after a reboot of the control plane.",
        do="crictl stop and crictl rm the kube-vip container; the kubelet starts a new one.",
    ),
    Rule(
        name="service-behind-proxy",
        check=checks.service_not_in_no_proxy,
        severity=WARNING,
        means="There is a proxy, and the cluster's service network is not excepted. Canonical nodes do not return after a"
        " reboot for that.",
        do="Add the address to stylus.site.network.noProxy (the vendor's text says the second, its example the first address"
        " of the service network: add the network).",
    ),
    Rule(
        name="cilium-does-not-start",
        where=("kubernetes/pods",),
        pattern=r"\scilium-\S+\s+\d+/\d+\s+Init:(CrashLoopBackOff|Error)",
        means="Cilium's first containers may not enter the host's namespaces: AppArmor keeps nsenter out.",
        do="Annotate the DaemonSet so that these containers are unconfined"
        " (container.apparmor.security.beta.kubernetes.io/NAME: unconfined).",
    ),
    Rule(
        name="kubeadm-not-found",
        where=(*SETUP, *AGENT),
        pattern=r"(?i)kubeadm\"?: (command |executable file )?not found|kubeadm: no such file",
        last=200,
        means="Agent 4.5.14 looks for kubeadm at the wrong place when stylus.path is set.",
        do="Upgrade the agent. Until then, copy the binary in a stage.",
    ),
    Rule(
        name="pods-unknown",
        check=checks.unknown_pods,
        means="After a reboot with an overlay network, kube-vip lost its lease before the network was there.",
        do="Raise the lease of kube-vip to 30/20/4 s in the Kubernetes layer; agents of 4.9.34 and newer use 15/10/2.",
    ),
    Rule(
        name="webhook-pods-missing",
        check=checks.missing_webhook,
        means="palette-lite-controller-manager is stuck, and made no pods of palette-webhook.",
        do="Delete the pod of palette-lite-controller-manager in palette-system.",
    ),
    Rule(
        name="conversion-webhook-missing",
        where=("kubernetes/*", *KUBELET, *AGENT, "journal/*operator"),
        pattern=r"service \\?\"?\S*webhook-service\\?\"? not found",
        last=300,
        means="The conversion webhook of the CRDs of cluster.spectrocloud.com is set wrongly (agents before 4.9.38).",
        do="Upgrade Palette and the agent to 4.9.38 or newer.",
    ),
    Rule(
        name="cni-owner",
        check=checks.foreign_cni_owner,
        means="The CNI programs do not belong to root, and Cilium cannot replace them (PXK-E in agent mode).",
        do="chown -R root:root /opt/cni/bin, in a boot stage so that it stays.",
    ),
    Rule(
        name="kubelet-flags-label",
        where=KUBELET,
        pattern=r"kubeadm-flags\.env.*[Pp]ermission denied|[Pp]ermission denied.*kubeadm-flags\.env",
        last=200,
        means="SELinux keeps the kubelet from its flags: the file has a wrong label (Rocky with FIPS).",
        do="restorecon /var/lib/kubelet/kubeadm-flags.env, then restart the kubelet.",
    ),
    Rule(
        name="containerd-state",
        where=("journal/*containerd",),
        pattern=r"failed to recover state",
        last=100,
        means="containerd cannot read its own state after an upgrade to Kubernetes 1.29.14.",
        do="Stop containerd, wipe /var/lib/containerd, start it. All images on the host are lost: not without a registry"
        " that is reached.",
    ),
    Rule(
        name="pods-overlap-the-site",
        check=checks.overlapping_pods,
        means="Pods or services have the addresses of the site's own network, so DNS and the site are out of reach for"
        " them. The cluster stays in Provisioning though its nodes are ready.",
        do="Set podSubnet (PXK-E takes 192.168.0.0/16 by default) or the service network to something free, and make the"
        " cluster anew.",
        source="field",
    ),
    Rule(
        name="node-not-ready",
        check=checks.unready_nodes,
        means="Kubernetes does not count on the node. Changes of the profile are not applied until it is repaired.",
        do="See journal/kubelet of that host, and the other findings.",
        source="general",
    ),
    Rule(
        name="swap-on",
        where=KUBELET,
        pattern=r"(?i)running with swap on is not supported",
        last=100,
        means="The kubelet does not start while there is swap.",
        do="swapoff -a, and take the swap out of /etc/fstab.",
        source="general",
    ),
    # Certificates.
    Rule(
        name="registry-certificate",
        check=checks.old_certificates(days=15, registry=True),
        means="The certificate of the registry in the cluster expires, and zot up to 0.1.89 or harbor up to 1.19.0 do not"
        " renew it. Then images cannot be pulled, and nothing can be scaled, repaved or replaced.",
        do="Upgrade to zot 0.1.89-rev2 or harbor 1.19.0-rev1 with cert-manager and the preset that uses it. Do not delete"
        " root-ca-secret and zot-tls.",
    ),
    Rule(
        name="certificate-expired",
        check=checks.old_certificates(days=0, registry=False),
        means="A certificate of the control plane has expired.",
        do="Renew the certificates of the cluster: palette.edge.cluster_certificates.",
    ),
    Rule(
        name="certificate-expires",
        check=checks.old_certificates(days=30, least=0, registry=False),
        severity=WARNING,
        means="A certificate of the control plane expires within 30 days, when it should have been renewed by itself.",
        do="Renew the certificates of the cluster: palette.edge.cluster_certificates.",
    ),
)
