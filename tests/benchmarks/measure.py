# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a process and saying what it cost; running several in turn, so that a busy machine is busy for all of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


class RunFailedError(Exception):
    """A process that was to be measured failed: its command and the end of what it said."""


@dataclass(frozen=True)
class Sample:
    """One run: seconds of CPU (user and system, with all its children that it waited for), seconds of wall, peak memory."""

    cpu: float
    wall: float
    rss_mib: float
    output: str = ""


@dataclass(frozen=True)
class Spread:
    """Median, least and most of some numbers."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        return cls(statistics.median(numbers), min(numbers), max(numbers), len(numbers))

    def text(self, digits: int = 2) -> str:
        """C(1.20 (1.10-1.30)); the median alone when there is one number."""
        plain = f"{self.median:.{digits}f}"
        return plain if self.count < 2 else f"{plain} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def run(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, limit: float = 1800.0) -> Sample:
    """Runs a command to its end. ``limit`` in seconds. Raises RunFailedError."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.NamedTemporaryFile() as report:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCH), report.name, *argv],
            env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(limit)
        except BaseException as error:
            _end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise RunFailedError(f"{' '.join(argv)} did not end within {limit:.0f} s") from None
            raise
        out.seek(0)
        text = out.read().decode(errors="replace")
        if process.returncode:
            err.seek(0)
            said = [*text.splitlines()[-15:], *err.read().decode(errors="replace").splitlines()[-15:]]
            raise RunFailedError(f"{' '.join(argv)} ended with status {process.returncode}:\n" + "\n".join(said))
        return Sample(**json.loads(report.read()), output=text)


def in_turn(sides: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Runs every side once, then again, ``rounds`` times: A B A B."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, side in sides.items():
            sample = side()
            samples[name].append(sample)
            tell(f"  {number}/{rounds}  {name:<34} CPU {sample.cpu:7.2f} s  wall {sample.wall:7.2f} s")
    return samples


def tell(text: str) -> None:
    """Progress, apart from the results."""
    print(text, file=sys.stderr, flush=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
