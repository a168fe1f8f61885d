"""The agent's reading of user-data: layers, merge, checks; and its application to a host's root."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from lab.agent import apply as applying
from lab.agent.apply import Lease, apply
from lab.agent.user_data import UserData, UserDataError, merge, read_layers, understand

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def _understand(site: dict[str, Any] | None = None, **stylus: Any) -> UserData:
    return understand({"stylus": {"site": site or {}, **stylus}}, uid="edge-1", host_name="host-1")


def test_layers_merge_deeply_and_the_site_layer_wins(tmp_path: Path) -> None:
    oem = tmp_path / "oem"
    oem.mkdir()
    (oem / "90_custom.yaml").write_text(
        "#cloud-config\nstylus:\n  site:\n    name: a\n    tags: {city: x, floor: 1}\n    ntpServers: [one]\n"
    )
    (oem / "95_more.yaml").write_text("stylus: {site: {projectName: p}}\n")
    (oem / "user-data").write_text("stylus:\n  site:\n    tags: {zip: 1, city: y}\n    ntpServers: [two]\n")
    assert read_layers(tmp_path) == {
        "stylus": {
            "site": {
                "name": "a",
                "projectName": "p",
                "tags": {"city": "y", "floor": 1, "zip": 1},
                "ntpServers": ["two"],
            }
        }
    }


def test_merging_changes_neither_side() -> None:
    under, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge(under, over) == {"a": {"b": 1, "c": 2}}
    assert (under, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_no_user_data_and_empty_user_data_are_nothing(tmp_path: Path) -> None:
    assert read_layers(tmp_path) == {}
    (tmp_path / "oem").mkdir()
    (tmp_path / "oem/user-data").write_text("#cloud-config\n")
    assert read_layers(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"stylus: [", "/oem/user-data: not YAML"),
        (b"- a", "/oem/user-data: expected a mapping, found list"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a" * (1 << 20) + b"aa", "larger than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "oem").mkdir()
    (tmp_path / "oem/user-data").write_bytes(content)
    with pytest.raises(UserDataError, match=complaint):
        read_layers(tmp_path)


def test_a_complaint_about_yaml_does_not_show_the_text(tmp_path: Path) -> None:
    (tmp_path / "oem").mkdir()
    (tmp_path / "oem/user-data").write_text("stylus:\n  site:\n    edgeHostToken: s3cret: x\n")
    with pytest.raises(UserDataError) as refused:
        read_layers(tmp_path)
    assert "line 3" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_link_in_place_of_user_data_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "oem").mkdir()
    (tmp_path / "oem/user-data").symlink_to("/etc/passwd")
    with pytest.raises(UserDataError, match="/oem/user-data"):
        read_layers(tmp_path)


def test_what_the_agent_acts_on() -> None:
    found = _understand(
        {
            "name": "edge-9",
            "hostName": "store-9",
            "paletteEndpoint": "api.example.com:8443",
            "edgeHostToken": "t",
            "projectName": "p",
            "disableAutoRegister": True,
            "tags": {"n": 5, "b": True, "s": "x"},
            "ntpServers": "a, b",
            "caCerts": [PEM, base64.b64encode(PEM.encode()).decode()],
            "network": {
                "httpProxy": "http://p",
                "noProxy": "x",
                "nameserver": "10.0.0.1",
                "interfaces": {"host0": {"type": "static", "ipAddress": "10.0.0.9/24", "gateway": "10.0.0.1"}},
            },
        }
    )
    assert found == UserData(
        uid="edge-9",
        host_name="store-9",
        endpoint="api.example.com:8443",
        token="t",
        project={"name": "p"},
        disable_auto_register=True,
        tags={"n": "5", "b": "true", "s": "x"},
        address="10.0.0.9/24",
        gateway="10.0.0.1",
        nameservers=("10.0.0.1",),
        proxy={"http_proxy": "http://p", "no_proxy": "x"},
        ca_certs=(PEM, PEM),
        ntp_servers=("a", "b"),
    )


def test_names_fall_back_to_the_id_and_then_to_the_labs_name() -> None:
    assert _understand({"name": "edge-9"}).host_name == "edge-9"
    assert (_understand().uid, _understand().host_name) == ("edge-1", "host-1")


def test_local_mode_and_another_nic_are_noticed() -> None:
    found = _understand({"network": {"interfaces": {"eth0": {"type": "static"}}}}, managementMode="local")
    assert found.local
    assert found.notes == ("user-data names the NIC eth0, and those of a host are called host0, host1 and so on",)


def test_a_separate_mask_is_combined() -> None:
    nic = {"type": "static", "ipAddress": "10.0.0.9", "mask": "255.255.255.0"}
    assert _understand({"network": {"interfaces": {"host0": nic}}}).address == "10.0.0.9/24"


def test_secrets_are_not_shown() -> None:
    found = _understand({"edgeHostToken": "s3cret", "network": {"httpProxy": "http://u:s3cret@p"}})
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("site", "complaint"),
    [
        ({"paletteEndpoint": "https://api.example.com/"}, "paletteEndpoint: 'https://api.example.com/'"),
        ({"name": "a b"}, "stylus.site.name: 'a b'"),
        ({"hostName": "a_b"}, "stylus.site.hostName: 'a_b'"),
        ({"tags": ["a"]}, "stylus.site.tags: expected a mapping, found list"),
        ({"caCerts": PEM}, "caCerts: expected a list"),
        ({"caCerts": ["x"]}, r"caCerts\[0\]: not a PEM certificate"),
        ({"network": {"nameserver": "dns"}}, "nameserver: 'dns'"),
        ({"network": {"interfaces": {"host0": {"type": "pppoe"}}}}, "host0.type: 'pppoe'"),
        ({"network": {"interfaces": {"host0": {"type": "static", "ipAddress": "10.0.0.9"}}}}, "no prefix length"),
        (
            {
                "network": {
                    "interfaces": {"host0": {"type": "static", "ipAddress": "10.0.0.9/24", "gateway": "10.1.0.1"}}
                }
            },
            "gateway: '10.1.0.1' is no address in 10.0.0.0/24",
        ),
    ],
)
def test_wrong_values_are_named_by_their_path(site: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserDataError, match=complaint):
        _understand(site)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(UserDataError) as refused:
        _understand({"name": "a b", "tags": 1}, managementMode="both")
    assert str(refused.value).count(";") == 3


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The roots in which the certificates were updated, which is not done for real."""
    done: list[Path] = []
    monkeypatch.setattr(applying, "_update_certificates", done.append)
    return done


