"""Reading and writing files of a host's root from outside of the host.

The root was written to by somebody else: nothing here follows a link that leads out of it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lab.instance.state import write_text


def inside(root: Path, path: str) -> Path:
    """The path below the root. Raises OSError when a folder on the way is a link that leads out of it."""
    target = root / path
    folder, top = os.path.realpath(target.parent), os.path.realpath(root)
    if os.path.commonpath([folder, top]) != top:
        raise OSError(f"/{path}: its folder is a link that leads out of the host")
    return Path(folder) / target.name


def present(root: Path, path: str) -> str | None:
    """The text of a file of the root; None when there is no such file, or a link in its place."""
    target = inside(root, path)
    if target.is_symlink() or not target.is_file():
        return None
    return target.read_text(errors="replace")


def put(root: Path, path: str, text: str, *, mode: int | None = None) -> bool:
    """Write a file of the root unless it says so already; returns whether it was written.

    A link in its place is replaced. Without ``mode`` a file keeps the one it has, and a new one gets 0644.
    """
    if present(root, path) == text:
        return False
    target = inside(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    kept = stat.S_IMODE(target.stat().st_mode) if present(root, path) is not None else 0o644
    write_text(target, text, mode=kept if mode is None else mode)
    return True
