# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/profiles.md shows is run as it stands there, by ansible-playbook, against the lab: macros come through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "profiles.md").read_text(encoding="utf-8")
BLOCKS = [textwrap.dedent(one) for one in re.findall(r"^ *```yaml\n(.*?)^ *```", TEXT, re.MULTILINE | re.DOTALL)]
MODEL = "- ansible.builtin.import_playbook: palette.edge.model\n"
MACRO = "{{ .spectro.var.site }}"


@pytest.fixture
def lab(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[LabServer]:
    with lab_server(tmp_path / "lab", environment) as server:
        yield server


def block(words: str) -> str:
    """The block of the document that has these words."""
    (found,) = [one for one in BLOCKS if words in one]
    return found


def written(folder: Path, text: str) -> Path:
    """A block as the file that its first line names."""
    path = folder / text.splitlines()[0].removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def play(folder: Path, collections: Path, text: str, *more: str) -> str:
    """What a run of a playbook prints; it must not fail."""
    (folder / "play.yml").write_text(text, encoding="utf-8")
    (folder / "hosts.ini").write_text("[palette_sites]\nlocalhost\n", encoding="utf-8")
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(folder)}
    words = ["-i", "hosts.ini", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", *more]
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "play.yml", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
        env={**os.environ, **settings},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def tasks(*listed: str) -> str:
    body = "".join(textwrap.indent(one, "    ") for one in listed)
    return f"- name: The document\n  hosts: localhost\n  gather_facts: false\n  tasks:\n{body}"


def content(version: str) -> Any:
    options = {"name": "edge-store", "version": version, "gather": ["content"]}
    (found,) = run_module("cluster_profile_info", options)["cluster_profiles"]
    return found


def test_the_ways_of_values(lab: LabServer, tmp_path: Path, collections_path: Path) -> None:
    folder = tmp_path / "project"
    written(folder, block("cluster_profile_files:"))
    written(folder, block("description: What runs in every store"))
    first = play(folder, collections_path, MODEL, "--diff")
    assert "changed=1" in first
    writes = len(lab.writes)
    assert "changed=0" in play(folder, collections_path, MODEL)
    assert len(lab.writes) == writes
    have = content("1.0.0")
    assert f'node-label: ["site={MACRO}"]' in have["packs"][1]["values"]
    assert "{{ .spectro.var.greeting }}" in have["packs"][3]["manifests"][0]["content"]

    (folder / "values").mkdir()
    (folder / "values" / "edge-k3s.yaml").write_text(f"site: {MACRO}\n", encoding="utf-8")
    both = [block("lookup('ansible.builtin.file'"), block("!unsafe")]
    shown = play(folder, collections_path, tasks(*both), "--diff")
    assert "changed=2" in shown
    assert '+                "replicas: {{ .spectro.var.replicas }}"' in re.sub(r"\+ +", "+                ", shown)
    assert "changed=0" in play(folder, collections_path, tasks(*both))
    assert content("1.1.0")["packs"][0]["values"] == f"site: {MACRO}"
    assert content("1.2.0")["packs"][0]["values"] == f'site: "{MACRO}"\nreplicas: {{{{ .spectro.var.replicas }}}}'


DEFINITIONS = """\
# group_vars/palette_sites.yml
patch: 1.30.4
cluster_profile_files: [profiles/edge-store.yml]
cluster_profile_definitions:
  - name: edge-till
    version: 1.0.0
    publish: false
    packs:
      - name: edge-k3s
        version: "{{ patch }}"
        values: !unsafe |
          site: "{{ .spectro.var.site }}"
    variables:
      - name: site
        default_value: "{{ '0' * 3 }}"
"""


def test_definitions_beside_files(lab: LabServer, tmp_path: Path, collections_path: Path) -> None:
    folder = tmp_path / "project"
    written(folder, DEFINITIONS)
    written(folder, block("description: What runs in every store").replace("name: edge-store", "name: edge-shop"))
    play(folder, collections_path, MODEL)
    assert "changed=0" in play(folder, collections_path, MODEL)
    found = run_module("cluster_profile_info", {"name": "edge-till", "gather": ["content"]})["cluster_profiles"][0]
    assert (found["draft"], found["packs"][0]["version"]) == (True, "1.30.4")
    assert found["packs"][0]["values"] == f'site: "{MACRO}"'
    assert found["variables"][0]["default_value"] == "000"
    # A site publishes what it names, and nothing else.
    run_module("cluster_profile", {"name": "edge-till", "state": "absent"})
    wanted = '{"edge_site_profiles": [{"name": "edge-shop", "version": "1.0.0"}]}'
    assert "changed=0" in play(folder, collections_path, MODEL, "-e", wanted)


@pytest.mark.slow
def test_what_else_is_shown(lab: LabServer, tmp_path: Path, collections_path: Path) -> None:
    folder = tmp_path / "project"
    written(folder, block("cluster_profile_files:"))
    written(folder, block("description: What runs in every store"))
    play(folder, collections_path, MODEL)
    for name in ("north", "south"):
        lab.world.ok("POST", "/v1/projects", {"metadata": {"name": name}}, scope="")
    listed = [block("palette.edge.pack_info:"), block("Publish a version with other variables")]
    listed.append(
        block("palette.edge.cluster_profile_export:").replace("host: palette.south.example.com", "project: south")
    )
    listed[-1] = (
        listed[-1].replace('    api_key: "{{ south_api_key }}"\n', "").replace("Mirror of Public Repo", "Public Repo")
    )
    secret = "canary-of-the-document"
    text = tasks(*listed)
    extra = ["-e", f"vaulted_till_password={secret}", "--diff", "-vvv"]
    shown = play(folder, collections_path, text, *extra)
    assert "changed=3" in shown
    # What a user writes on the command line is the user's; nothing else shows it.
    assert shown.count(secret) == shown.count(f"vaulted_till_password={secret}")
    assert "changed=0" in play(folder, collections_path, text, *extra)
    copied = block("palette.edge.cluster_profile_copy:").replace("    project: north\n", "").replace("south", "north")
    assert "changed=1" in play(folder, collections_path, tasks(copied), *extra)
    assert "changed=0" in play(folder, collections_path, tasks(copied), *extra)
