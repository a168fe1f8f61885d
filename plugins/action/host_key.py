# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_key: its documentation is in plugins/modules/host_key.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils import _known_hosts as known_hosts
from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS
from ansible_collections.palette.edge.plugins.plugin_utils._host_key_action import HostKeyAction, Place
from ansible_collections.palette.edge.plugins.plugin_utils._known_hosts import HostKey
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError


class ActionModule(HostKeyAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "name": {"type": "str"},
        "known_hosts": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "fingerprint": {"type": "str", "no_log": False},
        "key": {"type": "list", "elements": "str", "no_log": False},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        fingerprint, given = self._checked(args)
        place = self.place(args)
        before = self.keys(place)
        wanted = given
        if fingerprint:
            wanted = [key for key in before if key.fingerprint == fingerprint]
            wanted = wanted or [self._shown(args, place, fingerprint)]
        after = with_order(before, wanted)
        changed = set(after) != set(before)
        result: dict[str, t.Any] = {
            "changed": changed,
            "name": place.name,
            "known_hosts": place.known_hosts,
            "fingerprints": [key.fingerprint for key in after],
            "forgotten": [key.fingerprint for key in before if key not in after],
        }
        if changed and self.wants_diff:
            result["diff"] = {
                "before_header": place.known_hosts,
                "after_header": place.known_hosts,
                "before": "".join(f"{place.name} {key}\n" for key in before),
                "after": "".join(f"{place.name} {key}\n" for key in after),
            }
        if changed and not self.check_mode:
            try:
                known_hosts.replace(place.known_hosts, lambda text: known_hosts.with_keys(text, place.name, wanted))
            except OSError as error:
                raise HostError(f"known_hosts: {place.known_hosts} cannot be written: {error.strerror}.") from None
        return result

    def _checked(self, args: dict[str, t.Any]) -> tuple[str, list[HostKey]]:
        """The fingerprint or the keys that are to be there; neither for state absent."""
        fingerprint, keys = args["fingerprint"], args["key"]
        if args["state"] == "absent":
            if fingerprint or keys:
                raise HostError("state: absent forgets all keys of the host; leave out fingerprint and key.")
            return "", []
        if bool(fingerprint) == bool(keys):
            raise HostError(
                "fingerprint, key: give exactly one of them, as read from the host's console; to take the key that the"
                " host shows next, whatever it is, use state: absent."
            )
        try:
            if fingerprint:
                return known_hosts.read_fingerprint(fingerprint), []
        except ValueError as error:
            raise HostError(f"fingerprint: {error}.") from None
        found = []
        for number, text in enumerate(keys):
            try:
                found.append(known_hosts.read_key(text))
            except ValueError as error:
                raise HostError(f"key[{number}]: {error}.") from None
        return "", found

    def _shown(self, args: dict[str, t.Any], place: Place, fingerprint: str) -> HostKey:
        """The key with this fingerprint, from the host itself."""
        address, keys = self.shown(args, until=lambda key: key.fingerprint == fingerprint)
        for key in keys:
            if key.fingerprint == fingerprint:
                return key
        raise HostError(
            f"fingerprint: {address} shows {', '.join(map(str, keys))}, and none is {fingerprint}: read it again on the"
            f" console of {place.name}; if it is right, another machine answers at {address}. Nothing was accepted."
        )


def with_order(before: list[HostKey], wanted: list[HostKey]) -> list[HostKey]:
    """The wanted keys, each once, in the order of the file: those that stay, then the new ones."""
    return list(dict.fromkeys([*(key for key in before if key in wanted), *wanted]))
