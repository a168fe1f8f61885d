"""Applying user-data to a host's root while the host does not run, as the agent of a real one does at boot."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.agent import stages
from lab.agent.user_data import NIC, UserData
from lab.hosts.rootfs import inside, present, put

_CA_FOLDER = "usr/local/share/ca-certificates"
_CA_NAME = re.compile(r"^palette-\d+\.crt$")
_NETWORKS = "etc/systemd/network"
_LEASE = "50-lab-lease.conf"
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
    from_steps = stages.network_files(user_data.steps)
    own = {NIC: _network(NIC, address, gateway, user_data.nameservers)}
    own |= {nic.name: _network(nic.name, nic.address, nic.gateway, (nic.nameserver,)) for nic in user_data.nics}
    networks = {**from_steps, **{f"10-{nic}.network": text for nic, text in own.items()}}
    wanted = {
        "etc/hostname": f"{name}\n",
        # Without its own name here, sudo asks the name server of an unconnected network and hangs.
        "etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost\n",
        **{f"{_NETWORKS}/10-{nic}.network": text for nic, text in own.items()},
        **{f"{_NETWORKS}/{file}.d/{_LEASE}": _lease(lease) for file in _on_lease(from_steps)},
        "etc/resolv.conf": _resolver(user_data.nameservers, networks),
        "etc/environment": _environment(present(root, "etc/environment") or "", user_data),
        "etc/systemd/timesyncd.conf": _time(user_data.ntp_servers),
    }
    stale = _stale(root, wanted)
    for path in stale:
        inside(root, path).unlink()
    changed = [path for path, text in wanted.items() if put(root, path, text)]
    accounts = {"initramfs": ({"name": "Users of stylus.site", "users": user_data.users},)} if user_data.users else {}
    steps = {
        stage: (*accounts.get(stage, ()), *user_data.steps.get(stage, ())) for stage in {**accounts, **user_data.steps}
    }
    return stale + changed + stages.lay_out(root, steps) + _certificates(root, user_data.ca_certs)


def _stale(root: Path, wanted: dict[str, str]) -> list[str]:
    """Our files for NICs and leases that are not wanted any more."""
    folder = inside(root, f"{_NETWORKS}/x").parent
    ours = [*folder.glob("10-host[0-9].network"), *folder.glob(f"*.network.d/{_LEASE}")]
    found = (f"{_NETWORKS}/{path.relative_to(folder)}" for path in ours)
    return sorted(path for path in found if path not in wanted)


def _on_lease(networks: dict[str, str]) -> list[str]:
    """The files for the first NIC that ask for DHCP: nobody in the lab serves it, so the lease is laid beside them."""
    return [name for name, text in networks.items() if f"\nName={NIC}\n" in text and "\nDHCP=yes\n" in text]


def _lease(lease: Lease) -> str:
    lines = ["[Network]", *([f"Address={lease.address}"] if lease.address else [])]
    return "\n".join([*lines, *([f"Gateway={lease.gateway}"] if lease.gateway else [])]) + "\n"


def _network(nic: str, address: str, gateway: str, nameservers: tuple[str, ...]) -> str:
    lines = ["[Match]", f"Name={nic}", "", "[Network]", "LinkLocalAddressing=no", "IPv6AcceptRA=no"]
    lines += [f"Address={address}"] if address else []
    lines += [f"Gateway={gateway}"] if gateway else []
    lines += [f"DNS={server}" for server in nameservers if server]
    return "\n".join(lines) + "\n"


def _resolver(nameservers: tuple[str, ...], networks: dict[str, str]) -> str:
    """What systemd-resolved would make of the files: of those for one NIC, the first by name is the one that counts."""
    counting: dict[str, str] = {}
    for name in sorted(networks):
        nic = re.search(r"^Name=(\S+)$", networks[name], re.M)
        counting.setdefault(nic[1] if nic else name, networks[name])
    servers = [server for text in counting.values() for server in re.findall(r"^DNS=(\S+)$", text, re.M)]
    domains = [
        domain
        for text in counting.values()
        for line in re.findall(r"^Domains=(.+)$", text, re.M)
        for domain in line.split()
    ]
    lines = [f"nameserver {server}" for server in dict.fromkeys([*servers, *nameservers])]
    lines += [f"search {' '.join(dict.fromkeys(domains))}"] if domains else []
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
