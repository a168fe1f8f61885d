# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that counts: ``client.py PORT ADDRESS...``. Ends with its stdin, and prints what was answered and lost."""

from __future__ import annotations

import json
import select
import sys
import time
import urllib.request

_EVERY, _PATIENCE = 0.1, 5.0


def main(port: str, addresses: list[str]) -> None:
    """Ask each address in turn, with a new connection each time."""
    answered, lost = 0, []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while not select.select([sys.stdin], [], [], _EVERY)[0]:
        address = addresses[(answered + len(lost)) % len(addresses)]
        try:
            with opener.open(f"http://{address}:{port}/", timeout=_PATIENCE) as reply:
                reply.read()
        except OSError as error:
            lost.append(f"{time.strftime('%T')} {address}: {error}")
        else:
            answered += 1
    print(json.dumps({"answered": answered, "lost": lost}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
