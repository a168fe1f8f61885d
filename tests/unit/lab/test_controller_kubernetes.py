# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's controller where others form the clusters: what they are told, and what their reports make of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.unit.lab_controller import World
from lab.controller import catalogue

PATH = "/v1/spectroclusters"
HOSTS = ("edge-1", "edge-2", "edge-3")
OFFERED = {"edge-k8s": ("1.20.2", "1.20.3")}
HELLO = ("hello-edge", "1.0.0", "addon")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A controller of a lab that can form Kubernetes, with three hosts that are ready and healthy."""
    world = World(tmp_path, form_seconds=4.0, kubernetes=OFFERED)
    world.hosts(*HOSTS)
    return world


def _profile(world: World, name: str = "edge", version: str = "1.20.2", **more: Any) -> str:
    layers = [world.pack(*HELLO), world.pack("cni-lab-routes", "1.0.0", "cni"), world.pack("edge-k8s", version)]
    return world.profile(name, version, packs=more.pop("packs", layers), **more)


def _created(world: World, *hosts: str, profile: str = "", name: str = "store-042") -> str:
    return world.create_cluster(*(hosts or HOSTS), name=name, profile=profile or _profile(world))


def _wanted(world: World) -> dict[str, Any]:
    (one,) = world.wanted()
    return one


def _machines(world: World, cluster: str, pool: str = "plane") -> dict[str, str]:
    path = f"/v1/cloudconfigs/edge-native/{world.config(cluster)}/machinePools/{pool}/machines"
    return {one["spec"]["edgeHostUid"]: one["status"]["instanceState"] for one in world.ok("GET", path)["items"]}


def _packs(world: World, cluster: str) -> dict[str, tuple[str, str]]:
    listed = world.cluster(cluster)["status"]["packs"]
    return {one["name"]: (one["condition"]["type"], one["condition"]["status"]) for one in listed}


def _workers(world: World, cluster: str, *hosts: str, method: str = "PUT") -> None:
    path = f"/v1/cloudconfigs/edge-native/{world.config(cluster)}/machinePools"
    world.ok(method, path if method == "POST" else f"{path}/w", world.pool(*hosts, name="w", worker=True))


# -- what is wanted


def test_the_catalogue_is_what_this_lab_can_deploy(world: World, tmp_path: Path) -> None:
    found = world.ok("POST", "/v1/packs/search", {})["items"]
    names = [one["spec"]["name"] for one in found]
    assert names == ["edge-native-byoi", "edge-k8s", "cni-lab-routes", "hello-edge"]
    registry = found[0]["spec"]["registries"][0]["uid"]
    entry = world.ok("GET", f"/v1/packs/edge-k8s/registries/{registry}")
    assert [one["version"] for one in entry["tags"]] == ["1.20.2", "1.20.3"]
    values = world.ok("GET", f"/v1/packs/edge-native-byoi/registries/{registry}")["packValues"][0]["values"]
    assert "  drainPods: auto\n  drain:\n    cordon: true\n    timeout: 120\n" in values
    other = world.pack("cni-calico", "3.27.2", "cni")
    template = {"type": "cluster", "cloudType": "edge-native", "packs": [other]}
    body = {"metadata": {"name": "x"}, "spec": {"version": "1.0.0", "template": template}}
    world.refused(404, "ResourceNotFound", "POST", "/v1/clusterprofiles", body)
    plain = World(tmp_path / "states")
    listed = {one["spec"]["name"] for one in plain.ok("POST", "/v1/packs/search", {})["items"]}
    assert listed == {name for packs in catalogue.shelves({}).values() for name in packs}


@pytest.mark.parametrize("text", ["", "edge-k8s", "edge-k8s=", "cni-calico=1.0.0", "=1"])
def test_what_the_command_line_does_not_understand(text: str) -> None:
    with pytest.raises(ValueError, match="is not PACK=VERSION,VERSION"):
        catalogue.parse(text)


def test_what_the_command_line_understands() -> None:
    assert catalogue.parse("edge-k8s=v1.20.2,1.20.3") == OFFERED


def test_the_key_of_the_lab_opens_it_and_no_other(world: World) -> None:
    assert world.call("GET", "/lab/v1/clusters").status_code == 401
    assert world.send("PUT", "/lab/v1/clusters/x", {"formedBy": "states"}, {"LabKey": "wrong"}).status_code == 401
    assert world.own("PUT", "clusters/none", {"formedBy": "states"}).status_code == 404
    uid = _created(world)
    assert world.own("PUT", f"clusters/{uid}", {"formedBy": "magic"}).status_code == 400
    assert world.own("PUT", f"clusters/{uid}", {}).status_code == 400


def test_a_cluster_is_told_whole(world: World) -> None:
    profile = _profile(world)
    taints = [{"key": "a", "effect": "NoSchedule"}]
    body = world.definition(profile, world.pool("edge-1", useControlPlaneAsWorker=True))
    workers = world.pool("edge-2", name="w", worker=True, taints=taints, additionalLabels={"role": "x"})
    workers["cloudConfig"]["edgeHosts"][0]["hostName"] = "w-1"
    workers["poolConfig"]["additionalAnnotations"] = {"note": "y"}
    body["spec"]["machinepoolconfig"].append(workers)
    uid = world.ok("POST", f"{PATH}/edge-native", body)["uid"]
    wanted = _wanted(world)
    assert wanted | {"layers": []} == {
        "uid": uid,
        "name": "store-042",
        "revision": 1,
        "deleting": False,
        "force": False,
        "network": body["spec"]["cloudConfig"],
        "pools": [
            {
                "name": "plane",
                "controlPlane": True,
                "asWorker": True,
                "labels": {},
                "annotations": {},
                "taints": [],
                "hosts": [{"uid": "edge-1"}],
            },
            {
                "name": "w",
                "controlPlane": False,
                "asWorker": False,
                "labels": {"role": "x"},
                "annotations": {"note": "y"},
                "taints": [{"key": "a", "value": "", "effect": "NoSchedule"}],
                "hosts": [{"uid": "edge-2", "nodeName": "w-1"}],
            },
        ],
        "leaving": [],
        "layers": [],
    }
    assert _wanted(world)["revision"] == 1


def test_layers_come_in_their_order(world: World) -> None:
    addons = [world.pack("last", "", "addon", type="manifest"), world.pack(*HELLO)]
    base = [
        world.pack("cni-lab-routes", "1.0.0", "cni"),
        world.pack("edge-k8s", "1.20.2"),
        world.pack("own", "", "csi"),
    ]
    base[2]["type"] = "manifest"
    system = world.profile("system", packs=[*base, world.pack("edge-native-byoi", "2.1.0", "os")])
    extra = world.profile("extra", packs=addons, type="add-on")
    body = world.definition(extra, world.pool("edge-1"))
    body["spec"]["profiles"].append({"uid": system, "packValues": [{"name": "edge-k8s", "values": "over: ridden"}]})
    world.ok("POST", f"{PATH}/edge-native", body)
    layers = _wanted(world)["layers"]
    assert [one["name"] for one in layers] == [
        "edge-native-byoi",
        "edge-k8s",
        "cni-lab-routes",
        "own",
        "last",
        "hello-edge",
    ]
    assert {one["profile"] for one in layers[:4]} == {"system"}
    assert (layers[1]["values"], layers[1]["version"], layers[1]["layer"]) == ("over: ridden", "1.20.2", "k8s")


def test_macros_are_filled_in(world: World) -> None:
    variables = [{"name": "who", "defaultValue": "world"}, {"name": "key", "defaultValue": "s", "isSensitive": True}]
    text = (
        "{{.spectro.var.who}} {{ .spectro.var.key }} {{.spectro.system.cluster.name}} "
        "{{.spectro.system.kubernetes.version}} {{ .spectro.pack.edge-k8s.a.port }} {{.spectro.pack.edge-k8s.b}} "
        "{{.spectro.system.user.name}} {{ .Values.x }}"
    )
    content = "kind: ConfigMap\nwho: '{{ .spectro.var.who }}'"
    packs = [
        world.pack(*HELLO, values=text),
        world.pack("edge-k8s", "1.20.2", values="a:\n  port: 6443\n  on: true"),
        world.pack("note", "", "addon", type="manifest", manifests=[{"name": "cm", "content": content}]),
    ]
    body = world.definition(_profile(world, packs=packs, variables=variables), world.pool("edge-1"))
    body["spec"]["profiles"][0]["variables"] = [{"name": "key", "value": "hush"}]
    uid = world.ok("POST", f"{PATH}/edge-native", body)["uid"]
    layers = {one["name"]: one for one in _wanted(world)["layers"]}
    unknown = "{{.spectro.pack.edge-k8s.b}} {{.spectro.system.user.name}} {{ .Values.x }}"
    assert layers["hello-edge"]["values"] == f"world hush store-042 1.20.2 6443 {unknown}"
    assert layers["note"]["manifests"][0]["content"] == "kind: ConfigMap\nwho: 'world'"
    profile = layers["note"]["profileUid"]
    path = f"{PATH}/{uid}/variables"
    world.ok("PATCH", path, [{"profileUid": profile, "variables": [{"name": "who", "value": "moin"}]}])
    wanted = _wanted(world)
    assert wanted["revision"] == 2
    assert wanted["layers"][-1]["manifests"][0]["content"].endswith("who: 'moin'")


def test_a_cluster_keeps_the_manifests_that_were_published(world: World) -> None:
    note = world.pack("note", "", "addon", type="manifest", manifests=[{"name": "cm", "content": "old"}])
    profile = _profile(world, packs=[world.pack("edge-k8s", "1.20.2"), note])
    _created(world, "edge-1", profile=profile)
    (kept,) = _wanted(world)["layers"][1]["manifests"]
    changed = {**note, "manifests": [{"name": "cm", "content": "draft", "uid": kept["uid"]}]}
    template = {"packs": [world.pack("edge-k8s", "1.20.2"), changed]}
    world.ok("PUT", f"/v1/clusterprofiles/{profile}", {"spec": {"version": "1.20.2", "template": template}})
    assert _wanted(world)["layers"][1]["manifests"] == [kept]
    assert kept["content"] == "old"
    # A draft is nobody's yet, not even of a cluster that takes the profile now.
    _created(world, "edge-2", profile=profile, name="second")
    assert world.wanted()[1]["layers"][1]["manifests"] == [kept]


def test_every_change_of_what_is_wanted_raises_the_revision(world: World) -> None:
    uid = _created(world, "edge-1")
    seen = [_wanted(world)["revision"]]

    def raised() -> bool:
        seen.append(_wanted(world)["revision"])
        return seen[-1] == seen[-2] + 1

    world.ok(
        "PUT",
        f"/v1/cloudconfigs/edge-native/{world.config(uid)}/clusterConfig",
        {"clusterConfig": {"controlPlaneEndpoint": {"host": "10.42.0.10", "type": "VIP"}, "sshKeys": ["new"]}},
    )
    assert raised()
    assert _wanted(world)["network"]["sshKeys"] == ["new"]
    _workers(world, uid, "edge-2", method="POST")
    assert raised()
    profile = _wanted(world)["layers"][0]["profileUid"]
    body = {"profiles": [{"uid": profile, "packValues": [{"name": "hello-edge", "values": "b: 2"}]}]}
    world.ok("PATCH", f"{PATH}/{uid}/profiles", body)
    assert raised()
    world.ok("PATCH", f"{PATH}/{uid}/metadata", {"metadata": {"labels": {"a": "b"}}})
    assert not raised()
    world.form(uid)
    assert _wanted(world)["revision"] == seen[-1]
    world.ok("DELETE", f"{PATH}/{uid}")
    assert _wanted(world)["revision"] == seen[-1] + 1
    assert _wanted(world)["deleting"] is True


# -- what is reported


def test_a_cluster_waits_for_the_first_report_however_long(world: World) -> None:
    uid = _created(world)
    world.later(30, beats=HOSTS)
    assert "status" not in world.cluster(uid)
    assert set(_machines(world, uid).values()) == {"Pending"}
    report = {"formedBy": "kubernetes", "state": "Provisioning", "machines": {"edge-1": {"state": "Provisioning"}}}
    world.told(uid, report)
    assert world.state(uid) == "Provisioning"
    assert _machines(world, uid) == {"edge-1": "Provisioning", "edge-2": "Pending", "edge-3": "Pending"}
    assert set(_packs(world, uid).values()) == {("WaitingForOtherLayers", "False")}


def test_a_cluster_is_shown_as_it_is_reported(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    status = world.cluster(uid)["status"]
    assert status["state"] == "Running"
    assert [one["type"] for one in status["conditions"]] == ["NodesReady"]
    assert {(one["name"], one.get("version")) for one in status["packs"]} == {
        ("edge-k8s", "1.20.2"),
        ("cni-lab-routes", "1.0.0"),
        ("hello-edge", "1.0.0"),
    }
    assert set(_packs(world, uid).values()) == {("Ready", "True")}
    assert _machines(world, uid) == dict.fromkeys(HOSTS, "Running")
    config = world.ok("GET", f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools/plane/machines")
    assert config["items"][0]["status"]["health"]["conditions"][0]["type"] == "Ready"
    shown = world.ok("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")["status"]
    assert shown["health"] == {"state": "Healthy"}
    kube = {"hasKubeConfig": True, "hasKubeConfigClient": True, "hasManifest": False, "kubernetesVersion": "1.20.2"}
    assert shown["kubeMeta"] == kube
    world.form(uid, health="UnHealthy", state="Error")
    assert world.state(uid) == "Error"
    assert world.ok("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")["status"]["health"]["state"] == "UnHealthy"


def test_time_and_silent_hosts_change_nothing(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    before = world.cluster(uid)["status"]
    world.later(30)
    assert world.cluster(uid)["status"] == before


def test_a_restarted_controller_knows_it_all(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    before = world.cluster(uid)
    again = world.again()
    assert again.cluster(uid) == before
    assert [one["uid"] for one in again.wanted()] == [uid]
    assert again.call("GET", f"{PATH}/{uid}/assets/adminKubeconfig").text.endswith("canary-admin")


def test_the_same_report_again_writes_nothing(world: World) -> None:
    uid = _created(world)
    report = world.seen(_wanted(world))
    world.told(uid, report)
    revisions = {kind: world.lab.store.revision(kind) for kind in ("cluster", "config", "host")}
    world.told(uid, report)
    _wanted(world)
    assert revisions == {kind: world.lab.store.revision(kind) for kind in revisions}


def test_reports_push_no_request_out_of_the_log_and_leave_no_secret_in_it(world: World) -> None:
    uid = _created(world)
    for number in range(20):
        world.form(uid, kubernetesVersion=str(number))
    listed = world.own("GET", "requests").json()["items"]
    keepers = [one for one in listed if one["path"].startswith("/lab/v1/clusters")]
    assert len(keepers) == 40
    assert {one["source"] for one in keepers} == {"keeper"}
    assert "canary" not in str(listed)


def test_what_changed_is_not_ready_until_it_is_said_anew(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    old = _wanted(world)
    new = _profile(world, version="1.20.3")
    body = {"profiles": [{"uid": new, "replaceWithProfile": old["layers"][0]["profileUid"]}]}
    world.ok("PATCH", f"{PATH}/{uid}/profiles", body)
    waiting = ("WaitingForOtherLayers", "False")
    assert set(_packs(world, uid).values()) == {waiting}
    assert world.state(uid) == "Running"
    # Somebody who does not know of the change yet says nothing about it.
    world.told(uid, world.seen(old))
    assert set(_packs(world, uid).values()) == {waiting}
    world.form(uid)
    assert set(_packs(world, uid).values()) == {("Ready", "True")}
    versions = {one["name"]: one["version"] for one in world.cluster(uid)["status"]["packs"]}
    assert versions["edge-k8s"] == "1.20.3"


def test_only_the_pack_that_changed_waits(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    old = _wanted(world)
    attachment = {"uid": old["layers"][0]["profileUid"], "packValues": [{"name": "hello-edge", "values": "b: 2"}]}
    world.ok("PATCH", f"{PATH}/{uid}/profiles", {"profiles": [attachment]})
    world.told(uid, world.seen(old))
    ready, waiting = ("Ready", "True"), ("WaitingForOtherLayers", "False")
    assert _packs(world, uid) == {"edge-k8s": ready, "cni-lab-routes": ready, "hello-edge": waiting}


def test_a_fault_of_the_cluster_holds(world: World) -> None:
    world.fault("cluster-error", name="store-042")
    uid = _created(world)
    world.form(uid)
    assert world.state(uid) == "Error"
    assert world.ok("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")["status"]["health"]["state"] == "Unknown"
    world.clear_faults()
    world.later(1)
    assert world.state(uid) == "Running"
    # One that runs is not met by it, until it has something new to do.
    world.fault("cluster-error")
    world.later(1)
    assert world.state(uid) == "Running"
    attachment = {
        "uid": _wanted(world)["layers"][0]["profileUid"],
        "packValues": [{"name": "hello-edge", "values": "b"}],
    }
    world.ok("PATCH", f"{PATH}/{uid}/profiles", {"profiles": [attachment]})
    assert world.state(uid) == "Error"


# -- kubeconfig


def test_the_kubeconfig_is_given_as_a_file(world: World) -> None:
    uid = _created(world)
    names = ("kubeconfig", "kubeconfigclient", "adminKubeconfig")
    for name in names:
        world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}/assets/{name}")
    world.form(uid)
    got = {name: world.call("GET", f"{PATH}/{uid}/assets/{name}") for name in names}
    assert {reply.headers["content-type"] for reply in got.values()} == {"application/octet-stream"}
    assert got["adminKubeconfig"].headers["content-disposition"] == 'attachment; filename="store-042.kubeconfig"'
    assert {name: reply.text.rpartition("-")[2] for name, reply in got.items()} == {
        "kubeconfig": "proxy",
        "kubeconfigclient": "admin",
        "adminKubeconfig": "admin",
    }
    assert world.call("GET", f"{PATH}/{uid}/assets/kubeconfig", frp="false").text.endswith("admin")
    assert "canary" not in world.call("GET", f"{PATH}/{uid}").text
    assert "canary" not in world.own("GET", "clusters").text
    world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}/assets/kubeconfig", scope=world.projects["Lab B"])


# -- machines that go


def test_a_host_is_free_once_it_is_clean(world: World) -> None:
    uid = _created(world, "edge-1")
    _workers(world, uid, "edge-2", "edge-3", method="POST")
    world.form(uid)
    old = _wanted(world)
    _workers(world, uid, "edge-2")
    assert _machines(world, uid, "w") == {"edge-2": "Running", "edge-3": "Deleting"}
    wanted = _wanted(world)
    assert wanted["leaving"] == ["edge-3"]
    assert [host["uid"] for host in wanted["pools"][1]["hosts"]] == ["edge-2"]
    # One who does not know yet that it has to go cannot mean that it is gone.
    world.told(uid, world.seen(old, gone=["edge-3"]))
    assert _machines(world, uid, "w")["edge-3"] == "Deleting"
    world.form(uid)
    assert world.host("edge-3")["status"]["state"] == "in-use"
    world.form(uid, gone=["edge-3", "edge-1", "nobody"])
    assert _machines(world, uid, "w") == {"edge-2": "Running"}
    assert world.host("edge-3")["status"]["state"] == "ready"
    assert world.host("edge-1")["status"]["state"] == "in-use"
    assert _wanted(world)["leaving"] == []


def test_a_host_that_is_taken_again_leaves_first(world: World) -> None:
    uid = _created(world, "edge-1")
    _workers(world, uid, "edge-2", "edge-3", method="POST")
    world.form(uid)
    _workers(world, uid, "edge-2")
    _workers(world, uid, "edge-2", "edge-3")
    wanted = _wanted(world)
    assert wanted["leaving"] == ["edge-3"]
    assert [host["uid"] for host in wanted["pools"][1]["hosts"]] == ["edge-2"]
    world.form(uid, gone=["edge-3"])
    # The new machine is another one than that of which was said that it runs.
    assert _machines(world, uid, "w") == {"edge-2": "Running", "edge-3": "Pending"}
    assert world.host("edge-3")["status"]["state"] == "in-use"
    again = _wanted(world)
    assert again["revision"] == wanted["revision"] + 1
    assert [host["uid"] for host in again["pools"][1]["hosts"]] == ["edge-2", "edge-3"]
    world.form(uid)
    assert _machines(world, uid, "w") == {"edge-2": "Running", "edge-3": "Running"}


def test_a_machine_that_is_deleted_goes(world: World) -> None:
    uid = _created(world, "edge-1")
    _workers(world, uid, "edge-2", method="POST")
    world.form(uid)
    path = f"/v1/cloudconfigs/edge-native/{world.config(uid)}/machinePools/w/machines"
    machine = world.ok("GET", path)["items"][0]["metadata"]["uid"]
    world.ok("DELETE", f"{path}/{machine}")
    assert _wanted(world)["leaving"] == ["edge-2"]
    world.form(uid, gone=["edge-2"])
    assert _machines(world, uid, "w") == {}
    assert _wanted(world)["pools"][1]["hosts"] == []
    # It is still a host of the pool: only the next writing of the pool says what becomes of it.
    _workers(world, uid, "edge-2")
    assert [host["uid"] for host in _wanted(world)["pools"][1]["hosts"]] == ["edge-2"]


# -- the end


def test_a_cluster_is_deleted_once_it_is_said_to_be_gone(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    world.ok("DELETE", f"{PATH}/{uid}")
    world.later(30, beats=HOSTS)
    assert world.state(uid) == "Deleting"
    assert _wanted(world)["deleting"] is True
    report = {"formedBy": "kubernetes", "revision": _wanted(world)["revision"], "state": "Deleting"}
    world.told(uid, report)
    assert world.state(uid) == "Deleting"
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"in-use"}
    world.told(uid, {**report, "state": "Deleted"})
    assert world.state(uid) == "Deleted"
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"ready"}
    assert world.wanted() == []
    world.refused(404, "ResourceNotFound", "GET", f"{PATH}/{uid}/assets/adminKubeconfig")
    # What comes late changes nothing.
    world.told(uid, {**report, "state": "Running"})
    assert world.state(uid) == "Deleted"
    assert world.lab.store.setting("moving") == []


@pytest.mark.parametrize("reported", [True, False])
def test_a_cluster_that_does_not_go_is_forced(world: World, reported: bool) -> None:
    uid = _created(world)
    if reported:
        world.form(uid)
    world.ok("DELETE", f"{PATH}/{uid}")
    assert world.state(uid) == "Deleting"
    world.ok("DELETE", f"{PATH}/{uid}")
    assert world.state(uid) == "Deleting"
    world.ok("DELETE", f"{PATH}/{uid}", forceDelete="true")
    assert world.state(uid) == "Deleted"
    assert {world.host(one)["status"]["state"] for one in HOSTS} == {"ready"}
    assert world.wanted() == []


def test_force_on_a_cluster_that_runs_only_begins_the_end(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    world.ok("DELETE", f"{PATH}/{uid}", forceDelete="true")
    assert world.state(uid) == "Deleting"
    assert _wanted(world)["force"] is True


# -- clusters of states


def test_hosts_that_only_speak_are_formed_by_time(world: World) -> None:
    uid = _created(world)
    world.later(10, beats=HOSTS)
    world.told(uid, {"formedBy": "states", "revision": 1})
    assert world.wanted() == []
    assert world.state(uid) == ""
    world.later(3, beats=HOSTS)
    assert world.state(uid) in ("Pending", "Provisioning")
    world.later(3, beats=HOSTS)
    assert world.state(uid) == "Running"
    world.told(uid, {"formedBy": "states", "revision": 1})
    refused = world.own("PUT", f"clusters/{uid}", {"formedBy": "kubernetes"})
    assert (refused.status_code, "is formed by states" in refused.text) == (409, True)


def test_a_cluster_that_others_form_is_not_handed_back(world: World) -> None:
    uid = _created(world)
    world.form(uid)
    assert world.own("PUT", f"clusters/{uid}", {"formedBy": "states"}).status_code == 409
    assert world.state(uid) == "Running"


def test_without_kubernetes_nothing_is_asked_of_others(tmp_path: Path) -> None:
    world = World(tmp_path, form_seconds=4.0)
    world.hosts(*HOSTS)
    uid = world.create_cluster(*HOSTS)
    assert world.wanted() == []
    again = world.again(form_seconds=4.0, kubernetes=OFFERED)
    assert again.wanted() == []
    again.later(8, beats=HOSTS)
    assert again.state(uid) == "Running"
