# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about the agent of a host, and what a file of a release must look like."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.palette.edge.plugins.plugin_utils import _agent_plan as planning
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_release as release
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_watch as watch
from ansible_collections.palette.edge.plugins.plugin_utils import _packages as packages
from ansible_collections.palette.edge.plugins.plugin_utils._agent_plan import Record, Seen, Wanted

UNITS = ("spectro-palette-agent-start.service", "spectro-stylus-agent.service")
THERE = Record("4.8.21", host_id="edge-1", user_data="u1", settings="s1", boot_id="b1")
BARE = Seen(record=None, boot_id="b1")
INSTALLED = Seen(record=THERE, units=UNITS, boot_id="b2")


def wanted(version: str = "4.8.21", *, settings: str = "s1", user_data: str = "u1", **more: t.Any) -> Wanted:
    names = {name: more.pop(name) for name in ("method", "fips", "host_id") if name in more}
    record = Record(version, **{"host_id": "edge-1", **names}, user_data=user_data, settings=settings)
    return Wanted(record, **more)


@pytest.mark.parametrize(
    ("seen", "want", "act", "with_user_data"),
    [
        (BARE, wanted(), planning.INSTALL, True),
        (INSTALLED, wanted(), planning.NOTHING, False),
        # Another token alone is no reason, once the host has registered with the old one.
        (INSTALLED, wanted(user_data="u2"), planning.NOTHING, False),
        (INSTALLED, wanted(user_data="u2", registered=False), planning.INSTALL, True),
        (INSTALLED, wanted(registered=False), planning.NOTHING, False),
        (INSTALLED, wanted("4.9.3"), planning.UPGRADE, False),
        (INSTALLED, wanted("4.9.3", method="package"), planning.UPGRADE, True),
        (replace(INSTALLED, package_user_data=True), wanted("4.9.3", method="package"), planning.UPGRADE, False),
        (INSTALLED, wanted("4.8.20", allow_downgrade=True), planning.UPGRADE, False),
        # Palette has upgraded the agent itself: the pin that follows installs nothing.
        (INSTALLED, wanted("4.9.3", running="4.9.3"), planning.ADOPT, False),
        (INSTALLED, wanted("4.9.3", running="4.9.4"), planning.ADOPT, False),
        (INSTALLED, wanted("4.9.3", running="4.9.2"), planning.UPGRADE, False),
        (INSTALLED, wanted(running="4.9.4"), planning.NOTHING, False),
        (INSTALLED, wanted(settings="s2", on_user_data_change="ignore"), planning.NOTHING, False),
        (INSTALLED, wanted(settings="s2", on_user_data_change="install"), planning.INSTALL, True),
        (replace(INSTALLED, record=None), wanted(adopt=True), planning.ADOPT, False),
        # What was adopted has no digest, and nothing to compare.
        (replace(INSTALLED, record=replace(THERE, settings="")), wanted(settings="s2"), planning.NOTHING, False),
        (replace(INSTALLED, units=()), wanted(), planning.INSTALL, True),
    ],
)
def test_what_is_done(seen: Seen, want: Wanted, act: str, with_user_data: bool) -> None:
    found = planning.plan(seen, want)
    assert (found.act, found.with_user_data) == (act, with_user_data)
    assert bool(found.says) == found.changes


@pytest.mark.parametrize(
    ("more", "act"),
    [
        ({"job": True}, planning.ATTACH),
        ({"job": True, "boot_id": "b9"}, planning.ATTACH),
        ({"rc": 0, "boot_id": "b1"}, planning.ATTACH),
        ({"rc": 0, "boot_id": "b2"}, planning.INSTALL),
        ({"rc": 22, "boot_id": "b1"}, planning.INSTALL),
        ({"boot_id": "b2"}, planning.INSTALL),
    ],
)
def test_an_installation_that_was_cut_off_is_taken_up(more: dict[str, t.Any], act: str) -> None:
    seen = replace(INSTALLED, record=replace(THERE, phase=planning.INSTALLING), **more)
    assert planning.plan(seen, wanted()).act == act


@pytest.mark.parametrize(
    ("seen", "want", "words"),
    [
        (INSTALLED, wanted("4.8.20"), "pin the newer one"),
        (INSTALLED, wanted("4.8.21-rc.1"), "pin the newer one"),
        (INSTALLED, wanted(fips=True), "the standard variant is installed"),
        (INSTALLED, wanted(host_id="edge-2"), "was installed as edge-1"),
        (INSTALLED, wanted(settings="s2"), "does not read it again"),
        (replace(INSTALLED, record=None), wanted(), "nothing is noted about"),
    ],
)
def test_what_is_refused(seen: Seen, want: Wanted, words: str) -> None:
    with pytest.raises(planning.PlanError, match=words) as caught:
        planning.plan(seen, want)
    assert "\n" not in str(caught.value)


