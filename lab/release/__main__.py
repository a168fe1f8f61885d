"""``python -m lab.release FOLDER VERSION...``: writes the imitated releases, and with ``--serve`` offers them over HTTP."""

from __future__ import annotations

import argparse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.release.make import release


def main() -> int:
    """Write the releases, print the checksums as the role takes them, and serve them if that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m lab.release", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="such as 4.8.21")
    parser.add_argument("--serve", metavar="ADDRESS:PORT", help="offer the folder over HTTP until the program is ended")
    given = parser.parse_args()
    for version in given.versions:
        print(f"# v{version}", flush=True)
        for name, digest in sorted(release(given.folder, version).items()):
            print(f"{name}: {digest}", flush=True)
    if given.serve:
        address, dummy, port = given.serve.rpartition(":")
        handler = partial(SimpleHTTPRequestHandler, directory=str(given.folder))
        with ThreadingHTTPServer((address, int(port)), handler) as server:
            print(f"# http://{address}:{server.server_address[1]}", flush=True)
            server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
