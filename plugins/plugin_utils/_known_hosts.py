# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of known hosts as OpenSSH has it: the keys of one name, read and replaced.

ssh appends to the file whenever it meets a new host, without a lock. Who replaces the file here therefore takes over
what was appended to the old one meanwhile.
"""

from __future__ import annotations

import base64
import binascii
import errno
import fcntl
import hashlib
import hmac
import itertools
import os
import re
import stat
import struct
import tempfile
import typing as t
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

KINDS = {
    "ED25519": "ssh-ed25519",
    "ECDSA": "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "RSA": "rsa-sha2-512,rsa-sha2-256",
}
"""How ssh shows a kind of key, and the algorithms by which it is asked for one."""

_TYPE = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9-]+@openssh\.com)")
_FINGERPRINT = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?(?![A-Za-z0-9+/=])")
_NAME = re.compile(r"[^\s,*?!|#@][^\s,*?!|]*")


@dataclass(frozen=True)
class HostKey:
    """The public key of a host: its type and its base64 text, as in a line of the file."""

    type: str
    text: str

    @property
    def fingerprint(self) -> str:
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(self.text)).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def kind(self) -> str:
        """As ssh itself and `ssh-keygen -l` call it."""
        return self.type.split("-")[0 if self.type.startswith("ecdsa") else 1].upper()

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint}"


def read_key(text: str) -> HostKey:
    """The key in a line of /etc/ssh/ssh_host_*_key.pub or of a file of known hosts. Raises ValueError, one line."""
    words = text.split()
    if "PRIVATE" in words:
        raise ValueError("is a private key; give the public one, whose file ends in .pub")
    for kind, blob in itertools.pairwise(words):
        if not _TYPE.fullmatch(kind):
            continue
        try:
            raw = base64.b64decode(blob, validate=True)
            (length,) = struct.unpack(">I", raw[:4])
        except (binascii.Error, struct.error):
            raise ValueError(f"the text behind {kind} is no key: a part of it is missing") from None
        if raw[4 : 4 + length] != kind.encode() or len(raw) <= 4 + length:
            raise ValueError(f"the text behind {kind} is no key of this type: a part of it is missing")
        return HostKey(kind, blob)
    raise ValueError("is no public key of a host; it is a line like: ssh-ed25519 AAAAC3Nza...")


def read_fingerprint(text: str) -> str:
    """The SHA256 fingerprint in `text`, which may be a line of `ssh-keygen -l`. Raises ValueError, one line."""
    found = _FINGERPRINT.search(text)
    if not found:
        raise ValueError(
            f"{text[:80]!r} has no fingerprint of the form SHA256: and 43 characters;"
            " ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on the host's console shows it"
        )
    return f"SHA256:{found[1]}"


def check_name(name: str) -> str:
    """`name`, when it can be the name of a host in the file. Raises ValueError, one line."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a host: a space, comma, *, ?, !, | or nothing at all")
    return name


def keys_of(text: str, name: str) -> list[HostKey]:
    """The keys that a file with this text has for `name`, each once. Patterns and lines with a marker do not count."""
    return list(dict.fromkeys(line.key for line in map(_Line.of, text.splitlines()) if line and line.names(name)))


def with_keys(text: str, name: str, wanted: Sequence[HostKey]) -> str:
    """`text` with exactly the keys `wanted` for `name`, everything else as it was."""
    missing = list(dict.fromkeys(wanted))
    kept: list[str] = []
    for raw in text.splitlines(keepends=True):
        line = _Line.of(raw)
        if line is None or not line.names(name):
            kept.append(raw)
        elif line.key in missing:
            missing.remove(line.key)
            kept.append(raw)
        else:
            kept += line.without(name)
    if kept and missing and not kept[-1].endswith("\n"):
        kept.append("\n")
    return "".join([*kept, *(f"{name} {key.type} {key.text}\n" for key in missing)])


@dataclass(frozen=True)
class _Line:
    """A line that has a key and no marker."""

    hosts: list[str]
    rest: str
    key: HostKey

    @classmethod
    def of(cls, raw: str) -> _Line | None:
        words = raw.split(None, 1)
        if len(words) < 2 or words[0][0] in "#@":
            return None
        try:
            return cls(words[0].split(","), words[1], read_key(words[1]))
        except ValueError:
            return None

    def names(self, name: str) -> bool:
        return any(_is(host, name) for host in self.hosts)

    def without(self, name: str) -> list[str]:
        """What is left of the line without `name`: a line, or none."""
        others = [host for host in self.hosts if not _is(host, name)]
        return [f"{','.join(others)} {self.rest}"] if others else []


def _is(host: str, name: str) -> bool:
    if not host.startswith("|1|"):
        return host.lower() == name.lower()
    try:
        salt, digest = (base64.b64decode(part) for part in host[3:].split("|"))
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.lower().encode(), hashlib.sha1).digest(), digest)


def read(path: str) -> str:
    """The text of the file, empty when there is none. Raises OSError."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def replace(path: str, change: Callable[[str], str]) -> None:
    """Replaces the text of the file by what `change` makes of it, in one go. Raises OSError.

    One after the other with others who do this, and without losing what ssh appends meanwhile.
    """
    path = os.path.realpath(path)
    with _locked(path) as old:
        before = old.read()
        after = change(before.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if after == before:
            return
        handle, fresh = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(after)
                os.fchmod(file.fileno(), stat.S_IMODE(os.fstat(old.fileno()).st_mode))
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(fresh)
            raise
        # ssh may have opened the old file just before.
        late = old.read()
        if late:
            with open(path, "ab", buffering=0) as file:
                file.write(late)


@contextmanager
def _locked(path: str) -> t.Iterator[t.BinaryIO]:
    """The file, made when it is missing, open for reading, with a lock on it; it is still the one at `path`."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                # A file system without locks: then several at once may be in each other's way, but no one else.
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                    raise
            here = os.fstat(file.fileno())
            try:
                there = os.stat(path)
            except FileNotFoundError:
                continue
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                yield file
                return
