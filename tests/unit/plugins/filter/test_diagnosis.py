# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.palette.edge.plugins.filter.diagnosis import diagnosis_report

FULL = {"rule": "disk-full", "severity": "error", "seen": "/var is 99 % full", "means": "No room.", "do": "Make room."}
OPEN = {"rule": "var-tmp-closed", "severity": "warning", "seen": "mode 755 " * 40, "means": "Closed.", "do": "chmod."}


def test_one_table_for_all_hosts_worst_first() -> None:
    lines = diagnosis_report(
        {
            "a": {"findings": [], "bundle": {"path": "/b/a.tar.gz"}},
            "b": {"findings": [FULL, OPEN], "bundle": {"path": "/b/b.tar.gz"}},
            "c": {"unreachable": True, "msg": "no address answered"},
            "d": {"findings": [OPEN], "bundle": {}},
            "e": {},
            "f": {"failed": False, "msg": "dest: there is no directory"},
        }
    )
    assert [line.split()[:3] for line in lines[:7]] == [
        ["HOST", "SEVERITY", "FINDING"],
        ["c", "unreachable", "-"],
        ["e", "failed", "-"],
        ["f", "failed", "-"],
        ["b", "error", "disk-full"],
        ["b", "warning", "var-tmp-closed"],
        ["d", "warning", "var-tmp-closed"],
    ]
    assert lines[1].endswith("no address answered")
    assert lines[3].endswith("dest: there is no directory")
    assert lines[7:10] == ["", "disk-full:", "  means: No room."]
    assert lines.count("var-tmp-closed:") == 1
    assert lines[-3:] == [
        "No known failure on 1 host: a",
        "Support bundle: /b/a.tar.gz",
        "Support bundle: /b/b.tar.gz",
    ]
    assert max(map(len, lines)) < 150


def test_a_fleet_that_is_well() -> None:
    lines = diagnosis_report({f"h{number}": {"findings": [], "bundle": {"path": f"/{number}"}} for number in range(30)})
    assert lines[0].startswith("No known failure on 30 hosts: h0, h1, ")
    assert lines[0].endswith(" and 10 more")
    assert (len(lines), lines[-1]) == (22, "and 10 more support bundles")


def test_nothing_at_all() -> None:
    assert diagnosis_report({}) == []
    with pytest.raises(AnsibleFilterError, match="takes a mapping, not list"):
        diagnosis_report([])  # type: ignore[arg-type]
