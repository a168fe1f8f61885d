#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: edge_host
short_description: Register Edge hosts in Palette and set what can be set on them
description:
  - Pre-registers Edge hosts by their IDs, or adopts those that registered themselves, and keeps name, tags and remote
    shell as given.
  - With O(hosts) a whole site is registered in one call, several hosts at a time and within Palette's request limits.
  - Can wait until every host is paired and healthy.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.wait
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  hosts:
    description: Several Edge hosts. Use this or O(uid).
    type: list
    elements: dict
    suboptions:
      uid:
        description:
          - ID of the Edge host, unique in the tenant, C(stylus.site.name) in its user-data.
          - At most 128 characters, no dots, slashes, white space and most other signs.
        type: str
        required: true
      name:
        description: Name shown in Palette. A new host is named by its ID.
        type: str
      tags:
        description:
          - Tags as a mapping. A tag without a value has an empty text.
          - Hosts bring tags of their own through user-data; these stay, unless O(purge_tags) is set.
        type: dict
      architecture:
        description: Architecture of a new host (V(amd64) if not given). It cannot be changed later.
        type: str
        choices: [amd64, arm64]
      pairing_key:
        description: Key that the host must know to pair. Never shown.
        type: str
      remote_shell:
        description: Whether Palette may open a shell on the host.
        type: str
        choices: [enabled, disabled]
      remote_shell_temporary_user:
        description: Whether that shell gets a temporary user. Needs O(remote_shell=enabled).
        type: str
        choices: [enabled, disabled]
  uid:
    description:
      - ID of the Edge host, unique in the tenant, C(stylus.site.name) in its user-data.
      - At most 128 characters, no dots, slashes, white space and most other signs.
    type: str
  name:
    description: Name shown in Palette. A new host is named by its ID.
    type: str
  tags:
    description:
      - Tags as a mapping. A tag without a value has an empty text.
      - Hosts bring tags of their own through user-data; these stay, unless O(purge_tags) is set.
    type: dict
  architecture:
    description: Architecture of a new host (V(amd64) if not given). It cannot be changed later.
    type: str
    choices: [amd64, arm64]
  pairing_key:
    description: Key that the host must know to pair. Never shown.
    type: str
  remote_shell:
    description: Whether Palette may open a shell on the host.
    type: str
    choices: [enabled, disabled]
  remote_shell_temporary_user:
    description: Whether that shell gets a temporary user. Needs O(remote_shell=enabled).
    type: str
    choices: [enabled, disabled]
  purge_tags:
    description: Whether tags that are not given are removed, of each host whose O(tags) are given.
    type: bool
    default: false
  state:
    description: Whether the hosts are to be registered. A host that a cluster uses is not deleted.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Whether to wait until every host is paired (ready or in use) and healthy.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1200
seealso:
  - module: palette.edge.edge_host_info
  - module: palette.edge.registration_token
"""

EXAMPLES = r"""
- name: Register one Edge host
  palette.edge.edge_host:
    uid: edge-store-042-1
    tags:
      site: store-042

- name: Register the hosts of a site in one call and wait until they are ready
  palette.edge.edge_host:
    project: Default
    hosts:
      - uid: edge-store-042-1
        tags: {site: store-042}
      - uid: edge-store-042-2
        tags: {site: store-042}
    wait: true
"""

RETURN = r"""
edge_host:
  description: The host, without its secrets. In check mode, as it would be.
  returned: when O(uid) is given
  type: dict
  sample: {uid: edge-store-042-1, name: edge-store-042-1, state: ready, health: healthy}
