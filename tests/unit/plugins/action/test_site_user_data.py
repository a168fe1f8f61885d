# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.action import site_user_data

TOKEN = "t0ken-canary-value"
PASSWORD = "pr0xy-canary"
OPTIONS: dict[str, t.Any] = {
    "palette_endpoint": "palette.example.com",
    "registration_token": TOKEN,
    "host_id": "edge-1",
    "host_name": "store-1",
    "tags": {"site": "store-042", "floor": 1},
    "interfaces": {"eth0": {"address": "10.0.10.25/24", "gateway": "10.0.10.1", "nameservers": ["10.0.10.1"]}},
    "proxy": {"http": f"http://u:{PASSWORD}@proxy.example.com:3128", "no_proxy": ["10.0.0.0/8"]},
    "users": {"ops": {"passwd": "$6$canary-hash", "groups": ["sudo"]}},
    "ntp_servers": ["pool.ntp.org"],
}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="files get the owner root")


class Site:
    """A directory that stands for /oem and /run of a host."""

    def __init__(self, lab: t.Any, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.oem, self.notes = folder / "oem", folder / "run"
        self.oem.mkdir()
        self.path = self.oem / "user-data"
        self.host = lab.host()

    def run(self, **args: t.Any) -> dict[str, t.Any]:
        self.lab.monkeypatch.setattr(site_user_data, "MARKERS", str(self.notes))
        check = args.pop("check", False)
        self.host.read_only = check
        return dict(self.lab.run(site_user_data, check=check, path=str(self.path), **{**OPTIONS, **args}))

    def reboot(self) -> None:
        """What a reboot does to memory."""
        for path in self.notes.glob("*"):
            path.unlink()


@pytest.fixture
def site(lab: t.Any, tmp_path: Path) -> Site:
    return Site(lab, tmp_path)


@as_root
def test_writes_once_privately_and_says_so(site: Site) -> None:
    result = site.run()
    assert not result.get("failed"), result
    assert (result["changed"], result["reboot_required"], result["changes"]) == (True, True, ["content"])
    status = site.path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, 0, 0)
    assert site.path.read_text().startswith("#cloud-config\n")
    assert yaml.safe_load(site.path.read_text())["stylus"]["site"]["edgeHostToken"] == TOKEN
    assert os.listdir(site.oem) == ["user-data"]
    site.reboot()
    again = site.run()
    assert (again["changed"], again["reboot_required"], again["changes"]) == (False, False, [])
    assert "diff" not in again
    assert len(site.host.commands) == 3, "two reads and one write"


@as_root
def test_a_run_that_ended_before_the_reboot_is_made_up_for(site: Site) -> None:
    site.run()
    again = site.run()
    assert (again["changed"], again["reboot_required"]) == (False, True)
    note = next(site.notes.iterdir())
    note.write_text("the boot before\n")
    assert site.run()["reboot_required"] is False


@as_root
def test_tags_alone_ask_for_no_reboot(site: Site) -> None:
    site.run()
    site.reboot()
    result = site.run(tags={"site": "store-042", "floor": 2})
    assert (result["changed"], result["reboot_required"]) == (True, False)
    assert yaml.safe_load(site.path.read_text())["stylus"]["site"]["tags"]["floor"] == "2"
    assert site.run(tags={"site": "store-042", "floor": 2})["reboot_required"] is False


@as_root
def test_tags_alone_do_not_hide_a_reboot_that_is_due(site: Site) -> None:
    site.run()
    assert site.run(tags={"site": "store-043"})["reboot_required"] is True


def test_check_mode_writes_nothing_and_predicts(site: Site, snapshot: t.Any) -> None:
    before = snapshot(site.folder)
    result = site.run(check=True)
    assert (result["changed"], result["reboot_required"]) == (True, True)
    assert result["diff"][0]["before"] == ""
    shown = yaml.safe_load(result["diff"][0]["after"])
    assert shown["stylus"]["site"]["tags"] == {"site": "store-042", "floor": "1"}
    assert shown["stylus"]["site"]["edgeHostToken"] == "<hidden>"
    assert snapshot(site.folder) == before


@as_root
def test_the_diff_is_what_changes_and_nothing_else(site: Site) -> None:
    site.run()
    diff = site.run(check=True, ntp_servers=["time.example.com"])["diff"][0]
    gone = set(diff["before"].splitlines()) - set(diff["after"].splitlines())
    come = set(diff["after"].splitlines()) - set(diff["before"].splitlines())
    assert gone == {"      - pool.ntp.org"}
    assert come == {"      - time.example.com"}


@as_root
def test_another_token_shows_as_changed_and_is_not_shown(site: Site) -> None:
    site.run()
    result = site.run(check=True, registration_token=TOKEN + "-2")
    assert result["changed"] is True
    assert 'edgeHostToken: "<hidden>"' in result["diff"][0]["before"]
    assert 'edgeHostToken: "<hidden, changed>"' in result["diff"][0]["after"]


@as_root
def test_no_secret_in_results_command_lines_or_logged_answers(site: Site) -> None:
    results = [site.run(), site.run(), site.run(registration_token=TOKEN + "-2"), site.run(state="absent")]
    seen = repr(results) + "".join(site.host.commands) + "".join(site.host.logged)
    for secret in (TOKEN, PASSWORD, "canary-hash"):
        assert secret not in seen
    import base64

    for offset in range(3):
        assert base64.b64encode(b"x" * offset + TOKEN.encode()).decode()[4:-4] not in seen


