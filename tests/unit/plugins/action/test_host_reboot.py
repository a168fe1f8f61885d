# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.action import host_reboot


def facts(boot: str, *, machine: str = "m1", state: str = "running", name: str = "edge-1") -> str:
    return f"@boot_id {boot}\n@machine_id {machine}\n@host_name {name}\n@user 0 root\n@system_state {state}\n@end\n"


class Machine:
    """A host that reboots: away for some time, then there again, perhaps at another address."""

    def __init__(self, lab: t.Any, *, away: float = 20.0, comes_back_at: str = "192.0.2.1", **options: t.Any) -> None:
        self.lab, self.away, self.back, self.options = lab, away, comes_back_at, options
        self.ordered: float | None = None
        self.host = lab.host(answer=self.answer)
        lab.host(comes_back_at, answer=lambda command, payload: self.answer(command, payload, comes_back_at))

    def answer(self, command: str, payload: bytes | None, address: str = "192.0.2.1") -> tuple[int, str, str]:
        now = self.lab.clock.now
        if "systemctl reboot" in command:
            if error := self.options.get("refuses"):
                return 1, f"@error {error}\n", ""
            self.ordered = now
            if self.options.get("cuts"):
                raise AnsibleConnectionFailure("Shared connection closed.")
            return 0, "@end\n", ""
        if self.ordered is None:
            if address != "192.0.2.1":
                raise AnsibleConnectionFailure("No route to host")
            return 0, facts("old"), ""
        if self.options.get("ignores"):
            return 0, facts("old"), ""
        if now < self.ordered + self.away:
            if now < self.ordered + 3:
                return 0, facts("old", state="stopping"), ""
            raise AnsibleConnectionFailure("Connection timed out")
        if address != self.back:
            raise AnsibleConnectionFailure("No route to host")
        return 0, facts("new"), ""


def test_waits_for_another_boot(lab: t.Any) -> None:
    Machine(lab)
    result = lab.run(host_reboot)
    assert result["changed"] is True
    assert (result["old_boot_id"], result["new_boot_id"], result["address"]) == ("old", "new", "192.0.2.1")
    assert 20 <= result["elapsed"] < 25
    assert result["edge_host_facts"]["boot_id"] == "new"


def test_finds_the_host_at_its_new_address_which_is_tried_first(lab: t.Any) -> None:
    Machine(lab, comes_back_at="192.0.2.9", cuts=True)
    result = lab.run(host_reboot, addresses=["192.0.2.9/24"])
    assert result["address"] == "192.0.2.9"
    assert lab.tried[1:3] == ["192.0.2.9", "192.0.2.1"]


def test_another_machine_at_the_old_address_is_not_mistaken(lab: t.Any) -> None:
    machine = Machine(lab, comes_back_at="192.0.2.9")
    plain = machine.answer

    def with_neighbour(command: str, payload: bytes | None) -> tuple[int, str, str]:
        if machine.ordered is not None and lab.clock.now > machine.ordered + 5:
            return 0, facts("other", machine="m2", name="neighbour"), ""
        return plain(command, payload)

    machine.host.answer = with_neighbour
    assert lab.run(host_reboot, addresses=["192.0.2.9"])["address"] == "192.0.2.9"


def test_a_host_that_never_comes_back(lab: t.Any) -> None:
    Machine(lab, away=10_000)
    result = lab.run(host_reboot, addresses=["192.0.2.9"], timeout=100)
    assert result["unreachable"] is True
    assert "did not come back within 100 s: 192.0.2.9 (" in result["msg"]
    assert "192.0.2.1 (Connection timed out)" in result["msg"]
    assert "\n" not in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"refuses": "only root may reboot the host"}, "only root may reboot"),
        ({"ignores": True}, "took the order to reboot"),
    ],
)
def test_stops_early_when_it_is_impossible(lab: t.Any, options: dict[str, t.Any], words: str) -> None:
    Machine(lab, **options)
    result = lab.run(host_reboot, timeout=3600)
    assert result["failed"] is True
    assert words in result["msg"]
    assert lab.clock.now < 1000 + 60


def test_check_mode_asks_and_does_not_reboot(lab: t.Any) -> None:
    machine = Machine(lab)
    machine.host.read_only = True
    result = lab.run(host_reboot, check=True)
    assert result["changed"] is True
    assert result["new_boot_id"] == result["old_boot_id"] == "old"
    assert machine.ordered is None


def test_a_host_that_is_down_before_it(lab: t.Any) -> None:
    result = lab.run(host_reboot, timeout=5)
    assert result["unreachable"] is True
    assert result["changed"] is False
