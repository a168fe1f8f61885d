# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module host_checks with a real shell: what it asks, with which tools, and what it makes of the answers."""

from __future__ import annotations

import os
import shutil
import socket
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import host_checks
from ansible_collections.palette.edge.plugins.plugin_utils._checks_wanted import CHECKS

Finding = dict[str, t.Any]


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def program(folder: Path, name: str, text: str) -> Path:
    """A program that is found before that of the machine."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return folder


def with_programs(folder: Path, **programs: str) -> dict[str, str]:
    """An environment with these programs."""
    for name, text in programs.items():
        program(folder, name, text)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def named(result: dict[str, t.Any], check: str) -> list[Finding]:
    """The findings of one check, shape checked on the way."""
    keys = {"check", "ok", "severity", "seen", "wanted", "advice"}
    assert all(set(one) == keys for one in result["findings"])
    return [one for one in result["findings"] if one["check"] == check]


def test_a_host_that_is_as_it_should_be(lab: t.Any, port: int, tmp_path: Path) -> None:
    host = lab.host(read_only=True)
    result = lab.run(
        host_checks,
        check=True,
        cpus=1,
        memory_mib=16,
        disks=[{"path": str(tmp_path / "not" / "there"), "free_mib": 1}],
        kernel="2.6",
        commands=["sh", "no-such-program|cat"],
        max_clock_skew=2,
        resolve=["127.0.0.1"],
        reach=[f"127.0.0.1:{port}"],
        not_noexec=[str(tmp_path)],
    )
    assert len(host.commands) == 1
    assert [one["check"] for one in result["findings"]] == (
        ["cpus", "memory", "disk", "kernel", "command", "command", "exec", "clock", "reach"]
    )
    assert [one for one in result["findings"] if not one["ok"] or one["advice"]] == []
    assert result["ok"] is True
    assert result["connections"] == {f"127.0.0.1:{port}": "open"}
    assert result["clock_skew"] == 0.0
    assert "failed" not in result
    assert "ansible_facts" not in result


def test_all_that_is_wrong_is_told_at_once_in_one_line(lab: t.Any, closed: int) -> None:
    lab.host(read_only=True)
    wanted = {
        "memory_mib": 999_999_999,
        "disks": [{"path": "/", "free_mib": 999_999_999, "size_mib": 1}],
        "recommended": {"cpus": 4096},
        "commands": ["no-such-program"],
        "reach": [f"127.0.0.1:{closed}"],
        "free_addresses": ["127.0.0.1"],
    }
    result = lab.run(host_checks, **wanted)
    assert result["failed"] is True
    assert "\n" not in result["msg"]
    for words in ("192.0.2.1: memory: ", "wanted 999999999 MiB free for / or more", "wanted no-such-program"):
        assert words in result["msg"]
    assert "4096" not in result["msg"]
    assert named(result, "cpus")[0] | {"ok": False, "severity": "warning"} == named(result, "cpus")[0]
    assert [one["ok"] for one in named(result, "disk")] == [True, False]
    assert named(result, "reach")[0]["seen"] == "refused"
    assert named(result, "address")[0]["seen"] == "this host has it itself"
    milder = lab.run(host_checks, fail_on_error=False, **wanted)
    assert "failed" not in milder
    assert milder["ok"] is False
    softer = lab.run(host_checks, memory_mib=999_999_999, warnings=["memory"])
    assert softer["ok"] is True
    assert named(softer, "memory")[0] | {"ok": False, "severity": "warning"} == named(softer, "memory")[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cpus": -1}, "cpus: -1"),
        ({"disks": [{"path": "var", "free_mib": 1}]}, "disks[0].path: 'var'"),
        ({"disks": [{"path": "/var"}]}, "disks[0]: give free_mib or size_mib"),
        ({"recommended": {"disks": [{"path": "/x", "free_mib": -2}]}}, "recommended.disks[0].free_mib: -2"),
        ({"kernel": "new"}, "kernel: 'new'"),
        ({"commands": ["a; reboot"]}, "commands: 'a; reboot'"),
        ({"absent_services": ["$(reboot)"]}, "absent_services: "),
        ({"resolve": ["-x"]}, "resolve: '-x'"),
        ({"reach": ["palette.example.com"]}, "reach: 'palette.example.com' is not host:port"),
        ({"reach": ["a`id`:443"]}, "reach: "),
        ({"peers": ["10.0.0.1:70000"]}, "peers: 70000"),
        ({"peers": ["2001:db8::1:443"]}, "peers: "),
        ({"free_addresses": ["vip"]}, "free_addresses: 'vip'"),
        ({"listen": [0]}, "listen: 0"),
        ({"free_ports": [65536]}, "free_ports: 65536"),
        ({"probe_timeout": 0}, "probe_timeout: 0"),
        ({"warnings": ["disks"]}, "warnings: there is no check 'disks'"),
        ({"not_noexec": ["tmp"]}, "not_noexec: 'tmp'"),
    ],
)
def test_bad_options_are_refused_before_the_host_is_asked(lab: t.Any, options: dict[str, t.Any], words: str) -> None:
    host = lab.host()
    result = lab.run(host_checks, **options)
    assert result["failed"] is True
    assert words in result["msg"]
    assert host.commands == []


NO_DEV_TCP = 'echo "bash: connect: /dev/tcp/x: No such file or directory" >&2; exit 1'
# Netcat as busybox may have it: it knows no -z and no -v.
SMALL_NC = """case "$1" in -z|-v) echo "nc: invalid option" >&2; exit 1;; esac
[ "$1" = -w ] && shift 2
case "$2" in
  8001) exit 0 ;;
  8002) exec sleep 60 ;;
  8003) echo "nc: something new" >&2; exit 1 ;;
  *) echo "nc: can't connect to remote host ($1): Connection refused" >&2; exit 1 ;;
