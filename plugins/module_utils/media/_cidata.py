# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ISO labelled C(cidata) that brings a site's user-data to a host: the same files give the same bytes."""

from __future__ import annotations

import hashlib
import io
import struct
import time
from collections.abc import Mapping

from ._errors import MediaError
from ._iso import SECTOR, Iso

try:
    import pycdlib
except ImportError:
    HAS_PYCDLIB = False
else:
    HAS_PYCDLIB = True

LABEL = "cidata"
USER_DATA, META_DATA = "user-data", "meta-data"

_FIRST = 946_684_800
_YEARS = 20 * 365 * 86_400
"""Seconds: dates lie within so many of the year 2000. Linux makes the UUID of such a medium of its date."""
_PADDING = bytes(150 * SECTOR)
"""As mkisofs adds it: some readers look, or read ahead, beyond the end of so small a medium, and fail."""
_VOLUME_DATES = (813, 830, 864)
"""Creation, modification and effect in a volume descriptor; expiry, between them, is left open."""


def image(files: Mapping[str, bytes]) -> bytes:
    """The ISO with these files at its top, readable by Rock Ridge and by Joliet.

    :raises MediaError: when pycdlib is missing.
    """
    if not HAS_PYCDLIB:
        raise MediaError("pycdlib is not installed here. Install it with: pip install pycdlib")
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    try:
        digest = hashlib.sha256()
        for name, content in sorted(files.items()):
            short = name.upper().replace("-", "_")
            iso.add_fp(io.BytesIO(content), len(content), f"/{short}.;1", rr_name=name, joliet_path=f"/{name}")
            digest.update(f"{name} {len(content)}\n".encode() + content)
        made = io.BytesIO()
        iso.write_fp(made)
    finally:
        iso.close()
    return _dated(made.getvalue(), _FIRST + int.from_bytes(digest.digest()[:8], "big") % _YEARS)


def content(data: bytes, name: str) -> dict[str, bytes]:
    """The files of such an ISO. Raises MediaError when it is none."""
    iso = Iso(io.BytesIO(data), name)
    return {path[1:]: iso.read(entry, len(data)) or b"" for path, entry in iso.files().items() if not entry.folder}


def _dated(data: bytes, seconds: int) -> bytes:
    """The ISO with every date in it set to this one, for the library takes the clock's and the time zone."""
    made, iso = bytearray(data), Iso(io.BytesIO(data), LABEL)
    moment = time.gmtime(seconds)
    long = time.strftime("%Y%m%d%H%M%S", moment).encode() + b"00\0"
    short = struct.pack("7B", moment.tm_year - 1900, *moment[1:6], 0)
    for place, root in iso.descriptors:
        for at in _VOLUME_DATES:
            made[place + at : place + at + len(long)] = long
        for record in (root, *iso.records(root.extent)):
            made[record.place + 18 : record.place + 25] = short
            for kind, at, field in iso.fields(record):
                if kind == b"TF" and not field[4] & 0x80:
                    made[at + 5 : at + len(field)] = short * ((len(field) - 5) // 7)
    return bytes(made) + _PADDING
