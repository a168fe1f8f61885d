# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Edge host says about itself, in one script."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ansible_collections.palette.edge.plugins.plugin_utils._script import Output, quote

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The kernel's words for an architecture, and Palette's."""

FACTS = """
one() { if [ -r "$2" ]; then v=; IFS= read -r v < "$2" || :; say "$1" "$v"; fi; }
one boot_id /proc/sys/kernel/random/boot_id
one machine_id /etc/machine-id
one uptime /proc/uptime
say host_name "$(uname -n)"
say kernel "$(uname -r)"
say machine "$(uname -m)"
say user "$(id -u) $(id -un 2>/dev/null)"
if [ -r /etc/os-release ]; then
  while IFS= read -r l; do
    case "$l" in ID=*|VERSION_ID=*|PRETTY_NAME=*) say os "$l" ;; esac
  done < /etc/os-release
fi
say cpus "$(grep -c "^processor" /proc/cpuinfo 2>/dev/null)"
while IFS= read -r l; do
  case "$l" in MemTotal:*) say memory "$l"; break ;; esac
done < /proc/meminfo
for p in python3 python /usr/libexec/platform-python; do
  p=$(command -v "$p" 2>/dev/null) && { say python "$p"; break; }
done
[ -d /oem ] && say oem yes
for p in /etc/kairos-release /run/cos /run/elemental /etc/kairos /system/oem; do
  [ -e "$p" ] && { say kairos "$p"; break; }
done
[ -d /opt/spectrocloud ] && say agent /opt/spectrocloud
for d in /sys/class/net/*; do
  [ -e "$d/address" ] || continue
  m=; s=; u=
  IFS= read -r m < "$d/address" || :
  IFS= read -r s < "$d/operstate" || :
  IFS= read -r u < "$d/mtu" || :
  say nic "${d##*/} ${m:--} ${s:-unknown} ${u:-0}"
done
if command -v ip >/dev/null 2>&1; then
  ip -o addr show 2>/dev/null | while IFS= read -r l; do say address "$l"; done
  ip route show default 2>/dev/null | while IFS= read -r l; do say route "$l"; done
  ip -6 route show default 2>/dev/null | while IFS= read -r l; do say route "$l"; done
fi
command -v systemctl >/dev/null 2>&1 && say system_state "$(systemctl is-system-running 2>/dev/null)"
"""
"""The body of the facts script, between PRELUDE and END."""


def checksum_script(files: Sequence[str]) -> str:
    """The lines that add the SHA-256 of `files` (absolute paths)."""
    lines = ['sum() { h=; [ -f "$2" ] && h=$(sha256sum < "$2" 2>/dev/null); h=${h%% *}; say file "$1 ${h:--}"; }']
    lines += [f"sum {number} {quote(path)}" for number, path in enumerate(files)]
    return "\n".join(lines) + "\n" if files else ""


def read_facts(output: Output, files: Sequence[str] = ()) -> dict[str, t.Any]:
    """The facts as a plain mapping; its shape is in the documentation of the module host_facts."""
    uid, dummy, user = output.first("user").partition(" ")
    machine = output.first("machine")
    release = dict(line.partition("=")[::2] for line in output.all("os"))
    interfaces = _interfaces(output)
    kairos, agent = output.first("kairos"), output.first("agent")
    return {
        "boot_id": output.first("boot_id"),
        "machine_id": output.first("machine_id"),
        "host_name": output.first("host_name"),
        "kernel": output.first("kernel"),
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": {
            "id": release.get("ID", "").strip("\"'"),
            "version": release.get("VERSION_ID", "").strip("\"'"),
            "name": release.get("PRETTY_NAME", "").strip("\"'"),
        },
        "cpus": _number(output.first("cpus")),
        "memory_mib": _number([*output.first("memory").split(), "", ""][1]) // 1024,
        "uptime_seconds": _number(output.first("uptime").split(".")[0]),
        "user": user,
        "root": uid == "0",
        "python": output.first("python"),
        "oem": bool(output.first("oem")),
        "deployment": "appliance" if kairos else "agent" if agent else "unknown",
        "system_state": output.first("system_state"),
        "interfaces": interfaces,
        "addresses": [address for nic in interfaces for address in nic["addresses"] if _is_global(address)],
        "gateway": _gateway(output),
        "files": {path: _checksum(output, number) for number, path in enumerate(files)},
    }


def same_host(before: dict[str, t.Any], after: dict[str, t.Any]) -> bool:
    """Whether two sets of facts are of one machine: by its machine ID, else by the MAC address of any NIC."""
    if before["machine_id"] and before["machine_id"] == after["machine_id"]:
        return True
    mine, theirs = _macs(before), _macs(after)
    return bool(mine & theirs) or not (mine or theirs or before["machine_id"])


def _macs(facts: dict[str, t.Any]) -> set[str]:
    # 02:42 is what container engines derive from an address: the same on every host.
    return {
        nic["mac"] for nic in facts["interfaces"] if nic["mac"] and not nic["mac"].startswith(("00:00:00:00", "02:42:"))
    }


def _interfaces(output: Output) -> list[dict[str, t.Any]]:
    found: dict[str, dict[str, t.Any]] = {}
    for line in output.all("nic"):
        parts = line.split()
        if len(parts) == 4 and parts[0] != "lo":
            name, mac, state, mtu = parts
            found[name] = {
                "name": name,
                "mac": "" if mac == "-" else mac.lower(),
                "state": state,
                "mtu": _number(mtu),
                "addresses": [],
            }
    for line in output.all("address"):
        # 2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0
        parts = line.split()
        if len(parts) >= 4 and parts[2] in {"inet", "inet6"} and (nic := found.get(parts[1].split("@")[0])):
            nic["addresses"].append(parts[3])
    return sorted(found.values(), key=lambda nic: str(nic["name"]))


def _gateway(output: Output) -> dict[str, str]:
    for line in output.all("route"):
        words = line.split()
        if "via" in words and "dev" in words[:-1]:
            return {"address": words[words.index("via") + 1], "interface": words[words.index("dev") + 1]}
    return {"address": "", "interface": ""}


def _checksum(output: Output, number: int) -> dict[str, t.Any]:
    for line in output.all("file"):
        which, dummy, checksum = line.partition(" ")
        if which == str(number):
            return {"exists": checksum != "-", "sha256": "" if checksum == "-" else checksum}
    return {"exists": False, "sha256": ""}


def _is_global(address: str) -> bool:
    return not address.startswith(("127.", "::1", "fe80:"))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
