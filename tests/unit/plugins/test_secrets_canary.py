# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in options and in Palette's answers must not come out of a real ansible-playbook, not even at -vvvv."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.module_cases import CASES, TOKENS, Case, World
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    HOST_TOKEN,
    PAIRING_KEY,
    TOKEN_SECRET,
    host,
    token,
)
from ansible_collections.palette.edge.tests.unit.palette_server import (
    ANY,
    KEY,
    Call,
    PaletteServer,
    Request,
    error,
)

WRONG_KEY = "canary-wrong-key-9e21"
CANARIES = (KEY, WRONG_KEY, TOKEN_SECRET, PAIRING_KEY, HOST_TOKEN, "canary-")
Task = dict[str, Any]


@pytest.fixture
def servers() -> Iterator[list[PaletteServer]]:
    made: list[PaletteServer] = []
    yield made
    for server in made:
        server.close()


def served(servers: list[PaletteServer], calls: list[Call], *, key: str = KEY) -> str:
    server = PaletteServer(key=key)
    server.answer(*calls)
    servers.append(server)
    return server.host


def refusing(key: str) -> list[Call]:
    """A Palette that does not know the key and says it."""
    refused = error("ResourceNotFound", f"API key '{key}' is not found", ref=key)
    paths = (TOKENS, "/v1/dashboard/projects/metadata", "/v1/users/info")
    reads = [Call("GET", path, refused, 404, times=None, optional=True) for path in paths]
    post = Call("POST", "/v1/dashboard/projects", refused, 404, params=ANY, body=ANY, times=None, optional=True)
    return [*reads, post]


def echoing(request: Request) -> dict[str, Any]:
    """An answer that throws the request back, as gateways do."""
    return error("BadRequest", f"refused: {json.dumps(request.body)} {request.headers.get('apikey')}")


