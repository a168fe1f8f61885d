# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What scripts/demo checks of what it shows: see main() for the commands."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

_RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_DIFF_LINE = re.compile(r"^[+-](?!--|\+\+)(.*)$", re.MULTILINE)

# Requests that only read although they are a POST.
_READS = ("/search", "/validate", "/v1/dashboard/")


class CheckError(Exception):
    """What was shown is not what should have been shown."""


def unchanged(output: str) -> str:
    """Every host of the play recap in ``output`` shows changed=0."""
    hosts = _RECAP.findall(output)
    if not hosts:
        raise CheckError("the output has no play recap with hosts")
    changed = [name for name, *counts in hosts if any(int(count) for count in counts)]
    if changed:
        raise CheckError(f"a second run changed something, or failed, on {', '.join(changed)}")
    return f"changed=0 on each of {', '.join(name for name, *dummy in hosts)}"


def only_these(output: str, words: list[str]) -> str:
    """The lines of the diffs in ``output`` are about ``words`` alone, and about each of them."""
    lines = [line.strip() for line in _DIFF_LINE.findall(output)]
    others = [line for line in lines if not any(word in line for word in words)]
    if others:
        raise CheckError(f"the diff shows more than what was changed: {others[:5]}")
    absent = [word for word in words if not any(word in line for line in lines)]
    if absent:
        raise CheckError(f"the diff does not show {', '.join(absent)}")
    return f"the diff shows these and nothing else: {', '.join(words)}"


def change(path: Path, words: list[str]) -> str:
    """Replaces the first of each pair of ``words`` by the second; each must be in the file once."""
    text = path.read_text()
    pairs = list(zip(words[::2], words[1::2], strict=True))
    for old, new in pairs:
        if len(re.findall(rf"\b{re.escape(old)}\b", text)) != 1:
            raise CheckError(f"{path} should have {old} once")
        text = re.sub(rf"\b{re.escape(old)}\b", new, text)
    path.write_text(text)
    return "changed in a copy of the site's file: " + ", ".join(f"{old} to {new}" for old, new in pairs)


def snapshot(state: Path) -> dict[str, Any]:
    """What a run could have written: the writes that the controller was sent, and each host's user-data."""
    user_data = sorted(state.glob("hosts/*/root/oem/*"))
    return {
        "writes": _writes(state),
        "user_data": {str(path.relative_to(state)): _digest(path) for path in user_data if path.is_file()},
    }


def nothing_written(before: dict[str, Any], after: dict[str, Any]) -> str:
    """``after`` has no write and no user-data that ``before`` did not have."""
    earlier, writes = before["writes"], after["writes"]
    # The controller forgets the oldest requests.
    if writes != earlier[len(earlier) - len(writes) :]:
        raise CheckError(f"check mode wrote: {', '.join(writes[-3:])}")
    if before["user_data"] != after["user_data"]:
        raise CheckError("check mode changed a host's user-data")
    return "nothing was written: no write reached the controller, and the hosts' user-data is the same"


def cluster(nodes: dict[str, Any], pods: dict[str, Any], count: int, version: str) -> str:
    """Lists as kubectl gives them: ``count`` nodes, all Ready and of Kubernetes ``version``, and as many pods, all running."""
    unready = [_name(node) for node in nodes["items"] if not _ready(node)]
    if unready or len(nodes["items"]) != count:
        raise CheckError(f"{count} nodes should be Ready, of {len(nodes['items'])} these are not: {', '.join(unready) or '-'}")
    versions = {_name(node): node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes["items"]}
    others = [f"{name} has {has}" for name, has in versions.items() if has != f"v{version}"]
    if others:
        raise CheckError(f"the nodes should have Kubernetes {version}: {', '.join(others)}")
    # One that is on its way out belongs to what was before.
    staying = [pod for pod in pods["items"] if not pod["metadata"].get("deletionTimestamp")]
    down = [f"{_name(pod)} ({pod['status'].get('phase')})" for pod in staying if not _ready(pod)]
    if down or len(staying) != count:
        raise CheckError(f"{count} pods should run, of {len(staying)} these do not: {', '.join(down) or '-'}")
    return f"{count} nodes are Ready with Kubernetes {version}, and {count} pods of the add-on run"


def none_lost(tally: dict[str, Any], greeting: str) -> str:
    """The tally of demo_client: nothing was lost, and in the end every address answered with ``greeting``."""
    if tally["lost"]:
        requests = tally["answered"] + len(tally["lost"])
        raise CheckError("\n  ".join([f"{len(tally['lost'])} of {requests} requests were lost:", *tally["lost"]]))
    if not tally["answered"]:
        raise CheckError("the client asked nothing")
    others = [f"{address} {answer!r}" for address, answer in tally["last"].items() if answer != greeting]
    if others:
        raise CheckError(f"the answer should be {greeting!r} in the end: {', '.join(others)}")
    return f"{tally['answered']} answered, 0 lost, the slowest after {tally['slowest']} s; the answer is now {greeting!r}"


def _name(item: dict[str, Any]) -> str:
    return str(item["metadata"]["name"])


def _ready(item: dict[str, Any]) -> bool:
    conditions = item["status"].get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _writes(state: Path) -> list[str]:
    """Requests of clients that write. Those of the hosts' agents name their host as their source."""
    import requests

    lab = json.loads((state / "lab.json").read_text())
    url, headers = f"{lab['url']}/lab/v1/requests", {"LabKey": lab["lab_key"]}
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(url, headers=headers, verify=str(state / "ca.pem"), timeout=10)
    reply.raise_for_status()
    return [
        f"{entry['method']} {entry['path']}"
        for entry in reply.json()["items"]
        if entry["method"] not in ("GET", "HEAD")
        and not entry.get("source")
        and not entry["path"].startswith("/lab/")
        and not any(words in entry["path"] for words in _READS)
    ]


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["unchanged", log]:
                print(unchanged(Path(log).read_text()))
            case ["only-these", log, *words]:
                print(only_these(Path(log).read_text(), words))
            case ["change", path, *words]:
                print(change(Path(path), words))
            case ["snapshot", state]:
                print(json.dumps(snapshot(Path(state)), indent=2, sort_keys=True))
            case ["nothing-written", before, state]:
                print(nothing_written(json.loads(Path(before).read_text()), snapshot(Path(state))))
            case ["cluster", nodes, pods, count, version]:
                print(cluster(json.loads(Path(nodes).read_text()), json.loads(Path(pods).read_text()), int(count), version))
            case ["none-lost", tally, greeting]:
                print(none_lost(json.loads(Path(tally).read_text()), greeting))
            case ["field", key]:
                print(json.load(sys.stdin).get(key, ""))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except CheckError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
