# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers as people write them: text with its lines, versions of the agent, both layers together."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import effective, judge
from ansible_collections.palette.edge.plugins.module_utils.user_data._versions import version_of

TOKEN = "t0ken-canary"
PASSWORD = "pa55word-canary"
TEMPLATE = """\
#cloud-config
stylus:
  site:
    # where Palette is
    paletteEndpoint: api.example.com
    edgeHostToken: t0ken-canary
    projectName: stores
    tags:
      key1: value1
    name: edge-randomid
    registrationURL: https://register.example.com/
    network:
      httpProxy: http://proxy.example.com
      noProxy: 10.10.128.10,10.0.0.0/8
      nameserver: 1.1.1.1
      interfaces:
        enp0s3:
          type: static
          ipAddress: 10.0.10.25/24
          gateway: 10.0.10.1
          nameserver: 10.10.128.8
        enp0s4:
          type: dhcp
  registryCredentials:
    domain: registry.example.com
    username: bob
    password: ####
    insecure: false
"""
CENTRAL = {"stylus": {"site": {"paletteEndpoint": "api.example.com", "edgeHostToken": TOKEN}}}
LOCAL = {"stylus": {"managementMode": "local"}}


def text(body: str) -> str:
    return f"#cloud-config\n{body}"


def errors(*layers: t.Any, **options: t.Any) -> list[str]:
    judged = judge(*layers, **options)
    assert judged.valid == (not judged.errors)
    return [one.told() for one in judged.errors]


def warnings(*layers: t.Any, **options: t.Any) -> list[str]:
    return [one.told() for one in judge(*layers, **options).warnings]


# ---- text ------------------------------------------------------------------------------------------------------------


def test_the_template_of_the_installer_fails_at_its_empty_password_and_passes_when_it_is_filled() -> None:
    found = judge(TEMPLATE, None).errors
    assert [(one.path, one.line, one.layer) for one in found] == [
        ("stylus.registryCredentials.password", 27, "installer")
    ]
    assert "has no value (null); give one (in quotes where it has a #)" in found[0].message
    filled = judge(TEMPLATE.replace("####", '"####"'), None)
    assert (filled.errors, filled.warnings) == ([], [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("stylus: {}\n", "user-data (site, line 1): does not begin with the line #cloud-config"),
        ("#cloud-config \r\nstylus: {}\n", ""),
        ("#cloud-configs\nstylus: {}\n", "does not begin with the line #cloud-config"),
        (" #cloud-config\nstylus: {}\n", "does not begin with the line #cloud-config"),
        (text("a:\n\tb: 1\n"), "user-data (site, line 3): is no YAML"),
        (text("stylus: *x\n"), "user-data (site, line 2): is no YAML: a value begins with '*'"),
        (text("stylus: {}\n---\nstylus: {}\n"), "has more than one document"),
        (text("- stylus\n"), "is no map"),
        (text("a: &x [*x]\n"), "holds itself by an alias"),
        (text("stages: {boot: []}\nstages: {}\n"), "stages (site, line 3): stands twice in one map, in line 2 too"),
        (text("stylus:\n  site:\n    name: a\n    name: b\n"), "stylus.site.name (site, line 5): stands twice"),
        (text("1: x\n"), "1 (site, line 2): is a key that YAML reads as something else"),
        (text("stages:\n  initramfs:\n    name: x\n"), "stages.initramfs (site, line 3): must be a list of steps"),
        (text('stages:\n  boot:\n    - if: [-f "/x"]\n'), "stages.boot[0].if (site, line 4): must be a string"),
        (text("boot.after: []\n"), "boot.after (site, line 2): is a stage; put it under stages"),
        (text("externalRegistries: {}\nstylus:\n"), "stylus (site, line 3): has no value"),
        (text("externalRegistries: {}\nstylus: {}\n"), "externalRegistries (site, line 2): belongs under stylus"),
        (text("stylus: {externalRegistries: {registries: [{domain: r.example.com, certificates: x}]}}\n"), "must be a list"),
        (text('stages:\n  boot:\n    - files: [{path: /x, permissions: "0644"}]\n'), "(site, line 4): must be a number"),
        (text("siteNetwork:\n  httpProxy: http://p\n"), "siteNetwork (site, line 2): is no key"),
        ("", "does not begin with the line #cloud-config"),
        ("#cloud-config", ""),
    ],
)  # fmt: skip
def test_text(body: str, told: str) -> None:
    found = errors(None, body, view="layer")
    assert any(told in one for one in found) if told else not found, found


