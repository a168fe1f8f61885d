# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module at work: options, and a Palette that goes with them. For check mode, the contract and the canary."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    CONFIG,
    KUBECONFIG,
    OVERVIEW,
    PAIRING_KEY,
    PROFILE,
    attached,
    cluster,
    cluster_row,
    config,
    host,
    machine,
    manifest_pack,
    manifests_of,
    member,
    overview,
    pack,
    pool,
    profile,
    profile_row,
    token,
    unpaired,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, error, page, projects

TOKENS = "/v1/edgehosts/tokens"
PROFILES = "/v1/clusterprofiles"
CLUSTERS = "/v1/spectroclusters"
CLOUD = f"/v1/cloudconfigs/edge-native/{CONFIG}"


class World:
    """Calls that know whether a write came already."""

    def __init__(self) -> None:
        self.calls: list[Call] = [
            projects(),
            Call("GET", "/v1/users/info", {"userUid": "u"}, times=None, optional=True),
        ]
        self.calls[0].optional = True
        self.changed = False

    def reads(self, method: str, path: str, reply: Any, after: Any = None, *, status: int = 200, **more: Any) -> None:
        """A read that may come any number of times; ``after`` is its answer once something was written."""
        answer = (lambda dummy: after if self.changed else reply) if after is not None else reply
        params = more.pop("params", ANY)
        self.calls.append(
            Call(method, path, answer, status, params=params, body=ANY, times=None, optional=True, **more)
        )

    def writes(self, method: str, path: str, reply: Any = None, *, scope: str = PROJECT, times: int = 1) -> None:
        """A write that must come in a real run."""

        def done(dummy: Any) -> Any:
            self.changed = True
            return reply

        status = 204 if reply is None else 201
        self.calls.append(Call(method, path, done, status, params=ANY, body=ANY, scope=scope, times=times))


@dataclass(frozen=True)
class Case:
    """A module, its options and what they meet."""

    module: str
    name: str
    options: dict[str, Any]
    world: Callable[[], World]
    changed: bool = True

    def __str__(self) -> str:
        return f"{self.module}-{self.name}"

    def calls(self, *, check: bool) -> list[Call]:
        """Fresh calls; in check mode no write must come."""
        made = self.world().calls
        return [call for call in made if call.optional or not check]


CASES: list[Case] = []


def case(
    module: str, called: str, /, *, changed: bool = True, **options: Any
) -> Callable[[Callable[[World], None]], None]:
    """Registers the function below, which says what Palette has and takes, as a case."""

    def register(fill: Callable[[World], None]) -> None:
        def world() -> World:
            made = World()
            fill(made)
            return made

        CASES.append(Case(module, called, options, world, changed))

    return register


# -- registration tokens -------------------------------------------------------------------------------------------


@case(
    "registration_token",
    "create",
    name="store-042",
    description="Store 42",
    default_project="Default",
    expires="2030-01-01T10:00:00+02:00",
    active=False,
)
def _token_create(world: World) -> None:
    world.reads("GET", TOKENS, {"items": []}, {"items": [token(active=False)]}, scope="")
    world.writes("POST", TOKENS, {"uid": "uid-store-042"}, scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042/state", scope="")


@case("registration_token", "update", name="store-042", description="new", expires="2031-01-01", active=True)
def _token_update(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token("other"), token(active=False)]}, scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042", scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042/state", scope="")


@case("registration_token", "same", changed=False, name="store-042", expires="2030-01-01", default_project="Default")
def _token_same(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token()]}, scope="")


@case("registration_token", "delete", name="store-042", state="absent", expires="2001-01-01")
def _token_delete(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token()]}, {"items": []}, scope="")
    world.writes("DELETE", f"{TOKENS}/uid-store-042", scope="")


@case("registration_token_info", "all", changed=False)
def _token_info(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token(), token("other")]}, scope="")


# -- Edge hosts ----------------------------------------------------------------------------------------------------


