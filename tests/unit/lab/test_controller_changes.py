# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that run, changed: staged, held for approval, repaved node by node, stuck, maintained, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World

PATH = "/v1/spectroclusters"
HOSTS = ("edge-1", "edge-2", "edge-3", "edge-4")
WORKER = HOSTS[3]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller with hosts."""
    made = World(tmp_path)
    made.hosts(*HOSTS)
    return made


def shop(world: World, *, profile: str = "") -> str:
    """A cluster of three control planes and a worker that runs."""
    pools = (world.pool(*HOSTS[:3]), world.pool(WORKER, name="workers", worker=True))
    body = world.definition(profile or world.profile("edge"), *pools)
    uid = str(world.ok("POST", f"{PATH}/edge-native", body)["uid"])
    world.later(4, beats=HOSTS)
    assert world.state(uid) == "Running"
    return uid


def versions(world: World) -> tuple[str, str]:
    """Two versions of a profile with another Kubernetes."""
    return world.profile("edge", "1.0.0"), world.profile("edge", "1.1.0", packs=[world.pack(version="1.31.1")])


def change(world: World, uid: str, old: str, new: str, action: str = "DownloadAndInstall") -> None:
    """The second version takes the place of the first."""
    body = {"profiles": [{"uid": new, "replaceWithProfile": old}], "spcApplySettings": {"actionType": action}}
    world.ok("PATCH", f"{PATH}/{uid}/profiles", body)


def machines(world: World, uid: str) -> dict[str, dict[str, Any]]:
    """Host -> status of its machine."""
    config, found = world.config(uid), {}
    for pool in ("plane", "workers"):
        for one in world.ok("GET", f"/v1/cloudconfigs/edge-native/{config}/machinePools/{pool}/machines")["items"]:
            found[one["spec"]["edgeHostUid"]] = one["status"]
    return found


def reasons(world: World, uid: str) -> list[str]:
    """Why things happened to the cluster, the oldest first."""
    items = world.ok("GET", f"/v1/events/components/spectrocluster/{uid}")["items"]
    return [one["reason"] for one in reversed(items)]


def test_nodes_are_repaved_one_after_the_other_control_planes_first(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    change(world, uid, old, new)
    order: list[str] = []
    for _look in range(40):
        world.later(0.1, beats=HOSTS)
        away = [host for host, status in machines(world, uid).items() if status["instanceState"] != "Running"]
        assert len(away) <= 1
        order += [host for host in away if host not in order]
    assert order == list(HOSTS)
    assert world.state(uid) == "Running"
    assert {one["version"] for one in world.cluster(uid)["status"]["packs"]} == {"1.31.1"}


def test_a_pool_that_skips_upgrades_is_not_repaved(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    pool = world.pool(WORKER, name="workers", worker=True, skipK8sUpgrade="enabled")
    world.ok("PUT", f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools/workers", pool)
    world.later(1, beats=HOSTS)
    change(world, uid, old, new)
    for _look in range(30):
        world.later(0.1, beats=HOSTS)
        assert machines(world, uid)[WORKER]["instanceState"] == "Running"


def test_a_staged_change_is_not_in_force_until_it_is_applied(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    change(world, uid, old, new, "DownloadAndInstallLater")
    world.later(3, beats=HOSTS)
    status = world.cluster(uid)["status"]
    assert status["spcApply"] == {"actionType": "DownloadAndInstallLater", "canBeApplied": False}
    assert {one["version"] for one in status["packs"]} == {"1.30.4"}
    assert status["state"] == "Running"
    assert world.call("POST", f"{PATH}/{uid}/status/spcApply").status_code == 202
    world.later(4, beats=HOSTS)
    status = world.cluster(uid)["status"]
    assert status["spcApply"]["canBeApplied"]
    assert {one["version"] for one in status["packs"]} == {"1.31.1"}


def test_a_change_that_is_installed_at_once_takes_what_is_staged_along(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    change(world, uid, old, new, "DownloadAndInstallLater")
    change(world, uid, new, new)
    world.later(4, beats=HOSTS)
    assert {one["version"] for one in world.cluster(uid)["status"]["packs"]} == {"1.31.1"}


def test_those_who_form_a_cluster_are_not_told_of_what_is_staged(tmp_path: Path) -> None:
    world = World(tmp_path, kubernetes={"edge-k8s": ("1.20.2", "1.20.3")})
    world.hosts(*HOSTS)
    old = world.profile("own", "1.0.0", packs=[world.pack("edge-k8s", "1.20.2")])
    new = world.profile("own", "1.1.0", packs=[world.pack("edge-k8s", "1.20.3")])
    uid = world.create_cluster(*HOSTS[:1], profile=old)
    world.form(uid)
    change(world, uid, old, new, "DownloadAndInstallLater")
    assert [one["version"] for one in world.wanted()[0]["layers"]] == ["1.20.2"]
    world.call("POST", f"{PATH}/{uid}/status/spcApply")
    assert [one["version"] for one in world.wanted()[0]["layers"]] == ["1.20.3"]


def test_a_repave_waits_for_its_approval_where_that_is_asked_for(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    world.fault("repave-approval", name="store-042")
    change(world, uid, old, new)
    world.later(3, beats=HOSTS)
    status = world.cluster(uid)["status"]
    assert (status["repave"], status["state"]) == ({"state": "Pending"}, "Running")
    told = world.ok("GET", f"{PATH}/{uid}/repave/status")
    assert told["spec"]["reasons"][0]["message"] == "edge-k3s 1.30.4 is replaced by edge-k3s 1.31.1"
    listed = world.ok("GET", "/v1/dashboard/spectroclusters/repaveStatus")["items"]
    assert [one["metadata"]["name"] for one in listed] == ["store-042"]
    world.ok("PATCH", f"{PATH}/{uid}/repave/approve")
    world.later(4, beats=HOSTS)
    status = world.cluster(uid)["status"]
    assert (status["repave"], status["state"]) == ({"state": "Approved"}, "Running")
    assert {one["version"] for one in status["packs"]} == {"1.31.1"}


@pytest.mark.parametrize(
    ("packs", "code"),
    [
        ([("edge-native-byoi", "2.1.0", "os", "a: 1"), ("edge-k3s", "1.30.4", "k8s", "a: 1")], "PackVersionChanged"),
        (
            [
                ("edge-native-byoi", "2.0.0", "os", "options:\n  system.uri: other"),
                ("edge-k3s", "1.30.4", "k8s", "a: 1"),
            ],
            "PackValuesChanged",
        ),
        ([("edge-native-byoi", "2.0.0", "os", "a: 2"), ("edge-k3s", "1.30.4", "k8s", "cluster: {}")], ""),
    ],
)
def test_what_causes_a_repave(world: World, packs: list[tuple[str, str, str, str]], code: str) -> None:
    old = world.profile("edge", packs=[world.pack("edge-native-byoi", "2.0.0", "os"), world.pack()])
    made = [world.pack(name, version, layer, values=values) for name, version, layer, values in packs]
    new = world.profile("edge", "1.1.0", packs=made)
    uid = shop(world, profile=old)
    body = {"profiles": [{"uid": new, "replaceWithProfile": old}]}
    found = world.ok("POST", f"{PATH}/{uid}/validate/repave", body)
    assert found["isRepaveRequired"] is bool(code)
    assert [one["code"] for one in found.get("reasons", [])] == ([code] if code else [])
    assert world.cluster(uid)["spec"]["clusterProfileTemplates"][0]["uid"] == old


def test_an_upgrade_that_is_stuck_says_why_and_goes_on_when_it_can(world: World) -> None:
    old, new = versions(world)
    uid = shop(world, profile=old)
    world.fault("upgrade-error", name="store-042")
    world.create_cluster(*world.hosts("other-1"), name="other", profile=old)
    change(world, uid, old, new)
    world.later(4, beats=(*HOSTS, "other-1"))
    status = world.cluster(uid)["status"]
    assert status["state"] == "Error"
    assert status["packs"][0]["condition"]["type"] == "Error"
    assert "cannot be pulled" in status["packs"][0]["condition"]["message"]
    assert reasons(world, uid)[-1] == "ClusterError"
    (other,) = [one for one in world.lab.store.all("cluster") if one["metadata"]["name"] == "other"]
    assert other["status"]["state"] == "Running"
    world.clear_faults()
    world.later(4, beats=HOSTS)
    assert world.state(uid) == "Running"


def test_a_node_is_cordoned_and_taken_back(world: World) -> None:
    uid = shop(world)
    config = world.config(uid)
    (machine,) = world.ok("GET", f"/v1/cloudconfigs/edge-native/{config}/machinePools/workers/machines")["items"]
    path = f"/v1/cloudconfigs/edge-native/{config}/machinePools/workers/machines/{machine['metadata']['uid']}"
    for action in ("cordon", "uncordon"):
        world.ok("PUT", f"{path}/maintenance", {"action": action})
        assert machines(world, uid)[WORKER]["maintenanceStatus"]["state"] == "Initiated"
        world.later(2, beats=HOSTS)
        assert machines(world, uid)[WORKER]["maintenanceStatus"] == {"action": action, "state": "Completed"}
    world.refused(400, "InvalidRequest", "PUT", f"{path}/maintenance", {"action": "drain"})


def test_maintenance_is_told_to_those_who_form_a_cluster(tmp_path: Path) -> None:
    world = World(tmp_path, kubernetes={"edge-k8s": ("1.20.2",)})
    world.hosts(*HOSTS)
    uid = world.create_cluster(HOSTS[0], profile=world.profile("own", packs=[world.pack("edge-k8s", "1.20.2")]))
    world.form(uid)
    config = world.config(uid)
    (machine,) = world.ok("GET", f"/v1/cloudconfigs/edge-native/{config}/machinePools/plane/machines")["items"]
    path = f"/v1/cloudconfigs/edge-native/{config}/machinePools/plane/machines/{machine['metadata']['uid']}"
    world.ok("PUT", f"{path}/maintenance", {"action": "cordon"})
    (wanted,) = world.wanted()
    assert wanted["pools"][0]["hosts"] == [{"uid": HOSTS[0], "cordoned": True}]
    world.form(uid)
    assert world.ok("GET", path)["status"]["maintenanceStatus"]["state"] == "InProgress"
    seen = {"state": "Running", "ready": True, "cordoned": True, "conditions": []}
    world.form(uid, machines={HOSTS[0]: seen})
    assert world.ok("GET", path)["status"]["maintenanceStatus"]["state"] == "Completed"


def test_a_delete_hangs_while_a_host_is_dead_unless_it_is_forced(world: World) -> None:
    uid = shop(world)
    world.later(10, beats=HOSTS[:3])
    world.ok("DELETE", f"{PATH}/{uid}")
    world.later(20, beats=HOSTS[:3])
    assert world.state(uid) == "Deleting"
    assert world.cluster(uid)["metadata"]["deletionTimestamp"]
    world.ok("DELETE", f"{PATH}/{uid}", forceDelete="true")
    assert world.state(uid) == "Deleted"


def test_certificates_are_renewed(world: World) -> None:
    uid = shop(world)
    world.fault("certificates-expiring")
    found = world.ok("GET", f"{PATH}/{uid}/k8certificates")["machineCertificates"]
    assert len(found) == 3
    near = found[0]["certificateAuthorities"][0]["certificates"][0]["expiry"]
    world.ok("PATCH", f"{PATH}/{uid}/k8certificates/renew")
    assert world.ok("GET", f"{PATH}/{uid}/k8certificates")["machineCertificates"] == found
    world.later(2)
    later = world.ok("GET", f"{PATH}/{uid}/k8certificates")["machineCertificates"]
    assert later[0]["certificateAuthorities"][0]["certificates"][0]["expiry"] > near


def test_upgrades_of_agents_are_locked_for_one_cluster_or_all(world: World) -> None:
    uid = shop(world)
    world.ok("POST", f"{PATH}/{uid}/upgrade/settings", {"spectroComponents": "lock"})
    assert world.cluster(uid)["metadata"]["annotations"]["spectroComponentsUpgradeForbidden"] == "true"
    assert world.ok("GET", f"{PATH}/upgrade/settings") == {"spectroComponents": "unlock"}
    world.ok("POST", f"{PATH}/upgrade/settings", {"spectroComponents": "lock"})
    assert world.ok("GET", f"{PATH}/upgrade/settings") == {"spectroComponents": "lock"}
    assert world.ok("GET", f"{PATH}/upgrade/settings", scope="") == {"spectroComponents": "unlock"}


def test_a_variable_that_is_fixed_after_deployment(world: World) -> None:
    fixed = [{"name": "site", "defaultValue": "a", "immutable": True}, {"name": "n", "format": "number"}]
    profile = world.profile("edge", variables=fixed)
    uid = shop(world, profile=profile)
    path = f"{PATH}/{uid}/variables"
    wrong = [{"profileUid": profile, "variables": [{"name": "site", "value": "b"}]}]
    world.refused(400, "VariableImmutable", "PATCH", path, wrong)
    wrong = [{"profileUid": profile, "variables": [{"name": "n", "value": "many"}]}]
    world.refused(400, "InvalidVariableValue", "PATCH", path, wrong)
    world.ok("PATCH", path, [{"profileUid": profile, "variables": [{"name": "n", "value": "4"}]}])


def test_hosts_of_another_architecture_are_refused(world: World) -> None:
    uid = shop(world)
    world.hosts("edge-9")
    pool = world.pool("edge-9", name="more", worker=True, machinePoolProperties={"archType": "arm64"})
    text = world.refused(
        400,
        "MachinePoolValidationFailed",
        "POST",
        f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools",
        pool,
    )
    assert "Edge host 'edge-9' is amd64, the pool is arm64" in text
