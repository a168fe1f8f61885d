# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module user_data, as a task calls it and as a playbook does."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.palette.edge.plugins.action import user_data
from ansible_collections.palette.edge.plugins.filter import user_data as filters

TOKEN = "t0ken-canary-value"
SITE: dict[str, t.Any] = {
    "stylus": {"site": {"paletteEndpoint": "palette.example.com", "edgeHostToken": TOKEN, "name": "edge-1"}}
}
INSTALLER = "#cloud-config\ninstall:\n  poweroff: true\nstylus:\n  site:\n    tags: {city: london}\n"


def run(lab: t.Any, **args: t.Any) -> dict[str, t.Any]:
    return dict(lab.run(user_data, **args))


def test_judges_without_touching_anything(lab: t.Any) -> None:
    result = run(lab, installer=INSTALLER, site=SITE)
    assert (result["changed"], result["valid"], result["errors"], result["advice"]) == (False, True, [], [])
    assert result["effective"]["stylus"]["site"]["edgeHostToken"] == "<hidden>"
    assert result["effective"]["stylus"]["site"]["tags"] == {"city": "london"}
    assert not {"rendered", "dest", "diff", "failed"} & set(result)


def test_everything_wrong_is_told_at_once_and_nothing_is_written(lab: t.Any, tmp_path: Path) -> None:
    wrong = INSTALLER.replace("london", "").replace("poweroff: true", "poweroff: 'yes'")
    dest = tmp_path / "user-data"
    result = run(lab, installer=wrong, site=SITE, dest=str(dest), render=True)
    assert result["failed"] is True
    assert result["errors"] == [
        {
            "layer": "installer",
            "path": "stylus.site.tags.city",
            "line": 6,
            "message": "has no value (null); give one (in quotes where it has a #), or leave the key out.",
        },
        {
            "layer": "installer",
            "path": "install.poweroff",
            "line": 3,
            "message": "must be true or false, and is a string.",
        },
    ]
    assert result["msg"].startswith(
        f"2 things are wrong with the user-data ({dest} was not written): stylus.site.tags.city ("
    )
    assert "install.poweroff (installer, line 3): must be true or false" in result["msg"]
    assert "\n" not in result["msg"]
    assert "rendered" not in result
    assert not dest.exists()
    calm = run(lab, installer=wrong, site=SITE, dest=str(dest), fail_on_error=False)
    assert (calm.get("failed"), calm["valid"], len(calm["errors"]), dest.exists()) == (None, False, 2, False)


def test_writes_privately_and_only_what_says_something_else(lab: t.Any, tmp_path: Path, snapshot: t.Any) -> None:
    dest = tmp_path / "user-data"
    before = snapshot(tmp_path)
    foretold = run(lab, site=SITE, dest=str(dest), check=True)
    assert snapshot(tmp_path) == before
    result = run(lab, site=SITE, dest=str(dest), render=True)
    assert foretold["changed"] is result["changed"] is True
    assert foretold["diff"] == result["diff"]
    assert TOKEN not in str(result["diff"])
    assert dest.read_text() == result["rendered"]
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert run(lab, site=SITE, dest=str(dest))["changed"] is False
    dest.write_text("#cloud-config\n# a note\nstylus: {site: " + str(SITE["stylus"]["site"]) + "}\n")
    assert run(lab, site=SITE, dest=str(dest))["changed"] is False, "it says the same"
    dest.chmod(0o644)
    opened = run(lab, site=SITE, dest=str(dest))
    assert opened["diff"] == [{"before": "mode: 0644\n", "after": "mode: 0600\n"}]
    assert "# a note" in dest.read_text()
    other = {"stylus": {"site": {**SITE["stylus"]["site"], "edgeHostToken": "an0ther-canary"}}}
    changed = run(lab, site=other, dest=str(dest))["diff"][0]
    assert "<hidden, changed>" in changed["after"]
    assert "canary" not in str(changed)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "installer, site: there is nothing to judge"),
        ({"site": ["x"]}, "site: must be a mapping, or the text of a user-data file"),
        ({"site": SITE, "agent_version": "4"}, "agent_version: '4' is no version of an agent; write it as 4.8.6."),
        ({"site": SITE, "installer": {}, "view": "layer", "dest": "/x"}, "view: layer judges each layer alone"),
        ({"site": SITE, "dest": "/no/such/folder/x"}, "there is no directory /no/such/folder"),
        ({"site": SITE, "view": "both"}, "value of view must be one of"),
    ],
)
def test_bad_input_is_refused_in_one_line(lab: t.Any, args: dict[str, t.Any], words: str) -> None:
    result = run(lab, **args)
    assert result["failed"] is True
    assert words in result["msg"]
    assert "\n" not in result["msg"]


