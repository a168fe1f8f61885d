# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller as a server: limits, faults, real connections that are cut, restarts, and what it all costs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ansible_collections.palette.edge.tests.unit.lab_controller import START, TENANT, World
from lab.controller.app import Application
from lab.controller.limiter import Limiter

TOKENS = "/v1/edgehosts/tokens"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller without anything in it."""
    return World(tmp_path)


# -- limits


def test_a_source_is_limited_by_prefix_and_told_when_to_come_again(tmp_path: Path) -> None:
    world = World(tmp_path, rate_limits=True)
    statuses = [world.call("GET", "/v1/edgehosts/tags").status_code for _number in range(51)]
    assert statuses == [200] * 50 + [429]
    refused = world.call("GET", "/v1/edgehosts/metadata")
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("TooManyRequests", "1")
    assert world.call("GET", "/v1/users/info").status_code == 200
    assert world.call("GET", "/v1/edgehosts/tags", headers={"X-Lab-Source": "edge-1"}).status_code == 200
    world.now += 0.5
    statuses = [world.call("GET", "/v1/edgehosts/tags").status_code for _number in range(6)]
    assert statuses == [200] * 5 + [429]


def test_the_time_to_wait_can_be_left_untold(tmp_path: Path) -> None:
    world = World(tmp_path, rate_limits=True, retry_after=False)
    replies = [world.call("GET", "/v1/users/info") for _number in range(51)]
    assert replies[-1].status_code == 429
    assert "retry-after" not in replies[-1].headers


def test_some_prefixes_are_wider_and_the_labs_own_has_no_limit(tmp_path: Path) -> None:
    limiter = Limiter()
    assert [bool(limiter.refused("a", "/v1/spectroclusters/x", START)) for _number in range(251)].count(True) == 1
    parts = ("assets/kubeconfig", "download", "features/logFetcher")
    for part in parts:
        path = f"/v1/spectroclusters/x/{part}"
        assert [bool(limiter.refused("a", path, START)) for _number in range(51)].count(True) == 1
    assert limiter.refused("a", "/v1/spectroclusters/x", START - 100) > 0
    world = World(tmp_path, rate_limits=True)
    for _number in range(60):
        assert world.send("GET", "/lab/v1/faults", None, {"LabKey": world.lab.lab_key}).status_code == 200


# -- faults


def test_a_status_is_answered_until_its_count_is_used_up(world: World) -> None:
    world.fault("status", status=503, count=2, path="/v1/edgehosts", method="get")
    assert world.call("GET", "/v1/users/info").status_code == 200
    assert world.call("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}}).status_code == 201
    replies = [world.call("GET", "/v1/edgehosts/edge-1") for _number in range(3)]
    assert [one.status_code for one in replies] == [503, 503, 200]
    # What a proxy says is no JSON.
    assert replies[0].text == "upstream is not available"
    assert world.send("GET", "/lab/v1/faults", None, {"LabKey": world.lab.lab_key}).json() == {"items": []}


def test_a_status_can_say_when_to_come_again(world: World) -> None:
    world.fault("status", status=429, retry_after=7)
    reply = world.call("GET", "/v1/users/info")
    assert (reply.status_code, reply.json()["code"], reply.headers["retry-after"]) == (429, "TooManyRequests", "7")
    world.clear_faults()
    assert world.call("GET", "/v1/users/info").status_code == 200


def test_a_fault_of_status_does_nothing(world: World) -> None:
    world.fault("status", status=500, method="POST")
    assert world.call("POST", "/v1/edgehosts", {"metadata": {"uid": "edge-1"}}).json()["code"] == "InjectedFault"
    assert world.call("GET", "/v1/edgehosts/edge-1").status_code == 404


def test_faults_are_met_one_after_the_other(world: World) -> None:
    world.fault("status", status=500, count=1)
    world.fault("status", status=502, count=1)
    assert [world.call("GET", "/v1/users/info").status_code for _number in range(3)] == [500, 502, 200]


def test_a_slow_answer_is_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("lab.controller.app.asyncio.sleep", sleep)
    world.fault("slow", seconds=2.5, count=1)
    assert [world.call("GET", "/v1/users/info").status_code for _number in range(2)] == [200, 200]
    assert waited == [2.5]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "earthquake"},
        {},
        {"kind": "status"},
        {"kind": "status", "status": 200},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "seconds": 1e9},
        {"kind": "cut-before", "count": 0},
        {"kind": "cut-before", "count": "2"},
    ],
)
def test_a_fault_that_is_none_is_refused(world: World, fault: Any) -> None:
    reply = world.send("POST", "/lab/v1/faults", fault, {"LabKey": world.lab.lab_key})
    assert reply.status_code == 400


@contextmanager
def _served(app: Application) -> Iterator[int]:
    """The port of a real server on loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def _ask(port: int, world: World, method: str, path: str, body: Any = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body), {"ApiKey": world.lab.api_key})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(("kind", "done"), [("cut-after-accept", True), ("cut-before", False)])
