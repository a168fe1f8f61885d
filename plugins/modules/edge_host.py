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
    description:
      - Several Edge hosts, thousands if need be. Use this or O(uid).
      - What cannot be for one of them (see O(state), O(hosts[].architecture)) is refused before anything is written.
        When a write fails for one, the others go on; the module fails at the end and names those that failed, and a
        second run carries on with these. When Palette itself is gone, the rest is not tried.
    type: list
    elements: dict
    suboptions:
      uid:
        description: &uid
          - ID of the Edge host, unique in the tenant, C(stylus.site.name) in its user-data.
          - At most 128 characters, no dots, slashes, white space and most other signs.
        type: str
        required: true
      name: &name
        description: Name shown in Palette. A new host is named by its ID. When not given, the name stays.
        type: str
      tags: &tags
        description:
          - Tags as a mapping. A tag without a value has an empty text. When not given, the tags stay.
          - Hosts bring tags of their own through user-data; these stay, unless O(purge_tags) is set.
          - An empty mapping removes all tags.
        type: dict
      architecture: &architecture
        description: Architecture of a new host (V(amd64) if not given). It cannot be changed later.
        type: str
        choices: [amd64, arm64]
      pairing_key: &pairing_key
        description:
          - Key that the host must know to pair. Never shown.
          - Another key than Palette has is set. A key that Palette does not tell (any more) cannot be compared and stays.
        type: str
      remote_shell: &shell
        description:
          - Whether Palette may open a shell on the host. Needs an agent of 4.6.9 or newer.
          - A site can forbid it in its user-data (C(stylus.site.remoteShell.disable)). Then the shell never comes to be, and
            with O(wait) the module says so.
        type: str
        choices: [enabled, disabled]
      remote_shell_temporary_user: &user
        description:
          - Whether that shell gets a temporary user. Needs O(remote_shell=enabled), and goes with it.
          - M(palette.edge.edge_host_info) writes the credentials of the user into a file.
        type: str
        choices: [enabled, disabled]
  uid:
    description: *uid
    type: str
  name: *name
  tags: *tags
  architecture: *architecture
  pairing_key: *pairing_key
  remote_shell: *shell
  remote_shell_temporary_user: *user
  purge_tags:
    description: Whether tags that are not given are removed, of each host whose O(tags) are given.
    type: bool
    default: false
  reinstalled:
    description:
      - Says that the operating system of the hosts was installed anew. Palette's record of the old one keeps the new one
        from registering. The record is taken for the old one while it is V(unhealthy), as nobody reports on it any more;
        it is then deleted and made again with the name, tags, pairing key and remote shell that it had.
      - A host that is healthy has registered already and is left alone, and so is one that was not paired yet, so that a
        second run changes nothing. A host that a cluster uses is refused.
      - Palette calls a host unhealthy some minutes after its last sign. Until then nothing is done.
    type: bool
    default: false
  state:
    description:
      - Whether the hosts are to be registered.
      - A host that a cluster uses is not deleted; the cluster is named, and nothing is written for any host.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until every host is paired (ready or in use) and healthy, and until its remote shell is as given.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1200
seealso:
  - module: palette.edge.edge_host_info
  - module: palette.edge.edge_host_reset
  - module: palette.edge.registration_token
"""

EXAMPLES = r"""
- name: Register one Edge host
  palette.edge.edge_host:
    uid: edge-store-042-1
    tags:
      site: store-042

- name: Open a shell with a temporary user, for a repair
  palette.edge.edge_host:
    uid: edge-store-042-1
    remote_shell: enabled
    remote_shell_temporary_user: enabled
    wait: true

- name: Remove all tags of a host
  palette.edge.edge_host:
    uid: edge-store-042-1
    tags: {}

- name: Let a host register again after its disk was replaced
  palette.edge.edge_host:
    uid: edge-store-042-1
    reinstalled: true

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
failed_hosts:
  description: IDs of the hosts of O(hosts) that failed.
  returned: when some failed, with O(hosts)
  type: list
  elements: str
  sample: [edge-store-042-2]
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan, StepFailedError, apply
from ansible_collections.palette.edge.plugins.module_utils._runner import (
    Frame,
    outcome,
    send_with,
    wait_after,
    wait_arguments,
    wait_until,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import ConflictError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host as edge
from ansible_collections.palette.edge.plugins.module_utils.resources import _edge_host_list as several
from ansible_collections.palette.edge.plugins.module_utils.resources._remote_shell import OPTIONS as SHELL
from ansible_collections.palette.edge.plugins.module_utils.resources._remote_shell import shell_standing

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
    "reinstalled": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **wait_arguments(timeout=1200),
    "wait": {"type": "bool", "default": False},
}


