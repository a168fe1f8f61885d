# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of scripts/test: what each runs, with what, and on how many cores."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import collection
from environments import CACHE, NEWEST, OLDEST, ROOT, USUAL, Core, Environment, environment, find_python, python_for

LOGS = CACHE / "logs"

# Settings of whoever runs the tests that would reach what is tested.
_KEPT_OUT = ("ANSIBLE_", "PALETTE_", "SPECTROCLOUD_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
_KEPT = ("PALETTE_SPECS",)


@dataclass(frozen=True)
class Command:
    """One process of a step."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path = ROOT


@dataclass(frozen=True)
class Step:
    """One line of the summary.

    ``commands`` is asked when the step's turn comes, as it may have to make an environment first. ``cores`` says how much of a
    machine of two it takes. ``skip`` is why it cannot run here, or "".
    """

    name: str
    commands: Callable[[], list[Command]]
    cores: int = 1
    skip: str = ""
    quick: bool = False
    junit: Path | None = None
    minutes: float = 15
    telling: tuple[str, ...] = ()  # how the lines begin that say what failed, when not all do
    never: str = ""  # words whose appearance in the output is a failure
    default: bool = field(default=True)


def settings(made: Environment, **more: str) -> dict[str, str]:
    """Environment variables for a process that uses ``made``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_KEPT_OUT) or key in _KEPT}
    return {
        **kept,
        "PATH": f"{made.bin}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "scripts" / "lib" / "ansible.cfg"),
        "ANSIBLE_HOME": str(CACHE / "ansible-home"),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        **more,
    }


def all_steps(pytest_arguments: list[str], *, quick: bool) -> list[Step]:
    """Every step there is, those that fail early and cheaply first. ``quick`` leaves the slow tests out of them."""
    pytest_arguments = [*(["-m", "not slow"] if quick else []), *pytest_arguments]
    # The lab knows nothing of ansible-core: once is enough.
    of_other_cores = ["--ignore=tests/unit/lab", *pytest_arguments]
    return [
        Step("ruff", _ruff, quick=True),
        Step("shellcheck", _shellcheck, quick=True),
        Step("mypy", _mypy, quick=True),
        Step("changelog", _changelog, quick=True),
        _pytest("unit", USUAL, "tests/unit", arguments=pytest_arguments, quick=True),
        Step("lint changed files", _lint_changed, quick=True, default=False),
        _pytest("contract", USUAL, "tests/contract", arguments=pytest_arguments),
        Step("kubernetes built", _kubernetes_built),
        _sanity(USUAL),
        # It waits for its nodes for the most part, so that the sanity tests go on beside it.
        _pytest("kubernetes", USUAL, "tests/kubernetes", arguments=pytest_arguments, workers=0, cores=1),
        *(_sanity(core) for core in (OLDEST, NEWEST)),
        _pytest("media", USUAL, "tests/media", arguments=pytest_arguments, workers=0, cores=1),
        Step("ansible-lint", _ansible_lint),
        Step("docs", _docs),
        Step("artefact", _artefact),
        _pytest("unit", OLDEST, "tests/unit", arguments=of_other_cores, workers=0, cores=1),
        _pytest("unit", NEWEST, "tests/unit", arguments=of_other_cores, workers=0, cores=1),
        # Each file has labs of its own, and waits for hosts now and then.
        _pytest("lab", USUAL, "tests/lab", arguments=["--dist=loadfile", *pytest_arguments], workers=3),
        Step("demo", _demo("--states"), cores=2, minutes=5),
        Step("demo on kubernetes", _demo(), cores=2, minutes=15),
    ]


def changed_files() -> list[Path]:
    """What differs from the last commit, or when nothing does, what the last commit changed. Relative to the root."""
    uncommitted = _git("diff", "--name-only", "--diff-filter=d", "-z", "HEAD")
    uncommitted |= _git("ls-files", "--others", "--exclude-standard", "-z")
    return sorted(uncommitted or _git("diff", "--name-only", "--diff-filter=d", "-z", "HEAD~1", "HEAD"))


def _git(*arguments: str) -> set[Path]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return {Path(name) for name in done.stdout.split("\0") if name}


def _tools(**more: str) -> tuple[Environment, dict[str, str]]:
    made = environment(USUAL, "unit", "lint")
    return made, settings(made, RUFF_CACHE_DIR=str(CACHE / "ruff"), **more)


def _ruff() -> list[Command]:
    return [Command(["ruff", "check", "--quiet", "."], _tools()[1])]


