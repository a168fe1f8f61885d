# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which the agent is installed: what it says of itself, and the single steps of an installation there."""

from __future__ import annotations

import base64
import binascii
import time
import typing as t
from dataclasses import dataclass

from ansible.errors import AnsibleError

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_text
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_scripts as scripts
from ansible_collections.palette.edge.plugins.plugin_utils._agent_plan import Record, Seen, parse_record
from ansible_collections.palette.edge.plugins.plugin_utils._facts import FACTS, checksum_script, read_facts
from ansible_collections.palette.edge.plugins.plugin_utils._files import FileState, FileWanted, write
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError, Remote
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

_LOOK_EVERY = 5
"""Seconds that the host waits for the end of the job before it says how it is."""

_MEANING = {
    90: "its working directory is gone",
    91: "it ended without an error and did not do what it is for",
    92: "the file is no package of the agent",
    94: "the user-data could not be put in its place",
    95: "the uninstaller could not be read",
    127: "a program that it needs is missing",
    143: "it was ended from outside",
}


@dataclass(frozen=True)
class Sight:
    """What a host said when it was looked at."""

    facts: dict[str, t.Any]
    record: Record | None
    unreadable: bool
    units: tuple[str, ...]
    job: bool
    rc: int | None
    set_up: bool
    package_user_data: bool
    uninstaller: str
    removed: bool
    fips: bool
    cgroup: str
    selinux: str
    rsync_full_access: str
    docker: bool

    @classmethod
    def of(cls, output: Output, facts: dict[str, t.Any]) -> Sight:
        lines = output.all("record")
        try:
            text = base64.b64decode("".join(lines), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        record = parse_record(text)
        rc = output.first("rc")
        return cls(
            facts=facts,
            record=record,
            unreadable=bool(lines) and record is None,
            units=tuple(output.all("unit")),
            job=bool(output.first("job")),
            rc=int(rc) if rc.isdigit() else None,
            set_up=bool(output.first("set_up")),
            package_user_data=bool(output.first("package_user_data")),
            uninstaller=output.first("uninstaller"),
            removed=bool(output.first("removed")),
            fips=output.first("fips") == "1",
            cgroup=output.first("cgroup"),
            selinux=output.first("selinux"),
            rsync_full_access=output.first("rsync_full_access"),
            docker=bool(output.first("docker")),
        )

    def seen(self) -> Seen:
        """What of it decides about the next step."""
        boot_id = str(self.facts["boot_id"])
        return Seen(self.record, self.units, self.job, self.rc, boot_id, self.set_up, self.package_user_data)

    def warnings(self, *, fips: bool) -> list[str]:
        """What is known to make trouble later on, and does not hinder the installation."""
        found = []
        if self.docker:
            found.append("Docker is on the host; Palette's documentation warns of it beside the agent.")
        if fips and not self.fips:
            found.append(
                "The FIPS variant is for a host in FIPS mode, and this one is not (fips-mode-setup --enable, reboot)."
            )
        if fips and self.selinux == "Enforcing" and self.rsync_full_access.endswith("off"):
            found.append("SELinux enforces and rsync_full_access is off: setsebool -P rsync_full_access 1.")
        if fips and self.cgroup and self.cgroup != "cgroup2fs":
            found.append("The host has no cgroup v2: boot it with systemd.unified_cgroup_hierarchy=1.")
        if self.unreadable:
            found.append("The record of the installation on the host is unreadable and is taken for absent.")
        return found


@dataclass
class AgentHost:
    """One host at the address that answered. `folder` is ours there, `root` the agent's install root."""

    remote: Remote
    folder: str
    root: str
    login: str = ""
    boot_id: str = ""

    @property
    def record_path(self) -> str:
        return f"{self.folder}/record.json"

    def look(self) -> Sight:
        """The host as it is now."""
        output = self.remote.run(PRELUDE + FACTS + scripts.look(self.folder, self.root) + END, secret=True)
        return Sight.of(output, read_facts(output))

    def note(self, record: Record) -> None:
        """Write the record."""
        wanted = FileWanted(record.text().encode(), mode="0600", sensitive=True)
        write(self.remote, FileState(path=self.record_path), wanted)

    def forget(self) -> None:
        """Remove all that is ours."""
        self.remote.run(scripts.forget(self.folder))

    def take_in(
        self, files: t.Sequence[t.Mapping[str, t.Any]], folder: str, *, fetch: str, environment: dict[str, str]
    ) -> None:
        """Have files of the release in a folder on the host, as they are pinned; those that are there already stay."""
        paths = [f"{folder}/{file['name']}" for file in files]
        lines = self.remote.run(PRELUDE + checksum_script(paths) + END).all("file")
        there = [line.partition(" ")[2] for line in lines]
        missing = [file for file, digest in zip(files, there, strict=True) if digest != file["sha256"]]
        if not missing:
            return
        incoming = self.remote.run(scripts.prepare(self.folder, self.login)).first("dir")
        if fetch == "host":
            urls = {str(file["name"]): str(file["url"]) for file in missing}
            self.remote.run(scripts.fetch(incoming), payload=scripts.fetch_payload(urls, environment), secret=True)
        else:
            for file in missing:
                self._put(str(file["path"]), incoming, str(file["name"]))
        digests = {str(file["name"]): str(file["sha256"]) for file in missing}
        self.remote.run(scripts.take_in(incoming, folder, digests))

    def _put(self, local: str, incoming: str, name: str) -> None:
        try:
            self.remote.connection.put_file(local, f"{incoming}/{name}")
        except AnsibleError as error:
            self.remote.run(f"{PRELUDE}rm -rf {quote(incoming)}\n{END}")
            reason = " ".join(str(getattr(error, "message", "") or error).split())
            raise HostError(
                f"{self.remote.address}: {local} could not be sent to {self.folder}: {reason[:300]}"
            ) from None

    def order(self, job: str, *, record: Record | None = None, user_data: str = "", environment: str = "") -> None:
        """Write what the job needs, the record included, and start it."""
        files = [
            ("record.json", "0600", record.text() if record else ""),
            ("job/environment", "0600", environment),
            ("job/user-data", "0600", user_data),
            ("bin/curl", "0700", scripts.curl(self.folder)),
            ("job/run.sh", "0700", job),
        ]
        lines = [f"{name} {mode} {base64.b64encode(text.encode()).decode()}" for name, mode, text in files if text]
        self.remote.run(scripts.start(self.folder), payload="\n".join([*lines, ""]).encode(), secret=True)

    def attend(self, what: str, *, limit: int, said: t.Callable[[str], str], tell: t.Callable[[str], None]) -> None:
        """Wait for the end of the job. Raises HostError when it fails, with its last words, or takes too long."""
        began, last = time.monotonic(), ""
        while True:
            output = self.remote.run(scripts.attend(self.folder, seconds=_LOOK_EVERY), secret=True)
            lines = [said(line).strip() for line in output.all("log") if line.strip()]
            rc, runs = output.first("rc"), bool(output.first("job"))
            if rc == "0":
                return
            words = f" Its last words: {' / '.join(lines[-3:])[-600:]}" if lines else ""
            log = f"{self.folder}/job/log on the host has the rest"
            if rc:
                meaning = _MEANING.get(int(rc)) if rc.isdigit() else ""
                why = f"ended with exit code {rc}{f' ({meaning})' if meaning else ''}"
                raise HostError(f"{self.remote.address}: {what} {why}.{words} ({log}; run again when it is mended.)")
            if not runs:
                raise HostError(
                    f"{self.remote.address}: {what} ended without a result, as by a power cut; run again.{words}"
                )
            if time.monotonic() - began > limit:
                raise HostError(
                    f"{self.remote.address}: {what} goes on after {limit} s, and on; run again to wait for it.{words} ({log}.)"
                )
            if lines and lines[-1] != last:
                last = lines[-1]
                tell(f"{what}: {hide_text(last)}")
