# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All sites of the example at once: nine real hosts, in one run, and dealt out to slices as AWX does it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import REPOSITORY, STORE_007, STORE_042, STORE_100, Lab

pytestmark = pytest.mark.lab

HOSTS = [*STORE_007, *STORE_042, *STORE_100]
SITES = ["store-007", "store-042", "store-100"]
SLICES = 3


@pytest.fixture
def lab(laboratory: Laboratory, bootable: None) -> Iterator[Lab]:
    with laboratory(HOSTS) as lab:
        yield lab


def names(lab: Lab) -> list[str]:
    """The names of the inventory in AWX's order."""
    listed = json.loads(
        lab.ansible("ansible-inventory", "-i", str(REPOSITORY / "examples/stores/stores.sites.yml"), "--list")
    )
    return sorted(listed["_meta"]["hostvars"])


def check_all_runs(lab: Lab) -> None:
    """Every cluster runs, every host is part of its own and bears its address, and there is one of each object."""
    clusters = {one["metadata"]["name"]: one["status"]["state"] for one in lab.search("spectroclusters")}
    assert clusters == dict.fromkeys(SITES, "Running")
    hosts = {one["metadata"]["name"]: one for one in lab.search("edgehosts")}
    assert sorted(hosts) == sorted(one["name"] for one in HOSTS)
    for name in hosts:
        whole = lab.api("GET", f"/v1/edgehosts/edge-{name}")
        assert (whole["status"]["state"], whole["status"]["health"]["state"]) == ("in-use", "healthy"), name
        assert [used["name"] for used in whole["status"]["inUseClusters"]] == [name[:9]]
        assert whole["spec"]["host"]["hostAddress"].rpartition(".")[2] == f"1{name[-1]}"
    assert sorted(one["metadata"]["name"] for one in lab.tokens()) == SITES
    assert [one["metadata"]["name"] for one in lab.search("clusterprofiles")] == ["edge-store"]


def test_all_sites_in_one_run(lab: Lab) -> None:
    run = lab.play(limit="")
    assert run.code == 0, run.tell()
    check_all_runs(lab)
    with lab.untouched():
        again = lab.play(limit="")
    assert again.code == 0, again.tell()
    assert again.changed == dict.fromkeys(names(lab), 0), again.tell()


def test_the_job_dealt_out_to_slices_comes_to_the_same_end(lab: Lab) -> None:
    """All slices at once, which share a site's hosts out among them: some have a host whose site is another's work."""
    whole = names(lab)
    slices = [whole[number::SLICES] for number in range(SLICES)]
    assert sum(any(name in one for name in SITES) for one in slices) < SLICES
    started = [lab.start(limit=",".join(one)) for one in slices]
    for run in [one.end() for one in started]:
        assert run.code == 0, run.tell()
    check_all_runs(lab)
    with lab.untouched():
        again = lab.play(limit="")
    assert again.changed == dict.fromkeys(whole, 0), again.tell()
