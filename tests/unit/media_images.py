# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small images: a base as xorriso makes it, and one of the simplest kind."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest

XORRISO = shutil.which("xorriso")
needs_xorriso = pytest.mark.skipif(not XORRISO, reason="xorriso is not installed")

USER_DATA = "#cloud-config\nstylus:\n  site:\n    paletteEndpoint: palette.example.com\n"
TOKEN = "canary-media-token-5d1e"
SECRET_USER_DATA = f"{USER_DATA}    edgeHostToken: {TOKEN}\n"
ZSTD, GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"


def base(folder: Path, *, files: dict[str, str] | None = None, options: tuple[str, ...] | None = None) -> Path:
    """An ISO whose boot records are of the same kinds as EdgeForge's; what they load is noise.

    :param options: of xorriso for the boot records, in place of the usual ones.
    """
    noise = random.Random(7)
    tree = folder / "tree"
    for name, content in {
        "files-iso/config.yaml": USER_DATA,
        "rootfs.squashfs": "r" * 300_000,
        **(files or {}),
    }.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tree / "boot").mkdir(exist_ok=True)
    (tree / "boot" / "bios.img").write_bytes(noise.randbytes(40_000))
    (folder / "mbr.img").write_bytes(noise.randbytes(512))
    (folder / "efi.img").write_bytes(noise.randbytes(65_536))
    if options is None:
        options = (
            "-b", "boot/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
            "--grub2-mbr", str(folder / "mbr.img"), "-append_partition", "2", "0xef", str(folder / "efi.img"),
            "-appended_part_as_gpt", "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
        )  # fmt: skip
    return remade(folder, options)


def remade(folder: Path, options: tuple[str, ...]) -> Path:
    """The ISO of what is in the folder's tree by now."""
    iso = folder / "base.iso"
    command = [str(XORRISO), "-as", "mkisofs", "-quiet", "-o", str(iso), "-V", "COS_LIVE", "-J", "-r", *options]
    subprocess.run([*command, str(folder / "tree")], check=True, capture_output=True)
    return iso


def plain_iso(*, boots: bool = False) -> bytes:
    """An ISO as pycdlib makes it."""
    pycdlib = pytest.importorskip("pycdlib")
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09", vol_ident="PLAIN")
    iso.add_fp(BytesIO(b"boot" * 600), 2400, "/BOOT.;1", rr_name="boot")
    if boots:
        iso.add_eltorito("/BOOT.;1", bootcatfile="/BOOT.CAT;1", rr_bootcatname="boot.cat")
    made = BytesIO()
    iso.write_fp(made)
    iso.close()
    return made.getvalue()


def bundle(path: Path, size: int = 50_000) -> Path:
    """A file that begins as a content bundle does."""
    path.write_bytes(ZSTD + os.urandom(size))
    return path
