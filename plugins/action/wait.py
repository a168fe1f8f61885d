# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting on the controller, where progress can be shown while it happens: a module's output comes at its end only."""

from __future__ import annotations

import time
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.palette.edge.plugins.module_utils._runner import CONNECTION_ARGUMENTS, wait_until
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import scope_of
from ansible_collections.palette.edge.plugins.module_utils.palette._options import connection_from
from ansible_collections.palette.edge.plugins.module_utils.palette._session import HAS_REQUESTS, session_for
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_wait import Watch
from ansible_collections.palette.edge.plugins.module_utils.resources._events import told_on_failure

display = Display()

ARGUMENTS: dict[str, Any] = {
    **CONNECTION_ARGUMENTS,
    "edge_hosts": {"type": "list", "elements": "str"},
    "cluster": {"type": "str"},
    "approve_repave": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_sleep": {"type": "int", "default": 10},
}


class ActionModule(ActionBase):
    """``palette.edge.wait``."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Waits, or says that check mode does not."""
        super().run(tmp, task_vars)
        dummy, params = self.validate_argument_spec(
            argument_spec=ARGUMENTS,
            mutually_exclusive=[("edge_hosts", "cluster")],
            required_one_of=[("edge_hosts", "cluster")],
        )
        if self._task.check_mode:
            return {"changed": False, "state": "not waited for in check mode", "waited": 0.0}
        if not HAS_REQUESTS:
            return {"failed": True, "msg": missing_required_lib("requests")}
        host = (task_vars or {}).get("inventory_hostname", "")
        try:
            return self._wait(params, host)
        except PaletteError as error:
            return {"failed": True, "msg": str(error), **error.facts}

    def _wait(self, params: dict[str, Any], host: str) -> dict[str, Any]:
        session = session_for(connection_from({name: params[name] for name in CONNECTION_ARGUMENTS}))
        scope = scope_of(session)
        name, uids = params["cluster"], params["edge_hosts"]
        watch = Watch(session, scope, name, approve=params["approve_repave"])
        what = f"the cluster {name} to run"
        if not name:
            whom = f"{len(uids)} Edge hosts" if len(uids) != 1 else f"Edge host {uids[0]}"
            what = f"{whom} to be ready and healthy"

        def look() -> tuple[bool, str]:
            return watch.look() if name else edge.standing(edge.read_many(session, scope, uids))

        start = time.monotonic()
        last = ""

        def told() -> tuple[bool, str]:
            nonlocal last
            done, state = look()
            if state != last and not done:
                display.display(f"{host}: waiting for {what}: {state} ({time.monotonic() - start:.0f} s)")
            last = state
            return done, state

        with told_on_failure(session, scope, lambda: watch.uid):
            wait_until(told, what=what, timeout=params["wait_timeout"], sleep=params["wait_sleep"])
        return {"changed": bool(watch.done), "state": last, "waited": round(time.monotonic() - start, 1)}
