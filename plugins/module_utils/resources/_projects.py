# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects, as they are listed."""

from __future__ import annotations

from typing import Any

from ..palette._names import tags_of
from ..palette._session import TENANT, Session

PATH = "/v1/dashboard/projects"


def listing(session: Session, name: str | None = None) -> list[dict[str, Any]]:
    """The projects that the key can see, sorted by name, or the one of a name."""
    wanted = {"filter": {"name": {"eq": name, "ignoreCase": False}}} if name else {}
    items = session.pages("POST", PATH, scope=TENANT, what="list projects", body=wanted)
    found = [_described(item) for item in items if name in (None, "", item["metadata"].get("name"))]
    return sorted(found, key=lambda one: str(one["name"]))


def _described(item: dict[str, Any]) -> dict[str, Any]:
    metadata, status = item["metadata"], item.get("status") or {}
    return {
        "uid": metadata["uid"],
        "name": metadata.get("name") or "",
        "description": (metadata.get("annotations") or {}).get("description") or "",
        "tags": tags_of(metadata.get("labels")),
        "clusters": len((status.get("usage") or {}).get("clusters") or []),
    }
