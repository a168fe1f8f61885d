# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments of the tests and the demo, kept under .cache/venv and made again only when requirements change.

As a command it makes the one of the demo and prints its path: ``python scripts/lib/environments.py``.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "tests" / "requirements"


class PreparationError(Exception):
    """Something that the tests or the demo need could not be made; the text says what and why."""


@dataclass(frozen=True)
class Core:
    """A release of ansible-core and the Pythons that its controller runs on, the preferred one first."""

    version: str
    requirement: str
    pythons: tuple[str, ...]
    get_pip: str  # the name under which its ansible-test looks for get-pip in its cache


OLDEST = Core("2.16", "ansible-core>=2.16.14,<2.17", ("3.11", "3.12", "3.10"), "get_pip_23_1_2.py")
USUAL = Core("2.19", "ansible-core>=2.19.4,<2.20", ("3.11", "3.12", "3.13"), "get_pip_24_2.py")
NEWEST = Core("2.21", "ansible-core>=2.21.0,<2.22", ("3.13", "3.12", "3.14"), "get_pip_25_2.py")


@dataclass(frozen=True)
class Environment:
    """A finished virtual environment."""

    core: Core
    python_version: str
    path: Path

    @property
    def bin(self) -> Path:
        return self.path / "bin"

    @property
    def python(self) -> Path:
        return self.bin / "python"


def find_python(version: str) -> Path | None:
    """The real interpreter (not a shim) of ``version`` (``3.12``) that can make virtual environments, if there is one."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
        return Path(os.path.realpath(sys.executable))
    name = f"python{version}"
    shims = shutil.which(name)
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for candidate in [shims, *sorted(glob.glob(f"{glob.escape(pyenv)}/versions/{version}.*/bin/{name}"), reverse=True)]:
        if candidate:
            asked = subprocess.run(
                [candidate, "-c", "import ensurepip, venv, sys; print(sys.executable)"],
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            if asked.returncode == 0:
                return Path(os.path.realpath(asked.stdout.strip()))
    return None


def python_for(core: Core) -> tuple[str, Path] | None:
    """Version and path of the first Python of this machine that ``core`` runs on."""
    for version in core.pythons:
        found = find_python(version)
        if found:
            return version, found
    return None


def environment(core: Core, *layers: str) -> Environment:
    """The virtual environment of ``core`` with the packages of tests/requirements/LAYER.txt for each layer.

    One environment serves every use of a core: layers are added to it as they are first asked for. Raises PreparationError.
    """
    found = python_for(core)
    if found is None:
        raise PreparationError(f"ansible-core {core.version} needs one of Python {', '.join(core.pythons)}, and none is here")
    version, python = found
    key = hashlib.sha256(f"{core.requirement} {python} {ROOT}".encode()).hexdigest()[:8]
    made = Environment(core, version, CACHE / "venv" / f"{core.version}-py{version}-{key}")
    made.path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(made.path.with_suffix(".lock")):
        if not (made.path / ".made").is_file():
            shutil.rmtree(made.path, ignore_errors=True)
            _run([str(python), "-m", "venv", str(made.path)], f"making a virtual environment with {python}")
            (made.path / ".made").touch()
        for layer in layers:
            _add_layer(made, layer)
    return made


def _add_layer(made: Environment, layer: str) -> None:
    stamp = made.path / f".layer-{layer}"
    wanted = hashlib.sha256("\n".join(_requirement_lines(REQUIREMENTS / f"{layer}.txt")).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    pip = [str(made.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, made.core.requirement, "-r", str(REQUIREMENTS / f"{layer}.txt")], f"installing {layer}.txt for {made.path.name}")
    stamp.write_text(wanted)


def _requirement_lines(path: Path) -> Iterator[str]:
    """The lines of a requirements file, with those of the files that it includes."""
    for line in path.read_text().splitlines():
        included = re.match(r"-r\s+(\S+)", line)
        if included:
            yield from _requirement_lines(path.parent / included[1])
        elif line.strip() and not line.startswith("#"):
            yield line


def _run(command: list[str], doing: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise PreparationError(f"{doing} failed:\n" + "\n".join(done.stdout.splitlines()[-15:]))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> int:
    try:
        print(environment(USUAL, "run").path)
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
