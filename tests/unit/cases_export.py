# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The case of the export: it writes files, never to Palette, so the folder holds the export already."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils.export._read import read_project
from ansible_collections.palette.edge.plugins.module_utils.export._tree import tree_of
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope
from ansible_collections.palette.edge.tests.unit.module_world import CLOUD, CLUSTERS, PROFILES, TOKENS, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    CLUSTER,
    PAIRING_KEY,
    PROFILE,
    attached,
    cluster,
    cluster_row,
    config,
    host,
    manifest_pack,
    manifests_of,
    member,
    pack,
    pool,
    profile,
    profile_row,
    token,
)
from ansible_collections.palette.edge.tests.unit.palette_server import PROJECT, page

_ROOM = tempfile.TemporaryDirectory(prefix="palette-edge-case-")
_SECRET = {"name": "secret", "isSensitive": True, "defaultValue": "*****"}


class _Answers:
    """What reads a project, answered by the calls of a world."""

    def __init__(self, world: World) -> None:
        self._replies = {(call.method, call.path): call.reply for call in world.calls}

    def request(self, method: str, path: str, **dummy: Any) -> Any:
        return self._replies[method, path]

    def pages(self, method: str, path: str, **dummy: Any) -> Iterator[Any]:
        yield from self._replies[method, path]["items"]

    @staticmethod
    def map(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]


@case("project_export", "same", changed=False, dest=_ROOM.name)
def _same(world: World) -> None:
    hosts = [host("edge-1", cluster="store-042", pairing_key=PAIRING_KEY), host("edge-2", pairing_key=PAIRING_KEY)]
    world.reads("POST", "/v1/dashboard/edgehosts/search", page(hosts))
    world.reads("POST", "/v1/dashboard/spectroclusters/search", page([cluster_row()]))
    template = attached(packs=[pack("k8s", values="a: 1")])
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}", cluster(description="Store {{ 42 }}", profiles=[template]))
    world.reads("GET", CLOUD, config(pool("plane", member("edge-1", "10.42.0.11"), control_plane=True)))
    values = [{**_SECRET, "value": "*****"}, {"name": "who", "value": "you"}]
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/variables", [{"profileUid": PROFILE, "variables": values}])
    own = {"metadata": {"uid": PROFILE}, **manifests_of(greeting={"cm": "kind: Secret"})}
    world.reads("GET", f"{CLUSTERS}/{CLUSTER}/profiles/packs/manifests", {"profiles": [own]})
    world.reads("POST", "/v1/dashboard/clusterprofiles", page([profile_row(v1_0_0=PROFILE)]))
    layers = [pack("k8s", values="a: {{.spectro.var.who}}"), manifest_pack("greeting", "cm")]
    world.reads("GET", f"{PROFILES}/{PROFILE}", profile(packs=layers))
    world.reads("GET", f"{PROFILES}/{PROFILE}/variables", {"variables": [{"name": "who"}, _SECRET]})
    world.reads("GET", f"{PROFILES}/{PROFILE}/packs/manifests", manifests_of(greeting={"cm": "kind: ConfigMap"}))
    world.reads("GET", TOKENS, {"items": [token()]}, scope="")
    registry = {"name": "Public Repo", "uid": "uid-registry", "kind": "pack", "scope": "system"}
    world.reads("GET", "/v1/registries/metadata", {"items": [registry]})
    entry = {"layer": "k8s", "name": "k8s", "tags": [{"version": "1.0.0", "packUid": "uid-k8s"}], "packValues": []}
    world.reads("GET", "/v1/packs/k8s/registries/uid-registry", entry)
    _write(world)


def _write(world: World) -> None:
    session: Any = _Answers(world)
    now = datetime.datetime.now(datetime.timezone.utc)
    tree = tree_of(read_project(session, Scope(PROJECT)), now=now)
    for path, text in tree.texts.items():
        file = Path(_ROOM.name) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
