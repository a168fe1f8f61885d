"""The base roots of the lab's hosts: Debian with systemd and sshd, built once and kept in the cache.

There are three: the plain one and one for hosts that may become nodes of a Kubernetes, both without Python, and one of a Linux
that is no Edge host yet, with Python.

The finished root lies unpacked in the cache, where every lab uses it as the read-only lower directory of its hosts'
overlays, and packed beside it (``base-<hash>.tar.zst``), which is what a CI cache carries over.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.hosts import linux_root
from lab.kubernetes import node_root

SUITE = "bookworm"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "systemd-timesyncd",
    "dbus",
    "openssh-server",
    "sudo",
    "iproute2",
    "iputils-ping",
    "ca-certificates",
    "procps",
)
# Where Debian is fetched from on a machine that is none.
_MIRROR = "http://deb.debian.org/debian"
_EXCLUDED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/lintian/*")

_SSH_KEYS_UNIT = """\
[Unit]
Description=Host key of the SSH server, made at the first boot
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=multi-user.target
"""

_SSHD_CONFIG = """\
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
PermitRootLogin no
PasswordAuthentication no
MaxStartups 100
"""

# Runs on the building machine with the new root as $1. Sleeping timers, the console's login and wait-online cost boot
# time or never end in a container; /var/lib/dbus/machine-id would give every host one and the same machine id.
_CUSTOMIZE = """\
set -eu
root=$1
[ -n "${LAB_PYTHON:-}" ] || test ! -e "$root/usr/bin/python3"
chroot "$root" useradd --create-home --shell /bin/bash --user-group kairos
printf 'kairos ALL=(ALL) NOPASSWD:ALL\\n' > "$root/etc/sudoers.d/kairos"
chmod 0440 "$root/etc/sudoers.d/kairos"
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root"/etc/ssh/ssh_host_*
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
: > "$root/etc/resolv.conf"
mkdir -p "$root/etc/systemd/system.conf.d" "$root/etc/ssh/sshd_config.d" "$root/oem" "$root/etc/systemd/network"
printf '[Manager]\\nDefaultTimeoutStopSec=5s\\n' > "$root/etc/systemd/system.conf.d/50-lab.conf"
printf '%s' "$LAB_SSHD_CONFIG" > "$root/etc/ssh/sshd_config.d/50-lab.conf"
printf '%s' "$LAB_SSH_KEYS_UNIT" > "$root/etc/systemd/system/lab-ssh-keys.service"
systemctl --root="$root" --quiet enable systemd-networkd.service systemd-timesyncd.service \\
    lab-ssh-keys.service ssh.service
systemctl --root="$root" --quiet mask systemd-networkd-wait-online.service console-getty.service apt-daily.timer \\
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer e2scrub_reap.service
"""


class BaseRootError(Exception):
    """The base root could not be made; the text says why and what to do, in one line."""


def cache_directory() -> Path:
    """Where the base roots are kept: ``$XDG_CACHE_HOME/palette-edge-lab`` or ``~/.cache/palette-edge-lab``."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "palette-edge-lab"


def recipe_hash(*, node: bool = False, linux: bool = False) -> str:
    """Changes whenever anything that goes into the base root changes, so that an old root is never mistaken for it."""
    recipe: list[Any] = [SUITE, PACKAGES, _EXCLUDED, _CUSTOMIZE, _SSH_KEYS_UNIT, _SSHD_CONFIG, platform.machine()]
    recipe += [node_root.PACKAGES, dict(node_root.FILES), node_root.CUSTOMIZE] if node else []
    recipe += [linux_root.PACKAGES, linux_root.CUSTOMIZE] if linux else []
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]


def root_directory(*, node: bool = False, linux: bool = False) -> Path:
    """Where the unpacked base root is, or would be."""
    return cache_directory() / f"base-{recipe_hash(node=node, linux=linux)}"


def base_root(say: Callable[[str], None], *, node: bool = False, linux: bool = False) -> Path:
    """The unpacked base root, built or unpacked first where needed.

    ``node`` is the one for nodes of a Kubernetes, ``linux`` that of hosts which are to become Edge hosts.

    Two labs that start at once build it once: the second waits for the first. Raises BaseRootError.
    """
    cache, root = cache_directory(), root_directory(node=node, linux=linux)
    archive = root.with_name(f"{root.name}.tar.zst")
    what = "the base root of hosts that become nodes" if node else "the base root of the lab's hosts"
    what = "the base root of hosts for agent mode" if linux else what
    if root.is_dir():
        return root
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(cache / "lock"):
            if root.is_dir():
                return root
            _clear_unfinished(cache)
            if archive.is_file():
                say(f"unpacking {what}")
                with finished_at(root) as work:
                    unpack(archive, work)
                return root
            say(f"building {what}, once, about half a minute")
            with finished_at(root) as work:
                _bootstrap(work, node=node, linux=linux)
                pack(work, archive)
            return root
    except OSError as error:
        raise BaseRootError(f"the base root of the lab's hosts cannot be kept in {cache}: {error.strerror}") from error


