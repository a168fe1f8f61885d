# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""palette.edge.agent_installation: its shell is run for real, with systemd played by scripts."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import agent_installation
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_scripts as scripts
from lab.release.make import assets

TOKEN = "canary-t0ken-of-the-registration"
VERSION = "4.8.21"
# In place of systemd: the job runs at once, in the foreground, and the machine is whatever the test runs on.
SYSTEMD_RUN = (
    '#!/bin/sh\nfor last in "$@"; do :; done\necho run >> "$STUBS/jobs"\n/bin/bash "$last" </dev/null\nexit 0\n'
)
SYSTEMCTL = '#!/bin/sh\ncase "$1" in is-active) exit 3 ;; esac\nexit 0\n'
# The vendor's program, as far as it matters here.
PROGRAM = b"""#!/bin/bash
echo "installing from $3 with $TOKEN_IN_ENVIRONMENT"
cat "$5" > "$UNITS/../seen-user-data" 2>/dev/null
env > "$UNITS/../seen-environment"
[ -z "$FAIL" ] || { echo "cannot pull the image with edgeHostToken: $FAIL"; exit 3; }
[ -n "$LAZY" ] || : > "$UNITS/spectro-stylus-agent.service"
"""


@dataclass
class World:
    """A host of a shell, its folders below a temporary one, and the files of a release beside it."""

    lab: t.Any
    folder: Path
    host: t.Any
    files: list[dict[str, str]]

    @property
    def ours(self) -> Path:
        return self.folder / "ours"

    @property
    def record(self) -> dict[str, t.Any]:
        return dict(json.loads((self.ours / "record.json").read_text()))

    @property
    def jobs(self) -> int:
        path = self.folder / "bin/jobs"
        return len(path.read_text().split()) if path.exists() else 0

    def run(self, **args: t.Any) -> dict[str, t.Any]:
        given = {
            "version": VERSION,
            "files": self.files,
            "host_id": "edge-1",
            "folder": str(self.ours),
            "user_data": {
                "install": {"reboot": True},
                "stylus": {"site": {"paletteEndpoint": "api.example.com", "projectName": "Default"}},
            },
            "registration_token": TOKEN,
            **args,
        }
        return dict(self.lab.run(agent_installation, **given))

    def give(self, name: str, content: bytes) -> dict[str, str]:
        path = self.folder / name
        path.write_bytes(content)
        return {"name": name, "path": str(path), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.fixture
def world(lab: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    if os.geteuid() != 0 or platform.machine() != "x86_64":
        pytest.skip("files are taken over by root, and they are for amd64: run as root there")
    units, stubs = tmp_path / "units", tmp_path / "bin"
    for path in (units, stubs):
        path.mkdir()
    for name, text in (("systemd-run", SYSTEMD_RUN), ("systemctl", SYSTEMCTL)):
        (stubs / name).write_text(text)
        (stubs / name).chmod(0o755)
    for name, value in (
        ("UNITS", units),
        ("PACKAGE_USER_DATA", tmp_path / "userdata"),
        ("REMOVED", tmp_path / "run/removed"),
    ):
        monkeypatch.setattr(scripts, name, str(value))
    environment = {"PATH": f"{stubs}:/usr/bin:/bin:/usr/sbin:/sbin", "STUBS": str(stubs), "UNITS": str(units)}
    host = lab.host(environment=environment)
    made = World(lab, tmp_path, host, [])
    script = assets(VERSION, base="https://example.invalid")["palette-agent-install.sh"]
    # The checks of the host's programs are not what this is about.
    script = script.replace(b"bash systemctl jq rsync zstd", b"bash")
    made.files = [made.give("palette-agent-install.sh", script), made.give("palette-agent-linux-amd64", PROGRAM)]
    return made


def test_it_is_installed_once(world: World) -> None:
    planned = world.run(check=True)
    assert (planned["changed"], planned["act"], planned["reboot_required"]) == (True, "install", True), planned
    assert not world.ours.exists()
    done = world.run()
    assert done["steps"] == ["install 4.8.21"], done
    assert "user_data: sha256" in done["diff"][0]["after"]
    assert world.record["phase"] == "installed"
    seen = (world.folder / "seen-user-data").read_text()
    assert seen.startswith("#cloud-config\n")
    assert TOKEN in seen
    assert "reboot: false" in seen
    assert "poweroff: false" in seen
    assert any("install.reboot" in text for text in done["warnings"])
    left = {path.name for path in world.ours.rglob("*") if path.is_file()}
    assert left == {"record.json", "run.sh", "log", "rc", "curl"}, "user-data, environment and the release are gone"
    again = world.run()
    assert (again["changed"], again["act"], world.jobs) == (False, "nothing", 1)
    assert again["reboot_required"], "the host has not booted since"
    everything = repr([planned, done, again]) + "".join(world.host.commands) + "".join(world.host.logged)
    assert TOKEN not in everything


def test_the_installer_is_told_every_address(world: World) -> None:
    proxy = {
        "http": "http://proxy:3128",
        "https": "http://u:canary-pass@proxy:3128",
        "no_proxy": ["10.0.0.0/8", ".local"],
    }
    done = world.run(proxy=proxy)
    assert done["changed"], done
    lines = (world.folder / "seen-environment").read_text().splitlines()
    assert f"URL=file://{world.ours}/v4.8.21/palette-agent-linux-amd64" in lines
    assert "IMAGE=us-docker.pkg.dev/palette-images/edge/stylus-agent-mode-linux-amd64:v4.8.21" in lines
    assert {"https_proxy=http://u:canary-pass@proxy:3128", "NO_PROXY=10.0.0.0/8,.local"} <= set(lines)
    assert "canary-pass" not in repr(done) + "".join(world.host.commands)


def test_a_failed_installation_says_why_without_secrets_and_is_done_again(world: World) -> None:
    world.host.environment["FAIL"] = TOKEN
    failed = world.run()
    assert failed["failed"]
    assert "exit code 3" in failed["msg"]
    assert "cannot pull the image" in failed["msg"]
    assert TOKEN not in failed["msg"]
    assert "\n" not in failed["msg"]
    assert not (world.ours / "job/user-data").exists()
    assert world.record["phase"] == "installing"
    del world.host.environment["FAIL"]
    done = world.run()
    assert done["steps"] == ["install 4.8.21 (the installation before broke off)"], done
    assert world.record["phase"] == "installed"


def test_an_installer_that_ends_well_and_did_nothing_has_failed(world: World) -> None:
    world.host.environment["LAZY"] = "yes"
    assert "did not do what it is for" in world.run()["msg"]


def test_an_installation_that_ended_unseen_is_only_noted(world: World) -> None:
    world.run()
    record = {**world.record, "phase": "installing"}
    (world.ours / "record.json").write_text(json.dumps(record))
    done = world.run()
    assert (done["steps"], world.jobs) == (["note that 4.8.21 was installed"], 1)
    assert world.record["phase"] == "installed"


def test_the_host_downloads_itself_where_that_is_asked_for(world: World) -> None:
    world.files = [{**file, "url": f"file://{file['path']}"} for file in world.files]
    for file in world.files:
        file.pop("path")
    missing = [{**world.files[0], "url": "file:///nowhere/palette-agent-install.sh"}, world.files[1]]
    failed = world.run(files=missing, fetch_from="host")
    assert "the host could not fetch palette-agent-install.sh: curl:" in failed["msg"], failed
    assert list(world.ours.glob(".incoming*")) == []
    assert world.run(fetch_from="host")["changed"]
    assert not [command for command in world.host.commands if "file://" in command], "no address is on a command line"


def test_files_for_another_architecture_are_refused_before_anything_is_done(world: World) -> None:
    world.files = [world.files[0], {**world.files[1], "name": "palette-agent-linux-arm64"}]
    assert "files: are for arm64, and 192.0.2.1 is amd64" in world.run()["msg"]
    assert not world.ours.exists()


def test_a_file_that_is_not_as_pinned_is_not_run(world: World) -> None:
    Path(world.files[1]["path"]).write_bytes(PROGRAM + b"# changed\n")
    failed = world.run()
    assert "palette-agent-linux-amd64 has the SHA-256" in failed["msg"], failed
    assert world.jobs == 0
    assert [path.name for path in world.ours.rglob("*amd64*")] == []


def test_a_web_page_and_another_architecture_are_refused_even_when_pinned(world: World) -> None:
    script = world.files[0]
    world.files = [script, world.give("palette-agent-linux-amd64", b"<html>Sign in</html>")]
    assert "is a web page" in world.run()["msg"]
    world.files = [
        script,
        world.give("palette-agent-linux-amd64", b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\x00" * 9),
    ]
    assert "another architecture" in world.run()["msg"]
    assert world.jobs == 0


def test_an_installer_that_wants_an_unchecked_program_gets_none(world: World) -> None:
    """As it would with a script that no longer reads URL."""
    script = Path(world.files[0]["path"]).read_bytes().replace(b'URL="${URL:-', b'URL="${NO_URL:-')
    world.files[0] = world.give("palette-agent-install.sh", script)
    failed = world.run()
    assert failed["failed"]
    assert "unchecked program" in (world.ours / "job/log").read_text()
    assert not (world.folder / "units/spectro-stylus-agent.service").exists()


def test_a_folder_without_programs_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    text = scripts.prepare(str(world.ours), "root").replace('"$d/scratch/.try" 2>/dev/null', "false")
    monkeypatch.setattr(scripts, "prepare", lambda folder, login: text)
    assert "(noexec): name another directory" in world.run()["msg"]


def test_the_package_puts_the_user_data_in_its_place_and_units_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = world.folder / "root"
    root.mkdir()
    monkeypatch.setattr(scripts, "UNITS", str(root / "etc/systemd/system"))
    job = scripts.package_job

    def elsewhere(folder: str, package: str, at: str) -> str:
        return job(folder, package, at).replace("--directory /", f"--directory {shlex.quote(str(root))}")

    monkeypatch.setattr(scripts, "package_job", elsewhere)
    monkeypatch.setattr(scripts, "PACKAGE_USER_DATA", str(root / "var/lib/spectro/userdata"))
    package = assets(VERSION, base="")["agent-mode-linux-amd64.tar"]
    world.files = [world.give("agent-mode-linux-amd64.tar", package)]
    done = world.run(method="package")
    assert done["changed"], done
    assert (root / "etc/systemd/system/spectro-init.service").exists()
    user_data = root / "var/lib/spectro/userdata"
    assert (oct(user_data.stat().st_mode)[-3:], TOKEN in user_data.read_text()) == ("600", True)
    text = (world.ours / "job/run.sh").read_text()
    assert text.index("--exclude='*etc/systemd/system*'") < text.index("userdata.new") < text.rindex("tar --extract")
    world.files = [world.give("agent-mode-linux-amd64.tar", b"x" * 257 + b"ustar" + bytes(300))]
    assert "92 (the file is no package" in world.run(method="package", version="4.8.22")["msg"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"version": "latest"}, "version: 'latest' is no version"),
        ({"files": []}, "files: give those of the release"),
        ({"user_data": None}, "user_data: is missing"),
        ({"user_data": "#cloud-config\nstylus: {site: {name: edge-2}}"}, "host_id: is edge-1, and the user-data names"),
        ({"user_data": {"stylus": {"site": {"paletteEndpoint": "https://x"}}}}, "stylus.site.paletteEndpoint"),
        ({"user_data": {"install": "x", "stylus": {}}}, "install is no map"),
        ({"folder": "opt"}, "folder: 'opt' is not the absolute path"),
        ({"registration_token": "", "registration_token_later": True}, "only a run in check mode"),
    ],
)
def test_bad_input_is_refused_before_the_host_is_asked(world: World, args: dict[str, t.Any], words: str) -> None:
    failed = world.run(**args)
    assert failed["failed"]
    assert words in failed["msg"], failed["msg"]
    assert world.host.commands == []


def test_it_goes_only_with_its_id_and_all_of_it(world: World) -> None:
    world.run()
    assert "give its Edge host ID here too" in world.run(state="absent")["msg"]
    other = world.run(state="absent", host_id="edge-2", confirm="edge-2")
    assert "was installed as edge-1, not as edge-2" in other["msg"]
    assert "left no uninstaller" in world.run(state="absent", confirm="edge-1", files=[])["msg"]
    name = "spectro-uninstall-linux-amd64.sh"
    files = [world.give(name, b'#!/bin/bash\nrm -f "$UNITS"/spectro-*.service\n')]
    planned = world.run(state="absent", confirm="edge-1", files=files, check=True)
    assert (planned["changed"], planned["act"], world.ours.exists()) == (True, "uninstall", True)
    done = world.run(state="absent", confirm="edge-1", files=files)
    assert (done["changed"], done["reboot_required"], world.ours.exists()) == (True, True, False), done
    again = world.run(state="absent", confirm="edge-1", files=files)
    assert (again["changed"], again["reboot_required"]) == (False, True), "it has yet to reboot"
