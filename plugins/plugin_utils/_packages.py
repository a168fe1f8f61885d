# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of a host's distribution, by its own package manager and with a shell alone."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, quote

FAMILIES: dict[str, tuple[str, ...]] = {
    "debian": ("debian", "ubuntu", "linuxmint", "raspbian"),
    "redhat": ("rhel", "rocky", "almalinux", "centos", "ol", "fedora", "amzn"),
    "suse": ("sles", "sled", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sle-micro", "suse"),
}
"""IDs of /etc/os-release by family."""

MANAGERS = {"debian": "apt-get", "redhat": "dnf", "suse": "zypper"}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_PROGRAM = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9+._/-]*")

LOOK = """
if [ -r /etc/os-release ]; then
  while IFS= read -r l; do case "$l" in ID_LIKE=*) say like "${l#*=}" ;; esac; done < /etc/os-release
fi
"""

# Installed is what the manager calls so: a Debian package that was removed may have left its configuration.
_ASKED = {
    "debian": 's=$(dpkg-query -W -f "\\${db:Status-Status}" "$1" 2>/dev/null); [ "$s" = installed ]',
    "redhat": 'rpm -q --whatprovides "$1" >/dev/null 2>&1',
    "suse": 'rpm -q --whatprovides "$1" >/dev/null 2>&1',
}
# None of them may remove a package for one that it installs: apt-get would take chrony away for systemd-timesyncd.
_INSTALL = {
    "debian": "apt-get -q -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300"
    " -o Dpkg::Options::=--force-confold install",
    "redhat": "dnf -q -y --setopt=install_weak_deps=False install",
    "suse": "zypper --quiet --non-interactive install --no-recommends",
}
_REFRESH = {"debian": "apt-get -q -o DPkg::Lock::Timeout=300 update", "redhat": "", "suse": ""}


def family(identity: str, like: str) -> str:
    """`debian`, `redhat` or `suse`, by ID and ID_LIKE of /etc/os-release; empty for another."""
    for name in [identity, *like.strip("\"'").split()]:
        for found, members in FAMILIES.items():
            if name in members:
                return found
    return ""


def checked_names(names: t.Iterable[str]) -> dict[str, str]:
    """The packages in order, each with the program that makes it needless, if one is named (`conntrack-tools:conntrack`).

    Raises ValueError with the one that is no name of a package.
    """
    found = {}
    for name in names:
        package, dummy, program = name.partition(":")
        if not _NAME.fullmatch(package) or (program and not _PROGRAM.fullmatch(program)):
            raise ValueError(f"{name!r} is no name of a package, nor of a package and its program (as jq:jq)")
        found[package] = program
    return found


def missing_script(kind: str, packages: t.Mapping[str, str]) -> str:
    """A script that says which packages are missing (`@missing`)."""
    asked = "".join(
        f"has {quote(name)} {quote(program)} || say missing {quote(name)}\n" for name, program in packages.items()
    )
    there = '[ -n "$2" ] && command -v "$2" >/dev/null 2>&1 && return 0'
    return f"{PRELUDE}has() {{ {there}; {_ASKED[kind]}; }}\n{asked}{END}"


def install_script(kind: str, names: t.Sequence[str]) -> str:
    """A script that installs packages; its standard input are lines NAME=VALUE for the environment (a proxy)."""
    refresh = (
        f'o=$({_REFRESH[kind]} 2>&1 </dev/null) || w=" (the lists could not be renewed: $(last))"\n'
        if _REFRESH[kind]
        else ""
    )
    tool = MANAGERS[kind]
    words = " ".join(quote(name) for name in names)
    return (
        f'{PRELUDE}[ "$(id -u)" = 0 ] || die "only root installs packages, and this is $(id -un): become root"\n'
        'last() { printf "%s" "$o" | tr -cd "\\12\\40-\\176" | grep -v "^ *$" | tail -n 2 | tr "\\n" " "; }\n'
        'while IFS= read -r l; do case "$l" in *=*) export "$l" ;; esac; done\n'
        f"DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; w=\n"
        f'command -v {tool} >/dev/null 2>&1 || die "there is no {tool} on the host"\n'
        f"{refresh}"
        f'o=$({_INSTALL[kind]} {words} 2>&1 </dev/null) || die "{tool} did not install {" ".join(names)}: $(last)$w"\n{END}'
    )
