# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Site files as Ansible sees them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.palette.edge.plugins.plugin_utils._host_keys import HostKeys

SITE = """\
name: {name}
project: Default
management_mode: central
tags: {{region: north}}
registration: {{token: {name}, expires_in_days: 90}}
host_defaults: {{nic: host0, gateway: 10.42.0.1, tags: {{kind: store}}}}
hosts:
  - {{name: {name}-1, id: edge-{name}-1, address: 10.42.0.11/24, initial_address: 10.42.0.101, tags: {{rack: a}}}}
  - {{name: {name}-2, id: edge-{name}-2, initial_address: 10.42.0.102}}
  - {{name: {name}-3, id: edge-{name}-3}}
cluster:
  vip: 10.42.0.10
  node_pools:
    - name: control-plane-pool
      control_plane: true
      hosts: [{name}-1, {name}-2, {name}-3]
"""


@pytest.fixture
def source(tmp_path: Path) -> Any:
    """Writes an inventory file and its sites."""

    def write(*names: str, options: str = "", file: str = "all.sites.yml", **texts: str) -> Path:
        folder = tmp_path / "sites"
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / f"{name}.yml").write_text(SITE.format(name=name))
        for name, text in texts.items():
            (folder / f"{name}.yml").write_text(text)
        path = tmp_path / file
        path.write_text(f"plugin: palette.edge.sites\n{options}")
        return path

    return write


def test_entries_variables_and_groups(read_inventory: Any, source: Any) -> None:
    path = source("store-042")
    inventory = read_inventory(path)
    assert inventory.names == ["store-042", "store-042-1", "store-042-2", "store-042-3"]
    shared = {
        "edge_site_name": "store-042",
        "edge_site_project": "Default",
        "edge_site_management_mode": "central",
        "edge_site_tags": {"region": "north", "site": "store-042"},
        "edge_site_registration": {"token": "store-042", "expires_in_days": 90},
    }
    host = {
        "name": "store-042-1",
        "id": "edge-store-042-1",
        "address": "10.42.0.11/24",
        "initial_address": "10.42.0.101",
        "nic": "host0",
        "gateway": "10.42.0.1",
        "tags": {"region": "north", "site": "store-042", "kind": "store", "rack": "a"},
    }
    assert inventory.own("store-042-1") == {
        **shared,
        **{f"edge_host_{key}": value for key, value in host.items()},
        "ansible_host": "10.42.0.11",
        "edge_ssh_host_key_args": HostKeys("pinned", str(path.parent / ".known_hosts")).args("store-042-1"),
    }
    assert inventory.own("store-042-2")["ansible_host"] == "10.42.0.102"
    assert "ansible_host" not in inventory.own("store-042-3")
    site = inventory.own("store-042")
    assert site["edge_site_hosts"][0] == host
    member = {key: host[key] for key in ("name", "id", "address", "gateway", "nic")}
    assert site["edge_site_cluster"]["node_pools"][0]["hosts"][0] == member
    assert site["edge_site_cluster"]["name"] == "store-042"
    assert site["ansible_connection"] == "local"
    assert site["ansible_python_interpreter"] == sys.executable
    assert {**site, **shared} == site
    assert inventory.group("palette_sites") == ["store-042"]
    assert inventory.group("palette_hosts") == ["store-042-1", "store-042-2", "store-042-3"]
    for group in ("store_042", "project_Default", "mode_central", "tag_region_north", "tag_site_store_042"):
        assert inventory.group(group) == inventory.names
    assert inventory.group("tag_rack_a") == ["store-042-1"]


def test_the_limit_of_the_job_is_the_site(read_inventory: Any, source: Any) -> None:
    inventory = read_inventory(source("store-042", "store-007", "hamburg"))
    assert inventory.limited("store_042") == ["store-042", "store-042-1", "store-042-2", "store-042-3"]
    # The name of this site is that of its group too: its own entry is called otherwise.
    assert inventory.limited("hamburg") == ["hamburg-1", "hamburg-2", "hamburg-3", "hamburg-site"]
    assert inventory.own("hamburg-site")["edge_site_name"] == "hamburg"
    assert inventory.limited("palette_sites") == ["hamburg-site", "store-007", "store-042"]


def test_the_wave_of_a_site_is_a_group(read_inventory: Any, source: Any) -> None:
    texts = {name: SITE.format(name=name) for name in ("store-001", "store-002", "store-003")}
    texts["store-001"] += "wave: canary\n"
    texts["store-002"] += "wave: 2\n"
    inventory = read_inventory(source(**texts))
    assert inventory.limited("palette_sites:&wave_canary") == ["store-001"]
    assert inventory.limited("palette_sites:!wave_canary") == ["store-002", "store-003"]
    assert inventory.limited("palette_sites:&wave_2") == ["store-002"]
    assert [inventory.own(name).get("edge_site_wave") for name in texts] == ["canary", "2", None]
    assert "edge_site_wave" not in inventory.own("store-001-1")


