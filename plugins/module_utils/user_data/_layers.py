# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of user-data judged together or one by one, with the place of everything that is wrong."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.module_utils.user_data._advice import advice
from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document, merge
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import dotted
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._source import Source, read
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import (
    Path,
    Problem,
    nulls,
    unknown_keys,
)
from ansible_collections.palette.edge.plugins.module_utils.user_data._versions import Version, deprecated, gated

INSTALLER, SITE_LAYER = "installer", "site"
EFFECTIVE, LAYER = "effective", "layer"


@dataclass(frozen=True)
class Finding:
    """A problem in its place: the layer that says so, the line when it was given as text, the path with dots."""

    layer: str
    path: str
    line: int | None
    message: str

    def told(self) -> str:
        """The finding as one sentence."""
        where = f"{self.layer}, line {self.line}" if self.line else self.layer
        return f"{self.path or 'user-data'} ({where}): {self.message}"

    def result(self) -> dict[str, t.Any]:
        """The finding as a module returns it."""
        return {"layer": self.layer, "path": self.path, "line": self.line, "message": self.message}


@dataclass
class Judgement:
    """What is wrong, what is doubtful, and the document that comes of the layers (secrets in clear)."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    document: Document = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.errors


def effective(*layers: Document) -> Document:
    """The configuration that comes of layers, the later ones winning.

    As `merge`, but for `stages`: the files of all layers are run, so their steps add up, the earlier layer's first.
    That maps are merged and stages add up is documented. That another list (certificates, registries, users' groups)
    replaces the one before is a choice of this collection, as the documentation is silent; `judge` warns of it.
    """
    found = merge(*layers)
    stages: dict[str, t.Any] = {}
    for layer in layers:
        own = layer.get("stages")
        for name, steps in own.items() if isinstance(own, dict) else ():
            before = stages.get(name)
            if steps is None and before is not None:
                continue
            stages[name] = [*before, *steps] if isinstance(before, list) and isinstance(steps, list) else steps
    # An empty `stages:` takes nothing away; one that is no map is for the rules to refuse.
    return {**found, "stages": stages} if stages and isinstance(found.get("stages", {}), dict) else found


def judge(
    installer: t.Mapping[str, t.Any] | str | None,
    site: t.Mapping[str, t.Any] | str | None,
    *,
    view: str = EFFECTIVE,
    agent: Version | None = None,
    strict: bool = False,
) -> Judgement:
    """Everything wrong with the layers: of what comes of them (`effective`), or of each alone (`layer`)."""
    sources = {name: read(given) for name, given in ((INSTALLER, installer), (SITE_LAYER, site)) if given is not None}
    result = Judgement()
    for name, source in sources.items():
        result.errors += [_finding(name, source, one) for one in source.problems]
        result.warnings += [_finding(name, source, one) for one in source.warnings]
        if not source.fatal and view == EFFECTIVE:
            # A null in one layer is wrong though the other one may hide it.
            result.errors += [_finding(name, source, one) for one in nulls(source.document)]
    if any(source.fatal for source in sources.values()):
        return result
    result.document = effective(*(source.document for source in sources.values()))
    if view == LAYER:
        for name, source in sources.items():
            errors, warnings = _all(source.document, agent, strict=strict, partial=True, layer=name)
            result.errors += [_finding(name, source, one) for one in errors]
            result.warnings += [_finding(name, source, one) for one in warnings]
    else:
        errors, warnings = _all(result.document, agent, strict=strict, partial=False, layer=EFFECTIVE)
        known = {(one.path, one.message) for one in result.errors}
        placed = [_placed(sources, one) for one in errors]
        result.errors += [one for one in placed if (one.path, one.message) not in known]
        result.warnings += [_placed(sources, one) for one in [*warnings, *_replaced(sources)]]
    return result


def _all(
    document: Document, agent: Version | None, *, strict: bool, partial: bool, layer: str
) -> tuple[list[Problem], list[Problem]]:
    errors = [*problems(document, partial=partial), *gated(document, agent)]
    unknown = unknown_keys(document)
    warnings = [*deprecated(document, agent), *advice(document, layer=layer)]
    return ([*errors, *unknown], warnings) if strict else (errors, [*unknown, *warnings])


def _replaced(sources: t.Mapping[str, Source]) -> list[Problem]:
    """Lists that both layers give: the documentation does not say what comes of them."""
    if len(sources) < 2:
        return []
    first, second = (source.document for source in sources.values())
    return [
        Problem(
            path,
            "is a list in both layers, and whether Palette appends or replaces is not documented; the site's is taken"
            " here: give the whole list in one layer.",
        )
        for path in _lists_in_both(first, second, ())
    ]


def _lists_in_both(first: t.Any, second: t.Any, path: Path) -> list[Path]:
    if isinstance(first, dict) and isinstance(second, dict):
        below = [(*path, name) for name in second if name in first and (*path, name) != ("stages",)]
        return [found for one in below for found in _lists_in_both(first[one[-1]], second[one[-1]], one)]
    return [path] if isinstance(first, list) and isinstance(second, list) and first != second else []


def _placed(sources: t.Mapping[str, Source], problem: Problem) -> Finding:
    """The finding in the layer that says what is wrong: the later one, for it wins."""
    path = problem.path
    if len(sources) == 2 and len(path) > 2 and path[0] == "stages" and isinstance(path[2], int):
        stages = sources[INSTALLER].document.get("stages")
        first = stages.get(path[1]) if isinstance(stages, dict) else None
        before = len(first) if isinstance(first, list) else 0
        name = INSTALLER if path[2] < before else SITE_LAYER
        own = path if name == INSTALLER else (*path[:2], path[2] - before, *path[3:])
        return _finding(name, sources[name], Problem(own, problem.text))
    for length in range(len(path), 1, -1):
        # What is missing is told where it would stand.
        for name in reversed(list(sources)):
            if sources[name].has(path[:length]):
                return _finding(name, sources[name], problem)
    return _finding(list(sources)[-1], Source({}), problem) if len(sources) == 1 else _nowhere(problem)


def _nowhere(problem: Problem) -> Finding:
    return Finding(EFFECTIVE, dotted(problem.path), None, problem.text)


def _finding(name: str, source: Source, problem: Problem) -> Finding:
    line = source.line(problem.path)
    path = dotted(problem.path)
    return Finding(name, "" if path == "---" else path, line, problem.text)
