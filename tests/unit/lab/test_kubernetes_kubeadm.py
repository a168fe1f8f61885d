"""What is written to a host for kubeadm, and what is run on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.unit.lab_kubernetes import FakeHost, FakeKubectl, cluster, packs
from lab.hosts.enter import GuestError
from lab.kubernetes import kubeadm
from lab.kubernetes.desired import Desired, Member
from lab.kubernetes.kubeadm import Addresses, Cluster
from lab.kubernetes.proxy import proxied

CONFIG = "etc/lab-node/kubeadm.yaml"
TOKEN = "abcdef.0123456789abcdef"


@pytest.fixture
def hosts() -> dict[str, FakeHost]:
    """Hosts with one journal."""
    journal: list[str] = []
    images = "k8s.gcr.io/kube-proxy:v1.20.2\nk8s.gcr.io/pause:3.2\n"
    found = {uid: FakeHost(uid, journal) for uid in ("cp1", "cp2", "w1")}
    for host in found.values():
        host.says = {"kubeadm config images list": images, "openssl": "0123 -"}
    return found


def made(tmp_path: Path, desired: Desired, hosts: dict[str, Any], **addresses: str) -> Cluster:
    """The cluster, with releases that have no image of a DNS."""
    numbers = {one.uid: number for number, one in enumerate(desired.members)}
    where = Addresses(desired.vip or "10.0.0.11", **addresses)
    return Cluster(desired, tmp_path, tmp_path / "releases", where, numbers, hosts)


def _documents(host: FakeHost) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in yaml.safe_load_all(host.files[CONFIG])}


def _started(hosts: dict[str, FakeHost], start: str) -> list[str]:
    return [words for words in hosts["cp1"].journal if words.startswith(start)]


def _configured(text: str) -> Desired:
    return cluster("cp1", layers=packs(kubernetes=yaml.safe_dump({"cluster": {"config": text}})))


# -- the first host


@pytest.mark.parametrize(("version", "api"), [("1.20.2", "v1beta2"), ("1.22.0", "v1beta3"), ("1.31.4", "v1beta3")])
def test_the_documents_have_the_version_that_this_kubeadm_reads(
    tmp_path: Path, hosts: dict[str, FakeHost], version: str, api: str
) -> None:
    desired = cluster("cp1", version=version)
    kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0], version)
    found = _documents(hosts["cp1"])
    assert set(found) == {"InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"}
    assert found["InitConfiguration"]["apiVersion"] == f"kubeadm.k8s.io/{api}"
    assert found["ClusterConfiguration"]["apiVersion"] == f"kubeadm.k8s.io/{api}"
    assert found["ClusterConfiguration"]["kubernetesVersion"] == f"v{version}"
    assert found["ClusterConfiguration"]["controlPlaneEndpoint"] == "10.0.0.10:6443"
    assert found["InitConfiguration"]["localAPIEndpoint"] == {"advertiseAddress": "10.0.0.11", "bindPort": 6443}
    assert hosts["cp1"].modes[CONFIG] == 0o600


def test_a_control_plane_is_tainted_unless_it_works_too(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1")
    for works, taints in ((True, []), (False, [{"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}])):
        member = Member("cp1", "planes", control_plane=True, works=works)
        kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], member, "1.20.2")
        assert _documents(hosts["cp1"])["InitConfiguration"]["nodeRegistration"]["taints"] == taints


def test_without_an_image_of_the_dns_it_is_left_out(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1")
    kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0], "1.20.2")
    place = tmp_path / "releases" / "1.20.2" / "images"
    place.mkdir(parents=True)
    (place / "coredns.tar").touch()
    kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0], "1.20.2")
    without, whole = _started(hosts, "cp1: kubeadm init")
    assert "--skip-phases=addon/coredns" in without
    assert "coredns" not in whole


def test_what_the_others_need_is_kept_for_its_owner_only(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1")
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "of-before").touch()
    kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0], "1.20.2")
    kept = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert {"admin.conf", "pki/ca.key", "pki/sa.key", "pki/etcd/ca.key", "pki/front-proxy-ca.key"} <= set(kept)
    assert "pki/of-before" not in kept
    assert {path.stat().st_mode & 0o077 for name, path in kept.items() if name.endswith((".key", ".conf"))} == {0}
    assert kept["pki/ca.hash"].read_text() == "sha256:0123"
    assert kept["pki/etcd/ca.crt"].read_text() == "the etc/kubernetes/pki/etcd/ca.crt"


# -- the cluster's configuration


def test_what_the_pack_says_is_laid_over_the_labs_own(tmp_path: Path) -> None:
    text = """
