# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User-data that people may see: secrets hidden, and still whether one changes."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

HIDDEN = "<hidden>"
CHANGED = "<hidden, changed>"

_KEY = re.compile(r"(token|password|passwd|passphrase|psk|secret|private_?key|api_?key|encrypted)s?$", re.IGNORECASE)
_URL = re.compile(r"(?<=://)[^/@\s\"']+(?=@)")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# psk="...", --password x, PASSWORD: x, export API_TOKEN=x, Authorization: Bearer x
_ASSIGNED = re.compile(
    r"((?:psk|pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credentials?|bearer|basic|auth)[\"']?(?:\s*[:=]\s*|\s+))"
    r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;]+)",
    re.IGNORECASE,
)
# Files that are credentials as a whole.
_SECRET_FILE = re.compile(
    r"registries\.ya?ml|wpa_supplicant|\.key$|\.pem$|shadow|secret|credential|token|netrc|docker/config\.json",
    re.IGNORECASE,
)
_LEAST = 6
"""Characters: a shorter secret is hidden in its own place only, as it may be part of any word."""


def secrets_of(document: t.Any) -> set[str]:
    """Every value of the document that is a secret by its key."""
    return {str(value) for key, value in _leaves(document) if _is_secret(key, value)}


def hide(document: t.Any, also: t.Iterable[str] = ()) -> t.Any:
    """The same document with secrets hidden; `also` are further secret values, wherever they occur."""
    known = sorted({value for value in (*secrets_of(document), *also) if len(value) >= _LEAST}, key=len, reverse=True)
    return _hide(document, "", known)


def hide_pair(before: t.Any, after: t.Any) -> tuple[t.Any, t.Any]:
    """Both documents with secrets hidden, and `<hidden, changed>` in the second one where a secret is another."""
    known = secrets_of(before) | secrets_of(after)
    hidden_before, hidden_after = hide(before, known), hide(after, known)
    return hidden_before, _mark(before, after, hidden_after)


def hide_text(text: str, secrets: t.Iterable[str] = ()) -> str:
    """A text for people, without `secrets` and without what looks like one."""
    for secret in sorted((secret for secret in secrets if len(secret) >= _LEAST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    return _ASSIGNED.sub(lambda found: found[1] + HIDDEN, _URL.sub(HIDDEN, text))


def _hide(value: t.Any, key: str, known: list[str]) -> t.Any:
    if isinstance(value, t.Mapping):
        whole = isinstance(value.get("content"), str) and (
            bool(value.get("encoding")) or bool(_SECRET_FILE.search(str(value.get("path", ""))))
        )
        return {
            name: HIDDEN if whole and name == "content" else _hide(below, str(name), known)
            for name, below in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_hide(below, key, known) for below in value]
    if _is_secret(key, value):
        return HIDDEN
    return hide_text(value, known) if isinstance(value, str) else value


def _mark(before: t.Any, after: t.Any, hidden: t.Any) -> t.Any:
    """`hidden` (made of `after`) with the places marked whose secret differs from `before`'s."""
    if isinstance(hidden, dict):
        old = before if isinstance(before, t.Mapping) else {}
        return {name: _mark(old.get(name), after[name], value) for name, value in hidden.items()}
    if isinstance(hidden, list):
        olds = before if isinstance(before, (list, tuple)) else ()
        return [_mark(olds[at] if at < len(olds) else None, after[at], value) for at, value in enumerate(hidden)]
    if isinstance(hidden, str) and HIDDEN in hidden and before is not None and before != after:
        return hidden.replace(HIDDEN, CHANGED)
    return hidden


def _is_secret(key: str, value: t.Any) -> bool:
    return (
        bool(_KEY.search(key)) and isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    )


def _leaves(value: t.Any, key: str = "") -> Iterator[tuple[str, t.Any]]:
    if isinstance(value, t.Mapping):
        for name, below in value.items():
            yield from _leaves(below, str(name))
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from _leaves(below, key)
    else:
        yield key, value
