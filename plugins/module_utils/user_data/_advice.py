# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is allowed in user-data and mostly not meant."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Problem

_FEATURE_GATES = ("UserDataForm", "DisableWorkerNodeCapReconcile")
# fmt: off
_STEP = frozenset(
    (
        "name", "if", "commands", "files", "directories", "downloads", "users", "authorized_keys", "hostname",
        "dns", "sysctl", "modules", "systemctl", "environment", "environment_file", "packages", "timesyncd",
        "layout", "datasource", "git", "only_os", "only_os_version", "only_arch", "only_service_manager",
        "after", "node", "delete_entities", "ensure_entities", "systemd_firstboot", "unpack_images",
    )
)
# fmt: on


def advice(document: Document, *, layer: str) -> Iterator[Problem]:
    """Doubtful places of a document whose types may be wrong; `layer` is installer, site or effective."""
    stylus = _map(document.get("stylus"))
    site = _map(stylus.get("site"))
    if is_local(document):
        for name in ("paletteEndpoint", "edgeHostToken", "registrationURL", "projectName", "projectUid"):
            if name in site:
                yield Problem(("stylus", "site", name), "is not used by a locally managed host; leave it out.")
    for name in ("clusterId", "clusterName"):
        if name in site:
            yield Problem(("stylus", "site", name), "is set by Palette when the host joins a cluster; leave it out.")
    if site.get("insecureSkipVerify") is True:
        text = "turns off the check of Palette's certificate; give the certificate authority in caCerts instead."
        yield Problem(("stylus", "site", "insecureSkipVerify"), text)
    if isinstance(site.get("ntpServers"), str):
        yield Problem(("stylus", "site", "ntpServers"), "is a string; the samples of the documentation have a list.")
    gates = stylus.get("featureGate")
    for one in gates.split(",") if isinstance(gates, str) and gates else ():
        if one.strip() not in _FEATURE_GATES:
            yield Problem(("stylus", "featureGate"), f"{one.strip()!r} is none of {', '.join(_FEATURE_GATES)}.")
    yield from _install(_map(document.get("install")))
    yield from _stages(_map(document.get("stages")), layer)


def is_local(document: Document) -> bool:
    """Whether the host is managed locally, by the key of today or the one before."""
    stylus = _map(document.get("stylus"))
    older = "local" if stylus.get("installationMode") == "airgap" else "central"
    return bool(stylus.get("managementMode", older) == "local")


def _install(install: Document) -> Iterator[Problem]:
    partitions = install.get("extra-partitions")
    last = partitions[-1] if isinstance(partitions, list) and partitions else None
    if isinstance(last, dict) and last.get("size"):
        text = "takes all that is free on the disk, as the last one does; for a fixed size, add one of size 0 after it."
        yield Problem(("install", "extra-partitions", len(partitions or ()) - 1, "size"), text)
    for name in _map(install.get("partitions")):
        if name not in {"oem", "recovery", "state", "persistent"}:
            text = "is no partition of the system; use oem, recovery, state or persistent, or extra-partitions."
            yield Problem(("install", "partitions", name), text)


def _stages(stages: Document, layer: str) -> Iterator[Problem]:
    for name, steps in stages.items():
        for at, step in enumerate(steps) if isinstance(steps, list) else ():
            for key in step if isinstance(step, dict) else ():
                if key not in _STEP:
                    yield Problem(("stages", name, at, str(key)), "is no key of a step; check its spelling.")
            if layer == "installer" and isinstance(step, dict) and str(step.get("name", "")).startswith("skip-copy-"):
                text = "skip-copy- works in the site layer only: what is given at installation time stays on the host."
                yield Problem(("stages", name, at, "name"), text)


def _map(value: t.Any) -> Document:
    return value if isinstance(value, dict) else {}
