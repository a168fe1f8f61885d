"""Whether the machine has room for another node."""

from __future__ import annotations

import shutil
from pathlib import Path

# Measured: a control plane needs 430 MiB of its own and a good deal of cache, a worker 60 and some; images are 240 MiB
# as files and about twice that unpacked.
MEMORY = {True: 700, False: 200}  # MiB
DISK = {True: 900, False: 400}  # MiB


def lacking(place: Path, *, control_planes: int, workers: int) -> str:
    """What the machine lacks for so many more nodes with their disks in ``place``, with figures; empty when nothing."""
    wants_memory = control_planes * MEMORY[True] + workers * MEMORY[False]
    wants_disk = control_planes * DISK[True] + workers * DISK[False]
    memory, disk = available_memory(), shutil.disk_usage(place).free >> 20
    nodes = " and ".join(
        f"{count} {kind}{'s' if count > 1 else ''}"
        for count, kind in ((control_planes, "control plane"), (workers, "worker"))
        if count
    )
    if memory < wants_memory:
        return f"too little memory for {nodes}: {wants_memory} MiB are needed, {memory} MiB are free"
    if disk < wants_disk:
        return f"too little disk for {nodes}: {wants_disk} MiB are needed in {place}, {disk} MiB are free"
    return ""


def available_memory() -> int:
    """MiB that new processes may use: what the machine has left, or this process' control group if that is less."""
    found = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        key, _colon, rest = line.partition(":")
        found[key] = int(rest.split()[0]) >> 10
    return min([found["MemAvailable"], *_groups_left()])


def _groups_left() -> list[int]:
    """MiB left in the control group of memory that this process is in, for both versions of control groups."""
    left = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        for folder, limit, usage in (
            (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
            (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
        ):
            group = folder / path.lstrip("/")
            if ("memory" not in controllers.split(",") and controllers) or not (group / limit).is_file():
                continue
            text = (group / limit).read_text().strip()
            if text.isdigit() and int(text) < 1 << 50:
                left.append((int(text) - int((group / usage).read_text())) >> 20)
    return left
