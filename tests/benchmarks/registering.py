# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registering Edge hosts: many with one task against a task for each, and a thousand against what the limits allow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import Bench, Lab
from tests.benchmarks.measure import Sample, Spread, in_turn, tell
from tests.benchmarks.report import Outcome, answers

ONE, LOOP, NOTHING = "one task, hosts:", "loop of tasks", "loop of none (start-up)"
# What Palette allows on most prefixes: requests at once, and a second.
BURST, RATE = 50, 10


def register(bench: Bench) -> Iterator[Outcome]:
    """A fleet with one C(edge_host) task against a loop of module calls."""
    items, looped = bench.settings.items, bench.settings.loop_items
    outcome = Outcome(
        f"registering {items} hosts with one edge_host task against a loop of {looped}; no limits in the lab"
    )
    tell(outcome.title)
    folder = bench.folder("plays")
    hosts = _hosts(items)
    one = _play(folder / "one.yml", {"hosts": hosts})
    loop = _play(folder / "loop.yml", {"uid": "{{ item.uid }}", "tags": "{{ item.tags }}"}, loop=hosts[:looped])
    none = _play(folder / "none.yml", {"uid": "{{ item.uid }}", "tags": "{{ item.tags }}"}, loop=[])
    warm = _play(folder / "warm.yml", {"uid": "{{ item.uid }}", "tags": "{{ item.tags }}"}, loop=hosts[:1])
    statuses: Counter[int] = Counter()

    def side(playbook: Path, expected: int) -> Sample:
        # A controller of its own for each run: every host is new, and no run leaves the next one a longer list.
        with bench.controller(bench.folder("empty"), "--no-rate-limits") as lab:
            sample = _run(bench, playbook, lab)
            told = lab.requests()
        statuses.update(entry["status"] for entry in told)
        made = sum(entry["method"] == "POST" and entry["path"] == "/v1/edgehosts" for entry in told)
        if made != expected:
            outcome.failures.append(f"{playbook.name} registered {made} hosts instead of {expected}")
        return sample

    side(warm, 1)
    sides = {ONE: lambda: side(one, items), LOOP: lambda: side(loop, looped), NOTHING: lambda: side(none, 0)}
    outcome.samples = in_turn(sides, bench.settings.pairs)
    triples = list(zip(*(outcome.samples[name] for name in (ONE, LOOP, NOTHING)), strict=True))
    scale = items / looped
    cpu = [((b.cpu - c.cpu) * scale + c.cpu) / a.cpu for a, b, c in triples]
    wall = [((b.wall - c.wall) * scale + c.wall) / a.wall for a, b, c in triples]
    each = Spread.of([(b.cpu - c.cpu) / looped * 1000 for a, b, c in triples])
    own = Spread.of([(a.cpu - c.cpu) / items * 1000 for a, b, c in triples])
    said = f" (the loop's {looped} scaled to {items})" if looped != items else ""
    outcome.notes += [
        f"loop of {items} / one task{said}:  CPU {Spread.of(cpu).text(1)} x,  wall {Spread.of(wall).text(1)} x",
        f"beyond start-up {each.text(0)} ms CPU an item of the loop, {own.text(1)} ms a host of the one task",
        f"the one task keeps Palette's limits by itself, at least {max(0.0, (items - BURST) / RATE):.1f} s of wall;",
        "each item of the loop is a process of its own, knows nothing of the requests before, and may be refused for them",
        f"the lab {answers(statuses)}",
    ]
    yield outcome


def thousand(bench: Bench) -> Iterator[Outcome]:
    """Hosts that only speak, registered with one task within the limits that the lab keeps."""
    count = bench.settings.speakers
    outcome = Outcome(
        f"registering {count:,} hosts that speak to the lab, with one edge_host task; the lab keeps limits"
    )
    tell(outcome.title)
    folder = bench.folder("speakers")
    hosts = _hosts(count)
    addresses = [f"10.60.{number // 250}.{number % 250 + 1}/16" for number in range(count)]
    listed = [{"name": one["uid"], "id": one["uid"], "address": at} for one, at in zip(hosts, addresses, strict=True)]
    config = folder / "lab.yml"
    config.write_text(json.dumps({"network": {"bridge": []}, "hosts": listed}))
    registering = _play(folder / "register.yml", {"hosts": hosts, "retry_timeout": 300})
    waiting = _play(folder / "wait.yml", {"hosts": hosts, "wait": True, "wait_timeout": 600, "wait_sleep": 5})
    with bench.speaking_lab(config, "--rate-limits") as lab:
        sides = {
            "register": lambda: _run(bench, registering, lab),
            "then wait until healthy": lambda: _run(bench, waiting, lab),
        }
        outcome.samples = in_turn(sides, 1)
        statuses = Counter(one["status"] for one in lab.requests() if one["path"] == "/v1/edgehosts")
    floor = max(0.0, (count - BURST) / RATE)
    measured = outcome.samples["register"][0].wall
    outcome.notes.append(
        f"floor by the limits ({BURST} at once, then {RATE} a second): {floor:.1f} s; measured {measured:.1f} s, start of "
        f"ansible-playbook and all reading included: {measured / max(floor, 0.1):.2f} x"
    )
    outcome.notes.append(f"the lab {answers(statuses)} to registering")
    if statuses[201] != count:
        outcome.failures.append(f"{statuses[201]} hosts were registered instead of {count}")
    yield outcome


def _hosts(count: int) -> list[dict[str, Any]]:
    return [
        {"uid": f"edge-bench-{n:04d}", "tags": {"site": f"store-{n // 10:04d}", "rack": "abcd"[n % 4]}}
        for n in range(count)
    ]


def _play(path: Path, options: dict[str, Any], *, loop: list[dict[str, Any]] | None = None) -> Path:
    """A playbook of one task. JSON is YAML."""
    task: dict[str, Any] = {"name": "Register", "palette.edge.edge_host": options}
    if loop is not None:
        task |= {"loop": loop, "loop_control": {"label": "{{ item.uid }}"}}
    path.write_text(json.dumps([{"name": "Measure", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    return path


def _run(bench: Bench, playbook: Path, lab: Lab) -> Sample:
    python = f"ansible_python_interpreter={bench.python}"
    arguments = ["-i", "localhost,", "-c", "local", "-e", python, str(playbook)]
    return bench.ansible("ansible-playbook", *arguments, env=lab.env)