def _text(root: Path, path: str) -> str:
    return (root / path).read_text()


def test_without_a_static_address_the_host_keeps_its_lease(tmp_path: Path, updates: list[Path]) -> None:
    apply(tmp_path, _understand(), Lease("10.0.0.5/24", "10.0.0.1"))
    network = _text(tmp_path, "etc/systemd/network/10-host0.network")
    assert "Address=10.0.0.5/24\nGateway=10.0.0.1\n" in network
    assert _text(tmp_path, "etc/hostname") == "host-1\n"
    assert "127.0.1.1\thost-1\n" in _text(tmp_path, "etc/hosts")
    assert updates == []


def test_user_data_is_applied_and_a_second_time_changes_nothing(tmp_path: Path, updates: list[Path]) -> None:
    site = {
        "caCerts": [PEM],
        "ntpServers": ["a", "b"],
        "network": {
            "httpProxy": "http://p:1",
            "nameserver": "10.0.0.1",
            "interfaces": {"host0": {"type": "static", "ipAddress": "10.0.0.9/24"}},
        },
    }
    user_data = _understand(site)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/environment").write_text("MINE=1\n")
    changed = apply(tmp_path, user_data, Lease("10.0.0.5/24", "10.0.0.1"))
    assert len(changed) == 7
    assert "Address=10.0.0.9/24" in _text(tmp_path, "etc/systemd/network/10-host0.network")
    assert "Gateway" not in _text(tmp_path, "etc/systemd/network/10-host0.network")
    assert _text(tmp_path, "etc/systemd/timesyncd.conf") == "[Time]\nNTP=a b\n"
    assert _text(tmp_path, "etc/resolv.conf").startswith("nameserver 10.0.0.1\n")
    assert "MINE=1\n" in _text(tmp_path, "etc/environment")
    assert 'HTTP_PROXY="http://p:1"\nhttp_proxy="http://p:1"\n' in _text(tmp_path, "etc/environment")
    assert _text(tmp_path, "usr/local/share/ca-certificates/palette-1.crt") == PEM
    assert apply(tmp_path, user_data, Lease()) == []
    assert updates == [tmp_path]


def test_what_is_no_longer_asked_for_goes_away(tmp_path: Path, updates: list[Path]) -> None:
    apply(tmp_path, _understand({"caCerts": [PEM], "network": {"httpProxy": "http://p"}}), Lease())
    (tmp_path / "usr/local/share/ca-certificates/own.crt").write_text("mine")
    apply(tmp_path, _understand(), Lease())
    assert _text(tmp_path, "etc/environment") == ""
    assert [path.name for path in (tmp_path / "usr/local/share/ca-certificates").iterdir()] == ["own.crt"]
    assert updates == [tmp_path, tmp_path]
