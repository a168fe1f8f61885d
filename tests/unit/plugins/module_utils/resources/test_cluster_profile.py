# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles: versions, layers, manifests and variables, and the order in which they are written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import ConflictError, InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import (
    HIDDEN,
    TENANT,
    Connection,
    Scope,
    Session,
)
from ansible_collections.palette.edge.plugins.module_utils.resources import _cluster_profile as profiles
from ansible_collections.palette.edge.plugins.module_utils.resources._packs import (
    DesiredPack,
    PackCatalogue,
    ResolvedPack,
)
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    PROFILE,
    manifest_pack,
    manifests_of,
    pack,
    profile,
    profile_row,
)
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, PaletteServer, error, page

SCOPE = Scope(PROJECT)
AT = f"/v1/clusterprofiles/{PROFILE}"


def layer(name: str, version: str = "1.0.0", values: str | None = None, **more: Any) -> ResolvedPack:
    return ResolvedPack(
        wanted=DesiredPack(name=name, version=version, values=values, type=more.pop("type", "spectro")),
        uid=f"uid-{name}",
        registry_uid=more.pop("registry", "uid-registry"),
        layer=more.pop("layer", "addon"),
        **more,
    )


def manifests(name: str, **contents: str) -> ResolvedPack:
    return ResolvedPack(
        wanted=DesiredPack(name=name, type="manifest"), uid="spectro-manifest-pack", manifests=dict(contents)
    )


LAYERS = [layer("os", layer="os"), layer("k8s", layer="k8s")]


def there(
    have: Any = None, *, variables: Any = (), source: Any = None, contents: dict[str, dict[str, str]] | None = None
) -> profiles.Current:
    known = {name: {key: (f"uid-{key}", text) for key, text in one.items()} for name, one in (contents or {}).items()}
    return profiles.Current(have, source, known, list(variables))


def plan(current: profiles.Current | None = None, scope: Scope = SCOPE, **desired: Any) -> Plan:
    current = current or there()
    wanted = profiles.DesiredProfile(name="edge-store", **desired)
    return profiles.plan(current, wanted, scope=scope)


def writes(planned: Plan) -> list[tuple[str, str, Any]]:
    return [(step.method, step.path, step.body) for step in planned.steps]


def verbs(planned: Plan) -> list[str]:
    return [f"{step.method} {step.path.rsplit('/', maxsplit=1)[-1]}" for step in planned.steps]


def test_create_and_publish_in_one() -> None:
    planned = plan(
        description="Stores",
        tags={"a": "1"},
        packs=[layer("os", values="x: 1\n", layer="os"), manifests("greeting", cm="kind: ConfigMap")],
        variables=[{"name": "who", "default_value": "world", "required": True}],
    )
    assert planned.steps[0].params == {"publish": "true"}
    assert writes(planned) == [
        (
            "POST",
            "/v1/clusterprofiles",
            {
                "metadata": {"name": "edge-store", "annotations": {"description": "Stores"}, "labels": {"a": "1"}},
                "spec": {
                    "template": {
                        "cloudType": "edge-native",
                        "type": "cluster",
                        "packs": [
                            {
                                "name": "os",
                                "type": "spectro",
                                "layer": "os",
                                "values": "x: 1",
                                "uid": "uid-os",
                                "registryUid": "uid-registry",
                                "tag": "1.0.0",
                            },
                            {
                                "name": "greeting",
                                "type": "manifest",
                                "layer": "addon",
                                "values": "",
                                "uid": "spectro-manifest-pack",
                                "manifests": [{"name": "cm", "content": "kind: ConfigMap"}],
                            },
                        ],
                    },
                    "version": "1.0.0",
                    "variables": [
                        {"name": "who", "displayName": "who", "defaultValue": "world", "required": True},
                    ],
                },
            },
        )
    ]


def test_create_needs_packs() -> None:
    with pytest.raises(InputError, match=r"packs: cluster profile edge-store 1\.0\.0 is not there yet"):
        plan()


