# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_packages: its documentation is in plugins/modules/host_packages.py."""

from __future__ import annotations

import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._agent_scripts import PROXY, exports, proxy_environment
from ansible_collections.palette.edge.plugins.plugin_utils._packages import (
    FAMILIES,
    LOOK,
    MANAGERS,
    checked_names,
    family,
    install_script,
    missing_script,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "packages": {"type": "dict", "required": True},
        "install": {"type": "bool", "default": True},
        "proxy": {"type": "dict", "options": PROXY},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        wanted = {kind: self._names(kind, names) for kind, names in args["packages"].items()}
        remote, facts, output = self.ask(args, asked="Packages of the host", more=LOOK)
        system = facts["os"]
        kind = family(system["id"], output.first("like"))
        if kind not in wanted:
            known = ", ".join(FAMILIES)
            raise HostError(
                f"{remote.address}: packages has no names for {system['name'] or system['id'] or 'this system'} (family"
                f" {kind or 'unknown'}; known are {known}); install what is needed there yourself, and leave this step out."
            )
        missing = remote.run(missing_script(kind, wanted[kind])).all("missing") if wanted[kind] else []
        result: dict[str, t.Any] = {
            "changed": bool(missing) and args["install"],
            "address": remote.address,
            "family": kind,
            "manager": MANAGERS[kind],
            "missing": missing,
        }
        if missing and not args["install"]:
            raise HostError(
                f"{remote.address}: these packages are missing: {', '.join(missing)}; install them, or let them be."
            )
        if missing and self.wants_diff:
            result["diff"] = [{"before": "", "after": "".join(f"{name}\n" for name in missing)}]
        if missing and not self.check_mode:
            environment = proxy_environment(args["proxy"])
            remote.run(install_script(kind, missing), payload=exports(environment))
            left = remote.run(missing_script(kind, dict.fromkeys(missing, ""))).all("missing")
            if left:
                raise HostError(
                    f"{remote.address}: {MANAGERS[kind]} ended well, and {', '.join(left)} is still missing."
                )
        return result

    @staticmethod
    def _names(kind: str, names: t.Any) -> dict[str, str]:
        if kind not in FAMILIES:
            raise HostError(f"packages: there is no family {kind!r}; known are {', '.join(FAMILIES)}.")
        if not isinstance(names, list):
            raise HostError(f"packages.{kind}: give a list of names.")
        try:
            return checked_names(str(name) for name in names)
        except ValueError as error:
            raise HostError(f"packages.{kind}: {error}.") from None
