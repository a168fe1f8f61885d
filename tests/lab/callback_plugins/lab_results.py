# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: lab_results
type: notification
short_description: What became of each task, as lines of JSON, for the tests in tests/lab
description:
  - Writes one JSON object a line to a file, and lets a test step in between two plays.
author:
  - The palette.edge authors (@palette-edge)
options:
  path:
    description: The file. It is made anew by each run.
    type: path
    required: true
    env:
      - name: LAB_RESULTS
  between_plays:
    description: A command that is run before each play, with the play's name as its last argument; the run waits for it.
    type: str
    default: ''
    env:
      - name: LAB_BETWEEN_PLAYS
"""

KEPT = ("msg", "changed", "error", "status", "steps", "state", "address", "reboot_required", "changes")


class CallbackModule(CallbackBase):
    """Writes events: play, result and stats."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "lab_results"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Ansible's own, then the file is begun."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        with open(self.get_option("path"), "w"):
            pass

    def _write(self, **event: Any) -> None:
        with open(self.get_option("path"), "a") as file:
            file.write(json.dumps(event, default=str) + "\n")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins."""
        command = shlex.split(self.get_option("between_plays"))
        if command:
            subprocess.run([*command, play.get_name()], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        self._write(event="play", name=play.get_name())

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The recap."""
        self._write(event="stats", hosts={host: stats.summarize(host) for host in sorted(stats.processed)})

    def _result(self, result: Any, outcome: str) -> None:
        # The names without a leading underscore are those of ansible-core 2.19 and later.
        host = getattr(result, "host", None) or result._host
        task = getattr(result, "task", None) or result._task
        given = getattr(result, "result", None) or result._result
        name = task.get_name().rpartition(" : ")[2]
        kept = {key: given[key] for key in KEPT if key in given}
        self._write(event="result", host=host.get_name(), task=name, action=task.action, outcome=outcome, **kept)

    def v2_runner_on_ok(self, result: Any) -> None:
        """It went well."""
        self._result(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """It failed."""
        self._result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """The host was not reached."""
        self._result(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        """It was left out."""
        self._result(result, "skipped")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """One item of a loop failed."""
        self._result(result, "item")
