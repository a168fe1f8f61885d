# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory tells ssh about host keys, and what ssh says when it refuses one.

OpenSSH keeps and checks the keys. All that is given to it is a file of the fleet's own and a name for each host that
does not depend on its address: so a host may change its address, and another host at the same address is noticed.
"""

from __future__ import annotations

import os
import re
import shlex
import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader

ARGS = "edge_ssh_host_key_args"
"""Variable of each host: the options of ssh for its host key."""

POLICIES = {"pinned": "accept-new", "strict": "yes", "system": ""}
"""What of StrictHostKeyChecking stands for a policy."""

FILE = ".known_hosts"
"""Beside the inventory file. Hidden, so that Ansible does not read it when the folder is the inventory."""

_USED_BY = ("ssh", "sftp", "scp")


@dataclass(frozen=True)
class HostKeys:
    """How the keys of hosts are to be checked."""

    policy: str = "pinned"
    known_hosts: str = ""
    explicit: bool = False
    """Whether the user asked for this policy; a default gives way to `host_key_checking` of Ansible's configuration."""

    def args(self, name: str) -> str:
        """The options of ssh for the host `name`, in which nothing needs quotes."""
        return f"-o HostKeyAlias={name} {self._shared}"

    @cached_property
    def _shared(self) -> str:
        """What is the same for all hosts, of which there may be thousands."""
        options = (
            f"StrictHostKeyChecking={POLICIES[self.policy]}",
            # Quoted for ssh, which takes several files here.
            f'UserKnownHostsFile="{self.known_hosts}"',
            "HashKnownHosts=no",
            # Before OpenSSH 8.5 the address would be pinned too.
            "CheckHostIP=no",
        )
        return shlex.join(word for option in options for word in ("-o", option))

    def variables(self) -> dict[str, str | bool]:
        """The variables of the group of all hosts. Texts with braces are templates.

        ssh takes the first value that it meets, and what the user has in ssh_args and ssh_common_args comes before.
        What Ansible's configuration or environment says of these options is kept, in front. For a group, so that
        group_vars and host_vars win; by a variable of each host, as `inventory_hostname` is another one when delegated.
        """
        found: dict[str, str | bool] = {}
        for program in _USED_BY:
            before = _configured(f"{program}_extra_args")
            found[f"ansible_{program}_extra_args"] = f"{before} {{{{ {ARGS} | default('') }}}}".strip()
        if self.explicit:
            found["ansible_host_key_checking"] = True
        return found

    def warning(self) -> str:
        """Why new keys cannot be kept; empty when they can."""
        if self.policy != "pinned":
            return ""
        place = self.known_hosts if os.path.exists(self.known_hosts) else os.path.dirname(self.known_hosts)
        if os.access(place, os.W_OK):
            return ""
        return (
            f"host_keys: {place} cannot be written, so keys of new hosts are accepted and not kept. Name another file "
            "(host_keys: known_hosts), or refuse hosts that are not in it (host_keys: policy: strict)"
        )


def host_keys_option(value: t.Any, folder: str) -> HostKeys:
    """The option `host_keys` of an inventory file in `folder`. Raises ValueError, one line, when it is not right."""
    given = value or {}
    if not isinstance(given, dict):
        raise ValueError("host_keys: must be a map with policy and known_hosts")  # noqa: TRY004
    unknown = [str(key) for key in given if key not in ("policy", "known_hosts")]
    if unknown:
        raise ValueError(f"host_keys.{unknown[0]}: unknown option; there are policy and known_hosts")
    policy = given.get("policy") or "pinned"
    if policy not in POLICIES:
        raise ValueError(f"host_keys.policy: {policy!r} is none of {', '.join(POLICIES)}")
    name = str(given.get("known_hosts") or FILE)
    path = os.path.normpath(os.path.join(folder, os.path.expanduser(os.path.expandvars(name))))
    if re.search(r'[%"\\\x00-\x1f]', path):
        raise ValueError(f"host_keys.known_hosts: {path!r} has a %, a quote, a backslash or a line break in it")
    if policy != "system":
        if os.path.isdir(path):
            raise ValueError(f"host_keys.known_hosts: {path} is a directory; name a file")
        if not os.path.isdir(os.path.dirname(path)):
            raise ValueError(f"host_keys.known_hosts: there is no directory {os.path.dirname(path)}; make it first")
        if policy == "strict" and not os.path.isfile(path):
            raise ValueError(
                f"host_keys.known_hosts: there is no file {path}, and policy: strict takes hosts in it only"
            )
    return HostKeys(str(policy), path, explicit=bool(given.get("policy")))


def _configured(option: str) -> str:
    """What ansible.cfg or the environment says of an option of ssh connections."""
    connection_loader.get("ssh", class_only=True)
    try:
        return str(C.config.get_config_value(option, plugin_type="connection", plugin_name="ssh") or "").strip()
    except AnsibleError:
        return ""


@dataclass(frozen=True)
class Refusal:
    """Why ssh refused a host key, and what to do about it; each one line."""

    reason: str
    advice: str


# Ansible puts words of its own before the first line.
_CHANGED = re.compile(r"\bHost key for (\S+) has changed", re.MULTILINE)
_UNKNOWN = re.compile(r"\bNo (\S+) host key is known for (\S+) and", re.MULTILINE)
_OFFENDING = re.compile(r"\bOffending (\S+) key in (.+?:\d+)$", re.MULTILINE)
_FINGERPRINT = re.compile(r"\bThe fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?$", re.MULTILINE)
_REVOKED = re.compile(r"\bThe (\S+) host key for (\S+) is marked as revoked", re.MULTILINE)


def refusal(text: str) -> Refusal | None:
    """What is behind an error of ssh about a host key; None when it is about something else."""
    text = "\n".join(line.strip() for line in text.replace("\r", "").splitlines())
    if "Host key verification failed" not in text and "Host Key checking is enabled" not in text:
        return None
    changed, unknown, revoked = _CHANGED.search(text), _UNKNOWN.search(text), _REVOKED.search(text)
    place, shown = _OFFENDING.search(text), _FINGERPRINT.search(text)
    if changed and shown:
        kind, fingerprint = shown.groups()
        where = place[2] if place else "the file of known hosts"
        options = f"name: {changed[1]}, fingerprint: {fingerprint}"
        return Refusal(
            f"{changed[1]} shows the {kind} host key {fingerprint}, and {where} has another",
            "the host was reinstalled, or another machine answers in its place: compare the fingerprint with the host's"
            f" console, then accept it with palette.edge.host_key ({options})",
        )
    if revoked:
        return Refusal(f"the {revoked[1]} host key of {revoked[2]} is revoked", "see the file of known hosts")
    if unknown:
        return Refusal(
            f"the {unknown[1]} host key of {unknown[2]} is not known here",
            f"accept it with palette.edge.host_key (name: {unknown[2]}, fingerprint: as the host's console shows it)",
        )
    return Refusal(
        "its host key, or that of a jump host before it, is not known here or changed",
        "accept it with palette.edge.host_key, or let ssh pin keys at the first contact"
        " (StrictHostKeyChecking=accept-new)",
    )
