# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's own words mean: the rules of `_diagnosis_rules` applied to them.

`diagnose` is a function of the texts and the time alone. What is over and done with is no finding: logs are of the
present boot, and where a failure may have been cured since, only the end of a log counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

ERROR, WARNING = "error", "warning"
SEEN_LENGTH = 200


Seen = tuple[str, str]
"""(section, what is seen there)."""


@dataclass(frozen=True)
class Evidence:
    """What a host said: the text of each section by its name.

    It was said between `began` and `now`, in seconds since 1970 by the clock here; 0 when that is not known.
    """

    texts: Mapping[str, str]
    now: float = 0.0
    began: float = 0.0

    def text(self, name: str) -> str:
        """The text of one section, empty when there is none."""
        return self.texts.get(name, "")

    def table(self, name: str, *, least: int) -> Iterator[list[str]]:
        """The words of each line of a section that has `least` of them or more."""
        for line in self.text(name).splitlines():
            words = line.split()
            if len(words) >= least:
                yield words

    def lines(self, *where: str, last: int = 0) -> Iterator[Seen]:
        """(section, line) of the sections whose name matches one of the patterns; only their `last` lines, when given."""
        for name in sorted(self.texts):
            if any(fnmatchcase(name, pattern) for pattern in where):
                lines = self.text(name).splitlines()
                for line in lines[-last:] if last else lines:
                    yield name, line


Check = Callable[[Evidence], Iterable[Seen]]


@dataclass(frozen=True)
class Rule:
    """One known failure.

    It is seen where `pattern` matches a line of a section whose name matches one of `where`, among the last `last` lines
    (0: anywhere) with no line after it that matches `unless`, or where `check` says so.
    `source` is `documented` (by the vendor), `field` (seen by others in the field), or `general`.
    """

    name: str
    means: str
    do: str
    where: tuple[str, ...] = ()
    pattern: str = ""
    last: int = 0
    unless: str = ""
    check: Check | None = None
    severity: str = ERROR
    source: str = "documented"


@dataclass(frozen=True)
class Finding:
    """A failure that was recognised, in words."""

    rule: str
    severity: str
    where: str
    seen: str
    means: str
    do: str
    source: str

    def as_data(self) -> dict[str, str]:
        """As a mapping of strings."""
        return {key: str(value) for key, value in asdict(self).items()}


def diagnose(evidence: Evidence, rules: Iterable[Rule]) -> list[Finding]:
    """The failures that a host's words show, errors first; each rule once, at its latest sign."""
    found = []
    for rule in rules:
        seen = list(_seen(rule, evidence))
        if not seen:
            continue
        where, text = seen[-1]
        more = f" (and {len(seen) - 1} more)" if len(seen) > 1 else ""
        found.append(Finding(rule.name, rule.severity, where, _short(text) + more, rule.means, rule.do, rule.source))
    return sorted(found, key=lambda finding: finding.severity != ERROR)


def _seen(rule: Rule, evidence: Evidence) -> Iterator[Seen]:
    if rule.check is not None:
        yield from rule.check(evidence)
        return
    pattern = re.compile(rule.pattern)
    cured = re.compile(rule.unless) if rule.unless else None
    at: dict[str, list[Seen]] = {}
    for name, line in evidence.lines(*rule.where, last=rule.last):
        if cured is not None and cured.search(line):
            at.pop(name, None)
        elif pattern.search(line):
            at.setdefault(name, []).append((name, line))
    for seen in at.values():
        yield from seen


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SEEN_LENGTH else text[: SEEN_LENGTH - 3] + "..."
