# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file on its way to an Edge host: what of it is there, where it may wait, and how it takes its place.

What has arrived waits in a folder that bears the checksum of the whole and belongs to the SSH user, on the file system
of its destination where that can be. A later run finds it there, compares it block by block with the source, and goes on
behind the last block that is right. Only what is complete and has the right checksum is renamed to the destination.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible import constants as C

from ansible_collections.palette.edge.plugins.plugin_utils._files import (
    STALE_MINUTES,
    FileState,
    attributes_script,
    state_script,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

MIB = 1024 * 1024
BLOCK = 32
"""MiB of what is compared at a time."""

_CHECKSUM = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True)
class Source:
    """The file on the control node."""

    path: str
    size: int
    sha256: str

    def digest(self, offset: int, length: int) -> str:
        """SHA-256 of a part of it."""
        found = hashlib.sha256()
        with open(self.path, "rb", buffering=0) as stream:
            stream.seek(offset)
            while length > 0 and (data := stream.read(min(MIB, length))):
                found.update(data)
                length -= len(data)
        return found.hexdigest()


@dataclass(frozen=True)
class Place:
    """What the host said of the destination and around it.

    `user` is the user and group who write there, `free` the bytes that there is room for, `mount` the top of its file
    system, `waiting` the bytes that a run before has left.
    """

    state: FileState
    user: tuple[str, str]
    free: int
    mount: str
    writable: bool
    waiting: int


def checked_checksum(text: str) -> str:
    """The hexadecimal SHA-256 of `text`, which is that or `sha256:` and that; HostError otherwise."""
    found = _CHECKSUM.fullmatch(text.strip().lower())
    if not found:
        raise HostError(f"checksum: {text!r} is no SHA-256; write its 64 hexadecimal digits, as sha256sum prints them.")
    return found[1]


def source_size(path: str) -> int:
    """Bytes of the local file; HostError when it cannot be sent as it is."""
    try:
        with open(path, "rb") as stream:
            if stream.read(14) == b"$ANSIBLE_VAULT":
                raise HostError(f"src: {path} is encrypted with Ansible Vault; large files are sent as they are.")
            return os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise HostError(f"src: {path} cannot be read here: {error.strerror}.") from None


def local_sha256(path: str) -> str:
    """SHA-256 of a local file, computed once for all hosts of a run: the first one does it, the others wait for it."""
    try:
        found = os.stat(path)
        key = f"{os.path.realpath(path)}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}"
        name = f"palette-sha256-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        with Path(C.DEFAULT_LOCAL_TMP, name).open("a+") as note:
            fcntl.flock(note, fcntl.LOCK_EX)
            note.seek(0)
            known = note.read()
            if not _CHECKSUM.fullmatch(known):
                known = Source(path, found.st_size, "").digest(0, found.st_size)
                note.truncate(0)
                note.write(known)
            return known
    except OSError as error:
        raise HostError(f"src: {path} cannot be read here: {error.strerror}.") from None


def folder_name(dest: str, sha256: str) -> str:
    """Of the folder in which the file waits: one for each destination and content."""
    return f".palette-upload-{hashlib.sha256(dest.encode()).hexdigest()[:8]}-{sha256[:16]}"


def look(remote: Remote, dest: str, source: Source) -> Output:
    """What `read_place` reads, in one round trip. Nothing is changed."""
    return remote.run(
        f"{PRELUDE}{state_script(dest, hashed_at=source.size)}"
        'say user "$(id -u) $(id -g)"\n'
        'if [ -d "$d" ]; then\n'
        '  [ -w "$d" ] && say writable yes\n'
        '  x=$(df -Pk "$d" 2>/dev/null | { read -r l; read -r a b c free e m; printf "%s %s" "$free" "$m"; })\n'
        '  say free "${x%% *}"; say mount "${x#* }"\n'
        # The folder is named after where links lead, which only the host knows.
        '  n=$(printf "%s" "$f" | sha256sum); n=$(printf "%.8s" "$n")\n'
        f'  for p in "$d" "${{x#* }}"; do p="${{p%/}}/.palette-upload-$n-{source.sha256[:16]}/part"\n'
        '    [ -f "$p" ] && say waiting "$(stat -c %s "$p")"\n'
        f"  done\nfi\n{END}"
    )


def read_place(output: Output, state: FileState) -> Place:
    """The answer of `look`; `state` is the part of it that `_files.read_state` reads."""
    free = output.first("free")
    uid, dummy, gid = output.first("user").partition(" ")
    return Place(
        state=state,
        user=(uid, gid),
        # A system that does not tell is taken at its word when it is full.
        free=int(free) * 1024 if free.isdigit() else 1 << 62,
        mount=output.first("mount"),
        writable=output.first("writable") == "yes",
        waiting=int(output.first("waiting") or 0),
    )


