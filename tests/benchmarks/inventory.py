# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of Palette's own hosts as an inventory, against the same hosts put in the plain way, and against start-up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench import Bench, Lab
from tests.benchmarks.compare import differences, groups_of, variable_differences
from tests.benchmarks.measure import Sample, Spread, in_turn, tell
from tests.benchmarks.report import Outcome, answers

# Four, three and four, as much as a lively inventory file has; a fifth of the hosts has no tag rack.
EXPRESSIONS = {
    "compose": {
        "site_label": "palette_tags.site | upper",
        "rack_label": "palette_tags.rack | default('none')",
        "memory_gib": "palette_memory_mib // 1024",
        "os_label": "palette_os_family ~ '-' ~ palette_os_version",
    },
    "groups": {
        "large": "palette_memory_mib >= 16384",
        "attention": "palette_health != 'healthy'",
        "arm": "palette_architecture == 'arm64'",
    },
    "keyed_groups": [
        {"key": "palette_tags.region", "prefix": "region"},
        {"key": "palette_tags.rack", "prefix": "rack"},
        {"key": "palette_cpu_cores | string", "prefix": "cores"},
        {"key": "memory_gib | string", "prefix": "memory"},
    ],
}
FLEET, PLAIN, START = "palette.edge.fleet", "plain Constructable", "start-up (-i 'a,')"
SHOWN = 10
FLEET_BARE, PLAIN_BARE = f"{FLEET}, no expressions", "plain, no expressions"


class Inventories:
    """Inventory files and how they are read."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.folder("inventories")

    def file(self, name: str, plugin: str, *, expressions: bool, **more: object) -> Path:
        """An inventory file. JSON is YAML."""
        path = self.folder / f"{name}.palette.yml"
        path.write_text(json.dumps({"plugin": plugin, **(EXPRESSIONS if expressions else {}), **more}))
        return path

    def read(self, path: Path | str, lab: Lab | None, *, how: str = "--graph") -> Sample:
        """One run of ansible-inventory."""
        plain = {"ANSIBLE_INVENTORY_PLUGINS": str(self.bench.tree / "tests" / "benchmarks" / "plain")}
        env = {**plain, **(lab.env if lab else {})}
        return self.bench.ansible("ansible-inventory", "-i", str(path), how, env=env)


def fleet(bench: Bench) -> Iterator[Outcome]:
    """Against the plain way and against start-up, for each number of hosts."""
    for hosts in bench.settings.hosts:
        yield _fleet(bench, hosts, limited=False)


def fleet_limited(bench: Bench) -> Iterator[Outcome]:
    """The same with a controller that keeps Palette's request limits."""
    yield _fleet(bench, min(bench.settings.hosts), limited=True)


