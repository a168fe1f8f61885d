# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Palette upgrades its agents by itself: of one cluster, or of all in a project or the tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._reconcile import Plan, Step
from ..palette._session import Scope, Session

PATH = "/v1/spectroclusters"
_ALL = f"{PATH}/upgrade/settings"
_ANNOTATION = "spectroComponentsUpgradeForbidden"


def paused_of(cluster: Mapping[str, Any] | None) -> bool:
    """Whether the agent upgrades of a cluster are paused."""
    annotations = ((cluster or {}).get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(_ANNOTATION) or "").lower() == "true"


def pause(name: str, uid: str, *, paused: bool, scope: Scope, settle: Callable[[], str | None] | None) -> Step:
    """The step for one cluster; ``uid`` may be the name of one that an earlier step binds."""
    return Step(
        says=f"{'pause' if paused else 'let go on'} the agent upgrades of the cluster {name}",
        method="POST",
        path=f"{PATH}/{uid}/upgrade/settings",
        scope=scope,
        body=_body(paused),
        settle=settle,
    )


def read(session: Session, scope: Scope) -> bool:
    """Whether they are paused in the whole scope."""
    answer = session.request("GET", _ALL, scope=scope, what="read whether agent upgrades are paused") or {}
    return answer.get("spectroComponents") == "lock"


def plan(have: bool, want: bool, *, scope: Scope, settle: Callable[[], str | None]) -> Plan:
    """The step for a project or the tenant."""
    if have == want:
        return Plan()
    where = "project" if scope.project_uid else "tenant"
    step = Step(
        says=f"{'pause' if want else 'let go on'} the agent upgrades of the {where}",
        method="POST",
        path=_ALL,
        scope=scope,
        body=_body(want),
        settle=settle,
    )
    return Plan(steps=[step], before={"paused": have}, after={"paused": want})


def _body(paused: bool) -> dict[str, str]:
    return {"spectroComponents": "lock" if paused else "unlock"}
