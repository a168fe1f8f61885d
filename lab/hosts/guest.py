"""Looking into a running host from outside, through /proc: cheap enough to do for thirty hosts all the time."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from lab.hosts.boot import RECOVERY, SENTINELS

NIC = "host0"
_LISTENING, _SSH = "0A", 22


@dataclass(frozen=True)
class Look:
    """A host as it is now. ``address`` has a prefix (``10.42.0.11/24``) and is empty while there is none.

    ``speaks`` is set for a host that is not booted and only speaks to the controller, ``recovery`` for one that booted its
    recovery system, where no agent runs.
    """

    address: str = ""
    gateway: str = ""
    mac: str = ""
    carrier: bool = False
    listening: bool = False
    logins: bool = False
    boot_id: str = ""
    speaks: bool = False
    recovery: bool = False

    @property
    def ready(self) -> bool:
        """Whether somebody on its network can log in, or it is a host that only speaks."""
        return self.speaks or (bool(self.address) and self.carrier and self.listening and self.logins)


def leader_of(nspawn: int) -> int | None:
    """The pid of the host's own process 1, seen from outside; None until there is one."""
    for child in _text(Path(f"/proc/{nspawn}/task/{nspawn}/children")).split():
        match = re.search(r"^NSpid:\s+\d+\s+1$", _text(Path(f"/proc/{child}/status")), re.M)
        if match:
            return int(child)
    return None


def look(leader: int, before: Look | None = None) -> Look:
    """How the host whose process 1 is ``leader`` is at this moment.

    ``before`` is the look at the same boot that came before: the kernel's tables of sockets are slow to read (10 ms),
    so an SSH server that was seen once is not looked for again.
    """
    process = Path(f"/proc/{leader}")
    inside = process / "root"
    address, gateway = _address(process, before.address if before is not None else "")
    return Look(
        address=address,
        gateway=gateway,
        mac=_text(inside / f"sys/class/net/{NIC}/address").strip(),
        carrier=_text(inside / f"sys/class/net/{NIC}/carrier").strip() == "1",
        listening=(before is not None and before.listening) or _listens(process),
        logins=not (inside / "run/nologin").exists() and (inside / "run/systemd/system").exists(),
        boot_id=_text(inside / "proc/sys/kernel/random/boot_id").strip(),
        recovery=(inside / "run/cos" / SENTINELS[RECOVERY]).exists(),
    )


def _address(process: Path, before: str) -> tuple[str, str]:
    """(address with prefix, gateway). Of several the one seen before, or the one configured: a VIP comes and goes."""
    networks: list[ipaddress.IPv4Network] = []
    gateway = ""
    for line in _text(process / "net/route").splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[0] != NIC:
            continue
        if fields[1] == "00000000":
            gateway = _from_hex(fields[2])
        else:
            networks.append(ipaddress.IPv4Network(f"{_from_hex(fields[1])}/{_from_hex(fields[7])}", strict=False))
    trie = _text(process / "net/fib_trie")
    local = re.findall(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL", trie)
    own = [
        f"{address}/{network.prefixlen}"
        for address in local
        for network in networks
        if network.prefixlen < 32 and ipaddress.IPv4Address(address) in network
    ]
    if len(own) > 1:
        configured = re.findall(r"^Address=(\S+)$", _text(process / f"root/etc/systemd/network/10-{NIC}.network"), re.M)
        own = [address for address in own if address in (before, *configured)] or own
    return (own[0] if own else ""), gateway


def _from_hex(word: str) -> str:
    return socket.inet_ntoa(struct.pack("<I", int(word, 16)))


def _listens(process: Path) -> bool:
    for table in ("net/tcp", "net/tcp6"):
        for line in _text(process / table).splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == _SSH:
                return True
    return False


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
