# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done so that a host has the agent that is wanted: decided from what is there, without touching it."""

from __future__ import annotations

import copy
import hashlib
import json
import typing as t
from dataclasses import asdict, dataclass, fields

from ansible_collections.palette.edge.plugins.plugin_utils._agent_release import version_key

INSTALLING, INSTALLED = "installing", "installed"
NOTHING, INSTALL, UPGRADE, ATTACH, ADOPT = "nothing", "install", "upgrade", "attach", "adopt"


class PlanError(ValueError):
    """What is wanted may not be done to what is there: one line for people."""


@dataclass(frozen=True)
class Record:
    """What is noted on the host about the installation.

    `user_data` and `settings` are digests: of all of it, and of what is no registration token. `boot_id` is of the boot in
    which the phase began.
    """

    version: str = ""
    method: str = "connected"
    fips: bool = False
    host_id: str = ""
    user_data: str = ""
    settings: str = ""
    phase: str = INSTALLED
    boot_id: str = ""

    def text(self) -> str:
        """The record as its file has it."""
        return json.dumps({"written_by": "palette.edge.agent_installation", **asdict(self)}, indent=2) + "\n"

    def told(self) -> str:
        """The record for people, in a diff."""
        return (
            f"version: {self.version}\nmethod: {self.method}\nfips: {str(self.fips).lower()}\nhost_id: {self.host_id}\n"
            f"user_data: sha256 {self.settings[:12] or 'unknown'} (without the registration token)\n"
        )


@dataclass(frozen=True)
class Seen:
    """A host as it is: the record, the agent's units, and the job that may run or have run (`rc` when it has ended)."""

    record: Record | None
    units: tuple[str, ...] = ()
    job: bool = False
    rc: int | None = None
    boot_id: str = ""
    set_up: bool = False
    package_user_data: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the options say. `running` is the version that Palette reports, if any; `registered` whether it knows the host."""

    record: Record
    registered: bool = True
    running: str = ""
    on_user_data_change: str = "refuse"
    allow_downgrade: bool = False
    adopt: bool = False


@dataclass(frozen=True)
class Plan:
    """What to do, and why in words. `with_user_data`: the user-data goes to the host too."""

    act: str
    says: str = ""
    with_user_data: bool = False
    warning: str = ""

    @property
    def changes(self) -> bool:
        return self.act != NOTHING


def parse_record(text: str) -> Record | None:
    """The record that a file holds; None when it holds none, as a half-written or foreign file."""
    try:
        data = json.loads(text)
        known = {item.name: data[item.name] for item in fields(Record) if item.name in data}
        record = Record(**known)
    except (ValueError, TypeError, KeyError):
        return None
    return record if record.version and record.phase in (INSTALLING, INSTALLED) else None


def digests(document: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """SHA-256 of all of the user-data, and of it without the registration token, which serves once only."""
    settings = copy.deepcopy(dict(document))
    site = (settings.get("stylus") or {}).get("site") or {}
    site.pop("edgeHostToken", None)
    return _digest(document), _digest(settings)


def _digest(document: t.Mapping[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def plan(seen: Seen, wanted: Wanted) -> Plan:
    """What is to be done next. Raises PlanError."""
    there, new = seen.record, wanted.record
    if there is None:
        return _without_record(seen, wanted)
    if there.host_id and new.host_id and there.host_id != new.host_id:
        raise PlanError(
            f"the host was installed as {there.host_id}, and {new.host_id} is asked for; uninstall it first, or mend the ID."
        )
    if there.phase == INSTALLING:
        if seen.job:
            return Plan(ATTACH, f"wait for the installation of {there.version} that goes on")
        # Ended in this boot, and well: what is left is to note it.
        if seen.rc == 0 and there.boot_id == seen.boot_id:
            return Plan(ATTACH, f"note that {there.version} was installed")
        return Plan(INSTALL, f"install {new.version} (the installation before broke off)", with_user_data=True)
    if not seen.units:
        return Plan(INSTALL, f"install {new.version} (the agent's units are gone)", with_user_data=True)
    if there.fips != new.fips:
        kinds = ("standard", "FIPS")
        raise PlanError(
            f"the {kinds[there.fips]} variant is installed, and the {kinds[new.fips]} one is asked for; uninstall it first."
        )
    if there.version != new.version:
        return _other_version(seen, there, wanted)
    return _same_version(there, wanted)


def _without_record(seen: Seen, wanted: Wanted) -> Plan:
    version = wanted.record.version
    if not seen.units:
        return Plan(INSTALL, f"install {version}", with_user_data=True)
    if not wanted.adopt:
        raise PlanError(
            f"an agent is installed that nothing is noted about ({', '.join(seen.units[:2])}, ...); set adopt to take it over"
            f" as {wanted.running or version}, or uninstall it first."
        )
    return Plan(ADOPT, f"take the installed agent over as {wanted.running or version}")


def _other_version(seen: Seen, there: Record, wanted: Wanted) -> Plan:
    version, running = wanted.record.version, wanted.running
    if running and version_key(running) >= version_key(version) > version_key(there.version):
        return Plan(ADOPT, f"note that Palette has upgraded the agent to {running}")
    if version_key(version) < version_key(there.version) and not wanted.allow_downgrade:
        raise PlanError(
            f"version {there.version} is installed, and the older {version} is asked for; pin the newer one, or set"
            " allow_downgrade."
        )
    # The user-data of the installation stays in force: what an installer does with another one is not documented.
    lacks = wanted.record.method == "package" and not seen.package_user_data
    return Plan(UPGRADE, f"upgrade from {there.version} to {version}", with_user_data=lacks)


def _same_version(there: Record, wanted: Wanted) -> Plan:
    new = wanted.record
    if not there.settings or not new.settings:
        return Plan(NOTHING)
    if not wanted.registered and there.user_data != new.user_data:
        says = f"install {new.version} again, with the changed user-data (the host never registered)"
        return Plan(INSTALL, says, with_user_data=True)
    if there.settings == new.settings:
        return Plan(NOTHING)
    says = "the user-data differs from what was installed, and an installed agent does not read it again"
    if wanted.on_user_data_change == "install":
        return Plan(INSTALL, f"install {new.version} again, with the changed user-data", with_user_data=True)
    if wanted.on_user_data_change == "ignore":
        return Plan(NOTHING, warning=f"{says}; it stays as it is.")
    raise PlanError(
        f"{says}; change it in the Local UI or install again (on_user_data_change: install, unproven on a real host), or"
        " leave it (ignore)."
    )
