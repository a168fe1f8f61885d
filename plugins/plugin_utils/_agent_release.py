# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release of the agent for agent mode: versions, names of its files, and what such a file must look like."""

from __future__ import annotations

import re
import typing as t

BASE_URL = "https://github.com/spectrocloud/agent-mode/releases/download"
UNINSTALLER = "spectro-uninstall-linux-amd64.sh"
"""Built under this name alone; a shell script, whatever the architecture."""

HEAD = 512
"""Bytes of a file that `misfit` wants to see."""

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)(-[0-9A-Za-z.-]+)?")
_MACHINES = {62: "amd64", 183: "arm64"}
"""What an ELF file calls the architectures."""


class ReleaseError(ValueError):
    """A version, name or checksum that cannot be: one line that names the option."""


def checked_version(text: str, *, option: str = "version") -> str:
    """A version such as `4.8.21`, without a leading v. Raises ReleaseError, also for `latest`."""
    found = _VERSION.fullmatch(text.strip())
    if not found:
        reason = "is no version" if text.strip() else "is missing"
        raise ReleaseError(
            f"{option}: {text!r} {reason}; give one of your choice, such as 4.8.21. The newest release may be too new for"
            " your Palette: GET /v1/services/stylus/version there names the one that fits."
        )
    return found[1] + (found[2] or "")


def version_key(version: str) -> tuple[t.Any, ...]:
    """What versions are ordered by: a release candidate comes before its release."""
    numbers, dummy, candidate = version.removeprefix("v").partition("-")
    parts = re.findall(r"\d+", candidate)
    return (*(int(part) for part in re.findall(r"\d+", numbers)[:3]), not candidate, *(int(part) for part in parts))


def asset_names(method: str, architecture: str, *, fips: bool) -> list[str]:
    """The files of a release that an installation needs, the script first. Raises ReleaseError."""
    if architecture not in _MACHINES.values():
        raise ReleaseError(
            f"architecture: there is no agent for {architecture or 'an unknown architecture'}; only amd64, arm64."
        )
    variant = "-fips" if fips else ""
    if method == "package":
        return [f"agent-mode{variant}-linux-{architecture}.tar"]
    return [f"palette-agent-install{variant}.sh", f"palette-agent{variant}-linux-{architecture}"]


def image(version: str, architecture: str, *, fips: bool) -> str:
    """The image that the installer pulls when nothing else is said."""
    registry = "us-docker.pkg.dev/palette-images" + ("-fips" if fips else "")
    return f"{registry}/edge/stylus-agent-mode-linux-{architecture}:v{version}"


def pinned(checksums: t.Mapping[str, t.Any], names: t.Sequence[str], *, version: str) -> dict[str, str]:
    """The SHA-256 of each file by its name. Raises ReleaseError when one is missing or is none."""
    missing = [name for name in names if not checksums.get(name)]
    if missing:
        raise ReleaseError(
            f"checksums: there is none for {', '.join(missing)} of version {version}; the vendor publishes none, so have it"
            " told by palette.edge.agent_release with require_checksums=false, compare, and pin it."
        )
    found = {name: str(checksums[name]).strip().lower().removeprefix("sha256:") for name in names}
    wrong = [name for name, digest in found.items() if not re.fullmatch(r"[0-9a-f]{64}", digest)]
    if wrong:
        raise ReleaseError(f"checksums: that of {', '.join(wrong)} is no SHA-256, which has 64 hexadecimal digits.")
    return found


def misfit(name: str, head: bytes) -> str:
    """Why a file with these first bytes cannot be the asset of this name; empty when it can."""
    start = head.lstrip()[:1]
    if not head:
        return "is empty"
    if start == b"<":
        return "is a web page (HTML), not the file; a proxy or a wrong address answers in its place"
    if name.endswith(".sh"):
        return "" if head.startswith(b"#!") else "is no script"
    if name.endswith(".tar"):
        return "" if head[257:262] == b"ustar" else "is no tar archive"
    if head.startswith(b"\x7fELF"):
        machine = _MACHINES.get(int.from_bytes(head[18:20], "little"), "another architecture")
        wanted = name.rpartition("-")[2]
        return "" if machine == wanted else f"is a program for {machine}, and the host is {wanted}"
    return "" if head.startswith(b"#!") else "is no program"