_TAR_FLAGS = ["--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*"]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ``.tar.zst`` into a directory. Raises BaseRootError."""
    run(["tar", *_TAR_FLAGS, "-C", str(folder), "-xf", str(archive)], f"unpacking {archive.name}")


def pack(folder: Path, archive: Path) -> None:
    """Pack a directory into a ``.tar.zst``, which is there whole or not at all. Raises BaseRootError."""
    packed = archive.with_suffix(".partial")
    run(["tar", *_TAR_FLAGS, "-C", str(folder), "-cf", str(packed), "."], f"packing {archive.name}")
    packed.rename(archive)


def _bootstrap(work: Path, *, node: bool, linux: bool) -> None:
    script = work.with_suffix(".sh")
    script.write_text(_CUSTOMIZE + (node_root.CUSTOMIZE if node else "") + (linux_root.CUSTOMIZE if linux else ""))
    files = work.with_suffix(".files")
    packages = PACKAGES + (node_root.PACKAGES if node else ()) + (linux_root.PACKAGES if linux else ())
    hooks = [f'sh {shlex.quote(str(script))} "$1"']
    environment = {"LAB_SSHD_CONFIG": _SSHD_CONFIG, "LAB_SSH_KEYS_UNIT": _SSH_KEYS_UNIT}
    environment["LAB_PYTHON"] = "yes" if linux else ""
    try:
        for path, (text, mode) in node_root.FILES.items() if node else ():
            target = files / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(mode)
        if node:
            hooks.insert(0, f'cp -R --preserve=mode {shlex.quote(str(files))}/. "$1/"')
        options = [f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED]
        options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
        mmdebstrap(work, packages, hooks, options=options, environment=environment)
    finally:
        script.unlink(missing_ok=True)
        shutil.rmtree(files, ignore_errors=True)


def mmdebstrap(
    work: Path,
    packages: Iterable[str],
    hooks: Iterable[str],
    *,
    options: Iterable[str] = (),
    source: bool = False,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Make a Debian root in ``work`` from this machine's own archive; ``hooks`` are shell commands with it as ``$1``.

    With ``source`` the hooks can have source packages too. Raises BaseRootError.
    """
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--quiet"]
    command += [f"--include={','.join(packages)}", *(f"--customize-hook={hook}" for hook in hooks), *options]
    command += [f"--aptopt={option}" for option in _transport_options()]
    sources = _sources()
    if source:
        sources = sources or [f"deb {_MIRROR} {SUITE} main"]
        sources += [line.replace("deb ", "deb-src ", 1) for line in sources]
    command += ['--aptopt=Acquire::Languages "none"', SUITE, str(work), *sources]
    run(command, "making a Debian root with mmdebstrap", environment={**os.environ, **(environment or {})})


def _transport_options() -> list[str]:
    """The proxy and certificate settings of this machine's apt, so that mirrors are reached in the same way."""
    found = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    wanted = re.compile(r"^Acquire::\S*(proxy|cainfo|capath|sslcert|sslkey|verify-)\S* \"[^\"]+\";$", re.IGNORECASE)
    return [line.rstrip(";") for line in found.splitlines() if wanted.match(line)]


def _sources() -> list[str]:
    """Source lines of this machine's own Debian archive, for our suite; empty = mmdebstrap's default mirror."""
    own_suite = _os_release().get("VERSION_CODENAME", "") if _os_release().get("ID") == "debian" else ""
    if not own_suite:
        return []
    lines: list[str] = []
    for uri, suite, components, signed_by in _apt_entries():
        if suite.split("-")[0] != own_suite or "main" not in components or "backports" in suite:
            continue
        option = f"[signed-by={signed_by}] " if signed_by.startswith("/") and own_suite == SUITE else ""
        lines.append(f"deb {option}{uri} {suite.replace(own_suite, SUITE, 1)} main")
    return lines if any(line.endswith(f" {SUITE} main") for line in lines) else []


def _apt_entries() -> Iterator[tuple[str, str, list[str], str]]:
    """(URI, suite, components, Signed-By) of each binary source of this machine, from both file formats."""
    etc = Path("/etc/apt")
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        for line in path.read_text(errors="replace").splitlines() if path.is_file() else []:
            match = re.match(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
            if match:
                signed = re.search(r"signed-by=(\S+)", match[1] or "")
                yield match[2], match[3], match[4].split(), signed[1] if signed else ""
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        text = "\n".join(line for line in path.read_text(errors="replace").splitlines() if not line.startswith("#"))
        for stanza in re.split(r"\n\s*\n", text):
            fields = {key.lower(): value.strip() for key, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M)}
            if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
                continue
            for uri in fields.get("uris", "").split():
                for suite in fields.get("suites", "").split():
                    yield uri, suite, fields.get("components", "").split(), fields.get("signed-by", "")


def _os_release() -> dict[str, str]:
    path = Path("/etc/os-release")
    return dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', path.read_text(), re.M)) if path.is_file() else {}


def run(command: list[str], doing: str, *, environment: dict[str, str] | None = None) -> None:
    """Run a command, ``doing`` in words. Raises BaseRootError with its own words when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise BaseRootError(f"{doing}: {command[0]} is not installed (apt-get install {command[0]})") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("E:") or "rror" in line] or lines
        raise BaseRootError(f"{doing} failed with status {done.returncode}: {' / '.join(told[:3]) or 'no message'}")


@contextmanager
def finished_at(root: Path) -> Iterator[Path]:
    """A work directory beside ``root`` that takes its name only when whole, and goes away when not."""
    work = Path(tempfile.mkdtemp(prefix=f"{root.name}.tmp-", dir=root.parent))
    work.chmod(0o755)
    try:
        yield work
        work.rename(root)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _clear_unfinished(cache: Path) -> None:
    """What a killed build left. Called under the lock, so nobody is at work on it."""
    for left in [*cache.glob("base-*.tmp-*"), *cache.glob("base-*.partial"), *cache.glob("base-*.files")]:
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file; others wait."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