@pytest.mark.parametrize(
    "desired",
    [
        {},
        {"packs": LAYERS},
        {"packs": [layer("os", values=""), layer("k8s", values="\n")]},
        {"description": "Stores", "tags": {"a": "1", "bare": ""}},
        {"variables": [{"name": "who", "default_value": "world"}]},
        {"variables": [{"name": "who", "hidden": False, "required": False, "options": []}]},
    ],
)
def test_nothing_to_do(desired: dict[str, Any]) -> None:
    have = profile(description="Stores", labels={"a": "1", "bare": "spectro__tag"})
    variables = [
        {"name": "who", "displayName": "Who", "defaultValue": "world", "format": "string", "inputType": "text"}
    ]
    assert not plan(there(have, variables=variables), **desired).changed


def test_values_and_contents_are_compared_without_the_newlines_around_them() -> None:
    have = profile(packs=[pack("os", values="\na: 1\nb: 2\n"), manifest_pack("greeting", "cm")])
    wanted = [layer("os", values="a: 1\nb: 2"), manifests("greeting", cm="kind: X")]
    assert not plan(there(have, contents={"greeting": {"cm": "kind: X"}}), packs=wanted).changed


def test_a_draft_is_published() -> None:
    planned = plan(there(profile(draft=True)))
    assert writes(planned) == [("PATCH", f"{AT}/publish", None)]


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ([layer("os"), layer("k8s", "1.1.0")], [("os", "1.0.0", ""), ("k8s", "1.1.0", "")]),
        ([layer("os"), layer("k8s", values="a: 2")], [("os", "1.0.0", ""), ("k8s", "1.0.0", "a: 2")]),
        ([layer("os"), layer("k8s", registry="other")], [("os", "1.0.0", ""), ("k8s", "1.0.0", "")]),
        ([layer("os")], [("os", "1.0.0", "")]),
        ([*LAYERS, layer("cni")], [("os", "1.0.0", ""), ("k8s", "1.0.0", ""), ("cni", "1.0.0", "")]),
        ([LAYERS[1], LAYERS[0]], [("k8s", "1.0.0", ""), ("os", "1.0.0", "")]),
    ],
)
def test_layers_are_written_whole_and_in_order(wanted: list[ResolvedPack], sent: list[tuple[str, str, str]]) -> None:
    planned = plan(there(profile()), packs=wanted)
    assert verbs(planned) == [f"PUT {PROFILE}", "PATCH publish"]
    body = planned.steps[0].body
    assert [(one["name"], one["tag"], one["values"]) for one in body["spec"]["template"]["packs"]] == sent
    assert body["spec"]["template"]["type"] == "cluster"
    assert body["spec"]["version"] == "1.0.0"
    assert body["metadata"] == {"uid": PROFILE, "name": "edge-store"}


def test_a_new_version_of_a_pack_brings_its_own_values_unless_given() -> None:
    have = there(profile(packs=[pack("os", values="old: 1")]))
    fresh = layer("os", "2.0.0", default_values="new: 1")
    assert plan(have, packs=[fresh]).steps[0].body["spec"]["template"]["packs"][0]["values"] == "new: 1"
    kept = layer("os", "2.0.0", values="old: 1", default_values="new: 1")
    assert plan(have, packs=[kept]).steps[0].body["spec"]["template"]["packs"][0]["values"] == "old: 1"


def test_values_that_are_not_given_stay() -> None:
    have = there(profile(packs=[pack("os", values="mine: 1"), pack("k8s")]))
    sent = plan(have, packs=[layer("os", default_values="theirs: 1"), layer("k8s", "1.1.0")])
    assert sent.steps[0].body["spec"]["template"]["packs"][0]["values"] == "mine: 1"


