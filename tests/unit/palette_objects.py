# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects as Palette returns them, secrets included, for tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, page

TOKEN_SECRET = "canary-token-secret-77aa"
PAIRING_KEY = "canary-pairing-key-c3d9"
HOST_TOKEN = "canary-host-token-0b1e"
CLUSTER, CONFIG, PROFILE = "uid-cluster", "uid-config", "uid-profile"
EVENTS = f"/v1/events/components/spectrocluster/{CLUSTER}"
OVERVIEW = f"/v1/dashboard/spectroclusters/{CLUSTER}/overview"
KUBECONFIG = "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- user: {token: canary-kubeconfig-7b1c}\n"


def token(name: str = "store-042", **more: Any) -> dict[str, Any]:
    """A registration token."""
    return {
        "metadata": {
            "name": name,
            "uid": more.get("uid", f"uid-{name}"),
            "annotations": {"description": more.get("description", "")},
        },
        "spec": {
            "defaultProject": {"name": "Default", "uid": more.get("project", PROJECT)},
            "expiry": more.get("expires", "2030-01-01T00:00:00.000Z"),
            "token": TOKEN_SECRET,
        },
        "status": {"isActive": more.get("active", True)},
    }


def host(uid: str = "edge-1", **more: Any) -> dict[str, Any]:
    """An Edge host as GET returns it."""
    nic = {"nicName": "host0", "ip": more.get("address", ""), "subnet": more.get("subnet", ""), "isDefault": True}
    cluster = more.get("cluster")
    return {
        "aclmeta": {"projectUid": more.get("project", PROJECT)},
        "metadata": {"uid": uid, "name": more.get("name", uid), "labels": more.get("labels", {})},
        "spec": {
            "device": {"archType": more.get("architecture", "amd64"), "hostType": "appliance", "nics": [nic]},
            "host": {
                "hostUid": uid,
                "hostAddress": more.get("address", ""),
                "hostPairingKey": more.get("pairing_key", ""),
                "hostAuthToken": HOST_TOKEN,
                "hostIdentity": {"sshSecret": {"privateKey": HOST_TOKEN}},
            },
            "tunnelConfig": more.get("tunnel", {}),
        },
        "status": {
            "state": more.get("state", "ready"),
            "health": {
                "state": more.get("health", "healthy"),
                "agentVersion": "4.8.0",
                "message": more.get("note", ""),
            },
            "inUseClusters": [{"name": cluster, "uid": f"uid-of-{cluster}"}] if cluster else [],
            "serviceAuthToken": HOST_TOKEN,
            "tunnelStatus": {
                "ssh": {"state": more.get("tunnel_state", ""), "user": {"credentials": {"password": HOST_TOKEN}}}
            },
        },
    }


def unpaired(uid: str = "edge-1", **more: Any) -> dict[str, Any]:
    """An Edge host that was registered and did not call home yet."""
    made = host(uid, state="unpaired", health="", **more)
    del made["status"]["health"]
    return made


def pack(name: str, **more: Any) -> dict[str, Any]:
    """A layer of a profile."""
    made = {
        "name": name,
        "tag": "1.0.0",
        "layer": "addon",
        "type": "spectro",
        "registryUid": "uid-registry",
        "values": "",
    }
    return {**made, "packUid": f"uid-{name}", **more}


def manifest_pack(name: str, *manifests: str) -> dict[str, Any]:
    """A layer of manifests; their contents come with :func:`manifests_of`."""
    refs = [{"kind": "manifest", "name": one, "uid": f"uid-{one}"} for one in manifests]
    return pack(name, type="manifest", tag="", registryUid="", packUid="spectro-manifest-pack", manifests=refs)


def manifests_of(**contents: dict[str, str]) -> dict[str, Any]:
    """The answer with the contents: pack=dict(manifest=content)."""
    packs = [
        {
            "spec": {
                "name": name,
                "manifests": [{"name": key, "uid": f"uid-{key}", "content": text} for key, text in one.items()],
            }
        }
        for name, one in contents.items()
    ]
    return {"spec": {"packs": packs}}


