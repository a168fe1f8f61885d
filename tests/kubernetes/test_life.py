# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a site's cluster on real nodes: formed, scaled, replaced, broken, upgraded, deleted.

The tests of this file are one story on one lab, in the order in which they stand.
"""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.kubernetes.shop import KEY, NAME, VIP, Client, Shop
from ansible_collections.palette.edge.tests.lab.site_lab import until

pytestmark = pytest.mark.lab

BROKEN = """\
apiVersion: v1
kind: Service
metadata: {name: broken, namespace: default}
spec:
  ports: [{port: 99999, protocol: TCP}]
"""


def machines(shop: Shop) -> dict[str, str]:
    """The state of each machine of the cluster, by the number of its host."""
    uid = shop.cluster()["metadata"]["uid"]
    config = shop.lab.api("GET", f"/v1/spectroclusters/{uid}")["spec"]["cloudConfigRef"]["uid"]
    found = {}
    for pool in shop.lab.api("GET", f"/v1/cloudconfigs/edge-native/{config}")["spec"]["machinePoolConfig"]:
        path = f"/v1/cloudconfigs/edge-native/{config}/machinePools/{pool['name']}/machines"
        for machine in shop.lab.api("GET", path).get("items") or []:
            found[machine["metadata"]["name"].rpartition("-")[2]] = machine["status"]["instanceState"]
    return found


def status(shop: Shop) -> dict[str, Any]:
    """The status of the cluster as its overview shows it."""
    uid = shop.cluster()["metadata"]["uid"]
    return dict(shop.lab.api("GET", f"/v1/dashboard/spectroclusters/{uid}/overview")["status"])


def clean(shop: Shop, number: int) -> bool:
    """Whether nothing of a cluster is on the host."""
    left = shop.lab.ssh(
        f"10.42.0.1{number}",
        "ls -A /etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/cni/net.d /var/lib/containerd 2>/dev/null | grep -v : ;"
        "pgrep -l 'kube|etcd|containerd|keepalived'; ip -o addr | grep -v -e host0 -e ' lo ' ; true",
        check=False,
    )
    free = {one["metadata"]["uid"]: one["status"]["state"] for one in shop.lab.search("edgehosts")}
    return not left.strip() and free[f"edge-shop-{number}"] == "ready"


def test_a_cluster_of_real_nodes_is_formed(shop: Shop) -> None:
    run = shop.good(shop.apply(playbook="palette.edge.site"))
    shop.seconds["whole job"] = run.seconds
    said = shop.fetch_kubeconfig()
    assert "client-key-data" not in said
    assert stat.S_IMODE(shop.kubeconfig.stat().st_mode) == 0o600
    assert shop.nodes() == {"1": True, "2": True, "3": True, "4": True}
    assert shop.versions() == {"v1.20.2"}
    assert shop.etcd() == {"shop-1", "shop-2", "shop-3"}
    assert {one["condition"]["type"] for one in status(shop)["packs"]} == {"Ready"}
    assert status(shop)["health"]["state"] == "Healthy"
    assert set(machines(shop).values()) == {"Running"}


def test_nodes_bear_what_their_pool_says(shop: Shop) -> None:
    worker = shop.get("node", "shop-4")
    assert worker["metadata"]["labels"]["role"] == "checkout"
    assert {"key": "till", "value": "yes", "effect": "PreferNoSchedule"} in worker["spec"]["taints"]
    assert "node-role.kubernetes.io/worker" in worker["metadata"]["labels"]
    assert "node-role.kubernetes.io/control-plane" in shop.get("node", "shop-1")["metadata"]["labels"]
    # They work too, so nothing keeps pods away from them.
    assert not shop.get("node", "shop-1")["spec"].get("taints")


def test_hosts_have_the_keys_and_the_time_of_the_definition(shop: Shop) -> None:
    # The time service itself does not run in a container; what it is told does not depend on that.
    files = "/etc/ssh/authorized_keys.d/kairos /etc/systemd/timesyncd.conf.d/60-cluster.conf"
    said = shop.lab.ssh("10.42.0.14", f"cat {files}; sudo sshd -T | grep -i authorizedkeysfile")
    assert KEY in said
    assert "NTP=pool.ntp.org" in said
    assert "/etc/ssh/authorized_keys.d/%u" in said


def test_the_add_ons_are_there_and_answer_on_every_host_and_the_vip(shop: Shop) -> None:
    assert shop.get("configmap", "greeting")["data"] == {"text": "hello"}
    pods = shop.get("pods", "--namespace=hello-edge")["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    for address in [*(f"10.42.0.1{number}" for number in (1, 2, 3, 4)), VIP]:
        assert shop.fetch(address) == "hello"


def test_again_changes_nothing(shop: Shop) -> None:
    before = shop.kubectl("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}")
    run = shop.good(shop.apply(playbook="palette.edge.site"))
    assert set(run.changed.values()) == {0}, run.tell()
    assert shop.kubectl("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}") == before


def test_workers_are_added_and_removed(shop: Shop) -> None:
    shop.workers = [5]
    run = shop.good(shop.apply())
    shop.seconds["worker added, another removed"] = run.seconds
    assert shop.nodes() == {"1": True, "2": True, "3": True, "5": True}
    until(lambda: clean(shop, 4), 30, "shop-4 is clean")


def test_a_control_plane_is_replaced(shop: Shop) -> None:
    shop.planes = [1, 2, 4]
    refused = shop.apply()
    assert refused.code != 0
    assert "palette.edge.replace_host" in refused.failed[NAME], refused.tell()
    assert shop.etcd() == {"shop-1", "shop-2", "shop-3"}
    run = shop.good(shop.apply(playbook="palette.edge.replace_host"))
    shop.seconds["control plane replaced"] = run.seconds
    again = shop.good(shop.apply(playbook="palette.edge.replace_host"))
    assert set(again.changed.values()) == {0}, again.tell()
    assert shop.nodes() == {"1": True, "2": True, "4": True, "5": True}
    assert shop.etcd() == {"shop-1", "shop-2", "shop-4"}
    until(lambda: clean(shop, 3), 30, "shop-3 is clean")


def test_a_node_is_taken_out_of_service_and_back(shop: Shop) -> None:
    def schedulable(value: bool) -> None:
        options = {"cluster": NAME, "node": "edge-shop-5", "schedulable": value, "wait_timeout": 120, "wait_sleep": 1}
        shop.lab.ansible("ansible", "localhost", "-m", "palette.edge.cluster_node", "-a", json.dumps(options))

    schedulable(False)
    assert shop.get("node", "shop-5")["spec"]["unschedulable"] is True
    on_it = shop.get("pods", "--namespace=hello-edge", "--field-selector=spec.nodeName=shop-5")["items"]
    assert on_it == []
    schedulable(True)
    assert "unschedulable" not in shop.get("node", "shop-5")["spec"]


def test_a_worker_reboots(shop: Shop) -> None:
    before = shop.lab.hosts()["shop-5"]["boot_id"]
    shop.lab.command("fault", "host", "shop-5", "reboot")
    shop.timed("reboot of a worker", lambda: shop.lab.hosts()["shop-5"].get("boot_id") not in (None, before))
    until(lambda: shop.nodes()["5"], 60, "ready again")


def test_a_cut_cable_is_seen_and_mended(shop: Shop) -> None:
    shop.lab.command("fault", "host", "shop-5", "cut")
    shop.timed("cut until NotReady", lambda: not shop.nodes()["5"])
    until(lambda: status(shop)["health"]["state"] == "UnHealthy", 20, "Palette shows it")
    assert any("shop-5" in one.get("message", "") for one in status(shop)["conditions"])
    shop.lab.command("fault", "host", "shop-5", "restore")
    shop.timed("mended until Ready", lambda: shop.nodes()["5"])
    until(lambda: status(shop)["health"]["state"] == "Healthy", 20, "Palette shows it")


def test_a_control_plane_that_loses_its_power_is_done_without_and_comes_back(shop: Shop) -> None:
    shop.lab.command("fault", "host", "shop-1", "kill")
    shop.timed("API answers without the first control plane", shop.answers)
    assert shop.fetch(VIP) == "hello"
    shop.timed("its node is NotReady", lambda: not shop.nodes()["1"])
    shop.lab.command("fault", "host", "shop-1", "restore")
    shop.timed("powered on until Ready", lambda: shop.nodes()["1"])
    until(lambda: shop.etcd_whole("shop-1", "shop-2", "shop-4"), 60, "etcd is whole")


def test_a_host_that_was_reset_joins_again(shop: Shop) -> None:
    uid = shop.get("node", "shop-5")["metadata"]["uid"]
    shop.lab.command("fault", "host", "shop-5", "reset")

    def anew() -> bool:
        found = {item["metadata"]["name"]: item for item in shop.get("nodes")["items"]}
        return "shop-5" in found and found["shop-5"]["metadata"]["uid"] != uid and shop.nodes()["5"]

    shop.timed("reset until joined again", anew)
    until(lambda: shop.get("node", "shop-5")["metadata"]["labels"].get("role") == "checkout", 20, "its labels")


def test_a_manifest_that_the_api_server_refuses_is_told_in_its_words(shop: Shop) -> None:
    profile = {
        "name": "broken",
        "type": "add-on",
        "version": "1.0.0",
        "packs": [{"name": "broken", "type": "manifest", "manifests": [{"name": "broken", "content": BROKEN}]}],
    }
    shop.profiles = [{"name": "broken", "version": "1.0.0"}]
    shop.model(profile)
    run = shop.apply(cluster_wait_timeout=15)
    assert run.code != 0
    assert "Invalid value: 99999: must be between 1 and 65535" in run.failed[NAME], run.tell()
    pack = next(one for one in status(shop)["packs"] if one["name"] == "broken")
    assert (pack["condition"]["type"], pack["condition"]["status"]) == ("Error", "False")
    assert "must be between 1 and 65535" in pack["condition"]["message"]
    # What a site's file no longer names stays attached, unless it is said otherwise.
    shop.profiles = []
    shop.good(shop.apply(cluster_purge_profiles=True))
    assert "broken" not in {one["name"] for one in status(shop)["packs"]}


def test_an_upgrade_loses_no_request(shop: Shop) -> None:
    shop.version, shop.greeting = "1.1.0", "good day"
    shop.good(shop.apply(playbook="palette.edge.model"))
    asked = shop.apply(playbook="palette.edge.manage", manage_report_dir=str(shop.lab.folder / "report"))
    assert asked.code != 0
    assert "edge-k8s 1.20.2 is replaced by edge-k8s 1.20.3" in asked.failed[NAME], asked.tell()
    assert shop.versions() == {"v1.20.2"}
    approved = {"manage_approve_repave": True, "manage_report_dir": str(shop.lab.folder / "report")}
    with Client(shop.lab, [f"10.42.0.1{number}" for number in (1, 2, 4, 5)]) as client:
        run = shop.good(shop.apply(playbook="palette.edge.manage", **approved))
    shop.seconds["upgrade of four nodes"] = run.seconds
    assert shop.versions() == {"v1.20.3"}
    assert not any(item["spec"].get("unschedulable") for item in shop.get("nodes")["items"])
    assert shop.fetch(VIP) == "good day"
    assert client.lost == []
    assert client.answered > 200


def test_a_deleted_cluster_leaves_its_hosts_clean(shop: Shop) -> None:
    uid = shop.cluster()["metadata"]["uid"]
    shop.lab.api("DELETE", f"/v1/spectroclusters/{uid}")
    state = f"/v1/spectroclusters/{uid}/status"
    shop.timed("delete", lambda: shop.lab.api("GET", state)["status"]["state"] == "Deleted")
    for number in (1, 2, 4, 5):
        until(lambda number=number: clean(shop, number), 30, f"shop-{number} is clean")


def test_the_figures(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print()
        for name, seconds in shop.seconds.items():
            print(f"  {name}: {seconds:.1f} s")
    assert shop.seconds
