# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory of sites tells ssh about host keys, as a connection comes to have it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

SITE = """\
name: store-042
hosts:
  - {name: store-042-1, id: edge-store-042-1, address: 10.42.0.11/24}
  - {name: store-042-2, id: edge-store-042-2, address: 10.42.0.12/24}
"""


@pytest.fixture
def source(tmp_path: Path) -> Any:
    def write(options: str = "", *, group_vars: str = "") -> Path:
        (tmp_path / "a b" / "sites").mkdir(parents=True, exist_ok=True)
        (tmp_path / "a b" / "sites" / "store-042.yml").write_text(SITE)
        path = tmp_path / "a b" / "all.sites.yml"
        path.write_text(f"plugin: palette.edge.sites\n{options}")
        return path

    return write


def arguments(inventory: Any, name: str, variable: str = "ansible_ssh_extra_args") -> str:
    """A variable as a task on the host sees it."""
    found = inventory.all_of(name)
    return str(Templar(loader=DataLoader(), variables=found).template(found.get(variable, "")))


def as_ssh_reads(text: str) -> dict[str, str]:
    command = ["ssh", "-F", "/dev/null", "-G", *shlex.split(text), "10.42.0.11"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.partition(" ")[::2] for line in said.splitlines())


@pytest.mark.parametrize("variable", ["ansible_ssh_extra_args", "ansible_sftp_extra_args", "ansible_scp_extra_args"])
def test_each_host_is_pinned_by_its_name_in_a_file_beside_the_inventory(
    read_inventory: Any, source: Any, variable: str
) -> None:
    path = source()
    inventory = read_inventory(path)
    for name in ("store-042-1", "store-042-2"):
        found = as_ssh_reads(arguments(inventory, name, variable))
        assert found["hostkeyalias"] == name
        assert found["stricthostkeychecking"] == "accept-new"
        assert found["userknownhostsfile"] == str(path.parent / ".known_hosts")
        assert (found["hashknownhosts"], found["checkhostip"]) == ("no", "no")
    assert "ansible_ssh_extra_args" not in inventory.all_of("store-042")
    assert "ansible_host_key_checking" not in inventory.all_of("store-042-1")


def test_what_the_user_set_wins(read_inventory: Any, source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_SSH_EXTRA_ARGS", "-o Port=2222 -o HashKnownHosts=yes")
    path = source("compose: {ansible_sftp_extra_args: \"'-o Compression=yes ' ~ edge_ssh_host_key_args\"}\n")
    (path.parent / "group_vars").mkdir()
    (path.parent / "group_vars" / "palette_hosts.yml").write_text("ansible_scp_extra_args: -o Port=23\n")
    inventory = read_inventory(path)
    found = as_ssh_reads(arguments(inventory, "store-042-1"))
    assert (found["port"], found["hostkeyalias"], found["hashknownhosts"]) == ("2222", "store-042-1", "yes")
    composed = as_ssh_reads(arguments(inventory, "store-042-2", "ansible_sftp_extra_args"))
    assert (composed["compression"], composed["hostkeyalias"]) == ("yes", "store-042-2")


def test_policies(read_inventory: Any, source: Any, tmp_path: Path) -> None:
    inventory = read_inventory(source("host_keys: {policy: system}"))
    assert "edge_ssh_host_key_args" not in inventory.own("store-042-1")
    assert arguments(inventory, "store-042-1") == ""
    (tmp_path / "known").write_text("")
    inventory = read_inventory(source("host_keys: {policy: strict, known_hosts: ../known}"))
    found = as_ssh_reads(arguments(inventory, "store-042-1"))
    assert found["stricthostkeychecking"] in ("true", "yes")
    assert found["userknownhostsfile"] == str(tmp_path / "known")
    # Asked for, so that a configuration that checks nothing gives way.
    assert inventory.all_of("store-042-1")["ansible_host_key_checking"] is True
    inventory = read_inventory(source("host_keys: {policy: pinned}"))
    assert inventory.all_of("store-042-1")["ansible_host_key_checking"] is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("host_keys: {polici: pinned}", "host_keys.polici: unknown option"),
        ("host_keys: {policy: never}", "host_keys.policy: 'never' is none of pinned, strict, system"),
        ("host_keys: {known_hosts: no/such/file}", "host_keys.known_hosts: there is no directory"),
        ("host_keys: {known_hosts: sites}", "is a directory; name a file"),
        ("host_keys: {known_hosts: 'a%b'}", "has a %, a quote"),
        ("host_keys: {policy: strict}", "there is no file"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(parse: Any, source: Any, options: str, words: str) -> None:
    with pytest.raises(AnsibleParserError, match="host_keys") as said:
        parse("sites", source(options))
    assert words in str(said.value)


def test_a_file_that_cannot_be_written_is_a_warning(
    parse: Any, source: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(
        "ansible.utils.display.Display.warning", lambda self, text, *more, **named: warnings.append(text)
    )
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    parse("sites", source())
    assert len(warnings) == 1
    assert "cannot be written, so keys of new hosts are accepted and not kept" in warnings[0]
    parse("sites", source("level: site"))
    assert len(warnings) == 1


def test_the_file_for_other_inventories_in_the_documentation(
    read_inventory: Any, tmp_path: Path, repository: Path
) -> None:
    text = (repository / "docs" / "connections.md").read_text()
    (tmp_path / "zz-host-keys.yml").write_text(
        text.partition("```text\n# zz-host-keys.yml")[2].partition("\n")[2].partition("```")[0]
    )
    (tmp_path / "hosts.yml").write_text("all: {hosts: {edge-1: {ansible_host: 10.42.0.11}}}\n")
    # What ssh keeps there is not read as an inventory.
    (tmp_path / ".known_hosts").write_text("edge-9 ssh-ed25519 AAAA\n")
    inventory = read_inventory(tmp_path)
    assert inventory.names == ["edge-1"]
    for variable in ("ansible_ssh_extra_args", "ansible_sftp_extra_args", "ansible_scp_extra_args"):
        found = as_ssh_reads(arguments(inventory, "edge-1", variable))
        assert (found["hostkeyalias"], found["stricthostkeychecking"]) == ("edge-1", "accept-new")
        assert found["userknownhostsfile"] == str(tmp_path / ".known_hosts")
