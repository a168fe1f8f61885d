"""Whether there is room for more nodes, told with figures."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.kubernetes import room


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine whose free memory and disk, in MiB, are as the test says."""
    found = SimpleNamespace(memory=10_000, disk=10_000)
    monkeypatch.setattr(room, "available_memory", lambda: found.memory)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=found.disk << 20))
    return found


def test_where_there_is_room_nothing_is_lacking(machine: SimpleNamespace) -> None:
    machine.memory, machine.disk = 2 * 200 + 700, 2 * 400 + 900
    assert room.lacking(Path("/x"), control_planes=1, workers=2) == ""


def test_too_little_memory_is_said_with_figures(machine: SimpleNamespace) -> None:
    machine.memory = 1099
    words = room.lacking(Path("/x"), control_planes=1, workers=2)
    assert words.endswith("1 control plane and 2 workers: 1100 MiB are needed, 1099 MiB are free")
    assert words.startswith("too little memory")


def test_too_little_disk_is_said_with_its_place(machine: SimpleNamespace) -> None:
    machine.disk = 1699
    words = room.lacking(Path("/x"), control_planes=1, workers=2)
    assert words == "too little disk for 1 control plane and 2 workers: 1700 MiB are needed in /x, 1699 MiB are free"


@pytest.mark.parametrize(
    ("groups", "files", "left"),
    [
        (
            "5:cpu:/a\n6:memory:/a\n",
            {"memory/a/memory.limit_in_bytes": 500, "memory/a/memory.usage_in_bytes": 200},
            [300],
        ),
        ("0::/b\n", {"b/memory.max": 400, "b/memory.current": 100}, [300]),
        ("0::/b\n", {"b/memory.max": "max", "b/memory.current": 100}, []),
        ("6:memory:/a\n", {"memory/a/memory.limit_in_bytes": 1 << 43, "memory/a/memory.usage_in_bytes": 1}, []),
        ("6:memory:/absent\n", {}, []),
    ],
)
def test_what_its_own_control_group_leaves_counts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, int | str], left: list[int]
) -> None:
    for name, value in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value << 20 if isinstance(value, int) else value}\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 2048000 kB\n")
    monkeypatch.setattr(room, "Path", lambda path: tmp_path / str(path).lstrip("/"))
    assert room._groups_left() == left
    assert room.available_memory() == min([2000, *left])
