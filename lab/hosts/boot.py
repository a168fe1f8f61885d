"""The boot loader of a lab host: reads which entry is to be booted once, as GRUB does on a real appliance host.

A container has no boot loader. What one would do is done to the host's root before each boot, and the host is told what
it booted in the places where a real one is: `/run/cos` and the kernel's command line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.hosts import rootfs

GRUBENV = "oem/grubenv"
ACTIVE, FALLBACK, RECOVERY, REGISTRATION, RESET = "active", "fallback", "recovery", "registration", "reset"
ENTRIES = {
    "cos": ACTIVE,
    "fallback": FALLBACK,
    "recovery": RECOVERY,
    "registration": REGISTRATION,
    "statereset": RESET,
}
SENTINELS = {
    ACTIVE: "active_mode",
    FALLBACK: "passive_mode",
    RECOVERY: "recovery_mode",
    REGISTRATION: "active_mode",
}
# What the agent and Palette put on a host in the course of time: content, links, agent upgrades, logs.
AGENT_PATHS = ("usr/local/spectrocloud", "opt/spectrocloud", "var/lib/spectro", "run/stylus")
_CMDLINES = {
    ACTIVE: "root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img",
    FALLBACK: "root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img",
    RECOVERY: "root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img recovery-mode",
    REGISTRATION: "root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img stylus.registration",
}
_SIZE = 1024
_HEADER = "# GRUB Environment Block\n"
_TOOL_PATH = "usr/bin/grub2-editenv"
# GRUB's own tool is in a package with a dozen others behind it. This one knows its commands and its format: 1024 bytes, a
# header, a variable a line, and # up to the end, written in place because GRUB itself writes to the very same blocks.
_TOOL = r"""#!/bin/sh
f=$1; c=$2; shift 2 || { echo "usage: $0 FILE create|list|set|unset [NAME[=VALUE]]..." >&2; exit 1; }
read_env() { [ ! -e "$f" ] || grep -v "^#" "$f" | grep "="; }
write_env() {
  e=$(printf "# GRUB Environment Block\n%s" "$1"; echo .); e=${e%.}
  n=$((1024 - $(printf "%s" "$e" | wc -c)))
  [ "$n" -ge 0 ] || { echo "$0: error: environment block too small." >&2; exit 1; }
  { printf "%s" "$e"; head -c "$n" /dev/zero | tr "\0" "#"; } | dd of="$f" conv=notrunc,fsync 2>/dev/null || {
    echo "$0: error: cannot write to $f." >&2; exit 1
  }
}
case $c in
create) write_env "" ;;
list) [ -e "$f" ] || { echo "$0: error: cannot open $f: No such file or directory." >&2; exit 1; }; read_env || : ;;
set|unset)
  v=$(read_env)
  for a in "$@"; do
    v=$(printf "%s\n" "$v" | grep -v "^${a%%=*}=" | grep "=")
    [ "$c" = unset ] || v="$v
$a"
  done
  write_env "$(printf "%s\n" "$v" | grep "=")
" ;;
*) echo "$0: error: Unknown command $c." >&2; exit 1 ;;
esac
"""
_UNIT_PATH = "etc/systemd/system/lab-cmdline.service"
_UNIT = """\
[Unit]
Description=The command line that a boot loader would have given the kernel
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mount --bind /etc/lab-cmdline /proc/cmdline
[Install]
WantedBy=sysinit.target
"""


def take_entry(root: Path) -> str:
    """What is to be booted, by our word; the choice is for one boot and is taken out of the environment, as GRUB does.

    What GRUB would not find in its menu boots the active system.
    """
    text = rootfs.present(root, GRUBENV)
    if text is None:
        return ACTIVE
    chosen = variables(text).get("next_entry", "")
    if chosen:
        kept = {name: value for name, value in variables(text).items() if name != "next_entry"}
        rootfs.put(root, GRUBENV, block({**kept, "next_entry": ""}))
    return ENTRIES.get(chosen, ACTIVE)


def variables(text: str) -> dict[str, str]:
    """The variables of an environment block."""
    lines = (line for line in text.split("\n") if "=" in line and not line.startswith("#"))
    return dict(line.partition("=")[::2] for line in lines)


def block(values: dict[str, str]) -> str:
    """An environment block of GRUB's size."""
    text = _HEADER + "".join(f"{name}={value}\n" for name, value in values.items())
    return text.ljust(_SIZE, "#")


def prepare(root: Path, entry: str) -> None:
    """Give the host its tool for the boot loader's environment, and what tells it that it booted ``entry``."""
    rootfs.put(root, _TOOL_PATH, _TOOL, mode=0o755)
    rootfs.put(root, "etc/lab-cmdline", f"BOOT_IMAGE=(loop0)/boot/vmlinuz {_CMDLINES[entry]} console=tty1\n")
    rootfs.put(root, "etc/tmpfiles.d/lab-boot.conf", f"d /run/cos 0755\nf /run/cos/{SENTINELS[entry]} 0644\n")
    rootfs.put(root, _UNIT_PATH, _UNIT)
    link = rootfs.inside(root, "etc/systemd/system/sysinit.target.wants/lab-cmdline.service")
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to("../lab-cmdline.service")


def registers(root: Path) -> bool:
    """Whether what the host booted makes its agent register anew."""
    return "stylus.registration" in (rootfs.present(root, "etc/lab-cmdline") or "")


def wipe(root: Path, paths: Iterable[str] = AGENT_PATHS) -> None:
    """Take ``paths`` away from a host that does not run."""
    for path in paths:
        target = rootfs.inside(root, path)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
