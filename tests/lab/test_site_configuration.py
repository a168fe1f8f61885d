# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on real Edge hosts without Python: the role site_configuration and the actions, over SSH.

Skips, saying why, where this machine cannot boot hosts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.lab.one_host import ROLE, TOKEN, Hosts, one_host

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Hosts]:
    with one_host(tmp_path_factory.mktemp("configuration"), "sc", collections_path) as found:
        yield found


def test_the_whole_way(hosts: Hosts) -> None:
    """In order, as each step stands on the one before: check, configure, again, change, interrupted, resumed."""
    planned = hosts.play(ROLE, "--check", "--diff")
    assert planned.stats["site-1"]["failed"] == 0, planned.text
    assert "+    hostName: site-one" in planned.text
    assert hosts.raw("cat /oem/user-data 2>/dev/null; hostname").strip() != "site-one"
    assert "absent" in hosts.raw("test -e /oem/user-data && echo there || echo absent")

    done = hosts.play(ROLE, "--diff", "-vvvv")
    assert done.stats["site-1"] | {"failed": 0, "unreachable": 0, "changed": 2} == done.stats["site-1"], done.text[
        -3000:
    ]
    forms = [TOKEN] + [base64.b64encode(b"x" * at + TOKEN.encode()).decode()[4:-4] for at in range(3)]
    assert [form for form in forms if form in done.text] == []
    state = "hostname; ip -o -4 addr show host0 | grep -c 10.43.0.11/24; stat -c '%a %U:%G' /oem/user-data"
    assert hosts.raw(f"{state}; command -v python3 || echo none").split("\n")[:4] == [
        "site-one",
        "1",
        "600 root:root",
        "none",
    ]
    assert TOKEN in hosts.raw("cat /oem/user-data")

    again = hosts.play(ROLE)
    assert (again.stats["site-1"]["changed"], again.stats["site-1"]["failed"]) == (0, 0), again.text

    checksum = hosts.raw("sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id")
    other = hosts.play(ROLE, "--check", "--diff", edge_host_ntp_servers=["time.example.com"])
    lines = [line for line in other.text.splitlines() if line.startswith(("+ ", "- "))]
    assert lines == ["-      - pool.ntp.org", "+      - time.example.com"]
    assert hosts.raw("sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id") == checksum

    cut = hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"], site_configuration_reboot=False)
    assert cut.stats["site-1"]["changed"] == 1
    assert "has yet to boot with its user-data" in cut.text
    resumed = hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"])
    assert (resumed.stats["site-1"]["changed"], resumed.stats["site-1"]["failed"]) == (1, 0), resumed.text
    assert hosts.raw("cat /proc/sys/kernel/random/boot_id") not in checksum
    assert hosts.play(ROLE, edge_host_ntp_servers=["time.example.com"]).stats["site-1"]["changed"] == 0


def test_bad_values_are_refused_and_an_unreachable_host_does_not_stop_the_others(hosts: Hosts) -> None:
    nowhere = {"ansible_host": "10.43.0.77", "site_configuration_addresses": ["10.43.0.77", "10.43.0.78"]}
    done = hosts.play(
        ROLE,
        "--check",
        hosts={"site-2": {**nowhere, "site_configuration_timeout": 4}, "site-3": {"edge_host_gateway": "10.99.0.1"}},
    )
    assert done.stats["site-1"]["failed"] == 0, done.text
    assert done.stats["site-2"]["unreachable"] == 1
    assert done.stats["site-3"]["failed"] == 1
    assert "10.43.0.77 (" in done.text
    assert "10.43.0.78 (" in done.text
    assert "interfaces.host0.gateway: 10.99.0.1 is outside the subnet 10.43.0.0/24" in done.text
    assert "Traceback" not in done.text


def test_a_full_disk_leaves_the_old_file(hosts: Hosts) -> None:
    hosts.raw("mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small && echo old > /mnt/small/file")
    play = {"hosts": "site-1", "gather_facts": False, "become": True, "tasks": [
        {"palette.edge.host_facts": {"addresses": ["10.43.0.11", "10.43.0.101"]}, "register": "found"},
        {"ansible.builtin.set_fact": {"ansible_host": "{{ found.address }}"}},
        {"palette.edge.host_file": {"path": "/mnt/small/file", "content": "{{ 'x' * 300000 }}"}},
    ]}  # fmt: skip
    done = hosts.play(play)
    assert "No space left on device; it is as it was" in done.text
    assert hosts.raw("cat /mnt/small/file; ls -A /mnt/small; umount /mnt/small").split() == ["old", "file"]


def test_a_host_that_never_comes_back_is_told(hosts: Hosts) -> None:
    play = {"hosts": "site-1", "gather_facts": False, "become": True, "tasks": [
        {"palette.edge.host_facts": {"addresses": ["10.43.0.11", "10.43.0.101"]}, "register": "found"},
        {"ansible.builtin.set_fact": {"ansible_host": "{{ found.address }}"}},
        # In place of a reboot, the machine's network goes away.
        {"ansible.builtin.raw": "printf '#!/bin/sh\\n[ $1 = reboot ] && ip link set host0 down\\n' > /usr/local/sbin/systemctl; "
                                "chmod +x /usr/local/sbin/systemctl"},
        {"palette.edge.host_reboot": {"addresses": ["10.43.0.12"], "timeout": 12, "connect_timeout": 2}},
    ]}  # fmt: skip
    done = hosts.play(play)
    assert done.stats["site-1"]["unreachable"] == 1, done.text
    assert "did not come back within 12 s: 10.43.0.12 (" in done.text
