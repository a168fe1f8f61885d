# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file on the host that runs the module, for its owner alone or not: there is the old one or the new one, whole."""

from __future__ import annotations

import os
import stat
import tempfile

from .palette._errors import InputError

MODE = 0o600


def differs(path: str, text: str | bytes, *, mode: int | None = MODE) -> bool:
    """Whether the file at C(path) has to be written for it to hold C(text), for its owner's eyes alone.

    :param mode: None where it is no secret: any mode will do.

    :raises InputError: when there cannot be such a file, or it cannot be read.
    """
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise InputError(f"{path} cannot be written: there is no directory {folder}. Make it, or name another path")
    if os.path.isdir(path):
        raise InputError(f"{path} cannot be written: it is a directory. Name a file in it")
    try:
        with open(path, "rb") as file:
            same = file.read() == _bytes(text)
            return not same or mode not in (None, stat.S_IMODE(os.fstat(file.fileno()).st_mode))
    except FileNotFoundError:
        return True
    except OSError as error:
        raise _failed(path, error) from None


def write(path: str, text: str | bytes, *, mode: int | None = MODE) -> None:
    """Writes the file; where C(path) is a link, what it leads to.

    :param mode: None where it is no secret: the mode that it has, or that a new file gets.

    :raises InputError: when it cannot be written.
    """
    real = os.path.realpath(path)
    temporary = ""
    try:
        # Made with mode 0600: nobody else can open it, at no moment.
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(real), prefix=f".{os.path.basename(real)}.")
        with os.fdopen(handle, "wb") as file:
            file.write(_bytes(text))
            file.flush()
            os.fsync(file.fileno())
            if mode is None:
                os.fchmod(file.fileno(), _usual_mode(real))
        os.replace(temporary, real)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise _failed(path, error) from None


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _usual_mode(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _failed(path: str, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written: {error.strerror}. Name another path, or run as a user who may")
