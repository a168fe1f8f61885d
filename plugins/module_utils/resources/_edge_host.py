# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts: pre-registration and everything that can be set on a host afterwards.

The UID is the machine's own ID, chosen by the client and unique in the whole tenant; names are not unique. Reading a
host returns secrets (pairing key, host token, tunnel credentials): :func:`describe` passes on only what it names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._identity import host_id_problem
from .._reconcile import Plan, Step, differing
from ..palette._errors import ConflictError, InputError, NotFoundError
from ..palette._names import labels_of, tags_of
from ..palette._session import HIDDEN, PAGE_SIZE, Scope, Session
from ._remote_shell import OPTIONS as SHELL
from ._remote_shell import described_shell, refuse_shell, tunnel_body

PATH = "/v1/edgehosts"
SEARCH = "/v1/dashboard/edgehosts/search"


@dataclass(frozen=True, kw_only=True)
class DesiredHost:
    """None means "leave it as it is" (and Palette's default on creation)."""

    uid: str
    present: bool = True
    name: str | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = False
    architecture: str | None = None
    pairing_key: str | None = None
    remote_shell: str | None = None
    remote_shell_temporary_user: str | None = None
    reinstalled: bool = False


def check(desired: Sequence[DesiredHost]) -> None:
    """Refuses what Palette could not take, before anything is read or written.

    :raises InputError: naming every host that is wrong.
    """
    problems = []
    seen: set[str] = set()
    for host in desired:
        problem = host_id_problem(host.uid)
        if problem:
            problems.append(f"{host.uid[:60]!r} {problem}")
        if host.uid in seen:
            problems.append(f"{host.uid!r} is given twice")
        seen.add(host.uid)
        if host.remote_shell_temporary_user == "enabled" and host.remote_shell == "disabled":
            problems.append(f"{host.uid!r}: remote_shell_temporary_user needs remote_shell enabled")
    if problems:
        raise InputError("uid: " + "; ".join(problems))


def read(session: Session, scope: Scope, uid: str) -> dict[str, Any] | None:
    """The host as Palette has it, secrets included, or None."""
    try:
        host: dict[str, Any] | None = session.request("GET", f"{PATH}/{uid}", scope=scope, what=f"read Edge host {uid}")
    except NotFoundError:
        return None
    return host


def read_many(
    session: Session, scope: Scope, uids: Sequence[str], *, whole: bool | Collection[str] = False
) -> dict[str, dict[str, Any] | None]:
    """Hosts by UID, None for those that are not there.

    A few are read one by one; many through the search, which takes one request for 50 of them.

    :param whole: also what the search does not tell (remote shell, pairing key): then those found, or those of them
        that are named, are read one by one.
    """
    if len(uids) <= PAGE_SIZE:
        return dict(zip(uids, session.map(lambda uid: read(session, scope, uid), uids)))
    wanted = set(uids)
    found: dict[str, dict[str, Any] | None] = {}
    for host in _search(session, scope):
        if host["metadata"]["uid"] in wanted:
            found[host["metadata"]["uid"]] = host
            if len(found) == len(wanted):
                break
    chosen = set(found) if whole is True else set(whole or ())
    single = [uid for uid in found if uid in chosen]
    found.update(zip(single, session.map(lambda uid: read(session, scope, uid), single)))
    return {uid: found.get(uid) for uid in uids}


