# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file on an Edge host: read its state, replace it in one piece, remove it.

A file is written beside its place, complete with checksum, owner and mode, flushed to the disk, then renamed. Whatever
happens before the rename leaves the old file as it was; the temporary one is removed by a trap, or, when the power
went, by the next write.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
import secrets
import shlex
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

STALE_MINUTES = 60
"""A temporary file older than this belongs to no write that still goes on."""


@dataclass(frozen=True)
class FileState:
    """What is at a path.

    `path` is where symbolic links lead; `content` is None when it was not asked for or is too long.
    """

    path: str
    exists: bool = False
    owner: str = ""
    uid: str = ""
    group: str = ""
    gid: str = ""
    mode: str = ""
    size: int = 0
    sha256: str = ""
    content: bytes | None = None


@dataclass(frozen=True)
class FileWanted:
    """What shall be there; None leaves an attribute as it is.

    `marker` is a file to write before the change takes place, `before` are lines of shell to run then.
    """

    content: bytes
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    validate: str = ""
    marker: str = ""
    before: str = ""
    sensitive: bool = False


def state_script(path: str, *, content_up_to: int = 0, hashed_at: int | None = None) -> str:
    """The lines that tell the state of `path`, and its content when it is no longer than `content_up_to` bytes.

    With `hashed_at`, only a file of just that size is read for its checksum: a large one takes a minute.
    """
    when = "" if hashed_at is None else f'[ "$(stat -c %s "$f")" -eq {hashed_at} ] && '
    return f"""
f={quote(path)}
r=$(readlink -f "$f" 2>/dev/null) && [ -n "$r" ] && f=$r
d=$(dirname "$f")
say path "$f"
[ -d "$d" ] && {{ [ -x "$d" ] || die "$d may not be entered by user $(id -un): become root"; }}
if [ -d "$f" ]; then say kind directory
elif [ -f "$f" ]; then
  say kind file
  say stat "$(stat -c "%u %g %a %s %U %G" "$f")"
  [ -r "$f" ] || die "$f may not be read by user $(id -un): become root"
  {when}{{ h=$(sha256sum < "$f") || die "sha256sum failed on $f"; say sha256 "${{h%% *}}"; }}
  if [ "$(wc -c < "$f")" -le {content_up_to} ]; then
    say content_begin
    base64 < "$f" | while IFS= read -r l; do say content "$l"; done
  fi
elif [ -e "$f" ]; then say kind other
elif [ -d "$d" ]; then say kind absent
else say kind nowhere
fi
"""


def read_state(output: Output, path: str, *, must_have_folder: bool = True) -> FileState:
    """The state of `path`; HostError when something other than a file is there, or not even its directory."""
    kind, real = output.first("kind"), output.first("path") or path
    if kind in {"directory", "other"}:
        raise HostError(
            f"path: {real} is {'a directory' if kind == 'directory' else 'no regular file'} on the host; name a file."
        )
    if kind == "nowhere" and must_have_folder:
        raise HostError(
            f"path: there is no directory {posixpath.dirname(real)} on the host; make it first, or name another path."
        )
    if kind != "file":
        return FileState(path=real)
    stat = (output.first("stat").split() + [""] * 6)[:6]
    uid, gid, mode, size, owner, group = stat
    content = None
    if output.all("content_begin"):
        try:
            content = base64.b64decode("".join(output.all("content")), validate=True)
        except binascii.Error as error:
            raise HostError(f"path: {real} came over the connection incomplete; run again.") from error
    return FileState(
        path=real,
        exists=True,
        owner=owner,
        uid=uid,
        group=group,
        gid=gid,
        mode=mode.zfill(4),
        size=int(size or 0),
        sha256=output.first("sha256"),
        content=content,
    )


def differing(state: FileState, wanted: FileWanted) -> list[str]:
    """Which of content, owner, group and mode are not as wanted."""
    digest = hashlib.sha256(wanted.content).hexdigest()
    return differences(state, digest, owner=wanted.owner, group=wanted.group, mode=wanted.mode)


def differences(
    state: FileState, sha256: str, *, owner: str | None = None, group: str | None = None, mode: str | None = None
) -> list[str]:
    """The same, for a file of which only the checksum of the wanted content is known."""
    if not state.exists:
        return ["content"]
    found = []
    if state.sha256 != sha256:
        found.append("content")
    if owner is not None and owner not in {state.owner, state.uid}:
        found.append("owner")
    if group is not None and group not in {state.group, state.gid}:
        found.append("group")
    if mode is not None and int(mode, 8) != int(state.mode or "0", 8):
        found.append("mode")
    return found


