# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options: given, then environment, then default; blank is not given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._options import connection_from


def test_defaults() -> None:
    made = connection_from({}, {})
    assert (made.url, made.api_key, made.project) == ("https://api.spectrocloud.com", "", "Default")
    assert (made.validate_certs, made.ca_path, made.tenant_scope) == (True, "", False)
    assert (made.timeout, made.retry_timeout) == (30.0, 120.0)


PALETTE = {
    "PALETTE_HOST": "p.example.com",
    "PALETTE_API_KEY": "pk",
    "PALETTE_PROJECT": "pp",
    "PALETTE_VALIDATE_CERTS": "False",
    "PALETTE_TIMEOUT": "7",
    "PALETTE_RETRY_TIMEOUT": "9",
}
SPECTRO = {"SPECTROCLOUD_HOST": "s.example.com", "SPECTROCLOUD_APIKEY": "sk", "SPECTROCLOUD_PROJECT": "sp"}


def test_environment() -> None:
    made = connection_from({}, {**SPECTRO, **PALETTE})
    assert (made.host, made.api_key, made.project) == ("p.example.com", "pk", "pp")
    assert (made.validate_certs, made.timeout, made.retry_timeout) == (False, 7.0, 9.0)


def test_the_names_of_the_terraform_provider() -> None:
    made = connection_from({}, SPECTRO)
    assert (made.host, made.api_key, made.project) == ("s.example.com", "sk", "sp")


def test_options_win_over_the_environment() -> None:
    made = connection_from(
        {"host": "o", "api_key": "ok", "project": "op", "validate_certs": True, "timeout": 3}, {**SPECTRO, **PALETTE}
    )
    assert (made.host, made.api_key, made.project) == ("o", "ok", "op")
    assert (made.validate_certs, made.timeout) == (True, 3.0)


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_blank_variables_are_not_set(blank: str) -> None:
    made = connection_from({"host": blank, "project": blank}, {**dict.fromkeys(PALETTE, blank), **SPECTRO})
    assert (made.host, made.api_key, made.project) == ("s.example.com", "sk", "sp")
    assert (made.validate_certs, made.timeout) == (True, 30.0)


def test_all_blank_is_the_default() -> None:
    assert connection_from({}, dict.fromkeys([*PALETTE, *SPECTRO, "PALETTE_CA_PATH"], "")) == connection_from({}, {})


@pytest.mark.parametrize("text", ["False", "false", "no", "0", "off", " False\n", False])
def test_certificates_are_not_verified(text: Any) -> None:
    assert connection_from({"validate_certs": text}, {}).validate_certs is False


@pytest.mark.parametrize("text", ["True", "yes", "1", True])
def test_certificates_are_verified(text: Any) -> None:
    assert connection_from({"validate_certs": text}, {}).validate_certs is True


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"validate_certs": "perhaps"}, "validate_certs is neither true nor false: 'perhaps'"),
        ({"timeout": "soon"}, "timeout is not a number of seconds: 'soon'"),
        ({"retry_timeout": "1m"}, "retry_timeout is not a number of seconds: '1m'"),
    ],
)
def test_what_is_not_understood_is_named(options: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        connection_from(options, {})
    assert str(caught.value) == text


def test_tenant_scope() -> None:
    assert connection_from({"scope": "tenant"}, {}).tenant_scope


@pytest.mark.parametrize("content", ["", "  \n\n"])
def test_an_empty_certificate_file_is_not_set(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(content)
    assert connection_from({}, {"PALETTE_CA_PATH": str(file)}).ca_path == ""


def test_a_certificate_file_or_folder_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----")
    assert connection_from({"ca_path": str(file)}, {}).ca_path == str(file)
    assert connection_from({"ca_path": str(tmp_path)}, {}).ca_path == str(tmp_path)
