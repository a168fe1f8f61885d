# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.palette.edge.plugins.module_utils.user_data._model import Interface, SiteLayer, User

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_every_option_in_palette_s_words() -> None:
    layer = SiteLayer(
        management_mode="central",
        palette_endpoint="palette.example.com",
        registration_token="t",
        project="Default",
        host_id="edge-1",
        host_name="store-1",
        tags={"site": "store-042", "floor": 3, "spare": False},
        proxy_http="http://p:1",
        proxy_https="http://p:2",
        no_proxy=("10.0.0.0/8", ".example.com"),
        ca_certificates=(CERTIFICATE + CERTIFICATE,),
        ntp_servers=("a", "b"),
        nameserver="10.0.0.1",
        interfaces={
            "eth0": Interface(address="10.0.0.5/24", gateway="10.0.0.1", nameservers=("10.0.0.2",)),
            "eth1": Interface(),
        },
        users={
            "ops": User(
                groups=("sudo",),
                passwd="h",
                password_expiry="2027-01-01",
                lock_passwd=False,
                ssh_authorized_keys=("k",),
            )
        },
        extra={"stylus": {"enableMultiNode": True}, "stages": {"boot": []}},
    )
    assert layer.document() == {
        "stylus": {
            "managementMode": "central",
            "enableMultiNode": True,
            "site": {
                "paletteEndpoint": "palette.example.com",
                "edgeHostToken": "t",
                "projectName": "Default",
                "name": "edge-1",
                "hostName": "store-1",
                "tags": {"site": "store-042", "floor": "3", "spare": "false"},
                "caCerts": [CERTIFICATE, CERTIFICATE],
                "ntpServers": ["a", "b"],
                "users": {
                    "ops": {
                        "groups": ["sudo"],
                        "passwd": "h",
                        "passwordExpiry": "2027-01-01",
                        "lock_passwd": False,
                        "ssh_authorized_keys": ["k"],
                    }
                },
                "network": {
                    "httpProxy": "http://p:1",
                    "httpsProxy": "http://p:2",
                    "noProxy": "10.0.0.0/8,.example.com",
                    "nameserver": "10.0.0.1",
                    "interfaces": {
                        "eth0": {
                            "type": "static",
                            "ipAddress": "10.0.0.5/24",
                            "gateway": "10.0.0.1",
                            "nameserver": "10.0.0.2",
                        },
                        "eth1": {"type": "dhcp"},
                    },
                },
            },
        },
        "stages": {"boot": []},
    }


def test_what_is_not_said_is_not_there() -> None:
    assert SiteLayer().document() == {}
    assert SiteLayer(host_id="", tags={}, project=None).document() == {}


def test_a_project_by_uid() -> None:
    uid = "0123456789abcdef01234567"
    assert SiteLayer(project=uid).document() == {"stylus": {"site": {"projectUid": uid}}}


def test_extra_has_the_last_word() -> None:
    layer = SiteLayer(host_id="a", tags={"x": "1"}, extra={"stylus": {"site": {"name": "b", "tags": {"y": "2"}}}})
    assert layer.document()["stylus"]["site"] == {"name": "b", "tags": {"x": "1", "y": "2"}}


@pytest.mark.parametrize(
    ("path", "option"),
    [
        (("stylus", "site", "network", "interfaces", "eth0", "ipAddress"), "interfaces.eth0.address"),
        (("stylus", "site", "network", "httpProxy"), "proxy.http"),
        (("stylus", "site", "caCerts", 1), "ca_certificates[1]"),
        (("stylus", "site", "users", "ops", "passwordExpiry"), "users.ops.password_expiry"),
        (("stylus", "site", "paletteEndpoint"), "palette_endpoint"),
        (("stylus", "site", "hostName"), "extra.stylus.site.hostName"),
        (("stages", "boot", 0, "if"), "extra.stages.boot[0].if"),
    ],
)
def test_a_place_is_called_as_the_user_called_it(path: tuple[str | int, ...], option: str) -> None:
    assert SiteLayer(extra={"stylus": {"site": {"hostName": "x"}}}).option_of(path) == option


def test_a_second_name_server_of_a_nic_goes_into_a_file_of_systemd_networkd() -> None:
    document = SiteLayer(interfaces={"eth0": Interface(nameservers=("10.0.0.1", "10.0.0.2"))}).document()
    assert document["stylus"]["site"]["network"]["interfaces"] == {"eth0": {"type": "dhcp", "nameserver": "10.0.0.1"}}
    assert "DNS=10.0.0.1\nDNS=10.0.0.2\n" in document["stages"]["initramfs"][0]["files"][0]["content"]