clusterConfiguration:
  apiServer: {extraArgs: {audit-log-maxage: "7", watch-cache: "true"}}
  scheduler: {extraArgs: {v: "4"}}
"""
    found = kubeadm.cluster_configuration(made(tmp_path, _configured(text), {}), "1.20.2")
    assert found["apiServer"]["extraArgs"]["audit-log-maxage"] == "7"
    assert found["apiServer"]["extraArgs"]["watch-cache"] == "true"
    assert found["apiServer"]["extraArgs"]["default-not-ready-toleration-seconds"] == "30"
    assert found["scheduler"]["extraArgs"]["v"] == "4"
    assert found["scheduler"]["extraArgs"]["leader-elect-lease-duration"] == "10s"
    assert found["controllerManager"]["extraArgs"]["node-monitor-grace-period"] == "16s"


def test_what_the_lab_cannot_do_without_stays(tmp_path: Path) -> None:
    text = """
clusterConfiguration:
  apiVersion: kubeadm.k8s.io/v1beta9
  kubernetesVersion: v9.9.9
  clusterName: mine
  controlPlaneEndpoint: other:1
  networking: {podSubnet: 1.2.3.0/24}
"""
    where = made(tmp_path, _configured(text), {}, pods="10.50.0.0/16")
    found = kubeadm.cluster_configuration(where, "1.20.2")
    assert (found["apiVersion"], found["kubernetesVersion"]) == ("kubeadm.k8s.io/v1beta2", "v1.20.2")
    assert (found["clusterName"], found["controlPlaneEndpoint"]) == ("store", "10.0.0.10:6443")
    assert found["networking"] == {"podSubnet": "10.50.0.0/16", "serviceSubnet": "10.96.0.0/12"}


def test_further_names_of_the_api_server_do_not_take_away_the_labs(tmp_path: Path) -> None:
    text = "clusterConfiguration: {apiServer: {certSANs: [store.example.com]}}"
    found = kubeadm.cluster_configuration(made(tmp_path, _configured(text), {}), "1.20.2")
    assert {"127.0.0.1", "10.0.0.10", "store.example.com"} <= set(found["apiServer"]["certSANs"])


@pytest.mark.parametrize("text", ["", "[", "a list", "clusterConfiguration: text", "clusterConfiguration:\n"])
def test_values_that_configure_nothing_are_the_labs_own(tmp_path: Path, text: str) -> None:
    plain = kubeadm.cluster_configuration(made(tmp_path, cluster("cp1"), {}), "1.20.2")
    assert kubeadm.cluster_configuration(made(tmp_path, _configured(text), {}), "1.20.2") == plain


# -- those that join


def _join(tmp_path: Path, hosts: dict[str, FakeHost], uid: str, *, fails: bool = False) -> dict[str, Any]:
    """Joins, and returns the document as kubeadm saw it."""
    desired = cluster("cp1", "cp2", "w1")
    where = made(tmp_path, desired, hosts)
    kubeadm.init(where, hosts["cp1"], desired.members[0], "1.20.2")
    host, member = hosts[uid], desired.member(uid)
    assert member is not None
    seen: list[str] = []
    run = host.run

    def watched(command: Sequence[str], **options: Any) -> str:
        if list(command[:2]) == ["kubeadm", "join"]:
            seen.append(host.files[CONFIG])
            if fails:
                raise GuestError("it does not answer")
        return run(command, **options)

    host.run = watched  # type: ignore[method-assign]
    kubeadm.join(where, host, member, "1.20.2", TOKEN)
    found: dict[str, Any] = yaml.safe_load(seen[0])
    return found


def test_a_worker_joins_with_a_token_and_no_keys(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    found = _join(tmp_path, hosts, "w1")
    discovery = found["discovery"]["bootstrapToken"]
    assert discovery == {"apiServerEndpoint": "10.0.0.10:6443", "token": TOKEN, "caCertHashes": ["sha256:0123"]}
    assert "controlPlane" not in found
    assert "taints" not in found["nodeRegistration"]
    assert not [path for path in hosts["w1"].files if path.endswith(".key")]


def test_a_control_plane_joins_with_the_keys(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    found = _join(tmp_path, hosts, "cp2")
    assert found["controlPlane"] == {"localAPIEndpoint": {"advertiseAddress": "10.0.0.12", "bindPort": 6443}}
    keys = {path: mode for path, mode in hosts["cp2"].modes.items() if path.startswith("etc/kubernetes/pki/")}
    assert len(keys) == 8
    assert {mode for path, mode in keys.items() if path.endswith(".key")} == {0o600}


@pytest.mark.parametrize("fails", [False, True])
def test_the_token_stands_in_no_command_line_and_does_not_stay(
    tmp_path: Path, hosts: dict[str, FakeHost], fails: bool
) -> None:
    try:
        _join(tmp_path, hosts, "w1", fails=fails)
    except GuestError:
        assert fails
    assert not [words for words in hosts["w1"].journal if TOKEN in words or TOKEN[7:] in words]
    assert f"w1: rm -f /{CONFIG}" in hosts["w1"].journal


def test_a_token_is_made_on_stdin_for_an_hour() -> None:
    kubectl = FakeKubectl()
    token = kubeadm.bootstrap_token(kubectl)
    identity, _dot, secret = token.partition(".")
    assert (len(identity), len(secret)) == (6, 16)
    assert kubectl.journal == ["kubectl apply --filename=-"]
    document = json.loads(kubectl.given[0])
    assert document["metadata"] == {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"}
    assert document["stringData"]["token-secret"] == secret
    assert document["stringData"]["expiration"].endswith("Z")
    assert kubeadm.bootstrap_token(kubectl) != token


# -- preparing, upgrading


def test_a_host_is_made_ready(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1", "w1", ssh_keys=(" ssh-ed25519 AAAA me \n",), ntp_servers=("10.0.0.1", "10.0.0.2"))
    where = made(tmp_path, desired, hosts)
    kubeadm.prepare(where, hosts["w1"], desired.members[1], "1.20.2")
    files = hosts["w1"].files
    assert 'sandbox_image = "k8s.gcr.io/pause:3.2"' in files["etc/containerd/config.toml"]
    assert files["etc/ssh/authorized_keys.d/kairos"] == "ssh-ed25519 AAAA me\n"
    assert files["etc/systemd/timesyncd.conf.d/60-cluster.conf"] == "[Time]\nNTP=10.0.0.1 10.0.0.2\n"
    assert files["etc/default/kubelet"] == "KUBELET_EXTRA_ARGS=--node-ip=10.0.0.21\n"
    assert "etc/keepalived/keepalived.conf" not in files
    said = [words for words in hosts["w1"].journal if words.startswith("w1:")]
    assert "w1: link usr/bin/kubelet /opt/kubernetes/1.20.2/kubelet" in said
    assert "*/kube-apiserver*" in next(words for words in said if "images import" in words)


def test_only_a_control_plane_imports_the_images_of_one(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1", "w1")
    for member in desired.members:
        kubeadm.prepare(made(tmp_path, desired, hosts), hosts[member.uid], member, "1.20.2")
    imports = [words for words in hosts["cp1"].journal if "images import" in words]
    assert ["*/kube-apiserver*" in words for words in imports] == [False, True]
    assert all("/opt/kubernetes/1.20.2/images /opt/kubernetes/images" in words for words in imports)


def test_control_planes_share_the_vip(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1", "cp2", "w1")
    for member in desired.members:
        kubeadm.write_vip(made(tmp_path, desired, hosts), hosts[member.uid], member)
    texts = [hosts[uid].files["etc/keepalived/keepalived.conf"].splitlines() for uid in ("cp1", "cp2")]
    different = [pair for pair in zip(*texts, strict=True) if pair[0] != pair[1]]
    assert [tuple(line.strip() for line in pair) for pair in different] == [("priority 100", "priority 99")]
    assert "        10.0.0.10/32" in texts[0]
    assert hosts["cp1"].modes["etc/keepalived/keepalived.conf"] == 0o600
    assert "cp2: systemctl restart keepalived.service" in hosts["cp1"].journal
    assert "etc/keepalived/keepalived.conf" not in hosts["w1"].files


def test_clusters_in_one_network_do_not_take_each_others_vip(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    routers = set()
    for uid in ("c1", "c2"):
        desired = replace(cluster("cp1"), uid=uid)
        kubeadm.write_vip(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0])
        text = hosts["cp1"].files["etc/keepalived/keepalived.conf"]
        routers |= {int(line.split()[1]) for line in text.splitlines() if "virtual_router_id" in line}
    assert len(routers) == 2
    assert all(1 <= router <= 255 for router in routers)


def test_a_cluster_without_a_vip_has_no_keepalived(tmp_path: Path, hosts: dict[str, FakeHost]) -> None:
    desired = cluster("cp1", vip="")
    kubeadm.init(made(tmp_path, desired, hosts), hosts["cp1"], desired.members[0], "1.20.2")
    assert "etc/keepalived/keepalived.conf" not in hosts["cp1"].files


def test_the_first_host_has_the_vip_before_it_is_formed_and_the_others_when_they_have_joined(
    tmp_path: Path, hosts: dict[str, FakeHost]
) -> None:
    _join(tmp_path, hosts, "cp2")
    done = [words.split(" --")[0] for words in hosts["cp1"].journal]
    vip = "systemctl restart keepalived.service"
    assert done.index(f"cp1: {vip}") < done.index("cp1: kubeadm init")
    assert done.index("cp2: kubeadm join") < done.index(f"cp2: {vip}")


def test_pods_have_addresses_by_the_number_of_their_host_and_routes_to_the_others(
    tmp_path: Path, hosts: dict[str, FakeHost]
) -> None:
    where = made(tmp_path, cluster("cp1", "cp2", "w1"), hosts, pods="10.50.0.0/16")
    assert kubeadm.write_network(where, hosts["cp2"], "cp2")
    files = hosts["cp2"].files
    network = json.loads(files["etc/cni/net.d/10-lab.conflist"])
    assert network["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.50.2.0/24"}]]
    assert files["etc/lab-node/routes"] == "10.50.1.0/24 10.0.0.11\n10.50.3.0/24 10.0.0.21\n"
    before = list(hosts["cp2"].journal)
    assert before == ["cp2: systemctl restart lab-routes.service"]
    assert not kubeadm.write_network(where, hosts["cp2"], "cp2")
    assert hosts["cp2"].journal == before


def test_only_the_first_control_plane_applies_an_upgrade(hosts: dict[str, FakeHost]) -> None:
    plane = Member("cp1", "planes", control_plane=True)
    kubeadm.upgrade(hosts["cp1"], plane, "1.20.3", first=True)
    kubeadm.upgrade(hosts["cp2"], plane, "1.20.3", first=False)
    done = [words for words in hosts["cp1"].journal if "kubeadm upgrade" in words]
    assert done[0].startswith("cp1: kubeadm upgrade apply v1.20.3 --yes")
    assert done[1].startswith("cp2: kubeadm upgrade node")
    assert hosts["cp1"].journal[-1] == "cp2: systemctl restart kubelet.service"
    assert "cp2: link usr/bin/kubelet /opt/kubernetes/1.20.3/kubelet" in hosts["cp1"].journal


def test_the_proxied_kubeconfig_differs_in_its_server_only() -> None:
    cert = base64.b64encode(b"cert").decode()
    admin = {
        "clusters": [
            {"name": "store", "cluster": {"server": "https://10.0.0.10:6443", "certificate-authority-data": cert}}
        ],
        "users": [{"name": "kubernetes-admin", "user": {"client-key-data": "secret"}}],
    }
    found = yaml.safe_load(proxied(yaml.safe_dump(admin), 40123))
    assert found["clusters"][0]["cluster"] == {"server": "https://127.0.0.1:40123", "certificate-authority-data": cert}
    assert found["users"] == admin["users"]
