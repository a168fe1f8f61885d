"""All clusters of a lab: asks the controller which there shall be, and gives each a keeper."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from lab.kubernetes.desired import Desired, understand
from lab.kubernetes.keeper import Keeper, Surroundings
from lab.kubernetes.node import NodeHost
from lab.kubernetes.provider import Delivery

_LOG = logging.getLogger(__name__)
_EVERY = 0.7
_NAMED_WITHIN = 30.0
_TIMEOUT = (2.0, 10.0)
_PATH = "/lab/v1/clusters"


class Fleet:
    """Keeps the clusters of one lab. ``hosts`` gives the booted hosts by UID."""

    def __init__(
        self,
        *,
        folder: Path,
        delivery: Delivery,
        hosts: Callable[[], dict[str, NodeHost]],
        netns: Path,
        url: Callable[[], str],
        ca: Path,
        key: str,
    ) -> None:
        self._folder, self._delivery, self._hosts = folder, delivery, hosts
        self._url, self._ca, self._key = url, ca, key
        self._around = Surroundings(delivery, hosts, netns, self._report)
        self._keepers: dict[str, Keeper] = {}
        self._told: dict[str, str] = {}
        self._local = threading.local()
        self._named = time.monotonic() + _NAMED_WITHIN
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clusters", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop keeping."""
        self._ended.set()
        for keeper in self._keepers.values():
            keeper.end()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                reply = self._ask("GET", _PATH)
                self._take([understand(item) for item in reply.get("items") or []])
            except (requests.RequestException, ValueError, OSError) as error:
                _LOG.debug("clusters: %s", error)
            except Exception:  # noqa: BLE001
                # What the controller says and this does not understand is no reason to leave the other clusters alone.
                _LOG.exception("clusters")
            self._ended.wait(_EVERY)

    def _take(self, wanted: list[Desired]) -> None:
        booted = self._hosts()
        for desired in wanted:
            if desired.uid not in self._keepers and not (self._folder / desired.uid).is_dir():
                foreign = any(member.uid not in booted for member in desired.members)
                if foreign and time.monotonic() < self._named and not all(host.up for host in booted.values()):
                    continue  # only when they are up do all of them have the names that their user-data gives them
                if foreign:
                    # Hosts that only speak, or are not of this lab, form no Kubernetes.
                    self._report(desired.uid, {"formedBy": "states", "revision": desired.revision})
                    continue
            keeper = self._keepers.get(desired.uid)
            if keeper is None:
                self._keepers[desired.uid] = Keeper(desired, self._folder / desired.uid, self._around)
            else:
                keeper.desired = desired
        for uid in set(self._keepers) - {desired.uid for desired in wanted}:
            self._keepers.pop(uid).end()
            self._told.pop(uid, None)
            shutil.rmtree(self._folder / uid, ignore_errors=True)
        known = {desired.uid for desired in wanted}
        for host in booted.values():
            membership = host.membership
            if membership is not None and membership.cluster not in known and host.up:
                _LOG.info("host %s: its cluster is gone, it is reset", host.name)
                host.forget()

    def _report(self, uid: str, body: dict[str, Any]) -> None:
        """Tell the controller, when it is something new."""
        text = json.dumps(body, sort_keys=True)
        if self._told.get(uid) == text:
            return
        try:
            self._ask("PUT", f"{_PATH}/{uid}", body)
        except (requests.RequestException, OSError) as error:
            _LOG.debug("cluster %s: not reported: %s", uid, error)
        else:
            self._told[uid] = text

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # The machine's proxies and CA bundle are for the world outside, the controller is on loopback.
            session.trust_env = False
        reply = session.request(
            method,
            f"{self._url()}{path}",
            json=body,
            headers={"LabKey": self._key},
            timeout=_TIMEOUT,
            verify=str(self._ca),
        )
        reply.raise_for_status()
        data = reply.json() if reply.content else {}
        return data if isinstance(data, dict) else {}
