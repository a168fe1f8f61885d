# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A large file to a real host of the lab: `host_upload` against `scp` and against `ansible.builtin.copy`.

The host is one of agent mode, as `copy` needs Python there. Needs root and a machine that can boot hosts.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.hosts import preconditions
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import RunFailedError, Sample, Spread, in_turn, run, tell
from tests.benchmarks.report import Outcome

UPLOAD, COPY, START = "palette.edge.host_upload", "ansible.builtin.copy", "a task of Ansible, raw: true"
SCP, CHECKED = "scp", "scp, sync and sha256sum at both ends"
ADDRESS, DEST = "10.45.0.101", "/home/kairos/bundle"
_CONFIG = """\
network: {{bridge: [10.45.0.1/24]}}
hosts:
  - {{name: bundle-1, id: edge-bundle-1, address: {address}/24, agent_mode: true}}
"""


@dataclass
class Host:
    """A host that is up, and the ways to it."""

    bench: Bench
    env: dict[str, str]
    source: Path

    @property
    def options(self) -> list[str]:
        """For `ssh` and `scp`: what Ansible gives to its own."""
        return [*shlex.split(self.env["ANSIBLE_SSH_COMMON_ARGS"]), "-i", self.env["ANSIBLE_PRIVATE_KEY_FILE"]]

    def ssh(self, script: str) -> Sample:
        return self.run("ssh", *self.options, f"kairos@{ADDRESS}", script)

    def run(self, *argv: str) -> Sample:
        return run(argv, env=self.env, cwd=self.bench.work)

    def task(self, module: str, arguments: Mapping[str, str]) -> Sample:
        """One task, with a connection of its own; the file is not there before, unless it is said so."""
        return self.bench.ansible(
            "ansible", "all", "-i", f"{ADDRESS},", "-m", module, "-a", json.dumps(arguments),
            env={**self.env, "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=2s"},
        )  # fmt: skip

    def fresh(self, module: str) -> Sample:
        self.ssh(f"rm -f {DEST}; sync")
        return self.task(module, {"src": str(self.source), "dest": DEST})

    def scp(self) -> Sample:
        self.ssh(f"rm -f {DEST}; sync")
        return self.run("scp", *self.options, str(self.source), f"kairos@{ADDRESS}:{DEST}")

    def checked(self) -> Sample:
        self.ssh(f"rm -f {DEST}; sync")
        options = shlex.join(self.options)
        return self.run(
            "sh",
            "-ec",
            f"sha256sum {self.source}; scp {options} {self.source} kairos@{ADDRESS}:{DEST}; "
            f"ssh {options} kairos@{ADDRESS} 'sync {DEST}; sha256sum {DEST}'",
        )


def upload(bench: Bench) -> Iterator[Outcome]:
    """Sending it, and finding that it is there."""
    missing = preconditions.missing(bench.work)
    size = bench.settings.bundle_mib
    if missing:
        yield Outcome(f"{size} MiB to a host", notes=[f"skipped: no host can be booted here: {'; '.join(missing)}"])
        return
    with _host(bench, size) as host:
        digest = hashlib.sha256(host.source.read_bytes()).hexdigest()
        yield _sent(host, size, digest)
        yield _unchanged(host, size)


def _sent(host: Host, size: int, digest: str) -> Outcome:
    outcome = Outcome(f"{size} MiB to a host, which does not have it")
    tell(outcome.title)
    sides = {
        SCP: host.scp,
        CHECKED: host.checked,
        UPLOAD: lambda: host.fresh(UPLOAD),
        COPY: lambda: host.fresh(COPY),
        START: lambda: host.task("ansible.builtin.raw", {"_raw_params": "true"}),
    }
    outcome.samples = in_turn(sides, host.bench.settings.pairs)
    outcome.ratios = [(UPLOAD, SCP), (UPLOAD, CHECKED), (COPY, UPLOAD), (COPY, SCP)]
    for side in (SCP, CHECKED):
        beyond = [
            (ours.wall - start.wall) / theirs.wall
            for ours, start, theirs in zip(
                outcome.samples[UPLOAD], outcome.samples[START], outcome.samples[side], strict=True
            )
        ]
        outcome.notes.append(f"beyond Ansible's start-up, {UPLOAD} / {side}: wall {Spread.of(beyond).text()} x")
    for side in (SCP, UPLOAD, COPY):
        sides[side]()
        if digest not in host.ssh(f"sha256sum {DEST}").output:
            outcome.failures.append(f"{side}: the file arrived wrong")
    return outcome


def _unchanged(host: Host, size: int) -> Outcome:
    outcome = Outcome(f"{size} MiB to a host, which has it")
    tell(outcome.title)
    arguments = {"src": str(host.source), "dest": DEST}
    host.fresh(UPLOAD)
    samples = in_turn({side: partial(host.task, side, arguments) for side in (UPLOAD, COPY)}, host.bench.settings.pairs)
    for side, found in samples.items():
        if any('"changed": true' in one.output for one in found):
            outcome.failures.append(f"{side}: sent it again")
    outcome.samples, outcome.ratios = samples, [(COPY, UPLOAD)]
    return outcome


@contextmanager
def _host(bench: Bench, size: int) -> Iterator[Host]:
    state = bench.folder("upload")
    config, source = state / "lab.yml", bench.work / "bundle"
    config.write_text(_CONFIG.format(address=ADDRESS))
    generator = random.Random(1)
    with source.open("wb") as stream:
        for dummy in range(size):
            stream.write(generator.randbytes(1024 * 1024))
    common = ["--state", str(state), "--name", f"up-{os.getpid()}"]
    try:
        bench.module("lab", "up", *common, "--config", str(config), "--kubernetes", "none", "--port", "0")
        lines = bench.module("lab", "env", *common).output.splitlines()
        variables = dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))
        if "ANSIBLE_SSH_COMMON_ARGS" not in variables:
            raise RunFailedError("the lab has no booted host")
        yield Host(bench, {**bench.env, **variables}, source)
    finally:
        bench.module("lab", "down", *common, "--purge")
