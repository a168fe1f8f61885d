"""What providers share that build nothing themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.hosts import base
from lab.kubernetes.provider import images


def lock() -> Path:
    """The file whose lock is held while a delivery is made."""
    place = base.cache_directory()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place / "kubernetes.lock"


def application(work: Path, say: Callable[[str], None]) -> None:
    """The image of the lab's own pods, from the busybox of the hosts' root."""
    images.application(base.base_root(say, node=True), work / "images" / "busybox.tar")
