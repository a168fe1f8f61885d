# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh itself is configured to do for a host, and which keys the host shows: through jump hosts too."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.palette.edge.plugins.plugin_utils._known_hosts import KINDS, HostKey, keys_of, read
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Reach, Remote

_ASKED = "shown"
# First, so that they win. What the user says of jump hosts, ports and users comes after, and holds.
_ONLY_KEYS = (
    # Of a host without a key of the kind that is asked for, ssh says nothing on a lower level.
    "LogLevel=INFO",
    f"HostKeyAlias={_ASKED}",
    "StrictHostKeyChecking=accept-new",
    "GlobalKnownHostsFile=/dev/null",
    "HashKnownHosts=no",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "ControlMaster=no",
    "ControlPath=none",
    "PreferredAuthentications=none",
    "BatchMode=yes",
)
_OTHER_KINDS = "no matching host key type"


@dataclass(frozen=True)
class Settings:
    """Under which name ssh keeps the host's key, and in which file."""

    name: str
    known_hosts: str


def is_ssh(reach: Reach) -> bool:
    """Whether the task's connection is OpenSSH's."""
    return bool(reach.connection.has_option("ssh_executable") and hasattr(reach.connection, "_build_command"))


def settings(reach: Reach) -> Settings:
    """What ssh would use for the task's host, its own files of configuration included. Raises HostError."""
    address = reach.own_address()
    if not is_ssh(reach) or not address:
        raise HostError(
            f"name, known_hosts: a connection of type {reach.connection._load_name} does not tell them; give both,"
            " or leave the task to the host itself (no delegate_to)."
        )
    rc, stdout, stderr = _run(_command(reach.at(address, connect_timeout=5), "-G", address), timeout=30)
    if rc != 0:
        raise HostError(f"{address}: ssh does not take its configuration: {' '.join(stderr.split())[:300]}")
    found: dict[str, str] = {}
    for line in stdout.splitlines():
        key, dummy, value = line.partition(" ")
        found.setdefault(key.lower(), value.strip())
    name = found.get("hostkeyalias", "")
    if not name:
        name, port = found.get("hostname", address), found.get("port", "22")
        name = name if port == "22" else f"[{name}]:{port}"
    return Settings(name, _first_file(found.get("userknownhostsfile", "")))


def shown_keys(
    reach: Reach, remote: Remote, *, connect_timeout: int, until: t.Callable[[HostKey], bool]
) -> list[HostKey]:
    """The keys that the host at the address of `remote` shows, until one is met that is looked for.

    Nothing is kept, nobody logs in. Raises AnsibleConnectionFailure when the host does not answer.
    """
    found: list[HostKey] = []
    # As ssh would choose by itself comes first: mostly that is all.
    for algorithms in ("", *KINDS.values()):
        for key in _shown(reach.at(remote.address, connect_timeout=connect_timeout, shared=False), algorithms):
            if key not in found:
                found.append(key)
        if any(map(until, found)):
            break
    return found


def _shown(remote: Remote, algorithms: str) -> list[HostKey]:
    with tempfile.TemporaryDirectory(dir=C.DEFAULT_LOCAL_TMP) as folder:
        kept = os.path.join(folder, "keys")
        options = [*_ONLY_KEYS, f'UserKnownHostsFile="{kept}"']
        options += [f"HostKeyAlgorithms={algorithms}"] if algorithms else []
        first = shlex.join(word for option in options for word in ("-o", option))
        remote.connection.set_option("ssh_args", f"{first} {remote.connection.get_option('ssh_args') or ''}".strip())
        stderr = _run(_command(remote, remote.address, "exit"), timeout=120)[2]
        keys = keys_of(read(kept), _ASKED)
    if keys or (algorithms and _OTHER_KINDS in stderr):
        return keys
    raise AnsibleConnectionFailure(f"Failed to connect to the host via ssh: {stderr.strip()}")


def _command(remote: Remote, *arguments: str) -> list[bytes]:
    """The command line that the connection itself would use. No password is in it or needed."""
    connection: t.Any = remote.connection
    connection.set_option("password", None)
    remote.play_context.password = None
    try:
        command = connection._build_command(connection.get_option("ssh_executable"), "ssh", *arguments)
    except AnsibleError as error:
        raise HostError(f"{remote.address}: {' '.join(str(error).split())}") from None
    return list(command)


def _run(command: list[bytes], *, timeout: int) -> tuple[int, str, str]:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise AnsibleConnectionFailure(f"no answer within {timeout} s") from None
    except OSError as error:
        raise HostError(f"{os.fsdecode(command[0])} cannot be started: {error.strerror}") from None
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def _first_file(files: str) -> str:
    """The first of several files. ssh says them without quotes, so a blank may belong to a name."""
    return os.path.expanduser(re.split(r" (?=[/~])", files)[0])
