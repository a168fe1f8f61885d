# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preflight makes of what hosts and site tell: pure judgements, no host and no Palette."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.plugins.plugin_utils._preflight import (
    Host,
    Row,
    Site,
    Tried,
    counted,
    merged,
    one_line,
    row,
    table_rows,
    targets,
)
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_hosts import host_rows, shared_values
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_site import networks_of, site_rows

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)
MATRIX = yaml.safe_load((Path(__file__).parents[4] / "roles" / "preflight" / "files" / "versions.yml").read_text())
PORTS = [{"port": 6443, "from": "all", "to": "control_plane"}, {"port": 10250, "from": "all", "to": "all"}]


def host(number: int, **more: Any) -> Host:
    """The host edge-N of a site, as one that is fine."""
    name, address = f"edge-{number}", f"10.0.0.{number}"
    nic = {"name": "eth0", "mac": f"52:54:00:00:00:{number:02x}", "addresses": [f"{address}/24"]}
    facts = {
        "boot_id": f"boot-{number}",
        "machine_id": f"machine-{number}",
        "host_name": name,
        "kernel": "6.1.0",
        "os": {"id": "some", "version": "1"},
        "interfaces": [nic],
    }
    given: dict[str, Any] = {
        "entry": name,
        "site": "store",
        "settings": {"name": name, "id": f"id-{number}", "address": f"{address}/24"},
        "address": address,
        "facts": {**facts, **more.pop("facts", {})},
        "product_uuid": f"uuid-{number}",
        "clock_range": [-0.1, 0.2],
        "max_clock_skew": 5,
        "ports": PORTS,
    }
    return Host(**{**given, **more})


def site(**more: Any) -> Site:
    """The site of two such hosts, the first of them the control plane."""
    members = [{"name": f"edge-{number}", "id": f"id-{number}", "address": f"10.0.0.{number}/24"} for number in (1, 2)]
    pools = [{"control_plane": True, "hosts": members[:1]}, {"hosts": members[1:]}]
    cluster = {"name": "store", "vip": "10.0.0.100", "node_pools": pools, **more.pop("cluster", {})}
    given = {"entry": "store", "site": "store", "hosts": members, "cluster": cluster, "matrix": MATRIX}
    return Site(**{**given, **more})


def hosts_wrong(*hosts: Host, of: Site | None = None, everyone: list[Host] | None = None) -> dict[str, Row]:
    """What is wrong with hosts, by check."""
    rows = merged(host_rows(list(hosts), shared_values(everyone or hosts), of))
    return {one.check: one for one in rows if not one.ok}


def site_wrong(of: Site, *hosts: Host) -> dict[str, Row]:
    """What is wrong with a site, by check."""
    return {one.check: one for one in merged(site_rows(of, list(hosts), now=NOW)) if not one.ok}


def test_nothing_is_wrong() -> None:
    assert hosts_wrong(host(1), host(2)) == {}
    assert site_wrong(site(), host(1), host(2)) == {}


def test_a_host_that_does_not_answer_is_a_finding_and_the_others_are_judged() -> None:
    silent = Host(entry="edge-3", site="store", unreachable=True, message="no address answered over SSH.")
    broken = Host(entry="edge-4", site="store", message="sudo: a password is required")
    memory = {"check": "memory", "ok": False, "severity": "error", "seen": "1 MiB", "wanted": "2 MiB", "advice": "more"}
    rows = host_rows([host(1, findings=[memory]), silent, broken], [], None)
    wrong = {(one.check, one.where): one for one in rows if not one.ok}
    assert set(wrong) == {("memory", ("edge-1",)), ("reachable", ("edge-3",)), ("reachable", ("edge-4",))}
    assert wrong["reachable", ("edge-3",)].seen == "no address answered over SSH"
    assert wrong["reachable", ("edge-4",)].seen == "sudo: a password is required"


def test_hosts_that_were_left_out_are_told() -> None:
    found = hosts_wrong(host(1), of=site())["complete"]
    assert found.seen == "edge-2 not looked at in this run"
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"facts": {"machine_id": "machine-1"}}, "share the machine ID machine-1"),
        ({"product_uuid": "uuid-1"}, "share the product UUID uuid-1"),
        ({"settings": {"name": "edge-2", "id": "id-1"}}, "share the Edge host ID id-1"),
        ({"facts": {"interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": []}]}}, "share the MAC address"),
        ({"settings": {"name": "edge-2", "address": "10.0.0.1/24"}}, "have the address 10.0.0.1"),
    ],
)  # fmt: skip
def test_what_must_be_unique(more: dict[str, Any], seen: str) -> None:
    found = hosts_wrong(host(1), host(2, **more))["unique"]
    assert found.severity == "error"
    assert seen in found.seen
    assert found.where == ("edge-1", "edge-2")