def profile(name: str = "edge-store", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A version of a cluster profile."""
    template = {
        "name": name,
        "type": more.get("type", "cluster"),
        "cloudType": more.get("cloud", "edge-native"),
        "profileVersion": version,
        "packs": more.get("packs", [pack("os", layer="os"), pack("k8s", layer="k8s")]),
        "uid": more.get("uid", PROFILE),
    }
    drafted = {"draft": template} if more.get("draft") else {"published": template}
    metadata = {"name": name, "uid": more.get("uid", PROFILE), "labels": more.get("labels", {})}
    return {
        "metadata": {**metadata, "annotations": {"description": more.get("description", ""), "scope": "project"}},
        "spec": {
            **drafted,
            "version": version,
            "versions": more.get("versions", [{"uid": more.get("uid", PROFILE), "version": version}]),
        },
        "status": {"inUseClusters": [{"name": one, "uid": f"uid-of-{one}"} for one in more.get("clusters", [])]},
    }


def profile_row(name: str = "edge-store", scope: str = "project", **versions: str) -> dict[str, Any]:
    """An item of the dashboard's list: v1_0_0="uid"."""
    pairs = [{"version": key[1:].replace("_", "."), "uid": uid} for key, uid in versions.items()]
    return {
        "metadata": {"name": name, "uid": pairs[0]["uid"], "annotations": {"scope": scope}},
        "specSummary": {"version": pairs[0]["version"], "versions": pairs},
    }


def member(uid: str, address: str = "", **more: Any) -> dict[str, Any]:
    """A host of a pool as the cloud config tells it."""
    made: dict[str, Any] = {"hostUid": uid, "hostName": more.get("name", uid), "hostAddress": address}
    if address:
        made["nic"] = {"ip": address, "subnet": "255.255.255.0", "gateway": "10.42.0.1"}
    return made


def pool(name: str, *members: dict[str, Any], control_plane: bool = False, **more: Any) -> dict[str, Any]:
    """A pool as the cloud config tells it."""
    return {
        "name": name,
        "isControlPlane": control_plane,
        "labels": ["control-plane" if control_plane else "worker"],
        "size": len(members),
        "hosts": list(members),
        "machinePoolProperties": {"archType": "amd64"},
        **more,
    }


def machine(host_uid: str, state: str = "Running") -> dict[str, Any]:
    """A machine of a pool."""
    return {
        "metadata": {"uid": f"machine-{host_uid}", "name": host_uid},
        "spec": {"edgeHostUid": host_uid},
        "status": {"instanceState": state},
    }


def config(*pools: dict[str, Any], **network: Any) -> dict[str, Any]:
    """The cloud config of a cluster."""
    return {
        "metadata": {"uid": CONFIG},
        "spec": {
            "clusterConfig": {"controlPlaneEndpoint": {"host": "10.42.0.10", "type": "VIP"}, **network},
            "machinePoolConfig": list(pools),
        },
    }


def attached(name: str = "edge-store", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A profile on a cluster."""
    return {
        "name": name,
        "uid": more.get("uid", PROFILE),
        "type": more.get("type", "cluster"),
        "profileVersion": version,
        "packs": more.get("packs", [pack("k8s", values="a: 1")]),
    }


def cluster(name: str = "store-042", **more: Any) -> dict[str, Any]:
    """A cluster."""
    return {
        "metadata": {
            "name": name,
            "uid": more.get("uid", CLUSTER),
            "labels": more.get("labels", {}),
            "annotations": {"description": more.get("description", ""), "scope": "project"},
        },
        "spec": {
            "cloudConfigRef": {"kind": "edge-native", "uid": CONFIG},
            "cloudType": "edge-native",
            "clusterConfig": more.get("settings", {}),
            "clusterProfileTemplates": more.get("profiles", [attached()]),
        },
        "status": {"state": more.get("state", "Running"), **more.get("status", {})},
    }


def overview(version: str = "1.31.1", health: str = "Healthy") -> dict[str, Any]:
    """The overview of a cluster."""
    kube = {"hasKubeConfig": True, "hasKubeConfigClient": True, "hasManifest": True, "kubernetesVersion": version}
    return {"metadata": {"uid": CLUSTER}, "status": {"health": {"state": health}, "kubeMeta": kube}}


def cluster_row(name: str = "store-042", state: str = "Running", uid: str = CLUSTER) -> dict[str, Any]:
    """An item of the cluster search."""
    return {"metadata": {"name": name, "uid": uid}, "status": {"state": state}}


def cluster_search(*rows: dict[str, Any], **more: Any) -> Call:
    """The search for a cluster by name."""
    path = "/v1/dashboard/spectroclusters/search"
    return Call("POST", path, page(list(rows)), params={"limit": "50"}, body=ANY, scope=PROJECT, **more)


def event(message: str, time: str, severity: str = "Info", **more: Any) -> dict[str, Any]:
    """An event of a cluster."""
    return {
        "metadata": {"uid": f"uid-{time}", "creationTimestamp": time},
        "severity": severity,
        "reason": more.get("reason", ""),
        "message": message,
        "involvedObject": {"kind": "spectrocluster", "uid": CLUSTER, "name": more.get("name", "store-042")},
    }


def events(*listed: dict[str, Any], **more: Any) -> Call:
    """The newest events of the cluster."""
    params = {"limit": ANY, "orderBy": "metadata.creationTimestamp=-1"}
    return Call("GET", EVENTS, page(list(listed)), params=params, scope=PROJECT, **more)


def repave(state: str = "Pending") -> dict[str, Any]:
    """The repave of the cluster, with the reason that the version of Kubernetes changes."""
    change = {
        "current": pack("k8s", layer="k8s", version="1.30.4"),
        "target": pack("k8s", layer="k8s", version="1.31.1"),
    }
    reason = {"code": "K8sVersion", "message": "the version of Kubernetes changes", "pack": change}
    return {
        "metadata": {"uid": CLUSTER},
        "spec": {"reasons": [reason], "source": "user", "spectroClusterUid": CLUSTER},
        "status": {"state": state, "message": ""},
    }


def certificates(*ends: str) -> dict[str, Any]:
    """The certificates of the cluster's control plane, one machine for each end."""
    return {
        "machineCertificates": [
            {
                "name": f"store-042-{number}",
                "certificateAuthorities": [
                    {
                        "name": "kubernetes",
                        "expiry": "2036-01-01T00:00:00.000Z",
                        "certificates": [{"name": "apiserver", "expiry": end}],
                    }
                ],
            }
            for number, end in enumerate(ends, 1)
        ]
    }


def cluster_manifests(**layers: dict[str, str]) -> dict[str, Any]:
    """The cluster's own manifests of its one profile: layer=dict(manifest=content)."""
    packs = [
        {
            "spec": {
                "name": layer,
                "manifests": [
                    {"name": name, "uid": f"uid-here-{name}", "content": text} for name, text in contents.items()
                ],
            }
        }
        for layer, contents in layers.items()
    ]
    return {"profiles": [{"metadata": {"uid": PROFILE, "name": "edge-store"}, "spec": {"packs": packs}}]}
