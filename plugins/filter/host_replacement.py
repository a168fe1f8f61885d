# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replacement of one Edge host of a cluster by another, and how far it is: a pure look at what is and what is wanted.

A control plane first gets the new host, and only then loses the old one; so a cut between the two leaves a state from
which the next run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.palette.edge.plugins.filter.site import to_node_pools

Pool = Mapping[str, Any]


class _Refused(Exception):
    """What is asked for is no replacement of one host by one. The text is one line for people."""


def host_replacement(
    cluster: Mapping[str, Any],
    definition: Mapping[str, Any],
    hosts: Sequence[Mapping[str, Any]],
    old: str = "",
    new: str = "",
) -> dict[str, Any]:
    """What replaces what, and what is left to do; the stage C(refused) with a problem when it is no replacement.

    :param cluster: as the module cluster_info tells it.
    :param definition: the cluster of the site file, with the hosts of its pools in full.
    :param hosts: all hosts of the site file.
    :param old: ID or name of the host that goes; without it, the one that the site file does not have any more.
    :param new: ID or name of the host that comes; without it, the one that the cluster does not have yet.
    """
    try:
        return _look(cluster, definition, hosts, old=old, new=new)
    except _Refused as error:
        # As data: what a filter raises reaches people wrapped in the words of the template engine.
        return {"stage": "refused", "problem": str(error)}


def _look(
    cluster: Mapping[str, Any], definition: Mapping[str, Any], hosts: Sequence[Mapping[str, Any]], *, old: str, new: str
) -> dict[str, Any]:
    name = str(cluster.get("name") or definition.get("name") or "")
    have = {str(host["uid"]): pool for pool in cluster.get("node_pools") or [] for host in pool["hosts"]}
    wanted = {str(host["id"]): pool for pool in definition.get("node_pools") or [] for host in pool.get("hosts") or []}
    if bool(old) != bool(new):
        missing = "replace_new" if old else "replace_old"
        raise _Refused(f"{missing}: give both, the host that goes and the one that comes, or leave both out")
    if old:
        going, coming = _named(old, have, hosts, cluster), _named(new, have, hosts, cluster)
        if going == coming:
            raise _Refused(f"replace_new: {new} is the host that is to go")
        if going not in have and coming not in have:
            members = ", ".join(sorted(have))
            raise _Refused(f"replace_old: {old} is not a host of the cluster {name}; its hosts are {members}")
    else:
        going, coming = _by_file(name, have, wanted)
    if not going and not coming:
        return {"stage": "done", "old": "", "new": "", "control_plane": False, "two_node": False}
    pool = have[going] if going in have else have[coming]
    if not old and coming and going and wanted[coming]["name"] != pool["name"]:
        raise _Refused(
            f"{coming} stands in the node pool {wanted[coming]['name']}, and {going} leaves {pool['name']}: "
            "a replacement stays in its pool"
        )
    if going in have and coming in have and have[coming]["name"] != pool["name"]:
        raise _Refused(
            f"replace_new: {coming} is in use by the cluster {name} itself, in its node pool {have[coming]['name']}"
        )
    if going in have and (not coming or coming in have) and pool["control_plane"] and len(pool["hosts"]) % 2:
        raise _Refused(
            f"{going} has no replacement: {coming or 'no new host'} {'is one of' if coming else 'stands beside'} the "
            f"{len(pool['hosts'])} control planes that the cluster {name} has. Name a host that is not in use"
        )
    two_node = bool(definition.get("two_node")) and bool(pool["control_plane"])
    member = _member(coming, wanted, hosts) if coming else {}
    kept = [{"uid": str(host["uid"])} for host in pool["hosts"] if str(host["uid"]) not in (going, coming)]
    joined = not coming or coming in have
    if two_node and not joined:
        # Both have a role or neither has; the new one takes over that of the old one.
        roles = {str(host["id"]): host.get("two_node_role") for host in _pool(definition, pool["name"])["hosts"]}
        kept = [{**host, **_role(roles.get(host["uid"]))} for host in kept]
        member = {**member, **_role(member.get("two_node_role") or roles.get(going))}
    # Who is a member already needs its ID alone.
    arriving = [{"uid": coming} if coming in have else member] if coming else []
    return {
        "stage": "done" if going not in have else "remove" if joined else "edit" if two_node else "add",
        "old": going,
        "new": coming,
        "old_name": _label(going, pool, hosts),
        "new_name": _label(coming, pool, hosts),
        "pool": pool["name"],
        "control_plane": bool(pool["control_plane"]),
        "two_node": two_node,
        "architecture": str(_pool(definition, pool["name"]).get("architecture") or "amd64"),
        "members": len(kept) + bool(coming),
        "ask": _whom_to_ask(cluster, definition, going, coming),
        "pools_to_add": _pools(cluster, pool, [member]),
        "pools_to_remove": _pools(cluster, pool, [*kept, *arriving]),
    }


