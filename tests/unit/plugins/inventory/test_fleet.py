# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of what Palette knows, at the level of HTTP."""

from __future__ import annotations

import builtins
import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

SEARCH = "/v1/dashboard/edgehosts/search"
PROJECTS = "/v1/dashboard/projects/metadata"
SORT = [{"field": "creationTimestamp", "order": "asc"}]
CANARY = "c4n4ry"


def host(number: int, **changes: Any) -> dict[str, Any]:
    """A host as the search returns it, with secrets that it is not known to return and must never be passed on."""
    spec = {
        "projectMeta": {"name": "Default", "uid": "p1"},
        "host": {"hostAddress": "10.0.0.9", "macAddress": "aa:bb", "hostPairingKey": CANARY, "hostAuthToken": CANARY},
        "device": {
            "archType": "amd64",
            "hostType": "appliance",
            "cpu": {"cores": 4},
            "memory": {"sizeInMB": 8192 * (1 + number % 3)},
            "os": {"family": "ubuntu", "version": "22.04", "kernelVersion": "6.1"},
            "nics": [
                {"nicName": "eth1", "ip": f"10.1.0.{number % 250}", "macAddr": "m1"},
                {"nicName": "eth0", "ip": f"10.0.{number // 250}.{number % 250}", "isDefault": True, "macAddr": "m0"},
            ],
        },
    }
    status = {
        "state": changes.pop("state", "ready"),
        "health": changes.pop("health", {"state": "healthy", "agentVersion": "4.8.1", "message": "fine"}),
        "serviceAuthToken": CANARY,
        "inUseClusters": changes.pop("clusters", []),
    }
    name = changes.pop("name", f"edge-{number}")
    uid = changes.pop("uid", f"uid-{number}")
    labels = changes.pop("labels", {"site": "store-042", "region": "north", "spare": "spectro__tag"})
    return {"metadata": {"uid": uid, "name": name, "labels": labels}, "spec": {**spec, **changes}, "status": status}


def project(palette: Any) -> None:
    palette.expect("GET", PROJECTS, {"items": [{"metadata": {"name": "Default", "uid": "p1"}}]}, scope="")


def one_page(palette: Any, *hosts: dict[str, Any], body: Any = None) -> None:
    project(palette)
    answer = {"items": list(hosts), "listmeta": {"count": len(hosts), "limit": 50}}
    palette.expect("POST", SEARCH, answer, query={"limit": "50"}, body=body, scope="p1")


@pytest.fixture
def source(tmp_path: Path) -> Any:
    """Writes an inventory file of the plugin."""

    def write(text: str = "", name: str = "fleet.palette.yml") -> Path:
        path = tmp_path / name
        path.write_text(f"plugin: palette.edge.fleet\n{text}")
        return path

    return write


