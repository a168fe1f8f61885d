# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters: creation, settings in place, node pools, attached profiles, and how far a cluster is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import (
    ConflictError,
    InputError,
    TerminalStateError,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Connection, Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources._attached import Attachment
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_progress import progress
from ansible_collections.palette.edge.plugins.module_utils.resources._node_pools import DesiredPool, desired_pool
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    CONFIG,
    PROFILE,
    attached,
    cluster,
    cluster_row,
    cluster_search,
    config,
    machine,
    member,
    pool,
)
from ansible_collections.palette.edge.tests.unit.palette_server import PROJECT, Call, PaletteServer, error

SCOPE = Scope(PROJECT)
AT = f"/v1/spectroclusters/{CLUSTER}"
POOLS = f"/v1/cloudconfigs/edge-native/{CONFIG}/machinePools"
STORE = Attachment(name="edge-store", version="1.0.0", uid=PROFILE)


def wanted_pool(name: str = "cp", *uids: str | dict[str, Any], **options: Any) -> DesiredPool:
    hosts = [{"uid": uid} if isinstance(uid, str) else uid for uid in uids]
    return desired_pool({"name": name, "hosts": hosts, "control_plane": name == "cp", **options})


def host_options(uid: str, address: str, **more: Any) -> dict[str, Any]:
    return {"uid": uid, "address": address, "gateway": "10.42.0.1", **more}


def there(
    *pools: Any, machines: Any = None, network: Any = None, variables: Any = None, **more: Any
) -> clusters.Current:
    pools = pools or (pool("cp", member("a"), control_plane=True),)
    return clusters.Current(cluster(**more), config(*pools, **(network or {})), variables or {}, machines or {})


def plan(current: clusters.Current | None = None, **desired: Any) -> Plan:
    wanted = clusters.DesiredCluster(name="store-042", **desired)
    return clusters.plan(current or clusters.Current(), wanted, scope=SCOPE)


def writes(planned: Plan) -> list[tuple[str, str, Any]]:
    assert all(step.scope is SCOPE for step in planned.steps)
    return [(step.method, step.path, step.body) for step in planned.steps]


# -- creation and removal ------------------------------------------------------------------------------------------


def test_create() -> None:
    planned = plan(
        description="Store 42",
        tags={"site": "42"},
        profiles=[Attachment(name="edge-store", version="1.0.0", uid=PROFILE, variables={"who": "you"})],
        endpoint="10.42.0.10",
        ntp_servers=["ntp"],
        ssh_keys=["ssh-ed25519 AAAA me\n"],
        node_pools=[
            wanted_pool("cp", host_options("a", "10.42.0.11/24", name="n1", nameservers=["10.42.0.1"], nic="host0")),
            wanted_pool(
                "workers", "b", additional_labels={"n": 1}, taints=[{"key": "k", "value": None, "effect": "NoExecute"}]
            ),
        ],
        settings={"timezone": "Europe/Berlin", "os_patch": {"schedule": "0 3 * * 0"}},
        update_worker_pools_in_parallel=True,
    )
    assert writes(planned) == [
        (
            "POST",
            "/v1/spectroclusters/edge-native",
            {
                "metadata": {
                    "name": "store-042",
                    "annotations": {"description": "Store 42"},
                    "labels": {"site": "42"},
                },
                "spec": {
                    "cloudConfig": {
                        "controlPlaneEndpoint": {"host": "10.42.0.10", "type": "VIP"},
                        "ntpServers": ["ntp"],
                        "sshKeys": ["ssh-ed25519 AAAA me"],
                    },
                    "machinepoolconfig": [
                        {
                            "cloudConfig": {
                                "edgeHosts": [
                                    {
                                        "hostUid": "a",
                                        "hostName": "n1",
                                        "nic": {
                                            "ip": "10.42.0.11",
                                            "subnet": "255.255.255.0",
                                            "gateway": "10.42.0.1",
                                            "dns": ["10.42.0.1"],
                                            "nicName": "host0",
                                        },
                                    }
                                ]
                            },
                            "poolConfig": {
                                "name": "cp",
                                "size": 1,
                                "labels": ["control-plane"],
                                "isControlPlane": True,
                            },
                        },
                        {
                            "cloudConfig": {"edgeHosts": [{"hostUid": "b"}]},
                            "poolConfig": {
                                "name": "workers",
                                "size": 1,
                                "labels": ["worker"],
                                "isControlPlane": False,
                                "additionalLabels": {"n": "1"},
                                "taints": [{"key": "k", "value": "", "effect": "NoExecute"}],
                            },
                        },
                    ],
                    "profiles": [{"uid": PROFILE, "variables": [{"name": "who", "value": "you"}]}],
                    "clusterConfig": {
                        "timezone": "Europe/Berlin",
                        "machineManagementConfig": {"osPatchConfig": {"schedule": "0 3 * * 0"}},
                        "updateWorkerPoolsInParallel": True,
                    },
                },
            },
        )
    ]


