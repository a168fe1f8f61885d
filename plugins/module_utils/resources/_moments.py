# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time as Palette tells them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

ZERO = "0001-01-01T00:00:00.000Z"
"""What Palette has, and takes, for "no time"."""


def utc_now() -> dt.datetime:
    """The present."""
    return dt.datetime.now(dt.timezone.utc)


def instant(text: Any) -> dt.datetime | None:
    """The point in time of an answer, None for none and for what is no time."""
    # Of the fraction, older Pythons take three or six digits only.
    plain = re.sub(r"\.\d+", "", str(text or "").strip()).replace("Z", "+00:00").replace("z", "+00:00")
    try:
        parsed = dt.datetime.fromisoformat(plain)
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.timezone.utc)
    return None if aware.year <= 1 else aware


def same_instant(left: Any, right: Any) -> bool:
    """Whether both name one point in time, or none at all."""
    return instant(left) == instant(right)
