"""Carries many agents on a few threads: each agent's next step is done when it is due."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from typing import Protocol

_LOG = logging.getLogger(__name__)
_AFTER_A_BUG = 5.0


class Stepping(Protocol):
    """Something that acts in steps."""

    def step(self) -> float:
        """Act; returns the seconds until the next step."""


class Scheduler:
    """Threads that carry out the steps of whatever was added. A thread for each host up to ``most`` of them."""

    def __init__(self, *, most: int = 32) -> None:
        self._most = most
        self._due: list[tuple[float, int, Stepping]] = []
        self._at_work: dict[int, bool] = {}  # id of the agent -> whether it is to be carried on
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._watched = False  # whether a thread waits for the time of the next step; the others wait to be woken

    def add(self, agent: Stepping, *, first: float = 0.0) -> None:
        """Carry ``agent`` from now on; its first step is due in ``first`` seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + first, next(self._order), agent))
            self._changed.notify()
            if len(self._threads) < self._most:
                thread = threading.Thread(target=self._work, name=f"agents-{len(self._threads) + 1}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def remove(self, agent: Stepping) -> None:
        """Carry ``agent`` no longer; a step that is being done ends."""
        with self._changed:
            if id(agent) in self._at_work:
                self._at_work[id(agent)] = False
            self._due = [entry for entry in self._due if entry[2] is not agent]
            heapq.heapify(self._due)

    def stop(self) -> None:
        """End the threads; does not wait for a step that is being done."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (agent := self._next()) is not None:
            try:
                delay = agent.step()
            except Exception:  # noqa: BLE001
                # One agent's bug must not end the thread that carries the others too.
                _LOG.exception("an agent's step failed")
                delay = _AFTER_A_BUG
            with self._changed:
                if not self._at_work.pop(id(agent)):
                    continue
                heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), agent))
                self._changed.notify()

    def _next(self) -> Stepping | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    agent = heapq.heappop(self._due)[2]
                    self._at_work[id(agent)] = True
                    self._changed.notify()
                    return agent
                if self._watched:
                    self._changed.wait()
                    continue
                self._watched = True
                self._changed.wait(wait)
                self._watched = False
        return None