def attribute_diff(state: FileState, changes: list[str], **wanted: str | None) -> list[dict[str, str]]:
    """What changes of the attributes, as an entry of Ansible's diff; the content is for the caller."""
    names = [name for name in wanted if name in changes]
    if not names:
        return []
    header = f"{state.path} (attributes)"
    return [
        {
            "before_header": header,
            "after_header": header,
            "before": "".join(f"{name}: {getattr(state, name)}\n" for name in names),
            "after": "".join(f"{name}: {wanted[name]}\n" for name in names),
        }
    ]


def write(remote: Remote, state: FileState, wanted: FileWanted) -> None:
    """Make the file as wanted; only its attributes are touched when only they differ."""
    different = differing(state, wanted)
    if "content" in different:
        digest = hashlib.sha256(wanted.content).hexdigest()
        remote.run(
            write_script(state, wanted), payload=digest.encode() + b"\n" + wanted.content, secret=wanted.sensitive
        )
    elif different:
        remote.run(PRELUDE + attributes_script(quote(state.path), wanted.owner, wanted.group, wanted.mode) + END)


def remove(remote: Remote, state: FileState, *, marker: str = "", before: str = "") -> None:
    """Remove the file; `marker` and `before` as of FileWanted."""
    path = quote(state.path)
    remote.run(
        f"{PRELUDE}{before}{_marker(marker)}"
        f'e=$(rm -f {path} 2>&1) || die "cannot remove the file: $e"\n'
        f"sync {quote(posixpath.dirname(state.path))} 2>/dev/null || sync\n{END}"
    )


def write_script(state: FileState, wanted: FileWanted) -> str:
    """The script that replaces the file by its standard input: a line with the checksum, then the content."""
    folder, name = posixpath.split(state.path)
    temporary = posixpath.join(folder, f".{name}.palette-{secrets.token_hex(6)}")
    stale = re.sub(r"([\[\]*?\\])", r"\\\1", f".{name}.palette-") + "*"
    # Without a word on it, a file keeps the owner and mode it has.
    owner = wanted.owner if wanted.owner is not None else state.uid or None
    group = wanted.group if wanted.group is not None else state.gid or None
    mode = wanted.mode if wanted.mode is not None else state.mode or "0644"
    validate = ""
    if wanted.validate:
        command = quote(wanted.validate.replace("%s", shlex.quote(temporary)))
        said = "its output is hidden" if wanted.sensitive else '$(printf "%s" "$e" | tail -n 1)'
        validate = (
            f'e=$(sh -c {command} 2>&1 </dev/null) || die "validate: the command refused the new content: {said}"\n'
        )
    return (
        f"{PRELUDE}umask 077\nt={quote(temporary)}\nf={quote(state.path)}\nd={quote(folder)}\n"
        f'find "$d" -maxdepth 1 -type f -name {quote(stale)} -mmin +{STALE_MINUTES} -exec rm -f {{}} + 2>/dev/null\n'
        'trap "rm -f \\"\\$t\\"" EXIT\n'
        'trap "exit 1" HUP INT TERM PIPE\n'
        # noclobber: nobody can have put a link in our way.
        'e=$( (set -C; : > "$t") 2>&1 ) || die "cannot write in $d: ${e##*: }"\n'
        'IFS= read -r want || die "nothing arrived"\n'
        'e=$(dd of="$t" bs=65536 conv=fsync 2>&1) || {\n'
        '  e=$(printf "%s" "$e" | head -n 1); die "cannot write $f: ${e##*: }; it is as it was"\n'
        "}\n"
        'h=$(sha256sum < "$t") || die "sha256sum failed on the new $f"\n'
        '[ "${h%% *}" = "$want" ] || die "the new $f arrived incomplete; it is as it was"\n'
        f"{attributes_script(quote(temporary), owner, group, mode)}{validate}{wanted.before}{_marker(wanted.marker)}"
        'e=$(mv -f "$t" "$f" 2>&1) || die "cannot put $f in its place: ${e##*: }"\n'
        f'sync "$d" 2>/dev/null || sync\n{END}'
    )


def attributes_script(target: str, owner: str | None, group: str | None, mode: str | None) -> str:
    """The lines that give `target` (quoted, or a variable in quotes) what is not None."""
    lines = []
    if owner is not None or group is not None:
        whom = f"{owner or ''}{':' + group if group is not None else ''}"
        lines.append(f'e=$(chown {quote(whom)} {target} 2>&1) || die "cannot give the file to {whom}: ${{e##*: }}"')
    if mode is not None:
        lines.append(f'e=$(chmod {mode} {target} 2>&1) || die "cannot set mode {mode}: ${{e##*: }}"')
    return "".join(line + "\n" for line in lines)


def _marker(path: str) -> str:
    """Note, in memory and for this boot only, that a reboot is due."""
    if not path:
        return ""
    return (
        f"m={quote(path)}\n"
        'mkdir -p "$(dirname "$m")" && cat /proc/sys/kernel/random/boot_id > "$m" || die "cannot write $m"\n'
    )