def test_manifests_that_are_there_carry_their_uid() -> None:
    have = there(
        profile(packs=[manifest_pack("greeting", "cm", "old")]), contents={"greeting": {"cm": "a: 1", "old": "b: 1"}}
    )
    planned = plan(have, packs=[manifests("greeting", cm="a: 2", fresh="c: 1")])
    assert planned.steps[0].body["spec"]["template"]["packs"][0]["manifests"] == [
        {"name": "cm", "content": "a: 2", "uid": "uid-cm"},
        {"name": "fresh", "content": "c: 1"},
    ]
    assert planned.before["packs"] == {"greeting": {"manifest cm": ["a: 1"], "manifest old": ["b: 1"]}}
    assert planned.after["packs"] == {"greeting": {"manifest cm": ["a: 2"], "manifest fresh": ["c: 1"]}}


def test_the_diff_shows_only_the_layers_that_change() -> None:
    planned = plan(there(profile()), packs=[layer("os"), layer("k8s", values="a: 2")])
    assert planned.before["packs"] == {"k8s": {}}
    assert planned.after["packs"] == {"k8s": {"values": ["a: 2"]}}
    assert "layers" not in planned.after


# -- variables -----------------------------------------------------------------------------------------------------

WHO = {"name": "who", "displayName": "Who", "defaultValue": "world", "format": "string", "required": True}
OLD = {"name": "old", "displayName": "Old"}
SECRET = {"name": "secret", "displayName": "secret", "defaultValue": "********", "isSensitive": True, "hidden": True}


def test_variables_before_layers_and_those_not_used_any_more_after() -> None:
    have = there(profile(), variables=[WHO, OLD])
    planned = plan(
        have,
        packs=[layer("os"), layer("k8s", values="{{.spectro.var.fresh}}")],
        variables=[{"name": "who", "default_value": "you"}, {"name": "fresh"}],
        description="new",
    )
    assert verbs(planned) == [
        "PATCH variables",
        f"PUT {PROFILE}",
        "DELETE variables",
        "PATCH metadata",
        "PATCH publish",
    ]
    assert planned.steps[0].body == {
        "variables": [{**WHO, "defaultValue": "you"}, {"name": "fresh", "displayName": "fresh"}]
    }
    assert planned.steps[2].body == {"variables": ["old"]}


@pytest.mark.parametrize(
    ("option", "value", "wire"),
    [
        ("display_name", "W", "displayName"),
        ("description", "d", "description"),
        ("default_value", "x", "defaultValue"),
        ("default_value", "", "defaultValue"),
        ("input_type", "multiline", "inputType"),
        ("regex", "^w", "regex"),
        ("required", False, "required"),
        ("hidden", True, "hidden"),
        ("immutable", True, "immutable"),
        ("sensitive", True, "isSensitive"),
    ],
)
def test_each_field_of_a_variable_can_be_set_and_cleared(option: str, value: Any, wire: str) -> None:
    planned = plan(there(profile(), variables=[WHO]), variables=[{"name": "who", option: value}])
    assert planned.steps[0].body == {"variables": [{**WHO, wire: value}]}


def test_what_is_not_given_of_a_variable_stays() -> None:
    planned = plan(there(profile(), variables=[WHO]), variables=[{"name": "who", "description": "new"}])
    assert planned.steps[0].body["variables"][0]["displayName"] == "Who"


def test_the_format_of_a_variable_is_fixed() -> None:
    with pytest.raises(ConflictError, match="variables: the format of who is string, not number"):
        plan(there(profile(), variables=[WHO]), variables=[{"name": "who", "format": "number"}])
    bare = {"name": "bare", "displayName": "bare"}  # Palette leaves the default out
    assert not plan(there(profile(), variables=[bare]), variables=[{"name": "bare", "format": "string"}]).changed


def test_a_sensitive_default_is_neither_compared_nor_shown_nor_written_back() -> None:
    have = there(profile(), variables=[SECRET])
    given = {"name": "secret", "default_value": "canary-default", "sensitive": True}
    assert not plan(have, variables=[given]).changed
    planned = plan(have, variables=[{**given, "description": "new"}])
    assert planned.steps[0].body["variables"][0]["defaultValue"] == "canary-default"
    assert planned.after["variables"]["secret"]["defaultValue"] == HIDDEN
    assert "canary" not in repr([planned.before, planned.after])
    without = plan(have, variables=[{"name": "secret", "description": "new"}])
    assert "defaultValue" not in without.steps[0].body["variables"][0]


