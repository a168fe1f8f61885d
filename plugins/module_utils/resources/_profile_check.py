# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Palette's own opinion of the layers that a plan would write, asked for before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._reconcile import Plan
from ..palette._errors import InputError, NotFoundError
from ..palette._session import Scope, Session
from ._profile_read import PATH

# The request has no place for variables, so Palette cannot know them: they are held against the layers here.
_NOT_ASKED = ("PackVariablesUndefined",)


def check_layers(session: Session, scope: Scope, planned: Plan, *, cloud: str, kind: str) -> Plan:
    """The plan, once Palette has nothing against its layers; a plan that writes none is not asked about.

    :raises InputError: with what Palette has against them.
    """
    packs = next((found for found in (_layers(step.body) for step in planned.steps) if found), None)
    if packs is None:
        return planned
    template = {"cloudType": cloud, "type": kind, "packs": [_entity(one) for one in packs]}
    try:
        answer = session.request(
            "POST", f"{PATH}/validate/packs", scope=scope, what="check layers", body=template, reads=True
        )
    except NotFoundError:
        # What is missing is told, by name, when the layers are written.
        return planned
    problems = []
    for result in ((answer or {}).get("packs") or {}).get("results") or []:
        for error in result.get("errors") or []:
            if error.get("code") not in _NOT_ASKED:
                text = str(error.get("message") or error.get("code") or "").rstrip(". ")
                problems.append(f"packs: Palette refuses the layer {result.get('name')}: {text}")
    if problems:
        raise InputError("; ".join(problems))
    return planned


def _layers(body: Any) -> list[Mapping[str, Any]] | None:
    if not isinstance(body, Mapping) or not isinstance(body.get("spec"), Mapping):
        return None
    found: list[Mapping[str, Any]] | None = (body["spec"].get("template") or {}).get("packs")
    return found


def _entity(pack: Mapping[str, Any]) -> dict[str, Any]:
    """A layer as a new profile would have it: its manifests without the UIDs that they have."""
    made = dict(pack)
    if "manifests" in made:
        made["manifests"] = [{"name": one["name"], "content": one["content"]} for one in made["manifests"]]
    return made