def test_text_that_is_no_yaml_is_not_quoted() -> None:
    for body in (
        f"a: '{TOKEN}\n",
        f"a: @{TOKEN}",
        f"{TOKEN}\nb: 1",
        f"a: [{TOKEN}",
        f"a: {TOKEN}: b",
        f"? {TOKEN}\n- x",
    ):
        found = errors(None, text(body), view="layer")
        assert found
        assert TOKEN not in " ".join(found), found


def test_dates_are_strings_and_doubtful_text_is_told() -> None:
    dated = text("stylus: {site: {users: {ops: {passwordExpiry: 2027-12-31}}}}\n")
    assert errors(None, dated, view="layer") == []
    assert any("leave it out" in one for one in warnings(None, "#cloud-config\n---\nstylus: {}\n", view="layer"))
    assert any("CRLF" in one for one in warnings(None, "#cloud-config\r\nstylus: {}\r\n", view="layer"))


# ---- both layers -----------------------------------------------------------------------------------------------------


def test_layers_are_merged_as_documented() -> None:
    installer = text(
        "stylus: {site: {paletteEndpoint: a.example.com, edgeHostToken: x, tags: {city: x, building: y},"
        " caCerts: [], ntpServers: [a]}}\nstages: {boot: [{name: one}], network: [{name: two}]}\n"
    )
    site = {"stylus": {"site": {"tags": {"zip": "1"}, "ntpServers": ["b"]}}, "stages": {"boot": [{"name": "three"}]}}
    judged = judge(installer, site)
    assert judged.errors == []
    assert judged.document["stylus"]["site"]["tags"] == {"city": "x", "building": "y", "zip": "1"}
    assert judged.document["stages"] == {"boot": [{"name": "one"}, {"name": "three"}], "network": [{"name": "two"}]}
    assert judged.document["stylus"]["site"]["ntpServers"] == ["b"], "a choice, and said so"
    assert [one.path for one in judged.warnings] == ["stylus.site.ntpServers"]
    assert "whether Palette appends or replaces is not documented" in judged.warnings[0].message


def test_the_view_decides_what_may_be_missing() -> None:
    assert errors({}, {"stylus": {"site": {"name": "edge-1"}}}, view="layer") == []
    missing = judge(text("stylus:\n  site:\n    name: edge-1\n"), {"stylus": {"debug": True}}).errors
    assert [(one.path, one.layer, one.line) for one in missing] == [
        ("stylus.site.paletteEndpoint", "installer", 3),
        ("stylus.site.edgeHostToken", "installer", 3),
    ]
    assert errors(CENTRAL, {"stylus": {"site": {"name": "edge-1"}}}) == []
    assert errors(LOCAL, None) == []
    assert errors({"stylus": {"installationMode": "airgap"}}, None, agent=(4, 6, 20)) == []


def test_a_finding_is_placed_in_the_layer_that_says_so() -> None:
    installer = text(
        "stylus:\n  site:\n    hostName: Wrong\n    paletteEndpoint: x\n    edgeHostToken: t\nstages:\n  boot: [{if: [x]}]\n"
    )
    site = text("stages:\n  boot:\n    - name: fine\n    - commands: x\n")  # fmt: skip
    found = {(one.path, one.layer, one.line) for one in judge(installer, site).errors}
    assert found == {
        ("stylus.site.hostName", "installer", 4),
        ("stages.boot[0].if", "installer", 8),
        ("stages.boot[1].commands", "site", 5),
    }
    assert errors(text("stylus: {site: {hostName: Wrong}}\n"), {**CENTRAL, "x": {}}) != []
    overridden = {"stylus": {"site": {**CENTRAL["stylus"]["site"], "hostName": "right"}}}
    assert errors(text("stylus: {site: {hostName: Wrong}}\n"), overridden) == [], (
        "the effective view is of what comes of them"
    )


