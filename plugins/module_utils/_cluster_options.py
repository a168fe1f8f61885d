# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module cluster, which are many, and those of them that Palette takes one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._runner import wait_arguments

TEXTS = ["description", "vip", "overlay_cidr", "timezone", "meta_attribute", "control_plane_health_check_timeout"]
POOL: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "control_plane": {"type": "bool", "default": False},
    "hosts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "uid": {"type": "str", "required": True},
            "name": {"type": "str"},
            "address": {"type": "str"},
            "gateway": {"type": "str"},
            "nameservers": {"type": "list", "elements": "str"},
            "nic": {"type": "str"},
            "two_node_role": {"type": "str", "choices": ["primary", "secondary"]},
        },
    },
    "architecture": {"type": "str", "choices": ["amd64", "arm64"]},
    "control_plane_as_worker": {"type": "bool"},
    "additional_labels": {"type": "dict"},
    "additional_annotations": {"type": "dict"},
    "taints": {
        "type": "list",
        "elements": "dict",
        "options": {
            "key": {"type": "str", "required": True, "no_log": False},
            "value": {"type": "str"},
            "effect": {
                "type": "str",
                "required": True,
                "choices": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
            },
        },
    },
    "update_strategy": {
        "type": "dict",
        "options": {
            "type": {
                "type": "str",
                "required": True,
                "choices": ["RollingUpdateScaleOut", "RollingUpdateScaleIn", "OverrideScaling"],
            },
            "max_surge": {"type": "str"},
            "max_unavailable": {"type": "str"},
        },
    },
    "node_repave_interval": {"type": "int"},
    "skip_kubernetes_upgrade": {"type": "bool"},
    "override_kubeadm_configuration": {"type": "str"},
}
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
            "version": {"type": "str", "required": True},
            "variables": {"type": "dict"},
            "pack_values": {"type": "dict"},
        },
    },
    "purge_profiles": {"type": "bool", "default": False},
    "endpoint_type": {"type": "str", "choices": ["VIP", "External", "DDNS", "IP"], "default": "VIP"},
    "two_node": {"type": "bool"},
    "ntp_servers": {"type": "list", "elements": "str"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "node_pools": {"type": "list", "elements": "dict", "options": POOL},
    "purge_node_pools": {"type": "bool", "default": False},
    "update_worker_pools_in_parallel": {"type": "bool"},
    "os_patch": {
        "type": "dict",
        "options": {
            "schedule": {"type": "str"},
            "on_boot": {"type": "bool"},
            "reboot_if_required": {"type": "bool"},
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
    """Options that are written alone, in their wire shape."""
    found = {key: params[key] for key in ("timezone", "meta_attribute", "control_plane_health_check_timeout")}
    patch, place = params["os_patch"], params["location"]
    if patch is not None:
        wires = {"schedule": "schedule", "on_boot": "patchOnBoot", "reboot_if_required": "rebootIfRequired"}
        found["os_patch"] = {wire: patch[key] for key, wire in wires.items() if patch[key] is not None}
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
