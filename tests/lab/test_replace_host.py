# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Edge host of a cluster gives way to another; the run is cut off after each step in turn, and the next one ends it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import Lab, Run, Started, until

pytestmark = pytest.mark.lab

SITE = "store-500"
HOSTS = [{"name": f"{SITE}-{number}", "id": f"edge-{SITE}-{number}"} for number in range(1, 8)]
PACKS = [("edge-native-byoi", "2.1.0"), ("edge-k3s", "1.30.4"), ("cni-calico", "3.28.0")]
QUICK: dict[str, Any] = {
    "replace_host_wait_timeout": 60,
    "replace_host_wait_sleep": 1,
    "replace_host_health_timeout": 30,
    # These hosts only speak to Palette: there is nothing behind SSH.
    "replace_check_etcd": False,
}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory) -> Iterator[Lab]:
    with laboratory(
        HOSTS, "--speak-only", "--no-rate-limits", "--form-seconds", "2", "--heartbeat-timeout", "6"
    ) as lab:
        run = lab.play(limit="palette_sites", inventory=site(lab, [1, 2, 3], [4, 5]))
        assert run.code == 0, run.tell()
        yield lab


def site(lab: Lab, control: list[int], workers: list[int], *, hosts: int = 7) -> Path:
    """An inventory of the one site, its pools of these hosts."""
    folder = lab.folder / f"site-{next(_numbers)}"
    (folder / "sites").mkdir(parents=True)
    (folder / "group_vars").mkdir()
    packs = [{"name": name, "version": version} for name, version in PACKS]
    profile = {"name": "edge-store", "version": "1.0.0", "packs": packs}
    (folder / "group_vars" / "all.yml").write_text(
        yaml.safe_dump({"cluster_profile_definitions": [profile], "edge_site_palette_endpoint": "palette.example.com"})
    )
    described = {
        "name": SITE,
        "project": "Default",
        "registration": {"token": SITE, "expires_in_days": 90},
        "hosts": HOSTS[:hosts],
        "profiles": [{"name": "edge-store", "version": "1.0.0"}],
        "cluster": {
            "vip": "10.50.0.10",
            "node_pools": [
                {"name": "control", "control_plane": True, "hosts": [f"{SITE}-{one}" for one in control]},
                {"name": "workers", "hosts": [f"{SITE}-{one}" for one in workers]},
            ],
        },
    }
    (folder / "sites" / f"{SITE}.yml").write_text(yaml.safe_dump(described))
    (folder / "one.sites.yml").write_text("plugin: palette.edge.sites\npath: sites\n")
    return folder / "one.sites.yml"


def start(lab: Lab, inventory: Path, *arguments: str, **more: Any) -> Started:
    extra = {**QUICK, **more}
    return lab.start(*arguments, playbook="palette.edge.replace_host", limit="", inventory=inventory, extra=extra)


def replace(lab: Lab, inventory: Path, *arguments: str, **more: Any) -> Run:
    return start(lab, inventory, *arguments, **more).end()


def pools(lab: Lab) -> dict[str, list[int]]:
    """The numbers of the hosts of each pool; each must have one machine that runs, and no other may be in use."""
    (found,) = lab.search("spectroclusters")
    cluster = lab.api("GET", f"/v1/spectroclusters/{found['metadata']['uid']}")
    assert cluster["status"]["state"] == "Running"
    path = f"/v1/cloudconfigs/edge-native/{cluster['spec']['cloudConfigRef']['uid']}"
    members = {}
    for pool in lab.api("GET", path)["spec"]["machinePoolConfig"]:
        uids = sorted(host["hostUid"] for host in pool["hosts"])
        machines = lab.api("GET", f"{path}/machinePools/{pool['name']}/machines")["items"]
        assert sorted(one["spec"]["edgeHostUid"] for one in machines) == uids
        assert {one["status"]["instanceState"] for one in machines} == {"Running"}
        members[pool["name"]] = [int(uid.rpartition("-")[2]) for uid in uids]
    used = [one["metadata"]["uid"] for one in lab.search("edgehosts") if one["status"]["state"] == "in-use"]
    assert sorted(int(uid.rpartition("-")[2]) for uid in used) == sorted(itertools.chain(*members.values()))
    return members


def test_a_dry_run_tells_what_is_to_be_done_and_writes_nothing(lab: Lab) -> None:
    with lab.untouched():
        run = replace(lab, site(lab, [1, 2, 6], [4, 5]), "--check")
    assert run.code == 0, run.tell()
    assert f"{SITE}: add {SITE}-6, wait until it runs and the cluster is healthy, check etcd, then take" in run.text


