# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idempotence on the lab's controller: what a run has done, the next run finds, and check mode says so before."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests

from ansible_collections.palette.edge.tests.unit import module_runner
from ansible_collections.palette.edge.tests.unit.lab_controller import World
from ansible_collections.palette.edge.tests.unit.palette_server import FakeClock

WRITES = ("POST", "PUT", "PATCH", "DELETE")
READING_POSTS = ("/search", "/validate", "/v1/dashboard/")


@dataclass
class Site:
    """Modules that speak to a lab's controller in this process."""

    world: World
    written: list[str] = field(default_factory=list)
    # The controller serves one request after the other; the session sends several at a time.
    lock: Any = field(default_factory=threading.Lock)

    def send(self, dummy: Any, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """What the adapter of the session does: ask the controller."""
        parts = urlsplit(request.url or "")
        path = unquote(str(parts.path))
        if request.method in WRITES and not any(part in path for part in READING_POSTS):
            self.written.append(f"{request.method} {path}")
        params = dict(parse_qsl(str(parts.query)))
        with self.lock:
            reply = self.world.send(str(request.method), path, request.body or b"", dict(request.headers), **params)
        response = requests.Response()
        response.status_code = reply.status_code
        response.request, response.url = request, request.url or ""
        response.raw = io.BytesIO(reply.content)
        response.headers.update(reply.headers)
        return response

    def run(self, module: str, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
        """The result of a module that must not fail."""
        self.written.clear()
        result = module_runner.run_module(module, options, check=check)
        assert not result.get("failed"), result
        assert not (check and self.written), self.written
        assert bool(self.written) is (result["changed"] and not check), (result, self.written)
        return result

    def settles(self, module: str, **options: Any) -> dict[str, Any]:
        """Check, run, run and check: the first two change the same, the others nothing."""
        said = self.run(module, options, check=True)
        did = self.run(module, options)
        assert (said["changed"], did["changed"]) == (True, True)
        assert said["steps"] == did["steps"]
        self.stays(module, **options)
        return did

    def stays(self, module: str, **options: Any) -> None:
        """Nothing changes."""
        for check in (False, True):
            again = self.run(module, options, check=check)
            assert again["changed"] is False, (again["steps"], again.get("diff"))


@pytest.fixture
def site(environment: pytest.MonkeyPatch, clock: FakeClock, tmp_path: Path) -> Iterator[Site]:
    world = World(tmp_path / "lab")
    made = Site(world)
    environment.setenv("PALETTE_HOST", "https://palette.invalid")
    environment.setenv("PALETTE_API_KEY", world.lab.api_key)

    def send(*args: Any, **more: Any) -> requests.Response:
        return made.send(*args, **more)

    environment.setattr(requests.adapters.HTTPAdapter, "send", send)
    yield made
    world.lab.store.close()


def test_registration_tokens(site: Site) -> None:
    name = {"name": "store-042"}
    # The lab's clock stands in 2027.
    site.settles("registration_token", **name, description="Store 42", default_project="Default", expires="2029-01-01")
    site.stays("registration_token", **name)
    site.settles("registration_token", **name, description="", active=False)
    site.settles("registration_token", **name, expires="2030-06-01T10:00:00+02:00", active=True)
    site.settles("registration_token", **name, default_project="")
    site.settles("registration_token", **name, state="absent")


def test_edge_hosts(site: Site) -> None:
    first = {
        "uid": "edge-1",
        "tags": {"site": "042", "bare": ""},
        "pairing_key": "canary-key",
        "remote_shell": "enabled",
        "remote_shell_temporary_user": "enabled",
    }
    both = [first, {"uid": "edge-2", "name": "second"}]
    site.settles("edge_host", hosts=both)
    site.settles("edge_host", uid="edge-1", name="front", tags={"site": "043"})
    site.settles("edge_host", uid="edge-1", tags={"only": "1"}, purge_tags=True)
    site.settles("edge_host", uid="edge-1", tags={}, purge_tags=True)
    site.settles("edge_host", uid="edge-1", remote_shell="disabled", remote_shell_temporary_user="disabled")
    site.settles("edge_host", uid="edge-1", pairing_key="canary-other")
    site.settles("edge_host", hosts=[{"uid": "edge-1"}, {"uid": "edge-2"}], state="absent")


def test_sixty_edge_hosts(site: Site) -> None:
    hosts = [{"uid": f"edge-{number}", "tags": {"site": "042"}} for number in range(60)]
    site.settles("edge_host", hosts=hosts)
    hosts[59] = {"uid": "edge-59", "name": "last", "remote_shell": "enabled"}
    did = site.settles("edge_host", hosts=hosts)
    assert len(did["steps"]) == 2


def test_a_host_that_registered_itself(site: Site) -> None:
    site.world.hosts("edge-1")
    site.stays("edge_host", uid="edge-1", wait=True)
    site.settles("edge_host", uid="edge-1", tags={"site": "042"})


LAYERS: list[dict[str, Any]] = [
    {"name": "edge-native-byoi", "version": "2.1.0", "registry": "Public Repo"},
    {"name": "edge-k3s", "version": "1.30.4"},
    {
        "name": "greeting",
        "type": "manifest",
        "manifests": [{"name": "cm", "content": "\nkind: ConfigMap\ntext: '{{.spectro.var.who}}'\n"}],
    },
]
WHO = {"name": "who", "default_value": "world", "required": True, "description": "whom to greet"}
SECRET = {"name": "secret", "default_value": "canary", "sensitive": True}


def test_cluster_profiles(site: Site) -> None:
    store: dict[str, Any] = {"name": "edge-store", "packs": LAYERS, "variables": [WHO, SECRET]}
    site.settles("cluster_profile", **store, description="Stores", tags={"a": "1", "bare": ""})
    site.stays("cluster_profile", **store)
    site.stays("cluster_profile", name="edge-store")
    site.settles("cluster_profile", name="edge-store", description="", tags={})
    site.settles("cluster_profile", name="edge-store", variables=[{**WHO, "hidden": True}, SECRET])
    site.settles("cluster_profile", name="edge-store", variables=[{**WHO, "hidden": False}, SECRET])
    other = {**LAYERS[2], "manifests": [{"name": "cm", "content": "kind: Secret"}, {"name": "b", "content": "kind: B"}]}
    site.settles("cluster_profile", name="edge-store", packs=[*LAYERS[:2], other], variables=[])
    site.settles("cluster_profile", name="edge-store", packs=[LAYERS[1], LAYERS[0]])
    site.settles("cluster_profile", **store, version="1.10.0")
    site.settles("cluster_profile", name="edge-store", version="1.11.0")
    newest = site.run("cluster_profile_info", {"name": "edge-store", "version": "1.11.0"})["cluster_profiles"]
    assert [one["name"] for one in newest[0]["packs"]] == [one["name"] for one in LAYERS]
    for version in ("1.0.0", "1.10.0", "1.11.0"):
        site.settles("cluster_profile", name="edge-store", version=version, state="absent")


def members(*numbers: int) -> list[dict[str, Any]]:
    return [
        {
            "uid": f"edge-{number}",
            "name": f"store-042-{number}",
            "address": f"10.42.0.{10 + number}/24",
            "gateway": "10.42.0.1",
        }
        for number in numbers
    ]


def test_clusters(site: Site) -> None:
    uids = site.world.hosts(*(f"edge-{number}" for number in range(1, 7)))
    manifest = LAYERS[2]
    site.run("cluster_profile", {"name": "edge-store", "packs": LAYERS, "variables": [WHO, SECRET]})
    site.run("cluster_profile", {"name": "edge-store", "version": "2.0.0"})
    site.run(
        "cluster_profile",
        {"name": "extra", "type": "add-on", "packs": [{**manifest, "name": "extra-greeting"}], "variables": [WHO]},
    )
    first: dict[str, Any] = {"name": "edge-store", "version": "1.0.0", "variables": {"who": "you", "secret": "canary"}}
    plane = {"name": "control-plane-pool", "control_plane": True, "hosts": members(1, 2, 3)}
    workers: dict[str, Any] = {
        "name": "workers",
        "hosts": members(4),
        "additional_labels": {"zone": 1},
        "taints": [{"key": "k", "effect": "NoSchedule"}],
        "update_strategy": {"type": "RollingUpdateScaleIn"},
    }
    store: dict[str, Any] = {
        "name": "store-042",
        "vip": "10.42.0.10",
        "ntp_servers": ["pool.ntp.org"],
        "ssh_keys": ["ssh-ed25519 AAAA me"],
        "profiles": [first],
        "node_pools": [plane, workers],
        "wait": False,
    }

    def run() -> None:
        site.world.later(30, beats=uids)

    site.run("cluster", store, check=True)
    assert site.run("cluster", store)["changed"] is True
    site.stays("cluster", **store)  # also while it is being formed
    run()
    site.stays("cluster", **{**store, "wait": True})
    name = {"name": "store-042", "wait": False}
    site.settles("cluster", **name, description="Store 42", tags={"site": "042", "bare": ""})
    site.settles("cluster", **name, description="", tags={})
    site.settles("cluster", **name, ntp_servers=["a", "b"], ssh_keys=[])
    site.settles(
        "cluster",
        **name,
        timezone="Europe/Berlin",
        meta_attribute="x",
        control_plane_health_check_timeout="10m",
        os_patch={"schedule": "0 3 * * 0", "on_boot": True},
        location={"latitude": 53.5, "longitude": 10.0, "country_code": "DE"},
    )
    site.settles("cluster", **name, meta_attribute="")
    site.settles("cluster", **name, profiles=[{**first, "variables": {"who": "all", "secret": "canary"}}])
    changed = {**workers, "additional_labels": {}, "taints": [], "node_repave_interval": 60}
    site.settles("cluster", **name, node_pools=[plane, changed])
    run()
    site.settles("cluster", **name, node_pools=[plane, {**changed, "hosts": members(4, 5)}])
    run()
    site.settles("cluster", **name, node_pools=[plane, {**changed, "hosts": members(5, 6)}])
    run()
    site.settles("cluster", **name, node_pools=[plane], purge_node_pools=True)
    run()
    addon = {"name": "extra", "version": "1.0.0", "variables": {"who": "me"}}
    site.settles("cluster", **name, profiles=[first | {"variables": None}, addon])
    second = {"name": "edge-store", "version": "2.0.0", "pack_values": {"edge-k3s": "b: 2"}}
    site.settles("cluster", **name, profiles=[second, addon])
    site.settles("cluster", **name, profiles=[second], purge_profiles=True)
    run()
    seen = site.run("cluster_info", {"name": "store-042"})["clusters"][0]
    assert seen["running"], seen["progress"]
    assert [one["version"] for one in seen["profiles"]] == ["2.0.0"]
    site.settles("cluster", **name, state="absent")
    run()
    site.stays("cluster", **name, state="absent")


def test_the_kubeconfig_of_a_cluster(site: Site, tmp_path: Path) -> None:
    world = site.world
    world.lab.options.kubernetes = {"edge-k8s": ("1.20.2",)}
    profile = world.profile(packs=[world.pack("edge-k8s", "1.20.2")])
    uid = world.create_cluster(*world.hosts("edge-1"), profile=profile)
    path = tmp_path / "store.yaml"
    options = {"name": "store-042", "kubeconfig_path": str(path)}
    assert site.run("cluster_info", {"name": "store-042"})["clusters"][0]["running"] is False
    admin, proxy = (f"apiVersion: v1\nclusters: [{kind}]\n" for kind in ("admin", "proxy"))
    world.form(uid, kubeconfig={"admin": admin, "proxy": proxy})
    assert site.run("cluster_info", options, check=True)["changed"] is True
    # What is written is a file, and nothing in Palette.
    assert module_runner.run_module("cluster_info", options)["changed"] is True
    assert path.read_text() == admin
    again = site.run("cluster_info", options)
    assert again["changed"] is False
    (seen,) = again["clusters"]
    assert (seen["running"], seen["health"], seen["kubernetes_version"]) == (True, "Healthy", "1.20.2")
    assert module_runner.run_module("cluster_info", {**options, "kubeconfig_type": "proxy"})["changed"] is True
    assert path.read_text() == proxy
    assert site.written == []
