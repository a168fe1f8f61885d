# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries: from the names that people write to UIDs, and what is known of their synchronisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..palette._errors import InputError
from ..palette._names import pick
from ..palette._session import Scope, Session

# type of a pack -> what the kind of its registry has in its name
_KINDS = {"spectro": ("pack", "spectro"), "helm": ("helm",), "oci": ("oci", "ecr")}


def registries(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """Every registry that the key can see: C(uid), C(name), C(kind), C(scope), C(private), C(default)."""
    answer = session.request(
        "GET", "/v1/registries/metadata", scope=scope, what="list registries", params={"scope": "all"}
    )
    return [
        {
            "uid": item["uid"],
            "name": item["name"],
            "kind": item.get("kind") or "",
            "scope": item.get("scope") or "",
            "private": bool(item.get("isPrivate")),
            "default": bool(item.get("isDefault")),
        }
        for item in (answer or {}).get("items") or []
    ]


def pick_registry(listed: Sequence[dict[str, Any]], wanted: str, *, pack_type: str, option: str) -> str:
    """UID of the registry of this name or UID; of several of one name, that whose kind fits the pack's type.

    :raises InputError: when there is none, or more than one.
    """
    named = [one for one in listed if one["name"] == wanted]
    if len(named) > 1:
        words = _KINDS.get(pack_type, ())
        fitting = [one for one in named if any(word in str(one["kind"]).lower() for word in words)]
        if len(fitting) == 1:
            return str(fitting[0]["uid"])
        uids = ", ".join(sorted(str(one["uid"]) for one in named))
        raise InputError(f"{option}: {len(named)} registries are named {wanted!r}: give one of their UIDs ({uids})")
    return pick(listed, wanted, kind="registry", option=option)


def synchronisation(session: Session, scope: Scope) -> dict[str, dict[str, Any]]:
    """UID -> C(endpoint), C(sync_supported), C(sync_status), C(sync_message), C(last_synced)."""
    found: dict[str, dict[str, Any]] = {}
    listed: list[dict[str, Any]] = []
    for kind in ("pack", "helm"):
        listed += session.pages("GET", f"/v1/registries/{kind}/summary", scope=scope, what=f"list {kind} registries")
    answer = session.request("GET", "/v1/registries/oci/summary", scope=scope, what="list OCI registries")
    for item in [*listed, *((answer or {}).get("items") or [])]:
        sync = (item.get("status") or {}).get("sync") or {}
        found[item["metadata"]["uid"]] = {
            "endpoint": (item.get("spec") or {}).get("endpoint") or "",
            "sync_supported": bool(sync.get("isSyncSupported")),
            "sync_status": sync.get("status") or "",
            "sync_message": sync.get("message") or "",
            "last_synced": sync.get("lastSyncedTime") or "",
        }
    return found
