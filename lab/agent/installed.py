"""The agent of a host that is a plain Linux at first: whether it was installed there and runs, and its log on the host.

What is installed on the host is `lab/release`: its unit writes down in which boot it runs. The lab's agent, which does its
work from outside, acts in that boot only, as a real one runs only after the reboot that follows its installation.
"""

from __future__ import annotations

import os
from pathlib import Path

from lab.hosts.rootfs import inside, present

_STATE = "opt/spectrocloud/state"
_LOG = "var/log/palette-agent.log"


def version(root: Path) -> str:
    """The version that is installed; empty when none is."""
    return _line(root, f"{_STATE}/version")


def runs(root: Path, boot_id: str) -> bool:
    """Whether the agent's unit was started in this boot."""
    return bool(boot_id) and _line(root, f"{_STATE}/running") == boot_id


def log(root: Path, words: str) -> None:
    """A line in the agent's log on the host, which its unit passes on to the journal. Nothing when it cannot be written."""
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(inside(root, _LOG), flags, 0o600), "a") as file:
            file.write(f"{words}\n")
    except OSError:
        return


def _line(root: Path, path: str) -> str:
    try:
        return (present(root, path) or "").strip()
    except OSError:
        return ""
