# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab with a real Kubernetes for the tests of this folder, where this machine can have one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.kubernetes.shop import Shop
from ansible_collections.palette.edge.tests.lab.site_lab import Lab, preconditions
from lab.hosts import cgroups
from lab.kubernetes.provider import Delivery, ProviderError, deliver


@pytest.fixture(scope="session")
def delivery() -> Delivery:
    """The built Kubernetes; skips, saying why, where it cannot be had."""
    missing = preconditions()
    if missing:
        pytest.skip(f"this machine cannot boot hosts: {missing}")
    if not {"memory", "cpuset", "pids"} <= cgroups.controllers():
        pytest.skip("a node needs control groups of version 1, which this machine has not mounted")
    try:
        return deliver("built", say=print)
    except ProviderError as error:
        pytest.skip(f"no Kubernetes can be had: {error}")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, collections_path: Path, delivery: Delivery) -> Iterator[Shop]:
    """Six Edge hosts, and a site of them; nothing of it is formed yet."""
    lab = Lab(tmp_path_factory.mktemp("shop-"), f"pk-{os.getpid()}", collections_path)
    shop = Shop(lab, delivery)
    try:
        shop.up()
        yield shop
    finally:
        lab.down()
