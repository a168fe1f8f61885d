# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that the documentation of Palette Edge names for user-data, and the types of their values.

A type is a name (`str`, `int`, `bool`, `any`), a mapping of keys, a list of one type, or `Each` for a map whose keys
are the user's.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Each:
    """A map from names that the user chooses to values of one type."""

    value: t.Any


_REGISTRY = {"domain": "str", "username": "str", "password": "str", "encodedPassword": "bool", "insecure": "bool"}
_USER = {
    "groups": ["str"],
    "passwd": "str",
    "passwordExpiry": "str",
    "lock_passwd": "bool",
    "ssh_authorized_keys": ["str"],
}
_INTERFACE = {"type": "str", "ipAddress": "str", "mask": "str", "gateway": "str", "nameserver": "str"}

STYLUS: dict[str, t.Any] = {
    "debug": "bool",
    "trace": "bool",
    "reboot": "bool",
    "users": "any",
    "managementMode": "str",
    "installationMode": "str",
    "path": "str",
    "featureGate": "str",
    "enableMultiNode": "bool",
    "disablePasswordUpdate": "bool",
    "disableTui": "bool",
    "includeTui": "bool",
    "localUI": {
        "port": "int",
        "login": {
            "disableRateLimiting": "bool",
            "attemptsBeforeExponentialDelayStarts": "int",
            "maxFailedAttemptsBeforeLockout": "int",
            "lockoutDurationInMinutes": "int",
        },
    },
    "emcServer": {"port": "int"},
    "vip": {"skip": "bool"},
    "skipKubeVip": "bool",
    "imageRedirectWebhook": {"enable": "bool", "port": "int"},
    "imageOverride": "str",
    "registryCredentials": _REGISTRY,
    "externalRegistries": {
        "registries": [{**_REGISTRY, "repositoryName": "str", "certificates": ["str"]}],
        "registryMappingRules": Each("str"),
    },
    "site": {
        "paletteEndpoint": "str",
        "edgeHostToken": "str",
        "disableAutoRegister": "bool",
        "autoRegister": "bool",
        "registrationURL": "str",
        "projectName": "str",
        "projectUid": "str",
        "name": "str",
        "hostName": "str",
        "prefix": "str",
        "deviceUIDPaths": [{"name": "str", "regex": "str"}],
        "clusterId": "str",
        "clusterName": "str",
        "tags": Each("scalar"),
        "tagsFromFile": {"fileName": "str", "delimiter": "str", "separator": "str"},
        "tagsFromScript": {"scriptName": "str", "timeout": "int"},
        "network": {
            "httpProxy": "str",
            "httpsProxy": "str",
            "noProxy": "str",
            "nameserver": "str",
            "interfaces": Each(_INTERFACE),
        },
        # The documentation calls it a string and shows lists.
        "ntpServers": "strings",
        "caCerts": ["str"],
        "insecureSkipVerify": "bool",
        "remoteShell": {"disable": "bool"},
        "users": Each(_USER),
        "debug": "bool",
    },
}

INSTALL: dict[str, t.Any] = {
    "device": "str",
    "poweroff": "bool",
    "reboot": "bool",
    "bind_mounts": ["str"],
    "extra-dirs-rootfs": ["str"],
    "grub_options": Each("str"),
    "partitions": Each({"size": "int", "fs": "str", "name": "str", "label": "str"}),
    "extra-partitions": [{"size": "int", "fs": "str", "name": "str", "label": "str"}],
}

RESERVED = ("k3s", "k3s-agent", "p2p", "kubevip")
"""Keys of the Kairos provider: Palette drives Kubernetes itself."""

STAGES = frozenset(
    name + hook
    for name in (
        *("rootfs", "initramfs", "boot", "fs", "network", "reconcile"),
        *("before-install", "after-install-chroot", "after-install"),
        *("before-upgrade", "after-upgrade-chroot", "after-upgrade"),
        *("before-reset", "after-reset-chroot", "after-reset"),
        *("kairos-install.pre", "kairos-uki-install", "kairos-uki-reset", "kairos-uki-upgrade"),
        "kairos-install",
    )
    for hook in ("", ".before", ".after", ".pre")
)
"""The stages of a boot, an installation, an upgrade and a reset, with their hooks."""
