# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repaves: the replacement of a cluster's nodes one by one, which Palette may want approved before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._reconcile import Step
from ..palette._errors import ConflictError
from ..palette._session import Scope, Session

PATH = "/v1/spectroclusters"
HOW_TO_APPROVE = "approve it with palette.edge.cluster_repave, or with approve_repave of palette.edge.cluster"


def pending(cluster: Mapping[str, Any] | None) -> bool:
    """Whether a repave of the cluster waits to be approved."""
    return state_of(cluster) == "Pending"


def state_of(cluster: Mapping[str, Any] | None) -> str:
    """Pending, Approved, Reverted, or "" when there never was one."""
    status = (cluster or {}).get("status") or {}
    return str((status.get("repave") or {}).get("state") or "")


def read(session: Session, scope: Scope, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The repave that Palette tells of, as a result: state, why, who asked for it, and what is said of it."""
    metadata = cluster["metadata"]
    name = metadata.get("name", "")
    what = f"read why the cluster {name} is to be repaved"
    answer = session.request("GET", f"{PATH}/{metadata['uid']}/repave/status", scope=scope, what=what) or {}
    spec, status = answer.get("spec") or {}, answer.get("status") or {}
    return {
        # The status of the cluster is what forbids changes, so it is what counts.
        "state": state_of(cluster),
        "reasons": reasons_of(spec.get("reasons")),
        "source": spec.get("source") or "",
        "message": status.get("message") or "",
    }


def predict(session: Session, scope: Scope, uid: str, bodies: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Whether attaching these profiles would repave the nodes, and why; it writes nothing."""
    answer = session.request(
        "POST",
        f"{PATH}/{uid}/validate/repave",
        scope=scope,
        what=f"ask whether the cluster {name} would be repaved",
        body={"profiles": list(bodies)},
        reads=True,
    )
    answer = answer or {}
    return {"required": bool(answer.get("isRepaveRequired")), "reasons": reasons_of(answer.get("reasons"))}


def reasons_of(reasons: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Palette's reasons, in words."""
    return [_words(reason) for reason in reasons or []]


def approval(name: str, uid: str, scope: Scope) -> Step:
    """The step that approves."""
    return Step(
        says=f"approve the repave of the cluster {name}",
        method="PATCH",
        path=f"{PATH}/{uid}/repave/approve",
        scope=scope,
    )


def because(reasons: Sequence[str]) -> str:
    """The reasons at the end of a sentence."""
    return f" ({'; '.join(reasons[:5])})" if reasons else ""


def waiting(name: str, reasons: Sequence[str]) -> ConflictError:
    """What forbids a change while a repave waits."""
    return ConflictError(
        f"The cluster {name} waits for the approval of a repave{because(reasons)} and takes no change before: "
        f"{HOW_TO_APPROVE}"
    )


def _words(reason: Mapping[str, Any]) -> str:
    text = str(reason.get("message") or reason.get("code") or "no reason given")
    pack = reason.get("pack") or {}
    current, target = pack.get("current") or {}, pack.get("target") or {}
    name = target.get("name") or current.get("name") or ""
    if name and name not in text:
        text = f"{name}: {text}"
    versions = [str(one.get("version") or one.get("tag") or "") for one in (current, target)]
    if all(versions) and versions[0] != versions[1] and not all(one in text for one in versions):
        text += f" ({versions[0]} to {versions[1]})"
    keys = [key for key in pack.get("diffConfigKeys") or [] if key not in text]
    return text + (f" (changed: {', '.join(keys[:5])})" if keys else "")
