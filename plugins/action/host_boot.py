# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_boot: its documentation is in plugins/modules/host_boot.py."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._boot import (
    GRUBENV,
    MENU_ENTRIES,
    BootState,
    boot_script,
    checked_menu_entry,
    is_reset,
    menu_entry_for,
    read_boot,
    refuse_another,
    refuse_no_grub,
    refuse_reset,
    set_script,
)
from ansible_collections.palette.edge.plugins.plugin_utils._reboot import RebootAction
from ansible_collections.palette.edge.plugins.plugin_utils._remote import PAUSE, HostError, HostUnreachable, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE


class ActionModule(RebootAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "entry": {"type": "str", "choices": list(MENU_ENTRIES)},
        "menu_entry": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "grubenv": {"type": "str", "default": GRUBENV},
        "host_id": {"type": "str", "default": ""},
        "confirm": {"type": "str", "default": ""},
        "force": {"type": "bool", "default": False},
        "reboot": {"type": "bool", "default": False},
        "reboot_timeout": {"type": "int", "default": 1800},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        self._check(args)
        grubenv = checked_path(args["grubenv"], option="grubenv")
        # Who it is matters before something is done that cannot be undone; the layers that tell hold secrets.
        more = boot_script(grubenv)
        if args["reboot"]:
            args = {**args, "addresses": [*args["addresses"], self.rebootable()]}
        remote, facts, output = self.ask(args, asked="Boot entry of the Edge host", more=more, secret=True)
        state = read_boot(output)
        refuse_no_grub(state, facts, grubenv, output, where=remote.address)
        refuse_another(state, args["host_id"], where=remote.address)
        wanted = self._wanted(args, state, remote.address)
        warnings = self._judge(args, state, wanted, remote.address)
        set_now = state.next_entry != wanted
        there = args["entry"] == state.booted != "reset" and not state.next_entry
        reboots = args["reboot"] and not there
        result: dict[str, t.Any] = {
            "changed": bool(reboots or (set_now and not (args["reboot"] and there))),
            "address": remote.address,
            "menu_entry": wanted,
            "next_entry": state.next_entry,
            "booted": state.booted,
            "rebooted": False,
            "edge_host_facts": facts,
        }
        result |= {"warnings": warnings} if warnings else {}
        if not result["changed"]:
            return result
        if self.wants_diff and set_now:
            header = f"{grubenv} on {remote.address}"
            result["diff"] = [{"before_header": header, "after_header": header,
                               "before": f"next_entry={state.next_entry}\n", "after": f"next_entry={wanted}\n"}]  # fmt: skip
        if self.check_mode:
            return {**result, "msg": "Would reboot the host." if reboots else "Would set the next boot entry."}
        if set_now:
            remote.run(PRELUDE + set_script(state.tool, grubenv, wanted) + END)
        result["next_entry"] = wanted
        if reboots:
            result |= self._boot(args, remote, facts, grubenv, wanted)
        return result

    def _check(self, args: dict[str, t.Any]) -> None:
        absent = args["state"] == "absent"
        if absent and (args["entry"] or args["menu_entry"] or args["reboot"]):
            raise HostError(
                "state: absent takes back what was to be booted next; leave out entry, menu_entry and reboot."
            )
        if not absent and bool(args["entry"]) == bool(args["menu_entry"]):
            raise HostError("entry, menu_entry: say what to boot by exactly one of the two options.")
        if args["menu_entry"]:
            checked_menu_entry(args["menu_entry"])
        if args["reboot_timeout"] < 1:
            raise HostError(f"reboot_timeout: {args['reboot_timeout']} is no time to wait; give one second or more.")

    def _wanted(self, args: dict[str, t.Any], state: BootState, where: str) -> str:
        if args["state"] == "absent":
            return ""
        return str(args["menu_entry"] or menu_entry_for(args["entry"], state, where=where))

    def _judge(self, args: dict[str, t.Any], state: BootState, wanted: str, where: str) -> list[str]:
        """What people are to know of it. Raises HostError when it is not to be done."""
        if wanted and (args["entry"] == "reset" or is_reset(wanted)):
            refuse_reset(state, confirm=args["confirm"], host_id=args["host_id"], force=args["force"], where=where)
        elif wanted and state.member and args["entry"] in ("recovery", "registration"):
            return [f"{where} is a member of a cluster, and is missing there while it runs {args['entry']}."]
        return []

    def _boot(
        self, args: dict[str, t.Any], remote: Remote, facts: dict[str, t.Any], grubenv: str, wanted: str
    ) -> dict[str, t.Any]:
        """Reboot, wait until the host has settled in what it was told to boot, and say what it is now."""
        began = time.monotonic()
        limit = args["reboot_timeout"]
        done = self.reboot(remote, facts, args["addresses"], connect_timeout=args["connect_timeout"], timeout=limit)
        reach = {**args, "addresses": [done["address"], *args["addresses"]]}
        while True:
            left = limit - (time.monotonic() - began)
            reach["timeout"] = max(1, int(min(left, args["timeout"])))
            try:
                remote, facts, output = self.ask(
                    reach, asked="The host after its boot", more=boot_script(grubenv, identity=False)
                )
                state, seen = read_boot(output), ""
            except HostUnreachable as error:
                state, seen = None, str(error)
            # A reset reboots by itself when it is through, and answers before that.
            if state is not None and not (is_reset(wanted) and state.booted in ("reset", "recovery")):
                break
            if time.monotonic() - began + PAUSE >= limit:
                last = seen or f"{remote.address} still runs its {state.booted if state else ''} system"
                raise HostUnreachable(f"The host took its boot entry {wanted} and is not back after {limit} s: {last}.")
            time.sleep(PAUSE)
        if state.next_entry == wanted:
            raise HostError(
                f"{remote.address}: the host rebooted and left {grubenv} as it was, so it does not boot by that file."
            )
        expected = args["entry"] or ""
        if expected and expected != "reset" and state.booted not in (expected, "unknown"):
            raise HostError(
                f"{remote.address}: the host was to boot {expected} ({wanted}) and booted {state.booted};"
                " see its console for why."
            )
        return {
            **done,
            "address": remote.address,
            "new_boot_id": facts["boot_id"],
            "elapsed": round(time.monotonic() - began, 1),
            "edge_host_facts": facts,
            "rebooted": True,
            "booted": state.booted,
            "next_entry": state.next_entry,
        }
