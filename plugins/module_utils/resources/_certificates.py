# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of a cluster's control plane: when they end, and their renewal, which takes minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from .._reconcile import Plan, Step
from ..palette._errors import MissingError
from ..palette._session import Scope, Session
from . import _moments as moments

PATH = "/v1/spectroclusters"


def read(session: Session, scope: Scope, uid: str, name: str) -> list[dict[str, str]]:
    """Each certificate with its machine, its authority and its end, those that end first at the top."""
    what = f"read the certificates of the cluster {name}"
    answer = session.request("GET", f"{PATH}/{uid}/k8certificates", scope=scope, what=what) or {}
    found = [
        {
            "machine": machine.get("name") or "",
            "authority": authority.get("name") or "",
            "name": certificate.get("name") or "",
            "expires": certificate.get("expiry") or "",
        }
        for machine in answer.get("machineCertificates") or []
        for authority in machine.get("certificateAuthorities") or []
        for certificate in authority.get("certificates") or []
    ]
    return sorted(found, key=lambda one: (one["expires"], one["machine"], one["name"]))


def first_end(certificates: Sequence[Mapping[str, str]]) -> dt.datetime | None:
    """When the first of them ends; None where no end is known."""
    known = [when for when in (moments.instant(one["expires"]) for one in certificates) if when is not None]
    return min(known, default=None)


def describe(name: str, certificates: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The certificates as a result."""
    first = first_end(certificates)
    expires = next((one["expires"] for one in certificates if moments.instant(one["expires"]) == first), "")
    return {
        "name": name,
        "expires": expires,
        "days_left": (first - moments.utc_now()).days if first is not None else 0,
        "certificates": [dict(one) for one in certificates],
    }


def plan(
    certificates: Sequence[Mapping[str, str]],
    *,
    name: str,
    uid: str,
    days: int,
    force: bool,
    now: dt.datetime,
    scope: Scope,
) -> Plan:
    """The step that renews, when one of them ends within ``days`` or it is forced.

    :raises MissingError: when the cluster has none yet.
    """
    first = first_end(certificates)
    if first is None:
        raise MissingError(
            f"The cluster {name} tells of no certificates yet: they come once its control plane is formed. "
            "Wait for the cluster with palette.edge.wait and run again"
        )
    if not force and first > now + dt.timedelta(days=days):
        return Plan()
    left = (first - now).days
    step = Step(
        says=f"renew the certificates of the control plane of the cluster {name}",
        method="PATCH",
        path=f"{PATH}/{uid}/k8certificates/renew",
        scope=scope,
    )
    words = f"end in {left} days" if left >= 0 else f"ended {-left} days ago"
    return Plan(
        steps=[step], before={"name": name, "certificates": words}, after={"name": name, "certificates": "renewed"}
    )


def renewed(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> tuple[bool, str]:
    """Whether every certificate that was there has a new end, and how far it is in words."""
    old = {_key(one): moments.instant(one["expires"]) for one in before}
    new = {_key(one): moments.instant(one["expires"]) for one in after}
    later = [key for key, when in old.items() if when is not None and (new.get(key) or when) > when]
    return bool(old) and len(later) == len(old), f"{len(later)} of {len(old)} certificates renewed"


def _key(one: Mapping[str, str]) -> tuple[str, str, str]:
    return one["machine"], one["authority"], one["name"]
