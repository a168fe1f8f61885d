# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all cases use: the environment with Ansible, a copy of the collection that stays still, folders, labs."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import RunFailedError, Sample, run

_READY_WITHIN = 60.0


@dataclass(frozen=True)
class Settings:
    """What the command line asked for."""

    pairs: int
    large_pairs: int
    hosts: tuple[int, ...]
    items: int
    loop_items: int
    speakers: int
    sites: int
    booted: int
    bundle_mib: int
    media_mib: int

    def pairs_for(self, hosts: int) -> int:
        """Fewer for what takes minutes."""
        return self.pairs if hosts < 5000 else self.large_pairs


@dataclass(frozen=True)
class Lab:
    """A lab's controller that runs."""

    url: str
    ca: str
    api_key: str
    lab_key: str

    @property
    def env(self) -> dict[str, str]:
        """The environment in which the collection finds it."""
        return {"PALETTE_HOST": self.url, "PALETTE_API_KEY": self.api_key, "PALETTE_CA_PATH": self.ca}

    def requests(self) -> list[dict[str, Any]]:
        """The requests for Palette's API that it has answered, the latest 5,000, without those of agents."""
        asked = urllib.request.Request(f"{self.url}/lab/v1/requests", headers={"LabKey": self.lab_key})
        context = ssl.create_default_context(cafile=self.ca)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(asked, timeout=30) as answer:
            items: list[dict[str, Any]] = json.load(answer)["items"]
        return [one for one in items if one["path"].startswith("/v1/") and not one.get("source")]


@dataclass
class Bench:
    """``tree`` is the copy of the checkout, ``work`` a folder for everything that cases write."""

    settings: Settings
    tree: Path
    work: Path
    python: Path
    env: dict[str, str]
    _seeded: dict[int, Path] = field(default_factory=dict)

    def ansible(self, program: str, *arguments: str, env: dict[str, str] | None = None) -> Sample:
        """Runs one of Ansible's programs and measures it."""
        argv = [str(self.python.with_name(program)), *arguments]
        return run(argv, env={**self.env, **(env or {})}, cwd=self.work)

    def module(self, *arguments: str, env: dict[str, str] | None = None) -> Sample:
        """Runs ``python -m ...`` in the copy of the checkout."""
        return run([str(self.python), "-m", *arguments], env={**self.env, **(env or {})}, cwd=self.tree)

    def folder(self, name: str) -> Path:
        """A new folder."""
        for number in range(1, 1_000_000):
            path = self.work / f"{name}-{number}"
            if not path.exists():
                path.mkdir()
                return path
        raise AssertionError(name)

    def seeded(self, hosts: int) -> Path:
        """State of a lab that has so many hosts."""
        if hosts not in self._seeded:
            state = self.folder("fleet")
            self.module("lab.controller", "seed", "--state", str(state), "--hosts", str(hosts))
            self._seeded[hosts] = state
        return self._seeded[hosts]

    @contextmanager
    def controller(self, state: Path, *arguments: str) -> Iterator[Lab]:
        """A lab's controller, with TLS, until the end of the block."""
        command = [str(self.python), "-m", "lab.controller", "serve", "--state", str(state), *arguments]
        with (state / "controller.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self.tree, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            try:
                yield _ready(state, process)
            finally:
                process.terminate()
                process.wait(30)

    @contextmanager
    def speaking_lab(self, config: Path, *arguments: str) -> Iterator[Lab]:
        """A lab with hosts that only speak to the controller."""
        state = self.folder("speak")
        # The name must be another one than that of a lab that happens to be up.
        common = ["--state", str(state), "--name", f"bench-{self.work.name[-8:].lower().replace('_', 'x')}"]
        try:
            self.module("lab", "up", *common, "--config", str(config), "--speak-only", *arguments)
            yield lab_of(state)
        finally:
            self.module("lab", "down", *common)


def lab_of(state: Path) -> Lab:
    """The lab that wrote lab.json."""
    told = json.loads((state / "lab.json").read_text())
    return Lab(url=told["url"], ca=str(state / "ca.pem"), api_key=told["api_key"], lab_key=told["lab_key"])


def ask(lab: Lab) -> list[dict[str, Any]] | None:
    """The log of requests, or None while nobody answers."""
    try:
        return lab.requests()
    except (urllib.error.URLError, ConnectionError):
        return None


def _ready(state: Path, process: subprocess.Popen[bytes]) -> Lab:
    deadline = time.monotonic() + _READY_WITHIN
    told = state / "lab.json"
    while process.poll() is None and time.monotonic() < deadline:
        # The file may be that of a run before.
        if told.exists() and json.loads(told.read_text())["pid"] == process.pid:
            lab = lab_of(state)
            if ask(lab) is not None:
                return lab
        time.sleep(0.05)
    raise RunFailedError(f"the lab did not come up: {(state / 'controller.log').read_text()[-2000:]}")


def versions(bench: Bench, packages: Sequence[str]) -> list[str]:
    """What is measured, by version."""
    lines = [
        "import importlib.metadata, platform",
        "print('Python', platform.python_version())",
        *(f"print({name!r}, importlib.metadata.version({name!r}))" for name in packages),
    ]
    return run([str(bench.python), "-c", "\n".join(lines)], env=bench.env, cwd=bench.work).output.splitlines()