@case(
    "edge_host",
    "register",
    uid="edge-1",
    name="front",
    tags={"site": "42"},
    architecture="amd64",
    pairing_key=PAIRING_KEY,
    remote_shell="enabled",
    remote_shell_temporary_user="enabled",
)
def _host_register(world: World) -> None:
    gone = Call("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), 404, optional=True)
    world.calls.append(gone)
    world.reads("GET", "/v1/edgehosts/edge-1", unpaired(pairing_key=PAIRING_KEY))
    world.writes("POST", "/v1/edgehosts", {"uid": "edge-1"})


@case(
    "edge_host",
    "site",
    hosts=[
        {"uid": "edge-new", "pairing_key": PAIRING_KEY},
        {"uid": "edge-tags", "tags": {"site": "42", "bare": ""}, "name": "front"},
        {"uid": "edge-same"},
        {"uid": "edge-shell", "remote_shell": "enabled", "pairing_key": "canary-pairing-key-other"},
    ],
    purge_tags=True,
    wait=True,
    wait_sleep=0,
)
def _host_site(world: World) -> None:
    world.calls.append(Call("GET", "/v1/edgehosts/edge-new", error("ResourceNotFound"), 404, optional=True))
    world.reads("GET", "/v1/edgehosts/edge-new", host("edge-new"))
    world.reads("GET", "/v1/edgehosts/edge-tags", host("edge-tags", labels={"old": "1"}))
    world.reads("GET", "/v1/edgehosts/edge-same", host("edge-same", state="in-use"))
    world.reads("GET", "/v1/edgehosts/edge-shell", host("edge-shell", pairing_key=PAIRING_KEY))
    world.writes("POST", "/v1/edgehosts", {"uid": "edge-new"})
    world.writes("PUT", "/v1/edgehosts/edge-tags/meta")
    world.writes("PATCH", "/v1/edgehosts/edge-shell/tunnelConfig")
    world.writes("PATCH", "/v1/edgehosts/edge-shell/hostPairingKey")


@case("edge_host", "same", changed=False, uid="edge-1", tags={"site": "42"}, wait=True)
def _host_same(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host(labels={"site": "42"}))


@case("edge_host", "delete", uid="edge-1", state="absent")
def _host_delete(world: World) -> None:
    world.calls.append(Call("GET", "/v1/edgehosts/edge-1", host(), optional=True))
    world.reads("GET", "/v1/edgehosts/edge-1", error("ResourceNotFound"), status=404)
    world.writes("DELETE", "/v1/edgehosts/edge-1")


@case("edge_host_info", "uids", changed=False, uids=["edge-1", "edge-2"])
def _host_info_uids(world: World) -> None:
    world.reads("GET", "/v1/edgehosts/edge-1", host(pairing_key=PAIRING_KEY))
    world.reads("GET", "/v1/edgehosts/edge-2", error("ResourceNotFound"), status=404)


@case(
    "edge_host_info",
    "search",
    changed=False,
    names=["edge-1"],
    tags={"site": "42", "bare": ""},
    states=["ready", "in-use"],
    healths=["healthy"],
    architectures=["amd64"],
)
def _host_info_search(world: World) -> None:
    world.reads("POST", "/v1/dashboard/edgehosts/search", page([host(pairing_key=PAIRING_KEY)]))


# -- cluster profiles ----------------------------------------------------------------------------------------------

PACKS = [
    {"name": "edge-native-byoi", "version": "2.1.0", "registry": "Public", "layer": "os"},
    {"name": "edge-k3s", "version": "1.30.4", "values": "a: 1\n"},
    {"name": "greeting", "type": "manifest", "manifests": [{"name": "cm", "content": "kind: ConfigMap\n"}]},
]
VARIABLES = [
    {
        "name": "who",
        "display_name": "Who",
        "description": "whom to greet",
        "default_value": "world",
        "format": "string",
        "input_type": "dropdown",
        "options": [{"value": "world", "label": "World", "description": "all"}],
        "regex": ".*",
        "required": True,
        "hidden": False,
        "immutable": False,
    },
    {"name": "secret", "default_value": "canary-variable-5f2a", "sensitive": True},
]


def _catalogue(world: World) -> None:
    world.reads("GET", "/v1/registries/metadata", {"items": [{"name": "Public", "uid": "uid-registry"}]})
    found = {"spec": {"name": "edge-k3s", "registries": [{"uid": "uid-registry", "name": "Public"}]}}
    world.reads("POST", "/v1/packs/search", page([found]))
    for name, version in (("edge-native-byoi", "2.1.0"), ("edge-k3s", "1.30.4")):
        entry = {"layer": "k8s", "tags": [{"version": version, "packUid": f"uid-{name}"}], "packValues": []}
        world.reads("GET", f"/v1/packs/{name}/registries/uid-registry", entry)


def _profile_reads(world: World, *, uid: str = PROFILE, rows: Any = None, after: Any = None, **more: Any) -> None:
    world.reads("POST", "/v1/dashboard/clusterprofiles", page(rows or [profile_row(v1_0_0=uid)]), after)
    layers = [pack("edge-k3s"), manifest_pack("greeting", "cm", "old")]
    world.reads("GET", f"{PROFILES}/{uid}", profile(uid=uid, packs=layers, **more))
    variables = [{"name": "who", "defaultValue": "nobody", "hidden": True}, {"name": "old"}]
    world.reads("GET", f"{PROFILES}/{uid}/variables", {"variables": variables})
    contents = manifests_of(greeting={"cm": "kind: Old", "old": "kind: Gone"})
    world.reads("GET", f"{PROFILES}/{uid}/packs/manifests", contents)


@case(
    "cluster_profile",
    "create",
    name="edge-store",
    description="Stores",
    tags={"a": "1", "bare": ""},
    packs=PACKS,
    variables=VARIABLES,
)
def _profile_create(world: World) -> None:
    _catalogue(world)
    _profile_reads(world, rows=[profile_row("other", v1_0_0="x")], after=page([profile_row(v1_0_0=PROFILE)]))
    world.writes("POST", PROFILES, {"uid": PROFILE})


@case(
    "cluster_profile",
    "in-place",
    name="edge-store",
    description="new",
    tags={"a": "1"},
    packs=PACKS,
    variables=VARIABLES,
    update_in_use=True,
)
def _profile_update(world: World) -> None:
    _catalogue(world)
    _profile_reads(world, clusters=["store-042"])
    at = f"{PROFILES}/{PROFILE}"
    world.writes("PATCH", f"{at}/variables")
    world.writes("PUT", at)
    world.writes("DELETE", f"{at}/variables")
    world.writes("PATCH", f"{at}/metadata")
    world.writes("PATCH", f"{at}/publish")


@case("cluster_profile", "new-version", name="edge-store", version="1.1.0", packs=PACKS, variables=VARIABLES)
def _profile_version(world: World) -> None:
    _catalogue(world)
    both = page([profile_row(v1_0_0=PROFILE, v1_1_0="uid-copy")])
    _profile_reads(world, after=both)
    copy = World()
    _profile_reads(copy, uid="uid-copy", version="1.1.0", draft=True)
    world.calls += [call for call in copy.calls if call.path.startswith(f"{PROFILES}/uid-copy")]
    world.writes("POST", f"{PROFILES}/{PROFILE}/clone", {"uid": "uid-copy"})
    world.writes("PATCH", f"{PROFILES}/uid-copy/variables")
    world.writes("PUT", f"{PROFILES}/uid-copy")
    world.writes("DELETE", f"{PROFILES}/uid-copy/variables")
    world.writes("PATCH", f"{PROFILES}/uid-copy/publish")


@case("cluster_profile", "same", changed=False, name="edge-store")
def _profile_same(world: World) -> None:
    _profile_reads(world)


@case("cluster_profile", "delete", name="edge-store", state="absent")
def _profile_delete(world: World) -> None:
    _profile_reads(world, after=page([]))
    world.writes("DELETE", f"{PROFILES}/{PROFILE}")


@case("cluster_profile_info", "all", changed=False)
def _profile_info(world: World) -> None:
    row = {"metadata": {"name": "edge-store", "uid": PROFILE}, "spec": {"cloudType": "edge-native", "version": "1.0.0"}}
    world.reads("GET", "/v1/dashboard/clusterprofiles/metadata", {"items": [row]})


@case("cluster_profile_info", "one", changed=False, name="edge-store", version="1.0.0")
def _profile_info_one(world: World) -> None:
    _profile_reads(world)


# -- clusters ------------------------------------------------------------------------------------------------------


def site_hosts(*numbers: int) -> list[dict[str, Any]]:
    """Members of a pool."""
    return [
        {
            "uid": f"edge-{number}",
            "name": f"store-042-{number}",
            "address": f"10.42.0.{10 + number}/24",
            "gateway": "10.42.0.1",
            "nameservers": ["10.42.0.1"],
            "nic": "host0",
        }
        for number in numbers
    ]


def definition(**more: Any) -> dict[str, Any]:
    """The options of a good cluster."""
    return {
        "name": "store-042",
        "vip": "10.42.0.10",
        "ntp_servers": ["pool.ntp.org"],
        "ssh_keys": ["ssh-ed25519 AAAA me"],
        "profiles": [{"name": "edge-store", "version": "1.0.0", "variables": {"who": "you", "pin": "canary-pin-4711"}}],
        "node_pools": [{"name": "control-plane-pool", "control_plane": True, "hosts": site_hosts(1, 2, 3)}],
        "wait_sleep": 0,
        **more,
    }


def site(world: World, **hosts: Any) -> None:
    """A profile, five hosts that are ready, and no cluster."""
    rows = page([profile_row(v1_0_0=PROFILE, v2_0_0="uid-2")])
    world.reads("POST", "/v1/dashboard/clusterprofiles", rows)
    world.reads("GET", f"{PROFILES}/{PROFILE}", profile())
    world.reads("GET", f"{PROFILES}/uid-2", profile(version="2.0.0", uid="uid-2"))
    declared = {"variables": [{"name": "who"}, {"name": "pin", "isSensitive": True}]}
    for uid in (PROFILE, "uid-2"):
        world.reads("GET", f"{PROFILES}/{uid}/variables", declared)
    for number in range(1, 6):
        uid = f"edge-{number}"
        world.reads("GET", f"/v1/edgehosts/{uid}", hosts.get(f"h{number}", host(uid)))


def _running(world: World, pools: list[Any], *, found: Any = None, after: Any = None, **more: Any) -> None:
    rows = page([cluster_row()]) if found is None else found
    world.reads("POST", "/v1/dashboard/spectroclusters/search", rows, after)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster(**more))
    world.reads("GET", CLOUD, config(*pools, ntpServers=["old"]))
    known = [{"profileUid": PROFILE, "variables": [{"name": "who", "value": "world"}]}]
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/variables", known)
    for one in pools:
        machines = {"items": [machine(each["hostUid"]) for each in one["hosts"]]}
        world.reads("GET", f"{CLOUD}/machinePools/{one['name']}/machines", machines)


