# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs of a failure that no single line shows: each yields (section, what is seen)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime, timezone

from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis import Check, Evidence, Seen

_VIRTUAL = re.compile(
    r"^(lo|veth|cali|cilium|lxc|flannel|cni|docker|br-|kube|vxlan|tunl|scbr|nodelocaldns|virbr|wg|dummy|azv)"
)
_IMAGES = {
    "squashfs",
    "iso9660",
    "erofs",
    "tmpfs",
    "devtmpfs",
    "efivarfs",
    "nsfs",
    "cgroup2",
    "proc",
    "sysfs",
    "autofs",
}
_SKEW = 30.0
_FULL, _NEARLY_FULL = 95, 85


def skewed_clock(evidence: Evidence) -> Iterator[Seen]:
    """The host's clock against the one here."""
    first = evidence.text("state/time").split("\n", 1)[0].strip()
    if first.isdigit() and evidence.now:
        ahead = float(first) - evidence.now
        behind = (evidence.began or evidence.now) - float(first)
        if max(ahead, behind) > _SKEW:
            off = f"{ahead:.0f} s ahead of" if ahead > 0 else f"{behind:.0f} s behind"
            yield "state/time", f"the clock is {off} the control node's"


def full_disks(section: str, *, nearly: bool) -> Check:
    """File systems that are full, or nearly so, of those that can be written."""

    def check(evidence: Evidence) -> Iterator[Seen]:
        read_only = {
            words[1] for words in evidence.table("state/mounts", least=4) if "ro" in words[3].split(",")
        }  # an image that is mounted is as large as what is in it
        said = set()
        for words in evidence.table(section, least=6):
            share, point = words[-2].rstrip("%"), words[-1]
            kind = words[1] if len(words) >= 7 else ""
            if not share.isdigit() or kind in _IMAGES or point in read_only or words[0].startswith("/dev/loop"):
                continue
            wanted = _NEARLY_FULL <= int(share) < _FULL if nearly else int(share) >= _FULL
            # The same disk is mounted in many places of an appliance host.
            if wanted and (words[0], share) not in said:
                said.add((words[0], share))
                what = "of its inodes " if section.endswith("inodes") else ""
                yield section, f"{point} is {share} % {what}full"

    return check


def old_certificates(*, days: int, least: int | None = None, registry: bool | None = None) -> Check:
    """Certificates that expire within `days` days, and not within `least`."""

    def check(evidence: Evidence) -> Iterator[Seen]:
        for line in evidence.text("certificates/dates").splitlines():
            name, dummy, rest = line.partition(" ")
            date = re.search(r"notAfter=(\w{3} +\d+ [\d:]+ \d{4})", rest)
            if date is None or (registry is not None and registry != name.startswith("registry:")):
                continue
            ends = datetime.strptime(" ".join(date[1].split()), "%b %d %H:%M:%S %Y").replace(tzinfo=timezone.utc)
            left = (ends.timestamp() - evidence.now) / 86400
            if left < days and (least is None or left >= least):
                yield "certificates/dates", f"{name} {'expired' if left < 0 else 'expires'} on {ends:%d %b %Y}"

    return check


def empty_content(evidence: Evidence) -> Iterator[Seen]:
    """Files of the content without content."""
    paths = [line for line in evidence.text("content/empty").splitlines() if line.startswith("/")]
    if paths:
        yield "content/empty", f"{len(paths)} empty file{'s' * (len(paths) > 1)} in the content, such as {paths[0]}"


def lost_addresses(evidence: Evidence) -> Iterator[Seen]:
    """NICs that networkd cannot set up and that have no address."""
    addressed = {words[1] for words in evidence.table("network/addresses", least=4) if words[2] == "inet"}
    for words in evidence.table("network/links", least=5):
        name, state = words[1], words[4]
        if state in {"configuring", "failed", "pending"} and name not in addressed and not _VIRTUAL.match(name):
            yield "network/links", f"{name} has no address and is {state}"


def missing_webhook(evidence: Evidence) -> Iterator[Seen]:
    """No pod of Palette's webhook, where its others are."""
    names = [words[1] for words in evidence.table("kubernetes/pods", least=4) if words[0] == "palette-system"]
    if any("palette-lite-controller" in name for name in names) and not any(
        "palette-webhook" in name for name in names
    ):
        yield "kubernetes/pods", f"palette-system has {len(names)} pods, and none of palette-webhook"


