# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/parity.md promises to those who come from Terraform is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible_collections.palette.edge.tests.unit.test_documents import MODULES, documentation

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "parity.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| `")]


def test_every_option_that_is_named_is_there() -> None:
    options = documentation("module")
    missing = [f"{module}: {path}" for module, path in _named() if not _has(options[module]["doc"]["options"], path)]
    assert len(_named()) > 60
    assert not missing, missing


def test_every_row_has_an_option_a_module_or_a_reason() -> None:
    known = set(MODULES) | {"palette.edge.fleet"}
    for row in ROWS:
        answer = row.split(" | ", maxsplit=1)[1].strip(" |")
        names = set(re.findall(r"`(\w+)[:`]", answer))
        assert answer == "later" or answer.startswith("none") or names & known, row


def _named() -> list[tuple[str, str]]:
    return re.findall(r"`(\w+): ([\w.]+)`", "\n".join(ROWS))


def _has(options: dict[str, Any], path: str) -> bool:
    first, dummy, rest = path.partition(".")
    return first in options and (not rest or _has(options[first].get("suboptions") or {}, rest))