def test_create_with_an_overlay_and_two_nodes() -> None:
    sent = (
        plan(
            profiles=[STORE],
            node_pools=[
                wanted_pool("cp", {"uid": "a", "two_node_role": "primary"}, {"uid": "b", "two_node_role": "secondary"})
            ],
            overlay_cidr="100.64.0.0/24",
            endpoint="100.64.0.1",
            two_node=True,
        )
        .steps[0]
        .body["spec"]
    )
    assert sent["cloudConfig"]["overlayNetworkConfiguration"] == {"enable": True, "cidr": "100.64.0.0/24"}
    assert sent["cloudConfig"]["isTwoNodeCluster"] is True
    hosts = sent["machinepoolconfig"][0]["cloudConfig"]["edgeHosts"]
    assert [one["twoNodeCandidatePriority"] for one in hosts] == ["primary", "secondary"]


@pytest.mark.parametrize(
    ("desired", "named"), [({"node_pools": [wanted_pool()]}, "profiles:"), ({"profiles": [STORE]}, "node_pools:")]
)
def test_create_needs_profiles_and_pools(desired: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=f"{named} the cluster store-042 is not there yet"):
        plan(**desired)


def test_remove() -> None:
    assert writes(plan(there(), present=False)) == [("DELETE", AT, None)]
    assert not plan(there(state="Deleting"), present=False).changed
    assert not plan(present=False).changed


# -- what is there -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "desired",
    [
        {},
        {"profiles": [STORE], "node_pools": [wanted_pool("cp", "a")], "endpoint": "10.42.0.10"},
        {"description": "d", "tags": {"a": "1"}},
        {"ntp_servers": ["n"], "ssh_keys": ["k"], "two_node": False},
        {"purge_profiles": True, "profiles": [STORE]},
        {"purge_node_pools": True, "node_pools": [wanted_pool("cp", "a")]},
        {"settings": {"timezone": "UTC", "os_patch": {"patchOnBoot": False}, "location": {"countryCode": "DE"}}},
        {"update_worker_pools_in_parallel": False, "endpoint_type": "VIP", "pause_agent_upgrades": False},
    ],
)
def test_nothing_to_do(desired: dict[str, Any]) -> None:
    have = there(
        description="d",
        labels={"a": "1"},
        network={"ntpServers": ["n"], "sshKeys": ["k"]},
        settings={"timezone": "UTC", "machineManagementConfig": {"osPatchConfig": {"schedule": "x"}}},
        status={"location": {"countryCode": "DE", "regionCode": "HH"}},
    )
    planned = plan(have, **desired)
    assert writes(planned) == []
    assert planned.warnings == []


@pytest.mark.parametrize(
    ("desired", "labels", "description"),
    [
        ({"description": "new"}, {"a": "1"}, "new"),
        ({"description": ""}, {"a": "1"}, ""),
        ({"tags": {"b": None}}, {"b": "spectro__tag"}, "old"),
        ({"tags": {}}, {}, "old"),
    ],
)
def test_metadata(desired: dict[str, Any], labels: dict[str, str], description: str) -> None:
    planned = plan(there(description="old", labels={"a": "1"}), **desired)
    # No other annotation is sent: those that others set stay.
    metadata = {"name": "store-042", "labels": labels, "annotations": {"description": description}}
    assert writes(planned) == [("PATCH", f"{AT}/metadata", {"metadata": metadata})]