def desired_hosts(params: Mapping[str, Any]) -> list[edge.DesiredHost]:
    """The hosts that the options name, checked."""
    listed = params["hosts"] if params["hosts"] is not None else [{key: params[key] for key in ["uid", *HOST]}]
    same_for_all = {key: params[key] for key in ("purge_tags", "reinstalled")}
    hosts = [edge.DesiredHost(**host, **same_for_all, present=params["state"] == "present") for host in listed]
    edge.check(hosts)
    return hosts


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Plans every host, then applies the plans several at a time."""
    desired = desired_hosts(frame.params)
    scope = frame.scope(session)
    uids = [host.uid for host in desired]
    whole = {host.uid for host in desired if host.remote_shell or host.remote_shell_temporary_user}
    whole |= {host.uid for host in desired if host.pairing_key is not None or host.reinstalled}
    current = edge.read_many(session, scope, uids, whole=whole)
    plans = several.plan_all(desired, lambda host: _plan(session, scope, current[host.uid], host))
    changing = [host for host in desired if plans[host.uid].changed]
    if changing and not frame.check_mode:
        several.apply_all(session, changing, partial(_carry_out, session, scope, plans), total=len(plans))
    waiting = frame.params["wait"] and frame.params["state"] == "present" and not frame.check_mode
    if waiting:
        wait_after(lambda: _wait(session, scope, frame, desired), changed=bool(changing))
    if (changing or waiting) and not frame.check_mode:
        current = edge.read_many(session, scope, uids, whole=whole)
    seen = [_seen(current[uid], plans[uid], predicting=frame.check_mode) for uid in uids]
    if frame.params["hosts"] is None:
        return outcome(plans[uids[0]], "edge_host", seen[0])
    return outcome(several.summary(plans), "edge_hosts", seen)


def _plan(session: Session, scope: Scope, current: Any, host: edge.DesiredHost) -> Plan:
    return edge.plan(
        current,
        host,
        scope=scope,
        settle=lambda: edge.describe(edge.read(session, scope, host.uid)).get("uid"),
    )


def _carry_out(session: Session, scope: Scope, plans: Mapping[str, Plan], host: edge.DesiredHost) -> None:
    try:
        apply(plans[host.uid], send_with(session), sleep=session.sleep)
    except StepFailedError as error:
        if not isinstance(error.cause, ConflictError):
            raise
        # It registered itself between our look and our write: adopt it, unless it did so in another project.
        current = edge.read(session, scope, host.uid)
        if current is None:
            several.refuse_elsewhere(session, scope, host.uid)
            raise
        apply(_plan(session, scope, current, host), send_with(session), sleep=session.sleep)


def _wait(session: Session, scope: Scope, frame: Frame, desired: Sequence[edge.DesiredHost]) -> None:
    uids = [host.uid for host in desired]
    shells = {host.uid: {key: value for key in SHELL if (value := getattr(host, key))} for host in desired}
    shells = {uid: switches for uid, switches in shells.items() if switches}

    def look() -> tuple[bool, str]:
        well, words = edge.standing(edge.read_many(session, scope, uids))
        if not well or not shells:
            return well, words
        hosts = edge.read_many(session, scope, list(shells), whole=True)
        return shell_standing([edge.describe(host) for host in hosts.values() if host], shells)

    wait_until(
        look,
        what=f"{len(uids)} Edge hosts to be ready and healthy" if len(uids) != 1 else f"Edge host {uids[0]}",
        timeout=frame.params["wait_timeout"],
        sleep=frame.params["wait_sleep"],
    )


def _seen(current: Any, plan: Plan, *, predicting: bool) -> dict[str, Any]:
    if predicting and plan.changed:
        return {**edge.describe(current), **plan.after} if plan.after else {}
    return edge.describe(current)


def main() -> None:
    """Entry point."""
    Frame(ARGUMENTS, mutually_exclusive=[("uid", "hosts")], required_one_of=[("uid", "hosts")]).run(work)


if __name__ == "__main__":
    main()
