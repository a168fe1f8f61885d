# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staying under Palette's published request limits, so that a large site is slow for a moment instead of refused.

Limits count per source address and endpoint prefix: most prefixes 10 requests a second with a burst of 50,
cluster, profile, cloud config and event prefixes 50 with a burst of 250.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """``rate`` in requests a second, ``burst`` in requests."""

    rate: float
    burst: int


SLOW = Limit(rate=10, burst=50)
FAST = Limit(rate=50, burst=250)

_FAST_PREFIXES = ("/v1/spectroclusters", "/v1/clusterprofiles", "/v1/cloudconfigs", "/v1/events/components")
_SLOW_WITHIN_CLUSTERS = re.compile(r"^/v1/spectroclusters/[^/]+/(assets|download|features/logFetcher)(/|$)")


def prefix_of(path: str) -> tuple[str, Limit]:
    """The prefix that a request counts for, and its limit."""
    within = _SLOW_WITHIN_CLUSTERS.match(path)
    if within:
        return f"/v1/spectroclusters/*/{within.group(1)}", SLOW
    for prefix in _FAST_PREFIXES:
        if path.startswith(prefix):
            return prefix, FAST
    return "/".join(path.split("/")[:3]), SLOW


class _Bucket:
    def __init__(self, limit: Limit, now: float) -> None:
        # A little below the limit: the server's clock is not ours, and a refused request costs more than a late one.
        self.rate = limit.rate * 0.98
        self.burst = float(max(1, limit.burst - 2))
        self.level = self.burst
        self.at = now

    def take(self, now: float) -> float:
        """Books one request; returns the seconds to sleep before it may be sent."""
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        self.level -= 1.0
        return 0.0 if self.level >= 0 else -self.level / self.rate


class RateLimiter:
    """Token buckets by prefix, shared by all threads of a process."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, path: str) -> None:
        """Returns when a request to ``path`` may be sent."""
        prefix, limit = prefix_of(path)
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(prefix, _Bucket(limit, now))
            pause = bucket.take(now)
        if pause > 0:
            self._sleep(pause)
