# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.rollout_record: its documentation is in plugins/modules/rollout_record.py."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.palette.edge.plugins.plugin_utils import _rollout as rollout
from ansible_collections.palette.edge.plugins.plugin_utils._rollout_action import RolloutAction


class ActionModule(RolloutAction):
    ARGUMENTS = {
        "directory": {"type": "path", "default": "manage-report"},
        "site": {"type": "str", "required": True},
        "phase": {"type": "str", "required": True, "choices": ["enlist", "begin", "end"]},
        "wave": {"type": "str", "default": "batch"},
        "stop_after": {"type": "int", "default": 1},
        "result": {"type": "str", "choices": [one for one in rollout.OUTCOMES if one != rollout.NOT_STARTED]},
        "profiles_before": {"type": "list", "elements": "dict"},
        "profiles_after": {"type": "list", "elements": "dict"},
        "repaved": {"type": "bool", "default": False},
        "reasons": {"type": "list", "elements": "str", "default": []},
        "steps": {"type": "list", "elements": "str", "default": []},
        "message": {"type": "str", "default": ""},
    }

    def keep(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        if args["stop_after"] < 1:
            msg = f"stop_after: {args['stop_after']} failures are no limit; give 1 or more (manage_stop_after)"
            return {"failed": True, "msg": msg}
        return {"enlist": self._enlist, "begin": self._begin, "end": self._end}[args["phase"]](args)

    def _enlist(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        after = args["profiles_after"] or []
        record = rollout.enlisted(
            self.folder.before(self.entry),
            entry=self.entry,
            site=args["site"],
            run=self.folder.run,
            to_version=rollout.version_of(after, among=[str(one.get("name")) for one in after]),
        )
        self.folder.write(record)
        return {"record": rollout.row(record)}

    def _begin(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        records = self.folder.records()
        if not self.check_mode:
            with self.folder.alone():
                self.say_progress(records)
                self.render()
        turn = rollout.turn(records, wave=args["wave"], batch=self.batch, stop_after=args["stop_after"])
        record = replace(self._own(args), wave=turn.wave)
        if turn.go:
            record = replace(
                record, result=rollout.RUNNING, began=time.time(), ended=0.0, attempts=record.attempts + 1, message=""
            )
        else:
            record = replace(record, result=rollout.NOT_STARTED, message=turn.why)
        self.folder.write(record)
        return {"go": turn.go, "why": turn.why, "record": rollout.row(record)}

    def _end(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        own = self._own(args)
        among = [str(one.get("name")) for one in args["profiles_after"] or args["profiles_before"] or []]
        found = rollout.version_of(args["profiles_before"] or [], among=among)
        after = rollout.version_of(args["profiles_after"] or [], among=among)
        record = replace(
            own,
            # Where an earlier run left off, the site had been changed already.
            from_version=own.from_version or found,
            to_version=after or own.to_version,
            result=args["result"] or rollout.FAILED,
            repaved=args["repaved"],
            reasons=args["reasons"],
            steps=args["steps"],
            message=" ".join(args["message"].split()),
            ended=time.time(),
        )
        self.folder.write(record)
        with self.folder.alone():
            self.render()
        return {"record": rollout.row(record)}

    def _own(self, args: dict[str, t.Any]) -> rollout.Record:
        found = self.folder.before(self.entry)
        if found is not None and found.run == self.folder.run:
            return found
        return rollout.Record(entry=self.entry, site=args["site"], run=self.folder.run)
