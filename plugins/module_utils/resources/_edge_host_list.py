# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many Edge hosts in one run: all are planned before any is written, and one that fails does not stop the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from .._reconcile import Plan, StepFailedError, cause_of, same
from ..palette._errors import AuthenticationError, ConflictError, PaletteError, RateLimitError, UnavailableError
from ..palette._session import TENANT, Scope, Session
from ._edge_host import DesiredHost, describe, read

LISTED = 20
"""So many hosts are shown one by one in a diff."""
_LOST = (AuthenticationError, RateLimitError, UnavailableError)
_GIVE_UP = 3


def plan_all(desired: Sequence[DesiredHost], plan_one: Callable[[DesiredHost], Plan]) -> dict[str, Plan]:
    """The plans by UID.

    :raises ConflictError: naming the hosts that cannot be as they are wanted: then nothing is written at all.
    """
    plans: dict[str, Plan] = {}
    problems: list[str] = []
    for host in desired:
        try:
            plans[host.uid] = plan_one(host)
        except ConflictError as error:
            problems.append(str(error))
    if problems and len(desired) == 1:
        raise ConflictError(problems[0])
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        head = f"{len(problems)} of {len(desired)} Edge hosts are refused, and nothing was written"
        raise ConflictError(f"{head}: {'; '.join(problems[:5])}{more}")
    return plans


def apply_all(
    session: Session, hosts: Sequence[DesiredHost], carry_out: Callable[[DesiredHost], None], *, total: int
) -> None:
    """Carries out what changes, several hosts at a time. When Palette itself is gone, the rest is not tried.

    :raises PaletteError: one for all hosts that failed.
    """
    errors: dict[str, PaletteError] = {}
    untried: list[str] = []
    lock = threading.Lock()
    lost = 0

    def one(host: DesiredHost) -> None:
        nonlocal lost
        if lost >= _GIVE_UP:
            untried.append(host.uid)
            return
        try:
            carry_out(host)
        except PaletteError as error:
            errors[host.uid] = error
            with lock:
                lost += isinstance(cause_of(error), _LOST)
        else:
            with lock:
                lost = lost if lost >= _GIVE_UP else 0

    session.map(one, hosts)
    if not errors:
        return
    if total == 1:
        raise next(iter(errors.values()))
    through = len(hosts) - len(errors) - len(untried)
    done = through > 0 or any(isinstance(one, StepFailedError) and one.done for one in errors.values())
    raise several_failed(errors, total, changed=done, untried=len(untried))


def several_failed(errors: Mapping[str, PaletteError], total: int, *, changed: bool, untried: int = 0) -> PaletteError:
    """One error for the hosts of a list that failed; the others went through, and ``changed`` tells whether they did."""
    first = next(iter(errors))
    rest = [uid for uid in errors if uid != first]
    more = f". The same list also failed for: {', '.join(rest[:10])}" if rest else ""
    more += f" and {len(rest) - 10} more" if len(rest) > 10 else ""
    others = f"{untried} were not tried, the others" if untried else "the others"
    return type(cause_of(errors[first]))(
        f"{len(errors)} of {total} Edge hosts failed, {others} went through; run again for these. "
        f"{first}: {errors[first]}{more}",
        **{**errors[first].facts, "changed": changed, "failed_hosts": list(errors)},
    )


def refuse_elsewhere(session: Session, scope: Scope, uid: str) -> None:
    """An ID that is taken, by a host that this project does not show: names the project if the key may see it.

    :raises ConflictError: naming the project.
    """
    try:
        seen = describe(read(session, TENANT, uid)) if scope.project_uid else {}
    except PaletteError:
        return
    project = seen.get("project") or seen.get("project_uid")
    if project and seen["project_uid"] != scope.project_uid:
        raise ConflictError(
            f"project: Edge host {uid} belongs to the project {project}, "
            "and a host cannot move: delete it there first, or name that project"
        )


def summary(plans: Mapping[str, Plan]) -> Plan:
    """One plan for the list: only hosts that change, and of those only what changes; of very many, how many."""
    changing = {uid: plan for uid, plan in plans.items() if plan.changed}
    whole = Plan(steps=[step for plan in changing.values() for step in plan.steps])
    for uid, plan in list(changing.items())[:LISTED]:
        keys = [key for key in {**plan.before, **plan.after} if not same(plan.before.get(key), plan.after.get(key))]
        whole.before[uid] = {key: plan.before[key] for key in keys if key in plan.before}
        whole.after[uid] = {key: plan.after[key] for key in keys if key in plan.after}
    if len(changing) > LISTED:
        new = sum(not plan.before for plan in changing.values())
        gone = sum(not plan.after for plan in changing.values())
        counts = f"{new} registered, {gone} deleted, {len(changing) - new - gone} changed"
        whole.before["in all"] = f"{len(plans)} Edge hosts"
        whole.after["in all"] = f"{counts}, {len(plans) - len(changing)} left alone; the first {LISTED} are shown"
    return whole
