# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support bundle that the vendor's own script makes on a host: made, fetched in pieces, removed there, and cleaned."""

from __future__ import annotations

import base64
import hashlib
import tarfile
import tempfile
import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.plugin_utils._bundle import Collection, Section
from ansible_collections.palette.edge.plugins.plugin_utils._bundle_sections import VENDOR_SCRIPTS
from ansible_collections.palette.edge.plugins.plugin_utils._redact import Redactor
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote, plain_reason
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, quote

PIECE = 4 << 20
NAME = "vendor"
_TEXT_AT_MOST = 64 << 20


def add_vendor_bundle(
    remote: Remote, found: Collection, redactor: Redactor, *, most: int, size: int, timeout: int
) -> None:
    """Add what the script collects, each file with its last `size` bytes, when the host has the script.

    A bundle larger than `most` stays on the host. Nothing of this fails the rest: `left_out` says why there is none.
    """
    try:
        output = remote.run(PRELUDE + _make_script(found.agent_root, timeout) + END, secret=True)
        path, said = output.first("vendor"), output.first("vendor_none")
        if not path:
            found.left_out[NAME] = said or "the host has no support bundle script"
            return
        try:
            length, dummy, digest = output.first("vendor_size").partition(" ")
            if int(length or 0) > most:
                found.left_out[NAME] = f"{path} has {length} bytes, which is more than max_size"
                return
            with tempfile.TemporaryFile() as stream:
                _fetch(remote, path, int(length or 0), digest, stream)
                stream.seek(0)
                _unpack(stream, found, redactor, size=size)
        finally:
            remote.run(f"{PRELUDE}rm -f {quote(path)}\n{END}")
    except (HostError, AnsibleConnectionFailure, tarfile.TarError, OSError, EOFError) as error:
        reason = plain_reason(error) if isinstance(error, AnsibleConnectionFailure) else str(error)
        found.left_out[NAME] = f"the host's own bundle could not be had: {reason}"


def _make_script(root: str, timeout: int) -> str:
    scripts = " ".join(path.replace("$R", quote(root) if root else "") for path in VENDOR_SCRIPTS)
    return (
        f's=; for p in {scripts}; do [ -f "$p" ] && {{ s=$p; break; }}; done\n'
        f'[ -n "$s" ] || {{ {END.strip()}; exit 0; }}\n'
        f"d={quote(root)}/opt/spectrocloud/logs\n"
        'before=$(ls "$d"/*.tar.gz 2>/dev/null)\n'
        f'i=sh; command -v bash >/dev/null 2>&1 && i=bash; command -v timeout >/dev/null 2>&1 && i="timeout {timeout} $i"\n'
        # What it says is long, and the last line of it tells why it failed.
        'e=$( (cd "${s%/*}" && $i "$s") 2>&1 </dev/null); rc=$?\n'
        'f=; for p in "$d"/*.tar.gz; do\n'
        '  [ -f "$p" ] && case "$before" in *"$p"*) ;; *) f=$p ;; esac\n'
        "done\n"
        'if [ -z "$f" ]; then\n'
        '  say vendor_none "$s made no bundle (exit code $rc): $(printf "%s" "$e" | tail -n 1 | cut -c 1-200)"\n'
        "else\n"
        '  h=$(sha256sum < "$f"); say vendor_size "$(wc -c < "$f") ${h%% *}"; say vendor "$f"\n'
        "fi\n"
    )


def _fetch(remote: Remote, path: str, length: int, digest: str, stream: t.IO[bytes]) -> None:
    """The file in pieces, so that neither side holds all of it in memory."""
    seen = hashlib.sha256()
    for start in range(0, length, PIECE):
        script = f'say piece "$(tail -c +{start + 1} {quote(path)} | head -c {PIECE} | base64 | tr -d "\\n")"\n'
        piece = base64.b64decode(remote.run(PRELUDE + script + END, secret=True).first("piece"))
        seen.update(piece)
        stream.write(piece)
    if digest and seen.hexdigest() != digest:
        raise HostError(f"{path} came over the connection incomplete")


def _unpack(stream: t.IO[bytes], found: Collection, redactor: Redactor, *, size: int) -> None:
    total = 0
    with tarfile.open(fileobj=stream, mode="r:gz") as archive:
        for member in archive:
            if not member.isfile():
                continue
            name = f"{NAME}/{member.name.lstrip('./')}".replace("..", "_")
            taken = archive.extractfile(member)
            if taken is None or total > _TEXT_AT_MOST:
                found.left_out[name] = "there is too much of it"
                continue
            if member.size > size:
                taken.seek(member.size - size)
            raw = taken.read(size)
            if b"\0" in raw[:4096]:
                found.left_out[name] = "is no text"
                continue
            text = raw.decode("utf-8", errors="replace")
            cut = member.size > size
            text = redactor.text(text.partition("\n")[2] if cut else text)
            total += len(text)
            found.sections[name] = Section(name, text, cut)
