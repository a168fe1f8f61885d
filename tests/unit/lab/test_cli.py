"""The lab's command line: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import cli
from lab.hosts import preconditions
from lab.hosts.config import HostConfig, LabConfig
from lab.instance import faults, processes
from lab.instance.state import Instance, find, write_json
from lab.instance.up import Options
from lab.instance.up import _remember as remember
from lab.kubernetes.provider import Delivery

CONFIG = """\
network: {bridge: [10.42.0.1/24]}
hosts:
  - {name: store-1, id: edge-1, address: 10.42.0.101/24}
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a lab that was up once."""
    folder = tmp_path / "my lab"
    folder.mkdir()
    write_json(folder / "instance.json", {"name": "test-cli", "port": 4711})
    hosts = [{"name": "store-1", "id": "edge-1", "address": "10.42.0.101/24", "boot": True}]
    lab = {"url": "https://127.0.0.1:1", "api_key": "k'ey", "lab_key": "lk", "netns": "test-cli", "hosts": hosts}
    write_json(folder / "lab.json", lab)
    (folder / "ca.pem").write_text("")
    return folder


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_env_is_understood_by_a_shell_whatever_the_path(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = _run(capsys, "env", "--state", str(state))
    assert code == 0
    script = f"{out}\n{shlex.quote(sys.executable)} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    found = json.loads(subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout)
    assert found["PALETTE_HOST"] == "https://127.0.0.1:1"
    assert found["PALETTE_API_KEY"] == "k'ey"
    assert found["PALETTE_CA_PATH"] == str(state / "ca.pem")
    assert found["ANSIBLE_REMOTE_USER"] == "kairos"
    assert found["ANSIBLE_PRIVATE_KEY_FILE"] == str(state / "ssh/id_ed25519")
    arguments = shlex.split(found["ANSIBLE_SSH_COMMON_ARGS"])
    assert "ProxyCommand=nsenter --net=/run/netns/test-cli socat - TCP:%h:%p" in arguments
    assert f'UserKnownHostsFile="{state}/ssh/known_hosts"' in arguments
    assert "StrictHostKeyChecking=no" in arguments


def test_env_of_a_lab_that_boots_no_hosts_has_nothing_of_ssh(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(state / "lab.json", {"url": "http://127.0.0.1:1", "api_key": "k", "netns": None})
    assert "ANSIBLE" not in _run(capsys, "env", "--state", str(state))[1]


def test_env_before_the_first_up_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "env", "--state", str(tmp_path))
    assert (code, out) == (1, "")
    assert err == f"lab: there is no lab in {tmp_path}: 'up' makes one\n"


def test_the_state_directory_is_that_of_the_option_or_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALETTE_LAB_STATE", "/tmp/of-the-variable")
    assert find(None).state == Path("/tmp/of-the-variable")
    assert find("/tmp/of-the-option").state == Path("/tmp/of-the-option")
    monkeypatch.delenv("PALETTE_LAB_STATE")
    assert find(None).state.name == ".lab"


def test_a_lab_keeps_its_name(state: Path) -> None:
    assert find(str(state)).name == "test-cli"
    assert find(str(state), "other").name == "other"


def test_status_of_a_lab_that_is_down(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = _run(capsys, "status", "--state", str(state))
    assert code == 1
    assert "controller: not running" in out
    found = json.loads(_run(capsys, "status", "--json", "--state", str(state))[1])
    assert found["controller"]["pid"] is None
    assert "k'ey" not in json.dumps(found)


def test_missing_preconditions_are_named_with_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preconditions, "missing", lambda state: ["not root: x", "socat is not installed: y"])
    config = tmp_path / "lab.yml"
    config.write_text(CONFIG)
    code, out, err = _run(capsys, "up", "--state", str(tmp_path / "s"), "--config", str(config), "--name", "test-cli")
    assert (code, out) == (3, "")
    assert err.splitlines()[1:] == [
        "  not root: x",
        "  socat is not installed: y",
        "  --speak-only runs the lab with hosts that only speak to the controller",
    ]
    assert _run(capsys, "check", "--state", str(tmp_path / "s"))[:2] == (3, "not root: x\nsocat is not installed: y\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_a_missing_command_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "systemd-nspawn is not installed: apt-get install systemd-container" in preconditions.missing(tmp_path)


def test_bad_input_is_refused_with_code_2_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "lab.yml"
    config.write_text(CONFIG.replace("10.42.0.101/24", "10.42.0.101"))
    code, _out, err = _run(capsys, "up", "--state", str(tmp_path / "s"), "--config", str(config))
    assert code == 2
    assert f"{config}: hosts[0].address: '10.42.0.101'" in err
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["Lab", "a b", "../x", "a" * 33])
def test_a_name_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, _out, err = _run(capsys, "up", "--state", str(tmp_path / "s"), "--name", name)
    assert code == 1
    assert "--name" in err


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], {}),
        (
            ["--no-rate-limits", "--form-seconds", "2.5", "--seed", "7"],
            {"rate_limits": ["--no-rate-limits"], "form_seconds": ["--form-seconds", "2.5"], "seed": ["--seed", "7"]},
        ),
        (["--rate-limits", "--no-tls"], {"rate_limits": ["--rate-limits"], "tls": ["--no-tls"]}),
        (["--tls", "--no-open-pairing"], {"tls": [], "pairing": []}),
        (["--open-pairing"], {"pairing": ["--open-pairing"]}),
        (["--heartbeat-timeout", "9"], {"silence": ["--heartbeat-timeout", "9.0"]}),
    ],
)
def test_the_controllers_options_are_passed_on(arguments: list[str], passed: dict[str, list[str]]) -> None:
    options = cli._parser().parse_args(["up", *arguments])
    assert cli._controller_arguments(options) == passed


def test_options_are_kept_until_given_anew_and_follow_the_hosts(tmp_path: Path) -> None:
    instance = Instance(state=tmp_path, name="test-cli")
    booted = LabConfig(hosts=(HostConfig(name="a", id="a"),))
    many = LabConfig(hosts=tuple(HostConfig(name=f"a{n}", id=f"a{n}", boot=False) for n in range(1000)))
    built = Delivery("built", "x", "kubeadm", tmp_path, ("1.20.2", "1.20.3"))
    first, changed = remember(instance, booted, Options(controller={"seed": ["--seed", "7"]}), built)
    assert changed
    assert first["kubernetes"] == "auto"
    assert first["controller"] == {
        "pairing": [],
        "silence": [],
        "kubernetes": ["--kubernetes", "edge-k8s=1.20.2,1.20.3"],
        "seed": ["--seed", "7"],
    }
    assert remember(instance, booted, Options(), built) == (first, False)
    assert remember(instance, booted, Options(port=0), built) == (first, False)
    nothing = Delivery.nothing("as asked")
    again, changed = remember(instance, many, Options(kubernetes="none", controller={"tls": ["--no-tls"]}), nothing)
    assert changed
    assert again["port"] == first["port"]
    assert again["kubernetes"] == "none"
    assert again["controller"] == {
        "pairing": ["--open-pairing"],
        "silence": ["--heartbeat-timeout", "30.0"],
        "kubernetes": [],
        "seed": ["--seed", "7"],
        "tls": ["--no-tls"],
    }


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["up", "--port", port])


def test_faults_of_hosts_are_wishes_that_stay(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--state", str(state))
    assert _run(capsys, "fault", "host", *options, "store-1", "cut")[:2] == (
        0,
        "host store-1: its cable is cut (as soon as the lab is up)\n",
    )
    _run(capsys, "fault", "host", *options, "store-1", "kill")
    assert faults.host_faults(find(str(state))) == ["host store-1: killed", "host store-1: cut"]
    assert _run(capsys, "fault", "clear", *options)[0] == 0
    assert faults.host_faults(find(str(state))) == []


def test_an_unknown_host_is_named_with_those_that_are_known(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = _run(capsys, "fault", "host", "--state", str(state), "store-9", "cut")
    assert code == 1
    assert "has no host store-9 (it has: store-1)" in err


def test_api_faults_go_to_the_controller(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def switch_on(instance: Instance, body: dict[str, Any]) -> dict[str, Any]:
        asked.append(body)
        return {}

    monkeypatch.setattr(faults, "api_fault", switch_on)
    wanted = ["status", "--status", "503", "--count", "5", "--path", "/v1/edgehosts", "--method", "POST"]
    assert _run(capsys, "fault", "api", "--state", str(state), *wanted)[0] == 0
    assert asked == [{"kind": "status", "status": 503, "count": 5, "path": "/v1/edgehosts", "method": "POST"}]


def test_a_controller_that_does_not_answer_is_said(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = _run(capsys, "fault", "list", "--state", str(state))
    assert code == 1
    assert "https://127.0.0.1:1" in err


def test_down_twice_and_before_up_does_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _number in range(2):
        code, _out, err = _run(capsys, "down", "--state", str(tmp_path / "s"), "--name", f"none-{os.getpid()}")
        assert (code, err) == (0, "")


def test_purge_removes_only_what_a_lab_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").touch()
    code, _out, err = _run(capsys, "down", "--purge", "--state", str(tmp_path), "--name", f"none-{os.getpid()}")
    assert code == 1
    assert "is not the state directory of a lab" in err
    assert (tmp_path / "thesis.tex").exists()


def test_a_pid_that_belongs_to_something_else_now_is_not_the_labs(state: Path) -> None:
    instance = find(str(state))
    instance.pid_file("controller").write_text(f"{os.getpid()}\n")
    assert processes.running(instance, "controller") is None


def test_a_process_that_only_waits_to_be_reaped_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    assert processes.wait_gone([child.pid], within=10) == []
    child.wait()


def test_no_secret_is_on_a_command_line(
    state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Process:
        pid, returncode = 1, None

    def start(command: list[str], **options: Any) -> Process:
        started.append(command)
        assert options["stdin"] == subprocess.DEVNULL
        assert options["start_new_session"]
        return Process()

    monkeypatch.setattr("lab.instance.processes.subprocess.Popen", start)
    processes.start(find(str(state)), "controller", ["--port", "1"])
    assert "k'ey" not in " ".join(started[0])
    assert started[0][1:] == ["-m", "lab.controller", "--state", str(state), "--port", "1"]
