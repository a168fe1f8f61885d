# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small installer ISO that boots as EdgeForge's do, and says on its serial console what is on it."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

LABEL = "COS_LIVE"

_MODULES = (
    "nls_utf8", "isofs", "cdrom", "scsi_common", "scsi_mod", "sr_mod",
    "virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_scsi", "virtio_blk",
)  # fmt: skip
_GRUB_MODULES = (
    "iso9660", "linux", "normal", "search", "search_label", "part_gpt", "part_msdos", "serial", "echo", "configfile", "boot",
)  # fmt: skip
_EMBEDDED = f"""\
search --no-floppy --set=root --label {LABEL}
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
"""
_MENU = """\
serial
terminal_output serial console
linux /boot/kernel console=ttyS0 quiet panic=-1 nokaslr mitigations=off no_timer_check
initrd /boot/initrd
boot
"""
# Modules need one another: three rounds load them in whatever order.
_INIT = f"""\
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
for round in 1 2 3; do for module in /modules/*; do $b insmod $module 2>/dev/null; done; done
look() {{
    for try in 1 2 3 4 5 6 7 8 9 10; do
        $b mount -t iso9660 -o ro "$($b findfs "LABEL=$1")" /medium 2>/dev/null && break
        $b usleep 100000
    done
    cd /medium
    $b find . -type f ! -path './boot/*' | $b sort | while read -r path; do
        echo "@file $1 $($b sha256sum "$path")"
    done
    cd /
}}
echo
echo "@kernel $($b uname -s -r)"
look {LABEL}
echo "@user-data"
$b cat /medium/files-iso/config.yaml /medium/config.yaml 2>/dev/null
echo "@end of user-data"
$b umount /medium
look cidata
echo "@site"
$b cat /medium/user-data
echo "@end of site"
echo "@over"
$b poweroff -f
"""


def build_base(folder: Path, *, kernel: Path, modules: Path, busybox: Path) -> Path:
    """The ISO; by BIOS and UEFI, from a CD and from a disk."""
    tree = folder / "tree"
    grub = tree / "boot" / "grub"
    grub.mkdir(parents=True)
    (tree / "files-iso").mkdir()
    (tree / "files-iso" / "config.yaml").write_text("#cloud-config\n# Of the base.\n")
    shutil.copy(kernel, tree / "boot" / "kernel")
    (tree / "boot" / "initrd").write_bytes(gzip.compress(_initrd(modules, busybox), 1))
    (grub / "grub.cfg").write_text(_MENU)
    embedded = folder / "embedded.cfg"
    embedded.write_text(_EMBEDDED)
    make = ["grub-mkimage", "-c", str(embedded), "-p", "/boot/grub"]
    _run(*make, "-O", "i386-pc", "-o", str(folder / "core.img"), "biosdisk", *_GRUB_MODULES)
    _run(*make, "-O", "x86_64-efi", "-o", str(folder / "BOOTX64.EFI"), *_GRUB_MODULES)
    pc = Path("/usr/lib/grub/i386-pc")
    (grub / "bios.img").write_bytes((pc / "cdboot.img").read_bytes() + (folder / "core.img").read_bytes())
    efi = folder / "efi.img"
    _run("mformat", "-i", str(efi), "-C", "-T", "5760", "-h", "2", "-s", "36", "::")
    _run("mmd", "-i", str(efi), "::EFI", "::EFI/BOOT")
    _run("mcopy", "-i", str(efi), str(folder / "BOOTX64.EFI"), "::EFI/BOOT/BOOTX64.EFI")
    iso = folder / "base.iso"
    _run(
        "xorriso", "-as", "mkisofs", "-quiet", "-o", str(iso), "-V", LABEL, "-J", "-joliet-long", "-r",
        "-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
        "--grub2-mbr", str(pc / "boot_hybrid.img"), "-append_partition", "2", "0xef", str(efi), "-appended_part_as_gpt",
        "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot", str(tree),
    )  # fmt: skip
    return iso


def _initrd(modules: Path, busybox: Path) -> bytes:
    found = {path.name.split(".ko")[0]: path for path in modules.rglob("*.ko")}
    archive = b"".join(_member(name, 0o40755, b"") for name in ("bin", "dev", "medium", "modules"))
    archive += _member("bin/busybox", 0o100755, busybox.read_bytes()) + _member("init", 0o100755, _INIT.encode())
    for name in _MODULES:
        if name in found:  # else it is built in
            archive += _member(f"modules/{name}.ko", 0o100644, found[name].read_bytes())
    return archive + _member("TRAILER!!!", 0, b"")


def _member(name: str, mode: int, data: bytes) -> bytes:
    """A member of a cpio archive of the kind that Linux unpacks."""
    words = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + "".join(f"{word:08x}" for word in words).encode() + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"
