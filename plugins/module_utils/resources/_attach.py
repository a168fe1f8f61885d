# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster definition needs from Palette before it is written: its profiles by UID, and Palette's own opinion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..palette._errors import InputError
from ..palette._names import nearest, text_of
from ..palette._session import TENANT, Scope, Session
from . import _repave as repave
from ._attached import Attachment
from ._attached_content import problems_of
from ._cluster import PATH, ClusterPlan, Current, DesiredCluster, body_of
from ._cluster_profile import listing, read_uid, versions
from ._profile_values import values_text
from ._yaml_text import text_of_yaml


def resolve_profiles(
    session: Session,
    scope: Scope,
    wanted: Sequence[Mapping[str, Any]] | None,
    *,
    lenient: bool,
    warn: Callable[[str], None],
    hide: Callable[[list[str]], None],
) -> list[Attachment] | None:
    """Profiles with their UIDs and what they declare; those of the project come before those of the tenant.

    :param lenient: in check mode, a profile that is not there yet is a warning: an earlier phase would publish it.
    :param hide: takes the values that are secrets, before anything can show them: only the profile knows which are.
    :raises InputError: for an unknown name or version, a name that two profiles bear, a layer, manifest or variable
        that the profile does not have, and a value that misses the rule of its variable.
    """
    if wanted is None:
        return None
    attachments = []
    problems: list[str] = []
    for index, one in enumerate(wanted):
        option = f"profiles[{index}]"
        given = _given(one, option)
        if not given.present:
            attachments.append(given)
            continue
        uid = _find(session, scope, one, option, lenient=lenient, warn=warn)
        if not uid:
            # The profile is not there to tell which of them are secrets.
            hide(list((given.variables or {}).values()))
            attachments.append(replace(given, type="add-on"))
            continue
        attachment = _known(session, scope, replace(given, uid=uid), lenient=lenient, warn=warn)
        secrets = {name for name, rule in (attachment.declared or {}).items() if rule.get("isSensitive")}
        hide([value for name, value in (given.variables or {}).items() if name in secrets])
        problems += problems_of(attachment)
        attachments.append(attachment)
    if problems:
        raise InputError("; ".join(problems))
    return attachments


def _given(one: Mapping[str, Any], option: str) -> Attachment:
    values = {layer: values_text(text, option=f"{option}.pack_values") for layer, text in _items(one, "pack_values")}
    manifests = {}
    for layer, contents in _items(one, "manifests"):
        if not isinstance(contents, Mapping):
            raise InputError(f"{option}.manifests: {layer} is no mapping of manifest names to contents")
        manifests[layer] = {name: text_of_yaml(text) for name, text in contents.items()}
    return Attachment(
        name=one["name"],
        version=one.get("version") or "",
        type="" if one.get("state") == "absent" else "cluster",
        present=one.get("state") != "absent",
        option=option,
        variables={name: "" if value is None else text_of(value) for name, value in _items(one, "variables")},
        pack_values={layer: text for layer, text in values.items() if text is not None},
        manifests=manifests,
    )


def _items(one: Mapping[str, Any], option: str) -> list[tuple[str, Any]]:
    return list((one.get(option) or {}).items())


def _known(
    session: Session, scope: Scope, one: Attachment, *, lenient: bool, warn: Callable[[str], None]
) -> Attachment:
    """The attachment with what its profile says of itself."""
    profile = read_uid(session, scope, one.uid)
    template = profile["spec"].get("published")
    if template is None:
        problem = f"{one.option}.version: {one.label} is a draft, and clusters take what is published"
        if not lenient:
            raise InputError(f"{problem}: publish it first")
        warn(f"{problem}. A real run needs it to be published before")
        template = profile["spec"].get("draft") or {}
    answer = session.request(
        "GET", f"/v1/clusterprofiles/{one.uid}/variables", scope=scope, what="read profile variables"
    )
    packs = template.get("packs") or []
    return replace(
        one,
        type=template.get("type", ""),
        packs={pack["name"]: str(pack.get("values") or "") for pack in packs},
        layers={pack["name"]: [each["name"] for each in pack.get("manifests") or []] for pack in packs},
        declared={variable["name"]: variable for variable in (answer or {}).get("variables") or []},
    )


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
    answer = session.request(
        "POST",
        f"{PATH}/edge-native/validate",
        scope=scope,
        what=f"validate the definition of the cluster {desired.name}",
        body=body_of(desired),
        reads=True,
    )
    _judged(answer or {}, f"the definition of the cluster {desired.name}")


def opinion(session: Session, scope: Scope, current: Current, planned: ClusterPlan) -> dict[str, Any]:
    """Whether the planned change replaces the nodes, and why; empty when it has nothing to do with that.

    :raises InputError: with everything that Palette finds wrong with the profiles.
    """
    if current.repave:
        return {"required": True, "reasons": list(current.repave.get("reasons") or [])}
    bodies = planned.attaching
    if current.cluster is None or not bodies or not all(one["uid"] for one in bodies):
        return {}
    uid, name = current.cluster["metadata"]["uid"], current.cluster["metadata"].get("name", "")
    answer = session.request(
        "POST",
        f"{PATH}/{uid}/validate/packs",
        scope=scope,
        what=f"validate the profiles of the cluster {name}",
        body={"profiles": bodies},
        reads=True,
    )
    _judged(answer or {}, f"the profiles of the cluster {name}")
    return repave.predict(session, scope, uid, bodies, name)


def _judged(answer: Mapping[str, Any], what: str) -> None:
    groups = [(answer.get("machinePools") or {}).get("results") or []]
    groups += [(profile.get("packs") or {}).get("results") or [] for profile in answer.get("profiles") or []]
    problems = [
        f"{result.get('displayName') or result.get('name') or 'definition'}: {error.get('message') or error.get('code')}"
        for group in groups
        for result in group
        for error in result.get("errors") or []
    ]
    if problems:
        raise InputError(f"Palette refuses {what}: {'; '.join(problems)}")
