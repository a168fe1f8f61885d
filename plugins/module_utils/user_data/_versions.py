# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of user-data depends on the version of the agent, and what has another name by now.

An agent ignores a key that it does not know, in silence. Versions are the agent's (the same as those of the installer's
build), not Palette's.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Path, Problem

Version: t.TypeAlias = "tuple[int, ...]"


@dataclass(frozen=True)
class Gate:
    """A key and the agents that know it: from `since`, before `until`. `instead` is what to use in its place, if anything."""

    path: Path
    since: Version = ()
    until: Version = ()
    deprecated: Version | None = None
    instead: str = ""


GATES = (
    Gate(("stylus", "managementMode"), since=(4, 6, 21), instead="stylus.installationMode (connected or airgap)"),
    Gate(
        ("stylus", "installationMode"),
        until=(4, 8, 8),
        deprecated=(4, 6, 21),
        instead="stylus.managementMode (central or local)",
    ),
    Gate(("stylus", "localUI", "login"), since=(4, 7, 16)),
    Gate(("stylus", "site", "remoteShell", "disable"), since=(4, 7, 16)),
    Gate(("stylus", "includeTui"), deprecated=(4, 8, 6), instead=""),
    Gate(("stylus", "emcServer"), deprecated=(), instead="stylus.localUI.port"),
    Gate(("stylus", "skipKubeVip"), deprecated=(), instead="stylus.vip.skip"),
    Gate(("stylus", "imageOverride"), deprecated=(), instead="the installer's own image"),
    Gate(("stylus", "reboot"), deprecated=(), instead="install.reboot"),
    Gate(("stylus", "users"), deprecated=(), instead="stylus.site.users or a step of stages.initramfs"),
    Gate(("stylus", "site", "debug"), deprecated=(), instead="stylus.debug"),
)
"""Keys that not every agent knows, and keys that have a replacement. `deprecated=()` is: for every agent."""


def version_of(text: str) -> Version:
    """`v4.8.6-rc.1` as numbers; ValueError when it is no version."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)([-+].*)?", text.strip())
    if not found:
        raise ValueError(f"{text!r} is no version of an agent; write it as 4.8.6")
    return tuple(int(part) for part in found.groups()[:3])


def gated(document: Document, agent: Version | None) -> Iterator[Problem]:
    """Keys that this agent does not know."""
    if agent is None:
        return
    for gate in GATES:
        if not _has(document, gate.path):
            continue
        instead = f"use {gate.instead}" if gate.instead else "leave it out, or upgrade the agent"
        if gate.since and agent < gate.since:
            yield Problem(
                gate.path, f"is known from agent {_told(gate.since)} on, and this one is {_told(agent)}; {instead}."
            )
        elif gate.until and agent >= gate.until:
            yield Problem(
                gate.path, f"is not known from agent {_told(gate.until)} on, and this one is {_told(agent)}; {instead}."
            )


def deprecated(document: Document, agent: Version | None) -> Iterator[Problem]:
    """Keys that work, or did, and have a replacement."""
    for gate in GATES:
        if gate.deprecated is None or not _has(document, gate.path):
            continue
        refused = bool(gate.until and agent and agent >= gate.until)
        if not refused and (agent is None or agent >= gate.deprecated):
            advice = f"use {gate.instead}" if gate.instead else "leave it out"
            since = f" from agent {_told(gate.deprecated)} on" if gate.deprecated else ""
            yield Problem(gate.path, f"is deprecated{since}; {advice}.")


def _has(document: t.Any, path: Path) -> bool:
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True


def _told(version: Version) -> str:
    return ".".join(str(part) for part in version)
