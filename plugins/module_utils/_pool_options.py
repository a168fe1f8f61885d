# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of one node pool."""

from __future__ import annotations

from typing import Any

POOL: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "control_plane": {"type": "bool", "default": False},
    "hosts": {
        "type": "list",
        "elements": "dict",
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
    "override_health_check_configuration": {"type": "str"},
}