def test_hosts_variables_and_groups(palette: Any, read_inventory: Any, source: Any) -> None:
    cluster = [{"name": "store-042", "uid": "c1"}]
    one_page(
        palette,
        host(1),
        host(2, state="in-use", clusters=cluster),
        host(3, state="unpaired", health={}),
        body={"sort": SORT},
    )
    inventory = read_inventory(source())
    assert inventory.names == ["edge-1", "edge-2", "edge-3"]
    assert inventory.own("edge-2") == {
        "ansible_host": "10.0.0.2",
        "palette_uid": "uid-2",
        "palette_name": "edge-2",
        "palette_tags": {"site": "store-042", "region": "north", "spare": ""},
        "palette_state": "in-use",
        "palette_health": "healthy",
        "palette_health_message": "fine",
        "palette_agent_version": "4.8.1",
        "palette_cluster": "store-042",
        "palette_cluster_uid": "c1",
        "palette_clusters": ["store-042"],
        "palette_cluster_uids": ["c1"],
        "palette_profiles": [],
        "palette_project": "Default",
        "palette_project_uid": "p1",
        "palette_address": "10.0.0.2",
        "palette_mac_address": "aa:bb",
        "palette_nics": [
            {
                "name": "eth1",
                "address": "10.1.0.2",
                "subnet_mask": "",
                "gateway": "",
                "mac_address": "m1",
                "default": False,
            },
            {
                "name": "eth0",
                "address": "10.0.0.2",
                "subnet_mask": "",
                "gateway": "",
                "mac_address": "m0",
                "default": True,
            },
        ],
        "palette_architecture": "amd64",
        "palette_host_type": "appliance",
        "palette_host_state": "",
        "palette_os": "ubuntu 22.04",
        "palette_os_family": "ubuntu",
        "palette_os_version": "22.04",
        "palette_kernel_version": "6.1",
        "palette_cpu_cores": 4,
        "palette_memory_mib": 24576,
        "palette_gpus": [],
        "palette_secure_boot": False,
        "palette_created": "",
    }
    assert set(inventory.own("edge-3")) == set(inventory.own("edge-2"))
    assert inventory.group("palette_fleet") == inventory.group("store_042") == inventory.names
    assert inventory.group("project_Default") == inventory.names
    assert inventory.group("state_ready") == ["edge-1"]
    assert inventory.group("state_in_use") == inventory.group("cluster_store_042") == ["edge-2"]
    assert inventory.group("health_unknown") == ["edge-3"]
    assert CANARY not in json.dumps({name: inventory.own(name) for name in inventory.names})


def test_a_host_without_a_device_still_has_every_variable(palette: Any, read_inventory: Any, source: Any) -> None:
    one_page(palette, {"metadata": {"uid": "bare"}}, host(1))
    inventory = read_inventory(source())
    assert set(inventory.own("bare")) == set(inventory.own("edge-1")) - {"ansible_host"}


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("default_groups: []", []),
        (
            "default_groups: [tags, architecture]",
            ["architecture_amd64", "tag_region_north", "tag_site_store_042", "tag_spare"],
        ),
        ("default_groups: [site]\nsite_tag: region", ["north"]),
        ("default_groups: [site, state]\ngroup_prefix: p_", ["p_state_ready", "p_store_042"]),
        (
            (
                "default_groups: []\nkeyed_groups: [{key: palette_tags.region, prefix: region}]\n"
                "groups: {small: palette_memory_mib < 20000}\ncompose: {half: palette_cpu_cores // 2}"
            ),
            ["region_north", "small"],
        ),
    ],
)
def test_groups_that_are_asked_for(
    palette: Any, read_inventory: Any, source: Any, text: str, groups: list[str]
) -> None:
    one_page(palette, host(1))
    inventory = read_inventory(source(text))
    assert sorted(set(inventory.manager.groups) - {"all", "ungrouped", "palette_fleet"}) == groups
    # Before core 2.19 what compose returns is text.
    assert inventory.own("edge-1").get("half") in ((2, "2") if "compose" in text else (None,))


def test_filters_are_applied_by_the_server(palette: Any, read_inventory: Any, source: Any) -> None:
    def wanted(name: str, *values: str) -> dict[str, Any]:
        match = {"conjunction": "or", "values": list(values)}
        condition = {"operator": "eq", "negation": False, "ignoreCase": False, "match": match}
        return {"property": name, "type": "string", "condition": {"string": condition}}

    filters = [
        wanted("state", "ready", "in-use"),
        wanted("healthState", "healthy"),
        wanted("tags", "region:north"),
        wanted("tags", "spare", "spare:spectro__tag"),
        wanted("tags", "ring:1", "ring:2"),
        wanted("architecture", "amd64"),
        wanted("name", "edge-1"),
    ]
    group = {"conjunction": "and", "filters": filters}
    one_page(palette, host(1), body={"sort": SORT, "filter": {"conjunction": "and", "filterGroups": [group]}})
    text = """
filters:
  states: [ready, in-use]
  health: [healthy]
  tags: ["region:north", spare]
  tags_any: ["ring:1", "ring:2"]
  architectures: [amd64]
  names: [edge-1]
"""
    assert read_inventory(source(text)).names == ["edge-1"]


