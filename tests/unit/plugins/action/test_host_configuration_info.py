# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has in force against its user-data: the comparison alone, and the whole against a shell."""

from __future__ import annotations

import base64
import hashlib
import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.action import host_configuration_info
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import Interface, SiteLayer
from ansible_collections.palette.edge.plugins.module_utils.user_data._networkd import files
from ansible_collections.palette.edge.plugins.plugin_utils import _drift, _in_force, _way_back
from ansible_collections.palette.edge.plugins.plugin_utils._script import parse_output

BODY = "AAAAC3NzaC1lZDI1NTE5AAAAIHm4ZtT7Fh0G3wHkqVw0Xo1r9nq0e9mYk8p1n3mJx2bQ"
PEM = f"-----BEGIN CERTIFICATE-----\n{'A' * 64}\n{'B' * 40}\n-----END CERTIFICATE-----\n"
NICS = {
    "eth0": Interface(
        address="10.0.0.5/24", gateway="10.0.0.1", nameservers=("10.0.0.1", "10.0.0.2"), search=("store.example",), mtu=1400,
        vlans={"42": Interface(address="10.42.0.5/24")},
    ),
    "eth1": Interface(),
}  # fmt: skip


def document(**more: t.Any) -> dict[str, t.Any]:
    site = {
        "hostName": "store-1",
        "ntpServers": ["a.example"],
        "caCerts": [PEM],
        "users": {
            "ops": {"groups": ["sudo"], "passwd": "$6$x$canary", "ssh_authorized_keys": [f"ssh-ed25519 {BODY} me"]}
        },
        "network": {"httpProxy": "http://u:canary@proxy:3128", "noProxy": "10.0.0.0/8"},
        **more,
    }
    return SiteLayer(interfaces=NICS, extra={"stylus": {"site": site}}).document()


def nic(name: str, *addresses: str, mtu: int = 1500) -> dict[str, t.Any]:
    return {"name": name, "mac": "", "state": "up", "mtu": mtu, "addresses": list(addresses)}


def seen() -> _in_force.InForce:
    facts = {
        "host_name": "store-1",
        "gateway": {"address": "10.0.0.1", "interface": "eth0"},
        "interfaces": [
            nic("eth0", "10.0.0.5/24", "10.0.0.100/32", mtu=1400),
            nic("eth0.42", "10.42.0.5/24"),
            nic("eth1", "10.1.0.9/24"),
        ],
    }
    found = _in_force.InForce(facts)
    found.nameservers, found.search, found.ntp_servers = ["10.0.0.1", "10.0.0.2"], ["store.example"], ["a.example", "b"]
    found.proxy = {"http_proxy": "http://u:canary@proxy:3128", "no_proxy": "10.0.0.0/8"}
    found.vlans, found.certificates = {"eth0.42": ("42", "eth0")}, {0}
    found.accounts = {"ops": _in_force.Account(("ops", "sudo"), "$6$x$canary", frozenset([BODY]))}
    found.files = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files(NICS).items()}
    return found


def test_a_host_as_it_should_be_does_not_stray() -> None:
    assert _drift.drift(document(), seen()) == []
    assert _drift.drift({}, seen()) == []


def _without_vlan(found: _in_force.InForce) -> None:
    found.facts["interfaces"] = found.facts["interfaces"][::2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.facts.update(host_name="other"), ("host name", "store-1", "other")),
        (
            lambda s: s.facts["interfaces"][0].update(addresses=["fe80::1/64"]),
            ("address of eth0", "10.0.0.5/24", "none"),
        ),
        (lambda s: s.facts["interfaces"][2].update(addresses=[]), ("address of eth1", "one by DHCP", "none")),
        (lambda s: s.facts.update(gateway={"address": "", "interface": ""}), ("gateway", "10.0.0.1 on eth0", "none")),
        (lambda s: s.facts["interfaces"][0].update(mtu=1500), ("MTU of eth0", "1400", "1500")),
        (_without_vlan, ("interface eth0.42", "there", "none")),
        (lambda s: s.vlans.update({"eth0.42": ("43", "eth0")}), ("VLAN of eth0.42", "42", "43")),
        (lambda s: s.nameservers.remove("10.0.0.2"), ("name servers", "10.0.0.1, 10.0.0.2", "10.0.0.1")),
        (lambda s: s.search.clear(), ("search domains", "store.example", "none")),
        (lambda s: s.ntp_servers.remove("a.example"), ("time servers", "a.example", "b")),
        (lambda s: s.proxy.pop("http_proxy"), ("http_proxy", "http://<hidden>@proxy:3128", "none")),
        (
            lambda s: s.proxy.update(http_proxy="http://u:other@proxy:3128"),
            ("http_proxy", "http://<hidden>@proxy:3128", "another user or password"),
        ),
        (
            lambda s: s.certificates.clear(),
            ("CA certificates", "1 trusted", "not trusted: 1 of 1 (in the order of caCerts)"),
        ),
        (lambda s: s.accounts.clear(), ("user ops", "there", "none")),
        (
            lambda s: s.accounts.update(ops=replace(s.accounts["ops"], groups=("ops",))),
            ("groups of ops", "sudo", "ops"),
        ),
        (
            lambda s: s.accounts.update(ops=replace(s.accounts["ops"], keys=frozenset())),
            ("SSH keys of ops", "1", "0 of them"),
        ),
        (
            lambda s: s.accounts.update(ops=replace(s.accounts["ops"], password="$6$x$else")),
            ("password of ops", "<hidden>", "another one"),
        ),
        (
            lambda s: s.files.pop("/run/systemd/network/00-palette-edge-eth0.42.netdev"),
            ("file /run/systemd/network/00-palette-edge-eth0.42.netdev", "as the user-data has it", "none"),
        ),
    ],
)
def test_each_thing_that_strays_is_told(change: t.Callable[[t.Any], object], told: tuple[str, str, str]) -> None:
    found = seen()
    change(found)
    assert _drift.drift(document(), found) == [told]
    assert "canary" not in repr(_drift.drift(document(), found))


