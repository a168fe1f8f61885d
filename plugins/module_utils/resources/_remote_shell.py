# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remote shell of an Edge host: a tunnel that Palette opens, and a temporary user in it.

Palette takes the wish (``spec.tunnelConfig``) and the agent carries it out later (``status.tunnelStatus``). Agents before
4.6.9 cannot, and a site may forbid it (``stylus.site.remoteShell.disable``). The user's credentials are secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..palette._errors import ConflictError, TerminalStateError

OPTIONS = {"remote_shell": "remoteSsh", "remote_shell_temporary_user": "remoteSshTempUser"}
SINCE_AGENT = (4, 6, 9)


def tunnel_body(values: Mapping[str, Any]) -> dict[str, str]:
    """The two switches as they are written, only those that have a value."""
    return {wire: values[option] for option, wire in OPTIONS.items() if values.get(option)}


def refuse_shell(uid: str, have: Mapping[str, Any], want: Mapping[str, Any]) -> None:
    """Refuses what the agent could not do, or would never do.

    :param have: the host as a result; ``want`` holds the switches that are wanted.
    :raises ConflictError: naming the option.
    """
    shell = want.get("remote_shell") or have.get("remote_shell") or "disabled"
    user = want.get("remote_shell_temporary_user") or have.get("remote_shell_temporary_user") or "disabled"
    if user == "enabled" and shell != "enabled":
        raise ConflictError(
            f"remote_shell_temporary_user: Edge host {uid} has no remote shell for it: set remote_shell to enabled, too, "
            "or remote_shell_temporary_user to disabled"
        )
    version = str(have.get("agent_version") or "")
    numbers = [int(one) for one in version.removeprefix("v").split("-", maxsplit=1)[0].split(".") if one.isdecimal()]
    if want.get("remote_shell") == "enabled" and len(numbers) == 3 and tuple(numbers) < SINCE_AGENT:
        raise ConflictError(
            f"remote_shell: the agent of Edge host {uid} is {version}, and a remote shell needs 4.6.9 or newer: "
            "upgrade the agent first"
        )


def described_shell(host: Mapping[str, Any]) -> dict[str, str]:
    """How far the tunnel and its user are, without credentials; empty texts where Palette says nothing."""
    ssh = (((host.get("status") or {}).get("tunnelStatus") or {}).get("ssh")) or {}
    user = ssh.get("user") or {}
    return {
        "remote_shell_state": ssh.get("state", ""),
        "remote_shell_message": ssh.get("message", ""),
        "remote_shell_user_state": user.get("state", ""),
        "remote_shell_user_message": user.get("message", ""),
    }


def shell_standing(hosts: Sequence[Mapping[str, Any]], wanted: Mapping[str, Mapping[str, str]]) -> tuple[bool, str]:
    """Whether tunnels and users are as they are wanted, and in words how far they are.

    :param hosts: as results; ``wanted`` has the switches by UID, for hosts whose shell matters.
    :raises TerminalStateError: when one failed, in the words of the agent.
    """
    waiting = []
    for host in hosts:
        switches = wanted.get(host["uid"], {})
        for option, key in (
            ("remote_shell", "remote_shell_state"),
            ("remote_shell_temporary_user", "remote_shell_user_state"),
        ):
            state = host.get(key, "")
            if option not in switches or (switches[option] == "disabled" and state in ("", "Deleted")):
                continue
            if state == "Failed":
                said = (host.get(key.replace("state", "message")), host.get("remote_shell_message"))
                why = next(filter(None, said), "Palette does not say why").rstrip(". ")
                raise TerminalStateError(
                    f"{option} of Edge host {host['uid']} failed: {why}. Check that its user-data does not forbid it "
                    "(stylus.site.remoteShell.disable) and that its agent is 4.6.9 or newer"
                )
            if switches[option] == "disabled" or state != "Created":
                waiting.append(f"{option} of {host['uid']} is {state or 'not there'}")
    return not waiting, "; ".join(waiting[:5]) or "all remote shells as wanted"


def credentials(host: Mapping[str, Any]) -> dict[str, str]:
    """User name, password and SSH key of the temporary user: secrets, for a file of its owner's alone. Empty if none."""
    ssh = (((host.get("status") or {}).get("tunnelStatus") or {}).get("ssh")) or {}
    found = (ssh.get("user") or {}).get("credentials") or {}
    pairs = (("username", "username"), ("password", "password"), ("ssh_key", "sshKey"))
    return {key: found[wire] for key, wire in pairs if found.get(wire)}
