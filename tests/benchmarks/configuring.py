# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuring hosts that are booted, against the floor below which nobody gets: one bare SSH login on each of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import RunFailedError, Sample, in_turn, run, tell
from tests.benchmarks.report import Outcome

FLOOR, NOTHING, WRITES = "ssh, one login on each", "role, nothing to change", "role, writes user-data"
AT_ONCE = 10
SUBNET = "10.61.0"


@dataclass(frozen=True)
class _Hosts:
    """Booted hosts: the addresses that they have, and the environment in which Ansible reaches them."""

    addresses: list[str]
    env: dict[str, str]

    def ssh(self) -> list[str]:
        """The arguments with which plain ssh reaches them."""
        common = shlex.split(self.env["ANSIBLE_SSH_COMMON_ARGS"])
        return ["ssh", *common, "-i", self.env["ANSIBLE_PRIVATE_KEY_FILE"], "-l", self.env["ANSIBLE_REMOTE_USER"]]


def configure(bench: Bench) -> Iterator[Outcome]:
    """The role site_configuration on many hosts at once, without reboots, which take what they take."""
    count = bench.settings.booted
    outcome = Outcome(
        f"configuring {count} booted hosts without Python, {AT_ONCE} at once, against one SSH login on each"
    )
    tell(outcome.title)
    with _booted(bench, count) as hosts:
        playbook, inventory = _files(bench.folder("configure"), hosts)
        runs = iter(range(1, 1_000_000))

        def role(*, writes: bool) -> Sample:
            extra = {"server": f"ntp-{next(runs)}.example.com"} if writes else {"server": server[0]}
            server[0] = extra["server"]
            sample = bench.ansible(
                "ansible-playbook",
                "-i",
                str(inventory),
                "-f",
                str(AT_ONCE),
                "-e",
                json.dumps(extra),
                str(playbook),
                env=hosts.env,
            )
            changed = sample.output.count(f"changed={int(writes)} ")
            if changed != count or sample.output.count("failed=0") != count:
                outcome.failures.append(
                    f"{changed} of {count} hosts had {int(writes)} change:\n{sample.output[-1500:]}"
                )
            return sample

        server = ["ntp-0.example.com"]
        login = " ".join(shlex.quote(word) for word in hosts.ssh())
        each = f"printf '%s\\n' {' '.join(hosts.addresses)} | xargs -P {AT_ONCE} -I @ {login} @ true"

        def floor() -> Sample:
            return run(["sh", "-c", each], env={**bench.env, **hosts.env}, cwd=bench.work)

        floor()
        role(writes=True)
        sides = {FLOOR: floor, NOTHING: lambda: role(writes=False), WRITES: lambda: role(writes=True)}
        outcome.samples = in_turn(sides, bench.settings.pairs)
    outcome.ratios = [(NOTHING, FLOOR), (WRITES, FLOOR)]
    outcome.notes += [
        "the role: start of ansible-playbook, its tasks on each host, a login to compare and a second command to write, which",
        "flushes the file to the disk that all hosts share; the CPU of the hosts is not in the figures",
    ]
    yield outcome


@contextmanager
def _booted(bench: Bench, count: int) -> Iterator[_Hosts]:
    """A lab with so many hosts, until the end of the block."""
    folder = bench.folder("booted")
    addresses = [f"{SUBNET}.{number + 10}" for number in range(count)]
    listed = [{"name": f"bench-{at}", "address": f"{address}/24"} for at, address in enumerate(addresses)]
    config = folder / "lab.yml"
    config.write_text(json.dumps({"network": {"bridge": [f"{SUBNET}.1/24"]}, "hosts": listed}))
    common = ["--state", str(folder / "state"), "--name", f"bench-{bench.work.name[-8:].lower().replace('_', 'x')}"]
    try:
        bench.module("lab", "up", *common, "--config", str(config), "--kubernetes", "none")
        told = bench.module("lab", "env", *common).output.splitlines()
        pairs = (shlex.split(line)[1].split("=", 1) for line in told if line.startswith("export "))
        yield _Hosts(addresses, {name: value for name, value in pairs if name.startswith("ANSIBLE_")})
    finally:
        try:
            bench.module("lab", "down", *common, "--purge")
        except RunFailedError as error:
            tell(f"the lab of the benchmark was not taken down: {error}")


def _files(folder: Path, hosts: _Hosts) -> tuple[Path, Path]:
    """The playbook and the inventory. JSON is YAML."""
    variables: dict[str, Any] = {
        "site_configuration_management_mode": "local",
        "site_configuration_partial": True,
        "site_configuration_ntp_servers": ["{{ server }}"],
        "site_configuration_host_id": "{{ inventory_hostname }}",
        "site_configuration_addresses": ["{{ ansible_host }}"],
        "site_configuration_reboot": False,
    }
    named = {f"bench-{at}": {"ansible_host": address} for at, address in enumerate(hosts.addresses)}
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": named, "vars": variables}}))
    roles = [{"role": "palette.edge.site_configuration"}]
    playbook = folder / "configure.yml"
    playbook.write_text(json.dumps([{"name": "Measure", "hosts": "all", "gather_facts": False, "roles": roles}]))
    return playbook, inventory