def test_variables_that_are_not_given_at_all_stay() -> None:
    assert not plan(there(profile(), variables=[WHO, OLD])).changed
    assert verbs(plan(there(profile(), variables=[WHO, OLD]), variables=[]))[0] == "DELETE variables"


# -- metadata ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "labels", "description"),
    [
        ({"description": "new"}, {"a": "1"}, "new"),
        ({"description": ""}, {"a": "1"}, ""),
        ({"tags": {"b": ""}}, {"b": "spectro__tag"}, "old"),
        ({"tags": {}}, {}, "old"),
    ],
)
def test_metadata(desired: dict[str, Any], labels: dict[str, str], description: str) -> None:
    planned = plan(there(profile(description="old", labels={"a": "1"})), **desired)
    assert verbs(planned) == ["PATCH metadata", "PATCH publish"]
    assert planned.steps[0].body == {
        "metadata": {"name": "edge-store", "labels": labels, "annotations": {"description": description}},
        "spec": {"version": "1.0.0"},
    }


# -- versions ------------------------------------------------------------------------------------------------------


def test_a_new_version_is_a_copy_of_the_newest_and_planned_again() -> None:
    have = there(source=profile(version="1.1.0", uid="uid-newest"))
    planned = plan(have, version="1.2.0", packs=[layer("os"), layer("k8s", "2.0.0")])
    assert planned.replan_after == 1
    assert planned.steps[0].path == "/v1/clusterprofiles/uid-newest/clone"
    assert planned.steps[0].body == {
        "metadata": {
            "name": "edge-store",
            "version": "1.2.0",
            "target": {"scope": "project", "projectUid": PROJECT},
        }
    }
    assert "copy of version 1.1.0" in planned.steps[0].says
    assert [step.path for step in planned.steps[1:]] == [
        "/v1/clusterprofiles/{profile}",
        "/v1/clusterprofiles/{profile}/publish",
    ]


def test_a_copy_in_the_tenant() -> None:
    planned = plan(there(source=profile()), scope=TENANT, version="1.2.0")
    assert planned.steps[0].body["metadata"]["target"] == {"scope": "tenant"}


@pytest.mark.parametrize("desired", [{"type": "add-on"}, {"cloud": "all", "type": "add-on"}])
@pytest.mark.parametrize("how", ["profile", "source"])
def test_type_and_cloud_are_fixed(desired: dict[str, Any], how: str) -> None:
    current = there(profile()) if how == "profile" else there(source=profile())
    with pytest.raises(ConflictError, match="is there as type cluster for edge-native"):
        plan(current, **desired)


def test_a_version_in_use_is_not_changed_under_its_clusters() -> None:
    have = there(profile(clusters=["store-042", "store-043"]), variables=[WHO])
    changes: list[dict[str, Any]] = [{"packs": [layer("os")]}, {"variables": []}]
    for change in changes:
        with pytest.raises(ConflictError, match=r"used by the cluster store-042, store-043 .*give a new version"):
            plan(have, **change)
        assert plan(have, update_in_use=True, **change).changed
    assert verbs(plan(have, description="only words")) == ["PATCH metadata", "PATCH publish"]
    assert not plan(have).changed


def test_a_draft_of_somebody_else_is_not_published_under_clusters() -> None:
    both = profile(clusters=["store-042"])
    both["spec"]["draft"] = {**both["spec"]["published"], "packs": [pack("os", values="theirs: 1", layer="os")]}
    with pytest.raises(ConflictError, match=r"would change under it \(publish the draft of cluster profile edge-store"):
        plan(there(both))
    assert verbs(plan(there(both), update_in_use=True)) == ["PATCH publish"]
    assert not plan(there(both), publish=False).changed


