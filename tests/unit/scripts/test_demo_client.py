# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of scripts/demo tells what is lost from what is answered."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.unit.scripts.scripts_lib import FOLDER, load

client = load("demo_client")


class _Greeting(http.server.BaseHTTPRequestHandler):
    """Greets, or is out of order, as its server has it."""

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    one = http.server.HTTPServer(("127.0.0.1", 0), _Greeting)
    one.status = 200  # type: ignore[attr-defined]
    threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
    yield one
    one.shutdown()
    one.server_close()


def _after(times: int) -> Callable[[float], bool]:
    """An end that comes when it is asked for that often; it does not wait."""
    asked = iter(range(1, times + 1))
    return lambda _seconds: next(asked) >= times


class TestCount:
    def test_answers(self, server: http.server.HTTPServer) -> None:
        said: list[str] = []
        tally = client.count(["127.0.0.1", "localhost"], server.server_port, _after(5), said.append)
        assert (tally.answered, tally.lost, said) == (5, [], [])
        assert tally.last == {"127.0.0.1": "hello", "localhost": "hello"}

    def test_an_answer_with_an_error_is_lost(self, server: http.server.HTTPServer) -> None:
        server.status = 503  # type: ignore[attr-defined]
        said: list[str] = []
        tally = client.count(["127.0.0.1"], server.server_port, _after(2), said.append)
        assert tally.answered == 0
        assert all("127.0.0.1, after" in line and "503" in line for line in tally.lost)
        assert said == [f"client: LOST {line}" for line in tally.lost]

    def test_a_refused_connection_is_lost(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            tally = client.count(["127.0.0.1"], unused.getsockname()[1], _after(1), lambda _line: None)
        assert len(tally.lost) == 1
        assert "ConnectionRefusedError" in tally.lost[0]

    def test_a_connection_that_breaks_is_lost(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def break_off() -> None:
                listening.accept()[0].close()

            threading.Thread(target=break_off, daemon=True).start()
            tally = client.count(["127.0.0.1"], listening.getsockname()[1], _after(1), lambda _line: None)
        assert len(tally.lost) == 1

    def test_silence_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "_PATIENCE", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            tally = client.count(["127.0.0.1"], silent.getsockname()[1], _after(1), lambda _line: None)
        assert "timed out" in tally.lost[0]

    def test_asks_each_address_before_it_ends(self, server: http.server.HTTPServer) -> None:
        tally = client.count(["127.0.0.1", "localhost"], server.server_port, lambda _seconds: True, lambda _line: None)
        assert set(tally.last) == {"127.0.0.1", "localhost"}


def test_ends_with_its_input(server: http.server.HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "tally.json"
    command = [sys.executable, str(FOLDER / "demo_client.py"), str(file), str(server.server_port), "127.0.0.1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
    tally = json.loads(file.read_text())
    assert tally["answered"] >= 1
    assert tally["lost"] == []
