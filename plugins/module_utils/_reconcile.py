# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan, then apply: what would change, as data; carrying it out; the diff and the result made of the same data.

This floor knows neither HTTP paths nor resources: a step carries its request as opaque data, and ``send`` performs it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .palette._errors import AmbiguousError, NotFoundError, PaletteError
from .palette._session import Scope


@dataclass(frozen=True)
class Step:
    """One write.

    :ivar says: what it does, in words that finish "would ..." and "did ...": C(create cluster store-042).
    :ivar path: may hold C({name}) of UIDs that earlier steps bound.
    :ivar binds: the name under which the UID in the answer is known to later steps.
    :ivar settle: after a lost answer, looks whether the write was carried out: the object's UID, or None.
    :ivar once: after a lost answer it is not sent again, whatever its verb promises: it does something each time.
    :ivar gone_is_done: a step that removes, and is content when there is nothing left to remove.
    """

    says: str
    method: str
    path: str
    scope: Scope
    body: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    binds: str = ""
    settle: Callable[[], str | None] | None = None
    gone_is_done: bool = False
    once: bool = False


@dataclass
class Plan:
    """The steps to the desired state, and both states in the desired shape (secrets already hidden).

    :ivar before: the current state, only the keys that the user asked about; empty when absent.
    :ivar after: the desired state, the same keys; empty when it is to be absent.
    :ivar predicted: what check mode returns for keys of the result whose shape is not that of the diff.
    :ivar replan_after: what Palette has after this many steps is only known then (UIDs of a copy, say): carry these
        out, read, and plan again; the steps behind them are the prediction.
    """

    steps: list[Step] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    predicted: dict[str, Any] = field(default_factory=dict)
    replan_after: int | None = None

    @property
    def changed(self) -> bool:
        """Whether anything would be written."""
        return bool(self.steps)


class StepFailedError(PaletteError):
    """A step failed: which of how many, what was done before it, and that a second run carries on."""

    def __init__(self, steps: list[Step], index: int, cause: PaletteError) -> None:
        done = [step.says for step in steps[:index]]
        text = str(cause)
        if len(steps) > 1:
            text = f"Step {index + 1} of {len(steps)} ({steps[index].says}) failed: {text}"
        if done:
            text += f" Done before it: {'; '.join(done)}. A second run carries on from there"
        super().__init__(text, **cause.facts)
        self.cause = cause
        self.done = done


def cause_of(error: PaletteError) -> PaletteError:
    """What made a step fail, or the error itself."""
    return error.cause if isinstance(error, StepFailedError) else error


PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each look for what a lost answer may have brought about."""


def apply(
    plan: Plan,
    send: Callable[[Step], Any],
    *,
    done: Sequence[Step] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Carries the steps out in order and returns the UIDs that they bound.

    :param done: steps of an earlier stage, which an error names too.

    No write is repeated blindly: after a lost answer the step's ``settle`` looks; only when the object is not there
    is the step sent again, a few times at most, and when nothing can look, the error stands.
    """
    known: dict[str, str] = {}
    for index, step in enumerate(plan.steps):
        path = step.path
        for name, uid in known.items():
            path = path.replace("{" + name + "}", uid)
        ready = replace(step, path=path)
        try:
            uid = _carry_out(ready, send, sleep)
        except PaletteError as error:
            raise StepFailedError([*done, *plan.steps], len(done) + index, error) from error
        if step.binds and uid:
            known[step.binds] = uid
    return known


def _carry_out(step: Step, send: Callable[[Step], Any], sleep: Callable[[float], None]) -> str:
    try:
        return _uid(send(step))
    except NotFoundError:
        if step.gone_is_done:
            return ""
        raise
    except AmbiguousError as error:
        return _settled(step, send, error, sleep)


def _settled(step: Step, send: Callable[[Step], Any], error: AmbiguousError, sleep: Callable[[float], None]) -> str:
    """Looks before each further try: what was carried out is adopted, not made twice."""
    if step.settle is None:
        raise error
    for pause in PAUSES:
        # What was accepted may take a moment until it can be seen.
        sleep(pause)
        found = step.settle()
        if found:
            return found
        try:
            return _uid(send(step))
        except AmbiguousError as again:
            error = again
    raise error


def _uid(answer: Any) -> str:
    return str(answer.get("uid") or "") if isinstance(answer, dict) else ""


def differing(current: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of ``desired`` whose value differs from ``current``; absent, false, 0, "" and empty are one."""
    return {key: value for key, value in desired.items() if not same(current.get(key), value)}


def same(left: Any, right: Any) -> bool:
    """Equality in Palette's terms, where zero values are left out of answers, at every depth."""
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        mine, other = left or {}, right or {}
        if not isinstance(mine, Mapping) or not isinstance(other, Mapping):
            return False
        return all(same(mine.get(key), other.get(key)) for key in set(mine) | set(other))
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    return (left or None) == (right or None)


def readable(value: Any) -> Any:
    """``value`` for a diff: text of several lines becomes a list of lines."""
    if isinstance(value, Mapping):
        return {key: readable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(one) for one in value]
    if isinstance(value, str) and "\n" in value.strip():
        return value.strip().splitlines()
    return value
