# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the dashboard's endpoints about clusters and those of their files are asked, for the test of replies."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.palette.edge.tests.contract.replies import Ask, case
from ansible_collections.palette.edge.tests.contract.replies_clusters import running
from ansible_collections.palette.edge.tests.contract.replies_profiles import manifest_profile
from ansible_collections.palette.edge.tests.unit.lab_controller import World

PATH = "/v1/spectroclusters"
ONE = PATH + "/{uid}"
BOARD = "/v1/dashboard/spectroclusters"


def _changing(world: World) -> str:
    """UID of a cluster whose repave waits for approval, and whose profile was changed in place since."""
    old = world.profile("edge", "1.0.0", packs=[world.pack()])
    new = world.profile("edge", "1.1.0", packs=[world.pack(version="1.31.1")])
    uid = running(world, old)
    world.fault("repave-approval")
    world.ok("PATCH", f"{PATH}/{uid}/profiles", {"profiles": [{"uid": new, "replaceWithProfile": old}]})
    values = {"packs": [world.pack(version="1.31.1", values="changed: 1")], "type": "cluster"}
    world.ok("PUT", f"/v1/clusterprofiles/{new}", {"spec": {"template": values, "version": "1.1.0"}})
    world.ok("PATCH", f"/v1/clusterprofiles/{new}/publish")
    board = world.ok("GET", f"{BOARD}/{uid}")
    assert board["status"]["notifications"]["isAvailable"]
    return uid


@case("GET", BOARD + "/{uid}")
def _board(world: World) -> Iterator[Ask]:
    yield Ask({"uid": _changing(world)})


@case("GET", BOARD + "/metadata")
def _list(world: World) -> Iterator[Ask]:
    yield Ask()
    _changing(world)
    yield Ask()


@case("POST", BOARD + "/metadata/search")
def _rows(world: World) -> Iterator[Ask]:
    yield Ask(body={})
    _changing(world)
    deleted = {"property": "isDeleted", "type": "bool", "condition": {"bool": {"value": False}}}
    groups = [{"conjunction": "and", "filters": [deleted]}]
    yield Ask(body={"filter": {"conjunction": "and", "filterGroups": groups}})


@case("GET", ONE + "/assets/frpKubeconfig")
@case("GET", ONE + "/assets/adminTokenKubeconfig")
def _kubeconfigs(world: World) -> Iterator[Ask]:
    yield Ask({"uid": running(world)}, status=404)
    yield from _files(world)


@case("GET", ONE + "/assets")
def _files(world: World) -> Iterator[Ask]:
    world.lab.options.kubernetes = {"edge-k8s": ("1.20.2", "1.20.3")}
    profile = world.profile("reported", packs=[world.pack("edge-k8s", "1.20.2")])
    uid = world.create_cluster(*world.hosts("own-1"), profile=profile, name="own")
    world.form(uid)
    yield Ask({"uid": uid})


@case("POST", PATH + "/spc/download")
def _definition(world: World) -> Iterator[Ask]:
    profiles = [{"uid": manifest_profile(world)}]
    yield Ask(body={"metadata": {"name": "content"}, "spec": {"cloudType": "edge-native", "profiles": profiles}})


@case("GET", "/v1/cloudconfigs/{uid}/machinePools/machineUids")
def _machine_uids(world: World) -> Iterator[Ask]:
    yield Ask({"uid": world.config(running(world))})
