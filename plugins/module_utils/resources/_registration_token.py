# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registration tokens: what a token is in Palette and what leads to the desired one.

Tenant scope only: no call here carries a project. The name is the key, and nothing promises that it is unique. The
secret is readable later, but is handed out by :func:`secret` alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step, differing
from ..palette._errors import InputError, MissingError
from ..palette._names import nearest
from ..palette._session import TENANT, Session

PATH = "/v1/edgehosts/tokens"


@dataclass(frozen=True, kw_only=True)
class DesiredToken:
    """None means "leave it as it is" (and Palette's default on creation)."""

    name: str
    present: bool = True
    description: str | None = None
    project_uid: str | None = None
    expires: dt.datetime | None = None
    expires_in_days: int | None = None
    active: bool | None = None


def moment(text: str, *, option: str) -> dt.datetime:
    """A date (midnight UTC, as Palette's own tools send it) or RFC 3339 time as an aware datetime.

    :raises InputError: when it is neither.
    """
    try:
        parsed = dt.datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise InputError(
            f"{option}: {text!r} is neither a date (2027-12-31) nor an RFC 3339 time (2027-12-31T12:00:00Z)"
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.timezone.utc)


def future(text: str, *, option: str, now: dt.datetime) -> dt.datetime:
    """:func:`moment`, refused when it is not after ``now``."""
    parsed = moment(text, option=option)
    if parsed <= now:
        raise InputError(f"{option}: {text} is past, no Edge host could register with this token: give a later date")
    return parsed


def check_days(days: int | None) -> None:
    """Refuses days after which no token could be of use, and more than a calendar holds."""
    if days is not None and not 1 <= days <= 36500:
        raise InputError(f"expires_in_days: {days} is not between 1 and 36500")


def wire_time(when: dt.datetime) -> str:
    """``when`` as Palette writes it."""
    utc = when.astimezone(dt.timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def find(session: Session, name: str) -> dict[str, Any] | None:
    """The token of this name or UID, or None.

    :raises InputError: when several bear the name.
    """
    tokens = _all(session)
    hits = [token for token in tokens if token["metadata"].get("name") == name]
    if len(hits) > 1:
        uids = ", ".join(token["metadata"]["uid"] for token in hits)
        raise InputError(
            f"name: {len(hits)} registration tokens are named {name!r} ({uids}): remove all but one, or give a UID"
        )
    if hits:
        return hits[0]
    return next((token for token in tokens if token["metadata"].get("uid") == name), None)


def secret(session: Session, name: str) -> str:
    """The secret of the active token of this name or UID.

    :raises InputError: when there is none, or it is disabled.
    """
    token = find(session, name)
    if token is None:
        names = nearest(name, (one["metadata"].get("name", "") for one in _all(session)))
        raise MissingError(f"There is no registration token {name!r}. {names}. The phase register makes it")
    if not (token.get("status") or {}).get("isActive"):
        raise InputError(f"The registration token {name!r} is disabled: no Edge host could register with it. Enable it")
    found = (token.get("spec") or {}).get("token")
    if not found:
        raise InputError(f"Palette does not tell the secret of the registration token {name!r}: has the key the right?")
    return str(found)


def describe(token: Mapping[str, Any] | None) -> dict[str, Any]:
    """The token as a result, without its secret."""
    if token is None:
        return {}
    metadata, spec = token["metadata"], token.get("spec") or {}
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name", ""),
        "description": (metadata.get("annotations") or {}).get("description", ""),
        "project_uid": (spec.get("defaultProject") or {}).get("uid", ""),
        "project": (spec.get("defaultProject") or {}).get("name", ""),
        "expires": spec.get("expiry", ""),
        "active": bool((token.get("status") or {}).get("isActive")),
    }


def listing(session: Session, name: str | None) -> list[dict[str, Any]]:
    """Every token, or those of this name or UID, as results."""
    found = (describe(token) for token in _all(session))
    return [token for token in found if name is None or name in (token["name"], token["uid"])]


def plan(current: Mapping[str, Any] | None, desired: DesiredToken, *, now: dt.datetime, settle: Any = None) -> Plan:
    """The steps from ``current`` (Palette's own shape, or None) to ``desired``."""
    if not desired.present:
        return _removal(current)
    expires = desired.expires
    if current is None and expires is None and desired.expires_in_days is not None:
        expires = now + dt.timedelta(days=desired.expires_in_days)
    have = describe(current)
    if have.get("expires"):
        have["expires"] = wire_time(moment(have["expires"], option="expires"))
    want: dict[str, Any] = {"name": desired.name if current is None else have["name"]}
    if desired.description is not None:
        want["description"] = desired.description
    if desired.project_uid is not None:
        want["project_uid"] = desired.project_uid
    if expires is not None:
        want["expires"] = wire_time(expires)
    if desired.active is not None:
        want["active"] = desired.active

    if current is None:
        if expires is None:
            raise InputError(
                f"expires: the new registration token {desired.name!r} needs an expiry date or expires_in_days"
            )
        result = Plan(after={"active": True, **want})
        result.steps.append(_create(desired.name, want, settle))
        if desired.active is False:
            result.steps.append(_switch(desired.name, "{token}", active=False))
        return result

    changes = differing(have, want)
    result = Plan(before={key: have.get(key) for key in want}, after=want)
    uid = have["uid"]
    if set(changes) - {"active"}:
        words = ", ".join(sorted(set(changes) - {"active"}))
        whole = {**have, **want}
        result.steps.append(
            Step(
                says=f"update {words} of registration token {have['name']}",
                method="PUT",
                path=f"{PATH}/{uid}",
                scope=TENANT,
                body=_body(whole, uid=uid),
            )
        )
    if "active" in changes:
        result.steps.append(_switch(have["name"], uid, active=bool(want["active"])))
    return result


def _all(session: Session) -> list[dict[str, Any]]:
    answer = session.request("GET", PATH, scope=TENANT, what="list registration tokens") or {}
    items: list[dict[str, Any]] = answer.get("items") or []
    return items


def _create(name: str, want: Mapping[str, Any], settle: Any) -> Step:
    return Step(
        says=f"create registration token {name}",
        method="POST",
        path=PATH,
        scope=TENANT,
        body=_body(want),
        binds="token",
        settle=settle,
    )


def _switch(name: str, uid: str, *, active: bool) -> Step:
    return Step(
        says=f"{'enable' if active else 'disable'} registration token {name}",
        method="PUT",
        path=f"{PATH}/{uid}/state",
        scope=TENANT,
        body={"isActive": active},
    )


def _body(want: Mapping[str, Any], *, uid: str = "") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": want["name"]}
    if uid:
        metadata["uid"] = uid
    if want.get("description"):
        metadata["annotations"] = {"description": want["description"]}
    spec: dict[str, Any] = {"expiry": want["expires"]}
    if want.get("project_uid"):
        spec["defaultProjectUid"] = want["project_uid"]
    return {"metadata": metadata, "spec": spec}


def _removal(current: Mapping[str, Any] | None) -> Plan:
    if current is None:
        return Plan()
    have = describe(current)
    step = Step(
        says=f"delete registration token {have['name']}",
        method="DELETE",
        path=f"{PATH}/{have['uid']}",
        scope=TENANT,
        gone_is_done=True,
    )
    return Plan(steps=[step], before={"name": have["name"]})