def test_a_control_plane_by_the_site_file(lab: Lab) -> None:
    inventory = site(lab, [1, 2, 6], [4, 5])
    before = len(lab.writes())
    run = replace(lab, inventory)
    assert run.code == 0, run.tell()
    assert pools(lab) == {"control": [1, 2, 6], "workers": [4, 5]}
    # Four for a while: first the one came, then the other went.
    written = lab.writes()[before:]
    assert [line.split()[0] for line in written] in (["PUT", "DELETE", "PUT"], ["PUT", "DELETE"]), written
    with lab.untouched():
        again = replace(lab, inventory)
    assert again.code == 0, again.tell()
    assert "no host is left to be replaced" in again.text
    with lab.untouched():
        form = lab.play(playbook="palette.edge.form", limit="", inventory=inventory)
    assert set(form.changed.values()) == {0}, form.tell()


def test_a_worker_by_name_while_the_file_is_old(lab: Lab) -> None:
    inventory = site(lab, [1, 2, 6], [4, 5])
    named = {"replace_old": f"{SITE}-5", "replace_new": f"edge-{SITE}-7"}
    run = replace(lab, inventory, **named)
    assert run.code == 0, run.tell()
    assert pools(lab) == {"control": [1, 2, 6], "workers": [4, 7]}
    assert "Put it into the site file too" in run.text
    with lab.untouched():
        again = replace(lab, inventory, **named)
    assert again.code == 0, again.tell()


# After each of the two changes, and between them. Every single write is cut in turn in tests/unit/lab/.
CUTS = [
    "TASK [palette.edge.replace_host : Add the new host, and keep the old one]",
    "TASK [palette.edge.replace_host : Wait until Palette calls the cluster healthy]",
    "TASK [palette.edge.replace_host : Wait until the cluster runs without it]",
]


@pytest.mark.parametrize("words", CUTS)
def test_a_run_that_is_cut_off_is_carried_on(lab: Lab, words: str) -> None:
    """Killed, at once, where these words appear, which is when the task's result is there.

    Each test puts the host back that the one before took out.
    """
    now = pools(lab)["control"]
    old, new = (3, 6) if 3 in now else (6, 3)
    inventory = site(lab, sorted({*now, new} - {old}), pools(lab)["workers"])
    started = start(lab, inventory)
    started.until(words)
    started.kill()
    started.end()
    run = replace(lab, inventory)
    assert run.code == 0, run.tell()
    assert pools(lab)["control"] == sorted({*now, new} - {old})


@pytest.mark.parametrize(
    ("control", "workers", "named", "words"),
    [
        ([4, 5, 1], [2, 7], {}, "also moves"),
        ([1, 2, 9], [], {"replace_old": f"edge-{SITE}-2", "replace_new": "edge-nobody"}, "is not registered"),
        (
            [1, 2, 9],
            [],
            {"replace_old": f"edge-{SITE}-2", "replace_new": f"edge-{SITE}-4"},
            "in use by the cluster",
        ),
        ([1, 2, 9], [], {"replace_old": f"edge-{SITE}-2"}, "replace_new: give both"),
        ([1, 2, 9], [], {"replace_check_etcd": True}, "-e replace_check_etcd=false"),
    ],
)
def test_what_is_refused_before_anything_is_written(
    lab: Lab, control: list[int], workers: list[int], named: dict[str, Any], words: str
) -> None:
    there = pools(lab)["control"]
    free = 3 if 6 in there else 6
    third = free if "replace_check_etcd" in named else next(one for one in there if one not in (1, 2))
    inventory = site(lab, [third if one == 9 else one for one in control], workers or pools(lab)["workers"])
    with lab.untouched():
        run = replace(lab, inventory, **named)
    assert run.code == 2, run.tell()
    assert words in run.failed[SITE], run.failed
    assert "\n" not in run.failed[SITE]


def test_a_cluster_that_is_not_well_keeps_its_hosts_unless_the_old_one_is_lost(lab: Lab) -> None:
    there = pools(lab)["control"]
    new = 3 if 6 in there else 6
    inventory = site(lab, sorted([1, next(one for one in there if one not in (1, 2)), new]), pools(lab)["workers"])
    lab.fault("heartbeat-loss", host=f"edge-{SITE}-2")
    until(lambda: _health(lab) != "healthy", 60, "the host to be lost")
    with lab.untouched():
        run = replace(lab, inventory)
    assert run.code == 2, run.tell()
    assert "the cluster is not well before the replacement" in run.failed[SITE]
    assert "replace_old_is_lost=true" in run.failed[SITE]
    started = start(lab, inventory, replace_old_is_lost=True)
    # In the lab no host joins while another is silent; that this is not waited for shows before.
    started.until("RETRYING: [store-500]: Wait until the machine of the new host runs")
    lab.command("fault", "clear")
    run = started.end()
    assert run.code == 0, run.tell()
    assert new in pools(lab)["control"]
    assert 2 not in pools(lab)["control"]


def _health(lab: Lab) -> str:
    return str(lab.api("GET", f"/v1/edgehosts/edge-{SITE}-2")["status"]["health"]["state"])