@pytest.mark.parametrize(
    ("desired", "wire"),
    [
        ({"ntp_servers": ["x", "y"]}, {"ntpServers": ["x", "y"]}),
        ({"ntp_servers": []}, {"ntpServers": []}),
        ({"ssh_keys": ["k2 "]}, {"sshKeys": ["k2"]}),
        ({"ntp_servers": ["x"], "ssh_keys": []}, {"ntpServers": ["x"], "sshKeys": []}),
    ],
)
def test_the_network_is_read_merged_and_written(desired: dict[str, Any], wire: dict[str, Any]) -> None:
    network = {"ntpServers": ["n"], "sshKeys": ["k"], "staticIp": True, "newField": {"of": "a later Palette"}}
    planned = plan(there(network=network), **desired)
    merged = {"controlPlaneEndpoint": {"host": "10.42.0.10", "type": "VIP"}, **network, **wire}
    path = f"/v1/cloudconfigs/edge-native/{CONFIG}/clusterConfig"
    assert writes(planned) == [("PUT", path, {"clusterConfig": merged})]
    assert set(planned.before) == set(planned.after)


@pytest.mark.parametrize(
    ("option", "value", "verb", "below", "body"),
    [
        ("timezone", "UTC", "PATCH", "clusterConfig/timezone", {"timezone": "UTC"}),
        ("meta_attribute", "x", "PATCH", "clusterConfig/clusterMetaAttribute", {"clusterMetaAttribute": "x"}),
        ("meta_attribute", "", "PATCH", "clusterConfig/clusterMetaAttribute", {"clusterMetaAttribute": ""}),
        (
            "control_plane_health_check_timeout",
            "10m",
            "PATCH",
            "clusterConfig/controlPlaneHealthCheckTimeout",
            {"controlPlaneHealthCheckTimeout": "10m"},
        ),
        (
            "os_patch",
            {"schedule": "0 4 * * *"},
            "PATCH",
            "clusterConfig/osPatch",
            {"osPatchConfig": {"schedule": "0 4 * * *", "patchOnBoot": True}},
        ),
        (
            "location",
            {"geoLoc": {"latitude": 1.0, "longitude": 2.0}},
            "PUT",
            "location",
            {"location": {"countryCode": "DE", "geoLoc": {"latitude": 1.0, "longitude": 2.0}}},
        ),
    ],
)
def test_settings_written_alone(option: str, value: Any, verb: str, below: str, body: Any) -> None:
    have = there(
        settings={
            "timezone": "Europe/Berlin",
            "clusterMetaAttribute": "old",
            "machineManagementConfig": {"osPatchConfig": {"schedule": "x", "patchOnBoot": True}},
        },
        status={"location": {"countryCode": "DE"}},
    )
    planned = plan(have, settings={option: value})
    assert writes(planned) == [(verb, f"{AT}/{below}", body)]
    assert list(planned.after) == ["name", option]


@pytest.mark.parametrize(
    ("desired", "text"),
    [
        ({"endpoint": "10.42.0.99"}, "vip: the cluster store-042 has 10.42.0.10, not 10.42.0.99, and this is fixed"),
        ({"overlay_cidr": "100.64.0.0/24"}, "overlay_cidr: the cluster store-042 has none, not 100.64.0.0/24"),
        ({"two_node": True}, "two_node: the cluster store-042 has false, not true"),
        ({"endpoint_type": "DDNS"}, "endpoint_type: the cluster store-042 has VIP, not DDNS"),
        (
            {"update_worker_pools_in_parallel": True},
            "update_worker_pools_in_parallel: the cluster store-042 has false, not true",
        ),
    ],
)
def test_what_is_fixed_is_refused(desired: dict[str, Any], text: str) -> None:
    with pytest.raises(ConflictError) as caught:
        plan(there(), **desired)
    assert text in str(caught.value)


def test_another_vip_is_written_where_that_is_asked_for() -> None:
    planned = plan(there(CP), endpoint="10.42.0.99", allow_vip_change=True)
    (step,) = planned.steps
    assert (step.method, step.says) == ("PUT", "set vip of the cluster store-042")
    assert step.body["clusterConfig"]["controlPlaneEndpoint"] == {"host": "10.42.0.99", "type": "VIP"}
    assert (planned.before["vip"], planned.after["vip"]) == ("10.42.0.10", "10.42.0.99")
    assert not plan(there(CP), endpoint="10.42.0.10", allow_vip_change=True).changed