def _shellcheck() -> list[Command]:
    scripts = [ROOT / path for path in collection.files() if _is_shell(ROOT / path)]
    return [Command(["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *map(str, scripts)], _tools()[1])]


def _is_shell(path: Path) -> bool:
    if path.suffix == ".sh":
        return True
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as handle:
        return handle.readline(80).rstrip() in (b"#!/usr/bin/env bash", b"#!/bin/sh")


def _mypy() -> list[Command]:
    tree = collection.copy("types")
    made, env = _tools()
    mypy = [str(made.python), "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(CACHE / "mypy")]
    base = tree.parents[2]
    return [
        Command([*mypy, "ansible_collections/palette/edge/plugins"], {**env, "MYPYPATH": str(base)}, base),
        Command([*mypy, "lab"], {**env, "MYPYPATH": str(tree)}, tree),
        Command([*mypy, "scripts/lib"], {**env, "MYPYPATH": str(tree / "scripts" / "lib")}, tree),
        Command([*mypy, "tests/benchmarks"], {**env, "MYPYPATH": f"{tree / 'scripts' / 'lib'}:{tree}:{base}"}, tree),
    ]


def _changelog() -> list[Command]:
    return [Command(["antsibull-changelog", "lint"], _tools()[1], collection.copy("changelog"))]


def _lint_changed() -> list[Command]:
    """ansible-lint on the changed playbooks and roles only."""
    linted = (".yml", ".yaml"), ("roles", "playbooks", "meta")
    changed = [str(path) for path in changed_files() if path.suffix in linted[0] and path.parts[0] in linted[1]]
    return _ansible_lint(changed) if changed else []


def _ansible_lint(paths: Iterable[str] = ()) -> list[Command]:
    tree = collection.copy("lint")
    env = _tools(ANSIBLE_COLLECTIONS_PATH=str(tree.parents[2]))[1]
    return [Command(["ansible-lint", "--offline", "--profile", "production", "--strict", "-q", "--nocolor", *paths], env, tree)]


def _docs() -> list[Command]:
    tree = collection.copy("docs")
    env = _tools(ANSIBLE_COLLECTIONS_PATH=str(tree.parents[2]))[1]
    lint = ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "--skip-rstcheck", "."]
    return [Command(lint, env, tree)]


def _artefact() -> list[Command]:
    made, env = _tools()
    return [Command([str(made.python), "scripts/lib/collection.py", "check"], env)]


def _kubernetes_built() -> list[Command]:
    """The lab's Kubernetes for the steps that come later, beside those that leave a core free; a second when it is kept."""
    made = environment(USUAL, "unit")
    build = "from lab.kubernetes.provider import deliver; print(deliver('auto', say=lambda line: print(line, flush=True)).says)"
    return [Command([str(made.python), "-c", build], settings(made))]


def _demo(*arguments: str) -> Callable[[], list[Command]]:
    def commands() -> list[Command]:
        env = settings(environment(USUAL, "run"))
        # A name of this clone's own: what another clone on the machine runs, or left behind, is not in its way.
        demo = ["scripts/demo", "--name", f"palette-test-{zlib.crc32(bytes(ROOT)):08x}"]
        # The last finds nothing to do unless another failed, and then nothing of it must stay on a machine of CI.
        return [Command(words, env) for words in ([*demo, *arguments], [*demo, "--down"])]

    return commands


def _missing(core: Core) -> str:
    if python_for(core):
        return ""
    return f"ansible-core {core.version} runs on Python {', '.join(sorted(core.pythons))}, and this machine has none of them"


def _pytest(
    kind: str, core: Core, folder: str, *, arguments: list[str], workers: int = 2, cores: int = 2, quick: bool = False
) -> Step:
    name = f"{kind} {core.version}" if kind == "unit" else kind
    junit = LOGS / f"{name.replace(' ', '-')}.xml"

    def commands() -> list[Command]:
        made = environment(core, "unit")
        argv = [str(made.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}", folder]
        argv += [f"--numprocesses={workers}"] if workers else []
        return [Command([*argv, *arguments], settings(made, PYTHONDONTWRITEBYTECODE="1"))]

    skip = _missing(core) or ("" if (ROOT / folder).is_dir() else f"there is no {folder}")
    return Step(name, commands, cores=cores, skip=skip, quick=quick, junit=junit)


def _sanity(core: Core) -> Step:
    def commands() -> list[Command]:
        made = environment(core, "unit")
        home = _sanity_home(core)
        tree = collection.copy(f"sanity-{core.version}")
        path = os.pathsep.join([str(made.bin), str(_pythons(core)), str(_tools()[0].bin), "/usr/local/bin", "/usr/bin", "/bin"])
        env = {key: value for key, value in settings(made).items() if not key.startswith("ANSIBLE_")}
        argv = [str(made.bin / "ansible-test"), "sanity", "--color", "no"]
        # ansible-test fills its home while it runs: two checkouts that share it take turns.
        return [Command(["flock", str(home / "lock"), *argv], {**env, "PATH": path, "HOME": str(home), "PIP_QUIET": "1"}, tree)]

    return Step(
        f"sanity {core.version}", commands, skip=_missing(core), minutes=20, telling=("ERROR", "FATAL"),
        never="All targets skipped",
    )  # fmt: skip


def _sanity_home(core: Core) -> Path:
    """A home of its own for ansible-test, kept in the user's cache, as environments in it need a short path.

    pip's settings are the user's. Where the server of get-pip cannot be reached, our stand-in takes its place.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "palette-edge-test" / core.version
    for configuration in (".config/pip", ".pip"):
        own, link = Path.home() / configuration, home / configuration
        link.parent.mkdir(parents=True, exist_ok=True)
        if own.is_dir() and not link.is_symlink():
            link.symlink_to(own)
    get_pip = home / ".ansible" / "test" / "cache" / core.get_pip
    if not get_pip.is_file() and not _reachable("ci-files.testing.ansible.com"):
        get_pip.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / "tools" / "get_pip_stand_in.py", get_pip)
    return home


def _reachable(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=5):
            return True
    except OSError:
        return False


def _pythons(core: Core) -> Path:
    """A folder with links to this machine's real interpreters: ansible-test takes pyenv's shims for Pythons, and stumbles."""
    folder = CACHE / "pythons" / core.version
    folder.mkdir(parents=True, exist_ok=True)
    for version in sorted({"3.10", *core.pythons}):
        found, link = find_python(version), folder / f"python{version}"
        link.unlink(missing_ok=True)
        if found:
            link.symlink_to(found)
    return folder


if sys.version_info < (3, 11):
    sys.exit("scripts/test needs Python 3.11")
