# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published description of the API as the judge of requests: it is asked with the path of a real one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.palette.edge.tests.contract.swagger import Operation, Swagger


@dataclass
class Contract:
    """A description that is asked with the path of a real request."""

    swagger: Swagger
    templates: list[str]

    def template(self, method: str, path: str) -> str | None:
        """The path that describes a request: those without variables come first."""
        hits = [template for template in self.templates if _matches(template, path)]
        for one in sorted(hits, key=lambda template: template.count("{")):
            if self.swagger.operation(method, one) is not None:
                return one
        return None

    def operation(self, method: str, path: str) -> Operation | None:
        """What describes a request."""
        template = self.template(method, path)
        return None if template is None else self.swagger.operation(method, template)

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
