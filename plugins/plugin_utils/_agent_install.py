# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out on a host what was planned for its agent: step by step, each of which a later run may take up."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_text
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_plan as planning
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_scripts as scripts
from ansible_collections.palette.edge.plugins.plugin_utils._agent_host import AgentHost, Sight
from ansible_collections.palette.edge.plugins.plugin_utils._agent_options import Options
from ansible_collections.palette.edge.plugins.plugin_utils._agent_plan import Plan, Record
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError

_ROUNDS = 3
"""An installation of another run is waited for, then comes this one's own, then nothing is left."""


@dataclass
class Installation:
    """The agent of one host, wanted as `options` say. `tell` takes words for who looks on."""

    host: AgentHost
    options: Options
    tell: t.Callable[[str], None]
    done: list[str] = field(default_factory=list)
    act: str = planning.NOTHING
    warning: str = ""

    def go(self, sight: Sight, *, check_mode: bool) -> Record | None:
        """Do what is to be done, or in check mode only say so; returns the record as it is, or would be, then."""
        now, before = sight, sight.record
        for dummy in range(_ROUNDS):
            try:
                todo = planning.plan(now.seen(), self.options.wanted)
            except planning.PlanError as error:
                raise HostError(f"{self.host.remote.address}: {error}") from None
            self.warning = todo.warning
            if not todo.changes:
                return now.record
            self.done.append(todo.says)
            self.act = todo.act if self.act in (planning.NOTHING, planning.ATTACH) else self.act
            if check_mode:
                return self._predicted(todo, before)
            self.tell(todo.says)
            self._carry_out(todo, now.record)
            now = self.host.look()
        raise HostError(
            f"{self.host.remote.address}: after {_ROUNDS} steps the host is still not as wanted: {self.done[-1]}."
        )

    def _predicted(self, todo: Plan, before: Record | None) -> Record:
        if todo.act in (planning.UPGRADE, planning.ADOPT):
            return self._after(todo, before)
        return self.options.record

    def _after(self, todo: Plan, there: Record | None) -> Record:
        """The record of an upgrade or adoption: the user-data stays as it was, or unknown."""
        wanted = self.options.record
        if todo.act == planning.ADOPT:
            version = self.options.wanted.running or wanted.version
            return replace(there or replace(wanted, user_data="", settings=""), version=version, boot_id="")
        return replace(wanted, user_data=there.user_data, settings=there.settings) if there else wanted

    def _carry_out(self, todo: Plan, there: Record | None) -> None:
        host, options = self.host, self.options
        if todo.act == planning.ADOPT:
            host.note(self._after(todo, there))
            return
        if todo.act == planning.ATTACH:
            there = there or options.record
            self._attend(f"the installation of {there.version}")
            host.note(replace(there, phase=planning.INSTALLED))
            return
        host.take_in(options.files, options.release, fetch=options.fetch, environment=options.proxies)
        record = self._after(todo, there) if todo.act == planning.UPGRADE else options.record
        record = replace(record, boot_id=host.boot_id)
        host.order(
            options.job(),
            record=replace(record, phase=planning.INSTALLING),
            user_data=options.text if todo.with_user_data else "",
            environment=scripts.environment(options.environment(todo.with_user_data)),
        )
        self._attend(f"the installation of {record.version}")
        host.note(replace(record, phase=planning.INSTALLED))

    def _attend(self, what: str) -> None:
        options = self.options
        self.host.attend(
            what, limit=options.install_timeout, said=lambda text: hide_text(text, options.secrets), tell=self.tell
        )


def uninstall(
    host: AgentHost,
    sight: Sight,
    *,
    files: t.Sequence[t.Mapping[str, t.Any]],
    fetch: str,
    timeout: int,
    tell: t.Callable[[str], None],
) -> None:
    """Run the vendor's uninstaller, the one that came with the agent or else the one of `files`, and forget it all."""
    if sight.job:
        # Of a run that was cut off.
        host.attend("what goes on there", limit=timeout, said=hide_text, tell=tell)
        sight = host.look()
    if sight.units:
        script = sight.uninstaller
        if not script:
            if not files:
                text = "the agent left no uninstaller on the host; give that of a release (files)."
                raise HostError(f"{host.remote.address}: {text}")
            script = f"{host.folder}/{files[0]['name']}"
            host.take_in(files[:1], host.folder, fetch=fetch, environment={})
        host.order(scripts.uninstall_job(host.folder, script))
        host.attend("the uninstallation", limit=timeout, said=hide_text, tell=tell)
    host.forget()
