# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project as files: sites, what all sites share, the inventory, and what people should know of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._entry import group_name
from ._files import marked
from ._fit import FOLDER, fit
from ._profiles import definitions
from ._read import Project
from ._sites import sites_of
from ._text import dump

INVENTORY = "palette.sites.yml"
_SHARED = "group_vars/palette_sites"
_README = """\
# The Palette project {project}

Written by `palette.edge.project_export`. Every file here begins with a line that says so; a file that was changed since
is not overwritten by the next export, unless that is told to.

| file | what it is |
|---|---|
| `{inventory}` | the inventory: an entry for each site and one for each of its Edge hosts |
| `sites/*.yml` | the sites ({sites}), one a cluster; `docs/sites.md` of the collection explains every key |
| `group_vars/palette_sites/cluster_profile_*.yml` | the cluster profiles of the project, each version a file ({profiles}) |
| `group_vars/palette_sites/cluster_profiles.yml` | the list of them: what is not in it is not published from here |
| `group_vars/palette_sites/registration.yml` | sites without a registration token get none |
| `group_vars/palette_hosts.yml` | Edge hosts are not worked on over SSH, see below |
| `registration_tokens.yml` | the registration tokens of the project, without secrets, for the record |

    ansible-playbook palette.edge.site -i {inventory} --check --diff

changes nothing, as long as nobody changes the project. Variables of your own for all sites go to further files in
`group_vars/palette_sites/`.

## Before the Edge hosts are configured from here

Palette does not know what the hosts have on disk: proxy, certificates, time servers, users, and whether an address that
a host reports is static. So `site_configuration_over_ssh` is false in `group_vars/palette_hosts.yml`, and the phase
configure leaves the hosts alone. Fill in what they have, then take it out.

## Secrets

Secrets are not exported: pairing keys, registration tokens, sensitive variables. Values of packs and manifests are
exported as they are: look for secrets in them before you commit them anywhere.

## What could not be expressed

{notes}
"""


@dataclass(frozen=True, kw_only=True)
class Tree:
    """The files of an export, path -> text, and what is told of it."""

    texts: Mapping[str, str]
    sites: Sequence[str]
    profiles: Sequence[str]
    notes: Sequence[str]


def tree_of(project: Project, *, now: datetime.datetime) -> Tree:
    """All files of the export of a project."""
    sites = fit(project, sites_of(project, now=now), now=now)
    profiles = definitions(project)
    notes = project.notes.listed()
    texts: dict[str, str] = {f"{FOLDER}/{site.name}.yml": _document(site.data) for site in sites}
    for site in sites:
        if site.overrides:
            texts[f"group_vars/{group_name(site.name)}.yml"] = _document(
                site.overrides, f"What no key of {FOLDER}/{site.name}.yml can hold.", unsafe=True
            )
    variables: list[str] = []
    for profile in profiles:
        variables.append(_variable(profile, variables))
        texts[f"{_SHARED}/{variables[-1]}.yml"] = _document({variables[-1]: profile}, unsafe=True)
    texts[f"{_SHARED}/cluster_profiles.yml"] = _document(
        {"cluster_profile_definitions": ["{{ " + name + " }}" for name in variables]},
        "The cluster profiles of the project: each version is a file beside this one.",
    )
    texts[f"{_SHARED}/registration.yml"] = _document(
        {"registration_token_name": "{{ (edge_site_registration | default({}, true)).token | default('') }}"},
        "A site that names no registration token has none: its hosts are registered.",
    )
    texts["group_vars/palette_hosts.yml"] = _document(
        {"site_configuration_over_ssh": False},
        "Palette does not know all that the hosts have on disk: see README.md before you take this out.",
    )
    texts["registration_tokens.yml"] = _document(
        {"registration_tokens": [_token(one, project) for one in project.tokens]},
        "Options of palette.edge.registration_token; nothing reads this file by itself.",
        unsafe=True,
    )
    texts[INVENTORY] = _document(
        {"plugin": "palette.edge.sites", "path": FOLDER, "expired_tokens": "warning"},
        "The sites of the project. Name this file, not the folder: ansible-playbook palette.edge.site -i " + INVENTORY,
    )
    texts["README.md"] = _README.format(
        project=" ".join(project.name.split()),
        inventory=INVENTORY,
        sites=len(sites),
        profiles=len(profiles),
        notes="\n".join(f"- {' '.join(note.split())}" for note in notes) or "Everything could.",
    )
    return Tree(
        texts={path: marked(path, text, project.uid) for path, text in sorted(texts.items())},
        sites=[site.name for site in sites],
        profiles=[f"{one['name']} {one['version']}" for one in profiles],
        notes=notes,
    )


def _document(data: Mapping[Any, Any], about: str = "", *, unsafe: bool = False) -> str:
    return (f"# {about}\n" if about else "") + "---\n" + dump(data, unsafe=unsafe)


def _variable(profile: Mapping[Any, Any], taken: Sequence[str]) -> str:
    """The name of the variable, and the file, of a version of a profile."""
    name = group_name(f"cluster_profile_{profile['name']}_{profile['version']}").lower()
    return name if name not in taken else f"{name}_{len(taken)}"


def _token(token: Mapping[str, Any], project: Project) -> dict[str, Any]:
    made = {"name": token["name"], "default_project": project.name}
    if token["description"]:
        made["description"] = token["description"]
    if token["expires"]:
        made["expires"] = token["expires"]
    return {**made, "active": token["active"]}