def test_properties_are_checked_against_the_schema(palette: Any, read_inventory: Any, source: Any) -> None:
    schema = {"schema": {"properties": [{"name": "memory", "type": "int"}, {"name": "secureBoot", "type": "bool"}]}}
    filters = [
        {
            "property": "memory",
            "type": "int",
            "condition": {
                "int": {"operator": "gte", "negation": False, "match": {"conjunction": "or", "values": [8192]}}
            },
        },
        {"property": "secureBoot", "type": "bool", "condition": {"bool": {"value": True}}},
    ]
    group = {"conjunction": "and", "filters": filters}
    palette.expect("GET", f"{SEARCH}/schema", schema, scope="p1")
    one_page(palette, host(1), body={"sort": SORT, "filter": {"conjunction": "and", "filterGroups": [group]}})
    text = "properties: [{property: memory, operator: gte, values: [8192]}, {property: secureBoot, values: [true]}]"
    assert read_inventory(source(text)).names == ["edge-1"]


def test_an_unknown_property_names_what_comes_near(palette: Any, parse: Any, source: Any) -> None:
    project(palette)
    palette.expect("GET", f"{SEARCH}/schema", {"schema": {"properties": [{"name": "memory", "type": "int"}]}})
    with pytest.raises(AnsibleParserError, match=r"properties\[0\].property: .* 'memry': did you mean memory\?"):
        parse("fleet", source("properties: [{property: memry, values: [1]}]"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("filters: {state: [ready]}", r"filters.state: unknown filter: did you mean states"),
        ("filters: {states: [redy]}", r"filters.states: 'redy' is not one of ready, unpaired, in-use"),
        ("filters: {tags: {a: [1]}}", r"filters.tags: must be a list of texts"),
        ("filter: {states: [ready]}", r"filter: unknown option: did you mean filters\?"),
        ("properties: [{property: a}]", r"properties\[0\]: the key values is missing"),
        (
            "properties: [{property: a, values: [1], operatr: eq}]",
            r"properties\[0\].operatr: unknown key: did you mean operator",
        ),
        ("timeout: soon", r"timeout"),
        ("host: ''\napi_key: 'two words'", r"api_key has characters"),
    ],
)
def test_bad_options_are_refused_before_any_request(
    palette: Any, parse: Any, source: Any, text: str, says: str
) -> None:
    with pytest.raises(AnsibleError, match=says) as caught:
        parse("fleet", source(text))
    assert not palette.seen
    assert "\n" not in caught.value.message.strip()