def test_a_wildcard_in_a_published_version_a_draft_and_a_copy() -> None:
    fitting = {"1.0.0": ("uid-1", "", ()), "1.0.7": ("uid-7", "new: 1", ())}
    wild = ResolvedPack(
        wanted=DesiredPack(name="os", version="1.0.x"),
        uid="uid-7",
        registry_uid="uid-registry",
        layer="os",
        exact="1.0.7",
        default_values="new: 1",
        fitting=fitting,
    )
    assert not plan(there(profile(packs=[pack("os", layer="os")])), packs=[wild]).changed
    for current, more in ((there(profile(packs=[pack("os")], draft=True)), {}), (there(source=profile()), {})):
        sent = plan(current, packs=[wild], version="1.0.0", **more).steps
        (put,) = [step for step in sent if step.method == "PUT"]
        assert put.body["spec"]["template"]["packs"][0]["tag"] == "1.0.7"
        assert put.body["spec"]["template"]["packs"][0]["values"] == "new: 1"
    copied = profiles.plan(
        there(profile(packs=[pack("os")])),
        profiles.DesiredProfile(name="edge-store", packs=[wild]),
        scope=SCOPE,
        fresh=True,
    )
    assert "1.0.7" in str(copied.steps[0].body)
    # The registry has forgotten the version that is attached: it stays, with the UID that it has.
    odd = there(profile(packs=[pack("os", tag="1.0.3", layer="os", values="old: 1"), pack("k8s")]))
    kept = plan(odd, packs=[wild, layer("k8s", values="a: 2")]).steps[0].body["spec"]["template"]["packs"][0]
    assert (kept["tag"], kept["uid"], kept["values"]) == ("1.0.3", "uid-os", "old: 1")


def test_remove() -> None:
    planned = plan(there(profile()), present=False)
    assert writes(planned) == [("DELETE", AT, None)]
    assert not plan(there(source=profile(version="2.0.0")), present=False).changed
    assert not plan(present=False).changed


def test_a_profile_in_use_is_not_removed() -> None:
    with pytest.raises(ConflictError, match="is used by the cluster store-042: detach it there first"):
        plan(there(profile(clusters=["store-042"])), present=False)


@pytest.mark.parametrize(
    ("older", "newer"), [("1.9.0", "1.10.0"), ("1.0.0", "2.0.0"), ("0.9.9", "1.0.0-rc1"), ("x", "0.0.1")]
)
def test_versions_are_compared_as_numbers(older: str, newer: str) -> None:
    assert profiles.semver(older) < profiles.semver(newer)


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.fixture
def session(palette: PaletteServer) -> Session:
    return Session(Connection(host=palette.host, api_key=palette.key))


def look_up(*rows: Any, scope: str = PROJECT) -> Call:
    body = {"filter": {"profileName": {"eq": "edge-store", "ignoreCase": False}}}
    return Call(
        "POST", "/v1/dashboard/clusterprofiles", page(list(rows)), params={"limit": "50"}, body=body, scope=scope
    )


def test_reading_a_version_with_its_manifests(palette: PaletteServer, session: Session) -> None:
    have = profile(packs=[manifest_pack("greeting", "cm")])
    palette.expect(
        look_up(profile_row(v1_0_0=PROFILE, v0_9_0="uid-old")),
        Call("GET", AT, have),
        Call("GET", f"{AT}/variables", {"variables": [WHO]}),
        Call("GET", f"{AT}/packs/manifests", manifests_of(greeting={"cm": "\nkind: X\n"})),
    )
    current = profiles.read(session, SCOPE, "edge-store", "1.0.0")
    assert current.profile == have
    assert current.source is None
    assert current.manifests == {"greeting": {"cm": ("uid-cm", "kind: X")}}
    assert current.variables == [WHO]


