# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubeconfig that cluster_info keeps in a file: when it is written, for whose eyes, and what is said of it."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.module_cases import CLOUD, CLUSTERS, World
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    KUBECONFIG,
    OVERVIEW,
    cluster,
    cluster_row,
    config,
    machine,
    member,
    overview,
    pool,
)
from ansible_collections.palette.edge.tests.unit.palette_server import PaletteServer, error, page

Run = Callable[..., dict[str, Any]]
Failure = Callable[..., str]
ASSETS = f"{CLUSTERS}/{CLUSTER}/assets"
SECRET = "canary-kubeconfig-7b1c"


def serve(palette: PaletteServer, reply: Any, *, asset: str = "adminKubeconfig", **more: Any) -> None:
    """A running cluster whose kubeconfig is ``reply``."""
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster())
    world.reads("GET", CLOUD, config(pool("cp", member("a"), control_plane=True)))
    world.reads("GET", f"{CLOUD}/machinePools/cp/machines", {"items": [machine("a")]})
    world.reads("GET", OVERVIEW, overview())
    world.reads("GET", f"{ASSETS}/{asset}", reply, **more)
    palette.unordered.clear()
    palette.answer(*world.calls)


def options(path: Path, **more: Any) -> dict[str, Any]:
    return {"name": "store-042", "kubeconfig_path": str(path), **more}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_written_once_for_its_owner_alone(palette: PaletteServer, run_module: Run, tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, KUBECONFIG.encode())
    result = run_module("cluster_info", options(path))
    assert result["changed"] is True
    assert result["kubeconfig"] == {"path": str(path), "changed": True}
    assert path.read_text() == KUBECONFIG
    assert mode(path) == 0o600
    inode = path.stat().st_ino
    again = run_module("cluster_info", options(path))
    assert again["changed"] is False
    assert again["kubeconfig"] == {"path": str(path), "changed": False}
    assert path.stat().st_ino == inode
    assert SECRET not in json.dumps([result, again])
    assert "diff" not in result
    assert os.listdir(tmp_path) == ["store.yaml"]


def test_another_kubeconfig_or_other_rights_are_set_right(
    palette: PaletteServer, run_module: Run, tmp_path: Path
) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, KUBECONFIG.encode())
    path.write_text(KUBECONFIG)
    path.chmod(0o644)
    assert run_module("cluster_info", options(path), check=True)["changed"] is True
    assert mode(path) == 0o644
    assert run_module("cluster_info", options(path))["changed"] is True
    assert mode(path) == 0o600
    path.write_text("apiVersion: v1\nother: cluster\n")
    assert run_module("cluster_info", options(path))["changed"] is True
    assert path.read_text() == KUBECONFIG


def test_check_mode_predicts_and_writes_nothing(palette: PaletteServer, run_module: Run, tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, KUBECONFIG.encode())
    said = run_module("cluster_info", options(path), check=True)
    assert said["kubeconfig"] == {"path": str(path), "changed": True}
    assert not path.exists()
    did = run_module("cluster_info", options(path))
    assert said["changed"] is did["changed"] is True
    assert run_module("cluster_info", options(path), check=True)["changed"] is False


def test_a_link_stays_a_link(palette: PaletteServer, run_module: Run, tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    link.symlink_to(real)
    serve(palette, KUBECONFIG.encode())
    assert run_module("cluster_info", options(link))["changed"] is True
    assert link.is_symlink()
    assert real.read_text() == KUBECONFIG
    assert run_module("cluster_info", options(link))["changed"] is False


def test_base64_is_decoded(palette: PaletteServer, run_module: Run, tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, base64.encodebytes(KUBECONFIG.encode()))
    run_module("cluster_info", options(path))
    assert path.read_text() == KUBECONFIG


@pytest.mark.parametrize(
    ("kind", "asset", "params"),
    [("admin", "adminKubeconfig", {}), ("user", "kubeconfigclient", {}), ("proxy", "kubeconfig", {"frp": "true"})],
)
def test_the_kinds(
    palette: PaletteServer, run_module: Run, tmp_path: Path, kind: str, asset: str, params: dict[str, str]
) -> None:
    serve(palette, KUBECONFIG.encode(), asset=asset, params=params)
    assert run_module("cluster_info", options(tmp_path / "a", kubeconfig_type=kind))["changed"] is True
    (asked,) = [one for one in palette.requests if one.path.startswith(ASSETS)]
    assert asked.headers["accept"].startswith("application/octet-stream")


def test_a_cluster_without_a_kubeconfig_yet(palette: PaletteServer, failure: Failure, tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, error("ResourceNotFound"), status=404)
    for check in (True, False):
        text = failure("cluster_info", options(path), check=check)
        assert "Could not read the admin kubeconfig of the cluster store-042" in text
        assert "wait for the cluster with palette.edge.wait and run again" in text
    assert not path.exists()


def test_no_such_cluster(palette: PaletteServer, failure: Failure, tmp_path: Path) -> None:
    world = World()
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([]))
    palette.answer(*world.calls)
    text = failure("cluster_info", options(tmp_path / "a"))
    assert "has no cluster 'store-042' in this scope. Check name and project" in text


def test_an_answer_that_is_no_kubeconfig_is_not_told(palette: PaletteServer, failure: Failure, tmp_path: Path) -> None:
    path = tmp_path / "store.yaml"
    serve(palette, f"<html>{SECRET}</html>".encode())
    text = failure("cluster_info", options(path))
    assert "the answer is no kubeconfig" in text
    assert SECRET not in text
    assert not path.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kubeconfig_path": "/x"}, "kubeconfig_path needs name"),
        ({"kubeconfig_path": "/x", "name": ""}, "kubeconfig_path needs name"),
        ({"kubeconfig_path": "/not/there/x", "name": "store-042"}, "there is no directory /not/there"),
        ({"kubeconfig_path": "/tmp", "name": "store-042"}, "it is a directory"),
    ],
)
def test_what_cannot_be_written(palette: PaletteServer, failure: Failure, given: dict[str, Any], words: str) -> None:
    serve(palette, KUBECONFIG.encode())
    text = failure("cluster_info", given, check=True)
    assert words in text
    assert SECRET not in text
