"""``python -m lab.hosts.probe ADDRESS...``: prints the addresses where no SSH server greets within ten seconds."""

from __future__ import annotations

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

_WITHIN = 10.0


def greets(address: str) -> bool:
    """Whether an SSH server at the address says what it is."""
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((address, 22), timeout=2.0) as connection:
                if connection.recv(4) == b"SSH-":
                    return True
        except OSError:
            time.sleep(0.2)
    return False


if __name__ == "__main__":
    addresses = sys.argv[1:]
    with ThreadPoolExecutor(max_workers=16) as pool:
        silent = [address for address, good in zip(addresses, pool.map(greets, addresses), strict=True) if not good]
    print("\n".join(silent))
    sys.exit(1 if silent else 0)
