# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Palette tells of a cluster's Kubernetes: how it is, which version it is, and its kubeconfig, which is a secret."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..palette._errors import MissingError, NotFoundError, UnavailableError
from ..palette._session import Scope, Session

# What is asked for each kind of kubeconfig: the asset's name and the query.
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "admin": ("adminKubeconfig", {}),
    "user": ("kubeconfigclient", {}),
    "proxy": ("kubeconfig", {"frp": "true"}),
    "token": ("adminTokenKubeconfig", {}),
}


def kubernetes(session: Session, scope: Scope, uid: str) -> dict[str, str]:
    """C(health) (Healthy, UnHealthy or Unknown) and C(kubernetes_version) of a cluster; empty where it has none yet."""
    path = f"/v1/dashboard/spectroclusters/{uid}/overview"
    answer = session.request("GET", path, scope=scope, what=f"read the overview of the cluster {uid}") or {}
    status = answer.get("status") or {}
    return {
        "health": (status.get("health") or {}).get("state") or "",
        "kubernetes_version": (status.get("kubeMeta") or {}).get("kubernetesVersion") or "",
    }


def fetch(session: Session, scope: Scope, uid: str, *, name: str, kind: str) -> str:
    """The kubeconfig of a cluster: text that opens the cluster, so it goes to no message and no result.

    :raises MissingError: when the cluster has none yet.
    :raises UnavailableError: when what came is no kubeconfig.
    """
    asset, params = KINDS[kind]
    path = f"/v1/spectroclusters/{uid}/assets/{asset}"
    what = f"read the {kind} kubeconfig of the cluster {name}"
    try:
        answer: str = session.request("GET", path, scope=scope, params=params, what=what, text=True)
    except NotFoundError as error:
        raise MissingError(
            f"Could not {what}: {session.connection.url} has none yet. It comes once the control plane is formed: "
            "wait for the cluster with palette.edge.wait and run again",
            **error.facts,
        ) from None
    text = decoded(answer)
    if "apiVersion" not in text or "clusters" not in text:
        raise UnavailableError(
            f"Could not {what}: {session.connection.url}: the answer is no kubeconfig. Is this a Palette API host?"
        )
    return text


def decoded(answer: str) -> str:
    """A kubeconfig that came as it is, or in base64."""
    try:
        plain = base64.b64decode("".join(answer.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return answer
    return plain if plain.lstrip().startswith("apiVersion") else answer


def described(path: str, *, changed: bool) -> dict[str, Any]:
    """What is told of a kubeconfig that is kept in a file."""
    return {"path": path, "changed": changed}
