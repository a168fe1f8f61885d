# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option `interfaces`: what becomes of it, and which contradictions are refused before a host is asked."""

from __future__ import annotations

import configparser
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.action import site_user_data
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import Interface, SiteLayer
from ansible_collections.palette.edge.plugins.module_utils.user_data._networkd import files, needs_file
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render
from ansible_collections.palette.edge.plugins.module_utils.user_data._rules import problems

STATIC = {"address": "10.0.0.5/24"}


def judged(lab: t.Any, interfaces: t.Any, **more: t.Any) -> dict[str, t.Any]:
    host = lab.host()
    options = {"partial": True, "host_id": "edge-1", "interfaces": interfaces, "path": "/nowhere/user-data", **more}
    result = dict(lab.run(site_user_data, check=True, **options))
    result["asked"] = len(host.commands)
    return result


@pytest.mark.parametrize(
    ("nic", "words"),
    [
        ({"mtu": 100}, "interfaces.eth0.mtu: 100 is no MTU; give a number from 576 to 65535."),
        ({"address": "fd00::5/64", "mtu": 600}, "interfaces.eth0.mtu: 600 is no MTU; give a number from 1280 to 65535."),
        ({"mtu": "big"}, "interfaces.eth0: argument 'mtu'"),
        ({"nameservers": ["10.0.0.1", "x"]}, "interfaces.eth0.nameservers[1]: 'x' is no IP address."),
        ({"nameservers": ["10.0.0.1", "10.0.0.1"]}, "interfaces.eth0.nameservers: 10.0.0.1 is there 2 times"),
        ({"search": ["a b"]}, "interfaces.eth0.search[0]: 'a b' is no domain"),
        ({"type": "none", **STATIC, "vlans": {5: {}}}, "interfaces.eth0.address: is given for a NIC of type none"),
        ({"type": "none"}, "interfaces.eth0.type: none is for a NIC that bears VLANs only"),
        ({"vlans": {0: {}}}, "interfaces.eth0.vlans.0: '0' is no ID of a VLAN; give a number from 1 to 4094."),
        ({"vlans": {4095: {}}}, "interfaces.eth0.vlans.4095: '4095' is no ID"),
        ({"vlans": {"5": {}, 5: {}}}, "interfaces.eth0.vlans.5: is there twice"),
        ({"vlans": {5: {"vlans": {}}}}, "interfaces.eth0.vlans.5: vlans. Supported parameters include"),
        ({"vlans": {5: {"mtu": 1600}}}, "interfaces.eth0.vlans.5.mtu: 1600 is more than the MTU of eth0, 1500, the usual one"),
        ({"mtu": 1400, "vlans": {5: {"mtu": 1500}}}, "interfaces.eth0.vlans.5.mtu: 1500 is more than the MTU of eth0, 1400;"),
        ({**STATIC, "vlans": {5: STATIC}}, "interfaces.eth0.vlans.5.address: 10.0.0.5 is also the address of eth0"),
        ({"vlans": {5: {"address": "10.0.0.5"}}}, "interfaces.eth0.vlans.5.address: 10.0.0.5 has no prefix length"),
        ({"vlans": {5: {**STATIC, "gateway": "10.1.0.1"}}}, "interfaces.eth0.vlans.5.gateway: 10.1.0.1 is outside the subnet"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_before_the_host_is_asked(lab: t.Any, nic: dict[str, t.Any], words: str) -> None:
    result = judged(lab, {"eth0": nic})
    assert words in result["msg"]
    assert "\n" not in result["msg"]
    assert result["asked"] == 0


@pytest.mark.parametrize(
    ("interfaces", "words"),
    [
        (
            {"a": {**STATIC, "gateway": "10.0.0.1"}, "b": {"address": "10.1.0.5/24", "gateway": "10.1.0.1"}},
            "interfaces.b.gateway: 10.1.0.1 would be a second default route, as interfaces.a has one",
        ),
        ({"eth0": {"vlans": {5: {}}}, "eth0.5": {}}, "interfaces.eth0.vlans.5: interfaces.eth0.5 is an interface of that name"),
        ({"enp129s0f0np0": {"vlans": {4094: {}}}}, "'enp129s0f0np0.4094' would be its name, of 18 characters"),
        ({"eth*": {"mtu": 1400}}, "interfaces.eth*: 'eth*' is no plain name of a NIC"),
    ],
)  # fmt: skip
def test_so_are_those_between_interfaces(lab: t.Any, interfaces: t.Any, words: str) -> None:
    result = judged(lab, interfaces)
    assert words in result["msg"]
    assert result["asked"] == 0


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            {"stylus": {"site": {"network": {"interfaces": {"eth0": {"type": "dhcp"}}}}}},
            "extra.stylus.site.network.interfaces.eth0: has a file of systemd-networkd from interfaces.eth0, which wins",
        ),
        (
            {"stages": {"initramfs": [{"files": [{"path": "/run/systemd/network/00-palette-edge-eth0.network"}]}]}},
            "extra.stages.initramfs[0].files[0].path: /run/systemd/network/00-palette-edge-eth0.network is written from",
        ),
        ({"stages": {"initramfs": {"commands": ["x"]}}}, "extra.stages.initramfs"),
        ({"stages": {"initramfs": [{"if": ["x"]}]}}, "extra.stages.initramfs[0].if"),
    ],
)
def test_so_are_those_with_extra(lab: t.Any, extra: t.Any, words: str) -> None:
    result = judged(lab, {"eth0": {"mtu": 1400}}, extra=extra)
    assert words in result["msg"]
    assert result["asked"] == 0


