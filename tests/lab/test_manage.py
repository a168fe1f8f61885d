# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of thirty sites, upgraded in waves: a canary that fails, a batch that fails, and the run that ends it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import REPOSITORY, Lab, Run

pytestmark = pytest.mark.lab

COUNT = 30
NAMES = [f"store-{number:03d}" for number in range(1, COUNT + 1)]
CANARY = NAMES[6]
BAD = [NAMES[1], NAMES[2]]
HOSTS = [{"name": f"{name}-1", "id": f"edge-{name}-1"} for name in NAMES]
# One site, then five, then a fifth of the 29 that are no canaries, again and again.
BATCHES = [1, 5, "20%"]
QUICK: dict[str, Any] = {"manage_wait_timeout": 60, "manage_wait_sleep": 1, "manage_health_timeout": 20}


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory) -> Iterator[Lab]:
    with laboratory(HOSTS, "--speak-only", "--no-rate-limits", "--form-seconds", "1") as lab:
        hosts = {"hosts": [{"uid": host["id"]} for host in HOSTS], "wait": True, "wait_sleep": 1}
        lab.ansible("ansible", "localhost", "-m", "palette.edge.edge_host", "-a", json.dumps(hosts))
        for playbook, limit in (("model", CANARY.replace("-", "_")), ("form", "palette_sites")):
            inventory = fleet(lab, "1.0.0")
            run = lab.play(playbook=f"palette.edge.{playbook}", limit=limit, inventory=inventory, within=400)
            assert run.code == 0, run.tell()
        yield lab


def fleet(lab: Lab, version: str) -> Path:
    """An inventory of all sites, whose files ask for this version of the cluster profile."""
    folder = lab.folder / f"fleet-{version}"
    (folder / "sites").mkdir(parents=True, exist_ok=True)
    shutil.copytree(REPOSITORY / "examples/stores/group_vars", folder / "group_vars", dirs_exist_ok=True)
    path = folder / "group_vars" / "palette_sites.yml"
    text = (REPOSITORY / "examples/stores/group_vars/palette_sites.yml").read_text()
    path.write_text(text.replace("    version: 1.0.0\n", f"    version: {version}\n"))
    for number, name in enumerate(NAMES, 1):
        site: dict[str, Any] = {
            "name": name,
            "project": "Default",
            "management_mode": "central",
            "registration": {"token": name, "expires_in_days": 90},
            "hosts": [{"name": f"{name}-1", "id": f"edge-{name}-1"}],
            "profiles": [{"name": "edge-store", "version": version}],
            "cluster": {
                "vip": f"10.{number}.0.10",
                "node_pools": [{"name": "cp", "control_plane": True, "hosts": [f"{name}-1"]}],
            },
        }
        if name == CANARY:
            site["wave"] = "canary"
        (folder / "sites" / f"{name}.yml").write_text(yaml.safe_dump(site))
    (folder / "fleet.sites.yml").write_text("plugin: palette.edge.sites\npath: sites\n")
    return folder / "fleet.sites.yml"


def manage(lab: Lab, *arguments: str, version: str = "1.1.0", **more: Any) -> Run:
    extra = {**QUICK, "manage_batches": BATCHES, **more}
    return lab.play(
        *arguments, playbook="palette.edge.manage", limit="", inventory=fleet(lab, version), extra=extra, within=400
    )


def results(lab: Lab, *, count: int = COUNT) -> dict[str, list[str]]:
    """Of the report's data, the sites by what became of them."""
    data = json.loads((lab.folder / "manage-report" / "report.json").read_text())
    found: dict[str, list[str]] = {}
    for one in data["sites"]:
        found.setdefault(one["result"], []).append(one["site"])
    assert {key: len(value) for key, value in found.items()} == {
        key: value for key, value in data["counts"].items() if key != "sites"
    }
    assert data["counts"]["sites"] == count
    return {key: sorted(value) for key, value in found.items()}


def versions(lab: Lab) -> dict[str, str]:
    """The version of the profile that each cluster has."""
    found = {}
    for one in lab.search("spectroclusters"):
        cluster = lab.api("GET", f"/v1/spectroclusters/{one['metadata']['uid']}")
        (template,) = cluster["spec"]["clusterProfileTemplates"]
        found[one["metadata"]["name"]] = str(template["profileVersion"])
    return found


def table(run: Run) -> dict[str, str]:
    """The rows of the table, by site; there must be one of each."""
    lines = run.text.splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith("SITE "))
    rows = lines[start + 1 : start + 1 + COUNT]
    found = {row.split()[0]: row for row in rows}
    assert sorted(found) == NAMES
    return found


