# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleting a cluster, and forcing it when the normal way does not end: Edge hosts that nobody can reach hold it up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import InputError
from ..palette._session import Scope
from . import _moments as moments

PATH = "/v1/spectroclusters"
SHORTEST = 15
"""Minutes that the normal way must have at the least."""


def check_delay(minutes: int) -> None:
    """Refuses a delay in which no cluster can be deleted the normal way.

    :raises InputError: when it is too short.
    """
    if minutes < SHORTEST:
        raise InputError(
            f"force_delete_delay: {minutes} minutes are too few, Palette's rule is {SHORTEST} at the least"
        )


def plan_removal(
    cluster: Mapping[str, Any] | None, *, name: str, force: bool, delay: int, scope: Scope, now: dt.datetime
) -> Plan:
    """The step that deletes; for one that is being deleted for longer than ``delay`` minutes, the one that forces it."""
    if cluster is None:
        return Plan()
    uid = cluster["metadata"]["uid"]
    if (cluster.get("status") or {}).get("state") != "Deleting":
        step = Step(
            says=f"delete the cluster {name}",
            method="DELETE",
            path=f"{PATH}/{uid}",
            scope=scope,
            gone_is_done=True,
        )
        return Plan(steps=[step], before={"name": name})
    if not force or not overdue(cluster, delay=delay, now=now):
        return Plan()
    return Plan(steps=[forced(name, uid, scope)], before={"name": name, "state": "Deleting"})


def forced(name: str, uid: str, scope: Scope) -> Step:
    """The step that forces the deletion."""
    return Step(
        says=f"force the deletion of the cluster {name}",
        method="DELETE",
        path=f"{PATH}/{uid}",
        scope=scope,
        params={"forceDelete": "true"},
        gone_is_done=True,
    )


def overdue(cluster: Mapping[str, Any], *, delay: int, now: dt.datetime, since: dt.datetime | None = None) -> bool:
    """Whether the cluster is being deleted for longer than ``delay`` minutes.

    :param since: when that was first seen, for a Palette that does not tell when it began.
    """
    metadata = cluster["metadata"]
    began = moments.instant(metadata.get("deletionTimestamp"))
    if began is None:
        began = since or moments.instant(metadata.get("lastModifiedTimestamp"))
    return began is not None and now - began >= dt.timedelta(minutes=delay)
