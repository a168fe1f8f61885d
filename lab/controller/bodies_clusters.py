"""The bodies that the API takes about clusters that are there (see :mod:`lab.controller.bodies`)."""

from __future__ import annotations

from .bodies import ATTACHMENT, LAYER, PACK_TYPE
from .shapes import Shape

PACKS_ENTITY: Shape = {"profiles": [ATTACHMENT]}
MAINTENANCE: Shape = {"action": ("cordon", "uncordon")}
UPGRADE_SETTINGS: Shape = {"spectroComponents": ("lock", "unlock")}
MANIFESTS: Shape = {"manifests": [{"content": str, "uid": str}]}
PACK_REFS: Shape = {
    "profiles": [
        {
            "uid": str,
            "packs": [
                {
                    "name!": str,
                    "layer": LAYER,
                    "type": PACK_TYPE,
                    "tag": str,
                    "uid": str,
                    "registryUid": str,
                    "values": str,
                    "manifests": [{"name!": str, "content": str, "uid": str}],
                }
            ],
        }
    ],
    "spcApplySettings": {"actionType": ("DownloadAndInstall", "DownloadAndInstallLater")},
}
DEFINITION: Shape = {
    "metadata": {"name": str, "labels": {"*": str}, "annotations": {"*": str}},
    "spec": {
        "cloudType!": str,
        "profiles!": [
            {
                "uid!": str,
                "packs": [
                    {
                        "name!": str,
                        "tag": str,
                        "type": PACK_TYPE,
                        "values": str,
                        "manifests": [{"name!": str, "content": str, "uid": str}],
                    }
                ],
            }
        ],
    },
}