def test_a_pending_repave_takes_no_change() -> None:
    have = there(status={"repave": {"state": "Pending"}})
    with pytest.raises(ConflictError, match="waits for the approval of a repave"):
        plan(have, description="new")
    assert not plan(have).changed
    assert plan(there(status={"repave": {"state": "Approved"}}), description="new").changed


def test_a_cluster_that_is_being_deleted_is_not_formed_again() -> None:
    with pytest.raises(ConflictError, match="is being deleted: wait until it is gone"):
        plan(there(state="Deleting"))


def test_a_cluster_whose_cloud_config_is_not_made_yet_is_left_alone() -> None:
    planned = plan(
        clusters.Current(cluster(state="Pending")),
        node_pools=[wanted_pool("cp", "a")],
        ntp_servers=["x"],
        endpoint="10.42.0.10",
    )
    assert writes(planned) == []
    assert "cloud config of the cluster store-042 yet" in planned.warnings[0]


# -- node pools ----------------------------------------------------------------------------------------------------

CP = pool("cp", member("a"), member("b"), member("c"), control_plane=True)
WORKERS = pool(
    "workers",
    member("w1", "10.42.0.21"),
    member("w2", "10.42.0.22"),
    additionalLabels={"zone": "x"},
    taints=[{"key": "k", "value": "v", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00.000Z"}],
    updateStrategy={"type": "RollingUpdateScaleOut", "maxSurge": "1"},
    overrideHealthCheckConfiguration="of: a later Palette",
)
MACHINES = {"workers": [machine("w1"), machine("w2")], "cp": [machine(uid) for uid in "abc"]}


def pool_plan(*wanted: DesiredPool, purge: bool = False) -> Plan:
    return plan(there(CP, WORKERS, machines=MACHINES), node_pools=wanted, purge_node_pools=purge)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"additional_labels": {"zone": "x"}},
        {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
        {"update_strategy": {"type": "RollingUpdateScaleOut"}},
        {"architecture": "amd64"},
        {"skip_kubernetes_upgrade": False},
        {"node_repave_interval": 0, "additional_annotations": {}, "override_kubeadm_configuration": ""},
    ],
)
def test_a_pool_as_it_is(options: dict[str, Any]) -> None:
    assert not pool_plan(wanted_pool("workers", "w2", "w1", **options)).changed
    assert not pool_plan(wanted_pool("workers", host_options("w1", "10.42.0.21/24"), "w2", **options)).changed


def test_a_pool_is_added() -> None:
    planned = pool_plan(wanted_pool("more", "m"))
    body = {
        "cloudConfig": {"edgeHosts": [{"hostUid": "m"}]},
        "poolConfig": {"name": "more", "size": 1, "labels": ["worker"], "isControlPlane": False},
    }
    assert writes(planned) == [("POST", POOLS, body)]


def test_a_pool_grows_and_keeps_what_it_has() -> None:
    planned = pool_plan(wanted_pool("workers", "w1", "w2", host_options("w3", "10.42.0.23/24", name="n3")))
    ((verb, path, body),) = writes(planned)
    assert (verb, path) == ("PUT", f"{POOLS}/workers")
    assert body["poolConfig"] == {
        "name": "workers",
        "size": 3,
        "labels": ["worker"],
        "isControlPlane": False,
        "machinePoolProperties": {"archType": "amd64"},
        "additionalLabels": {"zone": "x"},
        "taints": WORKERS["taints"],
        "updateStrategy": WORKERS["updateStrategy"],
        "overrideHealthCheckConfiguration": "of: a later Palette",
    }
    hosts = body["cloudConfig"]["edgeHosts"]
    assert hosts[0] == {"hostUid": "w1", "hostName": "w1", "nic": WORKERS["hosts"][0]["nic"]}
    assert hosts[2] == {
        "hostUid": "w3",
        "hostName": "n3",
        "nic": {"ip": "10.42.0.23", "subnet": "255.255.255.0", "gateway": "10.42.0.1"},
    }
    assert planned.after["node_pools"] == {"workers": {"hosts": ["n3", "w1", "w2"]}}


def test_a_pool_shrinks_by_its_machines_first() -> None:
    planned = pool_plan(wanted_pool("workers", "w2"))
    assert [(step.method, step.path) for step in planned.steps] == [
        ("DELETE", f"{POOLS}/workers/machines/machine-w1"),
        ("PUT", f"{POOLS}/workers"),
    ]
    assert planned.steps[0].gone_is_done
    assert [one["hostUid"] for one in planned.steps[1].body["cloudConfig"]["edgeHosts"]] == ["w2"]
    assert planned.steps[1].body["poolConfig"]["size"] == 1


