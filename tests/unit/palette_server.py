# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Palette on loopback that answers what a test expects, over real sockets; any other request fails the test."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PROJECT = "5eea74e9c1d2e3f405162738"
KEY = "canary-api-key-4f1d"
# Palette refuses these in the scope of a project.
TENANT_ONLY = ("/v1/edgehosts/tokens", "/v1/dashboard/projects", "/v1/users")
# POSTs that change nothing.
READING_POSTS = ("/search", "/validate", "/v1/dashboard/")


class _Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "ANY"


ANY: Any = _Anything()


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def scope(self) -> str:
        """UID of the project, "" for the tenant: then there is no header at all, not an empty one."""
        found = self.headers.get("projectuid")
        return "" if found is None else found or "(an empty header)"

    @property
    def writes(self) -> bool:
        """Whether Palette would change anything."""
        if self.method == "POST":
            return not any(part in self.path for part in READING_POSTS)
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.params} scope={self.scope!r} body={self.body!r}"


@dataclass
class Call:
    """An expected request and its answer. What is ANY does not matter; what is not named must not be there.

    :ivar reply: JSON, bytes as they are, or a function of the request.
    :ivar times: how often it must come; None: any number, but once at least.
    :ivar cut: the connection ends without an answer, "half" in the middle of one.
    """

    method: str
    path: str
    reply: Any = None
    status: int = 200
    params: Any = field(default_factory=dict)
    body: Any = None
    scope: Any = ANY
    headers: dict[str, str] = field(default_factory=dict)
    reply_headers: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    optional: bool = False
    cut: bool | str = False
    seen: int = 0

    def fits(self, request: Request) -> bool:
        """Whether ``request`` is this one."""
        return (
            (self.method, self.path) == (request.method, request.path)
            and self.params == request.params
            and self.body == request.body
            and self.scope == request.scope
            and all(request.headers.get(key.lower()) == value for key, value in self.headers.items())
        )

    @property
    def open(self) -> bool:
        """Whether it may come again."""
        return self.times is None or self.seen < self.times

    @property
    def missing(self) -> bool:
        """Whether it should have come and did not."""
        wanted = 1 if self.times is None else self.times
        return not self.optional and self.seen < wanted


class PaletteServer:
    """``expect`` takes calls in order, ``answer`` calls in any order; ``check`` tells what did not go as expected."""

    def __init__(self, *, key: str = KEY, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.key = key
        self.ordered: list[Call] = []
        self.unordered: list[Call] = []
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.refuse_writes = False
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._http.daemon_threads = True
        self._http.block_on_close = False
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        self.host = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)
        self._thread.start()

    def expect(self, *calls: Call) -> None:
        """These must come, in this order."""
        self.ordered += calls

    def answer(self, *calls: Call) -> None:
        """These must come, in any order and between the ordered ones."""
        self.unordered += calls

    def check(self) -> None:
        """Fails on what came unexpected and on what never came."""
        missing = [f"never asked: {call.method} {call.path}" for call in self.ordered + self.unordered if call.missing]
        assert not self.problems + missing, "\n".join(self.problems + missing)

    @property
    def writes(self) -> list[Request]:
        """The requests that change something."""
        return [request for request in self.requests if request.writes]

    def lines(self) -> list[str]:
        """The requests as ``METHOD path``."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def close(self) -> None:
        """Ends the server."""
        self._http.shutdown()
        self._http.server_close()

    def _find(self, request: Request) -> Call | None:
        waiting = next((call for call in self.ordered if call.open), None)
        if waiting is not None and waiting.fits(request):
            return waiting
        return next((call for call in self.unordered if call.open and call.fits(request)), None)

    def _dispatch(self, request: Request) -> Call:
        with self._lock:
            self.requests.append(request)
            if self.refuse_writes and request.writes:
                self.problems.append(f"a write in check mode: {request}")
                return _refusal("WriteInCheckMode", request)
            if request.scope and request.path.startswith(TENANT_ONLY):
                self.problems.append(f"a project in a call of the tenant: {request}")
                return _refusal("ProjectUidIsNotEmpty", request)
            if request.headers.get("apikey") != self.key:
                self.problems.append(f"another API key: {request.headers.get('apikey')!r}: {request}")
                return _refusal("OtherKey", request)
            found = self._find(request)
            if found is None:
                waiting = next((call for call in self.ordered if call.open), None)
                wanted = f"; the next one expected is {waiting}" if waiting else ""
                self.problems.append(f"unexpected: {request}{wanted}")
                return _refusal("UnexpectedCall", request)
            found.seen += 1
            return found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(
                    method=self.command,
                    path=parts.path,
                    params=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers={key.lower(): value for key, value in self.headers.items()},
                    body=json.loads(raw) if raw else None,
                )
                call = server._dispatch(request)
                reply = call.reply(request) if callable(call.reply) else call.reply
                self.close_connection = self.close_connection or bool(call.cut)
                if call.cut is True:
                    return
                content = reply if isinstance(reply, bytes) else b"" if reply is None else json.dumps(reply).encode()
                head = [f"HTTP/1.1 {call.status} X", f"Content-Length: {len(content) + (9 if call.cut else 0)}"]
                headers = {"Content-Type": "application/json", **call.reply_headers}
                head += [f"{name}: {value}" for name, value in headers.items()]
                self.wfile.write("\r\n".join([*head, "", ""]).encode() + content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler


def _refusal(code: str, request: Request) -> Call:
    text = f"{request.method} {request.path}"
    return Call(request.method, request.path, status=400, reply={"code": code, "message": text, "ref": "test"})


def error(code: str, message: str = "", *, ref: str = "ref-1") -> dict[str, str]:
    """The body of a failure as Palette sends it."""
    return {"code": code, "message": message, "ref": ref}


def page(items: list[Any], *, token: str = "") -> dict[str, Any]:
    """One page of a list."""
    return {"items": items, "listmeta": {"continue": token, "count": len(items), "limit": 50, "offset": 0}}


def projects(*names: str) -> Call:
    """The look-up of the project that opens nearly every run; Default is always there."""
    listed = [{"metadata": {"name": "Default", "uid": PROJECT}}]
    listed += [{"metadata": {"name": name, "uid": f"uid-of-{name}"}} for name in names]
    return Call("GET", "/v1/dashboard/projects/metadata", {"items": listed}, scope="", times=None)


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] | None = None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Passes ``seconds``."""
        self.slept.append(seconds)
        self.now += seconds
        if self.on_sleep:
            self.on_sleep()


@contextmanager
def palette_server(**options: Any) -> Iterator[PaletteServer]:
    """A server, ended and checked afterwards."""
    server = PaletteServer(**options)
    try:
        yield server
    finally:
        server.close()
    server.check()