def test_a_missing_key_says_where_to_give_it(palette: Any, parse: Any, source: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PALETTE_API_KEY", "")
    monkeypatch.setenv("SPECTROCLOUD_APIKEY", "")
    with pytest.raises(AnsibleParserError, match=r"api_key is not set: .*PALETTE_API_KEY"):
        parse("fleet", source())


def test_empty_variables_count_as_unset(palette: Any, read_inventory: Any, source: Any, monkeypatch: Any) -> None:
    for name in ("PALETTE_HOST", "PALETTE_PROJECT", "PALETTE_VALIDATE_CERTS", "PALETTE_TIMEOUT", "PALETTE_CA_PATH"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("SPECTROCLOUD_APIKEY", palette.key)
    monkeypatch.setenv("PALETTE_API_KEY", "")
    one_page(palette, host(1))
    assert read_inventory(source()).names == ["edge-1"]


def test_an_unknown_project_lists_those_there_are(palette: Any, parse: Any, source: Any) -> None:
    project(palette)
    with pytest.raises(AnsibleParserError, match=r"project: no project 'Defolt'.*Default"):
        parse("fleet", source("project: Defolt"))


def test_a_refused_key_is_one_line_without_the_key(palette: Any, parse: Any, source: Any) -> None:
    answer = {"code": "ResourceNotFound", "message": f"no such key {palette.key}"}
    palette.expect("GET", PROJECTS, answer, status=404)
    palette.expect("GET", "/v1/users/info", answer, status=404)
    with pytest.raises(AnsibleParserError, match="API key is refused") as caught:
        parse("fleet", source())
    assert palette.key not in caught.value.message


def test_the_tenant_needs_no_project(palette: Any, read_inventory: Any, source: Any) -> None:
    palette.expect("POST", SEARCH, {"items": [host(1)], "listmeta": {}}, scope="")
    assert read_inventory(source("scope: tenant")).names == ["edge-1"]


# -- pages -------------------------------------------------------------------------------------------------------------


def page(number: int, total: int, *, token: str = "", offset: int | None = None) -> dict[str, Any]:
    hosts = [host(one) for one in range(number * 50, min(total, number * 50 + 50))]
    meta: dict[str, Any] = {"count": total, "limit": 50, "continue": token}
    if number and offset is None:
        meta["offset"] = number * 50
    return {"items": hosts, "listmeta": meta}


def test_pages_by_offset_are_each_asked_for_once(palette: Any, read_inventory: Any, source: Any) -> None:
    project(palette)
    palette.expect("POST", SEARCH, page(0, 230, token="t1"), query={"limit": "50"})
    for number in range(1, 5):
        token = "" if number == 4 else f"t{number + 1}"
        palette.expect(
            "POST", SEARCH, page(number, 230, token=token), query={"limit": "50", "offset": str(number * 50)}
        )
    assert len(read_inventory(source()).names) == 230


def chain(palette: Any, total: int) -> None:
    last = (total - 1) // 50
    for number in range(last + 1):
        query = {"limit": "50", **({"continue": f"t{number}"} if number else {})}
        palette.expect(
            "POST", SEARCH, page(number, total, token="" if number == last else f"t{number + 1}"), query=query
        )


@pytest.mark.parametrize("ignored", ["first page again", "no offset returned", "refused"])
def test_without_offset_the_chain_is_followed(palette: Any, read_inventory: Any, source: Any, ignored: str) -> None:
    project(palette)
    palette.expect("POST", SEARCH, page(0, 120, token="t1"), query={"limit": "50"})
    answer = {
        "first page again": page(0, 120, token="t1"),
        "no offset returned": page(1, 120, token="t2", offset=0),
        "refused": {"code": "InvalidQuery", "message": "offset needs continue"},
    }[ignored]
    status = 400 if ignored == "refused" else 200
    palette.expect("POST", SEARCH, answer, query={"limit": "50", "offset": "50"}, status=status)
    chain(palette, 120)
    assert len(read_inventory(source()).names) == 120


def test_a_total_that_does_not_come_out_is_settled_by_the_chain(palette: Any, read_inventory: Any, source: Any) -> None:
    project(palette)
    palette.expect("POST", SEARCH, page(0, 100, token="t1"), query={"limit": "50"})
    short = page(1, 100)
    short["items"][0] = host(0)
    palette.expect("POST", SEARCH, short, query={"limit": "50", "offset": "50"})
    chain(palette, 100)
    assert len(read_inventory(source()).names) == 100


def test_a_count_of_the_page_alone_means_the_chain(palette: Any, read_inventory: Any, source: Any) -> None:
    project(palette)
    for _again in range(2):
        palette.expect(
            "POST", SEARCH, {**page(0, 60), "listmeta": {"count": 50, "continue": "t1"}}, query={"limit": "50"}
        )
    palette.expect("POST", SEARCH, page(1, 60), query={"limit": "50", "continue": "t1"})
    assert len(read_inventory(source()).names) == 60


def test_a_token_that_comes_back_is_an_error(palette: Any, parse: Any, source: Any) -> None:
    project(palette)
    palette.expect("POST", SEARCH, {"items": [host(1)], "listmeta": {"continue": "t"}}, query={"limit": "50"})
    palette.expect("POST", SEARCH, {"items": [host(1)], "listmeta": {"continue": "t"}}, query={"limit": "50"})
    palette.expect(
        "POST", SEARCH, {"items": [host(2)], "listmeta": {"continue": "t"}}, query={"limit": "50", "continue": "t"}
    )
    with pytest.raises(AnsibleParserError, match="repeats a page"):
        parse("fleet", source())


# -- cache -------------------------------------------------------------------------------------------------------------


def cached(tmp_path: Path, text: str = "") -> str:
    return f"cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: {tmp_path / 'cache'}\n{text}"


def test_a_hit_makes_no_request_and_needs_no_key(
    palette: Any, read_inventory: Any, source: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    one_page(palette, host(1), host(2))
    first = read_inventory(source(cached(tmp_path)))
    asked = len(palette.seen)
    text = "".join(file.read_text() for file in (tmp_path / "cache").iterdir())
    assert "uid-2" in text
    assert CANARY not in text
    assert palette.key not in text
    monkeypatch.setenv("PALETTE_API_KEY", "")
    # What is made of the records may change without asking again.
    second = read_inventory(source(cached(tmp_path, "query: \"[?name == 'edge-2']\"\nhostnames: [uid]\n")))
    assert second.names == ["uid-2"]
    assert second.own("uid-2") == first.own("edge-2")
    assert len(palette.seen) == asked


@pytest.mark.parametrize("key", ["__ansible_type", "__ansible_unsafe", "__ansible_vault"])
def test_a_tag_that_means_something_to_the_cache_of_the_core_is_a_tag(
    palette: Any, read_inventory: Any, source: Any, tmp_path: Path, key: str
) -> None:
    odd = host(1)
    odd["metadata"]["labels"] = {key: "value"}
    one_page(palette, odd)
    for _again in range(2):
        assert read_inventory(source(cached(tmp_path))).own("edge-1")["palette_tags"] == {key: "value"}


def test_flush_cache_and_refresh_inventory_ask_again(
    palette: Any, read_inventory: Any, source: Any, tmp_path: Path
) -> None:
    one_page(palette, host(1))
    path = source(cached(tmp_path))
    inventory = read_inventory(path)
    one_page(palette, host(2))
    assert read_inventory(path, cache=False).names == ["edge-2"]
    assert read_inventory(path).names == ["edge-2"]
    one_page(palette, host(3))
    inventory.manager.refresh_inventory()
    assert inventory.names == ["edge-3"]
    assert read_inventory(path).names == ["edge-3"]


def test_other_filters_and_other_sources_do_not_share_a_cache(
    palette: Any, read_inventory: Any, source: Any, tmp_path: Path
) -> None:
    one_page(palette, host(1))
    read_inventory(source(cached(tmp_path)))
    one_page(palette, host(2))
    assert read_inventory(source(cached(tmp_path, "filters: {states: [ready]}"))).names == ["edge-2"]
    one_page(palette, host(3))
    assert read_inventory(source(cached(tmp_path), "other.palette.yaml")).names == ["edge-3"]


def test_without_cache_nothing_is_kept(palette: Any, read_inventory: Any, source: Any) -> None:
    for number in (1, 2):
        one_page(palette, host(number))
        assert read_inventory(source()).names == [f"edge-{number}"]


# -- names, selection, trust -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hostnames", "names"),
    [
        ("[name]", ["c", "u1", "u2", "u4"]),
        ("[tags.asset, name]", ["a1", "b", "c", "u4"]),
        ("[uid]", ["u1", "u2", "u3", "u4"]),
    ],
)
def test_two_hosts_never_become_one(
    palette: Any, read_inventory: Any, source: Any, hostnames: str, names: list[str]
) -> None:
    one_page(
        palette,
        host(1, uid="u1", name="b", labels={"asset": "a1"}),
        host(2, uid="u2", name="b", labels={"asset": "with space"}),
        host(3, uid="u3", name="c", labels={}),
        host(4, uid="u4", name="", labels={}),
    )
    assert read_inventory(source(f"hostnames: {hostnames}")).names == names


def test_the_name_of_one_that_is_the_uid_of_another(palette: Any, read_inventory: Any, source: Any) -> None:
    one_page(palette, host(1, uid="u1", name="u2"), host(2, uid="u2", name="x"), host(3, uid="u3", name="x"))
    assert read_inventory(source()).names == ["u1", "u2", "u3"]


def test_unknown_hostnames_are_refused(palette: Any, parse: Any, source: Any) -> None:
    one_page(palette, host(1))
    with pytest.raises(AnsibleParserError, match=r"hostnames: 'fqdn' is neither tags\.KEY nor one of"):
        parse("fleet", source("hostnames: [fqdn]"))


@pytest.mark.parametrize("query", ["[?", "[].name", "length(@)", "nothing"])
def test_a_query_must_return_hosts(palette: Any, parse: Any, source: Any, query: str) -> None:
    one_page(palette, host(1))
    with pytest.raises(AnsibleParserError, match=r"query: .*(not a JMESPath expression|must return host records)"):
        parse("fleet", source(f'query: "{query}"'))


def test_a_query_selects(palette: Any, read_inventory: Any, source: Any) -> None:
    one_page(palette, *(host(number) for number in range(6)))
    assert read_inventory(source('query: "[?memory_mib > `16384`]"')).names == ["edge-2", "edge-5"]
    one_page(palette, host(1))
    assert read_inventory(source('query: "[?memory_mib > `99999`]"')).names == []


def test_a_query_without_the_library_says_so(palette: Any, parse: Any, source: Any, monkeypatch: Any) -> None:
    one_page(palette, host(1))
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("jmespath"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(AnsibleParserError, match="query: needs the Python library jmespath"):
        parse("fleet", source('query: "[]"'))


EVIL = "{{ 'pw' + 'ned' }}"


def test_values_from_palette_are_never_templated(palette: Any, read_inventory: Any, source: Any) -> None:
    evil = host(
        1, uid="u1", name=EVIL, labels={"site": EVIL, "note": EVIL, EVIL: "x"}, clusters=[{"name": EVIL, "uid": "c"}]
    )
    evil["spec"]["device"]["nics"] = [{"ip": "-oProxyCommand=sh", "isDefault": True, "nicName": EVIL}]
    one_page(palette, evil, host(2))
    text = "compose: {copied: palette_name}\nkeyed_groups: [{key: palette_tags.note, prefix: note}]"
    inventory = read_inventory(source(text))
    assert inventory.names == ["edge-2", "u1"]
    assert "ansible_host" not in inventory.own("u1")
    variables = inventory.all_of("u1")
    templar = Templar(loader=DataLoader(), variables=variables)
    for name in ("palette_name", "palette_tags", "palette_cluster", "palette_nics", "copied"):
        assert "pwned" not in str(templar.template(variables[name]))
        assert EVIL in str(variables[name])
    assert all(re.fullmatch(r"\w+", name) for name in inventory.manager.groups)
    # A value without braces is plain text: marked ones are shown by AWX as marks.
    assert "Unsafe" not in type(variables["palette_state"]).__name__


def test_a_group_that_is_an_entry_too_is_called_otherwise(palette: Any, read_inventory: Any, source: Any) -> None:
    one_page(palette, host(1, name="hamburg", labels={"site": "hamburg"}), host(2, labels={"site": "hamburg"}))
    inventory = read_inventory(source())
    assert inventory.names == ["edge-2", "hamburg"]
    assert inventory.group("group_hamburg") == ["edge-2", "hamburg"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("fleet.palette.yml", True), ("a.palette.yaml", True), ("mypalette.yml", False), ("fleet.sites.yml", False)],
)
def test_files_are_known_by_their_names(source: Any, name: str, wanted: bool) -> None:
    from ansible.plugins.loader import inventory_loader

    assert inventory_loader.get("palette.edge.fleet").verify_file(str(source("", name))) is wanted
