# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An installer medium built by installer_media, against a plain copy of the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import RunFailedError, Sample, in_turn, run, tell
from tests.benchmarks.report import Outcome

BUILT, AGAIN = "installer_media", "installer_media, second run"
COPIED, SETTLED, SUMMED, START = "cp", "cp and sync", "cp, sync and sha256sum", "start-up (ansible -m ping)"
_CHUNK = 1 << 20


def media(bench: Bench) -> Iterator[Outcome]:
    """Half of the bytes are the base's, half are a content bundle."""
    size = bench.settings.media_mib
    outcome = Outcome(f"an installer medium of {size} MiB")
    tell(outcome.title)
    if not shutil.which("xorriso"):
        raise RunFailedError("xorriso is not installed (Debian's package xorriso)")
    folder = bench.folder("media")
    options = _inputs(bench, folder, size)
    dest, copy, like = folder / "medium.iso", folder / "copy.iso", folder / "like.iso"
    words = json.dumps({**options, "dest": str(dest)})
    local = ["localhost", "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={bench.python}"]

    def build() -> Sample:
        return bench.ansible("ansible", *local, "-m", "palette.edge.installer_media", "-a", words)

    def anew() -> Sample:
        dest.unlink(missing_ok=True)
        return build()

    def shell(command: str) -> Sample:
        copy.unlink(missing_ok=True)
        return run(["sh", "-c", command, "sh", str(like), str(copy)], env=bench.env, cwd=bench.work)

    build()
    shutil.copy(dest, like)
    sides = {
        BUILT: anew,
        AGAIN: build,
        COPIED: lambda: shell('cp "$1" "$2"'),
        SETTLED: lambda: shell('cp "$1" "$2" && sync "$2"'),
        SUMMED: lambda: shell('cp "$1" "$2" && sync "$2" && sha256sum "$2"'),
        START: lambda: bench.ansible("ansible", *local, "-m", "ansible.builtin.ping"),
    }
    outcome.samples = in_turn(sides, bench.settings.pairs)
    outcome.ratios = [(BUILT, COPIED), (BUILT, SETTLED), (BUILT, SUMMED), (AGAIN, COPIED)]
    net = outcome.median_cpu(BUILT) - outcome.median_cpu(START)
    outcome.notes.append(
        f"beyond start-up {net:.2f} s CPU: {net / size * 1024:.2f} s a GiB; {net / outcome.median_cpu(COPIED):.2f} x cp"
    )
    for sample, changed in ((outcome.samples[BUILT][-1], "CHANGED"), (outcome.samples[AGAIN][-1], "SUCCESS")):
        if changed not in sample.output:
            outcome.failures.append(f"a run did not end as {changed}: {sample.output[-500:]}")
    if _digest(dest) != _digest(like):
        outcome.failures.append("two builds from the same inputs are not the same")
    yield outcome


def _inputs(bench: Bench, folder: Path, size: int) -> dict[str, object]:
    """A base that boots nothing, but has the records of one that does, a bundle, and user-data."""
    tree = folder / "tree"
    (tree / "boot").mkdir(parents=True)
    (tree / "files-iso").mkdir()
    (tree / "files-iso" / "config.yaml").write_text("#cloud-config\n")
    (tree / "boot" / "bios.img").write_bytes(os.urandom(40_000))
    _noise(tree / "rootfs.squashfs", size // 2, b"")
    _noise(folder / "efi.img", 4, b"")
    (folder / "mbr.img").write_bytes(os.urandom(512))
    base = folder / "base.iso"
    command = [
        "xorriso",
        "-as",
        "mkisofs",
        "-quiet",
        "-o",
        str(base),
        "-V",
        "COS_LIVE",
        "-J",
        "-r",
        "-b",
        "boot/bios.img",
    ]
    command += ["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info"]
    command += ["--grub2-mbr", str(folder / "mbr.img"), "-append_partition", "2", "0xef", str(folder / "efi.img")]
    command += ["-appended_part_as_gpt", "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::"]
    run([*command, "-no-emul-boot", str(tree)], env=bench.env, cwd=bench.work)
    shutil.rmtree(tree)
    bundle, user_data = folder / "bundle.tar.zst", folder / "user-data"
    _noise(bundle, size // 2, b"\x28\xb5\x2f\xfd")
    user_data.write_text("#cloud-config\nstylus:\n  site:\n    paletteEndpoint: palette.example.com\n")
    return {"base": str(base), "content_bundles": [str(bundle)], "user_data": str(user_data)}


def _noise(path: Path, mib: int, begin: bytes) -> None:
    with path.open("wb") as file:
        file.write(begin)
        for dummy in range(mib):
            file.write(os.urandom(_CHUNK))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
