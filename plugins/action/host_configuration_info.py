# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_configuration_info: its documentation is in plugins/modules/host_configuration_info.py."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import effective
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import site_of
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide, secrets_of
from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction, checked_path
from ansible_collections.palette.edge.plugins.plugin_utils._drift import (
    Drift,
    accounts_of,
    drift,
    network_files,
)
from ansible_collections.palette.edge.plugins.plugin_utils._in_force import (
    LayerFile,
    first_script,
    read_layers,
    read_second,
    read_system,
    second_script,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import parse
from ansible_collections.palette.edge.plugins.plugin_utils._way_back import ask_script, read_way_back

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "path": {"type": "str", "default": "/oem/user-data"},
        "fail_on_drift": {"type": "bool", "default": False},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = checked_path(args["path"])
        more = first_script(path) + ask_script()
        remote, facts, output = self.ask(args, asked="Configuration of the Edge host", more=more, secret=True)
        layers = read_layers(output, path)
        found, documents, told = [], [], []
        for layer in layers:
            document, problem = parse(layer.content) if layer.content is not None else (None, "is too long to be one")
            told.append({"path": layer.path, "mode": layer.mode, "owner": layer.owner, "problem": problem})
            documents.append(document or {})
            found += _of_layer(layer, document, problem)
        wanted = effective(*documents)
        seen = read_system(output, facts)
        certificates = site_of(wanted).get("caCerts")
        texts = [str(text) for text in certificates] if isinstance(certificates, list) else []
        names = [name for name in accounts_of(wanted) if _NAME.fullmatch(name)]
        files = list(network_files(wanted))
        if script := second_script(texts, names, files):
            read_second(remote.run(PRELUDE + script + END, secret=True), seen, files)
        found += drift(wanted, seen)
        if facts["boot_id"] in output.all("pending"):
            found.append(Drift("boot with the user-data", "done", "still due"))
        way = read_way_back(output)
        if way.armed or way.restoring:
            state = "goes back at this moment" if way.restoring else "waits for it"
            found.append(Drift("confirmation of the user-data", "none due", f"{state}, {way.within} s from the boot"))
        if found and args["fail_on_drift"]:
            lines = "; ".join(f"{one.what}: wanted {one.wanted}, seen {one.seen}" for one in found)
            raise HostError(f"{remote.address}: the host does not bear what its user-data says: {lines}.")
        return {
            "address": remote.address,
            "drift": [one.told() for one in found],
            "layers": told,
            "user_data": hide(wanted),
            "put_back": {"at": way.put_back_at, "sha256": way.put_back} if way.put_back else {},
            "in_force": {
                "host_name": facts["host_name"],
                "interfaces": facts["interfaces"],
                "gateway": facts["gateway"],
                "nameservers": seen.nameservers,
                "search": seen.search,
                "ntp_servers": seen.ntp_servers,
                "proxy": hide(seen.proxy, secrets_of(wanted)),
                "vlans": [
                    {"name": name, "id": int(number), "interface": nic} for name, (number, nic) in seen.vlans.items()
                ],
            },
            "edge_host_facts": facts,
        }


def _of_layer(layer: LayerFile, document: dict[str, t.Any] | None, problem: str) -> list[Drift]:
    """What is wrong with the file itself."""
    found = [Drift(f"layer {layer.path}", "user-data", problem)] if problem else []
    if secrets_of(document or {}) and int(layer.mode, 8) & 0o077:
        found.append(Drift(f"mode of {layer.path}", "0600, as it holds secrets", layer.mode))
    return found