esac"""


def test_another_tool_is_taken_where_bash_cannot_connect(lab: t.Any, tmp_path: Path) -> None:
    lab.host(read_only=True, environment=with_programs(tmp_path / "bin", bash=NO_DEV_TCP, nc=SMALL_NC))
    targets = [f"192.0.2.7:{number}" for number in (8001, 8002, 8003, 8004)]
    result = lab.run(host_checks, reach=targets, peers=targets, probe_timeout=1, fail_on_error=False)
    assert list(result["connections"].values()) == ["open", "silent", "unknown", "refused"]
    assert [one["ok"] for one in named(result, "reach")] == [True, False, False, False]
    assert [one["ok"] for one in named(result, "path")] == [True, False, False, True]
    unknown = named(result, "path")[2]
    assert unknown["seen"] == "could not be checked: nc says: nc: something new"
    assert unknown["severity"] == "warning"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_will_do(lab: t.Any, tmp_path: Path, port: int, closed: int) -> None:
    lab.host(environment=with_programs(tmp_path / "bin", bash=NO_DEV_TCP, nc="exit 1"))
    result = lab.run(
        host_checks, reach=[f"127.0.0.1:{port}", f"127.0.0.1:{closed}"], probe_timeout=1, fail_on_error=False
    )
    assert list(result["connections"].values()) == ["open", "refused"]


def test_without_a_tool_nothing_is_fine(lab: t.Any, tmp_path: Path, port: int) -> None:
    # Programs that are there and do not work are no tool either.
    broken = with_programs(tmp_path / "bin", bash="exit 1", nc="exit 1", curl="exit 1", getent="exit 127", ip="exit 1")
    lab.host(environment=broken | {"PATH": f"{broken['PATH']}"})
    result = lab.run(
        host_checks,
        reach=[f"127.0.0.1:{port}"],
        peers=[f"127.0.0.2:{port}"],
        resolve=["localhost"],
        free_addresses=["192.0.2.99"],
    )
    assert len(result["findings"]) == 4
    for one in result["findings"]:
        assert one["ok"] is False
        assert one["severity"] == "warning"
        assert one["seen"].startswith("could not be checked: ")


def test_a_name_that_does_not_resolve_is_told_as_such(lab: t.Any, tmp_path: Path) -> None:
    lab.host(environment=with_programs(tmp_path / "bin", getent="exit 2"))
    result = lab.run(host_checks, resolve=["api.example.com"], reach=["api.example.com:443"], fail_on_error=False)
    assert named(result, "resolve")[0]["seen"] == "no address"
    assert named(result, "reach")[0]["seen"] == "the name does not resolve"
    assert named(result, "reach")[0]["advice"].startswith("look at the name servers")


@pytest.mark.parametrize(("ahead", "seen"), [(-90, "behind"), (3600, "ahead")])
def test_a_skewed_clock(lab: t.Any, tmp_path: Path, ahead: int, seen: str) -> None:
    # A date without nanoseconds, as busybox has it.
    date = f'echo "$(( $({shutil.which("date")} +%s) + {ahead} )).%N"'
    lab.host(environment=with_programs(tmp_path / "bin", date=date))
    result = lab.run(host_checks, max_clock_skew=5)
    assert abs(result["clock_skew"] - ahead) < 5
    assert result["failed"] is True
    assert named(result, "clock")[0]["seen"].endswith(f" s {seen}")


NEIGHBOURS = """case "$*" in
  *addr*) echo "2: eth0    inet 192.0.2.1/24 brd 192.0.2.255 scope global eth0" ;;
  "route get 198.51.100.9") echo "198.51.100.9 via 192.0.2.254 dev eth0 src 192.0.2.1" ;;
  "route get "*) echo "$3 dev eth0 src 192.0.2.1" ;;
  "neigh show 192.0.2.20") echo "192.0.2.20 dev eth0 FAILED" ;;
  "neigh show 192.0.2.21") echo "192.0.2.21 dev eth0 lladdr 52:54:00:00:00:21 REACHABLE" ;;
  "neigh show 192.0.2.22") if [ -e {once} ]; then echo "192.0.2.22 dev eth0 FAILED"; else : > {once}
     echo "192.0.2.22 dev eth0 lladdr 52:54:00:00:00:22 DELAY"; fi ;;