def overlapping_pods(evidence: Evidence) -> Iterator[Seen]:
    """Networks of pods or services in which the host's own addresses lie."""
    own = []
    for words in evidence.table("network/addresses", least=4):
        if words[2] == "inet" and not _VIRTUAL.match(words[1]):
            own.append((words[1], ipaddress.ip_interface(words[3])))
    for name, network in _cluster_networks(evidence):
        for nic, interface in own:
            if interface.network.prefixlen < 32 and interface.network.overlaps(network):
                yield "kubernetes/arguments", f"{name} {network} overlaps the network {interface.network} of {nic}"


def service_not_in_no_proxy(evidence: Evidence) -> Iterator[Seen]:
    """A proxy for everything, and the cluster's own service address not taken out of it."""
    settings = {}
    for line in evidence.text("network/proxy").splitlines():
        for name, value in re.findall(r"(?i)\b(https?_proxy|no_proxy)=\"?([^\"\n]*)", line):
            settings[name.lower()] = value
    if not (settings.get("http_proxy") or settings.get("https_proxy")):
        return
    spared = [part.strip() for part in re.split(r"[,\s]+", settings.get("no_proxy", "")) if part.strip()]
    for name, network in _cluster_networks(evidence):
        if name == "service-cidr":
            service = next(iter(network.hosts()), network.network_address)
            if not any(_spares(part, service) for part in spared):
                yield "network/proxy", f"noProxy does not have the service address {service} ({network})"


def foreign_cni_owner(evidence: Evidence) -> Iterator[Seen]:
    """CNI programs that are not root's."""
    for words in evidence.table("state/files", least=3):
        if words[0].startswith("/opt/cni/bin") and not words[2].startswith("root:"):
            yield "state/files", f"{words[0]} belongs to {words[2]}"


def closed_var_tmp(evidence: Evidence) -> Iterator[Seen]:
    """/var/tmp that not everybody may write to."""
    for words in evidence.table("state/files", least=3):
        if words[0] == "/var/tmp" and words[1] != "1777":
            yield "state/files", f"/var/tmp has mode {words[1]}"


def agent_off(evidence: Evidence) -> Iterator[Seen]:
    """The agent's unit is there and does not run, in a system where it should."""
    if "recovery_mode" in evidence.text("boot/entries"):
        return
    for words in evidence.table("units/known", least=4):
        # UNIT LOAD ACTIVE SUB
        if re.match(r"(spectro-)?stylus-(agent|operator)\.service", words[0]) and words[2] in {"inactive", "failed"}:
            yield "units/known", f"{words[0]} is {words[2]}"


def failed_units(evidence: Evidence) -> Iterator[Seen]:
    """Units that failed."""
    for words in evidence.table("units/failed", least=4):
        if "failed" in words[1:4] and not words[0].startswith("systemd-resolved"):
            yield "units/failed", f"{words[0]} failed"


def unready_nodes(evidence: Evidence) -> Iterator[Seen]:
    """Nodes that are not ready."""
    for words in evidence.table("kubernetes/nodes", least=5):
        if words[0] != "NAME" and words[1].startswith("NotReady"):
            yield "kubernetes/nodes", f"node {words[0]} is {words[1]}"


def unknown_pods(evidence: Evidence) -> Iterator[Seen]:
    """Pods of which nobody knows how they are, in a cluster with an overlay network."""
    if " scbr-100 " in evidence.text("network/addresses"):
        unknown = [words for words in evidence.table("kubernetes/pods", least=4) if words[3] == "Unknown"]
        if unknown:
            yield "kubernetes/pods", f"{len(unknown)} pods are Unknown, such as {unknown[0][0]}/{unknown[0][1]}"


def no_discard(evidence: Evidence) -> Iterator[Seen]:
    """Encrypted disks that do not pass on what is free."""
    for words in evidence.table("state/discard", least=3):
        if words[1] == "crypt" and words[2] in {"0", "0B"}:
            yield "state/discard", f"{words[0]} is encrypted and takes no discards"


def _cluster_networks(evidence: Evidence) -> Iterator[tuple[str, ipaddress.IPv4Network]]:
    found = re.findall(
        r"(cluster-cidr|pod-network-cidr|service-cidr|service-cluster-ip-range)[=:]\s*([\d./,]+)",
        evidence.text("kubernetes/arguments"),
    )
    for name, value in dict.fromkeys(found):
        for part in value.split(","):
            try:
                network = ipaddress.IPv4Network(part, strict=False)
            except ValueError:
                continue
            yield ("service-cidr" if name.startswith("service") else "pod-cidr"), network


def _spares(part: str, address: ipaddress.IPv4Address) -> bool:
    try:
        return address in ipaddress.IPv4Network(part, strict=False)
    except ValueError:
        return part == "*"
