# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder of site files as an inventory, against start-up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.bench import Bench
from tests.benchmarks.compare import groups_of
from tests.benchmarks.inventory import START, Inventories
from tests.benchmarks.measure import in_turn, tell
from tests.benchmarks.report import Outcome

HOSTS = 10
_SITE = """\
---
name: {name}
description: Store {number}
project: Default
management_mode: central
tags:
  region: {region}
registration:
  token: {name}
  expires_in_days: 90
host_defaults:
  architecture: amd64
  backend: {{type: bare_metal}}
  nic: host0
  gateway: {net}.1
  nameservers: [{net}.1]
  ntp_servers: [pool.ntp.org]
  proxy:
    http: http://{net}.1:3128
    https: http://{net}.1:3128
    no_proxy: [{net}.0/24, .svc, .cluster.local]
hosts:
{hosts}
profiles:
  - name: edge-store
    version: 1.0.0
    variables:
      greeting: hello from store {number}
cluster:
  vip: {net}.10
  ntp_servers: [pool.ntp.org]
  node_pools:
    - name: control-plane-pool
      control_plane: true
      hosts: [{controls}]
    - name: worker-pool
      hosts: [{workers}]
"""


def sites(bench: Bench) -> Iterator[Outcome]:
    """Wall, CPU, and CPU a host."""
    count = bench.settings.sites
    outcome = Outcome(f"{count:,} site files of {HOSTS} hosts each, palette.edge.sites, --graph")
    tell(outcome.title)
    folder = bench.folder("sites")
    write_sites(folder, count)
    files = Inventories(bench)
    ours = "palette.edge.sites"
    files.read(folder / "stores.sites.yml", None)
    sides = {ours: lambda: files.read(folder / "stores.sites.yml", None), START: lambda: files.read("a,", None)}
    outcome.samples = in_turn(sides, bench.settings.pairs)
    outcome.ratios = [(ours, START)]
    net = outcome.median_cpu(ours) - outcome.median_cpu(START)
    outcome.notes.append(
        f"beyond start-up {net:.2f} s CPU: {net / count * 1000:.2f} ms a file, {net / count / HOSTS * 1000:.2f} ms a host"
    )
    groups = groups_of(outcome.samples[ours][-1].output)
    found = len(groups["palette_sites"]), len(groups["palette_hosts"])
    if found != (count, count * HOSTS):
        outcome.failures.append(f"there are {found[0]} entries of sites and {found[1]} of hosts")
    yield outcome


def write_sites(folder: Path, count: int) -> None:
    """An inventory file and ``count`` site files in the style of the example."""
    options: dict[str, Any] = {"plugin": "palette.edge.sites", "path": "sites"}
    (folder / "stores.sites.yml").write_text(json.dumps(options))
    (folder / "sites").mkdir()
    for number in range(count):
        name, net = f"store-{number:04d}", f"10.{100 + number // 250}.{number % 250}"
        names = [f"{name}-{host}" for host in range(1, HOSTS + 1)]
        hosts = [
            f"  - name: {one}\n    id: edge-{one}\n    address: {net}.{10 + place}/24\n"
            f"    initial_address: {net}.{100 + place}\n    tags: {{rack: {'abcd'[place % 4]}}}"
            for place, one in enumerate(names, start=1)
        ]
        text = _SITE.format(
            name=name,
            number=number,
            net=net,
            region=("north", "south", "east", "west")[number % 4],
            hosts="\n".join(hosts),
            controls=", ".join(names[:3]),
            workers=", ".join(names[3:]),
        )
        (folder / "sites" / f"{name}.yml").write_text(text)
