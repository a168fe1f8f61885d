# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Edge host ID may look like: one rule for modules, site files and user-data."""

from __future__ import annotations

FORBIDDEN = "/?#&+%,$~!@*(){}|=;:<>'.^\""
LONGEST = 128


def host_id_problem(text: str) -> str:
    """What is wrong with ``text`` as an Edge host ID (the UID in Palette), or "" when nothing is.

    Palette cuts IDs at 128 characters and does not support the signs of C(FORBIDDEN), nor white space.
    """
    if not text:
        return "is empty"
    if len(text) > LONGEST:
        return f"has {len(text)} characters, Palette takes {LONGEST} at most"
    bad = sorted({sign for sign in text if sign in FORBIDDEN or sign.isspace() or not sign.isprintable()})
    if bad:
        return "has characters that Palette does not take in an Edge host ID: " + " ".join(
            "white space" if sign.isspace() else sign for sign in bad
        )
    return ""
