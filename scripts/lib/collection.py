# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection out of a checkout: a clean copy of it where Ansible's tools expect one, its artefact, an installation.

``python scripts/lib/collection.py install DIR`` builds the artefact from a clean copy and installs it under DIR;
``... check`` does so in .cache and checks what is in it. Both want ansible-galaxy on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
_WHERE = Path("ansible_collections") / "palette" / "edge"

# Everything that may stand at the top of the artefact.
_ARTEFACT = {
    "CHANGELOG.rst", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "changelogs", "docs", "examples",
    "extensions", "meta", "playbooks", "plugins", "roles",
}  # fmt: skip


def files() -> list[Path]:
    """The files of this checkout that are tracked or could be, relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(Path(name) for name in set(listed.split("\0")) if name and os.path.lexists(ROOT / name))


def copy(name: str) -> Path:
    """An exact copy of the checkout's files as .cache/tree/NAME/ansible_collections/palette/edge; returns that path.

    A copy, as ansible-test does not work in a checkout that is only linked to such a path. What did not change stays.
    """
    target = CACHE / "tree" / name / _WHERE
    wanted = set(files())
    _clear(target, wanted)
    for path in wanted:
        source, destination = ROOT / path, target / path
        if not _same(source, destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.unlink(missing_ok=True)
            shutil.copy2(source, destination, follow_symlinks=False)
    if not (target / ".git").is_dir():
        # ansible-test asks git which files there are, and would ask the checkout around this copy, which ignores it.
        subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    return target


def _clear(target: Path, wanted: set[Path]) -> None:
    """Removes what is not wanted, except git's own folder."""
    for here, folders, names in os.walk(target):
        if Path(here) == target and ".git" in folders:
            folders.remove(".git")
        links = [name for name in folders if Path(here, name).is_symlink()]
        for found in (Path(here, name) for name in [*names, *links]):
            if found.relative_to(target) not in wanted:
                found.unlink()


def _same(source: Path, destination: Path) -> bool:
    if not os.path.lexists(destination):
        return False
    one, other = source.lstat(), destination.lstat()
    return (one.st_size, one.st_mtime_ns, one.st_mode) == (other.st_size, other.st_mtime_ns, other.st_mode)


def build(into: Path) -> Path:
    """Builds the artefact from a clean copy; returns its path."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    _galaxy("build", "--force", "--output-path", str(into), str(copy("build")))
    (artefact,) = into.glob("palette-edge-*.tar.gz")
    return artefact


def install(artefact: Path, into: Path) -> Path:
    """Installs the artefact, and nothing else, under ``into``; returns the collection's path."""
    shutil.rmtree(into, ignore_errors=True)
    _galaxy("install", str(artefact), "--collections-path", str(into), "--no-deps", "--offline", "--force")
    return into / _WHERE


def problems(artefact: Path, installed: Path) -> list[str]:
    """What is wrong with the artefact and its installation."""
    with tarfile.open(artefact) as archive:
        names = [name.removeprefix("./") for name in archive.getnames()]
    found = [f"should not be in it: {top}" for top in sorted({name.split("/")[0] for name in names} - _ARTEFACT)]
    found += [f"should not be in it: {name}" for name in names if any(part.startswith(".") for part in name.split("/"))]
    needed = ("README.md", "LICENSE", "meta/runtime.yml", "plugins/modules")
    found += [f"is missing: {name}" for name in needed if name not in names]
    for kind, folder in (("module", "modules"), ("inventory", "inventory"), ("lookup", "lookup")):
        unknown = {path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")} - _documented(kind, installed)
        found += [f"ansible-doc does not know the {kind} {name} once it is installed" for name in sorted(unknown)]
    return found


def _documented(kind: str, installed: Path) -> set[str]:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed.parents[2])}
    command = ["ansible-doc", "--type", kind, "--list", "--json", "palette.edge"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return {name.rpartition(".")[2] for name in json.loads(done.stdout)}


def _galaxy(*arguments: str) -> None:
    command = ["ansible-galaxy", "collection", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["install", directory]:
                print(install(build(CACHE / "artefact"), Path(directory).absolute()))
                return 0
            case ["check"]:
                artefact = build(CACHE / "artefact-check")
                wrong = problems(artefact, install(artefact, CACHE / "artefact-check" / "installed"))
                print("\n".join([f"{artefact.name}: {problem}" for problem in wrong] or [f"{artefact.name}: nothing wrong"]))
                return 1 if wrong else 0
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(error.cmd)} failed:\n{error.stdout}{error.stderr}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
