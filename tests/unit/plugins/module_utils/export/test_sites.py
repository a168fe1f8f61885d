# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects of all kinds as files, read back through Ansible's own inventory."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ansible_collections.palette.edge.plugins.filter.site import to_edge_hosts, to_node_pools
from ansible_collections.palette.edge.plugins.module_utils.export._read import Cluster, Profile, Project
from ansible_collections.palette.edge.plugins.module_utils.export._tree import INVENTORY, tree_of
from ansible_collections.palette.edge.tests.unit import palette_objects as objects

SECRETS = (objects.HOST_TOKEN, objects.PAIRING_KEY, objects.TOKEN_SECRET)
NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.timezone.utc)


@dataclass
class Exported:
    """The files of an export in a folder, and the inventory that Ansible makes of them."""

    folder: Path
    notes: list[str]
    manager: Any
    variables: Any

    @property
    def names(self) -> list[str]:
        return sorted(self.manager.hosts)

    def site(self, name: str) -> dict[str, Any]:
        """The site file."""
        return dict(yaml.safe_load((self.folder / "sites" / f"{name}.yml").read_text()))

    def of(self, name: str, *wanted: str) -> Any:
        """Variables of an entry as a role sees them, templated."""
        found = self.variables.get_vars(host=self.manager.get_host(name))
        templar = Templar(loader=DataLoader(), variables=found)
        values = [templar.template(found[one]) if one in found else None for one in wanted]
        return values[0] if len(wanted) == 1 else values


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Exported]:
    """Writes the export of a project and reads it with Ansible."""

    def run(project: Project) -> Exported:
        tree = tree_of(project, now=NOW)
        for path, text in tree.texts.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        loader = DataLoader()
        manager = InventoryManager(loader=loader, sources=[str(tmp_path / INVENTORY)])
        return Exported(tmp_path, list(tree.notes), manager, VariableManager(loader=loader, inventory=manager))

    return run


def host(uid: str, address: str = "10.42.0.11", **more: Any) -> dict[str, Any]:
    return objects.host(uid, address=address, subnet="255.255.255.0", pairing_key=objects.PAIRING_KEY, **more)


def cluster(name: str, *pools: dict[str, Any], network: Any = None, config: bool = True, **more: Any) -> Cluster:
    own = {key: more.pop(key, {}) for key in ("variables", "manifests")}
    whole = objects.cluster(name, uid=f"uid-of-{name}", profiles=more.pop("profiles", []), **more)
    return Cluster(whole=whole, config=objects.config(*pools, **(network or {})) if config else {}, **own)