def test_keys_that_say_nothing_are_not_written(lab: t.Any, tmp_path: Path) -> None:
    empty = {
        "stylus": {
            "debug": False,
            "site": {**SITE["stylus"]["site"], "prefix": "x", "registrationURL": "", "tags": {}},
        },
        "stages": {},
    }
    result = run(lab, site=empty, dest=str(tmp_path / "user-data"), render=True)
    written = yaml.safe_load(result["rendered"])
    assert written == {"stylus": {"debug": False, "site": {**SITE["stylus"]["site"], "prefix": "x"}}}
    assert run(lab, site=empty, dest=str(tmp_path / "user-data"))["changed"] is False


def test_the_version_of_the_agent_decides(lab: t.Any) -> None:
    local = {"stylus": {"managementMode": "local"}}
    assert run(lab, site=local, agent_version="4.6.21")["valid"] is True
    assert run(lab, site=local, agent_version="4.6.20")["errors"][0]["path"] == "stylus.managementMode"


def test_unknown_keys_warn_and_fail_on_request(lab: t.Any) -> None:
    odd = {"stylus": {"site": {**SITE["stylus"]["site"], "paletteEndpont": "x"}}}
    result = run(lab, site=odd)
    assert result["valid"] is True
    assert result["advice"][0]["path"] == "stylus.site.paletteEndpont"
    assert result["warnings"] == [
        "stylus.site.paletteEndpont (site): is no key that the documentation of user-data names; check its spelling."
    ]
    assert run(lab, site=odd, strict=True)["failed"] is True


@pytest.mark.slow
def test_a_playbook_at_vvvv_prints_no_secret(tmp_path: Path) -> None:
    wrong = f"#cloud-config\nstylus: {{site: {{edgeHostToken: '{TOKEN} x'}}}}\n"
    tasks = [
        {"palette.edge.user_data": {"installer": INSTALLER, "site": SITE, "dest": str(tmp_path / "out")}, "register": "r"},
        {"palette.edge.user_data": {"site": wrong}, "ignore_errors": True},
        {"ansible.builtin.debug": {"var": "r"}},
        {"ansible.builtin.debug": {"msg": "{{ layer | palette.edge.hide_user_data | palette.edge.to_user_data }}"}},
        {"ansible.builtin.assert": {"that": "(layer | palette.edge.to_user_data | palette.edge.from_user_data) == layer"}},
    ]  # fmt: skip
    # Text of a lookup is unsafe to Ansible, which older ones tell by a class of its own.
    (tmp_path / "installer").write_text(INSTALLER)
    read = {"installer": "{{ lookup('ansible.builtin.file', '" + str(tmp_path / "installer") + "') }}", "site": SITE}
    tasks.insert(0, {"palette.edge.user_data": read})
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"layer": SITE}, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-vvvv", "--diff"]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "HOME": str(tmp_path)}
    done = subprocess.run(
        [*command, str(tmp_path / "play.yml")], capture_output=True, text=True, check=False, env=environment
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert TOKEN not in printed
    assert "holds a blank or a line break" in printed
    assert TOKEN in (tmp_path / "out").read_text()


def test_filters() -> None:
    layers = [
        {"stages": {"boot": [{"name": str(at)}]}, "stylus": {"site": {"tags": {str(at): "x"}}}} for at in range(3)
    ]
    merged = filters.merge_user_data(*layers)
    assert [step["name"] for step in merged["stages"]["boot"]] == ["0", "1", "2"]
    assert set(merged["stylus"]["site"]["tags"]) == {"0", "1", "2"}
    assert filters.from_user_data(filters.to_user_data(merged)) == merged
    assert filters.hide_user_data(SITE)["stylus"]["site"]["edgeHostToken"] == "<hidden>"
    for name, call, words in (
        ("text", lambda: filters.from_user_data("a: 1"), r"line #cloud-config, and is ignored without it\. \(line 1\)"),
        ("twice", lambda: filters.from_user_data("#cloud-config\na: 1\na: 2\n"), r"a: stands twice in one map.*\(line 3\)"),
        ("list", lambda: filters.to_user_data([1]), "to_user_data: user-data is a mapping, and this is none"),
        ("number", lambda: filters.from_user_data(1), "give the text of a user-data file"),
    ):  # fmt: skip
        with pytest.raises(AnsibleFilterError, match=words):
            call()
            pytest.fail(name)
