"""The ASGI application: who asks, within what limits, which fault, which endpoint, what answer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from . import clusters, engine, faults, hosts, packs, pools, profiles, search, tokens
from .core import Context, Lab, Reply, match, pruned
from .errors import ApiError
from .limiter import Limiter

ENDPOINTS = (clusters, faults, hosts, packs, pools, profiles, search, tokens)
READ_ONLY_POSTS = ("/search", "/validate", "/v1/dashboard/")
LOGGED = 5000


class Application:
    """One lab's API. Requests are served one after the other; each takes a fraction of a millisecond."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._limiter = Limiter()
        self._refs = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        own = request.url.path.startswith("/lab/")
        fault = None if own else faults.due(self.lab.faults, request.method, request.url.path)
        if fault and fault["kind"] == "slow":
            await asyncio.sleep(float(fault.get("seconds", 1)))
        if fault and fault["kind"] == "cut-before":
            _cut(receive)
            return
        response = _status_fault(fault) if fault and fault["kind"] == "status" else self.answer(request, body)
        self._log(request, response.status_code)
        if fault and fault["kind"] == "cut-after-accept":
            _cut(receive)
            return
        await response(scope, receive, send)

    def answer(self, request: Request, body: bytes) -> Response:
        """The answer to one request."""
        try:
            reply = self._handle(request, body)
        except ApiError as error:
            return JSONResponse(error.body(self._ref()), status_code=error.status, headers=error.headers)
        except sqlite3.OperationalError as error:
            failure = ApiError(500, "StorageError", f"The lab cannot write its state: {error}")
            return JSONResponse(failure.body(self._ref()), status_code=500)
        if reply.status == 204:
            return Response(status_code=204)
        return JSONResponse(pruned(reply.body), status_code=reply.status)

    def _handle(self, request: Request, body: bytes) -> Reply:
        path, headers = request.url.path, {key.lower(): value for key, value in request.headers.items()}
        source = headers.get("x-lab-source") or (request.client.host if request.client else "")
        own = path.startswith("/lab/")
        if self.lab.options.rate_limits and not own:
            pause = self._limiter.refused(source, path, self.lab.clock())
            if pause:
                after = {"Retry-After": str(int(pause) + 1)} if self.lab.options.retry_after else {}
                raise ApiError(429, "TooManyRequests", "Too many requests", headers=after)
        handler, parts = match(request.method, path)
        try:
            parsed = json.loads(body) if body.strip() else None
        except ValueError:
            raise ApiError(400, "InvalidJson", "The body is not JSON") from None
        project = headers.get("projectuid", "")
        context = Context(self.lab, request.method, path, project, parts, dict(request.query_params), parsed, headers)
        if own:
            faults.check_key(context)
        else:
            self._authenticate(context)
            engine.advance(self.lab)
        result = handler(context)
        return result if isinstance(result, Reply) else Reply(200, result)

    def _authenticate(self, context: Context) -> None:
        agents = context.path.startswith("/v1/edgehosts/") and ("servicetoken" in context.headers)
        if context.path == "/v1/edgehosts/register" or agents or context.path == "/v1/health/ping":
            return
        key = context.headers.get("apikey", "")
        if not key:
            raise ApiError(401, "Unauthorized", "The API key is missing")
        if key not in (self.lab.api_key, self.lab.read_only_key):
            # As documented of Palette: the code of a missing object, and the key in the text.
            raise ApiError(404, "ResourceNotFound", f"API key '{key}' is not found")
        writes = context.method != "GET" and not any(part in context.path for part in READ_ONLY_POSTS)
        if key == self.lab.read_only_key and writes:
            raise ApiError(403, "OperationForbidden", "The user has no permission for this operation")
        if context.project and self.lab.store.get("project", context.project) is None:
            raise ApiError(403, "ProjectForbidden", f"Project '{context.project}' is not accessible")

    def _log(self, request: Request, status: int) -> None:
        entry = {
            "method": request.method,
            "path": request.url.path,
            "project": request.headers.get("projectuid", ""),
            "source": request.headers.get("x-lab-source", ""),
            "status": status,
        }
        self.lab.log.append(entry)
        del self.lab.log[:-LOGGED]

    def _ref(self) -> str:
        self._refs += 1
        return f"lab-{self._refs:06d}"


def _status_fault(fault: dict[str, Any]) -> Response:
    status = int(fault["status"])
    headers = {"Retry-After": str(fault["retry_after"])} if fault.get("retry_after") else {}
    if status in (502, 503, 504):
        return Response("upstream is not available", status_code=status, headers=headers)
    error = ApiError(status, "TooManyRequests" if status == 429 else "InjectedFault", "A fault of the lab")
    return JSONResponse(error.body("lab-fault"), status_code=status, headers=headers)


def _cut(receive: Receive) -> None:
    """Drops the TCP connection under the request."""
    cycle = getattr(receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
