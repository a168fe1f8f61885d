"""The agent against a small controller: registers, speaks, is refused, comes back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab.agent import apply as applying
from lab.agent.agent import VERSION, Agent, Pace
from lab.agent.apply import Lease
from lab.agent.client import Client
from lab.agent.scheduler import Scheduler
from lab.hosts.boot import ACTIVE, REGISTRATION, prepare
from lab.hosts.config import HostConfig
from lab.hosts.guest import Look
from lab.hosts.wanted import Journal, WantedFile, change_wanted

Asked = tuple[str, str, dict[str, str], Any]


@dataclass
class Controller:
    """A controller that knows the agents' protocol and nothing else."""

    seen: list[Asked] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {"good-token"})
    known: set[str] = field(default_factory=set)
    busy: int = 0
    url: str = ""

    def answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        self.seen.append((method, path, headers, body))
        if self.busy:
            self.busy -= 1
            return 503, {"code": "Busy", "message": "come back"}
        if path == "/v1/edgehosts/register":
            uid = body["metadata"]["uid"]
            if headers.get("EdgeHostToken") not in self.tokens:
                return 403, {"code": "TokenInvalid", "message": "the registration token is unknown"}
            self.known.add(uid)
            return 200, {**body, "status": {"serviceAuthToken": f"service-{uid}"}}
        uid = path.split("/")[3]
        if uid not in self.known or headers.get("ServiceToken") != f"service-{uid}":
            return 401, {"code": "Unauthorized", "message": "unknown service token"}
        return (200, {"clusterUids": ["c1"]}) if path.endswith("/config") else (204, None)

    def of(self, method: str, ending: str = "") -> list[Asked]:
        return [asked for asked in self.seen if asked[0] == method and asked[1].endswith(ending)]


@pytest.fixture
def controller() -> Iterator[Controller]:
    found = Controller()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
            status, answer = found.answer(self.command, self.path, dict(self.headers), body)
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *parts: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


UP = Look(address="10.0.0.9/24", gateway="10.0.0.1", mac="02:00:00:00:00:01", carrier=True, listening=True, logins=True)


class Host:
    """A host whose sight is set by the test, and its agent."""

    def __init__(self, folder: Path, controller: Controller, *, boot: bool = True) -> None:
        self.root, self.directory = folder / "root", folder / "host"
        (self.root / "oem").mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(exist_ok=True)
        self.seen: Look | None = UP
        self._controller, self._boot = controller, boot
        self.agent = self.fresh_agent()

    def fresh_agent(self) -> Agent:
        return Agent(
            host=HostConfig(name="store-1", id="edge-1", address="10.0.0.5/24", boot=self._boot),
            directory=self.directory,
            client=Client(lambda: self._controller.url, Path("/nonexistent")),
            journal=Journal(self.directory),
            wanted=WantedFile(self.directory).read,
            sight=lambda: self.seen,
            lease=Lease("10.0.0.5/24", "10.0.0.1"),
            pace=Pace(),
        )

    def boot(self, *, token: str = "good-token", more: str = "") -> None:
        text = f"stylus:\n  site:\n    paletteEndpoint: lab\n    edgeHostToken: {token}\n{more}"
        (self.root / "oem/user-data").write_text(text)
        self.agent.before_boot(self.root)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "status.json").read_text())
        return found