def plane(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return objects.pool("plane", *members, control_plane=True, **more)


def project(*clusters: Cluster, hosts: Any = (), **more: Any) -> Project:
    return Project(name="Stores", uid="uid-project", hosts=list(hosts), clusters=list(clusters), **more)


def profile(name: str = "edge-store", version: str = "1.0.0", *, scope: str = "project", **more: Any) -> Profile:
    uid = more.pop("uid", f"uid-{name}-{version}")
    variables, manifests = more.pop("variables", ()), more.pop("manifests", {})
    whole = objects.profile(name, version, uid=uid, **more)
    return Profile(
        uid=uid, name=name, version=version, scope=scope, whole=whole, variables=variables, manifests=manifests
    )


def token(name: str, **more: Any) -> dict[str, Any]:
    made = {"uid": f"uid-{name}", "name": name, "description": f"Edge hosts of {name}", "project_uid": "uid-project"}
    return {**made, "project": "Stores", "expires": "2030-01-01T00:00:00.000Z", "active": True, **more}


def test_a_cluster_is_a_site(export: Any) -> None:
    members = [objects.member(f"edge-{number}", f"10.42.0.1{number}") for number in (1, 2, 3)]
    hosts = [host(f"edge-{number}", labels={"site": "store-042", "a": "1"}) for number in (1, 2, 3)]
    more = {"labels": {"site": "store-042", "a": "1", "b": "spectro__tag"}, "description": "Store 42"}
    made = export(project(cluster("store-042", plane(*members), **more), hosts=hosts, tokens=[token("store-042")]))
    assert made.names == ["edge-1", "edge-2", "edge-3", "store-042"]
    assert made.notes == []
    for file in made.folder.rglob("*.*"):
        assert not [one for one in SECRETS if one in file.read_text()], file
    site = made.site("store-042")
    assert "site_tag" not in site
    assert site["tags"] == {"a": "1"}
    assert site["registration"] == {"token": "store-042", "expires": "2030-01-01T00:00:00.000Z"}
    assert site["cluster"]["tags"] == {"b": ""}
    assert made.of("store-042", "edge_site_cluster")["tags"] == {"a": "1", "b": "", "site": "store-042"}
    assert made.of("store-042", "edge_site_description") == "Store 42"
    assert made.of("store-042", "registration_token_name") == "store-042"
    pool = to_node_pools(made.of("store-042", "edge_site_cluster")["node_pools"])[0]
    assert [(one["uid"], one["name"], one["address"]) for one in pool["hosts"]] == [
        (f"edge-{number}", f"edge-{number}", f"10.42.0.1{number}/24") for number in (1, 2, 3)
    ]


def test_hosts_of_no_cluster_go_to_the_site_of_their_tag_or_to_unassigned(export: Any) -> None:
    tagged = {"labels": {"site": "store-007", "rack": "a"}}
    hosts = [host("edge-1", "10.0.0.1", **tagged), host("edge-2", "10.0.0.2", **tagged), host("edge-3", "10.0.0.3")]
    spare = host("spare", "10.0.0.4", labels={"site": "store-042"})
    member = host("edge-4", "10.0.0.5", labels={"site": "store-042"})
    made = export(project(cluster("store-042", plane(objects.member("edge-4"))), hosts=[*hosts, spare, member]))
    assert [path.stem for path in sorted((made.folder / "sites").iterdir())] == ["store-007", "store-042", "unassigned"]
    assert made.names == ["edge-1", "edge-2", "edge-3", "edge-4", "spare", "store-007", "store-042", "unassigned-site"]
    assert made.site("store-007")["tags"] == {"rack": "a"}
    assert "site_tag" not in made.site("store-007")
    assert [one["id"] for one in made.site("store-042")["hosts"]] == ["edge-4", "spare"]
    assert made.of("edge-3", "edge_host_tags") == {}
    assert made.of("edge-3", "ansible_host") == "10.0.0.3"
    assert made.of("store-007", "registration_token_name") == ""
    assert made.of("edge-1", "site_configuration_over_ssh") is False


def test_names_that_no_site_file_can_hold(export: Any) -> None:
    """Whatever the inventory calls it: to Palette goes what Palette has."""
    hosts = [
        host("Edge_1", "10.0.0.1", name="STORE 1"),
        host("edge-2", "10.0.0.2", name="twin"),
        host("edge-3", "10.0.0.3", name="twin"),
        host("edge-4", "10.0.0.4", name="hamburg"),
    ]
    member = objects.member("Edge_1", name="node-1")
    twin = objects.member("edge-2", name="")
    made = export(
        project(
            cluster("hamburg", plane(member), labels={"my key": "v"}),
            cluster("Hamburg", plane(twin)),
            hosts=hosts,
        )
    )
    sites = [path.stem for path in sorted((made.folder / "sites").iterdir())]
    assert len(sites) == 3
    assert "hamburg" in sites
    shown = {}
    for name in made.names:
        for one in to_edge_hosts(made.of(name, "edge_site_hosts") or []):
            shown[one["uid"]] = one["name"]
    assert shown == {"Edge_1": "STORE 1", "edge-2": "twin", "edge-3": "twin", "edge-4": "hamburg"}
    other = next(one for one in sites if one not in ("hamburg", "unassigned"))
    assert made.of(other, "cluster_name") == "Hamburg"
    assert made.of("hamburg-site", "cluster_tags") == {"my key": "v"}
    pool = to_node_pools(made.of(other, "edge_site_cluster")["node_pools"])[0]
    assert pool["hosts"] == [{"uid": "edge-2"}]
    pool = to_node_pools(made.of("hamburg-site", "edge_site_cluster")["node_pools"])[0]
    assert pool["hosts"] == [{"uid": "Edge_1", "name": "node-1"}]
    assert any("cluster Hamburg: no site can be called so" in note for note in made.notes)


def test_a_pool_with_all_it_can_have(export: Any) -> None:
    settings = {
        "useControlPlaneAsWorker": True,
        "additionalLabels": {"a": "1"},
        "additionalAnnotations": {"b": "true"},
        "taints": [{"key": "k", "value": "true", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"}],
        "updateStrategy": {"type": "OverrideScaling", "maxSurge": "1", "maxUnavailable": "0"},
        "nodeRepaveInterval": 900,
        "skipK8sUpgrade": "enabled",
        "overrideKubeadmConfiguration": "kind: {{ x }}\n",
        "overrideHealthCheckConfiguration": "a: 1\nb: 2",
        "machinePoolProperties": {"archType": "arm64"},
        "minSize": 1,
    }
    member = {**objects.member("edge-1", "10.42.0.11"), "twoNodeCandidatePriority": "primary"}
    member["nic"] |= {"nicName": "eth1", "dns": ["10.42.0.2"]}
    second = {**objects.member("edge-2", "10.42.0.12"), "twoNodeCandidatePriority": "secondary"}
    network = {
        "isTwoNodeCluster": True,
        "overlayNetworkConfiguration": {"enable": True, "cidr": "10.42.0.0/24"},
        "ntpServers": ["Pool.NTP.org"],
        "sshKeys": ["ssh-ed25519 AAAA x\n"],
        "controlPlaneEndpoint": {"host": "api.stores.example", "type": "DDNS", "ddnsSearchDomain": "stores.example"},
    }
    hosts = [host("edge-1"), host("edge-2", "10.42.0.12")]
    more = {
        "timezone": "Europe/Berlin",
        "clusterMetaAttribute": "{{ x }}",
        "machineManagementConfig": {
            "osPatchConfig": {
                "schedule": "0 3 * * 6",
                "patchOnBoot": False,
                "onDemandPatchAfter": "0001-01-01T00:00:00.000Z",
            }
        },
    }
    pools = [plane(member, second, **settings)]
    made = export(project(cluster("store-042", *pools, network=network, settings=more), hosts=hosts))
    found = made.of("store-042", "edge_site_cluster")
    assert (found["timezone"], found["meta_attribute"]) == ("Europe/Berlin", "{{ x }}")
    assert found["os_patch"] == {"schedule": "0 3 * * 6"}
    (pool,) = to_node_pools(found["node_pools"])
    assert pool == {
        "name": "plane",
        "control_plane": True,
        "architecture": "arm64",
        "control_plane_as_worker": True,
        "additional_labels": {"a": "1"},
        "additional_annotations": {"b": "true"},
        "taints": [{"key": "k", "value": "true", "effect": "NoSchedule"}],
        "update_strategy": {"type": "OverrideScaling", "max_surge": "1", "max_unavailable": "0"},
        "node_repave_interval": 900,
        "skip_kubernetes_upgrade": True,
        "override_kubeadm_configuration": "kind: {{ x }}\n",
        "override_health_check_configuration": "a: 1\nb: 2",
        "hosts": [
            {
                "uid": "edge-1",
                "name": "edge-1",
                "address": "10.42.0.11/24",
                "gateway": "10.42.0.1",
                "nameservers": ["10.42.0.2"],
                "nic": "eth1",
                "two_node_role": "primary",
            },
            {
                "uid": "edge-2",
                "name": "edge-2",
                "address": "10.42.0.12/24",
                "gateway": "10.42.0.1",
                "two_node_role": "secondary",
            },
        ],
    }
    assert (found["vip"], found["endpoint_type"], found["two_node"]) == ("api.stores.example", "DDNS", True)
    assert found["overlay_cidr"] == "10.42.0.0/24"
    assert found["ssh_keys"] == ["ssh-ed25519 AAAA x"]
    # A site file would write it in lower case.
    assert made.of("store-042", "cluster_ntp_servers") == ["Pool.NTP.org"]
    assert [note.split(": ", 1)[1] for note in made.notes] == [
        "minSize of its pool plane has no key: it stays as it is",
        "the search domain of its endpoint (stores.example) has no key",
        "cluster_ntp_servers is a variable in group_vars, as no site file can hold the value",
    ]


@pytest.mark.parametrize("members", [2, 4])
def test_a_cluster_that_no_site_file_can_hold_is_left_out_as_a_whole(export: Any, members: int) -> None:
    uids = [f"edge-{number}" for number in range(members)]
    made = export(
        project(cluster("store-042", plane(*map(objects.member, uids))), hosts=[host(uid, "") for uid in uids])
    )
    assert "cluster" not in made.site("store-042")
    assert len(made.site("store-042")["hosts"]) == members
    assert any("the cluster store-042 is left out" in note for note in made.notes)


def test_no_run_ever_works_on_half_a_cluster(export: Any) -> None:
    """A host that is not to be seen would be taken out of its pool: so the site is without its cluster."""
    made = export(
        project(cluster("store-042", plane(objects.member("edge-1"), objects.member("gone"))), hosts=[host("edge-1")])
    )
    assert made.names == ["edge-1", "store-042"]
    assert "cluster" not in made.site("store-042")
    assert made.notes == ["cluster store-042: its Edge hosts gone are not in this project: it is left out"]


def test_an_address_that_does_not_fit_is_left_out(export: Any) -> None:
    member = {**objects.member("edge-1", "10.42.0.11"), "nic": {"ip": "10.42.0.11", "gateway": "10.9.0.1"}}
    outside = objects.member("edge-2", "10.42.0.12")
    outside["nic"]["gateway"] = "10.9.0.1"
    pools = [plane(member), objects.pool("workers", outside)]
    hosts = [objects.host("edge-1"), objects.host("edge-2")]
    network = {"controlPlaneEndpoint": {"host": "10.77.0.1", "type": "VIP"}}
    made = export(project(cluster("store-042", *pools, network=network), hosts=hosts))
    site = made.site("store-042")
    assert [sorted(one) for one in site["hosts"]] == [["id", "name"], ["address", "id", "name"]]
    assert made.of("store-042", "cluster_vip") == "10.77.0.1"
    assert len(made.notes) == 3


def test_profiles_of_a_cluster(export: Any) -> None:
    secret = {"name": "password", "value": "*****", "isSensitive": True}
    plain = [
        {"name": "who", "value": "you {{ x }}", "defaultValue": "me"},
        {"name": "same", "value": "a", "defaultValue": "a"},
    ]
    own = profile(
        "own",
        packs=[objects.pack("k8s", values="a: 1\n"), objects.manifest_pack("mine", "one", "two")],
        variables=[{"name": "who"}],
        manifests={"mine": {"one": "kind: A", "two": "kind: B"}},
    )
    theirs_too = {own.uid: {"mine": {"one": ("x", "kind: {{ x }}\n"), "two": ("y", "kind: B\n")}}}
    theirs = profile("theirs", scope="tenant", type="add-on")
    hidden = profile("hidden", scope="system")
    attached = [
        objects.attached("own", uid=own.uid, packs=[objects.pack("k8s", values="a: 2\n\n")]),
        objects.attached("theirs", uid=theirs.uid, type="add-on", packs=[]),
        objects.attached("hidden", uid=hidden.uid, packs=[]),
    ]
    made = export(
        project(
            cluster(
                "store-042",
                plane(objects.member("edge-1")),
                profiles=attached,
                variables={own.uid: [secret, *plain]},
                manifests=theirs_too,
            ),
            hosts=[host("edge-1")],
            profiles=[own, theirs, hidden],
        )
    )
    assert made.of("store-042", "edge_site_profiles") == [
        {
            "name": "own",
            "version": "1.0.0",
            "variables": {"who": "you {{ x }}"},
            "pack_values": {"k8s": "a: 2\n"},
            "manifests": {"mine": {"one": "kind: {{ x }}\n"}},
        },
        {"name": "theirs", "version": "1.0.0"},
    ]
    definitions = made.of("store-042", "cluster_profile_definitions")
    assert [one["name"] for one in definitions] == ["own"]
    text = "\n".join(made.notes)
    assert "hidden 1.0.0 is not found by that name and version" in text
    assert "the variable password of its profile own is a secret" in text
    assert "*****" not in (made.folder / "sites" / "store-042.yml").read_text()


def test_definitions_of_profiles(export: Any) -> None:
    variables = [
        {
            "name": "who",
            "displayName": "Who",
            "defaultValue": "{{ x }}",
            "format": "string",
            "inputType": "dropdown",
            "options": [{"value": "a", "label": "A", "default": False}],
            "required": True,
            "hidden": False,
        },
        {"name": "password", "displayName": "password", "defaultValue": "*****", "isSensitive": True, "required": True},
    ]
    packs = [
        objects.pack("k8s", layer="k8s", values="\n\na: {{.spectro.var.who}}\n\n", packUid="uid-k8s"),
        objects.pack("chart", type="helm", layer="csi", tag="2.0.0", registryUid="uid-helm"),
        objects.manifest_pack("mine", "one"),
    ]
    made = project(
        hosts=[host("edge-1")],
        profiles=[
            profile(packs=packs, variables=variables, manifests={"mine": {"one": "kind: {{ x }}\n"}}, draft=True),
            profile("elsewhere", cloud="vsphere"),
            profile("twin", uid="uid-a"),
            profile("twin", uid="uid-b"),
        ],
        registries={"uid-registry": "Public Repo", "uid-helm": "uid-helm"},
        unresolved={("k8s", "uid-registry", "1.0.0"): "it is gone"},
    )
    found = export(made)
    assert found.of("unassigned-site", "cluster_profile_definitions") == [
        {
            "name": "edge-store",
            "version": "1.0.0",
            "type": "cluster",
            "cloud": "edge-native",
            "publish": False,
            "packs": [
                {
                    "name": "k8s",
                    "version": "1.0.0",
                    "registry": "Public Repo",
                    "uid": "uid-k8s",
                    "values": "a: {{.spectro.var.who}}\n",
                },
                {"name": "chart", "type": "helm", "layer": "csi", "version": "2.0.0", "registry": "uid-helm"},
                {"name": "mine", "type": "manifest", "manifests": [{"name": "one", "content": "kind: {{ x }}\n"}]},
            ],
            "variables": [
                {
                    "name": "who",
                    "display_name": "Who",
                    "default_value": "{{ x }}",
                    "input_type": "dropdown",
                    "options": [{"value": "a", "label": "A", "default": False}],
                    "required": True,
                },
                {"name": "password", "required": True, "sensitive": True},
            ],
        }
    ]
    assert len(found.notes) == 4
    assert any("2 bear this name and version" in note for note in found.notes)


def test_tokens(export: Any) -> None:
    hosts = [host("edge-1", labels={"site": "store-007"}), host("edge-2", labels={"site": "store-042"})]
    tokens = [
        token("store-007", expires="2020-01-01T00:00:00.000Z", description=""),
        token("shared", description="all others"),
    ]
    made = export(project(hosts=hosts, tokens=tokens))
    assert made.site("store-007")["registration"] == {"token": "store-007", "description": ""}
    assert made.site("store-042")["registration"] == {
        "token": "shared",
        "description": "all others",
        "expires": "2030-01-01T00:00:00.000Z",
    }
    assert made.notes == ["registration token store-007: it ended on 2020-01-01T00:00:00.000Z"]


def test_several_tokens_of_nobody_are_nobodys(export: Any) -> None:
    made = export(project(hosts=[host("edge-1")], tokens=[token("a"), token("b"), token("b", uid="x")]))
    assert "registration" not in made.site("unassigned")
    assert made.of("unassigned-site", "registration_token_name") == ""
    assert len(made.notes) == 2


def test_an_empty_project(export: Any) -> None:
    made = tree_of(project(), now=NOW)
    assert made.sites == []
    assert not [path for path in made.texts if path.startswith("sites/")]