def test_a_host_is_exchanged() -> None:
    planned = pool_plan(wanted_pool("workers", "w1", "new"))
    assert [step.method for step in planned.steps] == ["PUT", "DELETE", "PUT"]
    assert [one["hostUid"] for one in planned.steps[0].body["cloudConfig"]["edgeHosts"]] == ["w1", "new", "w2"]
    assert planned.steps[1].path.endswith("machine-w2")
    assert [one["hostUid"] for one in planned.steps[2].body["cloudConfig"]["edgeHosts"]] == ["w1", "new"]


@pytest.mark.parametrize(
    ("options", "wire"),
    [
        ({"additional_labels": {"zone": "y", "n": 2}}, {"additionalLabels": {"zone": "y", "n": "2"}}),
        ({"additional_labels": {}}, {"additionalLabels": {}}),
        ({"additional_annotations": {"flag": True}}, {"additionalAnnotations": {"flag": "true"}}),
        ({"taints": []}, {"taints": []}),
        (
            {"taints": [{"key": "k2", "value": None, "effect": "NoExecute"}]},
            {"taints": [{"key": "k2", "value": "", "effect": "NoExecute"}]},
        ),
        (
            {"update_strategy": {"type": "RollingUpdateScaleIn", "max_surge": None, "max_unavailable": None}},
            {"updateStrategy": {"type": "RollingUpdateScaleIn"}},
        ),
        (
            {"update_strategy": {"type": "OverrideScaling", "max_surge": "1", "max_unavailable": "25%"}},
            {"updateStrategy": {"type": "OverrideScaling", "maxSurge": "1", "maxUnavailable": "25%"}},
        ),
        ({"node_repave_interval": 300}, {"nodeRepaveInterval": 300}),
        ({"skip_kubernetes_upgrade": True}, {"skipK8sUpgrade": "enabled"}),
        ({"override_kubeadm_configuration": "a: 1"}, {"overrideKubeadmConfiguration": "a: 1"}),
    ],
)
def test_settings_of_a_pool(options: dict[str, Any], wire: dict[str, Any]) -> None:
    planned = pool_plan(wanted_pool("workers", "w1", "w2", **options))
    ((verb, dummy, body),) = writes(planned)
    assert verb == "PUT"
    assert {key: body["poolConfig"][key] for key in wire} == wire
    assert len(body["cloudConfig"]["edgeHosts"]) == 2
    assert set(planned.after["node_pools"]["workers"]) == set(wire)


def test_control_plane_as_worker() -> None:
    planned = pool_plan(wanted_pool("cp", "a", "b", "c", control_plane_as_worker=True))
    assert planned.steps[0].body["poolConfig"]["useControlPlaneAsWorker"] is True


def test_pools_that_are_not_given_stay_unless_purged() -> None:
    assert not pool_plan(wanted_pool("cp", "a", "b", "c")).changed
    planned = pool_plan(wanted_pool("cp", "a", "b", "c"), purge=True)
    assert [(step.method, step.path) for step in planned.steps] == [
        ("DELETE", f"{POOLS}/workers/machines/machine-w1"),
        ("DELETE", f"{POOLS}/workers/machines/machine-w2"),
        ("DELETE", f"{POOLS}/workers"),
    ]


def test_the_control_plane_is_not_purged() -> None:
    with pytest.raises(ConflictError, match="node_pools: cp is the control plane and cannot be removed"):
        pool_plan(wanted_pool("workers", "w1", "w2"), purge=True)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (wanted_pool("workers", "w1", "w2", control_plane=True), "workers cannot turn from or into a control plane"),
        (wanted_pool("workers", "w1", "w2", architecture="arm64"), "the architecture of workers is amd64"),
        (
            wanted_pool("workers", host_options("w1", "10.42.0.99/24"), "w2"),
            "Edge host w1 is a member of workers with the address 10.42.0.21 (wanted 10.42.0.99), which is fixed",
        ),
    ],
)
def test_what_is_fixed_of_a_pool(wanted: DesiredPool, text: str) -> None:
    with pytest.raises(ConflictError) as caught:
        pool_plan(wanted)
    assert f"node_pools: {text}" in str(caught.value)