esac"""


def test_an_address_is_free_when_nobody_answers_for_it(lab: t.Any, tmp_path: Path) -> None:
    silent = 'case "$2" in *127.0.0.1*) echo refused >&2; exit 1;; esac; exec /bin/sleep 60'
    programs = {
        "bash": silent,
        "ip": NEIGHBOURS.replace("{once}", str(tmp_path / "once")),
        "sleep": "exec /bin/sleep 0.1",
    }
    lab.host(environment=with_programs(tmp_path / "bin", **programs))
    wanted = ["192.0.2.20", "192.0.2.21/24", "192.0.2.22", "192.0.2.1", "198.51.100.9"]
    result = lab.run(host_checks, free_addresses=wanted, probe_timeout=1, fail_on_error=False)
    findings = named(result, "address")
    assert [one["ok"] for one in findings] == [True, False, True, False, False]
    assert findings[1]["seen"] == "a machine has it, MAC address 52:54:00:00:00:21"
    assert findings[3]["seen"] == "this host has it itself"
    assert findings[4]["severity"] == "warning"
    assert findings[4]["seen"].startswith("could not be checked: it is in no network of this host")


def test_ports_in_use_and_a_short_listener(lab: t.Any, port: int, closed: int) -> None:
    lab.host()
    result = lab.run(host_checks, free_ports=[port], listen=[port, closed], listen_seconds=1, fail_on_error=False)
    assert [one["ok"] for one in named(result, "port")] == [False, False, True]
    if not (shutil.which("systemd-socket-activate") or shutil.which("nc")):
        assert result["listening"] == []
        pytest.skip("this machine has nothing to listen with")
    assert result["listening"] == [closed]
    socket.create_connection(("127.0.0.1", closed), timeout=2).close()
    # The next one takes its place, and then it is told to end, be it before anybody came or after.
    assert lab.run(host_checks, listen=[closed], listen_seconds=60)["listening"] == [closed]
    assert lab.run(host_checks, listen=[closed], listen_seconds=60)["listening"] == [closed]
    socket.create_connection(("127.0.0.1", closed), timeout=2).close()
    assert lab.run(host_checks, stop_listening=True, free_ports=[closed])["ok"] is True


def test_services(lab: t.Any, tmp_path: Path) -> None:
    systemctl = """case "$*" in
  "is-active docker") echo active ;; "is-enabled docker") echo enabled ;;
  "is-active later") echo inactive; exit 3 ;; "is-enabled later") echo enabled ;;
  "is-active gone") echo inactive; exit 3 ;; "is-enabled gone") exit 1 ;;
  *) exit 1 ;;
esac"""
    lab.host(environment=with_programs(tmp_path / "bin", systemctl=systemctl))
    result = lab.run(host_checks, absent_services=["docker", "later", "gone", "mute"], fail_on_error=False)
    assert [(one["ok"], one["severity"]) for one in named(result, "service")] == [
        (False, "error"),
        (False, "error"),
        (True, "error"),
        (False, "warning"),
    ]


PROXY = """case "$2" in
  *127.0.0.1*) echo refused >&2; exit 1 ;;
  *allowed.example*) echo "HTTP/1.1 200 Connection established" ;;
  *login.example*) echo "HTTP/1.0 407 Proxy Authentication Required" ;;
  *denied.example*) echo "HTTP/1.1 403 Forbidden" ;;
  *CONNECT*) echo "connect: Connection refused" >&2; exit 1 ;;
  *) echo "connect: No route to host" >&2; exit 1 ;;