def _by_file(name: str, have: Mapping[str, Pool], wanted: Mapping[str, Pool]) -> tuple[str, str]:
    """What goes and what comes, by the difference between the site file and the cluster."""
    going, coming = sorted(set(have) - set(wanted)), sorted(set(wanted) - set(have))
    moved = sorted(uid for uid in set(have) & set(wanted) if have[uid]["name"] != wanted[uid]["name"])
    if moved and (going or coming):
        raise _Refused(
            f"The site file takes {_list(going)} out of the cluster {name} and puts {_list(coming)} in, but also moves "
            f"{_list(moved)} to another pool: one after the other"
        )
    if len(going) > 1 or len(coming) > 1:
        raise _Refused(
            f"The site file takes {_list(going)} out of the cluster {name} and puts {_list(coming)} in, and hosts are "
            "replaced one at a time: change one in the file, or name one with -e replace_old=ID -e replace_new=ID"
        )
    if coming and not going:
        raise _Refused(
            f"The site file adds {coming[0]} to the cluster {name} and takes no host out, which is no replacement: "
            "palette.edge.form adds it"
        )
    return (going or [""])[0], (coming or [""])[0]


def _named(given: str, have: Mapping[str, Pool], hosts: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any]) -> str:
    """The ID of a host that is given by ID or name."""
    if given in have or any(given == host.get("id") for host in hosts):
        return given
    names = {str(host.get("name")): str(host["id"]) for host in hosts if host.get("id")}
    members = [host for pool in cluster.get("node_pools") or [] for host in pool["hosts"]]
    names = {**{str(host["name"]): str(host["uid"]) for host in members if host.get("name")}, **names}
    return names.get(given, given)


def _member(uid: str, wanted: Mapping[str, Pool], hosts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The host that comes as an option of the module cluster, with the network that the site file gives it."""
    listed = [host for pool in wanted.values() for host in pool["hosts"]] + list(hosts)
    host = next((host for host in listed if host.get("id") == uid), {"id": uid})
    return dict(to_node_pools([{"name": "", "hosts": [host]}])[0]["hosts"][0])


def _role(role: str | None) -> dict[str, str]:
    return {"two_node_role": role} if role else {}


def _pools(cluster: Mapping[str, Any], pool: Pool, members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The option node_pools: this pool, and the control plane that each definition needs, as it is."""
    listed = [{"name": pool["name"], "control_plane": bool(pool["control_plane"]), "hosts": members}]
    if not pool["control_plane"]:
        control = next((one for one in cluster["node_pools"] if one["control_plane"]), None)
        if control is not None:
            listed.append({"name": control["name"], "control_plane": True})
    return listed


def _whom_to_ask(cluster: Mapping[str, Any], definition: Mapping[str, Any], going: str, coming: str) -> dict[str, Any]:
    """Control-plane hosts that stay and were there before: the entry of one in the inventory, IDs, addresses."""
    known = {str(host["id"]): host for pool in definition.get("node_pools") or [] for host in pool.get("hosts") or []}
    staying = [
        host
        for pool in cluster.get("node_pools") or []
        for host in pool["hosts"]
        if pool["control_plane"] and str(host["uid"]) not in (going, coming)
    ]
    addresses = [known.get(str(host["uid"]), {}).get("address") or host.get("address") or "" for host in staying]
    names = [str(known.get(str(host["uid"]), {}).get("name") or host.get("name") or "") for host in staying]
    return {
        "entry": next((one for one in names if one), ""),
        "ids": [str(host["uid"]) for host in staying],
        "addresses": [str(one).partition("/")[0] for one in addresses if one],
    }


def _pool(definition: Mapping[str, Any], name: str) -> Pool:
    return next((one for one in definition.get("node_pools") or [] if one.get("name") == name), {})


def _label(uid: str, pool: Pool, hosts: Sequence[Mapping[str, Any]]) -> str:
    names = {str(host.get("id")): str(host.get("name") or "") for host in hosts}
    names.update(
        {str(host["uid"]): str(host.get("name") or names.get(str(host["uid"])) or "") for host in pool["hosts"]}
    )
    return names.get(uid) or uid


def _list(uids: Sequence[str]) -> str:
    return ", ".join(uids) if uids else "no host"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """Name -> function."""
        return {"host_replacement": host_replacement}
