"""What every endpoint works with: the request's context, the routes, identifiers, zero fields left out."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import ApiError, not_found
from .store import Document, Store

PAGE = 50
# Fields that the API marks as required: they stay even when they are empty.
REQUIRED = {"items", "hosts", "hostUid", "hostAddress", "clusterConfig", "machinePoolConfig", "profiles", "isActive"}


@dataclass
class Options:
    """How this lab behaves; times in seconds."""

    seed: int = 0
    form_seconds: float = 2.0
    heartbeat_timeout: float = 5.0
    rate_limits: bool = True
    retry_after: bool = True
    open_pairing: bool = False


@dataclass
class Lab:
    """The controller's state."""

    store: Store
    options: Options
    api_key: str
    read_only_key: str
    lab_key: str
    clock: Callable[[], float] = time.time
    faults: list[Document] = field(default_factory=list)
    log: list[Document] = field(default_factory=list)

    def uid(self) -> str:
        """A new UID, the same sequence for the same seed."""
        count = self.store.setting("uids", 0) + 1
        self.store.set("uids", count)
        return hashlib.sha256(f"{self.options.seed}:{count}".encode()).hexdigest()[:24]

    def now(self) -> str:
        """The time as Palette writes it."""
        return stamp(self.clock())

    @staticmethod
    def secret() -> str:
        """A new secret."""
        return secrets.token_hex(16)


@dataclass
class Context:
    """One request. ``project`` is the UID in ProjectUid, "" for the tenant."""

    lab: Lab
    method: str
    path: str
    project: str
    parts: dict[str, str]
    query: dict[str, str]
    body: Any
    headers: dict[str, str]

    @property
    def store(self) -> Store:
        """The state."""
        return self.lab.store

    def visible(self) -> list[str]:
        """Projects whose objects a list shows: a project's lists also show the tenant's."""
        return [self.project, ""] if self.project else self.every_place()

    def every_place(self) -> list[str]:
        """The tenant and all projects."""
        return ["", *(project["metadata"]["uid"] for project in self.store.all("project"))]

    def tenant_only(self) -> None:
        """Refuses a project's scope, as the tenant's endpoints do."""
        if self.project:
            raise ApiError(400, "ProjectUidIsNotEmpty", "ProjectUid should be empty for a tenant resource")

    def find(self, kind: str, uid: str, *, name: str) -> Document:
        """The object in this scope, or the refusal."""
        found = self.store.get(kind, uid)
        if found is None or (self.project and self.store.project_of(kind, uid) not in (self.project, "")):
            raise not_found(name, uid)
        return found

    def given(self, *keys: str) -> Any:
        """A value inside the body, None when it is not there."""
        value = self.body
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


@dataclass
class Reply:
    """An answer."""

    status: int = 200
    body: Any = None


Handler = Callable[[Context], Any]
ROUTES: list[tuple[str, re.Pattern[str], Handler, str]] = []


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """Declares an endpoint; ``{name}`` is one part of the path. Literal paths come before those with parts."""

    def declare(handler: Handler) -> Handler:
        pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$")
        ROUTES.append((method, pattern, handler, template))
        ROUTES.sort(key=lambda one: one[3].count("{"))
        return handler

    return declare


def match(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    """The endpoint of a request, or the refusal."""
    others = False
    for verb, pattern, handler, _template in ROUTES:
        found = pattern.match(path)
        if found and verb == method:
            return handler, found.groupdict()
        others = others or bool(found)
    raise ApiError(
        405 if others else 404, "MethodNotAllowed" if others else "PathNotFound", f"{method} {path} is not in this lab"
    )


def created(uid: str) -> Reply:
    """The answer to a creation: the UID alone."""
    return Reply(201, {"uid": uid})


DONE = Reply(204)


def pruned(value: Any) -> Any:
    """``value`` as a Go server writes it: zero fields left out, and what is the lab's own (``_lab``)."""
    if isinstance(value, dict):
        kept = {key: pruned(one) for key, one in value.items() if key != "_lab"}
        return {key: one for key, one in kept.items() if key in REQUIRED or one not in (None, "", 0, False, [], {})}
    if isinstance(value, list):
        return [pruned(one) for one in value]
    return value


def stamp(at: float) -> str:
    """A time as Palette writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03d}Z"


def paged(context: Context, items: list[Any]) -> dict[str, Any]:
    """One page of a list that is at hand."""
    limit, offset = page_of(context)
    return page_answer(items[offset : offset + limit], len(items), limit, offset)


def page_of(context: Context) -> tuple[int, int]:
    """Limit and offset of a request; the token of an earlier page wins over the offset."""
    limit = min(PAGE, int(context.query.get("limit") or PAGE)) or PAGE
    token = context.query.get("continue")
    if token:
        try:
            return limit, int(bytes.fromhex(token).decode().removeprefix("offset="))
        except ValueError:
            raise ApiError(400, "InvalidContinueToken", "The continue token is not one of this list") from None
    return limit, int(context.query.get("offset") or 0)


def page_answer(items: list[Any], total: int, limit: int, offset: int) -> dict[str, Any]:
    """Items with their listmeta."""
    following = offset + len(items)
    token = f"offset={following}".encode().hex() if following < total and items else ""
    return {"items": items, "listmeta": {"continue": token, "count": total, "limit": limit, "offset": offset}}