class Page(HTMLParser):
    """What of a page leads elsewhere, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.foreign: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.foreign += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(lab: Lab) -> Page:
    text = (lab.folder / "manage-report" / "report.html").read_text()
    found = Page(text)
    assert found.foreign == []
    assert not {"script", "link", "img", "iframe"} & set(found.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    return found


def test_a_dry_run_lists_every_site_and_writes_nothing(lab: Lab) -> None:
    one = CANARY.replace("-", "_")
    model = lab.play(playbook="palette.edge.model", limit=one, inventory=fleet(lab, "1.1.0"))
    assert model.code == 0, model.tell()
    with lab.untouched():
        run = manage(lab, "--check")
    assert run.code == 0, run.tell()
    rows = table(run)
    assert all("would change" in row for row in rows.values()), run.tell()
    assert rows[CANARY].split()[1] == "canary"
    waves = [" ".join(rows[name].split()[1:3]) for name in NAMES if name != CANARY]
    assert waves[:7] == ["batch 1", *["batch 2"] * 5, "batch 3"]
    assert "edge-store 1.0.0  edge-store 1.1.0" in rows[NAMES[0]]
    assert not (lab.folder / "manage-report").exists()


def test_a_canary_that_fails_keeps_all_others_from_beginning(lab: Lab) -> None:
    lab.fault("upgrade-error", name=CANARY)
    run = manage(lab, manage_stop_after=10, manage_wait_timeout=15)
    assert run.code == 2, run.tell()
    assert list(run.failed) == [CANARY], run.tell()
    assert CANARY in run.failed[CANARY]
    others = [name for name in NAMES if name != CANARY]
    assert results(lab) == {"failed": [CANARY], "not started": others}
    assert f"the canary {CANARY} failed" in table(run)[others[0]]
    assert {name for name, version in versions(lab).items() if version != "1.0.0"} == {CANARY}
    words = " ".join(page(lab).words)
    assert "✗ 1 failed:" in words
    assert "29 not started; run again to go on." in words


def test_failures_of_a_batch_stop_those_behind_it(lab: Lab) -> None:
    lab.command("fault", "clear")
    for name in BAD:
        lab.fault("upgrade-error", name=name)
    run = manage(lab, manage_stop_after=2, manage_wait_timeout=15)
    assert run.code == 2, run.tell()
    assert sorted(run.failed) == BAD, run.tell()
    done = [CANARY, NAMES[0], *NAMES[3:6]]
    assert results(lab) == {
        "upgraded": sorted(done),
        "failed": BAD,
        "not started": sorted(set(NAMES) - {*done, *BAD}),
    }
    assert {name for name, version in versions(lab).items() if version == "1.1.0"} == {*done, *BAD}
    # Told once each, between the batches and at the end.
    told = [line for line in run.text.splitlines() if line.startswith("Fleet: ")]
    assert told[:3] == [
        "Fleet: 1 of 30 sites done, 0 failed, 29 to go",
        "Fleet: 2 of 30 sites done, 0 failed, 28 to go",
        "Fleet: 5 of 30 sites done, 2 failed, 23 to go",
    ]
    assert len(told) == 4
    # The canary was changed by the run before, and this one tells from what.
    assert "edge-store 1.0.0" in table(run)[CANARY]


def test_the_next_run_goes_on_and_ends(lab: Lab) -> None:
    lab.command("fault", "clear")
    run = manage(lab, manage_stop_after=2)
    assert run.code == 0, run.tell()
    passed = sorted([CANARY, NAMES[0], *NAMES[3:6]])
    assert results(lab) == {"unchanged": passed, "upgraded": sorted(set(NAMES) - set(passed))}
    assert set(versions(lab).values()) == {"1.1.0"}
    # One change for each site that had not begun, and none for those that had.
    assert sum(run.changed.values()) == COUNT - len(passed) - len(BAD)
    assert "✓ All 30 sites are as their files say" in " ".join(page(lab).words)
    assert {name: run.changed[name] for name in (CANARY, NAMES[-1])} == {CANARY: 0, NAMES[-1]: 1}, run.tell()


def test_once_more_changes_nothing(lab: Lab) -> None:
    few = NAMES[:6]
    with lab.untouched():
        run = manage(lab, "--limit", ",".join(name.replace("-", "_") for name in few), manage_batches=["100%"])
    assert run.code == 0, run.tell()
    assert results(lab, count=len(few)) == {"unchanged": few}
    assert set(run.changed.values()) == {0}, run.tell()


def test_a_report_folder_that_cannot_be_written_ends_the_run_before_any_change(lab: Lab) -> None:
    with lab.untouched():
        run = manage(lab, manage_report_dir=str(lab.folder / "lab.yml"))
    assert run.code == 2
    assert "directory: the report cannot be kept in" in run.failed[NAMES[0]]
    assert "manage_report_dir" in run.failed[NAMES[0]]


def test_a_repave_is_listed_refused_and_approved(lab: Lab) -> None:
    """Another version of Kubernetes: shown with its reasons before, and done only when somebody said so."""
    inventory = fleet(lab, "1.2.0")
    path = inventory.parent / "group_vars" / "palette_sites.yml"
    text = path.read_text()
    assert text.count("version: 1.30.4") == 1
    path.write_text(text.replace("version: 1.30.4", "version: 1.31.1"))
    model = lab.play(playbook="palette.edge.model", limit="", inventory=inventory)
    assert model.code == 0, model.tell()
    three = f"{CANARY},{NAMES[0]},{NAMES[1]}"
    lab.fault("repave-approval", name=CANARY)

    def run(*arguments: str, **more: Any) -> Run:
        extra = {**QUICK, **more}
        return lab.play(*arguments, playbook="palette.edge.manage", limit=three, inventory=inventory, extra=extra)

    with lab.untouched():
        dry = run("--check")
        refused = run()
    assert dry.code == 0, dry.tell()
    rows = [line for line in dry.text.splitlines() if line.startswith("store-") and "would change" in line]
    assert len(rows) == 3
    assert all(row.split("edge-store 1.2.0")[1].split()[0] == "yes" for row in rows), dry.tell()
    reasons = [line for line in dry.text.splitlines() if line.startswith(f"  {CANARY}: ")]
    assert reasons, dry.tell()
    assert "edge-k3s" in " ".join(reasons)
    assert refused.code == 2
    assert "no repave is approved" in refused.failed[CANARY]
    assert "edge-k3s" in refused.failed[CANARY]
    assert "manage_approve_repave=true" in refused.failed[CANARY]
    approved = run(manage_approve_repave=True)
    assert approved.code == 0, approved.tell()
    data = json.loads((lab.folder / "manage-report" / "report.json").read_text())
    assert [one["repaved"] for one in data["sites"]] == [True] * 3
    assert {name for name, version in versions(lab).items() if version == "1.2.0"} == {CANARY, NAMES[0], NAMES[1]}