def test_a_null_is_wrong_even_where_the_other_layer_hides_it() -> None:
    found = errors(
        text("stylus: {site: {hostName: }}\n"), {"stylus": {"site": {**CENTRAL["stylus"]["site"], "hostName": "a"}}}
    )
    assert len(found) == 1
    assert found[0].startswith("stylus.site.hostName (installer, line 2): has no value")


def test_unknown_keys_are_errors_on_request() -> None:
    layer = text("stylus:\n  site:\n    paletteEndpont: x\n")
    assert errors(None, layer, view="layer") == []
    assert warnings(None, layer, view="layer")[0].startswith("stylus.site.paletteEndpont (site, line 4): is no key")
    assert errors(None, layer, view="layer", strict=True)[0].startswith("stylus.site.paletteEndpont (site, line 4)")


# ---- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stylus", "agent", "error", "warning"),
    [
        ({"managementMode": "local"}, "4.6.20", "from agent 4.6.21 on, and this one is 4.6.20; use stylus.inst", ""),
        ({"managementMode": "local"}, "4.6.21", "", ""),
        ({"managementMode": "local"}, None, "", ""),
        ({"installationMode": "airgap"}, "4.6.20", "", ""),
        ({"installationMode": "airgap"}, "4.8.7", "", "is deprecated from agent 4.6.21 on; use stylus.managementMode"),
        ({"installationMode": "airgap"}, None, "", "use stylus.managementMode"),
        ({"installationMode": "airgap"}, "v4.8.8-rc.1", "is not known from agent 4.8.8 on", ""),
        ({"installationMode": "airgap", "managementMode": "local"}, None, "stands beside managementMode", "is deprecated"),
        ({"localUI": {"login": {"disableRateLimiting": True}}}, "4.7.15", "is known from agent 4.7.16 on", ""),
        ({"localUI": {"port": 5080}}, "4.7.15", "", ""),
        ({"site": {"remoteShell": {"disable": True}}}, "4.7.15", "upgrade the agent", ""),
        ({"includeTui": True}, "4.8.5", "", ""),
        ({"includeTui": True}, "4.8.6", "", "is deprecated from agent 4.8.6 on; leave it out"),
        ({"emcServer": {"port": 5080}}, None, "", "use stylus.localUI.port"),
        ({"skipKubeVip": True}, "4.8.6", "", "use stylus.vip.skip"),
    ],
)  # fmt: skip
def test_versions(stylus: dict[str, t.Any], agent: str | None, error: str, warning: str) -> None:
    options: dict[str, t.Any] = {"view": "layer", "agent": version_of(agent) if agent else None}
    found, doubts = errors(None, {"stylus": stylus}, **options), warnings(None, {"stylus": stylus}, **options)
    assert any(error in one for one in found) if error else not found, found
    assert any(warning in one for one in doubts) if warning else not doubts, doubts


