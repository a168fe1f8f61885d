# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's controller on loopback for modules, with a time of its own, whose line can be cut at any write.

What a module sleeps and what each request takes pass in the lab's time, so that waits end in no time at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ansible_collections.palette.edge.plugins.module_utils import _runner
from ansible_collections.palette.edge.plugins.module_utils.palette import _session
from ansible_collections.palette.edge.tests.unit.lab_controller import World

READING_POSTS = ("/search", "/validate", "/v1/dashboard/")
REQUEST_TAKES = 0.25
# The lab takes a host for lost that it has not heard of for five seconds.
BEAT_EVERY = 2.0


class LabServer:
    """``world`` is the lab, ``writes`` what came in and was carried out: (method, path)."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.world = World(folder, **options)
        self.writes: list[tuple[str, str]] = []
        self.beats: tuple[str, ...] = ()
        self._beaten = 0.0
        self._left: int | None = None
        self._answered = True
        self._down = False
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.host = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.005,), daemon=True).start()

    def hosts(self, *uids: str) -> None:
        """Registers hosts, which are heard of from now on as time passes."""
        self.world.hosts(*uids)
        self.beats = (*self.beats, *uids)

    def cut(self, writes: int, *, answered: bool = True) -> None:
        """After so many further writes nothing gets through; with ``answered`` False the last one's answer is lost."""
        self._left, self._answered, self._down = writes, answered, writes == 0

    def mend(self) -> None:
        """The line works again."""
        self._left, self._down = None, False

    def sleep(self, seconds: float) -> None:
        """Time passes in the lab."""
        with self._lock:
            self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        """Time goes on in steps, and the hosts are heard of often enough."""
        end = self.world.now + seconds
        while self.world.now < end:
            self.world.now = min(end, self.world.now + BEAT_EVERY)
            if self.world.now - self._beaten >= BEAT_EVERY:
                self._beaten = self.world.now
                for uid in self.beats:
                    self.world.beat(uid)
            self.world.call("GET", "/v1/edgehosts/tags")

    def close(self) -> None:
        """Ends the server."""
        self._http.shutdown()
        self._http.server_close()
        self.world.lab.store.close()

    def _take(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        """The reply to a request, None when the line is cut."""
        parts = urlsplit(target)
        writes = method != "GET" and not (method == "POST" and any(one in parts.path for one in READING_POSTS))
        with self._lock:
            if self._down:
                return None
            self._pass(REQUEST_TAKES)
            reply = self.world.send(method, parts.path, body, headers, **dict(parse_qsl(parts.query)))
            if not writes or not reply.is_success:
                return reply
            self.writes.append((method, parts.path))
            if self._left is not None:
                self._left -= 1
                self._down = self._left <= 0
            return reply if self._answered or not self._down else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = server._take(self.command, self.path, dict(self.headers.items()), body)
                if reply is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(reply.status_code)
                for key, value in reply.headers.items():
                    if key != "content-length":
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler


@contextmanager
def lab_server(folder: Path, environment: pytest.MonkeyPatch, **options: Any) -> Iterator[LabServer]:
    """A lab that the modules of this process speak to, in the project Default."""
    folder.mkdir(parents=True, exist_ok=True)
    server = LabServer(folder, **options)

    def session_for(connection: _session.Connection) -> _session.Session:
        return _session.Session(connection, clock=lambda: server.world.now, sleep=server.sleep)

    environment.setattr(_runner, "session_for", session_for)
    environment.setattr(_runner, "time", SimpleNamespace(monotonic=lambda: server.world.now, sleep=server.sleep))
    environment.setenv("PALETTE_HOST", server.host)
    environment.setenv("PALETTE_API_KEY", server.world.lab.api_key)
    environment.setenv("PALETTE_PROJECT", "Default")
    try:
        yield server
    finally:
        server.close()


def cut_in_turn(
    folder: Path,
    environment: pytest.MonkeyPatch,
    *,
    prepare: Callable[[LabServer], Any],
    run: Callable[[], dict[str, Any]],
    state: Callable[[LabServer], Any],
    **options: Any,
) -> int:
    """Runs ``run`` whole, then once for each of its writes cut after it, answered and not; a second run must end alike.

    :param prepare: brings a fresh lab to where ``run`` starts.
    :param state: what is compared; without UIDs and times.
    :returns: how many writes a whole run makes.
    """
    with lab_server(folder / "whole", environment, **options) as lab:
        prepare(lab)
        first = len(lab.writes)
        result = run()
        assert not result.get("failed"), result
        count, wanted = len(lab.writes) - first, state(lab)
    assert count > 0
    for number in range(count + 1):
        for answered in (True, False):
            if number == 0 and not answered:
                continue
            with lab_server(folder / f"cut-{number}-{answered}", environment, **options) as lab:
                prepare(lab)
                first = len(lab.writes)
                lab.cut(number, answered=answered)
                broken = run()
                if number < count or not answered:
                    assert broken.get("failed"), f"cut after {number}: {broken}"
                    assert "Traceback" not in str(broken)
                lab.mend()
                again = run()
                assert not again.get("failed"), f"cut after {number} (answered: {answered}): {again}"
                assert state(lab) == wanted, f"cut after {number} (answered: {answered})"
                quiet = run()
                assert not quiet["changed"], f"cut after {number} (answered: {answered}): {quiet['steps']}"
    return count
