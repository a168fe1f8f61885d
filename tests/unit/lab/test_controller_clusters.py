# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller: clusters, from their definition to their end, and what is set on them meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World

PATH = "/v1/spectroclusters"
HOSTS = ("edge-1", "edge-2", "edge-3")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller with three hosts that are ready and healthy."""
    world = World(tmp_path, form_seconds=4.0)
    world.hosts(*HOSTS)
    return world


def _running(world: World, *hosts: str, **more: Any) -> str:
    uid = world.create_cluster(*hosts, **more)
    world.later(6, beats=HOSTS)
    assert world.state(uid) == "Running"
    return uid


def _errors(world: World, body: Any) -> str:
    """What validation says; it answers with 200 all the same."""
    found = world.ok("POST", f"{PATH}/edge-native/validate", body)
    pools = found.get("machinePools", {}).get("results", [])
    packs = [one for profile in found.get("profiles", []) for one in profile["packs"]["results"]]
    return "; ".join(error["message"] for one in [*pools, *packs] for error in one["errors"])


def _machines(world: World, cluster: str, pool: str = "plane") -> dict[str, str]:
    path = f"/v1/cloudconfigs/edge-native/{world.config(cluster)}/machinePools/{pool}/machines"
    return {one["spec"]["edgeHostUid"]: one["status"]["instanceState"] for one in world.ok("GET", path)["items"]}


# -- definition


def test_a_good_definition_has_no_errors(world: World) -> None:
    assert _errors(world, world.definition(world.profile(), world.pool(*HOSTS))) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda world, body: body["metadata"].update(name=""), "metadata.name is required"),
        (lambda world, body: body["spec"].update(profiles=[]), "At least one profile"),
        (lambda world, body: body["spec"].update(profiles=[{"uid": "none"}]), "'none' is not found or not published"),
        (lambda world, body: body["spec"].update(machinepoolconfig=[]), "Exactly one pool"),
        (
            lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("edge-1"), world.pool("edge-2")]),
            "Two pools are named 'plane'",
        ),
        (lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("nobody")]), "'nobody' is not found"),
        (lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("new")]), "'new' is not ready"),
        (lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("used")]), "in use by cluster 'taken'"),
        (lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("far")]), "'far' is not found"),
        (
            lambda world, body: body["spec"].update(machinepoolconfig=[world.pool("edge-1", "edge-1")]),
            "'edge-1' is used twice",
        ),
        (
            lambda world, body: body["spec"]["machinepoolconfig"][0]["poolConfig"].update(size=2),
            "size is 2, the pool has 3 hosts",
        ),
        (
            lambda world, body: body["spec"]["machinepoolconfig"][0]["poolConfig"].update(labels=["worker"]),
            "labels must be",
        ),
        (
            lambda world, body: body["spec"]["cloudConfig"]["controlPlaneEndpoint"].update(host="here"),
            "'here' is not an address",
        ),
        (
            lambda world, body: body["spec"]["profiles"][0].update(variables=[{"name": "x", "value": "1"}]),
            "no variable 'x'",
        ),
    ],
)
def test_a_bad_definition_is_told_by_validation_and_refused(world: World, change: Any, words: str) -> None:
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "new"}})
    world.ok("POST", "/v1/edgehosts", {"metadata": {"uid": "far"}}, scope=world.projects["Lab B"])
    world.hosts("used")
    world.create_cluster("used", name="taken")
    body = world.definition(world.profile(), world.pool(*HOSTS))
    change(world, body)
    assert words in _errors(world, body)
    message = world.refused(400, "ClusterValidationFailed", "POST", f"{PATH}/edge-native", body)
    assert words in message
    assert {world.host(uid)["status"]["state"] for uid in HOSTS} == {"ready"}


def test_a_name_is_taken_until_its_cluster_is_gone(world: World) -> None:
    uid = world.create_cluster("edge-1")
    world.refused(409, "DuplicateClusterName", "GET", f"{PATH}/validate/name", name="store-042")
    body = world.definition(world.profile("other"), world.pool("edge-2"))
    assert "already exists" in world.refused(400, "ClusterValidationFailed", "POST", f"{PATH}/edge-native", body)
    world.ok("DELETE", f"{PATH}/{uid}")
    world.later(3)
    world.ok("GET", f"{PATH}/validate/name", name="store-042")
    world.ok("POST", f"{PATH}/edge-native", body)


def test_a_draft_cannot_be_attached(world: World) -> None:
    template = {"cloudType": "edge-native", "packs": [world.pack()]}
    draft = world.ok("POST", "/v1/clusterprofiles", {"metadata": {"name": "d"}, "spec": {"template": template}})["uid"]
    assert "not published" in _errors(world, world.definition(draft, world.pool(*HOSTS)))


# -- forming


def test_a_cluster_forms_and_is_bare_at_first(world: World) -> None:
    uid = world.create_cluster(*HOSTS)
    assert "status" not in world.cluster(uid)
    states: list[str] = []
    for _second in range(10):
        world.later(0.5, beats=HOSTS)
        states.append(world.state(uid))
    assert list(dict.fromkeys(states)) == ["Pending", "Provisioning", "Running"]
    cluster = world.cluster(uid)
    assert {one["condition"]["type"] for one in cluster["status"]["packs"]} == {"Ready"}
    assert cluster["status"]["conditions"] == [{"type": "EdgeHostsReady", "status": "True"}]
    assert set(_machines(world, uid).values()) == {"Running"}
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"in-use"}
    overview = world.ok("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")
    assert overview["status"]["health"]["state"] == "Healthy"


def test_a_cluster_waits_for_hosts_that_are_not_healthy(world: World) -> None:
    uid = world.create_cluster(*HOSTS)
    world.later(2, beats=HOSTS)
    world.beat("edge-3", "unhealthy")
    world.later(12, beats=HOSTS[:2])
    assert world.state(uid) == "Provisioning"
    (condition,) = world.cluster(uid)["status"]["conditions"]
    assert (condition["status"], condition["message"]) == ("False", "Waiting for Edge hosts: edge-3")
    assert set(_machines(world, uid).values()) != {"Running"}
    world.later(6, beats=HOSTS)
    assert world.state(uid) == "Running"
    assert world.cluster(uid)["status"]["conditions"][0]["status"] == "True"


def test_a_cluster_of_hosts_that_never_were_healthy_says_that_it_waits(world: World) -> None:
    secret = world.secret(world.token())
    assert world.register("quiet", secret=secret).status_code == 200
    uid = world.create_cluster("quiet")
    world.later(5)
    assert world.state(uid) == "Pending"
    assert "quiet" in world.cluster(uid)["status"]["conditions"][0]["message"]


def test_a_cluster_that_runs_goes_on_running_without_a_host(world: World) -> None:
    uid = _running(world, *HOSTS)
    world.later(8, beats=HOSTS[1:])
    assert world.state(uid) == "Running"
    overview = world.ok("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")
    assert overview["status"]["health"]["state"] == "UnHealthy"


def test_the_machines_of_a_large_pool_are_ready_before_the_cluster_is(world: World) -> None:
    hosts = tuple(f"edge-n{number}" for number in range(31))
    world.hosts(*hosts)
    uid = world.create_cluster(*hosts)
    world.later(4.5, beats=hosts)
    assert world.state(uid) == "Running"
    assert set(_machines(world, uid).values()) == {"Running"}


def test_an_error_lasts_as_long_as_its_fault(world: World) -> None:
    world.fault("cluster-error", name="store-042")
    uid = world.create_cluster(*HOSTS)
    world.later(6, beats=HOSTS)
    assert world.state(uid) == "Error"
    world.clear_faults()
    world.later(6, beats=HOSTS)
    assert world.state(uid) == "Running"


# -- changes


def test_scaling_out_and_in_takes_time(world: World) -> None:
    uid = _running(world, "edge-1")
    pools = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools"
    workers = world.pool("edge-2", "edge-3", name="workers", worker=True)
    world.ok("POST", pools, workers)
    assert _machines(world, uid, "workers") == {"edge-2": "Pending", "edge-3": "Pending"}
    assert world.host("edge-2")["status"]["state"] == "in-use"
    world.later(3, beats=HOSTS)
    assert set(_machines(world, uid, "workers").values()) == {"Running"}

    world.ok("PUT", f"{pools}/workers", world.pool("edge-2", name="workers", worker=True))
    assert _machines(world, uid, "workers") == {"edge-2": "Running", "edge-3": "Deleting"}
    assert world.host("edge-3")["status"]["state"] == "in-use"
    world.later(3, beats=HOSTS)
    assert _machines(world, uid, "workers") == {"edge-2": "Running"}
    assert world.host("edge-3")["status"]["state"] == "ready"

    world.ok("DELETE", f"{pools}/workers")
    world.later(3, beats=HOSTS)
    assert world.host("edge-2")["status"]["state"] == "ready"
    assert world.state(uid) == "Running"


def test_a_machine_can_be_taken_away_before_its_pool_shrinks(world: World) -> None:
    uid = _running(world, *HOSTS)
    pools = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools"
    machine = next(
        one["metadata"]["uid"]
        for one in world.ok("GET", f"{pools}/plane/machines")["items"]
        if one["spec"]["edgeHostUid"] == "edge-3"
    )
    world.ok("DELETE", f"{pools}/plane/machines/{machine}")
    assert _machines(world, uid)["edge-3"] == "Deleting"
    world.ok("PUT", f"{pools}/plane", world.pool(*HOSTS[:2]))
    world.later(3, beats=HOSTS)
    assert set(_machines(world, uid)) == {"edge-1", "edge-2"}
    assert world.host("edge-3")["status"]["state"] == "ready"
    world.refused(404, "ResourceNotFound", "GET", f"{pools}/plane/machines/{machine}")


def test_pools_that_cannot_be(world: World) -> None:
    uid = _running(world, "edge-1")
    pools = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools"
    world.refused(409, "AlreadyExists", "POST", pools, world.pool("edge-2"))
    code = "MachinePoolValidationFailed"
    world.refused(400, code, "POST", pools, world.pool("edge-1", name="w", worker=True))
    world.refused(400, code, "POST", pools, world.pool("edge-2", name="second"))
    world.refused(400, code, "PUT", f"{pools}/plane", world.pool("edge-1", name="plane", worker=True))
    world.refused(400, "InvalidRequest", "PUT", f"{pools}/plane", world.pool("edge-1", name="other"))
    world.refused(404, "ResourceNotFound", "PUT", f"{pools}/other", world.pool("edge-1", name="other"))
    world.refused(400, "InvalidRequest", "DELETE", f"{pools}/plane")
    world.refused(404, "ResourceNotFound", "GET", f"{pools}/other/machines")


def test_a_pool_is_written_in_one_shape_and_read_in_another(world: World) -> None:
    pool = world.pool("edge-1", useControlPlaneAsWorker=True, additionalLabels={"role": "", "a": "b"}, minSize=0)
    pool["cloudConfig"]["edgeHosts"][0]["hostName"] = "store-042-1"
    body = world.definition(world.profile(), pool)
    uid = world.ok("POST", f"{PATH}/edge-native", body)["uid"]
    config = world.ok("GET", f"/v1/cloudconfigs/edge-native/{world.config(uid)}")
    (read,) = config["spec"]["machinePoolConfig"]
    assert read["additionalLabels"] == {"role": "", "a": "b"}
    assert read["useControlPlaneAsWorker"] is True
    assert "minSize" not in read
    (host,) = read["hosts"]
    assert (host["hostUid"], host["hostName"], host["hostAddress"]) == ("edge-1", "store-042-1", "10.42.0.11")
    assert config["spec"]["clusterConfig"]["controlPlaneEndpoint"]["host"] == "10.42.0.10"


def test_the_network_definition_can_be_written_anew(world: World) -> None:
    uid = _running(world, "edge-1")
    path = f"/v1/cloudconfigs/edge-native/{world.config(uid)}"
    world.ok("PUT", f"{path}/clusterConfig", {"clusterConfig": {"sshKeys": ["b"]}})
    assert world.ok("GET", path)["spec"]["clusterConfig"] == {"sshKeys": ["b"]}


def test_an_upgrade_replaces_a_profile_and_the_packs_get_ready_anew(world: World) -> None:
    old = world.profile("edge", "1.0.0", variables=[{"name": "greeting", "defaultValue": "hi"}])
    new = world.profile(
        "edge", "1.1.0", packs=[world.pack(version="1.31.1")], variables=[{"name": "greeting", "defaultValue": "hi"}]
    )
    uid = _running(world, *HOSTS, profile=old)
    path = f"{PATH}/{uid}/variables"
    world.ok("PATCH", path, [{"profileUid": old, "variables": [{"name": "greeting", "value": "moin"}]}])
    world.ok("PATCH", f"{PATH}/{uid}/profiles", {"profiles": [{"uid": new, "replaceWithProfile": old}]})
    (attached,) = world.cluster(uid)["spec"]["clusterProfileTemplates"]
    assert (attached["uid"], attached["profileVersion"], attached["packs"][0]["tag"]) == (new, "1.1.0", "1.31.1")
    world.later(0.5, beats=HOSTS)
    assert world.state(uid) == "Provisioning"
    assert {one["condition"]["type"] for one in world.cluster(uid)["status"]["packs"]} == {"WaitingForOtherLayers"}
    world.later(3, beats=HOSTS)
    assert world.state(uid) == "Running"
    (values,) = world.ok("GET", path)
    assert (values["profileUid"], values["variables"][0]["value"]) == (new, "moin")


def test_a_patch_adds_a_put_replaces_a_delete_takes_away(world: World) -> None:
    base, addon = world.profile("base"), world.profile("addon", packs=[world.pack("nginx", "1.11.2", "addon")])
    twin = world.profile("twin")
    uid = _running(world, *HOSTS, profile=base)

    def attached() -> list[str]:
        return [one["uid"] for one in world.cluster(uid)["spec"].get("clusterProfileTemplates", [])]

    path = f"{PATH}/{uid}/profiles"
    body = {"profiles": [{"uid": twin}]}
    assert "edge-k3s" in world.refused(400, "DuplicateClusterPacksForbidden", "PATCH", path, body)
    assert attached() == [base]
    world.ok("PATCH", path, {"profiles": [{"uid": addon, "packValues": [{"name": "nginx", "values": "x: 1"}]}]})
    assert attached() == [base, addon]
    shown = {one["metadata"]["name"]: one for one in world.ok("GET", path)["profiles"]}
    assert shown["addon"]["spec"]["packs"][0]["spec"]["values"] == "x: 1"
    world.ok("DELETE", path, {"profileUids": [base]})
    assert attached() == [addon]
    world.ok("PUT", path, body)
    assert attached() == [twin]
    world.refused(404, "ResourceNotFound", "PATCH", path, {"profiles": [{"uid": "none"}]})


def test_variables_of_a_cluster(world: World) -> None:
    variables = [{"name": "greeting", "defaultValue": "hi"}, {"name": "key", "defaultValue": "s", "isSensitive": True}]
    profile = world.profile(variables=variables)
    body = world.definition(profile, world.pool("edge-1"))
    body["spec"]["profiles"][0]["variables"] = [{"name": "key", "value": "hush"}]
    uid = world.ok("POST", f"{PATH}/edge-native", body)["uid"]
    path = f"{PATH}/{uid}/variables"

    def values() -> dict[str, str]:
        return {one["name"]: one["value"] for one in world.ok("GET", path)[0]["variables"]}

    assert values() == {"greeting": "hi", "key": "*****"}
    world.ok("PATCH", path, [{"profileUid": profile, "variables": [{"name": "greeting", "value": "moin"}]}])
    assert values() == {"greeting": "moin", "key": "*****"}
    wrong = [{"profileUid": profile, "variables": [{"name": "none", "value": ""}]}]
    world.refused(400, "VariableNotFound", "PATCH", path, wrong)
    world.refused(404, "ResourceNotFound", "PATCH", path, [{"profileUid": "none"}])


def test_settings_are_kept(world: World) -> None:
    uid = _running(world, "edge-1")
    path = f"{PATH}/{uid}"
    world.ok("PATCH", f"{path}/clusterConfig/timezone", {"timezone": "Europe/Berlin"})
    world.ok("PATCH", f"{path}/clusterConfig/clusterMetaAttribute", {"clusterMetaAttribute": "a"})
    world.ok("PATCH", f"{path}/clusterConfig/controlPlaneHealthCheckTimeout", {"controlPlaneHealthCheckTimeout": "10m"})
    world.ok("PATCH", f"{path}/clusterConfig/hostCluster", {"hostClusterConfig": {"isHostCluster": True}})
    world.ok("PATCH", f"{path}/clusterConfig/osPatch", {"osPatchConfig": {"schedule": "0 3 * * *"}})
    world.ok("PUT", f"{path}/location", {"location": {"countryCode": "DE", "geoLoc": {"latitude": 53.5}}})
    world.ok("PATCH", f"{path}/metadata", {"metadata": {"labels": {"a": "b"}, "annotations": {"description": "d"}}})
    cluster = world.cluster(uid)
    patch = {"schedule": "0 3 * * *", "patchOnBoot": False, "rebootIfRequired": False}
    assert cluster["spec"]["clusterConfig"] == {
        "timezone": "Europe/Berlin",
        "clusterMetaAttribute": "a",
        "controlPlaneHealthCheckTimeout": "10m",
        "hostClusterConfig": {"isHostCluster": True},
        "machineManagementConfig": {"osPatchConfig": patch},
    }
    assert cluster["status"]["location"] == {"countryCode": "DE", "geoLoc": {"latitude": 53.5, "longitude": 0}}
    assert cluster["metadata"]["labels"] == {"a": "b"}
    assert cluster["metadata"]["annotations"] == {"description": "d", "scope": "project"}
    world.refused(400, "InvalidRequest", "PATCH", f"{path}/clusterConfig/timezone", {})


# -- the end


def test_a_deleted_cluster_lets_its_hosts_go_and_keeps_answering(world: World) -> None:
    uid = _running(world, *HOSTS)
    world.ok("DELETE", f"{PATH}/{uid}")
    assert world.state(uid) == "Deleting"
    world.ok("DELETE", f"{PATH}/{uid}")
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"in-use"}
    world.later(3, beats=HOSTS)
    assert world.state(uid) == "Deleted"
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"ready"}
    assert "inUseClusters" not in world.host("edge-1")["status"]
    world.ok("DELETE", f"{PATH}/{uid}")
    assert world.state(uid) == "Deleted"
    assert world.lab.store.setting("moving") == []


def test_the_hosts_of_a_cluster_are_listed(world: World) -> None:
    uid = _running(world, *HOSTS)
    listed = world.ok("GET", f"{PATH}/{uid}/edge-native/edgeHosts")
    assert [one["metadata"]["uid"] for one in listed["items"]] == list(HOSTS)
    assert listed["listmeta"]["count"] == 3


def test_there_is_no_kubeconfig_as_there_is_no_kubernetes(world: World) -> None:
    uid = _running(world, *HOSTS)
    for name in ("kubeconfig", "kubeconfigclient", "adminKubeconfig"):
        world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}/assets/{name}")


def test_a_cluster_of_another_project_is_not_there(world: World) -> None:
    uid = _running(world, *HOSTS)
    world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}", scope=world.projects["Lab B"])
