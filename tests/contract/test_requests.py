# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every request that modules send, held against the published description of the API, unknown fields as errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.contract.swagger import Operation, Swagger
from ansible_collections.palette.edge.tests.unit.module_cases import CASES, Case
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer, Request


@dataclass
class Contract:
    """A description that is asked with the path of a real request."""

    swagger: Swagger
    templates: list[str]

    def operation(self, method: str, path: str) -> Operation | None:
        """What describes a request: paths without variables come first."""
        hits = [template for template in self.templates if _matches(template, path)]
        found = (self.swagger.operation(method, one) for one in sorted(hits, key=lambda one: one.count("{")))
        return next((one for one in found if one is not None), None)

    def problems(self, method: str, path: str, params: dict[str, str], body: Any) -> list[str]:
        """What the description does not know of a request."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: there is no such endpoint"]
        known = {one["name"]: one for one in operation.parameters if one["in"] == "query"}
        found = [f"the parameter {name} is not known" for name in params if name not in known]
        for name, value in params.items():
            choices = known.get(name, {}).get("enum")
            if choices and value not in choices:
                found.append(f"the parameter {name} is {value!r}, not one of {choices}")
        declared = next((one for one in operation.parameters if one["in"] == "body"), None)
        if body is None:
            found += ["a body is required"] if declared is not None and declared.get("required") else []
        elif operation.body is None:
            found.append("no body is known")
        else:
            found += self.swagger.problems(operation.body, body, reply=False)
        return [f"{method} {path}: {one}" for one in found]


def _matches(template: str, path: str) -> bool:
    pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/"))
    return re.fullmatch(pattern, path) is not None


@pytest.fixture(scope="module")
def contract(specs: Path) -> Contract:
    file = specs / "palette-edge-subset.json"
    return Contract(Swagger(file), list(json.loads(file.read_text(encoding="utf-8"))["paths"]))


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
