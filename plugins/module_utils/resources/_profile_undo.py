# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new version that Palette refuses half way is taken away again, so that nobody takes it for a finished one.

Only what this run has made as a copy, and only after a definite refusal: where the connection was cut, nobody knows how
far it came, and a second run carries on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .._reconcile import Plan, Step, StepFailedError, cause_of
from ..palette._errors import AuthenticationError, PaletteError, RateLimitError
from ..palette._session import Scope, Session
from ._profile_read import PATH, Current, describe, read_uid, versions


@dataclass
class Making:
    """What a run has planned, and whether the version was published as soon as it was made."""

    plans: list[Plan] = field(default_factory=list)
    born_published: bool = False

    def recorded(self, plan: Callable[[Current, bool], Plan]) -> Callable[[Current], Plan]:
        """``plan`` that is remembered; it is told whether this run has made the version as a copy before."""

        def record(current: Current) -> Plan:
            fresh = any(one.replan_after for one in self.plans)
            if current.profile is not None and fresh:
                self.born_published = describe(current.profile)["published"]
            self.plans.append(plan(current, fresh))
            return self.plans[-1]

        return record

    def copy_made(self, error: PaletteError) -> Step | None:
        """The step that made a copy, if it is known to have been carried out by this run."""
        first = next((plan.steps[0] for plan in self.plans if plan.replan_after), None)
        if first is None or not isinstance(error, StepFailedError):
            # Between the steps there are only looks, and after a conflict they look at what somebody else has made.
            return None
        return first if first.says in error.done else None


def undone(
    session: Session, scope: Scope, *, name: str, version: str, making: Making, error: PaletteError
) -> PaletteError:
    """The error to report; if this run has made a copy that was then refused, it is removed and the error says so."""
    copy, cause = making.copy_made(error), cause_of(error)
    if copy is None or not _is_refusal(cause):
        return error
    label = f"cluster profile {name} {version}"
    refused = str(error).partition(" Done before it: ")[0].rstrip(". ")
    try:
        _remove(session, scope, name, version, label, born_published=making.born_published)
    except PaletteError as second:
        text = f"{refused}. The half-made {label} could not be removed again ({str(second).rstrip('. ')})"
        facts = {**error.facts, "changed": True, "steps_done": [copy.says]}
        return type(cause)(f"{text}. Delete it, or correct the cause and run again", **facts)
    facts = {**error.facts, "steps_undone": [copy.says]}
    return type(cause)(f"{refused}. The half-made {label} was removed again: correct it and run again", **facts)


def _is_refusal(cause: PaletteError) -> bool:
    if isinstance(cause, (RateLimitError, AuthenticationError)):
        return False
    status = cause.facts.get("status")
    return isinstance(status, int) and 400 <= status <= 499


def _remove(session: Session, scope: Scope, name: str, version: str, label: str, *, born_published: bool) -> None:
    for uid in versions(session, scope, name).get(version, []):
        profile = read_uid(session, scope, uid)
        used = (profile.get("status") or {}).get("inUseClusters")
        if used:
            raise PaletteError(f"{label} is used by the cluster {used[0].get('name', '')} already")
        if (profile.get("spec") or {}).get("published") and not born_published:
            raise PaletteError(f"somebody else has published {label} meanwhile")
        session.request("DELETE", f"{PATH}/{uid}", scope=scope, what=f"remove the half-made {label}")
