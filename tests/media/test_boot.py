# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media that were made by the modules boot a machine, and what was put on them is read from within it.

The machines are emulated (QEMU without KVM), each to its kernel and a first process that looks at the media, in some ten seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.media.conftest import FIRMWARE
from ansible_collections.palette.edge.tests.media.installer import LABEL

LIMIT = 120
"""Seconds that a machine may take."""

_CD = [
    "-device", "virtio-scsi-pci", "-drive", "if=none,id=medium,media=cdrom,readonly=on,format=raw,file={iso}",
    "-device", "scsi-cd,drive=medium,bootindex=0",
]  # fmt: skip
_DISK = [
    "-drive",
    "if=none,id=medium,readonly=on,format=raw,file={iso}",
    "-device",
    "virtio-blk-pci,drive=medium,bootindex=0",
]
_UEFI = ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"]
MACHINES = {"bios-cd": _CD, "bios-disk": _DISK, "uefi-cd": [*_UEFI, *_CD], "uefi-disk": [*_UEFI, *_DISK]}

USER_DATA = """\
#cloud-config
# Kept to the letter.
stylus:
  site:
    paletteEndpoint: palette.example.com
    tags: {purpose: "boots"}
install:
  poweroff: true
"""
TOKEN = "canary-boot-token-1"


@dataclass(frozen=True)
class Media:
    """Both media, and what is on them."""

    installer: Path
    site: Path
    result: dict[str, Any] = field(repr=False)
    sums: dict[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def media(base: Path, tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Media:
    """A variant of the base and a site's medium, made by a play."""
    folder = tmp_path_factory.mktemp("media")
    files = {
        "user-data": USER_DATA.encode(),
        "store.tar.zst": b"\x28\xb5\x2f\xfd" + os.urandom(3_000_001),
        "store.tgz": b"\x1f\x8b" + os.urandom(5000),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    installer = {
        "base": str(base),
        "dest": str(folder / "installer.iso"),
        "user_data": str(folder / "user-data"),
        "content_bundles": [str(folder / "store.tar.zst")],
        "cluster_definition": str(folder / "store.tgz"),
    }
    site = {"dest": str(folder / "site.iso"), "site": {"stylus": {"site": {"name": "edge-1", "edgeHostToken": TOKEN}}}}
    tasks: list[dict[str, Any]] = [
        {"palette.edge.installer_media": installer, "register": "made"},
        {"palette.edge.installer_media": installer, "register": "again"},
        {
            "ansible.builtin.assert": {
                "that": ["made is changed", "again is not changed", "again.sha256 == made.sha256"]
            }
        },
        {"palette.edge.site_media": site},
        {"ansible.builtin.copy": {"content": "{{ made | to_json }}", "dest": str(folder / "result.json")}},
    ]
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(play)]
    settings = ["-e", f"ansible_python_interpreter={sys.executable}"]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections_path)}
    done = subprocess.run([*command, *settings], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((folder / "result.json").read_text())
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return Media(folder / "installer.iso", folder / "site.iso", result, sums)


def test_the_media_are_as_they_should_be(media: Media) -> None:
    assert media.result["boot_records"] == ["bios", "uefi", "mbr", "gpt"]
    done = subprocess.run(
        ["sha256sum", "--check", "installer.iso.sha256"],
        cwd=media.installer.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "installer.iso: OK\n"
    assert media.installer.stat().st_mode & 0o777 != 0o600, "there is no secret in it"
    assert media.site.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("machine", MACHINES)
def test_it_boots_to_its_kernel_and_what_is_inside_is_read(machine: str, media: Media) -> None:
    said = boot(machine, media)
    kernel = re.search(r"^@kernel (.*)", said, re.MULTILINE)
    assert kernel, f"no kernel was reached: {said[-3000:]}"
    assert kernel[1].startswith("Linux ")
    assert between(said, "@user-data", "@end of user-data") == USER_DATA
    have = {path: digest for digest, path in re.findall(rf"@file {LABEL} (\w+)  \./(\S+)", said)}
    assert have == {
        "files-iso/config.yaml": media.sums["user-data"],
        "opt/spectrocloud/content/store.tar.zst_part00": media.sums["store.tar.zst"],
        "opt/spectrocloud/clusterconfig/spc.tgz": media.sums["store.tgz"],
        **{path: digest for path, digest in have.items() if path == "boot.catalog"},
    }
    # The site's medium beside it, as a USB stick is.
    assert sorted(re.findall(r"@file cidata \w+  \./(\S+)", said)) == ["meta-data", "user-data"]
    site = between(said, "@site", "@end of site")
    assert site.startswith("#cloud-config\n")
    assert TOKEN in site


def between(said: str, begin: str, end: str) -> str:
    """The lines between two others."""
    return said.partition(f"{begin}\n")[2].partition(f"{end}\n")[0]


def boot(machine: str, media: Media) -> str:
    """Boots a machine until it turns itself off; what it said on its serial console."""
    options = [word.format(iso=media.installer) for word in MACHINES[machine]]
    stick = [
        "-drive",
        f"if=none,id=site,readonly=on,format=raw,file={media.site}",
        "-device",
        "virtio-blk-pci,drive=site",
    ]
    command = [
        "qemu-system-x86_64",
        "-machine",
        "pc,accel=tcg",
        "-cpu",
        "max",
        "-m",
        "512",
        "-nodefaults",
        "-display",
        "none",
    ]
    command += ["-no-reboot", "-serial", "stdio", *options, *stick]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode(errors="replace")
        raise AssertionError(f"the machine was not done after {LIMIT} s; it said: {said[-3000:]}") from None
    said = done.stdout.decode(errors="replace").replace("\r", "")
    assert "@over\n" in said, (
        f"the machine ended too early: {said[-3000:]}{done.stderr.decode(errors='replace')[-1000:]}"
    )
    return said
