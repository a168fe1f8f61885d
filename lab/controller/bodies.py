"""The bodies that the API takes, as shapes (see :mod:`lab.controller.shapes`); names as on the wire."""

from __future__ import annotations

from .shapes import MAP, TIME, Shape

ARCHITECTURE = ("amd64", "arm64")
SWITCH = ("enabled", "disabled")
PACK_TYPE = ("spectro", "helm", "manifest", "oci")
PROFILE_TYPE = ("cluster", "infra", "add-on", "system")

META: Shape = {"uid": str, "name": str, "labels": MAP, "annotations": MAP}
TAGS: Shape = {"uid": str, "name": str, "labels": MAP}
META_INPUT: Shape = {"name": str, "labels": MAP, "annotations": MAP}

TOKEN: Shape = {"metadata": META, "spec": {"defaultProjectUid": str, "expiry": TIME}}
TOKEN_STATE: Shape = {"isActive": bool}

PROJECT: Shape = {
    "metadata": META,
    "spec": {
        "logoUid": str,
        "teams": [{"roles": [str], "teamId": str}],
        "users": [{"roles": [str], "userId": str}],
    },
}
PROJECT_CLEANUP: Shape = {
    "deletingClusterDurationThresholdInMin": int,
    "provisioningClusterDurationThresholdInMin": int,
}

# -- Edge hosts

TUNNEL: Shape = {"remoteSsh": SWITCH, "remoteSshTempUser": SWITCH}
PAIRING_KEY: Shape = {"hostPairingKey": str}
HOST_META: Shape = {"metadata": TAGS}
HOST_CLUSTER_UID: Shape = {"clusterUid": str}
HOST: Shape = {
    "metadata": TAGS,
    "spec": {"archType": ARCHITECTURE, "hostPairingKey": str, "tunnelConfig": TUNNEL},
}
NIC: Shape = {
    "dns": [str],
    "gateway": str,
    "ip": str,
    "isDefault": bool,
    "macAddr": str,
    "nicName": str,
    "subnet": str,
}
PARTITION: Shape = {"fileSystemType": str, "freeSpace": int, "mountPoint": str, "totalSpace": int, "usedSpace": int}
DEVICE: Shape = {
    "archType": ARCHITECTURE,
    "cpu": {"cores": int},
    "disks": [{"controller": str, "partitions": [PARTITION], "size": int, "vendor": str}],
    "gpus": [
        {"gpuCount": int, "memory": str, "migCapable": bool, "migStrategy": str, "model": str, "vendor": str},
    ],
    "hostState": ("registration", "cluster", "recovery"),
    "hostType": ("appliance", "agent-mode"),
    "memory": {"sizeInMB": int},
    "nics": [NIC],
    "os": {"family": str, "kernel": str, "kernelVersion": str, "version": str},
    "secureBoot": bool,
}
REPORT: Shape = {
    "metadata": META,
    "spec": {
        "device": DEVICE,
        "host": {
            "disableAutoRegister": bool,
            "hostAddress": str,
            "hostPairingKey": str,
            "hostUid": str,
            "macAddress": str,
            "project": {"name": str, "uid": str},
        },
        "type": ("vsphere", "edge-native"),
    },
}
HEALTH: Shape = {"agentVersion": str, "message": str, "state": ("healthy", "unhealthy")}

# -- look-ups

TEXT_FILTER: Shape = {"beginsWith": str, "contains": str, "eq": str, "ignoreCase": bool, "ne": str}
LAYER = ("kernel", "os", "k8s", "cni", "csi", "addon")


def _condition(value: Shape, operators: tuple[str, ...], **more: Shape) -> Shape:
    return {"operator": operators, "negation": bool, "match": {"conjunction": ("and", "or"), "values": [value]}, **more}


def sorting(*fields: str) -> Shape:
    """An order by these fields."""
    return [{"field": fields, "order": ("asc", "desc")}]


HOSTS_FILTER: Shape = {
    "filter": {"name": TEXT_FILTER, "states": [("ready", "unpaired", "in-use")]},
    "sort": sorting("name", "state", "creationTimestamp", "lastModifiedTimestamp"),
}
PROJECTS_FILTER: Shape = {
    "filter": {"name": TEXT_FILTER},
    "sort": sorting("name", "creationTimestamp", "lastModifiedTimestamp"),
}
_TEXT = ("eq", "contains", "beginsWith")
_ORDERED = ("eq", "gt", "gte", "lt", "lte")
SEARCH: Shape = {
    "filter": {
        "conjunction": ("and", "or"),
        "filterGroups": [
            {
                "conjunction": ("and", "or"),
                "filters": [
                    {
                        "property": str,
                        "type": ("string", "int", "float", "bool", "date", "keyValue"),
                        "condition": {
                            "string": _condition(str, _TEXT, ignoreCase=bool),
                            "int": _condition(int, _ORDERED),
                            "float": _condition(float, _ORDERED),
                            "date": _condition(TIME, (*_ORDERED, "range")),
                            "keyValue": _condition(str, _TEXT, ignoreCase=bool, key=str),
                            "bool": {"value": bool},
                        },
                    }
                ],
            }
        ],
    },
    "sort": sorting(
        "creationTimestamp", "lastModifiedTimestamp", "healthState", "clusterName", "clusterState", "environment"
    ),
}