@pytest.fixture
def host(tmp_path: Path, controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(applying, "_update_certificates", lambda root: None)
    return Host(tmp_path, controller)


def test_it_registers_with_the_token_and_then_says_that_it_is_alive(host: Host, controller: Controller) -> None:
    host.boot(more="    tags: {region: north}\n    projectName: Default\n")
    host.agent.step()
    host.agent.step()
    (_method, path, headers, body) = controller.seen[0]
    assert (path, headers["EdgeHostToken"], headers["X-Lab-Source"]) == (
        "/v1/edgehosts/register",
        "good-token",
        "edge-1",
    )
    assert body["metadata"] == {"uid": "edge-1", "name": "edge-1", "labels": {"region": "north"}}
    assert body["spec"]["host"] == {
        "hostUid": "edge-1",
        "hostAddress": "10.0.0.9",
        "macAddress": "02:00:00:00:00:01",
        "project": {"name": "Default"},
    }
    assert body["spec"]["type"] == "edge-native"
    assert body["spec"]["device"]["hostType"] == "appliance"
    assert body["spec"]["device"]["nics"] == [
        {
            "nicName": "host0",
            "macAddr": "02:00:00:00:00:01",
            "isDefault": True,
            "ip": "10.0.0.9",
            "subnet": "255.255.255.0",
            "gateway": "10.0.0.1",
        }
    ]
    beat = controller.of("PATCH", "/v1/edgehosts/edge-1/health")[0]
    assert beat[2]["ServiceToken"] == "service-edge-1"
    assert beat[3] == {"agentVersion": VERSION, "message": "", "state": "healthy"}
    assert host.status()["agent"] == "registered"
    assert host.status()["clusters"] == ["c1"]


def test_the_first_heartbeat_comes_at_once_and_then_one_a_second(host: Host) -> None:
    host.boot()
    assert host.agent.step() < 0.1
    assert all(0.9 <= host.agent.step() <= 1.1 for _number in range(4))


def test_a_refused_token_is_tried_again_ever_more_slowly_with_the_reason(host: Host, controller: Controller) -> None:
    host.boot(token="bad-token")
    delays = [host.agent.step() for _number in range(12)]
    assert delays[0] < 1 < delays[3]
    assert max(delays) <= 6
    assert host.status()["agent"] == "refused"
    assert "403 TokenInvalid: the registration token is unknown" in host.status()["agent_says"]
    controller.tokens.add("bad-token")
    host.agent.step()
    assert host.status()["agent"] == "registered"


def test_without_a_token_it_waits_and_asks_nothing(host: Host, controller: Controller) -> None:
    (host.root / "oem/user-data").write_text("stylus: {site: {paletteEndpoint: lab}}")
    host.agent.before_boot(host.root)
    host.agent.step()
    assert host.status()["agent_says"] == "user-data has no stylus.site.edgeHostToken"
    assert controller.seen == []


def test_a_locally_managed_host_does_not_register(host: Host, controller: Controller) -> None:
    host.boot(more="  managementMode: local\n")
    host.agent.step()
    assert host.status()["agent"] == "waiting"
    assert controller.seen == []


@pytest.mark.parametrize("seen", [None, Look(), Look(address="10.0.0.9/24", listening=True, logins=True)])
def test_while_the_host_is_down_or_cut_off_it_is_silent(host: Host, controller: Controller, seen: Look | None) -> None:
    host.boot()
    host.agent.step()
    host.seen = seen
    asked = len(controller.seen)
    host.agent.step()
    assert len(controller.seen) == asked
    assert host.status()["agent"] == "down"
    host.seen = UP
    host.agent.step()
    assert host.status()["agent"] == "registered"


def test_lost_heartbeats_on_request(host: Host, controller: Controller) -> None:
    host.boot()
    change_wanted(host.directory, heartbeat=False)
    host.agent.step()
    assert controller.seen == []
    change_wanted(host.directory, heartbeat=True)
    host.agent.step()
    assert len(controller.seen) == 1


def test_a_changed_address_is_reported_once(host: Host, controller: Controller) -> None:
    host.boot()
    host.agent.step()
    host.seen = Look(**{**UP.__dict__, "address": "10.0.0.77/24"})
    for _number in range(3):
        host.agent.step()
    reports = controller.of("PUT", "/v1/edgehosts/edge-1")
    assert [report[3]["spec"]["host"]["hostAddress"] for report in reports] == ["10.0.0.77"]


def test_a_host_deleted_in_palette_registers_again(host: Host, controller: Controller) -> None:
    host.boot()
    host.agent.step()
    controller.known.clear()
    host.agent.step()
    assert host.status()["agent"] == "refused"
    host.agent.step()
    assert controller.known == {"edge-1"}
    assert host.status()["agent"] == "registered"


def test_it_survives_a_controller_that_is_away_or_busy(host: Host, controller: Controller) -> None:
    host.boot()
    host.agent.step()
    url, controller.url = controller.url, "http://127.0.0.1:1"
    delays = [host.agent.step() for _number in range(6)]
    assert host.status()["agent"] == "unreachable"
    assert max(delays) <= 6
    controller.url, controller.busy = url, 1
    host.agent.step()
    assert "503 Busy: come back" in host.status()["agent_says"]
    host.agent.step()
    assert host.status()["agent"] == "registered"
    assert len(controller.of("POST")) == 1


def test_a_new_agent_goes_on_with_the_service_token_it_had(host: Host, controller: Controller) -> None:
    host.boot()
    host.agent.step()
    host.agent = host.fresh_agent()
    host.boot()
    host.agent.step()
    assert [asked[0] for asked in controller.seen] == ["POST", "PUT"]


def test_another_registration_token_or_id_means_registering_anew(host: Host, controller: Controller) -> None:
    controller.tokens.add("other-token")
    host.boot()
    host.agent.step()
    host.boot(token="other-token")
    host.agent.step()
    host.boot(token="other-token", more="    name: edge-2\n")
    host.agent.step()
    assert [asked[3]["metadata"]["uid"] for asked in controller.of("POST")] == ["edge-1", "edge-1", "edge-2"]


def test_with_wrong_user_data_the_host_boots_with_what_it_had_and_says_why(host: Host, controller: Controller) -> None:
    host.boot(more="    hostName: before\n")
    host.boot(more="    hostName: not_valid\n")
    assert (host.root / "etc/hostname").read_text() == "before\n"
    host.agent.step()
    assert host.status()["agent"] == "registered"
    assert "stylus.site.hostName: 'not_valid'" in host.status()["user_data"]
    host.agent.step()
    assert "hostName" in controller.of("PATCH")[0][3]["message"]
    host.boot(more="    hostName: after\n")
    assert host.status()["user_data"] == "applied"


def test_wrong_user_data_on_the_first_boot_leaves_the_host_unregistered(host: Host, controller: Controller) -> None:
    host.boot(more="    hostName: not_valid\n")
    host.agent.step()
    assert host.status()["agent"] == "waiting"
    assert "not_valid" in host.status()["agent_says"]
    assert controller.seen == []


def test_no_secret_reaches_the_status_and_files_with_one_are_private(host: Host) -> None:
    host.boot()
    host.agent.step()
    text = (host.directory / "status.json").read_text()
    assert "good-token" not in text
    assert "service-edge-1" not in text
    for name in ("agent.json", "applied.json"):
        assert (host.directory / name).stat().st_mode & 0o777 == 0o600


def test_a_host_that_only_speaks_pairs_with_its_id(tmp_path: Path, controller: Controller) -> None:
    speaking = Host(tmp_path, controller, boot=False)
    speaking.seen = Look(address="10.0.0.5/24", mac="02:00:00:00:00:01", speaks=True)
    speaking.agent.step()
    assert "EdgeHostToken" not in controller.seen[0][2]
    assert controller.seen[0][3]["metadata"]["uid"] == "edge-1"


def test_the_pace_is_stretched_with_the_number_of_hosts() -> None:
    assert Pace.for_hosts(30).heartbeat == 1.0
    assert Pace.for_hosts(1000).heartbeat == 10.0


class Counter:
    """Something that acts in steps and counts them; the first one fails when asked to."""

    def __init__(self, *, fail: bool = False) -> None:
        self.steps, self.fail, self.stepped = 0, fail, threading.Event()

    def step(self) -> float:
        self.steps += 1
        self.stepped.set()
        if self.fail:
            raise RuntimeError("a bug")
        return 0.001


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_few_threads_carry_many_agents_and_one_with_a_bug_harms_none() -> None:
    scheduler = Scheduler(most=4)
    broken, agents = Counter(fail=True), [Counter() for _number in range(200)]
    for agent in [broken, *agents]:
        scheduler.add(agent)
    _until(lambda: all(agent.steps >= 3 for agent in agents))
    assert broken.steps == 1
    scheduler.stop()


def test_an_agent_that_was_taken_away_acts_no_more() -> None:
    scheduler = Scheduler(most=2)
    gone, stays = Counter(), Counter()
    scheduler.add(gone)
    scheduler.add(stays)
    gone.stepped.wait(10)
    scheduler.remove(gone)
    before = stays.steps
    _until(lambda: stays.steps > before + 5)
    after = gone.steps
    before = stays.steps
    _until(lambda: stays.steps > before + 20)
    assert gone.steps == after
    scheduler.stop()


def test_no_agent_acts_in_the_recovery_system(host: Host, controller: Controller) -> None:
    host.boot()
    host.seen = replace(UP, recovery=True)
    host.agent.step()
    assert (controller.seen, host.status()["agent"]) == ([], "inactive")


def test_a_registration_boot_registers_anew(host: Host, controller: Controller) -> None:
    host.boot()
    host.agent.step()
    prepare(host.root, REGISTRATION)
    host.boot()
    host.agent.step()
    assert len(controller.of("POST", "/register")) == 2
    prepare(host.root, ACTIVE)
    host.boot()
    host.agent.step()
    assert len(controller.of("POST", "/register")) == 2
