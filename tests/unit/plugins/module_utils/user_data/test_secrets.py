# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide, hide_pair, hide_text

CANARY = "c4nary-value"
PEM_KEY = f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    "document",
    [
        {"stylus": {"site": {"edgeHostToken": CANARY}}},
        {"stylus": {"registryCredentials": {"password": CANARY, "encodedPassword": True}}},
        {"stylus": {"externalRegistries": {"registries": [{"domain": "x"}, {"password": CANARY}]}}},
        {"stylus": {"site": {"users": {"ops": {"passwd": CANARY}}}}},
        {"stages": {"initramfs": [{"users": {"ops": {"passwd": CANARY}}}]}},
        {"stylus": {"site": {"network": {"httpProxy": f"http://user:{CANARY}@proxy:3128"}}}},
        {"stylus": {"site": {"network": {"httpsProxy": f"http://{CANARY}@proxy:3128"}}}},
        {"stages": {"network.before": [{"commands": [f'wpa_passphrase x psk="{CANARY}"']}]}},
        {"stages": {"boot": [{"commands": [f"login --password {CANARY} --user x"]}]}},
        {"stages": {"boot": [{"commands": [f"curl -H 'Authorization: Bearer {CANARY}' x"]}]}},
        {"stages": {"boot": [{"environment": {"API_TOKEN": CANARY}}]}},
        {
            "stages": {
                "boot": [{"files": [{"path": "/etc/rancher/k3s/registries.yaml", "content": f"auth:\n  x: {CANARY}"}]}]
            }
        },
        {"stages": {"boot": [{"files": [{"path": "/x", "content": CANARY, "encoding": "b64"}]}]}},
        {"stages": {"boot": [{"files": [{"path": "/x", "content": PEM_KEY}]}]}},
        {"a": {"token": CANARY}, "stages": {"boot": [{"commands": [f"use '{CANARY}' elsewhere"]}]}},
        {"wifi": {"psk": CANARY}},
    ],
)
def test_no_secret_is_shown_and_a_change_of_it_is(document: dict[str, t.Any]) -> None:
    import copy
    import json

    other = json.loads(json.dumps(document).replace(CANARY, CANARY + "-2"))
    kept = copy.deepcopy(document)
    assert CANARY not in repr(hide(document))
    before, after = hide_pair(document, other)
    assert CANARY not in repr((before, after))
    assert "<hidden, changed>" in repr(after)
    assert "changed" not in repr(before)
    assert before != after
    assert hide_pair(document, document)[0] == hide_pair(document, document)[1]
    assert document == kept


def test_what_is_no_secret_stays() -> None:
    document = {
        "stylus": {
            "disablePasswordUpdate": True,
            "registryCredentials": {"encodedPassword": False, "password": ""},
            "site": {
                "name": "edge-1",
                "users": {
                    "ops": {
                        "passwordExpiry": "2027-01-01",
                        "lock_passwd": True,
                        "ssh_authorized_keys": ["ssh-ed25519 AAAA me@host"],
                    }
                },
                "network": {"httpProxy": "http://proxy:3128"},
                "caCerts": ["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"],
            },
        },
        "stages": {"boot": [{"name": "n", "commands": ["ethtool --offload eth0 tx-udp_tnl-segmentation off"]}]},
    }
    assert hide(document) == document


def test_a_secret_that_comes_or_goes() -> None:
    with_token, without = {"token": CANARY, "a": 1}, {"a": 1}
    assert hide_pair(without, with_token) == ({"a": 1}, {"a": 1, "token": "<hidden>"})
    assert hide_pair(with_token, without) == ({"a": 1, "token": "<hidden>"}, {"a": 1})


def test_a_short_secret_does_not_blot_out_every_word() -> None:
    assert hide({"password": "a", "name": "abacus"}) == {"password": "<hidden>", "name": "abacus"}


def test_a_text() -> None:
    assert hide_text("at http://u:p4ss@host/", ()) == "at http://<hidden>@host/"
    assert hide_text("it is secretvalue", ("secretvalue",)) == "it is <hidden>"
