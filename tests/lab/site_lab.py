# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab of a test's own, the collection's playbooks run on it as a user runs them, and the evidence of what they did."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent

_CANNOT_BOOT = 3
_READS = ("/search", "/validate", "/v1/dashboard/")
_FOREIGN = ("ANSIBLE_", "PALETTE_", "SPECTROCLOUD_", "LAB_")
# A host of the lab is back within seconds or not at all.
QUICK: dict[str, Any] = {
    "site_configuration_reboot_timeout": 40,
    "site_configuration_connect_timeout": 3,
    "site_configuration_timeout": 15,
    "registration_wait_timeout": 60,
    "registration_wait_sleep": 1,
    "cluster_wait_timeout": 60,
    "cluster_wait_sleep": 1,
}

Event = dict[str, Any]


def host(site: str, number: int, subnet: str, **more: Any) -> dict[str, Any]:
    """An Edge host of the example's sites, for lab.yml: as it stands before anything was configured."""
    name = f"{site}-{number}"
    return {"name": name, "id": f"edge-{name}", "address": f"{subnet}.{100 + number}/24", **more}


STORE_007 = [host("store-007", 1, "10.7.0")]
STORE_042 = [host("store-042", number, "10.42.0") for number in (1, 2, 3)]
STORE_100 = [host("store-100", number, "10.100.0") for number in (1, 2, 3, 4, 5)]
BRIDGE = ["10.7.0.1/24", "10.42.0.1/24", "10.100.0.1/24"]


@dataclass(frozen=True)
class Run:
    """What became of one ansible-playbook: its exit code, all it printed, and the events of the callback lab_results."""

    code: int
    text: str
    events: list[Event]
    seconds: float

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """The recap: for each host how many tasks were ok, changed, failures, unreachable, skipped."""
        return next((event["hosts"] for event in self.events if event["event"] == "stats"), {})

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host."""
        return {name: counts["changed"] for name, counts in self.stats.items()}

    @property
    def failed(self) -> dict[str, str]:
        """The message of the failure of each host that failed or was not reached."""
        found = {}
        for event in self.results("failed", "unreachable", "item"):
            items = str(event.get("msg")) == "One or more items failed"
            if event["host"] not in found or not items:
                found[event["host"]] = str(event.get("msg", ""))
        return found

    def results(self, *outcomes: str, task: str = "", name: str = "") -> list[Event]:
        """The results with one of these outcomes, of tasks whose name holds `task`, on the host `name`."""
        return [
            event
            for event in self.events
            if event["event"] == "result"
            and event["outcome"] in outcomes
            and task in event["task"]
            and name in ("", event["host"])
        ]

    def diff_lines(self) -> list[str]:
        """The lines that a diff adds or takes away."""
        return [line for line in self.text.splitlines() if line.startswith(("+ ", "- ")) or line in ("+", "-")]

    def tell(self) -> str:
        """The end of what was printed, for an assertion's message."""
        return f"exit code {self.code} after {self.seconds:.0f} s\n{self.text[-6000:]}"