@as_root
def test_what_means_the_same_is_left_alone(site: Site) -> None:
    site.run()
    document = yaml.safe_load(site.path.read_text())
    by_hand = "#cloud-config\n# by hand\n" + yaml.safe_dump(document, default_flow_style=True)
    site.path.write_text(by_hand)
    site.reboot()
    assert site.run()["changed"] is False
    site.path.chmod(0o644)
    result = site.run()
    assert (result["changes"], result["reboot_required"]) == (["mode"], False)
    assert site.path.read_text() == by_hand
    assert stat.S_IMODE(site.path.stat().st_mode) == 0o600


@as_root
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"stylus: {{site: {{edgeHostToken: {TOKEN}}}}}\n", "does not begin with the line #cloud-config"),
        (f"#cloud-config\nstylus: [{TOKEN}\n", "is no YAML"),
        (f"#cloud-config\n- {TOKEN}\n", "is no map"),
    ],
)
def test_a_file_that_is_none_is_replaced_and_not_shown(site: Site, text: str, words: str) -> None:
    site.path.write_text(text)
    result = site.run()
    assert result["changed"] is True
    assert words in result["diff"][0]["before"]
    assert TOKEN not in repr(result)


@as_root
def test_absent(site: Site) -> None:
    site.run()
    site.reboot()
    assert site.run(state="absent", check=True)["changed"] is True
    assert site.path.exists()
    result = site.run(state="absent")
    assert (result["changed"], result["reboot_required"]) == (True, True)
    assert not site.path.exists()
    again = site.run(state="absent")
    assert (again["changed"], again["reboot_required"]) == (False, True)


@as_root
def test_without_a_token_yet_in_check_mode(site: Site) -> None:
    options = {"registration_token": None, "registration_token_later": True}
    fresh = site.run(check=True, **options)
    assert fresh["changed"] is True
    assert not fresh.get("failed")
    site.run()
    site.reboot()
    assert site.run(check=True, **options)["changed"] is False
    assert "only a run in check mode" in site.run(**options)["msg"]


@as_root
def test_a_changed_host_id_is_warned_of(site: Site) -> None:
    site.run()
    assert "The Edge host ID changes from edge-1 to edge-2" in site.run(check=True, host_id="edge-2")["warnings"][0]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            {"palette_endpoint": "https://palette.example.com/"},
            "palette_endpoint: 'https://palette.example.com/' has a scheme and a path",
        ),
        ({"host_id": "a b"}, "host_id: 'a b'"),
        ({"host_name": "A"}, "host_name: 'A'"),
        (
            {"interfaces": {"eth0": {"address": "10.0.10.25"}}},
            "interfaces.eth0.address: 10.0.10.25 has no prefix length",
        ),
        (
            {"interfaces": {"eth0": {"adress": "10.0.10.25/24"}}},
            "interfaces.eth0: adress. Supported parameters include",
        ),
        ({"interfaces": {"eth0": "10.0.10.25/24"}}, "interfaces.eth0: must be a map with the keys type, address"),
        ({"interfaces": {"eth0": {"type": "bond"}}}, "interfaces.eth0: value of type must be one of: dhcp, static"),
        ({"registration_token": None}, "registration_token: is missing"),
        ({"registration_token": f"{TOKEN} "}, "registration_token: holds a blank"),
        ({"ca_certificates": ["x"]}, "ca_certificates[0]: is not a PEM certificate"),
        ({"extra": {"install": {"poweroff": True, "reboot": True}}}, "extra.install.reboot: is true"),
        ({"extra": {"stylus": {"site": {"hostName": "A_B"}}}}, "extra.stylus.site.hostName: 'A_B'"),
        ({"addresses": ["192.0.2.1"], "timeout": 0}, "timeout: 0"),
        ({"management_mode": "remote"}, "value of management_mode must be one of: central, local"),
    ],
)
def test_bad_input_is_refused_before_the_host_is_asked(site: Site, args: dict[str, t.Any], words: str) -> None:
    result = site.run(**args)
    assert result["failed"] is True
    assert words in result["msg"]
    assert "\n" not in result["msg"]
    assert TOKEN not in repr(result)
    assert site.host.commands == []


def test_all_of_it_at_once(site: Site) -> None:
    msg = site.run(palette_endpoint="https://x", host_id="a/b", host_name="B")["msg"]
    assert msg.startswith(
        "3 things are wrong with the site user-data (nothing was sent to the host): palette_endpoint:"
    )
    assert "host_id:" in msg
    assert "host_name:" in msg


def test_an_unknown_key_is_a_warning(site: Site) -> None:
    result = site.run(check=True, extra={"stylus": {"sit": {"name": "x"}}})
    assert result["warnings"] == [
        "extra.stylus.sit: is no key that the documentation of user-data names; check its spelling."
    ]


def test_no_directory_for_it(site: Site) -> None:
    site.path = site.folder / "none" / "user-data"
    assert "there is no directory" in site.run(check=True)["msg"]


@as_root
@pytest.mark.parametrize("odd", ["1: a\nb: c\n", "stylus: foo\n", "a: &x [*x]\n", "when: 2027-13-31\n"])
def test_whatever_the_host_has_is_compared_and_replaced(site: Site, odd: str) -> None:
    site.path.write_text(f"#cloud-config\n{odd}")
    result = site.run()
    assert (result.get("failed"), result["changed"]) == (None, True), result
