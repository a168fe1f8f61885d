# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site file may say, and what is said of one that is wrong."""

from __future__ import annotations

import datetime
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.plugins.module_utils.sites import _load
from ansible_collections.palette.edge.plugins.module_utils.sites._check import Outcome, read_sites

NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)

GOOD = """\
name: store-042
project: Default
tags: {region: north}
registration:
  token: store-042
  expires: 2027-12-31
host_defaults:
  nic: host0
  gateway: 10.42.0.1
  backend: {type: bare_metal}
hosts:
  - name: store-042-1
    id: edge-store-042-1
    address: 10.42.0.11/24
    initial_address: 10.42.0.101
  - name: store-042-2
    id: edge-store-042-2
    address: 10.42.0.12/24
  - name: store-042-3
    id: edge-store-042-3
    address: 10.42.0.13/24
profiles:
  - name: edge-store
    version: 1.0.0
cluster:
  vip: 10.42.0.10
  node_pools:
    - name: control-plane-pool
      control_plane: true
      hosts: [store-042-1, store-042-2, store-042-3]
"""

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads site files given as texts: one as store-042.yml, several by their names."""

    def run(text: str = GOOD, **others: str) -> Outcome:
        folder = tmp_path / "sites"
        folder.mkdir(exist_ok=True)
        for name, content in {"store_042": text, **others}.items():
            (folder / f"{name.replace('_', '-')}.yml").write_text(textwrap.dedent(content))
        return read_sites(str(tmp_path), ["sites"], now=NOW)

    return run


def said(outcome: Outcome) -> list[str]:
    return [str(problem) for problem in [*outcome.problems, *outcome.expired]]


def test_a_good_file(read: Any) -> None:
    outcome = read()
    assert said(outcome) == []
    (site,) = outcome.sites
    assert (site.name, site.group, site.tags) == ("store-042", "store_042", {"region": "north", "site": "store-042"})
    assert site.hosts[0].settings == {
        "name": "store-042-1",
        "id": "edge-store-042-1",
        "address": "10.42.0.11/24",
        "initial_address": "10.42.0.101",
        "nic": "host0",
        "gateway": "10.42.0.1",
        "backend": {"type": "bare_metal"},
        "tags": {"region": "north", "site": "store-042"},
    }
    assert site.settings["cluster"]["name"] == "store-042"


# what is replaced in GOOD, by what, and what is said (all of it)
BAD = [
    ("name: store-042\n", "", "sites/store-042.yml:1: the key name is missing"),
    ("name: store-042\n", "name:\n", "sites/store-042.yml:1: name: is required, and empty here"),
    ("name: store-042\n", "name: Store 42\n", "sites/store-042.yml:1: name: 'Store 42' is not a host name (RFC 1123)*"),
    ("name: store-042\n", "name: all\n", "sites/store-042.yml:1: name: 'all' is a group that Ansible keeps for itself"),
    ("project:", "projct:", "sites/store-042.yml:2: projct: unknown key: did you mean project?"),
    ("project: Default", "project: [Default]", "sites/store-042.yml:2: project: must be text, not a list"),
    ("project: Default", "management_mode: remote", "*:2: management_mode: 'remote' is not one of central, local"),
    ("{region: north}", "{region: [north]}", "*:3: tags.region: must be text or a number, not a list"),
    ("{region: north}", "{'a:b': north}", "*:3: tags.a:b: the tag key 'a:b' must have neither white space nor a colon"),
    ("{region: north}", "{site: store-1}", "*:3: tags.site: the tag site is the site's name (store-042)*"),
    (
        "expires: 2027-12-31",
        "expires: 2026-11-20",
        "*:6: registration.expires: the expiry date 2026-11-20 of the token*",
    ),
    ("expires: 2027-12-31", "expires: 2026-11-21T11:59:59Z", "*:6: registration.expires: the expiry date *past*"),
    ("expires: 2027-12-31", "expires: 2027-02-30", "*:6: registration.expires: '2027-02-30' is neither a date*"),
    (
        "expires: 2027-12-31",
        "expires_in_days: soon",
        "*:6: registration.expires_in_days: 'soon' is not a whole number*",
    ),
    (
        "expires: 2027-12-31",
        "expires: 2027-12-31\n  expires_in_days: 90",
        "*:7: registration.expires_in_days: give either expires or expires_in_days, not both",
    ),
    ("project: Default", "management_mode: local", "*:4: registration: a locally managed site does not register*"),
    (
        "project: Default",
        "palette_endpoint: https://palette.example.com/v1",
        "*:2: palette_endpoint: 'https://palette.example.com/v1' must be a bare host name, *: palette.example.com",
    ),
    ("project: Default", "palette_endpoint: palette.example.com:99999", "*:2: palette_endpoint: *the port '99999'*"),
    (
        "gateway: 10.42.0.1",
        "gateway: 10.42.0.1/24",
        "*:9: host_defaults.gateway: '10.42.0.1/24' is not an IP address, without*",
    ),
    (
        "nic: host0",
        "nic: a network card",
        "*:8: host_defaults.nic: 'a network card' is not the name of a network interface*",
    ),
    ("nic: host0", "address: 10.42.0.9/24", "*:8: host_defaults.address: unknown key*"),
    (
        "type: bare_metal",
        "type: bare-metal",
        "*:10: host_defaults.backend.type: 'bare-metal' is not one of bare_metal, vm, *",
    ),
    ("nic: host0", "proxy: {http: 'proxy:3128'}", "*:8: host_defaults.proxy.http: 'proxy:3128' is not a proxy URL*"),
    ("nic: host0", "proxy: {http: 'http://u:p@proxy'}", "*:8: host_defaults.proxy.http: carries a user or password*"),
    (
        "nic: host0",
        "ca_certificates: [nonsense]",
        "*:8: host_defaults.ca_certificates[0]: is not a certificate in PEM form*",
    ),
    (
        "nic: host0",
        "ca_certificates: [{file: none.pem}]",
        "*:8: host_defaults.ca_certificates[0].file: */sites/none.pem cannot be read: No such file or directory",
    ),
    ("nic: host0", "nameservers: 10.42.0.1", "*:8: host_defaults.nameservers: must be a list, not text"),
    ("name: store-042-1", "name: Store_1", "*:12: hosts[0].name: 'Store_1' is not a host name*"),
    ("name: store-042-2", "name: store-042-1", "*:16: hosts[1].name: store-042-1 is the name of hosts[0] already"),
    ("    id: edge-store-042-2\n", "", "*:16: hosts[1]: the key id is missing"),
    (
        "id: edge-store-042-2",
        "id: edge-store-042-1",
        "*:17: hosts[1].id: edge-store-042-1 is the id of hosts[0] already",
    ),
    ("id: edge-store-042-2", "id: edge/2", "*:17: hosts[1].id: 'edge/2' has characters that Palette does not take*"),
    ("id: edge-store-042-2", f"id: {'e' * 129}", "*:17: hosts[1].id: *has 129 characters*"),
    ("address: 10.42.0.12/24", "address: 10.42.0.12", "*:18: hosts[1].address: 10.42.0.12 has no prefix length: *"),
    (
        "address: 10.42.0.12/24",
        "address: 10.42.0.11/24",
        "*:18: hosts[1].address: 10.42.0.11 is the address of hosts[0] already",
    ),
    ("address: 10.42.0.12/24", "address: 10.42.0.12/40", "*:18: hosts[1].address: '10.42.0.12/40' is not an address*"),
    (
        "address: 10.42.0.12/24",
        "address: 10.42.0.0/24",
        "*:18: hosts[1].address: 10.42.0.0/24 is the network or broadcast*",
    ),
    ("address: 10.42.0.12/24", "address: 10.42.0.12/255.255.255.0", "*:18: hosts[1].address: *10.42.0.12/24"),
    (
        "initial_address: 10.42.0.101",
        "initial_address: 10.42.0.12",
        "*:15: hosts[0].initial_address: 10.42.0.12 is the address*",
    ),
    (
        "initial_address: 10.42.0.101",
        "gateway: 10.43.0.1",
        "*:15: hosts[0].gateway: 10.43.0.1 is outside the subnet 10.42.0.0/24*",
    ),
    (
        "initial_address: 10.42.0.101",
        "gateway: 10.42.0.11",
        "*:15: hosts[0].gateway: 10.42.0.11 is the host's own address",
    ),
    ("initial_address: 10.42.0.101", "address: 10.42.0.14/24", "*:15: hosts[0].address: is given twice"),
    ("version: 1.0.0", "version: 1.10", "*:24: profiles[0].version: '1.10' is not a version of three numbers*"),
    (
        "version: 1.0.0",
        "version: 1.0.0\n  - name: edge-store",
        "*:25: profiles[1].name: the profile edge-store is profiles[0]*",
    ),
    ("vip: 10.42.0.10", "vip: 10.43.0.10", "*:26: cluster.vip: 10.43.0.10 is outside the hosts' subnet 10.42.0.0/24*"),
    ("vip: 10.42.0.10", "vip: 10.42.0.13", "*:26: cluster.vip: 10.42.0.13 is the address of the host store-042-3*"),
    ("vip: 10.42.0.10", "vip: 10.42.0.1", "*:26: cluster.vip: 10.42.0.1 is the gateway*"),
    ("vip: 10.42.0.10", "vip: store.example.com", "*:26: cluster.vip: store.example.com is not an IP address*"),
    (
        "vip: 10.42.0.10",
        "overlay_cidr: 10.9.0.0/16\n  vip: 10.8.0.1",
        "*:27: cluster.vip: 10.8.0.1 is outside the overlay*",
    ),
    (
        "vip: 10.42.0.10",
        "two_node: true",
        "*:30: cluster.node_pools[0].hosts: 3 control planes; with two_node: true *exactly 2",
    ),
    ("vip: 10.42.0.10", "two_node: maybe", "*:26: cluster.two_node: 'maybe' is neither true nor false"),
    (", store-042-3]", "]", "*:30: cluster.node_pools[0].hosts: 2 control planes: their number must be odd*"),
    ("[store-042-1, store-042-2, store-042-3]", "[]", "*:30: cluster.node_pools[0].hosts: must not be empty"),
    ("store-042-3]", "store-042-9]", "*:30: cluster.node_pools[0].hosts[2]: store-042-9 is not a host of this site*"),
    ("store-042-3]", "store-042-1]", "*:30: cluster.node_pools[0].hosts[2]: store-042-1 is in node_pools[0] already*"),
    ("control_plane: true", "control_plane: false", "*:27: cluster.node_pools: 0 pools have control_plane: true*"),
    ("project: Default", "project: !vault abc", "*:2: project: the YAML tag !vault has no meaning here; *no secrets*"),
    ("project: Default", "project: *nobody", "*:2: YAML: *undefined alias*|*:2: project: unknown anchor *"),
    ("project: Default", "project: 'Default", "*: YAML: *"),
    ("hosts:\n", "---\nhosts:\n", "*: a second YAML document: one site is one file|*"),
]


@pytest.mark.parametrize(
    ("old", "new", "says"), BAD, ids=[f"{n}: {new.strip()[:40]}" for n, (_o, new, _s) in enumerate(BAD)]
)
def test_what_is_wrong_is_said_with_its_line(read: Any, old: str, new: str, says: str) -> None:
    assert old in GOOD
    lines = said(read(GOOD.replace(old, new, 1)))
    patterns = [_pattern(one) for one in says.split("|")]
    assert any(pattern.fullmatch(line) for pattern in patterns for line in lines), lines
    if "|" not in says:
        assert len(lines) == 1


def _pattern(text: str) -> Any:
    import re

    return re.compile(".*".join(re.escape(part) for part in text.split("*")))


def test_everything_wrong_is_said_at_once(read: Any) -> None:
    text = (
        GOOD.replace("10.42.0.12/24", "10.42.0.12")
        .replace("1.0.0", "one")
        .replace("vip: 10.42.0.10", "vip: 10.42.0.11")
    )
    other = GOOD.replace("gateway: 10.42.0.1", "gateway: x")
    places = {tuple(line.split(": ")[:2]) for line in said(read(text, other=other))}
    assert {
        ("sites/store-042.yml:18", "hosts[1].address"),
        ("sites/store-042.yml:24", "profiles[0].version"),
        ("sites/store-042.yml:26", "cluster.vip"),
        ("sites/other.yml:9", "host_defaults.gateway"),
    } <= places


def test_names_and_ids_are_unique_over_all_files(read: Any) -> None:
    second = GOOD.replace("store-042", "store-043").replace("edge-store-043-2", "edge-store-042-2")
    third = (
        GOOD.replace("store-042", "store-044")
        .replace("name: store-044-3", "name: store-042-3")
        .replace("store-044-3]", "store-042-3]")
    )
    assert said(read(second=second, third=third)) == [
        (
            "sites/store-042.yml:17: hosts[1].id: edge-store-042-2 is the ID of a host of the site store-043 in "
            "sites/second.yml already: Edge host IDs are unique in the tenant"
        ),
        (
            "sites/third.yml:19: hosts[2].name: store-042-3 is a host of the site store-042 in sites/store-042.yml already: "
            "every entry of the inventory has a name of its own"
        ),
    ]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("name: store-042\nhosts: [{name: a, id: a}]", "second.yml:1: name: the site store-042 is in"),
        (
            "name: store.042\nhosts: [{name: a, id: a}]",
            "name: store.042 has the same group (store_042) as the site store-042",
        ),
        ("name: b\nhosts: [{name: b, id: b}]", "second.yml:2: hosts[0].name: b is the group of the site b already"),
        ("name: c-1\nhosts: [{name: c-1, id: b}]", "hosts[0].name: c-1 is the entry of the site c-1 already"),
        (
            (
                "name: c\nproject: Default\nhosts: [{name: c1, id: b}]\n"
                "cluster: {name: store-042, node_pools: [{name: cp, control_plane: true, hosts: [c1]}]}"
            ),
            "second.yml:4: cluster.name: the cluster store-042 is in sites/store-042.yml already",
        ),
    ],
)
def test_sites_do_not_clash(read: Any, second: str, says: str) -> None:
    outcome = read_all(read, second)
    assert len(outcome) == 1
    assert says.replace("second.yml", "zz.yml") in outcome[0]


def read_all(read: Any, second: str) -> list[str]:
    return said(read(zz=second))


def test_values_are_what_stands_there(read: Any) -> None:
    text = """\
        name: hamburg
        tags: {zip: 01234, open: yes, ratio: 1.10, none: }
        registration: {token: 42, expires: 2027-12-31T10:00:00Z}
        hosts:
          - &one
            name: hamburg-1
            id: 0815
            backend: {type: vm, cpus: 4, name: web, thin: true}
            proxy: {no_proxy: "a, .b"}
          - <<: *one
            name: hamburg-2
            id: "0816"
            backend: {type: vm}
        profiles: [{name: p, variables: {replicas: 3, on: off}}]
        """
    outcome = read(text)
    assert said(outcome) == []
    (site,) = outcome.sites
    assert site.tags == {"zip": "01234", "open": "yes", "ratio": "1.10", "none": "", "site": "hamburg"}
    assert site.settings["registration"] == {"token": "42", "expires": "2027-12-31T10:00:00Z"}
    assert [host.id for host in site.hosts] == ["0815", "0816"]
    assert site.hosts[0].settings["backend"] == {"type": "vm", "cpus": 4, "name": "web", "thin": True}
    assert site.hosts[0].settings["proxy"] == {"no_proxy": ["a", ".b"]}
    assert site.settings["profiles"] == [{"name": "p", "variables": {"replicas": "3", "on": "off"}}]
    assert not any(isinstance(host.settings["name"], _load.Plain) for host in site.hosts)


def test_defaults_are_merged_and_can_be_taken_back(read: Any) -> None:
    text = """\
        name: s-1
        tags: {region: north, ring: 1}
        host_defaults:
          gateway: 10.0.0.1
          nameservers: [10.0.0.1]
          backend: {type: vm, cpus: 4}
          proxy: {http: "http://p:1", https: "http://p:1"}
          tags: {rack: a}
        hosts:
          - {name: s-1-1, id: e1, gateway: , nameservers: [10.0.0.2], backend: {cpus: 8}, proxy: {https: }, tags: {ring: 2}}
          - {name: s-1-2, id: e2}
        """
    outcome = read(text)
    assert said(outcome) == []
    first, second = outcome.sites[0].hosts
    assert first.settings == {
        "name": "s-1-1",
        "id": "e1",
        "nameservers": ["10.0.0.2"],
        "backend": {"type": "vm", "cpus": 8},
        "proxy": {"http": "http://p:1"},
        "tags": {"region": "north", "ring": "2", "site": "s-1", "rack": "a"},
    }
    assert second.settings["gateway"] == "10.0.0.1"
    assert second.settings["tags"] == {"region": "north", "ring": "1", "site": "s-1", "rack": "a"}


def test_certificates_from_files_are_relative_to_the_site_file(read: Any, tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "ca.pem").write_text(PEM)
    (tmp_path / "certs" / "key.pem").write_text(PEM + "-----BEGIN PRIVATE KEY-----\n")
    good = GOOD.replace("nic: host0", "ca_certificates: [{file: ../certs/ca.pem}]")
    assert read(good).sites[0].hosts[2].settings["ca_certificates"] == [PEM]
    (line,) = said(read(good.replace("ca.pem", "key.pem")))
    assert "key.pem holds a private key" in line


@pytest.mark.parametrize(
    ("change", "to"),
    [
        # a site of one host may give it the VIP, two nodes may be two, a local site needs no token
        (
            GOOD[GOOD.index("hosts:\n") :],
            (
                "hosts: [{name: h-1, id: h, address: 10.42.0.11/24}]\n"
                "cluster: {vip: 10.42.0.11, node_pools: [{name: cp, control_plane: yes, hosts: [h-1]}]}\n"
            ),
        ),
        (
            (
                "vip: 10.42.0.10\n  node_pools:\n    - name: control-plane-pool\n      control_plane: true\n"
                "      hosts: [store-042-1, store-042-2, store-042-3]"
            ),
            (
                "two_node: true\n  node_pools:\n    - name: cp\n      control_plane: true\n"
                "      hosts: [{name: store-042-1, two_node_role: primary}, store-042-2]"
            ),
        ),
        ("registration:\n  token: store-042\n  expires: 2027-12-31\n", "management_mode: local\n"),
        ("expires: 2027-12-31", "expires: 2026-11-21"),
        ("vip: 10.42.0.10", "endpoint_type: DDNS\n  vip: store-042.example.com"),
        ("vip: 10.42.0.10", "overlay_cidr: 192.168.100.0/24"),
        ("project: Default", "palette_endpoint: palette.example.com:8443"),
        ("10.42.0.12/24", "fd00:42::12/64\n    gateway: fd00:42::1"),
    ],
)
def test_what_is_allowed(read: Any, change: str, to: str) -> None:
    assert change in GOOD
    lines = said(read(GOOD.replace(change, to, 1)))
    assert [line for line in lines if "cluster.vip" not in line or "fd00" not in to] == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text\n", "- a\n", "\x00", "a: b: c\n", "{"])
def test_what_is_no_site_at_all(read: Any, text: str) -> None:
    lines = said(read(text))
    assert len(lines) == 1
    assert lines[0].startswith("sites/store-042.yml")


def test_a_file_that_is_not_text(read: Any, tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.yml").write_bytes(b"name: \xff\xfe\n")
    assert "sites/a.yml: is not UTF-8 text (byte 6)" in said(read())


def test_paths(tmp_path: Path, read: Any) -> None:
    read()
    (tmp_path / "sites" / ".hidden.yml").write_text("nonsense")
    (tmp_path / "sites" / "notes.txt").write_text("nonsense")
    (tmp_path / "empty").mkdir()
    assert len(read_sites(str(tmp_path), ["sites", "sites/store-042.yml"], now=NOW).sites) == 1
    for path, says in (("nowhere", "no folder or file 'nowhere'"), ("empty", "no site file")):
        with pytest.raises(ValueError, match=says):
            read_sites(str(tmp_path), [path], now=NOW)


def test_without_libyaml_the_same_is_said(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace("10.42.0.12/24", "10.42.0.12").replace("project:", "projct:")
    fast = said(read(text))
    monkeypatch.setattr(_load, "_LOADER", yaml.SafeLoader)
    assert said(read(text)) == fast
    assert len(fast) == 2
