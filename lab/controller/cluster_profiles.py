"""Profiles on a cluster that is there: attached, replaced, detached; their variables, manifests and updates."""

from __future__ import annotations

from . import bodies, engine, events, rollout
from .attaching import attach, behind, published, take_variables
from .bodies_clusters import MANIFESTS, PACK_REFS, PACKS_ENTITY
from .clusters import PATH, find, profile_problems
from .core import DONE, Context, Reply, route
from .errors import not_found
from .profile_variables import variable_in_cluster
from .store import Document

PACK = PATH + "/{uid}/profiles/{profile}/packs/{pack}"


@route("GET", PATH + "/{uid}/profiles")
def get_profiles(context: Context) -> Document:
    cluster = find(context)
    items = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        packs = [{"metadata": {"name": pack["name"]}, "spec": _pack_spec(pack)} for pack in one["packs"]]
        spec = {**{key: one.get(key) for key in ("cloudType", "type", "version")}, "packs": packs}
        items.append({"metadata": {"uid": one["uid"], "name": one["name"]}, "spec": spec})
    return {"profiles": items}


@route("PUT", PATH + "/{uid}/profiles", body=bodies.ATTACHMENTS)
def put_profiles(context: Context) -> Reply:
    return _take_profiles(context, find(context), anew=True)


@route("PATCH", PATH + "/{uid}/profiles", body=bodies.ATTACHMENTS)
def patch_profiles(context: Context) -> Reply:
    return _take_profiles(context, find(context))


@route("DELETE", PATH + "/{uid}/profiles", body=bodies.DETACHMENT)
def delete_profiles(context: Context) -> Reply:
    cluster = find(context)
    gone = set(context.given("profileUids") or [])
    kept = [one for one in cluster["spec"]["clusterProfileTemplates"] if one["uid"] not in gone]
    before = rollout.in_force(cluster)
    cluster["spec"]["clusterProfileTemplates"] = kept
    if "held" in cluster["_lab"]:
        before["templates"] = [one for one in before["templates"] if one["uid"] not in gone]
        cluster["_lab"]["held"]["templates"] = before["templates"]
    engine.touch(context.lab, cluster)
    return _save(context, cluster)


@route("GET", PATH + "/{uid}/variables")
def get_variables(context: Context) -> list[Document]:
    cluster = find(context)
    answer = []
    for one in cluster["spec"]["clusterProfileTemplates"]:
        profile = context.store.get("profile", one["uid"]) or {"_lab": {"variables": []}}
        values = cluster["_lab"]["variables"].get(one["uid"], {})
        variables = [variable_in_cluster(each, values.get(each["name"])) for each in profile["_lab"]["variables"]]
        answer.append({"profileUid": one["uid"], "variables": variables})
    return answer


@route("PATCH", PATH + "/{uid}/variables", body=bodies.CLUSTER_VARIABLES)
def patch_variables(context: Context) -> Reply:
    cluster = find(context)
    attached = {one["uid"] for one in cluster["spec"]["clusterProfileTemplates"]}
    for one in context.body:
        if one["profileUid"] not in attached:
            raise not_found("Attached ClusterProfile", one["profileUid"])
        take_variables(context, cluster, one["profileUid"], one.get("variables") or [])
    engine.touch(context.lab, cluster)
    return _save(context, cluster)


@route("POST", PATH + "/validate/packs", body=PACKS_ENTITY)
def validate_new(context: Context) -> Document:
    return _verdict(context)


@route("POST", PATH + "/{uid}/validate/packs", body=PACKS_ENTITY)
def validate_packs(context: Context) -> Document:
    find(context)
    return _verdict(context)


@route("GET", PATH + "/{uid}/profiles/packs/manifests")
def all_manifests(context: Context) -> Document:
    items = []
    for one in find(context)["spec"]["clusterProfileTemplates"]:
        packs = [
            {"metadata": {"name": pack["name"]}, "spec": {**_pack_spec(pack), "manifests": _manifests(pack)}}
            for pack in one["packs"]
        ]
        items.append({"metadata": {"uid": one["uid"], "name": one["name"]}, "spec": {"packs": packs}})
    return {"profiles": items}


@route("GET", PATH + "/{uid}/manifests")
def manifests(context: Context) -> Document:
    templates = find(context)["spec"]["clusterProfileTemplates"]
    return {"manifests": [one for template in templates for pack in template["packs"] for one in _manifests(pack)]}


@route("GET", PACK + "/manifests")
def pack_manifests(context: Context) -> Document:
    pack = _pack(context, find(context))
    items = [
        {
            "metadata": {"uid": one["uid"], "name": one["name"]},
            "spec": {"published": {"content": one["content"], "digest": ""}},
        }
        for one in _manifests(pack)
    ]
    return {"items": items}


