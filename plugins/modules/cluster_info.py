#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: List clusters of Edge hosts and how far they are
description:
  - Lists the clusters of a project or the tenant, or the one of a name, with profiles, node pools and, in words, how
    far it is from running as defined.
  - Can also write the kubeconfig of the cluster to a file, on the host that runs the module. It is a secret, which gives
    all rights in the cluster, so it is never part of the result.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.attributes.info
  - palette.edge.attributes.group
options:
  name:
    description: Name of a cluster. Without it, all are listed, with name, UID and state only.
    type: str
  gather:
    description:
      - What is read beside, each with requests of its own. Needs O(name).
      - V(machines) lists the nodes with their Edge hosts, addresses and maintenance.
      - V(certificates) lists the certificates of the control plane and when they end.
      - V(events) lists what Palette noted, the newest first.
      - V(repave) tells whether a repave waits for approval, and why.
      - V(variables) lists the profile variables with their values. Those that are sensitive stay hidden.
      - V(updates) tells whether changes are downloaded and wait to be installed, and which attached profiles were
        changed after they were attached.
    type: list
    elements: str
    choices: [machines, certificates, events, repave, variables, updates]
    default: []
  kubeconfig_path:
    description:
      - The cluster's kubeconfig is written to this file, which only its owner can read. The directory must be there.
      - A file that holds it already, with these rights, is left alone.
      - Needs O(name). A cluster that is not there, or has no kubeconfig yet, is an error.
    type: path
  kubeconfig_type:
    description:
      - Which kubeconfig is written to O(kubeconfig_path).
      - V(admin) leads to the cluster's own endpoint and gives all rights.
      - V(user) is for a user who signs in, where the cluster has such a sign-in set up.
      - V(proxy) leads through Palette's reverse proxy, for where the cluster's own endpoint cannot be reached.
      - V(token) gives all rights with a token in place of a certificate.
    type: str
    choices: [admin, user, proxy, token]
    default: admin
attributes:
  check_mode:
    description: Reads only, and with O(kubeconfig_path) predicts whether the file would be written.
    support: full
  diff_mode:
    description: The one thing that can change is a secret, so there is nothing to show.
    support: N/A
  idempotent:
    description: Reads only, and writes the file of O(kubeconfig_path) only when it does not hold the kubeconfig yet.
    support: full
seealso:
  - module: palette.edge.cluster
  - module: palette.edge.wait
"""

EXAMPLES = r"""
- name: See how far the cluster of store 42 is
  palette.edge.cluster_info:
    name: store-042
  register: found

- name: See why the nodes of store 42 are to be replaced, and what was noted last
  palette.edge.cluster_info:
    name: store-042
    gather: [repave, events, machines]
  register: found

- name: Keep the kubeconfig of store 42, to work with its Kubernetes from here
  palette.edge.cluster_info:
    name: store-042
    kubeconfig_path: ~/.kube/store-042.yaml
  delegate_to: localhost

- name: The same through Palette, where the store's network cannot be reached
  palette.edge.cluster_info:
    name: store-042
    kubeconfig_path: ~/.kube/store-042.yaml
    kubeconfig_type: proxy
  delegate_to: localhost
"""

RETURN = r"""
clusters:
  description:
    - The clusters; an empty list when there is none. Deleted ones are not listed.
    - The one of O(name) also with C(health) (V(Healthy), V(UnHealthy) or V(Unknown)) and C(kubernetes_version), which
      are empty while Palette tells none, and with a key for each part of O(gather).
  returned: success
  type: list
  elements: dict
  sample:
    - uid: 6655f0c2a1b2c3d4e5f60720
      name: store-042
      state: Running
      running: true
      progress: Running, 3 of 3 machines running, 4 of 4 packs ready
      endpoint: 10.42.0.10
      health: Healthy
      kubernetes_version: 1.31.1
kubeconfig:
  description: The file that holds the kubeconfig, and whether it was written; never what is in it.
  returned: when O(kubeconfig_path) is given
  type: dict
  sample:
    path: /home/me/.kube/store-042.yaml
    changed: true
"""

from typing import Any

from ansible_collections.palette.edge.plugins.module_utils import _private_file as private_file
from ansible_collections.palette.edge.plugins.module_utils._runner import Frame
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import (
    InputError,
    MissingError,
    TerminalStateError,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import Scope, Session
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster as clusters
from ansible_collections.palette.edge.plugins.module_utils.resources import _kubeconfig as kubeconfig
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_details import PARTS, gather
from ansible_collections.palette.edge.plugins.module_utils.resources._cluster_progress import progress


def work(session: Session, frame: Frame) -> dict[str, Any]:
    """Lists clusters, and writes the kubeconfig of one."""
    name, path, parts = frame.params["name"], frame.params["kubeconfig_path"], frame.params["gather"]
    if parts and not name:
        raise InputError("gather needs name: of which cluster should it be read?")
    if path and not name:
        raise InputError("kubeconfig_path needs name: whose kubeconfig should be written?")
    scope = frame.scope(session)
    if not name:
        listed = [
            {
                "uid": item["metadata"]["uid"],
                "name": item["metadata"].get("name", ""),
                "state": (item.get("status") or {}).get("state", ""),
            }
            for item in clusters.search(session, scope)
        ]
        return {"changed": False, "clusters": listed}
    current = clusters.read(session, scope, name, machines=True)
    if current.cluster is None:
        if path:
            raise MissingError(
                f"Could not write the kubeconfig to {path}: {session.connection.url} has no cluster {name!r} in this "
                "scope. Check name and project, or form it with palette.edge.cluster"
            )
        return {"changed": False, "clusters": []}
    try:
        running, words = progress(current, current.machines)
    except TerminalStateError as error:
        running, words = False, str(error)
    uid = current.cluster["metadata"]["uid"]
    seen = {
        **clusters.describe(current),
        "running": running,
        "progress": words,
        **kubeconfig.kubernetes(session, scope, uid),
        **gather(session, scope, current, parts),
    }
    result: dict[str, Any] = {"changed": False, "clusters": [seen]}
    if path:
        changed = _keep(session, frame, scope, uid)
        result |= {"changed": changed, "kubeconfig": kubeconfig.described(path, changed=changed)}
    return result


def _keep(session: Session, frame: Frame, scope: Scope, uid: str) -> bool:
    """Whether the kubeconfig was written, or would be in check mode."""
    path: str = frame.params["kubeconfig_path"]
    text = kubeconfig.fetch(session, scope, uid, name=frame.params["name"], kind=frame.params["kubeconfig_type"])
    changed = private_file.differs(path, text)
    if changed and not frame.check_mode:
        private_file.write(path, text)
    return changed


def main() -> None:
    """Entry point."""
    arguments = {
        "name": {"type": "str"},
        "gather": {"type": "list", "elements": "str", "choices": PARTS, "default": []},
        "kubeconfig_path": {"type": "path"},
        "kubeconfig_type": {"type": "str", "choices": ["admin", "user", "proxy", "token"], "default": "admin"},
    }
    Frame(arguments).run(work)


if __name__ == "__main__":
    main()
