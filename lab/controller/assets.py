"""Files of clusters: kubeconfigs, and the archive of a definition for those who build content without a network."""

from __future__ import annotations

import base64
import io
import json
import zipfile

from .attaching import published
from .bodies_clusters import DEFINITION
from .clusters import PATH, find
from .core import Context, Reply, route
from .errors import invalid, not_found
from .store import Document

# The kinds of kubeconfig by the ends of their paths: of these, what leads through the reverse proxy, and what comes
# in base64, as it may.
_PROXIED = ("frpKubeconfig", "kubeconfig")
_ENCODED = ("adminTokenKubeconfig", "frpKubeconfig")


@route("GET", PATH + "/{uid}/assets")
def assets(context: Context) -> Document:
    known = find(context)["_lab"].get("kubeconfig") or {}
    names = {
        "kubeconfig": "proxy",
        "frpKubeconfig": "proxy",
        "kubeconfigclient": "admin",
        "tokenkubeconfig": "admin",
    }
    return {"spec": {name: known.get(kind, "") for name, kind in names.items()}}


@route("GET", PATH + "/{uid}/assets/kubeconfig")
@route("GET", PATH + "/{uid}/assets/kubeconfigclient")
@route("GET", PATH + "/{uid}/assets/adminKubeconfig")
@route("GET", PATH + "/{uid}/assets/frpKubeconfig")
@route("GET", PATH + "/{uid}/assets/adminTokenKubeconfig")
def kubeconfig(context: Context) -> Reply:
    cluster, asked = find(context), context.path.rpartition("/")[2]
    # The older call leads through the reverse proxy, unless it says otherwise.
    proxied = asked in _PROXIED and not (asked == "kubeconfig" and context.query.get("frp") == "false")
    text = (cluster["_lab"].get("kubeconfig") or {}).get("proxy" if proxied else "admin")
    if not text:
        raise not_found("Kubeconfig of cluster", context.parts["uid"])
    content = text.encode()
    file = f"{cluster['metadata']['name']}.kubeconfig"
    return Reply(200, base64.b64encode(content) if asked in _ENCODED else content, file=file)


@route("POST", PATH + "/spc/download", body=DEFINITION)
def download_definition(context: Context) -> Reply:
    spec = context.given("spec") or {}
    if spec.get("cloudType") != "edge-native":
        raise invalid(f"spec.cloudType '{spec.get('cloudType', '')}' is not one of this lab: edge-native")
    name = context.given("metadata", "name") or "cluster"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in spec.get("profiles") or []:
            profile = published(context, one["uid"])
            if profile is None:
                raise not_found("ClusterProfile", one["uid"])
            text = json.dumps(profile["spec"]["published"], indent=2, sort_keys=True)
            archive.writestr(_entry(f"{profile['metadata']['name']}-{profile['spec']['version']}.json"), text)
        archive.writestr(_entry("definition.json"), json.dumps(context.body, indent=2, sort_keys=True))
    return Reply(200, made.getvalue(), file=f"{name}.zip")


def _entry(name: str) -> zipfile.ZipInfo:
    """The same bytes for the same definition, whenever it is asked for."""
    return zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
