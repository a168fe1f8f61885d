# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options, resolved the same way for modules, inventory and lookups.

AWX hands an unset field over as an empty variable, and an unset file as an empty file: both count as not given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ._errors import InputError
from ._session import Connection

ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "host": ("PALETTE_HOST", "SPECTROCLOUD_HOST"),
    "api_key": ("PALETTE_API_KEY", "SPECTROCLOUD_APIKEY"),
    "project": ("PALETTE_PROJECT", "SPECTROCLOUD_PROJECT"),
    "validate_certs": ("PALETTE_VALIDATE_CERTS",),
    "ca_path": ("PALETTE_CA_PATH",),
    "timeout": ("PALETTE_TIMEOUT",),
    "retry_timeout": ("PALETTE_RETRY_TIMEOUT",),
}
DEFAULTS: dict[str, Any] = {
    "host": "api.spectrocloud.com",
    "project": "Default",
    "scope": "project",
    "validate_certs": True,
    "timeout": 30.0,
    "retry_timeout": 120.0,
}
_TRUE = {"true", "yes", "on", "1", "y", "t"}
_FALSE = {"false", "no", "off", "0", "n", "f"}


def from_environment(option: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The first environment variable of ``option`` that is not empty, or None."""
    environ = os.environ if environ is None else environ
    for name in ENVIRONMENT.get(option, ()):
        if environ.get(name, "").strip():
            return environ[name].strip()
    return None


def connection_from(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Connection:
    """A :class:`Connection` of given options, then the environment, then the defaults.

    :param options: option name -> value; None and blank text count as not given.
    :raises InputError: naming the option that cannot be understood.
    """

    def value(option: str) -> Any:
        given = options.get(option)
        if given is None or (isinstance(given, str) and not given.strip()):
            given = from_environment(option, environ)
        return DEFAULTS.get(option) if given is None else given

    return Connection(
        host=str(value("host") or ""),
        api_key=str(value("api_key") or ""),
        project=str(value("project") or ""),
        tenant_scope=value("scope") == "tenant",
        validate_certs=_boolean("validate_certs", value("validate_certs")),
        ca_path=_certificate_file(str(value("ca_path") or "")),
        timeout=_seconds("timeout", value("timeout")),
        retry_timeout=_seconds("retry_timeout", value("retry_timeout")),
    )


def _boolean(option: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise InputError(f"{option} is neither true nor false: {value!r}")
    return text in _TRUE


def _seconds(option: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{option} is not a number of seconds: {value!r}") from None


def _certificate_file(path: str) -> str:
    path = os.path.expanduser(path.strip())
    try:
        if path and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                if not file.read(4096).strip():
                    return ""
    except OSError as error:
        raise InputError(f"ca_path {path!r} cannot be read: {error.strerror}") from None
    return path
