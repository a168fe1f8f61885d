"""Stages of user-data on a lab host: the units that run them, what their scripts do, what goes when they go."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.agent import apply as applying
from lab.agent import stages
from lab.agent.apply import Lease, apply
from lab.agent.user_data import UserData, UserDataError, read_layers, understand


def _user_data(root: Path, *layers: str) -> UserData:
    (root / "oem").mkdir(exist_ok=True)
    for number, text in enumerate(layers):
        (root / f"oem/{number}.yaml").write_text(text)
    return understand(read_layers(root), uid="edge-1", host_name="host-1")


def _script(root: Path, name: str) -> Path:
    return root / f"var/lib/lab-stages/{name}.sh"


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "_update_certificates", lambda root: None)


def test_steps_of_all_layers_are_run_in_their_order(tmp_path: Path) -> None:
    found = _user_data(
        tmp_path,
        "stages: {boot: [{name: one, commands: ['echo 1']}], network.after: [{commands: ['echo n']}]}",
        "stages: {boot.before: [{commands: ['echo 0']}], boot: [{name: two, commands: ['echo 2']}]}",
    )
    apply(tmp_path, found, Lease())
    run = subprocess.run(["sh", _script(tmp_path, "boot")], capture_output=True, text=True, check=True)
    assert [line for line in run.stdout.splitlines() if line.isdigit()] == ["0", "1", "2"]
    assert not _script(tmp_path, "initramfs").exists()
    link = tmp_path / "etc/systemd/system/multi-user.target.wants/lab-stage-network.service"
    assert link.readlink() == Path("/etc/systemd/system/lab-stage-network.service")
    assert apply(tmp_path, found, Lease()) == []


def test_files_directories_conditions_and_failures(tmp_path: Path) -> None:
    there, other = tmp_path / "made/file", tmp_path / "other"
    step: dict[str, Any] = {
        "directories": [{"path": str(tmp_path / "made"), "permissions": 0o750}],
        "files": [
            {"path": str(there), "content": "a 'quoted' $line\n", "permissions": 0o640},
            {"path": str(other), "content": "aGk=", "encoding": "b64"},
        ],
        "commands": ["exit 3", f"echo more >> {there}"],
    }
    never = {"if": "[ -e /no/such/file ]", "commands": [f"rm {there}"]}
    stages.lay_out(
        tmp_path, {"initramfs": [{"name": "write", **step}, never, {"files": [{}]}, {"git": {}, "name": "g"}]}
    )
    run = subprocess.run(["sh", _script(tmp_path, "initramfs")], capture_output=True, text=True, check=True)
    assert there.read_text() == "a 'quoted' $line\nmore\n"
    assert (there.stat().st_mode & 0o777, there.parent.stat().st_mode & 0o777) == (0o640, 0o750)
    assert other.read_text() == "hi"
    assert "failed: write" in run.stderr
    assert "malformed (KeyError)" in run.stderr
    assert "left out: git" in run.stdout


def test_accounts_are_made_by_the_tools_of_the_host(tmp_path: Path) -> None:
    users = {"ops": {"passwd": "$6$h", "groups": ["sudo"], "ssh_authorized_keys": ["ssh-ed25519 AAAA it's me\n"]}}
    apply(tmp_path, understand({"stylus": {"site": {"users": users}}}, uid="e", host_name="h"), Lease())
    text = _script(tmp_path, "initramfs").read_text()
    for words in (
        "account ops",
        "ops:$6$h' | chpasswd --encrypted",
        "group ops sudo",
        "key ops 'ssh-ed25519 AAAA it'\"'\"'s me'",
    ):
        assert words in text
    assert _script(tmp_path, "initramfs").stat().st_mode & 0o777 == 0o700


def test_what_has_no_steps_any_more_goes(tmp_path: Path) -> None:
    apply(tmp_path, _user_data(tmp_path, "stages: {boot: [{commands: [x]}]}"), Lease())
    (tmp_path / "oem/0.yaml").unlink()
    apply(tmp_path, understand(read_layers(tmp_path), uid="edge-1", host_name="host-1"), Lease())
    assert not [path for path in tmp_path.rglob("*lab-stage*") if path.is_file() or path.is_symlink()]


def test_a_network_file_of_a_step_counts_before_the_agents_own(tmp_path: Path) -> None:
    text = "[Match]\nName=host0\n\n[Network]\nDHCP=yes\nDNS=10.0.0.2\nDNS=10.0.0.3\nDomains=a.example b.example\n"
    step = {"files": [{"path": "/run/systemd/network/00-palette-edge-host0.network", "content": text}]}
    net = {
        "nameserver": "10.0.0.9",
        "interfaces": {"host0": {"nameserver": "10.0.0.2"}, "host1": {"nameserver": "10.1.0.1"}},
    }
    document = {"stylus": {"site": {"network": net}}, "stages": {"initramfs": [step]}}
    apply(tmp_path, understand(document, uid="e", host_name="h"), Lease("10.0.0.5/24", "10.0.0.1"))
    lease = tmp_path / "etc/systemd/network/00-palette-edge-host0.network.d/50-lab-lease.conf"
    assert lease.read_text() == "[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\n"
    assert (tmp_path / "etc/resolv.conf").read_text().splitlines()[:4] == [
        "nameserver 10.0.0.2", "nameserver 10.0.0.3", "nameserver 10.1.0.1", "search a.example b.example",
    ]  # fmt: skip
    apply(tmp_path, understand({}, uid="e", host_name="h"), Lease("10.0.0.5/24"))
    assert not lease.exists()
    assert not (tmp_path / "etc/systemd/network/10-host1.network").exists()


def test_several_nics(tmp_path: Path) -> None:
    nics = {"host1": {"type": "static", "ipAddress": "10.1.0.5/24"}, "eth7": {}}
    found = understand({"stylus": {"site": {"network": {"interfaces": nics}}}}, uid="e", host_name="h")
    apply(tmp_path, found, Lease())
    assert "Address=10.1.0.5/24" in (tmp_path / "etc/systemd/network/10-host1.network").read_text()
    assert found.notes == ("user-data names the NIC eth7, and those of a host are called host0, host1 and so on",)


@pytest.mark.parametrize("text", ["stages: [a]", "stages: {boot: {commands: [x]}}", "stages: {boot: [x]}"])
def test_stages_that_are_none_are_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserDataError, match=r"/oem/0.yaml: stages"):
        _user_data(tmp_path, text)