def test_accounts_of_steps_count_unless_they_have_a_condition() -> None:
    steps = [{"users": {"a": {}}}, {"if": "false", "users": {"b": {}}}]
    assert list(_drift.accounts_of({"stages": {"initramfs": steps, "after-install": [{"users": {"c": {}}}]}})) == ["a"]


def test_a_separate_mask_and_a_base64_certificate_are_understood() -> None:
    site = {"network": {"interfaces": {"eth0": {"type": "static", "ipAddress": "10.0.0.5", "mask": "255.255.255.0"}}}}
    assert _drift.drift({"stylus": {"site": site}}, seen()) == []
    assert _in_force.certificate_mark(base64.b64encode(PEM.encode()).decode()) == _in_force.certificate_mark(PEM) != ""
    assert _in_force.certificate_mark("nonsense") == ""


def test_what_ip_says_of_vlans() -> None:
    line = "@vlan 5: eth0.42@eth0: <UP> mtu 1500 qdisc noqueue \\    link/ether x promiscuity 0 vlan protocol 802.1Q id 42 <X>\n"
    assert _in_force.read_system(parse_output(line), {}).vlans == {"eth0.42": ("42", "eth0")}


@pytest.fixture
def run(lab: t.Any, tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    host = lab.host(read_only=True)

    def run(**args: t.Any) -> dict[str, t.Any]:
        lab.monkeypatch.setattr(_in_force, "MARKERS", str(tmp_path / "run"))
        lab.monkeypatch.setattr(_way_back, "OEM", str(tmp_path))
        lab.monkeypatch.setattr(_in_force, "OEM", str(tmp_path))
        result = dict(lab.run(host_configuration_info, path=str(tmp_path / "user-data"), **args))
        assert "canary" not in repr(result) + "".join(host.commands) + "".join(host.logged)
        return result

    return run


def test_the_layers_are_merged_and_judged(run: t.Any, tmp_path: Path) -> None:
    installer = {
        "stylus": {"site": {"hostName": "nobody", "ntpServers": ["zz.example"]}},
        "stages": {"boot": [{"users": {"nobody-1": {}}}]},
    }
    (tmp_path / "90_custom.yaml").write_text("#cloud-config\n" + yaml.safe_dump(installer))
    (tmp_path / "91_broken.yaml").write_text("stylus: [canary\n")
    (tmp_path / "99_palette_way_back.yaml").write_text("#cloud-config\nstages: {}\n")
    (tmp_path / "user-data").write_text(
        "#cloud-config\nstylus: {site: {name: e-1, hostName: no-such-host, edgeHostToken: canary-1}}\n"
    )
    (tmp_path / "user-data").chmod(0o644)
    result = run()
    assert [layer["path"].rsplit("/", 1)[1] for layer in result["layers"]] == [
        "90_custom.yaml",
        "91_broken.yaml",
        "user-data",
    ]
    found = {one["what"].replace(f"{tmp_path}/", ""): (one["wanted"], one["seen"]) for one in result["drift"]}
    assert found.pop("time servers")[0] == "zz.example"
    assert found == {
        "layer 91_broken.yaml": (
            "user-data",
            "is no YAML: did not find expected sign; check indentation and quotes there (line 2)",
        ),
        "mode of user-data": ("0600, as it holds secrets", "0644"),
        "host name": ("no-such-host", os.uname().nodename),
        "user nobody-1": ("there", "none"),
    }
    assert result["user_data"]["stylus"]["site"]["edgeHostToken"] == "<hidden>"
    failed = run(fail_on_drift=True)
    assert failed["failed"] is True
    assert "host name: wanted no-such-host" in failed["msg"]


def test_a_boot_that_is_due_is_told(run: t.Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/x.reboot").write_text(Path("/proc/sys/kernel/random/boot_id").read_text())
    assert run()["drift"] == [{"what": "boot with the user-data", "wanted": "done", "seen": "still due"}]


def test_a_host_without_user_data_does_not_stray(run: t.Any) -> None:
    result = run(check=True)
    assert (result["changed"], result["drift"], result["layers"]) == (False, [], [])


def test_accounts_certificates_and_files_are_looked_for(run: t.Any, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_text(PEM.replace("A" * 64, "A" * 30 + "\n" + "A" * 34))
    text = "#cloud-config\n" + yaml.safe_dump(
        {"stylus": {"site": {"caCerts": [PEM, PEM.replace("B", "C")], "users": {"root": {}}}}}
    )
    (tmp_path / "user-data").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_in_force, "BUNDLES", (str(bundle),))
        found = run()["drift"]
    assert found == [
        {"what": "CA certificates", "wanted": "2 trusted", "seen": "not trusted: 2 of 2 (in the order of caCerts)"}
    ]