def search(session: Session, scope: Scope, *, filters: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """All hosts that match every filter (:func:`text_filter`), as the search returns them."""
    group = {"conjunction": "and", "filters": list(filters)}
    body = {"filter": {"conjunction": "and", "filterGroups": [group]}} if group["filters"] else {}
    return list(_search(session, scope, body))


def _search(session: Session, scope: Scope, body: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    return session.pages("POST", SEARCH, scope=scope, what="search Edge hosts", body=dict(body or {}))


def text_filter(name: str, values: Sequence[str], *, operator: str = "eq") -> dict[str, Any]:
    """One search filter: the property equals any of ``values``, or contains it (then of whatever case)."""
    match = {"conjunction": "or", "values": list(values)}
    return {
        "property": name,
        "type": "string",
        "condition": {
            "string": {"operator": operator, "negation": False, "ignoreCase": operator != "eq", "match": match}
        },
    }


def describe(host: Mapping[str, Any] | None) -> dict[str, Any]:
    """The host as a result: an allow-list, as reading a host returns secrets. Serves GET and search alike."""
    if host is None:
        return {}
    metadata, spec, status = host["metadata"], host.get("spec") or {}, host.get("status") or {}
    device, health = spec.get("device") or {}, status.get("health") or {}
    address = spec.get("host") or {}
    project = spec.get("projectMeta") or address.get("project") or {}
    tunnel = spec.get("tunnelConfig") or {}
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name", ""),
        "tags": tags_of(metadata.get("labels")),
        "state": status.get("state", ""),
        "health": health.get("state", ""),
        "health_message": health.get("message", ""),
        "agent_version": health.get("agentVersion", ""),
        "clusters": [one.get("name", "") for one in status.get("inUseClusters") or []],
        "cluster_uids": [one.get("uid", "") for one in status.get("inUseClusters") or []],
        "architecture": device.get("archType", ""),
        "host_type": device.get("hostType", ""),
        "address": default_address(device) or address.get("hostAddress", ""),
        "mac_address": address.get("macAddress", ""),
        "nics": [_nic(nic) for nic in device.get("nics") or []],
        "project": project.get("name", ""),
        "project_uid": project.get("uid", "") or (host.get("aclmeta") or {}).get("projectUid", ""),
        "remote_shell": tunnel.get("remoteSsh", ""),
        "remote_shell_temporary_user": tunnel.get("remoteSshTempUser", ""),
        **described_shell(host),
        **_hardware(device),
    }


def default_address(device: Mapping[str, Any]) -> str:
    """Address of the default NIC, else of the first that has one, without a prefix length."""
    nics = device.get("nics") or []
    for nic in [*(nic for nic in nics if nic.get("isDefault")), *nics]:
        if nic.get("ip"):
            return str(nic["ip"]).split("/", maxsplit=1)[0]
    return ""


def plan(
    current: Mapping[str, Any] | None,
    desired: DesiredHost,
    *,
    scope: Scope,
    settle: Callable[[], str | None] | None = None,
) -> Plan:
    """The steps from ``current`` (Palette's own shape, or None) to ``desired``.

    :raises ConflictError: for what cannot be changed on a host that is there.
    """
    if not desired.present:
        return _removal(current, desired, scope)
    if current is None:
        return _creation(desired, scope, settle)
    have = describe(current)
    _refuse_immutable(have, desired, scope)
    if desired.reinstalled and have["health"] == "unhealthy":
        return _renewal(current, desired, scope, settle)
    want = _wanted(have, desired)
    changes = differing(have, want)
    result = Plan(before={"uid": desired.uid, **{key: have[key] for key in want}}, after={"uid": desired.uid, **want})
    if "name" in changes or "tags" in changes:
        words = " and ".join(key for key in ("name", "tags") if key in changes)
        # The whole metadata: Palette replaces name and labels by what is sent.
        labels = labels_of(want.get("tags", have["tags"]))
        body: dict[str, Any] = {
            "metadata": {"uid": desired.uid, "name": want.get("name", have["name"]), "labels": labels}
        }
        result.steps.append(_put(desired.uid, "PUT", "meta", body, f"set {words} of Edge host {desired.uid}", scope))
    if "remote_shell" in changes or "remote_shell_temporary_user" in changes:
        refuse_shell(desired.uid, have, {key: want[key] for key in SHELL if key in changes})
        body = tunnel_body({**have, **want})
        says = f"set the remote shell of Edge host {desired.uid}"
        result.steps.append(_put(desired.uid, "PATCH", "tunnelConfig", body, says, scope))
    key = _pairing_key(current)
    if desired.pairing_key is not None and key is not None and key != desired.pairing_key:
        body = {"hostPairingKey": desired.pairing_key}
        says = f"set the pairing key of Edge host {desired.uid}"
        result.steps.append(_put(desired.uid, "PATCH", "hostPairingKey", body, says, scope))
        result.before["pairing_key"], result.after["pairing_key"] = HIDDEN, f"{HIDDEN}, changed"
    return result


def standing(hosts: Mapping[str, Mapping[str, Any] | None]) -> tuple[bool, str]:
    """Whether all hosts are paired and healthy, and in words how far they are."""
    waiting = []
    for uid, host in hosts.items():
        seen = describe(host)
        state, health = seen.get("state") or "not there", seen.get("health") or "no health yet"
        if state not in ("ready", "in-use") or health != "healthy":
            note = f": {seen['health_message']}" if seen.get("health_message") and health == "unhealthy" else ""
            waiting.append(f"{uid} is {state}, {health}{note}")
    good = len(hosts) - len(waiting)
    more = f"; and {len(waiting) - 5} more" if len(waiting) > 5 else ""
    return not waiting, f"{good} of {len(hosts)} ready and healthy" + ("; " if waiting else "") + "; ".join(
        waiting[:5]
    ) + more


def _hardware(device: Mapping[str, Any]) -> dict[str, Any]:
    system = device.get("os") or {}
    return {
        "cpu_cores": (device.get("cpu") or {}).get("cores", 0),
        "memory_mb": (device.get("memory") or {}).get("sizeInMB", 0),
        "gpus": [
            {"vendor": one.get("vendor", ""), "model": one.get("model", ""), "count": one.get("gpuCount", 0)}
            for one in device.get("gpus") or []
        ],
        "disks": [
            {"vendor": one.get("vendor", ""), "size_gb": one.get("size", 0)} for one in device.get("disks") or []
        ],
        "os": " ".join(filter(None, [system.get("family"), system.get("version")])),
        "kernel": system.get("kernelVersion", ""),
        "boot": device.get("hostState", ""),
    }


def _nic(nic: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": nic.get("nicName", ""),
        "address": nic.get("ip", ""),
        "subnet_mask": nic.get("subnet", ""),
        "gateway": nic.get("gateway", ""),
        "mac_address": nic.get("macAddr", ""),
        "default": bool(nic.get("isDefault")),
    }


def _pairing_key(current: Mapping[str, Any]) -> str | None:
    """The key to compare with; None where it is left out, masked, or used up: it pairs a host once."""
    key = ((current.get("spec") or {}).get("host") or {}).get("hostPairingKey")
    if not key:
        return "" if key == "" and (current.get("status") or {}).get("state") == "unpaired" else None
    return str(key) if str(key).strip("*") else None


def _wanted(have: Mapping[str, Any], desired: DesiredHost) -> dict[str, Any]:
    want: dict[str, Any] = {}
    if desired.name is not None:
        want["name"] = desired.name
    if desired.tags is not None:
        tags = tags_of(labels_of(desired.tags))
        want["tags"] = tags if desired.purge_tags or not tags else {**have["tags"], **tags}
    for key in SHELL:
        value = getattr(desired, key)
        # The user goes with the shell that it needs.
        if value is None and desired.remote_shell == "disabled" and have[key] == "enabled":
            value = "disabled"
        # A host that never had a remote shell does not name it.
        if value is not None and not (value == "disabled" and not have[key]):
            want[key] = value
    return want


def _refuse_immutable(have: Mapping[str, Any], desired: DesiredHost, scope: Scope) -> None:
    if desired.architecture and have["architecture"] and desired.architecture != have["architecture"]:
        raise ConflictError(
            f"architecture: Edge host {desired.uid} is {have['architecture']}, not {desired.architecture}, "
            "and this cannot be changed: delete the host and register it again"
        )
    if scope.project_uid and have["project_uid"] and have["project_uid"] != scope.project_uid:
        raise ConflictError(
            f"project: Edge host {desired.uid} belongs to the project {have['project'] or have['project_uid']}, "
            "and a host cannot move: delete it there first, or name that project"
        )


def _creation(desired: DesiredHost, scope: Scope, settle: Callable[[], str | None] | None) -> Plan:
    metadata: dict[str, Any] = {"uid": desired.uid, "name": desired.name or desired.uid}
    spec: dict[str, Any] = {"archType": desired.architecture or "amd64"}
    after: dict[str, Any] = {"uid": desired.uid, "name": metadata["name"], "architecture": spec["archType"]}
    if desired.tags:
        metadata["labels"] = labels_of(desired.tags)
        after["tags"] = tags_of(metadata["labels"])
    if desired.pairing_key:
        spec["hostPairingKey"] = desired.pairing_key
        after["pairing_key"] = HIDDEN
    if desired.remote_shell or desired.remote_shell_temporary_user:
        after.update(
            remote_shell=desired.remote_shell or "",
            remote_shell_temporary_user=desired.remote_shell_temporary_user or "",
        )
        refuse_shell(desired.uid, {}, after)
        spec["tunnelConfig"] = tunnel_body(after)
    step = Step(
        says=f"register Edge host {desired.uid}",
        method="POST",
        path=PATH,
        scope=scope,
        body={"metadata": metadata, "spec": spec},
        settle=settle,
    )
    return Plan(steps=[step], after=after)


def _renewal(
    current: Mapping[str, Any], desired: DesiredHost, scope: Scope, settle: Callable[[], str | None] | None
) -> Plan:
    """The record of an operating system that is no more makes room for the new one's, with all that was set on it.

    A host that is healthy has registered anew already: nobody comes here for it.
    """
    have = describe(current)
    want = _wanted(have, desired)
    shell = {key: want.get(key) or ("enabled" if have[key] == "enabled" else None) for key in SHELL}
    fresh = replace(
        desired,
        name=desired.name or have["name"],
        architecture=have["architecture"] or desired.architecture,
        tags=want.get("tags", have["tags"]),
        pairing_key=desired.pairing_key if desired.pairing_key is not None else _pairing_key(current),
        remote_shell=shell["remote_shell"],
        remote_shell_temporary_user=shell["remote_shell_temporary_user"],
    )
    result = _creation(fresh, scope, settle)
    (creation,) = result.steps
    # Once the old record is gone, this is the only place where its name and tags still stand.
    kept = " ".join(f"{key}={value}" for key, value in (fresh.tags or {}).items())
    says = f"{creation.says} anew as {fresh.name}" + (f" with the tags {kept}" if kept else "")
    result.steps = [_delete(have, scope), replace(creation, says=says)]
    result.before = {"uid": desired.uid, "name": have["name"], "health": have["health"]}
    return result


def _removal(current: Mapping[str, Any] | None, desired: DesiredHost, scope: Scope) -> Plan:
    if current is None:
        return Plan()
    have = describe(current)
    return Plan(steps=[_delete(have, scope)], before={"uid": desired.uid, "name": have["name"]})


def _delete(have: Mapping[str, Any], scope: Scope) -> Step:
    uid = have["uid"]
    if have["state"] == "in-use":
        raise ConflictError(
            f"Edge host {uid} is in use by the cluster {', '.join(have['clusters']) or '(unnamed)'}: "
            "take it out of its node pool first (palette.edge.replace_host puts another one in its place)"
        )
    return Step(says=f"delete Edge host {uid}", method="DELETE", path=f"{PATH}/{uid}", scope=scope, gone_is_done=True)


def _put(uid: str, method: str, part: str, body: Any, says: str, scope: Scope) -> Step:
    return Step(says=says, method=method, path=f"{PATH}/{uid}/{part}", scope=scope, body=body)
