# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.agent_registration: its documentation is in plugins/modules/agent_registration.py."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.basic import missing_required_lib

from ansible_collections.palette.edge.plugins.module_utils._runner import CONNECTION_ARGUMENTS
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._names import scope_of
from ansible_collections.palette.edge.plugins.module_utils.palette._options import connection_from
from ansible_collections.palette.edge.plugins.module_utils.palette._session import HAS_REQUESTS, session_for
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_watch as watch
from ansible_collections.palette.edge.plugins.plugin_utils._action import HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._remote import Failure, HostError

_STUCK = 3
"""Failures of the package's installation in a row after which it is not waited for."""


class ActionModule(HostAction):
    ARGUMENTS = {
        **CONNECTION_ARGUMENTS,
        "host_id": {"type": "str", "required": True},
        "look_at": {"type": "str", "choices": ["palette", "local_ui", "agent"], "default": "palette"},
        "registration_token": {"type": "str", "no_log": True},
        "root": {"type": "str", "default": "/"},
        "local_ui_port": {"type": "int", "default": 5080},
        "grace": {"type": "int", "default": 60},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 1200},
        "wait_sleep": {"type": "int", "default": 5},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        if args["look_at"] == "palette" and not HAS_REQUESTS:
            raise HostError(missing_required_lib("requests"))
        if self.check_mode or not args["wait"]:
            return self._once(args)
        began, since, last = time.monotonic(), 0.0, ""
        while True:
            seen, unseen = self._host(args)
            try:
                done, state, known = self._standing(args, seen)
            except PaletteError as error:
                raise HostError(str(error)) from None
            waited = time.monotonic() - began
            if done:
                return {"state": state, "waited": round(waited, 1), **_result(known)}
            on_host = seen.told() if seen else unseen
            if state + on_host != last:
                last = state + on_host
                self._display.display(f"{args['host_id']}: waiting for the agent: {state}; {on_host} ({waited:.0f} s)")
            found = watch.trouble(seen.lines) if seen else None
            final = bool(found and found[0].final) or bool(seen and seen.init_restarts >= _STUCK)
            since = (since or waited or 0.001) if final else 0.0
            if final and waited - since >= args["grace"]:
                raise HostError(f"{self._told(args, state, on_host, seen)} Waiting would not mend it.")
            if waited + args["wait_sleep"] > args["wait_timeout"]:
                text = f"Waited {args['wait_timeout']} s. {self._told(args, state, on_host, seen)}"
                raise HostError(f"{text} A wrong project shows no error anywhere: check it, then run again to wait on.")
            time.sleep(args["wait_sleep"])

    def _once(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """What Palette knows, without waiting; the host is not asked."""
        try:
            dummy, state, known = self._standing(args, None)
        except PaletteError as error:
            raise HostError(str(error)) from None
        return {"state": state, "waited": 0.0, **_result(known)}

    def _host(self, args: dict[str, t.Any]) -> tuple[watch.AgentState | None, str]:
        """The agent as the host tells it; None with the reason while the host does not answer."""
        own = self.reach.own_address()
        remote = self.reach.at(own, connect_timeout=5) if own else None
        script = watch.script(args["root"], args["local_ui_port"])
        try:
            if remote is None:
                found = self.reach.first(
                    (), lambda here: here.run(script, secret=True), connect_timeout=5, timeout=5, asked=""
                )
            else:
                attempted = self.reach.attempt(remote, lambda here: here.run(script, secret=True))
                if isinstance(attempted, Failure):
                    return None, f"the host does not answer ({attempted.reason})"
                found = attempted
        except (HostError, AnsibleError) as error:
            return None, " ".join(str(error).split())
        return watch.read_state(found[1], [args["registration_token"] or ""]), ""

    def _standing(self, args: dict[str, t.Any], seen: watch.AgentState | None) -> tuple[bool, str, dict[str, t.Any]]:
        """Whether it is done, how far it is in words, and the Edge host as Palette has it (empty when unknown)."""
        if args["look_at"] != "palette":
            runs = bool(seen and seen.runs and (seen.listens or args["look_at"] == "agent"))
            what = "the agent runs" if args["look_at"] == "agent" else "the agent runs and its Local UI listens"
            return runs, what if runs else "the agent is not there yet", {}
        options = {name: args[name] for name in CONNECTION_ARGUMENTS}
        session = session_for(connection_from(options))
        found = edge.read_many(session, scope_of(session), [args["host_id"]])
        done, state = edge.standing(found)
        return done and bool(seen and seen.runs), state, edge.describe(found[args["host_id"]])

    def _told(self, args: dict[str, t.Any], state: str, on_host: str, seen: watch.AgentState | None) -> str:
        found = watch.trouble(seen.lines) if seen else None
        if found:
            said = f" {found[0].means} (the agent on the host: {found[1]!r})."
        else:
            said = f" The agent's last line: {seen.lines[-1]!r}." if seen and seen.lines else ""
        whose = f"{self.where}: Edge host {args['host_id']} is not registered"
        return f"{whose}: {state}; on the host, {on_host}.{said}"


def _result(known: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "registered": known.get("state") in ("ready", "in-use"),
        "in_use": known.get("state") == "in-use",
        "agent_version": str(known.get("agent_version") or "").removeprefix("v"),
        "clusters": list(known.get("clusters") or []),
    }
