# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebooting an Edge host and finding the same machine again, for the actions that do."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.palette.edge.plugins.plugin_utils._action import HostAction
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

KEY_GRACE = 120
"""Seconds for which a host may show another host key at all its addresses: a system that it only passes through has one."""

REBOOT = """
[ "$(id -u)" = 0 ] || die "only root may reboot the host, and this is $(id -un): become root"
e=$(systemctl reboot 2>&1) || e=$(reboot 2>&1) || die "the host refuses to reboot: ${e##*: }"
"""
ASK = PRELUDE + FACTS + END


class RebootAction(HostAction):
    """An action that may reboot its host."""

    def rebootable(self) -> str:
        """The address that the inventory gives the host; HostError for a connection that would end with the host."""
        own = self.reach.own_address()
        if own is None:
            raise HostError(
                f"A host is not rebooted over the connection {self._connection._load_name}: it would end with it."
            )
        return own

    def reboot(
        self, remote: Remote, before: dict[str, t.Any], addresses: list[str], *, connect_timeout: int, timeout: int
    ) -> dict[str, t.Any]:
        """Order the reboot and wait for the same machine with another boot ID; what the result says of it.

        `before` are the host's facts. Raises HostError when it does not reboot, HostUnreachable when it stays away.
        """
        if not before["boot_id"]:
            raise HostError(f"{remote.address}: the host does not tell its boot ID, so its reboot could not be seen.")
        candidates = self.reach.candidates([*addresses, remote.address])
        started = time.monotonic()
        try:
            remote.run(PRELUDE + REBOOT + END)
        except AnsibleConnectionFailure as error:
            # A reboot may well cut off its own answer. Whether it takes place shows below.
            self._display.vv(f"{remote.address}: the connection ended with the reboot: {plain_reason(error)}")
        remote.drop()
        Remote(self._connection, self._play_context, self.where).drop()
        answered, facts = self._wait(before, candidates, connect_timeout, timeout, started)
        return {
            "address": answered,
            "old_boot_id": before["boot_id"],
            "new_boot_id": facts["boot_id"],
            "elapsed": round(time.monotonic() - started, 1),
            "edge_host_facts": facts,
        }

    def _wait(
        self, before: dict[str, t.Any], candidates: list[str], connect_timeout: int, limit: int, started: float
    ) -> tuple[str, dict[str, t.Any]]:
        """The address at which the same machine answers with another boot ID, and its facts then."""
        last: dict[str, str] = {}
        known_last = started
        while True:
            advice: list[str] = []
            for address in candidates:
                left = limit - (time.monotonic() - started)
                timeout = max(1, min(connect_timeout, int(left)))
                # Not by a shared connection: its master would hang on the boot that ended.
                found = self._try(address, timeout)
                elapsed = time.monotonic() - started
                if isinstance(found, Failure):
                    last[address] = found.reason
                    advice += [found.advice] if found.advice else []
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
            if len(advice) < len(candidates):
                known_last = time.monotonic()
            elif time.monotonic() - known_last > KEY_GRACE:
                raise HostUnreachable(f"The host was told to reboot and is not known again: {seen}; {advice[0]}.")
            if waited + PAUSE >= limit:
                raise HostUnreachable(
                    f"The host was told to reboot and did not come back within {limit} s: {seen};"
                    " look at its console, then run again."
                )
            time.sleep(PAUSE)

    def _try(self, address: str, timeout: int) -> dict[str, t.Any] | Failure:
        """The facts of the host at an address, or why there are none yet."""
        remote = self.reach.at(address, connect_timeout=timeout, shared=False)
        try:
            found = self.reach.attempt(remote, lambda candidate: candidate.run(ASK))
        except (HostError, AnsibleError) as error:
            # sshd answers before the rest of the system does.
            text = str(getattr(error, "message", "") or error).removeprefix(f"{address}: ")
            return Failure(address, " ".join(text.split()))
        return found if isinstance(found, Failure) else read_facts(found[1])
