# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong with a medium."""

from __future__ import annotations

from ..palette._errors import InputError


class MediaError(InputError):
    """C(str()) is one line for people: the option, what is wrong, what to do. What was at C(dest) is as it was."""
