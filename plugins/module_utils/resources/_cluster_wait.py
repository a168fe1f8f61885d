# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a cluster: how far it is, what it waits for that nobody gives it by itself, and what failed for good."""

from __future__ import annotations

import datetime as dt
from typing import Any

from .._reconcile import Step
from ..palette._errors import TerminalStateError
from ..palette._session import Scope, Session
from . import _moments as moments
from . import _repave as repave
from ._cluster import Current, read
from ._cluster_parts import read_machines
from ._cluster_progress import errors, progress
from ._cluster_removal import forced, overdue

PATIENCE = 120.0
"""Seconds for which a failure must last until it counts: Palette tries again by itself."""

SOON = (1.0, 2.0, 4.0)
"""Seconds between the looks for a repave that a change was said to bring."""


class Watch:
    """Looks at one cluster until it runs as defined.

    :ivar approve: a repave that waits is approved, once each.
    :ivar done: the writes of the wait, in words.
    :ivar uid: of the cluster, "" until it was seen.
    """

    def __init__(self, session: Session, scope: Scope, name: str, *, approve: bool = False) -> None:
        self.session = session
        self.scope = scope
        self.name = name
        self.approve = approve
        self.done: list[str] = []
        self.uid = ""
        self._failed: list[str] = []
        self._since = 0.0
        self._approved: float | None = None

    def look(self) -> tuple[bool, str]:
        """Whether it is done, and how far it is in words.

        :raises TerminalStateError: when it does not go on by itself.
        """
        current = read(self.session, self.scope, self.name)
        if current.cluster is None:
            return False, "not there yet"
        self.uid = current.cluster["metadata"]["uid"]
        machines = read_machines(self.session, self.scope, current.config)
        finished, words = progress(current, machines)
        if repave.pending(current.cluster):
            self.meet_repave(current)
            return False, words
        self._judge(errors(current, machines), words)
        return finished, words

    def meet_repave(self, current: Current) -> None:
        """Approves the repave that waits.

        :raises TerminalStateError: when it must not be approved.
        """
        if not self.approve:
            reasons = repave.because(current.repave.get("reasons") or [])
            raise TerminalStateError(
                f"The cluster {self.name} waits for the approval of a repave{reasons}: {repave.HOW_TO_APPROVE}"
            )
        # It takes a moment until it shows.
        if self._approved is None or self.session.clock() - self._approved >= PATIENCE:
            self.uid = current.cluster["metadata"]["uid"] if current.cluster else self.uid
            self.carry_out(repave.approval(self.name, self.uid, self.scope))
            self._approved = self.session.clock()

    def approved(self) -> None:
        """The plan approves what waits now."""
        self._approved = self.session.clock()

    def approve_soon(self) -> None:
        """Approves the repave that Palette is about to ask for, without waiting for more."""
        for pause in SOON if self._approved is None else ():
            current = read(self.session, self.scope, self.name)
            if repave.pending(current.cluster):
                self.meet_repave(current)
                return
            self.session.sleep(pause)

    def carry_out(self, step: Step) -> None:
        """A write of the wait, which may be repeated."""
        self.session.request(step.method, step.path, scope=step.scope, what=step.says, params=step.params)
        if step.says not in self.done:
            self.done.append(step.says)

    def _judge(self, failed: list[str], words: str) -> None:
        now = self.session.clock()
        if not failed or failed != self._failed:
            self._failed, self._since = failed, now
        elif now - self._since >= PATIENCE:
            raise TerminalStateError(
                f"The cluster {self.name} does not go on by itself: {words}. "
                f"The same failure lasts for {PATIENCE:g} s: correct the cause and run again"
            )


class Leaving(Watch):
    """Looks at one cluster until it is gone, and forces it after ``delay`` minutes if it must (None: never)."""

    def __init__(self, session: Session, scope: Scope, name: str, *, delay: int | None) -> None:
        super().__init__(session, scope, name)
        self.delay = delay
        self._seen: dt.datetime | None = None

    def look(self) -> tuple[bool, str]:
        """Whether it is gone, and its state."""
        current = read(self.session, self.scope, self.name)
        if current.cluster is None:
            return True, "gone"
        self.uid = current.cluster["metadata"]["uid"]
        state: Any = (current.cluster.get("status") or {}).get("state") or "no state yet"
        now = moments.utc_now()
        self._seen = self._seen or now
        if (
            self.delay is not None
            and not self.done
            and overdue(current.cluster, delay=self.delay, now=now, since=self._seen)
        ):
            self.carry_out(forced(self.name, self.uid, self.scope))
        return False, f"{state}{', forced' if self.done else ''}"
