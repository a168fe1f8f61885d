"""Hosts for agent mode: their description, the agent that sleeps until it is installed, and the imitated release."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.agent import installed
from lab.agent.agent import VERSION, Agent, Pace
from lab.agent.apply import Lease
from lab.agent.client import Reply
from lab.hosts import base, linux_root
from lab.hosts.config import ConfigError, HostConfig, LabConfig, parse
from lab.hosts.guest import Look
from lab.hosts.wanted import Journal, Wanted
from lab.release.make import assets, release

BOOT = "416f4d72-04ba-4542-9670-7e9002850c51"
STATE = "opt/spectrocloud/state"


def test_a_host_for_agent_mode_is_described_and_read_back() -> None:
    entry = {"name": "bare-1", "address": "10.42.0.5/24", "agent_mode": True}
    config = parse({"network": {"bridge": ["10.42.0.1/24"]}, "hosts": [entry]})
    assert config.hosts[0].agent_mode
    assert LabConfig.from_data(config.as_data()) == config


@pytest.mark.parametrize("entry", [{"agent_mode": "yes"}, {"agent_mode": True, "boot": False}])
def test_it_must_be_booted(entry: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"hosts\[0\].agent_mode"):
        parse({"network": {"bridge": ["10.42.0.1/24"]}, "hosts": [{"name": "b", "address": "10.42.0.5/24", **entry}]})


def test_its_base_root_is_one_of_its_own_with_python_and_without_an_oem() -> None:
    assert len({base.recipe_hash(), base.recipe_hash(node=True), base.recipe_hash(linux=True)}) == 3
    assert "python3" in linux_root.PACKAGES
    assert not set(linux_root.LEFT_OUT) & set(linux_root.PACKAGES)
    assert 'rmdir "$root/oem"' in linux_root.CUSTOMIZE


@dataclass
class FakeClient:
    """A controller that knows one token."""

    token: str = "good"
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def call(self, method: str, path: str, *, source: str, headers: dict[str, str], body: Any = None) -> Reply:
        self.asked.append((method, path, body))
        if path.endswith("/register") and headers.get("EdgeHostToken") != self.token:
            return Reply(403, {"code": "EdgeTokenInvalid", "message": "The registration token is unknown"})
        return Reply(200, {"status": {"serviceAuthToken": "s"}})


@pytest.fixture
def world(tmp_path: Path) -> tuple[Agent, Path, FakeClient]:
    host = HostConfig(name="bare-1", id="edge-bare-1", address="10.42.0.5/24", agent_mode=True)
    root, directory, client = tmp_path / "root", tmp_path / "host", FakeClient()
    (root / "usr/local/share").mkdir(parents=True)
    (root / "var/log").mkdir(parents=True)
    look = Look(
        address="10.42.0.5/24", boot_id=BOOT, carrier=True, listening=True, logins=True, mac="02:00:00:00:00:01"
    )
    agent = Agent(
        host=host,
        directory=directory,
        client=client,  # type: ignore[arg-type]
        journal=Journal(directory),
        wanted=Wanted,
        sight=lambda: look,
        lease=Lease("10.42.0.5/24", "10.42.0.1"),
        pace=Pace(),
    )
    agent.before_boot(root)
    return agent, root, client


def _install(root: Path, *, token: str, boot: str, version: str = "v4.8.21") -> None:
    (root / STATE).mkdir(parents=True, exist_ok=True)
    (root / "oem").mkdir(exist_ok=True)
    (root / STATE / "version").write_text(f"{version}\n")
    (root / STATE / "running").write_text(f"{boot}\n")
    site = f"{{name: edge-7, paletteEndpoint: palette.example.com, edgeHostToken: {token}}}"
    (root / "oem/90_custom.yaml").write_text(f"#cloud-config\nstylus: {{site: {site}}}\n")


def test_nothing_happens_before_it_was_installed_and_booted(world: tuple[Agent, Path, FakeClient]) -> None:
    agent, root, client = world
    agent.step()
    _install(root, token="good", boot="another-boot")
    agent.step()
    assert client.asked == []
    (root / STATE / "running").write_text(BOOT)
    for _number in range(3):
        agent.step()
    assert [(method, path) for method, path, _body in client.asked][:2] == [
        ("POST", "/v1/edgehosts/register"),
        ("GET", "/v1/edgehosts/edge-7/config"),
    ]
    assert client.asked[2][2]["agentVersion"] == "v4.8.21" != VERSION


def test_what_it_is_refused_with_is_in_the_log_of_the_host(world: tuple[Agent, Path, FakeClient]) -> None:
    agent, root, _client = world
    _install(root, token="bad", boot=BOOT)
    agent.step()
    agent.step()
    lines = (root / "var/log/palette-agent.log").read_text().splitlines()
    assert lines == ["registration refused: 403 EdgeTokenInvalid: The registration token is unknown"] * 2


def test_no_link_of_the_host_leads_its_log_astray(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "var/log").mkdir(parents=True)
    outside.write_text("mine")
    (root / "var/log/palette-agent.log").symlink_to(outside)
    installed.log(root, "words")
    (root / "opt").symlink_to(tmp_path)
    assert installed.version(root) == ""
    assert outside.read_text() == "mine"


def test_a_release_is_the_same_each_time_and_its_scripts_are_sound(tmp_path: Path) -> None:
    first, second = (release(tmp_path / name, "4.8.21") for name in ("a", "b"))
    assert first == second
    assert len(first) == 11
    for name in ("palette-agent-install.sh", "palette-agent-fips-linux-arm64", "spectro-uninstall-linux-amd64.sh"):
        path = tmp_path / "a/v4.8.21" / name
        assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
        assert "@" not in path.read_text().replace('"$@"', "").replace("$@", "")


def test_the_package_has_what_the_vendors_has() -> None:
    made = assets("4.8.21", base="https://example.invalid")
    with tarfile.open(fileobj=io.BytesIO(made["agent-mode-linux-amd64.tar"])) as archive:
        names = archive.getnames()
    assert {"var/lib/spectro/spectro-init.sh", "etc/systemd/system/spectro-init.service"} <= set(names)
    assert not [name for name in names if name.startswith((os.sep, ".."))]


def test_the_imitated_script_has_the_known_faults() -> None:
    """Or the role would be proved against a script that is better than the vendor's."""
    script = assets("4.8.21", base="https://example.invalid")["palette-agent-install.sh"].decode()
    assert '\nVERSION="v4.8.21"\n' in script
    lines = [line for line in script.splitlines() if line.startswith("curl ")]
    assert lines == ['curl -s -L -o ./palette-agent "$URL"']
    assert "exit" not in script.split("Unsupported")[1].splitlines()[0]
    assert "set -e" not in script
