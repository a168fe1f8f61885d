# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's controller without a server, with a clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from lab.controller.__main__ import open_lab
from lab.controller.app import Application
from lab.controller.core import Options
from lab.controller.packs import REGISTRY, pack_uid

START = 1_800_000_000.0
SEARCH = "/v1/dashboard/edgehosts/search"
TENANT = ""


@dataclass(frozen=True)
class Reply:
    """An answer; ``headers`` in lower case."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        """The body as it is."""
        return self.content.decode()

    def json(self) -> Any:
        """The body's content."""
        return json.loads(self.content)


class World:
    """``clock`` is the time; ``call`` asks in the scope of the project Default, unless told otherwise."""

    def __init__(self, folder: Path, *, now: float = START, **options: Any) -> None:
        self.folder = folder
        self.now = now
        self.lab = open_lab(folder, Options(**{"rate_limits": False, **options}), clock=lambda: self.now)
        self.app = Application(self.lab)
        self.projects = {one["metadata"]["name"]: one["metadata"]["uid"] for one in self.lab.store.all("project")}
        self.project = self.projects["Default"]

    def again(self, **options: Any) -> World:
        """Another controller on the same folder, as after a restart."""
        self.lab.store.close()
        return World(self.folder, now=self.now, **options)

    def later(self, seconds: float, *, beats: tuple[str, ...] = ()) -> None:
        """Time passes, a request a second; the hosts of ``beats`` are heard of all the while."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 0.5)
            for uid in beats:
                self.beat(uid)
            self.call("GET", "/v1/users/info")

    def call(
        self, method: str, path: str, body: Any = None, *, scope: str | None = None, headers: Any = None, **params: Any
    ) -> Reply:
        """One request with the lab's API key. A body of bytes goes as it is."""
        scope = self.project if scope is None else scope
        sent = {"ApiKey": self.lab.api_key, **({"ProjectUid": scope} if scope else {}), **(headers or {})}
        return self.send(method, path, body, sent, **params)

    def send(self, method: str, path: str, body: Any, headers: dict[str, str], **params: Any) -> Reply:
        """One request with these headers alone, as a server would pass it on."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": urlencode(params).encode(),
            "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "scheme": "http",
        }
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        asyncio.run(self.app(scope, receive, send))
        start, *bodies = messages
        answered = {key.decode(): value.decode() for key, value in start["headers"]}
        return Reply(start["status"], answered, b"".join(one.get("body", b"") for one in bodies))

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a request that must succeed."""
        reply = self.call(method, path, body, **more)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def refused(self, status: int, code: str, method: str, path: str, body: Any = None, **more: Any) -> str:
        """The message of a request that must be refused so."""
        reply = self.call(method, path, body, **more)
        assert reply.status_code == status, reply.text
        assert reply.json()["code"] == code, reply.text
        assert set(reply.json()) == {"code", "message", "details", "ref"}
        return str(reply.json()["message"])

    # -- objects

    def token(self, name: str = "store", *, project: str | None = None, expiry: str = "2030-01-01T00:00:00Z") -> str:
        """UID of a new registration token."""
        default = self.project if project is None else project
        spec = {"expiry": expiry, **({"defaultProjectUid": default} if default else {})}
        body = {"metadata": {"name": name}, "spec": spec}
        return str(self.ok("POST", "/v1/edgehosts/tokens", body, scope=TENANT)["uid"])

    def secret(self, token: str) -> str:
        """The secret of a token."""
        return str(self.ok("GET", f"/v1/edgehosts/tokens/{token}", scope=TENANT)["spec"]["token"])

    def agent(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A request of an agent."""
        return self.send(method, path, body, {"X-Lab-Source": "agent", **headers})

    def report(self, uid: str, *, key: str = "", labels: Any = None, **host: Any) -> dict[str, Any]:
        """What an agent tells of its host."""
        nic = {"nicName": "host0", "ip": "10.42.0.11", "subnet": "255.255.255.0", "isDefault": True}
        inner = {"hostUid": uid, "hostAddress": "10.42.0.11", "macAddress": "02:00:00:00:00:01", **host}
        if key:
            inner["hostPairingKey"] = key
        spec = {"device": {"archType": "amd64", "nics": [nic]}, "host": inner, "type": "edge-native"}
        return {"metadata": {"uid": uid, "name": uid, "labels": labels or {}}, "spec": spec}

    def register(self, uid: str, *, secret: str = "", **report: Any) -> Reply:
        """An agent calls for the first time."""
        headers = {"EdgeHostToken": secret} if secret else {}
        return self.agent("POST", "/v1/edgehosts/register", self.report(uid, **report), **headers)

    def beat(self, uid: str, state: str = "healthy") -> int:
        """A heartbeat; returns the status of the answer."""
        host = self.lab.store.get("host", uid) or {"status": {}}
        headers = {"ServiceToken": str(host["status"].get("serviceAuthToken"))}
        body = {"agentVersion": "4.8.21", "message": "", "state": state}
        return self.agent("PATCH", f"/v1/edgehosts/{uid}/health", body, **headers).status_code

    def hosts(self, *uids: str) -> tuple[str, ...]:
        """Hosts that are ready and healthy."""
        secret = self.secret(self.token("hosts"))
        for uid in uids:
            assert self.register(uid, secret=secret).status_code == 200
            assert self.beat(uid) == 204
        return uids

    def host(self, uid: str) -> dict[str, Any]:
        """A host as it is read."""
        found: dict[str, Any] = self.ok("GET", f"/v1/edgehosts/{uid}")
        return found

    def pack(self, name: str = "edge-k3s", version: str = "1.30.4", layer: str = "k8s", **more: Any) -> dict[str, Any]:
        """A pack of the catalogue, as a profile is written."""
        uid = {"uid": pack_uid(name, version), "registryUid": REGISTRY["uid"], "tag": version, "type": "spectro"}
        return {"name": name, "layer": layer, "values": "a: 1", **uid, **more}

    def profile(
        self, name: str = "edge", version: str = "1.0.0", *, packs: Any = None, variables: Any = None, **more: Any
    ) -> str:
        """UID of a new profile, published."""
        given = [self.pack()] if packs is None else packs
        template = {"type": "cluster", "cloudType": "edge-native", "packs": given, **more}
        spec = {"version": version, "template": template, "variables": variables or []}
        body = {"metadata": {"name": name}, "spec": spec}
        return str(self.ok("POST", "/v1/clusterprofiles", body, publish="true")["uid"])

    @staticmethod
    def pool(*uids: str, name: str = "plane", worker: bool = False, **config: Any) -> dict[str, Any]:
        """A node pool as it is written."""
        given = {"name": name, "size": len(uids), "labels": ["worker" if worker else "control-plane"], **config}
        if not worker:
            given["isControlPlane"] = True
        return {"cloudConfig": {"edgeHosts": [{"hostUid": uid} for uid in uids]}, "poolConfig": given}

    def definition(self, profile: str, *pools: Any, name: str = "store-042") -> dict[str, Any]:
        """A cluster's definition."""
        endpoint = {"host": "10.42.0.10", "type": "VIP"}
        network = {"controlPlaneEndpoint": endpoint, "sshKeys": ["ssh-ed25519 AAAA"], "ntpServers": ["pool.ntp.org"]}
        spec = {"cloudConfig": network, "machinepoolconfig": list(pools), "profiles": [{"uid": profile}]}
        return {"metadata": {"name": name, "labels": {"site": name}}, "spec": spec}

    def create_cluster(self, *uids: str, name: str = "store-042", profile: str = "") -> str:
        """UID of a new cluster of these hosts."""
        body = self.definition(profile or self.profile(name), self.pool(*uids), name=name)
        return str(self.ok("POST", "/v1/spectroclusters/edge-native", body)["uid"])

    def cluster(self, uid: str) -> dict[str, Any]:
        """A cluster as it is read."""
        found: dict[str, Any] = self.ok("GET", f"/v1/spectroclusters/{uid}")
        return found

    def state(self, uid: str) -> str:
        """A cluster's state, "" for one without a status."""
        return str(self.cluster(uid).get("status", {}).get("state", ""))

    def config(self, cluster: str) -> str:
        """UID of a cluster's cloud config."""
        return str(self.cluster(cluster)["spec"]["cloudConfigRef"]["uid"])

    # -- those who form clusters

    def own(self, method: str, path: str, body: Any = None) -> Reply:
        """A request with the lab's own key."""
        return self.send(method, f"/lab/v1/{path}", body, {"LabKey": self.lab.lab_key})

    def wanted(self) -> list[dict[str, Any]]:
        """What those who form clusters are told."""
        reply = self.own("GET", "clusters")
        assert reply.status_code == 200, reply.text
        items: list[dict[str, Any]] = reply.json()["items"]
        return items

    def seen(self, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The report that a cluster is as it is wanted."""
        ready = {"type": "Ready", "status": "True", "reason": "", "message": ""}
        hosts = [host["uid"] for pool in wanted["pools"] for host in pool["hosts"]]
        packs = [{"profileUid": one["profileUid"], "name": one["name"], "condition": ready} for one in wanted["layers"]]
        return {
            "formedBy": "kubernetes",
            "revision": wanted["revision"],
            "state": "Running",
            "health": "Healthy",
            "kubernetesVersion": next((one["version"] for one in wanted["layers"] if one["layer"] == "k8s"), ""),
            "conditions": [{"type": "NodesReady", "status": "True", "reason": "", "message": ""}],
            "packs": packs,
            "machines": {uid: {"state": "Running", "ready": True, "conditions": [ready]} for uid in hosts},
            "gone": [],
            "kubeconfig": {"admin": "apiVersion: v1 # canary-admin", "proxy": "apiVersion: v1 # canary-proxy"},
            **more,
        }

    def told(self, uid: str, body: dict[str, Any]) -> None:
        """A report on a cluster, which must be taken."""
        reply = self.own("PUT", f"clusters/{uid}", body)
        assert reply.status_code == 204, reply.text

    def form(self, uid: str, **more: Any) -> None:
        """The cluster is reported to be as it is wanted."""
        (wanted,) = [one for one in self.wanted() if one["uid"] == uid]
        self.told(uid, self.seen(wanted, **more))

    def fault(self, kind: str, **more: Any) -> None:
        """Switches a fault on."""
        reply = self.send("POST", "/lab/v1/faults", {"kind": kind, **more}, {"LabKey": self.lab.lab_key})
        assert reply.status_code == 201, reply.text

    def clear_faults(self) -> None:
        """Switches all faults off."""
        assert self.send("DELETE", "/lab/v1/faults", None, {"LabKey": self.lab.lab_key}).status_code == 204
