# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.preflight_report: its documentation is in plugins/modules/preflight_report.py."""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from collections.abc import Sequence

from ansible.utils.display import Display

from ansible_collections.palette.edge.plugins.filter.site import to_table
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction
from ansible_collections.palette.edge.plugins.plugin_utils._preflight import Row, counted, one_line, table_rows
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_records import Records, as_data
from ansible_collections.palette.edge.plugins.plugin_utils._run_folder import replace_text

display = Display()

COLUMNS = ["where", "check", "level", "seen", "wanted", "what to do"]
_WIDE = 90
"""Signs of a cell of the table; the data has all of it."""


class ActionModule(LocalAction):
    ARGUMENTS = {
        "site": {"type": "str", "default": ""},
        "dest": {"type": "path"},
        "fail_on_error": {"type": "bool", "default": True},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        entry = str(self._task_vars.get("inventory_hostname", ""))
        dest = os.path.abspath(os.path.expanduser(args["dest"])) if args["dest"] else ""
        try:
            records = Records()
            with records.alone():
                if records.first_to_say("report", str(records.stamp())):
                    self._report(records, dest)
            rows = records.verdict(args["site"])
            is_site = records.site(args["site"])
        except OSError as error:
            raise InputError(
                f"dest: the report cannot be written: {error.filename or dest}: {error.strerror}"
            ) from None
        if is_site is None or is_site.entry != entry:
            rows = [one for one in rows if entry in one.where]
        counts = counted(rows)
        result: dict[str, t.Any] = {
            "ok": not counts["errors"],
            "counts": counts,
            "findings": [{**one.as_dict(), "where": list(one.where)} for one in rows if not one.ok],
        }
        if dest and not self.check_mode:
            result["dest"] = dest
        if counts["errors"] and args["fail_on_error"]:
            result |= {"failed": True, "msg": f"{entry}: {one_line(rows)}"}
        return result

    def _report(self, records: Records, dest: str) -> None:
        found = records.judge(now=datetime.datetime.now(datetime.timezone.utc))
        hosts = {site: records.hosts_of(site) for site in found}
        for site, rows in found.items():
            for line in _told(site, rows, hosts=len(hosts[site])):
                display.display(line)
        if dest and not self.check_mode:
            replace_text(dest, json.dumps(as_data(found, hosts=hosts), indent=2) + "\n")
            display.display(f"Report: {dest}")


def _told(site: str, rows: Sequence[Row], *, hosts: int) -> list[str]:
    counts = counted(rows)
    looked = f"{hosts} host{'' if hosts == 1 else 's'} looked at"
    words = {"errors": "error", "warnings": "warning"}
    summary = ", ".join(
        f"{number} {words.get(what, what) if number == 1 else what}"
        for what, number in counts.items()
        if number or what == "errors"
    )
    head = f"Preflight of {site or 'hosts without a site'}: {summary} ({looked})"
    # The last column may be as long as it is: nothing is beside it.
    cells = [
        {**{key: _short(one[key]) for key in one}, COLUMNS[-1]: one[COLUMNS[-1]]}
        for one in table_rows(rows, hosts=hosts)
    ]
    return [head, *(to_table(cells, COLUMNS) if cells else [])]


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"
