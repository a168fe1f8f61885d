# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How layers of user-data come together."""

from __future__ import annotations

import typing as t

Document = dict[str, t.Any]


def merge(*layers: t.Mapping[str, t.Any]) -> Document:
    """One document of several, the later ones winning.

    Maps are merged key by key, however deep. Anything else, lists included, replaces what was there: whether Palette
    appends or replaces lists is not documented, so no layer should rely on either. A null removes the key.
    """
    merged: Document = {}
    for layer in layers:
        for key, value in layer.items():
            if value is None:
                merged.pop(key, None)
            elif isinstance(value, t.Mapping):
                below = merged.get(key)
                merged[key] = merge(below if isinstance(below, dict) else {}, value)
            else:
                merged[key] = value
    return merged
