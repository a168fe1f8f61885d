# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the registries that images come from."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from collections.abc import Iterator

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import Document
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import Path, Problem


def registry_problems(
    stylus: Document, certificate: t.Callable[[str], str], *, partial: bool = False
) -> Iterator[Problem]:
    """What is wrong with `registryCredentials` and `externalRegistries`; `certificate` judges a PEM text.

    `partial` when another layer may give what is missing of the single registry.
    """
    single, several = stylus.get("registryCredentials"), stylus.get("externalRegistries")
    if single is not None and several is not None:
        text = "stands beside externalRegistries; use it for one registry without mapping rules, else the other."
        yield Problem(("stylus", "registryCredentials"), text)
    if single is not None:
        yield from _registry(single, ("stylus", "registryCredentials"), partial=partial)
    for at, registry in enumerate((several or {}).get("registries") or ()):
        path: Path = ("stylus", "externalRegistries", "registries", at)
        yield from _registry(registry, path, partial=False)
        for number, text in enumerate(registry.get("certificates") or ()):
            if wrong := certificate(text):
                yield Problem((*path, "certificates", number), wrong)
    for source, target in ((several or {}).get("registryMappingRules") or {}).items():
        if "://" in source or "://" in str(target):
            text = "has a scheme; write both sides as in the name of an image, registry.example.com/path."
            yield Problem(("stylus", "externalRegistries", "registryMappingRules", source), text)


def _registry(registry: Document, path: Path, *, partial: bool) -> Iterator[Problem]:
    domain = registry.get("domain")
    if not domain:
        if partial:
            return
        yield Problem((*path, "domain"), "is missing; give the registry's host name, as registry.example.com.")
    elif "://" in domain or "@" in domain or re.search(r"\s", domain):
        yield Problem((*path, "domain"), "is host name, port and path alone, as registry.example.com:5000/images.")
    if registry.get("encodedPassword") and registry.get("password"):
        try:
            base64.b64decode(registry["password"], validate=True).decode()
        except (binascii.Error, ValueError):
            text = "is no base64 of a text, and encodedPassword says that it is (the password is not shown)."
            yield Problem((*path, "password"), text)
