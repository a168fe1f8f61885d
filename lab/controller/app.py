"""The ASGI application: who asks, within what limits, which fault, which endpoint, what answer."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
from contextlib import nullcontext
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from . import (
    assets,
    certificates,
    cluster_profiles,
    clusters,
    dashboard,
    engine,
    events,
    faults,
    host_actions,
    hosts,
    kubernetes,
    macros,
    maintenance,
    packs,
    pools,
    profile_files,
    profile_packs,
    profile_variables,
    profiles,
    projects,
    registries,
    repave,
    search,
    settings,
    tokens,
)
from .core import Context, Lab, Reply, Route, match, pruned
from .errors import ApiError
from .limiter import Limiter
from .shapes import take

ENDPOINTS = (
    assets,
    certificates,
    cluster_profiles,
    clusters,
    dashboard,
    events,
    faults,
    host_actions,
    hosts,
    kubernetes,
    macros,
    maintenance,
    packs,
    pools,
    profile_files,
    profile_packs,
    profile_variables,
    profiles,
    projects,
    registries,
    repave,
    search,
    settings,
    tokens,
)
_READING_POST = re.compile(r"/v1/dashboard/.*|.*/(search|validate|validate/(packs|repave))")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LOG = logging.getLogger(__name__)


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
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        own = request.scope["path"].startswith("/lab/")
        agent = bool(request.headers.get("x-lab-source"))
        fault = None if own else faults.due(self.lab.faults, request.method, request.scope["path"], agent=agent)
        kind = fault["kind"] if fault else ""
        if fault and kind == "slow":
            await asyncio.sleep(fault["seconds"])
        if kind == "cut-before":
            await _cut(receive)
            return
        response = _status_fault(fault) if fault and kind == "status" else self.answer(request, body)
        self._log(request, response.status_code)
        if kind == "cut-after-accept":
            await _cut(receive)
            return
        await response(scope, receive, send)

    def answer(self, request: Request, body: bytes) -> Response:
        """The answer to one request."""
        try:
            reply = self._handle(request, body)
            shown = _shown(reply, whole=request.scope["path"].startswith(kubernetes.PATH))
        except ApiError as error:
            return _json(error.body(self._ref()), error.status, error.headers)
        except sqlite3.Error as error:
            failure = ApiError(500, "StorageError", f"The lab cannot use its state: {error}")
            return _json(failure.body(self._ref()), 500)
        except Exception as error:  # noqa: BLE001
            # A mistake of the lab's own: it is told as such, and the lab lives on.
            _LOG.exception("%s %s", request.method, request.scope["path"])
            failure = ApiError(500, "InternalError", f"A mistake of the lab: {type(error).__name__}, see its log")
            return _json(failure.body(self._ref()), 500)
        return shown

    def _handle(self, request: Request, body: bytes) -> Reply:
        path, headers = request.scope["path"], {key.lower(): value for key, value in request.headers.items()}
        own = path.startswith("/lab/")
        if self.lab.options.rate_limits and not own:
            self._limit(headers.get("x-lab-source") or (request.client.host if request.client else ""), path)
        route, parts = match(request.method, path)
        project = headers.get("projectuid", "")
        context = Context(self.lab, request.method, path, project, parts, dict(request.query_params), None, headers)
        if own:
            faults.check_key(context)
        else:
            self._authenticate(context, route)
            engine.advance(self.lab)
        context.body, context.raw = _parsed(route, body), body
        with nullcontext() if request.method == "GET" else self.lab.store.transaction():
            result = route.handler(context)
        return result if isinstance(result, Reply) else Reply(200, result)

    def _limit(self, source: str, path: str) -> None:
        pause = self._limiter.refused(source, path, self.lab.clock())
        if pause:
            after = {"Retry-After": str(int(pause) + 1)} if self.lab.options.retry_after else {}
            raise ApiError(429, "TooManyRequests", "Too many requests", headers=after)

    def _authenticate(self, context: Context, route: Route) -> None:
        if route.who == "anyone" or (route.who == "agent" and "servicetoken" in context.headers):
            return
        key = context.headers.get("apikey", "")
        if not key:
            raise ApiError(401, "Unauthorized", "The API key is missing")
        if key not in (self.lab.api_key, self.lab.read_only_key):
            # As documented of Palette: the code of a missing object, and the key in the text.
            raise ApiError(404, "ResourceNotFound", f"API key '{key}' is not found")
        reads = context.method == "GET" or (context.method == "POST" and _READING_POST.fullmatch(context.path))
        if key == self.lab.read_only_key and not reads:
            raise ApiError(403, "OperationForbidden", "The user has no permission for this operation")
        if context.project and self.lab.store.get("project", context.project) is None:
            raise ApiError(403, "ProjectForbidden", f"Project '{context.project}' is not accessible")

    def _log(self, request: Request, status: int) -> None:
        path = request.scope["path"]
        entry = {
            "method": request.method,
            "path": path,
            "project": request.headers.get("projectuid", ""),
            # What keeps the clusters calls every second, too.
            "source": request.headers.get("x-lab-source") or ("keeper" if path.startswith(kubernetes.PATH) else ""),
            "status": status,
        }
        self.lab.log.add(entry)

    def _ref(self) -> str:
        self._refs += 1
        return f"lab-{self._refs:06d}"


def _shown(reply: Reply, *, whole: bool) -> Response:
    if reply.body is None:
        return Response(status_code=reply.status)
    if isinstance(reply.body, bytes):
        headers = {"Content-Disposition": f'attachment; filename="{reply.file}"'}
        return Response(reply.body, reply.status, headers, media_type="application/octet-stream")
    # What is wanted of clusters is told as it is, not as a Go server writes it.
    return _json(reply.body if whole else pruned(reply.body), reply.status)


def _parsed(route: Route, body: bytes) -> Any:
    """The body in the endpoint's shape; what is not there is empty."""
    if route.body is None:
        return {}
    value = None
    try:
        if body.strip():
            value = json.loads(body, parse_constant=_refuse_constant)
        if _LONE_SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError(400, "InvalidJson", "The body is not JSON") from None
    return take(route.body, type(route.body)() if value is None else value)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _json(content: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(content, status_code=status, headers=headers)


def _status_fault(fault: dict[str, Any]) -> Response:
    status = fault["status"]
    headers = {"Retry-After": str(fault["retry_after"])} if fault.get("retry_after") else {}
    if status in (502, 503, 504):
        return Response("upstream is not available", status_code=status, headers=headers)
    error = ApiError(status, "TooManyRequests" if status == 429 else "InjectedFault", "A fault of the lab")
    return _json(error.body("lab-fault"), status, headers)


async def _cut(receive: Receive) -> None:
    """Drops the TCP connection under the request."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        # The server notices at its next turn; returning before, it would try to answer and complain.
        await receive()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
