# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``launch.py REPORT COMMAND...`` runs a command and writes as JSON to REPORT what it cost.

A process of its own and a small one: Linux counts what the parent's memory was as the child's peak.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(report: str, *command: str) -> int:
    """Returns the status of the command."""
    begin = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    # What the kernel counted for this child and for its own children: nothing else on the machine is in it.
    _pid, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - begin
    # ru_maxrss is in KiB on Linux.
    told = {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "rss_mib": used.ru_maxrss / 1024}
    with open(report, "w", encoding="utf-8") as stream:
        json.dump(told, stream)
    return os.waitstatus_to_exitcode(status) % 256


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
