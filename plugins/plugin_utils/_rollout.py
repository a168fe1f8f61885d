# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a rollout over a fleet: one file a site, written by the site's own task, and what they add up to.

Sites know nothing of each other, in a sliced job not even of their names. What they have in common is a folder.
"""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from ansible_collections.palette.edge.plugins.plugin_utils._run_folder import (
    RunFolder,
    file_name,
    json_files,
    replace_text,
)

WAITING, RUNNING = "waiting", "running"
NOT_STARTED, FAILED = "not started", "failed"
# What a site can come to, in the order in which a report counts it. The last three are predictions.
OUTCOMES = ("upgraded", "unchanged", "skipped", FAILED, NOT_STARTED, "would change", "no change", "would fail")
FAILURES = (FAILED, "would fail")
GOOD = ("upgraded", "unchanged", "skipped", "would change", "no change")
CANARY = "canary"
_SITES = "sites"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of one site. ``began`` and ``ended`` are seconds since 1970, 0 for not yet."""

    entry: str
    site: str
    run: str
    wave: str = ""
    result: str = WAITING
    from_version: str = ""
    to_version: str = ""
    repaved: bool = False
    reasons: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    message: str = ""
    began: float = 0.0
    ended: float = 0.0
    attempts: int = 0

    @property
    def seconds(self) -> float:
        """How long it took; 0 for a site that is not through."""
        return round(self.ended - self.began, 1) if self.began and self.ended else 0.0


@dataclass(frozen=True)
class Turn:
    """Whether a site may begin; when not, ``why``."""

    go: bool
    why: str
    wave: str


class Folder(RunFolder):
    """The folder of a report, as one run of a playbook sees it: the records of other runs count for nothing."""

    def prepare(self) -> None:
        """Makes the folder. Raises OSError."""
        os.makedirs(self.file(_SITES), exist_ok=True)

    def before(self, entry: str) -> Record | None:
        """The site's record as it stands, of whatever run."""
        return _read(self._record(entry))

    def write(self, record: Record) -> None:
        """Puts the site's record in place of its last one."""
        replace_text(self._record(record.entry), json.dumps(asdict(record)) + "\n")

    def records(self) -> list[Record]:
        """The records of this run, by wave in the order they began, then by site."""
        found = [_read(path) for path in json_files(self.file(_SITES))]
        mine = [one for one in found if one is not None and one.run == self.run]
        began: dict[str, float] = {}
        for one in mine:
            began[one.wave] = min(began.get(one.wave, float("inf")), one.began or float("inf"))
        return sorted(mine, key=lambda one: (one.result == NOT_STARTED, began[one.wave], one.wave, one.site))

    def newest(self) -> float:
        """When the last record was written, 0 without any."""
        return max((os.stat(path).st_mtime for path in json_files(self.file(_SITES))), default=0.0)

    def _record(self, entry: str) -> str:
        return os.path.join(self.file(_SITES), file_name(entry))


def enlisted(before: Record | None, *, entry: str, site: str, run: str, to_version: str) -> Record:
    """The record of a site that waits for its turn. What an earlier run began and did not end is carried on with."""
    record = Record(entry=entry, site=site, run=run, to_version=to_version)
    if before is None or before.result not in (RUNNING, FAILED) or before.to_version != to_version:
        return record
    return replace(record, from_version=before.from_version, attempts=before.attempts)


def turn(records: Iterable[Record], *, wave: str, batch: Iterable[str], stop_after: int) -> Turn:
    """Whether the next site may begin, by what became of those before it, and the name of its wave.

    :param wave: CANARY, or what to put a number behind.
    :param batch: the entries that begin together: they must come to the same answer, whoever of them is first.
    """
    together = set(batch)
    others = [one for one in records if one.entry not in together]
    name = wave
    if wave != CANARY:
        numbers = [one.wave.rpartition(" ")[2] for one in others if one.wave.startswith(f"{wave} ")]
        name = f"{wave} {max((int(one) for one in numbers if one.isdecimal()), default=0) + 1}"
    failed = [one for one in others if one.result == FAILED]
    canaries = [one.site for one in failed if one.wave == CANARY]
    if canaries:
        return Turn(False, f"the canary {_some(canaries)} failed", name)
    if len(failed) >= stop_after:
        return Turn(False, f"{len(failed)} failed ({_some(one.site for one in failed)})", name)
    return Turn(True, "", name)


def counts(records: Iterable[Record]) -> dict[str, int]:
    """How many sites there are, and how many came to what."""
    listed = list(records)
    found = {outcome: sum(one.result == outcome for one in listed) for outcome in OUTCOMES}
    running = sum(one.result == RUNNING for one in listed)
    waiting = sum(one.result == WAITING for one in listed)
    return {"sites": len(listed), **{key: value for key, value in found.items() if value}, **_some_of(running, waiting)}


def progress(records: Iterable[Record]) -> str:
    """How far the fleet is, in one line."""
    listed = list(records)
    good = sum(one.result in GOOD for one in listed)
    bad = sum(one.result in FAILURES for one in listed)
    return f"{good} of {len(listed)} sites done, {bad} failed, {len(listed) - good - bad} to go"


def version_of(profiles: Iterable[Mapping[str, t.Any]], *, among: Iterable[str]) -> str:
    """Profiles as text; only those of these names."""
    names = set(among)
    return ", ".join(
        f"{one['name']} {one.get('version') or ''}".strip() for one in profiles if one.get("name") in names
    )


def row(record: Record) -> dict[str, t.Any]:
    """A record as the report has it: for people and for programs."""
    return {
        "site": record.site,
        "wave": record.wave,
        "from_version": record.from_version,
        "to_version": record.to_version,
        "repaved": record.repaved,
        "reasons": record.reasons,
        "steps": record.steps,
        "result": record.result,
        "seconds": record.seconds,
        "attempts": record.attempts,
        "began": moment(record.began),
        "ended": moment(record.ended),
        "message": record.message,
    }


def moment(seconds: float) -> str:
    """A point in time as RFC 3339, or "" for none."""
    if not seconds:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: str) -> Record | None:
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        known = {one.name for one in fields(Record)}
        return Record(**{key: value for key, value in data.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError):
        # Another version's, or not ours: as good as none.
        return None


def _some(names: Iterable[str], most: int = 5) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def _some_of(running: int, waiting: int) -> dict[str, int]:
    return {key: value for key, value in ((RUNNING, running), (WAITING, waiting)) if value}
