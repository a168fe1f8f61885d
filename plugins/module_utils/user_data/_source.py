# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User-data as people write it: a mapping, or text whose places are known by line."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import HEADER
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Path, Problem

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True
    _BASE: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class _Loader(_BASE):
        """A date is a string to the agent, as all values of its keys that look like one are."""

    _Loader.yaml_implicit_resolvers = {
        sign: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
        for sign, rules in _BASE.yaml_implicit_resolvers.items()
    }

MOST = 50_000
"""Values of a document, aliases written out: more is no user-data, and would only cost memory."""

_FIRST_LINE = re.compile(rf"{HEADER}[ \t]*\r?(\n|\Z)")


@dataclass(frozen=True)
class Source:
    """One layer: what it says, where (empty for a mapping), and what is wrong with it as text.

    `document` is empty when the text could not be read. `fatal` when nothing else can be said of it.
    """

    document: Document
    lines: t.Mapping[Path, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    fatal: bool = False

    def line(self, path: Path) -> int | None:
        """The line of a place, or of the nearest one around it; of the text as a whole for no place; None if unknown."""
        if not path:
            return self.lines.get(())
        for length in range(len(path), 0, -1):
            if found := self.lines.get(path[:length]):
                return found
        return None

    def has(self, path: Path) -> bool:
        """Whether the layer says something at this very place."""
        value: t.Any = self.document
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def read(given: t.Mapping[str, t.Any] | str | None) -> Source:
    """The layer as given. Never raises: what cannot be read is a problem that quotes nothing of the text."""
    if given is None:
        return Source({})
    # The parser in C takes no subclass of a string, such as ansible-core 2.16 has for unsafe text.
    return _read_text(str.__str__(given)) if isinstance(given, str) else Source(dict(given))


def _read_text(text: str) -> Source:
    if not HAS_YAML:
        return _unreadable(None, "cannot be read: PyYAML is not installed here.")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            walk = _Walk()
            walk.into(node, ())
            document = loader.construct_document(node) if node is not None and not walk.endless else {}
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return _unreadable(_mark(error), _reason(error))
    except (ValueError, RecursionError, TypeError):
        return _unreadable(None, "is no YAML that can be read.")
    if walk.endless:
        return _unreadable(None, f"holds itself by an alias, or more than {MOST} values.")
    if document is None:
        document = {}
    if not isinstance(document, dict):
        return _unreadable(1, "is no map; write keys such as stylus, install and stages.")
    problems, warnings = list(walk.problems), []
    lines = dict(walk.lines)
    if not _FIRST_LINE.match(text):
        lines[()] = 1
        problems.insert(0, Problem((), f"does not begin with the line {HEADER}, and is ignored without it."))
    if match := re.search(r"(?m)^---[ \t]*$", text):
        lines[("---",)] = text.count("\n", 0, match.start()) + 1
        warnings.append(Problem(("---",), "is a line that one sample has and nothing asks for; leave it out."))
    if "\r\n" in text:
        warnings.append(Problem((), "has the line ends of Windows (CRLF); write it with LF."))
    return Source(document, lines, tuple(problems), tuple(warnings))


class _Walk:
    """The lines of a document's places, and the keys that stand twice in one map."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.endless = False
        self._above: list[int] = []

    def into(self, node: t.Any, path: Path) -> None:
        if id(node) in self._above or len(self.lines) > MOST:
            self.endless = True
        if node is None or self.endless:
            return
        self._above.append(id(node))
        if isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if name in seen and key.tag != "tag:yaml.org,2002:merge":
                    text = (
                        f"stands twice in one map, in line {seen[name]} too; YAML keeps one of them: put them together."
                    )
                    self.lines[(*path, name)] = line
                    self.problems.append(Problem((*path, name), text))
                    continue
                seen[name] = line
                self.lines[(*path, name)] = line
                self.into(value, (*path, name))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                self.lines[(*path, at)] = value.start_mark.line + 1
                self.into(value, (*path, at))
        self._above.pop()


def _unreadable(line: int | None, text: str) -> Source:
    return Source({}, {(): line} if line else {}, (Problem((), text),), fatal=True)


def _mark(error: t.Any) -> int | None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark else None


def _reason(error: t.Any) -> str:
    """Why it is no YAML. What the parser found is left out, as it may be part of a secret."""
    said = str(getattr(error, "problem", "") or "")
    if "\\t" in said or "'\t'" in said:
        return "is no YAML: a line is indented with a tab; use blanks."
    if "undefined alias" in said:
        return "is no YAML: a value begins with '*', which stands for an alias; put it in quotes."
    if "single document" in str(getattr(error, "context", "")):
        return "has more than one document; write one, without '---' between."
    words = re.sub(r"['\"].*['\"]", "sign", said)
    return f"is no YAML{': ' + words if words else ''}; check indentation and quotes there."
