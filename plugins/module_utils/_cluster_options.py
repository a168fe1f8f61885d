# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module cluster, which are many, and those of them that Palette takes one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._pool_options import POOL
from ._runner import wait_arguments
from .palette._errors import InputError
from .palette._names import nearest
from .resources._moments import ZERO
from .resources._registration_token import moment, wire_time

try:
    import zoneinfo
except ImportError:
    HAS_ZONES = False
else:
    HAS_ZONES = True

TEXTS = ["description", "vip", "overlay_cidr", "timezone", "meta_attribute", "control_plane_health_check_timeout"]
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **{text: {"type": "str"} for text in TEXTS},
    "tags": {"type": "dict"},
    "profiles": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "version": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "variables": {"type": "dict"},
            "pack_values": {"type": "dict"},
            "manifests": {"type": "dict"},
        },
        "required_if": [("state", "present", ("version",))],
    },
    "purge_profiles": {"type": "bool", "default": False},
    "allow_downgrade": {"type": "bool", "default": False},
    "allow_vip_change": {"type": "bool", "default": False},
    "apply": {"type": "str", "choices": ["now", "later"]},
    "approve_repave": {"type": "bool", "default": False},
    "pause_agent_upgrades": {"type": "bool"},
    "force_delete": {"type": "bool", "default": False},
    "force_delete_delay": {"type": "int", "default": 20},
    "endpoint_type": {"type": "str", "choices": ["VIP", "External", "DDNS", "IP"]},
    "two_node": {"type": "bool"},
    "ntp_servers": {"type": "list", "elements": "str"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "node_pools": {"type": "list", "elements": "dict", "options": POOL},
    "purge_node_pools": {"type": "bool", "default": False},
    "purge_hosts": {"type": "bool", "default": True},
    "update_worker_pools_in_parallel": {"type": "bool"},
    "os_patch": {
        "type": "dict",
        "options": {
            "schedule": {"type": "str"},
            "on_boot": {"type": "bool"},
            "reboot_if_required": {"type": "bool"},
            "after": {"type": "str"},
        },
    },
    "location": {
        "type": "dict",
        "options": {
            "latitude": {"type": "float", "required": True},
            "longitude": {"type": "float", "required": True},
            "country_code": {"type": "str"},
            "country_name": {"type": "str"},
            "region_code": {"type": "str"},
            "region_name": {"type": "str"},
        },
    },
    **wait_arguments(),
}


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Options that are written alone, in their wire shape.

    :raises InputError: for a time zone, schedule or time that is none.
    """
    _check_zone(params["timezone"])
    found = {key: params[key] for key in ("timezone", "meta_attribute", "control_plane_health_check_timeout")}
    patch, place = params["os_patch"], params["location"]
    if patch is not None:
        wires = {"schedule": "schedule", "on_boot": "patchOnBoot", "reboot_if_required": "rebootIfRequired"}
        found["os_patch"] = {wire: patch[key] for key, wire in wires.items() if patch[key] is not None}
        _check_schedule(patch["schedule"])
        if patch["after"] is not None:
            after = patch["after"].strip()
            found["os_patch"]["onDemandPatchAfter"] = (
                wire_time(moment(after, option="os_patch.after")) if after else ZERO
            )
    if place is not None:
        wires = {
            "country_code": "countryCode",
            "country_name": "countryName",
            "region_code": "regionCode",
            "region_name": "regionName",
        }
        found["location"] = {
            "geoLoc": {"latitude": place["latitude"], "longitude": place["longitude"]},
            **{wire: place[key] for key, wire in wires.items() if place[key]},
        }
    return {key: value for key, value in found.items() if value is not None}


def _check_zone(name: str | None) -> None:
    if not name or _is_zone(name):
        return
    # A machine without a list of time zones can tell the form of a name only.
    zones = zoneinfo.available_timezones() if HAS_ZONES else set()
    if zones or not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", name):
        raise InputError(
            f"timezone: there is no time zone {name!r}. {nearest(name, zones or ['Europe/Berlin', 'UTC'])}"
        )


def _is_zone(name: str) -> bool:
    try:
        return HAS_ZONES and bool(zoneinfo.ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return False


def _check_schedule(text: str | None) -> None:
    fields = (text or "").split()
    if fields and (len(fields) != 5 or not all(re.fullmatch(r"[A-Za-z0-9*/,?#-]+", field) for field in fields)):
        raise InputError(f"os_patch.schedule: {text!r} is no cron expression of five fields, such as 0 3 * * 0")
