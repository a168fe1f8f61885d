# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many hosts were diagnosed with, for people."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.palette.edge.plugins.filter.site import to_table

COLUMNS = {"host": "host", "severity": "severity", "finding": "rule", "what is seen": "seen"}
_ORDER = {"unreachable": 0, "failed": 1, "error": 2, "warning": 3}
_WIDTH = 100
_NAMED = 20


def diagnosis_report(results: Mapping[str, Any]) -> list[str]:
    """Lines for people: one table of all hosts with findings, what each finding means, and who is well.

    ``results`` are the results of the module host_diagnosis by host; one that was not reached has ``unreachable``.
    """
    if not isinstance(results, Mapping):
        raise AnsibleFilterError(f"palette.edge.diagnosis_report takes a mapping, not {type(results).__name__}")
    rows: list[dict[str, Any]] = []
    rules: dict[str, dict[str, Any]] = {}
    well: list[str] = []
    for name, result in results.items():
        found = _findings(result)
        rows += [{**one, "host": name} for one in found]
        well += [] if found else [str(name)]
        rules |= {one["rule"]: one for one in found if one.get("means")}
    rows.sort(key=lambda row: (_ORDER.get(str(row["severity"]), 9), str(row["rule"])))
    short = [{**row, "seen": textwrap.shorten(str(row["seen"]), _WIDTH, placeholder="...")} for row in rows]
    lines = to_table(short, COLUMNS) if rows else []
    for one in sorted(rules.values(), key=lambda one: (_ORDER.get(one["severity"], 9), one["rule"])):
        lines += ["", f"{one['rule']}:"]
        lines += textwrap.wrap(f"means: {one['means']}", _WIDTH, initial_indent="  ", subsequent_indent="  ")
        lines += textwrap.wrap(f"do: {one['do']}", _WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines += [""] if lines else []
    return lines + _well(well) + _bundles(results)


def _findings(result: Any) -> list[dict[str, Any]]:
    result = result if isinstance(result, Mapping) else {}
    for state in ("unreachable", "failed"):
        if result.get(state):
            return [{"severity": state, "rule": "-", "seen": result.get("msg", "")}]
    if "findings" not in result:
        return [{"severity": "failed", "rule": "-", "seen": result.get("msg") or "was not diagnosed"}]
    return [dict(one) for one in result["findings"]]


def _well(names: list[str]) -> list[str]:
    if not names:
        return []
    told = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return [f"No known failure on {len(names)} host{'s' * (len(names) > 1)}: {told}"]


def _bundles(results: Mapping[str, Any]) -> list[str]:
    found = [str(one["bundle"]["path"]) for one in results.values() if isinstance(one, Mapping) and one.get("bundle")]
    more = [f"and {len(found) - _NAMED} more support bundles"] if len(found) > _NAMED else []
    return [f"Support bundle: {path}" for path in found[:_NAMED]] + more


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """Name -> function."""
        return {"diagnosis_report": diagnosis_report}
