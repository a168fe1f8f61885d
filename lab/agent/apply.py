"""Applying user-data to a host's root while the host does not run, as the agent of a real one does at boot."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.agent.user_data import NIC, UserData
from lab.hosts.rootfs import inside, present, put

_CA_FOLDER = "usr/local/share/ca-certificates"
_CA_NAME = re.compile(r"^palette-\d+\.crt$")
_BEGIN, _END = "# begin: set by the Palette agent", "# end: set by the Palette agent"


@dataclass(frozen=True)
class Lease:
    """What DHCP would give: ``address`` with prefix, and the gateway."""

    address: str = ""
    gateway: str = ""


def apply(root: Path, user_data: UserData, lease: Lease) -> list[str]:
    """Bring the root into the shape that the user-data asks for; returns the paths that changed, from the root.

    Raises OSError, also when a folder of the root is a link that leads out of it.
    """
    address, gateway = user_data.address, user_data.gateway
    if not address:
        address, gateway = lease.address, lease.gateway
    name = user_data.host_name
    wanted = {
        "etc/hostname": f"{name}\n",
        # Without its own name here, sudo asks the name server of an unconnected network and hangs.
        "etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost\n",
        f"etc/systemd/network/10-{NIC}.network": _network(address, gateway, user_data.nameservers),
        "etc/resolv.conf": _resolver(user_data.nameservers),
        "etc/environment": _environment(present(root, "etc/environment") or "", user_data),
        "etc/systemd/timesyncd.conf": _time(user_data.ntp_servers),
    }
    changed = [path for path, text in wanted.items() if put(root, path, text)]
    return changed + _certificates(root, user_data.ca_certs)


def _network(address: str, gateway: str, nameservers: tuple[str, ...]) -> str:
    lines = ["[Match]", f"Name={NIC}", "", "[Network]", "LinkLocalAddressing=no", "IPv6AcceptRA=no"]
    lines += [f"Address={address}"] if address else []
    lines += [f"Gateway={gateway}"] if gateway else []
    lines += [f"DNS={server}" for server in nameservers]
    return "\n".join(lines) + "\n"


def _resolver(nameservers: tuple[str, ...]) -> str:
    lines = [f"nameserver {server}" for server in nameservers]
    return "\n".join([*lines, "options timeout:1 attempts:1"]) + "\n" if lines else ""


def _environment(before: str, user_data: UserData) -> str:
    """The file with our part replaced; lines of others stay."""
    kept = re.sub(f"(?ms)^{re.escape(_BEGIN)}$.*?^{re.escape(_END)}$\n?", "", before)
    if not user_data.proxy:
        return kept
    lines = [f'{form}="{value}"' for key, value in user_data.proxy.items() for form in (key.upper(), key)]
    return kept + "\n".join([_BEGIN, *lines, _END]) + "\n"


def _time(servers: tuple[str, ...]) -> str:
    return "[Time]\n" + (f"NTP={' '.join(servers)}\n" if servers else "")


def _certificates(root: Path, certificates: tuple[str, ...]) -> list[str]:
    folder = inside(root, _CA_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"palette-{number}.crt": text for number, text in enumerate(certificates, start=1)}
    changed = [f"{_CA_FOLDER}/{name}" for name, text in wanted.items() if put(root, f"{_CA_FOLDER}/{name}", text)]
    for stale in sorted(path for path in folder.iterdir() if _CA_NAME.match(path.name) and path.name not in wanted):
        stale.unlink()
        changed.append(f"{_CA_FOLDER}/{stale.name}")
    if changed:
        _update_certificates(root)
    return changed


def _update_certificates(root: Path) -> None:
    done = subprocess.run(
        [shutil.which("chroot") or "/usr/sbin/chroot", str(root), "/usr/sbin/update-ca-certificates", "--fresh"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise OSError(f"update-ca-certificates failed with status {done.returncode}: {' '.join(done.stderr.split())}")
