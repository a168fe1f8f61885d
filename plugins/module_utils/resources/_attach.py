# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster definition needs from Palette before it is written: its profiles by UID, and Palette's own opinion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..palette._errors import InputError
from ..palette._names import nearest, text_of
from ..palette._session import TENANT, Scope, Session
from ._attached import Attachment
from ._cluster import PATH, DesiredCluster, body_of
from ._cluster_profile import describe, listing, read_uid, versions


def resolve_profiles(
    session: Session,
    scope: Scope,
    wanted: Sequence[Mapping[str, Any]] | None,
    *,
    lenient: bool,
    warn: Callable[[str], None],
    hide: Callable[[list[str]], None],
) -> list[Attachment] | None:
    """Profiles with their UIDs; those of the project come before those of the tenant.

    :param lenient: in check mode, a profile that is not there yet is a warning: an earlier phase would publish it.
    :param hide: takes the values that are secrets, before anything can show them: only the profile knows which are.
    :raises InputError: for an unknown name or version, and a name that two profiles bear.
    """
    if wanted is None:
        return None
    attachments = []
    for index, one in enumerate(wanted):
        uid = _find(session, scope, one, f"profiles[{index}]", lenient=lenient, warn=warn)
        variables = {name: text_of(value) for name, value in (one.get("variables") or {}).items()}
        if variables:
            hide(_secrets(session, scope, uid, variables))
        attachments.append(
            Attachment(
                name=one["name"],
                version=one["version"],
                uid=uid,
                type=describe(read_uid(session, scope, uid))["type"] if uid else "add-on",
                variables=variables,
                pack_values=one.get("pack_values"),
            )
        )
    return attachments


def _secrets(session: Session, scope: Scope, uid: str, values: Mapping[str, str]) -> list[str]:
    """Those of the values that are of sensitive variables; all of them when the profile is not there to tell."""
    if not uid:
        return list(values.values())
    answer = session.request("GET", f"/v1/clusterprofiles/{uid}/variables", scope=scope, what="read profile variables")
    sensitive = {one["name"] for one in (answer or {}).get("variables") or [] if one.get("isSensitive")}
    return [value for name, value in values.items() if name in sensitive]


def _find(
    session: Session,
    scope: Scope,
    wanted: Mapping[str, Any],
    option: str,
    *,
    lenient: bool,
    warn: Callable[[str], None],
) -> str:
    name, version = wanted["name"], wanted["version"]
    found = versions(session, scope, name)
    if not found and scope.project_uid:
        found = versions(session, TENANT, name)
    hits = found.get(version, [])
    if len(hits) == 1:
        return hits[0]
    if len(hits) > 1:
        raise InputError(
            f"{option}.name: {len(hits)} cluster profiles are named {name!r} with version {version} "
            f"({', '.join(hits)}): remove all but one"
        )
    if found:
        problem = f"{option}.version: the cluster profile {name} has no version {version}. {nearest(version, found)}"
    else:
        names = nearest(name, (one["name"] for one in listing(session, scope)))
        problem = f"{option}.name: there is no cluster profile {name!r}. {names}"
    if not lenient:
        raise InputError(problem)
    warn(f"{problem}. A real run needs it to be published before")
    return ""


def validate(session: Session, scope: Scope, desired: DesiredCluster) -> None:
    """Asks Palette to judge the definition; it writes nothing.

    :raises InputError: with everything that Palette finds wrong.
    """
    answer = (
        session.request(
            "POST",
            f"{PATH}/edge-native/validate",
            scope=scope,
            what=f"validate the definition of the cluster {desired.name}",
            body=body_of(desired),
            reads=True,
        )
        or {}
    )
    groups = [(answer.get("machinePools") or {}).get("results") or []]
    groups += [(profile.get("packs") or {}).get("results") or [] for profile in answer.get("profiles") or []]
    problems = [
        f"{result.get('displayName') or result.get('name') or 'definition'}: {error.get('message') or error.get('code')}"
        for group in groups
        for result in group
        for error in result.get("errors") or []
    ]
    if problems:
        raise InputError(f"Palette refuses the definition of the cluster {desired.name}: {'; '.join(problems)}")
