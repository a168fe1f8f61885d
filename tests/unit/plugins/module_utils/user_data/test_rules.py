# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.palette.edge.plugins.module_utils.user_data._merge import merge
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import problems
from ansible_collections.palette.edge.plugins.module_utils.user_data._types import unknown_keys

TOKEN = "t0ken-canary"
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUNkH8Hr+x/FgaYZnQILOcvMVTDhUwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjEwNTM5MzRaGA8yMTI2MTAyODA1
MzkzNFowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABOhPAhXB2cQnMhAeQAYgOGXeDOTAw4F3PoDKlTVYAenOszRBAhHdxI3Nm9Fr
kbbix6+wstsjeRxQTlzezo1SsGmjUzBRMB0GA1UdDgQWBBQw4wpQVN3rlpaJrGqx
9Ln4EBuxljAfBgNVHSMEGDAWgBQw4wpQVN3rlpaJrGqx9Ln4EBuxljAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDjQKayHvouJ2dWACyRZehyx/FjX
Xvkw2C8NR6xIC/1iAiBV1y7YKi5YwIObUMU6TYcr9gMZeQ8cXUizb1mztlmlrQ==
-----END CERTIFICATE-----
"""
GOOD: dict[str, t.Any] = {
    "stylus": {
        "managementMode": "central",
        "site": {
            "paletteEndpoint": "palette.example.com:8443",
            "edgeHostToken": TOKEN,
            "projectName": "Default",
            "name": "Edge_1",
            "hostName": "store-042-1",
            "tags": {"site": "store-042"},
            "caCerts": [CERTIFICATE],
            "ntpServers": ["pool.ntp.org", "10.0.0.1", "2001:db8::1"],
            "users": {"ops": {"groups": ["sudo"], "passwordExpiry": "2027-12-31", "lock_passwd": True}},
            "network": {
                "httpProxy": "http://user:pass@proxy.example.com:3128",
                "noProxy": "10.0.0.0/8,.example.com,localhost",
                "nameserver": "10.0.0.1",
                "interfaces": {
                    "eth0": {
                        "type": "static",
                        "ipAddress": "10.0.10.25/24",
                        "gateway": "10.0.10.1",
                        "nameserver": "10.0.0.1",
                    },
                    "eth1": {"type": "dhcp"},
                    "eth2": {"type": "static", "ipAddress": "2001:db8::5/64", "gateway": "2001:db8::1"},
                    "eth3": {"type": "static", "ipAddress": "10.9.0.1", "mask": "255.255.255.0"},
                    "eth4": {"type": "static", "ipAddress": "10.8.0.0/31"},
                },
            },
        },
    },
    "install": {"reboot": True, "bind_mounts": ["/var/lib/wpa"]},
    "stages": {
        "initramfs": [{"name": "x", "if": '[ -f "/x" ]', "users": {"ops": {"groups": ["sudo"]}}}],
        "network.before": [{"commands": ["true"], "files": [{"path": "/x", "permissions": 420}]}],
    },
}


def site(**values: t.Any) -> dict[str, t.Any]:
    return {"stylus": {"site": values}}


def network(**values: t.Any) -> dict[str, t.Any]:
    return site(network=values)


def nic(name: str = "eth0", **values: t.Any) -> dict[str, t.Any]:
    return network(interfaces={name: values})


def told(document: dict[str, t.Any], **options: t.Any) -> list[str]:
    return [problem.told() for problem in problems(document, **options)]


def test_a_good_one() -> None:
    assert told(GOOD) == []
    assert unknown_keys(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # the API's address
        (
            site(paletteEndpoint="https://palette.example.com"),
            "paletteEndpoint: 'https://palette.example.com' has a scheme; write 'palette.example.com'",
        ),
        (
            site(paletteEndpoint="palette.example.com/api"),
            "paletteEndpoint: 'palette.example.com/api' has a path; write 'palette.example.com'",
        ),
        (
            site(paletteEndpoint="http://palette.example.com:80/x?y"),
            "has a scheme and a path; write 'palette.example.com:80'",
        ),
        (site(paletteEndpoint="palette.example.com/"), "has a path"),
        (site(paletteEndpoint="me:s3cret@palette.example.com"), "paletteEndpoint: holds a user name or password"),
        (site(paletteEndpoint="palette example"), "is no host name or address"),
        (site(paletteEndpoint="palette:99999"), "is no host name or address"),
        (site(paletteEndpoint="10.0.0.256"), "is no host name or address"),
        (site(paletteEndpoint=None), "paletteEndpoint: is missing"),
        # registration
        (site(edgeHostToken=None), "edgeHostToken: is missing"),
        (site(edgeHostToken=f"{TOKEN}\n"), "edgeHostToken: holds a blank or a line break"),
        (site(projectUid="x"), "projectUid: stands beside projectName"),
        ({"stylus": {"managementMode": "remote"}}, "managementMode: 'remote' is unknown; use central or local"),
        # names
        *[
            (site(name=f"edge{sign}1"), "has what an Edge host ID may not have")
            for sign in "/?#&+%,$~!@*(){}|=;:<>'.^\" \t"
        ],
        (site(name="e" * 129), "name: has 129 characters and an Edge host ID at most 128"),
        (site(name="Edge_1", hostName=None), "name: 'Edge_1' would be the host name too"),
        *[
            (site(hostName=name), f"hostName: {name!r} is no host name by RFC 1123")
            for name in ("Store", "a_b", "-a", "a-", "a..b", ".a", "a b", "a" * 64, ".".join(["a" * 60] * 5))
        ],
        (site(prefix="a_b"), "prefix: 'a_b' may hold"),
        (site(tags={"a": ""}), "tags.a: is a tag without"),
        (site(tags={"a": {"b": 1}}), "tags.a: must be a string"),
        # network
        (network(httpProxy="proxy:3128"), "httpProxy: 'proxy:3128' is no address of a proxy"),
        (network(httpsProxy="ftp://proxy"), "httpsProxy: "),
        (network(httpProxy="http://proxy:99999"), "httpProxy: "),
        (network(noProxy="a b"), "noProxy: 'a b' is no entry"),
        (network(noProxy="a,,b"), "noProxy: '' is no entry"),
        (network(nameserver="10.0.0.1,10.0.0.2"), "nameserver: '10.0.0.1,10.0.0.2' is no IP address; give exactly one"),
        (nic(type="static", ipAddress="10.0.10.25"), "eth0.ipAddress: 10.0.10.25 has no prefix length"),
        (nic(type="static", ipAddress="10.0.10.300/24"), "ipAddress: '10.0.10.300/24' is no IP address"),
        (nic(type="static", ipAddress="10.0.10.25/33"), "ipAddress: "),
        (nic(type="static", ipAddress="10.0.10.0/24"), "is the network 10.0.10.0/24 itself"),
        (nic(type="static", ipAddress="10.0.10.255/24"), "or its broadcast"),
        (nic(type="static", ipAddress="127.0.0.1/8", gateway=None), "is no address that a host can have"),
        (nic(type="static", ipAddress="10.0.11.25/24"), "eth0.gateway: 10.0.10.1 is outside the subnet 10.0.11.0/24"),
        (nic(gateway="10.0.10.25"), "gateway: 10.0.10.25 is the host's own address"),
        (nic(gateway="2001:db8::1"), "is outside the subnet"),
        (nic(gateway="router"), "gateway: 'router' is no IP address"),
        (nic(nameserver="10.0.0"), "nameserver: '10.0.0' is no IP address"),
        (nic(type="dhcp", gateway=None), "eth0.ipAddress: 10.0.10.25/24 is given for a NIC of type dhcp"),
        (nic(type="bond"), "type: 'bond' is unknown"),
        (nic("eth1", type="static"), "eth1.ipAddress: is missing"),
        (
            nic("eth1", type="static", ipAddress="10.0.10.25/16"),
            "eth1.ipAddress: 10.0.10.25 is also the address of eth0",
        ),
        (nic("", type="static", ipAddress="10.0.10.9/24"), "interfaces: the NIC that gets the address has no name"),
        (nic("a-name-much-too-long", type="dhcp"), "is no name of a NIC"),
        # lists
        (site(ntpServers=["http://x"]), "ntpServers[0]: 'http://x' is no host name"),
        (site(ntpServers=5), "ntpServers: must be a list of strings, and is a number"),
        (site(caCerts=["no PEM"]), "caCerts[0]: is not a PEM certificate"),
        (site(caCerts=[CERTIFICATE, CERTIFICATE.replace("M", "", 1)[:200]]), "caCerts[1]: is not a PEM certificate"),
        (
            site(caCerts=["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]),
            "caCerts[0]: is cut off or garbled",
        ),
        (
            site(caCerts=["-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n"]),
            "caCerts[0]: holds a private key (not shown)",
        ),
        # users
        (site(users={"Ops": {}}), "users.Ops: 'Ops' is no name of a user"),
        (site(users={"ops": {"passwordExpiry": "soon"}}), "passwordExpiry: 'soon' is no date"),
        (
            site(users={"ops": {"ssh_authorized_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret"]}}),
            "is a private key (not shown)",
        ),
        (site(users=["ops"]), "users: must be a map"),
        # the rest
        ({"install": {"poweroff": True}}, "install.reboot: is true, and so is install.poweroff"),
        ({"install": {"reboot": "yes"}}, "install.reboot: must be true or false, and is a string"),
        (
            {"stylus": {"registryCredentials": {"domain": "x"}, "externalRegistries": {}}},
            "registryCredentials: stands beside",
        ),
        ({"registryCredentials": {"domain": "x"}}, "registryCredentials: belongs under stylus"),
        ({"siteNetwork": {}}, "siteNetwork: is no key"),
        ({"boot.after": []}, "boot.after: is a stage; put it under stages"),
        ({"stylus": {"localUI": {"port": 70000}}}, "localUI.port: 70000 is no port"),
        ({"stylus": {"debug": "true"}}, "stylus.debug: must be true or false, and is a string"),
        ({"stylus": {"site": {"projectName": 42}}}, "projectName: must be a string, and is a number; put it in quotes"),
        ({"stylus": {"registryCredentials": {"password": ["s3cret"]}}}, "password: must be a string, and is a list"),
        ({"stylus": "x"}, "stylus: must be a map"),
        ({"stylus": {"site": {"ntpServers": [None]}}}, "ntpServers[0]: has no value (null)"),
        ({"stages": {"initramfs": {"name": "x"}}}, "stages.initramfs: must be a list of steps"),
        ({"stages": {"initramfs": ["x"]}}, "stages.initramfs[0]: must be a map"),
        ({"stages": {"boot": [{"if": ['-f "/x"']}]}}, "stages.boot[0].if: must be a string"),
        ({"stages": {"boot": [{"commands": "true"}]}}, "stages.boot[0].commands: must be a list of strings"),
        (
            {"stages": {"boot": [{"files": [{"permissions": "0644"}]}]}},
            "stages.boot[0].files[0].permissions: must be a number",
        ),
        ({"stages": []}, "stages: must be a map"),
        ({"stages": {"boot": [{"users": {True: {}}}]}}, "stages.boot[0].users.True: is a key that YAML reads"),
    ],
)
def test_bad_input(change: dict[str, t.Any], words: str) -> None:
    found = told(merge(GOOD, change))
    assert len(found) == 1, found
    assert words in found[0]
    assert "\n" not in found[0]
    assert TOKEN not in found[0]
    assert "s3cret" not in found[0]
    assert found[0].endswith(".")


def test_everything_at_once() -> None:
    bad = merge(
        GOOD, site(paletteEndpoint="https://x", name="a/b"), nic(ipAddress="10.0.10.25"), {"stages": {"boot": {}}}
    )
    assert len(told(bad)) == 4


def test_what_central_mode_needs_may_come_from_elsewhere() -> None:
    bare = {"stylus": {"site": {"name": "edge-1"}}}
    assert len(told(bare)) == 2
    assert told(bare, partial=True) == []
    assert told(merge(bare, {"stylus": {"managementMode": "local"}})) == []
    assert told(merge(bare, site(paletteEndpoint="p", registrationURL="https://qr.example.com"))) == []


def test_random_is_an_id() -> None:
    assert told(merge(GOOD, site(name="$random"))) == []


def test_a_secret_in_a_bad_proxy_is_hidden() -> None:
    found = told(merge(GOOD, network(httpProxy="socks://u:s3cret@proxy")))
    assert "s3cret" not in found[0]
    assert "proxy" in found[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stylus": {"sites": {}}}, "stylus.sites: is no key"),
        (site(palettEndpoint="x"), "stylus.site.palettEndpoint: is no key"),
        (nic(ip="x"), "interfaces.eth0.ip: is no key"),
        (
            {"stylus": {"externalRegistries": {"registries": [{"domain": "r.example.com", "user": "x"}]}}},
            "registries[0].user: is no key",
        ),
        ({"stages": {"boots": []}}, "stages.boots: is no stage"),
        ({"k3s": {"enabled": True}}, "k3s: is for hosts that Kairos runs by itself"),
        ({"install": {"power-off": True}}, "install.power-off: is no key"),
    ],
)
def test_unknown_keys_are_told_and_no_problem(change: dict[str, t.Any], words: str) -> None:
    document = merge(GOOD, change)
    assert told(document) == []
    found = [problem.told() for problem in unknown_keys(document)]
    assert len(found) == 1
    assert words in found[0]