# -- attached profiles ---------------------------------------------------------------------------------------------

NEW = Attachment(name="edge-store", version="2.0.0", uid="uid-2", variables={"who": "you"})
ADDON = Attachment(name="monitoring", version="1.0.0", uid="uid-addon", type="add-on")


def sent_profiles(planned: Plan) -> list[Any]:
    (step,) = [step for step in planned.steps if step.method == "PATCH" and step.path == f"{AT}/profiles"]
    assert step.params == {"resolveNotification": "true"}
    assert step.body["spcApplySettings"] == {"actionType": "DownloadAndInstall"}
    return list(step.body["profiles"])


def test_another_version_replaces_the_attached_one() -> None:
    planned = plan(there(), profiles=[NEW])
    body = {"uid": "uid-2", "variables": [{"name": "who", "value": "you"}], "replaceWithProfile": PROFILE}
    assert sent_profiles(planned) == [body]
    assert [step.method for step in planned.steps] == ["PATCH"]
    assert planned.before["profiles"] == {"edge-store": {"version": "1.0.0"}}


def test_another_infrastructure_profile_replaces_the_attached_one() -> None:
    other = Attachment(name="other-store", version="1.0.0", uid="uid-other")
    assert sent_profiles(plan(there(), profiles=[other])) == [{"uid": "uid-other", "replaceWithProfile": PROFILE}]


def test_an_add_on_is_attached_beside() -> None:
    assert sent_profiles(plan(there(), profiles=[STORE, ADDON])) == [{"uid": "uid-addon"}]


def test_profiles_that_are_not_given_stay_unless_purged() -> None:
    have = there(profiles=[attached(), attached("monitoring", uid="uid-addon", type="add-on")])
    assert not plan(have, profiles=[STORE]).changed
    planned = plan(have, profiles=[NEW], purge_profiles=True)
    assert next((step.method, step.body) for step in planned.steps) == ("DELETE", {"profileUids": ["uid-addon"]})
    assert [step.method for step in planned.steps] == ["DELETE", "PATCH"]  # never the replaced one


def test_values_of_a_layer() -> None:
    same = Attachment(name="edge-store", version="1.0.0", uid=PROFILE, pack_values={"k8s": "\na: 1\n"})
    assert not plan(there(), profiles=[same]).changed
    other = Attachment(name="edge-store", version="1.0.0", uid=PROFILE, pack_values={"k8s": "a: 2"})
    planned = plan(there(), profiles=[other])
    assert sent_profiles(planned) == [{"uid": PROFILE, "packValues": [{"name": "k8s", "values": "a: 2"}]}]
    assert planned.before["profiles"]["edge-store"] == {"version": "1.0.0", "values of k8s": ["a: 1"]}


def with_variables(**values: str) -> Attachment:
    return Attachment(name="edge-store", version="1.0.0", uid=PROFILE, variables=values)


KNOWN = {
    PROFILE: {
        "who": {"name": "who", "value": "world"},
        "secret": {"name": "secret", "value": "****", "isSensitive": True},
    }
}


def test_variables() -> None:
    have = there(variables=KNOWN)
    assert not plan(have, profiles=[with_variables(who="world", secret="canary-value")]).changed
    planned = plan(have, profiles=[with_variables(who="you", secret="canary-value")])
    body = [{"profileUid": PROFILE, "variables": [{"name": "who", "value": "you"}]}]
    assert writes(planned) == [("PATCH", f"{AT}/variables", body)]
    assert "canary" not in repr([planned.before, planned.after])


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(palette: PaletteServer) -> Session:
    return Session(Connection(host=palette.host, api_key=palette.key))


def test_find_by_name_among_those_not_deleted(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        cluster_search(cluster_row("store-0421"), cluster_row(state="Deleted", uid="old"), cluster_row(uid="new"))
    )
    assert clusters.find(session, SCOPE, "store-042") == "new"
    filters = palette.requests[0].body["filter"]["filterGroups"][0]["filters"]
    assert filters[0]["property"] == "clusterName"
    assert filters[1] == {"property": "isDeleted", "type": "bool", "condition": {"bool": {"value": False}}}


