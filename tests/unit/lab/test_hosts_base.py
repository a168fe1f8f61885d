"""The base root: built once, whole or not at all, from the machine's own Debian archive."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from lab.hosts import base
from lab.kubernetes import node_root

FAKE_MMDEBSTRAP = """\
#!/bin/sh
echo run >> "$COUNTER"
for last in "$@"; do case $last in */base-*) target=$last ;; esac; done
[ -z "$FAIL" ] || { echo "E: Unable to locate package systemd" >&2; : > "$target/half"; exit 100; }
mkdir "$target/etc" && echo debian > "$target/etc/issue"
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "mmdebstrap").write_text(FAKE_MMDEBSTRAP)
    (tools / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    monkeypatch.setenv("FAIL", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "palette-edge-lab"


def _builds(cache: Path) -> int:
    return len((cache.parent.parent / "counter").read_text().split())


def _names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {"lock"}


def test_it_is_built_once_by_two_that_start_together(cache: Path) -> None:
    said: list[str] = []
    roots: list[Path] = []
    threads = [threading.Thread(target=lambda: roots.append(base.base_root(said.append))) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert roots[0] == roots[1]
    assert (roots[0] / "etc/issue").read_text() == "debian\n"
    assert _builds(cache) == 1
    assert said == ["building the base root of the lab's hosts, once, about half a minute"]
    assert _names(cache) == {roots[0].name, f"{roots[0].name}.tar.zst"}


def test_the_archive_is_enough(cache: Path) -> None:
    root = base.base_root(print)
    shutil.rmtree(root)
    assert (base.base_root(print) / "etc/issue").exists()
    assert _builds(cache) == 1


def test_a_failed_build_leaves_nothing_and_says_what_apt_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(base.BaseRootError, match="status 100: E: Unable to locate package systemd"):
        base.base_root(print)
    assert _names(cache) == set()


def test_what_a_killed_build_left_goes_away(cache: Path) -> None:
    (cache / "base-x.tmp-1" / "usr").mkdir(parents=True)
    (cache / "base-x.tar.partial").touch()
    base.base_root(print)
    assert not [name for name in _names(cache) if name.startswith("base-x")]


def test_mmdebstrap_missing_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache.parent.parent / "bin" / "mmdebstrap").unlink()
    monkeypatch.setenv("PATH", str(cache.parent.parent / "bin"))
    monkeypatch.setattr(base, "_transport_options", list)
    with pytest.raises(base.BaseRootError, match="mmdebstrap is not installed"):
        base.base_root(print)


def test_there_is_no_python_in_it() -> None:
    assert not any("python" in package for package in base.PACKAGES)
    assert 'test ! -e "$root/usr/bin/python3"' in base._CUSTOMIZE


def test_the_hash_changes_with_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base.recipe_hash()
    monkeypatch.setattr(base, "PACKAGES", (*base.PACKAGES, "curl"))
    assert base.recipe_hash() != before


# -- the root of hosts that become nodes

RUN_HOOKS = """\
#!/bin/sh
for last in "$@"; do case $last in */base-*.tmp-*) target=$last ;; --include=*) echo "$last" > "$COUNTER" ;; esac; done
for hook in "$@"; do
    case $hook in --customize-hook=*) sh -c "${hook#*=}" sh "$target" || exit 1 ;; esac
done
"""


@pytest.fixture
def nodes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small recipe, and an mmdebstrap that runs its hooks; returns the cache."""
    (cache.parent.parent / "bin" / "mmdebstrap").write_text(RUN_HOOKS)
    monkeypatch.setattr(base, "_CUSTOMIZE", 'set -eu\nroot=$1\necho plain > "$root/steps"\n')
    monkeypatch.setattr(node_root, "PACKAGES", ("containerd",))
    monkeypatch.setattr(node_root, "FILES", {"/usr/lib/lab/do": ("#!/bin/sh\n", 0o755), "/etc/it": ("text\n", 0o600)})
    monkeypatch.setattr(node_root, "CUSTOMIZE", 'test -x "$root/usr/lib/lab/do"\necho node >> "$root/steps"\n')
    return cache


def test_a_nodes_root_has_files_and_steps_of_its_own(nodes: Path) -> None:
    said: list[str] = []
    root = base.base_root(said.append, node=True)
    assert said == ["building the base root of hosts that become nodes, once, about half a minute"]
    assert (root / "steps").read_text() == "plain\nnode\n"
    assert (root / "etc/it").read_text() == "text\n"
    assert (root / "etc/it").stat().st_mode & 0o777 == 0o600
    packages = (nodes.parent.parent / "counter").read_text()
    assert {"systemd", "containerd"} <= set(packages.strip().removeprefix("--include=").split(","))
    assert _names(nodes) == {root.name, f"{root.name}.tar.zst"}


def test_the_plain_root_is_another_without_them(nodes: Path) -> None:
    plain, node = base.base_root(print), base.base_root(print, node=True)
    assert plain != node
    assert {path.name for path in plain.iterdir()} == {"steps"}
    assert (plain / "steps").read_text() == "plain\n"


def test_a_failed_step_leaves_nothing(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_root, "CUSTOMIZE", "exit 1\n")
    with pytest.raises(base.BaseRootError, match="mmdebstrap failed with status 1"):
        base.base_root(print, node=True)
    assert _names(nodes) == set()


@pytest.mark.parametrize(("part", "other"), [("PACKAGES", ("x",)), ("FILES", {"/x": ("", 0o644)}), ("CUSTOMIZE", "x")])
def test_only_the_nodes_hash_changes_with_their_recipe(
    monkeypatch: pytest.MonkeyPatch, part: str, other: object
) -> None:
    before = (base.recipe_hash(), base.recipe_hash(node=True))
    monkeypatch.setattr(node_root, part, other)
    assert base.recipe_hash() == before[0]
    assert base.recipe_hash(node=True) != before[1]


# -- where it is fetched from


ENTRIES = [
    ("http://mirror/debian", "trixie", ["main", "contrib"], "/keys/debian.gpg"),
    ("http://mirror/debian", "trixie-updates", ["main"], ""),
    ("http://mirror/debian", "trixie-backports", ["main"], ""),
    ("http://elsewhere/cloud", "cloud-sdk-trixie", ["main"], ""),
    ("http://elsewhere/node", "nodistro", ["main"], ""),
]


def test_sources_are_those_of_the_machines_own_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_apt_entries", lambda: iter(ENTRIES))
    monkeypatch.setattr(base, "_os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "trixie"})
    assert base._sources() == [
        "deb http://mirror/debian bookworm main",
        "deb http://mirror/debian bookworm-updates main",
    ]


def test_elsewhere_than_on_debian_it_is_mmdebstraps_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_apt_entries", lambda: iter(ENTRIES))
    monkeypatch.setattr(base, "_os_release", lambda: {"ID": "ubuntu", "VERSION_CODENAME": "trixie"})
    assert base._sources() == []
