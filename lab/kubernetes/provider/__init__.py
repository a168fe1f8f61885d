"""Providers of Kubernetes: each delivers a directory of programs and image archives for its versions, nothing more.

``built`` builds them from Debian's source package, ``official`` takes upstream's from a directory or a mirror, ``k3s`` is a
binary that the user has. Where there is none, clusters are states only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.kubernetes.provider.errors import ProviderError

__all__ = ["Delivery", "ProviderError", "deliver"]

_PLAIN, _WITH_PLACE = ("auto", "built", "none"), ("official", "k3s")
_WISHES = "auto, built, official=DIR, official=URL,VERSION,..., k3s=PATH or none"


@dataclass(frozen=True)
class Delivery:
    """What a provider delivers.

    ``directory`` holds ``<version>/{kubelet,kubeadm,kubectl,images/*.tar}``, or ``<version>/k3s``, and ``images/*.tar`` for
    all; it is None when there is no Kubernetes. ``versions`` ascend and have no v. ``says`` is a sentence for people.
    """

    provider: str
    says: str
    distribution: str = ""
    directory: Path | None = None
    versions: tuple[str, ...] = ()
    helm: Path | None = None

    @classmethod
    def nothing(cls, why: str) -> Delivery:
        """Clusters are states only."""
        return cls("none", f"clusters are states only, no Kubernetes runs: {why}")

    def as_data(self) -> dict[str, Any]:
        """A form for JSON that `from_data` reads back."""
        paths = {name: str(path) if path else "" for name, path in (("directory", self.directory), ("helm", self.helm))}
        return {**asdict(self), **paths, "versions": list(self.versions)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Delivery:
        """The inverse of `as_data`; of nothing, it is nothing."""
        if not data:
            return cls.nothing("not chosen yet")
        paths = {name: Path(data[name]) if data.get(name) else None for name in ("directory", "helm")}
        return cls(**{**data, **paths, "versions": tuple(data.get("versions") or ())})


def deliver(wish: str, *, say: Callable[[str], None]) -> Delivery:
    """Have what was wished for; the first time that may take minutes, and is said.

    :param wish: ``auto`` (the first that can be had), ``built``, ``official=DIR``, ``official=URL,VERSION,...[,registry=HOST]``,
        ``k3s=PATH`` or ``none``.
    :raises ProviderError: when it cannot be had; ``auto`` and ``none`` always can.
    """
    # Imported here: what is not chosen need not be importable, and this module is imported by all that reads a Delivery.
    from lab.kubernetes.provider import built, helm, k3s, official

    kind, _equals, rest = check(wish).partition("=")
    if kind == "none":
        return Delivery.nothing("as asked")
    if kind in ("auto", "built"):
        why = built.impossible()
        if why and kind == "built":
            raise ProviderError(f"--kubernetes built: {why}")
        return Delivery.nothing(why) if why else built.deliver(helm.find(say), say=say)
    if kind == "k3s":
        return k3s.deliver(Path(os.path.expanduser(rest)), helm.find(say), say=say)
    place, *words = rest.split(",")
    return official.deliver(place, words, helm.find(say), say=say)


def check(wish: str) -> str:
    """The wish, when it is one. Raises ProviderError."""
    kind, _equals, rest = wish.partition("=")
    if kind not in (_WITH_PLACE if rest else _PLAIN):
        raise ProviderError(f"'{wish}' is not one of {_WISHES}")
    return wish