def test_two_clusters_of_one_name(palette: PaletteServer, session: Session) -> None:
    palette.expect(cluster_search(cluster_row(uid="b"), cluster_row(uid="a")))
    with pytest.raises(InputError, match=r"name: 2 clusters are named 'store-042' \(a, b\)"):
        clusters.find(session, SCOPE, "store-042")


def test_read_everything(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        cluster_search(cluster_row()),
        Call("GET", AT, cluster()),
        Call("GET", f"/v1/cloudconfigs/edge-native/{CONFIG}", config(CP)),
        Call("GET", f"{AT}/variables", [{"profileUid": PROFILE, "variables": list(KNOWN[PROFILE].values())}]),
        Call("GET", f"{POOLS}/cp/machines", {"items": MACHINES["cp"]}),
    )
    current = clusters.read(session, SCOPE, "store-042", variables=True, machines=True)
    assert current.variables == KNOWN
    assert current.machines == {"cp": MACHINES["cp"]}
    seen = clusters.describe(current)
    assert (seen["uid"], seen["endpoint"]) == (CLUSTER, "10.42.0.10")
    assert seen["profiles"] == [{"name": "edge-store", "version": "1.0.0", "uid": PROFILE}]
    assert seen["node_pools"][0]["size"] == 3


@pytest.mark.parametrize(
    "last", [Call("GET", AT, cluster(state="Deleted")), Call("GET", AT, error("ResourceNotFound"), 404)]
)
def test_a_deleted_cluster_keeps_answering_and_is_absent(palette: PaletteServer, session: Session, last: Call) -> None:
    palette.expect(cluster_search(cluster_row()), Call(last.method, last.path, last.reply, last.status))
    assert clusters.read(session, SCOPE, "store-042", variables=True, machines=True) == clusters.Current()


def test_a_cluster_without_a_cloud_config_yet(palette: PaletteServer, session: Session) -> None:
    fresh = cluster(state="Pending")
    del fresh["spec"]["cloudConfigRef"], fresh["status"]
    palette.expect(cluster_search(cluster_row()), Call("GET", AT, fresh))
    current = clusters.read(session, SCOPE, "store-042", machines=True)
    assert current.config == {}
    assert clusters.describe(current)["node_pools"] == []
    assert progress(current, {}) == (False, "no state yet, 0 of 0 machines running")


# -- progress ------------------------------------------------------------------------------------------------------


def ready(name: str, status: str = "True", kind: str = "Ready") -> dict[str, Any]:
    return {"name": name, "condition": {"type": kind, "status": status}}


def test_running() -> None:
    have = there(CP, status={"packs": [ready("k8s")]})
    assert progress(have, MACHINES | {"workers": []}) == (
        True,
        "Running, 3 of 3 machines running, 1 of 1 packs ready",
    )


@pytest.mark.parametrize(
    ("status", "machines", "words"),
    [
        (
            {"state": "Provisioning"},
            {"cp": [machine("a"), machine("b"), machine("c")]},
            "Provisioning, 3 of 3 machines running",
        ),
        ({}, {"cp": [machine("a"), machine("b", "Pending"), machine("c")]}, "Running, 2 of 3 machines running"),
        ({}, {"cp": [machine("a")]}, "Running, 1 of 3 machines running"),
        (
            {"packs": [ready("os"), ready("k8s", "False"), ready("cni", kind="Installed")]},
            MACHINES | {"workers": []},
            "Running, 3 of 3 machines running, 1 of 3 packs ready (waiting for k8s, cni)",
        ),
        (
            {"state": "Pending", "conditions": [{"type": "VIP", "status": "False", "message": "in use"}]},
            {},
            "Pending, 0 of 3 machines running; VIP: in use",
        ),
    ],
)
def test_not_running_yet(status: dict[str, Any], machines: Any, words: str) -> None:
    assert progress(there(CP, status=status), machines) == (False, words)


def test_a_machine_that_leaves_is_waited_for() -> None:
    done, words = progress(there(pool("cp", member("a"), control_plane=True)), {"cp": [machine("a"), machine("b")]})
    assert (done, words) == (False, "Running, 2 of 1 machines running")


def test_a_state_that_does_not_go_on() -> None:
    with pytest.raises(TerminalStateError, match="The cluster store-042 does not go on by itself: Error, 0 of 1"):
        progress(there(state="Error"), {})
    assert progress(clusters.Current(), {}) == (False, "not there yet")
