# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a preflight: a folder of this run that is gone when Ansible ends, and what they add up to."""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from ansible_collections.palette.edge.plugins.plugin_utils._preflight import (
    Host,
    Row,
    Site,
    counted,
    host_from,
    merged,
    site_from,
)
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_hosts import host_rows, shared_values
from ansible_collections.palette.edge.plugins.plugin_utils._preflight_site import site_rows
from ansible_collections.palette.edge.plugins.plugin_utils._run_folder import (
    RunFolder,
    file_name,
    json_files,
    replace_text,
    scratch_folder,
    this_run,
)

HOSTS, SITES, VERDICTS = "hosts", "sites", "verdicts"
_STAMP = ".stamp"


class Records(RunFolder):
    """What the entries of the inventory left in this run. Raises OSError where the folder cannot be used."""

    def __init__(self) -> None:
        super().__init__(scratch_folder("preflight"), run=this_run())
        for name in (HOSTS, SITES, VERDICTS):
            os.makedirs(self.file(name), exist_ok=True)

    def put(self, kind: str, site: str, entry: str, data: Mapping[str, t.Any]) -> None:
        """Stores what an entry left, in the folder of its site."""
        folder = os.path.join(self.file(kind), _folder(site))
        os.makedirs(folder, exist_ok=True)
        replace_text(os.path.join(folder, file_name(entry)), json.dumps(data, default=str))
        replace_text(self.file(_STAMP), entry)

    def host(self, site: str, entry: str) -> dict[str, t.Any] | None:
        """What a host left, as it is stored."""
        return _read(os.path.join(self.file(HOSTS), _folder(site), file_name(entry)))

    def hosts_of(self, site: str) -> list[Host]:
        """The hosts of a site that were looked at, by name."""
        found = [host_from(one) for one in _all(os.path.join(self.file(HOSTS), _folder(site)))]
        return sorted(found, key=lambda one: one.entry)

    def site(self, site: str) -> Site | None:
        """The site's own entry, when it is in this run."""
        found = [site_from(one) for one in _all(os.path.join(self.file(SITES), _folder(site)))]
        return found[0] if found else None

    def names(self) -> list[str]:
        """The sites that there is anything of."""
        folders = {name for kind in (HOSTS, SITES) for name in os.listdir(self.file(kind))}
        return sorted(unquote(name[1:]) for name in folders)

    def stamp(self) -> int:
        """Another one whenever something was stored."""
        path = self.file(_STAMP)
        return os.stat(path).st_mtime_ns if os.path.exists(path) else 0

    def verdict(self, site: str) -> list[Row]:
        """The rows on a site, once they were judged."""
        found = _read(os.path.join(self.file(VERDICTS), _folder(site) + ".json")) or {"rows": []}
        return [Row(**{**one, "where": tuple(one["where"])}) for one in found["rows"]]

    def judge(self, *, now: datetime.datetime) -> dict[str, list[Row]]:
        """Judges all sites and keeps what came of it; to be done :meth:`alone`."""
        hosts = {site: self.hosts_of(site) for site in self.names()}
        shared = shared_values(host for several in hosts.values() for host in several)
        found = {}
        for name, several in hosts.items():
            site = self.site(name)
            rows = host_rows(several, shared, site)
            rows += site_rows(site, several, now=now) if site else []
            found[name] = merged(rows)
            text = json.dumps({"rows": [one.as_dict() for one in found[name]]})
            replace_text(os.path.join(self.file(VERDICTS), _folder(name) + ".json"), text)
        return found


def as_data(found: Mapping[str, Iterable[Row]], *, hosts: Mapping[str, Iterable[Host]]) -> dict[str, t.Any]:
    """All of it for programs."""
    sites = [
        {
            "site": name,
            "counts": counted(rows),
            "hosts": [
                {
                    "name": one.entry,
                    "address": one.address,
                    "reached": one.seen,
                    "host_name": one.facts.get("host_name", ""),
                }
                for one in hosts.get(name, [])
            ],
            "findings": [one.as_dict() for one in rows],
        }
        for name, rows in found.items()
    ]
    return {"sites": sites}


def _folder(site: str) -> str:
    # With a letter in front, as the name of a site may be empty.
    return "s" + file_name(site).removesuffix(".json")


def _all(folder: str) -> list[dict[str, t.Any]]:
    return [found for found in map(_read, sorted(json_files(folder))) if found is not None]


def _read(path: str) -> dict[str, t.Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError):
        return None
