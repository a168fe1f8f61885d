# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network definition of a cluster: what of it can be changed, and what is fixed once the cluster is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._reconcile import Plan, Step, differing, same
from ..palette._errors import ConflictError
from ..palette._session import Scope

_NAMES = {"controlPlaneEndpoint": "vip", "ntpServers": "ntp_servers", "sshKeys": "ssh_keys"}


def network_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The network definition in a cloud config."""
    network: Mapping[str, Any] = (config.get("spec") or {}).get("clusterConfig") or {}
    return network


def network_body(
    *,
    endpoint: str | None,
    endpoint_type: str | None,
    overlay_cidr: str | None,
    two_node: bool | None,
    ntp_servers: Sequence[str] | None,
    ssh_keys: Sequence[str] | None,
) -> dict[str, Any]:
    """The network definition as it is written on creation."""
    network: dict[str, Any] = {}
    if endpoint:
        network["controlPlaneEndpoint"] = {"host": endpoint, "type": endpoint_type or "VIP"}
    if ntp_servers:
        network["ntpServers"] = list(ntp_servers)
    if ssh_keys:
        network["sshKeys"] = [key.strip() for key in ssh_keys]
    if overlay_cidr:
        network["overlayNetworkConfiguration"] = {"enable": True, "cidr": overlay_cidr}
    if two_node:
        network["isTwoNodeCluster"] = True
    return network


def refuse_fixed(
    name: str,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    endpoint: str | None,
    endpoint_type: str | None,
    overlay_cidr: str | None,
    two_node: bool | None,
    parallel: bool | None,
    vip_may_change: bool,
) -> None:
    """Refuses what would change what is fixed; what is not given is not compared.

    :param config: the cloud config, empty while Palette has not made it; ``settings`` are the cluster's own.
    :raises ConflictError: with everything that cannot be changed.
    """
    network = network_of(config)
    there = network.get("controlPlaneEndpoint") or {}
    fixed = [
        ("vip", there.get("host"), None if vip_may_change else endpoint),
        # An endpoint that Palette chose by itself has the type that it has.
        ("endpoint_type", there.get("type") or "VIP", endpoint_type),
        ("overlay_cidr", (network.get("overlayNetworkConfiguration") or {}).get("cidr"), overlay_cidr),
        ("two_node", bool(network.get("isTwoNodeCluster")), two_node),
    ]
    known = fixed if config else []
    known = [*known, ("update_worker_pools_in_parallel", bool(settings.get("updateWorkerPoolsInParallel")), parallel)]
    wrong = [
        f"{option}: the cluster {name} has {_shown(have)}, not {_shown(want)}"
        for option, have, want in known
        if want is not None and not same(have, want)
    ]
    if wrong:
        way = " (for the VIP, allow_vip_change asks Palette all the same)" if wrong[0].startswith("vip") else ""
        raise ConflictError(
            f"{'; '.join(wrong)}, and this is fixed once a cluster is there: leave it out, or delete the cluster and "
            f"form it again{way}"
        )


def plan_network(
    result: Plan,
    config: Mapping[str, Any],
    *,
    name: str,
    endpoint: str | None,
    ntp_servers: Sequence[str] | None,
    ssh_keys: Sequence[str] | None,
    path: str,
    scope: Scope,
) -> None:
    """Adds the step that sets VIP, NTP servers and SSH keys, if one is needed; the rest is written as it is."""
    network = network_of(config)
    want: dict[str, Any] = {}
    if endpoint is not None:
        want["controlPlaneEndpoint"] = {**(network.get("controlPlaneEndpoint") or {}), "host": endpoint}
    if ntp_servers is not None:
        want["ntpServers"] = list(ntp_servers)
    if ssh_keys is not None:
        want["sshKeys"] = [key.strip() for key in ssh_keys]
    have = {**network, "sshKeys": [key.strip() for key in network.get("sshKeys") or []]}
    changes = differing(have, want)
    if not changes:
        return
    result.before.update({_NAMES[key]: _host_of(network.get(key) or []) for key in changes})
    result.after.update({_NAMES[key]: _host_of(value) for key, value in changes.items()})
    result.steps.append(
        Step(
            says=f"set {' and '.join(_NAMES[key] for key in changes)} of the cluster {name}",
            method="PUT",
            path=f"{path}/clusterConfig",
            scope=scope,
            body={"clusterConfig": {**network, **want}},
        )
    )


def _host_of(value: Any) -> Any:
    return value.get("host") if isinstance(value, Mapping) else value


def _shown(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value or "none"
