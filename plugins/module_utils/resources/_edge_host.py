# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts: pre-registration and everything that can be set on a host afterwards.

The UID is the machine's own ID, chosen by the client and unique in the whole tenant; names are not unique. Reading a
host returns secrets (pairing key, host token, tunnel credentials): :func:`describe` passes on only what it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._identity import host_id_problem
from .._reconcile import Plan, Step, cause_of, differing
from ..palette._errors import ConflictError, InputError, NotFoundError, PaletteError
from ..palette._names import labels_of, tags_of
from ..palette._session import HIDDEN, PAGE_SIZE, Scope, Session

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
    session: Session, scope: Scope, uids: Sequence[str], *, whole: bool = False
) -> dict[str, dict[str, Any] | None]:
    """Hosts by UID, None for those that are not there.

    A few are read one by one; many through the search, which takes one request for 50 of them.

    :param whole: also what the search does not tell (remote shell, pairing key): then those found are read one by one.
    """
    if len(uids) <= PAGE_SIZE:
        return dict(zip(uids, session.map(lambda uid: read(session, scope, uid), uids)))
    wanted = set(uids)
    found = {host["metadata"]["uid"]: host for host in search(session, scope) if host["metadata"]["uid"] in wanted}
    if whole:
        found = {
            uid: host for uid, host in zip(found, session.map(lambda uid: read(session, scope, uid), found)) if host
        }
    return {uid: found.get(uid) for uid in uids}


def search(session: Session, scope: Scope, *, filters: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """All hosts that match every filter (:func:`text_filter`), as the search returns them."""
    group = {"conjunction": "and", "filters": list(filters)}
    body = {"filter": {"conjunction": "and", "filterGroups": [group]}} if group["filters"] else {}
    return list(session.pages("POST", SEARCH, scope=scope, what="search Edge hosts", body=body))


def text_filter(name: str, values: Sequence[str]) -> dict[str, Any]:
    """One search filter: the property equals any of ``values``."""
    match = {"conjunction": "or", "values": list(values)}
    return {
        "property": name,
        "type": "string",
        "condition": {"string": {"operator": "eq", "negation": False, "ignoreCase": False, "match": match}},
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
        "project_uid": project.get("uid", "") or (host.get("aclmeta") or {}).get("projectUid", ""),
        "remote_shell": tunnel.get("remoteSsh", ""),
        "remote_shell_temporary_user": tunnel.get("remoteSshTempUser", ""),
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
        body = _tunnel({**have, **want})
        says = f"set the remote shell of Edge host {desired.uid}"
        result.steps.append(_put(desired.uid, "PATCH", "tunnelConfig", body, says, scope))
    key = (current.get("spec") or {}).get("host", {}).get("hostPairingKey")
    if desired.pairing_key is not None and key and key != desired.pairing_key:
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


def _nic(nic: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": nic.get("nicName", ""),
        "address": nic.get("ip", ""),
        "subnet_mask": nic.get("subnet", ""),
        "gateway": nic.get("gateway", ""),
        "mac_address": nic.get("macAddr", ""),
        "default": bool(nic.get("isDefault")),
    }


def _wanted(have: Mapping[str, Any], desired: DesiredHost) -> dict[str, Any]:
    want: dict[str, Any] = {}
    if desired.name is not None:
        want["name"] = desired.name
    if desired.tags is not None:
        tags = tags_of(labels_of(desired.tags))
        want["tags"] = tags if desired.purge_tags else {**have["tags"], **tags}
    for key in ("remote_shell", "remote_shell_temporary_user"):
        value = getattr(desired, key)
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
            f"project: Edge host {desired.uid} belongs to the project {have['project_uid']}, "
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
        spec["tunnelConfig"] = _tunnel(after)
    step = Step(
        says=f"register Edge host {desired.uid}",
        method="POST",
        path=PATH,
        scope=scope,
        body={"metadata": metadata, "spec": spec},
        settle=settle,
    )
    return Plan(steps=[step], after=after)


def _removal(current: Mapping[str, Any] | None, desired: DesiredHost, scope: Scope) -> Plan:
    if current is None:
        return Plan()
    have = describe(current)
    if have["state"] == "in-use":
        raise ConflictError(
            f"Edge host {desired.uid} is in use by the cluster {', '.join(have['clusters']) or '(unnamed)'}: "
            "take it out of its node pool first"
        )
    step = Step(
        says=f"delete Edge host {desired.uid}",
        method="DELETE",
        path=f"{PATH}/{desired.uid}",
        scope=scope,
        gone_is_done=True,
    )
    return Plan(steps=[step], before={"uid": desired.uid, "name": have["name"]})


def _tunnel(values: Mapping[str, Any]) -> dict[str, str]:
    pairs = (("remoteSsh", "remote_shell"), ("remoteSshTempUser", "remote_shell_temporary_user"))
    return {wire: values[key] for wire, key in pairs if values.get(key)}


def _put(uid: str, method: str, part: str, body: Any, says: str, scope: Scope) -> Step:
    return Step(says=says, method=method, path=f"{PATH}/{uid}/{part}", scope=scope, body=body)


def several_failed(errors: Mapping[str, PaletteError], total: int, *, changed: bool) -> PaletteError:
    """One error for the hosts of a list that failed; the others went through, and ``changed`` tells whether they did."""
    first = next(iter(errors))
    rest = [uid for uid in errors if uid != first]
    more = f". The same list also failed for: {', '.join(rest[:10])}" if rest else ""
    return type(cause_of(errors[first]))(
        f"{len(errors)} of {total} Edge hosts failed, the others went through; run again for these. "
        f"{first}: {errors[first]}{more}",
        **{**errors[first].facts, "changed": changed},
    )
