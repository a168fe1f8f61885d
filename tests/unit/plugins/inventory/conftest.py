# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventories driven as Ansible drives them, and a Palette that answers expected requests only."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.vars.manager import VariableManager


@dataclass
class Call:
    """One expected request and its answer. ``body`` None means that the body does not matter."""

    method: str
    path: str
    answer: Any = None
    status: int = 200
    query: dict[str, str] | None = None
    body: Any = None
    scope: str | None = None


@dataclass
class FakePalette:
    """Answers each expected request once; anything else, and anything left over, fails the test."""

    key: str = field(default_factory=lambda: f"key-{uuid.uuid4().hex}")
    expected: list[Call] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def expect(self, method: str, path: str, answer: Any = None, **more: Any) -> None:
        self.expected.append(Call(method, path, answer, **more))

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(request.url or "")
        query = dict(parse_qsl(str(parts.query)))
        body = json.loads(request.body) if request.body else None
        with self.lock:
            line = f"{request.method} {parts.path} {query} {body}"
            self.seen.append(line)
            hit = next(
                (call for call in self.expected if self._fits(call, request, str(parts.path), query, body)), None
            )
            if hit is None:
                self.unexpected.append(line)
                return self._response(request, 418, {"code": "Unexpected", "message": line})
            self.expected.remove(hit)
        return self._response(request, hit.status, hit.answer)

    def _fits(self, call: Call, request: requests.PreparedRequest, path: str, query: Any, body: Any) -> bool:
        return (
            (call.method, call.path) == (request.method, path)
            and (call.query is None or call.query == query)
            and (call.body is None or call.body == body)
            and (call.scope is None or call.scope == request.headers.get("ProjectUid", ""))
            and request.headers["ApiKey"] == self.key
        )

    @staticmethod
    def _response(request: requests.PreparedRequest, status: int, answer: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = status
        response.request = request
        response.url = request.url or ""
        response.raw = io.BytesIO(json.dumps(answer).encode() if answer is not None else b"")
        response.headers["Content-Type"] = "application/json"
        return response


@pytest.fixture
def palette(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePalette]:
    """The fake Palette. Each has a key of its own, so that no session of another test is used."""
    fake = FakePalette()
    for name in ("HOST", "PROJECT", "CA_PATH", "VALIDATE_CERTS", "TIMEOUT"):
        monkeypatch.delenv(f"PALETTE_{name}", raising=False)
    for name in ("HOST", "APIKEY", "PROJECT"):
        monkeypatch.delenv(f"SPECTROCLOUD_{name}", raising=False)
    monkeypatch.setenv("PALETTE_API_KEY", fake.key)

    def send(adapter: Any, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:
        return fake.send(request)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    yield fake
    assert not fake.unexpected, "\n".join(fake.unexpected)
    assert not fake.expected, f"never asked: {fake.expected}"


@dataclass
class Inventory:
    """An inventory as Ansible has it after reading all sources."""

    manager: Any
    variables: Any

    @property
    def names(self) -> list[str]:
        return sorted(self.manager.hosts)

    def own(self, name: str) -> dict[str, Any]:
        """The variables that the inventory itself set."""
        hidden = ("inventory_file", "inventory_dir")
        return {key: value for key, value in self.manager.hosts[name].vars.items() if key not in hidden}

    def all_of(self, name: str) -> dict[str, Any]:
        """The variables as a play sees them."""
        found: dict[str, Any] = self.variables.get_vars(host=self.manager.get_host(name))
        return found

    def limited(self, pattern: str) -> list[str]:
        return sorted(host.name for host in self.manager.get_hosts(pattern))

    def group(self, name: str) -> list[str]:
        return sorted(host.name for host in self.manager.groups[name].get_hosts())


@pytest.fixture
def read_inventory() -> Callable[..., Inventory]:
    """Reads inventory sources through Ansible's own manager."""

    def read(*sources: Path, cache: bool = True) -> Inventory:
        loader = DataLoader()
        manager = InventoryManager(loader=loader, sources=[str(source) for source in sources], cache=cache)
        return Inventory(manager, VariableManager(loader=loader, inventory=manager))

    return read


@pytest.fixture
def parse() -> Callable[..., InventoryData]:
    """Parses one source with one plugin, so that its own error comes through."""

    def run(name: str, source: Path, *, cache: bool = True) -> InventoryData:
        data = InventoryData()
        plugin = inventory_loader.get(f"palette.edge.{name}")
        assert plugin.verify_file(str(source))
        plugin.parse(data, DataLoader(), str(source), cache=cache)
        return data

    return run
