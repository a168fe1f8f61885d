# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module project_export on a lab: what it writes, what it leaves alone, and how much it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]

SITE = Path("sites") / "store-042.yml"


@pytest.fixture
def lab(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[LabServer]:
    """A lab with a cluster of one host, and a host of none."""
    with lab_server(tmp_path / "lab", environment) as lab:
        lab.hosts("edge-1", "edge-2")
        lab.world.create_cluster("edge-1", name="store-042")
        lab.writes.clear()
        yield lab
        assert not lab.writes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out" / "export"


def export(folder: Path, *, check: bool = False, **more: Any) -> dict[str, Any]:
    result = run_module("project_export", {"dest": str(folder), **more}, check=check)
    assert not result.get("failed"), result
    return result


def texts(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


def test_written_once(lab: LabServer, folder: Path) -> None:
    predicted = export(folder, check=True)
    assert not folder.parent.exists()
    made = export(folder)
    assert made["changed"]
    assert predicted["changed"]
    assert made["written"] == predicted["written"] == sorted(texts(folder))
    assert made["diff"] == predicted["diff"]
    assert [one["after_header"] for one in made["diff"]] == made["written"]
    assert made["sites"] == ["store-042", "unassigned"]
    assert made["cluster_profiles"] == ["store-042 1.0.0"]
    before = texts(folder)
    again = export(folder)
    assert (again["changed"], again["written"], again["stale"], again.get("diff")) == (False, [], [], None)
    assert texts(folder) == before
    # No secrets in here: a file like any other.
    plain = folder.parent / "plain"
    plain.write_text("")
    assert {one.stat().st_mode for one in folder.rglob("*.yml")} == {plain.stat().st_mode}


def test_what_changed_in_palette_is_one_diff(lab: LabServer, folder: Path) -> None:
    export(folder)
    uid = next(iter(lab.world.lab.store.all("cluster")))["metadata"]["uid"]
    metadata = {"name": "store-042", "labels": {"site": "store-042"}, "annotations": {"description": "Store 42"}}
    lab.world.ok("PATCH", f"/v1/spectroclusters/{uid}/metadata", {"metadata": metadata})
    changed = export(folder)
    assert changed["written"] == [str(SITE)]
    (diff,) = changed["diff"]
    assert "Store 42" not in diff["before"]
    assert "description: Store 42\n" in diff["after"]


def test_files_of_others_are_not_overwritten(lab: LabServer, folder: Path) -> None:
    export(folder)
    whole = texts(folder)
    path = folder / SITE
    for text, why in (
        ("name: mine\nsecret: canary-of-somebody\n", "was not written by an export"),
        (path.read_text() + "# mine\n", "was changed since the last export"),
        (
            path.read_text().replace("Palette project ", "Palette project another"),
            "is of the export of another project",
        ),
        ("", "was not written by an export"),
    ):
        path.write_text(text)
        for check in (True, False):
            message = failure("project_export", {"dest": str(folder)}, check=check)
            assert f"{SITE} {why}" in message
            assert "force: true" in message
        assert path.read_text() == text
        forced = export(folder, force=True)
        assert forced["written"] == [str(SITE)]
        assert "canary-of-somebody" not in str(forced["diff"])
        assert texts(folder) == whole


def test_nothing_is_written_when_a_file_is_in_the_way(lab: LabServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("my notes\n")
    assert "README.md was not written by an export" in failure("project_export", {"dest": str(folder)})
    assert texts(folder) == {"README.md": "my notes\n"}


def test_stale_files(lab: LabServer, folder: Path) -> None:
    export(folder)
    lab.world.ok("DELETE", "/v1/edgehosts/edge-2")
    mine = folder / "sites" / "mine.yml"
    mine.write_text("name: mine\n")
    left = export(folder)
    assert (left["stale"], left["removed"]) == (["sites/unassigned.yml"], [])
    assert "purge" in left["warnings"][0]
    predicted = export(folder, check=True, purge=True)
    assert (predicted["changed"], predicted["removed"]) == (True, ["sites/unassigned.yml"])
    stale = folder / "sites" / "unassigned.yml"
    stale.write_text(stale.read_text() + "# mine\n")
    kept = export(folder, purge=True)
    assert (kept["changed"], kept["stale"]) == (False, ["sites/unassigned.yml"])
    assert "was changed since" in kept["warnings"][0]
    gone = export(folder, purge=True, force=True)
    assert (gone["removed"], gone["stale"]) == (["sites/unassigned.yml"], [])
    assert not stale.exists()
    assert mine.exists()
    assert not export(folder, purge=True)["changed"]


def test_bad_input(lab: LabServer, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert f"dest: {file} cannot be written: {file} is not a folder" in failure("project_export", {"dest": str(file)})
    assert "is not a folder" in failure("project_export", {"dest": str(file / "below")})
    assert "scope: an export is of one project" in failure("project_export", {"dest": str(tmp_path), "scope": "tenant"})
    assert "project: no project 'None'" in failure("project_export", {"dest": str(tmp_path), "project": "None"})


def test_a_cut_line_leaves_files_whole(lab: LabServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.cut(0)
    assert "Could not" in failure("project_export", {"dest": str(folder), "retry_timeout": 1})
    assert not folder.exists()
    lab.mend()
    assert export(folder)["changed"]


def test_hosts_are_not_asked_for_one_by_one(lab: LabServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = Session.request

    def request(session: Session, method: str, path: str, **more: Any) -> Any:
        asked.append(f"{method} {path}")
        return whole(session, method, path, **more)

    monkeypatch.setattr(Session, "request", request)
    export(folder, check=True)
    few = len(asked)
    lab.world.hosts(*(f"edge-more-{number}" for number in range(120)))
    asked.clear()
    assert export(folder)["changed"]
    # Two pages more, and the agents' token.
    assert len(asked) == few + 2, asked
    assert not [one for one in asked if one.startswith("GET /v1/edgehosts/edge")]
