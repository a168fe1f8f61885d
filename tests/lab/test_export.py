# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook export on a project that the playbooks and people with a console made: read back, it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import STORE_007, STORE_042, STORE_100, Lab, until

pytestmark = pytest.mark.lab

PAIRING_KEY = "canary-pairing-key-55d0"
SPARE = [{"name": f"spare-{number}", "id": f"Spare_{number}", "pairing_key": PAIRING_KEY} for number in (1, 2, 3)]
HOSTS = [*STORE_007, *STORE_042, *STORE_100, *SPARE]
SITES = ["branch", "store-007", "store-042", "store-100", "unassigned"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2mWkNOdkZ0bXBsZS1rZXktb2YtdGhlLXN0b3Jlcw by hand"
ODD = 'Store "42": {{ not_a_variable }} #1, 100% \\ \u2013 \u00fc\nand a second line'
SECRET = "canary-addon-secret-9b1e"
VALUES = """\
# The values of the pack, with Palette's macros
pack:
  namespace: "{{.spectro.var.where}}"
  pin: {{ .spectro.system.cluster.name }}
  script: |
    if [ "${#list[@]}" -gt 0 ]; then echo '{% raw %}'; fi
"""


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory) -> Iterator[Lab]:
    with laboratory(HOSTS, "--speak-only", "--form-seconds", "2") as lab:
        yield lab


class Exporter:
    """The export of one project into one folder."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.folder = lab.folder / "export"

    @property
    def inventory(self) -> Path:
        return self.folder / "palette.sites.yml"

    def __call__(self, *arguments: str, **extra: Any) -> Any:
        return self.lab.play(
            *arguments, playbook="palette.edge.export", limit="", extra={"export_dest": str(self.folder), **extra}
        )

    def site(self, name: str) -> dict[str, Any]:
        return dict(yaml.safe_load((self.folder / "sites" / f"{name}.yml").read_text()))

    def texts(self) -> dict[str, str]:
        return {str(one.relative_to(self.folder)): one.read_text() for one in self.folder.rglob("*") if one.is_file()}


def spares_are_well(lab: Lab) -> bool:
    time.sleep(0.4)
    found = [one["status"] for one in lab.search("edgehosts") if one["metadata"]["name"].startswith("spare-")]
    return [(one["state"], (one.get("health") or {}).get("state")) for one in found] == [("ready", "healthy")] * len(
        SPARE
    )


def runs(lab: Lab, uid: str) -> bool:
    time.sleep(0.4)
    return bool(lab.api("GET", f"/v1/spectroclusters/{uid}").get("status", {}).get("state") == "Running")


def by_hand(lab: Lab) -> None:
    """What people do with a console: nothing of it is of the playbooks' making."""
    for one in SPARE:
        spec = {"archType": "amd64", "hostPairingKey": PAIRING_KEY}
        labels = {"rack": "c", "bare": "spectro__tag"}
        lab.api(
            "POST",
            "/v1/edgehosts",
            {"metadata": {"uid": one["id"], "name": one["name"], "labels": labels}, "spec": spec},
        )
    until(lambda: spares_are_well(lab), 40, "the spare hosts are ready and healthy")

    found = {one["metadata"]["name"]: one["metadata"]["uid"] for one in lab.search("spectroclusters")}
    cluster = lab.api("GET", f"/v1/spectroclusters/{found['store-042']}")
    config = cluster["spec"]["cloudConfigRef"]["uid"]
    pool = {
        "name": "gpu",
        "size": 1,
        "labels": ["worker"],
        "additionalLabels": {"kind": "gpu", "empty": ""},
        "additionalAnnotations": {"note": "yes: no"},
        "taints": [{"key": "gpu", "value": "true", "effect": "NoSchedule"}, {"key": "x", "effect": "NoExecute"}],
        "updateStrategy": {"type": "RollingUpdateScaleIn"},
        "nodeRepaveInterval": 60,
        "skipK8sUpgrade": "enabled",
    }
    member = {"hostUid": "Spare_1", "nic": {"ip": "10.42.0.40", "subnet": "255.255.255.0", "gateway": "10.42.0.1"}}
    body = {"cloudConfig": {"edgeHosts": [member]}, "poolConfig": pool}
    lab.api("POST", f"/v1/cloudconfigs/edge-native/{config}/machinePools", body)
    labels = {"region": "north", "site": "store-042", "owner": "Ms. O'Hara {{ x }}", "bare": "spectro__tag"}
    metadata = {"name": "store-042", "labels": labels, "annotations": {"description": ODD}}
    lab.api("PATCH", f"/v1/spectroclusters/{found['store-042']}/metadata", {"metadata": metadata})
    lab.api("PATCH", f"/v1/spectroclusters/{found['store-007']}/clusterConfig/timezone", {"timezone": "Europe/Berlin"})

    settings = f"/v1/spectroclusters/{found['store-007']}/clusterConfig"
    lab.api("PATCH", f"{settings}/osPatch", {"osPatchConfig": {"schedule": "0 3 * * 6", "patchOnBoot": True}})
    lab.api("PATCH", f"{settings}/clusterMetaAttribute", {"clusterMetaAttribute": '{"store": 7}'})
    lab.api("PATCH", f"{settings}/controlPlaneHealthCheckTimeout", {"controlPlaneHealthCheckTimeout": "10m"})

    addon = {
        "name": "extras",
        "type": "manifest",
        "layer": "addon",
        "uid": "spectro-manifest-pack",
        "values": VALUES,
        "manifests": [{"name": "cm", "content": "kind: ConfigMap\ndata:\n  a: '{{.spectro.var.where}}'\n"}],
    }
    variables = [
        {"name": "where", "displayName": "Where", "defaultValue": "default", "regex": "^[a-z{}]+$"},
        {"name": "password", "displayName": "Password", "defaultValue": SECRET, "isSensitive": True},
    ]
    spec = {
        "version": "1.0.0",
        "variables": variables,
        "template": {"type": "add-on", "cloudType": "all", "packs": [addon]},
    }
    metadata = {"name": "extras", "labels": {"a": "b"}, "annotations": {"description": ODD}}
    uid = lab.api("POST", "/v1/clusterprofiles?publish=true", {"metadata": metadata, "spec": spec})["uid"]
    lab.api("POST", f"/v1/clusterprofiles/{uid}/clone", {"metadata": {"name": "extras", "version": "1.1.0"}})
    given = [{"name": "where", "value": "store{}"}, {"name": "password", "value": SECRET}]
    manifests = [{"name": "cm", "content": "kind: ConfigMap\ndata:\n  a: '{{ .spectro.system.cluster.name }}'\n"}]
    override = [{"name": "extras", "values": VALUES + "more: 1\n", "manifests": manifests}]
    attachment = {"profiles": [{"uid": uid, "variables": given, "packValues": override}]}
    lab.api("PATCH", f"/v1/spectroclusters/{found['store-100']}/profiles", attachment)

    # A cluster that knows nothing of sites: no tags, another name of the node, the address that its host has.
    pool = {
        "name": "cp",
        "size": 1,
        "labels": ["control-plane"],
        "isControlPlane": True,
        "useControlPlaneAsWorker": True,
    }
    network = {"controlPlaneEndpoint": {"host": "branch.stores.example", "type": "DDNS"}, "sshKeys": [KEY]}
    spec = {
        "cloudConfig": network,
        "machinepoolconfig": [
            {"cloudConfig": {"edgeHosts": [{"hostUid": "Spare_2", "hostName": "node"}]}, "poolConfig": pool}
        ],
        "profiles": [
            {"uid": next(one["metadata"]["uid"] for one in lab.search("clusterprofiles") if "store" in str(one))}
        ],
        "clusterConfig": {"timezone": "UTC"},
    }
    branch = {"metadata": {"name": "branch", "labels": {"my own": "tag {{ x }}"}}, "spec": spec}
    uid = lab.api("POST", "/v1/spectroclusters/edge-native", branch)["uid"]
    until(lambda: runs(lab, uid), 60, "the cluster branch runs")

    token = next(one for one in lab.tokens() if one["metadata"]["name"] == "store-007")
    body = {
        "metadata": {"name": "store-007", "annotations": {"description": "by hand: {{ x }}"}},
        "spec": {"expiry": "2031-05-06T07:08:09.123Z", "defaultProjectUid": token["spec"]["defaultProject"]["uid"]},
    }
    lab.api("PUT", f"/v1/edgehosts/tokens/{token['metadata']['uid']}", body, project="")
    body = {"metadata": {"uid": "edge-store-100-1", "name": "STORE 100 (1)", "labels": {"other": "1"}}}
    lab.api("PUT", "/v1/edgehosts/edge-store-100-1/meta", body)


