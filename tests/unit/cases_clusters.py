# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of clusters."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.palette.edge.tests.unit.module_world import CLOUD, CLUSTERS, PROFILES, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    EVENTS,
    KUBECONFIG,
    OVERVIEW,
    PROFILE,
    attached,
    certificates,
    cluster,
    cluster_manifests,
    cluster_row,
    config,
    event,
    host,
    machine,
    manifest_pack,
    member,
    overview,
    pack,
    pool,
    profile,
    profile_row,
    repave,
)
from ansible_collections.palette.edge.tests.unit.palette_server import page


def site_hosts(*numbers: int) -> list[dict[str, Any]]:
    """Members of a pool."""
    return [
        {
            "uid": f"edge-{number}",
            "name": f"store-042-{number}",
            "address": f"10.42.0.{10 + number}/24",
            "gateway": "10.42.0.1",
            "nameservers": ["10.42.0.1"],
            "nic": "host0",
        }
        for number in numbers
    ]


def definition(**more: Any) -> dict[str, Any]:
    """The options of a good cluster."""
    return {
        "name": "store-042",
        "vip": "10.42.0.10",
        "ntp_servers": ["pool.ntp.org"],
        "ssh_keys": ["ssh-ed25519 AAAA me"],
        "profiles": [{"name": "edge-store", "version": "1.0.0", "variables": {"who": "you", "pin": "canary-pin-4711"}}],
        "node_pools": [{"name": "control-plane-pool", "control_plane": True, "hosts": site_hosts(1, 2, 3)}],
        "wait_sleep": 0,
        **more,
    }


def site(world: World, **hosts: Any) -> None:
    """A profile, five hosts that are ready, and no cluster."""
    rows = page([profile_row(v1_0_0=PROFILE, v2_0_0="uid-2")])
    world.reads("POST", "/v1/dashboard/clusterprofiles", rows)
    world.reads("GET", f"{PROFILES}/{PROFILE}", profile())
    world.reads("GET", f"{PROFILES}/uid-2", profile(version="2.0.0", uid="uid-2"))
    declared = {"variables": [{"name": "who"}, {"name": "pin", "isSensitive": True}]}
    for uid in (PROFILE, "uid-2"):
        world.reads("GET", f"{PROFILES}/{uid}/variables", declared)
    for number in range(1, 6):
        uid = f"edge-{number}"
        world.reads("GET", f"/v1/edgehosts/{uid}", hosts.get(f"h{number}", host(uid)))


def _running(world: World, pools: list[Any], *, found: Any = None, after: Any = None, **more: Any) -> None:
    rows = page([cluster_row()]) if found is None else found
    world.reads("POST", "/v1/dashboard/spectroclusters/search", rows, after)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster(**more))
    world.reads("GET", CLOUD, config(*pools, ntpServers=["old"]))
    known = [{"profileUid": PROFILE, "variables": [{"name": "who", "value": "world"}]}]
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/variables", known)
    for one in pools:
        machines = {"items": [machine(each["hostUid"]) for each in one["hosts"]]}
        world.reads("GET", f"{CLOUD}/machinePools/{one['name']}/machines", machines)


def _members(*numbers: int) -> list[dict[str, Any]]:
    return [member(f"edge-{number}", f"10.42.0.{10 + number}", name=f"store-042-{number}") for number in numbers]


@case(
    "cluster",
    "create",
    **definition(
        description="Store 42",
        tags={"site": "store-042", "bare": ""},
        timezone="Europe/Berlin",
        meta_attribute="x",
        control_plane_health_check_timeout="10m",
        os_patch={"schedule": "0 3 * * 0", "on_boot": True, "reboot_if_required": False},
        location={"latitude": 53.5, "longitude": 10, "country_code": "DE", "region_name": "Hamburg"},
        update_worker_pools_in_parallel=True,
        node_pools=[
            {
                "name": "control-plane-pool",
                "control_plane": True,
                "control_plane_as_worker": True,
                "hosts": site_hosts(1, 2, 3),
            },
            {
                "name": "workers",
                "hosts": site_hosts(4),
                "architecture": "amd64",
                "additional_labels": {"zone": "x", "number": 1},
                "additional_annotations": {"a": "b"},
                "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}],
                "update_strategy": {"type": "OverrideScaling", "max_surge": "1", "max_unavailable": "0"},
                "node_repave_interval": 60,
                "skip_kubernetes_upgrade": True,
                "override_kubeadm_configuration": "a: 1",
            },
        ],
    ),
)
def _cluster_create(world: World) -> None:
    site(world)
    world.reads("POST", f"{CLUSTERS}/edge-native/validate", {})
    pools = [pool("control-plane-pool", *_members(1, 2, 3), control_plane=True), pool("workers", *_members(4))]
    _running(world, pools, found=page([]), after=page([cluster_row()]))
    world.writes("POST", f"{CLUSTERS}/edge-native", {"uid": CLUSTER})