def test_uniqueness_is_over_the_inventory_but_addresses_come_again_at_other_sites() -> None:
    far = host(1, entry="far-1", site="far", facts={"boot_id": "b", "host_name": "edge-1"}, product_uuid="uuid-2")
    mine = [host(2, facts={"interfaces": []})]
    found = hosts_wrong(*mine, everyone=[*mine, far])
    assert found["unique"].where == ("edge-2",)
    assert found["unique"].seen == "edge-2, far-1 share the product UUID uuid-2"
    nothing = {"boot_id": "b", "machine_id": "m", "interfaces": []}
    other = host(3, entry="other", site="far", facts=nothing, product_uuid="u", settings={"address": "10.0.0.3/24"})
    assert "unique" not in hosts_wrong(host(3), everyone=[host(3), other])


def test_two_entries_that_lead_to_one_machine_are_told_once() -> None:
    both = [host(1), host(1, entry="edge-2")]
    told = [one.seen for one in host_rows(both, shared_values(both), None) if not one.ok and one.check == "unique"]
    assert "edge-1, edge-2 are the same machine" in told
    assert not any("machine ID" in one or "MAC" in one for one in told)


def test_one_host_name_is_harmless_only_when_the_site_gives_each_its_own() -> None:
    both = [host(one, facts={"host_name": "kairos"}) for one in (1, 2)]
    assert hosts_wrong(*both)["unique"].severity == "warning"
    nameless = [host(one, facts={"host_name": "kairos"}, settings={}) for one in (1, 2)]
    assert hosts_wrong(*nameless)["unique"].severity == "error"


def test_hosts_of_a_site_are_alike() -> None:
    other = host(2, facts={"os": {"id": "some", "version": "2"}})
    assert hosts_wrong(host(1), other)["system"].seen == "some 1: edge-1; some 2: edge-2"
    nics = [{"name": "eth0", "mac": f"52:54:00:00:00:0{n}", "addresses": [f"10.0.0.{n}/24"]} for n in (1, 2)]
    jumbo = [{**nic, "mtu": mtu} for nic, mtu in zip(nics, (1500, 9000))]
    found = hosts_wrong(*(host(n, facts={"interfaces": jumbo[n - 1 : n]}) for n in (1, 2)))["mtu"]
    assert found.seen == "MTU 1500: edge-1; MTU 9000: edge-2"


def test_clocks_are_compared_by_what_is_certain() -> None:
    assert "clock" not in hosts_wrong(host(1, clock_range=[-4.0, 4.0]), host(2, clock_range=[5.0, 8.9]))
    found = hosts_wrong(
        host(1, clock_range=[-3.2, -3.0]), host(2, clock_range=[3.0, 3.4]), host(3, clock_range=[0, 0.1])
    )
    assert found["clock"].seen == "edge-2 is 6.0 s ahead of edge-1"
    assert hosts_wrong(host(1, clock_range=[]), host(2, clock_range=[90, 91])) == {}


@pytest.mark.parametrize(
    ("what", "listening", "at", "severity"),
    [
        ("open", [6443], 10, ""),
        ("refused", [], 10, ""),
        ("refused", [6443], 10, "error"),
        # Asked when nobody listened any more.
        ("refused", [6443], 99, ""),
        ("silent", [], 10, "error"),
        ("unreachable", [6443], 10, "error"),
        ("unknown", [6443], 10, "warning"),
    ],
)
def test_ways_between_hosts(what: str, listening: list[int], at: int, severity: str) -> None:
    asking = host(1, tried=Tried(connections={"10.0.0.2:6443": what}, at=at))
    found = hosts_wrong(asking, host(2, listening=listening, listen_until=60)).get("path")
    assert (found.severity if found else "") == severity
    if found:
        assert found.wanted == "port 6443 of edge-2 is open to edge-1"


def test_what_a_host_tries_depends_on_its_part() -> None:
    hosts = [host(1), host(2), host(3, address="2001:db8::3"), Host(entry="edge-4", site="store"), host(5, site="far")]
    assert targets(hosts[0], hosts, site()) == ["10.0.0.2:10250", "[2001:db8::3]:10250"]
    assert targets(hosts[1], hosts, site())[:2] == ["10.0.0.1:6443", "10.0.0.1:10250"]
    # Without the site's entry, as in a slice of a job, nobody knows: then all of them.
    assert targets(hosts[0], hosts, None)[:2] == ["10.0.0.2:6443", "10.0.0.2:10250"]


def holding(address: str, state: str, mac: str = "") -> Tried:
    """What a host saw of an address."""
    return Tried(holders={address: {"state": state, "mac": mac}})


