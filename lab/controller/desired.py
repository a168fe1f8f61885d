"""What a cluster shall be, in one piece: network, pools, layers in their order with everything filled in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from . import macros, nodes, rollout
from .core import Lab
from .store import Document

_MACRO = re.compile(r"\{\{-?\s*\.spectro\.([\w.-]+?)\s*-?\}\}")
_ORDER = ("kernel", "os", "k8s", "cni", "csi")
_LEAVING = "Deleting"


def of(lab: Lab, cluster: Document, config: Document) -> Document:
    """The cluster as those are told who form it, without its revision."""
    inner = cluster["_lab"]
    leaving = sorted(
        one["spec"]["edgeHostUid"] for one in config["_lab"]["machines"] if one["status"]["instanceState"] == _LEAVING
    )
    return {
        "uid": cluster["metadata"]["uid"],
        "name": cluster["metadata"]["name"],
        "deleting": inner["phase"] == "deleting",
        "force": bool(inner.get("force")),
        "network": config["spec"]["clusterConfig"],
        "pools": [_pool(pool, config, leaving) for pool in config["spec"]["machinePoolConfig"]],
        "leaving": leaving,
        "layers": _layers(lab, cluster),
    }


def digest(value: Any) -> str:
    """Changes when the value does."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def resolved(text: str, value: Callable[[str], str | None]) -> str:
    """``text`` with its macros replaced; one without a value stays as it is.

    :param value: of what follows ``.spectro.``, such as ``var.greeting``; None when there is none.
    """

    def replace(found: re.Match[str]) -> str:
        known = value(found.group(1))
        return found.group(0) if known is None else known

    return _MACRO.sub(replace, text)


def _pool(pool: Document, config: Document, leaving: list[str]) -> Document:
    # A host that has to leave first, or has left without being taken anew, has no part in the pool.
    present = {one["spec"]["edgeHostUid"] for one in config["_lab"]["machines"] if one["_lab"]["pool"] == pool["name"]}
    cordoned = {one["spec"]["edgeHostUid"] for one in config["_lab"]["machines"] if nodes.wanted(one) == "cordon"}
    hosts = [
        {
            "uid": host["hostUid"],
            **({"nodeName": host["hostName"]} if host.get("hostName") else {}),
            **({"cordoned": True} if host["hostUid"] in cordoned else {}),
        }
        for host in pool["hosts"]
        if host["hostUid"] in present - set(leaving)
    ]
    return {
        "name": pool["name"],
        "controlPlane": bool(pool.get("isControlPlane")),
        "asWorker": bool(pool.get("useControlPlaneAsWorker")),
        "labels": pool.get("additionalLabels") or {},
        "annotations": pool.get("additionalAnnotations") or {},
        "taints": [{key: one.get(key, "") for key in ("key", "value", "effect")} for one in pool.get("taints") or []],
        "hosts": hosts,
    }


def _layers(lab: Lab, cluster: Document) -> list[Document]:
    templates = rollout.templates(cluster)
    packs = [(one, pack) for one in templates for pack in one["packs"]]
    found = []
    for template, pack in sorted(packs, key=lambda one: _place(one[1])):
        profile = lab.store.get("profile", template["uid"]) or {"_lab": {}}
        value = _Values(lab, cluster, profile, template["uid"], packs)
        kept = (pack.get("_lab") or {}).get("manifests") or profile["_lab"].get("manifests") or {}
        manifests = [
            {"name": one["name"], "uid": one["uid"], "content": resolved(kept.get(one["uid"], ""), value)}
            for one in pack.get("manifests") or []
        ]
        found.append(
            {
                "profileUid": template["uid"],
                "profile": template["name"],
                **{key: pack.get(key, "") for key in ("name", "layer", "type", "version", "registryUid")},
                "values": resolved(pack.get("values", ""), value),
                "manifests": manifests,
            }
        )
    return found


def _place(pack: Document) -> int:
    layer = pack.get("layer", "")
    return _ORDER.index(layer) if layer in _ORDER else len(_ORDER)


class _Values:
    """What macros stand for in the packs of one attached profile."""

    def __init__(
        self, lab: Lab, cluster: Document, profile: Document, uid: str, packs: list[tuple[Document, Document]]
    ) -> None:
        given: Mapping[str, str] = rollout.variables(cluster).get(uid, {})
        declared = profile["_lab"].get("variables") or []
        self._variables = {**{one["name"]: one.get("defaultValue", "") for one in declared}, **given}
        self._packs = {pack["name"]: pack.get("values", "") for _template, pack in packs}
        self._macros = macros.values(lab, lab.store.project_of("cluster", cluster["metadata"]["uid"]))
        version = next((pack.get("version", "") for _template, pack in packs if pack.get("layer") == "k8s"), "")
        self._system = {
            "cluster.name": cluster["metadata"]["name"],
            "cluster.uid": cluster["metadata"]["uid"],
            "kubernetes.version": version,
        }

    def __call__(self, path: str, *, within: bool = True) -> str | None:
        kind, _dot, rest = path.partition(".")
        if kind == "var":
            return self._variables.get(rest)
        if kind == "system":
            return self._system.get(rest)
        if kind == "macro":
            return self._macros.get(rest)
        return self._of_pack(rest) if kind == "pack" and within else None

    def _of_pack(self, path: str) -> str | None:
        name, _dot, rest = path.partition(".")
        text = resolved(self._packs.get(name, ""), lambda inner: self(inner, within=False))
        try:
            value: Any = yaml.safe_load(text)
        except yaml.YAMLError:
            return None
        for key in rest.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, (str, int, float)) else None
