"""The lab's two long-running processes: started as daemons, found again, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab.instance.state import REPOSITORY, Instance, write_text

MODULES = {"controller": "lab.controller", "hosts": "lab.hosts"}


def start(instance: Instance, part: str, arguments: Sequence[str]) -> int:
    """Start ``controller`` or ``hosts`` in a session of its own, holding none of the caller's pipes; returns its pid.

    No secret may be among ``arguments``: everybody on the machine can read them.
    """
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", MODULES[part], "--state", str(instance.state), *arguments]
    with instance.log(part).open("ab") as log:
        os.fchmod(log.fileno(), 0o600)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        )
    # The daemon outlives this command on purpose, so Popen shall not warn that it still runs.
    process.returncode = 0
    write_text(instance.pid_file(part), f"{process.pid}\n")
    return process.pid


def running(instance: Instance, part: str) -> int | None:
    """The pid of the lab's ``part`` while it runs; a pid that now belongs to something else does not count."""
    try:
        pid = int(instance.pid_file(part).read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_part(pid, instance, part) else None


def _is_part(pid: int, instance: Instance, part: str) -> bool:
    arguments = command_line(pid)
    return MODULES[part] in arguments and str(instance.state) in arguments and alive(pid)


def find_all(instance: Instance, part: str) -> list[int]:
    """Every process that is this lab's ``part``, also one whose pid file was lost."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _is_part(pid, instance, part)]


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def end(pids: Sequence[int], *, within: float) -> None:
    """Ask the processes to end, wait ``within`` seconds, then end them."""
    _signal(pids, signal.SIGTERM)
    if wait_gone(pids, within=within):
        _signal(pids, signal.SIGKILL)
        wait_gone(pids, within=2)
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            continue


def wait_gone(pids: Sequence[int], *, within: float) -> list[int]:
    """Wait until none of the processes runs; returns those that still do after ``within`` seconds."""
    deadline = time.monotonic() + within
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def log_tail(instance: Instance, part: str, *, lines: int = 8) -> str:
    """The last lines of a part's log, indented, for a message of failure."""
    try:
        with instance.log(part).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            text = log.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (empty log)"