@dataclass
class Started:
    """An ansible-playbook that runs; its lines are collected as they come."""

    process: subprocess.Popen[str]
    results: Path
    lines: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """Ends it at once, with its workers: these have sessions of their own, and would outlive it."""
        family = [self.process.pid]
        for pid in family:
            family += _children(pid)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line)
                self._more.notify_all()

    def until(self, words: str, within: float = 60.0) -> None:
        """Wait until it has printed these words."""

        def said() -> bool:
            return any(words in line for line in self.lines)

        with self._more:
            assert self._more.wait_for(said, timeout=within), f"never said {words!r}: {''.join(self.lines)[-3000:]}"

    def end(self, within: float = 180.0) -> Run:
        """Wait for its end."""
        try:
            code = self.process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._reader.join(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        events = [json.loads(line) for line in self.results.read_text().splitlines()] if self.results.exists() else []
        return Run(code, "".join(self.lines), events, time.monotonic() - self.began)


@dataclass
class Lab:
    """A lab in a folder of its own, driven through its command line."""

    folder: Path
    name: str
    collections: Path
    variables: dict[str, str] = field(default_factory=dict)
    _runs: int = 0

    @property
    def state(self) -> Path:
        """The lab's state directory."""
        return self.folder / "state"

    @property
    def info(self) -> dict[str, Any]:
        """What lab.json says: url, keys, hosts."""
        return dict(json.loads((self.state / "lab.json").read_text()))

    # -- the lab ---------------------------------------------------------------------------------------------------

    def command(self, *arguments: str, check: bool = True) -> str:
        """One command of the lab; returns what it says."""
        command = [sys.executable, "-m", "lab", *arguments, "--state", str(self.state), "--name", self.name]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, said
        return said

    def up(self, hosts: Sequence[dict[str, Any]] = (), *options: str) -> None:
        """Start it with these hosts, or whatever of it does not run."""
        arguments = [*options, "--port", "0"] if hosts else list(options)
        if hosts:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "lab.yml").write_text(yaml.safe_dump({"network": {"bridge": BRIDGE}, "hosts": list(hosts)}))
            arguments += ["--config", str(self.folder / "lab.yml")]
            # A Kubernetes is for the tests that are about it: they name theirs.
            arguments += [] if "--kubernetes" in options else ["--kubernetes", "none"]
        self.command("up", *arguments)
        lines = self.command("env").splitlines()
        self.variables = dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("export "))

    def down(self) -> None:
        """Take it away."""
        self.command("down", "--purge", check=False)

    def restart_controller(self) -> None:
        """Kill the controller and start it again."""
        self.command("fault", "controller", "kill")
        self.command("up")

    def hosts(self) -> dict[str, dict[str, Any]]:
        """The lab's own view of its hosts, by name."""
        return {one["name"]: one for one in json.loads(self.command("status", "--json", check=False))["hosts"]}

    def ssh(self, address: str, script: str, *, check: bool = True) -> str:
        """What a script prints that user kairos runs on the host with this address."""
        options = shlex.split(self.variables["ANSIBLE_SSH_COMMON_ARGS"])
        key = self.variables["ANSIBLE_PRIVATE_KEY_FILE"]
        target = f"{self.variables['ANSIBLE_REMOTE_USER']}@{address}"
        command = ["ssh", *options, "-i", key, "-o", "ConnectTimeout=3", "-o", "BatchMode=yes", target, script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # -- the API and what the lab knows of its use -------------------------------------------------------------------

    def _send(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            for dummy in range(20):
                reply = session.request(
                    method,
                    self.info["url"] + path,
                    headers=headers,
                    json=body,
                    verify=str(self.state / "ca.pem"),
                    timeout=15,
                )
                if reply.status_code != 429:
                    break
                # Somebody who asks often, such as `until`, waits as any other client does.
                time.sleep(float(reply.headers.get("Retry-After", 1)))
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def api(self, method: str, path: str, body: Any = None, *, project: str = "Default") -> Any:
        """A request to the lab's Palette, in a project, or in the tenant when that is empty."""
        headers = {"ApiKey": self.info["api_key"]}
        if project:
            found = self._send("GET", "/v1/dashboard/projects/metadata", headers)["items"]
            headers["ProjectUid"] = next(one["metadata"]["uid"] for one in found if one["metadata"]["name"] == project)
        return self._send(method, path, headers, body)

    def search(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, as Palette lists them: edgehosts, spectroclusters or clusterprofiles of the project."""
        path = f"/v1/dashboard/{kind}" + ("" if kind == "clusterprofiles" else "/search")
        return list(self.api("POST", f"{path}?limit=50", {"filter": {}, "sort": []}).get("items") or [])

    def tokens(self) -> list[dict[str, Any]]:
        """The registration tokens of the tenant, with their secrets."""
        return list(self.api("GET", "/v1/edgehosts/tokens", project="").get("items") or [])

    def fault(self, kind: str, **more: Any) -> None:
        """Switch a fault of the API on."""
        self._send("POST", "/lab/v1/faults", {"LabKey": self.info["lab_key"]}, {"kind": kind, **more})

    def faults(self) -> list[dict[str, Any]]:
        """The faults of the API that are still on."""
        return list(self._send("GET", "/lab/v1/faults", {"LabKey": self.info["lab_key"]})["items"])

    def requests(self) -> list[dict[str, Any]]:
        """The requests of clients, the oldest first; not those of the hosts' agents."""
        items = self._send("GET", "/lab/v1/requests", {"LabKey": self.info["lab_key"]})["items"]
        return [one for one in items if not one.get("source") and not one["path"].startswith("/lab/")]

    def writes(self) -> list[str]:
        """The requests of clients that write."""
        return [
            f"{one['method']} {one['path']} {one['status']}"
            for one in self.requests()
            if one["method"] not in ("GET", "HEAD") and not any(words in one["path"] for words in _READS)
        ]

    # -- the hosts, seen from outside --------------------------------------------------------------------------------

    def file(self, name: str, path: str) -> Path:
        """A file of a host's root."""
        return self.state / "hosts" / name / "root" / path.lstrip("/")

    def standing(self) -> dict[str, tuple[str, str]]:
        """Of each host what a run could change: the digest of its user-data, and the ID of its boot."""
        found = {}
        for name, one in self.hosts().items():
            path = self.file(name, "/oem/user-data")
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"
            found[name] = (digest, str(one.get("boot_id")))
        return found

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """What is done in here must write nothing: neither to Palette nor on a host."""
        before = self.writes(), self.standing()
        yield
        after = self.writes(), self.standing()
        # The lab keeps its latest requests only, so the oldest may be gone.
        assert after[0] == before[0][max(0, len(before[0]) - len(after[0])) :]
        assert after[1] == before[1]

    # -- Ansible -----------------------------------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a user of this lab; nothing of whoever runs the tests."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        return {
            **own,
            **self.variables,
            "ANSIBLE_CONFIG": str(REPOSITORY / "scripts" / "lib" / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "lab_results",
            "PALETTE_RETRY_TIMEOUT": "30",
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def example(self, replaced: dict[str, str]) -> Path:
        """A copy of the example's inventory; in its file store-042.yml each key of `replaced` gives way to its value."""
        self._runs += 1
        copy = self.folder / f"example-{self._runs}"
        shutil.copytree(REPOSITORY / "examples" / "stores", copy)
        path = copy / "sites" / "store-042.yml"
        text = path.read_text()
        for old, new in replaced.items():
            assert text.count(old) == 1, f"{path} should have {old} once"
            text = text.replace(old, new)
        path.write_text(text)
        return copy / "stores.sites.yml"

    def start(
        self,
        *arguments: str,
        playbook: str = "palette.edge.site",
        limit: str = "store_042",
        inventory: Path | None = None,
        extra: dict[str, Any] | None = None,
        **environment: str,
    ) -> Started:
        """Begin a run of a playbook on the example's inventory."""
        self._runs += 1
        results, variables = (self.folder / f"run-{self._runs}.{kind}" for kind in ("jsonl", "json"))
        # In a file, so that what is secret of them is not in the list of processes by our own doing.
        variables.write_text(json.dumps({**QUICK, **(extra or {})}))
        command = [
            str(PROGRAMS / "ansible-playbook"),
            "-i",
            str(inventory or REPOSITORY / "examples/stores/stores.sites.yml"),
        ]
        command += ["-e", f"@{variables}", *(["--limit", limit] if limit else []), playbook, *arguments]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(LAB_RESULTS=str(results), **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return Started(process, results)

    def play(self, *arguments: str, within: float = 180.0, **more: Any) -> Run:
        """Run a playbook to its end."""
        return self.start(*arguments, **more).end(within)

    def ansible(self, program: str, *arguments: str) -> str:
        """What another program of Ansible prints."""
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(one) for one in task.read_text().split()]
    return found


def preconditions() -> str:
    """What this machine lacks to boot hosts, in the lab's own words; empty when nothing is."""
    command = [sys.executable, "-m", "lab", "check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, _CANNOT_BOOT), done.stdout + done.stderr
    return "" if done.returncode == 0 else "; ".join((done.stdout + done.stderr).split("\n")).strip("; ")


def until(condition: Callable[[], Any], within: float = 30.0, what: str = "") -> Any:
    """The first true value of `condition`, asked often."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"did not come true within {within:.0f} s: {what}"
        time.sleep(0.05)
    return found
