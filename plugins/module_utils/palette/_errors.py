# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between this collection and Palette: one class for each cause, one line of text for each error."""

from __future__ import annotations


class PaletteError(Exception):
    """Base of all errors. C(str()) is one line: what was asked, of whom, what came back, what to do.

    ``facts`` (status, code, ref, method, path) go to the result of a module beside the message.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(" ".join(message.split()))
        self.facts = {key: value for key, value in facts.items() if value not in (None, "")}


class InputError(PaletteError):
    """The user's input is wrong; nothing was sent that could change anything."""


class MissingError(InputError):
    """What the input names is not there, or not yet."""


class AuthenticationError(PaletteError):
    """The API key is missing, unknown or expired."""


class ForbiddenError(PaletteError):
    """The key is good, but has no right to do this in this scope."""


class NotFoundError(PaletteError):
    """The object, or one that it needs, is not there. Only raised once the key is known to be good."""


class ConflictError(PaletteError):
    """Palette has such an object already, or its state forbids the change."""


class RejectedError(PaletteError):
    """Palette understood the request and refused it (400, 422, 423, or a business error with 500)."""


class RateLimitError(PaletteError):
    """Still too many requests after all permitted retries."""


class UnavailableError(PaletteError):
    """Palette, or something in front of it, did not answer properly; nothing is known to be wrong with the request."""


class AmbiguousError(UnavailableError):
    """A write was sent and its answer was lost: whether it was carried out is not known."""


class WaitTimeoutError(PaletteError):
    """The wait ended, not the thing waited for: it may still get there."""


class TerminalStateError(PaletteError):
    """The thing waited for reached a state from which it does not go on by itself."""
