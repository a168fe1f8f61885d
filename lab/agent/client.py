"""The agent's side of HTTP: short requests to the controller, one kept connection for each worker thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

# (connect, read) in seconds. An agent that hangs for longer than its host is allowed to be silent is of no use.
_TIMEOUT = (2.0, 4.0)


class UnreachableError(Exception):
    """No answer came: one line that says why."""


@dataclass(frozen=True)
class Reply:
    """An answer: HTTP status, the body when it is a JSON object, and seconds to wait when the controller named them."""

    status: int
    body: Mapping[str, Any]
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the controller did what was asked."""
        return 200 <= self.status < 300

    @property
    def complaint(self) -> str:
        """The controller's own words on a refusal."""
        words = [str(self.body.get(key)) for key in ("code", "message") if self.body.get(key)]
        return f"{self.status} {': '.join(words)}".strip()


class Client:
    """Requests to the controller at ``url()``, trusted by ``ca``; used by many threads at once."""

    def __init__(self, url: Callable[[], str], ca: Path) -> None:
        self._url, self._ca = url, ca
        self._local = threading.local()

    def call(self, method: str, path: str, *, source: str, headers: Mapping[str, str], body: object = None) -> Reply:
        """Send one request in the name of the host ``source``. Raises UnreachableError."""
        try:
            response = self._session().request(
                method,
                f"{self._url()}{path}",
                json=body,
                headers={**headers, "X-Lab-Source": source},
                timeout=_TIMEOUT,
                verify=str(self._ca),
                allow_redirects=False,
            )
            data = response.json() if response.content else {}
        except requests.exceptions.JSONDecodeError:
            data = {}
        except (requests.RequestException, OSError) as error:
            raise UnreachableError(_reason(error)) from error
        wait = response.headers.get("Retry-After", "")
        return Reply(
            status=response.status_code,
            body=data if isinstance(data, dict) else {},
            retry_after=float(wait) if wait.replace(".", "", 1).isdigit() else None,
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # The machine's proxies and CA bundle are for the world outside, the controller is on loopback.
            session.trust_env = False
            self._local.session = session
        return session


def _reason(error: BaseException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "connection refused or cut"
    return type(error).__name__
