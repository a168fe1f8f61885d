# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on the pinned key of a host share."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils import _known_hosts as known_hosts
from ansible_collections.palette.edge.plugins.plugin_utils._action import HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._known_hosts import HostKey
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._ssh_client import Settings as Place
from ansible_collections.palette.edge.plugins.plugin_utils._ssh_client import is_ssh, settings, shown_keys

__all__ = ["HostKeyAction", "Place"]


class HostKeyAction(HostAction):
    """An action on the keys that are kept of one host. It works on the control node."""

    def place(self, args: dict[str, t.Any]) -> Place:
        """Under which name and in which file the keys are: as given, else as ssh is configured."""
        name, path = args["name"], args["known_hosts"]
        if not (name and path):
            found = settings(self.reach)
            name, path = name or found.name, path or found.known_hosts
        try:
            known_hosts.check_name(name)
        except ValueError as error:
            raise HostError(f"name: {error}.") from None
        if path in ("", "none", os.devnull):
            raise HostError(
                "known_hosts: ssh is told to keep no keys (UserKnownHostsFile), so there is nothing to check them by;"
                " let the inventory say where they are kept."
            )
        folder = os.path.dirname(os.path.abspath(path))
        if os.path.isdir(path) or not os.path.isdir(folder):
            raise HostError(f"known_hosts: {path} is no file in a directory that is there; name one.")
        return Place(name, os.path.abspath(path))

    def keys(self, place: Place) -> list[HostKey]:
        """The keys that are kept of the host."""
        try:
            return known_hosts.keys_of(known_hosts.read(place.known_hosts), place.name)
        except OSError as error:
            raise HostError(f"known_hosts: {place.known_hosts} cannot be read: {error.strerror}.") from None

    def shown(self, args: dict[str, t.Any], *, until: t.Callable[[HostKey], bool]) -> tuple[str, list[HostKey]]:
        """The address at which the host answers, and the keys that it shows there, until one fits."""
        reach = self.reach
        if not is_ssh(reach):
            raise HostError(
                f"fingerprint: over a connection of type {self._connection._load_name} no key is shown; give the key"
                " itself, or leave the task to the host (no delegate_to)."
            )
        remote, keys = reach.first(
            args["addresses"],
            lambda remote: shown_keys(reach, remote, connect_timeout=args["connect_timeout"], until=until),
            connect_timeout=args["connect_timeout"],
            timeout=args["timeout"],
            asked="Host key of the Edge host",
        )
        return remote.address, keys
