# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Description and tags, which profiles and clusters have alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._reconcile import Plan, Step, differing
from ..palette._names import labels_of, tags_of
from ..palette._session import Scope


def plan_metadata(
    result: Plan,
    have: Mapping[str, Any],
    *,
    name: str,
    description: str | None,
    tags: Mapping[str, Any] | None,
    what: str,
    path: str,
    scope: Scope,
    body: Mapping[str, Any] | None = None,
) -> list[Step]:
    """The step that sets description and tags, if one is needed; notes the change in ``result``.

    :param have: the object as a result, with ``description`` and ``tags``.
    :param what: the object in words; ``path`` is its own; ``body`` goes beside the metadata.
    """
    want: dict[str, Any] = {}
    if description is not None:
        want["description"] = description
    if tags is not None:
        want["tags"] = tags_of(labels_of(tags))
    changes = differing(have, want)
    if not changes:
        return []
    result.before.update({key: have[key] for key in changes})
    result.after.update(changes)
    merged = {**have, **want}
    metadata = {
        "name": name,
        "labels": labels_of(merged["tags"]),
        # Annotations that others set are kept by not sending them.
        "annotations": {"description": merged["description"]},
    }
    return [
        Step(
            says=f"set {' and '.join(sorted(changes))} of {what}",
            method="PATCH",
            path=f"{path}/metadata",
            scope=scope,
            body={"metadata": metadata, **(body or {})},
        )
    ]
