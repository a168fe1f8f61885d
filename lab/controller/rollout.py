"""What of a cluster's definition holds: a change of its profiles is taken at once, staged, or held for an approval.

What the user attached stands in ``clusterProfileTemplates``. Those who form the cluster are told what is in force, which
is an older state while a change is staged (to be installed later) or its repave waits for approval.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from . import events, faults
from .core import Lab
from .store import Document

STAGED, APPROVAL = "staged", "approval"


def templates(cluster: Document) -> list[Document]:
    """The attached profiles that are in force."""
    held: Document = cluster["_lab"].get("held") or {}
    found: list[Document] = held.get("templates", cluster["spec"]["clusterProfileTemplates"])
    return found


def variables(cluster: Document) -> Document:
    """The values of profile variables that are in force, by profile UID."""
    held: Document = cluster["_lab"].get("held") or {}
    found: Document = held.get("variables", cluster["_lab"]["variables"])
    return found


def in_force(cluster: Document) -> Document:
    """A copy of what is in force, to be compared with and to be kept."""
    return copy.deepcopy({"templates": templates(cluster), "variables": variables(cluster)})


def applied(cluster: Document) -> Document:
    """``status.spcApply``: what of the profiles may be installed."""
    inner = cluster["_lab"]
    waits = (inner.get("held") or {}).get("waits", [])
    return {"actionType": inner.get("actionType", "DownloadAndInstall"), "canBeApplied": STAGED not in waits}


def reasons(old: Sequence[Document], new: Sequence[Document]) -> list[Document]:
    """Why the nodes of a cluster are repaved when these profiles take the place of those."""
    before, after = _infrastructure(old), _infrastructure(new)
    found = []
    for layer in ("os", "k8s"):
        have, want = before.get(layer), after.get(layer)
        if have is None or want is None or (have == want):
            continue
        keys = _different(have, want)
        if have["name"] != want["name"] or have.get("version") != want.get("version"):
            words = f"{have['name']} {have.get('version', '')} is replaced by {want['name']} {want.get('version', '')}"
            found.append(_reason("PackVersionChanged", words, have, want, keys))
        elif layer == "os" and "options.system.uri" in keys:
            words = f"options.system.uri of {want['name']} changed: the nodes get another image"
            found.append(_reason("PackValuesChanged", words, have, want, keys))
    return found


def begin(lab: Lab, cluster: Document, before: Document, *, later: bool) -> bool:
    """The attached profiles changed; returns whether the change is in force now.

    :param before: what was in force (see :func:`in_force`).
    :param later: download now, install when told.
    """
    inner = cluster["_lab"]
    inner["actionType"] = f"DownloadAndInstall{'Later' if later else ''}"
    name, uid = cluster["metadata"]["name"], cluster["metadata"]["uid"]
    why = reasons(before["templates"], cluster["spec"]["clusterProfileTemplates"])
    waits = [STAGED] if later else []
    if why and inner.get("formed") and faults.holds(lab.faults, "repave-approval", name=name):
        waits.append(APPROVAL)
        inner["repave"] = {"reasons": why, "since": lab.now()}
        cluster["status"] = {**(cluster.get("status") or {}), "repave": {"state": "Pending"}}
        events.record(lab, "spectrocluster", uid, name, "RepavePending", why[0]["message"], events.WARNING)
    if APPROVAL not in waits and ((cluster.get("status") or {}).get("repave") or {}).get("state") == "Pending":
        # What it waited for is taken back, or nothing of it repaves any more: nobody can approve it now.
        cluster["status"]["repave"] = {"state": "Reverted"}
        inner.setdefault("repave", {})["since"] = lab.now()
    if waits:
        inner["held"] = {**before, "waits": waits}
        return False
    inner.pop("held", None)
    return True


def release(lab: Lab, cluster: Document, wait: str) -> Document | None:
    """One thing that a held change waited for is there; returns what was in force before, when nothing is left."""
    held = cluster["_lab"].get("held")
    if held is None or wait not in held["waits"]:
        return None
    held["waits"].remove(wait)
    if wait == APPROVAL:
        cluster["status"]["repave"] = {"state": "Approved"}
        cluster["_lab"].setdefault("repave", {})["since"] = lab.now()
    if held["waits"]:
        return None
    del cluster["_lab"]["held"]
    return {key: held[key] for key in ("templates", "variables")}


def _infrastructure(profiles: Sequence[Document]) -> dict[str, Document]:
    return {pack["layer"]: pack for one in profiles for pack in one["packs"] if pack.get("layer") in ("os", "k8s")}


def _reason(code: str, words: str, have: Document, want: Document, keys: list[str]) -> Document:
    pack = {"current": _reference(have), "target": _reference(want), "diffConfigKeys": keys}
    return {"code": code, "message": words, "pack": pack}


def _reference(pack: Document) -> Document:
    kept = ("name", "layer", "type", "tag", "version", "packUid", "registryUid")
    return {key: pack[key] for key in kept if pack.get(key)}


def _different(have: Document, want: Document) -> list[str]:
    mine, other = _flat(have.get("values", "")), _flat(want.get("values", ""))
    return sorted(key for key in set(mine) | set(other) if mine.get(key) != other.get(key))


def _flat(text: str) -> dict[str, Any]:
    try:
        return dict(_leaves(yaml.safe_load(text) or {}, ""))
    except yaml.YAMLError:
        return {"values": text}


def _leaves(value: Any, at: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return [(at, value)]
    return [leaf for key, one in value.items() for leaf in _leaves(one, f"{at}.{key}" if at else str(key))]
