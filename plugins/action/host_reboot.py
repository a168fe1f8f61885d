# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_reboot: its documentation is in plugins/modules/host_reboot.py."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._facts import FACTS, read_facts, same_host
from ansible_collections.palette.edge.plugins.plugin_utils._remote import (
    PAUSE,
    Failure,
    HostError,
    HostUnreachable,
    Remote,
    plain_reason,
)
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE

GRACE = 30
"""Seconds after which a host that runs on, with the boot ID it had, is said not to reboot at all."""

REBOOT = """
[ "$(id -u)" = 0 ] || die "only root may reboot the host, and this is $(id -un): become root"
e=$(systemctl reboot 2>&1) || e=$(reboot 2>&1) || die "the host refuses to reboot: ${e##*: }"
"""
ASK = PRELUDE + FACTS + END


class ActionModule(HostAction):
    ARGUMENTS = {**REACH_OPTIONS, "timeout": {"type": "int", "default": 600}}

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        own = self.reach.own_address()
        if own is None:
            raise HostError(
                f"A host is not rebooted over the connection {self._connection._load_name}: it would end with it."
            )
        reach = {**args, "addresses": [own, *args["addresses"]], "timeout": max(1, min(args["timeout"], 30))}
        remote, before, dummy = self.ask(reach, asked="Reboot of the Edge host")
        candidates = self.reach.candidates([*args["addresses"], remote.address])
        result = {"changed": True, "address": remote.address, "old_boot_id": before["boot_id"], "elapsed": 0}
        if self.check_mode:
            return {
                **result,
                "new_boot_id": before["boot_id"],
                "edge_host_facts": before,
                "msg": "Would reboot the host.",
            }
        if not before["boot_id"]:
            raise HostError(f"{remote.address}: the host does not tell its boot ID, so its reboot could not be seen.")
        started = time.monotonic()
        try:
            remote.run(PRELUDE + REBOOT + END)
        except AnsibleConnectionFailure as error:
            # A reboot may well cut off its own answer. Whether it takes place shows below.
            self._display.vv(f"{remote.address}: the connection ended with the reboot: {plain_reason(error)}")
        remote.drop()
        Remote(self._connection, self._play_context, self.where).drop()
        answered, facts = self._wait(before, candidates, args, started)
        return {
            **result,
            "address": answered,
            "new_boot_id": facts["boot_id"],
            "elapsed": round(time.monotonic() - started, 1),
            "edge_host_facts": facts,
        }

    def _wait(
        self, before: dict[str, t.Any], candidates: list[str], args: dict[str, t.Any], started: float
    ) -> tuple[str, dict[str, t.Any]]:
        """The address at which the same machine answers with another boot ID, and its facts then."""
        last: dict[str, str] = {}
        while True:
            for address in candidates:
                left = args["timeout"] - (time.monotonic() - started)
                timeout = max(1, min(args["connect_timeout"], int(left)))
                # Not by a shared connection: its master would hang on the boot that ended.
                found = self._try(address, timeout)
                elapsed = time.monotonic() - started
                if isinstance(found, str):
                    last[address] = found
                elif not same_host(before, found):
                    last[address] = f"another machine answers there, {found['host_name']}"
                elif found["boot_id"] != before["boot_id"]:
                    return address, found
                elif elapsed > GRACE and found["system_state"] not in {"stopping", "offline", ""}:
                    raise HostError(
                        f"{address}: the host took the order to reboot {elapsed:.0f} s ago and goes on running (boot ID"
                        f" unchanged, system {found['system_state']}); see its journal for what holds the reboot back."
                    )
                else:
                    last[address] = "still shutting down"
            waited = time.monotonic() - started
            seen = "; ".join(f"{address} ({reason})" for address, reason in last.items())
            self._display.v(f"waiting for the reboot since {waited:.0f} s: {seen}")
            if waited + PAUSE >= args["timeout"]:
                raise HostUnreachable(
                    f"The host was told to reboot and did not come back within {args['timeout']} s: {seen};"
                    " look at its console, then run again."
                )
            time.sleep(PAUSE)

    def _try(self, address: str, timeout: int) -> dict[str, t.Any] | str:
        """The facts of the host at an address, or why there are none yet."""
        remote = self.reach.at(address, connect_timeout=timeout, shared=False)
        try:
            found = self.reach.attempt(remote, lambda candidate: candidate.run(ASK))
        except (HostError, AnsibleError) as error:
            # sshd answers before the rest of the system does.
            return " ".join(str(getattr(error, "message", "") or error).removeprefix(f"{address}: ").split())
        if isinstance(found, Failure):
            return found.reason
        return read_facts(found[1])
