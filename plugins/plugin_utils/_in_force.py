# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Edge host has in force: its layers of user-data, and what of them the system shows.

Two questions: the first reads the layers and what can be read without knowing them, the second looks for the
certificates, accounts and files that they name.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.plugin_utils._script import Output, quote
from ansible_collections.palette.edge.plugins.plugin_utils._way_back import LAYER, OEM

LONGEST = 1_000_000
"""Bytes of a layer that are read."""

MARKERS = "/run/palette-edge"
"""Directory on the host, in memory, of the notes that a reboot is due."""

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
)
"""Where the distributions gather what they trust."""

# Of a resolver of systemd the servers of the NICs are elsewhere than in resolv.conf, which names the resolver itself.
_SYSTEM = """
r=/run/systemd/resolve/resolv.conf; [ -r "$r" ] || r=/etc/resolv.conf
[ -r "$r" ] && while read -r k v; do
  case "$k" in nameserver|search) say resolver "$k $v" ;; esac
done < "$r"
for f in /etc/systemd/timesyncd.conf /etc/systemd/timesyncd.conf.d/*.conf /run/systemd/timesyncd.conf.d/*.conf; do
  [ -r "$f" ] && while IFS= read -r l; do case "$l" in NTP=*) say ntp "${l#NTP=}" ;; esac; done < "$f"
done
for f in /etc/chrony.conf /etc/chrony/chrony.conf /etc/chrony.d/*.conf /etc/chrony/conf.d/*.conf /etc/ntp.conf; do
  [ -r "$f" ] && while read -r k v l; do case "$k" in server|pool|peer) say ntp "$v" ;; esac; done < "$f"
done
for f in /etc/environment /etc/profile.d/*.sh /etc/default/proxy /etc/sysconfig/proxy; do
  [ -r "$f" ] && while IFS= read -r l; do
    case "$l" in *[Pp][Rr][Oo][Xx][Yy]=*) say proxy "$l" ;; esac
  done < "$f"
done
command -v ip >/dev/null 2>&1 && ip -d -o link show 2>/dev/null | while IFS= read -r l; do
  case "$l" in *" vlan protocol "*) say vlan "$l" ;; esac
done
for f in @MARKERS@/*.reboot; do [ -r "$f" ] && say pending "$(cat "$f")"; done
n=0
for f in @OEM@/*.yaml @OEM@/*.yml @PATH@; do
  [ -f "$f" ] || continue
  case "$f" in @OEM@/@LAYER@) continue ;; esac
  say layer "$n $(stat -c "%a %U %s %Y" "$f") $f"
  [ -r "$f" ] || die "$f may not be read by user $(id -un): become root"
  if [ "$(wc -c < "$f")" -le @LONGEST@ ]; then
    base64 < "$f" | while IFS= read -r l; do say content "$n $l"; done
  fi
  n=$((n + 1))
done
"""


@dataclass(frozen=True)
class LayerFile:
    """A layer on the host; `content` is None when it is too long to be one."""

    path: str
    mode: str
    owner: str
    content: bytes | None


@dataclass(frozen=True)
class Account:
    """An account of the host. `password` is the hash, a secret; `keys` are the bodies of its public keys."""

    groups: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    keys: frozenset[str] = frozenset()


@dataclass
class InForce:
    """What the host shows. `vlans`: number and NIC by interface; `proxy` by name in small letters.

    `certificates`, `accounts` and `files` (SHA-256) hold what was asked for and found.
    """

    facts: dict[str, t.Any]
    nameservers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    ntp_servers: list[str] = field(default_factory=list)
    proxy: dict[str, str] = field(default_factory=dict)
    vlans: dict[str, tuple[str, str]] = field(default_factory=dict)
    certificates: set[int] = field(default_factory=set)
    accounts: dict[str, Account] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def first_script(path: str) -> str:
    """The lines that tell the layers (those of /oem, and the site layer at `path` last) and the state of the system."""
    text = _SYSTEM.replace("@PATH@", quote(path)).replace("@OEM@", OEM).replace("@LAYER@", LAYER)
    return text.replace("@MARKERS@", quote(MARKERS)).replace("@LONGEST@", str(LONGEST))


def read_layers(output: Output, site_layer: str) -> list[LayerFile]:
    """The layers in the order in which they are merged: by name, the site layer last."""
    contents: dict[str, list[str]] = {}
    for line in output.all("content"):
        number, dummy, text = line.partition(" ")
        contents.setdefault(number, []).append(text)
    found = {}
    for line in output.all("layer"):
        number, mode, owner, size, dummy, path = (line.split(" ", 5) + [""] * 6)[:6]
        try:
            content = base64.b64decode("".join(contents.get(number, [])), validate=True)
        except binascii.Error:
            content = b""
        whole = len(content) == int(size or 0)
        found[path] = LayerFile(path, mode.zfill(4), owner, content if whole else None)
    return [found[path] for path in sorted(found, key=lambda path: (path == site_layer, path))]


