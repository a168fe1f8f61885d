"""lab.yml: what is read from it, and what is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.hosts.config import ConfigError, LabConfig, load, parse

GOOD: dict[str, Any] = {
    "network": {"bridge": ["10.42.0.1/24", "10.43.0.1/24"]},
    "hosts": [
        {"name": "store-042-1", "id": "edge-store-042-1", "address": "10.42.0.101/24"},
        {"name": "a-store-with-a-long-name", "address": "10.43.0.7/24", "pairing_key": "k"},
        {"name": "h1", "boot": False},
    ],
}


def test_a_good_file_is_read() -> None:
    config = parse(GOOD)
    assert config.bridge == ("10.42.0.1/24", "10.43.0.1/24")
    assert [host.id for host in config.hosts] == ["edge-store-042-1", "a-store-with-a-long-name", "h1"]
    assert [host.boot for host in config.hosts] == [True, True, False]


def test_machine_names_fit_a_network_interface_and_are_unique() -> None:
    hosts = [{"name": f"a-store-with-a-long-name-{number}", "boot": False} for number in range(3)]
    config = parse({"hosts": [*hosts, {"name": "h1", "boot": False}, {"name": "twelve-chars", "boot": False}]})
    names = [host.machine for host in config.hosts]
    assert names == ["h2", "h3", "h4", "h1", "twelve-chars"]
    assert all(len(f"vb-{name}") <= 15 for name in names)


def test_the_gateway_is_the_bridge_in_the_subnet_of_the_host() -> None:
    config = parse(GOOD)
    assert config.gateway_for("10.43.0.7/24") == "10.43.0.1"
    assert config.gateway_for("10.44.0.7/24") == ""


def test_data_for_the_supervisor_reads_back_the_same() -> None:
    config = parse(GOOD)
    assert LabConfig.from_data(config.as_data()) == config


def test_a_pairing_key_is_not_shown() -> None:
    assert "pairing_key" not in repr(parse(GOOD).hosts[1])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ([], "expected a mapping"),
        ({"hostz": []}, "unknown key 'hostz'"),
        ({"network": {"bridge": ["10.42.0.1"]}}, "network.bridge: '10.42.0.1'"),
        ({"network": {"bridges": []}}, "network: unknown key 'bridges'"),
        ({"hosts": {}}, "hosts: expected a list"),
        ({"hosts": ["x"]}, "hosts[0]: expected a mapping"),
        ({"hosts": [{"name": "Store_1", "boot": False}]}, "hosts[0].name: 'Store_1'"),
        ({"hosts": [{"name": "a", "id": "a/b", "boot": False}]}, "hosts[0].id: 'a/b'"),
        ({"hosts": [{"name": "a", "id": "x" * 129, "boot": False}]}, "hosts[0].id"),
        ({"hosts": [{"name": "a", "boot": "maybe"}]}, "hosts[0].boot"),
        ({"hosts": [{"name": "a"}]}, "hosts[0].address: a host that is booted needs"),
        ({"hosts": [{"name": "a", "address": "10.9.0.1/24"}]}, "in no subnet of network.bridge"),
        ({"hosts": [{"name": "a", "boot": False, "nick": 1}]}, "hosts[0]: unknown key 'nick'"),
        ({"hosts": [{"name": "a", "boot": False}, {"name": "a", "boot": False}]}, "two hosts have the name a"),
        (
            {"hosts": [{"name": n, "boot": False, "address": "10.9.0.1/24"} for n in "ab"]},
            "two hosts have the address 10.9.0.1",
        ),
    ],
)
def test_bad_input_is_refused_with_its_path(data: object, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(data)
    assert complaint in str(refused.value)


def test_everything_wrong_is_told_at_once_but_not_for_pages() -> None:
    with pytest.raises(ConfigError) as refused:
        parse({"hosts": [{"name": f"a{number}"} for number in range(100)]}, source="x.yml")
    lines = str(refused.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "x.yml: and 80 more"


def test_hosts_that_only_speak_need_no_bridge() -> None:
    data = {"hosts": [{"name": "a", "address": "10.9.0.1/24"}]}
    assert [host.boot for host in parse(data, speak_only=True).hosts] == [False]


@pytest.mark.parametrize("text", ["hosts: [", "\tx"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lab.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"lab\.yml: not YAML"):
        load(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yml: No such file"):
        load(tmp_path / "none.yml")


@pytest.mark.parametrize("nics", [0, 5, "2", True])
def test_a_number_of_nics_that_is_none_is_refused(nics: object) -> None:
    data = {"network": {"bridge": ["10.9.0.254/24"]}, "hosts": [{"name": "a", "address": "10.9.0.1/24", "nics": nics}]}
    with pytest.raises(ConfigError, match=r"hosts\[0\]\.nics: expected a number of NICs, from 1 to 4"):
        parse(data)
