# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The etcd of a control plane, asked with the etcdctl of one of its hosts, and what is wrong with it."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable

from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import Output, quote

# Folder of etcd's certificates: its CA, certificate and key, by Kubernetes distribution.
CERTIFICATES = {
    "/etc/kubernetes/pki/etcd": ("ca.crt", "server.crt", "server.key"),
    "/var/lib/rancher/rke2/server/tls/etcd": ("server-ca.crt", "server-client.crt", "server-client.key"),
    "/var/lib/rancher/k3s/server/tls/etcd": ("server-ca.crt", "client.crt", "client.key"),
}
PROGRAMS = ("/opt/spectrocloud/bin/etcdctl", "/usr/local/bin/etcdctl", "/var/lib/rancher/rke2/bin/etcdctl")
ENDPOINT = "https://127.0.0.1:2379"

# An answer is one line of JSON, the client's own log is lines of JSON too; what else was said last tells what went wrong.
_ASK = (
    'ask() {{ k=$1; shift; o=$("$e" --endpoints {endpoint} $c --command-timeout {seconds}s -w json "$@" 2>&1); '
    'o=$(printf "%s\\n" "$o" | grep -v -e "^{{.level"); '
    'say "$k" "$(printf "%s\\n" "$o" | grep -e "^[[{{]" | tail -n 1)"; '
    'say "$k-said" "$(printf "%s\\n" "$o" | grep -v -e "^[[{{]" | tail -n 1)"; }}'
)

Member = dict[str, t.Any]


def etcd_script(*, prefix: str = "", etcdctl: str = "", seconds: int = 5) -> str:
    """The lines that ask for members, states and health, between PRELUDE and END.

    :param prefix: folder that the agent was installed under (its C(stylus.path)), "" for the root.
    """
    prefix = prefix.rstrip("/")
    programs = [etcdctl] if etcdctl else [f"{prefix}{one}" for one in PROGRAMS[:1] * bool(prefix)] + [*PROGRAMS]
    lines = ["e="]
    lines += [f'[ -z "$e" ] && [ -x {quote(one)} ] && e={quote(one)}' for one in programs]
    if not etcdctl:
        lines.append('[ -z "$e" ] && e=$(command -v etcdctl 2>/dev/null)')
    lines.append(f'[ -n "$e" ] || die "there is no etcdctl on the host (looked for {" ".join(programs)})"')
    lines.append("c=")
    for folder, (ca, certificate, key) in CERTIFICATES.items():
        for place in dict.fromkeys((f"{prefix}{folder}", folder)):
            found = " && ".join(f"[ -r {quote(f'{place}/{name}')} ]" for name in (ca, certificate, key))
            flags = " ".join(
                f"--{flag} {place}/{name}" for flag, name in (("cacert", ca), ("cert", certificate), ("key", key))
            )
            lines.append(f'[ -z "$c" ] && {found} && c={quote(flags)}')
    hint = "is this a control-plane host with etcd, and are you root (become)?"
    lines.append(f'[ -n "$c" ] || die "no certificates of etcd can be read here: {hint}"')
    lines += ['say etcdctl "$e"', "ETCDCTL_API=3; export ETCDCTL_API", _ASK.format(endpoint=ENDPOINT, seconds=seconds)]
    lines += ["ask members member list", "ask status endpoint status --cluster", "ask health endpoint health --cluster"]
    return "\n".join(lines) + "\n"


def read_etcd(output: Output, *, where: str) -> dict[str, t.Any]:
    """Members, leader and health, in the shape that the documentation of the module etcd_info has.

    Raises HostError when etcdctl did not say who the members are.
    """
    listed = _answer(output, "members")
    if not isinstance(listed, dict) or not listed.get("members"):
        said = output.first("members-said") or "no answer"
        raise HostError(f"{where}: {output.first('etcdctl')} did not list the members of etcd: {said[:300]}")
    states = {str(one.get("Endpoint")): one.get("Status") or {} for one in _answer(output, "status") or []}
    health = {str(one.get("endpoint")): one for one in _answer(output, "health") or []}
    leaders = {int(one["leader"]) for one in states.values() if one.get("leader")}
    members = [_member(one, states=states, health=health, leaders=leaders) for one in listed["members"]]
    members.sort(key=lambda one: str(one["name"]))
    return {
        "members": members,
        "leaders": sorted(f"{one:x}" for one in leaders),
        "quorum": len([one for one in members if not one["learner"]]) // 2 + 1,
    }


def problems(found: dict[str, t.Any], *, lost: Iterable[str] = (), expected: int | None = None) -> list[str]:
    """What keeps the etcd from a change of its members, in words.

    :param lost: names of members, or addresses of theirs, that are known to be gone: they may be silent.
    :param expected: how many members there are to be.
    """
    gone = set(lost)
    members: list[Member] = found["members"]
    told = []
    if expected is not None and len(members) != expected:
        names = ", ".join(one["name"] or one["id"] for one in members)
        told.append(f"{len(members)} members ({names}), not {expected}")
    told += [f"{_peers(one)} has not started" for one in members if not one["started"] and not _is(one, gone)]
    told += [f"{one['name']} is a learner" for one in members if one["learner"]]
    if len(found["leaders"]) != 1:
        told.append("no leader" if not found["leaders"] else f"{len(found['leaders'])} leaders")
    unwell = [one for one in members if one["started"] and not one["healthy"]]
    told += [
        f"{one['name']} is unhealthy{': ' + one['error'] if one['error'] else ''}"
        for one in unwell
        if not _is(one, gone)
    ]
    well = sum(one["healthy"] and not one["learner"] for one in members)
    if well < found["quorum"]:
        told.append(f"only {well} of {len(members)} members are well, and {found['quorum']} are needed")
    return told


def _member(
    given: Member, *, states: dict[str, Member], health: dict[str, Member], leaders: set[int]
) -> dict[str, t.Any]:
    urls = [str(one) for one in given.get("clientURLs") or []]
    status = next((states[url] for url in urls if url in states), {})
    well = next((health[url] for url in urls if url in health), {})
    return {
        "id": f"{int(given.get('ID') or 0):x}",
        "name": str(given.get("name") or ""),
        "started": bool(given.get("name")),
        "learner": bool(given.get("isLearner")),
        "leader": int(given.get("ID") or 0) in leaders,
        "healthy": bool(well.get("health")),
        "version": str(status.get("version") or ""),
        "error": " ".join(str(well.get("error") or "; ".join(status.get("errors") or [])).split()),
        "peer_urls": [str(one) for one in given.get("peerURLs") or []],
        "client_urls": urls,
    }


def _is(member: Member, names: set[str]) -> bool:
    """Whether the member bears one of the names, or answers at one of them."""
    places = {
        url.partition("//")[2].rpartition(":")[0].strip("[]") for url in member["peer_urls"] + member["client_urls"]
    }
    # K3s puts a dash and eight signs behind the name of the node.
    return bool(names & places) or any(
        member["name"] == one or (member["name"].startswith(f"{one}-") and len(member["name"]) == len(one) + 9)
        for one in names
    )


def _peers(member: Member) -> str:
    return str(member["name"] or ", ".join(member["peer_urls"]) or member["id"])


def _answer(output: Output, key: str) -> t.Any:
    text = output.first(key)
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