def play(folder: Path, collections_path: Path, tasks: list[Task], **environment: str) -> str:
    """Everything that a run at -vvvv with diffs prints and logs."""
    whole = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(json.dumps([whole], indent=1), encoding="utf-8")
    log = folder / "ansible.log"
    hidden = ("PALETTE_", "SPECTROCLOUD_")
    names = {key: text for key, text in os.environ.items() if not key.startswith(hidden) and "proxy" not in key.lower()}
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path),
        "ANSIBLE_LOG_PATH": str(log),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOLOR": "1",
    }
    words = ["-vvvv", "--diff", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", *words, str(folder / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
        env={**names, **settings, **environment},
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return done.stdout + done.stderr + log.read_text(encoding="utf-8", errors="replace")


def leaked(text: str) -> list[str]:
    """Each canary that is in the text, with what is around it."""
    places = ((canary, text.find(canary)) for canary in CANARIES)
    return [f"{canary}: {text[max(0, at - 200) : at + 60]!r}" for canary, at in places if at >= 0]


# Of these modules not the first case, but the one that meets the most secrets.
MOST_SECRET = (
    "registration_token-create",
    "registration_token_info-all",
    "edge_host-register",
    "edge_host-site",
    "edge_host_info-search",
    "cluster_profile-create",
    "cluster_profile_copy-create",
    "cluster_profile_export-held",
    "cluster_profile_import-create",
    "cluster_profile_info-one",
    "pack_info-versions",
    "project_info-one",
    "registry_info-synchronised",
    "cluster-same",
    "cluster_info-kubeconfig",
    "cluster_repave-approve",
    "cluster_certificates-renew",
    "agent_upgrades-pause",
)


def tasks_of_cases(servers: list[PaletteServer]) -> list[Task]:
    """One case of each module, the one that meets the most secrets."""
    cases = {case.module: case for case in reversed(CASES)}
    cases |= {case.module: case for case in CASES if str(case) in MOST_SECRET}
    tasks = []
    for case in cases.values():
        options = {**case.options, "host": served(servers, case.calls(check=False)), "api_key": KEY}
        tasks.append({"name": str(case), f"palette.edge.{case.module}": options, "check_mode": False})
    return tasks


def failing_tasks(servers: list[PaletteServer]) -> list[Task]:
    """What fails: a refused key, an answer that echoes the request, a host in use, nobody there, a bad option."""
    world = World()
    world.reads("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), status=404)
    world.calls.append(Call("POST", "/v1/edgehosts", echoing, 400, body=ANY))
    busy = World()
    in_use = host(pairing_key="canary-old", state="in-use", cluster="other")
    busy.reads("GET", "/v1/edgehosts/edge-1", in_use)
    register = {"uid": "edge-1", "pairing_key": PAIRING_KEY, "api_key": KEY}
    refused = {"host": served(servers, refusing(WRONG_KEY), key=WRONG_KEY), "api_key": WRONG_KEY}
    tasks = {
        "refused": ("edge_host", {**register, **refused}),
        "refused wait": ("wait", {"cluster": "c", **refused}),
        "echo": ("edge_host", {**register, "host": served(servers, world.calls)}),
        "in use": ("edge_host", {**register, "state": "absent", "host": served(servers, busy.calls)}),
        "nobody there": ("edge_host", {**register, "host": "http://127.0.0.1:9", "retry_timeout": 0}),
        "bad option": ("edge_host", {**register, "architecture": "s390x"}),
    }
    return [
        {"name": name, f"palette.edge.{module}": options, "register": "it", "failed_when": "it is not failed"}
        for name, (module, options) in tasks.items()
    ]


def lookup_tasks(servers: list[PaletteServer]) -> list[Task]:
    """The lookup where it is used, and where it fails."""
    good = served(servers, [Call("GET", TOKENS, {"items": [token()]}, times=None)])
    disabled = served(servers, [Call("GET", TOKENS, {"items": [token(active=False)]}, times=None)])
    refused = served(servers, refusing(WRONG_KEY), key=WRONG_KEY)
    tasks = []
    for place, key, fails in ((good, "KEY", False), (disabled, "KEY", True), (refused, "WRONG_KEY", True)):
        lookup = "lookup('palette.edge.registration_token', 'store-042', host=place, api_key=key)"
        task: Task = {
            "name": f"lookup {fails}",
            "ansible.builtin.assert": {"that": [f"({lookup} | length) > 5"]},
            "vars": {"place": place, "key": f"{{{{ lookup('env', 'CANARY_{key}') }}}}"},
        }
        tasks.append({**task, "ignore_errors": True} if fails else task)
    return tasks


@pytest.mark.slow
def test_nothing_comes_out_of_a_playbook(servers: list[PaletteServer], tmp_path: Path, collections_path: Path) -> None:
    tasks = [*tasks_of_cases(servers), *failing_tasks(servers), *lookup_tasks(servers)]
    output = play(tmp_path, collections_path, tasks, CANARY_KEY=KEY, CANARY_WRONG_KEY=WRONG_KEY)
    for server in servers:
        server.check()
    assert leaked(output) == []
    assert "Traceback (most recent call last)" not in output
    # There was something to hide: each server demands its key, and this went over the wire.
    assert any(PAIRING_KEY in str(request.body) for server in servers for request in server.requests)
    assert "ignored=2" in output


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_comes_out_of_a_result(
    case: Case, check: bool, palette: PaletteServer, run_module: Callable[..., dict[str, Any]]
) -> None:
    palette.answer(*case.calls(check=check))
    result = run_module(case.module, {**case.options, "host": palette.host, "api_key": palette.key}, check=check)
    assert not result.get("failed"), result
    assert leaked(json.dumps(result)) == []


@pytest.mark.parametrize("module", sorted({case.module for case in CASES}))
def test_a_refused_key_that_palette_echoes(
    module: str, environment: pytest.MonkeyPatch, palette: PaletteServer, failure: Callable[..., str]
) -> None:
    palette.answer(*refusing(palette.key))
    case = next(one for one in CASES if one.module == module)
    case.world()  # makes the files that its options name
    text = failure(module, case.options)
    assert "check api_key" in text
    assert leaked(text) == []
