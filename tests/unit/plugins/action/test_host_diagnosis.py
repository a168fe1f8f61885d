# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collecting from a host that is a real shell on this machine, with the files of the test in the place of a host's."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import shutil
import subprocess
import tarfile
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.palette.edge.plugins.action import host_diagnosis
from ansible_collections.palette.edge.plugins.plugin_utils import _bundle, _vendor_bundle
from ansible_collections.palette.edge.plugins.plugin_utils._redact import HIDDEN, Redactor
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, parse_output

TOKEN = "canary/t0ken+of the=registration"
PASSWORD = "canary-pr0xy-passw0rd"
OWN = "canary-0f-another-system"
STATE = "canary-auth-t0ken-of-the-agent"
KEY_LINES = [base64.b64encode(bytes([65 + number] * 48)).decode() for number in range(4)]
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *KEY_LINES, "-----END RSA PRIVATE KEY-----"])
LAYER = {
    "stylus": {
        "site": {
            "name": "edge-1",
            "edgeHostToken": TOKEN,
            "network": {"httpProxy": f"http://user:{PASSWORD}@proxy.example.com:3128"},
        }
    },
    "stages": {"boot": [{"name": "wifi", "commands": ["wpa_passphrase store canary-0f-the-wifi"]}]},
}
KNOWN = (TOKEN, PASSWORD, OWN, STATE)
SECRETS = (*KNOWN, "canary-0f-the-wifi", *KEY_LINES)


def forms(secret: str) -> list[str]:
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * offset + raw).decode()[4:-4] for offset in range(3)]
    return [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *(one for one in shifted if len(one) >= 12)]


