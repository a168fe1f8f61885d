# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader, connection_loader

from ansible_collections.palette.edge.plugins.plugin_utils._remote import Reach, plain_reason
from ansible_collections.palette.edge.plugins.plugin_utils._script import parse_output, quote


def reach(kind: str, **options: t.Any) -> Reach:
    context = PlayContext()
    context.remote_addr = "192.0.2.1"
    context.connection = kind
    connection, dummy = connection_loader.get_with_context(kind, context, new_stdin=None)
    connection.set_options(var_options=options)
    return Reach(connection, context)


@pytest.mark.parametrize("kind", ["ssh", "ansible.builtin.ssh", "paramiko_ssh", "ansible.builtin.paramiko_ssh"])
def test_another_address_with_everything_else_as_it_was(kind: str) -> None:
    if not connection_loader.find_plugin(kind):
        pytest.skip("this ansible-core no longer has it")
    old = reach(
        kind,
        ansible_host="192.0.2.1",
        inventory_hostname="edge-1",
        ansible_user="kairos",
        ansible_port=2222,
        ansible_ssh_common_args="-o ProxyCommand='x %h'",
        ansible_password="pass",
    )
    sudo = become_loader.get("sudo")
    old.connection.set_become_plugin(sudo)
    old.play_context.no_log = False
    remote = old.at("192.0.2.9", connect_timeout=7, shared=False)
    fresh = remote.connection
    name = "host" if fresh.has_option("host") and "ssh" in kind and "paramiko" not in kind else "remote_addr"
    assert fresh is not old.connection
    assert fresh.get_option(name) == "192.0.2.9"
    assert old.connection.get_option(name) == "192.0.2.1"
    assert remote.play_context.remote_addr == "192.0.2.9"
    assert old.play_context.remote_addr == "192.0.2.1"
    assert fresh.get_option("remote_user") == "kairos"
    assert fresh.get_option("port") == 2222
    assert fresh.get_option("password") == "pass"
    assert fresh.become is sudo
    if name == "host":
        assert fresh.get_option("ssh_common_args") == "-o ProxyCommand='x %h'"
        assert fresh.get_option("ssh_args").startswith("-o ConnectTimeout=7 -o ControlMaster=no -o ControlPath=none ")
        assert fresh.get_option("timeout") == old.connection.get_option("timeout")
        assert "ServerAliveInterval" in fresh.get_option("ssh_extra_args")
        assert "ControlMaster=no" not in old.at("192.0.2.9", connect_timeout=7).connection.get_option("ssh_args")
    else:
        assert fresh.get_option("timeout") == 7


def test_a_connection_without_addresses_stays_as_it_is() -> None:
    local = reach("local")
    assert local.own_address() is None
    remote, output = local.first(
        [],
        lambda candidate: candidate.run('printf "@user %s\\n@end\\n" "$(id -u)"'),
        connect_timeout=1,
        timeout=1,
        asked="x",
    )
    assert remote.connection is local.connection
    assert output.first("user").isdigit()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Failed to connect to the host via ssh: ssh: connect to host 10.0.0.1 port 22: No route to host",
            "connect to host 10.0.0.1 port 22: No route to host",
        ),
        (
            "Failed to connect to the host via ssh: debug1: x\r\nssh: connect to host a port 22: Connection refused\r\n",
            "connect to host a port 22: Connection refused",
        ),
        ("Failed to connect to the host via ssh: Connection to UNKNOWN port 65535 timed out", "no answer in time"),
        ("x: No route to host\nConnection closed by UNKNOWN port 65535", "x: No route to host"),
        (
            (
                'Data could not be sent to remote host "a". '
                "Make sure this host can be reached over ssh: k@a: Permission denied (publickey)."
            ),
            "k@a: Permission denied (publickey)",
        ),
        (
            'Data could not be sent to remote host "a". Make sure this host can be reached over ssh:',
            "the connection was lost",
        ),
        ("debug1: x", "AnsibleConnectionFailure"),
    ],
)
def test_the_line_that_tells(text: str, reason: str) -> None:
    assert plain_reason(AnsibleConnectionFailure(text)) == reason


def test_what_a_script_says_is_read_among_anything_else() -> None:
    output = parse_output("motd @x\n@a 1\nBECOME-SUCCESS-x\n@a 2 3\n@b\n@end\n")
    assert (output.all("a"), output.first("b"), output.finished, output.error) == (["1", "2 3"], "", True, "")
    assert parse_output("@error no room\n").error == "no room"
    assert not parse_output("@a 1\n").finished


def test_quoting_uses_no_single_quotes_of_its_own() -> None:
    assert quote('a"b$c`d\\e') == '"a\\"b\\$c\\`d\\\\e"'
