# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node pools of an edge-native cluster: the options, their wire shape, and the steps between two sets of pools.

Reading and writing differ: a pool is written as ``{cloudConfig: {edgeHosts}, poolConfig}`` and read as one flat object
with ``hosts``. A PUT carries the whole pool, so what the user did not set is taken from what is there.

A host leaves by its machine, which is deleted, and then by a PUT of the pool without it. Hosts come before others go; a
host that moves to another pool leaves the old one first. A run that was cut finds a machine that is gone, or going, of a
host that is still in the pool, and carries on with the PUT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import ConflictError, InputError
from ..palette._session import Scope
from ._pool_hosts import PoolHost, address_of, fixed_problems, label_of, member_body, members_of, pool_host
from ._pool_quorum import change_problem, even_for_a_while
from ._pool_settings import OPTIONS, settings_changes, tells_newer, unknowable, wire_settings

Machines = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class DesiredPool:
    """A node pool as the user wrote it; ``settings`` holds only what was given.

    :ivar hosts_given: False leaves the members as they are.
    """

    name: str
    control_plane: bool
    hosts: tuple[PoolHost, ...]
    architecture: str | None
    settings: Mapping[str, Any]
    present: bool = True
    hosts_given: bool = True


def desired_pool(options: Mapping[str, Any]) -> DesiredPool:
    """A pool from module options, None values dropped."""
    return DesiredPool(
        name=options["name"],
        control_plane=bool(options.get("control_plane")),
        hosts=tuple(pool_host(host) for host in options.get("hosts") or ()),
        architecture=options.get("architecture"),
        settings={key: options[key] for key in OPTIONS if options.get(key) is not None},
        present=options.get("state") != "absent",
        hosts_given=options.get("hosts") is not None,
    )


def create_body(pool: DesiredPool) -> dict[str, Any]:
    """The pool as it is written."""
    return _entity(pool, {})


def shown(pool: DesiredPool) -> dict[str, Any]:
    """The pool as it stands in results and diffs."""
    return {
        "control_plane": pool.control_plane,
        "hosts": [host.name or host.uid for host in pool.hosts],
        **dict(pool.settings),
    }


