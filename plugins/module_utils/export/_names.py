# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that site files can hold: Palette's own where that is one, else one near to it, each borne once."""

from __future__ import annotations

import re

from .._entry import group_name
from ..sites._fields import host_name

_RESERVED = ("all", "ungrouped", "palette_sites", "palette_hosts")
_LONGEST = 63
_TAIL = 6


class Names:
    """Names given out so far: sites, their entries and groups, and hosts share one space in an inventory."""

    def __init__(self) -> None:
        self._taken: set[str] = set(_RESERVED)

    def site(self, wanted: str, uid: str) -> str:
        """A name for a site, with its entry and its group."""
        return self._free([wanted], uid, site=True)

    def host(self, wanted: list[str], uid: str) -> str:
        """A name for a host, of several that would do the first that is free."""
        return self._free(wanted, uid, site=False)

    def _free(self, wanted: list[str], uid: str, *, site: bool) -> str:
        names = [name for name in wanted if name and is_name(name)]
        names += [name for name in map(slug, wanted) if name]
        tail = slug(uid)[-_TAIL:].strip("-.") or "x"
        names += [
            f"{name[: _LONGEST - len(tail) - 1].rstrip('-.')}-{tail}" for name in names or ["site" if site else "host"]
        ]
        names += [f"{names[-1][: _LONGEST - 5]}-{number}" for number in range(2, 1000)]
        for name in names:
            bears = {name, group_name(name), f"{name}-site"} if site else {name}
            if not bears & self._taken:
                self._taken |= bears
                return name
        raise AssertionError(f"no name left for {wanted}")


def is_name(text: str) -> bool:
    """Whether a site or host may be called so."""
    try:
        host_name(text)
    except ValueError:
        return False
    return True


def slug(text: str) -> str:
    """``text`` in lower case with ``-`` for every sign that a name may not have; may be empty."""
    parts = [re.sub(r"[^a-z0-9]+", "-", part).strip("-") for part in text.lower().split(".")]
    return ".".join(part for part in parts if part)[:_LONGEST].strip("-.")
