"""What providers share that build nothing themselves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lab.hosts import base
from lab.kubernetes.provider import images


def lock() -> Path:
    """The file whose lock is held while a delivery is made."""
    place = base.cache_directory()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place / "kubernetes.lock"


def clear() -> None:
    """Remove what a killed delivery left. Called under the lock, so nobody is at work on it."""
    place = base.cache_directory()
    for left in [*place.glob("kubernetes-*.tmp-*"), *place.glob("kubernetes*.partial")]:
        remove(left)


def remove(path: Path) -> None:
    """Remove a file or a directory; Go keeps its cache read-only."""
    if path.is_dir():
        subprocess.run(["chmod", "-R", "u+w", str(path)], capture_output=True, check=False)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def application(work: Path, say: Callable[[str], None]) -> None:
    """The image of the lab's own pods, from the busybox of the hosts' root."""
    images.application(base.base_root(say, node=True), work / "images" / "busybox.tar")
