# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.site_user_data_confirmation: its documentation is in plugins/modules/site_user_data_confirmation.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._files import read_state, state_script
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._way_back import (
    NOTHING,
    ask_script,
    confirm_script,
    read_way_back,
)


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "state": {"type": "str", "choices": ["confirmed", "asked"], "default": "confirmed"},
        "path": {"type": "str", "default": "/oem/user-data"},
        "sha256": {"type": "str"},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = checked_path(args["path"])
        more = state_script(path) + ask_script()
        remote, facts, output = self.ask(args, asked="Confirmation of the user-data", more=more)
        state = read_state(output, path, must_have_folder=False)
        way = read_way_back(output)
        there = state.sha256 if state.exists else NOTHING
        expected = args["sha256"] or there
        if way.restoring:
            raise HostError(
                f"{remote.address}: the host is going back to its old user-data at this moment, as nobody confirmed the"
                f" new one within {way.within} s of the boot. Wait for its reboot, then run again."
            )
        if way.put_back and way.put_back == args["sha256"] and not way.armed:
            raise HostError(
                f"{remote.address}: the host took its old user-data back ({way.put_back_at}): nobody confirmed the new"
                f" one within {way.put_back_within} s of the boot, as it was not reached on its new address, or did not"
                " bear what it should. Look at addresses, gateway, VLAN and cable; it runs with what it had before."
            )
        booted = way.armed and way.boot_id != facts["boot_id"]
        if booted and there != way.new:
            raise HostError(
                f"{remote.address}: {state.path} is not what waits for its confirmation: somebody else changed it. It is not"
                f" confirmed, so the host takes its old user-data back {way.within} s after its boot; run again before."
            )
        if booted and expected != there:
            raise HostError(f"{remote.address}: {state.path} is not the user-data that is to be confirmed; run again.")
        # An old note goes with the confirmation of what is there now.
        stale = way.left or bool(way.put_back)
        changed = args["state"] == "confirmed" and (booted or (stale and not way.armed))
        if changed and not self.check_mode:
            remote.run(confirm_script(note_too=True))
        waits = way.armed and not (changed and booted)
        return {
            "changed": changed,
            "address": remote.address,
            "waits": waits,
            "booted": booted,
            "within": way.within,
            "edge_host_facts": facts,
        }
