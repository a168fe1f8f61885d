"""The remote shell of Edge hosts: a tunnel and a temporary user that come and go a while after they were asked for."""

from __future__ import annotations

from .core import Lab, stamp
from .errors import invalid
from .store import Document

NONE = {"remoteSsh": "disabled", "remoteSshTempUser": "disabled"}
# The first agent that can do it.
_SINCE_AGENT = (4, 6, 9)


def config(before: Document, given: Document) -> Document:
    """The configuration that is wanted from now on. Raises ApiError for a user without a tunnel."""
    tunnel = {**NONE, **before, **given}
    if tunnel["remoteSshTempUser"] == "enabled" and tunnel["remoteSsh"] != "enabled":
        raise invalid("remoteSshTempUser needs remoteSsh to be enabled")
    return tunnel


def change(lab: Lab, host: Document, given: Document) -> None:
    """Takes what is wanted into a host; what changes of it begins now."""
    before = host["spec"]["tunnelConfig"]
    after = config(before, given)
    host["spec"]["tunnelConfig"] = after
    inner = host.setdefault("_lab", {}).setdefault("tunnel", {})
    for key in NONE:
        if after[key] != before.get(key, "disabled"):
            inner[key] = lab.clock()
    if after["remoteSshTempUser"] == "disabled":
        inner.pop("credentials", None)
    elif "credentials" not in inner:
        inner["credentials"] = {
            "username": f"palette-{lab.secret()[:6]}",
            "password": lab.secret(),
            "sshKey": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lab.secret()}\n-----END OPENSSH PRIVATE KEY-----\n",
        }


def shown(lab: Lab, host: Document) -> Document:
    """A host with the status of its tunnel, credentials of the user included; one that never had any has none."""
    inner = (host.get("_lab") or {}).get("tunnel") or {}
    if "remoteSsh" not in inner:
        return host
    wanted, since = host["spec"]["tunnelConfig"], inner["remoteSsh"]
    state, message = _state(lab, host, since, on=wanted["remoteSsh"] == "enabled")
    ssh: Document = {"state": state, "message": message, "lastModifiedTime": stamp(since)}
    if "remoteSshTempUser" in inner:
        at = max(since, inner["remoteSshTempUser"])
        there, _message = _state(lab, host, at, on=wanted["remoteSshTempUser"] == "enabled")
        if there in ("Created", "Deleting") and state != "Deleted":
            ssh["user"] = {"state": "Created", "credentials": inner.get("credentials") or {}}
        elif there in ("Deleted", "Failed"):
            ssh["user"] = {"state": there}
        if "user" in ssh:
            ssh["user"]["lastModifiedTime"] = stamp(at)
    return {**host, "status": {**host["status"], "tunnelStatus": {"ssh": ssh}}}


def _state(lab: Lab, host: Document, since: float, *, on: bool) -> tuple[str, str]:
    health = host["status"].get("health") or {}
    under_way = lab.clock() - since < lab.options.form_seconds / 2
    if not on:
        return ("Deleting" if under_way else "Deleted"), ""
    if health.get("state") != "healthy":
        return "Initiating", "The Edge host is not connected"
    if _numbers(health.get("agentVersion", "")) < _SINCE_AGENT:
        return "Failed", "The agent of the Edge host is too old for a remote shell"
    return ("Initiating" if under_way else "Created"), ""


def _numbers(version: str) -> tuple[int, ...]:
    """A version as numbers; one that is none, as of an agent being developed, is the newest."""
    parts = version.removeprefix("v").split(".")
    return tuple(int(one) for one in parts) if all(one.isdigit() for one in parts) else (99,)
