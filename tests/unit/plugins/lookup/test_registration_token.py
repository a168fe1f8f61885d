# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup that hands the secret of a token to whoever writes user-data."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader

from ansible_collections.palette.edge.tests.unit.palette_objects import TOKEN_SECRET, token
from ansible_collections.palette.edge.tests.unit.palette_server import Call, PaletteServer, error

TOKENS = "/v1/edgehosts/tokens"


def look_up(*terms: str, **options: Any) -> list[str]:
    plugin = lookup_loader.get("palette.edge.registration_token")
    return list(plugin.run(list(terms), variables={}, **options))


def listed(*tokens: Any, **more: Any) -> Call:
    return Call("GET", TOKENS, {"items": list(tokens)}, scope="", **more)


def test_secrets_in_the_order_of_the_names(palette: PaletteServer) -> None:
    other = token("other")
    other["spec"]["token"] = "canary-other"
    palette.answer(listed(token(), other, times=3))
    assert look_up("other", "store-042") == ["canary-other", TOKEN_SECRET]
    assert look_up("uid-store-042") == [TOKEN_SECRET]


def test_options_win_over_the_environment(palette: PaletteServer, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PALETTE_HOST", "palette.invalid")
    environment.setenv("PALETTE_API_KEY", "other")
    palette.answer(listed(token()))
    assert look_up("store-042", host=palette.host, api_key=palette.key, retry_timeout=0) == [TOKEN_SECRET]


def test_the_names_of_the_terraform_provider(palette: PaletteServer, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PALETTE_HOST", "")
    environment.setenv("PALETTE_API_KEY", "")
    environment.setenv("SPECTROCLOUD_HOST", palette.host)
    environment.setenv("SPECTROCLOUD_APIKEY", palette.key)
    palette.answer(listed(token()))
    assert look_up("store-042") == [TOKEN_SECRET]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([token("store-043")], "There is no registration token 'store-042'. Those that come near: store-043"),
        ([], "There is no registration token 'store-042'. There are none"),
        ([token(active=False)], "The registration token 'store-042' is disabled"),
        ([token(), token(uid="second")], "2 registration tokens are named 'store-042' (uid-store-042, second)"),
    ],
)
def test_a_token_that_is_of_no_use(palette: PaletteServer, tokens: list[Any], text: str) -> None:
    palette.answer(listed(*tokens, times=None))
    with pytest.raises(AnsibleError) as caught:
        look_up("store-042")
    assert text in str(caught.value)
    assert TOKEN_SECRET not in str(caught.value)


def test_a_token_without_a_secret(palette: PaletteServer) -> None:
    bare = token()
    del bare["spec"]["token"]
    palette.answer(listed(bare))
    with pytest.raises(AnsibleError, match="'store-042'"):
        look_up("store-042")


def test_a_refused_key(palette: PaletteServer) -> None:
    refused = error("ResourceNotFound", f"API key '{palette.key}' is not found")
    palette.answer(Call("GET", TOKENS, refused, 404), Call("GET", "/v1/users/info", refused, 404))
    with pytest.raises(AnsibleError, match="check api_key") as caught:
        look_up("store-042")
    assert palette.key not in str(caught.value)


def test_no_key_at_all(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleError, match="api_key is not set"):
        look_up("store-042")