def test_a_cut_connection_is_cut_after_or_before_the_work_was_done(
    world: World, kind: str, done: bool, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"metadata": {"name": "cut"}, "spec": {"expiry": "2030-01-01T00:00:00Z"}}
    with _served(world.app) as port:
        assert _ask(port, world, "GET", "/v1/users/info") == 200
        world.fault(kind, path=TOKENS, count=1)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            _ask(port, world, "POST", TOKENS, body)
        assert _ask(port, world, "GET", TOKENS) == 200
    names = [one["metadata"]["name"] for one in world.ok("GET", TOKENS, scope=TENANT)["items"]]
    assert names == (["cut"] if done else [])
    assert not caplog.records


# -- restarts


def test_a_new_controller_on_the_same_folder_goes_on(world: World) -> None:
    world.hosts("edge-1")
    token, uid = world.token(), world.create_cluster("edge-1")
    key, secret = world.lab.api_key, world.secret(token)
    world.now += 3600
    again = world.again()
    assert (again.lab.api_key, again.secret(token)) == (key, secret)
    # Nobody listened meanwhile: the silence is not held against the host.
    assert again.host("edge-1")["status"]["health"]["state"] == "healthy"
    again.beat("edge-1")
    again.later(4, beats=("edge-1",))
    assert again.state(uid) == "Running"
    assert again.token() not in (token, uid)


def test_one_seed_gives_one_sequence_of_uids(tmp_path: Path) -> None:
    def story(folder: str, seed: int) -> list[str]:
        (tmp_path / folder).mkdir()
        world = World(tmp_path / folder, seed=seed)
        world.hosts("edge-1")
        return [world.project, world.token(), world.profile(), world.create_cluster("edge-1"), world.lab.uid()]

    first, second, other = story("a", 1), story("b", 1), story("c", 2)
    assert first == second
    assert not set(first) & set(other)


def test_keys_are_random_and_for_nobody_elses_eyes(tmp_path: Path) -> None:
    worlds = []
    for name in "ab":
        (tmp_path / name).mkdir()
        worlds.append(World(tmp_path / name))
    keys = {key for one in worlds for key in (one.lab.api_key, one.lab.read_only_key, one.lab.lab_key)}
    assert len(keys) == 6
    for path in (tmp_path / "a").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_the_command_serves_by_tls_and_survives_being_killed(tmp_path: Path, repository: Path) -> None:
    def start(*options: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        (tmp_path / "lab.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "lab.controller", "--state", str(tmp_path), *options]
        process = subprocess.Popen(command, cwd=repository)
        until = time.monotonic() + 30
        while time.monotonic() < until and process.poll() is None:
            if (tmp_path / "lab.json").exists() and (told := json.loads((tmp_path / "lab.json").read_text())):
                return process, told
            time.sleep(0.02)
        raise AssertionError("the controller does not come up")

    def ask(told: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
        context = ssl.create_default_context(cafile=told["ca"])
        connection = http.client.HTTPSConnection("127.0.0.1", told["port"], timeout=20, context=context)
        until = time.monotonic() + 20
        while True:
            try:
                connection.connect()
                break
            except ConnectionError:
                assert time.monotonic() < until
                time.sleep(0.02)
        connection.request(method, path, json.dumps(body), {"ApiKey": told["api_key"]})
        reply = connection.getresponse()
        assert reply.status < 300
        return json.loads(reply.read())

    body = {"metadata": {"name": "kept"}, "spec": {"expiry": "2030-01-01T00:00:00Z"}}
    process, told = start()
    try:
        assert (tmp_path / "lab.json").stat().st_mode & 0o077 == 0
        uid = ask(told, "POST", TOKENS, body)["uid"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        process, again = start("--port", str(told["port"]))
        assert again["api_key"] == told["api_key"]
        assert ask(again, "GET", f"{TOKENS}/{uid}")["metadata"]["name"] == "kept"
    finally:
        process.kill()
        process.wait(10)


# -- what it costs


def test_a_heartbeat_writes_no_document(world: World) -> None:
    world.hosts("edge-1")
    before = world.lab.store.revision("host")
    for _number in range(20):
        world.now += 1
        assert world.beat("edge-1") == 204
    assert world.lab.store.revision("host") == before


def test_a_silent_host_is_looked_at_once(world: World) -> None:
    world.hosts("edge-1")
    world.now += 10
    world.ok("GET", "/v1/users/info")
    after = world.lab.store.revision("host")
    assert world.lab.store.silent(world.now) == []
    world.later(5)
    assert world.lab.store.revision("host") == after


@pytest.mark.slow
def test_a_thousand_registrations_and_their_heartbeats_cost_little(tmp_path: Path) -> None:
    world = World(tmp_path, form_seconds=3600)
    secret = world.secret(world.token())
    for number in range(20):
        world.hosts(f"busy-{number}")
        world.create_cluster(f"busy-{number}", name=f"store-{number}")
    began = time.process_time()
    for number in range(1000):
        assert world.register(f"edge-{number}", secret=secret).status_code == 200
    registered = time.process_time()
    for _second in range(3):
        world.now += 1
        for number in range(1000):
            assert world.beat(f"edge-{number}") == 204
    beaten = time.process_time()
    # Processor time; less than a third of this where it was written, most of it the test's own.
    assert registered - began < 5
    assert beaten - registered < 10
