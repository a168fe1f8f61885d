# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small client that counts: ``demo_client.py FILE PORT ADDRESS...``

Asks each address in turn, ten times a second and with a new connection each time, until its input ends. FILE then has what
`Tally` holds; what was lost is told at once.
"""

from __future__ import annotations

import http.client
import json
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

_EVERY, _PATIENCE, _TELL_EVERY = 0.1, 5.0, 20.0  # seconds


@dataclass
class Tally:
    """What became of the requests: ``lost`` has a line for each, ``last`` the last answer by address, ``slowest`` seconds."""

    answered: int = 0
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0
    last: dict[str, str] = field(default_factory=dict)

    def ask(self, address: str, port: int, say: Callable[[str], None]) -> None:
        """One request; what cannot be answered in time, or not with 200, is lost."""
        began, when = time.monotonic(), time.strftime("%H:%M:%S")
        try:
            answer = fetch(address, port)
        except (OSError, http.client.HTTPException) as error:
            seconds = time.monotonic() - began
            self.lost.append(f"{when} {address}, after {seconds:.1f} s: {type(error).__name__}: {error}")
            say(f"client: LOST {self.lost[-1]}")
            return
        self.answered += 1
        self.last[address] = answer
        self.slowest = max(self.slowest, round(time.monotonic() - began, 2))


def fetch(address: str, port: int) -> str:
    """The text that is answered. Raises OSError and HTTPException."""
    connection = http.client.HTTPConnection(address, port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace").strip()
    finally:
        connection.close()
    if reply.status != 200:
        raise OSError(f"answered with {reply.status} {reply.reason}")
    return text


def count(addresses: list[str], port: int, ended: Callable[[float], bool], say: Callable[[str], None]) -> Tally:
    """Ask until ``ended``, which is given the seconds that it may wait; at least once each."""
    tally, asked, told = Tally(), 0, time.monotonic()
    while True:
        due = time.monotonic() + _EVERY
        tally.ask(addresses[asked % len(addresses)], port, say)
        asked += 1
        if time.monotonic() - told > _TELL_EVERY:
            told = time.monotonic()
            say(f"client: {tally.answered} requests answered, {len(tally.lost)} lost")
        if ended(max(0.0, due - time.monotonic())) and asked >= len(addresses):
            return tally


def main(file: Path, port: int, addresses: list[str]) -> None:
    # An interrupt of the demo ends its input too, and then there is time to tell.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tally = count(addresses, port, lambda seconds: bool(select.select([sys.stdin], [], [], seconds)[0]), _say)
    file.write_text(json.dumps(asdict(tally)))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