@case(
    "cluster",
    "everything",
    **definition(
        description="new",
        tags={"a": "1"},
        timezone="Europe/Berlin",
        meta_attribute="x",
        control_plane_health_check_timeout="10m",
        os_patch={"schedule": "0 3 * * 0"},
        location={"latitude": 53.5, "longitude": 10},
        profiles=[{"name": "edge-store", "version": "2.0.0", "pack_values": {"k8s": "a: 2"}}],
        purge_profiles=True,
        node_pools=[
            {"name": "control-plane-pool", "control_plane": True, "hosts": site_hosts(1, 2, 3)},
            {"name": "workers", "hosts": site_hosts(4), "additional_labels": {"zone": "y"}},
        ],
        purge_node_pools=True,
        wait=False,
    ),
)
def _cluster_change(world: World) -> None:
    site(world)
    pools = [pool("control-plane-pool", *_members(1), control_plane=True), pool("old", *_members(5))]
    addon = attached("monitoring", uid="uid-addon", type="add-on", packs=[])
    patch = {"osPatchConfig": {"schedule": "x", "onDemandPatchAfter": "0001-01-01T00:00:00.000Z"}}
    _running(world, pools, profiles=[attached(), addon], settings={"machineManagementConfig": patch})
    at = f"{CLUSTERS}/{CLUSTER}"
    world.reads("GET", f"{at}/profiles/packs/manifests", {"profiles": []})
    world.reads("POST", f"{at}/validate/packs", {})
    reason = {"code": "k8s", "message": "the version of Kubernetes changes"}
    world.reads("POST", f"{at}/validate/repave", {"isRepaveRequired": True, "reasons": [reason]})
    world.writes("PATCH", f"{at}/metadata")
    world.writes("PUT", f"{CLOUD}/clusterConfig")
    world.writes("PUT", f"{CLOUD}/machinePools/control-plane-pool")
    world.writes("POST", f"{CLOUD}/machinePools", {"uid": "x"})
    world.writes("DELETE", f"{CLOUD}/machinePools/old/machines/machine-edge-5")
    world.writes("DELETE", f"{CLOUD}/machinePools/old")
    world.writes("DELETE", f"{at}/profiles")
    world.writes("PATCH", f"{at}/profiles")
    for setting in ("timezone", "clusterMetaAttribute", "controlPlaneHealthCheckTimeout", "osPatch"):
        world.writes("PATCH", f"{at}/clusterConfig/{setting}")
    world.writes("PUT", f"{at}/location")


@case("cluster", "variables", name="store-042", profiles=definition()["profiles"], wait=False)
def _cluster_variables(world: World) -> None:
    site(world)
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/variables")


@case("cluster", "same", changed=False, name="store-042", description="", vip="10.42.0.10", wait_sleep=0)
def _cluster_same(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])


@case("cluster", "delete", name="store-042", state="absent", wait_sleep=0)
def _cluster_delete(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)], after=page([]))
    world.writes("DELETE", f"{CLUSTERS}/{CLUSTER}")


@case("cluster_info", "all", changed=False)
def _cluster_info(world: World) -> None:
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))


def _seen(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])
    world.reads("GET", OVERVIEW, overview())


@case("cluster_info", "one", changed=False, name="store-042")
def _cluster_info_one(world: World) -> None:
    _seen(world)


# The file of the case below, which holds the kubeconfig already: what a case changes is in Palette, not in a file.
_FOLDER = tempfile.TemporaryDirectory(prefix="palette-edge-test-")
_HELD = Path(_FOLDER.name, "store-042.yaml")


def _held(world: World) -> None:
    _seen(world)
    _HELD.touch(mode=0o600)
    _HELD.write_text(KUBECONFIG, encoding="utf-8")


