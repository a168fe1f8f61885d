# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request limits: by prefix, with a burst, across threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.palette.edge.plugins.module_utils.palette._rate import (
    FAST,
    SLOW,
    Limit,
    RateLimiter,
    prefix_of,
)
from ansible_collections.palette.edge.tests.unit.palette_server import FakeClock


@pytest.mark.parametrize(
    ("path", "prefix", "limit"),
    [
        ("/v1/edgehosts", "/v1/edgehosts", SLOW),
        ("/v1/edgehosts/tokens/u/state", "/v1/edgehosts", SLOW),
        ("/v1/dashboard/edgehosts/search", "/v1/dashboard", SLOW),
        ("/v1/dashboard/spectroclusters/search", "/v1/dashboard", SLOW),
        ("/v1/packs/search", "/v1/packs", SLOW),
        ("/v1/spectroclusters/u", "/v1/spectroclusters", FAST),
        ("/v1/clusterprofiles/u/publish", "/v1/clusterprofiles", FAST),
        ("/v1/cloudconfigs/edge-native/u", "/v1/cloudconfigs", FAST),
        ("/v1/events/components/u", "/v1/events/components", FAST),
        ("/v1/spectroclusters/u/assets/kubeconfig", "/v1/spectroclusters/*/assets", SLOW),
        ("/v1/spectroclusters/u/download", "/v1/spectroclusters/*/download", SLOW),
        ("/v1/spectroclusters/u/features/logFetcher", "/v1/spectroclusters/*/features/logFetcher", SLOW),
    ],
)
def test_prefixes(path: str, prefix: str, limit: Limit) -> None:
    assert prefix_of(path) == (prefix, limit)


def sent_at(clock: FakeClock, path: str, count: int) -> list[float]:
    limiter = RateLimiter(clock=clock, sleep=clock.sleep)
    times = []
    for dummy in range(count):
        limiter.wait(path)
        times.append(clock.now)
    return times


def never_above(times: list[float], limit: Limit) -> bool:
    """Whether Palette's own bucket would have taken every request."""
    level, at = float(limit.burst), times[0]
    for now in times:
        level = min(float(limit.burst), level + (now - at) * limit.rate) - 1
        at = now
        if level < 0:
            return False
    return True


@pytest.mark.parametrize(("path", "limit"), [("/v1/edgehosts", SLOW), ("/v1/spectroclusters", FAST)])
def test_the_burst_is_free_and_then_the_rate_holds(path: str, limit: Limit) -> None:
    times = sent_at(FakeClock(), path, limit.burst * 3)
    assert times[limit.burst - 3] == times[0]
    assert never_above(times, limit)
    floor = (limit.burst * 3 - limit.burst) / limit.rate
    assert floor <= times[-1] - times[0] <= floor * 1.05 + 0.5  # and not slower than it must be


def test_prefixes_do_not_slow_each_other() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock=clock, sleep=clock.sleep)
    for dummy in range(200):
        limiter.wait("/v1/spectroclusters/u")
    assert clock.slept == []
    for dummy in range(48):
        limiter.wait("/v1/edgehosts/u")
    assert clock.slept == []
    limiter.wait("/v1/edgehosts/tokens")
    assert len(clock.slept) == 1


def test_an_idle_time_refills_the_burst_and_no_more() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock=clock, sleep=clock.sleep)
    for dummy in range(48):
        limiter.wait("/v1/edgehosts")
    clock.now += 3600
    for dummy in range(48):
        limiter.wait("/v1/edgehosts")
    assert clock.slept == []
    limiter.wait("/v1/edgehosts")
    assert clock.slept != []


def test_threads_share_one_limit() -> None:
    # The clock stands still, so what each thread is told to sleep is when it sends.
    pauses: list[float] = []
    limiter = RateLimiter(clock=lambda: 0.0, sleep=pauses.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda dummy: limiter.wait("/v1/edgehosts"), range(148)))
    assert len(pauses) == 100
    assert len(set(pauses)) == 100  # no two go at the same moment
    assert never_above(sorted([0.0] * 48 + pauses), SLOW)
