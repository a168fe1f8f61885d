# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Palette noted of a cluster: the events of its components, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..palette._errors import PaletteError, TerminalStateError, WaitTimeoutError
from ..palette._session import Scope, Session

_ORDER = "metadata.creationTimestamp=-1"
_LONGEST = 200


def latest(session: Session, scope: Scope, uid: str, *, most: int = 50) -> list[dict[str, Any]]:
    """The newest events of a cluster, one page of them at most."""
    answer = session.request(
        "GET",
        f"/v1/events/components/spectrocluster/{uid}",
        scope=scope,
        what=f"read the events of the cluster {uid}",
        params={"limit": most, "orderBy": _ORDER},
    )
    listed = [_described(event) for event in (answer or {}).get("items") or []]
    return sorted(listed, key=lambda event: str(event["time"]), reverse=True)[:most]


def in_words(session: Session, scope: Scope, uid: str, *, most: int = 3) -> str:
    """The newest events in one sentence, "" where there are none or they cannot be read. Trouble goes first."""
    try:
        listed = latest(session, scope, uid, most=20)
    except PaletteError:
        # It only adds to an error that is told anyway.
        return ""
    troubled = [event for event in listed if event["severity"].lower() not in ("", "info", "normal")]
    told = (troubled or listed)[:most]
    return f"Latest events: {'; '.join(_words(event) for event in told)}" if told else ""


@contextmanager
def told_on_failure(session: Session, scope: Scope, uid: Any) -> Iterator[None]:
    """A wait that fails inside tells the newest events, too. ``uid`` is called for the cluster's UID, "" for none."""
    try:
        yield
    except (WaitTimeoutError, TerminalStateError) as error:
        found = uid()
        words = in_words(session, scope, found) if found else ""
        if not words:
            raise
        raise type(error)(f"{str(error).rstrip('. ')}. {words}", **error.facts) from error


def _described(event: Mapping[str, Any]) -> dict[str, Any]:
    metadata = event.get("metadata") or {}
    return {
        "time": metadata.get("creationTimestamp") or metadata.get("lastModifiedTimestamp") or "",
        "severity": event.get("severity") or "",
        "reason": event.get("reason") or "",
        "message": " ".join(str(event.get("message") or "").split()),
        "object": (event.get("relatedObject") or event.get("involvedObject") or {}).get("name") or "",
    }


def _words(event: Mapping[str, Any]) -> str:
    text = event["message"] or event["reason"] or "no message"
    return f"{event['time']} {event['object'] + ': ' if event['object'] else ''}{text[:_LONGEST]}"
