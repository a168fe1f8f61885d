"""Request limits by source and endpoint prefix, as published."""

from __future__ import annotations

import re
from dataclasses import dataclass

FAST = ("/v1/spectroclusters", "/v1/clusterprofiles", "/v1/cloudconfigs", "/v1/events/components")
_SLOW_PARTS = re.compile(r"/v1/spectroclusters/[^/]+/(assets|download|features/logFetcher)(/.*)?")


@dataclass
class _Bucket:
    level: float
    at: float


class Limiter:
    """Token buckets: 10 requests a second and 50 at once, or 50 and 250."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def refused(self, source: str, path: str, now: float) -> float:
        """0 when the request may pass, else the seconds after which it may."""
        slow = _SLOW_PARTS.fullmatch(path)
        fast = next((prefix for prefix in FAST if path.startswith(prefix)), "") if not slow else ""
        prefix = fast or (slow.group(1) if slow else "/".join(path.split("/")[:3]))
        rate, burst = (50.0, 250.0) if fast else (10.0, 50.0)
        bucket = self._buckets.setdefault((source, prefix), _Bucket(burst, now))
        # A clock that is set back must not cost anybody anything.
        bucket.level = min(burst, bucket.level + max(0.0, now - bucket.at) * rate)
        bucket.at = now
        if bucket.level < 1:
            return (1 - bucket.level) / rate
        bucket.level -= 1
        return 0.0