def _members(*numbers: int) -> list[dict[str, Any]]:
    return [member(f"edge-{number}", f"10.42.0.{10 + number}", name=f"store-042-{number}") for number in numbers]


@case(
    "cluster",
    "create",
    **definition(
        description="Store 42",
        tags={"site": "store-042", "bare": ""},
        timezone="Europe/Berlin",
        meta_attribute="x",
        control_plane_health_check_timeout="10m",
        os_patch={"schedule": "0 3 * * 0", "on_boot": True, "reboot_if_required": False},
        location={"latitude": 53.5, "longitude": 10, "country_code": "DE", "region_name": "Hamburg"},
        update_worker_pools_in_parallel=True,
        node_pools=[
            {
                "name": "control-plane-pool",
                "control_plane": True,
                "control_plane_as_worker": True,
                "hosts": site_hosts(1, 2, 3),
            },
            {
                "name": "workers",
                "hosts": site_hosts(4),
                "architecture": "amd64",
                "additional_labels": {"zone": "x", "number": 1},
                "additional_annotations": {"a": "b"},
                "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}],
                "update_strategy": {"type": "OverrideScaling", "max_surge": "1", "max_unavailable": "0"},
                "node_repave_interval": 60,
                "skip_kubernetes_upgrade": True,
                "override_kubeadm_configuration": "a: 1",
            },
        ],
    ),
)
def _cluster_create(world: World) -> None:
    site(world)
    world.reads("POST", f"{CLUSTERS}/edge-native/validate", {})
    pools = [pool("control-plane-pool", *_members(1, 2, 3), control_plane=True), pool("workers", *_members(4))]
    _running(world, pools, found=page([]), after=page([cluster_row()]))
    world.writes("POST", f"{CLUSTERS}/edge-native", {"uid": CLUSTER})


