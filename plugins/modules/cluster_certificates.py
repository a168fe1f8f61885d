#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_certificates
short_description: Renew the Kubernetes certificates of a cluster before they end
description:
  - Has Palette renew the certificates of the control plane when one of them ends soon, and waits until all are renewed.
  - Certificates that last longer are left alone, so it can run every day.
  - The components of the control plane are restarted for it, which takes some minutes.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.wait
  - palette.edge.attributes
  - palette.edge.attributes.group
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  renew_before_days:
    description: They are renewed when one of them ends within so many days.
    type: int
    default: 30
  force:
    description: Whether they are renewed in any case. Then every run is a change.
    type: bool
    default: false
notes:
  - Without O(wait), a second run before the renewal is done asks for it again.
seealso:
  - module: palette.edge.cluster
  - module: palette.edge.cluster_info
"""

EXAMPLES = r"""
- name: Renew the certificates of store 42 when they end within two months
  palette.edge.cluster_certificates:
    name: store-042
    renew_before_days: 60
"""

RETURN = r"""
cluster_certificates:
  description:
    - The certificates, those that end first at the top, with the first end and how many days are left until it.
    - In check mode as they are before.
  returned: success
  type: dict
  sample:
    name: store-042
    expires: "2027-11-20T10:00:00.000Z"
    days_left: 364
    certificates:
      - machine: store-042-1
        authority: kubernetes
        name: apiserver
        expires: "2027-11-20T10:00:00.000Z"
steps:
  description: What was done, or would be done in check mode, one sentence a write.
  returned: success
  type: list
  elements: str
  sample: [renew the certificates of the control plane of the cluster store-042]
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils._runner import (
    Frame,
    reconcile,
    wait_arguments,
    wait_until,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError, MissingError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _certificates as certificates
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _moments as moments
from ansible_collections.palette.edge.plugins.module_utils.resources._events import told_on_failure


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Reads the certificates of one cluster, renews them and waits."""
    params = frame.params
    name, days = params["name"], params["renew_before_days"]
    if not 0 <= days <= 3650:
        raise InputError(f"renew_before_days: {days} is not between 0 and 3650")
    scope = frame.scope(session)
    uid = clusters.find(session, scope, name)
    if not uid:
        raise MissingError(f"name: there is no cluster {name!r} in this scope. Check name and project")

    def read() -> list[dict[str, str]]:
        return certificates.read(session, scope, uid, name)

    before: list[dict[str, str]] = []

    def plan(current: list[dict[str, str]]) -> Plan:
        planned = certificates.plan(
            current, name=name, uid=uid, days=days, force=params["force"], now=moments.utc_now(), scope=scope
        )
        before[:] = current if planned.changed else []
        return planned

    def wait() -> None:
        if not before:
            return
        with told_on_failure(session, scope, lambda: uid):
            wait_until(
                lambda: certificates.renewed(before, read()),
                what=f"the new certificates of the cluster {name}",
                timeout=params["wait_timeout"],
                sleep=params["wait_sleep"],
            )

    result = reconcile(
        session,
        frame,
        read=read,
        plan=plan,
        noun="cluster_certificates",
        describe=lambda current: certificates.describe(name, current),
        wait=wait if params["wait"] else None,
    )
    if frame.check_mode:
        # When the new ones will end is Palette's to say.
        result["cluster_certificates"] = certificates.describe(name, read())
    return result


def main() -> None:
    """Entry point."""
    arguments = {
        "name": {"type": "str", "required": True},
        "renew_before_days": {"type": "int", "default": 30},
        "force": {"type": "bool", "default": False},
        **wait_arguments(),
    }
    Frame(arguments).run(work)


if __name__ == "__main__":
    main()
