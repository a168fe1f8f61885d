# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""palette.edge.agent_release: what is pinned arrives whole, and nothing else is kept."""

from __future__ import annotations

import hashlib
import threading
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.palette.edge.plugins.action import agent_release

SCRIPT, PROGRAM = b"#!/bin/bash\necho installer\n", b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\x00" + bytes(5000)
NAMES = {"palette-agent-install.sh": SCRIPT, "palette-agent-linux-amd64": PROGRAM}
CHECKSUMS = {name: hashlib.sha256(content).hexdigest() for name, content in NAMES.items()}


class Server:
    """A server of a release that can misbehave: `answers` maps a name to (status, body, length that it claims)."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes, int | None]] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                name = self.path.rpartition("/")[2]
                status, body, length = server.answers.get(name, (200, NAMES.get(name, b""), None))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *given: t.Any) -> None:
                """Says nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://user:canary-pass@127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def run(server: Server, dest: Path, *, check: bool = False, **args: t.Any) -> dict[str, t.Any]:
    given = {"version": "v4.8.21", "checksums": CHECKSUMS, "dest": str(dest), "base_url": server.url, **args}
    task = SimpleNamespace(
        args=given, check_mode=check, diff=True, async_val=0, _uuid="u", action="x", environment=None
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp"))
    return dict(agent_release.ActionModule(task, connection, SimpleNamespace(), None, None, None).run(None, {}))


def kept(dest: Path) -> list[str]:
    return sorted(path.name for path in dest.rglob("*") if path.is_file() and not path.name.endswith(".lock"))


def test_they_are_downloaded_once(server: Server, tmp_path: Path) -> None:
    planned = run(server, tmp_path, check=True)
    assert (planned["changed"], server.asked, list(tmp_path.iterdir())) == (True, [], [])
    done = run(server, tmp_path)
    assert done["changed"]
    assert [(one["name"], one["sha256"]) for one in done["files"]] == list(CHECKSUMS.items())
    assert kept(tmp_path) == sorted(NAMES)
    assert (tmp_path / "v4.8.21/palette-agent-linux-amd64").read_bytes() == PROGRAM
    assert "canary-pass" not in str(done)
    again = run(server, tmp_path)
    assert not again["changed"]
    assert len(server.asked) == 2


def test_hosts_that_ask_at_once_share_a_download(server: Server, tmp_path: Path) -> None:
    results: list[dict[str, t.Any]] = []
    threads = [threading.Thread(target=lambda: results.append(run(server, tmp_path))) for dummy in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.get("failed") for result in results] == [None] * 4
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, b"<html>Not Found</html>", None), "answered 404"),
        ((200, b"<html>Sign in to the proxy</html>", None), "is a web page (HTML)"),
        ((200, SCRIPT + b"# changed\n", None), "is pinned; nothing of it is kept"),
        ((200, SCRIPT[:5], len(SCRIPT)), "run again"),
    ],
)
def test_nothing_else_is_kept(server: Server, tmp_path: Path, answer: tuple[t.Any, ...], words: str) -> None:
    server.answers["palette-agent-install.sh"] = answer  # type: ignore[assignment]
    failed = run(server, tmp_path)
    assert failed["failed"]
    assert words in failed["msg"]
    assert "\n" not in failed["msg"]
    assert "canary-pass" not in failed["msg"]
    assert kept(tmp_path) == []


def test_a_file_that_was_changed_here_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    run(server, tmp_path)
    (tmp_path / "v4.8.21/palette-agent-linux-amd64").write_bytes(b"#!/bin/sh\n")
    assert run(server, tmp_path)["changed"]
    assert (tmp_path / "v4.8.21/palette-agent-linux-amd64").read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"version": "latest"}, "version: 'latest' is no version"),
        ({"version": ""}, "version: '' is missing"),
        ({"checksums": {}}, "checksums: there is none for palette-agent-install.sh, palette-agent-linux-amd64"),
        ({"architecture": "s390x"}, "no agent for s390x"),
    ],
)
def test_bad_input_asks_nobody(server: Server, tmp_path: Path, args: dict[str, t.Any], words: str) -> None:
    failed = run(server, tmp_path, **args)
    assert words in failed["msg"]
    assert server.asked == []


def test_checksums_can_be_told_for_pinning(server: Server, tmp_path: Path) -> None:
    told = run(server, tmp_path, checksums={}, require_checksums=False)
    assert {one["name"]: one["sha256"] for one in told["files"]} == CHECKSUMS
    assert "compare" in told["warnings"][0]
