# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every request that modules send, held against the published description of the API, unknown fields as errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.contract.contract import Contract
from ansible_collections.palette.edge.tests.unit.module_cases import CASES, Case
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer, Request


@pytest.mark.parametrize("case", CASES, ids=str)
def test_requests_of_modules(
    case: Case, contract: Contract, palette: PaletteServer, run_module: Callable[..., dict[str, Any]]
) -> None:
    palette.answer(*case.calls(check=False))
    result = run_module(case.module, case.options)
    assert not result.get("failed"), result
    assert palette.requests
    problems = [problem for request in palette.requests for problem in _problems(contract, request)]
    assert not problems, "\n".join(problems)


def _problems(contract: Contract, request: Request) -> list[str]:
    return contract.problems(request.method, request.path, request.params, request.body)


@pytest.mark.parametrize(
    ("method", "path", "params", "body", "text"),
    [
        ("GET", "/v1/edgehost/x", {}, None, "no such endpoint"),
        ("PATCH", "/v1/edgehosts/x", {}, None, "no such endpoint"),
        ("GET", "/v1/edgehosts/x", {"limit": "50"}, None, "the parameter limit is not known"),
        ("GET", "/v1/edgehosts/x", {}, {"a": 1}, "no body is known"),
        ("POST", "/v1/edgehosts", {}, {"metadata": {"uid": "a", "tags": {}}}, "metadata.tags: is not known"),
        ("POST", "/v1/edgehosts", {}, {"spec": {"archType": "s390x"}}, "'s390x' is not one of"),
        ("POST", "/v1/edgehosts", {}, {"metadata": {"uid": 5}}, "metadata.uid: 5 is not of type string"),
        ("PATCH", "/v1/spectroclusters/x/clusterConfig/timezone", {}, {}, ".timezone: is missing"),
    ],
)
def test_the_contract_refuses(
    contract: Contract, method: str, path: str, params: dict[str, str], body: Any, text: str
) -> None:
    assert text in "\n".join(contract.problems(method, path, params, body))
