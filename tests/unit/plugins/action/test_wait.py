# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action ``wait``: reads only, tells how far things are, and ends with the last state."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.palette.edge.plugins.action import wait
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    CONFIG,
    cluster,
    cluster_row,
    config,
    event,
    events,
    host,
    machine,
    member,
    pool,
    repave,
    unpaired,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, Call, PaletteServer, error, page, projects

Wait = Callable[..., dict[str, Any]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the action printed while it waited."""
    lines: list[str] = []
    monkeypatch.setattr(wait.display, "display", lambda text, **more: lines.append(text))
    return lines


@pytest.fixture
def run(palette: PaletteServer, told: list[str]) -> Wait:
    def waiting(*, check: bool = False, **options: Any) -> dict[str, Any]:
        palette.refuse_writes = not options.get("approve_repave")
        task = SimpleNamespace(
            args={"wait_sleep": 0, **options},
            check_mode=check,
            diff=False,
            async_val=0,
            action="wait",
            environment=None,
        )
        shell = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), _load_name="local")
        action = wait.ActionModule(task, shell, SimpleNamespace(), None, None, None)
        action._load_name = "wait"  # as the loader does
        result = action.run(None, {"inventory_hostname": "store-042"})
        return dict(result)

    return waiting


def hosts(*states: Any) -> list[Call]:
    return [Call("GET", "/v1/edgehosts/edge-1", state) for state in states]


def test_hosts(palette: PaletteServer, run: Wait, told: list[str]) -> None:
    palette.answer(projects())
    palette.expect(*hosts(unpaired(), unpaired(), host(health="unhealthy"), host()))
    result = run(edge_hosts=["edge-1"])
    assert (result["changed"], result["state"]) == (False, "1 of 1 ready and healthy")
    # One line for each state, not for each look.
    assert [line.startswith("store-042: ") for line in told] == [True, True]
    assert "edge-1 is unpaired, no health yet" in told[0]
    assert "edge-1 is ready, unhealthy" in told[1]


def test_a_cluster(palette: PaletteServer, run: Wait, told: list[str]) -> None:
    states = [cluster(state="Pending"), cluster()]
    palette.answer(
        projects(),
        Call("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]), params=ANY, body=ANY, times=2),
        Call("GET", f"/v1/spectroclusters/{CLUSTER}", lambda dummy: states.pop(0), times=2),
        Call("GET", f"/v1/cloudconfigs/edge-native/{CONFIG}", config(pool("cp", member("a"))), times=2),
        Call(
            "GET",
            f"/v1/cloudconfigs/edge-native/{CONFIG}/machinePools/cp/machines",
            {"items": [machine("a")]},
            times=2,
        ),
    )
    assert run(cluster="store-042")["state"] == "Running, 1 of 1 machines running"
    assert len(told) == 1


def test_a_repave_is_approved_on_the_way(palette: PaletteServer, run: Wait) -> None:
    states = [cluster(status={"repave": {"state": "Pending"}}), cluster(), cluster()]
    path = f"/v1/spectroclusters/{CLUSTER}"
    row = page([cluster_row()])
    palette.answer(
        projects(),
        Call("POST", "/v1/dashboard/spectroclusters/search", row, params=ANY, body=ANY, times=None),
        Call("GET", path, lambda dummy: states.pop(0) if len(states) > 1 else states[0], times=None),
        Call("GET", f"/v1/cloudconfigs/edge-native/{CONFIG}", config(), times=None),
        Call("GET", f"{path}/repave/status", {"spec": {"reasons": []}}, times=None, optional=True),
        Call("PATCH", f"{path}/repave/approve", None, 204),
    )
    assert run(cluster="store-042", approve_repave=True)["changed"] is True


def test_check_mode_asks_nobody(palette: PaletteServer, run: Wait) -> None:
    result = run(edge_hosts=["edge-1"], check=True)
    assert (result["changed"], result["waited"]) == (False, 0.0)
    assert palette.requests == []


def test_too_late(palette: PaletteServer, run: Wait) -> None:
    palette.answer(projects(), Call("GET", "/v1/edgehosts/edge-1", unpaired(), times=None))
    result = run(edge_hosts=["edge-1"], wait_timeout=0, wait_sleep=1)
    assert result["failed"] is True
    assert "last state: 0 of 1 ready and healthy; edge-1 is unpaired" in result["msg"]


def test_a_state_that_does_not_go_on(palette: PaletteServer, run: Wait) -> None:
    palette.answer(
        projects(),
        Call("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]), params=ANY, body=ANY),
        Call("GET", f"/v1/spectroclusters/{CLUSTER}", cluster(state="Error")),
        Call("GET", f"/v1/cloudconfigs/edge-native/{CONFIG}", config()),
        events(event("the image is gone", "2026-01-01T00:00:00Z", "Error")),
    )
    result = run(cluster="store-042")
    assert result["failed"] is True
    assert "does not go on by itself" in result["msg"]
    assert result["msg"].endswith("Latest events: 2026-01-01T00:00:00Z store-042: the image is gone")


def test_a_repave_that_waits_for_approval(palette: PaletteServer, run: Wait) -> None:
    palette.answer(
        projects(),
        Call("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]), params=ANY, body=ANY),
        Call("GET", f"/v1/spectroclusters/{CLUSTER}", cluster(status={"repave": {"state": "Pending"}})),
        Call("GET", f"/v1/cloudconfigs/edge-native/{CONFIG}", config()),
        Call("GET", f"/v1/spectroclusters/{CLUSTER}/repave/status", repave()),
        events(),
    )
    result = run(cluster="store-042")
    assert result["failed"] is True
    assert "waits for the approval of a repave (k8s: the version of Kubernetes changes" in result["msg"]
    assert "approve it with palette.edge.cluster_repave" in result["msg"]


def test_a_refused_key_is_one_line_without_the_key(palette: PaletteServer, run: Wait) -> None:
    refused = error("ResourceNotFound", f"API key '{palette.key}' is not found")
    palette.answer(
        Call("GET", "/v1/dashboard/projects/metadata", refused, 404), Call("GET", "/v1/users/info", refused, 404)
    )
    result = run(edge_hosts=["edge-1"])
    assert result["failed"] is True
    assert "check api_key" in result["msg"]
    assert palette.key not in repr(result)


@pytest.mark.parametrize("options", [{}, {"edge_hosts": ["a"], "cluster": "b"}, {"cluster": "b", "other": 1}])
def test_options_that_do_not_go_together(run: Wait, options: dict[str, Any]) -> None:
    with pytest.raises(AnsibleError):
        run(**options)