@pytest.fixture
def host(lab: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """A host with one layer of user-data, two logs, and a state of the agent."""
    root = tmp_path / "host"
    (root / "log").mkdir(parents=True)
    (root / "user-data").write_text("#cloud-config\n" + yaml.safe_dump(LAYER))
    (root / "state").write_text(json.dumps({"authToken": STATE, "uid": "edge-1"}))
    monkeypatch.setattr(_bundle, "LAYERS", (f"{root}/user-data", f"{root}/missing/*"))
    monkeypatch.setattr(_bundle, "SECRETS", (f"{root}/state",))
    monkeypatch.setattr(_bundle, "LOGS", (f"{root}/log/*.log",))
    monkeypatch.setattr(_bundle, "STATE", (("boot/cmdline", f"cat {root}/cmdline"), ("state/system", "uname -a")))
    (root / "cmdline").write_text("root=LABEL=COS_PASSIVE upgrade_failure\n")
    found = lab.host()
    found.root = root
    return found


def members(path: str | Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {
            one.name.partition("/")[2]: t.cast(t.IO[bytes], archive.extractfile(one)).read().decode() for one in archive
        }


def test_no_secret_is_in_a_bundle(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    lines = [f"x {form} y" for secret in KNOWN for form in forms(secret)]
    (host.root / "log/agent.log").write_text("\n".join([*lines, KEY, "the token expired", "the end"]) + "\n")
    # A log that was cut in the middle of a key, at its beginning and at its end.
    (host.root / "log/cut.log").write_text("\n".join([*KEY_LINES, "-----END PRIVATE KEY-----", "middle"]))
    (host.root / "log/end.log").write_text("\n".join(["middle", "-----BEGIN PRIVATE KEY-----", *KEY_LINES]))
    result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tar.gz"), secrets=[OWN])
    assert result["changed"] is True, result
    texts = members(tmp_path / "b.tar.gz")
    everything = "\n".join(texts.values()) + str(result) + "".join(host.commands) + "".join(host.logged)
    assert [form for secret in SECRETS for form in forms(secret) if form in everything] == []
    raw = gzip.decompress((tmp_path / "b.tar.gz").read_bytes())
    assert b"canary" not in raw
    log = texts[f"logs{host.root}/log/agent.log"]
    assert "the token expired\nthe end" in log
    assert log.count(HIDDEN) >= len(lines)
    assert [texts[f"logs{host.root}/log/{name}.log"].count("middle") for name in ("cut", "end")] == [1, 1]
    shown = texts[f"user-data{host.root}/user-data"]
    assert "name: edge-1" in shown
    assert f"edgeHostToken: {HIDDEN}" in shown
    assert "(left out)" in shown
    assert "@proxy.example.com" in shown


def test_the_bundle_is_complete_private_and_explained(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    (host.root / "log/a.log").write_text("hello\n")
    folder = tmp_path / "bundles"
    result = lab.run(host_diagnosis, dest=f"{folder}/")
    path = Path(result["bundle"]["path"])
    assert path.parent == folder
    assert path.name.startswith("192.0.2.1-2")
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.stat().st_size == result["bundle"]["size"]
    texts = members(path)
    assert len(texts) == result["bundle"]["files"]
    assert texts[f"logs{host.root}/log/a.log"] == "hello\n"
    assert texts["boot/cmdline"] == "root=LABEL=COS_PASSIVE upgrade_failure\n"
    assert "upgrade-fell-back" in texts["findings.txt"]
    assert json.loads(texts["facts.json"])["address"] == "192.0.2.1"
    assert "boot/cmdline: 39 characters" in texts["contents.txt"]
    assert (result["healthy"], [one["rule"] for one in result["findings"]]) == (False, ["upgrade-fell-back"])
    assert sorted(item.name for item in folder.iterdir()) == [path.name]


def test_without_dest_and_in_check_mode_nothing_is_written(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    assert lab.run(host_diagnosis)["changed"] is False
    host.read_only = True
    result = lab.run(host_diagnosis, check=True, dest=f"{tmp_path}/new/")
    assert (result["changed"], result["bundle"]) == (True, {})
    assert result["findings"][0]["rule"] == "upgrade-fell-back"
    assert not (tmp_path / "new").exists()


def test_only_the_end_of_a_long_log_without_half_a_line(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    (host.root / "log/a.log").write_text("".join(f"line {number:06}\n" for number in range(5000)))
    lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"), log_size="4K")
    texts = members(tmp_path / "b.tgz")
    lines = texts[f"logs{host.root}/log/a.log"].splitlines()
    assert lines[-1] == "line 004999"
    assert all(len(line) == 11 for line in lines)
    assert 4000 < len("\n".join(lines)) <= 4096
    assert "log/a.log: 4092 characters, only the end" in texts["contents.txt"]


def test_the_bundle_is_no_larger_than_it_may_be(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    noise = random.Random(1)
    for name in ("a", "b", "c"):
        (host.root / f"log/{name}.log").write_text("".join(f"{noise.random()}\n" for dummy in range(5000)))
    (host.root / "log/d.log").write_text("small\n")
    result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"), max_size="100K")
    assert result["bundle"]["size"] <= 100 * 1024
    texts = members(tmp_path / "b.tgz")
    assert texts[f"logs{host.root}/log/d.log"] == "small\n"
    assert any("the bundle would be larger than max_size" in line for line in result["left_out"])


def test_a_connection_that_breaks_half_way(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    (host.root / "log/a.log").write_text("hello\n")

    def broken(command: str, payload: bytes | None) -> None:
        if len(host.commands) > 1:
            raise AnsibleConnectionFailure("Connection reset by peer")

    host.answer = broken
    result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"))
    assert result["findings"][0]["rule"] == "upgrade-fell-back"
    assert any("the host did not give it: Connection reset by peer" in line for line in result["left_out"])
    assert "boot/cmdline" in members(tmp_path / "b.tgz")


def test_what_came_incomplete_is_left_out(lab: t.Any, host: t.Any, tmp_path: Path) -> None:
    canned = "@packed gzip -c\n@user 0 root\n@part0 aGVsbG8\n@part1 SGVsbG8=\n@end\n"
    host.answer = lambda command, payload: (0, canned, "") if len(host.commands) == 1 else None
    result = lab.run(host_diagnosis)
    assert [line.partition(":")[0] for line in result["left_out"]] == ["boot/cmdline", "journal", "state/system"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"dest": "/nowhere/at/all/b.tgz"}, "dest: there is no directory /nowhere/at/all here"),
        ({"max_size": "1K"}, "max_size: 1024 is too little"),
        ({"log_size": "0"}, "log_size: 0 is too little"),
        ({"journal_lines": 0}, "journal_lines: 0 is too little"),
        ({"secrets": ["abc"]}, "secrets: one is shorter than 6 characters"),
        ({"timeout": 0}, "timeout: 0 is no time to wait"),
    ],
)
def test_bad_options_are_refused_before_the_host_is_asked(
    lab: t.Any, host: t.Any, args: dict[str, t.Any], words: str
) -> None:
    result = lab.run(host_diagnosis, **args)
    assert words in result["msg"]
    assert "abc" not in result["msg"]
    assert host.commands == []


def test_a_file_that_cannot_be_written(
    lab: t.Any, host: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: t.Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_bundle.os, "fsync", full)
    result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"))
    assert "cannot be written: No space left on device" in result["msg"]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["host"]


def test_a_host_that_is_not_reached(lab: t.Any) -> None:
    result = lab.run(host_diagnosis, timeout=3)
    assert result["unreachable"] is True
    assert "no address answered over SSH" in result["msg"]


class TestVendorScript:
    def script(self, root: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> Path:
        scripts, logs = root / "opt/spectrocloud/scripts", root / "opt/spectrocloud/logs"
        scripts.mkdir(parents=True)
        logs.mkdir()
        (logs / "older.tar.gz").write_bytes(b"old")
        (scripts / "support-bundle-edge.sh").write_text(body.replace("LOGS", str(logs)))
        monkeypatch.setattr(_bundle, "_COMMON", _bundle._COMMON.replace("R=\n", f"R={root}\n"))
        return logs

    def test_what_it_collects_is_added_and_cleaned(
        self, lab: t.Any, host: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_vendor_bundle, "PIECE", 100)
        body = (
            f"w=$(mktemp -d); mkdir $w/x; echo 'has {TOKEN} in it' > $w/x/a.txt; printf 'a\\0b' > $w/x/b.bin\n"
            "seq 1 2000 | sha256sum > $w/x/c; tar -czf LOGS/host-1.tar.gz -C $w x; rm -r $w\n"
        )
        logs = self.script(host.root, body, monkeypatch)
        result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"), vendor_script=True)
        texts = members(tmp_path / "b.tgz")
        assert texts["vendor/x/a.txt"] == f"has {HIDDEN} in it\n"
        assert "vendor/x/b.bin: is no text" in result["left_out"]
        assert sorted(item.name for item in logs.iterdir()) == ["older.tar.gz"]

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("echo no kubeconfig >&2; exit 3\n", "made no bundle (exit code 3): no kubeconfig"),
            ("head -c 200000 /dev/urandom > LOGS/x.tar.gz\n", "200000 bytes, which is more than max_size"),
            ("echo rubbish > LOGS/x.tar.gz\n", "could not be had: not a gzip file"),
        ],
    )
    def test_what_goes_wrong_with_it_harms_nothing_else(
        self, lab: t.Any, host: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
    ) -> None:
        logs = self.script(host.root, body, monkeypatch)
        result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"), vendor_script=True, max_size="100K")
        assert any(words in line for line in result["left_out"]), result["left_out"]
        assert "boot/cmdline" in members(tmp_path / "b.tgz")
        assert sorted(item.name for item in logs.iterdir()) == ["older.tar.gz"]

    def test_a_host_without_it(self, lab: t.Any, host: t.Any, tmp_path: Path) -> None:
        result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"), vendor_script=True)
        assert "vendor: the host has no support bundle script" in result["left_out"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("the token expired", None),
        ("token: invalid", None),
        ('secrets "stylus-webhook-tls" not found', None),
        ("secretName: registry-tls", None),
        ("imagePullSecrets: []", None),
        ("x509: certificate signed by unknown authority", None),
        ("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", None),
        ("level=info token=abc123 msg=x", f"level=info token={HIDDEN} msg=x"),
        ('{"password":"a \\" b"}', f'{{"password":{HIDDEN}}}'),
        (r'msg="{\"token\":\"abc\",\"x\":1}"', rf'msg="{{\"token\":{HIDDEN},\"x\":1}}"'),
        ('"password": "cut here', f'"password": {HIDDEN}'),
        ("Authorization: Bearer abcdefgh", f"Authorization: Bearer {HIDDEN}"),
        ("kubeadm join x --token abcdef.0123456789abcdef -v", f"kubeadm join x --token {HIDDEN} -v"),
        ("use abcdef.0123456789abcdef now", f"use {HIDDEN} now"),
        ("http://u:p@proxy/", f"http://{HIDDEN}@proxy/"),
        ("ops:$6$salt$abcdefgh:19000:0", f"ops:{HIDDEN}:19000:0"),
        ("password: basic123", f"password: {HIDDEN}"),
        ("\x1b[31mred\x1b[0m\x07", "red"),
    ],
)
def test_what_looks_like_a_secret_and_what_does_not(line: str, shown: str | None) -> None:
    assert Redactor().text(line) == (line if shown is None else shown)


def test_cleaning_a_long_log_is_quick() -> None:
    redactor = Redactor([f"secret-number-{number}" for number in range(50)])
    text = (base64.b64encode(os.urandom(90)).decode() + " -token-" * 3 + "\n") * 4000
    assert len(redactor.text(text)) >= len(text) // 2


FEW = ("sh", "cat", "head", "tail", "base64", "sed", "wc", "tr", "id", "uname", "grep", "ls")
WRAPPER = """#!/bin/sh
c=$(printf "%s" "$2" | sed "s#:/usr/sbin:/sbin:/usr/bin:/bin##")
PATH=@tools; export PATH
exec @tools/sh -c "$c"
"""


def only(tools: Path, programs: dict[str, str]) -> str:
    """A shell that finds these programs and no others, whatever a script adds to its path."""
    tools.mkdir()
    for name, path in programs.items():
        (tools / name).symlink_to(path)
    wrapper = tools.with_name("shell")
    wrapper.write_text(WRAPPER.replace("@tools", str(tools)))
    wrapper.chmod(0o755)
    return str(wrapper)


@pytest.mark.parametrize("kind", ["few", "busybox"])
def test_a_host_that_lacks_half_of_the_tools(lab: t.Any, host: t.Any, tmp_path: Path, kind: str) -> None:
    """No systemctl, no journalctl, no openssl; of the few not even gzip, timeout, ip, df or ps."""
    programs = {name: str(shutil.which(name)) for name in FEW}
    if kind == "busybox":
        found = shutil.which("busybox")
        if found is None:
            pytest.skip("busybox is not installed here")
        applets = subprocess.run([found, "--list"], capture_output=True, text=True, check=True).stdout.split()
        programs = dict.fromkeys(applets, found)
    host.shell = (only(tmp_path / "bin", programs),)
    (host.root / "log/a.log").write_text(f"it says {TOKEN}\n")
    result = lab.run(host_diagnosis, dest=str(tmp_path / "b.tgz"))
    assert "journal: there is no journalctl on the host" in result["left_out"]
    assert result["findings"][0]["rule"] == "upgrade-fell-back"
    assert members(tmp_path / "b.tgz")[f"logs{host.root}/log/a.log"] == f"it says {HIDDEN}\n"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_every_section_is_answered_by_every_shell(shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed here")
    # A content of a hundred thousand files is none of this test's business.
    script = PRELUDE + _bundle.state_script().replace("timeout 20", "timeout 5") + END
    command = [found, "sh", "-c", script] if shell == "busybox" else [found, "-c", script]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    output = parse_output(done.stdout)
    assert (output.finished, output.error) == (True, "")
    assert "yntax" not in done.stderr
    sections, dummy = _bundle.read_state(output, Redactor(), journal_lines=10)
    assert {"state/memory", "state/system", "state/mounts"} <= set(sections.sections)
    wrong = [
        name for name, one in sections.sections.items() if "yntax error" in one.text or "bad substitution" in one.text
    ]
    assert wrong == []
