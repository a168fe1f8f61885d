"""Running a command inside a host that is up, from outside of it, as the host's own root."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Enters the control groups named before ``--`` and becomes the command after it.
INTO_GROUPS = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 97; shift; done; shift; exec "$@"'
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class GuestError(Exception):
    """A command in a host failed, took too long, or the host is not up: one line that says which and why."""


@dataclass(frozen=True)
class Guest:
    """One boot of a host: ``leader`` is its process 1 seen from outside, ``groups`` are its control groups."""

    name: str
    leader: int
    groups: tuple[Path, ...]

    def run(
        self,
        command: Sequence[str],
        *,
        timeout: float,
        given: str = "",
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> str:
        """What the command prints on stdout; ``given`` is its stdin, ``log`` is where all its output is kept too.

        Secrets belong into files or ``given``, never into ``command``. Raises GuestError; the command and what it
        started are ended after ``timeout`` seconds.
        """
        enter = ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        variables = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", **(environment or {})}
        words = " ".join(command)
        process = subprocess.Popen(
            ["sh", "-c", INTO_GROUPS, "sh", *map(str, self.groups), "--", *enter, "--root", "--wd", "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            cwd="/",
            env=variables,
        )
        try:
            out, err = process.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            _keep(log, words, out, err, "took too long")
            raise GuestError(
                f"host {self.name}: '{words}' did not end within {timeout:.0f} s{_last(err or out)}"
            ) from None
        _keep(log, words, out, err, f"status {process.returncode}")
        if process.returncode:
            raise GuestError(f"host {self.name}: '{words}' ended with status {process.returncode}{_last(err or out)}")
        return out


def _last(text: str) -> str:
    """The last lines that a command said, in one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or "[ERROR" in line] or lines
    return f": {' / '.join(telling[-2:])}" if telling else ""


def _keep(log: Path | None, words: str, out: str, err: str, end: str) -> None:
    if log is not None:
        with log.open("a") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"$ {words}\n{out}{err}[{end}, {time.strftime('%T')}]\n")
