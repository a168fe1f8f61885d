# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""palette.edge.host_packages: its shell is run for real, with apt-get played by a script."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import host_packages

APT = """#!/bin/sh
echo "$* $http_proxy" >> "$STUBS/apt"
for last in "$@"; do :; done
[ "$last" = update ] || : > "$STUBS/has-$last"
"""
DPKG = '#!/bin/sh\nfor last in "$@"; do :; done\n[ -e "$STUBS/has-$last" ] && printf installed\nexit 0\n'


@pytest.fixture
def debian(lab: t.Any, tmp_path: Path) -> t.Any:
    for name, text in (("apt-get", APT), ("dpkg-query", DPKG)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "STUBS": str(tmp_path)}
    return lab.host(environment=environment)


def test_only_missing_packages_are_installed_and_none_removed(lab: t.Any, debian: t.Any, tmp_path: Path) -> None:
    if os.geteuid() != 0 or "debian" not in Path("/etc/os-release").read_text():
        pytest.skip("plays apt-get as root, on a Debian")
    (tmp_path / "has-one").touch()
    packages = {"debian": ["one", "two", "shell:sh", "two"]}
    proxy = {"http": "http://u:canary-pass@proxy:1"}
    planned = lab.run(host_packages, check=True, packages=packages)
    assert (planned["changed"], planned["missing"], (tmp_path / "apt").exists()) == (True, ["two"], False), planned
    done = lab.run(host_packages, packages=packages, proxy=proxy)
    assert done["changed"], done
    asked = (tmp_path / "apt").read_text().splitlines()
    assert asked[0].split()[-2:] == ["update", "http://u:canary-pass@proxy:1"]
    assert "--no-remove" in asked[1]
    assert "canary-pass" not in repr(done) + "".join(debian.commands)
    assert not lab.run(host_packages, packages=packages)["changed"]


@pytest.mark.parametrize(
    ("packages", "words"),
    [
        ({"arch": ["x"]}, "no family 'arch'"),
        ({"debian": "x"}, "packages.debian: give a list"),
        ({"debian": ["$(reboot)"]}, "is no name of a package"),
        ({"debian": ["-o=x"]}, "is no name of a package"),
    ],
)
def test_bad_names_are_refused(lab: t.Any, debian: t.Any, packages: dict[str, t.Any], words: str) -> None:
    assert words in lab.run(host_packages, packages=packages)["msg"]
    assert debian.commands == []
