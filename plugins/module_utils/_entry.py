# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An entry of an inventory as data, the same for both inventory plugins, so that their inventories merge."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the inventory. ``untrusted`` says that some value may have braces and must not become a template."""

    name: str
    variables: dict[str, Any]
    groups: list[str]
    untrusted: bool = False


@functools.lru_cache(maxsize=65536)
def group_name(text: str) -> str:
    """``text`` as a group name: what is neither letter, digit nor C(_) becomes C(_); never a digit in front."""
    safe = "".join(sign if sign.isascii() and (sign.isalnum() or sign == "_") else "_" for sign in text)
    return f"_{safe}" if safe[:1].isdigit() else safe
