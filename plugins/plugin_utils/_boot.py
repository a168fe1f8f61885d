# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot entries of an appliance host: what it booted, what it boots next, and who it is.

An appliance host's GRUB reads `next_entry` from its environment block, boots that entry once and empties it. The
functions here take what a script said and decide; only the scripts are run on the host.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from dataclasses import dataclass, field

import yaml

from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._script import Output, quote

GRUBENV = "/oem/grubenv"
MENU_ENTRIES = {
    "active": "cos",
    "fallback": "fallback",
    "recovery": "recovery",
    "registration": "registration",
    "reset": "statereset",
}
"""Our word -> the ID of the GRUB menu entry.

`statereset` and `cos` are in the vendor's documentation; `fallback` and `recovery` are what the boot menu of Kairos calls
them; `registration` is inferred, so it is looked up in the host's own menu where that can be read.
"""

_MENUS = ("/run/initramfs/cos-state/grub2/grub.cfg", "/run/initramfs/cos-state/grubmenu", "/oem/grubmenu")
_MODES = {
    "active_mode": "active",
    "passive_mode": "fallback",
    "recovery_mode": "recovery",
    "autoreset_mode": "reset",
    "live_mode": "live",
}
_LABELS = {"COS_ACTIVE": "active", "COS_PASSIVE": "fallback", "COS_RECOVERY": "recovery", "COS_SYSTEM": "recovery"}
_MEMBER_FILES = (
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/rancher/k3s/k3s.yaml",
    "/etc/rancher/rke2/rke2.yaml",
    "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
    "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
)
_LARGEST_LAYER = 1 << 20
_ENTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._>()-]*")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class BootState:
    """How a host boots. `member` names what shows that it belongs to a cluster; `ids` is empty when it tells no ID."""

    tool: str
    next_entry: str
    booted: str
    menu: dict[str, str] = field(default_factory=dict)
    member: str = ""
    ids: tuple[str, ...] = ()
    named: bool = False
    root: bool = True


def boot_script(grubenv: str = GRUBENV, *, identity: bool = True) -> str:
    """The lines that tell it; with `identity`, the user-data too, which holds secrets."""
    menus = " ".join(quote(path) for path in _MENUS)
    members = " ".join(quote(path) for path in _MEMBER_FILES)
    lines = f"""
g=
for p in grub2-editenv grub-editenv; do
  p=$(command -v "$p" 2>/dev/null) && {{ g=$p; break; }}
done
say grub_tool "$g"
f={quote(grubenv)}
if [ -n "$g" ] && [ -s "$f" ]; then
  if [ -r "$f" ]; then
    "$g" "$f" list 2>/dev/null | while IFS= read -r l; do say grubenv "$l"; done
  else
    say grubenv_closed yes
  fi
fi
[ -d "${{f%/*}}" ] || say grubenv_nowhere yes
[ -e /etc/spectro/environment ] && say agent_environment yes
for p in /run/cos/*_mode; do [ -e "$p" ] && say boot_mode "${{p##*/}}"; done
l=; {{ IFS= read -r l < /proc/cmdline; }} 2>/dev/null || :
say cmdline "$l"
for p in {menus}; do
  [ -r "$p" ] && grep "^[[:space:]]*menuentry " "$p" 2>/dev/null | while IFS= read -r l; do say menu "$l"; done
done
for p in {members}; do [ -e "$p" ] && say member "$p"; done
"""
    if not identity:
        return lines
    return (
        lines
        + f"""
l=; {{ IFS= read -r l < /sys/class/dmi/id/product_uuid; }} 2>/dev/null || :
say product_uuid "$l"
for p in /oem/*.yaml /oem/*.yml /oem/userdata /oem/user-data /run/stylus/userdata; do
  [ -f "$p" ] && [ -r "$p" ] && [ "$(wc -c < "$p")" -le {_LARGEST_LAYER} ] || continue
  say layer "$(base64 < "$p" | tr -d "\\n")"
done
"""
    )


def read_boot(output: Output) -> BootState:
    """What the lines of `boot_script` said."""
    environment = dict(line.partition("=")[::2] for line in output.all("grubenv"))
    ids, named = _ids(output)
    return BootState(
        tool=output.first("grub_tool"),
        next_entry=environment.get("next_entry", ""),
        booted=_booted(output),
        menu=_menu(output.all("menu")),
        member=output.first("member"),
        ids=ids,
        named=named,
        root=not output.all("grubenv_closed"),
    )


def checked_menu_entry(value: str) -> str:
    """The name of a menu entry as GRUB's environment can hold it; HostError otherwise."""
    if not _ENTRY.fullmatch(value):
        raise HostError(
            f"menu_entry: {value!r} cannot be the ID or title of a boot menu entry; use letters, digits, blanks and ._>()-."
        )
    return value


def menu_entry_for(entry: str, state: BootState, *, where: str) -> str:
    """The menu entry for our word, in the host's own menu where that is known; HostError when it has none such."""
    wanted = MENU_ENTRIES[entry]
    if not state.menu or wanted in state.menu:
        return wanted
    if entry == "registration":
        for key, title in state.menu.items():
            if "registration" in title.lower():
                return key
    raise HostError(
        f"entry: the boot menu of {where} has no entry {wanted} for {entry}; it has {', '.join(state.menu)}."
        " Name the one that is meant by menu_entry."
    )