def test_a_wave_that_is_no_name(parse: Any, source: Any) -> None:
    with pytest.raises(AnsibleParserError, match="wave: 'A b' is not the name of a wave, such as canary or 2"):
        parse("sites", source(**{"store-001": SITE.format(name="store-001") + "wave: A b\n"}))


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("site", ["store-042"]),
        ("host", ["store-042-1", "store-042-2", "store-042-3"]),
        ("both", ["store-042", "store-042-1", "store-042-2", "store-042-3"]),
    ],
)
def test_level(read_inventory: Any, source: Any, level: str, names: list[str]) -> None:
    inventory = read_inventory(source("store-042", options=f"level: {level}"))
    assert inventory.names == names
    assert inventory.group("store_042") == names


@pytest.mark.parametrize("slices", [2, 3, 4, 7])
def test_each_slice_is_right_by_itself(read_inventory: Any, source: Any, slices: int) -> None:
    """AWX deals an inventory out by every n-th name: what an entry needs must be in its own variables."""
    inventory = read_inventory(source("store-007", "store-042", "store-100"))
    for number in range(slices):
        for name in inventory.names[number::slices]:
            own = inventory.own(name)
            if own.get("ansible_connection") == "local":
                assert [one["id"] for one in own["edge_site_hosts"]] == [f"edge-{name}-{n}" for n in (1, 2, 3)]
                pools = own["edge_site_cluster"]["node_pools"]
                assert [one["id"] for pool in pools for one in pool["hosts"]] == [f"edge-{name}-{n}" for n in (1, 2, 3)]
                assert own["edge_site_registration"]["token"] == name
            else:
                assert own["edge_host_name"] == name
                assert own["edge_site_registration"]["token"] == own["edge_site_name"]


def test_group_vars_are_defaults(read_inventory: Any, source: Any, tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "palette_sites.yml").write_text(
        "edge_site_project: Other\nedge_site_profiles: [{name: p}]\n"
    )
    (tmp_path / "group_vars" / "all.yml").write_text("edge_site_palette_endpoint: palette.example.com\n")
    inventory = read_inventory(source("store-042"))
    site = inventory.all_of("store-042")
    assert site["edge_site_project"] == "Default"
    assert site["edge_site_profiles"] == [{"name": "p"}]
    assert inventory.all_of("store-042-1")["edge_site_palette_endpoint"] == "palette.example.com"


def test_constructed_features_where_asked_for(read_inventory: Any, source: Any) -> None:
    options = """
compose: {where: edge_site_tags.region ~ '-' ~ edge_site_name}
groups: {three: edge_site_hosts is defined and edge_site_hosts | length == 3}
keyed_groups: [{key: edge_site_tags.region, prefix: region}]
"""
    inventory = read_inventory(source("store-042", options=options))
    assert inventory.own("store-042-1")["where"] == "north-store-042"
    assert inventory.group("three") == ["store-042"]
    assert inventory.group("region_north") == inventory.names


def test_strict_is_one_line(parse: Any, source: Any) -> None:
    with pytest.raises(AnsibleParserError, match="Could not set x for host store-042") as caught:
        parse("sites", source("store-042", options="strict: true\ncompose: {x: nothing.at.all}"))
    assert "\n" not in caught.value.message


def test_all_problems_in_one_error_one_a_line(parse: Any, source: Any) -> None:
    bad = SITE.format(name="store-1").replace("10.42.0.11/24", "10.42.0.11").replace("vip: 10.42.0.10", "vp: 1")
    path = source("store-042", a=bad, b="name: x\n")
    with pytest.raises(AnsibleParserError) as caught:
        parse("sites", path)
    assert caught.value.message.splitlines() == [
        "sites/a.yml:8: hosts[0].address: 10.42.0.11 has no prefix length: write it like 10.42.0.11/24",
        "sites/a.yml:12: cluster.vp: unknown key: did you mean vip?",
        "sites/b.yml:1: the key hosts is missing",
    ]


def test_a_thousand_problems_are_cut(parse: Any, source: Any) -> None:
    with pytest.raises(AnsibleParserError) as caught:
        parse("sites", source(**{f"s{number:03}": "nme: x\n" for number in range(60)}))
    assert len(caught.value.message.splitlines()) == 101
    assert caught.value.message.endswith("... and 80 more")


