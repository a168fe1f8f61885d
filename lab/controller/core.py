"""What every endpoint works with: the request's context, the routes, identifiers, zero fields left out."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import ApiError, invalid, not_found
from .shapes import Shape
from .store import Document, Store

PAGE = 50
LOGGED = 5000
SELECTIONS = 64
# Fields that the API always sends, or marks as required: they stay when they are empty, where the lab fills them in.
# fmt: off
KEPT = {
    "IsCandidateCaption", "alloyCpuCores", "clusterConfig", "canBeApplied", "containsSpectroManifest", "continue",
    "count", "default", "defaultValue", "deletedCount", "errored", "failures", "healthy", "hints", "isOverridden",
    "isSucceeded", "isValuesOverridden", "listOptions", "pureCpuCores", "readonly", "remove", "running", "unhealthy",
    "disableAutoRegister", "enable", "hasKubeConfig", "hasKubeConfigClient", "hasManifest", "hasUserMacros", "hidden",
    "hostAddress", "hostAuthToken", "hostChecksum", "hostPairingKey", "hostUid", "hosts", "immutable",
    "inputType", "isActive", "isDefault", "isDeprecated",
    "isAvailable", "isHeartBeatFailed", "isTemplateVariableResolutionPending", "isUpdatesPending",
    "isHostCluster", "isPrivate", "isPublished", "isRepaveRequired", "isSensitive", "isSyncSupported", "items",
    "latitude", "limit",
    "longitude", "machinePoolConfig", "macAddress", "offset", "options", "patchOnBoot", "pause", "private",
    "profiles", "rebootIfRequired", "remoteSsh", "remoteSshTempUser", "required", "value",
}
# fmt: on
# What users write into these is theirs: an empty text in it is no field that is left out.
FREE = {"labels", "annotations", "additionalLabels", "additionalAnnotations", "additionalTags"}


@dataclass
class Options:
    """How this lab behaves; times in seconds."""

    seed: int = 0
    form_seconds: float = 2.0
    heartbeat_timeout: float = 5.0
    rate_limits: bool = True
    retry_after: bool = True
    open_pairing: bool = False
    # Versions by Kubernetes pack, when clusters are formed by others who report; empty: clusters are states only.
    kubernetes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Log:
    """The latest requests. Those of agents are kept apart: a thousand heartbeats a second would push out all others."""

    def __init__(self) -> None:
        self._number = 0
        self._users: deque[tuple[int, Document]] = deque(maxlen=LOGGED)
        self._agents: deque[tuple[int, Document]] = deque(maxlen=LOGGED)

    def add(self, entry: Document) -> None:
        """Notes a request; one with a ``source`` is an agent's."""
        self._number += 1
        (self._agents if entry["source"] else self._users).append((self._number, entry))

    def entries(self) -> list[Document]:
        """The requests, in the order in which they were answered."""
        return [entry for _number, entry in sorted([*self._users, *self._agents], key=lambda one: one[0])]


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
    log: Log = field(default_factory=Log)
    # When the state was last brought up to the present and for how long that is enough, and which objects a search
    # selected: only saved work.
    advanced: float = float("-inf")
    pause: float = 0.0
    selections: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

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
    """One request. ``project`` is the UID in ProjectUid, "" for the tenant; ``raw`` is the body as it came."""

    lab: Lab
    method: str
    path: str
    project: str
    parts: dict[str, str]
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    raw: bytes = b""

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
    """An answer. A body of bytes is a file of the name ``file``."""

    status: int = 200
    body: Any = None
    file: str = ""


Handler = Callable[[Context], Any]


@dataclass(frozen=True)
class Route:
    """An endpoint. ``body`` is the shape of what it takes (None: nothing), ``who`` may use it beside API keys."""

    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler
    body: Shape
    who: str


ROUTES: list[Route] = []


def route(method: str, template: str, *, body: Shape = None, who: str = "user") -> Callable[[Handler], Handler]:
    """Declares an endpoint; ``{name}`` is one part of the path. Literal paths come before those with parts.

    :param who: "user" needs an API key; "agent" takes a service token as well, which the handler proves; "anyone"
        needs neither.
    """

    def declare(handler: Handler) -> Handler:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
        ROUTES.append(Route(method, template, pattern, handler, body, who))
        ROUTES.sort(key=lambda one: one.template.count("{"))
        return handler

    return declare


def match(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The endpoint of a request, or the refusal."""
    others = False
    for one in ROUTES:
        found = one.pattern.fullmatch(path)
        if found and one.method == method:
            return one, found.groupdict()
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
        kept = {}
        for key, one in value.items():
            if key == "_lab":
                continue
            shown = one if key in FREE else pruned(one)
            if shown or key in KEPT:
                kept[key] = shown
        return kept
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
    limit = min(PAGE, _number(context, "limit")) or PAGE
    token = context.query.get("continue")
    if token:
        try:
            return limit, _whole(bytes.fromhex(token).decode().removeprefix("offset="))
        except ValueError:
            raise ApiError(400, "InvalidContinueToken", "The continue token is not one of this list") from None
    return limit, _number(context, "offset")


def _number(context: Context, name: str) -> int:
    try:
        return _whole(context.query.get(name) or "0")
    except ValueError:
        raise invalid(f"{name} must be a whole number from 0") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError
    return int(text)


def page_answer(items: list[Any], total: int, limit: int, offset: int) -> dict[str, Any]:
    """Items with their listmeta."""
    following = offset + len(items)
    token = f"offset={following}".encode().hex() if following < total and items else ""
    return {"items": items, "listmeta": {"continue": token, "count": total, "limit": limit, "offset": offset}}


def text_fits(wanted: Document, text: str) -> bool:
    """Whether ``text`` is what a FilterString wants; case does not matter unless it says so."""
    lower = wanted.get("ignoreCase", True)
    given = {key: str(one).lower() if lower else str(one) for key, one in wanted.items() if key != "ignoreCase" and one}
    have = text.lower() if lower else text
    return (
        given.get("eq", have) == have
        and given.get("contains", "") in have
        and have.startswith(given.get("beginsWith", ""))
        and ("ne" not in given or given["ne"] != have)
    )