def _fleet(bench: Bench, hosts: int, *, limited: bool) -> Outcome:
    words = "request limits kept by the lab" if limited else "no request limits in the lab"
    outcome = Outcome(f"inventory of {hosts:,} hosts, --graph, compose 4, groups 3, keyed_groups 4; {words}")
    tell(outcome.title)
    files = Inventories(bench)
    ours = files.file("ours", "palette.edge.fleet", expressions=True)
    plain = files.file("plain", "plain_fleet", expressions=True)
    bare = files.file("ours-bare", "palette.edge.fleet", expressions=False)
    plain_bare = files.file("plain-bare", "plain_fleet", expressions=False)
    with bench.controller(bench.seeded(hosts), "--rate-limits" if limited else "--no-rate-limits") as lab:
        # Also warms both up: bytecode and the page cache.
        outcome.failures += _same(
            files, lab, [(bare, plain_bare)] if hosts > 2000 else [(ours, plain), (bare, plain_bare)]
        )
        asked = len(lab.requests())
        sides = {
            FLEET: lambda: files.read(ours, lab),
            PLAIN: lambda: files.read(plain, lab),
            START: lambda: files.read("a,", None),
            FLEET_BARE: lambda: files.read(bare, lab),
            PLAIN_BARE: lambda: files.read(plain_bare, lab),
        }
        if limited:
            # All come from one address: a run may find the server's bucket as the one before it left it.
            sides = {name: sides[name] for name in (FLEET, PLAIN)}
        outcome.samples = in_turn(sides, bench.settings.pairs_for(hosts))
        told = lab.requests()[asked:]
    outcome.ratios = [(PLAIN, FLEET)]
    if not limited:
        outcome.ratios += [(PLAIN_BARE, FLEET_BARE), (FLEET, START), (FLEET_BARE, START)]
        per_host = (outcome.median_cpu(FLEET) - outcome.median_cpu(START)) / hosts
        bare_host = (outcome.median_cpu(FLEET_BARE) - outcome.median_cpu(START)) / hosts
        outcome.notes.append(
            f"beyond start-up {per_host * 1000:.2f} ms CPU a host, of which {(per_host - bare_host) * 1000:.2f} ms are the "
            "eleven expressions, which ansible-core compiles again for each host"
        )
    for one, other in ((FLEET, PLAIN), (FLEET_BARE, PLAIN_BARE)):
        if one in outcome.samples:
            _compare(outcome, one, other)
    pages = -(-hosts // 50)
    floor = max(0.0, (pages - 48) / 9.8)
    outcome.notes.append(
        f"{pages} pages; under Palette's limits, which the session keeps by itself, they take {floor:.1f} s at the least"
    )
    statuses = Counter(one["status"] for one in told)
    outcome.notes.append(f"the lab {answers(statuses)}")
    return outcome


def _same(files: Inventories, lab: Lab, pairs: list[tuple[Path, Path]]) -> list[str]:
    """Differences in groups, members and variables, in runs that are not timed."""
    found: list[str] = []
    for one, other in pairs:
        listed = [files.read(path, lab, how="--list").output for path in (one, other)]
        graphs = [groups_of(files.read(path, lab).output) for path in (one, other)]
        wrong = [*variable_differences(listed[0], listed[1]), *differences(graphs[0], graphs[1])]
        found += [f"{one.name} and {other.name}: {line}" for line in wrong[:SHOWN]]
    return found


def _compare(outcome: Outcome, one: str, other: str) -> None:
    """Compares what the last timed runs printed."""
    first, second = (groups_of(outcome.samples[name][-1].output) for name in (one, other))
    wrong = differences(first, second)
    outcome.failures += [f"{one} and {other}: {line}" for line in wrong[:SHOWN]]
    if not wrong:
        members = sum(len(group) for group in first.values())
        outcome.notes.append(f"{one} and {other}: the same {len(first)} groups with {members} members")


def cache(bench: Bench) -> Iterator[Outcome]:
    """A second run from a jsonfile cache against the first."""
    for hosts in bench.settings.hosts:
        yield _cache(bench, hosts)


def _cache(bench: Bench, hosts: int) -> Outcome:
    outcome = Outcome(f"cache (jsonfile) of {hosts:,} hosts, --graph, no expressions")
    tell(outcome.title)
    files = Inventories(bench)
    rounds = bench.settings.pairs_for(hosts)
    sizes: list[float] = []
    with bench.controller(bench.seeded(hosts), "--no-rate-limits") as lab:
        asked: list[int] = []
        path = files.file("cached", "palette.edge.fleet", expressions=False)

        def first() -> Sample:
            nonlocal path
            place = bench.folder("cache")
            options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(place)}
            path = files.file("cached", "palette.edge.fleet", expressions=False, **options)
            before = len(lab.requests())
            sample = files.read(path, lab)
            asked.append(len(lab.requests()) - before)
            sizes.append(sum(one.stat().st_size for one in place.iterdir()) / 1e6)
            return sample

        def second() -> Sample:
            before = len(lab.requests())
            sample = files.read(path, lab)
            made = len(lab.requests()) - before
            if made:
                outcome.failures.append(f"a run from the cache made {made} requests")
            return sample

        sides = {"first run": first, "second run": second, START: lambda: files.read("a,", None)}
        outcome.samples = in_turn(sides, rounds)
        if len(lab.requests()) >= 5000:
            outcome.failures.append("the lab's log of requests is full, so it proves nothing: take fewer pairs")
    graphs = [groups_of(outcome.samples[name][-1].output) for name in ("first run", "second run")]
    outcome.failures += differences(graphs[0], graphs[1])
    outcome.ratios = [("first run", "second run"), ("second run", START)]
    outcome.notes.append(
        f"by the lab's log: {Spread.of([float(one) for one in asked]).text(0)} requests in a first run, "
        f"{'none' if not outcome.failures else 'see below'} in a second; cache {max(sizes):.1f} MB"
    )
    return outcome
