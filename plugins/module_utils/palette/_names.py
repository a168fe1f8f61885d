# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names to UIDs: users write names, Palette wants UIDs, and a name may be missing or borne twice."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ._errors import InputError
from ._session import TENANT, Scope, Session


def pick(objects: Iterable[Mapping[str, str]], wanted: str, *, kind: str, option: str, where: str = "") -> str:
    """The UID of the one object whose name or UID is ``wanted``.

    :param objects: each with C(name) and C(uid).
    :raises InputError: when none or several bear it; the text lists those that match or come near.
    """
    listed = list(objects)
    hits = [one for one in listed if one["name"] == wanted]
    if len(hits) == 1:
        return hits[0]["uid"]
    if len(hits) > 1:
        uids = ", ".join(sorted(one["uid"] for one in hits))
        raise InputError(f"{option}: {len(hits)} {kind}s are named {wanted!r}{where}: give one of their UIDs ({uids})")
    if any(one["uid"] == wanted for one in listed):
        return wanted
    raise InputError(f"{option}: no {kind} {wanted!r}{where}. {nearest(wanted, (one['name'] for one in listed))}")


def nearest(wanted: str, names: Iterable[str], *, most: int = 5) -> str:
    """A sentence that lists the names that match ``wanted`` loosely, or some of what there is."""
    listed = sorted(set(names))
    if not listed:
        return "There are none that this key can see"
    near = (
        [name for name in listed if wanted.lower() in name.lower() or name.lower() in wanted.lower()] if wanted else []
    )
    near += [name for name in difflib.get_close_matches(wanted, listed, n=most, cutoff=0.5) if name not in near]
    if near:
        return "Those that come near: " + ", ".join(near[:most])
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return "There are: " + ", ".join(listed[:most]) + rest


def projects(session: Session) -> list[dict[str, str]]:
    """Name and UID of every project that the key can see."""
    answer = session.request("GET", "/v1/dashboard/projects/metadata", scope=TENANT, what="list projects") or {}
    return [
        {"name": item["metadata"].get("name", ""), "uid": item["metadata"]["uid"]} for item in answer.get("items") or []
    ]


def project_uid(session: Session, wanted: str, *, option: str = "project") -> str:
    """UID of the project of this name or UID."""
    return pick(projects(session), wanted, kind="project", option=option)


def scope_of(session: Session) -> Scope:
    """The scope that the connection's options ask for."""
    if session.connection.tenant_scope:
        return TENANT
    return Scope(project_uid(session, session.connection.project))


def text_of(value: Any) -> str:
    """A value as text, as YAML writes it: Python would make C(True) of a C(true)."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def labels_of(tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags as Palette's labels: a tag without a value is stored as C(spectro__tag)."""
    return {key: "spectro__tag" if value in (None, "") else text_of(value) for key, value in (tags or {}).items()}


def tags_of(labels: Mapping[str, Any] | None) -> dict[str, str]:
    """Palette's labels as tags, the reverse of :func:`labels_of`."""
    return {key: "" if value == "spectro__tag" else str(value) for key, value in (labels or {}).items()}
