# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which module uses which path of the API, found by running every module's cases.

``PALETTE_SPECS=... python -m pytest tests/contract/test_api_table.py --write-api-table`` writes ``docs/api.md`` anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.palette.edge.tests.unit.module_cases import CASES
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer

Uses = dict[tuple[str, str], set[str]]

HEAD = """\
# The API, path by path

Every request that this collection makes of Palette, and the module that makes it. The table is made by running the
modules; a test holds each request, and each answer of the lab, against the published description of the API.

The actions `wait` and `agent_registration`, the lookup `registration_token` and the inventory `fleet` use the reading paths of
the modules beside them.

| request | modules |
| --- | --- |
"""


def uses(
    palette: PaletteServer, run: Callable[..., dict[str, Any]], template_of: Callable[[str, str], str | None]
) -> Uses:
    """(method, path template) -> modules.

    :param template_of: the path template that a method and a path belong to.
    """
    found: Uses = defaultdict(set)
    for case in CASES:
        palette.unordered.clear()
        palette.requests.clear()
        palette.answer(*case.calls(check=False))
        result = run(case.module, case.options)
        assert not result.get("failed"), f"{case}: {result}"
        for request in palette.requests:
            found[request.method, template_of(request.method, request.path) or request.path].add(case.module)
    return found


def table(found: Mapping[tuple[str, str], Iterable[str]]) -> str:
    """The document."""
    order = {"GET": 0, "POST": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}
    rows = sorted(found.items(), key=lambda row: (row[0][1], order[row[0][0]]))
    lines = [f"| `{method} {path}` | {', '.join(sorted(modules))} |" for (method, path), modules in rows]
    return HEAD + "\n".join(lines) + "\n"
