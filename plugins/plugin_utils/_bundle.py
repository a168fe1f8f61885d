# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting what a host says about itself, and writing it down as a support bundle here.

Nothing is written on the host, whose disk may be full, and nothing comes to a disk here with a secret in it: sections
come over the connection, compressed, a few at a time, and are cleaned before anybody else sees them.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import posixpath
import tarfile
import tempfile
import time
import typing as t
import zlib
from dataclasses import dataclass, field

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.plugin_utils._bundle_sections import (
    LAYERS,
    LOGS,
    SECRETS,
    STATE,
    UNIT_PATTERNS,
    UNITS,
)
from ansible_collections.palette.edge.plugins.plugin_utils._redact import Redactor, secret_values
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote, plain_reason
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

STATE_SIZE = 256 << 10
BATCH_SIZE = 8 << 20
"""Bytes that one round trip may bring, before they are compressed: what bounds the memory it takes here."""
_SECRET_SIZE = 1 << 20

_COMMON = """
if command -v timeout >/dev/null 2>&1; then t="timeout 20"; else t=; fi
lim() { command -v "$1" >/dev/null 2>&1 || return 127; $t "$@"; }
z=cat; command -v gzip >/dev/null 2>&1 && z="gzip -c"
say packed "$z"
R=
if [ -r /etc/spectro/environment ]; then
  R=$(sed -n "s/^\\(export \\)*STYLUS_ROOT=//p" /etc/spectro/environment | tail -n 1 | tr -d "\\"")
fi
# The end of what comes in, which is where a log tells most; one byte more shows that there was more.
part() { tail -c "$(($2 + 1))" | $z | base64 | sed "s/^/@part$1 /"; }
"""
_KUBERNETES = """
kc=; for p in /run/kubeconfig /etc/kubernetes/admin.conf /etc/rancher/k3s/k3s.yaml /etc/rancher/rke2/rke2.yaml \\
  /etc/kubernetes/kubelet.conf /var/lib/rancher/k3s/agent/kubelet.kubeconfig; do
  [ -r "$p" ] && { kc=$p; break; }
done
kb=; for p in kubectl "$R/opt/spectrocloud/bin/kubectl" /var/lib/rancher/rke2/bin/kubectl /usr/local/bin/k3s; do
  p=$(command -v "$p" 2>/dev/null) && { kb=$p; break; }
done
case $kb in */k3s) kb="$kb kubectl" ;; esac
k() { if [ -n "$kc" ] && [ -n "$kb" ]; then lim $kb --kubeconfig "$kc" --request-timeout=10s "$@"; fi; }
"""


@dataclass(frozen=True)
class Section:
    """One file of the bundle; `cut` when only its end is there."""

    name: str
    text: str
    cut: bool = False


@dataclass
class Collection:
    """What was collected of a host. `left_out` says of what is not there why."""

    sections: dict[str, Section] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    agent_root: str = ""

    def evidence(self) -> dict[str, str]:
        """Name of each section -> its text."""
        return {name: section.text for name, section in self.sections.items()}


def state_script() -> str:
    """The lines of the first round trip: every small section, secrets to hide, and which logs and units there are."""
    lines: list[str] = [_COMMON, 'say root "$R"\n', _KUBERNETES]
    lines += [_part(number, command, STATE_SIZE) for number, (dummy, command) in enumerate(STATE)]
    for key, paths in (("layer", LAYERS), ("secret", SECRETS)):
        lines.append(
            f"for p in {_paths(paths)}; do\n"
            f'  [ -f "$p" ] && [ -r "$p" ] && [ "$(wc -c < "$p")" -le {_SECRET_SIZE} ] || continue\n'
            f'  say {key} "$p $(base64 < "$p" | tr -d "\\n")"\ndone\n'
        )
    lines.append(f'for p in {_paths(LOGS)}; do\n  [ -f "$p" ] && [ -r "$p" ] && say log "$(wc -c < "$p") $p"\ndone\n')
    patterns = " ".join(f'"{name}"' for name in (*(f"{unit}.service" for unit in UNITS), *UNIT_PATTERNS))
    lines.append(
        "command -v journalctl >/dev/null 2>&1 && say journal yes\n"
        f"lim systemctl list-unit-files --no-legend --no-pager {patterns} 2>/dev/null |\n"
        '  while read -r u l; do case "$u" in *@.*) ;; *) say unit "$u" ;; esac; done\n'
    )
    return "".join(lines)