@case("cluster_info", "kubeconfig", changed=False, name="store-042", kubeconfig_path=str(_HELD))
def _cluster_info_kubeconfig(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/adminKubeconfig", KUBECONFIG.encode())


@case(
    "cluster_info",
    "proxy",
    changed=False,
    name="store-042",
    kubeconfig_path=str(_HELD),
    kubeconfig_type="proxy",
)
def _cluster_info_proxy(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/kubeconfig", KUBECONFIG.encode(), params={"frp": "true"})


def _gathered(world: World) -> None:
    _seen(world)
    at = f"{CLUSTERS}/{CLUSTER}"
    secret = {"name": "pin", "value": "canary-pin-4711", "isSensitive": True}
    world.reads("GET", f"{at}/variables", [{"profileUid": PROFILE, "variables": [secret]}])
    world.reads("GET", f"{at}/k8certificates", certificates("2030-01-01T00:00:00.000Z"))
    world.reads("GET", f"{at}/repave/status", repave("Approved"))
    world.reads("GET", f"{at}/profileUpdates", {"profiles": [attached()]})
    world.reads("GET", EVENTS, page([event("all is well", "2026-01-01T00:00:00Z")]))


@case(
    "cluster_info",
    "gather",
    changed=False,
    name="store-042",
    gather=["machines", "certificates", "events", "repave", "variables", "updates"],
)
def _cluster_info_gather(world: World) -> None:
    _gathered(world)


@case("cluster_info", "token", changed=False, name="store-042", kubeconfig_path=str(_HELD), kubeconfig_type="token")
def _cluster_info_token(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/adminTokenKubeconfig", KUBECONFIG.encode())


@case("cluster_info", "user", changed=False, name="store-042", kubeconfig_path=str(_HELD), kubeconfig_type="user")
def _cluster_info_user(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/kubeconfigclient", KUBECONFIG.encode())


def _repaving(world: World, state: str = "Pending", after: str = "Approved") -> None:
    plane = [pool("control-plane-pool", *_members(1), control_plane=True)]
    _running(world, plane)
    for call in world.calls:
        if (call.method, call.path) == ("GET", f"{CLUSTERS}/{CLUSTER}"):
            world.calls.remove(call)
            break
    before, then = ({"repave": {"state": one}} for one in (state, after))
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster(status=before), cluster(status=then))
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/repave/status", repave(state), repave(after))


@case("cluster_repave", "approve", name="store-042")
def _repave_approve(world: World) -> None:
    _repaving(world)
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/repave/approve")


@case("cluster_repave", "review", changed=False, name="store-042", approved=False)
def _repave_review(world: World) -> None:
    _repaving(world, after="Pending")


@case("cluster_repave", "none", changed=False, name="store-042")
def _repave_none(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])


@case("cluster", "approve", name="store-042", description="new", approve_repave=True, wait_sleep=0)
def _cluster_approve(world: World) -> None:
    _repaving(world)
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/repave/approve")
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/metadata")


@case(
    "cluster",
    "overrides",
    name="store-042",
    profiles=[
        {
            "name": "edge-store",
            "version": "1.0.0",
            "pack_values": {"k8s": {"a": {"b": 2}}},
            "manifests": {"greeting": {"cm": "kind: ConfigMap\nname: other"}},
        },
        {"name": "monitoring", "state": "absent"},
    ],
    apply="later",
    pause_agent_upgrades=True,
    os_patch={"after": ""},
    wait=False,
)
def _cluster_overrides(world: World) -> None:
    site(world)
    at = f"{CLUSTERS}/{CLUSTER}"
    layers = [pack("k8s", values="a: {b: 1}"), manifest_pack("greeting", "cm", "other")]
    world.calls = [call for call in world.calls if call.path != f"{PROFILES}/{PROFILE}"]
    world.reads("GET", f"{PROFILES}/{PROFILE}", profile(packs=layers))
    addon = attached("monitoring", uid="uid-addon", type="add-on", packs=[])
    patch = {"osPatchConfig": {"onDemandPatchAfter": "2030-01-01T00:00:00.000Z"}}
    _running(
        world,
        [pool("control-plane-pool", *_members(1), control_plane=True)],
        profiles=[attached(packs=layers), addon],
        settings={"machineManagementConfig": patch},
    )
    contents = {"cm": "kind: ConfigMap", "other": "kind: Other"}
    world.reads("GET", f"{at}/profiles/packs/manifests", cluster_manifests(greeting=contents))
    world.reads("POST", f"{at}/validate/packs", {})
    world.reads("POST", f"{at}/validate/repave", {"isRepaveRequired": False})
    world.writes("PATCH", f"{at}/clusterConfig/osPatch")
    world.writes("POST", f"{at}/upgrade/settings", {})
    world.writes("DELETE", f"{at}/profiles")
    world.writes("PATCH", f"{at}/profiles")


@case("cluster", "install", name="store-042", apply="now", wait=False)
def _cluster_install(world: World) -> None:
    staged = {"spcApply": {"actionType": "DownloadAndInstallLater", "canBeApplied": False}}
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)], status=staged)
    world.writes("POST", f"{CLUSTERS}/{CLUSTER}/status/spcApply", {})


@case("cluster", "force", name="store-042", state="absent", force_delete=True, wait_sleep=0)
def _cluster_force(world: World) -> None:
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row(state="Deleting")]), page([]))
    stuck = cluster(state="Deleting")
    stuck["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00.000Z"
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", stuck)
    world.reads("GET", CLOUD, config())
    world.writes("DELETE", f"{CLUSTERS}/{CLUSTER}")


def _certified(world: World, end: str) -> None:
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    after = certificates("2035-01-01T00:00:00.000Z")
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/k8certificates", certificates(end), after)


@case("cluster_certificates", "renew", name="store-042", wait_sleep=0)
def _certificates_renew(world: World) -> None:
    _certified(world, "2020-01-01T00:00:00.000Z")
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/k8certificates/renew")


@case("cluster_certificates", "good", changed=False, name="store-042", wait_sleep=0)
def _certificates_good(world: World) -> None:
    _certified(world, "2034-01-01T00:00:00.000Z")


@case("agent_upgrades", "pause", paused=True)
def _upgrades_pause(world: World) -> None:
    settings = f"{CLUSTERS}/upgrade/settings"
    world.reads("GET", settings, {"spectroComponents": "unlock"}, {"spectroComponents": "lock"})
    world.writes("POST", settings, {})


@case("agent_upgrades", "same", changed=False, paused=False, scope="tenant")
def _upgrades_same(world: World) -> None:
    world.reads("GET", f"{CLUSTERS}/upgrade/settings", {})
