# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language between our shell scripts and their readers.

A script answers with lines `@key value` and ends with `@end`; `@error text` says why it stopped. Whatever else a login
shell, a banner or a terminal adds is ignored. Scripts use no single quotes: the connection quotes them, once for each
layer (ssh, sudo), and every quote would treble each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PRELUDE = (
    "LC_ALL=C; export LC_ALL\n"
    'PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"; export PATH\n'
    'say() { printf "@%s %s\\n" "$1" "$2"; }\n'
    'die() { printf "@error %s\\n" "$(printf "%s" "$1" | head -n 1)"; exit 1; }\n'
)
"""What every script begins with."""

END = 'printf "@end\\n"\n'
"""What every script ends with."""


@dataclass
class Output:
    """What a script answered: for each key its lines in order."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    finished: bool = False
    error: str = ""

    def all(self, key: str) -> list[str]:
        return self.lines.get(key, [])

    def first(self, key: str) -> str:
        found = self.all(key)
        return found[0] if found else ""


def parse_output(text: str) -> Output:
    """Read the answer of a script from its standard output."""
    output = Output()
    for line in text.splitlines():
        if not line.startswith("@"):
            continue
        key, dummy, value = line[1:].partition(" ")
        if key == "end":
            output.finished = True
        elif key == "error":
            output.error = output.error or value.strip() or "the script stopped"
        else:
            output.lines.setdefault(key, []).append(value)
    return output


def quote(value: str) -> str:
    """One shell word, in double quotes (see the module's docstring)."""
    for sign in ("\\", '"', "$", "`"):
        value = value.replace(sign, "\\" + sign)
    return f'"{value}"'
