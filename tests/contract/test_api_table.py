# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of paths by module in the documents is the one that the modules' cases make; no path is without a case."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.contract.api_table import Uses, table, uses
from ansible_collections.palette.edge.tests.contract.contract import Contract
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "api.md"
# Prefixes with limits of their own are no requests, nor are files of a host and addresses of the agent's release. The
# session proves a key with a path that no case needs.
NO_REQUESTS = {"_rate.py", "agent_release.py", "_agent_options.py", "_agent_scripts.py"}
PROVES_A_KEY = "/v1/users/info"


@pytest.fixture
def found(contract: Contract, palette: PaletteServer, run_module: Callable[..., dict[str, Any]]) -> Uses:
    return uses(palette, run_module, contract.template)


def test_the_table_is_up_to_date(found: Uses, request: pytest.FixtureRequest) -> None:
    made = table(found)
    if request.config.getoption("--write-api-table"):
        DOCUMENT.write_text(made, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == made, "run pytest tests/contract/test_api_table.py --write-api-table"


def test_every_path_of_the_code_is_used_by_a_case(found: Uses) -> None:
    asked = {path for dummy, path in found} | {PROVES_A_KEY}
    asked |= {path.replace("{objectKind}", "spectrocluster") for path in asked}
    missing = []
    for file in sorted((ROOT / "plugins").rglob("*.py")):
        for line, pattern in _paths(file) if file.name not in NO_REQUESTS else ():
            if not any(re.search(pattern, path) for path in asked):
                missing.append(f"{file.relative_to(ROOT)}:{line}: {pattern}")
    assert not missing, "give each a case:\n" + "\n".join(missing)


def _paths(file: Path) -> Iterator[tuple[int, str]]:
    """Line and pattern of the ends of API paths that stand in a file: texts that begin with a path or a variable."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/v1/"):
            text = node.value
        else:
            continue
        # What is written in braces is a UID that an earlier step bound.
        text = re.sub(r"\{\w+\}", "\0", text)
        if re.fullmatch(r"(\0|/v1)(/[\w\0-]+)+", text) and (text.startswith("/v1/") or text.count("/") > 1):
            ends = [
                r"[^/]+(/.*)?" if part == "\0" else re.escape(part) for part in text.lstrip("\0").strip("/").split("/")
            ]
            yield node.lineno, "/" + "/".join(ends) + "(/|$)"
