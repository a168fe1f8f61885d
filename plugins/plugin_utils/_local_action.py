# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all actions share, options checked and errors as one line, and the base of those on the control node alone."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError


class OneLineAction(ActionBase):
    """An action whose errors are one line. Subclasses give ARGUMENTS, ERRORS and `perform`."""

    TRANSFERS_FILES = False
    ARGUMENTS: dict[str, t.Any] = {}
    ERRORS: tuple[type[Exception], ...] = (AnsibleError,)
    """What `perform` raises for people to read. Anything else is a fault of the collection."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result["changed"] = False
        self._task_vars = task_vars or {}
        try:
            dummy, args = self.validate_argument_spec(argument_spec=self.ARGUMENTS)
            result.update(self.perform(args))
        except self.ERRORS as error:
            result.update(self.failure(error))
        return result

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do it, and return what the result says. Raises one of ERRORS."""
        raise NotImplementedError

    def failure(self, error: Exception) -> dict[str, t.Any]:
        """What the result says of an error."""
        return {"failed": True, "msg": " ".join(str(getattr(error, "message", "") or error).split())}

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def wants_diff(self) -> bool:
        return bool(self._task.diff)


class LocalAction(OneLineAction):
    """An action on the control node. `perform` raises InputError.

    What it is given goes to no host, and so into no arguments that one could log.
    """

    _requires_connection = False
    ERRORS = (InputError, AnsibleError)
