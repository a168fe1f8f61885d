# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""palette.edge.agent_registration: waits as long as there is hope, and says what keeps the agent when there is none."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import agent_registration
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import PaletteError

TOKEN = "canary-t0ken-of-the-registration"
READY = {
    "metadata": {"uid": "edge-1", "name": "edge-1"},
    "status": {"state": "ready", "health": {"state": "healthy", "agentVersion": "v4.8.21"}},
}
REFUSED = f"registration refused: 403 EdgeTokenInvalid: {TOKEN} is unknown"


class World:
    """A host whose agent says what it is told to, and a Palette that learns of the host at a certain look."""

    def __init__(self, lab: t.Any) -> None:
        self.lab, self.looks, self.known_from = lab, 0, 10**6
        self.agent, self.lines, self.listens, self.restarts = "active", ["agent starts"], False, 0
        self.up, self.wrong = True, ""
        self.host = lab.host(answer=self._host)

    def _host(self, command: str, payload: bytes | None) -> tuple[int, str, str]:
        if not self.up:
            return 255, "", "gone"
        lines = ["@units 6", f"@agent {self.agent}", f"@restarts {self.restarts}"]
        lines += ["@init activating"] if self.restarts else []
        lines += ["@listens yes"] if self.listens else []
        return 0, "\n".join([*lines, *(f"@line {line}" for line in self.lines), "@end"]) + "\n", ""

    def palette(self, session: t.Any, scope: t.Any, uids: list[str]) -> dict[str, t.Any]:
        self.looks += 1
        if self.wrong:
            raise PaletteError(self.wrong)
        return {"edge-1": READY if self.looks >= self.known_from else None}

    def run(self, **args: t.Any) -> dict[str, t.Any]:
        given = {"host": "https://palette.example.com", "api_key": "k", "host_id": "edge-1", "wait_sleep": 5, **args}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent_registration, "session_for", lambda connection: None)
            patch.setattr(agent_registration, "scope_of", lambda session: None)
            patch.setattr(agent_registration.edge, "read_many", self.palette)
            return dict(self.lab.run(agent_registration, registration_token=TOKEN, **given))


@pytest.fixture
def world(lab: t.Any, tmp_path: Path) -> World:
    return World(lab)


def test_it_waits_until_palette_has_the_host(world: World) -> None:
    world.known_from = 4
    done = world.run()
    assert (done["registered"], done["in_use"], done["agent_version"], done["waited"]) == (True, False, "4.8.21", 15.0)
    assert not done["changed"]


def test_a_host_that_palette_knows_from_before_must_run_its_agent_too(world: World) -> None:
    world.known_from, world.agent = 1, "inactive"
    failed = world.run(wait_timeout=20)
    assert failed["failed"]
    assert "spectro-stylus-agent is inactive" in failed["msg"]


def test_a_refused_token_ends_it_early_with_the_agents_words_but_not_the_token(world: World) -> None:
    world.lines = ["agent starts", REFUSED]
    failed = world.run(grace=10, wait_timeout=1000)
    assert "Palette refuses the registration token" in failed["msg"]
    assert "EdgeTokenInvalid" in failed["msg"]
    assert TOKEN not in repr(failed)
    assert TOKEN not in "".join(world.host.logged)
    assert "\n" not in failed["msg"]
    assert world.looks <= 4


def test_an_old_refusal_that_was_mended_is_borne(world: World) -> None:
    world.lines, world.known_from = [REFUSED], 3
    assert world.run(grace=60)["registered"]


def test_a_package_that_cannot_be_installed_is_not_waited_for(world: World) -> None:
    world.agent, world.restarts, world.lines = "inactive", 4, ["+ palette-agent install", "exit status 1"]
    failed = world.run(grace=5, wait_timeout=1000)
    assert "spectro-init (which installs the package) is activating after 4 failures" in failed["msg"]
    assert "'exit status 1'" in failed["msg"]


def test_in_the_end_it_tells_the_last_state(world: World) -> None:
    world.lines = ["dial tcp: lookup palette.example.com: no such host"]
    failed = world.run(wait_timeout=20)
    assert "Waited 20 s." in failed["msg"]
    assert "edge-1 is not there" in failed["msg"]
    assert "a name is not resolved on the host" in failed["msg"]
    world.up = False
    assert "on the host, " in world.run(wait_timeout=20)["msg"]


def test_palette_refusing_is_one_line(world: World) -> None:
    world.wrong = "GET /v1/projects: project Nowhere is not there"
    failed = world.run()
    assert failed["msg"] == world.wrong
    assert world.run(wait=False)["msg"] == world.wrong


def test_without_waiting_and_in_check_mode_the_host_is_not_asked(world: World) -> None:
    assert world.run(wait=False)["registered"] is False
    assert world.run(check=True)["registered"] is False
    assert world.host.commands == []


def test_a_locally_managed_host_is_there_when_its_local_ui_listens(world: World) -> None:
    assert world.run(look_at="agent")["state"] == "the agent runs"
    assert "Waited 10 s" in world.run(look_at="local_ui", wait_timeout=10)["msg"]
    world.listens = True
    assert world.run(look_at="local_ui")["state"] == "the agent runs and its Local UI listens"
    assert world.looks == 0
