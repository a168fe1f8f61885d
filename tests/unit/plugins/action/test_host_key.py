# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys accepted and forgotten; what ssh says when it refuses one. With real hosts: tests/lab/test_connections.py."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.palette.edge.plugins.action import host_key, host_key_info
from ansible_collections.palette.edge.plugins.plugin_utils import _ssh_client
from ansible_collections.palette.edge.plugins.plugin_utils._host_keys import refusal
from ansible_collections.palette.edge.plugins.plugin_utils._known_hosts import HostKey
from ansible_collections.palette.edge.plugins.plugin_utils._remote import Failure, Reach, broken, plain_reason, told

ED = "AAAAC3NzaC1lZDI1NTE5AAAAINPf0Mlqwc4bvrO3SA3Htq0ZtDef5WwwPStuS4Pql8Gy"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAILKdvl8vz2w+CcwYl/CFxCQ8Nb40iR+wkkOm9RvwPkL7"
FINGERPRINT, OTHER_FINGERPRINT = (HostKey("ssh-ed25519", text).fingerprint for text in (ED, OTHER))


@pytest.fixture
def run(lab: t.Any, tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    def task(module: t.Any = host_key, **args: t.Any) -> dict[str, t.Any]:
        return t.cast(
            "dict[str, t.Any]", lab.run(module, **{"name": "edge-1", "known_hosts": str(tmp_path / "known"), **args})
        )

    return task


def test_accepted_replaced_and_forgotten(run: t.Callable[..., dict[str, t.Any]], tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text(f"edge-2 ssh-ed25519 {ED}\n")
    planned = run(key=f"ssh-ed25519 {ED} root@host", check=True)
    assert planned["changed"]
    assert path.read_text().count("\n") == 1
    done = run(key=f"ssh-ed25519 {ED} root@host")
    assert done == planned | {"fingerprints": [FINGERPRINT], "forgotten": []}
    assert done["diff"]["after"] == f"edge-1 ED25519 {FINGERPRINT}\n"
    assert run(key=f"ssh-ed25519 {ED}")["changed"] is False
    # Known already: the host, which does not answer here, is not asked.
    assert run(fingerprint=FINGERPRINT)["changed"] is False
    other = run(key=[f"edge-1 ssh-ed25519 {OTHER}"])
    assert (other["changed"], other["fingerprints"], other["forgotten"]) == (True, [OTHER_FINGERPRINT], [FINGERPRINT])
    both = run(key=[f"ssh-ed25519 {ED}", f"ssh-ed25519 {OTHER}"])
    assert (both["changed"], len(both["fingerprints"]), both["forgotten"]) == (True, 2, [])
    assert run(fingerprint=FINGERPRINT)["forgotten"] == [OTHER_FINGERPRINT]
    assert run(host_key_info)["fingerprints"] == [FINGERPRINT]
    gone = run(state="absent")
    assert (gone["changed"], gone["forgotten"], gone["diff"]["after"]) == (True, [FINGERPRINT], "")
    assert run(state="absent")["changed"] is False
    assert path.read_text() == f"edge-2 ssh-ed25519 {ED}\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "fingerprint, key: give exactly one of them"),
        ({"key": "ssh-ed25519 x", "fingerprint": FINGERPRINT}, "fingerprint, key: give exactly one of them"),
        ({"state": "absent", "fingerprint": FINGERPRINT}, "state: absent forgets all keys"),
        ({"fingerprint": "MD5:00:11"}, "fingerprint: 'MD5:00:11' has no fingerprint of the form SHA256"),
        ({"key": [f"ssh-ed25519 {ED}", "ssh-rsa AAAA"]}, "key[1]: the text behind ssh-rsa is no key"),
        ({"name": "a b", "state": "absent"}, "name: 'a b' is no name of a host"),
        ({"known_hosts": "/nowhere/known", "state": "absent"}, "known_hosts: /nowhere/known is no file in a directory"),
        ({"known_hosts": "/", "state": "absent"}, "known_hosts: / is no file"),
        ({"known_hosts": "/dev/null", "state": "absent"}, "known_hosts: ssh is told to keep no keys"),
        ({"name": None, "state": "absent"}, "a connection of type fake does not tell them; give both"),
        ({"fingerprint": FINGERPRINT}, "over a connection of type fake no key is shown; give the key itself"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    run: t.Callable[..., dict[str, t.Any]], tmp_path: Path, args: dict[str, t.Any], words: str
) -> None:
    failed = run(**args)
    assert failed["failed"]
    assert words in failed["msg"]
    assert "\n" not in failed["msg"]
    assert list(tmp_path.iterdir()) == []


CHANGED = f"""\
Data could not be sent to remote host "10.0.0.1". Make sure this host can be reached over ssh: \
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r
It is also possible that a host key has just been changed.\r
The fingerprint for the ED25519 key sent by the remote host is\r
{FINGERPRINT}.\r
Please contact your system administrator.\r
Add correct host key in /a b/.known_hosts to get rid of this message.\r
Offending ECDSA key in /a b/.known_hosts:12\r
  remove with:\r
  ssh-keygen -f "/a b/.known_hosts" -R "edge-1"\r
Host key for edge-1 has changed and you have requested strict checking.\r
Host key verification failed.\r
Connection closed by UNKNOWN port 65535
"""
REASON = f"edge-1 shows the ED25519 host key {FINGERPRINT}, and /a b/.known_hosts:12 has another"


def test_a_changed_key_is_explained_in_one_line() -> None:
    error = AnsibleConnectionFailure(CHANGED)
    assert plain_reason(error) == REASON
    found = refusal(CHANGED)
    assert found is not None
    failures = [Failure("10.0.0.1", REASON, True, found.advice), Failure("10.0.0.2", REASON, True, found.advice)]
    line = told(failures, user="kairos")
    assert line.count("palette.edge.host_key (name: edge-1, fingerprint: " + FINGERPRINT) == 1
    assert "check the user" not in line
    assert broken(error) == f"{REASON}; {found.advice}."
    assert "Run again" not in broken(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "x: No ED25519 host key is known for edge-1 and you have requested strict checking.\nHost key verification failed.",
            "the ED25519 host key of edge-1 is not known here",
        ),
        (
            "The ED25519 host key for edge-1 is marked as revoked.\nHost key verification failed.",
            "the ED25519 host key of edge-1 is revoked",
        ),
        ("Host key verification failed.\nConnection closed by UNKNOWN port 65535", "or that of a jump host before it"),
        (
            "Using a SSH password instead of a key is not possible because Host Key checking is enabled.",
            "is not known here or changed",
        ),
    ],
)
def test_other_refusals(text: str, words: str) -> None:
    assert words in plain_reason(AnsibleConnectionFailure(text))
    assert "Run again" not in broken(AnsibleConnectionFailure(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "channel 0: open failed: connect failed: No route to host\nstdio forwarding failed\nx UNKNOWN port 65535",
            "channel 0: open failed: connect failed: No route to host",
        ),
        (
            "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.1 port 22",
            "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures",
        ),
        (
            "k@bastion: Permission denied (publickey).\nkex_exchange_identification: Connection closed by remote host",
            "k@bastion: Permission denied (publickey)",
        ),
        ("kex_exchange_identification: Connection closed by remote host", "connection closed"),
    ],
)
def test_what_a_jump_host_or_an_agent_says(text: str, reason: str) -> None:
    assert plain_reason(AnsibleConnectionFailure(text)) == reason


def test_the_first_of_several_files() -> None:
    assert _ssh_client._first_file("/a b/known /c/d") == "/a b/known"
    assert _ssh_client._first_file("/etc/known") == "/etc/known"
    assert _ssh_client._first_file("") == ""


def test_a_refusal_with_a_password_is_told_alike_and_other_errors_are_not_hidden() -> None:
    reach = Reach(t.cast("t.Any", SimpleNamespace()), t.cast("t.Any", SimpleNamespace()))
    remote = t.cast("t.Any", SimpleNamespace(address="192.0.2.1", drop=lambda: None))

    def refuse(text: str) -> t.Callable[[t.Any], None]:
        def probe(dummy: t.Any) -> None:
            raise AnsibleError(text)

        return probe

    found = reach.attempt(remote, refuse("Using a SSH password is not possible because Host Key checking is enabled."))
    assert isinstance(found, Failure)
    assert found.final
    assert "palette.edge.host_key" in found.advice
    with pytest.raises(AnsibleError, match="Missing sudo password"):
        reach.attempt(remote, refuse("Missing sudo password"))
