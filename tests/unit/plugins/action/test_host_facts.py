# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import platform
import typing as t
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import host_facts
from ansible_collections.palette.edge.plugins.plugin_utils._facts import read_facts, same_host
from ansible_collections.palette.edge.plugins.plugin_utils._script import parse_output

ANSWER = """Welcome to the host
@boot_id 1-2-3
@machine_id abc
@uptime 12.50 3.00
@host_name edge-1
@kernel 6.1
@machine aarch64
@user 0 root
@os PRETTY_NAME="Some OS"
@os ID=some
@os VERSION_ID='1.2'
@cpus 4
@memory MemTotal:        2048000 kB
@oem yes
@kairos /etc/kairos-release
@nic eth0 AA:BB:CC:00:11:22 up 1500
@nic lo 00:00:00:00:00:00 unknown 65536
@nic veth1 - down 1450
@address 1: lo    inet 127.0.0.1/8 scope host lo
@address 2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0
@address 2: eth0    inet6 fe80::1/64 scope link
@address 3: veth1@if7    inet 10.9.0.1/16 scope global veth1
@route default via 10.0.0.1 dev eth0 proto dhcp
@file 1 -
@file 0 00ff
@system_state degraded
@end
"""


def test_one_command_tells_all(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host(read_only=True)
    file = tmp_path / 'na"me $x'
    file.write_text("content")
    result = lab.run(host_facts, check=True, files=[str(file), str(tmp_path / "none")])
    assert len(host.commands) == 1
    assert result["changed"] is False
    assert result["address"] == "192.0.2.1"
    assert "ansible_facts" not in result
    facts = result["edge_host_facts"]
    assert facts["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert facts["host_name"] == platform.node()
    assert facts["kernel"] == platform.release()
    assert facts["root"] is (os.geteuid() == 0)
    assert facts["memory_mib"] > 0
    assert facts["cpus"] > 0
    assert facts["files"] == {
        str(file): {"exists": True, "sha256": hashlib.sha256(b"content").hexdigest()},
        str(tmp_path / "none"): {"exists": False, "sha256": ""},
    }


def test_reading() -> None:
    facts = read_facts(parse_output(ANSWER), ["/a", "/b"])
    assert facts["architecture"] == "arm64"
    assert facts["os"] == {"id": "some", "version": "1.2", "name": "Some OS"}
    assert facts["deployment"] == "appliance"
    assert facts["python"] == ""
    assert facts["memory_mib"] == 2000
    assert facts["uptime_seconds"] == 12
    assert facts["gateway"] == {"address": "10.0.0.1", "interface": "eth0"}
    assert facts["addresses"] == ["10.0.0.5/24", "10.9.0.1/16"]
    assert [nic["name"] for nic in facts["interfaces"]] == ["eth0", "veth1"]
    assert facts["interfaces"][0] == {
        "name": "eth0",
        "mac": "aa:bb:cc:00:11:22",
        "state": "up",
        "mtu": 1500,
        "addresses": ["10.0.0.5/24", "fe80::1/64"],
    }
    assert facts["files"] == {"/a": {"exists": True, "sha256": "00ff"}, "/b": {"exists": False, "sha256": ""}}
    empty = read_facts(parse_output("@end"))
    assert (empty["boot_id"], empty["interfaces"], empty["deployment"]) == ("", [], "unknown")


def test_the_same_machine_by_its_id_or_by_a_mac_address() -> None:
    facts = read_facts(parse_output(ANSWER))
    assert same_host(facts, {**facts, "interfaces": []})
    assert same_host(facts, {**facts, "machine_id": "another"})
    assert not same_host(facts, {**facts, "machine_id": "another", "interfaces": []})


def test_the_first_address_that_answers(lab: t.Any) -> None:
    lab.host("192.0.2.7")
    result = lab.run(host_facts, addresses=["", "192.0.2.6/24", "192.0.2.7/24", "192.0.2.6"])
    assert result["address"] == "192.0.2.7"
    assert lab.tried == ["192.0.2.6", "192.0.2.7"]


def test_no_address_answers(lab: t.Any) -> None:
    result = lab.run(host_facts, addresses=["192.0.2.6", "192.0.2.7"], timeout=5)
    assert result["unreachable"] is True
    assert not result.get("failed")
    assert "192.0.2.6 (connect to 192.0.2.6: No route to host); 192.0.2.7 (" in result["msg"]
    assert "\n" not in result["msg"]
    assert lab.tried.count("192.0.2.6") == lab.tried.count("192.0.2.7") > 2


def test_it_keeps_trying_until_the_host_is_there(lab: t.Any) -> None:
    def sleep(seconds: float) -> None:
        lab.clock.now += seconds
        if lab.clock.now > 1010:
            lab.host("192.0.2.7")

    lab.clock.sleep = sleep
    assert lab.run(host_facts, addresses=["192.0.2.7"], timeout=60)["address"] == "192.0.2.7"


def test_a_refused_login_is_not_tried_again(lab: t.Any) -> None:
    from ansible.errors import AnsibleConnectionFailure

    def refuse(command: str, payload: bytes | None) -> None:
        raise AnsibleConnectionFailure(
            "Failed to connect to the host via ssh: kairos@192.0.2.1: Permission denied (publickey)."
        )

    lab.host(answer=refuse)
    result = lab.run(host_facts, timeout=600)
    assert result["unreachable"] is True
    assert "Permission denied (publickey)); check the user kairos, its key" in result["msg"]
    assert lab.tried == ["192.0.2.1"]


@pytest.mark.parametrize("args", [{"connect_timeout": 0}, {"timeout": -1}, {"files": ["x"]}])
def test_bad_options_are_refused_before_the_host_is_asked(lab: t.Any, args: dict[str, t.Any]) -> None:
    host = lab.host()
    result = lab.run(host_facts, **args)
    assert result["failed"] is True
    assert result["msg"].startswith(next(iter(args)))
    assert host.commands == []


def test_a_shell_that_ends_early_is_told(lab: t.Any) -> None:
    lab.host(answer=lambda command, payload: (126, "@boot_id 1\n", "bash: permission denied\n"))
    result = lab.run(host_facts)
    assert result["failed"] is True
    assert result["msg"] == "192.0.2.1: the shell on the host ended early (exit code 126): bash: permission denied"
