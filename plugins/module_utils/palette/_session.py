# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session with Palette's central API: authentication, scope, rate, retries, paging and errors.

It talks HTTP and knows no resource and no Ansible. Facts behind it: the API key travels in the header ``ApiKey``;
``ProjectUid`` selects a project and its absence the tenant; a wrong key may be answered with ``ResourceNotFound`` and
the key itself in the message; pages hold 50 items and are chained by ``listmeta.continue``.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ._errors import (
    AmbiguousError,
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PaletteError,
    RateLimitError,
    RejectedError,
    UnavailableError,
)
from ._rate import RateLimiter

try:
    import requests
    import urllib3
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

PAGE_SIZE = 50
WORKERS = 8
LONGEST = 1_000_000
WHOAMI = "/v1/users/info"
HIDDEN = "<hidden>"
_MAYBE_DONE = "It may have been carried out all the same: run again, what is there is adopted"

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Scope:
    """Where a request runs: in the project of this UID, or in the tenant when there is none."""

    project_uid: str = ""


TENANT = Scope()


@dataclass(frozen=True)
class Connection:
    """How to reach Palette. ``host`` is a bare host or a URL; times are in seconds; ``project`` a name or UID."""

    host: str
    api_key: str
    project: str = "Default"
    tenant_scope: bool = False
    validate_certs: bool = True
    ca_path: str = ""
    timeout: float = 30.0
    retry_timeout: float = 120.0

    @property
    def url(self) -> str:
        """Base URL without a trailing slash; https unless the host says otherwise."""
        text = self.host.strip().rstrip("/")
        return text if "://" in text else f"https://{text}"

    def check(self) -> None:
        """Raises :class:`InputError` for what cannot work."""
        if not self.host.strip():
            raise InputError("host is not set: give the option host, or the environment variable PALETTE_HOST")
        if not self.api_key.strip():
            raise InputError("api_key is not set: give the option api_key, or the environment variable PALETTE_API_KEY")
        if not self.api_key.isascii() or any(sign.isspace() for sign in self.api_key.strip()):
            raise InputError("api_key has characters that no Palette API key has: was it copied whole?")
        try:
            parts = urlsplit(self.url)
            (parts.hostname or "").encode("idna")
            usable = parts.port != 0 and not parts.netloc.endswith(":") and not any(map(str.isspace, parts.netloc))
        except ValueError:
            raise InputError(f"host {self.host!r} is neither a host name nor an http(s) URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or not usable:
            raise InputError(f"host {self.host!r} is neither a host name nor an http(s) URL")
        if parts.username or parts.password:
            raise InputError("host must not carry a user or password: the session uses api_key")
        if self.ca_path and not os.path.exists(self.ca_path):
            raise InputError(f"ca_path {self.ca_path!r} does not exist")
        if not 0 < self.timeout < LONGEST or not 0 <= self.retry_timeout < LONGEST:
            raise InputError(f"timeout must be above 0, retry_timeout not below 0, and both below {LONGEST} seconds")


class Session:
    """One per process and connection (:func:`session_for`); its methods may be called from several threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        limiter: RateLimiter | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        connection.check()
        self.connection = connection
        self.clock = clock
        self.sleep = sleep
        self._limiter = limiter or RateLimiter(clock=clock, sleep=sleep)
        self._key_is_good = False
        self._http = requests.Session()
        self._http.auth = _no_netrc
        adapter = requests.adapters.HTTPAdapter(pool_connections=2, pool_maxsize=WORKERS * 2)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        # Given with each request: a CA bundle named by the environment would win over the session's own setting.
        self._verify: bool | str = (connection.ca_path or True) if connection.validate_certs else False
        if not connection.validate_certs:
            urllib3.disable_warnings()

    # -- requests ------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        what: str,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        reads: bool | None = None,
        text: bool = False,
    ) -> Any:
        """Sends one request and returns the parsed JSON answer (None when it is empty).

        :param what: what this request does, as in "read Edge host edge-1": it opens every error text.
        :param reads: True for a POST that changes nothing (search, validate); such a request may be repeated.
        :param text: the answer is a file: it is returned as text.
        :raises PaletteError: of the class that names the cause. :class:`AmbiguousError` when a POST that writes was
            sent and its answer lost: look the object up, do not post again.
        """
        repeatable = method != "POST" if reads is None else reads
        deadline = self.clock() + self.connection.retry_timeout
        attempt = 0
        while True:
            self._limiter.wait(path)
            try:
                answer = self._send(method, path, scope=scope, body=body, params=params, text=text)
            except requests.exceptions.SSLError as error:
                raise UnavailableError(
                    self._failed(
                        what,
                        f"TLS: {_root_cause(error)}. Check the host name, or name the authority's certificate in ca_path",
                    )
                ) from None
            except requests.exceptions.RequestException as error:
                if not isinstance(error, _lost_connections()):
                    raise UnavailableError(self._failed(what, f"{_root_cause(error)}. Check host")) from None
                not_sent = _was_not_sent(error)
                pause = self._pause(attempt, None)
                # A name that nobody knows will not be known in a minute: the host is misspelt, or there is no DNS.
                unknown = attempt >= 2 and "NameResolutionError" in repr(error)
                if (repeatable or not_sent) and not unknown and self.clock() + pause < deadline:
                    attempt += 1
                    self.sleep(pause)
                    continue
                cause = f"{_root_cause(error)} (tried {attempt + 1} times)"
                if repeatable or not_sent:
                    raise UnavailableError(
                        self._failed(what, f"{cause}. Check host and network, then run again")
                    ) from None
                lost = f"the answer was lost: {_root_cause(error)}. {_MAYBE_DONE}"
                raise AmbiguousError(self._failed(what, lost)) from None
            if 200 <= answer.status_code < 300:
                parsed = answer.content.decode(errors="replace") if text else self._parsed(answer, what)
                self._key_is_good = True
                return parsed
            gateway = answer.status_code in (502, 503, 504)
            if answer.status_code == 429 or (gateway and repeatable):
                pause = self._pause(attempt, answer.headers.get("Retry-After"))
                if self.clock() + pause < deadline:
                    attempt += 1
                    self.sleep(pause)
                    continue
            raise self._error(answer, method, path, what, ambiguous=gateway and not repeatable)

    def pages(
        self, method: str, path: str, *, what: str, scope: Scope, body: Any = None, limit: int = PAGE_SIZE
    ) -> Iterator[dict[str, Any]]:
        """Yields the items of all pages of a list, one page after the other.

        Guards: ends on an empty token or an empty page; a token that comes back a second time is an error, as going
        on would never end and stopping would hide hosts.
        """
        params: dict[str, Any] = {"limit": limit}
        seen: set[str] = set()
        while True:
            answer = self.request(method, path, scope=scope, what=what, body=body, params=params, reads=True) or {}
            items = answer.get("items") or []
            yield from items
            token = (answer.get("listmeta") or {}).get("continue") or ""
            if not token or not items:
                return
            if token in seen:
                raise UnavailableError(self._failed(what, "the list repeats a page and so has no end. Run again"))
            seen.add(token)
            params = {"limit": limit, "continue": token}

    def map(self, function: Callable[[T], R], items: Iterable[T], *, workers: int = WORKERS) -> list[R]:
        """``function`` of each item, several at a time, results in order. The rate limit holds across all of them."""
        listed = list(items)
        if len(listed) < 2:
            return [function(item) for item in listed]
        with ThreadPoolExecutor(max_workers=min(workers, len(listed))) as pool:
            return list(pool.map(function, listed))

    def redact(self, text: str) -> str:
        """``text`` without the API key."""
        key = self.connection.api_key.strip()
        return text.replace(key, HIDDEN) if key else text

    # -- parts -----------------------------------------------------------------------------------------------------

    def _send(
        self, method: str, path: str, *, scope: Scope, body: Any, params: Mapping[str, Any] | None, text: bool
    ) -> requests.Response:
        accepted = "application/octet-stream, application/json" if text else "application/json"
        headers = {"ApiKey": self.connection.api_key.strip(), "Accept": accepted}
        if scope.project_uid:
            headers["ProjectUid"] = scope.project_uid
        return self._http.request(
            method,
            self.connection.url + path,
            headers=headers,
            json=body,
            params=dict(params or {}),
            timeout=self.connection.timeout,
            verify=self._verify,
            # A redirect would carry the key to whoever it names.
            allow_redirects=False,
        )

    def _parsed(self, answer: requests.Response, what: str) -> Any:
        if not answer.content.strip():
            return None
        try:
            return answer.json()
        except ValueError:
            kind = answer.headers.get("Content-Type", "no content type")
            raise UnavailableError(
                self._failed(what, f"the answer is not JSON ({kind}). Is this a Palette API host, or a login page?")
            ) from None

    def _error(self, answer: requests.Response, method: str, path: str, what: str, *, ambiguous: bool) -> PaletteError:
        code, message, ref = map(self.redact, _error_body(answer))
        status = answer.status_code
        came = self.redact(f"{status} {code}".strip() + (f": {message}" if message else ""))
        facts = {"status": status, "code": code, "ref": ref, "method": method, "path": path}

        def error(kind: type[PaletteError], hint: str) -> PaletteError:
            reference = f" (reference {ref})" if ref else ""
            return kind(self._failed(what, f"{came.rstrip('. ')}{reference}. {hint}"), **facts)

        if ambiguous:
            return error(AmbiguousError, _MAYBE_DONE)
        if 300 <= status < 400:
            return error(UnavailableError, f"It sends elsewhere ({answer.headers.get('Location')}): set host to that")
        if status == 401:
            return error(AuthenticationError, "Check api_key: it is missing, unknown or expired")
        if status == 404 or code == "ResourceNotFound":
            if path == WHOAMI or not self._prove_key():
                return error(AuthenticationError, "The API key is refused: check api_key, it is unknown or expired")
            return error(NotFoundError, "Check the name or UID, and the project")
        if status == 403:
            return error(
                ForbiddenError, "The API key has no right to do this in this scope: check its roles, and project"
            )
        if status == 409:
            return error(ConflictError, "Something of that name or UID is there already, or is busy")
        if status == 429:
            return error(RateLimitError, "Too many requests from this address: run again later, or raise retry_timeout")
        if status in (502, 503, 504):
            return error(UnavailableError, "Palette is not available: run again later")
        return error(RejectedError, "Correct what it names and run again")

    def _prove_key(self) -> bool:
        """Whether the key opens anything at all: a refused key can look like a missing object."""
        if not self._key_is_good:
            try:
                self.request("GET", WHOAMI, scope=TENANT, what="check the API key")
            except (AuthenticationError, NotFoundError):
                return False
            except ForbiddenError:
                self._key_is_good = True
        return True

    def _failed(self, what: str, came: str) -> str:
        return self.redact(f"Could not {what}: {self.connection.url}: {came}")

    def _pause(self, attempt: int, retry_after: str | None) -> float:
        try:
            if retry_after is not None:
                return min(max(float(retry_after), 0.1), 60.0)
        except ValueError:
            pass  # an HTTP date: our own pause serves as well
        return float(min(30.0, 0.5 * 2**attempt) * (1 + random.random() / 4))


_sessions: dict[Connection, Session] = {}
_sessions_lock = threading.Lock()


def session_for(connection: Connection) -> Session:
    """The one session of this process for this connection, made at first use."""
    with _sessions_lock:
        if connection not in _sessions:
            _sessions[connection] = Session(connection)
        return _sessions[connection]


def _no_netrc(request: Any) -> Any:
    """An authentication that adds nothing, so that requests does not send a ~/.netrc password along."""
    return request


def _error_body(answer: requests.Response) -> tuple[str, str, str]:
    """Code, message and reference of an error answer, whatever its shape."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return str(body.get("code") or ""), str(body.get("message") or ""), str(body.get("ref") or "")
    return "", (answer.text or answer.reason or "")[:200], ""


def _root_cause(error: BaseException) -> str:
    seen: set[int] = set()
    current: BaseException = error
    while id(current) not in seen:
        seen.add(id(current))
        inner = getattr(current, "reason", None) or next(
            (arg for arg in current.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        current = inner
    text = str(current) or type(current).__name__
    # urllib3 puts the connection object in front: HTTPSConnection(host='...', port=1): Failed to ...
    return re.sub(r"^<?\w+\([^)]*\)[^:]*: ", "", text).split("object at 0x")[-1].split(">: ")[-1].strip(". ")


def _lost_connections() -> tuple[type[Exception], ...]:
    """What may go better the next time; the other errors of requests are about the request itself."""
    lost = requests.exceptions
    return (lost.ConnectionError, lost.Timeout, lost.ChunkedEncodingError, lost.ContentDecodingError)


def _was_not_sent(error: BaseException) -> bool:
    """True when the connection was never made, so that nothing can have been carried out."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    text = repr(error)
    return "NewConnectionError" in text or "NameResolutionError" in text
