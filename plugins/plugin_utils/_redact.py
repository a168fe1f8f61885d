# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs and settings of a host as other people may read them: secrets hidden, by their value and by their looks.

A log is there to be understood, so what merely speaks of a token ("the token expired") stays as it is.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
from urllib.parse import quote

import yaml

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import HIDDEN, hide, secrets_of

LEAST = 6
"""Characters: a shorter secret is not looked for by its value, as it may be part of any word."""

_NAMES = (
    r"(?:token|password|passwd|passphrase|psk|secret|api[_-]?key|private[_-]?key|secret[_-]?key|access[_-]?key"
    r"|certificate[_-]?key|encryption[_-]?key|key-data|credential|authorization|otp|cookie)s?"
)
# A text in quotes, in escaped quotes (JSON in JSON), in quotes that are not closed, or a word.
_VALUE = r"(?:\\+\"(?:[^\"\\\n]|\\+(?![\\\"]))*\\+\"|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|\\*[\"'][^\n]*|[^\s\"',;}\]&]+)"
# What stands behind such a name and tells something, but not the secret.
_WORDS = (
    r"(?!(?:null|none|nil|true|false|invalid|expired|missing|empty|required|not|is|was|has|unknown|no|of|the|failed|"
    r"error|secret|[\[{(|>&*]|<)(?:[\s,.;:\"')\]}]|$))"
)
_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.{0,20000}?-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----", re.DOTALL
)
_KEY_EDGE = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY-----")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{24}|[A-Za-z0-9+/]+={0,2}\s*$")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^/@\s\"'<>]+(?=@)"), HIDDEN),
    (re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (re.compile(rf"(--?[\w-]{{0,40}}?{_NAMES}[ =]){_WORDS}{_VALUE}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(rf"({_NAMES}\\*[\"']?[ \t]*[:=]>?[ \t]*){_WORDS}(?!(?:bearer|basic)\s){_VALUE}", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]+)?"), HIDDEN),
    (re.compile(r"\$(?:1|2[abxy]|5|6|y|gy)\$[^\s:\"']{8,}"), HIDDEN),
    (re.compile(r"\bK10[0-9a-f]{40,}(?:::\S+)?"), HIDDEN),
    (re.compile(r"(?<![\w.])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.])"), HIDDEN),
    (re.compile(r"((?:x-amz-(?:signature|security-token|credential)|sig)=)[^&\s\"']+", re.IGNORECASE), rf"\1{HIDDEN}"),
)
# Nobody can tell what is in there.
_WHOLE = {"commands", "content", "environment"}
_PASSWORD = re.compile(r"://[^/\s:@\"']+:([^/\s@\"']+)@")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Redactor:
    """Hides secrets in texts; `add` tells it values, from anywhere."""

    def __init__(self, values: t.Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._found: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: t.Iterable[str]) -> None:
        """Further secrets. Those of several lines are looked for line by line."""
        for value in values:
            for line in str(value).splitlines():
                self._forms |= _forms(line.strip())
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """The text without secrets, and without what would play tricks on a terminal."""
        text = _CONTROL.sub("", text.replace("\r\n", "\n"))
        if self._found is not None:
            text = self._found.sub(HIDDEN, text)
        if _KEY_EDGE.search(text):
            text = _without_keys(text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def user_data(self, text: str) -> str:
        """A layer of user-data for people, whose secrets are added; a reason in its place when it is no YAML."""
        try:
            document = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
        except (yaml.YAMLError, ValueError):
            return "(is no YAML, and left out, as its secrets cannot be told)\n"
        self.add(secrets_of(document))
        self.add(_PASSWORD.findall(text))
        shown = yaml.safe_dump(hide(_without_scripts(document)), sort_keys=False, allow_unicode=True, width=120)
        return self.text(shown)


def secret_values(text: str) -> set[str]:
    """The secrets that a state file of the agent, or a file that is one secret, holds."""
    try:
        document = json.loads(text)
    except ValueError:
        return {line.strip() for line in text.splitlines() if line.strip()}
    return secrets_of(document)


def _without_keys(text: str) -> str:
    """The text without private keys, those too of which a log that was cut has only one end."""
    lines = _KEY.sub(HIDDEN, text).split("\n")
    for number, line in enumerate(lines):
        edge = _KEY_EDGE.search(line)
        if edge is None:
            continue
        lines[number] = HIDDEN
        step = 1 if edge[1] == "BEGIN" else -1
        number += step
        while 0 <= number < len(lines) and _KEY_LINE.search(lines[number]) and not _KEY_EDGE.search(lines[number]):
            lines[number] = HIDDEN
            number += step
    return "\n".join(lines)


def _without_scripts(value: t.Any, key: str = "") -> t.Any:
    if key in _WHOLE and value:
        return "(left out)"
    if isinstance(value, dict):
        return {str(name): _without_scripts(below, str(name)) for name, below in value.items()}
    return [_without_scripts(below) for below in value] if isinstance(value, list) else value


def _forms(value: str) -> set[str]:
    """The value as it may stand in a log: as it is, quoted, and as base64 at each of three offsets."""
    if len(value) < LEAST:
        return set()
    raw = value.encode()
    found = {value, quote(value, safe=""), json.dumps(value)[1:-1], base64.b64encode(raw).decode().rstrip("=")}
    inner = (base64.b64encode(b"x" * offset + raw).decode()[4:-4] for offset in range(3))
    # Shorter ones would be found in any base64.
    return found | {one for one in inner if len(one) >= 12}