def test_two_interfaces_in_one_network_are_warned_of(lab: t.Any, tmp_path: Path) -> None:
    nics = {"eth0": STATIC, "eth1": {"address": "10.0.0.6/24"}}
    found = judged(lab, nics, path=str(tmp_path / "user-data"))["warnings"]
    assert found == [
        "interfaces.eth1: 10.0.0.0/24 is also a network of interfaces.eth0; the host answers for both on either of them."
    ]


def test_a_kernel_without_vlans_is_refused(lab: t.Any, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("modprobe", "unshare"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    if Path("/proc/net/vlan").exists():
        pytest.skip("this machine has VLANs")
    lab.host(environment={"PATH": f"{programs}:/usr/bin:/bin"})
    options = {"partial": True, "host_id": "edge-1", "interfaces": {"eth0": {"vlans": {5: {}}}}}
    result = lab.run(site_user_data, check=True, path=str(tmp_path / "user-data"), **options)
    assert "interfaces.eth0.vlans: the host's kernel" in result["msg"]
    (programs / "modprobe").write_text("#!/bin/sh\nexit 0\n")
    assert lab.run(site_user_data, check=True, path=str(tmp_path / "user-data"), **options)["changed"] is True


def test_what_stylus_can_say_gets_no_file() -> None:
    plain = Interface(address="10.0.0.5/24", gateway="10.0.0.1", nameservers=("10.0.0.1",))
    assert not needs_file(plain)
    assert "stages" not in SiteLayer(interfaces={"eth0": plain}).document()


def test_the_files() -> None:
    vlan = Interface(address="10.42.0.5/24", mtu=1400)
    both = ("10.0.0.1", "10.0.0.2")
    nic = Interface(
        address="10.0.0.5/24",
        gateway="10.0.0.1",
        nameservers=both,
        search=("a.example", "b.example"),
        mtu=9000,
        vlans={"42": vlan},
    )
    texts = files({"eth0": nic, "eth1": Interface(nameservers=both), "eth2": Interface()})
    by_name = {path.removeprefix("/run/systemd/network/00-palette-edge-"): text for path, text in texts.items()}
    assert list(by_name) == ["eth0.network", "eth0.42.netdev", "eth0.42.network", "eth1.network"]
    assert by_name["eth0.network"].splitlines()[2:] == [
        "[Match]", "Name=eth0", "", "[Link]", "MTUBytes=9000", "",
        "[Network]", "Address=10.0.0.5/24", "Gateway=10.0.0.1", "DNS=10.0.0.1", "DNS=10.0.0.2",
        "Domains=a.example b.example", "VLAN=eth0.42",
    ]  # fmt: skip
    netdev = configparser.ConfigParser()
    netdev.read_string(by_name["eth0.42.netdev"])
    assert dict(netdev["NetDev"]) == {"name": "eth0.42", "kind": "vlan", "mtubytes": "1400"}
    assert dict(netdev["VLAN"]) == {"id": "42"}
    assert "Address=10.42.0.5/24" in by_name["eth0.42.network"]
    assert "DHCP=yes" in by_name["eth1.network"]
    assert by_name["eth1.network"].count("UseDNS=no") == 3


def test_a_nic_that_only_bears_vlans_is_not_in_stylus() -> None:
    layer = SiteLayer(interfaces={"eth0": Interface(type="none", vlans={"5": Interface(address="10.0.0.5/24")})})
    document = layer.document()
    assert "stylus" not in document
    assert "LinkLocalAddressing=no" in document["stages"]["initramfs"][0]["files"][0]["content"]


def test_the_step_is_sound_user_data_and_comes_after_those_of_extra() -> None:
    extra = {"stages": {"initramfs": [{"name": "own", "commands": ["true"]}], "boot": [{"commands": ["x"]}]}}
    document = SiteLayer(interfaces={"eth0": Interface(mtu=1400)}, extra=extra).document()
    assert len(document["stages"]["initramfs"]) == 2
    assert document["stages"]["initramfs"][0]["name"] == "own"
    assert extra["stages"]["initramfs"] == [{"name": "own", "commands": ["true"]}]
    assert problems(document, partial=True) == []
    read = yaml.safe_load(render(document))
    assert read == document
    step = read["stages"]["initramfs"][1]
    assert [file["permissions"] for file in step["files"]] == [420]
    assert step["directories"] == [{"path": "/run/systemd/network", "permissions": 493}]
