# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of a change of user-data: the host takes its old one again by itself when nobody confirms the new one.

What it needs lies on the host's disk before the new user-data does, in one folder: a copy of the old one, a record
(`armed`) and a script. A layer of its own in `/oem` runs the script at each boot, which starts a timer. When that ends
unconfirmed, the copy is renamed over the new user-data, a note (`put-back`) is left, and the host reboots. Whatever is
cut off by a power cut is done again at the next boot. Confirming takes all of it away.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

OEM = "/oem"
"""Where Kairos looks for layers at each boot."""

FOLDER = ".palette-way-back"
LAYER = "99_palette_way_back.yaml"
UNIT = "palette-edge-way-back"
NOTHING = "-"
"""Stands for the checksum of a file that is not there."""

# A record is a line: new, old, within, boot ID, and the path last, as it may hold blanks.

# Runs on the host, without us. `start` at each boot, `now` when the time is over.
_SCRIPT = r"""#!/bin/sh
# Written by palette.edge.site_user_data: puts the old user-data back when nobody has confirmed the new one in time.
LC_ALL=C; PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"; export LC_ALL PATH
d=@FOLDER@
r=$d/armed
[ -r "$d/restoring" ] && r=$d/restoring
read -r new old within boot path < "$r" || exit 0
sum() { if [ -f "$1" ]; then s=$(sha256sum < "$1"); printf "%s" "${s%% *}"; else printf -- -; fi; }
again() { systemd-run --quiet --collect --on-active="$1" --timer-property=AccuracySec=1s --unit=@UNIT@"$2" sh "$d/restore" now; }
if [ "$1" = start ]; then
  read -r this < /proc/sys/kernel/random/boot_id
  # Written in this boot: the new user-data is not in force yet.
  [ "$this" = "$boot" ] || again "$within" ""
  exit
fi
# Who renames the record has the word: this script, or the one that confirms.
[ "$r" = "$d/restoring" ] || mv "$d/armed" "$d/restoring" || exit 0
reboot=
is=$(sum "$path")
if [ "$is" != "$old" ]; then
  reboot=yes
  # What neither we nor the old one wrote was not confirmed either. It is kept for people to look at.
  k=$d/replaced
  [ "$is" = "$new" ] || [ "$is" = - ] || { rm -f "$k"; ln "$path" "$k" || cp -p "$path" "$k"; } 2>/dev/null
  # Told before it is done, so that a power cut in between does not leave it untold. A full disk is no reason to stay.
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  { printf "%s %s %s\n" "$new" "$within" "$at" > "$d/note" && mv -f "$d/note" "$d/put-back"; } 2>/dev/null
  t=${path%/*}/.${path##*/}.palette-old
  rm -f "$t"
  if [ "$old" = - ]; then rm -f "$path"
  # A second name needs no room on the disk.
  else { ln "$d/previous" "$t" || cp -p "$d/previous" "$t"; } 2>/dev/null && [ "$(sum "$t")" = "$old" ] && mv -f "$t" "$path"
  fi || { again 30 "-$(date +%s)"; exit 1; }
  sync
fi
rm -f @LAYER@ "$d/restoring" "$d/previous" "$d/restore"
sync
[ -z "$reboot" ] || systemctl reboot || reboot
"""

_LAYER = """#cloud-config
# Written by palette.edge.site_user_data, until the change of the user-data is confirmed: see @FOLDER@/restore.
stages:
  boot:
    - name: Way back of the user-data (palette.edge)
      commands:
        - sh @FOLDER@/restore start
"""


@dataclass(frozen=True)
class WayBack:
    """What the host says: the record of a change that waits for its confirmation, and the note of one that was taken back.

    `armed`: it waits. `restoring`: the host is going back. `left`: something of one that was confirmed. `new`, `old` and
    `put_back` (empty when nothing was taken back) are checksums of user-data.
    """

    armed: bool = False
    restoring: bool = False
    left: bool = False
    new: str = ""
    old: str = ""
    within: int = 0
    boot_id: str = ""
    path: str = ""
    put_back: str = ""
    put_back_at: str = ""
    put_back_within: str = ""


def folder() -> str:
    return f"{OEM}/{FOLDER}"


def ask_script() -> str:
    """The lines that tell the state of the way back; nothing of a host that has none."""
    return f"""
w={quote(folder())}
for n in armed restoring confirmed put-back; do
  [ -r "$w/$n" ] && IFS= read -r l < "$w/$n" && say "way_$n" "$l"
done
[ -d {quote(OEM)} ] && say way_possible yes
"""


