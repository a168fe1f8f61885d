# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Site files in the making, read as the inventory will read them: what it would refuse or read otherwise is seen to.

A value that no site file can hold becomes a variable of the role that uses it, or is left out with a note; a cluster
or a site that cannot be held is left out as a whole, so that no run ever works on half of one.
"""

from __future__ import annotations

import datetime
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from .._entry import Entry
from ..palette._names import tags_of
from ..sites._check import Outcome, read_sites
from ..sites._entries import site_entry
from ..sites._load import Problem
from ._read import Cluster, Notes, Project
from ._sites import Site
from ._text import dump, plain

FOLDER = "sites"
_ROUNDS = 6
# keys of the site file, and the variable of the role that takes the same
_VARIABLES = {
    "description": "cluster_description",
    "cluster.name": "cluster_name",
    "cluster.tags": "cluster_tags",
    "cluster.vip": "cluster_vip",
    "cluster.ntp_servers": "cluster_ntp_servers",
    "cluster.ssh_keys": "cluster_ssh_keys",
    "cluster.timezone": "cluster_timezone",
}


def fit(project: Project, sites: Sequence[Site], *, now: datetime.datetime) -> list[Site]:
    """The sites that can be written, changed where it takes that."""
    left = list(sites)
    outcome = Outcome()
    for number in range(_ROUNDS):
        outcome = _read_back(left, now=now)
        wrong: dict[str, list[Problem]] = {}
        for problem in outcome.problems:
            wrong.setdefault(os.path.basename(problem.file).removesuffix(".yml"), []).append(problem)
        if not wrong:
            break
        last = number == _ROUNDS - 1
        left = [one for one in left if one.name not in wrong or _mend(one, wrong[one.name], project.notes, last=last)]
    clusters = {cluster.name: cluster for cluster in project.clusters}
    entries = {site.name: site_entry(site, python="") for site in outcome.sites}
    for site in left:
        if "cluster" in site.data and site.name in entries:
            _override(site, entries[site.name], clusters[site.cluster], project.notes)
    return left


def _read_back(sites: Sequence[Site], *, now: datetime.datetime) -> Outcome:
    if not sites:
        return Outcome()
    with tempfile.TemporaryDirectory(prefix="palette-edge-export-") as folder:
        os.mkdir(os.path.join(folder, FOLDER))
        for site in sites:
            with open(os.path.join(folder, FOLDER, f"{site.name}.yml"), "w", encoding="utf-8") as stream:
                stream.write(dump(site.data))
        return read_sites(folder, [FOLDER], now=now)


def _mend(site: Site, problems: Sequence[Problem], notes: Notes, *, last: bool) -> bool:
    """Takes out what is wrong; False when nothing is left of the site."""
    for problem in problems:
        top, *rest = re.findall(r"[^.\[\]]+", problem.path) or [""]
        about = f"site {site.name}"
        said = f"{problem.path}: {problem.text}"
        variable = next((key for key in _VARIABLES if _below(problem.path, key)), "")
        if last or (top in ("", "name", "project", "hosts") and len(rest) < 2):
            notes.add(about, f"it is left out with all its hosts, as no site file can hold it ({said})")
            return False
        if variable:
            _take_out(site.data, variable.split("."))
        elif top == "cluster":
            if "cluster" in site.data:
                notes.add(about, f"the cluster {site.cluster} is left out, as no site file can hold it ({said})")
                site.data.pop("cluster")
        elif top == "hosts" and rest[1] in ("name", "id"):
            notes.add(about, f"it is left out with all its hosts, as no site file can hold it ({said})")
            return False
        elif top == "hosts":
            _take_out(site.data, ["host_defaults", rest[1]])
            _take_out(site.data, [top, *rest[:2]])
            notes.add(about, f"left out: {said}")
        else:
            _take_out(site.data, [top, *rest[:1]] if top in ("profiles", "host_defaults", "tags") else [top])
            notes.add(about, f"left out: {said}")
    if not site.data.get("profiles", True):
        site.data.pop("profiles")
    return True


def _below(path: str, key: str) -> bool:
    return path == key or path.startswith((f"{key}.", f"{key}["))


def _take_out(data: Any, path: Sequence[str]) -> None:
    """Removes what stands at ``path``, if it does."""
    *above, key = path
    for part in above:
        try:
            data = data[int(part)] if isinstance(data, list) else data[part]
        except (KeyError, IndexError, ValueError):
            return
    if isinstance(data, list):
        if key.isdigit() and int(key) < len(data):
            del data[int(key)]
    else:
        data.pop(key, None)


def _override(site: Site, entry: Entry, cluster: Cluster, notes: Notes) -> None:
    """Variables for what the site file says otherwise than the cluster has it."""
    network: Mapping[str, Any] = (cluster.config.get("spec") or {}).get("clusterConfig") or {}
    metadata, spec = cluster.whole["metadata"], cluster.whole.get("spec") or {}
    seen = entry.variables["edge_site_cluster"]
    has = {
        "cluster_name": cluster.name,
        "cluster_description": (metadata.get("annotations") or {}).get("description", ""),
        "cluster_tags": tags_of(metadata.get("labels")),
        "cluster_vip": str((network.get("controlPlaneEndpoint") or {}).get("host") or ""),
        "cluster_ntp_servers": [str(one) for one in network.get("ntpServers") or []],
        "cluster_ssh_keys": [str(one).strip() for one in network.get("sshKeys") or []],
        "cluster_timezone": (spec.get("clusterConfig") or {}).get("timezone") or "",
    }
    says = {
        "cluster_name": seen.get("name"),
        "cluster_description": entry.variables.get("edge_site_description", ""),
        "cluster_tags": seen.get("tags", entry.variables["edge_site_tags"]),
        "cluster_vip": seen.get("vip", ""),
        "cluster_ntp_servers": seen.get("ntp_servers", []),
        "cluster_ssh_keys": seen.get("ssh_keys", []),
        "cluster_timezone": seen.get("timezone", ""),
    }
    for variable, value in has.items():
        if plain(says[variable]) != value:
            site.overrides[variable] = value
            notes.add(
                f"site {site.name}", f"{variable} is a variable in group_vars, as no site file can hold the value"
            )