@pytest.mark.parametrize(
    ("state", "mac", "severity", "seen"),
    [
        ("free", "", "", ""),
        ("own", "", "", ""),
        ("taken", "52:54:00:00:00:02", "error", "edge-2 has it (MAC address 52:54:00:00:00:02)"),
        ("taken", "", "error", "another machine has it"),
        ("far", "", "warning", "could not be checked: it is in no network of the host"),
    ],
)
def test_the_address_that_a_host_will_have(state: str, mac: str, severity: str, seen: str) -> None:
    found = hosts_wrong(host(1, tried=holding("10.0.0.1", state, mac)), host(2)).get("address")
    assert (found.severity, found.seen) == (severity, seen) if found else not severity


@pytest.mark.parametrize(
    ("state", "mac", "severity"),
    [
        ("free", "", ""),
        # kube-vip and keepalived have it on a host of the site.
        ("taken", "52:54:00:00:00:02", ""),
        ("own", "", ""),
        ("taken", "52:54:00:00:00:99", "error"),
        ("taken", "", "error"),
        ("far", "", "warning"),
    ],
)
def test_the_vip(state: str, mac: str, severity: str) -> None:
    found = hosts_wrong(host(1, tried=holding("10.0.0.100", state, mac)), host(2), of=site()).get("vip")
    assert (found.severity if found else "") == severity
    overlay = site(cluster={"overlay_cidr": "100.64.0.0/24", "vip": "100.64.0.1"})
    assert "vip" not in hosts_wrong(host(1), host(2), of=overlay)


def test_networks_apart() -> None:
    assert site_wrong(site(pod_cidr="172.20.0.0/16", service_cidr="172.21.0.0/16"), host(1)) == {}
    found = site_wrong(site(pod_cidr="10.0.0.0/16", service_cidr="172.21.0.0/16"), host(1))["network"]
    assert found.severity == "error"
    rows = [one.seen for one in site_rows(site(pod_cidr="10.0.0.0/16"), [host(1)], now=NOW) if not one.ok]
    assert "the pod network 10.0.0.0/16 overlaps the network of edge-1, edge-2 10.0.0.0/24" in rows
    assert "the VIP 10.0.0.100 is in the pod network 10.0.0.0/16" in rows
    overlay = {"overlay_cidr": "10.96.1.0/24", "vip": "10.96.1.1"}
    assert site_wrong(site(cluster=overlay), host(1))["network"].severity == "warning"
    server = site(service_cidr="172.16.0.0/12", hosts=[{"name": "edge-1", "nameservers": ["172.16.0.10"]}])
    assert "the name server 172.16.0.10 is in the service network" in site_wrong(server)["network"].seen
    assert site_wrong(site(pod_cidr="192.168/99"))["network"].seen == "192.168/99 is no network"


def test_networks_made_by_the_cluster_itself_do_not_count() -> None:
    made = [{"name": "cni0", "mac": "52:54:00:11:11:11", "addresses": ["192.168.1.1/24"]}]
    assert site_wrong(site(), host(1, facts={"interfaces": made})) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"kubernetes": "pack:\n  podCIDR: \"172.20.0.0/16\"\n  serviceClusterIpRange: 172.21.0.0/16\n"},
        {"edge-k3s": {"cluster": {"config": "cluster-cidr: 172.20.0.0/16\nservice-cidr: 172.21.0.0/16"}}},
        {"kubernetes": {"pack": {"podCIDR": "172.20.0.0/16", "serviceClusterIpRange": "172.21.0.0/16"}}},
    ],
)  # fmt: skip
def test_networks_are_read_from_the_values_of_packs(values: dict[str, Any]) -> None:
    found = networks_of(site(profiles=[{"name": "edge", "pack_values": values}]))
    assert found == {"pod": ("172.20.0.0/16", True), "service": ("172.21.0.0/16", True)}


def test_the_vip_is_where_the_control_planes_are() -> None:
    there = {"interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": ["10.7.0.1/24"]}]}
    wrong = host(1, facts=there, settings={"name": "edge-1"})
    assert site_wrong(site(), wrong)["vip"].seen == "it stands in 10.7.0.0/24"
    # A worker may stand elsewhere.
    assert "vip" not in site_wrong(site(), host(2, facts=there, settings={"name": "edge-2"}))


def test_what_a_proxy_must_not_get() -> None:
    proxied = {"name": "edge-1", "address": "10.0.0.1/24", "proxied": True, "no_proxy": ["10.0.0.0/24", ".svc"]}
    assert site_wrong(site(), host(1, settings=proxied)) == {}
    found = site_wrong(site(service_cidr="172.21.0.0/16"), host(1, settings={**proxied, "no_proxy": ["10.0.0.1"]}))
    assert found["proxy"].seen == "no_proxy has not the VIP, the service network 172.21.0.0/16"