def read_way_back(output: Output) -> WayBack:
    """What `ask_script` said."""
    record = output.first("way_armed") or output.first("way_restoring")
    words = (record.split(" ", 4) + [""] * 5)[:5]
    note = (output.first("way_put-back").split() + [""] * 3)[:3]
    return WayBack(
        armed=bool(output.first("way_armed")),
        restoring=bool(output.first("way_restoring")),
        left=bool(output.first("way_confirmed")),
        new=words[0],
        old=words[1],
        within=int(words[2]) if words[2].isdigit() else 0,
        boot_id=words[3],
        path=words[4],
        put_back=note[0],
        put_back_within=note[1],
        put_back_at=note[2],
    )


def arm_script(*, path: str, new: str, old: str, within: int, keep_previous: bool) -> str:
    """The lines that prepare the way back, to stand before the change itself. `new` and `old` are checksums.

    `keep_previous` when an earlier change still waits for its confirmation: what it would go back to stays.
    """
    script = _filled(_SCRIPT)
    # Of a way back that was not there before, nothing stays when it cannot be made whole.
    made = " ".join(f'"$w/{name}"' for name in ("previous", "previous.new", "restore", "restore.new", "armed.new"))
    layer = f"{OEM}/{LAYER}"
    tidy = "" if keep_previous else f'rm -f {made} {quote(layer)} {quote(layer + ".new")}; rmdir "$w" 2>/dev/null; '
    copy = ""
    if not keep_previous:
        copy = 'rm -f "$w/previous"\n'
        if old != NOTHING:
            copy += (
                f'e=$(cp -p {quote(path)} "$w/previous.new" 2>&1) || '
                f'{{ {tidy}die "cannot keep a copy of the old user-data: ${{e##*: }}"; }}\n'
                'mv -f "$w/previous.new" "$w/previous"\n'
            )
    record = f"{new} {old} {within} $b {path}"
    return (
        f"w={quote(folder())}\n"
        'e=$( (umask 077; mkdir -p "$w") 2>&1) || die "cannot make $w: ${e##*: }"\n'
        "IFS= read -r b < /proc/sys/kernel/random/boot_id\n"
        f"{copy}"
        f"e=$( {{ {_put(script, '$w/restore')} && {_put(_filled(_LAYER), layer)} && "
        f'printf "%s\\n" "{_in_quotes(record)}" > "$w/armed.new" && mv -f "$w/armed.new" "$w/armed"; }} 2>&1)'
        f' || {{ {tidy}die "cannot prepare the way back in $w: ${{e##*: }}"; }}\n'
        "sync\n"
    )


def disarm_script(*, note_too: bool) -> str:
    """The lines that take the way back away."""
    files = ["$w/armed.new", "$w/previous", "$w/restore", *(["$w/put-back", "$w/replaced"] if note_too else [])]
    named = " ".join(f'"{name}"' for name in files)
    return (
        f"w={quote(folder())}\n"
        f"rm -f {quote(f'{OEM}/{LAYER}')}\n"
        f'systemctl stop {UNIT}.timer >/dev/null 2>&1\nrm -f "$w/armed" "$w/confirmed" {named}\n'
        'rmdir "$w" 2>/dev/null\nsync\n'
    )


def confirm_script(*, note_too: bool) -> str:
    """The whole script that confirms: it fails when the host is on its way back already."""
    return (
        f"{PRELUDE}w={quote(folder())}\n"
        'if [ -e "$w/armed" ]; then mv "$w/armed" "$w/confirmed" 2>/dev/null || '
        'die "the host is going back to its old user-data at this moment: the confirmation came too late"; fi\n'
        f"{disarm_script(note_too=note_too)}{END}"
    )


def _filled(text: str) -> str:
    return text.replace("@FOLDER@", folder()).replace("@UNIT@", UNIT).replace("@LAYER@", f"{OEM}/{LAYER}")


def _put(text: str, path: str) -> str:
    """A command that writes a file in one piece. In base64, as the script may hold no single quotes."""
    encoded = base64.b64encode(text.encode()).decode()
    return f'printf "%s" {encoded} | base64 -d > "{path}.new" && mv -f "{path}.new" "{path}"'


def _in_quotes(record: str) -> str:
    """The record within double quotes, `$b` still to be filled in by the shell."""
    return quote(record.replace("$b", "\0"))[1:-1].replace("\0", "$b")