# -- clusters

ENDPOINT: Shape = {"ddnsSearchDomain": str, "host": str, "type": ("VIP", "External", "DDNS", "IP")}
NETWORK: Shape = {
    "controlPlaneEndpoint": ENDPOINT,
    "isTwoNodeCluster": bool,
    "ntpServers": [str],
    "overlayNetworkConfiguration": {"cidr": str, "enable": bool},
    "sshKeys": [str],
    "staticIp": bool,
}
POOL: Shape = {
    "cloudConfig!": {
        "edgeHosts!": [
            {
                "hostUid!": str,
                "hostName": str,
                "nic": NIC,
                "nicName": str,
                "staticIP": str,
                "twoNodeCandidatePriority": ("primary", "secondary"),
            }
        ]
    },
    "poolConfig!": {
        "name!": str,
        "size!": int,
        "labels!": [str],
        "additionalAnnotations": MAP,
        "additionalLabels": MAP,
        "additionalTags": MAP,
        "isControlPlane": bool,
        "machinePoolProperties": {"archType": ARCHITECTURE},
        "maxSize": int,
        "minSize": int,
        "nodeRepaveInterval": int,
        "overrideHealthCheckConfiguration": str,
        "overrideKubeadmConfiguration": str,
        "skipK8sUpgrade": SWITCH,
        "taints": [
            {"key": str, "value": str, "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"), "timeAdded": TIME}
        ],
        "updateStrategy": {
            "type": ("RollingUpdateScaleOut", "RollingUpdateScaleIn", "OverrideScaling"),
            "maxSurge": str,
            "maxUnavailable": str,
        },
        "useControlPlaneAsWorker": bool,
    },
}
CLUSTER_NETWORK: Shape = {"clusterConfig": NETWORK}

LOCATION: Shape = {
    "countryCode": str,
    "countryName": str,
    "geoLoc": {"latitude": float, "longitude": float},
    "regionCode": str,
    "regionName": str,
}
REFERENCE: Shape = {"kind": str, "name": str, "uid": str}
HOST_CLUSTER: Shape = {
    "clusterEndpoint": {
        "config": {
            "ingressConfig": {"host": str, "port": int},
            "loadBalancerConfig": {
                "externalIPs": [str],
                "externalTrafficPolicy": str,
                "loadBalancerSourceRanges": [str],
            },
        },
        "type": ("Ingress", "LoadBalancer"),
    },
    "clusterGroup": REFERENCE,
    "hostCluster": REFERENCE,
    "isHostCluster": bool,
}
OS_PATCH: Shape = {"onDemandPatchAfter": TIME, "patchOnBoot": bool, "rebootIfRequired": bool, "schedule": str}
VALUES: Shape = [{"name!": str, "value": str}]
ATTACHMENT: Shape = {
    "uid": str,
    "replaceWithProfile": str,
    "packValues": [
        {
            "name!": str,
            "tag": str,
            "type": PACK_TYPE,
            "values": str,
            "manifests": [{"name!": str, "content": str, "uid": str}],
        }
    ],
    "variables": VALUES,
}
ATTACHMENTS: Shape = {
    "profiles!": [ATTACHMENT],
    "spcApplySettings": {"actionType": ("DownloadAndInstall", "DownloadAndInstallLater")},
}
DETACHMENT: Shape = {"profileUids": [str]}
CLUSTER_VARIABLES: Shape = [{"profileUid!": str, "variables": VALUES}]
CLUSTER: Shape = {
    "metadata": META,
    "spec": {
        "cloudConfig": NETWORK,
        "clusterConfig": {
            "clusterMetaAttribute": str,
            "controlPlaneHealthCheckTimeout": str,
            "hostClusterConfig": HOST_CLUSTER,
            "lifecycleConfig": {"pause": bool},
            "location": LOCATION,
            "machineManagementConfig": {"osPatchConfig": OS_PATCH},
            "timezone": str,
            "updateWorkerPoolsInParallel": bool,
        },
        "machinepoolconfig": [POOL],
        "profiles": [ATTACHMENT],
    },
}
CLUSTER_META: Shape = {"metadata!": META_INPUT}

# -- the lab's own

FAULT: Shape = {
    "kind!": str,
    "status": int,
    "count": int,
    "path": str,
    "method": str,
    "seconds": float,
    "retry_after": int,
    "host": str,
    "name": str,
    "agents": bool,
}
CONDITION: Shape = {"type!": str, "status!": str, "reason": str, "message": str}
CLUSTER_REPORT: Shape = {
    "formedBy!": ("kubernetes", "states"),
    "revision": int,
    "state": ("Pending", "Provisioning", "Running", "Error", "Deleting", "Deleted"),
    "health": ("Healthy", "UnHealthy", "Unknown"),
    "kubernetesVersion": str,
    "conditions": [CONDITION],
    "packs": [{"profileUid!": str, "name!": str, "condition!": CONDITION}],
    "machines": {
        "*": {
            "state": ("Pending", "Provisioning", "Provisioned", "Running", "Deleting"),
            "ready": bool,
            "cordoned": bool,
            "conditions": [CONDITION],
        }
    },
    "gone": [str],
    "kubeconfig": {"admin": str, "proxy": str},
}
