# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.host_diagnosis: its documentation is in plugins/modules/host_diagnosis.py."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._action import REACH_OPTIONS, HostAction
from ansible_collections.palette.edge.plugins.plugin_utils._bundle import (
    Collection,
    Section,
    collect,
    read_state,
    state_script,
    write_bundle,
)
from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis import ERROR, Evidence, Finding, diagnose
from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis_rules import RULES
from ansible_collections.palette.edge.plugins.plugin_utils._redact import LEAST, Redactor
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._vendor_bundle import add_vendor_bundle


class ActionModule(HostAction):
    ARGUMENTS = {
        **REACH_OPTIONS,
        "dest": {"type": "str", "default": ""},
        "max_size": {"type": "bytes", "default": "50M"},
        "log_size": {"type": "bytes", "default": "512K"},
        "journal_lines": {"type": "int", "default": 2000},
        "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
        "vendor_script": {"type": "bool", "default": False},
        "vendor_timeout": {"type": "int", "default": 600},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        path = self._checked(args)
        redactor = Redactor(args["secrets"])
        began = time.time()
        remote, facts, output = self.ask(args, asked="Diagnosis of the Edge host", more=state_script(), secret=True)
        now = time.time()
        found, asked = read_state(output, redactor, journal_lines=args["journal_lines"])
        collect(remote, found, asked, redactor, size=args["log_size"])
        findings = diagnose(Evidence(found.evidence(), now=now, began=began), RULES)
        result: dict[str, t.Any] = {
            "changed": False,
            "address": remote.address,
            "edge_host_facts": facts,
            "findings": [finding.as_data() for finding in findings],
            "healthy": not any(finding.severity == ERROR for finding in findings),
            "bundle": {},
        }
        if not facts["root"]:
            result["warnings"] = [
                f"{remote.address}: user {facts['user']} may not read all that is of interest: become root."
            ]
        if path and not self.check_mode:
            if args["vendor_script"]:
                options = {"most": args["max_size"], "size": args["log_size"], "timeout": args["vendor_timeout"]}
                add_vendor_bundle(remote, found, redactor, **options)
            result["bundle"] = self._write(path, remote.address, found, facts, findings, args["max_size"])
            result["changed"] = True
        elif path:
            result.update(changed=True, msg=f"Would write the support bundle to {path}.")
        result["left_out"] = [f"{name}: {why}" for name, why in sorted(found.left_out.items())]
        return result

    def _checked(self, args: dict[str, t.Any]) -> str:
        """Where the bundle goes, empty for nowhere. Raises HostError for options that cannot be meant."""
        for name, least in (("max_size", 64 << 10), ("log_size", 1 << 10), ("journal_lines", 1), ("vendor_timeout", 1)):
            if args[name] < least:
                raise HostError(f"{name}: {args[name]} is too little; give {least} or more.")
        if any(len(secret) < LEAST for secret in args["secrets"]):
            raise HostError(f"secrets: one is shorter than {LEAST} characters, and would be found in any word.")
        if not args["dest"]:
            return ""
        dest: str = os.path.expanduser(args["dest"])
        folder = dest if dest.endswith("/") or os.path.isdir(dest) else ""
        if folder:
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            dest = os.path.join(folder, f"{self._host_name().replace('/', '_')}-{stamp}.tar.gz")
        parent = os.path.dirname(os.path.abspath(dest))
        if not os.path.isdir(parent):
            if not folder:
                raise HostError(f"dest: there is no directory {parent} here; make it, or end dest with / for a folder.")
            if not self.check_mode:
                try:
                    os.makedirs(parent, mode=0o700, exist_ok=True)
                except OSError as error:
                    raise HostError(f"dest: the folder {parent} cannot be made: {error.strerror}.") from error
        elif not os.access(parent, os.W_OK):
            raise HostError(f"dest: {parent} may not be written to by who runs Ansible.")
        return dest

    def _host_name(self) -> str:
        return str(self._task_vars.get("inventory_hostname") or self.where)

    def _write(
        self, path: str, address: str, found: Collection, facts: dict[str, t.Any], findings: list[Finding], most: int
    ) -> dict[str, t.Any]:
        folder = os.path.basename(path).removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
        told = [f"{one.severity}: {one.rule}\n  seen: {one.seen} ({one.where})\n  means: {one.means}\n  do: {one.do}\n"
                for one in findings]  # fmt: skip
        listed = [f"{name}: {len(one.text)} characters{', only the end' if one.cut else ''}"
                  for name, one in found.sections.items()]  # fmt: skip
        listed += [f"{name}: left out: {why}" for name, why in found.left_out.items()]
        first = [
            Section("findings.txt", "\n".join(told) or "No known failure was recognised.\n"),
            Section("facts.json", json.dumps({"address": address, **facts}, indent=1) + "\n"),
            Section("contents.txt", "\n".join(listed) + "\n"),
        ]
        try:
            size, left_out = write_bundle(path, folder, [*first, *found.sections.values()], most=most)
        except OSError as error:
            raise HostError(
                f"dest: {path} cannot be written: {error.strerror}; there is no half of it left."
            ) from error
        found.left_out.update(left_out)
        return {"path": os.path.abspath(path), "size": size, "files": len(first) + len(found.sections) - len(left_out)}
