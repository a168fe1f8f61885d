# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions share that work on the control node alone: options checked, errors as one line."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError


class LocalAction(ActionBase):
    """An action on the control node. Subclasses give ARGUMENTS and `perform`.

    What it is given goes to no host, and so into no arguments that one could log.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    ARGUMENTS: dict[str, t.Any] = {}

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result["changed"] = False
        self._task_vars = task_vars or {}
        try:
            dummy, args = self.validate_argument_spec(argument_spec=self.ARGUMENTS)
            result.update(self.perform(args))
        except InputError as error:
            result.update(failed=True, msg=str(error))
        except AnsibleError as error:
            result.update(failed=True, msg=" ".join(str(getattr(error, "message", "") or error).split()))
        return result

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do it, and return what the result says. Raises InputError."""
        raise NotImplementedError

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def wants_diff(self) -> bool:
        return bool(self._task.diff)