def described(pool: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as Palette has it, as a result."""
    return {
        "name": pool.get("name", ""),
        "control_plane": bool(pool.get("isControlPlane")),
        "size": pool.get("size") or len(pool.get("hosts") or []),
        "hosts": [
            {"uid": host["hostUid"], "name": host.get("hostName", ""), "address": address_of(host)}
            for host in pool.get("hosts") or []
        ],
    }


def predicted(pool: DesiredPool, known: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as it will be, as a result."""
    entity = _entity(pool, known)
    return described({**entity["poolConfig"], "hosts": entity["cloudConfig"]["edgeHosts"]})


@dataclass
class _Change:
    """What becomes of one pool: its steps, in three parts, so that those of other pools can come between them.

    :ivar grows: adds hosts and changes settings; ``shrinks`` takes hosts out; ``moves`` takes in what left other pools.
    """

    name: str
    grows: list[Step] = field(default_factory=list)
    shrinks: list[Step] = field(default_factory=list)
    moves: list[Step] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def plan_pools(
    result: Plan,
    current: Sequence[Mapping[str, Any]],
    desired: Sequence[DesiredPool],
    *,
    machines: Machines,
    path: str,
    scope: Scope,
    purge: bool,
    purge_hosts: bool = True,
    two_node: bool = False,
    again: Callable[[], Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Adds the steps from the pools that are there to the desired ones to ``result``.

    :param machines: pool name -> its machines; needed for pools that lose hosts, as a host leaves by its machine.
    :param path: of the cloud config.
    :param purge: whether worker pools that are not given go.
    :param purge_hosts: whether members that are not given go.
    :param again: reads the pools anew, to look for one whose answer was lost.
    :raises ConflictError: for what is fixed, and for a control plane that would lose its quorum.
    """
    have = {pool.get("name", ""): pool for pool in current}
    wanted = [_whole(pool, have.get(pool.name), purge_hosts=purge_hosts) for pool in desired if pool.present]
    absent = {pool.name for pool in desired if not pool.present} & set(have)
    if purge:
        absent |= set(have) - {pool.name for pool in wanted}
    newer = tells_newer(current)
    changes = []
    for pool in wanted:
        known = have.get(pool.name)
        moving = _moving(pool, have, wanted, absent)
        if known is None:
            changes.append(_addition(pool, moving, current, path, scope, again))
            continue
        _refuse_fixed(known, pool)
        if pool.control_plane:
            _refuse_loss(result, known, pool, two_node=two_node, between=not purge_hosts)
        if unknowable(known, pool.settings, newer=newer):
            result.warnings.append(
                f"node_pools: Palette does not tell whether {pool.name} has an override_health_check_configuration "
                "(it is newer than 4.8): it is sent along when something else of this pool changes"
            )
        writer = _Writer(
            path=path,
            scope=scope,
            machines=machines.get(pool.name, ()),
            newer=newer,
            moving=moving,
            one_edit=two_node and pool.control_plane,
        )
        changes.append(writer.change(known, pool))
    for name in sorted(absent):
        changes.append(_removal(name, have[name], machines.get(name, ()), path, scope))
    result.steps += [step for change in changes for step in change.grows]
    result.steps += [step for change in changes for step in change.shrinks]
    result.steps += [step for change in changes for step in change.moves]
    before = {change.name: change.before for change in changes if change.before}
    after = {change.name: change.after for change in changes if change.after}
    if before or after:
        result.before["node_pools"], result.after["node_pools"] = before, after
        will_be = {pool.name: predicted(pool, have.get(pool.name, {})) for pool in wanted}
        others = {name: described(pool) for name, pool in have.items() if name not in absent}
        result.predicted["node_pools"] = list({**others, **will_be}.values())


def _whole(pool: DesiredPool, known: Mapping[str, Any] | None, *, purge_hosts: bool) -> DesiredPool:
    """The pool with the members that stay because nobody said otherwise."""
    if known is None:
        if not pool.hosts:
            raise InputError(f"node_pools: the pool {pool.name} is not there yet, and a new one needs its hosts")
        return pool
    if pool.hosts_given and purge_hosts:
        if not pool.hosts:
            raise InputError(f"node_pools: {pool.name} would have no hosts left: remove the pool with state: absent")
        return pool
    given = {host.uid for host in pool.hosts}
    staying = tuple(PoolHost(uid=uid) for uid in members_of(known) if uid not in given)
    return replace(pool, hosts=(*staying, *pool.hosts))


def _moving(
    pool: DesiredPool, have: Mapping[str, Mapping[str, Any]], wanted: Sequence[DesiredPool], absent: set[str]
) -> set[str]:
    """Hosts that come from other pools, which let them go.

    :raises ConflictError: for one that its pool keeps.
    """
    mine = {host.uid for host in pool.hosts}
    moving = set()
    for name, other in have.items():
        kept = next(({host.uid for host in one.hosts} for one in wanted if one.name == name), set(members_of(other)))
        shared = mine & set(members_of(other)) if name != pool.name else set()
        stuck = sorted(shared & kept) if name not in absent else []
        if stuck:
            raise ConflictError(
                f"node_pools: {', '.join(stuck)} cannot come to {pool.name} while {name} has it: give {name} without it, "
                "too, and leave purge_hosts on"
            )
        moving |= shared
    return moving


def _addition(
    pool: DesiredPool,
    moving: set[str],
    current: Sequence[Mapping[str, Any]],
    path: str,
    scope: Scope,
    again: Callable[[], Sequence[Mapping[str, Any]]] | None,
) -> _Change:
    control = [str(one.get("name")) for one in current if one.get("isControlPlane")]
    if pool.control_plane and control:
        raise ConflictError(
            f"node_pools: {pool.name} cannot be the control plane, {control[0]} is it: a pool keeps its name"
        )

    def made() -> str | None:
        return pool.name if again is not None and any(one.get("name") == pool.name for one in again()) else None

    step = Step(
        says=f"add the node pool {pool.name} ({len(pool.hosts)} host{'s' * (len(pool.hosts) != 1)})",
        method="POST",
        path=f"{path}/machinePools",
        scope=scope,
        body=create_body(pool),
        settle=made if again is not None else None,
    )
    change = _Change(pool.name, after=shown(pool))
    (change.moves if moving else change.grows).append(step)
    return change


def _removal(
    name: str, pool: Mapping[str, Any], machines: Sequence[Mapping[str, Any]], path: str, scope: Scope
) -> _Change:
    if pool.get("isControlPlane"):
        raise ConflictError(
            f"node_pools: {name} is the control plane and cannot be removed: delete the cluster instead"
        )
    hosts = set(members_of(pool))
    steps = machine_steps(name, hosts, machines, path, scope)
    steps.append(
        Step(
            says=f"remove the node pool {name}",
            method="DELETE",
            path=f"{path}/machinePools/{name}",
            scope=scope,
            gone_is_done=True,
        )
    )
    return _Change(name, shrinks=steps, before=described(pool))


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Writes the steps of a pool that stays.

    :ivar moving: hosts that come when other pools have let them go.
    :ivar one_edit: hosts come and go in the same PUT, as the control plane of a two-node cluster wants it.
    """

    path: str
    scope: Scope
    machines: Sequence[Mapping[str, Any]]
    newer: bool
    moving: set[str]
    one_edit: bool

    def change(self, known: Mapping[str, Any], pool: DesiredPool) -> _Change:
        """What becomes of ``known``."""
        change = _Change(pool.name)
        members = members_of(known)
        want = {host.uid: host for host in pool.hosts}
        differing = self._differing(known, members, pool)
        if not differing:
            return change
        change.before = {key: pair[0] for key, pair in differing.items()}
        change.after = {key: pair[1] for key, pair in differing.items()}
        coming, going = set(want) - set(members), set(members) - set(want)
        whole = self._put(f"set {', '.join(sorted(differing))} of the node pool {pool.name}", pool, known)
        leaving = machine_steps(pool.name, going, self.machines, self.path, self.scope)
        if self.one_edit or not going:
            (change.moves if self.moving else change.shrinks if going else change.grows).extend([*leaving, whole])
            return change
        early, staying = coming - self.moving, tuple(PoolHost(uid=uid) for uid in members if uid in going)
        here = tuple(host for host in pool.hosts if host.uid not in self.moving)
        if early:
            names = ", ".join(want[uid].name or uid for uid in want if uid in early)
            both = replace(pool, hosts=(*here, *staying))
            change.grows.append(self._put(f"add {names} to the node pool {pool.name}", both, known))
        change.shrinks += leaving
        if not self.moving:
            change.shrinks.append(whole)
            return change
        if not here:
            raise ConflictError(
                f"node_pools: {pool.name} would be without hosts for a while: let it keep one, and take that out in "
                "another run"
            )
        less = replace(pool, hosts=here)
        change.shrinks.append(self._put(f"take {', '.join(sorted(going))} out of {pool.name}", less, known))
        change.moves.append(whole)
        return change

    def _differing(
        self, known: Mapping[str, Any], members: Mapping[str, Mapping[str, Any]], pool: DesiredPool
    ) -> dict[str, tuple[Any, Any]]:
        differing = settings_changes(known, pool.settings, newer=self.newer)
        names = {uid: label_of(member) for uid, member in members.items()}
        wanted = {host.uid: host.name or names.get(host.uid, host.uid) for host in pool.hosts}
        if names != wanted:
            differing["hosts"] = (sorted(names.values()), sorted(wanted.values()))
        roles = {host.uid: host.two_node_role for host in pool.hosts if host.two_node_role and host.uid in members}
        there = {uid: members[uid].get("twoNodeCandidatePriority", "") for uid in roles}
        if roles != there:
            differing["two_node_roles"] = (there, roles)
        return differing

    def _put(self, says: str, pool: DesiredPool, known: Mapping[str, Any]) -> Step:
        path = f"{self.path}/machinePools/{pool.name}"
        return Step(says=says, method="PUT", path=path, scope=self.scope, body=_entity(pool, known))


def machine_steps(
    pool: str, leaving: set[str], machines: Sequence[Mapping[str, Any]], path: str, scope: Scope
) -> list[Step]:
    """The steps that take hosts out of a pool by their machines; a machine that is going already is left to go."""
    steps = []
    for machine in machines:
        host = (machine.get("spec") or {}).get("edgeHostUid")
        if host in leaving and (machine.get("status") or {}).get("instanceState") not in ("Deleting", "Deleted"):
            steps.append(
                Step(
                    says=f"take the Edge host {host} out of the node pool {pool}",
                    method="DELETE",
                    path=f"{path}/machinePools/{pool}/machines/{machine['metadata']['uid']}",
                    scope=scope,
                    gone_is_done=True,
                )
            )
    return steps


def _refuse_fixed(known: Mapping[str, Any], pool: DesiredPool) -> None:
    if bool(known.get("isControlPlane")) != pool.control_plane:
        raise ConflictError(f"node_pools: {pool.name} cannot turn from or into a control plane: make another pool")
    architecture = (known.get("machinePoolProperties") or {}).get("archType") or "amd64"
    if pool.architecture and pool.architecture != architecture:
        raise ConflictError(f"node_pools: the architecture of {pool.name} is {architecture} and cannot be changed")
    members = members_of(known)
    for host in pool.hosts:
        fixed = list(fixed_problems(host, members[host.uid])) if host.uid in members else []
        if fixed:
            raise ConflictError(
                f"node_pools: Edge host {host.uid} is a member of {pool.name} with {' and '.join(fixed)}, which is "
                "fixed while it is one: remove it from the pool, then add it again"
            )


def _refuse_loss(result: Plan, known: Mapping[str, Any], pool: DesiredPool, *, two_node: bool, between: bool) -> None:
    have, want = set(members_of(known)), {host.uid for host in pool.hosts}
    problem = change_problem(have, want, two_node=two_node, between=between)
    if problem:
        raise ConflictError(f"node_pools: the control plane {pool.name} {problem}")
    if even_for_a_while(have, want, two_node=two_node):
        result.warnings.append(
            f"node_pools: the control plane {pool.name} has {len(want)} hosts then, which is for a while only: wait until "
            "the cluster is healthy, then take another one out"
        )


def _entity(pool: DesiredPool, known: Mapping[str, Any]) -> dict[str, Any]:
    # What is there and not set by the user stays: a PUT without it would drop it.
    derived = {"hosts", "name", "size", "labels", "isControlPlane", "osType", "machinePoolProperties"}
    kept = {key: value for key, value in known.items() if key not in derived}
    config = {
        **kept,
        **wire_settings(pool.settings),
        "name": pool.name,
        "size": len(pool.hosts),
        "labels": ["control-plane" if pool.control_plane else "worker"],
        "isControlPlane": pool.control_plane,
    }
    architecture = pool.architecture or (known.get("machinePoolProperties") or {}).get("archType")
    if architecture:
        config["machinePoolProperties"] = {"archType": architecture}
    members = members_of(known)
    return {
        "cloudConfig": {"edgeHosts": [member_body(host, members.get(host.uid)) for host in pool.hosts]},
        "poolConfig": config,
    }
