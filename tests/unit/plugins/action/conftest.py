# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge hosts made of a shell: what the actions send is run for real by /bin/sh on this machine, in temporary directories."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.plugin_utils import _remote

WRITES = re.compile(r"\b(mv -f|dd of=|chmod|chown|rm -f|mkdir|systemctl reboot|cat [^|]*> )")


@dataclass
class FakeHost:
    """What is behind an address. `answer` may give (rc, stdout, stderr) for a command, or None to have the shell run it."""

    read_only: bool = False
    pipelining: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = ("/bin/sh",)
    answer: t.Callable[[str, bytes | None], tuple[int, str, str] | None] = lambda command, payload: None
    commands: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def execute(self, command: str, payload: bytes | None) -> tuple[int, bytes, bytes]:
        self.commands.append(command)
        self.payloads.append(payload or b"")
        if self.read_only:
            assert not WRITES.search(command), f"a write in check mode: {command}"
        canned = self.answer(command, payload)
        if canned is not None:
            return canned[0], canned[1].encode(), canned[2].encode()
        done = subprocess.run(
            [*self.shell, "-c", command],
            input=payload or b"",
            capture_output=True,
            check=False,
            env={**os.environ, **self.environment},
        )
        return done.returncode, done.stdout, done.stderr


class FakeConnection:
    """The part of a connection plugin that the actions may use; anything else is an AttributeError."""

    transport = "fake"
    allow_executable = True
    become = None

    def __init__(self, network: dict[str, FakeHost], address: str, play_context: t.Any) -> None:
        self._load_name = "fake"
        self._shell = SimpleNamespace(tmpdir=None)
        self.network, self.address, self.play_context = network, address, play_context
        self.connected = False

    @property
    def has_pipelining(self) -> bool:
        host = self.network.get(self.address)
        return host.pipelining if host else True

    def has_option(self, name: str) -> bool:
        return name in {"host", "remote_user"}

    def get_option(self, name: str) -> str:
        return {"host": self.address, "remote_user": "kairos"}[name]

    def exec_command(
        self, command: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        host = self.network.get(self.address)
        if host is None:
            raise AnsibleConnectionFailure(
                f"Failed to connect to the host via ssh: ssh: connect to {self.address}: No route to host"
            )
        assert in_data is None or self.has_pipelining
        result = host.execute(command, in_data)
        if not self.play_context.no_log:
            host.logged.append(repr(result))
        return result

    def put_file(self, local: str, remote: str) -> None:
        Path(remote).write_bytes(Path(local).read_bytes())

    def close(self) -> None:
        self.connected = False


class FakePlayContext(SimpleNamespace):
    def copy(self) -> FakePlayContext:
        return FakePlayContext(**vars(self))


class Clock:
    """Time that passes only when somebody sleeps, or by `step` with each look at it."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 1000.0, step

    def monotonic(self) -> float:
        self.now += self.step
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Lab:
    """Runs actions against fake hosts."""

    monkeypatch: pytest.MonkeyPatch
    network: dict[str, FakeHost] = field(default_factory=dict)
    address: str = "192.0.2.1"
    clock: Clock = field(default_factory=Clock)
    tried: list[str] = field(default_factory=list)

    def host(self, address: str = "192.0.2.1", **options: t.Any) -> FakeHost:
        self.network[address] = FakeHost(**options)
        return self.network[address]

    def run(
        self,
        module: t.Any,
        *,
        check: bool = False,
        diff: bool = True,
        loader: t.Any = None,
        task_vars: dict[str, t.Any] | None = None,
        **args: t.Any,
    ) -> dict[str, t.Any]:
        play_context = FakePlayContext(
            remote_addr=self.address,
            remote_user="kairos",
            executable="/bin/sh",
            no_log=False,
            verbosity=0,
            connection="fake",
        )
        connection = FakeConnection(self.network, self.address, play_context)
        lab = self

        def at(reach: t.Any, address: str, *, connect_timeout: int, shared: bool = True) -> t.Any:
            lab.tried.append(address)
            context = play_context.copy()
            return _remote.Remote(FakeConnection(lab.network, address, context), context, address)

        self.monkeypatch.setattr(_remote.Reach, "at", at)
        self.monkeypatch.setattr("time.monotonic", self.clock.monotonic)
        self.monkeypatch.setattr("time.sleep", self.clock.sleep)
        task = SimpleNamespace(
            args=args, check_mode=check, diff=diff, async_val=0, _uuid="u", action="fake", environment=None
        )
        action = module.ActionModule(task, connection, play_context, loader, None, None)
        try:
            return dict(action.run(None, task_vars or {}))
        finally:
            self.monkeypatch.undo()


@pytest.fixture
def lab() -> t.Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        yield Lab(patch)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its mode and content, to see that nothing changed."""
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def snapshot() -> t.Callable[[Path], dict[str, tuple[int, bytes]]]:
    return tree
