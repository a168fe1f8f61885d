# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a case found: samples of each side, ratios between sides, remarks and failures; as a table and as JSON."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.measure import Sample, Spread


@dataclass
class Outcome:
    """Results of one case. ``failures`` are wrong results, never slow ones."""

    title: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    ratios: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def median_cpu(self, side: str) -> float:
        """Median seconds of CPU of a side."""
        return Spread.of([one.cpu for one in self.samples[side]]).median

    def ratio(self, over: str, under: str) -> tuple[Spread, Spread]:
        """CPU and wall of ``over`` by those of ``under``, one ratio for each pair."""
        pairs = list(zip(self.samples[over], self.samples[under], strict=True))
        return Spread.of([a.cpu / b.cpu for a, b in pairs]), Spread.of([a.wall / b.wall for a, b in pairs])

    def table(self) -> str:
        """For a terminal."""
        lines = [f"== {self.title}", f"{'':<36}{'runs':>5}{'CPU s':>24}{'wall s':>24}{'MiB':>7}"]
        for name, samples in self.samples.items():
            cpu, wall = Spread.of([one.cpu for one in samples]), Spread.of([one.wall for one in samples])
            rss = max(one.rss_mib for one in samples)
            lines.append(f"{name:<36}{len(samples):>5}{cpu.text():>24}{wall.text():>24}{rss:>7.0f}")
        for over, under in self.ratios:
            cpu, wall = self.ratio(over, under)
            lines.append(f"{over} / {under}:  CPU {cpu.text()} x,  wall {wall.text()} x")
        lines += self.notes
        lines += [f"FAILED: {failure}" for failure in self.failures]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """For JSON; seconds and MiB."""
        sides = {
            name: [
                {"cpu": round(one.cpu, 3), "wall": round(one.wall, 3), "rss_mib": round(one.rss_mib)} for one in samples
            ]
            for name, samples in self.samples.items()
        }
        ratios = []
        for over, under in self.ratios:
            cpu, wall = self.ratio(over, under)
            ratios.append({"over": over, "under": under, "cpu": vars(cpu), "wall": vars(wall)})
        return {
            "title": self.title,
            "sides": sides,
            "ratios": ratios,
            "notes": self.notes,
            "failures": self.failures,
        }


def answers(statuses: Mapping[int, int]) -> str:
    """How the lab answered, by HTTP status."""
    return "answered " + ", ".join(f"{count} times with {status}" for status, count in sorted(statuses.items()))


def conditions(versions: Sequence[str], cores: int | None) -> list[str]:
    """Under what the figures were taken."""
    return [
        f"{', '.join(versions)}; {platform.system()} {platform.machine()}, {cores} cores.",
        "CPU seconds are those of the measured command and its children; the lab's own are not in them. Where other work",
        "loads the machine wall is not to be trusted, and CPU drifts too: take ratios below 1.3 as noise.",
    ]