def test_reading_the_newest_to_copy_from(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        look_up(profile_row(v1_9_0="uid-9", v1_10_0="uid-10", v1_2_0="uid-2")),
        Call("GET", "/v1/clusterprofiles/uid-10", profile(version="1.10.0", uid="uid-10")),
        Call("GET", "/v1/clusterprofiles/uid-10/variables", None),
    )
    current = profiles.read(session, SCOPE, "edge-store", "2.0.0")
    assert current.profile is None
    assert current.source is not None


def test_neither_another_scope_nor_a_similar_name_counts(palette: PaletteServer, session: Session) -> None:
    rows = [
        profile_row(scope="tenant", v1_0_0="uid-tenant"),
        profile_row(scope="system", v1_0_0="uid-system"),
        profile_row(name="edge-store-2", v1_0_0="uid-other"),
    ]
    palette.expect(look_up(*rows), look_up(*rows, scope=""))
    assert profiles.read(session, SCOPE, "edge-store", "1.0.0") == there()
    assert profiles.versions(session, TENANT, "edge-store") == {"1.0.0": ["uid-tenant"]}


def test_one_object_listed_by_each_version_is_one(palette: PaletteServer, session: Session) -> None:
    rows = [profile_row(v1_0_0="uid-1", v1_1_0="uid-2"), profile_row(v1_1_0="uid-2", v1_0_0="uid-1")]
    palette.expect(look_up(*rows))
    assert profiles.versions(session, SCOPE, "edge-store") == {"1.0.0": ["uid-1"], "1.1.0": ["uid-2"]}


def test_two_profiles_of_one_name(palette: PaletteServer, session: Session) -> None:
    palette.expect(look_up(profile_row(v1_0_0="uid-1"), profile_row(v1_0_0="uid-2")))
    with pytest.raises(InputError, match=r"name: 2 cluster profiles are named 'edge-store'.*\(uid-1, uid-2\)"):
        profiles.read(session, SCOPE, "edge-store", "1.0.0")


def test_results() -> None:
    have = profile(versions=[{"uid": "a", "version": "1.10.0"}, {"uid": "b", "version": "1.9.0"}], clusters=["c"])
    seen = profiles.describe(have)
    assert seen["versions"] == ["1.9.0", "1.10.0"]
    assert seen["packs"][0] == {"name": "os", "layer": "os", "version": "1.0.0"}
    assert (seen["published"], seen["clusters"]) == (True, ["c"])
    assert profiles.describe(profile(draft=True))["published"] is False
    assert profiles.describe(None) == {}


# -- packs ---------------------------------------------------------------------------------------------------------

REGISTRIES = Call(
    "GET",
    "/v1/registries/metadata",
    {"items": [{"name": "Public", "uid": "uid-public"}, {"name": "Own", "uid": "uid-own"}]},
    params={"scope": "all"},
)
ENTRY = {
    "layer": "k8s",
    "tags": [{"version": "1.30.4", "packUid": "uid-1304"}, {"version": "1.31.0", "packUid": "uid-1310"}],
    "packValues": [{"packUid": "uid-1304", "values": "\na: 1\n"}],
}


def hits(*registries: str) -> Call:
    items = [
        {
            "spec": {
                "name": "edge-k3s",
                "registries": [
                    {"uid": f"uid-{one.lower()}", "name": one, "latestVersion": "1.31.0"} for one in registries
                ],
            }
        },
        {"spec": {"name": "edge-k3s-other", "registries": [{"uid": "uid-x", "name": "X"}]}},
    ]
    body = {"filter": {"name": {"eq": "edge-k3s", "ignoreCase": False}}}
    return Call("POST", "/v1/packs/search", page(items), params={"limit": "50"}, body=body)


def again(call: Call) -> Call:
    return Call(call.method, call.path, call.reply, params=call.params, body=call.body)


def resolved(session: Session, **more: Any) -> ResolvedPack:
    wanted = DesiredPack(**{"name": "edge-k3s", "version": "1.30.4", **more})
    return PackCatalogue(session, SCOPE).resolve(wanted, option="packs[1]")


