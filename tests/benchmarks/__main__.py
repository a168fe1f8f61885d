# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the collection against plain alternatives, side by side and in turn, and prints ratios.

It fails when results differ or a run fails, never because something took long.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "lib")]

import collection  # noqa: E402
from environments import USUAL, Environment, PreparationError, environment  # noqa: E402
from steps import settings as clean_environment  # noqa: E402

from tests.benchmarks import configuring, inventory, media, registering, sites, upload  # noqa: E402
from tests.benchmarks.bench import Bench, Settings, versions  # noqa: E402
from tests.benchmarks.measure import RunFailedError, tell  # noqa: E402
from tests.benchmarks.report import Outcome, conditions  # noqa: E402

CASES: dict[str, Callable[[Bench], Iterator[Outcome]]] = {
    "fleet": inventory.fleet,
    "limited": inventory.fleet_limited,
    "cache": inventory.cache,
    "register": registering.register,
    "sites": sites.sites,
    "configure": configuring.configure,
    "media": media.media,
    "thousand": registering.thousand,
    "upload": upload.upload,
}


def main() -> int:
    """Runs the cases; 1 when a result was wrong or a run failed."""
    options = _arguments()
    collection.CACHE.mkdir(exist_ok=True)
    with (collection.CACHE / "benchmarks.lock").open("w") as lock:
        try:
            # Two at once would measure each other, and the second would change the copy that the first works on.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            made = Environment(USUAL, "", options.venv.absolute()) if options.venv else environment(USUAL, "run")
        except BlockingIOError:
            tell("error: other benchmarks run in this checkout")
            return 1
        except PreparationError as error:
            tell(f"error: {error}")
            return 1
        return _run(made, options)


def _run(made: Environment, options: argparse.Namespace) -> int:
    work = Path(tempfile.mkdtemp(prefix="palette-bench-"))
    try:
        tree = collection.copy("benchmarks")
        env = clean_environment(
            made,
            ANSIBLE_COLLECTIONS_PATH=str(tree.parents[2]),
            ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1",
            ANSIBLE_LOCAL_TEMP=str(work / "local"),
            PYTHONPATH=str(tree),
        )
        return _measure(Bench(_settings(options), tree, work, made.python, env), options)
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    finally:
        if options.keep:
            tell(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def _measure(bench: Bench, options: argparse.Namespace) -> int:
    told = conditions(versions(bench, ["ansible-core", "jinja2", "requests"]), os.cpu_count())
    print("\n".join(told), flush=True)
    found: list[dict[str, Any]] = []
    for name in options.only or CASES:
        for outcome in _outcomes(bench, name):
            print("\n" + outcome.table(), flush=True)
            found.append({"case": name, **outcome.data()})
            if options.json:
                options.json.write_text(json.dumps({"conditions": told, "results": found}, indent=2) + "\n")
    return 1 if any(one["failures"] for one in found) else 0


def _outcomes(bench: Bench, name: str) -> Iterator[Outcome]:
    """What a case finds, each with the load of the machine meanwhile."""
    begin, load = time.monotonic(), os.getloadavg()[0]
    try:
        for outcome in CASES[name](bench):
            after = os.getloadavg()[0]
            outcome.notes.append(
                f"load average {load:.1f} before, {after:.1f} after; {time.monotonic() - begin:.0f} s in all"
            )
            yield outcome
            begin, load = time.monotonic(), after
    except RunFailedError as error:
        yield Outcome(f"{name}: a run failed", failures=[str(error)])


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        pairs=options.pairs,
        large_pairs=min(options.pairs, options.large_pairs),
        hosts=tuple(options.hosts),
        items=options.items,
        loop_items=min(options.loop_items, options.items),
        speakers=options.speakers,
        sites=options.sites,
        booted=options.booted,
        media_mib=options.media_mib,
        bundle_mib=options.bundle_mib,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--pairs", type=_positive, default=5, help="how often each side runs (5)")
    parser.add_argument("--large-pairs", type=_positive, default=2, help="the same for 5,000 hosts and more (2)")
    parser.add_argument(
        "--hosts", type=_numbers, default=[1000, 10000], metavar="N,...", help="sizes of the fleet (1000,10000)"
    )
    parser.add_argument("--only", type=_names, metavar="NAME,...", help=f"only these of: {', '.join(CASES)}")
    parser.add_argument("--items", type=_positive, default=200, help="register: hosts of the one task (200)")
    parser.add_argument("--loop-items", type=_positive, default=20, help="register: items of the loop, scaled up (20)")
    parser.add_argument("--speakers", type=_positive, default=1000, help="thousand: how many hosts (1000)")
    parser.add_argument("--sites", type=_positive, default=1000, help="sites: how many files (1000)")
    parser.add_argument("--bundle-mib", type=_positive, default=512, help="upload: size of the file in MiB (512)")
    parser.add_argument("--media-mib", type=_positive, default=1024, help="media: size of the medium (1024)")
    parser.add_argument("--booted", type=_positive, default=30, help="configure: how many booted hosts (30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there too")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="use this virtual environment instead of making one")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the run")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _numbers(text: str) -> list[int]:
    return [_positive(one) for one in text.split(",")]


def _names(text: str) -> list[str]:
    unknown = [name for name in text.split(",") if name not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are: {', '.join(CASES)}")
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
