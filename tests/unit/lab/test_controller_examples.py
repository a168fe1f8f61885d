# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labs of lab/examples have the hosts of the example sites, as they stand before anything was configured."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab.hosts.config import load


@pytest.mark.parametrize(("name", "pattern"), [("stores", "store-042"), ("all-stores", "store-*")])
def test_an_example_has_the_hosts_of_its_sites(repository: Path, name: str, pattern: str) -> None:
    found = {(one.name, one.id, one.address) for one in load(repository / f"lab/examples/{name}.yml").hosts}
    wanted, gateways = set(), set()
    for path in (repository / "examples/stores/sites").glob(f"{pattern}.yml"):
        site = yaml.safe_load(path.read_text())
        for host in site["hosts"]:
            whole = {**site.get("host_defaults", {}), **host}
            wanted.add((whole["name"], whole["id"], f"{whole['initial_address']}/24"))
            gateways.add(f"{whole['gateway']}/24")
    assert wanted
    assert found == wanted
    assert set(load(repository / f"lab/examples/{name}.yml").bridge) == gateways