def entry(answer: Any = None, registry: str = "uid-public", status: int = 200) -> Call:
    return Call("GET", f"/v1/packs/edge-k3s/registries/{registry}", ENTRY if answer is None else answer, status)


def test_a_pack_by_its_registry(palette: PaletteServer, session: Session) -> None:
    palette.expect(again(REGISTRIES), entry(registry="uid-own"))
    found = resolved(session, registry="Own")
    assert (found.uid, found.registry_uid, found.layer) == ("uid-1304", "uid-own", "k8s")
    assert found.default_values == "a: 1"


def test_a_pack_that_only_one_registry_has(palette: PaletteServer, session: Session) -> None:
    palette.expect(hits("Public"), entry())
    assert resolved(session).registry_uid == "uid-public"


def test_each_pack_is_asked_for_once(palette: PaletteServer, session: Session) -> None:
    palette.expect(again(REGISTRIES), entry())
    catalogue = PackCatalogue(session, SCOPE)
    for name in ("edge-k3s", "second--edge-k3s"):
        found = catalogue.resolve(DesiredPack(name=name, version="1.31.0", registry="uid-public"), option="p")
        assert (found.uid, found.name) == ("uid-1310", name)


def test_a_manifest_pack_needs_nobody(session: Session) -> None:
    wanted = DesiredPack(name="m", type="manifest", manifests=(("a", "\nx: 1\n"),))
    found = PackCatalogue(session, SCOPE).resolve(wanted, option="p")
    assert (found.uid, found.registry_uid, found.layer) == ("spectro-manifest-pack", "", "addon")
    assert found.manifests == {"a": "x: 1"}


@pytest.mark.parametrize("kind", ["helm", "oci"])
def test_a_registry_that_lists_nothing(palette: PaletteServer, session: Session, kind: str) -> None:
    palette.expect(again(REGISTRIES), entry(error("ResourceNotFound"), status=404))
    found = resolved(session, registry="Public", type=kind)
    assert (found.uid, found.registry_uid) == ("", "uid-public")


NO_REGISTRY = (
    "packs[1].name: no registry that this key can see has a pack 'edge-k3s'. Those that come near: edge-k3s, "
    "edge-k3s-other. Registries: Own, Public"
)
SEVERAL = (
    "packs[1].registry: the pack edge-k3s is in several registries, say which: "
    "Own (newest 1.31.0), Public (newest 1.31.0)"
)


@pytest.mark.parametrize(
    ("calls", "wanted", "text"),
    [
        ([REGISTRIES], {"registry": "Publik"}, "packs[1].registry: no registry 'Publik'. Those that come near: Public"),
        (
            [hits(), REGISTRIES, hits()],
            {},
            NO_REGISTRY,
        ),
        (
            [hits("Own", "Public")],
            {},
            SEVERAL,
        ),
        (
            [REGISTRIES, entry(error("ResourceNotFound"), status=404), hits()],
            {"registry": "Public"},
            "packs[1].name: the registry Public has no pack 'edge-k3s'. Those that come near: edge-k3s, edge-k3s-other",
        ),
        (
            [REGISTRIES, entry()],
            {"registry": "Public", "version": "1.30.5"},
            "packs[1].version: the pack edge-k3s has no version '1.30.5'. Those that come near: 1.30.4, 1.31.0",
        ),
        (
            [REGISTRIES, entry()],
            {"registry": "Public", "version": "1.29.x"},
            "packs[1].version: the pack edge-k3s has no version '1.29.x'. There are: 1.31.0, 1.30.4",
        ),
    ],
)
def test_packs_that_are_not_to_be_had(
    palette: PaletteServer, session: Session, calls: list[Call], wanted: dict[str, Any], text: str
) -> None:
    palette.expect(*(Call(one.method, one.path, one.reply, one.status, params=one.params, body=ANY) for one in calls))
    with pytest.raises(InputError) as caught:
        resolved(session, **wanted)
    assert str(caught.value) == text