def read_system(output: Output, facts: dict[str, t.Any]) -> InForce:
    """What the first script said of the system."""
    seen = InForce(facts)
    for line in output.all("resolver"):
        kind, dummy, value = line.partition(" ")
        target = seen.nameservers if kind == "nameserver" else seen.search
        target += [word for word in value.split() if word not in target]
    seen.ntp_servers = list(dict.fromkeys(word for line in output.all("ntp") for word in line.split()))
    for line in output.all("proxy"):
        match = re.match(r"\s*(?:export\s+)?(\w+_proxy)=[\"']?([^\"']*)", line, re.IGNORECASE)
        if match:
            seen.proxy[match[1].lower()] = match[2].strip()
    for line in output.all("vlan"):
        # 5: eth0.42@eth0: <...> mtu 1500 ... vlan protocol 802.1Q id 42 <REORDER_HDR> ...
        match = re.match(r"\d+: ([^\s:@]+)@([^\s:]+):.* vlan protocol \S+ id (\d+)", line)
        if match:
            seen.vlans[match[1]] = (match[3], match[2])
    return seen


def second_script(certificates: t.Sequence[str], accounts: t.Iterable[str], files: t.Iterable[str]) -> str:
    """The lines that look for certificates (PEM), accounts and files; empty without any."""
    marks = [(at, mark) for at, text in enumerate(certificates) if (mark := certificate_mark(text))]
    lines = (
        ["for b in " + " ".join(BUNDLES) + '; do\n  [ -r "$b" ] || continue\n  t=$(tr -d "\\r\\n" < "$b")']
        if marks
        else []
    )
    # The marks are letters, digits, + and /.
    lines += [f'  case "$t" in *{mark}*) say certificate {at} ;; esac' for at, mark in marks]
    lines += ["done"] if marks else []
    for name in accounts:
        who = quote(name)
        lines += [
            f"u={who}",
            'if l=$(getent passwd "$u" 2>/dev/null || grep "^$u:" /etc/passwd); then',
            '  say account "$u"; say groups "$u $(id -Gn "$u" 2>/dev/null)"',
            '  s=$(grep "^$u:" /etc/shadow 2>/dev/null | cut -d: -f2); say password "$u ${s:--}"',
            '  h=$(printf "%s" "$l" | cut -d: -f6); k="$h/.ssh/authorized_keys"',
            '  [ -r "$k" ] && while IFS= read -r l; do say key "$u $l"; done < "$k"',
            "fi",
        ]
    for at, path in enumerate(files):
        lines += [
            f'h=; [ -f {quote(path)} ] && h=$(sha256sum < {quote(path)}); h=${{h%% *}}; say written "{at} ${{h:--}}"'
        ]
    return "\n".join(lines) + "\n" if lines else ""


def read_second(output: Output, seen: InForce, files: t.Iterable[str]) -> None:
    """Add to `seen` what the second script said."""
    seen.certificates = {int(number) for number in output.all("certificate") if number.isdigit()}
    by_name: dict[str, dict[str, list[str]]] = {name: {} for name in output.all("account")}
    for kind in ("groups", "password", "key"):
        for line in output.all(kind):
            name, dummy, value = line.partition(" ")
            by_name.setdefault(name, {}).setdefault(kind, []).append(value)
    for name, told in by_name.items():
        seen.accounts[name] = Account(
            groups=tuple(" ".join(told.get("groups", [])).split()),
            password="".join(told.get("password", [])),
            keys=frozenset(body for line in told.get("key", []) if (body := key_body(line))),
        )
    paths = list(files)
    for line in output.all("written"):
        number, dummy, checksum = line.partition(" ")
        if number.isdigit() and int(number) < len(paths):
            seen.files[paths[int(number)]] = "" if checksum == "-" else checksum


def certificate_mark(text: str) -> str:
    """The end of a certificate's base64, part of its signature and so its own; empty when the text is none."""
    if "BEGIN" not in text:
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    match = re.search(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", text)
    return "".join(match[1].split()).rstrip("=")[-64:] if match else ""


def key_body(line: str) -> str:
    """The key itself of a line of authorized_keys, without options and comment; empty when there is none."""
    match = re.search(r"(?:^|\s)(?:ssh-|ecdsa-|sk-)\S+\s+(AAAA[A-Za-z0-9+/=]+)", line)
    return match[1] if match else ""