@pytest.mark.parametrize("wrong", ["4.8", "four", "", "4.8.x"])
def test_what_is_no_version(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is no version of an agent; write it as 4\.8\.6"):
        version_of(wrong)


# ---- registries and advice -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stylus", "words"),
    [
        ({"registryCredentials": {"username": "x"}}, "registryCredentials.domain (site): is missing"),
        ({"registryCredentials": {"domain": "https://r.example.com"}}, "domain (site): is host name, port and path alone"),
        ({"registryCredentials": {"domain": "r", "password": PASSWORD, "encodedPassword": True}}, "(site): is no base64"),
        ({"registryCredentials": {"domain": "r"}, "externalRegistries": {}}, "registryCredentials (site): stands beside"),
        ({"externalRegistries": {"registries": [{"username": "x"}]}}, "registries[0].domain (site): is missing"),
        ({"externalRegistries": {"registries": [{"domain": "r", "certificates": ["x"]}]}}, "[0] (site): is not a PEM"),
        ({"externalRegistries": {"registryMappingRules": {"https://a": "b"}}}, "https://a (site): has a scheme"),
    ],
)  # fmt: skip
def test_registries(stylus: dict[str, t.Any], words: str) -> None:
    found = errors(None, {"stylus": {"managementMode": "local", **stylus}})
    assert any(words in one for one in found), found
    assert PASSWORD not in " ".join(found)


def test_registries_that_are_right() -> None:
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    single = {"domain": "r.example.com:5000/x", "username": "u", "password": encoded, "encodedPassword": True}
    assert errors(None, {"stylus": {"managementMode": "local", "registryCredentials": single}}) == []
    rules = {"registryMappingRules": {"us-docker.pkg.dev/palette-images": "r.example.com/palette-images"}}
    assert errors(None, {"stylus": {"managementMode": "local", "externalRegistries": rules}}) == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"stylus": {"managementMode": "local", "site": {"edgeHostToken": TOKEN}}}, "is not used by a locally managed host"),
        ({"stylus": {"site": {"clusterName": "x"}}}, "is set by Palette"),
        ({"stylus": {"site": {"insecureSkipVerify": True}}}, "turns off the check"),
        ({"stylus": {"site": {"ntpServers": "pool.ntp.org"}}}, "is a string; the samples"),
        ({"stylus": {"featureGate": "UserDataForm,Wrong"}}, "'Wrong' is none of"),
        ({"install": {"extra-partitions": [{"name": "a", "size": 0}, {"name": "b", "size": 100}]}}, "takes all that is free"),
        ({"install": {"partitions": {"data": {"size": 1}}}}, "is no partition of the system"),
        ({"stages": {"boot": [{"command": ["x"]}]}}, "stages.boot[0].command (installer): is no key of a step"),
        ({"stages": {"boot": [{"name": "skip-copy-x"}]}}, "skip-copy- works in the site layer only"),
    ],
)  # fmt: skip
def test_advice(document: dict[str, t.Any], words: str) -> None:
    assert errors(document, None, view="layer") == []
    found = warnings(document, None, view="layer")
    assert any(words in one for one in found), found
    assert TOKEN not in " ".join(found)


def test_a_mark_to_skip_is_fine_in_the_site_layer() -> None:
    assert warnings(None, {"stages": {"boot": [{"name": "skip-copy-x"}]}}, view="layer") == []


def test_no_layer_is_changed_by_putting_them_together() -> None:
    first, second = (
        {"stages": {"boot": [{"name": "a"}]}, "a": {"b": [1]}},
        {"stages": {"boot": [{"name": "b"}]}, "a": {"c": 1}},
    )
    effective(first, second)
    assert first == {"stages": {"boot": [{"name": "a"}]}, "a": {"b": [1]}}
    assert second == {"stages": {"boot": [{"name": "b"}]}, "a": {"c": 1}}


def test_empty_stages_take_no_steps_away() -> None:
    first = {"stages": {"boot": [{"name": "a"}]}}
    assert effective(first, {"stages": None}) == effective(first, {"stages": {"boot": None}}) == first


def test_stages_that_are_no_map_are_told_beside_a_wrong_step() -> None:
    found = errors({"stages": "abc"}, {**CENTRAL, "stages": {"boot": [{"if": [1]}]}})
    assert any("stages.boot[0].if (site)" in one for one in found), found


def test_a_deprecated_key_is_not_called_unknown_too() -> None:
    found = warnings(None, {"stylus": {"reboot": True}}, view="layer")
    assert found == ["stylus.reboot (site): is deprecated; use install.reboot."]
