"""What is in a cluster profile: a template of packs, as a draft or published, and the contents of its manifests."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import bodies
from .catalogue import REGISTRIES
from .core import Lab
from .errors import ApiError, invalid
from .packs import Version, known
from .store import Document

_VARIABLE = re.compile(r"\.spectro\.var\.([\w-]+)")


def template_of(profile: Document) -> Document:
    """What is worked on: the draft, or what is published when there is none."""
    template: Document = profile["spec"].get("draft") or profile["spec"]["published"]
    return template


def draft_of(profile: Document) -> Document:
    """The draft to write to: what is published begins one."""
    if not profile["spec"].get("draft"):
        draft = copy.deepcopy(profile["spec"]["published"])
        profile["spec"]["draft"] = {key: draft[key] for key in draft if key not in ("version", "profileVersion")}
    found: Document = profile["spec"]["draft"]
    return found


def publish(profile: Document) -> None:
    """The draft becomes what clusters can use."""
    draft = profile["spec"].pop("draft", None)
    if draft:
        profile["_lab"]["revision"] += 1
        profile["spec"]["published"] = {**draft, "version": profile["_lab"]["revision"]}
        profile["_lab"]["published"] = dict(profile["_lab"]["manifests"])
    profile["spec"]["published"]["profileVersion"] = profile["spec"]["version"]


def write_packs(lab: Lab, profile: Document, packs: list[Document], *, kind: str, cloud: str) -> None:
    """Makes these packs the draft of a profile. Raises ApiError for what cannot be a profile's pack."""
    names = [pack["name"] for pack in packs]
    if len(set(names)) != len(names) or not all(names):
        raise invalid("The names of packs must be unique and not empty")
    catalogue = known(lab)
    written = [taken(lab, profile, pack, catalogue) for pack in packs]
    metadata = profile["metadata"]
    profile["spec"]["draft"] = {
        "type": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "packs": written,
        "cloudType": cloud,
    }


def taken(lab: Lab, profile: Document, pack: Document, catalogue: Mapping[str, Version]) -> Document:
    """A pack as a profile keeps it; contents of its manifests go into the profile.

    A manifest without its UID is a new one, also when its name is there already.
    """
    found = catalogue.get(pack.get("uid", ""))
    refuse_pack(pack, found)
    contents = profile["_lab"]["manifests"]
    references = []
    for manifest in pack.get("manifests") or []:
        uid = str(manifest["uid"]) if manifest.get("uid") in contents else lab.uid()
        contents[uid] = str(manifest.get("content", "")).strip()
        references.append({"kind": "manifest", "name": manifest["name"], "uid": uid})
    kept = {key: pack[key] for key in ("name", "registryUid", "tag", "type") if pack.get(key)}
    if found:
        kept.setdefault("registryUid", found.registry.uid)
    return {
        "type": "spectro",
        **kept,
        "layer": pack.get("layer") or (found.pack.layer if found else "addon"),
        "packUid": pack.get("uid", ""),
        "version": found.version if found else pack.get("tag", ""),
        "values": str(pack.get("values") or "").strip("\n"),
        "manifests": references,
    }


def refuse_pack(pack: Document, found: Version | None) -> None:
    """Raises ApiError for a pack that no registry has, or that has a layer of its own.

    :param found: what its UID is of.
    """
    name, uid, layer = pack["name"], pack.get("uid", ""), pack.get("layer") or ""
    if layer and layer not in bodies.LAYER:
        raise invalid(f"Pack '{name}': layer '{layer}' is not one of {', '.join(bodies.LAYER)}")
    registry = REGISTRIES.get(pack.get("registryUid", ""))
    if pack.get("registryUid") and registry is None:
        raise ApiError(404, "ResourceNotFound", f"Registry with uid '{pack['registryUid']}' is not found")
    # A registry that is not synchronised takes a name and a tag; manifests need none.
    free = (pack.get("type") or "spectro") == "manifest" or (
        (pack.get("type") or "") in ("helm", "oci") and not uid and registry is not None and not registry.synchronised
    )
    if not free and (found is None or (registry is not None and found.registry is not registry)):
        raise ApiError(404, "ResourceNotFound", f"Pack '{name}' with uid '{uid}' is not found")


def undefined(profile: Document, pack: Document, *, declared: Iterable[str] | None = None) -> list[str]:
    """Names of the variables that a pack uses and the profile does not declare."""
    names = {one["name"] for one in profile["_lab"]["variables"]} if declared is None else set(declared)
    return sorted({name for text in texts(profile, pack) for name in _VARIABLE.findall(text)} - names)


def check_variables(profile: Document) -> None:
    """Raises ApiError when a pack uses a variable that is not declared."""
    template = profile["spec"].get("draft") or profile["spec"].get("published") or {}
    for pack in template.get("packs") or []:
        missing = undefined(profile, pack)
        if missing:
            raise ApiError(400, "PackVariablesUndefined", undefined_message(pack["name"], missing))


def undefined_message(name: str, missing: list[str]) -> str:
    """How that is told."""
    return f"Pack '{name}' uses undefined variables: {', '.join(missing)}"


def texts(profile: Document, pack: Document) -> list[str]:
    """A pack's values and manifests."""
    contents = profile["_lab"]["manifests"]
    return [pack.get("values", ""), *(contents.get(one["uid"], "") for one in pack.get("manifests") or [])]


def attached(profile: Document, overrides: list[Document]) -> Document:
    """The snapshot of a profile that a cluster holds, with its overrides of packs: values and manifests by name."""
    template = copy.deepcopy(profile["spec"].get("published") or {})
    contents = profile["_lab"].get("published") or profile["_lab"]["manifests"]
    by_name = {one["name"]: one for one in overrides}
    for pack in template.get("packs") or []:
        given = by_name.get(pack["name"], {})
        pack["values"] = given.get("values", pack.get("values", ""))
        written = {one["name"]: one["content"] for one in given.get("manifests") or [] if "content" in one}
        pack["_lab"] = {
            "manifests": {
                one["uid"]: written.get(one["name"], contents.get(one["uid"], ""))
                for one in pack.get("manifests") or []
            }
        }
    return {
        **template,
        "uid": profile["metadata"]["uid"],
        "name": profile["metadata"]["name"],
        "profileVersion": profile["spec"]["version"],
    }


def copied(lab: Lab, source: Document, metadata: Document, version: str) -> Document:
    """A draft of its own with what is published in ``source``, or else its draft; its manifests are new objects."""
    published = source["spec"].get("published")
    contents = (source["_lab"].get("published") if published else None) or source["_lab"]["manifests"]
    draft = copy.deepcopy(published or source["spec"]["draft"])
    manifests: dict[str, Any] = {}
    for pack in draft["packs"]:
        for reference in pack.get("manifests") or []:
            old, reference["uid"] = reference["uid"], lab.uid()
            manifests[reference["uid"]] = contents[old]
    kept = {key: draft[key] for key in draft if key not in ("version", "profileVersion")}
    return {
        "metadata": metadata,
        "spec": {"version": version, "draft": {**kept, "uid": metadata["uid"], "name": metadata["name"]}},
        "status": {},
        "_lab": {
            "variables": copy.deepcopy(source["_lab"]["variables"]),
            "manifests": manifests,
            "revision": 0,
        },
    }
