# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook preflight on real hosts: a site that is fine, and one where nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import Lab, host

pytestmark = pytest.mark.lab

SITE = "store-042"
# The last one is no host of the site: it has what others should have.
HOSTS = [host(SITE, 1, "10.42.0"), host(SITE, 2, "10.42.0"), host("stranger", 9, "10.42.0")]
EASY: dict[str, Any] = {
    "preflight_timeout": 2,
    "preflight_connect_timeout": 2,
    "preflight_probe_timeout": 1,
    "preflight_cpus": 1,
    "preflight_memory_mib": 200,
    "preflight_disk_gb": 0,
    "preflight_disks": [{"path": "/oem", "free_mib": 5}],
    "preflight_recommended": {"cpus": 1},
    "preflight_time_synchronised": False,
    "preflight_reach": ["10.42.0.1:1"],
}


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory, bootable: None) -> Iterator[Lab]:
    with laboratory(HOSTS) as lab:
        yield lab


def site(lab: Lab, name: str, *, hosts: int, **cluster: Any) -> Path:
    """An inventory of one site with so many hosts; there is no machine for the third."""
    folder = lab.folder / name
    (folder / "sites").mkdir(parents=True)
    (folder / "stores.sites.yml").write_text("plugin: palette.edge.sites\npath: sites\n")
    listed = [
        {**one, "address": f"10.42.0.{10 + n}/24", "initial_address": one["address"].partition("/")[0]}
        for n, one in enumerate([host(SITE, n, "10.42.0") for n in range(1, hosts + 1)], start=1)
    ]
    described = {
        "name": SITE,
        "project": "Default",
        "registration": {"token": SITE},
        "host_defaults": {"nic": "host0", "gateway": "10.42.0.1"},
        "hosts": listed,
        "cluster": {
            "vip": "10.42.0.10",
            "node_pools": [
                {"name": "control-plane-pool", "control_plane": True, "hosts": [f"{SITE}-1"]},
                {"name": "worker-pool", "hosts": [one["name"] for one in listed[1:]]},
            ],
            **cluster,
        },
    }
    (folder / "sites" / f"{SITE}.yml").write_text(yaml.safe_dump(described))
    return folder / "stores.sites.yml"


def wrong(report: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What a report has that is not fine, by check and first entry; the severity as the first letter of the check."""
    (told,) = json.loads(report.read_text())["sites"]
    return {(one["check"], one["where"][0]): one for one in told["findings"] if not one["ok"]}


def test_a_site_that_is_fine(lab: Lab) -> None:
    inventory, report = site(lab, "fine", hosts=2), lab.folder / "fine.json"
    reach = {"preflight_reach": ["10.42.0.102:22"], "preflight_report": str(report)}
    with lab.untouched():
        run = lab.play(playbook="palette.edge.preflight", inventory=inventory, extra={**EASY, **reach})
    assert run.code == 0, run.tell()
    assert wrong(report) == {}
    assert run.text.count(f"Preflight of {SITE}: 0 errors, ") == 1
    assert "(2 hosts looked at)" in run.text
    (told,) = json.loads(report.read_text())["sites"]
    fine = {(one["check"], one["wanted"]): one for one in told["findings"]}
    assert f":{6443:04X} " not in lab.ssh("10.42.0.101", "cat /proc/net/tcp /proc/net/tcp6")
    # Seen for real: a listener answered, between control plane and worker only where there is to be a way.
    way = fine["path", f"port 6443 of {SITE}-1 is open to {SITE}-2"]
    assert way["seen"] == "it answers"
    assert ("path", f"port 2379 of {SITE}-1 is open to {SITE}-2") not in fine
    assert fine["vip", "the VIP 10.42.0.10 is free"]["seen"] == "nobody has it"
    assert fine["project", "the project Default"]["ok"] is True
    assert fine["token", f"the registration token {SITE} can be used"]["seen"].startswith("it is not there yet")
    assert [one["name"] for one in told["hosts"] if one["reached"]] == [f"{SITE}-1", f"{SITE}-2"]


def test_all_that_is_wrong_in_one_table(lab: Lab) -> None:
    first, second = (lab.ssh(f"10.42.0.{number}", "cat /etc/machine-id; hostname").split()[0] for number in (101, 102))
    assert first != second
    skewed = (
        'printf \'#!/bin/sh\\nexec /usr/bin/date -d "90 seconds" "$@"\\n\' | sudo tee /usr/local/bin/date >/dev/null'
    )
    lab.ssh("10.42.0.102", f"echo {first} | sudo tee /etc/machine-id; {skewed}; sudo chmod 755 /usr/local/bin/date")
    # No way between the two, while the control node still reaches them.
    lab.ssh("10.42.0.102", "sudo ip route add unreachable 10.42.0.101; sudo mount -t tmpfs -o size=64k tmpfs /oem")
    lab.ssh(
        "10.42.0.109",
        "sudo ip addr add 10.42.0.10/24 dev host0; sudo ip addr add 10.42.0.11/24 dev host0; sudo systemctl stop ssh",
    )
    inventory, report = site(lab, "wrong", hosts=3), lab.folder / "wrong.json"
    run = lab.play(
        playbook="palette.edge.preflight", inventory=inventory,
        extra={**EASY, "preflight_report": str(report), "preflight_pod_cidr": "10.42.0.0/16", "preflight_token": "none"},
    )  # fmt: skip
    one, two, three = (f"{SITE}-{number}" for number in (1, 2, 3))
    assert run.code == 2, run.tell()
    found = wrong(report)
    assert set(found) >= {
        ("reachable", three), ("unique", one), ("clock", two), ("disk", two), ("reach", one), ("path", one), ("path", two),
        ("address", one), ("vip", SITE), ("network", SITE),
    }, run.tell()  # fmt: skip
    assert found["unique", one]["seen"] == f"{one}, {two} share the machine ID {first}"
    assert found["unique", one]["where"] == [one, two]
    assert found["clock", two]["seen"].endswith("s ahead")
    assert found["disk", two]["seen"].endswith("MiB free on /oem")
    assert found["reach", one]["seen"] == "refused"
    assert found["reach", one]["where"] == [one, two]
    assert found["path", one]["seen"] == "filtered: no answer in time"
    assert found["path", two]["seen"] == "no route, or a firewall rejects it"
    assert "another machine has it (MAC address " in found["address", one]["seen"]
    assert "another machine has it (MAC address " in found["vip", SITE]["seen"]
    # The table has each of them once, and every entry fails for its own part.
    table = run.text.partition(f"Preflight of {SITE}: ")[2].partition("TASK")[0].partition("PLAY")[0]
    assert table.count("share the machine ID") == 1
    assert sum(line.split()[0].startswith((SITE, "all")) for line in table.splitlines()[2:] if line) == len(
        [1 for finding in json.loads(report.read_text())["sites"][0]["findings"] if not finding["ok"]]
    ), table
    assert {*run.failed} == {SITE, one, two, three}
    assert run.failed[three].startswith(f"{three}: 1 error: reachable ({three}): ")
    assert all("\n" not in message for message in run.failed.values())
    assert "Traceback" not in run.text
