"""The bodies that the API takes about packs, cluster profiles and macros (see :mod:`lab.controller.bodies`)."""

from __future__ import annotations

from .bodies import LAYER, META, META_INPUT, PACK_TYPE, PROFILE_TYPE, TEXT_FILTER, sorting
from .shapes import MAP, Shape

PACKS_FILTER: Shape = {
    "filter": {
        "name": TEXT_FILTER,
        "displayName": TEXT_FILTER,
        "layer": [LAYER],
        "registryUid": [str],
        "type": [PACK_TYPE],
        "addOnType": [str],
        "addOnSubType": [str],
        "environment": [str],
        "isFips": bool,
        "source": [str],
        "state": [str],
    },
    "sort": sorting("name", "type", "layer", "addOnType", "displayName"),
}
PROFILES_FILTER: Shape = {
    "filter": {
        "profileName": TEXT_FILTER,
        "profileType": [PROFILE_TYPE],
        "environment": [str],
        "scope": ("system", "tenant", "project"),
        "resourceType": ("spectrocluster", "clustertemplate"),
        "tags": {"beginsWith": [str], "eq": [str], "ignoreCase": bool, "ne": [str]},
        "version": {"eq": str, "ne": str, "beginsWith": str, "gt": str, "lt": str},
    },
    "sort": sorting("profileName", "environment", "profileType", "creationTimestamp", "lastModifiedTimestamp"),
}

# -- cluster profiles

VARIABLE: Shape = {
    "name!": str,
    "defaultValue": str,
    "description": str,
    "displayName": str,
    "format": ("string", "number", "boolean", "ipv4", "ipv4cidr", "ipv6", "version", "base64"),
    "hidden": bool,
    "immutable": bool,
    "inputType": ("text", "dropdown", "multiline"),
    "isSensitive": bool,
    "options": [{"value!": str, "label": str, "description": str, "default": bool}],
    "regex": str,
    "required": bool,
}
VARIABLES: Shape = {"variables": [VARIABLE]}
VARIABLE_NAMES: Shape = {"variables!": [str]}
PACK: Shape = {
    "name!": str,
    "layer": str,
    "manifests": [{"name!": str, "content": str}],
    "registryUid": str,
    "tag": str,
    "type": PACK_TYPE,
    "uid": str,
    "values": str,
}
# Only an update names the manifests that are there by their UIDs.
PACK_UPDATE: Shape = {**PACK, "manifests": [{"name!": str, "content": str, "uid": str}]}
PROFILE: Shape = {
    "metadata": META,
    "spec": {
        "template": {"cloudType": str, "type": PROFILE_TYPE, "packs": [PACK]},
        "variables": [VARIABLE],
        "version": str,
    },
}
PROFILE_UPDATE: Shape = {
    "metadata": META,
    "spec": {"template": {"type": PROFILE_TYPE, "packs": [PACK_UPDATE]}, "version": str},
}
PROFILE_META: Shape = {"metadata!": META_INPUT, "spec": {"version": str}}
CLONE_META: Shape = {
    "name!": str,
    "version": str,
    "target": {"scope!": ("system", "tenant", "project", "resource"), "projectUid": str},
}
CLONE: Shape = {"metadata": CLONE_META}
PROFILES_BULK: Shape = {"uids!": [str]}
TEMPLATE: Shape = {"cloudType": str, "type": PROFILE_TYPE, "packs": [PACK]}
PACK_ENTITY: Shape = {"name!": str, "uid!": str, "layer": str, "tag": str, "type": PACK_TYPE, "values": str}
PACK_REFS: Shape = {"uid": str, "packs": [PACK_UPDATE]}
PACK_PARAMS: Shape = {"references": [str]}
MANIFEST: Shape = {"name": str, "content": str}
IMPORT_REGISTRY: Shape = {
    "uid": str,
    "name": str,
    "kind": str,
    "isPrivate": bool,
    "isSyncSupported": bool,
    "providerType": str,
}
PROFILE_IMPORT: Shape = {
    "metadata": {"name": str, "description": str, "labels": MAP},
    "spec": {
        "template": {
            "cloudType": str,
            "type": PROFILE_TYPE,
            "packs": [
                {
                    "name!": str,
                    "layer": str,
                    "manifests": [{"name!": str, "content": str}],
                    "registry": {"metadata": IMPORT_REGISTRY, "matchingRegistries": [IMPORT_REGISTRY]},
                    "tag": str,
                    "type": PACK_TYPE,
                    "values": str,
                    "version": str,
                }
            ],
        },
        "variables": [VARIABLE],
        "version": str,
    },
}
MACROS: Shape = {"macros": [{"name!": str, "value": str}]}