def prepare(remote: Remote, folder: str, *, owner: str, size: int) -> list[tuple[int, str]]:
    """Make the folder `folder` of the user `owner`, and return size and SHA-256 of each block of what waits in it.

    Raises HostError where it cannot be made.
    """
    base, name = posixpath.split(folder)
    stale = name.rpartition("-")[0] + "-*"
    output = remote.run(
        f"{PRELUDE}umask 077\nb={quote(base)}\ns={quote(folder)}\nu={quote(owner)}\np=$s/part\nme=$(id -u)\n"
        # Of other contents for the same destination.
        f'find "$b" -maxdepth 1 -type d -name "{stale}" ! -name "{name}" -mmin +{STALE_MINUTES} '
        "-exec rm -rf {} + 2>/dev/null\n"
        'if [ -d "$s" ] && [ ! -L "$s" ]; then\n'
        '  o=$(stat -c %u "$s"); [ "$o" = "$u" ] || [ "$o" = "$me" ] || die "$s belongs to another user: remove it"\n'
        'else e=$(mkdir "$s" 2>&1) || die "cannot write in $b: ${e##*: }"\n'
        "fi\n"
        # While it is ours nobody puts a link there.
        'if [ "$u" != "$me" ]; then chown "$me" "$s" && chmod 700 "$s" || die "cannot own $s"; fi\n'
        'if [ -e "$p" ] || [ -L "$p" ]; then\n'
        '  if [ ! -L "$p" ] && [ -f "$p" ] && [ "$(stat -c "%u %h" "$p")" = "$u 1" ] && '
        f'[ "$(stat -c %s "$p")" -le {size} ]; then\n'
        '    n=$(stat -c %s "$p"); i=0\n'
        f"    while [ $((i * {BLOCK * MIB})) -lt $n ]; do\n"
        f"      l=$((n - i * {BLOCK * MIB})); [ $l -gt {BLOCK * MIB} ] && l={BLOCK * MIB}\n"
        f'      h=$(dd if="$p" bs={MIB} skip=$((i * {BLOCK})) count={BLOCK} 2>/dev/null | head -c $l | sha256sum)\n'
        '      say block "$l ${h%% *}"; i=$((i + 1))\n'
        "    done\n"
        '  else rm -rf "$p"\n'
        "  fi\n"
        "fi\n"
        f'if [ "$u" != "$me" ]; then chown "$u" "$s" || die "cannot give $s to user $u"; fi\n{END}'
    )
    blocks = (line.split() for line in output.all("block"))
    return [(int(length), digest) for length, digest in blocks]


def good_until(source: Source, blocks: t.Iterable[tuple[int, str]]) -> int:
    """How many bytes of what waits are those of the source."""
    at = 0
    for length, digest in blocks:
        if source.digest(at, length) != digest:
            break
        at += length
    return at


def finish(
    remote: Remote,
    place: Place,
    folder: str,
    source: Source,
    *,
    handed: bool,
    owner: str | None = None,
    group: str | None = None,
    mode: str | None = None,
) -> None:
    """Verify what has arrived, and let it take its place. Raises HostError, and then the destination is as it was.

    `handed` says that what waits belongs to another user than the one who writes here.
    """
    state = place.state
    into = posixpath.dirname(state.path)
    # Without a word on it, a file keeps what it has, and a new one belongs to who writes here.
    owner = owner if owner is not None else state.uid or (place.user[0] if handed else None)
    group = group if group is not None else state.gid or (place.user[1] if handed else None)
    attributes = attributes_script('"$t"', owner, group, mode or state.mode or "0644")
    spare = posixpath.join(into, posixpath.basename(folder) + ".new")
    remote.run(
        f"{PRELUDE}umask 077\ns={quote(folder)}\np=$s/part\nt=$p\nf={quote(state.path)}\nd={quote(into)}\n"
        f'[ -d "$s" ] && [ ! -L "$s" ] || die "what was sent is gone from $s: run again"\n'
        # From here on the SSH user can put nothing else there.
        '[ "$(stat -c %u "$s")" = "$(id -u)" ] || { chown "$(id -u)" "$s" && chmod 700 "$s"; } || die "cannot own $s"\n'
        '[ -f "$p" ] && [ ! -L "$p" ] && [ "$(stat -c %h "$p")" = 1 ] || die "what was sent is gone from $s: run again"\n'
        'n=$(stat -c %s "$p")\n'
        f'[ "$n" = {source.size} ] || die "only $n of {source.size} bytes have arrived; run again, it goes on from there"\n'
        # Elsewhere than on the destination's file system a rename would be a copy, and not in one piece.
        'if [ "$(stat -c %d "$s")" != "$(stat -c %d "$d")" ]; then\n'
        f"  t={quote(spare)}\n"
        '  trap "rm -f \\"\\$t\\"" EXIT; trap "exit 1" HUP INT TERM PIPE\n'
        '  rm -f "$t"; e=$(cp "$p" "$t" 2>&1) || die "cannot write in $d: ${e##*: }; $f is as it was"\n'
        "fi\n"
        # To the disk, and read again, at once.
        'sync "$t" 2>/dev/null & y=$!\n'
        'h=$(sha256sum < "$t") || die "sha256sum failed on $t"; h=${h%% *}\n'
        'wait "$y" || sync\n'
        f'[ "$h" = {source.sha256} ] || {{ rm -rf "$s"; '
        'die "what arrived is not what was to be sent (its SHA-256 is $h); it is removed and $f is as it was: run again"; }\n'
        f"{attributes}"
        'e=$(mv -f "$t" "$f" 2>&1) || die "cannot put $f in its place: ${e##*: }"\n'
        f'rm -rf "$s"\nsync "$d" 2>/dev/null || sync\n{END}'
    )


def discard(remote: Remote, folder: str) -> None:
    """Remove what waits."""
    remote.run(f"{PRELUDE}rm -rf {quote(folder)}\n{END}")


def free_bytes(remote: Remote, folder: str) -> int:
    """Room on the file system of a folder, for everybody."""
    output = remote.run(
        f'{PRELUDE}df -Pk {quote(folder)} 2>/dev/null | {{ read -r l; read -r a b c free e; say free "$free"; }}\n{END}'
    )
    free = output.first("free")
    return int(free) * 1024 if free.isdigit() else 1 << 62


def sized(number: int) -> str:
    """Bytes for people."""
    return f"{number / MIB / 1024:.1f} GiB" if number >= 10 * 1024 * MIB // 8 else f"{number / MIB:.1f} MiB"