def refuse_no_grub(state: BootState, facts: dict[str, t.Any], grubenv: str, output: Output, *, where: str) -> None:
    """Raise HostError for a host whose next boot cannot be chosen, with what to do instead."""
    elsewhere = facts["deployment"] != "appliance" and output.all("agent_environment")
    if facts["deployment"] == "agent" or elsewhere:
        raise HostError(
            f"{where}: the host is in agent mode, on an operating system of its own, and has no boot entries of Palette."
            " To reset it, uninstall the agent and install it again; to repair it, boot its own rescue system."
        )
    if not state.tool:
        raise HostError(
            f"{where}: there is neither grub2-editenv nor grub-editenv on the host, so it is no appliance host with GRUB"
            " (one with Trusted Boot has none); choose the entry at its console."
        )
    if output.all("grubenv_nowhere"):
        raise HostError(f"grubenv: there is no directory for {grubenv} on {where}; is the OEM partition mounted?")
    if not facts["root"]:
        raise HostError(f"{where}: only root may choose the next boot, and this is {facts['user']}: become root.")


def refuse_another(state: BootState, host_id: str, *, where: str) -> None:
    """Raise HostError when the host is not the one that `host_id` names."""
    if host_id and state.named and host_id not in state.ids:
        raise HostError(
            f"host_id: {host_id} was meant, and the host at {where} is {state.ids[0]}; correct its address. Nothing was done."
        )


def refuse_reset(state: BootState, *, confirm: str, host_id: str, force: bool, where: str) -> None:
    """Raise HostError unless the host is to be reset: confirmed by its own ID, and no member of a cluster."""
    told = f"the host at {where} is {state.ids[0]}" if state.ids else f"the host at {where} does not tell its ID"
    if not confirm:
        raise HostError(
            f"confirm: a reset destroys what is on the host; repeat its ID to confirm ({told}). Nothing was done."
        )
    sure = state.named and confirm in state.ids
    # What the hardware says of itself is in capitals or not.
    close = not state.named and (confirm == host_id or confirm.lower() in {one.lower() for one in state.ids})
    if not (sure or close):
        help_ = "" if state.named else "; its user-data has no stylus.site.name, so give the ID as host_id, too"
        raise HostError(f"confirm: {confirm} is not the ID of the host: {told}{help_}. Nothing was done.")
    if state.member and not force:
        raise HostError(
            f"{where}: the host is a member of a cluster ({state.member} is there), which may lose its quorum with it;"
            " take it out of its node pool first, or set force. Nothing was done."
        )


def is_reset(menu_entry: str) -> bool:
    """Whether the menu entry wipes the host, as far as its name tells."""
    return "reset" in menu_entry.lower()


def set_script(tool: str, grubenv: str, menu_entry: str) -> str:
    """The lines that make `menu_entry` the next one (empty: none), read it back, and flush it to the disk."""
    change = f"set {quote('next_entry=' + menu_entry)}" if menu_entry else "unset next_entry"
    return (
        f'g={quote(tool)}\nf={quote(grubenv)}\nnew=; [ -s "$f" ] || new=yes\n'
        f'e=$("$g" "$f" {change} 2>&1) || {{\n'
        # What was not there before must not stay behind half made: GRUB would read it.
        '  [ -n "$new" ] && rm -f "$f"\n'
        '  e=$(printf "%s" "$e" | tail -n 1); die "the next boot entry cannot be written to $f: ${e##*: }"\n'
        "}\n"
        'sync "$f" 2>/dev/null || sync\n'
        'v=$("$g" "$f" list | sed -n "s/^next_entry=//p")\n'
        f'[ "$v" = {quote(menu_entry)} ] || die "$f does not hold the next boot entry after it was written"\n'
    )


def _booted(output: Output) -> str:
    words = output.first("cmdline").split()
    if "stylus.registration" in words:
        return "registration"
    for mode in output.all("boot_mode"):
        if mode in _MODES:
            return _MODES[mode]
    for word in words:
        label = word.rpartition("LABEL=")[2]
        if label in _LABELS:
            return _LABELS[label]
    return "unknown"


def _menu(lines: list[str]) -> dict[str, str]:
    """ID (else title) of each menu entry -> its title."""
    found = {}
    for line in lines:
        title = re.search(r"menuentry\s+(?:\"([^\"]*)\"|'([^']*)'|(\S+))", line)
        name = re.search(r"--id[= ]+[\"']?([^\s\"'{]+)", line)
        words = next((part for part in title.groups() if part), "") if title else ""
        if name or words:
            found[name[1] if name else words] = words
    return found


def _ids(output: Output) -> tuple[tuple[str, ...], bool]:
    """The IDs the host may have, and whether its user-data names one."""
    name = ""
    for encoded in output.all("layer"):
        try:
            document = yaml.load(base64.b64decode(encoded), Loader=_LOADER)  # noqa: S506 - a safe loader
        except (yaml.YAMLError, ValueError, binascii.Error):
            continue
        site: t.Any = document
        for key in ("stylus", "site"):
            site = site.get(key) if isinstance(site, dict) else None
        if isinstance(site, dict) and site.get("name"):
            name = str(site["name"])
    if name:
        return (name,), True
    uuid = output.first("product_uuid").strip()
    return ((f"edge-{uuid}", uuid) if uuid else ()), False
