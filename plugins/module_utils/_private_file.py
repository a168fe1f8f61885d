# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that only its owner can read, on the host that runs the module: there is the old one or the new one, whole."""

from __future__ import annotations

import os
import stat
import tempfile

from .palette._errors import InputError

MODE = 0o600


def differs(path: str, text: str) -> bool:
    """Whether the file at C(path) has to be written for it to hold C(text), for its owner's eyes alone.

    :raises InputError: when there cannot be such a file, or it cannot be read.
    """
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise InputError(f"{path} cannot be written: there is no directory {folder}. Make it, or name another path")
    if os.path.isdir(path):
        raise InputError(f"{path} cannot be written: it is a directory. Name a file in it")
    try:
        with open(path, "rb") as file:
            same = file.read() == text.encode()
            return not same or stat.S_IMODE(os.fstat(file.fileno()).st_mode) != MODE
    except FileNotFoundError:
        return True
    except OSError as error:
        raise _failed(path, error) from None


def write(path: str, text: str) -> None:
    """Writes the file; where C(path) is a link, what it leads to.

    :raises InputError: when it cannot be written.
    """
    real = os.path.realpath(path)
    temporary = ""
    try:
        # Made with mode 0600: nobody else can open it, at no moment.
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(real), prefix=f".{os.path.basename(real)}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, real)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise _failed(path, error) from None


def _failed(path: str, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written: {error.strerror}. Name another path, or run as a user who may")
