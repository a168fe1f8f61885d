# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles on a cluster: one UID for each version, replaced by naming the one that goes, variables apart.

PATCH adds and replaces, DELETE detaches; PUT would also detach what others attached, so it is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._reconcile import Plan, Step, differing
from ..palette._session import Scope


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A profile to attach. ``uid`` is empty only in check mode, for a profile that is not there yet."""

    name: str
    version: str
    uid: str = ""
    type: str = "cluster"
    variables: Mapping[str, str] | None = None
    pack_values: Mapping[str, str] | None = None


def described(template: Mapping[str, Any]) -> dict[str, str]:
    """An attached profile as a result."""
    return {
        "name": template.get("name", ""),
        "version": template.get("profileVersion", ""),
        "uid": template.get("uid", ""),
    }


def shown(one: Attachment) -> dict[str, str]:
    """A profile that is to be attached, as a result."""
    return {"name": one.name, "version": one.version, "uid": one.uid}


def plan_profiles(
    result: Plan,
    attached: Sequence[Mapping[str, Any]],
    wanted: Sequence[Attachment],
    *,
    known_variables: Mapping[str, Mapping[str, Mapping[str, Any]]],
    path: str,
    scope: Scope,
    purge: bool,
    name: str,
) -> None:
    """Adds the steps from the attached profiles to the wanted ones to ``result``.

    :param known_variables: profile UID -> variable name -> variable.
    :param path: of the cluster; ``name`` is its name.
    """
    bodies = []
    replaced = set()
    variables = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one in wanted:
        there = next((template for template in attached if template.get("name") == one.name), None)
        if there is None and one.type in ("cluster", "infra"):
            there = next((template for template in attached if template.get("type") in ("cluster", "infra")), None)
        if there is not None:
            replaced.add(there["uid"])
        packs = {pack["name"]: str(pack.get("values") or "").strip() for pack in (there or {}).get("packs") or []}
        overrides = {layer: values.strip() for layer, values in (one.pack_values or {}).items()}
        if there is None or there["uid"] != one.uid or differing(packs, overrides):
            body = attachment_body(one)
            if there is not None and there["uid"] != one.uid:
                body["replaceWithProfile"] = there["uid"]
            bodies.append(body)
            before[one.name] = {"version": there.get("profileVersion", "")} if there else {}
            after[one.name] = {"version": one.version}
            for layer in differing(packs, overrides):
                before[one.name][f"values of {layer}"] = packs.get(layer, "")
                after[one.name][f"values of {layer}"] = overrides[layer]
        elif one.variables:
            known = known_variables.get(one.uid, {})
            # A sensitive value is masked when read: it is sent with a new version only, never compared.
            have = {key: known.get(key, {}).get("value", "") for key in one.variables}
            changes = {
                key: value
                for key, value in differing(have, one.variables).items()
                if not known.get(key, {}).get("isSensitive")
            }
            if changes:
                variables.append({"profileUid": one.uid, "variables": _variables(changes)})
                before[one.name] = {"variables": {key: have[key] for key in changes}}
                after[one.name] = {"variables": changes}
    extra = [template for template in attached if template["uid"] not in replaced] if purge else []
    if extra:
        names = ", ".join(template.get("name", "") for template in extra)
        before.update({template.get("name", ""): {"version": template.get("profileVersion", "")} for template in extra})
        result.steps.append(
            Step(
                says=f"detach the profile {names} from the cluster {name}",
                method="DELETE",
                path=f"{path}/profiles",
                scope=scope,
                body={"profileUids": [template["uid"] for template in extra]},
            )
        )
    if bodies:
        result.steps.append(
            Step(
                says=f"attach {', '.join(one.name for one in wanted if one.name in after)} to the cluster {name}",
                method="PATCH",
                path=f"{path}/profiles",
                scope=scope,
                params={"resolveNotification": "true"},
                body={"profiles": bodies, "spcApplySettings": {"actionType": "DownloadAndInstall"}},
            )
        )
    if variables:
        result.steps.append(
            Step(
                says=f"set profile variables of the cluster {name}",
                method="PATCH",
                path=f"{path}/variables",
                scope=scope,
                body=variables,
            )
        )
    if before or after:
        result.before["profiles"], result.after["profiles"] = before, after
        gone = replaced | {template["uid"] for template in extra}
        result.predicted["profiles"] = [shown(one) for one in wanted]
        result.predicted["profiles"] += [described(template) for template in attached if template["uid"] not in gone]


def attachment_body(one: Attachment) -> dict[str, Any]:
    """The attachment as it is written."""
    body: dict[str, Any] = {"uid": one.uid}
    if one.pack_values:
        body["packValues"] = [{"name": name, "values": values.strip()} for name, values in one.pack_values.items()]
    if one.variables:
        body["variables"] = _variables(one.variables)
    return body


def _variables(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in values.items()]