@pytest.mark.parametrize(
    ("versions", "more", "severity", "words"),
    [
        ({"palette": "4.8.47", "agent": "4.8.18"}, {}, "", ""),
        ({"palette": "4.8.47", "agent": "4.8.21"}, {}, "warning", "4.8.18"),
        ({"palette": "4.8.47", "agent": "4.7.16"}, {}, "warning", "upgrade them first"),
        ({"palette": "4.8.47", "agent": "4.9.1"}, {}, "error", "newer than Palette"),
        ({"kubernetes": "1.33.4", "agent": "4.7.6"}, {}, "error", "upgrade the agent"),
        ({"kubernetes": "1.33.4", "agent": "4.7.10"}, {}, "", ""),
        ({"kubernetes": "1.32.0"}, {"facts": {"kernel": "4.18.0-553.el8"}}, "error", "newer kernel"),
        ({"kubernetes": "1.31.1"}, {"facts": {"kernel": "4.18.0-553.el8"}}, "", ""),
        ({"palette": "4.6.30"}, {"mode": "local"}, "error", "content bundle"),
        ({"palette": "4.6.30"}, {}, "", ""),
    ],
)
def test_versions(versions: dict[str, str], more: dict[str, Any], severity: str, words: str) -> None:
    mode = more.pop("mode", "central")
    found = site_wrong(site(versions=versions, management_mode=mode), host(1, **more)).get("version")
    assert (found.severity if found else "") == severity
    assert words in (found.advice if found else "")


def test_versions_that_palette_tells() -> None:
    packs = [{"cluster_profiles": [{"packs": [{"name": "edge-k8s", "layer": "k8s", "version": "1.32.8"}]}]}]
    agents = [{"uid": "id-1", "agent_version": "4.7.2"}, {"uid": "id-2", "agent_version": "4.7.9"}]
    rows = site_rows(site(api={"profiles": packs, "hosts": {"edge_hosts": agents}}), [host(1), host(2)], now=NOW)
    wrong = [(one.severity, one.where) for one in rows if not one.ok]
    assert wrong == [("warning", ("edge-1", "edge-2")), ("error", ("edge-1",))]


@pytest.mark.parametrize(
    ("token", "severity"),
    [
        ({"active": True, "project": "Default", "expires": "2027-12-31T00:00:00.000Z"}, ""),
        ({"active": False}, "error"),
        ({"active": True, "expires": "2026-11-20T00:00:00Z"}, "error"),
        ({"active": True, "expires": "2026-11-23T00:00:00.000Z"}, "warning"),
        ({"active": True, "project": "Other", "project_uid": "x"}, "error"),
        (None, ""),
    ],
)
def test_the_registration_token(token: dict[str, Any] | None, severity: str) -> None:
    api = {"token": {"registration_tokens": [token] if token else []}}
    found = site_wrong(site(api=api, token="store", project="Default")).get("token")
    assert (found.severity if found else "") == severity


def test_what_palette_says() -> None:
    api = {
        "project": {"projects": [{"name": "Default"}]},
        "hosts": {"edge_hosts": [{"uid": "id-2", "clusters": ["other"]}, {"uid": "id-1", "clusters": ["store"]}]},
    }
    assert set(site_wrong(site(api=api, project="Default"))) == {"registered"}
    found = site_wrong(site(api=api, project="Shops"))
    assert found["project"].seen == "the key sees no such project"
    assert found["registered"].where == ("edge-2",)
    refused = {
        "project": {"failed": True, "msg": "Palette does not know this key"},
        "token": {"failed": True, "msg": ""},
    }
    assert [one.seen for one in site_wrong(site(api=refused)).values()] == ["Palette does not know this key"]


def test_a_table_for_people() -> None:
    rows = [row("disk", f"edge-{number}", seen="full", wanted="room", advice="make room") for number in (1, 2, 3)]
    rows += [
        row("swap", "edge-1", ok=True, seen="none", wanted="none"),
        row("time", "edge-2", seen="a", wanted="b", warning=True),
    ]
    one = merged([rows[4], *rows[:4]])
    assert counted(one) == {"errors": 1, "warnings": 1, "fine": 1}
    table = table_rows(one, hosts=3)
    assert [line["where"] for line in table] == ["all 3 hosts", "edge-2"]
    assert table_rows(one, hosts=7)[0]["where"] == "edge-1, edge-2, edge-3"
    assert one_line(one) == "1 error: disk (edge-1, edge-2, edge-3): full, wanted room"
