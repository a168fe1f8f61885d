# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.preflight_record: its documentation is in plugins/modules/preflight_record.py."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction
from ansible_collections.palette.edge.plugins.plugin_utils._preflight import targets
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_records import HOSTS, SITES, Records

_FACTS = ("boot_id", "machine_id", "host_name", "kernel", "architecture", "os", "interfaces")
# What the judgement over all hosts of the site replaces.
_LATER = ("address", "path")
# What an answer of Palette has, by what was asked for.
_ANSWERS = {
    "project": "projects",
    "token": "registration_tokens",
    "hosts": "edge_hosts",
    "profiles": "cluster_profiles",
}
_PORT = {
    "port": {"type": "int", "required": True},
    "from": {"type": "str", "choices": ["all", "control_plane"], "default": "all"},
    "to": {"type": "str", "choices": ["all", "control_plane"], "default": "all"},
}


class ActionModule(LocalAction):
    ARGUMENTS = {
        "site": {"type": "str", "default": ""},
        "phase": {"type": "str", "required": True, "choices": ["host", "peers", "tried", "site"]},
        "settings": {"type": "dict", "default": {}},
        "answer": {"type": "dict", "default": {}},
        "ports": {"type": "list", "elements": "dict", "default": [], "options": _PORT},
        "listen_seconds": {"type": "int", "default": 0},
        "max_clock_skew": {"type": "int", "default": 0},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        self.entry = str(self._task_vars.get("inventory_hostname", ""))
        try:
            self.records = Records()
            return {"host": self._host, "peers": self._peers, "tried": self._tried, "site": self._site}[args["phase"]](
                args
            )
        except OSError as error:
            raise InputError(f"the records of this run cannot be kept in {error.filename}: {error.strerror}") from None
        except TypeError as error:
            raise InputError(f"settings: {error}") from None

    def _host(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        answer, now = args["answer"], time.time()
        facts = answer.get("edge_host_facts") or {}
        # A cluster that runs listens on its ports.
        later = (*_LATER, "port") if answer.get("has_cluster") else _LATER
        record = {
            "entry": self.entry,
            "site": args["site"],
            "settings": args["settings"],
            "message": " ".join(str(answer.get("msg") or "").split()),
            "unreachable": bool(answer.get("unreachable")),
            "address": answer.get("address") or "",
            "findings": [one for one in answer.get("findings") or [] if one["check"] not in later],
            "facts": {key: facts[key] for key in _FACTS if key in facts},
            "product_uuid": answer.get("product_uuid") or "",
            "clock_range": answer.get("clock_range") or [],
            "max_clock_skew": args["max_clock_skew"],
            "listening": answer.get("listening") or [],
            # This comes after the answer did, so less than that is left; two seconds for that.
            "listen_until": answer.get("asked_at", now) + args["listen_seconds"] - 2,
            "ports": args["ports"],
        }
        self.records.put(HOSTS, args["site"], self.entry, record)
        return {}

    def _peers(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts, site = self.records.hosts_of(args["site"]), self.records.site(args["site"])
        own = next((one for one in hosts if one.entry == self.entry), None)
        if own is None or not own.seen:
            return {"peers": [], "free_addresses": []}
        vip = site.vip if site and not site.cluster.get("overlay_cidr") else ""
        return {
            "peers": targets(own, hosts, site),
            "free_addresses": [one for one in dict.fromkeys((own.static, vip)) if one],
        }

    def _tried(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        record = self.records.host(args["site"], self.entry)
        if record is None:
            raise InputError("phase: the host was not recorded in this run; begin with the phase host")
        answer = args["answer"]
        record["tried"] = {
            "connections": answer.get("connections") or {},
            "holders": answer.get("holders") or {},
            "at": time.time(),
            "message": "" if "findings" in answer else " ".join(str(answer.get("msg") or "no answer").split()),
        }
        self.records.put(HOSTS, args["site"], self.entry, record)
        return {}

    def _site(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        settings = dict(args["settings"])
        api = {part: answer for part, answer in (settings.get("api") or {}).items() if answer}
        settings["api"] = {
            part: [_answer(part, one) for one in answer] if isinstance(answer, list) else _answer(part, answer)
            for part, answer in api.items()
        }
        self.records.put(SITES, args["site"], self.entry, {**settings, "entry": self.entry, "site": args["site"]})
        return {}


def _answer(part: str, given: dict[str, t.Any]) -> dict[str, t.Any]:
    """What matters of the result of a task that asked Palette."""
    key = _ANSWERS[part]
    if key in given:
        return {key: given[key]}
    return {} if given.get("skipped") else {"failed": True, "msg": " ".join(str(given.get("msg") or "").split())}