def test_nothing_is_added_when_something_is_wrong(read_inventory: Any, source: Any) -> None:
    assert read_inventory(source("store-042", b="name: x\n")).names == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("path: nowhere", "path: there is no folder or file 'nowhere'"),
        ("paths: [sites]", r"paths: unknown option: did you mean path\?"),
        ("level: hosts", "level|hosts"),
    ],
)
def test_bad_options(parse: Any, source: Any, options: str, says: str) -> None:
    with pytest.raises(Exception, match=says):
        parse("sites", source("store-042", options=options))


def test_an_expired_token_can_be_let_through(parse: Any, read_inventory: Any, source: Any, capsys: Any) -> None:
    old = SITE.format(name="store-1").replace("expires_in_days: 90", "expires: 2020-01-01")
    with pytest.raises(AnsibleParserError, match=r"sites/old.yml:5: registration.expires: the expiry date 2020-01-01"):
        parse("sites", source(old=old))
    assert "store-1" in read_inventory(source(old=old, options="expired_tokens: warning")).names


def test_values_are_never_templated(read_inventory: Any, source: Any) -> None:
    evil = "{{ 'pw' + 'ned' }}"
    text = SITE.format(name="store-1").replace("region: north", f'region: "{evil}", plain: text')
    inventory = read_inventory(source(evil=text + f'description: "{evil}"\n'))
    for name in inventory.names:
        variables = inventory.all_of(name)
        templar = Templar(loader=DataLoader(), variables=variables)
        assert templar.template(variables["edge_site_tags"])["region"] == evil
        assert "Unsafe" not in type(variables["edge_site_tags"]["plain"]).__name__
    assert "pwned" not in str(
        Templar(loader=DataLoader(), variables=inventory.all_of("store-1")).template("{{ edge_site_hosts }}")
    )


def test_both_inventories_are_one(palette: Any, read_inventory: Any, source: Any, tmp_path: Path) -> None:
    palette.expect(
        "GET", "/v1/dashboard/projects/metadata", {"items": [{"metadata": {"name": "Default", "uid": "p1"}}]}
    )
    host = {
        "metadata": {"uid": "edge-store-042-1", "name": "store-042-1", "labels": {"site": "store-042"}},
        "spec": {"device": {"nics": [{"ip": "10.42.0.11", "isDefault": True}]}},
        "status": {"state": "ready"},
    }
    palette.expect("POST", "/v1/dashboard/edgehosts/search", {"items": [host], "listmeta": {}})
    fleet = tmp_path / "fleet.palette.yml"
    fleet.write_text("plugin: palette.edge.fleet\n")
    inventory = read_inventory(source("store-042"), fleet)
    assert inventory.names == ["store-042", "store-042-1", "store-042-2", "store-042-3"]
    assert inventory.group("store_042") == inventory.names
    assert inventory.own("store-042-1")["edge_host_id"] == inventory.own("store-042-1")["palette_uid"]


def test_a_name_that_is_a_group_elsewhere_is_refused(
    read_inventory: Any, source: Any, tmp_path: Path, capsys: Any
) -> None:
    other = tmp_path / "other.yml"
    other.write_text("all: {children: {store-042-1: {hosts: {x: {}}}}}")
    inventory = read_inventory(other, source("store-042"))
    assert inventory.names == ["x"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("stores.sites.yml", True), ("a.sites.yaml", True), ("mysites.yml", False), ("fleet.palette.yml", False)],
)
def test_files_are_known_by_their_names(source: Any, name: str, wanted: bool) -> None:
    from ansible.plugins.loader import inventory_loader

    assert inventory_loader.get("palette.edge.sites").verify_file(str(source("a-1", file=name))) is wanted


def test_the_example_is_right(read_inventory: Any, repository: Path) -> None:
    inventory = read_inventory(repository / "examples" / "stores" / "stores.sites.yml")
    assert inventory.group("palette_sites") == ["store-007", "store-042", "store-100"]
    assert [len(inventory.group(f"store_{name}")) for name in ("007", "042", "100")] == [2, 4, 6]


@pytest.mark.slow
def test_a_thousand_sites(read_inventory: Any, source: Any, record_property: Any) -> None:
    texts = {}
    for number in range(1000):
        name = f"store-{number:04}"
        more = "".join(
            f"  - {{name: {name}-{n}, id: edge-{name}-{n}, address: 10.42.0.{10 + n}/24}}\n" for n in range(4, 11)
        )
        texts[name] = SITE.format(name=name).replace("cluster:\n", more + "cluster:\n")
    path = source(**texts)
    started, cpu = time.perf_counter(), time.process_time()
    inventory = read_inventory(path)
    print(f"1000 sites of 10 hosts: {time.perf_counter() - started:.2f} s, {time.process_time() - cpu:.2f} s CPU")
    assert len(inventory.names) == 11000
