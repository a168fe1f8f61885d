# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoints of running clusters are asked: profiles, repaves, certificates, upgrades of agents, maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.palette.edge.tests.contract.replies import Ask, case, plain
from ansible_collections.palette.edge.tests.contract.replies_profiles import manifest_profile
from ansible_collections.palette.edge.tests.unit.lab_controller import World

PATH = "/v1/spectroclusters"
ONE = PATH + "/{uid}"
PACK = ONE + "/profiles/{profile}/packs/{pack}"
OS = "edge-native-byoi"


def running(world: World, profile: str = "", name: str = "store-042") -> str:
    """UID of a cluster that runs."""
    uid = world.create_cluster(*world.hosts(f"{name}-1"), profile=profile, name=name)
    world.later(4, beats=(f"{name}-1",))
    assert world.state(uid) == "Running"
    return uid


def _versions(world: World) -> tuple[str, str]:
    """Two versions of a profile, the second of which repaves."""
    first = world.profile("edge", "1.0.0", packs=[world.pack(OS, "2.0.0", "os"), world.pack()])
    images = {"values": "options:\n  system.uri: registry.example.com/edge/os:next\n"}
    packs = [world.pack(OS, "2.0.0", "os", **images), world.pack(version="1.31.1")]
    return first, world.profile("edge", "1.1.0", packs=packs)


def _change(old: str, new: str, action: str = "DownloadAndInstall") -> dict[str, Any]:
    attachment = {"uid": new, "replaceWithProfile": old}
    return {"profiles": [attachment], "spcApplySettings": {"actionType": action}}


plain("POST", PATH + "/validate/packs", Ask(body={"profiles": [{"uid": "none"}]}))


@case("POST", ONE + "/validate/packs")
@case("POST", ONE + "/validate/repave")
def _judged(world: World) -> Iterator[Ask]:
    old, new = _versions(world)
    uid = running(world, old)
    yield Ask({"uid": uid}, {"profiles": [{"uid": new, "replaceWithProfile": old}]})
    yield Ask({"uid": uid}, {"profiles": [{"uid": old}]})


@case("GET", ONE + "/repave/status")
@case("PATCH", ONE + "/repave/approve")
def _repave(world: World) -> Iterator[Ask]:
    old, new = _versions(world)
    uid = running(world, old)
    yield Ask({"uid": uid})
    world.fault("repave-approval")
    world.ok("PATCH", f"{PATH}/{uid}/profiles", _change(old, new))
    assert world.cluster(uid)["status"]["repave"]["state"] == "Pending"
    yield Ask({"uid": uid})
    world.ok("PATCH", f"{PATH}/{uid}/repave/approve")
    yield Ask({"uid": uid})


@case("GET", "/v1/dashboard/spectroclusters/repaveStatus")
def _waiting(world: World) -> Iterator[Ask]:
    yield Ask()
    old, new = _versions(world)
    uid = running(world, old)
    world.fault("repave-approval")
    world.ok("PATCH", f"{PATH}/{uid}/profiles", _change(old, new))
    yield Ask(params={"repaveState": "Pending"})


@case("GET", ONE + "/status/spcApply")
@case("POST", ONE + "/status/spcApply")
def _staged(world: World) -> Iterator[Ask]:
    old, new = _versions(world)
    uid = running(world, old)
    yield Ask({"uid": uid})
    world.ok("PATCH", f"{PATH}/{uid}/profiles", _change(old, new, "DownloadAndInstallLater"))
    assert not world.cluster(uid)["status"]["spcApply"].get("canBeApplied")
    yield Ask({"uid": uid})


@case("GET", ONE + "/k8certificates")
@case("PATCH", ONE + "/k8certificates/renew")
def _certificates(world: World) -> Iterator[Ask]:
    yield Ask({"uid": running(world)})


@case("GET", PATH + "/upgrade/settings")
def _lock(world: World) -> Iterator[Ask]:
    yield Ask()
    world.ok("POST", PATH + "/upgrade/settings", {"spectroComponents": "lock"})
    yield Ask()


@case("POST", PATH + "/upgrade/settings")
def _locks(_world: World) -> Iterator[Ask]:
    for value in ("lock", "unlock"):
        yield Ask(body={"spectroComponents": value})


@case("POST", ONE + "/upgrade/settings")
def _lock_one(world: World) -> Iterator[Ask]:
    uid = running(world)
    for value in ("lock", "unlock"):
        yield Ask({"uid": uid}, {"spectroComponents": value})


@case("PATCH", ONE + "/clusterConfig/lifecycleConfig")
def _pause(world: World) -> Iterator[Ask]:
    yield Ask({"uid": running(world)}, {"lifecycleConfig": {"pause": True}})


@case("GET", ONE + "/profiles/packs/manifests")
@case("GET", ONE + "/manifests")
@case("GET", ONE + "/profileUpdates")
def _contents(world: World) -> Iterator[Ask]:
    profile = manifest_profile(world)
    uid = running(world, profile)
    yield Ask({"uid": uid})
    world.ok("PATCH", f"/v1/clusterprofiles/{profile}/publish")
    yield Ask({"uid": uid})


def _pack_of(world: World) -> dict[str, str]:
    uid = running(world, manifest_profile(world))
    (template,) = world.cluster(uid)["spec"]["clusterProfileTemplates"]
    pack = next(one for one in template["packs"] if one.get("manifests"))
    return {"uid": uid, "profile": template["uid"], "pack": pack["name"], "manifest": pack["manifests"][0]["uid"]}


@case("GET", PACK + "/manifests")
@case("GET", PACK + "/config")
def _pack(world: World) -> Iterator[Ask]:
    yield Ask(_pack_of(world))


@case("PUT", PACK + "/manifests")
def _put_manifests(world: World) -> Iterator[Ask]:
    parts = _pack_of(world)
    yield Ask(parts, {"manifests": [{"uid": parts["manifest"], "content": "kind: ConfigMap"}]})


@case("PATCH", ONE + "/packRefs")
def _pack_refs(world: World) -> Iterator[Ask]:
    old, _new = _versions(world)
    packs = [{"name": OS, "layer": "os", "values": "a: 2"}]
    yield Ask({"uid": running(world, old)}, {"profiles": [{"uid": old, "packs": packs}]})


@case("PUT", "/v1/cloudconfigs/{cloud}/{uid}/machinePools/{pool}/machines/{machine}/maintenance")
def _maintenance(world: World) -> Iterator[Ask]:
    config = world.config(running(world))
    (machine,) = world.ok("GET", f"/v1/cloudconfigs/edge-native/{config}/machinePools/plane/machines")["items"]
    parts = {"cloud": "edge-native", "uid": config, "pool": "plane", "machine": machine["metadata"]["uid"]}
    for action in ("cordon", "uncordon"):
        yield Ask(parts, {"action": action})
        world.later(1, beats=("store-042-1",))