edge_hosts:
  description: The hosts in the order of O(hosts), without their secrets.
  returned: when O(hosts) is given
  type: list
  elements: dict
  sample:
    - {uid: edge-store-042-1, name: edge-store-042-1, state: ready, health: healthy}
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [register Edge host edge-store-042-1]
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan, StepFailedError, apply, same
from ansible_collections.palette.edge.plugins.module_utils._runner import (
    Frame,
    outcome,
    send_with,
    wait_after,
    wait_arguments,
    wait_until,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import ConflictError, PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge

HOST: dict[str, Any] = {
    "name": {"type": "str"},
    "tags": {"type": "dict"},
    "architecture": {"type": "str", "choices": ["amd64", "arm64"]},
    "pairing_key": {"type": "str", "no_log": True},
    "remote_shell": {"type": "str", "choices": ["enabled", "disabled"]},
    "remote_shell_temporary_user": {"type": "str", "choices": ["enabled", "disabled"]},
}
ARGUMENTS: dict[str, Any] = {
    **HOST,
    "uid": {"type": "str"},
    "hosts": {"type": "list", "elements": "dict", "options": {"uid": {"type": "str", "required": True}, **HOST}},
    "purge_tags": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **wait_arguments(timeout=1200),
    "wait": {"type": "bool", "default": False},
}


def desired_hosts(params: Mapping[str, Any]) -> list[edge.DesiredHost]:
    """The hosts that the options name, checked."""
    listed = params["hosts"] if params["hosts"] is not None else [{key: params[key] for key in ["uid", *HOST]}]
    hosts = [
        edge.DesiredHost(**host, present=params["state"] == "present", purge_tags=params["purge_tags"])
        for host in listed
    ]
    edge.check(hosts)
    return hosts


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Plans every host, then applies the plans several at a time."""
    desired = desired_hosts(frame.params)
    scope = frame.scope(session)
    uids = [host.uid for host in desired]
    whole = any(host.remote_shell or host.remote_shell_temporary_user or host.pairing_key for host in desired)
    current = edge.read_many(session, scope, uids, whole=whole)
    plans = {host.uid: _plan(session, scope, current[host.uid], host) for host in desired}
    changing = [host for host in desired if plans[host.uid].changed]
    if changing and not frame.check_mode:
        _apply(session, scope, changing, plans)
    waiting = frame.params["wait"] and frame.params["state"] == "present" and not frame.check_mode
    if waiting:
        wait_after(lambda: _wait(session, scope, frame, uids), changed=bool(changing))
    if (changing or waiting) and not frame.check_mode:
        current = edge.read_many(session, scope, uids, whole=whole)
    seen = [_seen(current[uid], plans[uid], predicting=frame.check_mode) for uid in uids]
    if frame.params["hosts"] is None:
        return outcome(plans[uids[0]], "edge_host", seen[0])
    return outcome(_summary(plans), "edge_hosts", seen)


def _plan(session: Session, scope: Scope, current: Any, host: edge.DesiredHost) -> Plan:
    return edge.plan(
        current,
        host,
        scope=scope,
        settle=lambda: edge.describe(edge.read(session, scope, host.uid)).get("uid"),
    )


def _apply(session: Session, scope: Scope, hosts: Sequence[edge.DesiredHost], plans: Mapping[str, Plan]) -> None:
    errors: dict[str, PaletteError] = {}

    def apply_one(host: edge.DesiredHost) -> None:
        try:
            try:
                apply(plans[host.uid], send_with(session), sleep=session.sleep)
            except StepFailedError as error:
                # It registered itself between our look and our write: adopt it.
                current = edge.read(session, scope, host.uid) if isinstance(error.cause, ConflictError) else None
                if current is None:
                    raise
                apply(_plan(session, scope, current, host), send_with(session), sleep=session.sleep)
        except PaletteError as error:
            errors[host.uid] = error

    session.map(apply_one, hosts)
    if errors:
        if len(plans) == 1:
            raise next(iter(errors.values()))
        done = len(errors) < len(hosts) or any(isinstance(one, StepFailedError) and one.done for one in errors.values())
        raise edge.several_failed(errors, len(plans), changed=done)


def _wait(session: Session, scope: Scope, frame: Frame, uids: Sequence[str]) -> None:
    wait_until(
        lambda: edge.standing(edge.read_many(session, scope, uids)),
        what=f"{len(uids)} Edge hosts to be ready and healthy" if len(uids) != 1 else f"Edge host {uids[0]}",
        timeout=frame.params["wait_timeout"],
        sleep=frame.params["wait_sleep"],
    )


def _seen(current: Any, plan: Plan, *, predicting: bool) -> dict[str, Any]:
    if predicting and plan.changed:
        return {**edge.describe(current), **plan.after} if plan.after else {}
    return edge.describe(current)


def _summary(plans: Mapping[str, Plan]) -> Plan:
    """One plan for the list: only hosts that change, and of those only what changes."""
    changing = {uid: plan for uid, plan in plans.items() if plan.changed}
    whole = Plan(steps=[step for plan in changing.values() for step in plan.steps])
    for uid, plan in changing.items():
        keys = [key for key in {**plan.before, **plan.after} if not same(plan.before.get(key), plan.after.get(key))]
        whole.before[uid] = {key: plan.before[key] for key in keys if key in plan.before}
        whole.after[uid] = {key: plan.after[key] for key in keys if key in plan.after}
    return whole


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS, mutually_exclusive=[("uid", "hosts")], required_one_of=[("uid", "hosts")]).run(work)


if __name__ == "__main__":
    main()