def test_what_is_exported_changes_nothing(lab: Lab) -> None:
    formed = lab.play(limit="", extra={"site_configuration_over_ssh": False})
    assert formed.code == 0, formed.tell()
    by_hand(lab)
    export = Exporter(lab)
    with lab.untouched():
        predicted = export("--check")
        assert predicted.code == 0, predicted.tell()
        assert not export.folder.exists()
        run = export()
        assert run.code == 0, run.tell()
        assert run.changed == predicted.changed == {"localhost": 1}
        texts = export.texts()
        assert sorted(one for one in texts if one.startswith("sites/")) == [f"sites/{name}.yml" for name in SITES]
        secrets = [SECRET, PAIRING_KEY, *(one["spec"]["token"] for one in lab.tokens())]
        for path, text in texts.items():
            assert not [one for one in secrets if one in text], path
        assert not [one for one in secrets if one in run.text]

        extras = export.site("store-100")["profiles"][1]
        assert sorted(extras) == ["manifests", "name", "pack_values", "variables", "version"]

        site = lab.play(inventory=export.inventory, limit="")
        assert site.code == 0, site.tell()
        assert set(site.changed.values()) == {0}, site.tell()
        checked = lab.play("--check", "--diff", inventory=export.inventory, limit="store_100")
        assert checked.code == 0, checked.tell()
        assert set(checked.changed.values()) == {0}, checked.tell()
        assert not checked.diff_lines()

        again = export("--diff")
        assert again.code == 0, again.tell()
        assert again.changed == {"localhost": 0}, again.tell()
        assert export.texts() == texts
