"""The stages of user-data on a lab host: units that run their steps inside the host at each boot, when a real one would.

A host of the lab has no initramfs: its rootfs and initramfs stages run before the host's network begins. Of a step are
done: ``if``, ``directories``, ``files``, ``commands``, ``hostname``, ``sysctl``, ``users``, ``authorized_keys`` and
``systemctl``, in the order in which Kairos does them; the rest is told in the journal as left out. A step that fails
stops no other.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.hosts.rootfs import inside, put

FOLDER = "var/lib/lab-stages"
_UNITS = "etc/systemd/system"
_KNOWN = {
    "name",
    "if",
    "directories",
    "files",
    "commands",
    "hostname",
    "sysctl",
    "users",
    "authorized_keys",
    "systemctl",
}
_VERBS = ("enable", "disable", "start", "mask")
_PERMISSIONS = {"files": 0o644, "directories": 0o755}

_PRELUDE = """\
#!/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
cd /
failed() { echo "failed: $1" >&2; }
account() { id "$1" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --user-group "$1"; }
group() { getent group "$2" >/dev/null || groupadd "$2"; usermod --append --groups "$2" "$1"; }
key() {
  home=$(getent passwd "$1" | cut -d: -f6) && [ -n "$home" ] && mkdir -p -m 700 "$home/.ssh" || return 1
  file=$home/.ssh/authorized_keys
  grep -qxF "$2" "$file" 2>/dev/null || printf '%s\\n' "$2" >> "$file"
  chmod 600 "$file"; chown -R "$1:" "$home/.ssh"
}
"""


@dataclass(frozen=True)
class _Moment:
    """A unit: the stages that it runs, and its place in the host's start."""

    stages: tuple[str, ...]
    order: str
    wanted_by: str


_MOMENTS = {
    "initramfs": _Moment(
        ("rootfs", "initramfs"),
        "DefaultDependencies=no\nAfter=systemd-remount-fs.service systemd-sysusers.service\n"
        "Before=network-pre.target systemd-networkd.service sysinit.target\nWants=network-pre.target\n",
        "sysinit.target",
    ),
    "boot": _Moment(("fs", "boot"), "After=basic.target\n", "multi-user.target"),
    "network": _Moment(("network",), "After=systemd-networkd.service lab-stage-boot.service\n", "multi-user.target"),
}


def lay_out(root: Path, steps: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
    """Write the units that run the steps (by stage), and take away those that have none; returns the paths that changed."""
    changed = []
    for name, moment in _MOMENTS.items():
        lines = [
            line
            for stage in moment.stages
            for hook in ("before", "", "after")
            for step in steps.get(f"{stage}.{hook}" if hook else stage, ())
            for line in _lines(step)
        ]
        script, unit = f"{FOLDER}/{name}.sh", f"{_UNITS}/lab-stage-{name}.service"
        link = inside(root, f"{_UNITS}/{moment.wanted_by}.wants/lab-stage-{name}.service")
        if not lines:
            for path in (inside(root, script), inside(root, unit), link):
                if path.is_symlink() or path.exists():
                    path.unlink()
                    changed.append(path.name)
            continue
        texts = {script: (_PRELUDE + "\n".join(lines) + "\n", 0o700), unit: (_unit(name, moment), 0o644)}
        changed += [path for path, (text, mode) in texts.items() if put(root, path, text, mode=mode)]
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"/{unit}")
    return changed


def network_files(steps: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, str]:
    """The files for systemd-networkd that steps write, by name."""
    return {
        match[1]: str(file.get("content") or "")
        for stage in ("rootfs", "initramfs")
        for step in steps.get(stage, ())
        for file in step.get("files") or ()
        if isinstance(file, Mapping)
        and (match := re.fullmatch(r"/(?:etc|run)/systemd/network/([^/]+\.network)", str(file.get("path"))))
    }


def _unit(name: str, moment: _Moment) -> str:
    return (
        f"[Unit]\nDescription=Stages of the user-data: {', '.join(moment.stages)}\n{moment.order}"
        f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh /{FOLDER}/{name}.sh\nTimeoutStartSec=60\n"
        f"[Install]\nWantedBy={moment.wanted_by}\n"
    )


def _lines(step: Mapping[str, Any]) -> list[str]:
    try:
        return list(_step(step))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        words = f"{step.get('name')}: malformed ({type(error).__name__})"
        return [f"failed {shlex.quote(words)}"]


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    name = str(step.get("name") or "without a name")
    yield f"echo {shlex.quote('step: ' + name)}"
    test = step.get("if")
    yield f"if sh -c {shlex.quote(str(test))}; then :" if test else "if true; then :"
    for action in _actions(step):
        yield f"{action} || failed {shlex.quote(name)}"
    left_out = sorted(set(step) - _KNOWN)
    if left_out:
        yield f"echo {shlex.quote('left out: ' + ', '.join(left_out))}"
    yield "fi"


def _actions(step: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("directories", "files"):
        for entry in step.get(kind) or ():
            path = shlex.quote(str(entry["path"]))
            if kind == "directories":
                yield f"mkdir -p {path}"
            else:
                yield f"mkdir -p {shlex.quote(str(Path(str(entry['path'])).parent))}"
                yield f"printf %s {_encoded(entry)} | base64 -d > {path}"
            yield f"chmod {int(entry.get('permissions') or _PERMISSIONS[kind]):o} {path}"
            owner = entry.get("ownerstring") or f"{int(entry.get('owner') or 0)}:{int(entry.get('group') or 0)}"
            yield f"chown {shlex.quote(str(owner))} {path}"
    for command in step.get("commands") or ():
        yield f"sh -c {shlex.quote(str(command))}"
    if step.get("hostname"):
        yield f"hostname {shlex.quote(str(step['hostname']))}"
    for key, value in (step.get("sysctl") or {}).items():
        yield f"sysctl -q -w {shlex.quote(f'{key}={value}')}"
    for name, user in (step.get("users") or {}).items():
        yield from _account(str(name), user or {})
    for name, keys in (step.get("authorized_keys") or {}).items():
        yield from (f"key {shlex.quote(str(name))} {shlex.quote(str(key).strip())}" for key in keys)
    for verb in _VERBS:
        for unit in (step.get("systemctl") or {}).get(verb) or ():
            yield f"systemctl {verb} --quiet --no-block {shlex.quote(str(unit))}"


def _account(name: str, user: Mapping[str, Any]) -> Iterator[str]:
    who = shlex.quote(name)
    yield f"account {who}"
    passwd = str(user.get("passwd") or "")
    if passwd:
        flag = "--encrypted " if passwd.startswith("$") else ""
        yield f"printf '%s\\n' {shlex.quote(f'{name}:{passwd}')} | chpasswd {flag}".rstrip()
    for group in user.get("groups") or ():
        yield f"group {who} {shlex.quote(str(group))}"
    if user.get("lock_passwd"):
        yield f"passwd --quiet --lock {who}"
    if user.get("passwordExpiry"):
        yield f"chage --expiredate {shlex.quote(str(user['passwordExpiry']))} {who}"
    for key in user.get("ssh_authorized_keys") or ():
        yield f"key {who} {shlex.quote(str(key).strip())}"


def _encoded(file: Mapping[str, Any]) -> str:
    content = str(file.get("content") or "")
    if str(file.get("encoding") or "") in ("b64", "base64"):
        return shlex.quote("".join(content.split()))
    return base64.b64encode(content.encode()).decode() or "''"