esac"""


def test_the_way_through_a_proxy(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host(environment=with_programs(tmp_path / "bin", bash=PROXY, getent="echo 10.0.0.1"))
    targets = [f"{name}.example:443" for name in ("allowed", "login", "denied", "gone", "inside.corp")]
    result = lab.run(
        host_checks,
        reach=[*targets, "10.1.2.3:443"],
        proxy="http://user:canary-password@proxy.example:3128",
        no_proxy=["corp.example", "10.1.0.0/16"],
        fail_on_error=False,
    )
    found = named(result, "reach")
    assert [one["ok"] for one in found] == [True, False, False, False, False, False]
    assert [result["connections"][one] for one in (*targets, "10.1.2.3:443")] == (
        ["open", "unknown", "proxy", "refused", "unreachable", "unreachable"]
    )
    assert found[1]["severity"] == "warning"
    assert found[1]["seen"] == "could not be checked: the proxy wants a login, which is not sent by this check"
    assert found[2]["seen"] == "the proxy says 403 Forbidden"
    assert found[3]["seen"].startswith("the proxy does not answer: ")
    assert "canary" not in str(result) + str(host.commands)
    refused = lab.run(host_checks, proxy="http://user:canary-password@-:3128x")
    assert refused["failed"] is True
    assert "canary" not in refused["msg"]


def test_the_largest_disk(lab: t.Any) -> None:
    lab.host(answer=lambda command, payload: (0, "@cpus 2\n@block 2097152\n@block 195312500\n@end\n", ""))
    assert lab.run(host_checks, disk_gb=100)["ok"] is True
    assert lab.run(host_checks, disk_gb=101)["findings"][0]["seen"] == "100 GB on the largest disk"
    unknown = lab.run(host_checks, memory_mib=1)
    assert unknown["findings"][0]["severity"] == "warning"


CURL = """case "$*" in
  *trusted.example*) exit 0 ;;
  *"-x http://127.0.0.1:3128"*inspected.example*) echo "curl: (60) SSL certificate problem: self-signed" >&2; exit 60 ;;
  *) echo "curl: (7) Failed to connect" >&2; exit 7 ;;
esac"""


def test_certificates(lab: t.Any, tmp_path: Path) -> None:
    host = lab.host(environment=with_programs(tmp_path / "bin", curl=CURL, getent="echo 10.0.0.1"))
    targets = ["trusted.example:443", "inspected.example:443", "gone.example:443"]
    proxied = {"proxy": "http://127.0.0.1:3128", "no_proxy": ["trusted.example"], "fail_on_error": False}
    result = lab.run(host_checks, tls=targets, **proxied)
    assert [(one["ok"], one["severity"]) for one in named(result, "tls")] == (
        [(True, "error"), (False, "error"), (False, "warning")]
    )
    assert named(result, "tls")[1]["seen"] == "curl: (60) SSL certificate problem: self-signed"
    # That it does not answer is told once.
    result = lab.run(host_checks, tls=targets[2:], reach=targets[2:], **proxied)
    assert [one["check"] for one in result["findings"]] == ["reach"]
    assert len(host.commands) == 2
    lab.host(environment=with_programs(tmp_path / "bin", curl="exit 127", openssl="exit 127"))
    assert named(lab.run(host_checks, tls=targets[:1]), "tls")[0]["seen"].startswith("could not be checked: ")


@pytest.mark.parametrize(
    "said", ["", "@command\n@disk 0 x\n@tcp 0 zero \n@neighbour 0\n@name 9 0 x\n@tls 7 0 x\n@service 0\n"]
)
def test_what_a_host_does_not_tell_is_not_fine(lab: t.Any, said: str) -> None:
    lab.host(answer=lambda command, payload: (0, f"{said}@end\n", ""))
    result = lab.run(
        host_checks,
        cpus=1,
        memory_mib=1,
        disk_gb=1,
        disks=[{"path": "/var", "free_mib": 1, "size_mib": 1}],
        architecture="amd64",
        kernel="1",
        commands=["sh"],
        absent_services=["docker"],
        not_noexec=["/var"],
        swap=False,
        cgroup_v2=True,
        valid_host_name=True,
        max_clock_skew=5,
        time_synchronised=True,
        resolve=["a.example"],
        reach=["a.example:443"],
        tls=["a.example:443"],
        peers=["10.0.0.1:6443"],
        free_addresses=["10.0.0.2"],
        free_ports=[6443],
        listen=[10250],
        fail_on_error=False,
    )
    assert [one for one in result["findings"] if one["ok"]] == []
    assert {one["check"] for one in result["findings"]} == set(CHECKS)