@case(
    "cluster",
    "everything",
    **definition(
        description="new",
        tags={"a": "1"},
        timezone="Europe/Berlin",
        meta_attribute="x",
        control_plane_health_check_timeout="10m",
        os_patch={"schedule": "0 3 * * 0"},
        location={"latitude": 53.5, "longitude": 10},
        profiles=[{"name": "edge-store", "version": "2.0.0", "pack_values": {"k8s": "a: 2"}}],
        purge_profiles=True,
        node_pools=[
            {"name": "control-plane-pool", "control_plane": True, "hosts": site_hosts(1, 2, 3)},
            {"name": "workers", "hosts": site_hosts(4), "additional_labels": {"zone": "y"}},
        ],
        purge_node_pools=True,
        wait=False,
    ),
)
def _cluster_change(world: World) -> None:
    site(world)
    pools = [pool("control-plane-pool", *_members(1), control_plane=True), pool("old", *_members(5))]
    addon = attached("monitoring", uid="uid-addon", type="add-on")
    patch = {"osPatchConfig": {"schedule": "x", "onDemandPatchAfter": "0001-01-01T00:00:00.000Z"}}
    _running(world, pools, profiles=[attached(), addon], settings={"machineManagementConfig": patch})
    at = f"{CLUSTERS}/{CLUSTER}"
    world.writes("PATCH", f"{at}/metadata")
    world.writes("PUT", f"{CLOUD}/clusterConfig")
    world.writes("PUT", f"{CLOUD}/machinePools/control-plane-pool")
    world.writes("POST", f"{CLOUD}/machinePools", {"uid": "x"})
    world.writes("DELETE", f"{CLOUD}/machinePools/old/machines/machine-edge-5")
    world.writes("DELETE", f"{CLOUD}/machinePools/old")
    world.writes("DELETE", f"{at}/profiles")
    world.writes("PATCH", f"{at}/profiles")
    for setting in ("timezone", "clusterMetaAttribute", "controlPlaneHealthCheckTimeout", "osPatch"):
        world.writes("PATCH", f"{at}/clusterConfig/{setting}")
    world.writes("PUT", f"{at}/location")