def read_state(output: Output, redactor: Redactor, *, journal_lines: int) -> tuple[Collection, list[tuple[str, str]]]:
    """The first round trip's answer, and what to ask for next: (name, shell line) of each log, in the order of interest."""
    found = Collection(agent_root=output.first("root"))
    for line in output.all("secret"):
        redactor.add(secret_values(_decoded(line.partition(" ")[2])))
    layers = [line.partition(" ")[::2] for line in output.all("layer")]
    # Twice: what one layer calls a secret may stand in another, as a plain word.
    shown = [(path, redactor.user_data(_decoded(encoded))) for path, encoded in layers]
    _take(found, output, [name for name, dummy in STATE], STATE_SIZE, redactor)
    for path, text in shown:
        name = f"user-data{path}"
        found.sections[name] = Section(name, redactor.text(text))
    asked = []
    journal = f"lim journalctl -q --no-pager -o short-iso -n {journal_lines}"
    if output.all("journal"):
        units = list(dict.fromkeys(unit for unit in output.all("unit") if _plain(unit)))
        for unit in sorted(units, key=_interest):
            asked.append((f"journal/{unit.removesuffix('.service')}", f"{journal} -b -u {quote(unit)}"))
        asked.insert(0, ("journal/kernel", f"{journal} -b -k || lim dmesg"))
        asked.append(("journal/errors", f"{journal} -b -p err"))
        asked.append(("journal/boot-before", f"{journal} -b -1 -p warning 2>/dev/null"))
    else:
        found.left_out["journal"] = "there is no journalctl on the host"
        asked.append(("journal/kernel", "lim dmesg"))
    for line in output.all("log"):
        size, dummy, path = line.partition(" ")
        if path and size != "0":
            asked.append((f"logs{path}", f"tail -c $SIZE {quote(path)}"))
    return found, asked


def collect(remote: Remote, found: Collection, asked: list[tuple[str, str]], redactor: Redactor, *, size: int) -> None:
    """Ask for the logs, several in one round trip. What a host that breaks off did not give is left out, with the reason."""
    each = max(1, BATCH_SIZE // max(1, size))
    for start in range(0, len(asked), each):
        batch = asked[start : start + each]
        # From a file, tail goes to its end at once; through a pipe it would read all of it.
        lines = [_COMMON, f"SIZE={size + 1}\n"]
        for number, (dummy, command) in enumerate(batch):
            lines.append(_part(number, command, size))
        try:
            output = remote.run(PRELUDE + "".join(lines) + END, secret=True)
        except (HostError, AnsibleConnectionFailure) as error:
            reason = plain_reason(error) if isinstance(error, AnsibleConnectionFailure) else str(error)
            for name, dummy in asked[start:]:
                found.left_out[name] = f"the host did not give it: {reason}"
            return
        _take(found, output, [name for name, dummy in batch], size, redactor)


def write_bundle(path: str, folder: str, sections: t.Sequence[Section], *, most: int) -> tuple[int, dict[str, str]]:
    """Write the sections as a .tar.gz, whole or not at all, for its owner's eyes: (size, what was left out and why).

    `most` is a limit in bytes; what would not fit is left out, later ones are still tried. Raises OSError.
    """
    left_out: dict[str, str] = {}
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            taken, now = 1024, time.time()
            with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as archive:
                for section in sections:
                    raw = section.text.encode()
                    needs = len(zlib.compress(raw, 6)) + 512
                    if taken + needs > most:
                        left_out[section.name] = "the bundle would be larger than max_size"
                        continue
                    taken += needs
                    member = tarfile.TarInfo(posixpath.join(folder, section.name.lstrip("/")))
                    member.size, member.mtime, member.mode = len(raw), int(now), 0o600
                    archive.addfile(member, io.BytesIO(raw))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return os.path.getsize(path), left_out


def _take(found: Collection, output: Output, names: list[str], size: int, redactor: Redactor) -> None:
    packed = output.first("packed") != "cat"
    for number, name in enumerate(names):
        raw = _unpacked("".join(output.all(f"part{number}")), packed=packed)
        if raw is None:
            found.left_out[name] = "it came over the connection incomplete"
            continue
        cut = len(raw) > size
        text = raw.decode("utf-8", errors="replace")
        if cut:
            # The first line is half a one: a secret in it would not be known again.
            text = text.partition("\n")[2]
        text = redactor.text(text)
        if text.strip():
            found.sections[name] = Section(name, text, cut)


def _unpacked(encoded: str, *, packed: bool) -> bytes | None:
    try:
        raw = base64.b64decode(encoded)
        return zlib.decompress(raw, wbits=31) if packed and raw else raw
    except (binascii.Error, zlib.error):
        return None


def _decoded(encoded: str) -> str:
    return (_unpacked(encoded, packed=False) or b"").decode("utf-8", errors="replace")


def _part(number: int, command: str, size: int) -> str:
    return f"{{ {command}; }} </dev/null 2>&1 | part {number} {size}\n"


def _paths(patterns: t.Sequence[str]) -> str:
    """The patterns for a loop of the shell, and below the agent's own root once more."""
    below = " ".join("$R" + pattern for pattern in patterns)
    return f'{" ".join(patterns)} $([ -n "$R" ] && ls -d {below} 2>/dev/null)'


def _plain(unit: str) -> bool:
    return bool(unit) and all(sign.isalnum() or sign in "-_.@:\\" for sign in unit)


def _interest(unit: str) -> tuple[int, str]:
    name = unit.removesuffix(".service")
    return (UNITS.index(name) if name in UNITS else len(UNITS), name)
