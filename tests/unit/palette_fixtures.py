# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests that speak to a Palette of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils import _runner
from ansible_collections.palette.edge.plugins.module_utils.palette import _session
from ansible_collections.palette.edge.tests.unit import module_runner
from ansible_collections.palette.edge.tests.unit.palette_server import FakeClock, PaletteServer, palette_server

VARIABLES = (
    *(f"PALETTE_{name}" for name in ("HOST", "API_KEY", "PROJECT", "VALIDATE_CERTS", "CA_PATH", "TIMEOUT")),
    "PALETTE_RETRY_TIMEOUT",
    *(f"SPECTROCLOUD_{name}" for name in ("HOST", "APIKEY", "PROJECT")),
    *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())),
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no Palette, and no session from before."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_session, "_sessions", {})
    return monkeypatch


@pytest.fixture
def palette(environment: pytest.MonkeyPatch) -> Iterator[PaletteServer]:
    """A Palette that answers expected requests only, named by the environment."""
    with palette_server() as server:
        environment.setenv("PALETTE_HOST", server.host)
        environment.setenv("PALETTE_API_KEY", server.key)
        yield server


@pytest.fixture
def clock(environment: pytest.MonkeyPatch) -> FakeClock:
    """Modules and actions sleep in no time with it."""
    fake = FakeClock()

    def session_for(connection: _session.Connection) -> _session.Session:
        return _session.Session(connection, clock=fake, sleep=fake.sleep)

    environment.setattr(_runner, "session_for", session_for)
    return fake


@pytest.fixture
def run_module(palette: PaletteServer) -> Callable[..., dict[str, Any]]:
    """Runs a module against ``palette``."""
    return module_runner.run_module


@pytest.fixture
def failure(palette: PaletteServer) -> Callable[..., str]:
    """The message of a module that must fail against ``palette``."""
    return module_runner.failure
