# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.rollout_report: its documentation is in plugins/modules/rollout_report.py."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.palette.edge.plugins.filter.site import to_table
from ansible_collections.palette.edge.plugins.plugin_utils import _rollout as rollout
from ansible_collections.palette.edge.plugins.plugin_utils._rollout_action import DATA, PAGE, RolloutAction, display

COLUMNS = ["site", "wave", "from_version", "to_version", "repaved", "result", "seconds", "message"]
_WIDE = 100
"""Signs of a message that a row of the table shows; the page has all of it."""


class ActionModule(RolloutAction):
    ARGUMENTS = {"directory": {"type": "path", "default": "manage-report"}}

    def keep(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        del args
        records = self.folder.records()
        counts = rollout.counts(records)
        with self.folder.alone():
            if self.folder.first_to_say("report", rollout.progress(records)):
                self.render(over=True, now=True)
                self._show(records)
        result: dict[str, t.Any] = {"counts": counts}
        if not self.check_mode:
            result |= {"page": self.folder.file(PAGE), "data": self.folder.file(DATA)}
        own = self.folder.before(self.entry)
        if own is not None and own.run == self.folder.run:
            result["record"] = rollout.row(own)
            if own.result in rollout.FAILURES:
                result |= {"failed": True, "msg": own.message}
            elif own.result in (rollout.RUNNING, rollout.WAITING):
                result |= {"failed": True, "msg": f"{own.site} was not brought to an end: run again"}
        return result

    def _show(self, records: list[rollout.Record]) -> None:
        rows = [rollout.row(_short(one)) for one in records]
        for line in to_table([{**one, "repaved": "yes" if one["repaved"] else "no"} for one in rows], COLUMNS):
            display.display(line)
        repaves = [f"{one.site}: {reason}" for one in records if one.repaved for reason in one.reasons]
        for line in ["Repaves:", *(f"  {one}" for one in repaves)] if repaves else []:
            display.display(line)
        display.display(f"Fleet: {rollout.progress(records)}")
        if not self.check_mode:
            display.display(f"Report: {self.folder.file(PAGE)}")


def _short(record: rollout.Record) -> rollout.Record:
    message = record.message or "; ".join(record.steps)
    return replace(record, message=message if len(message) <= _WIDE else message[: _WIDE - 1] + "…")
