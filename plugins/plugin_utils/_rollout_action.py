# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on a rollout's records share."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.palette.edge.plugins.plugin_utils import _rollout as rollout
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import OneLineAction
from ansible_collections.palette.edge.plugins.plugin_utils._rollout_page import as_data, page
from ansible_collections.palette.edge.plugins.plugin_utils._run_folder import replace_text, scratch_folder, this_run

display = Display()

PAGE, DATA = "report.html", "report.json"
_OFTEN = 5.0
"""Seconds that a page stays as it is while sites come to their ends one after the other."""


class RolloutAction(OneLineAction):
    """An action on the records of a rollout. Subclasses give ARGUMENTS and `keep`."""

    _requires_connection = False
    ERRORS = (OSError, AnsibleError)

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        self.entry = str(self._task_vars.get("inventory_hostname", ""))
        self.batch = [str(one) for one in self._task_vars.get("ansible_play_batch") or []]
        self.folder = folder_of(args["directory"], check_mode=self.check_mode)
        self.folder.prepare()
        return self.keep(args)

    def keep(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do it, and return what the result says. Raises OSError when the folder cannot be written in."""
        raise NotImplementedError

    def failure(self, error: Exception) -> dict[str, t.Any]:
        if not isinstance(error, OSError):
            return super().failure(error)
        where = error.filename or self._task.args.get("directory", "")
        msg = f"directory: the report cannot be kept in {where}: {error.strerror}. Name another folder (manage_report_dir)"
        return {"failed": True, "msg": msg}

    def say_progress(self, records: list[rollout.Record]) -> None:
        """Prints how far the fleet is, when that is not what was printed last."""
        line = rollout.progress(records)
        if any(one.ended for one in records) and self.folder.first_to_say("progress", line):
            display.display(f"Fleet: {line}")

    def render(self, *, over: bool = False, now: bool = False) -> None:
        """Writes page and data anew where a record is newer than they are. To be done alone.

        :param now: at once; otherwise only when they are some seconds old.
        """
        if self.check_mode:
            return
        path = self.folder.file(PAGE)
        age = time.time() - os.stat(path).st_mtime if os.path.exists(path) else _OFTEN
        if not now and age < _OFTEN:
            return
        records = self.folder.records()
        rows = [rollout.row(one) for one in records]
        data = as_data(records, rows=rows, counts=rollout.counts(records), over=over)
        replace_text(self.folder.file(DATA), json.dumps(data, indent=2) + "\n")
        title = f"Rollout to {len(records)} site{'' if len(records) == 1 else 's'}"
        replace_text(path, page(records, now=time.time(), over=over, title=title))


def folder_of(path: str, *, check_mode: bool) -> rollout.Folder:
    """The folder of the report; in check mode one that is gone when Ansible ends."""
    return rollout.Folder(scratch_folder("rollout") if check_mode else path, run=this_run())