@route("PUT", PACK + "/manifests", body=MANIFESTS)
def put_manifests(context: Context) -> Reply:
    cluster = find(context)
    contents = _pack(context, cluster)["_lab"]["manifests"]
    for one in context.given("manifests") or []:
        if one.get("uid") not in contents:
            raise not_found("Manifest", one.get("uid", ""))
        contents[one["uid"]] = one.get("content", "")
    engine.touch(context.lab, cluster)
    return _save(context, cluster)


@route("GET", PACK + "/config")
def pack_config(context: Context) -> Document:
    cluster = find(context)
    pack = _pack(context, cluster)
    profile = published(context, context.parts["profile"])
    own: Document = next(
        (one for one in (profile or _NOTHING)["spec"]["published"]["packs"] if one["name"] == pack["name"]), {}
    )
    spec = {
        **{key: pack.get(key, "") for key in ("name", "packUid", "tag", "type", "values", "version")},
        "isValuesOverridden": bool(own) and own.get("values") != pack.get("values"),
        "scope": "cluster",
        "manifests": [
            {"name": one["name"], "uid": one["uid"], "isOverridden": _overridden(profile, one)}
            for one in _manifests(pack)
        ],
    }
    return {"items": [{"spec": spec}]}


@route("GET", PATH + "/{uid}/profileUpdates")
def profile_updates(context: Context) -> Document:
    return {"profiles": behind(context, find(context))}


@route("PATCH", PATH + "/{uid}/packRefs", body=PACK_REFS)
def take_update(context: Context) -> Reply:
    cluster = find(context)
    before = rollout.in_force(cluster)
    for one in context.given("profiles") or []:
        values = [pack for pack in one.get("packs") or [] if "values" in pack]
        attach(context, cluster, {"uid": one.get("uid", ""), "packValues": values})
    later = context.given("spcApplySettings", "actionType") == "DownloadAndInstallLater"
    return _changed(context, cluster, before, later=later)


_NOTHING: Document = {"spec": {"published": {"packs": []}}}


def _take_profiles(context: Context, cluster: Document, *, anew: bool = False) -> Reply:
    before = rollout.in_force(cluster)
    if anew:
        cluster["spec"]["clusterProfileTemplates"] = []
    for one in context.body["profiles"]:
        attach(context, cluster, one)
    later = context.given("spcApplySettings", "actionType") == "DownloadAndInstallLater"
    return _changed(context, cluster, before, later=later)


def _changed(context: Context, cluster: Document, before: Document, *, later: bool) -> Reply:
    name, uid = cluster["metadata"]["name"], cluster["metadata"]["uid"]
    listed = ", ".join(f"{one['name']} {one['profileVersion']}" for one in cluster["spec"]["clusterProfileTemplates"])
    events.record(context.lab, "spectrocluster", uid, name, "ProfilesChanged", f"Attached: {listed}")
    if rollout.begin(context.lab, cluster, before, later=later):
        engine.upgrade(context.lab, cluster, before)
    elif cluster.get("status"):
        cluster["status"]["spcApply"] = rollout.applied(cluster)
    return _save(context, cluster)


def _verdict(context: Context) -> Document:
    found: dict[str, list[Document]] = {}
    for _group, uid, text in profile_problems(context, context.given("profiles") or []):
        found.setdefault(uid, []).append({"code": "ValidationFailed", "message": text})
    packs = [
        {"uid": uid, "packs": {"results": [{"name": uid, "displayName": uid, "errors": errors}]}}
        for uid, errors in found.items()
    ]
    return {"profiles": packs}


def _save(context: Context, cluster: Document) -> Reply:
    context.store.put("cluster", cluster["metadata"]["uid"], cluster)
    return DONE


def _pack_spec(pack: Document) -> Document:
    return {key: pack.get(key, "") for key in ("name", "layer", "type", "version", "registryUid", "values")}


def _manifests(pack: Document) -> list[Document]:
    contents = (pack.get("_lab") or {}).get("manifests") or {}
    return [
        {"uid": one["uid"], "name": one["name"], "content": contents.get(one["uid"], "")}
        for one in pack.get("manifests") or []
    ]


def _overridden(profile: Document | None, manifest: Document) -> bool:
    own = ((profile or {}).get("_lab") or {}).get("published") or {}
    return bool(own) and own.get(manifest["uid"]) != manifest["content"]


def _pack(context: Context, cluster: Document) -> Document:
    profile, name = context.parts["profile"], context.parts["pack"]
    for one in cluster["spec"]["clusterProfileTemplates"]:
        for pack in one["packs"] if one["uid"] == profile else ():
            if pack["name"] == name:
                found: Document = pack
                return found
    raise not_found("Pack", f"{profile}/{name}")