def test_a_record_reads_back_and_a_broken_one_is_none() -> None:
    assert planning.parse_record(THERE.text()) == THERE
    for text in ("", "{", "[]", '{"version": "4.8.21", "phase": "odd"}', THERE.text()[:40]):
        assert planning.parse_record(text) is None


def test_the_token_is_in_one_digest_only() -> None:
    def digests(token: str, name: str) -> tuple[str, str]:
        return planning.digests({"stylus": {"site": {"name": name, "edgeHostToken": token}}})

    one, other = digests("a", "x"), digests("b", "x")
    assert one[0] != other[0]
    assert one[1] == other[1]
    assert digests("a", "y")[1] != one[1]


def test_versions_are_ordered() -> None:
    mixed = ["v4.8.10", "5.0.0", "4.8.10-rc.2", "4.9.0", "4.8.9", "4.8.10-rc.1"]
    assert sorted(mixed, key=release.version_key) == [
        *("4.8.9", "4.8.10-rc.1", "4.8.10-rc.2", "v4.8.10", "4.9.0", "5.0.0")
    ]


@pytest.mark.parametrize("text", ["", "latest", "4.8", "4.8.x", "../4.8.21", "4.8.21/../.."])
def test_no_version_but_a_whole_one(text: str) -> None:
    with pytest.raises(release.ReleaseError, match="version:"):
        release.checked_version(text)


def test_the_files_of_a_release() -> None:
    assert release.asset_names("connected", "arm64", fips=False) == [
        "palette-agent-install.sh",
        "palette-agent-linux-arm64",
    ]
    assert release.asset_names("package", "amd64", fips=True) == ["agent-mode-fips-linux-amd64.tar"]
    with pytest.raises(release.ReleaseError, match="no agent for riscv64"):
        release.asset_names("package", "riscv64", fips=False)


ELF_ARM = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\x00"


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("palette-agent-linux-amd64", b"<!DOCTYPE html>", "web page"),
        ("palette-agent-linux-amd64", b"\n  <html>", "web page"),
        ("palette-agent-install.sh", b"<html>", "web page"),
        ("palette-agent-install.sh", b"Not Found", "no script"),
        ("palette-agent-linux-amd64", b"Not Found", "no program"),
        ("palette-agent-linux-amd64", b"", "empty"),
        ("palette-agent-linux-amd64", ELF_ARM, "for arm64, and the host is amd64"),
        ("palette-agent-fips-linux-arm64", ELF_ARM, ""),
        ("palette-agent-install.sh", b"#!/bin/bash\n", ""),
        ("agent-mode-linux-amd64.tar", bytes(257) + b"ustar  ", ""),
        ("agent-mode-linux-amd64.tar", bytes(512), "no tar"),
    ],
)
def test_what_a_file_must_look_like(name: str, head: bytes, words: str) -> None:
    found = release.misfit(name, head)
    assert words in found
    assert bool(found) == bool(words)


def test_each_file_needs_a_checksum() -> None:
    digest = "a" * 64
    assert release.pinned({"x": f"SHA256:{digest.upper()}".replace("SHA256", "sha256")}, ["x"], version="1") == {
        "x": digest
    }
    with pytest.raises(release.ReleaseError, match="none for y of version 1"):
        release.pinned({"x": digest}, ["x", "y"], version="1")
    with pytest.raises(release.ReleaseError, match="that of x is no SHA-256"):
        release.pinned({"x": "abc"}, ["x"], version="1")


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("registration refused: 403 EdgeTokenInvalid: The registration token is unknown", "registration token"),
        ('level=error msg="edge host token expired"', "registration token"),
        ("error: project 'Shops' not found", "project"),
        ("yaml: line 4: did not find expected key", "user-data"),
        ("write /opt/x: no space left on device", "disk"),
        ("x509: certificate signed by unknown authority", "certificate"),
        ("dial tcp: lookup api.example.com: no such host", "name"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "network"),
    ],
)
def test_lines_of_the_journal_are_understood(line: str, means: str) -> None:
    found = watch.trouble(["agent starts", line, "retrying in 5 s"])
    assert found is not None
    assert means in found[0].means
    assert found[1] == line


def test_a_success_after_it_ends_a_trouble() -> None:
    assert watch.trouble(["EdgeTokenInvalid", "heartbeat as edge-1", "registered as edge-1"]) is None
    assert watch.trouble([]) is None


@pytest.mark.parametrize(
    ("identity", "like", "family"),
    [
        ("ubuntu", "debian", "debian"),
        ("rocky", '"rhel centos fedora"', "redhat"),
        ("pop", "ubuntu debian", "debian"),
        ("opensuse-leap", '"suse opensuse"', "suse"),
        ("alpine", "", ""),
    ],
)
def test_the_family_of_a_distribution(identity: str, like: str, family: str) -> None:
    assert packages.family(identity, like) == family
