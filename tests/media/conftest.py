# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the boots need of this machine: QEMU, firmware, GRUB, a kernel. What is missing makes the tests skip, saying why."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.palette.edge.tests.media.installer import build_base

FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE.fd")
_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "xorriso": "xorriso",
    "grub-mkimage": "grub-common",
    "mformat": "mtools",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
_FILES = {
    FIRMWARE: "ovmf",
    Path("/usr/lib/grub/i386-pc/boot_hybrid.img"): "grub-pc-bin",
    Path("/usr/lib/grub/x86_64-efi/normal.mod"): "grub-efi-amd64-bin",
}


@dataclass(frozen=True)
class Parts:
    """A kernel, the folder of its modules, and a busybox that needs no libraries."""

    kernel: Path
    modules: Path
    busybox: Path


@pytest.fixture(scope="session")
def parts(repository: Path) -> Parts:
    """From Debian's packages, unpacked into the cache of the checkout and not installed."""
    missing = {package for program, package in _PROGRAMS.items() if not shutil.which(program)}
    missing |= {package for file, package in _FILES.items() if not file.exists()}
    if missing:
        pytest.skip(f"media cannot be booted here: these Debian packages are missing: {', '.join(sorted(missing))}")
    cache = repository / ".cache" / "media"
    cache.mkdir(parents=True, exist_ok=True)
    try:
        return _parts(cache)
    except _NotHadError as error:
        pytest.skip(f"media cannot be booted here: {error}")


@pytest.fixture(scope="session")
def base(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installer ISO as EdgeForge builds them, only small."""
    folder = tmp_path_factory.mktemp("base")
    yield build_base(folder, kernel=parts.kernel, modules=parts.modules, busybox=parts.busybox)
    shutil.rmtree(folder, ignore_errors=True)


class _NotHadError(Exception):
    """A package cannot be had."""


def _parts(cache: Path) -> Parts:
    kept = sorted(cache.glob("linux-image-*-cloud-amd64"))
    found = _kernel()
    if not found and not kept and os.geteuid() == 0:
        _said("apt-get", "update")
        found = _kernel()
    if not found and not kept:
        raise _NotHadError("apt knows no kernel linux-image-cloud-amd64")
    image = _unpacked(cache, found or kept[-1].name)
    busybox = _unpacked(cache, "busybox-static") / "bin" / "busybox"
    return Parts(next(image.glob("boot/vmlinuz-*")), image / "lib" / "modules", busybox)


def _kernel() -> str:
    """The package of the newest kernel that apt knows, or ""."""
    found = re.search(r"linux-image-\S*\d-cloud-amd64", _said("apt-cache", "depends", "linux-image-cloud-amd64"))
    return found[0] if found else ""


def _unpacked(cache: Path, package: str) -> Path:
    folder = cache / package
    if not folder.is_dir():
        # Beside and renamed: another run may be at it.
        fresh = cache / f".{package}-{os.getpid()}"
        fresh.mkdir()
        try:
            # As root apt would fetch as a user who may not write here.
            _said("apt-get", "-o", "APT::Sandbox::User=root", "download", package, cwd=fresh)
            archive = next(fresh.glob("*.deb"), None)
            if archive is None:
                raise _NotHadError(f"apt-get cannot download {package}")
            _said("dpkg-deb", "-x", str(archive), str(fresh))
            archive.unlink()
            if not folder.is_dir():
                fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _said(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300, cwd=cwd)
    return done.stdout if done.returncode == 0 else ""