@case("cluster", "variables", name="store-042", profiles=definition()["profiles"], wait=False)
def _cluster_variables(world: World) -> None:
    site(world)
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])
    world.writes("PATCH", f"{CLUSTERS}/{CLUSTER}/variables")


@case("cluster", "same", changed=False, name="store-042", description="", vip="10.42.0.10", wait_sleep=0)
def _cluster_same(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])


@case("cluster", "delete", name="store-042", state="absent", wait_sleep=0)
def _cluster_delete(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)], after=page([]))
    world.writes("DELETE", f"{CLUSTERS}/{CLUSTER}")


@case("cluster_info", "all", changed=False)
def _cluster_info(world: World) -> None:
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))


def _seen(world: World) -> None:
    _running(world, [pool("control-plane-pool", *_members(1), control_plane=True)])
    world.reads("GET", OVERVIEW, overview())


@case("cluster_info", "one", changed=False, name="store-042")
def _cluster_info_one(world: World) -> None:
    _seen(world)


# The file of the case below, which holds the kubeconfig already: what a case changes is in Palette, not in a file.
_FOLDER = tempfile.TemporaryDirectory(prefix="palette-edge-test-")
_HELD = Path(_FOLDER.name, "store-042.yaml")


def _held(world: World) -> None:
    _seen(world)
    _HELD.touch(mode=0o600)
    _HELD.write_text(KUBECONFIG, encoding="utf-8")


@case("cluster_info", "kubeconfig", changed=False, name="store-042", kubeconfig_path=str(_HELD))
def _cluster_info_kubeconfig(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/adminKubeconfig", KUBECONFIG.encode())


@case(
    "cluster_info",
    "proxy",
    changed=False,
    name="store-042",
    kubeconfig_path=str(_HELD),
    kubeconfig_type="proxy",
)
def _cluster_info_proxy(world: World) -> None:
    _held(world)
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/assets/kubeconfig", KUBECONFIG.encode(), params={"frp": "true"})
