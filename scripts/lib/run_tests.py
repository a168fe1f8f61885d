# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the tests in steps, as many at once as the machine has cores, and says at the end what became of each."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TextIO
from xml.etree import ElementTree

from environments import CACHE, PreparationError
from steps import LOGS, Command, Step, all_steps

_TAIL = 60  # lines of a failed step's output that are shown
_NO_TESTS = 5  # pytest's exit status


@dataclass
class Result:
    """What became of a step; the counts are of pytest's tests."""

    step: Step
    outcome: str
    seconds: float
    detail: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0


class Cores:
    """Counts the machine's cores that steps have taken."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = threading.Condition()

    def take(self, wanted: int) -> int:
        wanted = min(wanted, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        return wanted

    def give(self, taken: int) -> None:
        with self._changed:
            self._free += taken
            self._changed.notify_all()


class Run:
    """One run of chosen steps until ``deadline`` (monotonic seconds)."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._telling = threading.Lock()
        self._running: dict[int, subprocess.Popen[str]] = {}

    def all(self, steps: list[Step]) -> list[Result]:
        """The results in the order of ``steps``. On an interrupt ends what runs, then passes it on."""
        cores, threads, results = Cores(2), [], dict[str, Result]()

        def work(step: Step, taken: int) -> None:
            try:
                results[step.name] = self._one(step)
            finally:
                cores.give(taken)

        try:
            for step in steps:
                taken = cores.take(step.cores)
                threads.append(threading.Thread(target=work, args=(step, taken), daemon=True))
                threads[-1].start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            for process in list(self._running.values()):
                _end(process)
            raise
        return [results[step.name] for step in steps]

    def _one(self, step: Step) -> Result:
        begin = time.monotonic()
        if step.skip:
            result = Result(step, "SKIP", 0, step.skip)
        else:
            log = LOGS / f"{step.name.replace(' ', '-')}.log"
            with log.open("w") as output:
                try:
                    status = self._commands(step, output)
                except PreparationError as error:
                    print(error, file=output)
                    status = -1
                except Exception as error:  # noqa: BLE001 - a fault of ours must end as a failed step, not a lost thread
                    print(f"{type(error).__name__}: {error}", file=output)
                    status = -1
            if step.never and step.never in log.read_text(errors="replace"):
                status = -1
            result = _judge(step, status, time.monotonic() - begin)
        self._tell(result)
        return result

    def _commands(self, step: Step, output: TextIO) -> int:
        if step.junit:
            step.junit.unlink(missing_ok=True)
        statuses = [self._process(command, step, output) for command in step.commands()]
        return next((status for status in statuses if status), 0)

    def _process(self, command: Command, step: Step, output: TextIO) -> int:
        limit = min(step.minutes * 60, self._deadline - time.monotonic())
        print("$", " ".join(command.argv), file=output, flush=True)
        if limit <= 0:
            print("no time left for it", file=output)
            return -1
        process = subprocess.Popen(
            command.argv, cwd=command.cwd, env=command.env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._running[process.pid] = process
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            _end(process)
            print(f"ended after {limit:.0f} s: the time for it was over", file=output)
            return -1
        finally:
            del self._running[process.pid]

    def _tell(self, result: Result) -> None:
        with self._telling:
            print(f"{result.outcome}  {result.step.name:<20} {result.seconds:6.1f} s  {result.detail}", flush=True)
            if result.outcome == "FAIL":
                log = LOGS / f"{result.step.name.replace(' ', '-')}.log"
                lines = log.read_text(errors="replace").splitlines()
                lines = [line for line in lines if line.startswith(result.step.telling)] or lines
                print(*(f"    | {line}" for line in lines[-_TAIL:]), sep="\n", flush=True)
                print(f"    whole output: {os.path.relpath(log)}", flush=True)


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a process and what it started: asks first, so that tests take their hosts down."""
    for sign, patience in ((signal.SIGINT, 30), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _judge(step: Step, status: int, seconds: float) -> Result:
    result = Result(step, "FAIL" if status else "PASS", seconds)
    if step.junit and step.junit.is_file():
        suites = ElementTree.parse(step.junit).getroot().iter("testsuite")
        for suite in suites:
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            result.failed += bad
            result.skipped += skipped
            result.passed += int(suite.get("tests", 0)) - bad - skipped
        result.detail = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
        if status == _NO_TESTS:
            result.detail = "there is no test in it"
    if status and not result.failed:
        result.failed = 1  # a check that failed counts as one failed test
    return result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the steps that end within a minute")
    parser.add_argument("--only", metavar="STEP,...", help="only these steps; a beginning of the name is enough")
    parser.add_argument("--without", metavar="STEP,...", default="", help="all but these steps")
    parser.add_argument("--list", action="store_true", help="print the names of the steps")
    parser.add_argument("--limit", type=float, default=90, metavar="MINUTES", help="end after so long, failing what is not done")
    parser.add_argument("pytest", nargs="*", metavar="-- ARGUMENT", help="further arguments for pytest")
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> list[Step]:
    steps = all_steps(arguments.pytest, quick=arguments.quick)
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = [name for name in wanted if not any(step.name.startswith(name) for step in steps)]
        if unknown:
            sys.exit(f"error: no step is called {', '.join(unknown)}; there are: {', '.join(step.name for step in steps)}")
        return [step for step in steps if step.name.startswith(tuple(wanted))]
    without = arguments.without.split(",")
    return [step for step in steps if (step.quick if arguments.quick else step.default) and step.name not in without]


def main() -> int:
    arguments = _arguments()
    steps = _chosen(arguments)
    if arguments.list:
        print(*(step.name for step in steps), sep="\n")
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    (CACHE / "ansible-home").mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    try:
        results = Run(begin + arguments.limit * 60).all(steps)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"\n{'step':<20} {'':4} {'seconds':>8}")
    for result in results:
        print(f"{result.step.name:<20} {result.outcome} {result.seconds:8.1f}  {result.detail}")
    print(f"{'all':<20} {'':4} {time.monotonic() - begin:8.1f}\n")
    passed, failed, skipped = (sum(getattr(result, kind) for result in results) for kind in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
